"""The store in PostgreSQL: every verb, directly and through pgbouncer, by each role; and what a person's SQL does."""
# servers: postgresql pgbouncer
# packages: psycopg
# seconds: 60
import json
import os
import re
import subprocess

import psycopg

from postgres_help import (DIR, check_sound, database, lines, one, records, service, sql, start, store,
                           stored, summary, tool, url)
from tap import check, run

POOLER = os.environ.get("SENTI_POOLER", "")
ROOT = os.path.join(os.path.dirname(__file__), "..", "..")
UNIT = os.path.join(os.environ.get("SENTI_BUILD", os.path.join(ROOT, "build")), "tests", "unit")


def roads(name):
    """The ways to a database: directly, and through the pooler."""
    return [url(name), url(name, server=POOLER)]


def unit(program, at):
    path = os.path.join(UNIT, program)
    if not os.path.exists(path):
        raise AssertionError(f"{path} is not built")
    done = subprocess.run([path], capture_output=True, timeout=100, env={**os.environ, "SENTI_TEST_POSTGRES": at})
    out = done.stdout.decode(errors="replace")
    bad = [s for s in out.splitlines() if s.startswith("not ok")]
    plan = re.search(r"^1\.\.(\d+)$", out, re.M)
    assert done.returncode == 0 and plan and plan[1] != "0", f"status {done.returncode}: {bad[:9]}"
    return f"{plan[1]} assertions"


@check
def contract():
    "the suite of all stores, directly and through the pooler"
    return ", ".join(unit("store", at(database(False))) for at in (url, lambda n: url(n, server=POOLER)))


@check
def rows():
    "rows of all kinds, directly and through the pooler"
    return ", ".join(unit("store_rows", at(database(False))) for at in (url, lambda n: url(n, server=POOLER)))


@check
def groups():
    "groups of rows, as SQLite has them; directly and through the pooler"
    return ", ".join(unit("store_groups", at(database(False))) for at in (url, lambda n: url(n, server=POOLER)))


@check
def log():
    "the log of changes from a place of its own, changes of one version only; directly and through the pooler"
    return ", ".join(unit("store_log", at(database(False))) for at in (url, lambda n: url(n, server=POOLER)))


@check
def late():
    "changes that become visible late, and what befalls a connection"
    return unit("postgres", url(database(False)))


@check
def verbs():
    "put, get, query, correct, delete, export, stats, prune: the same directly and through the pooler"
    said = []
    for at in roads(database()):
        def ask(*args, **kw):
            out, _ = store(None, *args, at=at, **kw)
            return [json.loads(s) for s in out.splitlines()]
        some = records(3000)
        _, err = store(None, "put", "-b", "500", "--summary", data=lines(some), at=at)
        assert (summary(err)["stored"], summary(err)["unchanged"]) == (3000, 0), err
        _, err = store(None, "put", "--summary", data=lines(some), at=at)
        assert (summary(err)["stored"], summary(err)["unchanged"]) == (0, 3000), err
        r1, r0 = ask("get", "r1", "r0")
        assert r1["sentiment"] == some[1]["sentiment"] and r0["text"] == some[0]["text"], (r0, r1)
        wanted = sorted(r["id"] for r in some if r.get("sentiment", {}).get("label") == "negative")
        assert sorted(r["id"] for r in ask("query", "--label", "negative")) == wanted
        assert [r["id"] for r in ask("query", "--text", "NUMBER 29", "--order", "newest", "--limit", "2")] == \
            [r["id"] for r in ask("query", "--order", "newest") if "number 29" in r["text"]][:2]
        shown = ask("correct", "r1", "neutral", "r0", "positive")
        assert [r["sentiment"]["label"] for r in shown] == ["neutral", "positive"] and shown[0]["sentiment"]["corrected"], shown
        exported = ask("export")
        assert [r["id"] for r in exported] == sorted((r["id"] for r in some), key=str.encode)
        other = database()
        store(other, "put", data=lines(exported))
        again, _ = store(other, "export")
        without = [{k: v for k, v in json.loads(s).items() if k != "version"} for s in again.splitlines()]
        assert without == [{k: v for k, v in r.items() if k != "version"} for r in exported], "export and put are not the same"
        s, = ask("stats")
        assert (s["messages"], s["corrected"], s["unscored"]) == (3000, 2, 1000), s
        assert len(ask("delete", "r1", "r2")) == 2
        store(None, "get", "r1", at=at, status=1)
        p, = ask("prune")
        assert p["pruned"] == 3004, p
        said.append(s)
        sql(at.rsplit("/", 1)[1], "TRUNCATE senti.message")
        ask("prune")
    assert {**said[0], "version": 0} == {**said[1], "version": 0}, said


@check
def streaming():
    "a query of 100,000 rows is streamed: its memory is that of a query of 10,000, and each row comes once and in order"
    name = database()
    some = records(100000)
    store(name, "put", data=lines(some))
    peaks = []
    for limit in (10000, 100000):
        p = start(name, "query", "--limit", str(limit), stdout=subprocess.PIPE)
        ids = [json.loads(line)["id"] for line in p.stdout]
        _, status, usage = os.wait4(p.pid, 0)
        p.returncode = status
        assert status == 0 and len(ids) == limit == len(set(ids)), (status, len(ids))
        peaks.append(usage.ru_maxrss)
    want = [r["id"] for r in sorted(some, key=lambda r: (r.get("time") is None, r.get("time", ""), r["id"].encode()))]
    assert ids == want, "not in the order of time and id"
    assert peaks[1] < peaks[0] + 4096, f"{peaks} KiB"
    return f"{peaks[0]} and {peaks[1]} KiB"


@check
def explain():
    "each filter walks an index: no plan of a query scans or sorts the whole table"
    name = database()
    store(name, "put", data=lines(records(30000)))
    sql(name, "ANALYZE senti.message")
    options = {"PGOPTIONS": "-c session_preload_libraries=auto_explain -c auto_explain.log_min_duration=0"}
    log = os.path.join(DIR, "postgresql", "log")
    filters = ["", "--label negative", "--source a", "--model m@1", "--since 2024-05-20", "--until 2024-05-03", "--unscored", "--corrected",
               "--order newest", "--order id", "--label negative --order newest", "--source b --label positive --since 2024-05-02",
               "--not-model m@1", "--text number"]
    for f in filters:
        for more in ("--limit 20", "--limit 20 --after r7"):
            begin = os.path.getsize(log)
            out, _ = store(name, "query", *f.split(), *more.split(), env=options)
            assert out.count(b"\n") == 20 or "after" in more or "corrected" in f, f
            with open(log, encoding="utf-8") as file:
                file.seek(begin)
                plans = [p for p in file.read().split("LOG:") if "senti.message m WHERE" in p]
            assert plans, f"no plan of '{f}' in the log"
            bad = [p for p in plans if "Seq Scan on message" in p or ("Sort" in p and "Incremental" not in p)]
            assert not bad, f"{f} {more}:\n{bad[0][:1500]}"


@check
def trigrams():
    "an index of trigrams, where somebody makes one, serves --text, and finds what is found without it"
    name = database()
    store(name, "put", data=lines(records(20000) + [{"id": "hay", "text": "a NEEDLE, \u0130 say"}]))
    wanted = store(name, "query", "--text", "needle, i\u0307")[0]
    assert wanted.count(b"\n") == 1, wanted
    sql(name, "CREATE EXTENSION pg_trgm")
    sql(name, "CREATE INDEX message_text ON senti.message USING gin (text gin_trgm_ops)")
    sql(name, "ANALYZE senti.message")
    log = os.path.join(DIR, "postgresql", "log")
    begin = os.path.getsize(log)
    options = {"PGOPTIONS": "-c session_preload_libraries=auto_explain -c auto_explain.log_min_duration=0"}
    assert store(name, "query", "--text", "needle, i\u0307", env=options)[0] == wanted
    with open(log, encoding="utf-8") as file:
        file.seek(begin)
        assert "Bitmap Index Scan on message_text" in file.read()


@check
def at_once():
    "ten migrations of one empty database at once: each succeeds, the steps are applied once"
    for at in (lambda n: url(n), lambda n: url(n, server=POOLER)):
        name = database(False)
        running = [start(name, "migrate", at=at(name), stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(10)]
        for p in running:
            out, err = p.communicate(timeout=60)
            assert p.returncode == 0 and out == b'{"schema":2}\n', (p.returncode, out, err)
        assert one(name, "SELECT count(*) FROM senti.migration") == 2


@check
def other_schemas():
    "another checksum, a newer schema, no schema, somebody else's tables, another encoding: status 3, each with its remedy"
    name = database()
    sql(name, "UPDATE senti.migration SET checksum = repeat('0', 32)")
    _, err = store(name, "query", status=3)
    assert "migration 1 of" in err and "checksum 00000000" in err and "export it there" in err, err
    name = database()
    sql(name, "INSERT INTO senti.migration (number, name, checksum) VALUES (3, 'of tomorrow', 'x')")
    for verb in ("query", "put", "migrate"):
        _, err = store(name, verb, data=b"", status=3)
        assert "has schema 3, this senti knows 2" in err, err
    name = database(False)
    _, err = store(name, "query", status=3)
    assert "senti-store put and migrate make" in err, err
    sql(name, "CREATE SCHEMA senti")
    sql(name, "CREATE TABLE senti.message (x int)")
    _, err = store(name, "migrate", status=3)
    assert "already exists" in err, err
    sql("postgres", f"CREATE DATABASE {name}_l ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' LOCALE_PROVIDER libc TEMPLATE template0")
    _, err = store(name + "_l", "migrate", status=3)
    assert "LATIN1" in err and "UTF8" in err, err
    _, err = store("nowhere", "query", status=3)
    assert "nowhere" in err, err


@check
def passwords():
    "a password from PGPASSWORD, .pgpass or the address; a wrong one is status 3; none is ever shown"
    name = database()
    sql(name, "CREATE ROLE guest LOGIN SUPERUSER PASSWORD 'geheim/17 x'")
    try:
        at = url(name, user="guest")
        server = at.split("@")[1].split("/")[0]
        passfile = os.path.join(DIR, "pgpass")
        with open(passfile, "w") as f:
            f.write(f"{server}:{name}:guest:geheim/17 x\n")
        os.chmod(passfile, 0o600)
        good = [(at, {"PGPASSWORD": "geheim/17 x"}), (at, {"PGPASSFILE": passfile}),
                (url(name, user="guest", password="geheim%2F17%20x"), None)]
        for address, env in good:
            for verb in ("stats", "put"):
                out, err = store(None, verb, "-v", at=address, env=env, data=b"")
                assert "geheim" not in err and b"geheim" not in out, err
        bad = [(at, None), (at, {"PGPASSWORD": "falsch/18"}), (url(name, user="guest", password="falsch%2F18"), None),
               (url(name, user="guest", password="falsch%2F18") + "?connect_timeout=x", None),
               (f"postgresql://guest:falsch/18@{server}/{name}", None), (f"postgresql://guest:falsch@18@{server}/{name}", None),
               (f"postgresql://{server}/{name}?user=guest&password=falsch18", None),
               (f"postgresql://guest:falsch18@127.0.0.1:1/{name}", None), (f"postgres://guest:falsch18%@{server}/{name}", None)]
        for address, env in bad:
            done = subprocess.run(["senti-store", "stats", "-v", "--store", address], capture_output=True, timeout=30,
                                  env={**os.environ, **(env or {})})
            assert done.returncode in (2, 3) and done.stderr, (address, done)
            assert b"falsch" not in done.stderr + done.stdout, done.stderr
        _, err = store(None, "stats", at=at, status=3)
        assert "PGPASSWORD" in err and "pgpass" in err, err
        p = start(None, "put", at=good[2][0], env={"SENTI_STORE": "x"}, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        p.communicate(b"", timeout=20)
        assert p.returncode == 0
    finally:
        sql(name, f"DROP OWNED BY guest")
        sql(name, "DROP ROLE guest")


# ---- roles ----

def refused(at, *args, data=None):
    """The words in which it is refused."""
    _, err = store(None, *args, at=at, data=data, status=3)
    assert "permission denied" in err or "must be owner" in err, err
    return err


@check
def roles():
    "writer and reader of contrib/postgres: each verb works or is refused with a clear message, and SQL gets no further"
    name = database()
    some = records(50)
    store(name, "put", data=lines(some))
    script = os.path.join(ROOT, "contrib", "postgres", "roles.sql")
    writers, readers = f"w {name}", f"r-{name}"
    for _ in range(2):
        service("ctl", "postgresql", DIR, "-d", name, "-v", f"writer={writers}", "-v", f"reader={readers}", "-f", script)
    sql(name, f"CREATE ROLE w_{name} LOGIN PASSWORD 'w' IN ROLE \"{writers}\"")
    sql(name, f"CREATE ROLE r_{name} LOGIN PASSWORD 'r' IN ROLE \"{readers}\"")
    writer, reader = url(name, user=f"w_{name}", password="w"), url(name, user=f"r_{name}", password="r")
    one_record = b'{"id":"new","text":"x","sentiment":{"label":"neutral","score":0}}\n'

    for at in (writer, reader):
        for args in (["get", "r1"], ["query", "--label", "positive"], ["query", "--text", "NUMBER 7"], ["export"], ["stats"], ["migrate"]):
            out, _ = store(None, *args, at=at)
            assert out, args
    store(None, "put", at=writer, data=one_record)
    store(None, "put", at=writer, data=one_record.replace(b"neutral", b"negative"))
    store(None, "put", at=writer, data=lines(records(5000, "many")))
    store(None, "correct", "new", "positive", at=writer)
    store(None, "delete", "new", at=writer)
    store(None, "get", "new", at=writer, status=1)
    if "follow" in tool("senti-cache", "--help")[0].decode():
        with psycopg.connect(writer, autocommit=True) as c:
            c.execute("INSERT INTO senti.reader (name, base) VALUES ('mine', '1:1:')")
            c.execute("UPDATE senti.reader SET alive_at = now() WHERE name = 'mine'")
    for args, data in ((["put"], one_record), (["correct", "r1", "neutral"], None), (["delete", "r1"], None), (["prune"], None)):
        assert "contrib/postgres" in refused(reader, *args, data=data)
    assert "contrib/postgres" in refused(writer, "prune")
    forbidden = ["TRUNCATE senti.message", "DROP TABLE senti.message", "UPDATE senti.message SET version = 1",
                 "UPDATE senti.message SET id = 'x' WHERE id = 'r1'", "INSERT INTO senti.message (id, text, version) VALUES ('f', 'x', 9)",
                 "INSERT INTO senti.outbox VALUES (1, '1', 'x', 1, 'delete')", "DELETE FROM senti.outbox", "UPDATE senti.outbox SET op = 'delete'",
                 "SELECT setval('senti.version', 1)", "DELETE FROM senti.reader", "DELETE FROM senti.migration",
                 "UPDATE senti.migration SET checksum = ''", "CREATE TABLE senti.mine (x int)", "ALTER TABLE senti.message DISABLE TRIGGER ALL",
                 "CREATE TRIGGER t BEFORE INSERT ON senti.message EXECUTE FUNCTION senti.note_insert()", "SET ROLE postgres",
                 "SELECT senti.note_insert()", "SET session_replication_role = replica"]
    more = ["INSERT INTO senti.message (id, text) VALUES ('f', 'x')", "UPDATE senti.message SET label = 'neutral'", "DELETE FROM senti.message",
            "SELECT nextval('senti.version')", "INSERT INTO senti.reader (name, base) VALUES ('x', '1:1:')"]
    for at, statements in ((writer, forbidden), (reader, forbidden + more)):
        with psycopg.connect(at, autocommit=True) as c:
            for s in statements:
                try:
                    c.execute(s)
                    raise AssertionError(f"{at.split('@')[0]} may {s}")
                except (psycopg.errors.InsufficientPrivilege, psycopg.errors.FeatureNotSupported):
                    pass
    assert stored(name).keys() >= {r["id"] for r in some}
    check_sound(name)


# ---- what people do with psql ----

def entries(name, after):
    rows = sql(name, "SELECT seq, op, id, version FROM senti.outbox WHERE seq > %s ORDER BY seq", after)
    return [f"{op} {i}" for _, op, i, _ in rows], rows


@check
def by_hand():
    "SQL of a person: every change raises the version and is in the outbox, what changes nothing is not, what must not be is refused"
    name = database()
    store(name, "put", data=lines(records(5)))
    at = one(name, "SELECT max(seq) FROM senti.outbox")
    steps = [
        ("UPDATE senti.message SET label = 'negative' WHERE id = 'r1'", ["update r1"]),
        ("UPDATE senti.message SET label = label", []),
        ("UPDATE senti.message SET version = 1 WHERE id = 'r1'", ["update r1"]),
        ("UPDATE senti.message SET id = 'x1' WHERE id = 'r1'", ["delete r1", "insert x1"]),
        ("INSERT INTO senti.message (id, text, version) VALUES ('a', 'x', 9999999), ('b', 'x', 0)", ["insert a", "insert b"]),
        ("INSERT INTO senti.message (id, text) VALUES ('a', 'x') ON CONFLICT DO NOTHING", []),
        ("INSERT INTO senti.message (id, text) VALUES ('a', 'y') ON CONFLICT (id) DO UPDATE SET text = excluded.text", ["update a"]),
        ("DELETE FROM senti.message WHERE id IN ('a', 'nobody')", ["delete a"]),
        ("BEGIN; DELETE FROM senti.message; ROLLBACK", []),
        ("COPY (SELECT 1) TO STDOUT", []),
        ("WITH gone AS (DELETE FROM senti.message WHERE id = 'b' RETURNING id) INSERT INTO senti.message (id, text) SELECT 'c', 'x' FROM gone",
         ["delete b", "insert c"]),
        ("MERGE INTO senti.message m USING (VALUES ('c'), ('d')) AS v (id) ON m.id = v.id "
         "WHEN MATCHED THEN UPDATE SET text = 'z' WHEN NOT MATCHED THEN INSERT (id, text) VALUES (v.id, 'x')", ["insert d", "update c"]),
    ]
    for statement, want in steps:
        service("ctl", "postgresql", DIR, "-d", name, "-c", statement)
        got, rows = entries(name, at)
        assert sorted(got) == sorted(want), f"{statement}: {got}, not {want}"
        if rows:
            assert min(r[3] for r in rows) > at
            at = rows[-1][0]
        check_sound(name)
    count = one(name, "SELECT count(*) FROM senti.message")
    sql(name, "TRUNCATE senti.message")
    assert len(entries(name, at)[0]) == count
    for wrong in ("label = 'good'", "id = ''", "text = NULL", "sentiment = 'no JSON'", "time = '11000-01-01'", "time = 'infinity'"):
        sql(name, "INSERT INTO senti.message (id, text) VALUES ('w', 'x') ON CONFLICT DO NOTHING")
        try:
            sql(name, f"UPDATE senti.message SET {wrong}")
            raise AssertionError(f"the table takes {wrong}")
        except psycopg.errors.Error:
            pass
    sql(name, "UPDATE senti.message SET extra = '[1]'")
    _, err = store(name, "query", status=1)
    assert "bad_row" in err, err


@check
def own_triggers():
    "triggers of a user's own: one that changes the row, one that ignores it, one that refuses it"
    name = database()
    sql(name, """CREATE FUNCTION mine() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.text = 'skip' THEN RETURN NULL; END IF;
        IF NEW.text = 'bad' THEN RAISE 'not in this house'; END IF;
        RETURN NEW; END $$""")
    sql(name, "CREATE TRIGGER mine BEFORE INSERT ON senti.message FOR EACH ROW EXECUTE FUNCTION mine()")
    sql(name, """CREATE FUNCTION twice() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        UPDATE senti.message SET source = 'twice' WHERE id = NEW.id AND source IS DISTINCT FROM 'twice'; RETURN NULL; END $$""")
    sql(name, "CREATE TRIGGER twice AFTER INSERT ON senti.message FOR EACH ROW EXECUTE FUNCTION twice()")
    out, err = store(name, "put", data=lines([{"id": "1", "text": "fine"}, {"id": "2", "text": "bad"}, {"id": "3", "text": "skip"},
                                              {"id": "4", "text": "fine"}]), status=1)
    came = {json.loads(s)["id"]: json.loads(s)["version"] for s in out.splitlines()}
    assert came == stored(name) and came.keys() == {"1", "4"}, (came, stored(name))
    assert "not in this house" in err and "ignores" in err, err
    check_sound(name)


@check
def hostile_options():
    "SQL in every option stays text"
    name = database()
    store(name, "put", data=lines(records(3)))
    evil = "'; DROP TABLE senti.message; --"
    for option in ("--source", "--model", "--not-model", "--text"):
        store(name, "query", option, evil)
    store(name, "query", "--after", evil, status=2)
    store(name, "get", evil, status=1)
    store(name, "delete", evil, status=1)
    store(name, "correct", evil, "neutral", status=1)
    assert len(stored(name)) == 3


@check
def only_reads():
    "default_transaction_read_only holds: what writes is refused and says why, what reads goes on"
    name = database()
    store(name, "put", data=lines(records(3)))
    sql(name, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    for verb in (["put"], ["delete", "r0"], ["correct", "r0", "neutral"], ["prune"]):
        err = store(name, *verb, "--retry", "0", data=lines(records(4)), status=3)[1]
        assert "default_transaction_read_only is on" in err, err
    assert len(store(name, "export")[0].splitlines()) == 3 == len(stored(name))


run()
