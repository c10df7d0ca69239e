"""The whole service while all of it fails: two senti-serves, two workers, PostgreSQL, Redis and RabbitMQ are killed, stopped, frozen and started again at
random under writers and readers. Every answer is held to what was acknowledged before:

- what was answered with a version is stored, exactly as it was answered, until the same writer changes it; a message that was accepted (202) is stored
  later, or is a dead letter;
- a read is at least as new as the last acknowledged write of its id, at the latest LAG_S after it;
- after a write that failed, or whose answer was lost, the message is as before or as written, and nothing else.

A queue delivers at least once: a worker that dies after it has stored a message leaves it to be stored again. That changes nothing, unless the message was
deleted meanwhile or got another text, so here an id has one text, and a deletion is the last that its writer does.

For an hour: SENTI_CAMPAIGN_SECONDS=3600 SENTI_CAMPAIGN_SEED=7 tests/live/run tests/live/campaign.py"""
# servers: postgresql redis rabbitmq
# packages: psycopg pika
# seconds: 60
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter

import pika
import psycopg

from tap import check, run

DIR = sys.argv[1]
SECONDS = float(os.environ.get("SENTI_CAMPAIGN_SECONDS", 25))
SEED = int(os.environ.get("SENTI_CAMPAIGN_SEED", 0)) or random.SystemRandom().randrange(1, 1 << 30)
LAG_S = 60  # more than the longest fault
END_S = 240  # for all that was accepted to be stored, once nothing fails any more
WRITERS, READERS = 6, 4
PAUSE_S = 0.02  # of each of them between two requests
QUEUE = "texts"
ABSENT = {"version": 0}
PIPELINE = "senti-cache get | senti-score | senti-store put --retry 60 | senti-cache put"


class Life:
    """What its writer knows of one message. Only the writer changes it; readers look at `known`, which is replaced as a whole."""

    def __init__(self, name, text):
        self.name, self.text = name, text
        self.known = ABSENT   # the record as it was last acknowledged; without a text: it is not stored
        self.maybe = []       # what it may have become since: records without a version, ABSENT for a deletion
        self.accepted = None  # the text that will be stored
        self.writing = False

    def is_settled(self):
        return not self.maybe and self.accepted is None

    def allows(self, got):
        """True if the message may be `got` (a record, or None if it is not there) in the end."""
        candidates = [self.known, *self.maybe] + ([{"text": self.accepted}] if self.accepted else [])
        if got is None:
            return any("text" not in c for c in candidates)
        return any(c == got if c.get("version") else "text" in c and c["text"] == got["text"] and c.get("label", got["label"]) == got["label"]
                   for c in candidates)


def shown(record):
    """Of a record as the service answers it what is compared."""
    label = (record.get("sentiment") or {}).get("label")
    return {"version": record.get("version", 0), "text": record["text"], "label": label, "corrected": record.get("corrected", False)}


# ---- the processes ----

def service(*args):
    subprocess.run([os.environ["SENTI_SERVICES"], *args], check=True, timeout=180, stdout=subprocess.DEVNULL)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


class Process:
    """One of senti's, started again whenever it ends, as a supervisor would."""

    def __init__(self, name, *argv):
        self.name, self.argv, self.ending, self.starts = name, argv, False, 0
        self.start()
        self.thread = threading.Thread(target=self.keep, daemon=True)
        self.thread.start()

    def start(self):
        with open(os.path.join(DIR, self.name + ".log"), "ab") as log:
            self.process = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=DIR, start_new_session=True)
        self.starts += 1

    def keep(self):
        while not self.ending:
            self.process.wait()
            if not self.ending:
                time.sleep(0.2)
                self.start()

    def signal(self, number):
        try:
            os.kill(self.process.pid, number)
        except ProcessLookupError:
            pass

    def stop(self):
        self.ending = True
        self.signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.thread.join()


# ---- the clients ----

class Client:
    """One connection to each server. A request gives (status, JSON or None); status 0: no answer."""

    def __init__(self, ports, rng, pause=PAUSE_S):
        self.rng, self.ports, self.open, self.pause = rng, ports, {}, pause

    def ask(self, method, path, body=None, prefer=None):
        time.sleep(self.pause)
        port = self.rng.choice(self.ports)
        c = self.open.get(port) or http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        self.open[port] = c
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if prefer:
            headers["Prefer"] = prefer
        try:
            c.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = c.getresponse()
            data = answer.read()
            return answer.status, json.loads(data) if data and answer.status < 300 else None
        except (OSError, http.client.HTTPException):
            c.close()
            return 0, None


class Campaign:
    def __init__(self):
        self.ports = [free_port(), free_port()]
        self.lives, self.lock = [], threading.Lock()
        self.done, self.faults, self.wrong = Counter(), Counter(), []
        self.over = threading.Event()
        self.longest = 0.0
        self.servers = [Process(f"serve{i}", "senti-serve", "-v", "-l", f"127.0.0.1:{p}", "--queue", f"amqp:{QUEUE}", "--drain-delay", "0")
                        for i, p in enumerate(self.ports)]
        self.workers = [Process(f"worker{i}", "senti-worker", "-q", QUEUE, "--retry", "60", "--", "bash", "-o", "pipefail", "-c", PIPELINE)
                        for i in range(2)]

    def violation(self, life, what):
        with self.lock:
            self.wrong.append(f"{life.name}: {what}; known {life.known}, maybe {life.maybe}, accepted {life.accepted}")

    def count(self, what):
        with self.lock:
            self.done[what] += 1

    # -- writing --

    def write(self, c, life):
        """Sends the message (again, which changes nothing), corrects its label or deletes it. What was not answered is one of the things that it may be."""
        kind = c.rng.choices(["post", "patch", "delete"], [3, 6, 1])[0] if "text" in life.known else "post"
        path = "/v1/messages/" + life.name
        life.writing = True
        if kind == "post":
            status, said = c.ask("POST", "/v1/messages", {"id": life.name, "text": life.text}, c.rng.choice(["wait=5", "wait=5", None]))
            if status == 200 and said.get("version"):
                if "text" in life.known and shown(said) != life.known:
                    self.violation(life, f"sent again it is {shown(said)}")
                life.known = shown(said)
            elif status in (200, 202) and "text" not in life.known:
                life.accepted = life.text
            elif "text" not in life.known:
                life.maybe.append({"text": life.text})
        elif kind == "patch":
            label = c.rng.choice(["positive", "negative", "neutral"])
            status, said = c.ask("PATCH", path, {"label": label})
            if status == 200:
                life.known = shown(said)
            else:
                life.maybe.append({"text": life.known["text"], "label": label})
        else:
            status, said = c.ask("DELETE", path)
            if status == 204:
                life.known = {"version": life.known["version"]}
                life.maybe.append({"text": life.text})
            else:
                life.maybe.append(ABSENT)
        life.writing = False
        # A deletion that the server tried again, because the database died at its commit, finds the message gone.
        if status == 404 and kind != "delete":
            self.violation(life, f"{kind} says 404")
        self.count(f"{kind} {status}")

    def writer(self, number):
        c = Client(self.ports, random.Random(f"{SEED} {number}"))
        n = 0
        while not self.over.is_set():
            n += 1
            life = Life(f"w{number}-{n}", f"I {c.rng.choice(['love', 'hate', 'saw'])} number {n} of {number}")
            with self.lock:
                self.lives.append(life)
            for _ in range(c.rng.randrange(1, 12)):
                if self.over.is_set() or not life.is_settled():
                    break
                self.write(c, life)
                if life.is_settled():
                    self.read(c, life)

    # -- reading --

    def look(self, c, life):
        """Reads once: None if that says nothing wrong, else what is not right yet."""
        known, settled = life.known, life.is_settled()
        status, said = c.ask("GET", "/v1/messages/" + life.name)
        self.count(f"get {status}")
        if status not in (200, 404):
            return None
        got = shown(said) if status == 200 else None
        if life.known is not known or life.writing or not settled or not life.is_settled():
            return None  # it has changed meanwhile, or nobody knows
        if got is not None and got["version"] > known["version"]:
            return f"reads as {got}, which nobody wrote"
        if got is not None and got["version"] == known["version"] and got != known:
            return f"reads as {got}"
        if got != (known if "text" in known else None):
            return f"is still {got}"
        return ""

    def read(self, c, life):
        """Reads, and again until it is as new as the last acknowledged write."""
        began = time.monotonic()
        while said := self.look(c, life):
            late = time.monotonic() - began
            if late > LAG_S:
                self.violation(life, f"{said} after {late:.0f} s")
                return
            with self.lock:
                self.longest = max(self.longest, late)
            time.sleep(0.05)

    def reader(self, number):
        c = Client(self.ports, random.Random(f"{SEED} reader {number}"))
        while not self.over.is_set():
            with self.lock:
                some = [c.rng.choice(self.lives) for _ in range(8 if self.lives else 0)]
            life = next((l for l in some if "text" in l.known), some[0] if some else None)
            if life:
                self.read(c, life)
            else:
                time.sleep(PAUSE_S)

    # -- failing --

    def fail_once(self, rng):
        def frozen(pid):
            os.kill(pid, signal.SIGSTOP)
            time.sleep(rng.uniform(0.2, 3))
            os.kill(pid, signal.SIGCONT)

        def pid_of(name):
            with open(os.path.join(DIR, "pids", name)) as f:
                return int(f.read().split()[0])

        def killed(name):
            service("kill", name, DIR)
            time.sleep(rng.uniform(0, 2))
            service("again", name, DIR)

        def cut():
            with psycopg.connect(os.environ["SENTI_STORE"], autocommit=True) as db:
                db.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()")

        server, worker = rng.choice(self.servers), rng.choice(self.workers)
        what, how, weight = zip(
            ("server killed", lambda: server.signal(signal.SIGKILL), 5),
            ("server ended", lambda: server.signal(signal.SIGTERM), 3),
            ("server frozen", lambda: frozen(server.process.pid), 3),
            ("worker killed", lambda: worker.signal(signal.SIGKILL), 5),
            ("worker ended", lambda: worker.signal(signal.SIGTERM), 2),
            ("worker frozen", lambda: frozen(worker.process.pid), 2),
            ("connections of PostgreSQL cut", cut, 3),
            ("PostgreSQL killed", lambda: killed("postgresql"), 2),
            ("Redis killed", lambda: killed("redis"), 3),
            ("Redis frozen", lambda: frozen(pid_of("redis")), 3),
            ("RabbitMQ killed", lambda: killed("rabbitmq"), 1))
        i = rng.choices(range(len(what)), weight)[0]
        self.faults[what[i]] += 1
        try:
            how[i]()
        except (ProcessLookupError, psycopg.OperationalError):
            pass  # it is gone already, and is being started again

    def run(self):
        threads = [threading.Thread(target=self.writer, args=(i,)) for i in range(WRITERS)]
        threads += [threading.Thread(target=self.reader, args=(i,)) for i in range(READERS)]
        for t in threads:
            t.start()
        rng = random.Random(f"{SEED} faults")
        until = time.monotonic() + SECONDS
        while time.monotonic() < until and not self.wrong:
            time.sleep(rng.uniform(0.1, 1.5))
            self.fail_once(rng)
        self.over.set()
        for t in threads:
            t.join()

    # -- the end --

    def dead(self):
        """The texts of dead letters."""
        broker = pika.BlockingConnection(pika.URLParameters(os.environ["SENTI_AMQP"]))
        channel, found = broker.channel(), {}
        while (got := channel.basic_get(QUEUE + ".dead", auto_ack=True))[0]:
            record = json.loads(got[2])
            found[record["id"]] = record["text"]
        broker.close()
        return found

    def stored(self):
        with psycopg.connect(os.environ["SENTI_STORE"]) as db:
            rows = db.execute("SELECT id, version, text, label, (sentiment ->> 'corrected') = 'true' FROM senti.message").fetchall()
        return {r[0]: {"version": r[1], "text": r[2], "label": r[3], "corrected": bool(r[4])} for r in rows}

    def settle(self):
        """Nothing fails any more: waits until all that was accepted is stored. What is stored is the truth then, for the servers too."""
        dead, until = {}, time.monotonic() + END_S
        while True:
            dead.update(self.dead())
            rows = self.stored()
            missing = [l for l in self.lives if l.accepted and rows.get(l.name, ABSENT).get("text") != l.accepted and dead.get(l.name) != l.accepted]
            if not missing or time.monotonic() > until:
                break
            time.sleep(0.5)
        for life in missing:
            self.violation(life, f"is stored as {rows.get(life.name)}, although it was accepted")
        for life in self.lives:
            if life not in missing and life.name not in dead and not life.allows(rows.get(life.name)):
                self.violation(life, f"is stored as {rows.get(life.name)}")
            life.known, life.maybe, life.accepted = rows.get(life.name, {"version": 1 << 62}), [], None
        extra = rows.keys() - {l.name for l in self.lives}
        assert not extra, extra
        assert len({r["version"] for r in rows.values()}) == len(rows), "two rows have one version"
        return len(dead)

    def read_all(self):
        for port in self.ports:
            c = Client([port], random.Random(0), pause=0)
            for life in self.lives:
                self.read(c, life)

    def stop(self):
        for p in self.servers + self.workers:
            p.stop()


@check
def everything_fails():
    "each answer is held to what was acknowledged, while all servers are killed, frozen and started again at random"
    print(f"# SENTI_CAMPAIGN_SEED={SEED}", flush=True)
    subprocess.run(["senti-store", "migrate"], check=True, timeout=60)
    c = Campaign()
    try:
        c.run()
        dead = c.settle()
        c.read_all()
    finally:
        c.stop()
    assert not c.wrong, f"{len(c.wrong)} violations, such as\n" + "\n".join(c.wrong[:20])
    total = sum(c.done.values())
    good = sum(n for what, n in c.done.items() if what.split()[1] in ("200", "202", "204", "404"))
    assert good > total / 2 and sum(c.faults.values()) > SECONDS / 10, (c.done, c.faults)
    return (f"{total} requests, {good} answered, {len(c.lives)} messages, {dead} dead letters, {sum(c.faults.values())} faults, "
            f"longest lag {c.longest:.1f} s\n# " + ", ".join(f"{k}: {n}" for k, n in sorted((c.done + c.faults).items())))


run()
