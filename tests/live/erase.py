"""A text that is deleted is nowhere any more: the recipe of senti-recipes(7), on SQLite, Redis and RabbitMQ; and what it cannot reach."""
# servers: redis rabbitmq
# needs: sqlite3 redis-cli jq
# packages: pika
# seconds: 15
import glob
import gzip
import json
import os
import re
import subprocess
import sys

from account import declare, fill, left, wait_until
from tap import check, run

DIR = sys.argv[1]
SECRET = "xyzzyplugh"  # a word that nothing else has
ENV = {**os.environ, "SENTI_STORE": f"sqlite:{DIR}/senti.db"}


def block(n):
    """The n-th block of the section."""
    with open(f"{os.environ['SENTI_ROOT']}/man/senti-recipes.7") as f:
        section = f.read().split("\n.Sh ERASE A PERSON\n")[1].split("\n.Sh ")[0]
    blocks = re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed$", section, re.M | re.S)
    assert len(blocks) == 3, blocks
    return blocks[n].replace("\\e", "\\")


def bash(line, status=0):
    done = subprocess.run(["bash", "-e", "-o", "pipefail", "-c", line], cwd=DIR, env=ENV, capture_output=True, timeout=100)
    assert done.returncode == status, f"{line}\nstatus {done.returncode}\n{done.stderr.decode()[-1500:]}"
    return done.stdout.decode()


def in_files():
    """The files of the database that have it."""
    found = []
    for path in glob.glob(f"{DIR}/senti.db*"):
        with open(path, "rb") as f:
            if SECRET.encode() in f.read():
                found.append(os.path.basename(path))
    return found


def redis(*args, data=b""):
    return subprocess.run(["redis-cli", "-u", os.environ["SENTI_REDIS"], *args], input=data, capture_output=True, timeout=30, check=True).stdout


def in_redis():
    """True if the name of an entry, or what it holds, has it. All entries are strings."""
    keys = redis("--scan")
    held = redis(data=b"".join(b"get %s\n" % k for k in keys.split()))
    assert b"WRONGTYPE" not in held
    return SECRET.encode() in keys + held


RECORDS = [{"id": f"m{i}", "text": f"I love {'the ' + SECRET if i % 10 == 0 else 'number'} {i}" + " and more" * (i % 7) * 300,
            "customer": "c42" if i % 10 == 0 else "c1"} for i in range(400)]


@check
def everywhere():
    "at first it is in the files, in the cache, and in a dead letter"
    with open(f"{DIR}/in.jsonl", "w") as f:
        f.writelines(json.dumps(r) + "\n" for r in RECORDS)
    bash("senti-score in.jsonl | senti-store put | senti-cache put >/dev/null; senti-store export | gzip >backup.jsonl.gz")
    declare("texts")
    bad = [{"id": f"d{i}", "text": SECRET if c == "c42" else "x", "customer": c, "sentiment": 7} for i, c in enumerate(("c42", "c1", "c42"))]
    fill("texts", bad)
    bash("senti-store put -i amqp:texts --idle 500 -o /dev/null", 1)
    wait_until(lambda: left("texts.dead") == 3, 30, "no dead letters")
    assert in_files() == ["senti.db"] and in_redis()


@check
def nowhere():
    "the recipe is run while another process has the database open: no file, entry or letter has it"
    reader = subprocess.Popen(["sqlite3", f"{DIR}/senti.db"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    reader.stdin.write(b"select count(*) from message;\n")
    reader.stdin.flush()
    assert reader.stdout.readline() == b"400\n"
    bash(block(0))
    assert in_files() == [] and not in_redis()
    reader.stdin.close()
    assert reader.wait(10) == 0
    assert bash("senti-store query --where customer=c42") == "" and bash("senti-store query | wc -l").strip() == "360"
    assert bash("senti-store stats | jq .outbox").strip() == "0", "the outbox still names them"
    bash(block(1))
    wait_until(lambda: left("texts") == 1, 30, "the other letter is not given another try")
    assert left("texts.dead") == 0


@check
def again():
    "it is done again, and nothing is lost; a back-up that is restored has it until the ids are erased there, too"
    bash(block(0))
    with gzip.open(f"{DIR}/backup.jsonl.gz") as f:
        assert SECRET.encode() in f.read()
    bash(block(2))
    assert bash("senti-store query --store sqlite:restored.db | wc -l").strip() == "360"
    with open(f"{DIR}/restored.db", "rb") as f:
        assert SECRET.encode() not in f.read()


run()
