"""GET /v1/events of senti-serve on SQLite and on PostgreSQL, which is killed in between: each event once and in order whoever writes how, lost
connections, slow readers, the end; and the cache of the process, which follows the same log."""
# servers: postgresql
# packages: psycopg
# seconds: 45
import http.client
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import threading
import time

import psycopg

from serve_raw import DIR, STORE as PG, Server, new_path, wait
from tap import check, run

SERVICES = os.environ["SENTI_SERVICES"]

RING = 4096
rng = random.Random(11)
made = 0


class Sqlite:
    """A store whose rows are changed by hand."""
    name = "SQLite"
    table, outbox, mark = "message", "outbox", "?"

    def __init__(self):
        self.url = "sqlite:" + new_path("events.db")
        self.tool("migrate")

    def tool(self, *args, data=b""):
        done = subprocess.run(["senti-store", *args, "--store", self.url], input=data, capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def connect(self):
        c = sqlite3.connect(self.url[7:], timeout=60, isolation_level=None)
        c.execute("PRAGMA synchronous = off")
        return c

    def sql(self, text, *args):
        c = self.connect()
        try:
            return c.execute(text, args).fetchall()
        finally:
            c.close()

    def many(self, prefix, n, text="x"):
        """n scored rows in one transaction."""
        self.sql(f"""WITH RECURSIVE s (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM s WHERE i + 1 < {n})
            INSERT INTO message (id, text, source, label, score, model, sentiment)
            SELECT ? || i, ?, 'bulk', 'neutral', 0.0, 'm@1', '{{"label":"neutral","score":0.0,"model":"m@1"}}' FROM s""", prefix, text)

    def settled(self):
        """The ids of events that are to come, in their order: a row's newest entry, if the row is scored."""
        return [str(seq) for seq, in self.sql(f"""SELECT o.seq FROM {self.outbox} o JOIN {self.table} m ON m.id = o.id AND m.version = o.version
            WHERE m.label IS NOT NULL ORDER BY o.xid, o.seq""")]


class Postgres(Sqlite):
    name = "PostgreSQL"
    table, outbox, mark = "senti.message", "senti.outbox", "%s"

    def __init__(self):
        global made
        made += 1
        with psycopg.connect(PG, autocommit=True) as c:
            c.execute(f"CREATE DATABASE e{made}")
        self.url = PG.rsplit("/", 1)[0] + f"/e{made}"
        self.tool("migrate")

    def connect(self):
        return psycopg.connect(self.url, autocommit=True)

    def sql(self, text, *args):
        with self.connect() as c:
            cursor = c.execute(text, args or None)
            return cursor.fetchall() if cursor.description else []

    def many(self, prefix, n, text="x"):
        self.sql(f"""INSERT INTO senti.message (id, text, source, label, score, model, sentiment)
            SELECT %s || i, %s, 'bulk', 'neutral', 0.0, 'm@1', '{{"label":"neutral","score":0.0,"model":"m@1"}}' FROM generate_series(0, {n - 1}) i""",
                 prefix, text)


STORES = [Sqlite, Postgres]


def insert(store, c, key, label="positive", source="s", text="t"):
    result = json.dumps({"label": label, "score": 0.5, "model": "m@1"})
    c.execute(f"""INSERT INTO {store.table} (id, text, source, label, score, model, sentiment)
        VALUES ({", ".join([store.mark] * 7)})""", (key, text, source, label, 0.5, "m@1", result))


def serve(store, *args):
    return Server("--store", store.url, *args)


class Listener:
    """What one client is given, over as many connections as it takes: ids in their order."""

    def __init__(self, server, query="", last=None, receive=0, version="1.1", reading=True):
        self.server, self.query, self.last, self.receive, self.version = server, query, last, receive, version
        self.ids, self.records, self.beats, self.ended, self.places = [], [], 0, None, 0
        self.closed = False
        self.connect(reading)

    def connect(self, reading=True):
        self.ended = None
        self.socket = self.server.connect(receive=self.receive, timeout=120)
        more = f"Last-Event-ID: {self.last}\r\n" if self.last is not None else ""
        self.socket.sendall(f"GET /v1/events{self.query} HTTP/{self.version}\r\nHost: localhost\r\n{more}\r\n".encode())
        if reading:
            self.read()

    def read(self):
        self.thread = threading.Thread(target=self.run, args=(self.socket,), daemon=True)
        self.places = 0
        self.thread.start()

    def ready(self):
        wait(lambda: self.places or self.ended, "a stream")
        return self

    def run(self, s):
        record = event = new = None
        try:
            answer = http.client.HTTPResponse(s)
            answer.begin()
            assert answer.status == 200 and answer.headers["Content-Type"] == "text/event-stream", answer.status
            assert answer.headers["Cache-Control"] == "no-store"
            while line := answer.readline():
                if not line.endswith(b"\n"):
                    break
                field, _, value = line[:-1].decode().partition(": ")
                if not field:
                    if new is not None:
                        self.last = new
                    if record is not None:
                        assert event == "scored"
                        self.ids.append(new)
                        self.records.append(json.loads(record))
                    else:
                        self.places += new is not None
                    record = event = new = None
                elif field == ":":
                    self.beats += 1
                elif field == "id":
                    new = value
                elif field == "event":
                    event = value
                elif field == "data":
                    record = value
            self.ended = self.ended or "well"
        except (http.client.HTTPException, OSError, ValueError, AttributeError) as e:
            self.ended = self.ended or repr(e)
        except AssertionError as e:
            self.ended = "wrong " + repr(e)

    def cut(self):
        """As a network that fails."""
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.thread.join(30)
        assert not str(self.ended).startswith("wrong"), self.ended
        self.socket.close()

    def again(self):
        self.cut()
        self.connect()

    def has(self, n, seconds=60):
        wait(lambda: len(self.ids) >= n or self.ended, f"{n} events", seconds)
        assert len(self.ids) >= n, (len(self.ids), n, self.ended)


def same(got, wanted, who):
    if got == wanted:
        return
    twice = [i for i in set(got) if got.count(i) > 1] if len(got) < 20000 else []
    raise AssertionError(f"{who}: {len(got)} events, wanted {len(wanted)}; missing {[i for i in wanted if i not in set(got)][:10]}, "
                         f"twice {twice[:10]}, too many {[i for i in got if i not in set(wanted)][:10]}")


heart = None


@check
def heart_begins():
    """a stream with nothing to tell (looked at again at the end)"""
    global heart
    server = Server()
    heart = server, Listener(server).ready(), Listener(server, "?label=negative").ready()


def write(store, number, stop):
    """Transactions of one writer: some take long, some are given up."""
    own = random.Random(number)
    c = store.connect()
    for i in range(1000000):
        if stop.is_set():
            break
        c.execute("BEGIN IMMEDIATE" if store.mark == "?" else "BEGIN")
        for k in range(own.randrange(1, 4)):
            insert(store, c, f"w{number}-{i}-{k}", own.choice(["positive", "negative"]), own.choice("ab"))
        pause = own.choice([0, 0, 0.01, 0.3]) if store.mark != "?" else own.choice([0, 0.005])
        time.sleep(pause)
        c.execute("COMMIT" if own.randrange(10) else "ROLLBACK")
        time.sleep(0.005)
    c.close()


def once_in_order(store):
    with serve(store) as server:
        steady = Listener(server).ready()
        only = Listener(server, "?label=negative&source=a").ready()
        restless = [Listener(server, version="1.0" if i == 0 else "1.1").ready() for i in range(4)]
        stop = threading.Event()
        writers = [threading.Thread(target=write, args=(store, i, stop)) for i in range(8)]
        for w in writers:
            w.start()
        end = time.monotonic() + 6
        while time.monotonic() < end:
            time.sleep(rng.uniform(0, 0.2))
            rng.choice(restless).again()
        stop.set()
        for w in writers:
            w.join()
        wanted = store.settled()
        assert len(wanted) > 200, len(wanted)
        assert store.mark == "?" or wanted != sorted(wanted, key=int), "no transaction came late"
        for who, l in [("who stayed", steady), *[("who came back", r) for r in restless]]:
            wait(lambda: len(l.ids) >= len(wanted), f"{len(wanted)} events for {who}, {len(l.ids)} came, ended {l.ended}")
            same(l.ids, wanted, who)
        some = [r["version"] for r in steady.records if r["sentiment"]["label"] == "negative" and r["source"] == "a"]
        only.has(len(some))
        same(only.ids, [str(v) for v in some], "who filters")
        late = Listener(server, last="0")
        late.has(len(wanted))
        same(late.ids, wanted, "who reads all")


def any_place(store):
    with serve(store) as server:
        first = Listener(server).ready()
        filtered = Listener(server, "?source=rare").ready()
        for i in range(3):
            store.many(f"b{i}-", 2000)
        wanted = store.settled()
        first.has(6000)
        same(first.ids, wanted, "who was there")
        at = [0, 1, 5999, 5998, 6000 - RING - 1, 6000 - RING, 6000 - RING + 1, 3000]
        readers = [(i, Listener(server, last=wanted[i])) for i in at]
        # A place that never was is behind nothing.
        readers += [(-1, Listener(server, last="0")), (-1, Listener(server, last="999999999999"))]
        for i, l in readers:
            if i < 5999:
                l.has(5999 - i)
            l.ready()
        # More than the ring has gone by since a filter let anything through: its listener has missed nothing, and stays.
        with store.connect() as c:
            insert(store, c, "rare", source="rare")
        wanted = store.settled()
        filtered.has(1)
        assert filtered.records[0]["id"] == "rare" and not filtered.ended, filtered.ended
        for i, l in readers:
            l.has(6000 - i)
            same(l.ids, wanted[i + 1:], f"who names place {i}")
        store.tool("prune")
        assert store.settled() == []
        store.many("after-", 300)
        left = store.settled()
        gone = [Listener(server, last=wanted[i]) for i in (0, 3000, 6000)] + [Listener(server, last="0")]
        for l in gone:
            l.has(300)
        with store.connect() as c:
            insert(store, c, "last")
        left = store.settled()
        for l in [*gone, first]:
            wait(lambda: l.records and l.records[-1]["id"] == "last", "the last event")
        for l in gone:
            same(l.ids, left, "whose place was pruned")
        same(first.ids, wanted + left, "who stayed")


def by_hand(store):
    with serve(store) as server:
        l = Listener(server).ready()
        with store.connect() as c:
            insert(store, c, "sql")
            insert(store, c, "gone")
        l.has(2)
        with store.connect() as c:
            c.execute(f"UPDATE {store.table} SET label = 'negative' WHERE id = 'sql'")
        l.has(3)
        assert l.records[2]["id"] == "sql" and l.records[2]["sentiment"]["label"] == "negative", l.records[2]
        with store.connect() as c:
            c.execute(f"DELETE FROM {store.table} WHERE id = 'gone'")
        store.tool("put", data=b'{"id":"tool","text":"t","sentiment":{"label":"neutral","score":0,"model":"m@1"}}\n{"id":"plain","text":"t"}\n')
        l.has(4)
        status, _, body = server.post("/v1/messages", b'{"id":"http","text":"I love it"}')
        assert status == 202, (status, body)
        l.has(5)
        status, _, _ = server.ask("PATCH", "/v1/messages/http", b'{"label":"neutral"}', {"Content-Type": "application/json"})
        assert status == 200
        l.has(6)
        # What is not scored, and what is deleted, is no event.
        assert [r["id"] for r in l.records] == ["sql", "gone", "sql", "tool", "http", "http"], l.records
        same(l.ids, [str(r["version"]) for r in l.records], "ids")


def cache_follows(store):
    with serve(store) as server:
        def text():
            status, headers, body = server.ask("GET", "/v1/messages/c")
            return (json.loads(body)["text"], headers["cache-status"]) if status == 200 else (status, "")

        def change(to):
            wait(lambda: "hit" in text()[1] or text()[0] == 404, "a hit")
            store.sql(f"UPDATE {store.table} SET text = {store.mark} WHERE id = 'c'", to)
            wait(lambda: text()[0] == to, f"the change to {to}, {text()}")

        assert text()[0] == 404
        with store.connect() as c:
            insert(store, c, "c", text="one")
        wait(lambda: text()[0] == "one", "a row that was not there")
        change("two")
        if store.mark == "%s":
            other = psycopg.connect(store.url)
            insert(store, other, "long")
            change("three")
            # More is behind the open transaction than is looked at.
            store.many("behind-", 700)
            store.sql("UPDATE senti.message SET text = 'four' WHERE id = 'c'")
            wait(lambda: text()[0] == "four", f"the change behind many others, {text()}")
            assert server.ask("GET", "/readyz")[0] == 200
            other.rollback()
            other.close()
            change("five")
        store.sql(f"DELETE FROM {store.table} WHERE id = 'c'")
        wait(lambda: text()[0] == 404, "the deletion")


for function, what in [(once_in_order, "writers who commit late, clients who come back"),
                       (any_place, "places within and beyond the ring, pruned ones, and ones that never were"),
                       (by_hand, "changes by hand, by the tool and by HTTP"),
                       (cache_follows, "the process's own memory follows raw SQL")]:
    for kind in STORES:
        def one(function=function, kind=kind):
            function(kind())
        one.__name__ = f"{function.__name__}_{kind.__name__.lower()}"
        one.__doc__ = f"{what}, on {kind.name}"
        check(one)


@check
def slow_reader():
    """is dropped and not waited for; the others have all, and memory stays bounded"""
    store = Sqlite()
    store.many("past-", 3000, "x" * 3000)
    with serve(store) as server:
        good = Listener(server).ready()
        before = server.descriptors()
        slow = [Listener(server, receive=4096, reading=False) for _ in range(8)]
        behind = Listener(server, last="0", receive=4096, reading=False)
        wait(lambda: server.descriptors() >= before + 9, "their connections")
        memory = rss(server)
        for i in range(10):
            store.many(f"s{i}-", 1000, "x" * 3000)
            good.has(1000 * (i + 1))
        wanted = store.settled()
        same(good.ids, wanted[3000:], "who reads")
        wait(lambda: server.said().count("too slow") >= 8, "eight were dropped")
        # A sanitizer's own memory is another matter.
        assert rss(server) - memory < 64 << 20 or {"TSAN_OPTIONS", "ASAN_OPTIONS"} & os.environ.keys(), (memory, rss(server))
        for l in slow:
            l.read()
            l.thread.join(30)
            assert l.ended and l.ended != "well" and 0 < len(l.ids) < 10000, (l.ended, len(l.ids))
        # What is read behind one's pace is asked for page by page, so it never comes too late.
        behind.read()
        behind.has(13000)
        same(behind.ids, wanted, "who reads late from a place of its own")
        wait(lambda: server.descriptors() <= before + 1, "their connections' end")
        server.alive()


def rss(server):
    with open(f"/proc/{server.pid}/statm") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@check
def catching_up_holds_up_nobody():
    """who reads the whole past does not delay those who listen"""
    store = Sqlite()
    for i in range(30):
        store.many(f"p{i}-", 2000)
    with serve(store) as server:
        past = [Listener(server, last="0") for _ in range(3)]
        now = Listener(server).ready()
        with store.connect() as c:
            insert(store, c, "now")
        now.has(1)
        assert now.records[0]["id"] == "now"
        assert min(len(l.ids) for l in past) < 60000, "the past was over too soon to tell"
        for l in past:
            l.has(60001, 90)
        same(past[0].ids, store.settled(), "who reads the past")


@check
def the_end():
    """SIGTERM ends all streams at once, also those that nobody reads"""
    store = Sqlite()
    server = serve(store, "--drain", "60")
    before = server.descriptors()
    good = [Listener(server).ready() for _ in range(20)]
    stuck = [Listener(server, receive=4096, reading=False) for _ in range(3)]
    late = Listener(server, last="0", receive=4096, reading=False)
    wait(lambda: server.descriptors() >= before + 24, "connections")
    store.many("e-", 2500, "x" * 3000)
    for l in good:
        l.has(2500)
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(30) == 0, server.said()
    for l in good:
        l.thread.join(10)
        assert l.ended == "well" and len(l.ids) == 2500, l.ended
    for l in [*stuck, late]:
        l.socket.close()
    server.stop()


@check
def what_is_asked_wrongly():
    """is told: ids and labels that are none; HEAD has no body"""
    with Server() as server:
        for path, headers in [("/v1/events?label=happy", {}), ("/v1/events", {"Last-Event-ID": "x"}), ("/v1/events", {"Last-Event-ID": "-1"}),
                              ("/v1/events?last-event-id=1.5", {})]:
            status, _, body = server.ask("GET", path, None, headers)
            assert status == 400 and b"urn:senti:problem:" in body, (path, status, body)
        status, headers, body = server.ask("HEAD", "/v1/events")
        assert status == 200 and headers["content-type"] == "text/event-stream" and not body
        before = server.descriptors()
        for _ in range(50):
            l = Listener(server, last="0", reading=False)
            l.socket.close()
        wait(lambda: server.descriptors() <= before + 1, "the connections' end")


@check
def store_away():
    """PostgreSQL is killed and comes back: clients stay connected and miss nothing"""
    store = Postgres()
    with serve(store) as server:
        l = Listener(server).ready()
        store.many("before-", 500)
        l.has(500)
        kept = server.ask("GET", "/v1/messages/before-1")
        assert kept[0] == 200, kept
        subprocess.run([SERVICES, "kill", "postgresql", DIR], check=True, timeout=60, stdout=subprocess.DEVNULL)
        catching = Listener(server, last="0")
        wait(lambda: "cannot follow" in server.said(), "a word of it")
        # Nothing of the past can be told now; the streams are open.
        assert not l.ended and not catching.ended
        subprocess.run([SERVICES, "again", "postgresql", DIR], check=True, timeout=120, stdout=subprocess.DEVNULL)
        with store.connect() as c:
            insert(store, c, "after")
        l.has(501)
        catching.has(501)
        wanted = store.settled()
        same(l.ids, wanted, "who stayed")
        same(catching.ids, wanted, "who came while it was away")


@check
def end_while_store_away():
    """SIGTERM ends streams and the process while PostgreSQL is away"""
    store = Postgres()
    server = serve(store, "--drain", "60")
    l = Listener(server).ready()
    behind = Listener(server, last="5").ready()
    subprocess.run([SERVICES, "kill", "postgresql", DIR], check=True, timeout=60, stdout=subprocess.DEVNULL)
    try:
        status, _, body = server.post("/v1/messages", b'{"id":"x","text":"t"}')
        assert status == 503, (status, body)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(30) == 0, server.said()
        l.thread.join(10)
        behind.thread.join(10)
        assert l.ended == "well" == behind.ended, (l.ended, behind.ended)
    finally:
        subprocess.run([SERVICES, "again", "postgresql", DIR], check=True, timeout=120, stdout=subprocess.DEVNULL)
    server.stop()


@check
def heart_has_beaten():
    """a stream with nothing to tell beats"""
    server, *both = heart
    for l in both:
        wait(lambda: l.beats or l.ended, "a heartbeat")
        assert l.beats and not l.ended and not l.ids, (l.beats, l.ended)
    server.stop()


run()
