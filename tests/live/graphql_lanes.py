"""Where operations of /graphql run: what scores, or reads messages by id, does not wait for those that take long; and those hold up nobody else."""
# servers: postgresql
# packages: psycopg
# seconds: 15
import json
import select

import postgres_help as pg
from graphql_help import ask
from serve_raw import Server, wait
from tap import check, run

THREADS, SLOW = 4, 20
SCAN = '{ messages(filter: {q: "not-in-any-text"}) { edges { node { id } } } }'
BY_ID = "query ($id: ID!) { message(id: $id) { id text sentiment { label } } }"
READING = "state = 'active' AND query LIKE '%%FROM senti.message m WHERE true%%'"


def send(server, query):
    body = json.dumps({"query": query}).encode()
    s = server.connect(timeout=120)
    s.sendall(b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    return s


def waiting(sockets):
    return len(sockets) - len(select.select(sockets, [], [], 0)[0])


def hits(server):
    for line in server.ask("GET", "/metrics")[2].decode().splitlines():
        if line.startswith("senti_cache_requests_total") and '"hit"' in line:
            return int(line.split()[-1])
    raise AssertionError("no such figure")


@check
def beside_scans():
    """While the store gives its table to nobody, and all threads of GraphQL wait for it: texts are scored, cached messages read, errors told"""
    name = pg.database()
    with Server("--store", pg.url(name), "--cache", "memory:16M", "--io-threads", "1", "--graphql-timeout", "0") as server, pg.connect(name) as c:
        server.post("/v1/messages", json.dumps([{"id": f"m{i}", "text": "I love it"} for i in range(3)]))
        wait(lambda: ask(server, BY_ID, variables={"id": "m0"})["data"]["message"]["sentiment"], "the message is stored")
        before = hits(server)
        with c.transaction():
            c.execute("LOCK TABLE senti.message IN ACCESS EXCLUSIVE MODE")
            slow = [send(server, SCAN) for _ in range(SLOW)]
            wait(lambda: pg.one("postgres", f"SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND {READING}", name) == THREADS,
                 "all threads wait for the store")
            for i in range(3):
                got = ask(server, BY_ID, variables={"id": f"m{i}"})["data"]["message"]
                assert got == {"id": f"m{i}", "text": "I love it", "sentiment": {"label": "POSITIVE"}}, got
            two = ask(server, '{ a: message(id: "m1") { id } b: message(id: "m2") { version } }')["data"]
            assert two["a"]["id"] == "m1" and int(two["b"]["version"]) > 0, two
            got = ask(server, "query ($t: [String!]!) { sentiments(texts: $t) { label } }", variables={"t": ["I love it", "I hate it"]})["data"]
            assert [s["label"] for s in got["sentiments"]] == ["POSITIVE", "NEGATIVE"], got
            assert "errors" in ask(server, "{ nothing }")
            assert waiting(slow) == SLOW, "they have not been answered meanwhile"
        assert hits(server) - before == 5, "each of those messages was a hit"
        for s in slow:
            assert s.recv(12) == b"HTTP/1.1 200"
            s.close()


@check
def beside_long_scans():
    """A message that is not in the cache is read while scans that came before it wait"""
    with Server() as server:
        server.post("/v1/messages", json.dumps([{"id": f"m{i}", "text": "x" * 100000} for i in range(300)]))
        slow = [send(server, SCAN) for _ in range(24)]
        assert ask(server, BY_ID, variables={"id": "m299"})["data"]["message"]["id"] == "m299"
        left = waiting(slow)
        assert left > 10, f"only {left} of the scans that came before were still going on"
        for s in slow:
            assert s.recv(12) == b"HTTP/1.1 200"
            s.close()
        return f"{left} of {len(slow)} scans ended after it"


@check
def held_up():
    """What multiplies what was sent, or explains it, holds up no connection: it runs in threads of GraphQL, which all wait here"""
    name = pg.database()
    with Server("--store", pg.url(name), "--cache", "memory:16M", "--io-threads", "1", "--graphql-timeout", "0") as server, pg.connect(name) as c:
        multiplied = "query ($t: String!) { sentiments(texts: [" + "$t " * 700 + "]) { label } }"
        explained = '{ sentiment(text: "I love it", explain: true) { why { word } } }'
        with c.transaction():
            c.execute("LOCK TABLE senti.message IN ACCESS EXCLUSIVE MODE")
            slow = [send(server, SCAN) for _ in range(THREADS)]
            wait(lambda: pg.one("postgres", f"SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND {READING}", name) == THREADS,
                 "all threads wait for the store")
            body = json.dumps({"query": multiplied, "variables": {"t": "x " * 1000}})
            slow.append(server.connect(timeout=120))
            slow[-1].sendall(f"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
            slow.append(send(server, explained))
            for _ in range(3):  # of the same thread, so those before have been read
                assert ask(server, '{ sentiment(text: "I love it") { label } }')["data"]["sentiment"]["label"] == "POSITIVE"
            assert waiting(slow) == THREADS + 2
        for s in slow:
            assert s.recv(12) == b"HTTP/1.1 200"
            s.close()


run()
