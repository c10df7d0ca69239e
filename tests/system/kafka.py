"""contrib/kafka/kafka-batch.sh on a real broker: killed again and again, with records that are refused, filters that swallow lines, a broker that dies."""
# servers: kafka
# packages: pika
# seconds: 45
import collections
import json
import os
import re
import signal
import sys

from account import Account, Running, lines, service, texts, tool, wait_until
from tap import check, run

DIR, KAFKA = sys.argv[1], os.environ["SENTI_KAFKA"]
BATCH = os.path.join(os.environ["SENTI_ROOT"], "contrib/kafka/kafka-batch.sh")
STATE = os.path.join(DIR, "state")
kcat = ["kcat", "-b", KAFKA, "-q"]


def produce(topic, data, *args):
    tool(*kcat, "-P", "-t", topic, "-X", "acks=all", "-X", "linger.ms=5", *args, data=data)


def topic(name):
    """A new one: the broker makes it, with three partitions, when it is first asked for."""
    wait_until(lambda: tool(*kcat, "-L", "-t", name)[0].count(b"partition ") == 3, what=f"there is no {name}")


def messages(topic, *args):
    return tool(*kcat, "-C", "-t", topic, "-e", *args)[0].decode().splitlines()


def records(topic):
    return [json.loads(line) for line in messages(topic)]


def spread(topic, some):
    """The records into three partitions in turn."""
    for p in range(3):
        produce(topic, lines(some[p::3]), "-p", str(p))


def command(topic, out, *filter):
    return [BATCH, KAFKA, topic, out, STATE, *filter]


def batch(topic, out, *filter, status=0, size=1000, **env):
    return tool(*command(topic, out, *filter), status=status, env={**os.environ, "KAFKA_BATCH": str(size), **env})[1]


def offsets(topic):
    found = {}
    for p in range(3):
        path = f"{STATE}/{topic}.{p}"
        if os.path.exists(path):
            with open(path) as f:
                found[p] = int(f.read())
    return found


@check
def each_partition():
    "each partition is scored into the same one of the other topic, in its order, and only once"
    topic("plain")
    topic("plain-out")
    some = texts(3000)
    spread("plain", some)
    for _ in range(2):
        batch("plain", "plain-out", "senti-score", size=700)
        for p in range(3):
            got = [json.loads(line) for line in messages("plain-out", "-p", str(p))]
            assert [r["id"] for r in got] == [r["id"] for r in some[p::3]], f"partition {p}"
        assert offsets("plain") == {0: 1000, 1: 1000, 2: 1000}
    Account(some).in_output(records("plain-out"))
    more = texts(10, "more")
    produce("plain", lines(more))
    batch("plain", "plain-out", "senti-score")
    Account(some + more).in_output(records("plain-out"))


@check
def killed():
    "kill -9 of all processes, five times: after sort -u what a run without faults writes"
    some = texts(20000)
    topic("killed")
    topic("killed-out")
    spread("killed", some)
    for n in range(1, 6):
        r = Running(DIR, *command("killed", "killed-out", "senti-score"), env={**os.environ, "KAFKA_BATCH": "700"})
        # At the end of one batch or the other, somewhere in the next.
        wait_until(lambda: sum(offsets("killed").values()) >= 2500 * n)
        assert r.runs(), r.said()
        r.kill()
    batch("killed", "killed-out", "senti-score", size=5000)
    out = messages("killed-out")
    alone = tool("senti-score", data=lines(some))[0].decode().splitlines()
    assert sorted(set(out)) == sorted(alone)
    assert len(out) - len(alone) <= 5 * 700, "more than a batch was repeated"
    return f"{len(out) - len(alone)} of {len(alone)} came twice"


@check
def refused():
    "records that are refused are in TOPIC.dead, the status is 1, and what follows them is not held up"
    good = texts(100, "good")
    bad = [b'{"id":"bad1","txt":"I love it"}', b"no json", b"\x1eno json either", b'{"id":"bad2","text":5}']
    produce("refused", b"".join(lines([r]) + (bad[n] + b"\n" if n < len(bad) else b"") for n, r in enumerate(good)), "-p", "0")
    batch("refused", "refused-out", "senti-score", size=30, status=1)
    Account(good).in_output(records("refused-out"))
    codes = collections.Counter(r["error"]["code"] for r in records("refused.dead"))
    assert codes == {"no_text": 1, "bad_json": 2, "bad_text": 1}, codes
    batch("refused", "refused-out", "senti-score", size=30)


@check
def shapes():
    "messages that span lines are one record each, empty ones are none; those without an id get the same one again"
    for body in b'{"text":\n"I love it"\n}', b'{"text":"I hate it"}':
        produce("shapes", body, "-p", "1", "-D", "~")
    produce("shapes", b"key:\n", "-p", "1", "-K", ":", "-Z")
    produce("shapes", b'{"text":"\\u001e"}\n', "-p", "1")
    filter = 'senti-ingest -F json --source "$KAFKA_TOPIC" --id-path "$KAFKA_TOPIC/$KAFKA_PARTITION/$KAFKA_OFFSET" | senti-score'
    for n in range(2):
        batch("shapes", "shapes-out", "sh", "-c", filter)
        got = records("shapes-out")
        assert [r["text"] for r in got] == ["I love it", "I hate it", "\x1e"] * (n + 1), got
        assert len({r["id"] for r in got}) == 3 and {r["source"] for r in got} == {"shapes"}, got
        os.unlink(f"{STATE}/shapes.1")


@check
def swallowed():
    "a filter that swallows a line, fails, or is stopped by itself: status 3, and its batch is done again"
    some = texts(2000)
    produce("swallowed", lines(some), "-p", "0")
    for filter, said in ("head -n 7; cat >/dev/null", "2000 messages, but 7 came out"), ("cat; exit 3", "0 0 3 0"), ("exit 0", "141"):
        err = batch("swallowed", "-", "sh", "-c", filter, status=3, size=5000)
        assert said in err, err
    # What is still in the pipe when a filter is told to stop, by which it ends with status 0, is not lost either.
    topic("swallowed-out")
    pid = os.path.join(DIR, "pid")
    r = Running(DIR, *command("swallowed", "swallowed-out", "sh", "-c", f"echo $$ >{pid}; exec senti-ingest -F json --rate 100/s"), env=os.environ)
    wait_until(lambda: len(messages("swallowed-out")) > 0)
    with open(pid) as f:
        stopped = int(f.read())
    os.kill(stopped, signal.SIGTERM)
    r.ends(3)
    # By what was on its way then: the filter read all that was sent, awk still wrote to it, or it told of that itself.
    assert re.search(r"2000 messages, but \d+ came out|ended with 0 (141 [03]|0 3) 0", r.said()), r.said()
    assert not offsets("swallowed")
    batch("swallowed", "swallowed-out", "senti-score", size=500)
    scored = [r for r in records("swallowed-out") if "sentiment" in r]
    Account(some).in_output(scored)


@check
def shared():
    "runs at the same time share the partitions; KAFKA_PARTITIONS says which a run may take"
    some = texts(3000)
    topic("shared")
    spread("shared", some)
    batch("shared", "shared-out", "senti-score", KAFKA_PARTITIONS="1")
    assert offsets("shared") == {1: 1000}
    both = [Running(DIR, *command("shared", "shared-out", "senti-ingest", "-F", "json", "--rate", "2000/s"), env={**os.environ, "KAFKA_BATCH": "100"})
            for _ in range(2)]
    for r in both:
        r.ends()
    assert offsets("shared") == {0: 1000, 1: 1000, 2: 1000}
    assert sorted(r["id"] for r in records("shared-out")) == sorted(r["id"] for r in some)


@check
def stored():
    "into a store, without another topic; a second time nothing changes"
    some = texts(500)
    produce("stored", lines(some))
    store = f"sqlite:{DIR}/kafka.db"
    batch("stored", "-", "sh", "-c", "senti-score | senti-store put", SENTI_STORE=store)
    for p in offsets("stored"):
        os.unlink(f"{STATE}/stored.{p}")
    batch("stored", "-", "sh", "-c", "senti-score | senti-store put", SENTI_STORE=store)
    Account(some).in_store(f"{DIR}/kafka.db")
    out, _ = tool("senti-store", "query", env={**os.environ, "SENTI_STORE": store})
    assert {json.loads(line)["version"] for line in out.splitlines()} <= set(range(1, 501))


@check
def deleted():
    "messages that Kafka has deleted before they were read are reported, and an offset beyond the end is an error"
    some = texts(100)
    produce("deleted", lines(some), "-p", "0")
    batch("deleted", "deleted-out", "senti-score", size=10, KAFKA_PARTITIONS="0")
    produce("deleted", lines(texts(100, "more")), "-p", "0")
    with open(f"{DIR}/deletions.json", "w") as f:
        json.dump({"partitions": [{"topic": "deleted", "partition": 0, "offset": 150}], "version": 1}, f)
    service("ctl", "kafka", DIR, "DeleteRecordsCommand", "--offset-json-file", f"{DIR}/deletions.json")
    err = batch("deleted", "deleted-out", "senti-score", status=1)
    assert "messages 100 to 149 of partition 0 were deleted before they were read" in err, err
    assert len(records("deleted-out")) == 150
    with open(f"{STATE}/deleted.0", "w") as f:
        f.write("1000\n")
    assert "ended with" in batch("deleted", "deleted-out", "senti-score", status=3)


@check
def broker_killed():
    "the broker dies in mid-stream: status 3; once it is back the next run goes on"
    some = texts(6000)
    topic("broker")
    spread("broker", some)
    r = Running(DIR, *command("broker", "broker-out", "senti-score"), env={**os.environ, "KAFKA_BATCH": "300"})
    wait_until(lambda: sum(offsets("broker").values()) >= 900)
    assert r.runs(), r.said()
    service("kill", "kafka", DIR)
    service("again", "kafka", DIR)
    status = r.process.wait(120)
    assert status in (0, 3), r.said()
    batch("broker", "broker-out", "senti-score", size=5000)
    again = Account(some).in_output(records("broker-out"), repeats=600)
    return f"status {status}, {again} came twice"


@check
def wrong():
    "a wrong call is status 2, a command that cannot be run 3"
    assert "kafka-batch.sh BROKERS TOPIC OUT STATE COMMAND" in tool(BATCH, KAFKA, "x", status=2)[1]
    produce("wrong", b"{}", "-p", "0")
    assert "127" in batch("wrong", "-", "no-such-command", status=3)


run()
