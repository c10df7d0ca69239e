"""senti-serve by the book (RFC 9110, 9112): parameters, preconditions, lists, sizes, and answers to clients that are still sending."""
# packages: psycopg pika
# seconds: 20
import functools
import gzip
import http.client
import json
import os
import re
import socket
import subprocess
import sys

from serve_help import Server
from tap import check, run

DIR = sys.argv[1]
JSON = {"Content-Type": "application/json"}
server = None


def served(f):
    """A check with a server of its own, which is none the worse for it."""
    @functools.wraps(f)
    def whole():
        global server
        server = Server(DIR, "--store", f"sqlite:{f.__name__}.db", "--max-body", "4M")
        f()
        assert ask("GET", "/readyz")[0] == 200
        server.ends()
        assert "error" not in server.running.said(), server.running.said()
    return check(whole)


def ask(method, path, body=None, headers=(), port=None):
    """Status, headers and body. `headers` may name one twice."""
    c = http.client.HTTPConnection("127.0.0.1", port or server.port, timeout=30)
    c.putrequest(method, path)
    pairs = list(headers.items()) if isinstance(headers, dict) else list(headers)
    for name, value in pairs + ([("Content-Length", str(len(body)))] if body is not None else []):
        c.putheader(name, value)
    c.endheaders(body)
    answer = c.getresponse()
    got = answer.status, answer.headers, answer.read() if answer.headers["Content-Type"] != "text/event-stream" else b""
    c.close()
    return got


def kind(answer):
    return json.loads(answer[2])["type"].rsplit(":", 1)[1]


def post(record, **headers):
    return ask("POST", "/v1/messages", json.dumps(record).encode(), {**JSON, "Prefer": "wait=5", **headers})


def operations():
    api = json.loads(ask("GET", "/openapi.json")[2])

    def resolve(p):
        return api["components"]["parameters"][p["$ref"].rsplit("/", 1)[1]] if "$ref" in p else p
    for path, item in api["paths"].items():
        for method, op in item.items():
            if method != "parameters":
                given = [resolve(p) for p in item.get("parameters", []) + op.get("parameters", [])]
                if path not in ("/livez", "/readyz"):
                    yield method.upper(), path.replace("{id}", "x").replace("{name}", "x"), [p["name"] for p in given if p["in"] == "query"]


@served
def unknown_parameters():
    "every path but those of probes refuses a parameter that it does not know, and names those that the document has"
    n = 0
    for method, path, known in operations():
        answer = ask(method, path + "?limits=5&nonsense=1", b"{}" if method in ("POST", "PATCH") else None, JSON)
        assert answer[0] == 400 and kind(answer) == "bad_query", (method, path, answer)
        detail = json.loads(answer[2])["detail"]
        assert detail.startswith("'limits' "), detail
        named = re.findall(r"[A-Za-z_-]+", detail.partition("; there are ")[2])
        assert sorted(named) == sorted(known), (method, path, named, known)
        n += 1
    assert n > 20, n
    for path in "/v1/models?", "/v1/models?&", "/v1/messages?limit=1&&order=newest&":
        assert ask("GET", path)[0] == 200, path
    assert kind(ask("GET", "/v1/messages?Limit=1")) == "bad_query"
    assert ask("HEAD", "/v1/models?x")[0] == 400


@served
def ids_that_are_dots():
    "the ids . and .., which clients and proxies drop from paths, are refused"
    for i in ".", "..":
        answer = post({"id": i, "text": "x"})
        assert answer[0] == 422 and kind(answer) == "bad_id", answer
    items = json.loads(post([{"id": ".", "text": "x"}, {"id": "...", "text": "x"}])[2])
    assert items[0]["error"]["code"] == "bad_id" and items[1]["id"] == "...", items
    assert ask("GET", "/v1/messages/...")[0] == 200


@served
def preconditions():
    "If-Match and If-None-Match on every method of a message, in the order of RFC 9110, 13.2.2, over several lines, with commas inside tags"
    def tag():
        return ask("GET", "/v1/messages/p")[1]["ETag"]
    assert post({"id": "p", "text": "I love it"})[0] == 200
    one = tag()
    other = '"9,%s,"' % one.strip('"')
    cases = [  # headers, GET, PATCH and DELETE
        ([("If-Match", one)], 200, 200), ([("If-Match", "*")], 200, 200), ([("If-Match", '"9"')], 412, 412),
        ([("If-Match", "W/" + one)], 412, 412), ([("If-Match", '"9"'), ("If-Match", one)], 200, 200),
        ([("If-Match", other)], 412, 412), ([("If-Match", f'{other}, {one}')], 200, 200),
        ([("If-None-Match", one)], 304, 412), ([("If-None-Match", "W/" + one)], 304, 412), ([("If-None-Match", "*")], 304, 412),
        ([("If-None-Match", '"9"')], 200, 200), ([("If-None-Match", '"9"'), ("If-None-Match", one)], 304, 412),
        ([("If-None-Match", other)], 200, 200),
        ([("If-Match", one), ("If-None-Match", one)], 304, 412), ([("If-Match", '"9"'), ("If-None-Match", one)], 412, 412),
        ([("If-Unmodified-Since", "Thu, 01 Jan 1970 00:00:00 GMT")], 200, 200),
        ([("If-None-Match", '"9"'), ("If-Modified-Since", "Thu, 01 Jan 2037 00:00:00 GMT")], 200, 200)]
    for headers, read, write in cases:
        now = tag()
        ready = [(n, v.replace(one.strip('"'), now.strip('"'))) for n, v in headers]
        for method in "GET", "HEAD":
            answer = ask(method, "/v1/messages/p", None, ready)
            assert answer[0] == read, (method, ready, answer)
            assert read == 412 or answer[1]["ETag"] == now, answer
            if read == 304:
                whole = ask(method, "/v1/messages/p")[1]
                assert answer[2] == b"" and answer[1]["Content-Length"] == whole["Content-Length"], (answer[1].items(), whole.items())
        label = "negative" if b'"label":"positive"' in ask("GET", "/v1/messages/p")[2] else "positive"
        answer = ask("PATCH", "/v1/messages/p", json.dumps({"label": label}).encode(), ready + list(JSON.items()))
        assert answer[0] == write, (ready, answer)
        now = tag()
        again = [(n, v.replace(one.strip('"'), now.strip('"'))) for n, v in headers]
        assert ask("DELETE", "/v1/messages/p", None, again)[0] == (204 if write == 200 else 412), again
        post({"id": "p", "text": "I love it"})
    # What would not succeed without them is answered as if they were not there.
    for method, path, body, status in (("GET", "/v1/messages/none", None, 404), ("DELETE", "/v1/messages/none", None, 404),
                                       ("PATCH", "/v1/messages/none", b'{"label":"neutral"}', 404), ("PATCH", "/v1/messages/p", b'{"label":"x"}', 422)):
        assert ask(method, path, body, {**JSON, "If-Match": '"9"'})[0] == status, (method, path)
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as s:  # no byte of the body comes after a 304
        s.sendall(b"GET /v1/messages/p HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: *\r\n\r\nGET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        got = b"".join(iter(lambda: s.recv(65536), b""))
    assert got.startswith(b"HTTP/1.1 304") and got.split(b"\r\n\r\n", 1)[1].startswith(b"HTTP/1.1 200"), got
    for path in "/", "/graphiql":
        first = ask("GET", path)
        if first[0] == 200:  # built with its pages
            again = ask("GET", path, None, {"If-None-Match": first[1]["ETag"]})
            assert again[0] == 304 and again[1]["Content-Length"] == first[1]["Content-Length"] and not again[2], again[1].items()


@served
def lists_of_lines():
    "Prefer and Accept-Encoding over several lines, and with empty members, are one list"
    body = json.dumps({"id": "l", "text": "I love it"}).encode()
    answer = ask("POST", "/v1/messages", body, [*JSON.items(), ("Prefer", "respond-async"), ("Prefer", ', note="a, wait=0", wait="5"')])
    assert answer[0] == 200 and answer[1]["Preference-Applied"] == "wait", answer
    for lines, gzipped in ((["br", "gzip"], True), (["br", "gzip;q=0, *"], False), (["identity", ", ,*;q=0.5"], True), (["gzip;q=0.000"], False)):
        answer = ask("GET", "/openapi.json", None, [("Accept-Encoding", v) for v in lines])
        assert (answer[1]["Content-Encoding"] == "gzip") == gzipped, lines
        assert json.loads(gzip.decompress(answer[2]) if gzipped else answer[2])["openapi"]


@served
def lines_under_each_name():
    "NDJSON under each of its names; a long answer is compressed too, piece by piece"
    lines = b"".join(b'{"id":"n%d","text":"I love it, it is great"}\n' % i for i in range(20000))
    want = None
    for media in "application/x-ndjson", "application/jsonl", "application/ndjson; charset=utf-8", "Application/X-JSONLines":
        plain = ask("POST", "/v1/sentiment", lines, {"Content-Type": media})
        packed = ask("POST", "/v1/sentiment", lines, {"Content-Type": media, "Accept-Encoding": "gzip"})
        want = want or plain[2]
        assert plain[0] == packed[0] == 200 and plain[1]["Content-Encoding"] is None, (media, plain[1].items())
        assert packed[1]["Content-Encoding"] == "gzip" and len(packed[2]) < len(want) / 5, (media, packed[1].items())
        assert plain[2] == want == gzip.decompress(packed[2]) and want.count(b"\n") == 20000
    # An answer that the client does not read to its end costs nothing but itself.
    with socket.create_connection(("127.0.0.1", server.port)) as s:
        s.sendall(b"POST /v1/sentiment HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/jsonl\r\nAccept-Encoding: gzip\r\n"
                  b"Content-Length: %d\r\n\r\n" % len(lines) + lines)
        assert s.recv(100).startswith(b"HTTP/1.1 200")
    assert ask("GET", "/readyz")[0] == 200


def raw(*pieces):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as s:
        for p in pieces:
            s.sendall(p)
        got = b""
        while b"\r\n\r\n" not in got:
            some = s.recv(65536)
            if not some:
                break
            got += some
    return got[9:12].decode()


@served
def header_sections():
    "a header section of any size is answered: up to 16 KiB it is served, above that 431, or 414 if the request line is too long"
    big = {n: raw(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Big: " + b"a" * n + b"\r\n\r\n") for n in range(15600, 21200, 50)}
    assert set(big.values()) == {"200", "431"} and big[15600] == "200" and big[16400] == "431", big
    line = {n: raw(b"GET /v1/messages?q=" + b"a" * n + b" HTTP/1.1\r\nHost: localhost\r\n\r\n") for n in range(15600, 21200, 50)}
    assert set(line.values()) <= {"200", "431", "414"} and line[15600] == "200" and line[16400] == "414", line
    many = {n: raw(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n" + b"".join(b"X-%04d: a\r\n" % i for i in range(n)) + b"\r\n") for n in range(50, 600, 10)}
    assert set(many.values()) == {"200", "431"} and many[100] == "200", many
    assert raw(b"POST /v1/sentiment HTTP/1.1\r\nHost: localhost\r\nX-Big: " + b"a" * 16400 + b"\r\nContent-Length: 100000\r\n\r\n", b"x" * 50000) == "431"


@served
def refused_while_sending():
    "a refusal (413, 401, 415) reaches clients that send their whole body first"
    tokens = os.path.join(DIR, "tokens")
    with open(tokens, "w") as f:
        subprocess.run(["senti-serve", "--new-token", "a:write"], check=True, stdout=f, stderr=subprocess.DEVNULL)
    guarded = Server(DIR, "--store", "sqlite:guarded.db", "--tokens", tokens, "--max-body", "4M")
    try:
        large, body = b"x" * (24 << 20), b"x" * (3 << 20)
        for i in range(5):
            for port, path, sent, headers, status in (
                    (server.port, "/v1/messages", large, JSON, 413), (guarded.port, "/v1/messages", body, JSON, 401),
                    (server.port, "/v1/messages", body, {"Content-Type": "text/plain"}, 415), (server.port, "/nowhere", body, JSON, 404)):
                answer = ask("POST", path, sent, headers, port)
                assert answer[0] == status, (path, answer)
    finally:
        guarded.ends()


run()
