/* ends.c - the cache that is shared by all threads, or by none. */
#include "lib/serve/ends.h"

int ends_open_local(struct ends *o, struct err *e)
{
	struct cache *c;
	if (ends_cache(o, &c, e) < 0)
		return -1;
	if (c && c->private)
		o->local = c;
	else
		ends_close_cache(o, c);
	return 0;
}

void ends_close_local(struct ends *o)
{
	if (o->local)
		o->local->close(o->local);
	o->local = NULL;
}

int ends_cache(const struct ends *o, struct cache **c, struct err *e)
{
	*c = o->local ? o->local : o->cache ? o->cache(o->arg, e) : NULL;
	return *c || !o->cache ? 0 : -1;
}

int ends_client_cache(const struct ends *o, struct cache **c, struct err *e)
{
	if (ends_cache(o, c, e) < 0)
		return -1;
	if (*c && *c != o->local) {
		(*c)->call_ms = CACHE_PATIENCE_MS;
		(*c)->watch = o->watch;
	}
	return 0;
}

void ends_close_cache(const struct ends *o, struct cache *c)
{
	if (c && c != o->local)
		c->close(c);
}
