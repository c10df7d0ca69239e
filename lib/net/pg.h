/* pg.h - the store of lib/data/store.h in PostgreSQL (13 or newer), by libpq.
 *
 * Tables are in the schema `senti` (pg_schema_1.sql). What a call has stored is committed; how that survives a power
 * cut is the server's synchronous_commit. Works through a pooler in transaction mode: nothing outlives a transaction,
 * but LISTEN, which is used on a direct connection alone.
 *
 * A lost connection, a serialization failure, a deadlock or a timeout on a lock is tried again, with growing pauses,
 * until retry_ms have gone by; a put repeats its whole batch, which changes nothing where it had been committed.
 */
#ifndef SENTI_PG_H
#define SENTI_PG_H

#include "lib/data/store.h"

struct pg_conf {
	const char *address; /* postgresql://..., given to libpq, which also looks at PGPASSWORD, ~/.pgpass and so on */
	const char *tool;    /* how the server lists the connection, where the address does not say */
	int64_t retry_ms;
	bool retry_first; /* also try again to reach it at the start */
};

/* The configuration is lent for the call. New, or NULL with *e. */
struct store *pg_open(const struct pg_conf *conf, enum store_mode mode, struct err *e);

#endif
