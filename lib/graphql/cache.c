/* cache.c - a map by text, and a list in the order of use. */
#include "lib/graphql/cache.h"

#include <pthread.h>

enum { PART = 16 }; /* of the cache that one document may occupy */

struct gql_cache {
	size_t most;
	pthread_mutex_t lock;
	struct map by_text;
	struct gql_valid *newest, *oldest;
	struct share memory;
};

/* ---- documents ---- */

struct gql_valid *gql_valid_new(struct str text, bool copy)
{
	struct gql_valid *v = xcalloc(1, sizeof *v);
	atomic_init(&v->references, 1);
	v->doc.text = copy ? arena_str(&v->mem, text) : text;
	return v;
}

void gql_valid_release(struct gql_valid *v)
{
	if (!v || atomic_fetch_sub(&v->references, 1) > 1)
		return;
	gql_document_free(&v->doc);
	arena_free(&v->mem);
	free(v);
}

size_t gql_valid_bytes(const struct gql_valid *v)
{
	return sizeof *v + arena_size(&v->mem) + v->doc.fragments.cap * sizeof *v->doc.fragments.slot;
}

/* ---- the cache ---- */

struct gql_cache *gql_cache_new(size_t most, struct budget *memory)
{
	struct gql_cache *c = xcalloc(1, sizeof *c);
	*c = (struct gql_cache){.most = most, .memory.of = memory};
	pthread_mutex_init(&c->lock, NULL);
	return c;
}

static void unlink_document(struct gql_cache *c, struct gql_valid *v)
{
	*(v->newer ? &v->newer->older : &c->newest) = v->older;
	*(v->older ? &v->older->newer : &c->oldest) = v->newer;
}

static void link_newest(struct gql_cache *c, struct gql_valid *v)
{
	v->newer = NULL;
	v->older = c->newest;
	*(c->newest ? &c->newest->newer : &c->oldest) = v;
	c->newest = v;
}

static void drop_oldest(struct gql_cache *c)
{
	struct gql_valid *v = c->oldest;
	unlink_document(c, v);
	map_remove(&c->by_text, v->doc.text);
	share_give(&c->memory, v->bytes);
	gql_valid_release(v);
}

void gql_cache_free(struct gql_cache *c)
{
	if (!c)
		return;
	while (c->oldest)
		drop_oldest(c);
	map_free(&c->by_text);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

struct gql_valid *gql_cache_find(struct gql_cache *c, struct str text)
{
	pthread_mutex_lock(&c->lock);
	const struct map_slot *slot = map_get(&c->by_text, text);
	struct gql_valid *v = slot ? slot->v.ptr : NULL;
	if (v) {
		atomic_fetch_add(&v->references, 1);
		unlink_document(c, v);
		link_newest(c, v);
	}
	pthread_mutex_unlock(&c->lock);
	return v;
}

void gql_cache_add(struct gql_cache *c, struct gql_valid *v)
{
	size_t bytes = gql_valid_bytes(v) + sizeof(struct map_slot);
	if (bytes > c->most / PART)
		return;
	pthread_mutex_lock(&c->lock);
	if (!map_get(&c->by_text, v->doc.text)) {
		while (c->oldest && c->memory.held + bytes > c->most)
			drop_oldest(c);
		if (share_take(&c->memory, bytes)) {
			v->bytes = bytes;
			map_put(&c->by_text, v->doc.text, NULL)->v.ptr = v;
			link_newest(c, v);
			atomic_fetch_add(&v->references, 1);
		}
	}
	pthread_mutex_unlock(&c->lock);
}
