/* checkpoint.c - an append-only file of batches.
 *
 *     senti-state 1 OWNER
 *     +RECORD        with an id
 *     -RECORD        without one
 *     =HASH          of the batch's lines above
 */
#include "lib/learn/checkpoint.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/io.h"
#include "lib/base/lockfile.h"
#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/text/hash.h"

/* A set of numbers: open addressing, 0 is an empty slot. */
struct id_set {
	uint64_t *slot;
	size_t n, cap;
};

struct checkpoint {
	int fd;
	char *path;
	struct buf head; /* the first line */
	size_t start;	 /* of the first batch */
	size_t end;	 /* of what is committed */
	struct buf text; /* the next batch */
	bool any;
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

static int write_all(struct checkpoint *s, struct str text, struct err *e)
{
	if (io_write(s->fd, text.p, text.n, s->path, e) < 0)
		return -1;
	if (fdatasync(s->fd) < 0)
		return err_sys(e, "cannot sync '%s'", s->path);
	s->end += text.n;
	return 0;
}

static int commit(struct checkpoint *s, struct err *e)
{
	if (!s->text.n)
		return 0;
	char hash[HASH_HEX];
	hash_text(buf_view(&s->text), hash);
	buf_char(&s->text, '=');
	buf_add(&s->text, hash, sizeof hash);
	buf_char(&s->text, '\n');
	int rc = write_all(s, buf_view(&s->text), e);
	buf_clear(&s->text);
	s->any = true;
	return rc;
}

/* Finds the end of the batch at p: after its hash. *sound: the hash matches. NULL: the batch is incomplete. */
static const char *batch_end(const char *p, const char *end, bool *sound)
{
	const char *from = p;
	for (const char *nl; p < end && (nl = memchr(p, '\n', (size_t)(end - p))); p = nl + 1) {
		if (*p != '=')
			continue;
		char hash[HASH_HEX];
		hash_text((struct str){from, (size_t)(p - from)}, hash);
		*sound = nl - p == 1 + HASH_HEX && memcmp(p + 1, hash, HASH_HEX) == 0;
		return nl + 1;
	}
	return NULL;
}

/* Finds the end of what was committed, and truncates the rest. */
static int check_batches(struct checkpoint *s, const char *p, size_t n, struct err *e)
{
	const char *at = p + s->start, *end = p + n;
	while (at < end) {
		bool sound = false;
		const char *next = batch_end(at, end, &sound);
		if (!sound && next && next < end)
			return err_set(e, ERR_ENV, "the state '%s' is damaged at byte %zu", s->path, (size_t)(at - p));
		if (!sound)
			break;
		at = next;
		s->any = true;
	}
	s->end = (size_t)(at - p);
	if (at < end && ftruncate(s->fd, (off_t)s->end) < 0)
		return err_sys(e, "cannot truncate '%s'", s->path);
	return 0;
}

static const char *map_file(const struct checkpoint *s, size_t n, struct err *e)
{
	void *p = mmap(NULL, n, PROT_READ, MAP_PRIVATE, s->fd, 0);
	if (p == MAP_FAILED) {
		err_sys(e, "cannot read '%s'", s->path);
		return NULL;
	}
	return p;
}

/* Reports that the first line differs. */
static int refuse(const struct checkpoint *s, struct str text, struct err *e)
{
	static const char magic[] = "senti-state 1 ";
	size_t m = sizeof magic - 1;
	const char *nl = memchr(text.p, '\n', text.n);
	if (!nl || text.n < m || memcmp(text.p, magic, m) != 0)
		return err_set(e, ERR_ENV, "'%s' is not a state file of senti", s->path);
	struct str owner = {text.p + m, (size_t)(nl - text.p) - m};
	return err_set(e, ERR_ENV, "the state '%s' belongs to %.*s, not to %.*s", s->path, STR_FMT(owner),
	    (int)(s->head.n - 1 - m), s->head.p + m);
}

/* Reads the file if it is ours. A file whose first line is incomplete is empty. */
static int read_file(struct checkpoint *s, struct err *e)
{
	struct stat st;
	if (fstat(s->fd, &st) < 0)
		return err_sys(e, "cannot read '%s'", s->path);
	size_t n = (size_t)st.st_size;
	const char *p = n ? map_file(s, n, e) : "";
	if (!p)
		return -1;
	int rc = 0;
	if (n < s->head.n && memcmp(p, s->head.p, n) == 0)
		rc = ftruncate(s->fd, 0) < 0 ? err_sys(e, "cannot truncate '%s'", s->path)
					     : write_all(s, buf_view(&s->head), e);
	else if (n < s->head.n || memcmp(p, s->head.p, s->head.n) != 0)
		rc = refuse(s, (struct str){p, n}, e);
	else
		rc = check_batches(s, p, n, e);
	if (n)
		munmap((void *)p, n);
	return rc;
}

struct checkpoint *checkpoint_open(const char *path, const char *owner, struct err *e)
{
	struct checkpoint *s = xcalloc(1, sizeof *s);
	s->path = xstrdup(path);
	buf_printf(&s->head, "senti-state 1 %s\n", owner);
	s->start = s->head.n;
	int made = lockfile_open(path, &s->fd, e), rc = made < 0 ? -1 : 0;
	if (made == 1 && ((rc = write_all(s, buf_view(&s->head), e)) == 0))
		rc = io_sync_folder(path, e);
	if (made == 0)
		rc = read_file(s, e);
	if (rc == 0 && lseek(s->fd, (off_t)s->end, SEEK_SET) < 0)
		rc = err_sys(e, "cannot write to '%s'", path);
	if (rc == 0)
		return s;
	s->any = true; /* keeps close from removing it: it is not ours */
	checkpoint_close(s, false);
	return NULL;
}

static int replay_batch(struct checkpoint *s, struct batch *b, struct str text, checkpoint_take *take, void *ctx,
    uint64_t *n, struct err *e)
{
	batch_reset(b);
	for (const char *p = text.p, *end = p + text.n, *nl; p < end && *p != '='; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		struct rec *r = batch_add(b);
		r->line = json_padded(&b->mem, (struct str){p + 1, (size_t)(nl - p) - 1});
		r->lineno = ++*n;
		if (take(ctx, b, r) < 0)
			return err_set(e, ERR_ENV,
			    "record %llu of the state '%s' is rejected now: %.*s; have the options changed?",
			    (unsigned long long)*n, s->path, STR_FMT(r->why));
		if (*p == '+')
			set_add(&s->ids, id_number(r->id));
	}
	return 0;
}

int checkpoint_replay(struct checkpoint *s, checkpoint_take *take, void *ctx, uint64_t *n, struct err *e)
{
	struct batch b = {0};
	const char *p = map_file(s, s->end, e);
	int rc = p ? 0 : -1;
	*n = 0;
	for (size_t at = s->start; rc == 0 && at < s->end;) {
		bool sound;
		size_t next = (size_t)(batch_end(p + at, p + s->end, &sound) - p);
		rc = replay_batch(s, &b, (struct str){p + at, next - at}, take, ctx, n, e);
		at = next;
	}
	if (p)
		munmap((void *)p, s->end);
	batch_free(&b);
	if (rc == 0 && *n) {
		char count[24];
		snprintf(count, sizeof count, "%llu", (unsigned long long)*n);
		log_warn("resuming with the records of an interrupted run", "state", s->path, "records", count, NULL);
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
	return s ? commit(s, e) : 0;
}

void checkpoint_close(struct checkpoint *s, bool done)
{
	if (!s)
		return;
	if ((done || !s->any) && s->fd >= 0 && unlink(s->path) < 0)
		log_warn("the state cannot be removed", "state", s->path, "reason", strerror(errno), NULL);
	if (s->fd >= 0)
		close(s->fd);
	free(s->path);
	buf_free(&s->head);
	buf_free(&s->text);
	free(s->ids.slot);
	json_scan_free(&s->scan);
	free(s);
}
