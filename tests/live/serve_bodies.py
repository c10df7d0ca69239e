"""Bodies as other programs send them: compressed, with a byte-order mark, with blanks after a header's value."""
# seconds: 20
import gzip
import http.client
import json
import random
import socket
import sqlite3

from packed import zstd
from serve_raw import DIR, Server, new_path
from tap import check, run

JSON, LINES = "application/json", "application/x-ndjson"


class Bodies(Server):
    def __init__(self, *args):
        self.db = new_path("db")
        super().__init__("--store", "sqlite:" + self.db, *args)

    def stored(self):
        c = sqlite3.connect(self.db, timeout=60)
        try:
            return c.execute("SELECT count(*) FROM message").fetchone()[0]
        finally:
            c.close()

    def peak(self):
        with open(f"/proc/{self.pid}/status") as f:
            return next(int(line.split()[1]) << 10 for line in f if line.startswith("VmHWM"))

    def send(self, path, body, kind=JSON, coding="gzip", chunk=None):
        """status, headers and body of the answer; `chunk`: the body in chunks of so many bytes."""
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            pieces = body if chunk is None else (body[i:i + chunk] for i in range(0, len(body), chunk))
            headers = {"Content-Type": kind, **({"Content-Encoding": coding} if coding else {})}
            c.request("POST", path, pieces, headers, encode_chunked=chunk is not None)
            a = c.getresponse()
            return a.status, a.headers, a.read()
        finally:
            c.close()


def lines(n, seed=1):
    """Records that do not compress to nothing."""
    r = random.Random(seed)
    words = "good bad love hate not very terrible great :) the a film".split()
    return b"".join(json.dumps({"id": f"{seed}-{i}", "text": " ".join(r.choices(words, k=12))}).encode() + b"\n" for i in range(n))


@check
def the_same_answers():
    """a compressed body is answered as it is when it is plain: JSON, arrays, lines, whole and in chunks of any size"""
    records = lines(20000)
    array = b"[" + b",".join(records.splitlines()[:500]) + b"]"
    with Bodies() as s:
        for body, kind in ((b'{"text":"I love it"}', JSON), (array, JSON), (records, LINES)):
            want = s.send("/v1/sentiment", body, kind, None)[2]
            for level in (0, 1, 9):
                for chunk in (None, 7 if len(body) < 1000 else 997, 65536):
                    status, _, got = s.send("/v1/sentiment", gzip.compress(body, level), kind, chunk=chunk)
                    assert status == 200 and got == want, (kind, level, chunk, status, got[:200])
            for chunk in (None, 997):
                for log in (17, 23):
                    status, _, got = s.send("/v1/sentiment", zstd(body, log), kind, "zstd", chunk)
                    assert status == 200 and got == want, (kind, log, chunk, status, got[:200])
        two = gzip.compress(records[:records.index(b"\n") + 1]) + gzip.compress(b'{"text":"x"}\n')
        assert s.send("/v1/sentiment", two, LINES)[2].count(b"\n") == 2
        status, _, got = s.send("/graphql", gzip.compress(b'{"query":"{__typename}"}'))
        assert status == 200 and json.loads(got)["data"] == {"__typename": "Query"}, got


@check
def each_is_stored_once():
    """compressed lines are stored, each of them once, while the server lets the client wait for the store"""
    records = lines(20000, 2)
    with Bodies() as s:
        status, _, got = s.send("/v1/messages", gzip.compress(records), LINES)
        assert status in (200, 202) and got.count(b"\n") == 20000, (status, got[:300])
        assert s.stored() == 20000


@check
def wrong_codings():
    """another coding is 415 that names ours; what is not as it says, ends too early or needs a window over 8 MiB is 400; nothing of it is stored"""
    with Bodies() as s:
        body = gzip.compress(b'{"text":"I love it"}')
        for coding in ("br", "deflate", "gzip, gzip", "gzip, zstd", "x"):
            status, headers, _ = s.send("/v1/messages", body, coding=coding)
            assert status == 415 and headers["Accept-Encoding"] == "gzip, zstd", (coding, status)
        for coding in ("identity", "IDENTITY"):
            assert s.send("/v1/sentiment", b'{"text":"x"}', coding=coding)[0] == 200
        assert s.send("/v1/sentiment", body, coding="X-Gzip")[0] == 200
        for bad in (b'{"text":"x"}', body[:-1], body[:5], body + b"x", body[:20] + b"\0\0\0" + body[23:]):
            status, _, got = s.send("/v1/messages", bad)
            assert status == 400 and json.loads(got)["type"].endswith(":bad_coding"), (bad, got)
        body = zstd(b'{"text":"I love it"}')
        for bad in (b'{"text":"x"}', body[:-1], body + b"x", zstd(b'{"text":"x"}', log=24)):
            status, _, got = s.send("/v1/messages", bad, coding="zstd")
            assert status == 400 and json.loads(got)["type"].endswith(":bad_coding"), (bad, got)
        assert s.stored() == 0


@check
def bombs():
    """what expands beyond --max-body is 413, soon and in little memory"""
    with Bodies("--max-body", "4M") as s:
        for body, kind in ((b'{"text":"' + b"a" * (64 << 20) + b'"}', JSON), (b'{"text":"a"}\n' * (6 << 20), LINES)):
            before = s.peak()
            for coding, packed in (("gzip", gzip.compress(body, 1)), ("zstd", zstd(body, repeated=b"a"))):
                status, _, got = s.send("/v1/sentiment", packed, kind, coding)
                assert status == 413, got
            assert s.peak() - before < 40 << 20, (before, s.peak())
        assert s.ask("GET", "/livez")[0] == 200


@check
def marks():
    """a byte-order mark before JSON or lines is skipped, on each route"""
    mark = b"\xef\xbb\xbf"
    with Bodies() as s:
        for path in ("/v1/sentiment", "/v1/messages"):
            for kind in (JSON, LINES):
                assert s.send(path, mark + b'{"text":"x"}', kind, None)[0] in (200, 202), (path, kind)
        assert s.send("/graphql", mark + b'{"query":"{__typename}"}', JSON, None)[0] == 200
        assert s.send("/v1/sentiment", mark, JSON, None)[0] == 400


@check
def blanks():
    """blanks after a header's value do not belong to it"""
    with Bodies() as s:
        for header in ("Content-Type: application/json \t", "Expect: 100-continue ", "Content-Encoding: identity\t "):
            with socket.create_connection(("127.0.0.1", s.port), timeout=30) as c:
                more = "" if header.startswith("Content-Type") else "Content-Type: application/json\r\n"
                c.sendall(f'POST /v1/sentiment HTTP/1.1\r\nHost: localhost\r\n{more}{header}\r\nContent-Length: 12\r\n\r\n'.encode())
                f = c.makefile("rb")
                if header.startswith("Expect"):
                    assert f.readline().startswith(b"HTTP/1.1 100"), header
                    f.readline()
                c.sendall(b'{"text":"x"}')
                assert f.readline().startswith(b"HTTP/1.1 200"), header


run()
