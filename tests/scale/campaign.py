"""The campaign of tests/live/campaign.py with servers that stand in for each other, for an hour and a million answers: PostgreSQL fails over to a synchronous
standby, Redis to a replica that Sentinels promote, and the queues have three members on three nodes of RabbitMQ.

SENTI_CAMPAIGN_SECONDS says how long (3600), SENTI_CAMPAIGN_OPERATIONS how many answers at least (1,000,000; at most twice the time), SENTI_CAMPAIGN_SEED
which faults; SENTI_CAMPAIGN_SENTINELS=no has one Redis alone. After a violation the logs of all servers are in build/campaign."""
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
from failover import Cluster, Pair, Redis, Sentinels
from faults import Faults, System
from faults import run as run_campaign
from faults import verdict, wrong
from tap import check, run

DIR = sys.argv[1]
SECONDS = float(os.environ.get("SENTI_CAMPAIGN_SECONDS", 3600))
OPERATIONS = int(os.environ.get("SENTI_CAMPAIGN_OPERATIONS", 1000000))
SEED = int(os.environ.get("SENTI_CAMPAIGN_SEED", 0)) or random.SystemRandom().randrange(1, 1 << 30)
KEPT = os.path.join(os.environ["SENTI_BUILD"], "campaign")


def say(line):
    print("# " + line, flush=True)


def evidence(life, redis):
    """What the store, its log and the caches have of a message."""
    with psycopg.connect(os.environ["SENTI_STORE"]) as db:
        row = db.execute("SELECT xmin::text, version, label, text FROM senti.message WHERE id = %s", (life.name,)).fetchall()
        log = db.execute("SELECT seq, xid::text, version, op FROM senti.outbox WHERE id = %s ORDER BY seq", (life.name,)).fetchall()
    return f"{life.name}: row {row}, outbox {log}, cached {redis.ask('get', 'senti:m:' + life.name)}"


def keep_logs():
    os.makedirs(KEPT, exist_ok=True)
    for path in [p for name in ("*.log*", "*/postgresql/log", "*/rabbitmq/log/*.log", "*/redis/log") for p in glob.glob(f"{DIR}/{name}")]:
        shutil.copy(path, os.path.join(KEPT, os.path.relpath(path, DIR).replace("/", "-")))


@check
def everything_fails():
    "each answer is held to what was acknowledged, while all servers are killed, frozen, started again and replaced by others at random"
    say(f"SENTI_CAMPAIGN_SEED={SEED}")
    pair, cluster = Pair(DIR), Cluster(DIR)
    redis = (Redis if os.environ.get("SENTI_CAMPAIGN_SENTINELS") == "no" else Sentinels)(DIR)
    os.environ.update(SENTI_STORE=pair.url, SENTI_REDIS=redis.url, SENTI_AMQP=cluster.url)
    system = System(DIR, "memory:64M")
    try:
        traffic = Traffic(system.ports, SEED, writers=6, readers=10, pause=0.01)
        faults = Faults(SEED, [*system.faults(), *pair.faults(), *redis.faults(), *cluster.faults()])
        run_campaign(traffic, faults, SECONDS, OPERATIONS, say=say)
        members = cluster.members()
        dead = 0
        if not wrong(traffic, faults):
            dead = traffic.settle()
            say("all that was accepted is stored; reading it")
            traffic.read_all()
        if wrong(traffic, faults):
            keep_logs()
            for life, _ in traffic.wrong[:5]:
                say(evidence(life, redis))
    finally:
        system.stop()
    said = verdict(traffic, faults, dead)
    assert members == 3, f"{QUEUE} has {members} members"
    assert traffic.answered() >= OPERATIONS, said
    return f"{said}\n# no primary of PostgreSQL for {max(pair.failovers, default=0):.1f} s at most; seed {SEED}"


run()
