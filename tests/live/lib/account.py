"""Accounts for records by their ids after faults: what was sent must be in every place that was promised, whole, and nowhere else.

Beside the checker stands what the fault tests share: processes and queues.
"""
import glob
import json
import os
import signal
import sqlite3
import subprocess
import time

import pika

import tap

# ---- the checker ----


class Account:
    """What was sent: `good` records come through (with a result, if they are `scored`), `bad` ones (id to code) become dead letters."""

    def __init__(self, good, bad=None, scored=True):
        self.scored = scored
        self.text = {r["id"]: r["text"] for r in good}
        self.bad = bad or {}
        assert len(self.text) == len(good) and not self.text.keys() & self.bad.keys(), "the test's ids are not distinct"

    def _all(self, place, ids, wanted, repeats):
        """Each of `wanted` is there, nothing else, and at most `repeats` come again: how many did."""
        found = set(ids)
        missing, strange = wanted - found, found - wanted
        assert not missing, f"{place}: {len(missing)} missing, such as {sorted(missing)[:5]}"
        assert not strange, f"{place}: {len(strange)} do not belong there, such as {sorted(strange)[:5]}"
        again = len(ids) - len(found)
        assert again <= repeats, f"{place}: {again} records more than once, at most {repeats} may"
        return again

    def _whole(self, place, record):
        assert record["text"] == self.text[record["id"]], f"{place}: {record['id']} has another text"
        model = record.get("sentiment", {}).get("model", "")
        assert model.startswith("vader-") == self.scored, f"{place}: the result of {record['id']} is of '{model}'"

    def in_store(self, db):
        """Each good record is one row of the store, with its text and its result."""
        rows = [{"id": i, "text": t, "sentiment": json.loads(s or "{}")}
                for i, t, s in select(db, "select id, text, sentiment from message")]
        self._all("the store", [r["id"] for r in rows], self.text.keys(), 0)
        for r in rows:
            self._whole("the store", r)

    def in_output(self, records, repeats=0, place="the output"):
        """Each good record came out; at most `repeats` more than once. How many did."""
        again = self._all(place, [r["id"] for r in records], self.text.keys(), repeats)
        for r in records:
            self._whole(place, r)
        return again

    def in_dead(self, letters, repeats=0):
        """Each bad record is a dead letter for its reason; no good one is."""
        ids = [json.loads(body)["id"] for _, body in letters]
        again = self._all("the dead letters", ids, self.bad.keys(), repeats)
        for (headers, _), i in zip(letters, ids):
            assert headers["x-senti-error"] == self.bad[i], f"{i} is dead for {headers['x-senti-error']}"
        return again


def texts(n, prefix="r"):
    return [{"id": f"{prefix}{i}", "text": f"I love number {i}, it is great"} for i in range(n)]


def lines(records):
    return "".join(json.dumps(r) + "\n" for r in records).encode()


# ---- stores and files ----

def select(db, sql):
    con = sqlite3.connect(f"file:{db}?mode=ro", uri=True, timeout=30)
    try:
        return con.execute(sql).fetchall()
    finally:
        con.close()


def count_stored(db):
    try:
        return select(db, "select count(*) from message")[0][0]
    except sqlite3.OperationalError as e:
        if any(why in str(e) for why in ("no such table", "unable to open")):  # not yet made
            return 0
        raise


def out_of(path):
    """The whole lines of a file: what follows the last line end was never promised."""
    with open(path, "rb") as f:
        return [json.loads(s) for s in f.read().split(b"\n")[:-1]]


# ---- queues ----

class Broker:
    def __init__(self, url=None):
        self.url = url or os.environ["SENTI_AMQP"].split(",")[0]

    def __enter__(self):
        params = pika.URLParameters(self.url)
        params.socket_timeout = 10
        self.connection = pika.BlockingConnection(params)
        self.channel = self.connection.channel()
        return self

    def __exit__(self, *_):
        if self.connection.is_open:
            self.connection.close()

    def count(self, queue):
        return self.channel.queue_declare(queue, passive=True).method.message_count

    def take(self, queue):
        """All that is in the queue: [(headers, body)]."""
        got, left = [], self.count(queue)
        self.channel.basic_qos(prefetch_count=2000)
        for method, properties, body in self.channel.consume(queue, inactivity_timeout=10) if left else ():
            assert method, f"{queue} says that it has {left} more, and gives none"
            got.append((properties.headers or {}, body))
            left -= 1
            if left % 500 == 0:
                self.channel.basic_ack(method.delivery_tag, multiple=True)
            if left == 0:
                break
        self.channel.cancel()
        return got


def left(queue):
    with Broker() as broker:
        return broker.count(queue)


def taken(queue):
    """All records of a queue, out of single and packed messages."""
    with Broker() as broker:
        return [json.loads(s) for _, body in broker.take(queue) for s in body.splitlines()]


def dead(queue):
    with Broker() as broker:
        return broker.take(queue + ".dead")


def declare(*queues):
    """As the tools do it, by a sink that gets nothing."""
    for q in queues:
        tool("senti-ingest", "-F", "json", "-o", f"amqp:{q}", data=b"")


def fill(queue, records, *args):
    tool("senti-ingest", "-F", "json", "-o", f"amqp:{queue}", *args, data=lines(records))


def empty(*queues):
    for q in queues:
        wait_until(lambda: left(q) == 0, what=f"{q} is not empty")


# ---- processes ----

def tool(*args, data=None, status=0, timeout=120, **kw):
    """Runs a tool to its end: (stdout, stderr)."""
    done = subprocess.run(args, input=data, capture_output=True, timeout=timeout, **kw)
    err = done.stderr.decode(errors="replace")
    assert done.returncode == status, f"{args}: status {done.returncode}, not {status}\n{err[-2000:]}"
    return done.stdout, err


class Running:
    """A tool in a session of its own, so that it can be killed with all that it has started; its stderr is kept in a file."""
    all = []

    def __init__(self, folder, *args, **kw):
        self.err = os.path.join(folder, f"err.{len(Running.all)}")
        with open(self.err, "wb") as f:
            self.process = subprocess.Popen(args, cwd=folder, stderr=f, start_new_session=True,
                                            **{"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, **kw})
        Running.all.append(self)

    def said(self):
        with open(self.err, errors="replace") as f:
            return f.read()

    def runs(self):
        return self.process.poll() is None

    @staticmethod
    def last_words():
        """How each stands, and the end of what it has said."""
        return "".join(f"{' '.join(map(str, r.process.args))[:200]}: {'runs' if r.runs() else f'status {r.process.returncode}'}\n"
                       + "".join(f"    {line[:400]}\n" for line in r.said().splitlines()[-8:]) for r in Running.all)

    def ends(self, status=0, timeout=120):
        got = self.process.wait(timeout)
        assert got == status, f"{self.process.args}: status {got}, not {status}\n{self.said()[-2000:]}"

    def session(self):
        """The processes of the session, the first excepted."""
        found = []
        for path in glob.glob("/proc/[0-9]*/stat"):
            try:
                with open(path) as f:
                    pid, rest = f.read().split(" (", 1)
            except OSError:
                continue
            state, _, _, session = rest.rsplit(") ", 1)[1].split()[:4]
            if int(session) == self.process.pid and int(pid) != self.process.pid and state not in "ZX":
                found.append(int(pid))
        return found

    def kill(self):
        """kill -9 of it and of all that it has started."""
        for pid in [self.process.pid, *self.session()] if self.runs() else self.session():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()

    @staticmethod
    def kill_all():
        for r in Running.all:
            r.kill()
        Running.all.clear()


def wait_until(f, seconds=60, what="it did not come to this"):
    until = time.monotonic() + seconds
    while not f():
        assert time.monotonic() < until, what() if callable(what) else what
        time.sleep(0.01)


def service(*args):
    done = subprocess.run([os.environ["SENTI_SERVICES"], *args], timeout=180, capture_output=True)
    assert done.returncode == 0, f"services {args}: status {done.returncode}\n{done.stderr.decode(errors='replace')[-2000:]}"
    return done.stdout.decode()


tap.cleanups.append(Running.kill_all)
tap.witnesses.append(Running.last_words)
