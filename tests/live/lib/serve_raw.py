"""What checks of senti-serve's edge stand on: a server on a port of its own and raw connections. Nothing but Python's own library."""
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

DIR = sys.argv[1]
# What runs for the subject; the server hears of it only by options.
STORE, AMQP = os.environ.pop("SENTI_STORE", None), os.environ.pop("SENTI_AMQP", None)
made = 0
TEXT = b'{"text":"I love it"}'


def new_path(name):
    global made
    made += 1
    return os.path.join(DIR, f"{made}-{name}")


def wait(what, why, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = what()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError("not in time: " + why)


class Server:
    """with Server("--option") as s: s.port, s.get(...). It must end with status 0, and without a word of a sanitizer."""

    def __init__(self, *args, listen="127.0.0.1:0", env=None, command=("senti-serve",), listening=True, **kw):
        self.log = new_path("log")
        argv = [*command, "-v", *(["-l", listen] if listen else []), "--store", f"sqlite:{new_path('db')}", *args]
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=log, env={**os.environ, **(env or {})}, cwd=DIR,
                                            **kw)
        self.pid = self.process.pid
        if listening:
            self.listening()

    def listening(self):
        found = wait(lambda: re.search(r'listening\b.*address"?[=:]"?([^\s"]+)', self.said()) or self.process.poll() is not None,
                     "listening")
        assert found is not True, (self.process.returncode, self.said())
        self.address = found.group(1)
        if not self.address.startswith("unix:"):
            self.port = int(self.address.rsplit(":", 1)[1])

    def said(self):
        with open(self.log, errors="surrogateescape") as f:
            return f.read()

    def connect(self, receive=0, timeout=20):
        s = socket.socket()
        if receive:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        s.settimeout(timeout)
        s.connect(("127.0.0.1", self.port))
        return s

    def ask(self, method, path, body=None, headers=None):
        """status, headers (names in lower case), body"""
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            c.request(method, path, body, headers or {})
            a = c.getresponse()
            fields = {}
            for k, v in a.getheaders():
                fields[k.lower()] = ", ".join(filter(None, [fields.get(k.lower()), v]))
            return a.status, fields, a.read()
        finally:
            c.close()

    def post(self, path, body, **headers):
        return self.ask("POST", path, body, {"Content-Type": "application/json", **headers})

    def alive(self, **headers):
        assert self.process.poll() is None, (self.process.returncode, self.said()[-4000:])
        status, _, body = self.post("/v1/sentiment", TEXT, **headers)
        assert status == 200 and json.loads(body)["sentiment"]["label"] == "positive", (status, body)

    def descriptors(self):
        """How many are open, but for the store's: its readers connect when they first run, which may be after the first request."""
        count, folder = 0, f"/proc/{self.pid}/fd"
        for fd in os.listdir(folder):
            try:
                count += not re.search(r"db(-wal|-shm)?$", os.readlink(f"{folder}/{fd}"))
            except FileNotFoundError:
                pass
        return count

    def settled(self, before):
        """As many descriptors as before, once what has gone is closed."""
        wait(lambda: self.descriptors() <= before, f"descriptors closed: {before} before, now {self.descriptors()}", 60)

    def stop(self, status=0):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) == status, (self.process.returncode, self.said()[-4000:])
        assert "Sanitizer" not in self.said() and "runtime error" not in self.said(), self.said()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            self.process.kill()
            self.process.wait()
            print("# " + self.said()[-4000:].replace("\n", "\n# "))
        else:
            self.stop()


def exchange(s, raw, quiet=None, half=False):
    """Sends it and reads until the server closes, or is quiet for so many seconds: the bytes, and whether it closed."""
    out = b""
    if quiet:
        s.settimeout(quiet)
    try:
        s.sendall(raw)
        if half:
            s.shutdown(socket.SHUT_WR)
        while True:
            got = s.recv(65536)
            if not got:
                return out, True
            out += got
    except (ConnectionResetError, BrokenPipeError):
        return out, True
    except socket.timeout:
        return out, False
    finally:
        s.close()


def answers(raw):
    """The answers' statuses, each answer read by its own length: nothing else may stand between or behind them."""
    found = []
    while raw:
        head, blank, rest = raw.partition(b"\r\n\r\n")
        match = re.match(rb"HTTP/1\.[01] (\d{3}) ", head)
        assert match and blank, ("no answer", raw[:300])
        length = re.search(rb"(?im)^content-length: *(\d+)", head)
        n = int(length.group(1)) if length else 0
        assert len(rest) >= n, ("cut", raw[:300])
        found.append(int(match.group(1)))
        raw = rest[n:]
    return found
