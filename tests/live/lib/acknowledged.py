"""Clients of senti-serve, and what they know: every answer is held to what was acknowledged before.

- What was answered with a version is stored, exactly as it was answered, until the same writer changes it; a message that was accepted (202) is stored
  later, or is a dead letter.
- A read is at least as new as the last acknowledged write of its id, at the latest LAG_S after it.
- After a write that failed, or whose answer was lost, the message is as before or as written, and nothing else.

A queue delivers at least once: a worker that dies after it has stored a message leaves it to be stored again. That changes nothing, unless the message was
deleted meanwhile or got another text, so here an id has one text, and a deletion is the last that its writer does.
"""
import http.client
import json
import os
import random
import threading
import time
import traceback
from collections import Counter

import pika
import psycopg

LAG_S = 60  # more than the longest fault
END_S = 240  # for all that was accepted to be stored, once nothing fails any more
QUEUE = "texts"
ABSENT = {"version": 0}
ANSWERED = (200, 202, 204, 304, 404)
RECENT = 300  # messages that are read most
ANSWERS = 7  # kept of a message, besides the last one: of writers, and of readers
KEPT = 20000  # messages of which they are kept


class Life:
    """What its writer knows of one message. Only the writer changes it; readers look at `known`, which is replaced as a whole."""
    __slots__ = "name", "text", "known", "maybe", "accepted", "writing", "seen", "writes", "reads"

    def __init__(self, name, text):
        self.name, self.text = name, text
        self.known = ABSENT   # the record as it was last acknowledged; without a text: it is not stored
        self.maybe = []       # what it may have become since: records without a version, ABSENT for a deletion
        self.accepted = None  # the text that will be stored
        self.writing = False
        self.seen = None, None  # an ETag, and the record that came with it
        self.writes, self.reads = [], []  # the last answers

    def is_settled(self):
        return not self.maybe and self.accepted is None

    def allows(self, got):
        """True if the message may be `got` (a record, or None if it is not there) in the end."""
        candidates = [self.known, *self.maybe] + ([{"text": self.accepted}] if self.accepted else [])
        if got is None:
            return any("text" not in c for c in candidates)
        return any(c == got if c.get("version") else "text" in c and c["text"] == got["text"] and c.get("label", got["label"]) == got["label"]
                   for c in candidates)

    def history(self):
        """One line for each of the last answers, in the order of time."""
        return "".join(f"\n    {at:8.2f} s: {what}" for at, what in sorted([*self.writes, *self.reads], key=lambda a: a[0]))


def shown(record):
    """Of a record as the service answers it what is compared."""
    label = (record.get("sentiment") or {}).get("label")
    return {"version": record.get("version", 0), "text": record["text"], "label": label, "corrected": record.get("corrected", False)}


class Client:
    """One connection to each server. A request gives (status, JSON or None); status 0: no answer."""

    def __init__(self, ports, rng, pause):
        self.rng, self.ports, self.open, self.pause = rng, ports, {}, pause
        self.port, self.etag = 0, None  # of the last answer

    def ask(self, method, path, body=None, **headers):
        time.sleep(self.pause)
        self.port = port = self.rng.choice(self.ports)
        c = self.open.get(port) or http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        self.open[port] = c
        headers = {name.replace("_", "-"): value for name, value in headers.items() if value}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            c.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = c.getresponse()
            data, self.etag = answer.read(), answer.getheader("ETag")
            return answer.status, json.loads(data) if data and answer.status < 300 else None
        except (OSError, http.client.HTTPException):
            c.close()
            return 0, None


class Traffic:
    """Writers and readers of the servers on `ports`. The store and the broker are those of SENTI_STORE and SENTI_AMQP."""

    def __init__(self, ports, seed, writers=6, readers=4, pause=0.02):
        """Each of them pauses so long between two requests, in seconds."""
        self.ports, self.seed, self.pause = ports, seed, pause
        self.lives, self.lock, self.began = [], threading.Lock(), time.monotonic()
        self.done, self.wrong = Counter(), []  # of requests, and [(life, what)]
        self.over = threading.Event()
        self.longest = 0.0
        self.failed = []  # of the clients themselves
        self.threads = [threading.Thread(target=self.client, args=(self.writer, i), daemon=True) for i in range(writers)]
        self.threads += [threading.Thread(target=self.client, args=(self.reader, i), daemon=True) for i in range(readers)]

    def start(self):
        for t in self.threads:
            t.start()

    def stop(self):
        self.over.set()
        for t in self.threads:
            t.join()

    def answered(self):
        with self.lock:
            return sum(n for what, n in self.done.items() if int(what.split()[1]) in ANSWERED)

    def requests(self):
        with self.lock:
            return sum(self.done.values())

    def violation(self, life, what):
        with self.lock:
            self.wrong.append((life, f"{life.name}: {what}; known {life.known}, maybe {life.maybe}, accepted {life.accepted}{life.history()}"))

    def ask(self, c, answers, method, path, body=None, **headers):
        """Asks as the client does, and keeps the answer as one of the last of its message."""
        status, said = c.ask(method, path, body, **headers)
        at = time.monotonic() - self.began
        del answers[:-ANSWERS]
        answers.append((at, f"{method} {json.dumps(body) if body else ''} to {c.port} says {status} {shown(said) if said and 'text' in said else ''}"))
        with self.lock:
            self.done[f"{method.lower()} {status}"] += 1
        return status, said

    def client(self, work, number):
        try:
            work(number)
        except Exception:
            self.failed.append(traceback.format_exc())

    # -- writing --

    def write(self, c, life):
        """Sends the message (again, which changes nothing), corrects its label or deletes it. What was not answered is one of the things that it may be."""
        kind = c.rng.choices(["post", "patch", "delete"], [3, 6, 1])[0] if "text" in life.known else "post"
        path = "/v1/messages/" + life.name
        life.writing = True
        if kind == "post":
            status, said = self.ask(c, life.writes, "POST", "/v1/messages", {"id": life.name, "text": life.text}, Prefer=c.rng.choice(["wait=5", "wait=5", None]))
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
            status, said = self.ask(c, life.writes, "PATCH", path, {"label": label})
            if status == 200:
                life.known = shown(said)
            else:
                life.maybe.append({"text": life.known["text"], "label": label})
        else:
            status, said = self.ask(c, life.writes, "DELETE", path)
            if status == 204:
                life.known = {"version": life.known["version"]}
                life.maybe.append({"text": life.text})
            else:
                life.maybe += [ABSENT, {"text": life.text}]  # deleted, and come again from the queue
        life.writing = False
        # A deletion that the server tried again, because the database died at its commit, finds the message gone.
        if status == 404 and kind != "delete":
            self.violation(life, f"{kind} says 404")

    def writer(self, number):
        c = Client(self.ports, random.Random(f"{self.seed} {number}"), self.pause)
        n = 0
        while not self.over.is_set():
            n += 1
            life = Life(f"w{number}-{n}", f"I {c.rng.choice(['love', 'hate', 'saw'])} number {n} of {number}")
            with self.lock:
                self.lives.append(life)
                for answers in (self.lives[-KEPT].writes, self.lives[-KEPT].reads) if len(self.lives) > KEPT else ():
                    answers.clear()
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
        etag, seen = life.seen if c.rng.random() < 0.3 else (None, None)
        status, said = self.ask(c, life.reads, "GET", "/v1/messages/" + life.name, If_None_Match=etag)
        got = shown(said) if status == 200 else seen if status == 304 else None
        if status == 200:
            life.seen = c.etag, got
        if status not in (200, 304, 404):
            return None
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
        c = Client(self.ports, random.Random(f"{self.seed} reader {number}"), self.pause)
        while not self.over.is_set():
            with self.lock:
                first = len(self.lives) - RECENT if c.rng.random() < 0.7 else 0
                some = [self.lives[c.rng.randrange(max(0, first), len(self.lives))] for _ in range(8 if self.lives else 0)]
            life = next((l for l in some if "text" in l.known), some[0] if some else None)
            if life:
                self.read(c, life)
            else:
                time.sleep(self.pause)

    # -- the end --

    @staticmethod
    def take_dead(found):
        """Adds the texts of dead letters. A queue of a broker that has just started again may not answer yet."""
        try:
            with pika.BlockingConnection(pika.URLParameters(os.environ["SENTI_AMQP"].split(",")[0])) as broker:
                channel = broker.channel()
                while (got := channel.basic_get(QUEUE + ".dead"))[0]:
                    record = json.loads(got[2])
                    found[record["id"]] = record["text"]
                    channel.basic_ack(got[0].delivery_tag)
            return True
        except pika.exceptions.AMQPError as e:
            print(f"# dead letters: {e!r}"[:200], flush=True)
            return False

    @staticmethod
    def stored():
        with psycopg.connect(os.environ["SENTI_STORE"]) as db:
            rows = db.execute("SELECT id, version, text, label, (sentiment ->> 'corrected') = 'true' FROM senti.message").fetchall()
        return {r[0]: {"version": r[1], "text": r[2], "label": r[3], "corrected": bool(r[4])} for r in rows}

    def settle(self):
        """Nothing fails any more: waits until all that was accepted is stored. What is stored is the truth then, for the servers too. How many dead letters
        there are."""
        dead, until = {}, time.monotonic() + END_S
        while True:
            taken = self.take_dead(dead)
            rows = self.stored()
            missing = {l.name for l in self.lives
                       if l.accepted and rows.get(l.name, ABSENT).get("text") != l.accepted and dead.get(l.name) != l.accepted}
            if (taken and not missing) or time.monotonic() > until:
                break
            time.sleep(0.5)
        for life in self.lives:
            if life.name in missing:
                self.violation(life, f"is stored as {rows.get(life.name)}, although it was accepted")
            elif life.name not in dead and not life.allows(rows.get(life.name)):
                self.violation(life, f"is stored as {rows.get(life.name)}")
            life.known, life.maybe, life.accepted = rows.get(life.name, {"version": 1 << 62}), [], None
        assert taken, "the queue of dead letters does not answer"
        extra = rows.keys() - {l.name for l in self.lives}
        assert not extra, extra
        assert len({r["version"] for r in rows.values()}) == len(rows), "two rows have one version"
        return len(dead)

    def read_all(self):
        """Each server shows what is stored."""
        for port in self.ports:
            c = Client([port], random.Random(0), pause=0)
            for life in self.lives:
                self.read(c, life)
