"""contrib/spark on a standalone master with two workers: RDDs, Arrow and streams give what one machine gives, and faults lose nothing and leave nothing.

SENTI_SPARK_RECORDS says how many records (10,000). With a million or more (make spark) an error upstream must have ended a job that is tried four times
within five seconds; how long scoring takes beside handing the records through is only told, since others share the machine."""
# servers: spark postgresql
# packages: pika psycopg
# seconds: 90
import glob
import hashlib
import json
import os
import signal
import sqlite3
import sys

import psycopg

from account import Running, select, tool, wait_until
from tap import check, run

DIR, ROOT = sys.argv[1], os.environ["SENTI_ROOT"]
RECORDS = int(os.environ.get("SENTI_SPARK_RECORDS", "10000"))
LONG = RECORDS >= 1000000
SOURCE = os.path.join(DIR, "records.jsonl")
HELPER = os.path.join(ROOT, "contrib/spark/senti_spark.py")
JOB = os.path.join(ROOT, "tests/live/lib/spark_job.py")


# ---- Spark ----

def submit(*args):
    return [os.environ["SENTI_SERVICES"], "ctl", "spark", DIR, *args]


def job(*args, **env):
    """What the driver said."""
    path = os.path.join(DIR, f"said.{len(Running.all)}")
    with open(path, "wb") as f:
        r = Running(DIR, *submit("--py-files", HELPER, JOB, *map(str, args)), stdout=f, env={**os.environ, **env})
    r.ends(timeout=600 + RECORDS / 1000)
    with open(path) as f:
        return json.loads(f.read().splitlines()[-1])


def processes():
    """What our Spark has started, by its environment: {pid: command line}."""
    found = {}
    for path in glob.glob("/proc/[0-9]*"):
        try:
            with open(path + "/environ", "rb") as f:
                ours = f"SPARK_CONF_DIR={DIR}/spark".encode() in f.read().split(b"\0")
            with open(path + "/cmdline", "rb") as f:
                line = f.read().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if ours and line:
            found[int(path.split("/")[2])] = line
    return found


def nothing_left():
    """Of filters, and of what they have started: Spark itself is Java and Python."""
    def left():
        return [line for line in processes().values() if "java" not in line and "python" not in line]

    wait_until(lambda: not left(), 5, f"left: {left()}")


# ---- records ----

def make_records():
    words = "I love this, it is great|not good at all|the parcel came on Monday|awful, I hate waiting|fine :)|VERY happy with it!!!".split("|")
    with open(SOURCE, "w") as f:
        for i in range(RECORDS):
            f.write(json.dumps({"id": f"r{i}", "text": f"{words[i % 6]} number {i}, {words[i // 6 % 6]}", "n": i}) + "\n")


def md5(rows):
    return hashlib.md5(b"".join(sorted(rows))).hexdigest()


def rows_of(folder):
    return [row for path in glob.glob(f"{folder}/part-*") for row in open(path, "rb")]


def alone():
    """What one machine makes of the records."""
    with open(SOURCE, "rb") as f:
        return tool("senti-score", data=f.read())[0].splitlines(keepends=True)


def stored():
    with psycopg.connect(os.environ["SENTI_STORE"]) as c:
        return c.execute("select count(*) from senti.message").fetchone()[0]


# ---- checks ----

@check
def same_as_alone():
    "an RDD and Arrow give what one machine gives: the md5 of the sorted lines"
    seconds = job("ways", SOURCE, DIR, ROUNDS="3" if LONG else "1")
    want = md5(alone())
    for way in ("rdd", "arrow"):
        assert md5(rows_of(f"{DIR}/{way}.0")) == want, way
    best = {name: min(times) for name, times in seconds.items()}
    ratio = {way: [best[way] / best[f"{way}-{lines}"] for lines in ("in", "out")] for way in ("rdd", "arrow")}
    said = ", ".join(f"{way} {best[way]:.1f} s, {r[0]:.2f} times as long as handing the records through, {r[1]:.2f} times the scored ones"
                     for way, r in ratio.items())
    return said


@check
def program():
    "spark-submit senti_spark.py does the same from files to files"
    Running(DIR, *submit(HELPER, SOURCE, f"{DIR}/program", "senti-score", "-m", "vader")).ends(timeout=600)
    assert md5(rows_of(f"{DIR}/program")) == md5(alone())
    nothing_left()


@check
def faults():
    "what must fail does, soon, says why and leaves no process"
    found = job("faults", SOURCE, DIR, TRIES="4" if LONG else "1")
    nothing_left()

    def fails(name, *words):
        error = found[name].get("error")
        assert error, f"{name}: {found[name]}"
        for word in words:
            assert word in error, f"{name}: {error}"

    assert found["warm"]["result"] == found["after-take"]["result"] == RECORDS and found["take"]["result"] == 5
    for name in "upstream", "upstream-asleep":
        fails(name, "the source broke")
        assert not LONG or found[name]["seconds"] <= 5, found[name]
    fails("status", "FilterError", "status 3")
    fails("swallowed", "FilterError", "records in")
    fails("too-early", "FilterError")
    fails("missing", "no-such-tool")
    fails("null", "a row is null")
    fails("reject", "1 rejects, the first", "FilterError")
    assert "I hate it" not in found["reject"]["error"]
    for name in "rejects", "rejects-arrow":
        values = [a for a, b in found[name]["result"] if a is not None]
        refused = [b for a, b in found[name]["result"] if b is not None]
        assert [json.loads(v)["sentiment"]["label"] for v in sorted(values)] == ["positive", "negative"], found[name]
        assert sorted(json.loads(v)["error"]["code"] for v in refused) == ["bad_json", "bad_text"], found[name]
    for name in "nameless", "nameless-pipeline":
        fails(name, "a record has no id")
    try:
        assert not select(f"{DIR}/refused.db", "select id from message where id <> 'a'")
    except sqlite3.OperationalError:  # it was refused before the store was made
        pass
    return f"an error upstream after {found['upstream']['seconds']:.1f} s"


@check
def executor_killed():
    "an executor killed while it stores: each record is one row"
    tool("senti-store", "migrate")
    rate = 1000 if RECORDS < 100000 else 0
    r = Running(DIR, *submit("--py-files", HELPER, JOB, "store", SOURCE, str(rate)))
    wait_until(lambda: stored() > RECORDS / 10, 300, "nothing is stored")
    executors = [pid for pid, line in processes().items() if "CoarseGrainedExecutorBackend" in line]
    assert len(executors) == 2, executors
    os.kill(executors[0], signal.SIGKILL)
    assert stored() < RECORDS, "it was too late"
    r.ends(timeout=600 + RECORDS / 1000)
    assert stored() == RECORDS
    nothing_left()


@check
def stream_killed():
    "a stream whose driver is killed goes on where it was: each record once in the files, and one row"
    files, folder = f"{DIR}/files", f"{DIR}/stream"
    os.mkdir(files)
    with open(SOURCE, "rb") as f:
        some = [line.replace(b'"id": "r', b'"id": "s') for line, _ in zip(f, range(6000))]
    for n in range(6):
        with open(f"{files}/{n}.jsonl", "wb") as f:
            f.writelines(some[n * 1000:(n + 1) * 1000])
    before = stored()
    r = Running(DIR, *submit("--py-files", HELPER, JOB, "stream", files, folder))

    def batches():
        return [len(glob.glob(f"{folder}/{name}/commits/[0-9]*")) for name in ("scored", "stored")]

    wait_until(lambda: min(batches()) >= 1, 300, "no batch is done")
    r.kill()
    assert max(batches()) < 6, "it was too late"
    job("stream", files, folder)
    assert batches() == [6, 6]
    out = [row for path in listed(f"{folder}/out") for row in open(path, "rb")]
    assert sorted(out) == sorted(tool("senti-score", data=b"".join(some))[0].splitlines(keepends=True))
    assert stored() - before == 6000
    nothing_left()


def listed(folder):
    """The files that the sink's log names; others are of batches that were cut off."""
    found = set()
    for log in glob.glob(f"{folder}/_spark_metadata/[0-9]*"):
        with open(log) as f:
            found |= {json.loads(line)["path"].removeprefix("file://") for line in f.read().splitlines()[1:]}
    return found


make_records()
run()
