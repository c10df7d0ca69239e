/* stores.c - from the name of a store to the store. Only tools that use one link this, and with it libpq and SQLite. */
#include "cmd/stores.h"

#include "lib/base/url.h"
#include "lib/net/pg.h"
#include "lib/net/sqlite.h"

enum { RETRY_MS = 60000 };

static struct store *unknown(const char *name, struct err *e)
{
	char *shown = url_redact(name);
	err_set(e, ERR_USAGE,
	    "'%s' is not a store that this build knows; it takes sqlite:PATH and postgresql://USER@HOST/DATABASE",
	    shown);
	free(shown);
	return NULL;
}

struct store *store_open(const struct tool *t, enum store_mode mode, struct err *e)
{
	static const char sqlite[] = "sqlite:";
	if (pg_is_address(t->store)) {
		const struct pg_conf conf = {
		    .address = t->store,
		    .tool = t->name,
		    .retry_ms = t->retry_ms < 0 ? RETRY_MS : t->retry_ms,
		    .retry_first = t->retry_ms >= 0,
		};
		return pg_open(&conf, mode, e);
	}
	bool named = strncmp(t->store, sqlite, sizeof sqlite - 1) == 0;
	const char *path = named ? t->store + sizeof sqlite - 1 : t->store;
	if (!*path || (!named && url_has_scheme(t->store)))
		return unknown(t->store, e);
	return sqlite_open(path, mode, e);
}
