"""What the live tests of senti-serve share: servers, clients that keep on asking while something breaks, and the account of what was promised.

A client names each message by an id of its own, notes what it is answered, and goes on. At the end every id that was answered 202 must be a row
of the store; others may be.
"""
import http.client
import json
import os
import socket
import ssl
import threading
import time
from urllib.parse import urlsplit

import psycopg

from account import Running, select, wait_until

def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def connect(url, cafile=None, timeout=30):
    at = urlsplit(url)
    if at.scheme == "https":
        return http.client.HTTPSConnection(at.hostname, at.port, timeout=timeout, context=ssl.create_default_context(cafile=cafile))
    return http.client.HTTPConnection(at.hostname, at.port, timeout=timeout)


class Answer:
    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    def json(self):
        return json.loads(self.body)


def ask(url, path, body=None, method=None, headers=None, cafile=None, timeout=30):
    """One request on a connection of its own."""
    c = connect(url, cafile, timeout)
    try:
        c.request(method or ("GET" if body is None else "POST"), path, None if body is None else json.dumps(body),
                  {"Content-Type": "application/json", **(headers or {})})
        return Answer(c.getresponse())
    finally:
        c.close()


class Server:
    """A senti-serve on a port that it keeps when it is started again."""

    def __init__(self, folder, *args, env=None):
        self.folder, self.args, self.env = folder, args, {**os.environ, **(env or {})}
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self):
        self.running = Running(self.folder, "senti-serve", "-v", "-l", f"127.0.0.1:{self.port}", *self.args, env=self.env)
        wait_until(lambda: self.ready() or not self.running.runs(), 30, "the server does not become ready")
        assert self.running.runs(), self.running.said()

    def ready(self):
        try:
            return ask(self.url, "/readyz").status == 200
        except OSError:
            return False

    def checks(self):
        return ask(self.url, "/readyz").json()["checks"]

    def figure(self, name):
        """One sample of /metrics by its whole name, labels included; 0 where it is not there."""
        for line in ask(self.url, "/metrics").body.decode().splitlines():
            if line.rsplit(" ", 1)[0] == name:
                return float(line.rsplit(" ", 1)[1])
        return 0

    def kill(self):
        self.running.kill()

    def ends(self):
        self.running.process.terminate()
        self.running.ends()


class Outcome:
    def __init__(self, kind, at, seconds, status, why=None, retry_after=None, problem=None):
        self.kind, self.at, self.seconds, self.status, self.why = kind, at, seconds, status, why
        self.retry_after, self.problem = retry_after, problem

    def __repr__(self):
        return f"{self.kind}: {self.status or self.why} {self.problem or ''} after {self.seconds:.2f} s"


class Load:
    """Clients that go on asking: one thread and one connection each. `kinds` of (post, score, read), one after the other."""

    def __init__(self, urls, prefix, kinds=("post", "score", "read"), clients=4, pause=0.005, cafile=None, known="known"):
        self.urls, self.prefix, self.kinds, self.pause, self.cafile, self.known = urls, prefix, kinds, pause, cafile, known
        self.outcomes, self.promised, self.sent = [], set(), {}
        self.lock = threading.Lock()
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.client, args=(i,), daemon=True) for i in range(clients)]
        for t in self.threads:
            t.start()

    def request(self, kind, name):
        if kind == "post":
            return "POST", "/v1/messages", {"id": name, "text": f"I love {name}, it is great"}
        if kind == "score":
            return "POST", "/v1/sentiment", {"text": "I love it"}
        return "GET", f"/v1/messages/{self.known}", None

    def client(self, number):
        connection, n = None, 0
        while not self.over.is_set():
            url = self.urls[(number + n) % len(self.urls)] if connection is None else url
            kind = self.kinds[n % len(self.kinds)]
            name = f"{self.prefix}-{number}-{n}"
            n += 1
            method, path, body = self.request(kind, name)
            begun = time.monotonic()
            status = why = retry_after = problem = None
            try:
                connection = connection or connect(url, self.cafile)
                connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
                answer = Answer(connection.getresponse())
                status, retry_after = answer.status, answer.headers.get("Retry-After")
                if status >= 400 and answer.headers.get_content_type() == "application/problem+json":
                    problem = answer.json()["type"].rsplit(":", 1)[1]
                if answer.headers.get("Connection") == "close":
                    connection.close()
                    connection = None
            except (OSError, http.client.HTTPException) as e:
                why = type(e).__name__
                if connection:
                    connection.close()
                connection = None
            with self.lock:
                self.outcomes.append(Outcome(kind, begun, time.monotonic() - begun, status, why, retry_after, problem))
                if kind == "post":
                    self.sent[name] = status
                    if status == 202:
                        self.promised.add(name)
            self.over.wait(self.pause if status else 0.1)

    def some(self, kind, status, since=0):
        with self.lock:
            return [o for o in self.outcomes if o.kind == kind and o.at >= since and o.status == status]

    def wait(self, kind, status, n=5, seconds=30):
        """Until so many more requests of the kind have had this answer."""
        since = time.monotonic()
        wait_until(lambda: len(self.some(kind, status, since)) >= n, seconds,
                   f"{kind} is not answered {status} any more: {self.outcomes[-8:]}")

    def ends(self):
        self.over.set()
        for t in self.threads:
            t.join(60)
            assert not t.is_alive(), "a client is still waiting for its answer"
        return self

    def failed(self, *kinds):
        return [o for o in self.outcomes if o.kind in kinds and (o.status is None or o.status >= 400)]

    def check_refusals(self, *kinds, within=6):
        """What failed of these kinds was refused as it should be: 503 that says when to come again, and soon."""
        bad = [o for o in self.failed(*kinds)
               if o.status != 503 or not o.retry_after or o.problem not in ("store_unavailable", "busy") or o.seconds > within]
        assert not bad, f"{len(bad)} of {len(self.outcomes)} were refused in another way, such as {bad[:5]}"

    def check_kept(self, rows, what):
        """Every promised message is among the rows {id: text}, once, whole, and nothing is there that was not sent."""
        missing = self.promised - rows.keys()
        assert self.promised, f"{what}: nothing was promised"
        assert not missing, f"{what}: {len(missing)} of {len(self.promised)} that were answered 202 are missing, such as {sorted(missing)[:5]}"
        strange = {i for i in rows if i.startswith(self.prefix + "-")} - self.sent.keys()
        assert not strange, f"{what}: {sorted(strange)[:5]} were never sent"
        broken = [i for i in self.promised if rows[i] != f"I love {i}, it is great"]
        assert not broken, f"{what}: {broken[:5]} have another text"


def rows_of_sqlite(db):
    return dict(select(db, "select id, text from message"))


def rows_of_postgres(url, where="true"):
    with psycopg.connect(url) as c:
        return dict(c.execute(f"select id, text from senti.message where {where}").fetchall())


def new_database(url, name):
    """The address of a new database beside the one of this address."""
    with psycopg.connect(url, autocommit=True) as c:
        c.execute(f"create database {name}")
    return url.rsplit("/", 1)[0] + "/" + name
