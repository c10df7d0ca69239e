/* sqlite_schema.c - the tables, indexes and triggers, as numbered, built-in migrations.
 *
 * The triggers complete the outbox whoever changes a row, even by the sqlite3 shell. `sequence.last` is the newest
 * version. A writer may supply the next one (last + 1) itself, as senti-store does to save a second write; any other
 * value, or none, is replaced by it. So no row keeps a made-up version, and a trigger's own UPDATE, which only sets the
 * version, is not a change. SQLite has one writer at a time, so entries become visible in the order of seq, which is
 * the version, and xid is not needed.
 */
#include "lib/net/sqlite_db.h"
#include "lib/text/hash.h"

#define NOW "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
#define CONTENT(t)                                                                                                     \
	"(" t "id, " t "text, " t "source, " t "time, " t "label, " t "score, " t "model, " t "sentiment, " t "extra)"
/* Takes the next version. */
#define STEP "  UPDATE sequence SET last = last + 1;\n"
#define ENTRY(id, op)                                                                                                  \
	"  INSERT INTO outbox (seq, xid, id, version, op) SELECT last, 0, " id ", last, " op " FROM sequence"

/* The triggers' statements: give the row the next version unless it has that one, and leave entries. As parts of
 * migrations they must never change. */
#define ON_INSERT                                                                                                      \
	STEP "  UPDATE message SET version = (SELECT last FROM sequence)\n"                                            \
	     "    WHERE rowid = NEW.rowid AND NEW.version IS NOT (SELECT last FROM sequence);\n" ENTRY(                \
		 "NEW.id", "'insert'") ";\n"
#define ON_UPDATE_WHEN                                                                                                 \
	"WHEN " CONTENT("NEW.") " IS NOT " CONTENT(                                                                    \
	    "OLD.") "\n  OR (NEW.version IS NOT OLD.version AND NEW.version IS NOT (SELECT last FROM sequence))\n"
#define ON_UPDATE                                                                                                      \
	STEP ENTRY("OLD.id",                                                                                           \
	    "'delete'") " WHERE NEW.id IS NOT OLD.id;\n"                                                               \
			"  UPDATE sequence SET last = last + 1 WHERE NEW.id IS NOT OLD.id;\n"                          \
			"  UPDATE message SET version = (SELECT last FROM sequence), updated_at = " NOW "\n"           \
			"    WHERE rowid = NEW.rowid AND NEW.version IS NOT (SELECT last FROM sequence);\n" ENTRY(     \
			    "NEW.id", "CASE WHEN NEW.id IS OLD.id THEN 'update' ELSE 'insert' END") ";\n"

/* True if a text column holds a blob, which is greater than any text. */
#define HAS_BLOB(t)                                                                                                    \
	"(" t "text >= x'' OR " t "source >= x'' OR " t "model >= x'' OR " t "sentiment >= x'' OR " t "extra >= x'')"
/* A query would never get past an id that equals no text, or is printed only in part. */
#define CHECKS                                                                                                         \
	"  SELECT CASE WHEN NEW.id >= x'' OR instr(NEW.id, x'00') OR " HAS_BLOB(                                       \
	    "NEW.") "\n"                                                                                               \
		    "    OR NEW.score < -1 OR NEW.score > 1\n"                                                         \
		    "    THEN RAISE(ABORT, 'ids and texts are not blobs, an id has no NUL, a score is from -1 to 1') " \
		    "END;\n"

static const struct sqlite_migration {
	const char *name, *sql;
} migrations[] = {
    {"messages, outbox, readers",
	"CREATE TABLE message (\n"
	"  id text NOT NULL PRIMARY KEY CHECK (id <> ''),\n"
	"  text text NOT NULL,\n"
	"  source text,\n"
	"  time text CHECK (time IS strftime('%Y-%m-%dT%H:%M:%fZ', time)),\n"
	"  label text CHECK (label IN ('positive', 'neutral', 'negative')),\n"
	"  score real,\n"
	"  model text,\n"
	"  sentiment text CHECK (sentiment IS NULL OR json_valid(sentiment)),\n"
	"  extra text,\n"
	"  version integer NOT NULL DEFAULT 0,\n"
	"  stored_at text NOT NULL DEFAULT (" NOW "),\n"
	"  updated_at text NOT NULL DEFAULT (" NOW ")\n"
	");\n"
	"CREATE INDEX message_time ON message (time, id);\n"
	"CREATE INDEX message_label ON message (label, time, id);\n"
	"CREATE INDEX message_source ON message (source, time, id);\n"
	"CREATE INDEX message_model ON message (model, time, id);\n"
	"CREATE INDEX message_unscored ON message (time, id) WHERE sentiment IS NULL;\n"
	"CREATE INDEX message_corrected ON message (time, id) WHERE " IS_CORRECTED(
	    "") ";\n"
		"CREATE TABLE sequence (one integer PRIMARY KEY CHECK (one = 1), last integer NOT NULL);\n"
		"INSERT INTO sequence VALUES (1, 0);\n"
		"CREATE TABLE outbox (\n"
		"  seq integer PRIMARY KEY,\n"
		"  xid integer NOT NULL,\n"
		"  id text NOT NULL,\n"
		"  version integer NOT NULL,\n"
		"  op text NOT NULL\n"
		");\n"
		"CREATE TABLE reader (name text NOT NULL PRIMARY KEY, seq integer NOT NULL, alive_at text NOT NULL);\n"
		"CREATE TRIGGER message_insert AFTER INSERT ON message BEGIN\n" ON_INSERT "END;\n"
		"CREATE TRIGGER message_update AFTER UPDATE ON message\n" ON_UPDATE_WHEN "BEGIN\n" ON_UPDATE "END;\n"
		"CREATE TRIGGER message_delete AFTER DELETE ON message BEGIN\n" STEP ENTRY(
		    "OLD.id", "'delete'") ";\nEND;\n"},
    {"rows hold what a record can",
	"UPDATE message SET text = CAST(text AS text), source = CAST(source AS text), model = CAST(model AS text),\n"
	"  sentiment = CAST(sentiment AS text), extra = CAST(extra AS text) WHERE " HAS_BLOB(
	    "") ";\n"
		"UPDATE message SET score = NULL WHERE NOT score BETWEEN -1 AND 1;\n"
		"UPDATE OR IGNORE message SET id = CAST(id AS text) WHERE typeof(id) = 'blob' AND instr(id, x'00') = "
		"0;\n"
		"UPDATE message SET id = 'blob-' || lower(hex(CAST(id AS blob)))\n"
		"  WHERE id >= x'' OR instr(id, x'00');\n"
		"DROP TRIGGER IF EXISTS message_insert;\n"
		"DROP TRIGGER IF EXISTS message_update;\n"
		"CREATE TRIGGER message_insert AFTER INSERT ON message BEGIN\n" CHECKS ON_INSERT "END;\n"
		"CREATE TRIGGER message_update AFTER UPDATE ON message\n" ON_UPDATE_WHEN "BEGIN\n" CHECKS ON_UPDATE
		"END;\n"},
};

static const char *const setup =
    "CREATE TABLE IF NOT EXISTS migration ("
    "number integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, applied_at text NOT NULL)";

/* In the file's header: "sent". A file without it that has our tables is one of before. */
enum { APPLICATION_ID = 0x73656e74 };

static void checksum(const struct sqlite_migration *m, char out[HASH_HEX])
{
	hash_text_xxh3(str_of(m->sql), out);
}

/* Compares an applied migration with the built-in one. */
static int check_step(struct sqlite *s, sqlite3_stmt *q, struct err *e)
{
	int64_t number = sqlite3_column_int64(q, 0);
	if (number < 1 || number > (int64_t)COUNT_OF(migrations))
		return err_set(e, ERR_ENV,
		    "the database '%s' has schema %lld, this senti knows %zu: use the newer senti that made it",
		    s->path, (long long)number, COUNT_OF(migrations));
	char sum[HASH_HEX];
	checksum(&migrations[number - 1], sum);
	const char *theirs = (const char *)sqlite3_column_text(q, 1);
	if (!theirs || !str_eq(str_of(theirs), (struct str){sum, HASH_HEX}))
		return err_set(e, ERR_ENV,
		    "migration %lld of the database '%s' is not the one of this senti (checksum %.32s, here %.32s): "
		    "use the senti that made it, or query it there and put it into a new store",
		    (long long)number, s->path, theirs ? theirs : "none", sum);
	return 0;
}

/* A file of another program: 0 if it is not. */
static int check_owner(struct sqlite *s, uint64_t migrations_table, struct err *e)
{
	uint64_t id, tables;
	if (sql_number(s, "PRAGMA application_id", "open", &id, e) < 0 ||
	    sql_number(s, "SELECT count(*) FROM sqlite_schema", "open", &tables, e) < 0)
		return -1;
	bool foreign = id ? (uint32_t)id != APPLICATION_ID : tables && !migrations_table;
	return foreign ? err_set(e, ERR_ENV, "the database '%s' belongs to another program; name another file", s->path)
		       : 0;
}

/* Counts the database's migrations, all of which must be known here; or -1. */
static int applied(struct sqlite *s, struct err *e)
{
	uint64_t there;
	if (sql_number(s, "SELECT count(*) FROM sqlite_schema WHERE name = 'migration' AND type = 'table'", "open",
		&there, e) < 0 ||
	    check_owner(s, there, e) < 0)
		return -1;
	if (!there)
		return 0;
	sqlite3_stmt *q;
	if (sqlite3_prepare_v2(s->db, "SELECT number, checksum FROM migration ORDER BY number", -1, &q, NULL) !=
	    SQLITE_OK)
		return sql_fail(s, "open", e);
	int n = 0, rc = 0, step;
	while ((step = sqlite3_step(q)) == SQLITE_ROW && rc == 0) {
		rc = check_step(s, q, e);
		n++;
	}
	if (rc == 0 && step != SQLITE_DONE)
		rc = sql_fail(s, "open", e);
	sqlite3_finalize(q);
	return rc < 0 ? -1 : n;
}

static int read_schema(struct sqlite *s, struct err *e)
{
	uint64_t id;
	int n = applied(s, e);
	if (n < 0 || sql_number(s, "PRAGMA application_id", "open", &id, e) < 0)
		return -1;
	return n < (int)COUNT_OF(migrations) ? SCHEMA_OLD : id != APPLICATION_ID ? SCHEMA_UNSTAMPED : SCHEMA_CURRENT;
}

/* All that is read is of one moment: another process may just be making the tables. */
int sqlite_check_schema(struct sqlite *s, struct err *e)
{
	struct err ignored;
	if (sql_exec(s, "BEGIN", "open", e) < 0)
		return -1;
	int schema = read_schema(s, e);
	if (!sqlite3_get_autocommit(s->db) && sql_exec(s, "ROLLBACK", "open", &ignored) < 0 && schema >= 0)
		return err_set(e, ERR_ENV, "%s", ignored.msg);
	return schema;
}

static int apply(struct sqlite *s, size_t i, struct err *e)
{
	char sum[HASH_HEX], what[40];
	checksum(&migrations[i], sum);
	snprintf(what, sizeof what, "apply migration %zu to", i + 1);
	if (sql_exec(s, migrations[i].sql, what, e) < 0)
		return -1;
	sqlite3_stmt *q;
	if (sqlite3_prepare_v2(s->db, "INSERT INTO migration VALUES (?1, ?2, ?3, " NOW ")", -1, &q, NULL) != SQLITE_OK)
		return sql_fail(s, what, e);
	sqlite3_bind_int64(q, 1, (sqlite3_int64)i + 1);
	sql_bind(q, 2, str_of(migrations[i].name));
	sql_bind(q, 3, (struct str){sum, HASH_HEX});
	int rc = sqlite3_step(q) == SQLITE_DONE ? 0 : sql_fail(s, what, e);
	sqlite3_finalize(q);
	return rc;
}

static int stamp(struct sqlite *s, struct err *e)
{
	char sql[48];
	snprintf(sql, sizeof sql, "PRAGMA application_id = %d", APPLICATION_ID);
	return sql_exec(s, sql, "migrate", e);
}

/* The write transaction is the lock: the first process applies the steps, the others find them applied. */
int sqlite_migrate(struct store *store, struct err *e)
{
	struct sqlite *s = (struct sqlite *)store;
	if (sql_exec(s, "BEGIN IMMEDIATE", "migrate", e) < 0)
		return -1;
	int before = -1, rc = sql_exec(s, setup, "migrate", e);
	if (rc == 0)
		rc = before = applied(s, e);
	for (size_t i = before < 0 ? 0 : (size_t)before; rc >= 0 && i < COUNT_OF(migrations); i++)
		rc = apply(s, i, e);
	if (rc >= 0)
		rc = stamp(s, e);
	rc = sql_end(s, rc < 0 ? -1 : 0, "migrate", e);
	return rc < 0 ? -1 : (int)COUNT_OF(migrations) - before;
}
