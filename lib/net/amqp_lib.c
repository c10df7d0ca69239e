/* amqp_lib.c - loading rabbitmq-c. */
#define AMQP_LIB_PLAIN /* the real names, not the table's */
#include "lib/net/amqp_lib.h"

#include "lib/base/optional_lib.h"

struct amqp_lib amqp_lib;

int amqp_lib_open(struct err *e)
{
#define AMQP_LIB_NAME(function) #function,
	static const char *const names[] = {AMQP_LIB(AMQP_LIB_NAME)};
	static struct optional_lib lib = {
	    .file = "librabbitmq.so.4",
	    .needed = "queues need rabbitmq-c (Debian: librabbitmq4)",
	    .old = "version 0.11 or later is needed",
	    .name = names,
	    .n = COUNT_OF(names),
	    .call = &amqp_lib,
	};
	_Static_assert(sizeof amqp_lib == sizeof names, "a pointer for each name");
	return optional_lib_open(&lib, e);
}
