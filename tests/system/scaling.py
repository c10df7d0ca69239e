"""The commands of senti-scaling(7), in their order and with few records: each does what the page says, and shards split the records among them."""
# servers: postgresql redis kafka
# needs: rabbitmq sqlite3
# packages: pika psycopg
# seconds: 45
import json
import os
import re
import subprocess
import sys

from account import left, select, service
from tap import check, run

DIR, ROOT = sys.argv[1], os.environ["SENTI_ROOT"]
N = 2000
os.environ["SENTI_AMQP"] = service("start", "rabbitmq", DIR, "plugin=rabbitmq_consistent_hash_exchange").split("'")[1]
FOLDER = os.path.join(DIR, "page")


def blocks():
    with open(f"{ROOT}/man/senti-scaling.7") as f:
        return [b.replace("\\e", "\\") for b in re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed$", f.read(), re.M | re.S)]


def lines_of(name):
    with open(os.path.join(FOLDER, name), "rb") as f:
        return f.read().splitlines()


@check
def page():
    "every block ends with status 0"
    os.mkdir(FOLDER)
    with open(f"{FOLDER}/rabbitmqctl", "w") as f:
        f.write(f'#!/bin/sh\nexec "{os.environ["SENTI_SERVICES"]}" ctl rabbitmq "{DIR}" "$@"\n')
    os.chmod(f"{FOLDER}/rabbitmqctl", 0o755)
    some = blocks()
    assert len(some) >= 8, len(some)
    for block in some:
        done = subprocess.run(["bash", "-e", "-o", "pipefail", "-c", block], cwd=ROOT, capture_output=True, timeout=120,
                              env={**os.environ, "DIR": FOLDER, "N": str(N), "PATH": f"{FOLDER}:{os.environ['PATH']}"})
        assert done.returncode == 0, f"{block}\nstatus {done.returncode}\n{done.stdout[-500:]}\n{done.stderr.decode()[-1500:]}"
    return f"{len(some)} blocks"


@check
def amounts():
    "each measured command has worked on all records"
    assert len(lines_of("texts.jsonl")) == len(lines_of("scored.jsonl")) == N
    assert select(f"{FOLDER}/one.db", "select count(*) from message") == [(N,)]
    assert [left(q) for q in ("scaling", "scaling.dead", "packs", "packs.dead")] == [0, 0, 0, 0]


@check
def shards():
    "a record is in one shard, by its id, and all records are in one"
    wanted = {json.loads(line)["id"] for line in lines_of("texts.jsonl")}
    for kind in "shard", "kafka":
        each = [{row[0] for row in select(f"{FOLDER}/{kind}-{n}.db", "select id from message")} for n in range(2)]
        assert set.union(*each) == wanted and sum(map(len, each)) == N, (kind, [len(ids) for ids in each])
        assert min(map(len, each)) > N / 4, (kind, [len(ids) for ids in each])


run()
