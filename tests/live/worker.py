"""senti-worker on a real RabbitMQ: competing workers, kill -9, dead letters, latency; every record is accounted for by its id."""
# servers: rabbitmq
# packages: pika
# seconds: 25
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time

import pika

from tap import check, run

DIR = sys.argv[1]
PIPELINE = ["sh", "-c", "senti-score | senti-store put"]


def texts(n, prefix="r"):
    return [{"id": f"{prefix}{i}", "text": f"I love number {i}, it is great"} for i in range(n)]


def fill(queue, records):
    """Publishes records (dicts, or bytes as they are) by way of senti-score's sink or, for bytes, pika."""
    data = "".join(json.dumps(r) + "\n" for r in records if isinstance(r, dict)).encode()
    subprocess.run(["senti-ingest", "-F", "json", "-", "-o", f"amqp:{queue}"], input=data, check=True, timeout=60)
    with Broker() as broker:
        broker.channel.confirm_delivery()
        for r in records:
            if isinstance(r, bytes):
                broker.channel.basic_publish("", queue, r)


class Broker:
    def __enter__(self):
        self.connection = pika.BlockingConnection(pika.URLParameters(os.environ["SENTI_AMQP"]))
        self.channel = self.connection.channel()
        return self

    def __exit__(self, *_):
        self.connection.close()

    def count(self, queue):
        return self.channel.queue_declare(queue, passive=True).method.message_count

    def take(self, queue):
        while True:
            method, properties, body = self.channel.basic_get(queue, auto_ack=True)
            if not method:
                return
            yield properties, body


def letters(queue):
    """Why each is there, and its body."""
    with Broker() as broker:
        return [((p.headers or {}).get("x-senti-error"), body) for p, body in broker.take(queue)]


def left(queue):
    with Broker() as broker:
        return broker.count(queue)


def is_there(queue):
    try:
        return left(queue) >= 0
    except pika.exceptions.ChannelClosedByBroker:
        return False


def wait_until(condition, what, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not in {seconds} s: {what() if callable(what) else what}"
        time.sleep(0.02)


def worker(folder, queue, *args, command=PIPELINE, **kw):
    err = open(os.path.join(folder, "err"), "ab")
    return subprocess.Popen(["senti-worker", "-q", queue, *args, "--summary", "--", *command], cwd=folder,
                            stderr=err, **kw)


def folder(name):
    path = os.path.join(DIR, name)
    os.mkdir(path)
    return path


def said(path):
    with open(os.path.join(path, "err"), errors="replace") as f:
        return f.read()


def summary(path):
    return json.loads(said(path).strip().splitlines()[-1])


def stored(path):
    with sqlite3.connect(os.path.join(path, "senti.db"), timeout=30) as db:
        return {row[0] for row in db.execute("select id from message")}


def count_stored(path):
    try:
        return len(stored(path))
    except sqlite3.OperationalError:  # no table yet
        return 0


def ends(process, status=0, timeout=120):
    assert process.wait(timeout) == status, f"status {process.returncode}, not {status}"


@check
def the_pipeline_of_the_manual():
    path = folder("plain")
    records = texts(5000)
    fill("plain", records)
    ends(worker(path, "plain", "--idle", "3000"))
    assert stored(path) == {r["id"] for r in records}
    assert summary(path)["in"] == 5000 == summary(path)["out"], summary(path)
    assert left("plain") == 0


@check
def three_competing_workers_killed_at_random():
    path = folder("kills")
    records = texts(20000)
    fill("kills", records)
    # Small commits, so that there is time to kill in.
    slow = ["sh", "-c", "senti-score | senti-store put -b 10"]
    start = lambda: worker(path, "kills", "-b", "100", "--idle", "3000", command=slow)
    workers = [start() for _ in range(3)]
    rng = random.Random(5)
    kills = 0
    deadline = time.time() + 150
    while any(w.poll() is None for w in workers) and time.time() < deadline:
        time.sleep(rng.uniform(0.02, 0.2))
        k = rng.randrange(3)
        if kills < 30 and workers[k].poll() is None and count_stored(path) < len(records):
            os.kill(workers[k].pid, signal.SIGKILL)
            workers[k].wait()
            workers[k] = start()
            kills += 1
    assert kills >= 5, f"only {kills} kills"
    assert all(w.poll() == 0 for w in workers), [w.poll() for w in workers]
    assert stored(path) == {r["id"] for r in records}
    assert left("kills") == 0 and left("kills.dead") == 0


@check
def poison_and_rejects_become_dead_letters():
    path = folder("poison")
    records = texts(300)
    records[50]["text"] = records[51]["text"] = records[250]["text"] = "poison"
    bad = [b'{"id":"no-text"}', b"no json", b'{"id":"when","text":"x","time":"never"}', b'{"id":"u","text":"\xff"}']
    fill("poison", records + bad)
    body = ("while IFS= read -r l; do case $l in *poison*) echo \"about to die\" >&2; exit 9;; esac; "
            "printf '%s\\n' \"$l\"; done | senti-score | senti-store put")
    body = "#!/bin/bash\nset -o pipefail\n" + body + "\n"
    with open(os.path.join(path, "command"), "w") as f:
        f.write(body)
    ends(worker(path, "poison", "--idle", "3000", command=["bash", "./command"]), 1)
    assert stored(path) == {r["id"] for r in records if r["text"] != "poison"}
    wait_until(lambda: left("poison.dead") == 7, lambda: f"7 dead letters, but {letters('poison.dead')}; {left('poison')} left; {said(path)}")
    with Broker() as broker:
        dead = [(p.headers, b) for p, b in broker.take("poison.dead")]
        assert broker.count("poison") == 0
    by_body = {b: h for h, b in dead}
    assert len(dead) == len(by_body) == 7, len(dead)
    for r in records:
        if r["text"] == "poison":
            h = by_body[[b for b in by_body if b'"%s"' % r["id"].encode() in b][0]]
            assert h["x-senti-error"] == "command_failed" and h["x-senti-status"] == "9", h
            assert "about to die" in h["x-senti-stderr"] and h["x-senti-tool"] == "senti-worker", h
    assert [by_body[b]["x-senti-error"] for b in bad] == ["no_text", "bad_json", "bad_time", "bad_utf8"]
    assert [by_body[b]["x-senti-tool"] for b in bad] == ["senti-score", "senti-score", "senti-store", "senti-score"]


@check
def answers_go_to_another_queue_before_they_are_acknowledged():
    path = folder("scored")
    records = texts(3000)
    fill("unscored", records)
    ends(worker(path, "unscored", "--idle", "3000", "-j", "2", "--to", "amqp:scored", command=["senti-score"]))
    with Broker() as broker:
        got = [json.loads(b) for _, b in broker.take("scored")]
        assert broker.count("unscored") == 0
    assert [r["id"] for r in got] == [r["id"] for r in records]
    assert all(r["sentiment"]["label"] == "positive" for r in got)


@check
def a_swallowing_command_loses_nothing_silently():
    path = folder("swallow")
    fill("swallow", texts(200))
    ends(worker(path, "swallow", "--idle", "3000", "--timeout", "2",
                command=["grep", "--line-buffered", "-v", "number 1[0-9],"]), 1)
    with Broker() as broker:
        dead = [(p.headers["x-senti-error"], json.loads(b)["id"]) for p, b in broker.take("swallow.dead")]
    assert sorted(dead) == sorted(("lost_by_pipeline", f"r{i}") for i in range(10, 20)), dead


@check
def a_broken_environment_acknowledges_nothing():
    path = folder("broken")
    fill("broken", texts(100))
    ends(worker(path, "broken", "--max-failures", "3", command=["sh", "-c", "read -r l; exit 3"]), 3)
    wait_until(lambda: left("broken") == 100, "all that was not acknowledged is back in the queue")
    assert left("broken.dead") == 0


@check
def a_stop_finishes_what_was_read():
    path = folder("stop")
    fill("stop", texts(5000))
    w = worker(path, "stop", "-b", "100", "--to", "amqp:stopped", command=["perl", "-ne",
               "$|=1; select(undef, undef, undef, 0.001); print"])
    wait_until(lambda: os.path.exists(os.path.join(path, "err")) and left("stop") <= 4900, "some are in work")
    wait_until(lambda: is_there("stopped") and left("stopped") > 0, "some have come out")
    w.terminate()
    ends(w)
    wait_until(lambda: left("stop") + left("stopped") == 5000, "what was not acknowledged is back in the queue")
    with Broker() as broker:
        out = sum(1 for _ in broker.take("stopped"))
        assert 0 < out < 5000 and out == summary(path)["out"], (out, summary(path))
        assert broker.count("stop") == 5000 - out


run()
