"""The store in PostgreSQL when things go wrong: kill -9 on either side, restarts, full disks, locks, cut connections.

The checker's rule: what came out of senti-store put is stored, in the version that it came out with, and what was put again at the end is there once.
"""
# servers: postgresql pgbouncer
# packages: psycopg
# seconds: 100
import json
import os
import random
import subprocess
import threading
import time

import psycopg

from postgres_help import (DIR, check_kept, check_sound, database, lines, one, records, service, sql,
                           start, store, stored, until, url, whole_lines)
from tap import check, run

POOLER = os.environ.get("SENTI_POOLER", "")


def path(name):
    return os.path.join(DIR, name)


def fill(name, some):
    with open(path(name), "wb") as f:
        f.write(lines(some))
    return path(name)


def put(name, source, out, *args, **kw):
    """A put of a file that writes into a file."""
    with open(out, "wb") as f:
        return start(name, "put", *args, source, stdout=f, **kw)


def whole(name, some, came):
    """Everything is there, once."""
    have = stored(name)
    assert have.keys() == {r["id"] for r in some}, f"{len(have)} rows"
    check_kept(name, came)
    check_sound(name)


@check
def killed():
    "kill -9 of senti-store put at 24 random moments over 100,000 records: what came out is there, and in the end all rows, once"
    name = database()
    some = records(100000)
    source = fill("many", some)
    rng = random.Random(5)
    early = 0
    begin = time.monotonic()
    store(database(), "put", "-b", "1000", data=lines(some[:20000]))
    whole_run = 5 * (time.monotonic() - begin)
    for i in range(24):
        out = path("killed.out")
        p = put(name, source, out, "-b", str(rng.choice([10, 200, 1000, 5000])))
        time.sleep(rng.random() * min(whole_run * 0.6, 2))
        early += p.poll() is None
        p.kill()
        p.wait()
        check_kept(name, whole_lines(out))
        if i % 8 == 7:
            check_sound(name)
    assert early > 12, f"only {early} of 24 were killed before their end"
    out, _ = store(name, "put", source)
    whole(name, some, [json.loads(s) for s in out.splitlines()])
    return f"{early} before their end"


@check
def server_killed():
    "PostgreSQL killed with -9 three times in the middle of batches: put goes on by itself, nothing is missing or there twice"
    name = database()
    some = records(40000)
    out = path("server.out")
    p = put(name, fill("server.in", some), out, "-b", "500", "--retry", "60", stderr=subprocess.PIPE)
    for part in (1, 2, 3):
        until(lambda: os.path.getsize(out) > part * 700000 or p.poll() is not None)
        assert p.poll() is None, "put was too quick"
        service("kill", "postgresql", DIR)
        time.sleep(0.3)
        service("again", "postgresql", DIR)
    _, err = p.communicate(timeout=90)
    assert p.returncode == 0, err
    came = whole_lines(out)
    assert [r["id"] for r in came] == [r["id"] for r in some], "lost or repeated"
    whole(name, some, came)
    assert b"away" in err or b"again" in err, err


@check
def server_gone():
    "a server that stays away is status 3 after --retry, at the start at once; what came out is stored"
    name = database()
    some = records(40000)
    out = path("gone.out")
    p = put(name, fill("gone.in", some), out, "-b", "100", "--retry", "1", stderr=subprocess.PIPE)
    until(lambda: os.path.getsize(out) > 100000)
    service("kill", "postgresql", DIR)
    _, err = p.communicate(timeout=60)
    assert p.returncode == 3 and b"cannot" in err, (p.returncode, err)
    done = subprocess.run(["senti-store", "stats", "--store", url(name)], capture_output=True, timeout=30)
    assert done.returncode == 3 and b"refused" in done.stderr, done
    p = start(name, "put", "--retry", "60", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    p.stdin.write(lines(some[:10]))
    p.stdin.close()
    time.sleep(0.3)
    assert p.poll() is None, "--retry holds at the start as well"
    service("again", "postgresql", DIR)
    assert p.wait(timeout=60) == 0 and p.stdout.read().count(b"\n") == 10
    p.stdout.close()
    check_kept(name, whole_lines(out))


@check
def together():
    "ten puts of the same records in different orders at once, half of them through the pooler: no deadlock, none twice"
    name = database()
    some = records(3000)
    running = []
    for i in range(10):
        mine = list(some)
        random.Random(i).shuffle(mine)
        at = url(name, server=POOLER) if i % 2 else url(name)
        running.append(put(name, fill(f"together{i}", mine), path(f"together{i}.out"), "-b", "200", at=at, stderr=subprocess.PIPE))
    for p in running:
        _, err = p.communicate(timeout=100)
        assert p.returncode == 0 and not err, err
    for i in range(10):
        whole(name, some, whole_lines(path(f"together{i}.out")))
    assert one(name, "SELECT count(*) FROM senti.outbox") == len(some), "a row was touched that was equal"
    deadlocks = one(name, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    assert deadlocks == 0, f"{deadlocks} deadlocks"


@check
def changing_together():
    "puts, corrections and deletions of the same ids at once: each ends well, the outbox tells of every change"
    name = database()
    some = records(600)
    store(name, "put", data=lines(some))
    running = []
    for i in range(9):
        mine = list(some)
        random.Random(i).shuffle(mine)
        if i % 3 == 0:
            data, args = lines({**r, "text": f"text of {i}"} for r in mine), ["put"]
        elif i % 3 == 1:
            data, args = lines({"id": r["id"], "label": random.Random(i).choice(["positive", "negative"])} for r in mine), ["correct"]
        else:
            data, args = lines({"id": r["id"]} for r in mine), ["delete"]
        p = start(name, *args, "-b", "50", "--reject", "/dev/null", stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        threading.Thread(target=lambda p=p, data=data: (p.stdin.write(data), p.stdin.close())).start()
        running.append(p)
    for p in running:
        assert p.wait(timeout=90) in (0, 1), p.stderr.read()
        p.stderr.close()
    # An insert takes its version before it waits for a deletion of the same id, so the new life may begin below the end of the old one.
    assert one(name, "SELECT count(DISTINCT version) = count(*) FROM senti.message")
    assert one(name, "SELECT count(*) FROM senti.message m LEFT JOIN senti.outbox o ON (o.id, o.version) = (m.id, m.version) "
                     "AND o.op <> 'delete' WHERE o.id IS NULL") == 0, "rows whose change is not in the outbox"
    kinds = "SELECT id, count(*) FILTER (WHERE op = 'insert') - count(*) FILTER (WHERE op = 'delete') AS lives FROM senti.outbox GROUP BY id"
    assert one(name, f"SELECT count(*) FROM ({kinds}) o FULL JOIN senti.message m USING (id) "
                     "WHERE o.lives IS DISTINCT FROM (m.id IS NOT NULL)::int") == 0, "lives and deaths do not add up"


@check
def cut():
    "connections cut all the time, by the server and by the pooler's death: put and query go on"
    name = database()
    some = records(30000)
    out, other = path("cut.out"), path("cut2.out")
    p = put(name, fill("cut.in", some), out, "-b", "300", "--retry", "30", stderr=subprocess.PIPE)
    q = put(name, path("cut.in"), other, "-b", "400", "--retry", "30", stderr=subprocess.PIPE, at=url(name, server=POOLER))
    cuts = 0
    while p.poll() is None or q.poll() is None:
        # The gap grows, so that a slow machine comes to its end as well.
        time.sleep(0.2 + cuts * 0.02)
        cuts += sql("postgres", "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s", name)[0][0]
        if cuts % 5 == 4:
            service("kill", "pgbouncer", DIR)
            service("again", "pgbouncer", DIR)
    for r in (p, q):
        err = r.stderr.read()
        r.stderr.close()
        assert r.returncode == 0, err
    assert cuts > 2, f"{cuts} cuts"
    whole(name, some, whole_lines(out) + whole_lines(other))
    return f"{cuts} cuts"


@check
def streamed():
    "the server is killed and restarted while a query streams: each row comes once, in order"
    name = database()
    some = records(30000)
    store(name, "put", data=lines(some))
    p = start(name, "query", "--order", "id", "-b", "500", "--retry", "60", stdout=subprocess.PIPE)
    ids = []
    for line in p.stdout:
        ids.append(json.loads(line)["id"])
        if len(ids) in (5000, 15000):
            service("kill", "postgresql", DIR)
            service("again", "postgresql", DIR)
    assert p.wait(timeout=60) == 0
    p.stdout.close()
    assert ids == sorted((r["id"] for r in some), key=str.encode), "lost, repeated or out of order"


@check
def locks():
    "somebody holds a row: put waits and goes on; for ever: status 3 after --retry, with its reason; so does a query behind a locked table"
    name = database()
    some = records(100)
    store(name, "put", data=lines(some))
    data = lines([{**r, "text": "new"} for r in some])
    fast = {"PGOPTIONS": "-c lock_timeout=200"}
    with psycopg.connect(url(name)) as c:
        c.execute("UPDATE senti.message SET text = 'held' WHERE id = 'r50'")
        out, err = store(name, "put", "--retry", "1", data=data, status=3, env=fast)
        assert out == b"" and "lock timeout" in err, err
        p = start(name, "put", "--retry", "60", stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=fast)
        p.stdin.write(data)
        p.stdin.close()
        until(lambda: p.poll() is not None or one("postgres", "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'", name))
        assert p.poll() is None, "it does not wait"
        c.commit()
        assert p.wait(timeout=60) == 0 and p.stdout.read().count(b"\n") == 100
        p.stdout.close()
        c.execute("LOCK senti.message IN ACCESS EXCLUSIVE MODE")
        out, err = store(name, "query", "--retry", "1", status=3, env=fast)
        assert out == b"" and "lock timeout" in err, err
        c.rollback()
    assert one(name, "SELECT count(*) FROM senti.message WHERE text = 'new'") == 100
    check_sound(name)


@check
def idle_writer():
    "a put that is stopped in the middle holds no rows while it waits for input"
    name = database()
    p = start(name, "put", "-b", "10", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    p.stdin.write(lines(records(10)))
    p.stdin.flush()
    for _ in range(10):
        assert p.stdout.readline()
    assert one("postgres", "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND state LIKE 'idle in%%'", name) == 0
    store(name, "put", data=lines([{"id": f"r{i}", "text": "changed"} for i in range(10)]))
    p.stdin.close()
    assert p.wait(timeout=30) == 0
    p.stdout.close()


def mount(size):
    place = path(f"disk{size}")
    os.mkdir(place)
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=777", "tmpfs", place], stderr=subprocess.DEVNULL).returncode:
        return None
    subprocess.run(["chown", "postgres:", place], check=True)
    return place


def full(name, some, make_full):
    out = path("full.out")
    p = put(name, fill("full.in", some), out, "-b", "500", "--retry", "3", stderr=subprocess.PIPE)
    _, err = p.communicate(timeout=100)
    assert p.returncode == 3, (p.returncode, err)
    came = whole_lines(out)
    assert came, "nothing came out before the disk was full"
    return came, err.decode()


@check
def full_tablespace():
    "a full disk of the table: status 3 with its reason, what came out is stored; with room again the rest follows"
    place = mount("6m")
    if not place:
        return "(no tmpfs can be mounted here)"
    try:
        name = database(False)
        sql("postgres", f"CREATE TABLESPACE small LOCATION '{place}'")
        sql("postgres", f"ALTER DATABASE {name} SET default_tablespace = 'small'")
        store(name, "migrate")
        some = records(40000)
        came, err = full(name, some, place)
        assert "No space left" in err or "could not extend" in err, err
        check_kept(name, came)
        check_sound(name)
        subprocess.run(["mount", "-o", "remount,size=200m", place], check=True)
        out, _ = store(name, "put", path("full.in"))
        whole(name, some, [json.loads(s) for s in out.splitlines()])
        sql("postgres", f"DROP DATABASE {name}")
        sql("postgres", "DROP TABLESPACE small")
    finally:
        subprocess.run(["umount", "-l", place])


@check
def full_log():
    "a full disk of the write-ahead log, at which PostgreSQL gives up: status 3, and after a restart with room what came out is stored"
    place = mount("40m")
    if not place:
        return "(no tmpfs can be mounted here)"
    small = path("small")
    home = os.path.join(small, "postgresql")
    try:
        settings = service("start", "postgresql", small, "max_wal_size=1GB", "min_wal_size=32MB", "checkpoint_timeout=1h")
        server = settings.split("'")[1]
        service("kill", "postgresql", small)
        log = os.path.join(home, "data", "pg_wal")
        subprocess.run(["cp", "-a", log, os.path.join(place, "pg_wal")], check=True)
        subprocess.run(["rm", "-r", log], check=True)
        os.symlink(os.path.join(place, "pg_wal"), log)
        service("again", "postgresql", small)
        out = path("log.out")
        some = records(100000)
        p = put(None, fill("log.in", some), out, "-b", "500", "--retry", "2", stderr=subprocess.PIPE, at=server)
        _, err = p.communicate(timeout=100)
        assert p.returncode == 3, (p.returncode, err)
        came = whole_lines(out)
        assert came, "nothing came out before the disk was full"
        subprocess.run(["mount", "-o", "remount,size=400m", place], check=True)
        try:
            service("kill", "postgresql", small)
        except AssertionError:
            pass  # it has ended by itself
        service("again", "postgresql", small)
        with psycopg.connect(server) as c:
            have = dict(c.execute("SELECT id, version FROM senti.message").fetchall())
        for r in came:
            assert have.get(r["id"]) == r["version"], r
        out, _ = store(None, "put", path("log.in"), at=server)
        assert out.count(b"\n") == len(some)
    finally:
        service("stop", small)
        subprocess.run(["umount", "-l", place])


@check
def stopped():
    "SIGTERM in the middle of a file ends a put in order: status 3, what came out is stored; a closed pipe ends a query quietly; a full output is status 3"
    name = database()
    some = records(50000)
    out = path("term.out")
    p = put(name, fill("term.in", some), out, "-b", "100")
    until(lambda: os.path.getsize(out) > 50000)
    p.terminate()
    assert p.wait(timeout=30) == 3  # the file was not read to its end
    came = whole_lines(out)
    assert 0 < len(came) < len(some)
    check_kept(name, came)
    assert len(stored(name)) == len(came), "more is stored than came out"
    p = start(name, "query", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    p.stdout.readline()
    p.stdout.close()
    assert p.stderr.read() == b"" and p.wait(timeout=30) in (0, 141, -13), p.returncode
    p.stderr.close()
    with open("/dev/full", "wb") as f:
        p = start(name, "query", stdout=f, stderr=subprocess.PIPE)
        assert p.communicate(timeout=30)[1] and p.returncode == 3


run()
