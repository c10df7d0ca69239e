"""senti-serve against hostile clients: requests that two servers may read in two ways, broken ones, slow ones, too large and too many ones."""
# seconds: 25
import base64
import concurrent.futures
import json
import os
import random
import re
import socket
import time
from urllib.parse import unquote

from serve_raw import DIR, TEXT, Server, answers, exchange, wait
from tap import check, run

HOST = b"Host: localhost\r\n"
NEXT = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
CHUNKS = b"14\r\n" + TEXT + b"\r\n0\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
LENGTH = b"Content-Length: 20\r\n"


def post(headers, body, version=b"HTTP/1.1"):
    return b"POST /v1/sentiment " + version + b"\r\n" + HOST + b"Content-Type: application/json\r\n" + headers + b"\r\n" + body


def get(target, headers=HOST, version=b"HTTP/1.1"):
    return b"GET " + target + b" " + version + b"\r\n" + headers + b"\r\n"


# What must be refused and closed, so that what follows is never taken for a request.
REFUSED = {
    "Content-Length and Transfer-Encoding": post(LENGTH + CHUNKED, CHUNKS + NEXT),
    "Transfer-Encoding and Content-Length": post(CHUNKED + LENGTH, CHUNKS + NEXT),
    "two Content-Lengths that are equal": post(LENGTH * 2, TEXT + NEXT),
    "two Content-Lengths that differ": post(LENGTH + b"Content-Length: 2\r\n", TEXT + NEXT),
    "a list of Content-Lengths": post(b"Content-Length: 20, 20\r\n", TEXT + NEXT),
    "Content-Length +20": post(b"Content-Length: +20\r\n", TEXT + NEXT),
    "Content-Length -1": post(b"Content-Length: -1\r\n", TEXT + NEXT),
    "Content-Length 0x14": post(b"Content-Length: 0x14\r\n", TEXT + NEXT),
    "an empty Content-Length": post(b"Content-Length:\r\n", TEXT + NEXT),
    "Content-Length 20 x": post(b"Content-Length: 20 x\r\n", TEXT + NEXT),
    "Content-Length beyond 64 bits": post(b"Content-Length: 99999999999999999999999\r\n", TEXT + NEXT),
    "the greatest Content-Length": post(b"Content-Length: 18446744073709551615\r\n", TEXT + NEXT),
    "two Hosts": get(b"/livez", HOST * 2) + NEXT,
    "no Host": get(b"/livez", b"") + NEXT,
    "a blank before the colon of Content-Length": post(b"Content-Length : 20\r\n", TEXT + NEXT),
    "a tab before the colon of Transfer-Encoding": post(b"Transfer-Encoding\t: chunked\r\n", CHUNKS + NEXT),
    "a blank before the first header": get(b"/livez", b" Host: localhost\r\n") + NEXT,
    "a header without a colon": get(b"/livez", HOST + b"x\r\n") + NEXT,
    "Transfer-Encoding xchunked": post(b"Transfer-Encoding: xchunked\r\n", CHUNKS + NEXT),
    "Transfer-Encoding gzip, chunked": post(b"Transfer-Encoding: gzip, chunked\r\n", CHUNKS + NEXT),
    "Transfer-Encoding chunked, chunked": post(b"Transfer-Encoding: chunked, chunked\r\n", CHUNKS + NEXT),
    "Transfer-Encoding chunked;x": post(b"Transfer-Encoding: chunked;x=1\r\n", CHUNKS + NEXT),
    "Transfer-Encoding identity": post(b"Transfer-Encoding: identity\r\n" + LENGTH, TEXT + NEXT),
    "Transfer-Encoding with a control character": post(b"Transfer-Encoding: \x0bchunked\r\n", CHUNKS + NEXT),
    "two Transfer-Encodings": post(CHUNKED * 2, CHUNKS + NEXT),
    "Transfer-Encoding chunked, then cow": post(CHUNKED + b"Transfer-Encoding: cow\r\n", CHUNKS + NEXT),
    "Transfer-Encoding in HTTP/1.0": post(CHUNKED, CHUNKS + NEXT, b"HTTP/1.0"),
    "a header on two lines": get(b"/livez", HOST + b"X: a\r\n b\r\n") + NEXT,
    "Transfer-Encoding on two lines": post(b"Transfer-Encoding:\r\n chunked\r\n", CHUNKS + NEXT),
    "Content-Length on two lines": post(b"Content-Length: 2\r\n 0\r\n", TEXT + NEXT),
    "a carriage return alone in a header": get(b"/livez", HOST + b"X: y\rContent-Length: 3\r\n") + NEXT,
    "two Authorizations": get(b"/livez", HOST + b"Authorization: Bearer a\r\nAuthorization: Bearer b\r\n") + NEXT,
    "a NUL in a header's name": get(b"/livez", HOST + b"a\x00b: c\r\n") + NEXT,
    "a blank in the path": get(b"/li vez") + NEXT,
    "a tab in the path": get(b"/li\tvez") + NEXT,
    "HTTP/0.9": b"GET /livez\r\n\r\n",
    "HTTP/11": get(b"/livez", version=b"HTTP/11"),
    "HTTP/1.1x": get(b"/livez", version=b"HTTP/1.1x"),
    "http/1.1 in lower case": get(b"/livez", version=b"http/1.1"),
    "a preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a header of 40,000 bytes": get(b"/livez", HOST + b"X: " + b"y" * 40000 + b"\r\n"),
    "a header's name of 40,000 bytes": get(b"/livez", HOST + b"y" * 40000 + b": x\r\n"),
    "5,000 headers": get(b"/livez", HOST + b"a: b\r\n" * 5000),
    "a path of 40,000 bytes": get(b"/" + b"y" * 40000),
    "a method of 40,000 bytes": b"Y" * 40000 + b" / HTTP/1.1\r\n" + HOST + b"\r\n",
    "a chunk of -5 bytes": post(CHUNKED, b"-5\r\nabc\r\n0\r\n\r\n" + NEXT),
    "a chunk of 0x14 bytes": post(CHUNKED, b"0x14\r\n" + TEXT + b"\r\n0\r\n\r\n" + NEXT),
    "a chunk of +14 bytes": post(CHUNKED, b"+14\r\n" + TEXT + b"\r\n0\r\n\r\n" + NEXT),
    "a blank before a chunk's length": post(CHUNKED, b" 14\r\n" + TEXT + b"\r\n0\r\n\r\n" + NEXT),
    "a blank behind a chunk's length": post(CHUNKED, b"14 \r\n" + TEXT + b"\r\n0\r\n\r\n" + NEXT),
    "a chunk's length beyond 64 bits": post(CHUNKED, b"10000000000000014\r\n" + TEXT + b"\r\n0\r\n\r\n" + NEXT),
    "a chunk longer than its length": post(CHUNKED, b"14\r\n" + TEXT + b"XX0\r\n\r\n" + NEXT),
    "a chunk without a length": post(CHUNKED, b"\r\n" + TEXT + b"\r\n0\r\n\r\n" + NEXT),
    "a chunk's length that ends in a carriage return": post(CHUNKED, b"14\r" + TEXT + b"\r\n0\r\n\r\n" + NEXT),
}

# What is served: the statuses in their order, and the connection is in step behind them.
SERVED = {
    "a body with its length": (post(LENGTH, TEXT) + NEXT, [200, 200]),
    "a body in chunks": (post(CHUNKED, CHUNKS) + NEXT, [200, 200]),
    "Transfer-Encoding in upper case": (post(b"TRANSFER-ENCODING: CHUNKED\r\n", CHUNKS) + NEXT, [200, 200]),
    "chunks of one byte": (post(CHUNKED, b"".join(b"1\r\n%c\r\n" % c for c in TEXT) + b"0\r\n\r\n") + NEXT, [200, 200]),
    "an extension of a chunk": (post(CHUNKED, b"14;a=b\r\n" + TEXT + b"\r\n0\r\n\r\n") + NEXT, [200, 200]),
    "trailers, which are not headers":
        (post(CHUNKED, b"14\r\n" + TEXT + b"\r\n0\r\nHost: x\r\nContent-Length: 5\r\n\r\n") + NEXT, [200, 200]),
    "three requests at once": (NEXT * 3, [200, 200, 200]),
    "fifty requests at once": (post(LENGTH, TEXT) * 50, [200] * 50),
    "one that is refused among others": (NEXT + get(b"/none") + NEXT, [200, 404, 200]),
    "a method that is not allowed": (b"DELETE /livez HTTP/1.1\r\n" + HOST + b"\r\n" + NEXT, [405, 200]),
    "TRACE": (b"TRACE /livez HTTP/1.1\r\n" + HOST + b"\r\n" + NEXT, [405, 200]),
    "CONNECT": (b"CONNECT a:443 HTTP/1.1\r\n" + HOST + b"\r\n" + NEXT, [404, 200]),
    "GET with a body": (get(b"/livez", HOST + b"Content-Length: 3\r\n") + b"abc" + NEXT, [200, 200]),
    "line feeds alone as line ends": (b"GET /livez HTTP/1.1\nHost: localhost\n\n" + NEXT, [200, 200]),
    "an empty line first": (b"\r\n" + NEXT, [200]),
    "an empty Host": (get(b"/livez", b"Host:\r\n") + NEXT, [421, 200]),
    "a header without a name": (get(b"/livez", HOST + b": x\r\n") + NEXT, [200, 200]),
    "an empty header": (get(b"/livez", HOST + b"X:\r\nY: \r\n") + NEXT, [200, 200]),
    "blanks around a header": (post(b"Content-Length:  \t 20\r\n", TEXT) + NEXT, [200, 200]),
    "bytes beyond ASCII in a header": (get(b"/livez", HOST + b"X-Request-Id: \xff\xfe\r\n") + NEXT, [200, 200]),
    "an upgrade that is not taken": (get(b"/livez", HOST + b"Upgrade: h2c\r\nConnection: Upgrade\r\n") + NEXT, [200, 200]),
    "400 parameters in a query": (get(b"/livez?" + b"a=b&" * 400) + NEXT, [200, 200]),
    "15,000 empty ones": (get(b"/livez?" + b"&" * 15000) + NEXT, [200, 200]),
    "the absolute form": (get(b"http://localhost/livez") + NEXT, [200, 200]),
    "the absolute form with another host": (get(b"HTTPS://other.example:1/livez?x=1") + NEXT, [421, 200]),
    "the absolute form without a path": (b"POST http://localhost?x HTTP/1.1\r\n" + HOST + b"\r\n" + NEXT, [405, 200]),
    "%2F in an id is not a slash": (get(b"/v1/messages/a%2Fb") + NEXT, [404, 200]),
    "%00 in an id": (get(b"/v1/messages/a%00b") + NEXT, [400, 200]),
    "%zz in an id": (get(b"/v1/messages/a%zzb") + NEXT, [400, 200]),
    "an id that is not UTF-8": (get(b"/v1/messages/a%ffb") + NEXT, [400, 200]),
    "an id that is not UTF-8, unescaped": (get(b"/v1/messages/a\xffb") + NEXT, [400, 200]),
    "an id that is a surrogate": (get(b"/v1/messages/%ed%a0%80") + NEXT, [400, 200]),
    "an id that is overlong": (get(b"/v1/messages/%c0%af") + NEXT, [400, 200]),
    "an escape that is cut": (get(b"/v1/messages/a%2") + NEXT, [400, 200]),
    "an id of 10,000 bytes": (get(b"/v1/messages/" + b"a" * 10000) + NEXT, [404, 200]),
    "dots do not climb": (get(b"/v1/../livez") + NEXT, [404, 200]),
    "escaped dots do not climb": (get(b"/v1/%2e%2e/livez") + NEXT, [404, 200]),
    "two slashes": (get(b"//livez") + NEXT, [404, 200]),
    "a broken escape in the query": (get(b"/v1/messages?q=%zz") + NEXT, [400, 200]),
    "%00 in the query": (get(b"/v1/messages?q=%00") + NEXT, [400, 200]),
    "a query without names": (get(b"/livez?&&=&=x&%") + NEXT, [400, 200]),
    "HTTP/1.0 without a Host": (get(b"/livez", b"", b"HTTP/1.0"), [200]),
    "half-closed before the answer": (post(LENGTH + b"Connection: close\r\n", TEXT), [200]),
    # What follows a NUL in a value is lost, but no line's end is.
    "a NUL in a value": (get(b"/livez", b"Host: localhost\x00b\r\n") + NEXT, [200, 200]),
}


@check
def ambiguous():
    """requests that two servers may read in two ways are answered 4xx once, and the connection closes"""
    bad = []
    with Server() as s:
        for name, raw in REFUSED.items():
            out, closed = exchange(s.connect(), raw)
            statuses = [int(p[:3]) for p in out.replace(b"HTTP/1.0 ", b"HTTP/1.1 ").split(b"HTTP/1.1 ")[1:]]
            # The library says 400 a second time where something follows; it never serves it.
            if not closed or not statuses or not all(400 <= n < 600 for n in statuses):
                bad.append((name, statuses, closed, out[:200]))
        s.alive()
    assert not bad, bad
    print(f"# {len(REFUSED)} cases")


@check
def access_log_lines():
    """whatever bytes a request has, its line in the access log is one of valid JSON, or one that a terminal may show"""
    raw = [b"G%cT /%cx?%c HTTP/1.1\r\n%sConnection: close\r\nX-Request-Id: %c\r\ntraceparent: %c\r\nUser-Agent: %c\r\n\r\n" % (c, c, c, HOST, c, c, c)
           for c in range(1, 256)]
    raw += [get(b"/" + s, HOST + b"Connection: close\r\n") for s in (b"\xc2\x9b2J", b"\xe2\x80\xae", b"\xe2\x80\xa8", b"\xf4\x90\x80\x80", b'","a":"', b"\\")]
    for form in ("json", "logfmt", None):
        with Server("--access-log", *(["--log-format", form] if form else [])) as s:
            for r in raw:
                exchange(s.connect(), r, half=True)
            with open(s.log, "rb") as f:
                lines = f.read().decode().split("\n")[:-1]
            assert sum("request" in line for line in lines) > 200, lines[-3:]
            for line in lines:
                assert not any(ord(c) < 32 or 127 <= ord(c) < 160 or c in "\u202e\u2028" for c in line), line
                if form == "json":
                    json.loads(line)
    return f"{len(raw)} requests"


@check
def in_step():
    """requests that are odd but clear are served, and what follows them as well"""
    bad = []
    with Server() as s:
        for name, (raw, wanted) in SERVED.items():
            connection = s.connect()
            # The last request asks to close, so that nothing has to be waited for.
            last = raw.rindex(b"\r\n\r\n") if raw.endswith(NEXT) else None
            if last:
                raw = raw[:last] + b"\r\nConnection: close\r\n\r\n"
            out, closed = exchange(connection, raw, quiet=None if last else 1.5)
            got = answers(out)
            if got != wanted:
                bad.append((name, got, wanted, out[:300]))
        s.alive()
    assert not bad, bad
    print(f"# {len(SERVED)} cases")


@check
def expectations():
    """Expect: 100-continue is answered before the body comes; a body too large is refused instead"""
    with Server("--max-body", "1000") as s:
        c = s.connect()
        c.sendall(post(LENGTH + b"Expect: 100-continue\r\n", b""))
        assert c.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        out, _ = exchange(c, TEXT, quiet=1)
        assert answers(out) == [200], out
        out, closed = exchange(s.connect(), post(b"Content-Length: 1001\r\nExpect: 100-continue\r\n", b""))
        assert closed and answers(out) == [413], out


@check
def broken_off():
    """clients that go in the midst of anything leave nothing behind"""
    with Server("--header-timeout", "2", "--body-timeout", "2", "--idle-timeout", "2") as s:
        s.alive()
        before = s.descriptors()
        whole = post(LENGTH, TEXT)
        for cut in list(range(0, len(whole), 3)) * 3:
            c = s.connect()
            c.sendall(whole[:cut])
            if cut % 2: # a reset instead of an end
                c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            c.close()
        for body in (b"14\r\n" + TEXT, b"14\r\n" + TEXT[:5], b"ffffffffffffffff\r\n" + TEXT):
            exchange(s.connect(), post(CHUNKED, body), half=True)
        for path in (b"/v1/events", b"/v1/messages?limit=1"):
            c = s.connect()
            c.sendall(get(path))
            c.recv(10)
            c.close()
        s.alive()
        s.settled(before)


@check
def mutated():
    """thousands of damaged requests: it goes on serving, and leaks no descriptor"""
    rng = random.Random(20261123)
    seeds = [*REFUSED.values(), *(raw for raw, _ in SERVED.values())]
    seeds = [s for s in seeds if len(s) < 5000]
    pieces = [b"\r\n", b"\n", b"\r", b"\0", b" ", b":", b"%", b"\xff", b"chunked", b"Content-Length: 5\r\n", b"0\r\n\r\n", b"Host: b\r\n",
              b"[" * 100, b'{"text":', b"HTTP/1.1", b"Transfer-Encoding: chunked\r\n", b"ffffffff", b"?q=%", b"/v1/messages/"]

    def damage(raw):
        raw = bytearray(raw)
        for _ in range(rng.randint(1, 6)):
            at = rng.randrange(len(raw) + 1)
            what = rng.randrange(5)
            if what == 0:
                raw[at:at] = rng.choice(pieces)
            elif what == 1:
                del raw[at:at + rng.randint(1, 30)]
            elif what == 2 and at < len(raw):
                raw[at] = rng.randrange(256)
            elif what == 3:
                raw[at:] = rng.choice(seeds)[rng.randrange(20):]
            else:
                raw[at:at] = raw[at:at + rng.randint(1, 60)] * rng.randint(1, 3)
        return bytes(raw)

    # The library may miss an end of input that comes together with data, so the deadlines say when all is over.
    with Server("--header-timeout", "1", "--body-timeout", "1", "--idle-timeout", "1", "-j", "2") as s:
        s.alive()
        before = s.descriptors()
        end = time.monotonic() + float(os.environ.get("HOSTILE_SECONDS", "8"))
        sent = 0

        def one(raw):
            exchange(s.connect(), raw, quiet=0.2, half=True)

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            while time.monotonic() < end:
                list(pool.map(one, [damage(rng.choice(seeds)) for _ in range(200)]))
                sent += 200
        s.alive()
        s.settled(before)
    print(f"# {sent} requests")


@check
def bodies():
    """limits of bodies: 413 by length at once, by chunks after at most twice the limit; items; depth; broken JSON and UTF-8"""
    with Server("--max-body", "100K", "--max-items", "10", "--max-record", "1K") as s:
        status, _, body = s.post("/v1/sentiment", b" " * 102401)
        assert status == 413 and b"problem:too_large" in body, (status, body)
        assert s.post("/v1/sentiment", TEXT + b" " * (102400 - len(TEXT)))[0] == 200
        # Chunks: up to twice the limit it reads on and then says 413, beyond that it closes.
        for n, wanted in ((150 << 10, [413]), (400 << 10, [])):
            raw = post(CHUNKED, (b"2800\r\n" + b" " * 10240 + b"\r\n") * (n // 10240) + b"0\r\n\r\n")
            out, closed = exchange(s.connect(), raw, quiet=None if not wanted else 2)
            assert answers(out) == wanted and (wanted or closed), (n, out, closed)
        item = b'{"text":"a"}'
        assert s.post("/v1/sentiment", b"[" + b",".join([item] * 10) + b"]")[0] == 200
        status, _, body = s.post("/v1/sentiment", b"[" + b",".join([item] * 11) + b"]")
        assert status == 413 and b"problem:too_many_items" in body, (status, body)
        assert s.post("/v1/sentiment", b'{"text":"' + b"a" * 2000 + b'"}')[0] == 413
        for route in ("/v1/sentiment", "/v1/messages"):
            for body, wanted in ((b"", 400), (b"{", 400), (b"[", 400), (b"[1,2", 400), (b"nul", 400), (b"{}", 422), (b"1", 422),
                                 (b'"x"', 422), (b"null", 422), (b'{"text":1}', 422), (b'{"text":"\xff"}', 400),
                                 (b'{"text":"\xed\xa0\x80"}', 400), (b'{"text":"a\x00b"}', 400), (b'{"text":"\\u0000"}', 422),
                                 (b'{"text":"\\ud800"}', 422), (b'{"text":"a"}x', 400), (b'\xff\xfe{\x00}\x00', 400),
                                 (b"[" * 50000, 400), (b'{"a":' * 20000, 400), (b'{"text":"' + b"\\" * 10001, 413)):
                status, headers, got = s.post(route, body)
                assert status in (wanted, 413 if len(body) > 1024 else wanted), (route, body[:50], status, wanted, got)
                assert headers["content-type"] == "application/problem+json", headers
                assert json.loads(got)["status"] == status


@check
def depth():
    """JSON nested 2,048 deep is taken, deeper is refused, by all forms of the body"""
    with Server() as s:
        def record(n):
            return b'{"text":"good","a":' + b"[" * (n - 1) + b"]" * (n - 1) + b"}"

        assert s.post("/v1/sentiment", record(2048))[0] == 200
        for n in (2049, 100000):
            status, _, body = s.post("/v1/sentiment", record(n))
            assert status == 400 and b"bad_json" in body, (n, status, body[:200])
        lines = record(2048) + b"\n" + record(2049) + b"\n"
        status, _, body = s.ask("POST", "/v1/sentiment", lines, {"Content-Type": "application/x-ndjson"})
        first, second = body.splitlines()
        assert status == 200 and b"sentiment" in first and b"bad_json" in second, body[-300:]
        status, _, body = s.post("/v1/sentiment", b"[" + record(2047) + b"," + TEXT + b"]")
        assert status == 200 and body.count(b'"sentiment":') == 2, body[:200]


def drip(s, head, seconds=60):
    """Sends these bytes and then blanks or letters without end, one at a time, until the server closes: True if it did, without an answer."""
    end = time.monotonic() + seconds
    s.sendall(head)
    s.settimeout(0.1)
    while time.monotonic() < end:
        try:
            s.sendall(b"a")
            return s.recv(1000) == b""
        except socket.timeout:
            continue
        except OSError:
            return True
    return False


def established(host, port, peer_host, peer_port):
    """Whether the server's side of a connection is open, as the kernel sees it: the peer hears of its end only once it has read what was sent before."""
    def hex_address(host, port):
        return "%08X:%04X" % (int.from_bytes(socket.inet_aton(host), "little"), port)
    with open("/proc/net/tcp") as table:
        return any(row.split()[1:4] == [hex_address(host, port), hex_address(peer_host, peer_port), "01"] for row in table)


def stop_reading(s, raw):
    """Reads nothing of an answer that no buffer holds, until the server has given up: then it ends before its length."""
    s.sendall(raw)
    wait(lambda: not established(*s.getpeername(), *s.getsockname()), "the server gives up a reader that takes nothing", 60)
    s.settimeout(30)
    got = b""
    try:
        while True:
            piece = s.recv(1 << 20)
            if not piece:
                break
            got += piece
    except ConnectionResetError:
        pass
    s.close()
    return len(got)


def random_text():
    """Not to be compressed."""
    return base64.b64encode(os.urandom(3000)).decode()


@check
def long_answers():
    """each request is answered, whole, whatever its headers leave for those of the answer: Location, and the address of the next page"""
    with Server() as s:
        name = "\U0001F600" * 512
        for i in range(3):
            message = {"id": f"p{i}", "text": "I love it", "shop": "\u00fc" * 5000 + str(i), "time": "2024-05-01T10:00:00Z"}
            assert s.post("/v1/messages", json.dumps(message), Prefer="wait=10")[0] == 200
        for header, most in ("X-Long", 15500), ("Cookie", 9500):
            for size in range(0, most, 500):
                given = {header: "a" * size, "Content-Type": "application/json"}
                status, fields, _ = s.ask("POST", "/v1/messages", json.dumps({"id": name, "text": "x", "time": "2024-05-02T10:00:00Z"}), given)
                assert status == 202 and unquote(fields["location"]) == "/v1/messages/" + name, (header, size, status)
                for method in "GET", "HEAD":
                    status, fields, body = s.ask(method, "/v1/messages?limit=1&order=newest", headers=given)
                    assert status == 200 and name in unquote(fields["link"]) and bool(body) == (method == "GET"), (header, size, status)
        # What nobody could write beside the next page's address is refused.
        many = [{"id": f"m{i}", "text": random_text(), "time": "2024-05-03T10:00:00Z"} for i in range(99)]
        assert s.post("/v1/messages", json.dumps(many), Prefer="wait=10")[0] == 200
        status, _, body = s.ask("GET", "/v1/messages?limit=100&order=newest", headers={"X-Long": "a" * 15000})
        assert status == 431 and json.loads(body)["type"] == "urn:senti:problem:headers_too_large", (status, body)
        # Nor does a compressed page stand in the place of the refusal.
        status, fields, body = s.ask("GET", "/v1/messages?limit=100&order=newest", headers={"X-Long": "a" * 15000, "Accept-Encoding": "gzip"})
        assert status == 431 and "content-encoding" not in fields and b"headers_too_large" in body, (status, fields, body[:300])
        whole, path = [], "/v1/stats?by=shop,source&limit=1"
        while path:
            status, fields, body = s.ask("GET", path)
            assert status == 200, (path[:100], body)
            whole += json.loads(body)["items"]
            path = re.search("<(.*)>", fields.get("link", "<>")).group(1)
        assert sorted(len(k["keys"][0] or "") for k in whole) == [0, 5001, 5001, 5001], whole


@check
def slow():
    """headers, bodies and request lines that drip are cut at their deadlines, idle ones too, and others do not notice"""
    big = json.dumps([{"text": "x" * 1000} for _ in range(9999)]).encode()
    with Server("--header-timeout", "2", "--body-timeout", "3", "--idle-timeout", "2", "-j", "2") as s:
        s.alive()
        before = s.descriptors()
        with concurrent.futures.ThreadPoolExecutor(64) as pool:
            jobs = {
                "request line": [pool.submit(drip, s.connect(), b"GET /") for _ in range(8)],
                "headers": [pool.submit(drip, s.connect(), b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: ") for _ in range(8)],
                "body": [pool.submit(drip, s.connect(), post(b"Content-Length: 4000\r\n", b"")) for _ in range(8)],
                "chunks": [pool.submit(drip, s.connect(), post(CHUNKED, b"fffff\r\n")) for _ in range(8)],
                "nothing": [pool.submit(lambda: exchange(s.connect(timeout=30), b"") == (b"", True)) for _ in range(8)],
                "second request": [pool.submit(drip_second, s) for _ in range(8)],
            }
            readers = [pool.submit(stop_reading, s.connect(receive=4096), post(b"Content-Length: %d\r\n" % len(big), big))
                       for _ in range(3)]
            served = 0
            while not all(f.done() for fs in jobs.values() for f in fs):
                s.alive()
                served += 1
                time.sleep(0.05)
            for what, futures in jobs.items():
                for f in futures:
                    assert f.result(), f"{what}: never cut"
            for f in readers:
                assert f.result() < len(big), "a reader that takes nothing is never cut"
        s.settled(before)
        print(f"# {served} others served meanwhile")


def drip_second(s):
    c = s.connect()
    c.sendall(NEXT)
    assert c.recv(1000).startswith(b"HTTP/1.1 200")
    return drip(c, b"GET /")


@check
def connections():
    """--max-connections: more wait or are closed, and when some have gone others are served"""
    with Server("--max-connections", "20", "--header-timeout", "60", "-j", "1") as s:
        before = s.descriptors()
        held = [s.connect() for _ in range(40)]
        wait(lambda: s.descriptors() >= before + 20, "as many as it takes")
        for _ in range(50):
            assert s.descriptors() <= before + 21, "one more at most, for as long as it takes to close it"
            assert any(still_open(c) for c in held)
        for c in held:
            c.close()
        wait(lambda: try_alive(s), "served again")
        s.alive()


def still_open(c):
    c.settimeout(0.01)
    try:
        return c.recv(1) != b""
    except socket.timeout:
        return True
    except OSError:
        return False


def try_alive(s):
    try:
        s.alive()
        return True
    except (OSError, AssertionError):
        return False


os.chdir(DIR)
run()
