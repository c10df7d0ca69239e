"""POST /v1/messages of senti-serve: messages of many callers are stored together, each caller gets its own part of the answer, and what waits is
bounded; with workers behind a RabbitMQ the results reach those who wait for them."""
# servers: rabbitmq
# seconds: 25
import concurrent.futures
import http.client
import json
import os
import random
import re
import socket
import sqlite3
import struct
import subprocess
import threading
import time

from serve_raw import AMQP, DIR, Server, new_path, wait
from tap import check, run

JSON, LINES = "application/json", "application/x-ndjson"
HUGE = json.dumps({"text": "x" * (1 << 20)})
queues = 0


class Batching(Server):
    def __init__(self, *args, queue=None):
        self.db = new_path("batch.db")
        self.queue = queue
        super().__init__("--store", "sqlite:" + self.db, *(["--queue", f"amqp:{queue}"] if queue else []), *args,
                         env={"SENTI_AMQP": AMQP})

    def figures(self):
        return {k: float(v) for k, v in re.findall(r"^([a-z].*) (\S+)$", self.ask("GET", "/metrics")[2].decode(), re.M)}

    def rows(self):
        c = sqlite3.connect(self.db, timeout=60)
        try:
            return dict(c.execute("SELECT id, text FROM message"))
        finally:
            c.close()

    def send(self, body, kind=JSON, timeout=60, **headers):
        """status, headers, answers: a list for what has several."""
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            c.request("POST", "/v1/messages", body, {"Content-Type": kind, **{k.replace("_", "-"): v for k, v in headers.items()}})
            a = c.getresponse()
            text = a.read()
            some = [json.loads(line) for line in text.splitlines()] if a.headers.get_content_type() == LINES else json.loads(text)
            return a.status, a.headers, some
        finally:
            c.close()


def together(n, f):
    """f(0), ..., f(n-1) at the same time: the results."""
    with concurrent.futures.ThreadPoolExecutor(n) as pool:
        return list(pool.map(f, range(n)))


class Locked:
    """Nobody else writes meanwhile."""

    def __init__(self, server):
        self.connection = sqlite3.connect(server.db, timeout=60, isolation_level=None)

    def __enter__(self):
        self.connection.execute("BEGIN IMMEDIATE")
        return self

    def release(self):
        if self.connection:
            self.connection.execute("COMMIT")
            self.connection.close()
        self.connection = None

    def __exit__(self, *_):
        self.release()


def slow(server, work):
    """Each insert takes a while."""
    c = sqlite3.connect(server.db, timeout=60)
    c.execute(f"""CREATE TRIGGER slow BEFORE INSERT ON message BEGIN SELECT (WITH RECURSIVE s (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s
        WHERE i < {work}) SELECT sum(i) FROM s); END""")
    c.commit()
    c.close()


def record(key, text="I love it"):
    return json.dumps({"id": key, "text": text})


@check
def few_transactions():
    """64 connections that post one by one share transactions"""
    with Batching() as server:
        def client(i):
            c = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
            for k in range(40):
                c.request("POST", "/v1/messages", record(f"c{i}-{k}"), {"Content-Type": JSON})
                a = c.getresponse()
                body = json.loads(a.read())
                assert (a.status, body) == (202, {"id": f"c{i}-{k}"}) and a.headers["Location"] == f"/v1/messages/c{i}-{k}", (a.status, body)
            c.close()

        slow(server, 200)  # a commit takes a while on a disk
        together(64, client)
        f = server.figures()
        assert f["senti_batch_size_sum"] == 64 * 40 and f["senti_queue_unacked"] == 0, f
        assert f["senti_batch_size_count"] * 4 <= 64 * 40, f["senti_batch_size_count"]
        assert len(server.rows()) == 64 * 40
        return f'{int(f["senti_batch_size_count"])} transactions for {64 * 40} requests'


@check
def batch_and_wait():
    """close a batch at --batch records, or --wait after the first"""
    with Batching("-b", "10", "-w", "600000") as server:
        assert {a[0] for a in together(10, lambda i: server.send(record(f"f{i}")))} == {202}
        f = server.figures()
        assert f['senti_batch_flush_total{reason="full"}'] == 1 == f["senti_batch_size_count"], f
        status, _, some = server.send(f'[{",".join(record(f"g{i}") for i in range(20))}]')
        assert status == 202 and [a["id"] for a in some] == [f"g{i}" for i in range(20)]
        assert server.figures()['senti_batch_flush_total{reason="full"}'] == 3
    with Batching("-b", "1000", "-w", "400") as server:
        assert {a[0] for a in together(7, lambda i: server.send(record(f"t{i}")))} == {202}
        f = server.figures()
        assert f['senti_batch_flush_total{reason="time"}'] >= 1 and f["senti_batch_size_count"] < 7, f
    # What waits for more when the server ends is stored and answered.
    with Batching("-b", "1000", "-w", "2000", "--drain", "60") as server:
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            one = pool.submit(server.send, record("end"))
            wait(lambda: server.figures()["senti_queue_unacked"] == 1, "the record")
            server.stop()
            assert one.result()[0] == 202
        assert "end" in server.rows()


def items_of(own, who):
    """Records and what each is to be answered."""
    some, wanted = [], []
    for k in range(own.randrange(1, 30)):
        kind = own.randrange(8)
        if kind == 0:
            some.append('{"id":"x","no":"text"}')
            wanted.append("no_text")
        elif kind == 1:
            some.append("[7]")
            wanted.append("not_object")
        elif kind == 2 and own.randrange(4) == 0:
            some.append(HUGE)
            wanted.append("too_long")
        elif kind == 3:
            some.append('{"text":"without an id"}')
            wanted.append(None)
        else:
            some.append(record(f"{who}-{k}", f"text {k} of {who}"))
            wanted.append({"id": f"{who}-{k}"})
    return some, wanted


def fits(got, wanted):
    if wanted is None:
        return list(got) == ["id"] and len(got["id"]) == 36
    if isinstance(wanted, str):
        return got["error"]["code"] == wanted and got["error"]["message"]
    return got == wanted


@check
def each_his_own_part():
    """of arrays, single records and uploads that arrive mixed, errors in their places"""
    with Batching("-b", "37", "-w", "5", "--max-record", "100K") as server:
        stored = {}

        def client(i):
            own = random.Random(i)
            for k in range(15):
                some, wanted = items_of(own, f"m{i}-{k}")
                stored.update({w["id"]: 1 for w in wanted if isinstance(w, dict)})
                form = own.randrange(3)
                if form == 0:
                    status, _, got = server.send("[" + ",\n".join(some) + "]")
                elif form == 1:
                    body = "\n".join(some).encode()
                    cut = own.randrange(1, 5000)
                    status, headers, got = server.send(iter([body[at:at + cut] for at in range(0, len(body), cut)]), LINES)
                else:
                    for s, w in zip(some, wanted):
                        status, _, got = server.send(s)
                        if isinstance(w, str):
                            # An array of something else is an array.
                            assert (status == 202 and fits(got[0], w)) if s == "[7]" else \
                                status == (413 if w == "too_long" else 422) and got["type"] == f"urn:senti:problem:{w}", (status, got)
                        else:
                            assert status == 202 and fits(got, w), (status, got)
                    continue
                assert status == 202 and len(got) == len(wanted), (status, len(got), len(wanted))
                for g, w in zip(got, wanted):
                    assert fits(g, w), (g, w)

        together(16, client)
        rows = server.rows()
        assert not [i for i in stored if i not in rows]


@check
def the_same_id_twice():
    """in one batch: the last one stays, for the store, the cache and who reads"""
    with Batching("-b", "4", "-w", "600000") as server:
        answers = together(4, lambda i: server.send(record("same", f"text {i}"), Prefer="wait=5"))
        assert {a[0] for a in answers} == {200} and {a[2]["id"] for a in answers} == {"same"}, answers
        kept = server.rows()["same"]
        _, _, body = server.ask("GET", "/v1/messages/same")
        assert json.loads(body)["text"] == kept, (kept, body)
        status, _, some = server.send(f'[{record("two", "a")},{record("two", "b")},{record("other")},{record("third")}]')
        assert status == 202 and [a["id"] for a in some] == ["two", "two", "other", "third"]
        _, _, body = server.ask("GET", "/v1/messages/two")
        assert json.loads(body)["text"] == "b" == server.rows()["two"], body


def leave(s):
    """By a reset, as a process that dies with unread bytes."""
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


@check
def callers_who_leave():
    """in mid-upload, or while they wait: what was handed in is stored, and nobody else is hurt"""
    with Batching("-b", "1000", "-w", "300") as server:
        head = b"POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: " + LINES.encode()
        for i in range(20):
            s = server.connect()
            s.sendall(head + b"\r\nTransfer-Encoding: chunked\r\n\r\n")
            line = record(f"left-{i}").encode() + b"\n"
            s.sendall(b"%x\r\n%s\r\n" % (len(line), line))
            wait(lambda: server.figures()["senti_queue_unacked"] + server.figures()["senti_batch_size_sum"] > i, "the line")
            leave(s)
            s = server.connect()
            body = record(f"gone-{i}").encode()
            s.sendall(b"POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            leave(s) if i % 2 else s.close()
        wait(lambda: server.figures()["senti_queue_unacked"] == 0 and
             all(f"left-{i}" in server.rows() for i in range(20)), "the lines")
        server.alive()


def paused(server, headers, rows=12000):
    """An upload with a slow store: never more under way than its share, and all of it answered in order."""
    most = [0, 0]
    over = threading.Event()

    def look():
        while not over.is_set():
            f = server.figures()
            most[0] = max(most[0], f["senti_queue_unacked"])
            time.sleep(0.01)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        body = "".join(record(f"p{i}", "I love it " * 20) + "\n" for i in range(rows)).encode()
        return *server.send(body, LINES, timeout=120, **headers), most[0]
    finally:
        over.set()
        watcher.join()


@check
def uploads_are_paused():
    """while the store is slow, and everything else is served"""
    with Batching() as server:
        slow(server, 300)
        for headers in ({}, {"Prefer": "wait=60"}):
            status, got_headers, some, most = paused(server, headers)
            assert status == (200 if headers else 202) and [a["id"] for a in some] == [f"p{i}" for i in range(12000)], (status, len(some))
            assert 1000 < most <= 4400, most
        assert all(a["sentiment"]["label"] == "positive" for a in some)


@check
def too_much_waits():
    """--max-waiting answers 503 while the store is busy; what was taken is kept"""
    with Batching("--max-waiting", "10") as server:
        status, headers, body = server.send("[" + ",".join(record(f"x{i}") for i in range(11)) + "]")
        assert status == 503 and headers["Retry-After"] and body["type"] == "urn:senti:problem:busy", (status, body)
        assert not server.rows()
        with concurrent.futures.ThreadPoolExecutor(30) as pool:
            with Locked(server) as lock:
                asked = [pool.submit(server.send, record(f"y{i}")) for i in range(30)]
                wait(lambda: sum(a.done() for a in asked) >= 5, "refusals")
                refused = [a.result() for a in asked if a.done()]
                assert {(a[0], a[2]["type"]) for a in refused} == {(503, "urn:senti:problem:busy")}, refused
                assert server.ask("GET", "/v1/messages/nobody")[0] == 404
                server.alive()
                lock.release()
                taken = [i for i, a in enumerate(asked) if a.result()[0] == 202]
        rows = server.rows()
        assert 10 <= len(taken) <= 25 and set(rows) == {f"y{i}" for i in taken}, (len(taken), sorted(rows))


def worker(server, command="senti-score | senti-store put"):
    return subprocess.Popen(["senti-worker", "-q", server.queue, "-b", "10", "--", "sh", "-c", command], stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=DIR,
                            env={**os.environ, "SENTI_AMQP": AMQP, "SENTI_STORE": "sqlite:" + server.db})


class Queued:
    """A server whose messages go through a queue of its own to one worker."""

    def __init__(self, *args, working=True):
        global queues
        queues += 1
        self.server = Batching(*args, queue=f"serve{queues}")
        self.worker = worker(self.server) if working else None

    def __enter__(self):
        return self.server

    def __exit__(self, kind, *_):
        if self.worker:
            self.worker.terminate()
            self.worker.wait(60)
        self.server.__exit__(kind, *_)


@check
def workers_results():
    """reach who waits for them: one, several with errors in their places, an upload"""
    with Queued() as server:
        status, headers, got = server.send(record("one"), Prefer="wait=30")
        assert status == 200 and headers["Preference-Applied"].startswith("wait") and headers["Location"] == "/v1/messages/one", (status, got)
        assert got["sentiment"]["label"] == "positive" and got["version"], got
        assert json.loads(server.ask("GET", "/v1/messages/one")[2]) == got
        status, _, got = server.send(f'[{record("a")},{{"no":1}},{record("b", "I hate it")}]', Prefer="respond-async, wait=30")
        assert status == 200 and [i.get("id") for i in got] == ["a", None, "b"], (status, got)
        assert got[1]["error"]["code"] == "no_text" and got[2]["sentiment"]["label"] == "negative", got
        status, _, got = server.send("".join(record(f"u{i}") + "\n" for i in range(9000)), LINES, Prefer="wait=60")
        assert status == 200 and [i["id"] for i in got] == [f"u{i}" for i in range(9000)], (status, len(got))
        assert all(i["sentiment"] for i in got)
        # Many who wait, on one path.
        answers = together(48, lambda i: [server.send(record(f"w{i}-{k}"), Prefer="wait=30") for k in range(5)])
        assert {(a[0], a[2]["id"]) for some in answers for a in some} == {(200, f"w{i}-{k}") for i in range(48) for k in range(5)}


@check
def submitted_again():
    """the same id with the same text is answered by what is there; with another text by what comes"""
    with Queued() as server:
        _, _, first = server.send(record("id"), Prefer="wait=30")
        status, _, again = server.send(record("id"), Prefer="wait=30")
        assert status == 200 and again == first, (again, first)
        status, _, other = server.send(record("id", "I hate it"), Prefer="wait=30")
        assert status == 200 and other["text"] == "I hate it" and other["sentiment"]["label"] == "negative" and other["version"] > first["version"]
        # A row that is stored before anyone waits for it.
        subprocess.run("senti-score | senti-store put", shell=True, input=record("early").encode() + b"\n", check=True, timeout=60, cwd=DIR,
                       stdout=subprocess.DEVNULL, env={**os.environ, "SENTI_STORE": "sqlite:" + server.db})
        status, _, early = server.send(record("early"), Prefer="wait=30")
        assert status == 200 and early["sentiment"]["label"] == "positive", early


@check
def time_over():
    """nobody scores in time: 202, and the ids; without wait at once; SIGTERM answers who waits"""
    with Queued("--drain", "60", working=False) as server:
        status, headers, got = server.send(record("t"), Prefer="wait=1")
        assert status == 202 and got == {"id": "t"} and "wait" not in headers.get("Preference-Applied", ""), (status, got)
        status, _, got = server.send(record("t2"), Prefer="respond-async")
        assert status == 202 and got == {"id": "t2"}, (status, got)
        status, _, got = server.send(record("t3"))
        assert status == 202 and got == {"id": "t3"}
        body = json.loads(server.ask("GET", "/v1/messages/t")[2])
        assert body["text"] == "I love it" and not body.get("sentiment"), body
        s = server.connect()
        s.sendall(b"POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nPrefer: wait=60\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{\"text\":\"a\"}")
        leave(s)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            one = pool.submit(server.send, record("waits"), Prefer="wait=60")
            wait(lambda: server.ask("GET", "/v1/messages/waits")[0] == 200, "the message")
            server.stop()
            assert one.result()[0] == 202, one.result()


@check
def unresolved_results_pause_an_upload():
    """of which no more is held than its share while workers are away"""
    with Queued(working=False) as server:
        body = "".join(record(f"h{i}") + "\n" for i in range(12000)).encode()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            upload = pool.submit(server.send, body, LINES, 120, Prefer="wait=60")
            wait(lambda: server.figures()["senti_batch_size_sum"] >= 4000, "the first of them")
            before = time.monotonic()
            while time.monotonic() < before + 1:
                assert server.figures()["senti_batch_size_sum"] < 6000
                time.sleep(0.1)
            late = worker(server)
            status, _, got = upload.result()
            late.terminate()
            late.wait(60)
        assert status == 200 and [i["id"] for i in got] == [f"h{i}" for i in range(12000)] and all(i["sentiment"] for i in got), (status, len(got))


run()
