/* outbox.c - the names of operations. */
#include "lib/data/outbox.h"

static const char *const names[] = {[CHANGE_INSERT] = "insert", [CHANGE_UPDATE] = "update", [CHANGE_DELETE] = "delete"};

const char *change_op_name(enum change_op op)
{
	return names[op];
}

enum change_op change_op_parse(struct str name)
{
	for (size_t op = 0; op < COUNT_OF(names); op++)
		if (str_eq(name, str_of(names[op])))
			return (enum change_op)op;
	return CHANGE_DELETE;
}
