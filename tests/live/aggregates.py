"""senti-eval and senti-train on a queue of a real RabbitMQ: they are killed again and again, and what they make in the end is what an undisturbed
run makes of the same messages."""
# servers: rabbitmq
# packages: pika
# seconds: 40
import json
import os
import random
import signal
import subprocess
import sys
import time

from account import Broker, dead, declare, fill, left, tool, wait_until
from tap import check, run

DIR = sys.argv[1]
KILLS = 30
WORDS = ["good", "bad", "awful", "great", "fine", "dull", "not", "very", "film", "food", "rain", "song"]
LABELS = ["positive", "neutral", "negative"]


def labelled(n, seed):
    """One in a hundred has no label; the last ones are equal but for their ids."""
    draw = random.Random(seed)
    for i in range(n):
        words = draw.choices(WORDS, k=6) if i < n - 50 else ["equal"]
        label = draw.choice(LABELS) if i < n - 50 else "positive"
        record = {"id": f"r{i}", "text": " ".join(words)}
        yield record if i % 100 == 50 else {**record, "label": label}


def folder(name):
    path = os.path.join(DIR, name)
    os.mkdir(path)
    return path


def size(path):
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0


def killed_at(command, path, state, grown):
    """Runs it until its state has grown to that size, and then kills it."""
    p = subprocess.Popen(command, cwd=path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while size(state) < grown and p.poll() is None:
        time.sleep(0.0005)
    time.sleep(random.random() * 0.004)
    p.send_signal(signal.SIGKILL)
    return p.wait() == -signal.SIGKILL


def read_summary(said):
    return json.loads(said.strip().splitlines()[-1])


def go_on_to_the_end(name, command, records, result):
    """Kills the command KILLS times, lets it end, and compares what result(folder) says with that of a run that nobody disturbs."""
    unlabelled = {r["id"] for r in records if "label" not in r}
    calm, path = folder(name + "-calm"), folder(name)
    fill(name + "-calm", records)
    tool(*command(name + "-calm"), cwd=calm, status=1)
    assert not any(f.endswith(".state") for f in os.listdir(calm)), "the state is left"
    fill(name, records)
    state = os.path.join(path, f"{command(name)[0]}.{name}.state")
    whole = sum(len(json.dumps(r)) + 2 for r in records)
    kills = [killed_at(command(name), path, state, int(whole * (i + random.random()) / (KILLS + 1)))
             for i in range(KILLS)]
    assert all(kills), f"{kills.count(False)} of {KILLS} runs ended before they were killed"
    assert size(state) > 0, "there is no state after a kill"
    summary = read_summary(tool(*command(name), cwd=path, status=1)[1])
    wait_until(lambda: left(name) == 0, 10, "the queue is not empty")
    assert result(path) == result(calm), f"{result(path)} is not {result(calm)}"
    assert not os.path.exists(state), "the state is left"
    rejected = dead(name)
    ids = [json.loads(body)["id"] for _, body in rejected]
    assert set(ids) == unlabelled, "other records were rejected"
    return f"{summary['resumed']} of {len(records)} came from the state, {summary.get('duplicates', 0)} again from the queue"


@check
def eval_killed():
    "senti-eval, killed at 30 random moments of 20,000 records: the same report, and nothing is lost"
    def command(queue):
        return ("senti-eval", "-i", f"amqp:{queue}", "-m", "vader", "--json", "-b", "100", "--idle", "1000", "--summary",
                "-o", "report")

    def result(path):
        with open(os.path.join(path, "report")) as f:
            return json.load(f)
    return go_on_to_the_end("evaluated", command, list(labelled(20000, 1)), result)


@check
def train_killed():
    "senti-train, likewise: the same model, byte for byte"
    def command(queue):
        return ("senti-train", "-i", f"amqp:{queue}", "-b", "100", "--idle", "1000", "--summary", "--folds", "2",
                "--hash-bits", "14", "--letters", "0", "-o", "model", "--no-lexicon")

    def result(path):
        with open(os.path.join(path, "model"), "rb") as f:
            return f.read()
    return go_on_to_the_end("trained", command, list(labelled(20000, 2)), result)


@check
def without_ids():
    "records without an id of their own: none is lost, and equal ones all count"
    records = [{"text": "equal", "label": "positive"}] * 500
    path = folder("nameless")
    declare("nameless")
    with Broker() as broker:
        for r in records:
            broker.channel.basic_publish("", "nameless", json.dumps(r).encode())
    tool("senti-eval", "-i", "amqp:nameless", "-m", "vader", "--json", "--idle", "300", "-o", "report", cwd=path)
    with open(os.path.join(path, "report")) as f:
        n = json.load(f)["n"]
    assert n == 500, n


@check
def stopped():
    "SIGTERM ends a queue: the report is out, and the state is gone"
    path = folder("stopped")
    records = list(labelled(300, 3))
    fill("stopped", records)
    p = subprocess.Popen(["senti-eval", "-i", "amqp:stopped", "-m", "vader", "--json", "-o", "report", "--state", "here"], cwd=path,
                         stderr=subprocess.PIPE, text=True)
    wait_until(lambda: left("stopped") == 0 and size(os.path.join(path, "here")) > 10000, 20, "they are not taken")
    p.send_signal(signal.SIGTERM)
    p.communicate(timeout=30)
    assert p.returncode == 1, p.returncode
    with open(os.path.join(path, "report")) as f:
        assert json.load(f)["n"] == 297
    assert not os.path.exists(os.path.join(path, "here"))


run()
