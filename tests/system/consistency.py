"""Consistency of reads through the cache; its arguments are SECONDS (60), and a RULE to break.

Eight writers change and delete rows (two or three in a transaction, which may stay open for a while, so that numbers commit out of order), eight
readers read through the cache (reader.c), the follower is killed with -9 and started again, Redis is killed and started again, empty. In turns
of some seconds of that and some seconds of rest. Then every read is judged by what the writers know:

  (a) none shows a row that had been replaced for longer than BOUND, not counting the time for which the follower or Redis was away;
  (b) none that begins at rest, after the follower has caught up, shows anything but the newest;
  (c) which also holds for what slow readers put: they pause for longer than a tombstone lives, into the time of rest.

With a RULE it is broken on purpose, and the judge must find it.
"""
# servers: postgresql redis
# packages: psycopg
# programs: reader
# seconds: 60
import bisect
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict

import psycopg

from tap import Tap

DIR, READER = sys.argv[1], os.path.join(os.environ["SENTI_BUILD"], "tests", "live", "lib", "reader")
SECONDS = float(sys.argv[2]) if len(sys.argv) > 2 else 60
RULE = sys.argv[3] if len(sys.argv) > 3 else None
STORE, CACHE = os.environ["SENTI_STORE"], os.environ["SENTI_REDIS"]
BROKEN = ["broken", RULE] if RULE else []
SEED = int(os.environ.get("SEED", "7"))

BUSY, REST = 2.5, 4.0  # seconds: a turn; REST is longer than the longest pause of a reader
BOUND = 3.0            # seconds: generous, for a machine that does other things as well
WRITERS, KEYS, CRAWLED = 8, 60, 30
IDS = [f"k{i}" for i in range(KEYS)] + [f"c{i}" for i in range(CRAWLED)]


def now():
    return time.monotonic_ns()


class Lives:
    """What each id was, in order: (version or None where there was none, when its commit began, when it had ended)."""

    def __init__(self):
        self.states = {id: [(None, 0, 0)] for id in IDS}
        self.locks = {id: threading.Lock() for id in IDS}

    def add(self, id, version, began, ended):
        self.states[id].append((version, began, ended))


def change(cursor, id, rng):
    """One row: deleted, or put by hand; returns its version, None where it is gone."""
    if rng.random() < 0.2:
        cursor.execute("DELETE FROM senti.message WHERE id = %s", (id,))
        return None
    cursor.execute("INSERT INTO senti.message (id, text) VALUES (%s, %s)"
                   " ON CONFLICT (id) DO UPDATE SET text = excluded.text RETURNING version", (id, str(rng.random())))
    return cursor.fetchone()[0]


class Gate:
    """Lets writers in, or keeps them out and waits until none is inside."""

    def __init__(self):
        self.condition, self.open, self.inside = threading.Condition(), False, 0

    def set(self, open):
        with self.condition:
            self.open = open
            self.condition.notify_all()
            self.condition.wait_for(lambda: open or self.inside == 0)

    def enter(self):
        with self.condition:
            entered = self.condition.wait_for(lambda: self.open, 0.1)
            self.inside += entered
            return entered

    def leave(self):
        with self.condition:
            self.inside -= 1
            self.condition.notify_all()


def write(lives, rng, gate, end):
    with psycopg.connect(STORE) as connection, connection.cursor() as cursor:
        while not end.is_set():
            if not gate.enter():
                continue
            ids = sorted(rng.choice(IDS[KEYS:] if rng.random() < 0.3 else IDS[:KEYS]) for _ in range(rng.randint(1, 3)))
            ids = sorted(set(ids))
            for id in ids:
                lives.locks[id].acquire()
            versions = [change(cursor, id, rng) for id in ids]
            luck = rng.random()
            time.sleep(0 if luck < 0.7 else rng.uniform(0, 0.05) if luck < 0.95 else rng.uniform(0.1, 0.4))
            began = now()
            connection.commit()
            ended = now()
            for id, version in zip(ids, versions):
                lives.add(id, version, began, ended)
                lives.locks[id].release()
            gate.leave()
            time.sleep(rng.uniform(0.02, 0.2))


class Follower:
    def __init__(self):
        self.process, self.outages, self.kills, self.since = None, [], 0, now()
        self.start()

    def start(self):
        self.process = subprocess.Popen([READER, "follow", STORE, CACHE, "test", *BROKEN])
        self.outages.append((self.since, now()))

    def kill(self):
        self.since = now()
        self.process.kill()
        self.process.wait()
        self.kills += 1

    def behind(self):
        return subprocess.run([READER, "behind", STORE, "test"]).returncode != 0


def service(*args):
    subprocess.run([os.environ["SENTI_SERVICES"], args[0], "redis", DIR], check=True)


TURNS = ["follower", "redis", "both", "nothing"]  # what goes


def disturb(follower, what, rng, redis_kills):
    """A busy turn: the follower goes for a while, or Redis, or both; returns the times without Redis."""
    end, outages = time.monotonic() + BUSY, []
    time.sleep(rng.uniform(0.1, 0.8))
    if what in ("follower", "both"):
        follower.kill()
    if what in ("redis", "both"):
        began = now()
        service("kill")
        time.sleep(rng.uniform(0, 0.5))
        service("again")
        outages.append((began, now()))
        redis_kills.append(began)
    if what in ("follower", "both"):
        time.sleep(rng.uniform(0, 1.0))
        follower.start()
    time.sleep(max(0, end - time.monotonic()))
    return outages


def caught_up(follower):
    """Waits until all changes are buried: when that was seen."""
    deadline = time.monotonic() + 30
    while follower.behind():
        assert time.monotonic() < deadline, "the follower does not catch up"
    return now()


def run():
    """Returns lives, reads, outages and rests, and what has been done."""
    rng = random.Random(SEED)
    lives, gate, end = Lives(), Gate(), threading.Event()
    subprocess.run(["senti-store", "migrate"], check=True, stdout=subprocess.DEVNULL)
    writers = [threading.Thread(target=write, args=(lives, random.Random(rng.random()), gate, end)) for _ in range(WRITERS)]
    follower, outages, rests, redis_kills = Follower(), [], [], []
    reads = open(os.path.join(DIR, "reads"), "w")
    reader = subprocess.Popen([READER, "read", STORE, CACHE, "3600", str(SEED), *BROKEN], stdout=reads)
    for writer in writers:
        writer.start()
    stop = time.monotonic() + SECONDS
    while time.monotonic() < stop:
        gate.set(True)
        outages += disturb(follower, TURNS[len(rests) % len(TURNS)], rng, redis_kills)
        gate.set(False)
        began = caught_up(follower)
        time.sleep(REST)
        rests.append((began, now()))
    end.set()
    for writer in writers:
        writer.join()
    verified = subprocess.run(["senti-cache", "verify"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    reader.send_signal(signal.SIGTERM)
    assert reader.wait(20) == 0, f"the readers end with {reader.returncode}"
    follower.kill()
    reads.close()
    done = {"changes": sum(len(s) - 1 for s in lives.states.values()), "follower killed": follower.kills - 1,
            "Redis killed": len(redis_kills), "rests": len(rests), "verify": verified.returncode}
    return lives, parse(os.path.join(DIR, "reads")), outages + follower.outages, rests, done, verified


def parse(path):
    with open(path) as file:
        for line in file:
            began, ended, id, version, how = line.split()
            yield int(began), int(ended), id, None if version == "-" else int(version), how


def away(outages, began, ended):
    """For how long of this time something was away."""
    return sum(max(0, min(ended, to) - max(began, since)) for since, to in outages)


def replaced(states, read):
    """When the state that was read was replaced, None if it is the newest; -1 if there was no such state by then."""
    began, ended, _, version, _ = read
    newest = -1
    for i, (known, since, _) in enumerate(states):
        if known != version or since > ended:
            continue
        if i + 1 == len(states):
            return None
        newest = max(newest, states[i + 1][2])
    return newest


def judge(lives, reads, outages, rests):
    """What is wrong, by kind, and what has been seen."""
    wrong, seen, oldest = defaultdict(list), Counter(), 0
    starts = [since for since, _ in rests]
    for read in reads:
        began, _, id, version, how = read
        seen[how] += 1
        until = replaced(lives.states[id], read)
        if until is None or until >= began:
            continue
        if until < 0:
            wrong["from nowhere"].append(read)
            continue
        age = (began - until - away(outages, until, began)) / 1e9
        oldest = max(oldest, age)
        seen["old"] += 1
        if age > BOUND:
            wrong["older than the bound"].append((age, read))
        i = bisect.bisect(starts, began) - 1
        if i >= 0 and began < rests[i][1]:
            wrong["stale at rest"].append((age, read))
    return wrong, seen, oldest


def main():
    lives, reads, outages, rests, done, verified = run()
    wrong, seen, oldest = judge(lives, reads, outages, rests)
    print(f"# {json.dumps(done)} {json.dumps(seen)} oldest {oldest:.3f} s; wrong: {({k: len(v) for k, v in wrong.items()})}")
    tap = Tap()
    if RULE:
        tap.result(bool(wrong), f"with the rule '{RULE}' broken the judge finds it")
    else:
        tap.result(done["changes"] > 10 * SECONDS and done["rests"] * 10 >= SECONDS, "many changes", done)
        tap.result(seen["hit"] > 50 * SECONDS and seen["stored"] > 5 * SECONDS, "many reads, from the cache and from the store", seen)
        tap.result(seen["left"] > 0, "some puts came too late", seen)
        tap.result(not wrong["from nowhere"], "every read shows what was there", wrong["from nowhere"][:3])
        tap.result(not wrong["older than the bound"], f"none shows what was replaced over {BOUND} s before",
               wrong["older than the bound"][:3])
        tap.result(not wrong["stale at rest"], "none is stale once the follower has caught up", wrong["stale at rest"][:3])
        tap.result(done["verify"] == 0, "and senti-cache verify finds nothing", verified.stdout + verified.stderr)
    return tap.done()


sys.exit(main())
