/* store.c - what all stores share: a put that isolates the messages that the database refuses. */
#include "lib/data/store.h"

int store_put(struct store *s, struct message *const *m, size_t n, struct arena *mem, struct err *e)
{
	if (n == 0)
		return 0;
	int rc = s->put(s, m, n, mem, e);
	if (rc != STORE_REFUSED)
		return rc;
	if (n == 1) {
		m[0]->fate = MESSAGE_REFUSED;
		m[0]->why = arena_str(mem, str_of(e->msg));
		return 0;
	}
	size_t half = n / 2;
	if (store_put(s, m, half, mem, e) < 0)
		return -1;
	return store_put(s, m + half, n - half, mem, e);
}
