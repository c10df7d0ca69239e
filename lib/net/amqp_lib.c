/* amqp_lib.c - loading rabbitmq-c. */
#define AMQP_LIB_PLAIN /* the names themselves are wanted here */
#include "lib/net/amqp_lib.h"

#include <dlfcn.h>

struct amqp_lib amqp_lib;

int amqp_lib_open(struct err *e)
{
	static void *handle;
	static const char name[] = "librabbitmq.so.4";
	if (handle)
		return 0;
	void *lib = dlopen(name, RTLD_NOW | RTLD_LOCAL);
	if (!lib)
		return err_set(e, ERR_ENV, "queues need rabbitmq-c (Debian: librabbitmq4): %s", dlerror());
#define AMQP_LIB_LOAD(function)                                                                                        \
	*(void **)&amqp_lib.function = dlsym(lib, #function);                                                          \
	if (!amqp_lib.function)                                                                                        \
		return err_set(e, ERR_ENV, "%s has no function " #function "; version 0.11 or later is needed", name);
	AMQP_LIB(AMQP_LIB_LOAD)
	handle = lib;
	return 0;
}
