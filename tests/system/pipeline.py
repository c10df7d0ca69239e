"""The worker's pipeline on RabbitMQ and PostgreSQL, and a cache in Redis that follows the database."""
# servers: postgresql redis rabbitmq
# packages: pika psycopg
# preload: clock
# seconds: 60
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request

import psycopg

from tap import check, run

DIR = sys.argv[1]
SERVICES = os.environ["SENTI_SERVICES"]
STORE, CACHE = os.environ["SENTI_STORE"], os.environ["SENTI_REDIS"]
PORT = CACHE.rsplit(":", 1)[1]


def tool(*args, data=b"", status=0, timeout=60, **env):
    """A tool, or a line of shell: (stdout, stderr)."""
    done = subprocess.run(args if len(args) > 1 else ["sh", "-c", args[0]], input=data, capture_output=True, timeout=timeout,
                          env={**os.environ, **env})
    out, err = done.stdout.decode(), done.stderr.decode(errors="replace")
    assert done.returncode == status, f"{args}: status {done.returncode}, not {status}\n{err[-1500:]}"
    return out, err


def sums(err, name):
    """The last summary of a tool."""
    found = [json.loads(line) for line in err.splitlines() if line.startswith('{"tool":"%s"' % name)]
    return found


def service(verb, name):
    subprocess.run([SERVICES, verb, name, DIR], check=True, timeout=120, stdout=subprocess.DEVNULL)


def redis(*args):
    return subprocess.run(["redis-cli", "-p", PORT, *args], check=True, capture_output=True).stdout.decode().rstrip("\n")


def entry(id):
    """What Redis has of a message: its text, "" for nothing."""
    return redis("GET", "senti:m:" + id)


def connect(**kw):
    return psycopg.connect(STORE, **kw)


def sql(text, *args):
    with connect(autocommit=True) as c:
        cur = c.execute(text, args or None)
        return cur.fetchall() if cur.description else None


def lines(records):
    return "".join(json.dumps(r) + "\n" for r in records).encode()


def texts(n, prefix):
    return [{"id": f"{prefix}{i}", "text": f"I love number {i}, it is great"} for i in range(n)]


def store(ids, text="x"):
    """Rows, and their entries in the cache."""
    tool("senti-store put | senti-cache put >/dev/null", data=lines({"id": id, "text": text} for id in ids))


def until(what, condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not in {seconds} s: {what}"
        time.sleep(0.02)


class Follower:
    def __init__(self, *args, **env):
        self.err = open(os.path.join(DIR, f"err{time.monotonic_ns()}"), "w+b")
        self.process = subprocess.Popen(["senti-cache", "follow", "--summary", *args], stdout=subprocess.DEVNULL, stderr=self.err,
                                        env={**os.environ, **env})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.err.close()

    def said(self):
        self.err.seek(0)
        return self.err.read().decode(errors="replace")

    def ends(self, status=0, seconds=30):
        got = self.process.wait(seconds)
        assert got == status, f"status {got}, not {status}\n{self.said()}"

    def stop(self, status=0):
        self.process.send_signal(signal.SIGTERM)
        self.ends(status)
        return sums(self.said(), "senti-cache")[-1]


def is_live(id):
    return " " in entry(id)


def caught_up():
    """All changes so far have been followed, by the reader of the default name."""
    tool("senti-cache", "follow", "--once")


PIPELINE = ("senti-cache get --summary | senti-score --summary | senti-store put --summary | senti-cache put --summary")


def work(queue):
    """Works the queue off by the pipeline: what its tools have counted."""
    out, err = tool("senti-worker", "-q", queue, "--idle", "3000", "--", "sh", "-c", PIPELINE, timeout=120)
    cache = sums(err, "senti-cache")
    return {"get": next(s for s in cache if "misses" in s), "score": sums(err, "senti-score")[-1],
            "store": sums(err, "senti-store")[-1], "put": next(s for s in cache if "refused" in s)}


@check
def the_pipeline_of_the_specification():
    n = 1000
    tool("senti-ingest", "-F", "json", "-", "-o", "amqp:texts", data=lines(texts(n, "p")))
    first = work("texts")
    assert first["get"]["misses"] == n and first["get"]["hits"] == 0, first
    assert first["score"]["scored"] == n and first["store"]["stored"] == n, first
    rows = sql("SELECT count(*), count(sentiment) FROM senti.message WHERE id LIKE 'p%'")
    assert rows == [(n, n)], rows
    assert redis("EVAL", "return #redis.call('KEYS', 'senti:m:p*')", "0") == str(n)
    assert redis("EVAL", "return #redis.call('KEYS', 'senti:s:*')", "0") == str(n)
    record = json.loads(tool("senti-store", "get", "p7")[0])
    assert json.loads(entry("p7").split(" ", 1)[1]) == record, entry("p7")
    # The same texts again, said by others: nothing is scored.
    tool("senti-ingest", "-F", "json", "-", "-o", "amqp:texts", data=lines(texts(n, "q")))
    second = work("texts")
    assert second["get"]["hits"] == n and second["get"]["misses"] == 0, second
    assert second["score"]["kept"] == n and second["score"].get("scored", 0) == 0, second
    assert second["store"]["stored"] == n, second
    rows = sql("SELECT count(*) FROM senti.message q JOIN senti.message p ON q.sentiment::text = p.sentiment::text"
               " AND substr(q.id, 2) = substr(p.id, 2) WHERE q.id LIKE 'q%' AND p.id LIKE 'p%'")
    assert rows == [(n,)], rows
    # The very same records again: neither scored nor stored.
    tool("senti-ingest", "-F", "json", "-", "-o", "amqp:texts", data=lines(texts(n, "p")))
    third = work("texts")
    assert third["get"]["hits"] == n and third["store"]["unchanged"] == n, third


@check
def changes_by_hand_are_followed():
    store(["h1", "h2", "h3", "h4"])
    with Follower() as f:
        until("the follower has begun", lambda: sql("SELECT 1 FROM senti.reader"))
        store(["h1", "h2", "h3", "h4"], "y")
        caught_up()
        tool("senti-store get h1 h2 h3 h4 | senti-cache put >/dev/null")
        assert all(is_live(id) for id in ("h1", "h2", "h3", "h4")), entry("h1")
        sql("UPDATE senti.message SET label = 'negative' WHERE id = 'h1'")
        sql("DELETE FROM senti.message WHERE id = 'h2'")
        sql("UPDATE senti.message SET id = 'h5' WHERE id = 'h3'")
        until("changed, deleted and renamed rows leave the cache", lambda: not any(map(is_live, ("h1", "h2", "h3"))))
        assert is_live("h4"), "what was not changed stays"
        out, _ = tool("senti-cache", "verify")
        assert json.loads(out)["stale"] == 0 < json.loads(out)["checked"], out
        total = f.stop()
        assert total["in"] == total["out"] == total["buried"] >= 4 and total["rejected"] == 0, total


@check
def a_transaction_that_commits_late_is_not_missed():
    store(["late", "early"])
    with Follower():
        caught_up()
        with connect() as slow:
            slow.execute("UPDATE senti.message SET text = 'late' WHERE id = 'late'")  # takes the lower number
            sql("UPDATE senti.message SET text = 'early' WHERE id = 'early'")
            until("the one that commits first is followed", lambda: not is_live("early"))
            assert is_live("late"), "the other is not committed"
            tool("senti-store get early | senti-cache put >/dev/null")
            slow.commit()
        until("the one that commits late is followed", lambda: not is_live("late"))
    # The same where nobody follows all the time.
    store(["late", "early"])
    caught_up()
    with connect() as slow:
        slow.execute("UPDATE senti.message SET text = 'later' WHERE id = 'late'")
        sql("UPDATE senti.message SET text = 'sooner' WHERE id = 'early'")
        caught_up()
        assert not is_live("early") and is_live("late")
        slow.commit()
    caught_up()
    assert not is_live("late"), "--once finds it the next time"


@check
def once_fails_when_redis_is_away_and_marks_nothing():
    store(["o1"])
    caught_up()
    sql("UPDATE senti.message SET text = 'z' WHERE id = 'o1'")
    nowhere = {"SENTI_REDIS": "redis://127.0.0.1:1"}
    tool("senti-cache", "follow", "--once", "--reader", "test", status=3, **nowhere)
    _, err = tool("senti-cache", "follow", "--once", "--reader", "test", "--summary", status=3, **nowhere)
    assert "127.0.0.1:1" in err, err
    assert is_live("o1")
    out, _ = tool("senti-cache", "follow", "--once", "--reader", "test")
    assert any(json.loads(line)["id"] == "o1" for line in out.splitlines()), "it comes again"
    assert not is_live("o1")
    tool("senti-cache", "verify", status=3, **nowhere)
    tool("senti-cache", "follow", "--once", status=3, SENTI_STORE="postgresql://postgres@127.0.0.1:1/postgres")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@check
def redis_goes_and_comes_while_it_is_followed():
    store(["r1"])
    port = free_port()

    def lag():
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            figures = dict(line.rsplit(" ", 1) for line in answer.read().decode().splitlines() if not line.startswith("#"))
        return float(figures["senti_follow_lag_seconds"])

    with Follower("--metrics", str(port)) as f:
        caught_up()
        service("kill", "redis")
        sql("UPDATE senti.message SET text = 'while Redis is away' WHERE id = 'r1'")
        version = sql("SELECT version FROM senti.message WHERE id = 'r1'")[0][0]
        until("the follower says so", lambda: "the cache is unreachable" in f.said())
        until("it falls behind", lambda: lag() > 2)
        service("again", "redis")
        until("the change is buried when Redis is back", lambda: entry("r1") == str(version))
        until("which it says", lambda: "the cache is back" in f.said())
        until("and it is up to date", lambda: lag() < 2)
        assert f.said().count("is unreachable") == 1, "once: " + f.said()
        assert f.stop()["lag"] >= 0


@check
def a_stop_while_redis_is_away_leaves_the_changes():
    store(["r1"])
    with Follower() as f:
        until("it follows", lambda: sql("SELECT 1 FROM senti.reader WHERE alive_at > now() - interval '1 hour'"))
        caught_up()
        service("kill", "redis")
        sql("UPDATE senti.message SET text = 'unburied' WHERE id = 'r1'")
        until("the follower says so", lambda: "the cache is unreachable" in f.said())
        f.stop(status=3)
    service("again", "redis")
    out, _ = tool("senti-cache", "follow", "--once")
    assert [json.loads(line)["id"] for line in out.splitlines()] == ["r1"], out


@check
def postgresql_goes_and_comes_while_it_is_followed():
    store(["s1"])
    with Follower() as f:
        caught_up()
        service("kill", "postgresql")
        until("the follower says so", lambda: "the store is unreachable" in f.said())
        service("again", "postgresql")
        until("which it says", lambda: "the store is back" in f.said())
        sql("UPDATE senti.message SET text = 'after the crash' WHERE id = 's1'")
        until("a change after it is followed", lambda: not is_live("s1"))
        f.stop()
    with Follower("--retry", "1") as f:
        caught_up()
        service("kill", "postgresql")
        f.ends(status=3)
        assert "postgres" in f.said().splitlines()[-2], f.said()
    service("again", "postgresql")
    tool("senti-store get s1 | senti-cache put >/dev/null")
    assert is_live("s1")
    service("kill", "postgresql")
    with Follower("--retry", "60") as f:
        time.sleep(1)
        service("again", "postgresql")
        sql("UPDATE senti.message SET text = 'found at the start' WHERE id = 's1'")
        until("a store that comes within --retry is found", lambda: not is_live("s1"))
        f.stop()


@check
def two_followers_of_one_name_miss_nothing():
    ids = [f"t{i}" for i in range(3000)]
    store(ids)
    caught_up()
    with Follower("--reader", "twins", "-b", "10") as a, Follower("--reader", "twins", "-b", "7") as b:
        until("they have begun", lambda: sql("SELECT 1 FROM senti.reader WHERE name = 'twins'"))
        for i in range(0, len(ids), 30):
            sql("UPDATE senti.message SET text = 'new' WHERE id = ANY(%s)", ids[i:i + 30])
        until("all are buried", lambda: redis("EVAL", "local n = 0; for _, k in ipairs(redis.call('KEYS', 'senti:m:t*')) do"
                                              " if string.find(redis.call('GET', k), ' ') then n = n + 1 end end return n", "0") == "0")
        assert a.stop()["in"] + b.stop()["in"] >= len(ids)
    # The slower one's last mark may stand behind the other's: what lies between comes again, once.
    tool("senti-cache", "follow", "--once", "--reader", "twins")
    out, _ = tool("senti-cache", "follow", "--once", "--reader", "twins")
    assert out == "", "and all are marked"


@check
def who_may_not_mark_changes_as_seen_says_so_and_ends():
    "a follower whose role may not mark changes as seen says so, repeats them now and then, and ends"
    store(["unmarked"])
    sql("CREATE ROLE half LOGIN PASSWORD 'half'")
    try:
        sql("GRANT USAGE ON SCHEMA senti TO half; GRANT SELECT ON ALL TABLES IN SCHEMA senti TO half;"
            "GRANT INSERT, UPDATE (alive_at) ON senti.reader TO half")
        out, err = tool("senti-cache", "follow", "--reader", "half", "--retry", "2", "--store",
                        STORE.replace("postgres@", "half:half@"), status=3)
        assert err.count("permission denied") == 2 and "warning" in err, err
        changes = out.splitlines()
        assert 2 <= changes.count(changes[0]) < 40, changes.count(changes[0])
    finally:
        sql("DROP OWNED BY half; DROP ROLE half; DELETE FROM senti.reader WHERE name = 'half'")


@check
def what_an_old_snapshot_brings_back_is_not_read():
    caught_up()
    redis("FLUSHALL")
    store(["old"])
    caught_up()
    tool("senti-store get old | senti-cache put >/dev/null")
    assert json.loads(tool("senti-cache", "verify")[0])["checked"] == 1
    redis("SAVE")
    sql("UPDATE senti.message SET text = 'newer' WHERE id = 'old'")
    caught_up()
    assert not is_live("old")
    service("kill", "redis")
    service("again", "redis")
    assert is_live("old"), "the snapshot has it"
    out, _ = tool("senti-cache", "verify")
    assert json.loads(out) == {"checked": 0, "gone": 1, "stale": 0}, out
    tool("senti-store get old | senti-cache put >/dev/null")
    assert "newer" in entry("old") and json.loads(tool("senti-cache", "verify")[0])["checked"] == 1
    # The same row again is put over what the snapshot has of it.
    redis("SAVE")
    service("kill", "redis")
    service("again", "redis")
    assert json.loads(tool("senti-cache", "verify")[0])["checked"] == 0
    tool("senti-store get old | senti-cache put >/dev/null")
    assert json.loads(tool("senti-cache", "verify")[0])["checked"] == 1
    os.remove(os.path.join(DIR, "redis", "dump.rdb"))


@check
def verify_names_what_is_stale():
    caught_up()
    redis("FLUSHALL")
    store(["v1", "v2", "v3"])
    caught_up()
    tool("senti-store get v1 v2 v3 | senti-cache put >/dev/null")
    sql("UPDATE senti.message SET text = 'unfollowed' WHERE id = 'v2'")
    out, err = tool("senti-cache", "verify", "--sample", "100", status=1)
    assert json.loads(out) == {"checked": 3, "gone": 0, "stale": 1}, out
    reject = json.loads(err.splitlines()[0])
    assert reject["error"]["code"] == "stale" and "'v2'" in reject["error"]["message"], err
    assert json.loads(reject["input"])["id"] == "v2", err
    out, _ = tool("senti-cache", "verify", "--sample", "100", "--max-rejects", "1")
    sql("DELETE FROM senti.message WHERE id = 'v1'")
    _, err = tool("senti-cache", "verify", status=1)
    assert "'v1'" in err and "'v2'" in err and "'v3'" not in err, err
    caught_up()
    tool("senti-cache", "verify")
    assert json.loads(tool("senti-cache", "verify", "--sample", "1")[0])["checked"] <= 1


@check
def prune_trims_the_outbox_and_drops_dead_followers():
    sql("UPDATE senti.message SET text = text || '!' WHERE id LIKE 'q%'")
    caught_up()
    tool("senti-cache", "follow", "--once", "--reader", "slow")
    sql("UPDATE senti.message SET text = text || '?' WHERE id LIKE 'q%'")
    caught_up()
    for reader in ("test", "twins"):
        sql("UPDATE senti.reader SET alive_at = now() - interval '8 days' WHERE name = %s", reader)
    before = sql("SELECT count(*) FROM senti.outbox")[0][0]
    gone = json.loads(tool("senti-store", "prune")[0])["pruned"]
    left = sql("SELECT count(*) FROM senti.outbox")[0][0]
    assert gone > 0 and left == before - gone >= 1000, (before, gone, left)
    assert sorted(r[0] for r in sql("SELECT name FROM senti.reader"))[-1] == "slow" and len(sql("SELECT 1 FROM senti.reader")) == 2
    out, _ = tool("senti-cache", "follow", "--once", "--reader", "slow")
    assert len(out.splitlines()) == left, "the slow reader misses nothing"
    sql("UPDATE senti.reader SET alive_at = now() - interval '1 hour' WHERE name = 'slow'")
    tool("senti-store", "prune", "--dead", "30m")
    caught_up()
    tool("senti-store", "prune")
    assert sql("SELECT count(*) FROM senti.outbox")[0][0] == 0
    out, _ = tool("senti-cache", "follow", "--once", "--reader", "slow")
    assert out == "", "one that comes back finds nothing, and is known again"


@check
def a_wrong_clock_drops_no_follower():
    """what senti-store prune calls long dead is told by the clock of the database, whose times they are"""
    tool("senti-cache", "follow", "--once", "--reader", "alive")
    tool("senti-store", "prune", LD_PRELOAD=os.path.join(DIR, "clock.so"), CLOCK_AHEAD=str(10 * 86400))
    assert sql("SELECT 1 FROM senti.reader WHERE name = 'alive'")


@check
def a_store_in_sqlite_is_followed_as_well():
    redis("FLUSHALL")
    path = os.path.join(DIR, "follow.db")
    env = {"SENTI_STORE": "sqlite:" + path}
    tool("senti-store put | senti-cache put >/dev/null", data=lines(texts(10, "l")), **env)
    with Follower(**env) as f:
        tool("senti-cache", "follow", "--once", **env)
        tool("senti-store get l1 l2 l3 | senti-cache put >/dev/null", **env)
        assert is_live("l1") and is_live("l2")
        with sqlite3.connect(path, timeout=30) as db:
            db.execute("UPDATE message SET text = 'by hand' WHERE id = 'l1'")
            db.execute("DELETE FROM message WHERE id = 'l2'")
        until("changes by the sqlite3 shell are followed", lambda: not is_live("l1") and not is_live("l2"))
        assert json.loads(tool("senti-cache", "verify", **env)[0])["stale"] == 0
        f.stop()
    out, _ = tool("senti-store", "prune", **env)
    assert json.loads(out)["pruned"] >= 12, out


run()
