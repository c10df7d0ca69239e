"""The whole service while all of it fails: two senti-serves, two workers, PostgreSQL, Redis and RabbitMQ are killed, stopped, frozen and started again at
random under writers and readers. Every answer is held to what was acknowledged before (lib/acknowledged.py says how).

For ten minutes: SENTI_CAMPAIGN_SECONDS=600 SENTI_CAMPAIGN_SEED=7 tests/live/run tests/live/campaign.py; with servers that stand in for each other:
tests/scale/campaign.py"""
# servers: postgresql redis rabbitmq
# packages: psycopg pika
# seconds: 60
import os
import random
import sys

from acknowledged import Traffic
from faults import Fault, Faults, System, cut, killed, redis_faults
from faults import run as run_campaign
from faults import verdict
from tap import check, run

DIR = sys.argv[1]
SECONDS = float(os.environ.get("SENTI_CAMPAIGN_SECONDS", 25))
SEED = int(os.environ.get("SENTI_CAMPAIGN_SEED", 0)) or random.SystemRandom().randrange(1, 1 << 30)


@check
def everything_fails():
    "each answer is held to what was acknowledged, while all servers are killed, frozen and started again at random"
    print(f"# SENTI_CAMPAIGN_SEED={SEED}", flush=True)
    system = System(DIR)
    try:
        traffic = Traffic(system.ports, SEED)
        faults = Faults(SEED, [*system.faults(), *redis_faults(DIR),
                               Fault("connections of PostgreSQL cut", 3, cut),
                               Fault("PostgreSQL killed", 2, lambda rng: killed("postgresql", DIR, rng)),
                               Fault("RabbitMQ killed", 1, lambda rng: killed("rabbitmq", DIR, rng))])
        run_campaign(traffic, faults, SECONDS)
        dead = traffic.settle()
        traffic.read_all()
    finally:
        system.stop()
    said = verdict(traffic, faults, dead)
    assert traffic.answered() > traffic.requests() / 2 and sum(faults.counts.values()) > SECONDS / 10, said
    return said


run()
