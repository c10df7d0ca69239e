"""senti-serve when others are in charge: a Redis whose primary has moved, loads, stands still, or knows which tickets are used; a broker that
takes nothing, or nothing so long; a PostgreSQL that is a replica."""
# needs: redis rabbitmq postgresql
# packages: pika psycopg
# seconds: 50
import base64
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

from account import Running, left, lines, service, tool, wait_until
from serve_help import Server, ask, connect, free_port
from tap import check, run

DIR = sys.argv[1]
PATIENCE = 0.25  # what a cache that does not answer costs one request, in seconds
ROOM = 0.75  # for a loaded machine


def folder(name):
    path = os.path.join(DIR, name)
    os.mkdir(path)
    return path


# ---- Redis ----

class Redis:
    def __init__(self, name):
        self.dir = folder(name)
        self.url = service("start", "redis", self.dir).split("'")[1]
        self.port = int(self.url.rsplit(":", 1)[1])

    def ctl(self, *args):
        return service("ctl", "redis", self.dir, *args).rstrip("\n")

    def pid(self):
        with open(os.path.join(self.dir, "pids", "redis")) as f:
            return int(f.read().split()[0])

    def stands_still(self):
        return Frozen(self.pid())


class Frozen:
    def __init__(self, pid):
        self.pid = pid

    def __enter__(self):
        os.kill(self.pid, signal.SIGSTOP)

    def __exit__(self, *_):
        os.kill(self.pid, signal.SIGCONT)


class Name:
    """An address that leads new connections to where it points now; those that are open stay where they are."""

    def __init__(self, port):
        self.to, self.made = port, []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self.socket.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            c, _ = self.socket.accept()
            self.made.append(self.to)
            there = socket.create_connection(("127.0.0.1", self.to))
            for a, b in ((c, there), (there, c)):
                threading.Thread(target=self.pass_on, args=(a, b), daemon=True).start()

    @staticmethod
    def pass_on(a, b):
        try:
            while data := a.recv(65536):
                b.sendall(data)
        except OSError:
            pass
        for s in a, b:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def label(server, i):
    answer = ask(server.url, f"/v1/messages/{i}")
    assert answer.status == 200, answer.body
    return answer.json()["sentiment"]["label"]


def cached(redis, i):
    """The record that readers of this Redis may be shown; empty if there is none."""
    return redis.ctl("get", f"senti:m:{i}").partition(" ")[2]


@check
def primary_moved():
    "the primary moves while the old one lives on as its replica: no reader gets an old row, and changes are invalidated in the new one"
    old, new = Redis("old"), Redis("new")
    new.ctl("replicaof", "127.0.0.1", str(old.port))
    wait_until(lambda: "master_link_status:up" in new.ctl("info", "replication"), what="the replica does not follow")
    name = Name(old.port)
    path = folder("moved")
    server = Server(path, "--store", "sqlite:s.db", "--cache", name.url)
    follower = Running(path, "senti-cache", "follow", "--reader", "f", "--cache", name.url, "--store", "sqlite:s.db")
    for i in "ab":
        assert ask(server.url, "/v1/messages", {"id": i, "text": "I love it"}, headers={"Prefer": "wait=5"}).status == 200
        wait_until(lambda: label(server, i) == "positive" and cached(old, i) and cached(new, i), what="it is not in both")
    new.ctl("replicaof", "no", "one")
    old.ctl("replicaof", "127.0.0.1", str(new.port))
    name.to = new.port
    assert ask(server.url, "/v1/messages/a", {"label": "negative"}, method="PATCH").status == 200
    assert [label(server, "a") for _ in range(20)] == ["negative"] * 20
    assert new.port in name.made, name.made
    # Of another process, which both followers see; no reader finds the record of before the move in the new primary either.
    tool("senti-store", "correct", "--store", f"sqlite:{path}/s.db", "b", "neutral")
    wait_until(lambda: not cached(new, "b") or '"neutral"' in cached(new, "b"), what="the new primary keeps the old record")
    wait_until(lambda: label(server, "b") == "neutral", what="the correction is not shown")
    follower.process.terminate()
    follower.ends()
    server.ends()


@check
def still_loading():
    "a server that refuses to read for now (LOADING), or for ever (CLUSTERDOWN, MASTERDOWN), is left: nothing waits for it, no request fails"
    for word in "LOADING", "MASTERDOWN", "CLUSTERDOWN":
        greeted = []

        def answers(c):
            while data := c.recv(65536):
                # TIME and INFO work while it loads.
                for command in data.decode().split("*")[1:]:
                    if "TIME" in command:
                        c.sendall(b"*2\r\n$10\r\n1700000000\r\n$1\r\n1\r\n")
                    elif "INFO" in command:
                        greeted.append(word)
                        c.sendall(b"$21\r\nrole:master\nrun_id:ab\r\n")
                    else:
                        c.sendall(f"-{word} not now\r\n".encode())

        listener = socket.create_server(("127.0.0.1", 0))

        def accept():
            while True:
                threading.Thread(target=answers, args=(listener.accept()[0],), daemon=True).start()
        threading.Thread(target=accept, daemon=True).start()
        out, err = tool("senti-cache", "put", "--summary", "--cache", f"redis://127.0.0.1:{listener.getsockname()[1]}",
                        data=b'{"id":"1","text":"x","version":3}\n')
        assert json.loads(err.splitlines()[-1])["skipped"] == 1 and word in err and err.count("warning") == 1, err
        assert greeted, "it was not asked"


@check
def frozen_redis():
    "a Redis that stands still costs one request 250 ms, and the next ones nothing; what changed meanwhile is not shown when it goes on"
    redis = Redis("frozen")
    server = Server(folder("stands"), "--store", "sqlite:s.db", "--cache", redis.url)
    for i in "cd":
        assert ask(server.url, "/v1/messages", {"id": i, "text": "I love it"}, headers={"Prefer": "wait=5"}).status == 200
        wait_until(lambda: label(server, i) == "positive" and cached(redis, i), what="Redis lacks it")

    def seconds(path="/v1/messages/c", **kw):
        begun = time.monotonic()
        answer = ask(server.url, path, **kw)
        assert answer.status in (200, 202), answer.body
        return time.monotonic() - begun
    with redis.stands_still():
        first = max(seconds() for _ in range(3))
        assert first < PATIENCE + ROOM, first
        wait_until(lambda: server.checks()["cache"] == "failing", what="nobody notices")
        some = sorted([seconds() for _ in range(50)] + [seconds("/v1/messages", body={"id": f"e{i}", "text": "x"}) for i in range(20)]
                      + [seconds("/v1/messages/d", body={"label": "negative"}, method="PATCH")])
        assert some[len(some) // 2] < PATIENCE / 5 and some[-1] < PATIENCE + ROOM, some[-5:]
    assert [label(server, "d") for _ in range(50)] == ["negative"] * 50
    wait_until(lambda: server.checks()["cache"] == "ok", what="nobody notices that it is back")
    assert [label(server, "d") for _ in range(50)] == ["negative"] * 50
    wait_until(lambda: "hit" in ask(server.url, "/v1/messages/d").headers["Cache-Status"], what="Redis is not used again")
    assert label(server, "d") == "negative"
    server.ends()


@check
def timeout_in_the_address():
    "the address of a Redis sets how long a call may take"
    redis = Redis("timeout")
    with redis.stands_still():
        for given, least, most in (("?timeout=300", 0.25, 2.5), ("/0?timeout=100", 0.08, 2.3)):
            begun = time.monotonic()
            out, err = tool("senti-cache", "get", "--summary", "--cache", redis.url + given, data=b'{"text":"x"}\n')
            took = time.monotonic() - begun
            assert json.loads(err.splitlines()[-1])["skipped"] == 1 and "no answer in time" in err and least < took < most, (took, err)
    for bad in "?timeout=0", "?timeout=fast", "?timeout=700000", "?other=1":
        tool("senti-cache", "get", "--cache", redis.url + bad, data=b"", status=2)


# ---- tickets ----

def opened(server, ticket):
    """The stream that the ticket opens, once it has begun; or the problem's kind, where it opens none."""
    c = connect(server.url)
    c.request("GET", f"/v1/events?ticket={ticket}")
    answer = c.getresponse()
    if answer.status == 200:
        assert answer.readline().startswith(b"retry: "), "it begins otherwise"
        return c, answer
    problem = json.loads(answer.read())
    assert answer.status == (401 if problem["type"].endswith(":bad_ticket") else 503), problem
    assert answer.status == 401 or answer.headers["Retry-After"], answer.headers
    c.close()
    return problem["type"].rsplit(":", 1)[1]


def refused(server, ticket):
    """It opens nothing. A loaded machine's Redis may first be too slow, which is another refusal."""
    def used():
        got = opened(server, ticket)
        assert got in ("bad_ticket", "cache_unavailable"), got
        return got == "bad_ticket"
    wait_until(used, what="it is not refused as used")


@check
def tickets():
    "a ticket opens one stream at one of two servers that share a Redis, whoever is faster; none while that is away; and it ends with its token"
    path, redis = folder("tickets"), Redis("tickets-redis")
    made = subprocess.run(["senti-serve", "--new-token", "page:read"], capture_output=True, text=True, check=True, timeout=60)
    with open(os.path.join(path, "tokens"), "w") as f:
        f.write(made.stdout)
    with open(os.path.join(path, "others"), "w") as f:
        f.write(subprocess.run(["senti-serve", "--new-token", "other:read"], capture_output=True, text=True, check=True, timeout=60).stdout)
    a, b = (Server(path, "--store", "sqlite:s.db", "--cache", redis.url, "--tokens", "tokens", "--access-log") for _ in range(2))

    def ticket():
        answer = ask(a.url, "/v1/tickets", method="POST", headers={"Authorization": f"Bearer {made.stderr.strip()}"})
        assert answer.status == 201, answer.body
        return answer.json()["ticket"]

    def open_one(server):
        tried = []

        def opens():
            one = ticket()
            tried.append((opened(server, one), one))
            return isinstance(tried[-1][0], tuple)
        wait_until(opens, what="no ticket opens a stream")
        return tried[-1]

    stream, first = open_one(b)
    for server in a, b, a:
        refused(server, first)
    times = 0
    for _ in range(20):  # both at once
        each, got = ticket(), []
        threads = [threading.Thread(target=lambda s=s: got.append(opened(s, each))) for s in (a, b)]
        for t in threads:
            t.start()
        for t in threads:
            t.join(30)
        streams = [g for g in got if isinstance(g, tuple)]
        assert len(got) == 2 and len(streams) < 2 and all(g in ("bad_ticket", "cache_unavailable") for g in got if g not in streams), got
        times += len(streams)
        for c, _ in streams:
            c.close()
    assert times > 0, "the one that comes first is refused too"
    a.kill()
    a.start()
    refused(a, first)  # which this process has never seen
    doubtful = ticket()
    with redis.stands_still():
        assert opened(a, doubtful) == "cache_unavailable"
    open_one(a)  # once Redis is back
    refused(a, doubtful)
    os.rename(os.path.join(path, "others"), os.path.join(path, "tokens"))
    unused = ticket()
    os.kill(b.running.process.pid, signal.SIGHUP)
    while stream[1].readline():  # to its end
        pass
    refused(b, unused)
    for server in a, b:
        server.ends()
        assert "ticket_" not in server.running.said(), "a ticket is in the log"


# ---- the broker ----

LIMIT = 4000
BROKER = os.path.join(DIR, "broker")


def start_broker():
    if os.path.isdir(BROKER):
        return
    os.mkdir(BROKER)
    os.chmod(BROKER, 0o755)
    with open(os.path.join(BROKER, "rabbitmq.conf"), "w") as f:
        f.write(f"max_message_size = {LIMIT}\n")
    os.environ["SENTI_AMQP"] = service("start", "rabbitmq", BROKER).split("'")[1]


def broker(*args):
    return service("ctl", "rabbitmq", BROKER, *args)


def post(server, i, text="I love it", **headers):
    begun = time.monotonic()
    answer = ask(server.url, "/v1/messages", {"id": i, "text": text}, headers=headers, timeout=60)
    return answer, time.monotonic() - begun


@check
def too_long_for_the_broker():
    "a message over the broker's limit is 413, and a reject of a filter; those beside it go through, singly and packed"
    start_broker()
    server = Server(folder("long"), "--store", "sqlite:s.db", "--queue", "long")
    assert post(server, "1")[0].status == 202
    for i in range(3):
        answer, took = post(server, "2", "x" * LIMIT)
        assert answer.status == 413 and answer.json()["type"].endswith(":too_long") and took < 5, (answer.body, took)
    records = [{"id": f"r{i}", "text": "x" * (LIMIT if i % 3 == 1 else 10)} for i in range(9)]
    answer = ask(server.url, "/v1/messages", records)
    got = answer.json()
    assert answer.status == 202 and [g.get("id", g.get("error", {}).get("code")) for g in got] == \
        ["too_long" if i % 3 == 1 else f"r{i}" for i in range(9)], got
    wait_until(lambda: left("long") == 7, what="they are not all in the queue")
    server.ends()
    for queue, pack in ("single", ()), ("packed", ("--pack", "100")):
        data = lines(records + [{"id": f"s{i}", "text": "y" * 500} for i in range(30)])
        _, err = tool("senti-score", "-o", f"amqp:{queue}", "--summary", *pack, data=data, status=1)
        told = [json.loads(line) for line in err.splitlines() if line.startswith("{")]
        assert [t["error"]["code"] for t in told[:-1]] == ["too_long"] * 3, err
        assert [json.loads(base64.b64decode(t["input_base64"]))["id"] for t in told[:-1]] == ["r1", "r4", "r7"], err
        assert told[-1]["in"] == 39 and told[-1]["out"] == 36 and told[-1]["rejected"] == 3, err
        out, _ = tool("senti-score", "-i", f"amqp:{queue}", "--idle", "1000")
        # What went before the long one in its batch is sent again with the rest.
        there = {json.loads(line)["id"] for line in out.splitlines()}
        assert there == {r["id"] for r in records if len(r["text"]) == 10} | {f"s{i}" for i in range(30)}, there


@check
def full_queue():
    "a full queue is told within a second: 503 with Retry-After; with room it goes on"
    start_broker()
    server = Server(folder("full"), "--store", "sqlite:s.db", "--queue", "full")
    assert post(server, "1")[0].status == 202
    broker("set_policy", "full", "^full$", '{"max-length":2,"overflow":"reject-publish"}', "--apply-to", "queues")

    def refused():
        answer, took = post(server, "x", Prefer="wait=2")
        assert answer.status in (200, 202, 503), answer.body
        return took if answer.status == 503 and answer.headers["Retry-After"] else None
    wait_until(refused, what="it is never full")
    took = [t for t in (refused() for _ in range(5)) if t]
    assert took and max(took) < 2 + ROOM, took
    broker("clear_policy", "full")
    wait_until(lambda: post(server, "2")[0].status == 202, what="it does not go on")
    server.ends()


@check
def blocked_broker():
    "a broker that is short of memory is told at once, in /readyz too: 503 with Retry-After; then it goes on, with what was promised"
    start_broker()
    server = Server(folder("blocked"), "--store", "sqlite:s.db", "--queue", "blocked")
    assert post(server, "0")[0].status == 202
    broker("set_vm_memory_high_watermark", "0.000001")
    try:
        # Until the alarm has reached the broker's connections, messages still go through.
        answers = []

        def refused():
            answers.append(post(server, f"b{len(answers)}", Prefer="wait=2"))
            return answers[-1][0].status == 503
        wait_until(refused, what="the alarm does not stop it")
        for answer, took in answers[-1:] + [post(server, f"c{i}", Prefer="wait=2") for i in range(10)]:
            assert answer.status == 503 and answer.headers["Retry-After"] and took < 2, (answer.body, took)
        wait_until(lambda: not server.ready(), what="it says that it is ready")
        assert server.checks()["queue"] == "failing", server.checks()
        assert "short of memory" in server.running.said()
    finally:
        broker("set_vm_memory_high_watermark", "absolute", "512MB")
    wait_until(lambda: post(server, "d")[0].status == 202, what="it does not go on")
    wait_until(server.ready, what="it is not ready again")
    out, _ = tool("senti-score", "-i", "amqp:blocked", "--idle", "1000")
    there = {json.loads(line)["id"] for line in out.splitlines()}
    promised = {"0", "d"} | {f"b{i}" for i, (a, _) in enumerate(answers) if a.status == 202}
    assert promised <= there, promised - there
    server.ends()


# ---- PostgreSQL ----

def start_postgresql(where, *args):
    return service("start", "postgresql", where, *args).split("'")[1]


@check
def hot_standby():
    "a hot standby is not ready, unless --read-only says that it need not be written: it tells what it gets then; promoted, it takes what waits"
    primary = folder("primary")
    source = start_postgresql(primary)
    tool("senti-store", "migrate", "--store", source)
    standby = start_postgresql(folder("standby"), f"standby={primary}")
    reads = Server(folder("reads"), "--read-only", "--store", standby)
    port = free_port()
    writes = Running(folder("writes"), "senti-serve", "-v", "-l", f"127.0.0.1:{port}", "--store", standby)
    url = f"http://127.0.0.1:{port}"

    def is_failing():
        try:
            return ask(url, "/readyz").json().get("checks", {}).get("store") == "failing"
        except OSError:
            return False
    wait_until(is_failing, 30, "it says that it is ready")
    wait_until(lambda: "name the primary" in writes.said(), 30, "the log does not say what to do")
    events = connect(reads.url)
    events.request("GET", "/v1/events")
    stream = events.getresponse()
    scored = tool("senti-score", data=lines([{"id": "a", "text": "I love it"}]))[0]
    stored = json.loads(tool("senti-store", "put", "--store", source, data=scored)[0])
    told = next(json.loads(line[6:]) for line in stream if line.startswith(b"data: "))
    assert told == stored == ask(reads.url, "/v1/messages/a").json(), told
    events.close()
    assert ask(reads.url, "/v1/messages", {"id": "b", "text": "no"}).json()["type"] == "urn:senti:problem:read_only"
    assert "name the primary" in tool("senti-store", "put", "--store", standby, "--retry", "0", data=scored, status=3)[1]
    with open(os.path.join(folder("late"), "late.jsonl"), "wb") as f:
        f.write(lines([{"id": "c", "text": "so sad"}]))
    late = Running(os.path.join(DIR, "late"), "senti-store", "put", "--store", standby, "--retry", "60", "-v", "late.jsonl")
    wait_until(lambda: "trying again" in late.said(), 30, "it does not wait for the primary")
    service("ctl", "postgresql", os.path.join(DIR, "standby"), "-c", "SELECT pg_promote()")
    late.ends()
    wait_until(lambda: ask(url, "/readyz").status == 200, 30, "it is not ready")
    assert ask(url, "/v1/messages", {"id": "d", "text": "I hate it"}, headers={"Prefer": "wait=10"}).status == 200
    for server in reads.running, writes:
        server.kill()


run()
