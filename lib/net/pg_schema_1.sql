-- Messages, and an outbox of every change to them, whoever makes it and however.
--
-- senti.version is the one sequence: each change of a row takes the next number, which is the row's version and the place of the
-- entry in the outbox. A row brings none of its own: what it brings is replaced. A number may be taken and not used.

CREATE SEQUENCE senti.version AS bigint;

-- Ids are compared byte by byte, as in every store, and so are the other names; people search the text in the database's own collation.
CREATE TABLE senti.message (
	id text COLLATE "C" PRIMARY KEY CHECK (id <> ''),
	text text NOT NULL,
	source text COLLATE "C",
	time timestamptz(3) CHECK (time >= '0001-01-01 00:00:00Z' AND time < '10000-01-01 00:00:00Z'),
	label text COLLATE "C" CHECK (label IN ('positive', 'neutral', 'negative')),
	score double precision,
	model text COLLATE "C",
	sentiment json,
	extra json,
	version bigint NOT NULL DEFAULT 0,
	stored_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX message_time ON senti.message (time, id);
CREATE INDEX message_label ON senti.message (label, time, id);
CREATE INDEX message_source ON senti.message (source, time, id);
CREATE INDEX message_model ON senti.message (model, time, id);
CREATE INDEX message_unscored ON senti.message (time, id) WHERE sentiment IS NULL;
CREATE INDEX message_corrected ON senti.message (time, id)
	WHERE label IS NOT NULL AND (label IS DISTINCT FROM sentiment ->> 'label' OR sentiment ->> 'corrected' = 'true');

-- xid is the transaction's: with it a reader tells which entries have become visible since it last looked, in whatever order they did.
CREATE TABLE senti.outbox (
	seq bigint PRIMARY KEY,
	xid xid8 NOT NULL,
	id text COLLATE "C" NOT NULL,
	version bigint NOT NULL,
	op text COLLATE "C" NOT NULL CHECK (op IN ('insert', 'update', 'delete'))
);
CREATE INDEX outbox_xid ON senti.outbox (xid, seq);

-- A reader has handled what is visible in `base`; of what `target` shows beyond that, the entries up to (at_xid, at_seq).
CREATE TABLE senti.reader (
	name text COLLATE "C" PRIMARY KEY,
	base pg_snapshot NOT NULL,
	target pg_snapshot,
	at_xid xid8,
	at_seq bigint,
	alive_at timestamptz NOT NULL DEFAULT now()
);

-- Versions are given row by row, before the row is written; entries statement by statement, after it. The latter run with their
-- owner's rights, so that who may change messages needs none on the outbox.
CREATE FUNCTION senti.take_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.version := pg_catalog.nextval('senti.version');
	RETURN NEW;
END $$;

CREATE FUNCTION senti.raise_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.version := pg_catalog.nextval('senti.version');
	NEW.updated_at := pg_catalog.now();
	RETURN NEW;
END $$;

CREATE FUNCTION senti.note_insert() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	INSERT INTO senti.outbox (seq, xid, id, version, op)
		SELECT version, pg_current_xact_id(), id, version, 'insert' FROM new_rows;
	IF FOUND THEN
		PERFORM pg_notify('senti', '');
	END IF;
	RETURN NULL;
END $$;

-- One pass over both sides: an id that has gone was deleted, one that came was inserted, and a row without a new version is not changed.
CREATE FUNCTION senti.note_update() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	INSERT INTO senti.outbox (seq, xid, id, version, op)
		SELECT v, pg_current_xact_id(), id, v, op FROM (
			SELECT id, coalesce(new_version, nextval('senti.version')) AS v,
				CASE WHEN new_version IS NULL THEN 'delete' WHEN old_version IS NULL THEN 'insert' ELSE 'update' END AS op
			FROM (
				SELECT id, max(new_version) AS new_version, max(old_version) AS old_version FROM (
					SELECT id, version AS new_version, NULL::bigint AS old_version FROM new_rows
					UNION ALL
					SELECT id, NULL, version FROM old_rows
				) AS side GROUP BY id
			) AS row WHERE new_version IS DISTINCT FROM old_version
		) AS change;
	IF FOUND THEN
		PERFORM pg_notify('senti', '');
	END IF;
	RETURN NULL;
END $$;

CREATE FUNCTION senti.note_delete() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	INSERT INTO senti.outbox (seq, xid, id, version, op)
		SELECT v, pg_current_xact_id(), id, v, 'delete' FROM (SELECT id, nextval('senti.version') AS v FROM old_rows) AS row;
	IF FOUND THEN
		PERFORM pg_notify('senti', '');
	END IF;
	RETURN NULL;
END $$;

CREATE FUNCTION senti.note_truncate() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	INSERT INTO senti.outbox (seq, xid, id, version, op)
		SELECT v, pg_current_xact_id(), id, v, 'delete' FROM (SELECT id, nextval('senti.version') AS v FROM senti.message) AS row;
	PERFORM pg_notify('senti', '');
	RETURN NULL;
END $$;

CREATE TRIGGER senti_insert BEFORE INSERT ON senti.message FOR EACH ROW EXECUTE FUNCTION senti.take_version();
CREATE TRIGGER senti_update BEFORE UPDATE ON senti.message FOR EACH ROW WHEN (OLD.* *<> NEW.*)
	EXECUTE FUNCTION senti.raise_version();
CREATE TRIGGER senti_inserted AFTER INSERT ON senti.message REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION senti.note_insert();
CREATE TRIGGER senti_updated AFTER UPDATE ON senti.message REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION senti.note_update();
CREATE TRIGGER senti_deleted AFTER DELETE ON senti.message REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION senti.note_delete();
CREATE TRIGGER senti_truncated BEFORE TRUNCATE ON senti.message FOR EACH STATEMENT EXECUTE FUNCTION senti.note_truncate();

-- Nobody hangs them on a table of his own and writes into the outbox so.
REVOKE EXECUTE ON FUNCTION senti.note_insert(), senti.note_update(), senti.note_delete(), senti.note_truncate() FROM PUBLIC;
