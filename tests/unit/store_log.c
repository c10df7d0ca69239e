/* The contract of an outbox over every store: readers with names, and the log from a place that the caller keeps. */
#include "tests/unit/stores.h"

#include "lib/base/clock.h"

enum { MOST = 64 };

static struct change change[MOST];

/* The log behind `after` as "i:a u:b d:c ", i insert, u update, d delete. */
static struct str log_of(struct store *s, uint64_t *after, size_t max)
{
	static struct buf out;
	buf_clear(&out);
	int n = s->outbox->log(s->outbox, after, change, max, &mem, &e);
	for (int i = 0; i < n; i++)
		buf_printf(&out, "%c:%.*s ", "iud"[change[i].op], STR_FMT(change[i].id));
	if (n < 0)
		buf_printf(&out, "(%s)", e.msg);
	buf_reserve(&out, 1);
	return buf_view(&out);
}

static void put(struct store *s, const char *id, const char *text)
{
	struct message m = message(id, text);
	if (put_one(s, &m) < 0)
		ok(false, "put %s: %s", id, e.msg);
}

static void delete (struct store *s, const char *id)
{
	struct message m = message(id, ""), *const one = &m;
	if (remove_rows(s, &one, 1) < 0)
		ok(false, "delete %s: %s", id, e.msg);
}

static void test_readers(struct store *s)
{
	struct outbox *o = s->outbox;
	struct change c[64];
	int n;
	while ((n = o->changes(o, "r1", c, 64, &mem, &e)) > 0)
		ok(o->seen(o, "r1", c, (size_t)n, &e) == 0, "r1 has seen what was there");
	struct message m = message("o", "x"), *const one = &m;
	ok(put_one(s, &m) == 0 && put_one(s, &m) == 0, "put, and put the same");
	uint64_t inserted = m.version;
	m.text = STR("y");
	ok(put_one(s, &m) == 0 && remove_rows(s, &one, 1) == 0, "changed, removed");
	n = o->changes(o, "r1", c, 64, &mem, &e);
	ok(n == 3 && c[0].op == CHANGE_INSERT && c[1].op == CHANGE_UPDATE && c[2].op == CHANGE_DELETE,
	    "insert, update, delete; nothing for the put that changed nothing");
	ok(c[0].version == inserted && c[1].version == m.version && c[2].version > m.version, "with their versions");
	is_str(c[2].id, STR("o"), "and the id");
	ok(o->changes(o, "r1", c, 2, &mem, &e) == 2, "what was not seen comes again, at most so many");
	ok(o->seen(o, "r1", c, 2, &e) == 0 && o->changes(o, "r1", c, 64, &mem, &e) == 1, "seen moves the reader");
	ok(o->changes(o, "r2", c, 1, &mem, &e) == 1, "another reader has a place of its own");
	uint64_t gone;
	ok(o->prune(o, 0, &gone, &e) == 0 && gone == 0, "nothing is trimmed that a reader has not seen");
	ok(o->prune(o, clock_wall_ms() + 1000, &gone, &e) == 0 && gone == 3, "dead readers hold nothing back");
	struct store_stats stats;
	ok(s->stats(s, &stats, &e) == 0 && stats.outbox == 0 && stats.readers == 0, "stats tell so");
	ok(put_one(s, &m) == 0 && o->changes(o, "r3", c, 64, &mem, &e) == 1 && c[0].seq > 3,
	    "numbers go on after a trim");
}

static void test_log(struct store *s)
{
	uint64_t all = 0, end = LOG_END, second, ignored;
	is_str(log_of(s, &all, MOST), STR(""), "an empty log has no entries");
	put(s, "a", "1");
	put(s, "b", "2");
	is_u64((uint64_t)s->outbox->log(s->outbox, &end, change, MOST, &mem, &e), 0, "at the end nothing is given");
	put(s, "a", "1");
	is_str(log_of(s, &end, MOST), STR(""), "a row that stays as it is leaves no entry");
	put(s, "a", "3");
	delete (s, "b");
	is_str(log_of(s, &end, MOST), STR("u:a d:b "), "from the end on: what came after");
	is_str(log_of(s, &end, MOST), STR(""), "and that once");
	is_str(log_of(s, &all, 2), STR("i:a i:b "), "from the start, a page");
	second = all;
	is_u64(change[1].seq, all, "the place is the last entry's seq");
	is_str(log_of(s, &all, 2), STR("u:a d:b "), "the next page");
	is_str(log_of(s, &second, MOST), STR("u:a d:b "), "a place can be read from again");
	is_u64((uint64_t)s->outbox->unsettled(s->outbox, change, MOST, &mem, &e), 0,
	    "nothing is unsettled when nobody writes");
	ok(s->outbox->prune(s->outbox, clock_wall_ms() + 1000, &ignored, &e) == 0, "prune (%s)", e.msg);
	put(s, "c", "4");
	is_str(log_of(s, &second, MOST), STR("i:c "), "behind a place that was pruned: what is left");
	is_str(log_of(s, &all, MOST), STR("i:c "), "and behind the newest that was pruned");
	uint64_t never = (uint64_t)1 << 60;
	is_str(log_of(s, &never, MOST), STR("i:c "), "and behind a place that never was");
}

/* A change that is wanted of one version only. */
static void test_only(struct store *s)
{
	struct message m = message("a", "1"), *const one = &m;
	put(s, "a", "1");
	uint64_t version = get_one(s, "a").version;
	m.label = STR("negative");
	m.only_version = version + 1000;
	ok(s->edit(s, &one, 1, &mem, &e) == 0 && m.fate == MESSAGE_CHANGED,
	    "a row of another version is not corrected (%s)", e.msg);
	is_u64(get_one(s, "a").version, version, "and stays as it is");
	m = message("a", "");
	m.label = STR("negative");
	m.only_version = version;
	ok(s->edit(s, &one, 1, &mem, &e) == 0 && m.fate == MESSAGE_FOUND && m.version > version,
	    "one of this version is");
	m = message("a", "");
	m.only_version = version;
	ok(remove_rows(s, &one, 1) == 0 && m.fate == MESSAGE_CHANGED,
	    "its old version is no longer there to be deleted (%s)", e.msg);
	m.only_version = get_one(s, "a").version;
	ok(remove_rows(s, &one, 1) == 0 && m.fate == MESSAGE_FOUND, "its new one is");
	ok(remove_rows(s, &one, 1) == 0 && m.fate == MESSAGE_MISSING, "where there is none, none is changed");
}

static void suite(const struct kind *k)
{
	static void (*const tests[])(struct store *) = {test_readers, test_log, test_only};
	for (size_t part = 0; part < COUNT_OF(tests); part++) {
		struct store *s = k->open(k->path, STORE_CREATE, &e);
		if (!ok(s != NULL, "%s opens (%s)", k->name, e.msg))
			return;
		tests[part](s);
		/* the next suite wants it empty */
		struct message m[MOST];
		int n = s->query(s, &(struct filter){0}, m, MOST, 1 << 20, &mem, &e);
		for (int i = 0; i < n; i++) {
			struct message *const one = &m[i];
			ok(remove_rows(s, &one, 1) == 0, "a row goes (%s)", e.msg);
		}
		uint64_t ignored;
		ok(s->outbox->prune(s->outbox, clock_wall_ms() + 1000, &ignored, &e) == 0 && s->close(s, &e) == 0,
		    "emptied and closed (%s)", e.msg);
	}
}

int main(void)
{
	stores_each(suite);
	return tap_done();
}
