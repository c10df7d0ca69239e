"""Who may ask senti-serve, from where, and what its log says of it: tokens, CORS, the access log, sockets from and word to a service manager."""
# seconds: 10
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

from serve_raw import DIR, TEXT, Server, exchange, new_path, wait
from tap import check, run

RECORD = b'{"id":"m1","text":"I love it"}'
LABEL = b'{"label":"negative"}'
# method, path, body, the scope that is needed
ROUTES = [("POST", "/v1/sentiment", TEXT, "read"), ("POST", "/v1/messages", RECORD, "write"), ("GET", "/v1/messages", None, "read"),
          ("GET", "/v1/messages/m1", None, "read"), ("PATCH", "/v1/messages/m1", LABEL, "write"), ("GET", "/v1/stats", None, "read"),
          ("GET", "/v1/terms", None, "read"), ("GET", "/v1/status", None, "read"), ("POST", "/v1/tickets", None, "read"),
          ("GET", "/v1/models", None, "read"), ("DELETE", "/v1/messages/none", None, "write"), ("GET", "/livez", None, None),
          ("GET", "/readyz", None, None), ("GET", "/metrics", None, "read"), ("GET", "/openapi.json", None, None)]
SCOPES = ["read", "write", "admin"]


def make(name, scopes):
    """A new token, and its line for the file."""
    done = subprocess.run(["senti-serve", "--new-token", f"{name}:{scopes}"], capture_output=True, text=True, timeout=60, cwd=DIR)
    assert done.returncode == 0, done.stderr
    return done.stderr.strip(), done.stdout


def write(path, *lines):
    with open(path, "w") as f:
        f.writelines(lines)
    return path


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def refused(*args, status, env=None):
    """What it says before it ends with this status."""
    s = Server(*args, listen=None, listening=False, env=env)
    try:
        s.process.wait(20)
    except subprocess.TimeoutExpired:
        s.process.kill()
    s.stop(status)
    return s.said()


@check
def new_tokens():
    """--new-token: a token of 256 bits and the line with its hash, different each time; the token is nowhere else"""
    made = [make("shop", "read,write") for _ in range(20)]
    assert len({t for t, _ in made}) == 20
    for token, line in made:
        assert re.fullmatch(r"senti_[A-Za-z0-9_-]{43}", token), token
        assert re.fullmatch(r"shop read,write sha256:[0-9a-f]{64}\n", line), line
        # The hash is that of the token as it is sent, as any other tool counts it.
        other = subprocess.run(["sha256sum"], input=token, capture_output=True, text=True).stdout.split()[0]
        assert other in line
    for wrong in ("shop", "shop:", ":read", "shop:all", "shop:read,", "sh op:read", "a" * 65 + ":read", "shop:READ"):
        done = subprocess.run(["senti-serve", "--new-token", wrong], capture_output=True, text=True, timeout=60)
        assert done.returncode == 2 and not done.stdout and f"not '{wrong}'" in done.stderr, (wrong, done)
    with open("/dev/full", "w") as full:
        done = subprocess.run(["senti-serve", "--new-token", "shop:read"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
        assert done.returncode == 3 and "senti_" not in done.stderr, done


@check
def scopes():
    """each route with no token, a wrong one, and one of each scope: 401 with WWW-Authenticate, 403, or served"""
    made = {scope: make(scope, scope) for scope in SCOPES}
    made["list"] = make("list", "read,write")
    path = write(new_path("tokens"), "# who may what\n\n", *(line for _, line in made.values()))
    with Server("--tokens", path, "--access-log") as s:
        for method, target, body, needed in ROUTES:
            media = {"Content-Type": "application/json"}
            for given, headers in [(None, {}), (None, bearer("senti_" + "A" * 43)), (None, bearer("")),
                                   (None, {"Authorization": "Basic YTpi"}), (None, {"Authorization": "Bearer"}),
                                   (None, bearer(made["read"][0] + "x")), (None, bearer(made["read"][0][:-1])),
                                   (None, bearer(made["admin"][1].split()[2])), (None, bearer(made["admin"][1].split()[2][7:])),
                                   *((scope, bearer(made[scope][0])) for scope in SCOPES)]:
                status, fields, answer = s.ask(method, target, body, {**media, **headers})
                if needed is None or (given and SCOPES.index(given) >= SCOPES.index(needed)):
                    assert status in (200, 201, 202, 404), (method, target, given, status, answer)
                elif given:
                    assert status == 403 and b"problem:scope_missing" in answer, (method, target, given, status, answer)
                    assert f'error="insufficient_scope", scope="{needed}"' in fields["www-authenticate"]
                else:
                    assert status == 401 and fields["www-authenticate"].startswith('Bearer realm="senti"'), (method, target, fields)
                    assert fields["content-type"] == "application/problem+json"
        assert s.post("/v1/messages", RECORD, **bearer(made["list"][0]))[0] == 202
        assert s.post("/v1/sentiment", TEXT, Authorization=f"bearer  {made['read'][0]}")[0] == 200, "the scheme in lower case"
        assert s.ask("GET", f"/v1/models?access_token={made['read'][0]}")[0] == 401, "not in the query, which is logged elsewhere"
        # Nothing of a body that is not let in is read, and the connection says so.
        out, closed = exchange(s.connect(), b"POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1000)
        assert closed and out.startswith(b"HTTP/1.1 401"), out[:200]
        # 401 without a body leaves the connection as it is.
        with s.connect() as c:
            for _ in range(2):
                c.sendall(b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n")
                assert c.recv(4000).startswith(b"HTTP/1.1 401")
        said = s.said()
        for token, line in made.values():
            assert token not in said and line.split()[2][7:] not in said
        assert "Basic" not in said and "access_token" not in said and "token=write" in said and "token=-" in said


@check
def reload():
    """SIGHUP reads the tokens again; a broken file keeps the old ones and says file and line"""
    (old, old_line), (new, new_line) = make("old", "read"), make("new", "read")
    path = write(new_path("tokens"), old_line)
    with Server("--tokens", path) as s:
        def status(token):
            return s.ask("GET", "/v1/models", None, bearer(token))[0]

        def hup(says):
            n = s.said().count(says)
            os.kill(s.pid, signal.SIGHUP)
            wait(lambda: s.said().count(says) > n, says)

        assert (status(old), status(new)) == (200, 401)
        write(path, old_line, new_line)
        hup("tokens reloaded")
        assert (status(old), status(new)) == (200, 200)
        for broken, says in (((new_line, "old read sha256:12\n"), f"{path}:2: the third word is"), ((), f"{path} has no token"),
                             (("# nothing\n",), f"{path} has no token"), (("a\n",), f"{path}:1: after the name"),
                             ((new_line, new_line), f"{path}:2: this token occurs twice"),
                             ((new_line.replace("read", "all"),), f"{path}:1: after the name"), (("/ " + new_line,), f"{path}:1: a name"),
                             ((new_line[:-1] + " x\n",), f"{path}:1: more than"), (("\0\n",), f"{path}:1: a name"),
                             (("x" * 70 + " read\n",), f"{path}:1: a name")):
            write(path, *broken)
            hup(says)
            assert (status(old), status(new)) == (200, 200), broken
        os.rename(path, path + "x")
        hup(f"'{path}'")
        os.rename(path + "x", path)
        write(path, new_line)
        os.chmod(path, 0o666)
        hup("chmod o-w")
        assert (status(old), status(new)) == (200, 200)
        os.chmod(path, 0o600)
        hup("tokens reloaded")
        assert (status(old), status(new)) == (401, 200)
        # Under load: no request is answered wrongly while it reads.
        for i in range(100):
            os.kill(s.pid, signal.SIGHUP)
            assert status(new) == 200
        said = s.said()
        assert old not in said and new not in said and new_line.split()[2][7:] not in said
    with Server() as s:
        os.kill(s.pid, signal.SIGHUP)
        wait(lambda: "nothing to reload" in s.said(), "a word of it")
        s.alive()


@check
def beyond_loopback():
    """without tokens it listens on this machine alone, unless it is told to by --insecure"""
    for address in (":0", "0.0.0.0:0", "[::]:0", "192.0.2.1:0"):
        said = refused("-l", address, status=2)
        assert "--tokens FILE" in said and "--insecure" in said and address in said, said
    # No machine has this address: that it tries to take it shows that it would.
    for args in (("--insecure",), ("--tokens", write(new_path("tokens"), make("a", "read")[1]))):
        said = refused("-l", "192.0.2.1:0", *args, status=3)
        assert "cannot listen on '192.0.2.1:0'" in said, said
    for address in ("localhost:0", "127.0.0.1:0", "127.1.2.3:0"):
        with Server(listen=address):
            pass
    path = new_path("socket")
    with Server(listen=f"unix:{path}") as s:
        c = socket.socket(socket.AF_UNIX)
        c.connect(path)
        out, _ = exchange(c, b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert out.startswith(b"HTTP/1.1 200"), out
    assert not os.path.exists(path)
    for wrong in ("nonsense", "127.0.0.1:x", "127.0.0.1:70000", "[::1]:"):
        assert "not an address to listen on" in refused("-l", wrong, status=2)
    for wrong in (("--tokens", "/nowhere/tokens"), ("--tokens", write(new_path("tokens"), "a b c\n"))):
        refused("-l", "127.0.0.1:0", *wrong, status=3)


@check
def cors():
    """pages of other origins: nothing by default; the named ones, or all; preflights"""
    preflight = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "authorization, content-type"}
    one, other = {"Origin": "https://one.example"}, {"Origin": "https://one.example.evil.example"}

    def allowed(fields):
        return {k: v for k, v in fields.items() if k.startswith("access-control")}

    with Server() as s:
        for headers in (one, {**one, **preflight}):
            for method in ("GET", "OPTIONS"):
                status, fields, _ = s.ask(method, "/v1/messages/a", None, headers)
                assert not allowed(fields) and "Origin" not in fields.get("vary", "")
    token, line = make("page", "read")
    with Server("--cors", "https://one.example", "--cors", "http://localhost:3000", "--tokens", write(new_path("tokens"), line)) as s:
        for headers in (other, {}, {"Origin": "null"}, {"Origin": "https://one.example:443"}, {"Origin": "http://one.example"}):
            for more in ({}, preflight):
                status, fields, _ = s.ask("OPTIONS" if more else "GET", "/v1/models", None, {**headers, **more})
                assert not allowed(fields) and "Origin" in fields["vary"], (headers, fields)
        for origin in ("https://one.example", "http://localhost:3000"):
            # A preflight carries no token, and needs none.
            status, fields, body = s.ask("OPTIONS", "/v1/messages/a", None, {"Origin": origin, **preflight})
            assert status == 204 and not body and fields["access-control-allow-origin"] == origin, fields
            assert {"PATCH", "DELETE", "GET"} <= set(fields["access-control-allow-methods"].split(", "))
            given = fields["access-control-allow-headers"].lower().split(", ")
            assert "authorization" in given and "content-type" in given and int(fields["access-control-max-age"]) > 0
            for headers, wanted in (({}, 401), (bearer(token), 200)):
                status, fields, _ = s.ask("GET", "/v1/models", None, {"Origin": origin, **headers})
                assert status == wanted and fields["access-control-allow-origin"] == origin, fields
                assert "X-Request-Id" in fields["access-control-expose-headers"] and "Origin" in fields["vary"]
            status, fields, _ = s.ask("GET", "/none", None, {"Origin": origin})
            assert status == 404 and fields["access-control-allow-origin"] == origin
        with s.connect() as c: # several preflights over one connection
            for _ in range(3):
                c.sendall(b"OPTIONS /v1/models HTTP/1.1\r\nHost: localhost\r\nOrigin: https://one.example\r\n"
                          b"Access-Control-Request-Method: GET\r\n\r\n")
                assert c.recv(4000).startswith(b"HTTP/1.1 204")
    with Server("--cors", "*") as s:
        for headers in (one, {"Origin": "null"}):
            status, fields, _ = s.ask("GET", "/v1/models", None, headers)
            assert status == 200 and fields["access-control-allow-origin"] == "*" and "Origin" not in fields.get("vary", "")
        assert not allowed(s.ask("GET", "/v1/models")[1])
    for wrong in ("example.org", "https://", "https://a/", "https://A.example", "://a", "https://a b", ""):
        assert "--cors takes an origin" in refused("--cors", wrong, status=2), wrong


@check
def access_log():
    """one line a request, as key=value or JSON, with what correlates and without what is secret"""
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    token, line = make("shop", "write")
    path = write(new_path("tokens"), line)
    secret = {"Authorization": f"Bearer {token}", "Cookie": "session=hidden-cookie", "X-Request-Id": "from-the-proxy.1",
              "traceparent": trace}
    for form in ([], ["--log-format", "logfmt"], ["--log-format", "json"]):
        with Server("--tokens", path, "--access-log", "-q", *form, listening=False) as quiet:
            # -v and -q: what is asked for by its own option is written nonetheless.
            wait(lambda: try_port(quiet), "a port")
            def logged(count):
                # A line is written after its answer has been sent: the next request waits for it, or the lines change places.
                wait(lambda: len(re.findall(r"/v1/.*\n", quiet.said())) == count, f"line {count}")

            status, fields, body = quiet.ask("POST", "/v1/messages", b'{"id":"m2","text":"hidden-text"}',
                                             {"Content-Type": "application/json", **secret})
            assert status == 202 and fields["x-request-id"] == "from-the-proxy.1" and fields["traceparent"] == trace
            logged(1)
            quiet.ask("GET", '/v1/messages/a"%20b=c', None, bearer(token))
            logged(2)
            quiet.ask("GET", "/v1/models", None, {**bearer("senti_hidden-wrong"), "X-Request-Id": "a b\"=\\", "traceparent": "x" * 55 + "!"})
            logged(3)
            quiet.ask("GET", "/v1/messages?source=hidden-query", None, bearer(token))
            logged(4)
            said = quiet.said()
        for hidden in ("hidden", token, "Bearer", "source="):
            assert hidden not in said, (hidden, said)
        lines = [x for x in said.splitlines() if "/v1/" in x]
        if form == ["--log-format", "json"]:
            first, second, third, _ = map(json.loads, lines)
            assert first["path"] == "/v1/messages" and first["status"] == "202" and first["method"] == "POST"
            assert first["request_id"] == "from-the-proxy.1" and first["traceparent"] == trace and first["token"] == "shop"
            assert int(first["bytes"]) == len(body) and float(first["ms"]) >= 0 and first["peer"] == "127.0.0.1"
            assert second["path"] == '/v1/messages/a"%20b=c' and "traceparent" not in second
            assert third["status"] == "401" and re.fullmatch(r"[0-9a-f-]{36}-[0-9a-f]+", third["request_id"])
        else:
            assert "method=POST path=/v1/messages status=202" in lines[0] and f"traceparent={trace}" in lines[0], lines
            assert f"request_id=from-the-proxy.1" in lines[0] and "token=shop" in lines[0]
            assert r'path="/v1/messages/a\"%20b=c"' in lines[1] and "status=401" in lines[2]
    with Server() as s:
        s.alive()
        assert "request" not in s.said()


def try_port(s):
    """The port of a server that says nothing: from /proc."""
    inodes = set()
    for fd in os.listdir(f"/proc/{s.pid}/fd"):
        try:
            match = re.match(r"socket:\[(\d+)\]", os.readlink(f"/proc/{s.pid}/fd/{fd}"))
        except OSError:
            continue
        if match:
            inodes.add(match.group(1))
    with open("/proc/net/tcp") as f:
        for row in list(f)[1:]:
            cell = row.split()
            if cell[3] == "0A" and cell[9] in inodes:
                s.port = int(cell[1].split(":")[1], 16)
                return True
    return False


class Manager:
    """What a service manager does at its end of $NOTIFY_SOCKET."""

    def __init__(self, abstract=False):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.name = f"@senti-{os.getpid()}-{time.monotonic_ns()}" if abstract else new_path("notify")
        self.socket.bind(self.name.replace("@", "\0", 1) if abstract else self.name)
        self.socket.settimeout(30)

    def hears(self):
        return self.socket.recv(4096).decode().split("\n")


@check
def notify():
    """READY=1 once it serves, WATCHDOG=1 in time, STOPPING=1; nothing without a manager"""
    for abstract in (False, True):
        manager = Manager(abstract)
        with Server(env={"NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "400000"}) as s:
            first = manager.hears()
            assert first[0] == "READY=1" and f"STATUS=listening on {s.address}" in first, first
            s.alive()
            for _ in range(5):
                assert manager.hears() == ["WATCHDOG=1"]
            s.process.send_signal(signal.SIGTERM)
            while (word := manager.hears()) == ["WATCHDOG=1"]:
                pass
            assert word[0] == "STOPPING=1", word
    # Another process's watchdog, a socket that is gone, names that are none.
    for env in ({"NOTIFY_SOCKET": "/nowhere/notify"}, {"NOTIFY_SOCKET": "x"}, {"NOTIFY_SOCKET": "@"}, {"NOTIFY_SOCKET": "/" + "x" * 200},
                {"NOTIFY_SOCKET": "vsock:1:2"}):
        with Server(env={**env, "WATCHDOG_USEC": "100000"}) as s:
            s.alive()
    manager = Manager()
    with Server(env={"NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "100000", "WATCHDOG_PID": "1"}) as s:
        assert manager.hears()[0] == "READY=1"
        time.sleep(0.5)
        s.process.send_signal(signal.SIGTERM)
        assert manager.hears()[0] == "STOPPING=1", "no WATCHDOG=1 between"


LAUNCHER = """
import os, sys
fd, count, pid = map(int, sys.argv[1:4])
if fd != 3:
    os.dup2(fd, 3)
    os.close(fd)
os.environ.update(LISTEN_FDS=str(count), LISTEN_PID=str(pid or os.getpid()))
os.execvp("senti-serve", ["senti-serve", *sys.argv[4:]])
"""


def activated(listener, *args, count=1, pid=0, **kw):
    """A server that finds this socket as its descriptor 3, as a socket unit leaves it."""
    fd = listener.fileno()
    return Server(*args, listen=None, command=(sys.executable, "-c", LAUNCHER, str(fd), str(count), str(pid)), pass_fds=[fd], **kw)


@check
def inherited_sockets():
    """a socket that was opened for it is served, and stays: TCP and Unix; what is none is refused"""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        early = socket.create_connection(listener.getsockname()) # before it runs
        for _ in range(2): # and again: the socket outlives it
            with activated(listener) as s:
                assert s.port == listener.getsockname()[1]
                s.alive()
                if early:
                    out, _ = exchange(early, b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                    assert out.startswith(b"HTTP/1.1 200"), out
                    early = None
    path = new_path("socket")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        with activated(listener):
            c = socket.socket(socket.AF_UNIX)
            c.connect(path)
            out, _ = exchange(c, b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert out.startswith(b"HTTP/1.1 200"), out
        assert os.path.exists(path), "it is the manager's"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        s = activated(listener, count=2, listening=False)
        s.process.wait(60)
        s.stop(3)
        assert "LISTEN_FDS gives 2 sockets" in s.said()
        with activated(listener, "-l", "127.0.0.1:0", pid=1) as s: # another process's
            assert s.port != listener.getsockname()[1]
    with socket.socket() as deaf, open("/dev/null") as null:
        for wrong in (deaf, null):
            s = activated(wrong, listening=False)
            s.process.wait(60)
            s.stop(3)
            assert "not a listening stream socket" in s.said(), s.said()


@check
def socket_activate():
    """systemd-socket-activate starts it at the first connection"""
    if not shutil.which("systemd-socket-activate"):
        print("# systemd-socket-activate is not there: left out")
        return
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with Server("-v", listen=None, command=("systemd-socket-activate", "-l", f"127.0.0.1:{port}", "senti-serve"), listening=False) as s:
        s.port = port
        wait(lambda: try_get(s), "an answer")
        s.alive()


@check
def units():
    """the unit's command line is one that it takes, and the notifications are those that its type waits for"""
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../contrib/systemd/senti-serve.service")) as f:
        unit = dict(re.findall(r"(?m)^(\w+)=(.*)$", f.read()))
    assert unit["Type"] == "notify" and float(unit["TimeoutStopSec"]) > 30
    manager = Manager()
    args = [a for a in unit["ExecStart"].split()[1:] if a != "$SENTI_SERVE_OPTIONS"]
    with Server(*args, env={"NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": str(int(unit["WatchdogSec"]) * 1000000)}) as s:
        assert manager.hears()[0] == "READY=1"
        s.alive()


def try_get(s):
    try:
        return s.ask("GET", "/livez")[0] == 200
    except OSError:
        return False


os.chdir(DIR)
run()
