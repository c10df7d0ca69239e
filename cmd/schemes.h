/* schemes.h - opens ends, stores and caches by name: a path, "-", or a scheme such as amqp: or sqlite:.
 *
 * A new kind is one entry of the table in schemes.c, with its functions. Those of stores and caches are weak
 * references, resolved if the tool itself calls store_open (stores.c) or cache_open (caches.c): so a tool links no
 * library that it does not use, and messages list what it has.
 */
#ifndef SENTI_SCHEMES_H
#define SENTI_SCHEMES_H

#include "cmd/tool.h"
#include "lib/data/cache.h"
#include "lib/data/store.h"

/* Options of ends; all lent for the ports' life. */
struct end_conf {
	const char *tool;
	const struct limits *limits;
	unsigned jobs;
	int64_t idle_ms;  /* --idle; -1: not given */
	int64_t retry_ms; /* --retry; -1: not given */
	size_t pack;	  /* --pack */
	bool keep_end;	  /* lines keep their ends (stdio.h) */
	/* What is in a file (stdio.h); NULL: its bytes as they are. */
	struct bytes *(*open)(const void *arg, const char *name, int fd);
	const void *open_arg;
	struct counts *counts; /* for ports of queues; may be NULL */
	bool rejects;	       /* the source is read for reject objects (senti-ingest -F reject) */
	bool impatient;	       /* of a queue as a sink: clients wait (amqp.h) */
};

enum role { ROLE_SOURCE, ROLE_SINK, ROLE_STORE, ROLE_CACHE, ROLES };

struct scheme {
	const char *name[3]; /* before the colon */
	const char *form;    /* of an address, for messages */
	/* Each opens one as such: new, or NULL with *e. NULL if it cannot be that, or is not linked. */
	struct source *(*source)(const char *end, const struct end_conf *conf, struct err *e);
	struct sink *(*sink)(const char *end, enum lane lane, const struct end_conf *conf, struct err *e);
	struct store *(*store)(const struct tool *t, enum store_mode mode, struct err *e);
	struct cache *(*cache)(const char *address, const struct cache_conf *conf, struct err *e);
	/* Of a source: the end of its rejects, unless --reject says otherwise. New, or NULL if it has none. */
	char *(*rejects)(const char *end);
	/* Of a source: the name of its queue, and *shown, its broker without a password. Both new; NULL with *e. */
	char *(*queue)(const char *end, char **shown, struct err *e);
};

/* True if the name begins with a source's scheme, and is not a path. */
bool scheme_is_source(const char *end);
/* The entry of an address's scheme, if it can have this role: lent, or NULL with *e, which lists those that can. */
const struct scheme *scheme_find(const char *address, enum role role, struct err *e);

/* New, from paths (none: stdin) or one end with a scheme. NULL with *e. */
struct source *end_source(const char *const *end, size_t n, const struct end_conf *conf, struct err *e);
/* New. NULL with *e. */
struct sink *end_sink(const char *end, enum lane lane, const struct end_conf *conf, struct err *e);
/* New: the name of the queue that is read; *shown (new): its broker, without a password. NULL with *e. */
char *end_queue(const char *source, char **shown, struct err *e);
/* New: the default end of rejects for this source (may be NULL): "-", or a queue's dead letters. */
char *end_of_rejects(const char *source);
/* The store that t->store names; waits for one that is down for t->retry_ms. New, or NULL with *e. */
struct store *store_open(const struct tool *t, enum store_mode mode, struct err *e);
/* New; conf may be NULL. NULL with *e. */
struct cache *cache_open(const char *address, const struct cache_conf *conf, struct err *e);

/* private: entries of the table */
/* SQLite's :memory:, with or without its scheme. */
bool store_in_memory(const char *address);
struct store *open_sqlite(const struct tool *t, enum store_mode mode, struct err *e);
struct store *open_postgres(const struct tool *t, enum store_mode mode, struct err *e);
struct cache *open_redis(const char *address, const struct cache_conf *conf, struct err *e);
struct cache *open_memory(const char *address, const struct cache_conf *conf, struct err *e);

#endif
