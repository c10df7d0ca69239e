/* stores.c - opens stores. Only tools that use one link this, and with it libpq and SQLite. */
#include "cmd/schemes.h"

#include "lib/base/log.h"
#include "lib/base/url.h"
#include "lib/net/pg.h"
#include "lib/net/sqlite.h"

#if WITH_POSTGRESQL
enum { RETRY_MS = 60000 };

struct store *open_postgres(const struct tool *t, enum store_mode mode, struct err *e)
{
	const struct pg_conf conf = {
	    .address = t->store,
	    .tool = t->name,
	    .retry_ms = t->retry_ms < 0 ? RETRY_MS : t->retry_ms,
	    .retry_first = t->retry_ms >= 0,
	};
	return pg_open(&conf, mode, e);
}
#endif

bool store_in_memory(const char *address)
{
	const char *scheme = "sqlite:";
	return strcmp(address + (strncmp(address, scheme, strlen(scheme)) == 0 ? strlen(scheme) : 0), ":memory:") == 0;
}

/* A database in memory belongs to one handle and goes with it. */
static struct store *open_file(const char *path, enum store_mode mode, struct err *e)
{
	if (!store_in_memory(path))
		return sqlite_open(path, mode, e);
	if (mode == STORE_CREATE) {
		log_warn("the store is in memory: nothing is kept when this ends", NULL);
		return sqlite_open(path, mode, e);
	}
	err_set(
	    e, ERR_USAGE, "a store in memory is always empty at the start; name a file, as in --store sqlite:senti.db");
	return NULL;
}

struct store *open_sqlite(const struct tool *t, enum store_mode mode, struct err *e)
{
	const char *path = strchr(t->store, ':') + 1;
	if (*path)
		return open_file(path, mode, e);
	err_set(e, ERR_USAGE, "'%s' names no file; it is sqlite:PATH", t->store);
	return NULL;
}

struct store *store_open(const struct tool *t, enum store_mode mode, struct err *e)
{
	if (*t->store && !url_has_scheme(t->store))
		return open_file(t->store, mode, e);
	const struct scheme *s = scheme_find(t->store, ROLE_STORE, e);
	return s ? s->store(t, mode, e) : NULL;
}
