"""The campaign of tests/live/campaign.py with servers that stand in for each other, for an hour and a million answers: PostgreSQL fails over to a synchronous
standby, and the queues have three members on three nodes of RabbitMQ.

SENTI_CAMPAIGN_SECONDS says how long (3600), SENTI_CAMPAIGN_OPERATIONS how many answers at least (1,000,000; at most twice the time), SENTI_CAMPAIGN_SEED
which faults. After a violation the logs of all servers are in build/campaign."""
# needs: postgresql redis rabbitmq
# packages: psycopg pika
# seconds: 3600
import glob
import os
import random
import shutil
import sys

import psycopg

from acknowledged import QUEUE, Traffic
from failover import Cluster, Pair
from faults import Faults, System, redis_faults, service
from faults import run as run_campaign
from faults import verdict
from tap import check, run

DIR = sys.argv[1]
SECONDS = float(os.environ.get("SENTI_CAMPAIGN_SECONDS", 3600))
OPERATIONS = int(os.environ.get("SENTI_CAMPAIGN_OPERATIONS", 1000000))
SEED = int(os.environ.get("SENTI_CAMPAIGN_SEED", 0)) or random.SystemRandom().randrange(1, 1 << 30)
KEPT = os.path.join(os.environ["SENTI_BUILD"], "campaign")


def say(line):
    print("# " + line, flush=True)


def evidence(life):
    """What the store, its log and the cache have of a message."""
    with psycopg.connect(os.environ["SENTI_STORE"]) as db:
        row = db.execute("SELECT xmin::text, version, label, text FROM senti.message WHERE id = %s", (life.name,)).fetchall()
        log = db.execute("SELECT seq, xid::text, version, op FROM senti.outbox WHERE id = %s ORDER BY seq", (life.name,)).fetchall()
    return f"{life.name}: row {row}, outbox {log}, cached {service('ctl', 'redis', DIR, 'get', 'senti:m:' + life.name)}"


def keep_logs():
    os.makedirs(KEPT, exist_ok=True)
    for path in glob.glob(f"{DIR}/*.log*") + glob.glob(f"{DIR}/*/postgresql/log") + glob.glob(f"{DIR}/*/rabbitmq/log/*.log") + glob.glob(f"{DIR}/redis/log"):
        shutil.copy(path, os.path.join(KEPT, os.path.relpath(path, DIR).replace("/", "-")))


@check
def everything_fails():
    "each answer is held to what was acknowledged, while all servers are killed, frozen, started again and replaced by others at random"
    say(f"SENTI_CAMPAIGN_SEED={SEED}")
    os.environ["SENTI_REDIS"] = service("start", "redis", DIR).split("'")[1]
    pair, cluster = Pair(DIR), Cluster(DIR)
    os.environ["SENTI_STORE"], os.environ["SENTI_AMQP"] = pair.url, cluster.url
    system = System(DIR, "memory:64M")
    try:
        traffic = Traffic(system.ports, SEED, writers=12, readers=8, pause=0.01)
        faults = Faults(SEED, [*system.faults(), *redis_faults(DIR, part="redis"), *pair.faults(), *cluster.faults()])
        run_campaign(traffic, faults, SECONDS, OPERATIONS, say=say)
        if traffic.wrong or traffic.failed or faults.failed:
            for life, _ in traffic.wrong[:5]:
                say(evidence(life))
            keep_logs()
        members = cluster.members()
        dead = traffic.settle()
        say("all that was accepted is stored; reading it")
        traffic.read_all()
    finally:
        system.stop()
    said = verdict(traffic, faults, dead)
    assert members == 3, f"{QUEUE} has {members} members"
    assert traffic.answered() >= OPERATIONS, said
    return f"{said}\n# no primary for {max(pair.failovers, default=0):.1f} s at most, seed {SEED}"


run()
