"""senti-window on a queue of a real RabbitMQ: killed again and again, it writes what an undisturbed run writes, and nothing is acknowledged before it is
safe."""
# servers: rabbitmq
# packages: pika
# seconds: 30
import json
import os
import random
import signal
import subprocess
import sys
import time

from account import Broker, dead, declare, fill, left, tool, wait_until
from tap import check, run
from window_reference import Reference, Steps, check_lines, to_text

DIR = sys.argv[1]
KILLS = 30
MINUTE = 60000
BEGIN = 1714557600000


def scored(n, seed):
    """Six records a second, out of order by a few seconds; one in two hundred has no time."""
    draw = random.Random(seed)
    for i in range(n):
        score = round(draw.uniform(-1, 1), 4)
        r = {"id": f"r{i}", "text": "x", "source": draw.choice("abc"),
             "sentiment": {"label": "positive" if score > 0.05 else "negative" if score < -0.05 else "neutral", "score": score}}
        yield r if i % 200 == 100 else {**r, "time": to_text(BEGIN + i * 160 - draw.randrange(5000))}


def size(path):
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0


def content(path):
    try:
        with open(path, "rb") as f:
            return f.read()
    except FileNotFoundError:
        return b""


def whole_lines(path):
    with open(path, "rb") as f:
        return f.read().split(b"\n")[:-1]


def command(queue, *more):
    # Records that come again may come after younger ones: --late has room for what the broker hands out at once.
    return ("senti-window", "-i", f"amqp:{queue}", "--every", "1m", "--by", "source", "--late", "10m", "--no-sketch", "-b", "100", "--idle", "1000", *more)


def run_once(queue, path, kill):
    """One run, whose lines go after those before; kill(): whether it is time."""
    p = subprocess.Popen(command(queue, "-o", "lines"), cwd=path, stderr=subprocess.DEVNULL)
    while p.poll() is None and not kill():
        time.sleep(0.0005)
    if p.poll() is None:
        p.send_signal(signal.SIGKILL)
    return p.wait() == -signal.SIGKILL


@check
def killed():
    "senti-window, killed at 30 moments of 20,000 records: the same lines, and nothing is lost"
    records = list(scored(20000, 1))
    path = os.path.join(DIR, "killed")
    os.mkdir(path)
    state = os.path.join(path, "senti-window.windows.state")
    fill("windows", records)
    whole, kills, draw = sum(len(json.dumps(r)) for r in records), 0, random.Random(2)
    while kills < KILLS:
        before, more = size(state), draw.randrange(whole // KILLS // 8, whole // KILLS // 3)
        if not run_once("windows", path, lambda: abs(size(state) - before) >= more):
            break
        kills += 1
    # On a busy machine more is done before the kill comes.
    assert kills >= KILLS // 2, f"it had ended after {kills} kills"
    assert kills < KILLS or size(state) > 0, "there is no state after a kill"
    run_once("windows", path, lambda: False)
    wait_until(lambda: left("windows") == 0, 10, "the queue is not empty")
    assert not os.path.exists(state), "the state is left"
    reference = Reference(Steps(MINUTE), ["source"], 10 * MINUTE)
    for r in records:
        if "time" in r:
            reference.feed(r)
    lines = [json.loads(x) for x in set(whole_lines(os.path.join(path, "lines")))]
    lines.sort(key=lambda x: (x["end"], x["start"], x["key"]["source"]))
    check_lines(lines, reference)
    assert {json.loads(body)["id"] for _, body in dead("windows")} == {r["id"] for r in records if "time" not in r}
    return f"{kills} kills, {len(lines)} windows"


@check
def without_ids():
    "records without an id of their own: none is lost, and equal ones all count"
    record = {"time": to_text(BEGIN), "sentiment": {"label": "neutral", "score": 0}}
    path = os.path.join(DIR, "nameless")
    os.mkdir(path)
    declare("nameless")
    with Broker() as broker:
        for _ in range(500):
            broker.channel.basic_publish("", "nameless", json.dumps(record).encode())
    state = os.path.join(path, "senti-window.nameless.state")
    run_once("nameless", path, lambda: size(state) > 30000)
    run_once("nameless", path, lambda: False)
    counts = [json.loads(x)["count"] for x in whole_lines(os.path.join(path, "lines"))]
    assert counts and min(counts) >= 500, counts


@check
def stopped():
    "SIGTERM: all is acknowledged, the windows stay in the state, and the next run closes them"
    path = os.path.join(DIR, "stopped")
    os.mkdir(path)
    records = [r for r in scored(300, 3) if "time" in r]
    fill("stopped", records)
    state = os.path.join(path, "senti-window.stopped.state")
    p = subprocess.Popen(command("stopped")[:-2], cwd=path, stdout=subprocess.PIPE)
    last = json.dumps(records[-1]["id"]).encode()
    wait_until(lambda: last in content(state), 20, "they are not taken")
    p.send_signal(signal.SIGTERM)
    said, _ = p.communicate(timeout=30)
    assert p.returncode == 0 and said == b"", (p.returncode, said)
    assert left("stopped") == 0 and os.path.exists(state)
    out, _ = tool(*command("stopped"), cwd=path)
    assert sum(json.loads(x)["count"] for x in out.splitlines()) == len(records), out
    assert not os.path.exists(state)


run()
