"""Pages and statistics of senti-serve beside its other requests: a point read does not wait for them, one whose client has left ends, and each has
a deadline."""
# servers: postgresql
# packages: psycopg
# seconds: 40
import json
import select

import postgres_help as pg
from serve_raw import Server, wait
from tap import check, run

SCANS = 60
LIST = b"GET /v1/messages?q=not-in-any-text HTTP/1.1\r\nHost: localhost\r\n\r\n"


def scan(server):
    s = server.connect()
    s.sendall(LIST)
    return s


def answered(sockets):
    return select.select(sockets, [], [], 0)[0]


def requests(server, path):
    """The access log's lines of this path, in their order, each with its place in the log."""
    return [i for i, line in enumerate(server.said().splitlines()) if f"path={path} " in line]


def running(name):
    """How many scans the database has at work."""
    return pg.one("postgres", "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND state = 'active'"
                              " AND query LIKE '%%FROM senti.message m WHERE true%%'", name)


@check
def points():
    "a message is read while scans that came before it wait, abandoned or not"
    with Server("--access-log") as server:
        server.post("/v1/messages", json.dumps([{"id": f"m{i}", "text": "x" * 100000} for i in range(300)]))
        waiting = [scan(server) for _ in range(30)]
        abandoned = [scan(server) for _ in range(SCANS)]
        for s in abandoned:
            s.close()
        assert server.ask("GET", "/v1/messages/not-in-the-cache")[0] == 404
        open_still = len(waiting) - len(answered(waiting))
        assert open_still > 10, f"only {open_still} of the scans that came before were still going on"
        # Several threads take connections: one of these may find 32 others in the queue, whose clients have not left yet.
        statuses = [s.recv(12) for s in waiting]
        assert set(statuses) <= {b"HTTP/1.1 200", b"HTTP/1.1 503"} and statuses.count(b"HTTP/1.1 200") > 20, statuses
        for s in waiting:
            s.close()
        wait(lambda: len(requests(server, "/v1/messages")) == 1 + 30 + SCANS, "all scans have ended")
        point, = requests(server, "/v1/messages/not-in-the-cache")
        after = [i for i in requests(server, "/v1/messages") if i > point]
        assert len(after) > 10, after
        return f"{len(after)} of {30 + SCANS} scans ended after it"


@check
def queue():
    "few scans wait: further ones are refused at once, but those whose clients have left do not count"
    name = pg.database()
    with Server("--store", pg.url(name), "--scan-timeout", "100") as server, pg.connect(name) as c, c.transaction():
        c.execute("LOCK TABLE senti.message IN ACCESS EXCLUSIVE MODE")
        waiting = [scan(server) for _ in range(2)]
        wait(lambda: running(name) == 2, "two scans run")
        waiting += [scan(server) for _ in range(SCANS - 2)]
        wait(lambda: len(answered(waiting)) == SCANS - 34, "32 wait, all others are answered")
        for s in answered(waiting):
            assert s.recv(12) == b"HTTP/1.1 503"
        for s in waiting:
            s.close()
        # Those that ran are cancelled in the database, though nobody gives it the table.
        wait(lambda: running(name) == 0, "no scan is left in the database")
        again = scan(server)
        assert not select.select([again], [], [], 0.2)[0], again.recv(200)
        again.close()


@check
def deadline():
    "a scan that takes too long is answered with 504, and so are statistics"
    name = pg.database()
    with Server("--store", pg.url(name), "--scan-timeout", "1") as server:
        with pg.connect(name) as c, c.transaction():
            c.execute("LOCK TABLE senti.message IN ACCESS EXCLUSIVE MODE")
            for path in "/v1/messages?q=x", "/v1/stats", "/v1/terms":
                status, _, body = server.ask("GET", path)
                assert status == 504 and json.loads(body)["type"].endswith("scan_timeout"), (status, body)
        for path in "/v1/messages?q=x", "/v1/stats":
            assert server.ask("GET", path)[0] == 200, "the same handles serve on"


run()
