"""Subscriptions to senti-serve's GraphQL by npm's graphql-sse client: operations of all kinds, a place to go on from, servers that are killed or
stopped, and a reader who is too slow."""
# needs: node
# packages: pika psycopg
# npm: graphql graphql-sse
# seconds: 20
import json
import os
import re
import socket
import sys

from account import wait_until
from graphql_help import Subscription, node
from serve_help import Load, Server, ask, rows_of_sqlite
from tap import check, run

DIR = sys.argv[1]
made = 0
MIB = 1 << 20


def serve(*args):
    """A server on a database of its own, and the address of its GraphQL."""
    global made
    made += 1
    s = Server(DIR, "--store", f"sqlite:{os.path.join(DIR, f'{made}.db')}", *args)
    s.db = os.path.join(DIR, f"{made}.db")
    return s, s.url + "/graphql"


def submit(server, *ids, text="I love it"):
    document = "mutation ($m: [MessageInput!]!) { submit(messages: $m, waitMs: 30000) { id error } }"
    answer = ask(server.url, "/graphql", {"query": document, "variables": {"m": [{"id": i, "text": text} for i in ids]}}).json()
    assert answer == {"data": {"submit": [{"id": i, "error": None} for i in ids]}}, str(answer)[:500]


def submit_large(server, prefix, n):
    """The ids of n messages of 100 kB."""
    ids = [f"{prefix}{i:03}" for i in range(n)]
    for i in range(0, len(ids), 10):
        submit(server, *ids[i:i + 10], text="I love it " + "x" * 100_000)
    return ids


def requests(server, method, code):
    return server.figure(f'senti_http_requests_total{{route="/graphql",code="{code}",method="{method}"}}')


def operations(server, *mode):
    """Queries, mutations and subscriptions, all at once; returns what a document that is wrong was answered."""
    got = json.loads(node("operations", server.url + "/graphql", *mode)[0])
    assert got["query"] == [{"data": {"sentiment": {"label": "POSITIVE"}}}], got
    assert got["mutation"] == [{"data": {"submit": [{"id": "a"}, {"id": "b"}, {"id": "c"}]}}], got
    assert got["positive"] == [{"data": {"scored": {"id": i}}} for i in "ac"], got
    assert got["negative"] == [{"data": {"scored": {"id": "b"}}}], got
    return str(got["broken"])


@check
def distinct():
    """distinct connections: each operation has its own"""
    server, _ = serve()
    broken = operations(server)
    assert "Cannot query field" in broken, broken
    assert requests(server, "PUT", 201) == requests(server, "POST", 202) == 0
    server.ends()


@check
def single():
    """single connection: one reservation, one stream, and operations that are added to it"""
    server, _ = serve()
    broken = operations(server, "single")
    assert "400" in broken, broken
    assert requests(server, "PUT", 201) == 1 and requests(server, "POST", 202) == 4 and requests(server, "POST", 200) == 0
    server.ends()


@check
def goes_on():
    """who gives the seq of the last message gets those after it; 0 starts with the oldest"""
    server, url = serve()
    ids = [f"m{i:02}" for i in range(20)]
    for i in ids:
        submit(server, i)
    everything = Subscription(url)
    everything.wait_for(ids[-1])
    rest = Subscription(url, everything.messages[11]["seq"])
    rest.wait_for(ids[-1])
    assert all(m["sentiment"] == {"label": "POSITIVE"} for m in everything.messages)
    everything.ends(ids)
    rest.ends(ids[12:])
    server.ends()


@check
def killed():
    """a server that is killed and started again, thrice, while clients write: subscriptions of both modes miss none and repeat none"""
    server, url = serve()
    subscriptions = [Subscription(url), Subscription(url, 0, "single")]
    load = Load([server.url], "killed", kinds=("post",), clients=2)
    for times in range(1, 5):
        for s in subscriptions:
            s.wait_connected(times)
        load.wait("post", 202)
        if times < 4:
            server.kill()
            server.start()
    load.ends()
    submit(server, "last")
    rows = rows_of_sqlite(server.db)
    assert load.promised <= rows.keys()
    for s in subscriptions:
        s.wait_for("last")
        s.ends(rows.keys())
    server.ends()
    return f"{len(rows)} messages"


@check
def stopped():
    """a server that is told to stop ends the stream, and the client goes on with the next one"""
    server, url = serve()
    subscription = Subscription(url)
    subscription.wait_connected()
    submit(server, "before")
    subscription.wait_for("before")
    server.ends()
    server.start()
    subscription.wait_connected(2)
    submit(server, "after")
    subscription.wait_for("after")
    subscription.ends(["before", "after"])
    server.ends()


class SlowReader:
    """Subscribes and reads only the beginning."""

    def __init__(self, server):
        body = json.dumps({"query": "subscription { scored { id seq text } }"}).encode()
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        self.socket.settimeout(60)
        self.socket.connect(("127.0.0.1", server.port))
        self.socket.sendall(b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: text/event-stream\r\n"
                            b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.got = b""
        while b"\r\n\r\n" not in self.got or b":\n\n" not in self.got:
            self.got += self.socket.recv(4096)

    def rest(self):
        """All that is left, to the end of the connection."""
        try:
            while data := self.socket.recv(65536):
                self.got += data
        except ConnectionResetError:
            pass
        self.socket.close()
        return self.got


def unchunked(raw):
    """The body of an answer in chunks, as far as it has come; and whether its end has come too."""
    body, left = b"", raw.split(b"\r\n\r\n", 1)[1]
    while b"\r\n" in left:
        size, left = left.split(b"\r\n", 1)
        size = int(size, 16)
        if size == 0:
            return body, True
        body, left = body + left[:size], left[size + 2:]
    return body, False


def memory(server, what):
    with open(f"/proc/{server.running.process.pid}/status") as f:
        return int(re.search(rf"{what}:\s*(\d+) kB", f.read()).group(1)) << 10


@check
def slow():
    """a reader who does not read is cut off with its stream unfinished; what waited for it was bounded, and it can go on after what it has"""
    server, url = serve("--cache", "memory:1M")
    others = Subscription(url)
    others.wait_connected()
    ids = submit_large(server, "before", 100)
    others.wait_for(ids[-1])
    others.ends(ids)
    reader = SlowReader(server)
    peak = memory(server, "VmHWM")
    ids = submit_large(server, "m", 300)
    wait_until(lambda: "a subscriber was too slow" in server.running.said(), 60, "the reader is not cut off")
    grown = memory(server, "VmHWM") - peak
    body, ended = unchunked(reader.rest())
    assert grown < 15 * MIB, f"{grown / MIB:.0f} MiB more"
    assert not ended, "the stream looks as if it had ended well"
    seqs = re.findall(rb'"seq":"(\d+)".*\n\n', body)
    assert 0 < len(seqs) < len(ids), len(seqs)
    others = Subscription(url, int(seqs[-1]))
    others.wait_for(ids[-1])
    others.ends(ids[len(seqs):])
    server.ends()
    return f"cut off after {len(seqs)} of {len(ids)} messages of 100 kB; {grown / MIB:.0f} MiB more"


run()
