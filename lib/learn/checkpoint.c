/* checkpoint.c - the lines of a sealed file (lib/flow/sealed.h); each batch is a group.
 *
 *     +RECORD        with an id
 *     -RECORD        without one
 */
#include "lib/learn/checkpoint.h"

#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/flow/sealed.h"
#include "lib/text/hash.h"

/* A set of numbers: open addressing, 0 is an empty slot. */
struct id_set {
	uint64_t *slot;
	size_t n, cap;
};

struct checkpoint {
	struct sealed file;
	struct buf text; /* the next batch */
	struct id_set ids;
	struct json_scan scan;
};

/* ---- ids ---- */

static size_t place_of(const struct id_set *s, uint64_t id)
{
	size_t i = (size_t)id & (s->cap - 1);
	while (s->slot[i] && s->slot[i] != id)
		i = (i + 1) & (s->cap - 1);
	return i;
}

static void set_add(struct id_set *s, uint64_t id)
{
	if (2 * (s->n + 1) > s->cap) {
		struct id_set old = *s;
		s->cap = old.cap ? 2 * old.cap : 1024;
		s->slot = xcalloc(s->cap, sizeof *s->slot);
		for (size_t i = 0; i < old.cap; i++)
			if (old.slot[i])
				s->slot[place_of(s, old.slot[i])] = old.slot[i];
		free(old.slot);
	}
	size_t i = place_of(s, id);
	s->n += !s->slot[i];
	s->slot[i] = id;
}

static uint64_t id_number(struct str id)
{
	uint64_t h = hash_bytes(id);
	return h ? h : 1;
}

/* A queue gives a record without an id one made of its bytes, which does not count. */
static bool has_own_id(struct checkpoint *s, const struct rec *r)
{
	if (!r->id.p || !r->envelope || r->envelope->id.n)
		return r->id.p;
	return json_scan(&s->scan, r->envelope->body) == 0 && json_find(&s->scan, STR("id"));
}

bool checkpoint_repeats(struct checkpoint *s, const struct rec *r)
{
	return s && s->ids.n && has_own_id(s, r) && s->ids.slot[place_of(&s->ids, id_number(r->id))];
}

static void add(struct checkpoint *s, const struct rec *r)
{
	bool own = has_own_id(s, r);
	if (own)
		set_add(&s->ids, id_number(r->id));
	buf_char(&s->text, own ? '+' : '-');
	buf_str(&s->text, r->line);
	buf_char(&s->text, '\n');
}

/* ---- the file ---- */

struct checkpoint *checkpoint_open(const char *path, const char *owner, struct err *e)
{
	static const struct sealed_kind kind = {"senti-state", HASH_HEX};
	struct checkpoint *s = xcalloc(1, sizeof *s);
	if (sealed_open(&s->file, &kind, path, owner, e) == 0)
		return s;
	free(s);
	return NULL;
}

struct replaying {
	struct checkpoint *to;
	struct batch batch;
	checkpoint_take *take;
	void *ctx;
	uint64_t n;
};

static int replay_batch(void *arg, size_t number, struct str text, struct err *e)
{
	struct replaying *a = arg;
	(void)number;
	batch_reset(&a->batch);
	for (const char *p = text.p, *end = p + text.n, *nl; p < end; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		struct rec *r = batch_add(&a->batch);
		r->line = json_padded(&a->batch.mem, (struct str){p + 1, (size_t)(nl - p) - 1});
		r->lineno = ++a->n;
		if (a->take(a->ctx, &a->batch, r) < 0)
			return err_set(e, ERR_ENV,
			    "record %llu of the state '%s' is rejected now: %.*s; have the options changed?",
			    (unsigned long long)a->n, a->to->file.path, STR_FMT(r->why));
		if (*p == '+')
			set_add(&a->to->ids, id_number(r->id));
	}
	return 0;
}

int checkpoint_replay(struct checkpoint *s, checkpoint_take *take, void *ctx, uint64_t *n, struct err *e)
{
	struct replaying a = {.to = s, .take = take, .ctx = ctx};
	int rc = sealed_read(&s->file, replay_batch, &a, e);
	batch_free(&a.batch);
	*n = a.n;
	if (rc == 0 && *n) {
		char count[24];
		snprintf(count, sizeof count, "%llu", (unsigned long long)*n);
		log_warn(
		    "resuming with the records of an interrupted run", "state", s->file.path, "records", count, NULL);
	}
	return rc;
}

int checkpoint_run(
    struct checkpoint *s, struct batch *b, checkpoint_take *take, void *ctx, uint64_t *first, struct err *e)
{
	for (size_t i = 0; i < b->n; i++) {
		struct rec *r = &b->rec[i];
		int taken = r->fate == FATE_OUT ? take(ctx, b, r) : -1;
		if (taken < 0)
			continue;
		r->fate = FATE_HELD;
		if (taken == CHECKPOINT_REPEATED)
			b->counter[COUNTER_DUPLICATES]++;
		else if (s)
			add(s, r);
		else if (*first == HOLDS_NOTHING)
			*first = b->number;
	}
	return s && s->text.n ? sealed_append(&s->file, &s->text, e) : 0;
}

void checkpoint_close(struct checkpoint *s, bool done)
{
	if (!s)
		return;
	sealed_close(&s->file, done);
	buf_free(&s->text);
	free(s->ids.slot);
	json_scan_free(&s->scan);
	free(s);
}
