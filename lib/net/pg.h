/* pg.h - the store of lib/data/store.h in PostgreSQL (13 or newer), by libpq.
 *
 * Tables are in the schema `senti` (pg_schema_1.sql). What a call has stored is committed; whether that survives a
 * power cut depends on the server's synchronous_commit. Works through a pooler in transaction mode: nothing outlives a
 * transaction but LISTEN, which needs a direct connection.
 *
 * After a lost connection, a serialization failure, a deadlock or a lock timeout it tries again, with growing pauses,
 * for retry_ms; a put repeats its whole batch, which changes nothing if it had been committed.
 */
#ifndef SENTI_PG_H
#define SENTI_PG_H

#include "lib/data/store.h"

struct pg_conf {
	const char *address; /* postgresql://..., for libpq, which also uses PGPASSWORD, ~/.pgpass and so on */
	const char *tool;    /* the application's name, unless the address has one */
	int64_t retry_ms;
	bool retry_first; /* also retry the very first connection */
};

/* The configuration is lent for the call. New, or NULL with *e. */
struct store *pg_open(const struct pg_conf *conf, enum store_mode mode, struct err *e);

#endif
