"""Faults of queues against a running RabbitMQ ($SENTI_AMQP): queue_faults_checks.py DIR [CHECK...]. Prints TAP."""
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

from account import (Account, Broker, Running, Skip, count_stored, dead, declare, empty, fill, left, lines, out_of, run,
                     select, taken, texts, tool, wait_until)
from proxy import ACK, DELIVER, PUBLISH, Proxy

DIR = sys.argv[1]
URL = os.environ["SENTI_AMQP"]
PORT = int(URL.rsplit(":", 1)[1])
PIPELINE = ["sh", "-c", "senti-score | senti-store put"]
checks = []


def check(f):
    checks.append(f)
    return f


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
        wait_until(lambda: is_at(at(), wanted), 5, f"{queue}: it is not at {wanted}")
        stored, published, acknowledged = at()
        tool(*command(queue, out, "--idle", "300"), cwd=path)
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
        ("senti-worker", "acked", 1, (range(ONE, TWO + 1), ONE, (ONE))),
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
        ("senti-score", "acked", 1, (0, ONE, ONE)),
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
        ("senti-store", "acked", 1, (ONE, ONE, ONE)),
    ], scored=False)


if __name__ == "__main__":
    sys.exit(run(checks, sys.argv[2:]))
