/* lookaside.c - cache, then store, then put; two rounds at most.
 *
 *     round 1   ask the cache; of the misses claim those that nobody is fetching, fetch and put them, drop the claims;
 *               then wait for those that others have claimed
 *     round 2   ask the cache for these again, and fetch what it still does not know, claimed or not
 *
 * No thread waits while it holds a claim, so none can wait for ever.
 */
#include "lib/data/lookaside.h"

#include <pthread.h>

#include "lib/base/clock.h"
#include "lib/base/map.h"
#include "lib/base/timedwait.h"

/* ---- flights ---- */

enum { BUCKETS = 256 };

/* A key that is being fetched; it lives in the arena of the call that fetches. */
struct claim {
	struct claim *next;
	struct str id;
};

struct flights {
	pthread_mutex_t lock;
	pthread_cond_t landed; /* some claims were dropped */
	struct claim *bucket[BUCKETS];
};

struct flights *flights_new(void)
{
	struct flights *f = xcalloc(1, sizeof *f);
	pthread_mutex_init(&f->lock, NULL);
	cond_init(&f->landed);
	return f;
}

void flights_free(struct flights *f)
{
	if (!f)
		return;
	pthread_mutex_destroy(&f->lock);
	pthread_cond_destroy(&f->landed);
	free(f);
}

/* Where the claim of this id is, or would be. */
static struct claim **place_of(struct flights *f, struct str id)
{
	struct claim **at = &f->bucket[hash_bytes(id) % BUCKETS];
	while (*at && !str_eq((*at)->id, id))
		at = &(*at)->next;
	return at;
}

/* ---- one call ---- */

struct look_slot {
	struct look *look;
	struct entry entry;
	struct message m;
	struct claim claim;
	bool claimed;
};

/* A list of slots, as arrays of pointers for the calls of cache and store. */
struct slot_list {
	struct look_slot **slot;
	size_t n;
};

struct lookaside {
	struct cache *cache;
	struct store *store;
	struct flights *flights;
	struct buf keys, line;
	struct json_scan scan;
};

struct lookaside *lookaside_new(struct cache *cache, struct store *store, struct flights *flights)
{
	struct lookaside *l = xcalloc(1, sizeof *l);
	l->cache = cache;
	l->store = store;
	l->flights = flights;
	return l;
}

void lookaside_free(struct lookaside *l)
{
	if (!l)
		return;
	buf_free(&l->keys);
	buf_free(&l->line);
	json_scan_free(&l->scan);
	free(l);
}

static struct slot_list list_new(size_t n, struct arena *mem)
{
	return (struct slot_list){.slot = arena_alloc(mem, n * sizeof(struct look_slot *))};
}

static void list_add(struct slot_list *list, struct look_slot *s)
{
	list->slot[list->n++] = s;
}

static struct slot_list prepare(struct lookaside *l, struct look *look, size_t n, struct arena *mem)
{
	struct slot_list all = list_new(n, mem);
	struct look_slot *slot = arena_alloc(mem, n * sizeof *slot);
	for (size_t i = 0; i < n; i++) {
		look[i] = (struct look){.id = look[i].id};
		slot[i] = (struct look_slot){.look = &look[i]};
		buf_clear(&l->keys);
		cache_key_message(&l->keys, look[i].id);
		slot[i].entry.key = arena_str(mem, buf_view(&l->keys));
		list_add(&all, &slot[i]);
	}
	return all;
}

/* Takes the cache's answers. Returns what it does not know, or only as pending. */
static struct slot_list ask_cache(struct lookaside *l, const struct slot_list *list, struct arena *mem)
{
	struct slot_list left = list_new(list->n, mem);
	struct entry **entry = arena_alloc(mem, list->n * sizeof *entry);
	struct err ignored;
	for (size_t i = 0; i < list->n; i++) {
		struct entry *x = entry[i] = &list->slot[i]->entry;
		*x = (struct entry){.kind = ENTRY_MESSAGE, .key = x->key, .state = ENTRY_SKIPPED};
	}
	if (l->cache && l->cache->get(l->cache, entry, list->n, mem, &ignored) < 0)
		for (size_t i = 0; i < list->n; i++)
			entry[i]->state = ENTRY_SKIPPED;
	for (size_t i = 0; i < list->n; i++) {
		struct look *k = list->slot[i]->look;
		k->asked = entry[i]->state != ENTRY_SKIPPED;
		k->hit = entry[i]->state == ENTRY_HIT || entry[i]->state == ENTRY_ABSENT;
		bool pending = entry[i]->state == ENTRY_HIT && !entry[i]->version;
		if (!k->hit || pending)
			list_add(&left, list->slot[i]);
		if (!k->hit)
			continue;
		k->state = entry[i]->state == ENTRY_HIT ? LOOK_FOUND : LOOK_ABSENT;
		k->record = entry[i]->state == ENTRY_HIT ? entry[i]->value : STR_NONE;
		k->version = entry[i]->version;
	}
	return left;
}

/* Splits the misses: *mine are claimed, or need no claim while the cache is down. Returns the others. */
static struct slot_list claim(
    struct lookaside *l, const struct slot_list *misses, struct slot_list *mine, struct arena *mem)
{
	struct slot_list others = list_new(misses->n, mem);
	*mine = list_new(misses->n, mem);
	if (!l->flights) {
		*mine = *misses;
		return others;
	}
	pthread_mutex_lock(&l->flights->lock);
	for (size_t i = 0; i < misses->n; i++) {
		struct look_slot *s = misses->slot[i];
		if (s->entry.state == ENTRY_SKIPPED) {
			list_add(mine, s);
			continue;
		}
		struct claim **at = place_of(l->flights, s->look->id);
		s->claimed = !*at;
		s->look->waited = !s->claimed;
		if (s->claimed) {
			s->claim = (struct claim){.id = s->look->id};
			*at = &s->claim;
		}
		list_add(s->claimed ? mine : &others, s);
	}
	pthread_mutex_unlock(&l->flights->lock);
	return others;
}

static void give_up_claims(struct lookaside *l, const struct slot_list *mine)
{
	if (!l->flights)
		return;
	pthread_mutex_lock(&l->flights->lock);
	for (size_t i = 0; i < mine->n; i++)
		if (mine->slot[i]->claimed) {
			*place_of(l->flights, mine->slot[i]->claim.id) = mine->slot[i]->claim.next;
			mine->slot[i]->claimed = false;
		}
	pthread_cond_broadcast(&l->flights->landed);
	pthread_mutex_unlock(&l->flights->lock);
}

static void wait_for(struct flights *f, const struct slot_list *others)
{
	int64_t until = clock_mono_ms() + FLIGHT_WAIT_MS;
	bool in_time = true;
	pthread_mutex_lock(&f->lock);
	for (size_t i = 0; i < others->n && in_time; i++)
		while (*place_of(f, others->slot[i]->look->id) && in_time)
			in_time = cond_wait_until(&f->landed, &f->lock, until);
	pthread_mutex_unlock(&f->lock);
}

/* Takes the store's answer for one message. */
static void take_row(struct lookaside *l, struct look_slot *s, struct arena *mem)
{
	struct look *k = s->look;
	if (s->entry.state != ENTRY_HIT)
		k->state = LOOK_ABSENT; /* else it is pending, and shows what the cache has */
	if (s->m.fate != MESSAGE_FOUND)
		return;
	k->hit = false;
	buf_clear(&l->line);
	if (message_write(&s->m, &l->line, &l->scan) < 0) {
		k->state = LOOK_BROKEN;
		return;
	}
	k->state = LOOK_FOUND;
	k->version = s->m.version;
	k->record = json_padded(mem, buf_view(&l->line));
}

static int read_store(struct lookaside *l, const struct slot_list *list, struct arena *mem, struct err *e)
{
	struct message **row = arena_alloc(mem, list->n * sizeof *row);
	for (size_t i = 0; i < list->n; i++) {
		struct look_slot *s = list->slot[i];
		s->m = (struct message){.id = s->look->id};
		row[i] = &s->m;
	}
	if (l->store->get(l->store, row, list->n, mem, e) < 0)
		return -1;
	for (size_t i = 0; i < list->n; i++)
		take_row(l, list->slot[i], mem);
	return 0;
}

/* Puts the answers in the cache if its clock is known; a failure costs no more than a later miss. */
static void put(struct lookaside *l, const struct slot_list *list, struct arena *mem)
{
	struct slot_list kept = list_new(list->n, mem);
	struct entry **entry = arena_alloc(mem, list->n * sizeof *entry);
	struct err ignored;
	for (size_t i = 0; i < list->n; i++) {
		struct look_slot *s = list->slot[i];
		if (s->entry.state == ENTRY_SKIPPED || s->look->hit || s->look->state == LOOK_BROKEN)
			continue;
		s->entry.value = s->look->record;
		s->entry.version = s->look->version;
		s->entry.state = ENTRY_PENDING;
		entry[kept.n] = &s->entry;
		list_add(&kept, s);
	}
	if (kept.n == 0 || l->cache->put(l->cache, entry, kept.n, &ignored) < 0)
		return;
	for (size_t i = 0; i < kept.n; i++)
		kept.slot[i]->look->stored = entry[i]->state == ENTRY_STORED;
}

static int fetch(struct lookaside *l, const struct slot_list *list, struct arena *mem, struct err *e)
{
	if (list->n == 0)
		return 0;
	if (read_store(l, list, mem, e) < 0)
		return -1;
	put(l, list, mem);
	return 0;
}

int look_aside(struct lookaside *l, struct look *look, size_t n, struct arena *mem, struct err *e)
{
	if (n == 0)
		return 0;
	struct slot_list mine, list = prepare(l, look, n, mem);
	list = ask_cache(l, &list, mem);
	struct slot_list others = claim(l, &list, &mine, mem);
	int rc = fetch(l, &mine, mem, e);
	give_up_claims(l, &mine);
	if (rc < 0 || others.n == 0)
		return rc;
	wait_for(l->flights, &others);
	list = ask_cache(l, &others, mem);
	return fetch(l, &list, mem, e);
}
