"""Faults around senti-serve: Redis, RabbitMQ and PostgreSQL are killed with -9 under load and brought back, the server itself is, the disk becomes
full. Each message that was answered 202 is accounted for by its id."""
# servers: postgresql redis rabbitmq
# packages: pika psycopg
# seconds: 60
import json
import os
import signal
import subprocess
import sys
import time

from account import Running, left, service, wait_until
from serve_help import Load, Server, ask, connect, new_database, rows_of_postgres, rows_of_sqlite
from tap import Skip, check, run

DIR = sys.argv[1]
REDIS, AMQP = os.environ["SENTI_REDIS"], os.environ["SENTI_AMQP"]


def folder(name):
    path = os.path.join(DIR, name)
    os.mkdir(path)
    return path


class Whole:
    """A server on PostgreSQL, Redis and RabbitMQ with a worker, and a message that is there from the beginning."""

    def __init__(self, name):
        self.path = folder(name)
        self.store = new_database(os.environ["SENTI_STORE"], name)
        self.queue = name
        env = {"SENTI_STORE": self.store}
        self.server = Server(self.path, "--cache", REDIS, "--queue", f"amqp:{name}", env=env)
        self.worker = Running(self.path, "senti-worker", "-q", name, "--", "sh", "-c", "senti-score | senti-store put",
                              env={**os.environ, **env})
        first = ask(self.server.url, "/v1/messages", {"id": "known", "text": "I love it"}, headers={"Prefer": "wait=20"})
        assert first.status == 200, first.body

    def load(self, **kw):
        return Load([self.server.url], self.queue, **kw)

    def check_kept(self, load):
        # What the worker has in hand is in no queue.
        until = time.monotonic() + 60
        while (load.promised - (rows := rows_of_postgres(self.store, "label is not null")).keys()) and time.monotonic() < until:
            time.sleep(0.2)
        load.check_kept(rows, self.queue)
        assert not left(self.queue + ".dead"), "some are dead letters"
        assert self.server.running.runs() and self.worker.runs(), self.server.running.said() + self.worker.said()


def no_failure(load, *kinds):
    bad = load.failed(*kinds)
    assert not bad, f"{len(bad)} of {len(load.outcomes)} failed, such as {bad[:5]}"


@check
def redis_killed():
    "Redis killed under load and back: no request fails, the server stays ready and tells that the cache is away"
    whole = Whole("redisaway")
    server = whole.server
    load = whole.load()
    load.wait("read", 200)
    service("kill", "redis", DIR)
    load.wait("read", 200)
    load.wait("post", 202)
    wait_until(lambda: server.checks()["cache"] == "failing", what="nobody notices that the cache is away")
    assert server.ready(), "without a cache it is not ready"
    load.wait("post", 202)
    service("again", "redis", DIR)
    wait_until(lambda: server.checks()["cache"] == "ok", what="nobody notices that the cache is back")
    hits = server.figure('senti_cache_requests_total{result="hit"}')
    wait_until(lambda: server.figure('senti_cache_requests_total{result="hit"}') > hits + 5, what="the cache is not used again")
    load.ends()
    no_failure(load, "post", "score", "read")
    whole.check_kept(load)


@check
def broker_killed():
    "RabbitMQ killed under load and back: what is sent to keep is refused with 503 and Retry-After meanwhile, nothing else, all 202 are kept"
    whole = Whole("brokeraway")
    server = whole.server
    load = whole.load()
    load.wait("post", 202)
    service("kill", "rabbitmq", DIR)
    load.wait("post", 503)
    wait_until(lambda: not server.ready(), what="it is ready without the broker")
    assert server.checks()["queue"] == "failing" and server.checks()["store"] == "ok", server.checks()
    load.wait("score", 200)
    load.wait("read", 200)
    service("again", "rabbitmq", DIR)
    load.wait("post", 202)
    wait_until(server.ready, what="it does not become ready again")
    load.ends()
    no_failure(load, "score", "read")
    load.check_refusals("post")
    whole.check_kept(load)


@check
def database_killed():
    "PostgreSQL killed under load and back: only what needs it is refused with 503 and Retry-After, all 202 are kept, events go on"
    whole = Whole("storeaway")
    server = whole.server
    path = folder("storeaway-direct")
    direct = Server(path, "--cache", "memory:1M", env={"SENTI_STORE": whole.store})
    ask(direct.url, "/v1/messages/known")
    stream = connect(server.url, timeout=60)
    stream.request("GET", "/v1/events?source=later")
    listener = stream.getresponse()
    load = whole.load()
    straight = Load([direct.url], "direct")
    uncached = Load([server.url], "uncached", kinds=("read",), clients=1, known="nobody")
    for some in load, straight:
        some.wait("post", 202)
    service("kill", "postgresql", DIR)
    straight.wait("post", 503)
    load.wait("post", 202)
    load.wait("score", 200)
    load.wait("read", 200)
    uncached.wait("read", 503)
    straight.wait("score", 200)
    # What the process itself has cached is given for seconds only: then it may be behind.
    straight.wait("read", 503)
    wait_until(lambda: straight.some("read", 200)[-1].at < time.monotonic() - 2, what="an entry of which nothing is known any more is given")
    assert not server.ready() and server.checks()["store"] == "failing" and server.checks()["queue"] == "ok", server.checks()
    assert not direct.ready()
    service("again", "postgresql", DIR)
    for some in load, straight:
        some.wait("post", 202)
    straight.wait("read", 200)
    uncached.wait("read", 404)
    wait_until(lambda: server.ready() and direct.ready(), what="they do not become ready again")
    assert ask(server.url, "/v1/messages", {"id": "later", "source": "later", "text": "I love it"}).status == 202
    while not (line := listener.readline()).startswith(b"data:"):
        assert line, "the stream has ended"
    assert json.loads(line[5:])["id"] == "later"
    stream.close()
    for some in load, straight, uncached:
        some.ends()
    no_failure(load, "score", "post")
    no_failure(straight, "score")
    straight.check_refusals("post", "read")
    load.check_refusals("read")
    late = [o for o in uncached.outcomes if o.status not in (404, 503)]
    assert not late, late[:5]
    straight.check_kept(rows_of_postgres(whole.store), "direct")
    whole.check_kept(load)


@check
def server_killed_with_sqlite():
    "kill -9 of a server on SQLite under load, five times: all that was answered 202 is stored"
    path = folder("killed")
    server = Server(path, "--store", "sqlite:serve.db")
    load = Load([server.url], "killed", kinds=("post",), clients=8, pause=0)
    for _ in range(5):
        load.wait("post", 202, n=200)
        server.kill()
        server.start()
    load.wait("post", 202)
    load.ends()
    load.check_kept(rows_of_sqlite(os.path.join(path, "serve.db")), "SQLite")
    server.ends()


@check
def server_killed_with_a_queue():
    "kill -9 of a server with a queue under load, three times: all that was answered 202 is stored"
    whole = Whole("killedqueue")
    load = whole.load(kinds=("post",), clients=8)
    for _ in range(3):
        load.wait("post", 202, n=100)
        whole.server.kill()
        whole.server.start()
    load.wait("post", 202)
    load.ends()
    whole.check_kept(load)


class Stopped:
    """A server that stands still, with all of its processes: connections stay, and nothing is answered."""

    def __init__(self, name):
        with open(os.path.join(DIR, "pids", name)) as f:
            self.pids = [int(f.read().split()[0])]
        with open(f"/proc/{self.pids[0]}/task/{self.pids[0]}/children") as f:
            self.pids += [int(p) for p in f.read().split()]

    def __enter__(self):
        for pid in self.pids:
            os.kill(pid, signal.SIGSTOP)

    def __exit__(self, *_):
        for pid in self.pids:
            os.kill(pid, signal.SIGCONT)


@check
def hung_cache():
    "a cache that stands still: no request fails, or waits for more than some seconds"
    whole = Whole("hungcache")
    load = whole.load()
    load.wait("read", 200)
    with Stopped("redis"):
        wait_until(lambda: whole.server.checks()["cache"] == "failing", what="nobody notices that the cache is away")
        for kind, status in ("read", 200), ("post", 202), ("score", 200):
            load.wait(kind, status)
        assert whole.server.ready(), "without a cache it is not ready"
    wait_until(lambda: whole.server.checks()["cache"] == "ok", what="nobody notices that the cache is back")
    load.ends()
    no_failure(load, "post", "score", "read")
    slow = [o for o in load.outcomes if o.seconds > 5]
    assert not slow, slow[:5]
    whole.check_kept(load)


@check
def hung_database():
    "a database that stands still for some seconds: only those who ask for what is in it wait, and no request fails"
    whole = Whole("hungstore")
    load = whole.load(kinds=("post", "score"))
    uncached = Load([whole.server.url], "uncached", kinds=("read",), clients=2, known="nobody")
    load.wait("post", 202)
    with Stopped("postgresql"):
        wait_until(lambda: not whole.server.ready(), what="it is ready without the database")
        assert whole.server.checks()["store"] == "failing", whole.server.checks()
        load.wait("post", 202, n=50)
        load.wait("score", 200, n=50)
    uncached.wait("read", 404)
    wait_until(whole.server.ready, what="it does not become ready again")
    uncached.ends()
    no_failure(load.ends(), "post", "score")
    late = [o for o in uncached.outcomes if o.status not in (404, 503)]
    assert not late, late[:5]
    whole.check_kept(load)


@check
def hung_broker():
    "a broker that stands still for some seconds: only those who send messages to keep wait, and no request fails"
    whole = Whole("hung")
    load, others = whole.load(kinds=("post",)), Load([whole.server.url], "others", kinds=("score", "read"))
    load.wait("post", 202)
    with Stopped("rabbitmq"):
        wait_until(lambda: not whole.server.ready(), what="it is ready while nothing is taken")
        assert whole.server.checks()["queue"] == "failing", whole.server.checks()
        others.wait("score", 200)
        others.wait("read", 200)
    load.wait("post", 202)
    wait_until(whole.server.ready, what="it does not become ready again")
    load.ends()
    no_failure(others.ends(), "score", "read")
    no_failure(load, "post")
    whole.check_kept(load)


@check
def full_disk():
    "a full disk under the store: 503, what is read and scored goes on, nothing that was answered 202 is missing, and with room it goes on"
    path = folder("disk")
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", path], capture_output=True)
    if done.returncode:
        raise Skip("no right to mount a small file system")
    try:
        # Beside the store, where its own log has room.
        server = Server(DIR, "--store", f"sqlite:{path}/serve.db")
        first = ask(server.url, "/v1/messages", {"id": "known", "text": "I love it"})
        assert first.status == 202, first.body
        load = Load([server.url], "disk", pause=0)
        load.wait("post", 503, seconds=60)
        load.wait("score", 200)
        load.wait("read", 200)
        subprocess.run(["mount", "-o", "remount,size=64m", path], check=True)
        load.wait("post", 202)
        load.ends()
        no_failure(load, "score", "read")
        load.check_refusals("post")
        load.check_kept(rows_of_sqlite(os.path.join(path, "serve.db")), "the small disk")
        server.ends()
    finally:
        for r in Running.all:
            r.kill()
        subprocess.run(["umount", path], check=True)


run()
