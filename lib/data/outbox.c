/* outbox.c - the names of operations; whether a store was restored. */
#include "lib/data/outbox.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"

enum { LOOK_MS = 1000 };

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

int outbox_look(struct outbox *o, struct outbox_watch *w, struct err *e)
{
	struct outbox_age now;
	int64_t at = clock_mono_ms();
	if (!o->age || (w->known && at - w->looked_at < LOOK_MS))
		return 0;
	if (o->age(o, &now, e) < 0)
		return -1;
	if (w->known && (now.identity != w->last.identity || now.newest < w->last.newest)) {
		log_warn("the store was restored from a back-up: cached messages are dropped", NULL);
		w->restored = true;
	}
	w->last = now;
	w->known = true;
	w->looked_at = at;
	return 0;
}
