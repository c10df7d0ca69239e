/* stores.h - the stores that the tests of lib/data/store.h run over, and short ways to ask them.
 *
 *     int main(void)
 *     {
 *         stores_each(suite);
 *         return tap_done();
 *     }
 *
 * These are SQLite in a file and in memory, and PostgreSQL where SENTI_TEST_POSTGRES names a database, which the tests
 * fill.
 */
#ifndef SENTI_TEST_STORES_H
#define SENTI_TEST_STORES_H

#include <unistd.h>

#include "lib/net/pg.h"
#include "lib/net/sqlite.h"
#include "lib/stage/store.h"
#include "tests/unit/tap.h"

struct kind {
	const char *name, *path;
	struct store *(*open)(const char *path, enum store_mode mode, struct err *e);
	bool shared; /* another handle sees the same rows */
	/* A record that senti takes and this database does not, behind its id: JSON nested too deeply, or a name too
	 * long for an index. */
	struct str refused;
};

static struct err e;
static struct arena mem;

static inline struct message message(const char *id, const char *text)
{
	return (struct message){.id = str_of(id), .text = str_of(text)};
}

/* JSON that a store gives back must have room behind it. */
static inline struct str json(const char *s)
{
	size_t n = strlen(s);
	char *p = arena_alloc(&mem, n + JSON_PAD);
	memset(p, 0, n + JSON_PAD);
	memcpy(p, s, n);
	return (struct str){p, n};
}

static inline struct message scored(const char *id, const char *text, const char *label, const char *model)
{
	struct message m = message(id, text);
	m.label = str_of(label);
	m.model = str_of(model);
	m.score = 0.5;
	m.has_score = true;
	char sentiment[200];
	snprintf(sentiment, sizeof sentiment, "{\"label\":\"%s\",\"score\":0.5,\"model\":\"%s\"}", label, model);
	m.sentiment = json(sentiment);
	return m;
}

static inline int put_one(struct store *s, struct message *m)
{
	return store_put(s, &m, 1, &mem, &e);
}

static inline struct message get_one(struct store *s, const char *id)
{
	struct message m = message(id, ""), *const one = &m;
	if (s->get(s, &one, 1, &mem, &e) < 0)
		m.fate = MESSAGE_PENDING;
	return m;
}

static inline struct message correct_one(struct store *s, const char *id, const char *label)
{
	struct message m = message(id, ""), *const one = &m;
	m.label = str_of(label);
	if (s->edit(s, &one, 1, &mem, &e) < 0)
		m.fate = MESSAGE_PENDING;
	return m;
}

/* Deletes the rows of these messages. */
static inline int remove_rows(struct store *s, struct message *const *m, size_t n)
{
	for (size_t i = 0; i < n; i++)
		m[i]->remove = true;
	int rc = s->edit(s, m, n, &mem, &e);
	for (size_t i = 0; i < n; i++)
		m[i]->remove = false;
	return rc;
}

/* Adds the ids of a query, page by page, each with a comma. */
static inline void add_ids(struct store *s, struct filter f, size_t page, struct buf *out)
{
	static struct message m[512];
	int n;
	while ((n = s->query(s, &f, m, page, 1 << 20, &mem, &e)) > 0) {
		for (int i = 0; i < n; i++) {
			buf_str(out, m[i].id);
			buf_char(out, ',');
		}
		const struct message *last = &m[n - 1];
		f.after = place_after(last);
	}
	if (n < 0)
		buf_printf(out, "(%s)", e.msg);
	buf_reserve(out, 1);
}

static inline struct str ids_of(struct store *s, struct filter f, size_t page)
{
	static struct buf out;
	buf_clear(&out);
	add_ids(s, f, page, &out);
	return buf_view(&out);
}

/* Brackets as deep as the scanner of senti goes and SQLite's does not. */
static inline struct str too_deep(void)
{
	enum { DEPTH = 2030 };
	static struct buf b;
	if (b.n)
		return buf_view(&b);
	buf_str(&b, STR("\"text\":\"deep\",\"sentiment\":{\"label\":\"neutral\",\"x\":"));
	for (int i = 0; i < DEPTH; i++)
		buf_char(&b, '[');
	for (int i = 0; i < DEPTH; i++)
		buf_char(&b, ']');
	buf_str(&b, STR("}}"));
	return buf_view(&b);
}

#if WITH_POSTGRESQL
static inline struct store *postgres_open(const char *path, enum store_mode mode, struct err *why)
{
	return pg_open(&(struct pg_conf){.address = path, .tool = "tests", .retry_ms = 10000}, mode, why);
}

/* A name that is too long for an index of PostgreSQL, and hard to compress. */
static inline struct str too_long(void)
{
	static struct buf b;
	if (b.n)
		return buf_view(&b);
	buf_str(&b, STR("\"text\":\"long\",\"source\":\""));
	for (uint32_t i = 0, x = 1; i < 2000; i++) {
		x = x * 1664525 + 1013904223;
		buf_printf(&b, "%08x", x);
	}
	buf_str(&b, STR("\"}"));
	return buf_view(&b);
}
#endif

static inline void stores_each(void (*suite)(const struct kind *))
{
	char dir[] = "/tmp/senti-store-XXXXXX", path[64];
	if (!mkdtemp(dir))
		exit(STATUS_ENVIRONMENT);
	snprintf(path, sizeof path, "%s/db", dir);
	const struct kind kind[] = {
		{"SQLite in a file", path, sqlite_open, true, too_deep()},
		{"SQLite in memory", ":memory:", sqlite_open, false, too_deep()},
#if WITH_POSTGRESQL
		{"PostgreSQL", env_get("SENTI_TEST_POSTGRES"), postgres_open, true, too_long()},
#endif
	};
	for (size_t i = 0; i < COUNT_OF(kind); i++)
		if (kind[i].path) {
			printf("# %s\n", kind[i].name);
			suite(&kind[i]);
		}
	ok(unlink(path) == 0 && rmdir(dir) == 0, "closing leaves one file of SQLite");
	arena_free(&mem);
}

#endif
