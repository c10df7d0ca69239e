"""senti-serve under the thread sanitizer (`make tsan` builds it): posts, reads, edits, pages, statistics, streams and clients that leave in mid-body, all
at once, while the tokens are read again and again. Nothing is reported, and the server ends with status 0."""
# servers: redis
# packages: psycopg
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
from urllib.parse import urlsplit

from serve_help import Server
from tap import Skip, check, run

DIR = sys.argv[1]
TOOLS = os.path.join(os.environ["SENTI_BUILD"] + "-tsan", "bin")
CLIENTS, REQUESTS, IDS = 12, 150, 200
JSON, LINES = "application/json", "application/x-ndjson"


class Client(threading.Thread):
    """Sends its share of requests, of kinds that it draws; notes the statuses."""

    def __init__(self, number, server, token):
        super().__init__()
        self.rng = random.Random(number)
        at = urlsplit(server.url)
        self.address = (at.hostname, at.port)
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.connection = None
        self.seen = {}
        self.broken = None

    def run(self):
        kinds = [self.post, self.post_array, self.post_lines, self.get, self.get, self.patch, self.delete, self.page, self.stats,
                 self.metrics, self.score, self.others, self.stream, self.leave]
        try:
            for _ in range(REQUESTS):
                self.rng.choice(kinds)()
        except Exception as e:
            self.broken = e

    def ask(self, method, path, body=None, **headers):
        if self.connection is None or self.rng.random() < 0.02:
            self.connection = http.client.HTTPConnection(*self.address, timeout=60)
        self.connection.request(method, path, body, {**self.headers, **{k.replace("_", "-"): v for k, v in headers.items()}})
        answer = self.connection.getresponse()
        answer.read()
        self.seen[answer.status] = self.seen.get(answer.status, 0) + 1
        if answer.getheader("Connection") == "close":
            self.connection = None

    def record(self):
        return {"id": f"k{self.rng.randrange(IDS)}", "text": self.rng.choice(["good ", "bad ", "meh "]) * self.rng.randrange(1, 50)}

    def path(self):
        return f"/v1/messages/k{self.rng.randrange(IDS)}"

    def post(self):
        self.ask("POST", "/v1/messages", json.dumps(self.record()), Content_Type=JSON)

    def post_array(self):
        records = [self.record() for _ in range(self.rng.randrange(1, 60))]
        self.ask("POST", "/v1/messages", json.dumps(records), Content_Type=JSON, Prefer="wait=3")

    def post_lines(self):
        lines = [json.dumps(self.record()) for _ in range(self.rng.randrange(1, 300))]
        self.ask("POST", "/v1/messages", "\n".join([*lines, "bad", ""]), Content_Type=LINES)

    def get(self):
        self.ask("GET", self.path())

    def patch(self):
        self.ask("PATCH", self.path(), json.dumps({"label": self.rng.choice(["positive", "neutral", "negative"])}), Content_Type=JSON)

    def delete(self):
        condition = {"If_Match": f'"{self.rng.randrange(500)}"'} if self.rng.random() < 0.5 else {}
        self.ask("DELETE", self.path(), **condition)

    def page(self):
        self.ask("GET", f"/v1/messages?limit={self.rng.randrange(1, 100)}&q=oo&order=newest", Accept_Encoding="gzip")

    def stats(self):
        self.ask("GET", "/v1/stats?by=label")

    def metrics(self):
        self.ask("GET", "/metrics")

    def score(self):
        model = self.rng.choice(["vader", "plus", "textblob", "afinn", "linear", "vader-nltk"])
        explain = "&explain=1" if self.rng.random() < 0.3 else ""
        texts = [{"text": "not good but great"}] * self.rng.randrange(1, 20)
        self.ask("POST", f"/v1/sentiment?model={model}{explain}", json.dumps(texts), Content_Type=JSON)

    def others(self):
        self.ask("GET", self.rng.choice(["/readyz", "/v1/models", "/openapi.json", "/docs", "/nope"]))

    def raw(self, head, body=b""):
        s = socket.create_connection(self.address, timeout=60)
        lines = [head, "Host: localhost", *(f"{k}: {v}" for k, v in self.headers.items()), "", ""]
        s.sendall("\r\n".join(lines).encode() + body)
        return s

    def stream(self):
        """The beginning of the events, from the start or from now on."""
        last = "\r\nLast-Event-ID: 0" if self.rng.random() < 0.7 else ""
        with self.raw(f"GET /v1/events?label=positive HTTP/1.1{last}") as s:
            s.recv(4096)

    def leave(self):
        head = f"POST /v1/messages HTTP/1.1\r\nContent-Type: {LINES}\r\nContent-Length: 100000"
        self.raw(head, b'{"id":"k1","text":"x"}\n' * self.rng.randrange(1, 200)).close()


def new_server(name, *args):
    if not os.access(os.path.join(TOOLS, "senti-serve"), os.X_OK):
        raise Skip("make tsan has not built senti-serve")
    folder = os.path.join(DIR, name)
    os.mkdir(folder)
    return Server(folder, "--store", "sqlite:store.db", *args, env={"PATH": TOOLS + os.pathsep + os.environ["PATH"]})


def load(server, token=None, meanwhile=lambda: None):
    clients = [Client(n, server, token) for n in range(CLIENTS)]
    for c in clients:
        c.start()
    for c in clients:
        while c.is_alive():
            c.join(0.2)
            meanwhile()
    assert not any(c.broken for c in clients), [c.broken for c in clients]
    seen = {}
    for c in clients:
        for status, n in c.seen.items():
            seen[status] = seen.get(status, 0) + n
    server.running.process.terminate()
    server.running.process.wait(120)
    said = server.running.said()
    assert "ThreadSanitizer" not in said, said[said.index("ThreadSanitizer"):][:6000]
    server.running.ends()
    assert seen.get(200, 0) > REQUESTS and not [s for s in seen if s >= 500 and s != 503], seen
    return ", ".join(f"{n} of {s}" for s, n in sorted(seen.items()))


@check
def redis():
    "a store, a Redis that others use too, and streams"
    return load(new_server("shared", "--cache", os.environ["SENTI_REDIS"]))


@check
def own_memory():
    "a store, a cache of its own, and tokens that are read again"
    made = subprocess.run(["senti-serve", "--new-token", "all:admin"], capture_output=True, text=True, check=True)
    path = os.path.join(DIR, "tokens")
    with open(path, "w") as f:
        f.write(made.stdout)
    server = new_server("own", "--cache", "memory:4M", "--tokens", path)
    return load(server, made.stderr.strip(), lambda: os.kill(server.running.process.pid, signal.SIGHUP))


run()
