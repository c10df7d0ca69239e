-- Least-privilege roles for a senti store in PostgreSQL. Run as the role that created the tables (senti-store migrate):
--
--     psql -v writer=senti_writer -v reader=senti_reader -f contrib/postgres/roles.sql 'postgresql://owner@host/database'
--
-- Missing roles are created, which requires CREATEROLE; existing ones keep their other privileges. Both are groups without login;
-- people and programs become members of one of them:
--
--     CREATE ROLE scoring LOGIN PASSWORD '...' IN ROLE senti_writer;
--     CREATE ROLE dashboard LOGIN PASSWORD '...' IN ROLE senti_reader;
--
--               get, query,   put, correct,   follow the   prune,    TRUNCATE, DDL,
--               export,       delete          outbox       migrate   other schemas
--               stats
--     reader    yes           -               -            -         -
--     writer    yes           yes             yes          -         -
--     owner     yes           yes             yes          yes       yes
--
-- A writer cannot forge a version or an outbox entry: the triggers write those with their owner's privileges. It can move the position of
-- any reader of the outbox. May be run again at any time; run it again after senti-store migrate has applied a new step.

\set ON_ERROR_STOP on
\if :{?writer} \else \set writer senti_writer \endif
\if :{?reader} \else \set reader senti_reader \endif

SELECT format('CREATE ROLE %I NOLOGIN', name) FROM (VALUES (:'writer'), (:'reader')) AS wanted (name)
	WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec

BEGIN;

-- Remove whatever an earlier version of this file granted.
REVOKE ALL ON ALL TABLES IN SCHEMA senti FROM :"writer", :"reader";
REVOKE ALL ON ALL SEQUENCES IN SCHEMA senti FROM :"writer", :"reader";
REVOKE ALL ON SCHEMA senti FROM :"writer", :"reader";
SELECT format('GRANT CONNECT ON DATABASE %I TO %I, %I', current_database(), :'writer', :'reader') \gexec

GRANT USAGE ON SCHEMA senti TO :"writer", :"reader";
GRANT SELECT ON ALL TABLES IN SCHEMA senti TO :"writer", :"reader";
GRANT SELECT ON SEQUENCE senti.version TO :"writer", :"reader";

-- The columns that records fill. Ids never change; the database sets versions and the times of storing.
GRANT INSERT (id, text, source, time, label, score, model, sentiment, extra),
	UPDATE (text, source, time, label, score, model, sentiment, extra), DELETE ON senti.message TO :"writer";
-- The triggers take the next version with the privileges of whoever changes the row.
GRANT USAGE ON SEQUENCE senti.version TO :"writer";
-- Following the outbox: the reader's position.
GRANT INSERT, UPDATE ON senti.reader TO :"writer";

COMMIT;
