"""What commit 804c50c left in Redis and in queues (tests/upgrade): its entries never give a wrong answer, its messages are stored under their ids,
its dead letters are replayed."""
# servers: redis rabbitmq
# needs: redis-cli
# packages: pika
# seconds: 15
import base64
import gzip
import json
import os
import subprocess
import sys

import pika

from account import declare, left, lines, tool, wait_until
from tap import check, run

DIR = sys.argv[1]
OLD = f"{os.environ['SENTI_ROOT']}/tests/upgrade"
STORE = f"sqlite:{DIR}/senti.db"
os.environ["SENTI_STORE"] = STORE


def read(name):
    with open(f"{OLD}/{name}") as f:
        return [json.loads(line) for line in f]


def redis(*args, data=None):
    return subprocess.run(["redis-cli", "-u", os.environ["SENTI_REDIS"], *args], input=data, capture_output=True, timeout=30, check=True).stdout


def out_of(*args, data=b"", **kw):
    """The records that a tool writes."""
    return [json.loads(line) for line in tool(*args, data=data, **kw)[0].splitlines()]


ROWS = read("export.jsonl")


@check
def cached():
    "entries of the old cache: no result of another model is taken, and no message is other than its row"
    for entry in read("redis.jsonl"):
        assert entry["kind"] == "string", entry
        redis("-x", "set", entry["key"], data=base64.b64decode(entry["value"]))
    with open(f"{DIR}/senti.db", "wb") as f:
        f.write(gzip.open(f"{OLD}/store.db.gz").read())
    tool("senti-store", "migrate")
    texts = lines([{"id": r["id"], "text": r["text"]} for r in ROWS])
    for model in "vader", "textblob":
        fresh = out_of("senti-score", "-m", model, data=texts)
        known = out_of("senti-cache", "get", "-m", model, data=texts)
        for a, b in zip(known, fresh):
            assert "sentiment" not in a or a == b, f"{a} is not {b}"
    tool("senti-cache", "follow", "--once")
    tool("senti-cache", "verify")


@check
def side_by_side():
    "messages that are cached anew beside old entries are what the store has"
    out_of("sh", "-c", "senti-store export | senti-cache put --store $SENTI_STORE")
    tool("senti-cache", "verify")
    assert [r["id"] for r in out_of("senti-store", "query", "--order", "id")] == [r["id"] for r in ROWS]


@check
def queued():
    "old messages are scored and stored under their ids, the bad one becomes a dead letter; old and new dead letters are replayed"
    declare("texts", "bad", "bad.dead")
    kept = read("queue.jsonl")
    connection = pika.BlockingConnection(pika.URLParameters(os.environ["SENTI_AMQP"]))
    channel = connection.channel()
    for m in kept:
        channel.basic_publish("", m["queue"], m["body"].encode(), pika.BasicProperties(**m["properties"]))
    connection.close()
    wait_until(lambda: left("texts") == 4 and left("bad.dead") == 1, 30, "the messages are not there")
    tool("senti-worker", "-q", "texts", "--idle", "500", "--", "sh", "-c", "senti-score --force | senti-store put")
    ids = [json.loads(m["body"])["id"] for m in kept if m["queue"] == "texts"]
    got = {r["id"]: r for r in out_of("senti-store", "query") if r["id"] in ids}
    assert set(got) == set(ids) and all("sentiment" in r for r in got.values()), got
    again = out_of("senti-ingest", "-F", "reject", "-i", "amqp:bad.dead", "--idle", "500")
    assert again == [json.loads(m["body"]) for m in kept if m["queue"] == "bad.dead"], again
    assert left("texts") == left("bad.dead") == 0


run()
