"""Queues on a cluster of three RabbitMQ nodes: one after another is killed in mid-stream, and every record is accounted for by its id."""
# needs: rabbitmq
# packages: pika
# seconds: 60
import json
import os
import sys
import time

from account import (Account, Broker, Running, count_stored, dead, declare, fill, lines, service, taken, texts, tool,
                     wait_until)
from tap import check, run

DIR = sys.argv[1]
# The addresses of nodes 1 to 3.
HOSTS = [service("start", "rabbitmq", os.path.join(DIR, str(n)), *([f"cluster={DIR}/1"] if n > 1 else [])).split("@")[1].rstrip("'\n")
         for n in (1, 2, 3)]
os.environ["SENTI_AMQP"] = "amqp://guest:guest@" + ",".join(HOSTS)
PIPELINE = ["sh", "-c", "senti-score | senti-store put"]


def node(n):
    """The address of node n of 1 to 3 alone."""
    return f"amqp://guest:guest@{HOSTS[n - 1]}"


def folder(name):
    path = os.path.join(DIR, name)
    os.mkdir(path)
    return path


def leads(queue):
    """The node that leads the quorum queue, and how many of its members are online."""
    rows = service("ctl", "rabbitmq", os.path.join(DIR, "1"), "list_queues", "name", "leader", "online", "--formatter", "json")
    row, = (r for r in json.loads(rows) if r["name"] == queue)
    return 1 + [h.split(":")[1] for h in HOSTS].index(row["leader"].split("@")[0].removeprefix("senti")), len(row["online"])


@check
def three_replicas():
    "the queues that the tools declare stand on all three nodes"
    declare("three")
    for queue in ("three", "three.dead"):
        wait_until(lambda: leads(queue)[1] == 3, what=f"{queue} is on {leads(queue)[1]} nodes")


@check
def node_killed():
    "kill -9 of a node in mid-stream, the one that leads the queues: all move on to another, and each record arrives"
    path = folder("killed")
    db = os.path.join(path, "senti.db")
    some = texts(30000)
    source = os.path.join(path, "some.jsonl")
    with open(source, "wb") as f:
        f.write(lines(some))
    # What is declared by way of node 1 is led by it; the tools name it first.
    declare("killed", "killed-mid", "killed-out")
    leader = leads("killed")[0]
    assert leader == 1 == leads("killed-mid")[0]
    each = [Running(path, "senti-ingest", "-F", "json", source, "-o", "amqp:killed", "-b", "100", "--rate", "4000",
                    "--no-progress")]
    each += [Running(path, "senti-score", "-i", "amqp:killed", "-o", "amqp:killed-mid", "-b", "100", "--idle", "6000")
             for _ in range(2)]
    each += [Running(path, "senti-worker", "-q", "killed-mid", "--to", "amqp:killed-out", "-b", "100", "--idle", "6000", "--",
                     *PIPELINE) for _ in range(2)]
    wait_until(lambda: count_stored(db) > 5000)
    service("kill", "rabbitmq", os.path.join(DIR, "1"))
    for r in each:
        r.ends()
        assert "connected again" in r.said() and HOSTS[1] in r.said(), r.said()
    account = Account(some)
    account.in_store(db)
    with Broker(node(2)) as broker:
        assert [broker.count(q) for q in ("killed", "killed-mid", "killed.dead", "killed-mid.dead")] == [0, 0, 0, 0]
        out = [json.loads(b) for _, b in broker.take("killed-out")]
    # What comes again was delivered but not acknowledged (a prefetch of 3 batches at each of 4 consumers) or published but not confirmed (a batch of each
    # of 5 tools). It has its id and its result by then, so it is the same line.
    again = account.in_output(out, repeats=5 * 4 * 100)
    assert len({json.dumps(r) for r in out}) == len(some), "a record came again as another"
    return f"{again} of {len(some)} came twice"


@check
def first_host_is_down():
    "a tool that starts while the first node is down uses the next; the node that comes back has all"
    some = texts(1000)
    fill("down", some)
    service("again", "rabbitmq", os.path.join(DIR, "1"))
    Account(some, scored=False).in_output([json.loads(b) for b in take_from(1, "down")])


def take_from(n, queue):
    with Broker(node(n)) as broker:
        return [body for _, body in broker.take(queue)]


@check
def minority():
    "with two of three nodes gone nothing is confirmed, so nothing counts as written; with one of them back all goes on"
    some = texts(2000)
    path = folder("minority")
    declare("minority")
    wait_until(lambda: leads("minority")[1] == 3, what="the queue has three replicas")
    source = os.path.join(path, "some.jsonl")
    with open(source, "wb") as f:
        f.write(lines(some))
    r = Running(path, "senti-ingest", "-F", "json", source, "-o", "amqp:minority", "-b", "50", "--rate", "500", "--no-progress")
    wait_until(lambda: count_in(1, "minority") > 200)
    service("kill", "rabbitmq", os.path.join(DIR, "2"))
    service("kill", "rabbitmq", os.path.join(DIR, "3"))
    time.sleep(3)
    assert r.runs()
    service("again", "rabbitmq", os.path.join(DIR, "2"))
    r.ends()
    out = [json.loads(b) for b in take_from(1, "minority")]
    Account(some, scored=False).in_output(out, repeats=len(some))


def count_in(n, queue):
    with Broker(node(n)) as broker:
        return broker.count(queue)


run()
