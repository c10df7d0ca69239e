"""Faults of queues on a real RabbitMQ: kill -9 at each step of the loop and at random moments, a broker that stands still, connections that
swallow bytes, a full disk. Every record is accounted for by its id."""
# servers: rabbitmq
# packages: pika
# preload: fault
# seconds: 90
import json
import os
import random
import signal
import subprocess
import sys
import time

from account import (Account, Running, count_stored, dead, declare, empty, fill, left, lines, out_of, service, taken, texts, tool, wait_until)
from proxy import ACK, DECLARE, DELIVER, PUBLISH, Proxy
from tap import Skip, check, run

DIR = sys.argv[1]
URL = os.environ["SENTI_AMQP"]
PORT = int(URL.rsplit(":", 1)[1])
PIPELINE = ["sh", "-c", "senti-score | senti-store put"]


def folder(name):
    path = os.path.join(DIR, name)
    os.mkdir(path)
    return path


def in_folder(path):
    return os.path.join(path, "senti.db")


# ---- kill -9 at each step ----

STEP_RECORDS, STEP_BATCH = 200, 50
SOME = range(0, STEP_BATCH)  # less than a batch
ONE, TWO = STEP_BATCH, 2 * STEP_BATCH
SENT = range(0, ONE + 1, ONE)  # a connection of which not all was read is reset at the kill: what the broker has not read by then is lost


def killed_at(path, program, step, n, args):
    """Runs the tool until it is killed at the step, and shows that this is where it was."""
    mark = os.path.join(path, "mark")
    env = {**os.environ, "LD_PRELOAD": os.path.join(DIR, "fault.so"), "FAULT": f"{program}:{step}:{n}", "FAULT_MARK": mark}
    r = Running(path, *args, env=env)
    got = r.process.wait(30)
    assert got == -signal.SIGKILL, f"{step}: status {got}\n{r.said()}"
    with open(mark) as f:
        assert f.read() == step
    wait_until(lambda: not r.session(), what="what the command left behind does not end")


def is_at(got, wanted):
    return all(g in w if isinstance(w, range) else g == w for g, w in zip(got, wanted))


def each_step(name, command, steps, scored=True):
    """For each (program, step, n, (stored, published, acknowledged)): kills there, looks how far it was, and has another do all the rest."""
    for program, step, n, wanted in steps:
        queue = f"{name}-{program}-{step}-{n}"
        path, out = folder(queue), queue + "-out"
        db = in_folder(path)
        some = texts(STEP_RECORDS)
        account = Account(some, scored=scored)
        tool("senti-store", "migrate", cwd=path)
        declare(out)
        fill(queue, some)
        killed_at(path, program, step, n, command(queue, out, "-b", str(STEP_BATCH), "-w", "3000"))

        def at():
            return count_stored(db), left(out), STEP_RECORDS - left(queue)
        # The broker notices a moment later that the connection is gone.
        wait_until(lambda: is_at(at(), wanted), what=lambda: f"{queue}: it is at {at()}, not {wanted}")
        stored, published, acknowledged = at()
        tool(*command(queue, out, "--idle", "3000"), cwd=path)
        empty(queue)
        again = account.in_output(taken(out), repeats=STEP_BATCH)
        assert again == published - acknowledged, f"{queue}: {again} came again, not {published} - {acknowledged}"
        account.in_dead(dead(queue))
        if stored:
            account.in_store(db)


@check
def worker_at_each_step():
    "kill -9 of a worker after read, step, commit and confirm, before and after its acknowledgement: all arrive"
    def command(queue, out, *more):
        return "senti-worker", "-q", queue, "--to", f"amqp:{out}", *more, "--", *PIPELINE
    each_step("worker", command, [
        ("senti-worker", "deliver", 30, (0, 0, 0)),
        ("senti-worker", "answer", 1, (ONE, 0, 0)),
        ("senti-store", "commit", 1, (range(1, ONE + 1), 0, 0)),
        ("senti-worker", "publish", 30, (ONE, SOME, 0)),
        ("senti-worker", "confirm", 1, (ONE, range(1, ONE + 1), 0)),
        ("senti-worker", "ack", 2, (TWO, TWO, ONE)),
        ("senti-worker", "acked", 1, (range(ONE, TWO + 1), ONE, SENT)),
    ])


@check
def filter_at_each_step():
    "the same of senti-score from queue to queue"
    def command(queue, out, *more):
        return "senti-score", "-i", f"amqp:{queue}", "-o", f"amqp:{out}", *more
    each_step("filter", command, [
        ("senti-score", "deliver", 30, (0, 0, 0)),
        ("senti-score", "publish", 1, (0, 0, 0)),
        ("senti-score", "publish", 30, (0, SOME, 0)),
        ("senti-score", "confirm", 1, (0, range(1, ONE + 1), 0)),
        ("senti-score", "ack", 1, (0, ONE, 0)),
        ("senti-score", "ack", 2, (0, TWO, ONE)),
        ("senti-score", "acked", 1, (0, ONE, SENT)),
    ])


@check
def store_at_each_step():
    "the same of senti-store from queue to queue"
    def command(queue, out, *more):
        return "senti-store", "put", "-i", f"amqp:{queue}", "-o", f"amqp:{out}", *more
    each_step("store", command, [
        ("senti-store", "deliver", 30, (0, 0, 0)),
        ("senti-store", "commit", 1, (ONE, 0, 0)),
        ("senti-store", "publish", 30, (ONE, SOME, 0)),
        ("senti-store", "confirm", 1, (ONE, range(1, ONE + 1), 0)),
        ("senti-store", "ack", 1, (ONE, ONE, 0)),
        ("senti-store", "acked", 1, (ONE, ONE, SENT)),
    ], scored=False)


# ---- many records ----

MANY = 100000


@check
def killed_at_random():
    "100,000 records through a filter and two workers that are killed 30 times with all they have started: each once in the store"
    path = folder("random")
    db = in_folder(path)
    rng = random.Random(os.environ.get("SEED", "11"))
    some = texts(MANY)
    bad = {f"bad{i}": "bad_time" for i in range(20)}
    account = Account(some, bad)
    mixed = some + [{"id": i, "text": "late", "time": "never"} for i in bad]
    rng.shuffle(mixed)
    fill("random", mixed, "--pack", "20")

    def filtering():
        return Running(path, "senti-score", "-i", "amqp:random", "-o", "amqp:random-mid", "--pack", "50", "-b", "500")

    def working():
        return Running(path, "senti-worker", "-q", "random-mid", "--to", "amqp:random-out", "--pack", "100", "-b", "400",
                       "--", "senti-store", "put", "-b", "200")
    kinds = [filtering, working, working]
    each = [kind() for kind in kinds]
    for goal in sorted(rng.randrange(MANY * 9 // 10) for _ in range(30)):
        wait_until(lambda: count_stored(db) >= goal, what=f"it does not go on at {goal} records")
        time.sleep(rng.random() * 0.03)
        k = rng.randrange(3)
        assert each[k].runs(), each[k].said()[-2000:]
        each[k].kill()
        each[k] = kinds[k]()
    wait_until(lambda: count_stored(db) == MANY and left("random") == 0 == left("random-mid"))
    for r in each:
        r.process.terminate()
        assert r.process.wait(60) in (0, 1), r.said()[-2000:]
    empty("random", "random-mid", "random.dead")
    account.in_store(db)
    account.in_dead(dead("random-mid"), repeats=MANY)
    again = account.in_output(taken("random-out"), repeats=MANY)
    print(f"# {again} records came out of it more than once")


@check
def competing():
    "100,000 records through three competing workers: each once in the store, and once in the queue behind it"
    path = folder("competing")
    some = texts(MANY)
    fill("competing", some, "--pack", "10")
    each = [Running(path, "senti-worker", "-q", "competing", "--to", "amqp:competed", "--pack", "100", "-b", "500",
                    "--idle", "3000", "--summary", "--", *PIPELINE) for _ in range(3)]
    for r in each:
        r.ends()
    shares = [json.loads(r.said().splitlines()[-1])["out"] for r in each]
    assert sum(shares) == MANY and min(shares) > 0, shares
    empty("competing", "competing.dead")
    account = Account(some)
    account.in_store(in_folder(path))
    account.in_output(taken("competed"))


@check
def drained():
    "SIGTERM in mid-stream, six times, with poison among the records: none is lost, and none comes twice"
    path = folder("drained")
    rng = random.Random(os.environ.get("SEED", "12"))
    some = texts(10000)
    bad = {f"poison{i}": "command_failed" for i in range(6)}
    mixed = some + [{"id": i, "text": "poison"} for i in bad]
    rng.shuffle(mixed)
    fill("drained", mixed)
    with open(os.path.join(path, "command"), "w") as f:
        f.write("perl -ne '$|=1; /poison\"/ and exit 9; print' | senti-score | senti-store put\n")

    def working(*more):
        return Running(path, "senti-worker", "-q", "drained", "--to", "amqp:drained-out", "-b", "50", *more, "--",
                       "bash", "-o", "pipefail", os.path.join(path, "command"))
    for goal in range(800, 6000, 1000):
        r = working()
        wait_until(lambda: count_stored(in_folder(path)) >= goal)
        time.sleep(rng.random() * 0.05)
        r.process.terminate()
        assert r.process.wait(30) in (0, 1), r.said()
        assert left("drained") > 0, "it did more than finish what was read"
    assert working("--idle", "3000").process.wait(60) in (0, 1)
    empty("drained")
    account = Account(some, bad)
    account.in_store(in_folder(path))
    account.in_dead(dead("drained"))
    account.in_output(taken("drained-out"))


# ---- the broker, and the way to it ----

def broker_pid():
    with open(os.path.join(DIR, "pids", "rabbitmq")) as f:
        return int(f.read().split()[0])


def written(path, records):
    name = os.path.join(path, "some.jsonl")
    with open(name, "wb") as f:
        f.write(lines(records))
    return name


@check
def broker_stands_still():
    "a broker that stands still for longer than the heartbeat: all connect again, and each record arrives"
    path = folder("still")
    some = texts(15000)
    declare("still", "still-mid", "still-out")
    env = {**os.environ, "SENTI_AMQP": URL + "/?heartbeat=1"}
    each = [Running(path, "senti-ingest", "-F", "json", written(path, some), "-o", "amqp:still", "-b", "100",
                    "--rate", "5000", "--no-progress", env=env),
            Running(path, "senti-score", "-i", "amqp:still", "-o", "amqp:still-mid", "-b", "100", "--idle", "3000", env=env),
            Running(path, "senti-worker", "-q", "still-mid", "--to", "amqp:still-out", "-b", "100", "--idle", "3000", "--",
                    *PIPELINE, env=env)]
    wait_until(lambda: count_stored(in_folder(path)) > 1000)
    os.kill(broker_pid(), signal.SIGSTOP)
    try:
        wait_until(lambda: all("lost the broker" in r.said() for r in each), what="the silence was not noticed")
    finally:
        os.kill(broker_pid(), signal.SIGCONT)
    for r in each:
        r.ends()
        assert "connected again" in r.said()
    empty("still", "still-mid", "still.dead", "still-mid.dead")
    account = Account(some)
    account.in_store(in_folder(path))
    account.in_output(taken("still-out"), repeats=len(some))


@check
def busy_and_idle():
    "a worker that is busy, and a sink that is idle, for longer than the heartbeat keep their connections"
    path = folder("busy")
    declare("busy")
    env = {**os.environ, "SENTI_AMQP": URL + "/?heartbeat=1"}
    r = Running(path, "senti-worker", "-q", "busy", "--to", "amqp:busy-out", "-b", "1", "--idle", "3000", "--",
                "sh", "-c", "while IFS= read -r l; do sleep 5; printf '%s\\n' \"$l\"; done | senti-score", env=env)
    some = texts(2)
    for one in some:
        fill("busy", [one])
    r.ends()
    assert "broker" not in r.said(), r.said()
    Account(some).in_output(taken("busy-out"))


def through(proxy, heartbeat=30):
    return {**os.environ, "SENTI_AMQP": URL.replace(str(PORT), str(proxy.port)) + f"/?heartbeat={heartbeat}"}


@check
def confirms_swallowed():
    "confirms are swallowed, then the connection is cut: what was not confirmed is published again"
    path = folder("confirms")
    some = texts(5000)
    with Proxy(PORT) as proxy:
        proxy.swallow(at=("down", ACK, 3), what=["down"])
        r = Running(path, "senti-ingest", "-F", "json", written(path, some), "-o", "amqp:confirms", "-b", "500",
                    "--no-progress", env=through(proxy))
        wait_until(lambda: proxy.swallowed["down", ACK], what="no confirm was swallowed")
        # One batch is in flight, or the one after it: all of it is in the queue, and nobody knows.
        wait_until(lambda: left("confirms") == proxy.passed["up", PUBLISH] and left("confirms") % 500 == 0)
        assert r.runs()
        proxy.cut()
        r.ends()
        assert proxy.connections == 2 and "connected again" in r.said()
    out = os.path.join(path, "out")
    tool("senti-score", "-i", "amqp:confirms", "-o", out, "--idle", "3000")
    again = Account(some).in_output(out_of(out), repeats=500)
    assert again > 0, "nothing was published again"


@check
def publishings_swallowed():
    "publishings are swallowed, then the connection is cut: they are published again"
    path = folder("publishings")
    some = texts(5000)
    with Proxy(PORT) as proxy:
        proxy.swallow(at=("up", PUBLISH, 1234), what=["up"])
        r = Running(path, "senti-ingest", "-F", "json", written(path, some), "-o", "amqp:publishings", "-b", "500",
                    "--no-progress", env=through(proxy))
        wait_until(lambda: proxy.swallowed["up", PUBLISH] and left("publishings") == 1233, what="none was swallowed")
        assert r.runs()
        proxy.cut()
        r.ends()
    out = os.path.join(path, "out")
    tool("senti-score", "-i", "amqp:publishings", "-o", out, "--idle", "3000")
    Account(some).in_output(out_of(out), repeats=500)


@check
def acknowledgements_swallowed():
    "acknowledgements are swallowed, then the connection is cut: what they were for is delivered again"
    path = folder("acks")
    some = texts(5000)
    fill("acks", some)
    out = os.path.join(path, "out")
    with Proxy(PORT) as proxy:
        proxy.swallow(at=("up", ACK, 3), what=["up"])
        r = Running(path, "senti-score", "-i", "amqp:acks", "-o", out, "-b", "100", "--idle", "3000", env=through(proxy))
        wait_until(lambda: proxy.swallowed["up", ACK], what="no acknowledgement was swallowed")
        proxy.cut()
        r.ends()
        assert proxy.connections == 2
    empty("acks")
    again = Account(some).in_output(out_of(out), repeats=300)
    assert again > 0, "nothing was delivered again"


@check
def silent_connections():
    "both directions are swallowed while the sockets stay open: source and sink notice it by the heartbeat"
    path = folder("silent")
    some, more = texts(3000), texts(10, "s")
    fill("silent", some)
    with Proxy(PORT) as proxy:
        proxy.swallow(at=("up", ACK, 3), what=["up", "down"])
        r = Running(path, "senti-score", "-i", "amqp:silent", "-o", "amqp:silent-out", "-b", "100", "--idle", "5000",
                    env=through(proxy, heartbeat=1))
        wait_until(lambda: "connected again" in r.said(), what="the source did not notice")
        wait_until(lambda: left("silent-out") >= len(some))
        before = r.said().count("connected again")
        proxy.swallow(at=("up", PUBLISH, 1), what=["up", "down"])
        fill("silent", more)
        wait_until(lambda: r.said().count("connected again") > before, what="the sink did not notice")
        r.ends()
        assert proxy.connections >= 4
    empty("silent")
    Account(some + more).in_output(taken("silent-out"), repeats=len(some))


@check
def idle_but_not_empty():
    "deliveries are swallowed: --idle does not end what reads a queue that is not empty, or whose broker no longer says so; all arrives"
    path = folder("slow")
    some = texts(1000)
    fill("slow", some)
    out = os.path.join(path, "out")
    with Proxy(PORT) as proxy:
        proxy.swallow(at=("down", DELIVER, 101), what=["deliveries"])
        r = Running(path, "senti-score", "-i", "amqp:slow", "-o", out, "-b", "50", "--idle", "300", env=through(proxy, heartbeat=1))
        wait_until(lambda: proxy.swallowed["down", DELIVER], what="no delivery was swallowed")
        before = proxy.passed["up", DECLARE]
        wait_until(lambda: proxy.passed["up", DECLARE] >= before + 2 or not r.runs(), what="it does not ask what is left")
        assert r.runs(), "it ended before the queue was empty"
        # From now on the broker does not answer either.
        proxy.swallow(at=("up", DECLARE, 1), what=["up", "down"])
        r.ends()
        assert proxy.connections == 2, proxy.connections
    empty("slow")
    Account(some).in_output(out_of(out), repeats=0)


@check
def refused():
    "a queue that is full refuses: what it refused is published again when there is room; without room it is status 3 after --retry"
    path = folder("refused")
    some = texts(1000)
    declare("refused")
    service("ctl", "rabbitmq", DIR, "set_policy", "full", "^refused$", '{"max-length":50,"overflow":"reject-publish"}')
    ingest = "senti-ingest", "-F", "json", written(path, some), "-o", "amqp:refused", "-b", "100", "--no-progress"
    Running(path, *ingest, "--retry", "2").ends(3)
    r = Running(path, *ingest)
    wait_until(lambda: "refused messages" in r.said())
    out = os.path.join(path, "out")
    reader = Running(path, "senti-score", "-i", "amqp:refused", "-o", out, "-b", "10")
    r.ends()
    wait_until(lambda: left("refused") == 0)
    reader.process.terminate()
    reader.ends()
    empty("refused")
    Account(some).in_output(out_of(out), repeats=len(some))


@check
def acknowledged_too_late():
    "an acknowledgement that comes after the broker's consumer_timeout: the record comes again, and the worker goes on"
    path = folder("late")
    some = texts(10)
    fill("late", some)
    setting = "application:set_env(rabbit, consumer_timeout, {}), application:set_env(rabbit, channel_tick_interval, {})."
    service("ctl", "rabbitmq", DIR, "eval", setting.format(2000, 500))
    try:
        r = Running(path, "senti-worker", "-q", "late", "--to", "amqp:late-out", "-b", "1", "--idle", "3000", "--",
                    "sh", "-c", "perl -ne '$|=1; sleep 4 if $. == 1; print' | senti-score")
        r.ends()
    finally:
        service("ctl", "rabbitmq", DIR, "eval", setting.format(1800000, 60000))
    assert "406" in r.said() and "timed out" in r.said(), r.said()
    empty("late", "late.dead")
    again = Account(some).in_output(taken("late-out"), repeats=3)
    assert again > 0, "the first was acknowledged in time"


# ---- a full disk ----

class SmallDisk:
    """A folder that holds few bytes, until it grows."""

    def __init__(self, path):
        os.mkdir(path)
        self.path = path

    def __enter__(self):
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=768k", "tmpfs", self.path], capture_output=True)
        if done.returncode:
            raise Skip("no right to mount a small file system")
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", self.path], check=True)

    def grow(self):
        subprocess.run(["mount", "-o", "remount,size=64m", self.path], check=True)


def given_back(queue, sent, proxy):
    """Waits until the broker has given back to the queue all that was not acknowledged: how many. They may be more than that, since an
    acknowledgement binds nobody: a quorum queue that is slow keeps some back, and forgets them when the connection ends."""
    wait_until(lambda: left(queue) >= sent - proxy.acknowledged, what=f"{queue} has not all that was not acknowledged")
    return left(queue)


@check
def full_disk_of_a_store():
    "a full disk under the store: status 3, nothing is acknowledged that is not there; with room again all arrives"
    path = folder("disk-store")
    some = texts(20000)
    fill("disk-store", some)
    with SmallDisk(os.path.join(path, "disk")) as disk:
        db = os.path.join(disk.path, "full.db")
        put = "senti-store", "put", "-i", "amqp:disk-store", "-o", "/dev/null", "-b", "500", "--store", f"sqlite:{db}"
        with Proxy(PORT) as proxy:
            r = Running(path, *put, env=through(proxy))
            r.ends(3)
            wait_until(proxy.clients_gone, what="the proxy has not passed on all that was sent")
        assert "full" in r.said() or "No space" in r.said(), r.said()
        there = count_stored(db)
        assert 0 < there < len(some), there
        assert proxy.acknowledged == there, f"{there} are there, {proxy.acknowledged} are acknowledged"
        given_back("disk-store", len(some), proxy)
        disk.grow()
        tool(*put, "--idle", "3000")
        empty("disk-store", "disk-store.dead")
        Account(some, scored=False).in_store(db)


@check
def full_disk_of_a_worker():
    "a full disk under a worker's command: the worker gives up with status 3, no record is condemned; with room again all arrives"
    path = folder("disk-worker")
    some = texts(20000)
    fill("disk-worker", some)
    with SmallDisk(os.path.join(path, "disk")) as disk:
        db = os.path.join(disk.path, "full.db")
        work = ("senti-worker", "-q", "disk-worker", "-b", "500", "--max-failures", "3", "--timeout", "2", "--idle", "3000", "--",
                "bash", "-o", "pipefail", "-c", f"senti-score | senti-store put --store sqlite:{db}")
        r = Running(path, *work)
        r.ends(3)
        there = count_stored(db)
        assert 0 < there < len(some), there
        wait_until(lambda: left("disk-worker") >= len(some) - there, what="acknowledged more than is there")
        assert left("disk-worker.dead") == 0
        disk.grow()
        tool(*work)
        empty("disk-worker", "disk-worker.dead")
        Account(some).in_store(db)


@check
def full_disk_of_a_file():
    "a full disk under a file: the same"
    path = folder("disk-file")
    some = texts(20000)
    fill("disk-file", some)
    with SmallDisk(os.path.join(path, "disk")) as disk:
        first, second = os.path.join(disk.path, "first"), os.path.join(disk.path, "second")
        with Proxy(PORT) as proxy:
            r = Running(path, "senti-score", "-i", "amqp:disk-file", "-o", first, "-b", "500", env=through(proxy))
            r.ends(3)
            wait_until(proxy.clients_gone, what="the proxy has not passed on all that was sent")
        assert "No space left" in r.said(), r.said()
        there = len(out_of(first))
        assert 0 < there < len(some), there
        assert there - 500 <= proxy.acknowledged <= there, f"{there} are there, {proxy.acknowledged} are acknowledged"
        again = given_back("disk-file", len(some), proxy) - (len(some) - there)
        disk.grow()
        tool("senti-score", "-i", "amqp:disk-file", "-o", second, "--idle", "3000")
        empty("disk-file", "disk-file.dead")
        Account(some).in_output(out_of(first) + out_of(second), repeats=again)


run()
