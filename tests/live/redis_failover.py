"""Redis by TLS, and where another server takes over: Sentinels, a primary that is killed, one that sleeps until it has been replaced."""
# needs: redis openssl
# packages: pika psycopg
# before: tls.py
# seconds: 45
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

from account import Running, lines, service, tool, wait_until
from serve_help import Server, ask
from tap import check, run

DIR = sys.argv[1]
BUILD = os.environ["SENTI_BUILD"]
ROOM = 0.75  # for a loaded machine
PRIMARY = "senti"  # what the Sentinels of scripts/services call it


def folder(name):
    path = os.path.join(DIR, name)
    os.mkdir(path)
    return path


class Redis:
    """A server of its own, with these settings of scripts/services and lines in its configuration."""

    def __init__(self, name, *settings, conf=()):
        self.dir = folder(name)
        if conf:
            with open(os.path.join(self.dir, "redis.conf"), "w") as f:
                f.write("".join(line + "\n" for line in conf))
        self.url = service("start", "redis", self.dir, *settings).split("'")[1]
        self.port = int(re.search(r":(\d+)", self.url).group(1))

    def ctl(self, *args):
        return service("ctl", "redis", self.dir, *args).rstrip("\n")

    def signal(self, number):
        with open(os.path.join(self.dir, "pids", "redis")) as f:
            os.kill(int(f.read().split()[0]), number)

    def kill(self):
        service("kill", "redis", self.dir)

    def again(self):
        service("again", "redis", self.dir)

    def role(self):
        return self.ctl("role").split("\n")[0]


def refused(address, *words, status=3, **kw):
    _, err = tool("senti-cache", "stats", "--cache", address, status=status, timeout=30, **kw)
    assert all(w in err for w in words) and "geheim" not in err, err


def unit(address, **env):
    """The rules of lib/data/cache.h."""
    done = subprocess.run([f"{BUILD}/tests/unit/cache"], capture_output=True, timeout=150, env={**os.environ, "SENTI_REDIS": address, **env})
    failed = re.findall(rb"^not ok.*(?:\n#.*)*", done.stdout, re.M)
    assert done.returncode == 0 and not failed, b"\n".join(failed).decode(errors="replace") + done.stderr.decode(errors="replace")
    assert done.stdout.count(b"redis:") > 100, "the part of Redis did not run"
    return done.stdout


# ---- TLS ----

def pem(name):
    return os.path.join(DIR, "tls", name)


SECURE = ("tls-port @TLS_PORT@", f"tls-cert-file {pem('server.pem')}", f"tls-key-file {pem('server.key')}",
          f"tls-ca-cert-file {pem('ca.pem')}", "tls-auth-clients no")


@check
def tls():
    "rediss: the rules hold; a foreign CA, another name, an expired certificate and a missing one of the client's are refused, and told"
    redis = Redis("secure", conf=("bind 127.0.0.1 127.0.0.2",) + SECURE)
    port = redis.port + 1
    ours = f"cacertfile={pem('ca.pem')}"
    unit(f"rediss://127.0.0.1:{port}?{ours}")
    unit(f"rediss://localhost:{port}/2", SENTI_REDIS_CACERT=pem("ca.pem"))
    big = json.dumps({"id": "big", "text": "x" * 900_000, "version": 3}).encode() + b"\n"  # many records of TLS, both ways
    _, err = tool("senti-cache", "put", "--summary", "--cache", f"rediss://127.0.0.1:{port}?{ours}", data=big)
    assert json.loads(err.splitlines()[-1])["stored"] == 1 and len(redis.ctl("get", "senti:m:big")) > 900_000, err
    refused(f"rediss://:geheim@127.0.0.1:{port}", "certificate of 127.0.0.1 is not valid: self-signed", "name its CA by cacertfile=FILE")
    refused(f"rediss://:geheim@127.0.0.1:{port}?cacertfile={pem('other.pem')}", "is not valid", "does not hold its CA")
    refused(f"rediss://127.0.0.2:{port}?{ours}", "certificate of 127.0.0.2 is not valid: IP address mismatch")
    refused(f"rediss://127.0.0.1:{port}?cacertfile={pem('none')}", "cannot read the CA certificates", "No such file")
    refused(f"rediss://127.0.0.1:{redis.port}?timeout=300&{ours}", "no answer in time to the TLS handshake")
    redis.ctl("config", "set", "tls-auth-clients", "yes")
    client = f"&certfile={pem('client.pem')}&keyfile={pem('client.key')}"
    for version in "TLSv1.3", "TLSv1.2":
        redis.ctl("config", "set", "tls-protocols", version)
        tool("senti-cache", "stats", "--cache", f"rediss://127.0.0.1:{port}?{ours}{client}")
        refused(f"rediss://127.0.0.1:{port}?{ours}", "demand", "client certificate: certfile=FILE and keyfile=FILE")
        refused(f"rediss://127.0.0.1:{port}?{ours}&certfile={pem('other.pem')}&keyfile={pem('other.key')}", "our client certificate")
    refused(f"rediss://127.0.0.1:{port}?{ours}&certfile={pem('client.pem')}&keyfile={pem('other.key')}", "is not the key of")
    redis.ctl("config", "set", "tls-auth-clients", "no", "tls-protocols", "TLSv1.1")
    refused(f"rediss://127.0.0.1:{port}?{ours}", "cannot connect", "TLS failed")
    redis.ctl("config", "set", "tls-protocols", "")
    subprocess.run(["openssl", "x509", "-req", "-in", pem("server.csr"), "-CA", pem("ca.pem"), "-CAkey", pem("ca.key"), "-days", "-1",
                    "-extfile", pem("san"), "-out", pem("expired.pem")], check=True, capture_output=True)
    redis.ctl("config", "set", "tls-cert-file", pem("expired.pem"))
    refused(f"rediss://127.0.0.1:{port}?{ours}", "certificate of 127.0.0.1 is not valid: certificate has expired")


@check
def tls_that_breaks():
    "a TLS server that stands still costs its limit, at connecting and later; killed, it is told once and comes back"
    redis = Redis("breaks", conf=SECURE)
    address = f"rediss://127.0.0.1:{redis.port + 1}?timeout=300&cacertfile={pem('ca.pem')}"
    p = Running(DIR, "senti-cache", "put", "--summary", "--cache", address, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    sent = 0

    def step():
        """One message in and out: the seconds that it took."""
        nonlocal sent
        sent += 1
        line = json.dumps({"id": f"m{sent}", "text": "x", "version": 3}).encode() + b"\n"
        begun = time.monotonic()
        p.process.stdin.write(line)
        p.process.stdin.flush()
        assert p.process.stdout.readline() == line
        return time.monotonic() - begun

    def works():
        step()
        return redis.ctl("exists", f"senti:m:m{sent}") == "1"
    wait_until(works, 20, "it is not used")
    redis.signal(signal.SIGSTOP)
    assert 0.25 < step() < 2 + ROOM
    wait_until(lambda: step() > 0.25, 20, "it is not tried again")  # the handshake is not answered
    wait_until(lambda: step() < 0.25, 20, "each record waits")
    redis.signal(signal.SIGCONT)
    wait_until(works, 20, "it is not used again")
    redis.kill()
    step()
    redis.again()
    wait_until(works, 20, "it is not used after it was killed")
    p.process.stdin.close()
    p.ends()
    assert p.said().count("is unreachable, going on without it") == 2 and p.said().count("the cache is back") == 2, p.said()


# ---- Sentinels ----

class Group:
    """A primary, its replicas and three Sentinels. Which one is the primary changes."""

    def __init__(self):
        # Of two that could take over the one with the lower priority does.
        self.servers = [Redis("one", conf=["replica-priority 10"])]
        self.servers += [Redis(name, f"replica={self.servers[0].dir}", conf=[f"replica-priority {p}"]) for name, p in (("two", 20), ("three", 30))]
        self.sentinels = [Redis(f"sentinel{i}", f"sentinel={self.servers[0].dir}") for i in range(3)]
        self.url = f"redis+sentinel://{','.join(f'127.0.0.1:{s.port}' for s in self.sentinels)}/{PRIMARY}"
        wait_until(lambda: all(s.ctl("sentinel", "ckquorum", PRIMARY).startswith("OK 3 usable") and self.figure(s, "num-slaves") == "2"
                               for s in self.sentinels), 30, "the Sentinels do not find each other")

    @staticmethod
    def figure(sentinel, name):
        words = sentinel.ctl("sentinel", "master", PRIMARY).split("\n")
        return words[words.index(name) + 1]

    def primary(self, *sentinels):
        """The one that all of these name; None while they differ."""
        ports = {s.ctl("sentinel", "get-master-addr-by-name", PRIMARY).split("\n")[1] for s in sentinels or self.sentinels}
        return next((s for s in self.servers if str(s.port) in ports), None) if len(ports) == 1 else None

    def agreed(self, *sentinels, old=None):
        """The primary, once they agree on one that is not the old one."""
        found = []

        def other():
            found.append(self.primary(*sentinels))
            return found[-1] and found[-1] is not old and found[-1].role() == "master"
        wait_until(other, 40, "no server takes over")
        return found[-1]

    def followed(self, replicas, old=None):
        """The primary, once so many follow it, for only they can take its place. On a loaded machine it may be replaced at once by another."""
        found = []

        def settled():
            # A Sentinel that is still at the last failover would not see the next one.
            if any("failover_in_progress" in self.figure(s, "flags") for s in self.sentinels):
                return False
            found.append(self.primary())
            return found[-1] and found[-1] is not old and f"connected_slaves:{replicas}" in found[-1].ctl("info", "replication")
        wait_until(settled, 60, f"no primary that {replicas} follow")
        return found[-1]


group = None


def started():
    global group
    group = group or Group()
    return group


@check
def rules():
    "redis+sentinel: the rules hold, and after each of two failovers nothing of the server before is read, and no put that read before is taken"
    g = started()
    script = os.path.join(DIR, "failover")
    with open(script, "w") as f:
        f.write(f"""set -e
names() {{ for s in {' '.join(s.dir for s in g.sentinels)}; do {os.environ['SENTI_SERVICES']} ctl redis $s sentinel get-master-addr-by-name {PRIMARY} | tail -n 1; done | sort -u; }}
old=$(names)
until {os.environ['SENTI_SERVICES']} ctl redis {g.sentinels[0].dir} sentinel failover {PRIMARY} | grep -q OK; do sleep 0.1; done
new=$old
until [ "$new" != "$old" ] && [ "$(echo $new | wc -w)" = 1 ]; do
	sleep 0.05
	new=$(names)
done
# The Sentinels would make the old one follow only after some seconds.
redis-cli -p "$old" replicaof 127.0.0.1 "$new"
until redis-cli -p $new info replication | grep -q '^connected_slaves:2'; do sleep 0.05; done
""")
    first = g.agreed()
    out = unit(g.url, SENTI_FAILOVER=f"timeout 60 bash {script} </dev/null >&2")
    assert out.count(b"failover:") == 15, out.count(b"failover:")
    return f"from {g.servers.index(first) + 1} to {g.servers.index(g.agreed()) + 1}"


@check
def words():
    "Sentinels that do not know the name, want a password or are none are told; one that is dead or silent is passed over; TLS is for both"
    g = started()
    ports = [s.port for s in g.sentinels]
    slow = "timeout=3000"  # a loaded machine may be
    refused(f"redis+sentinel://127.0.0.1:{ports[0]},127.0.0.1:1/other?{slow}", "does not know a primary 'other'")
    refused(f"redis+sentinel://:geheim@127.0.0.1:1,127.0.0.1:2/{PRIMARY}?{slow}", "cannot connect to the Sentinel 127.0.0.1:1: Connection refused")
    refused(f"redis+sentinel://127.0.0.1:{g.servers[0].port}/{PRIMARY}?{slow}", "it is not a Sentinel")
    refused(f"redis+sentinel://alone:geheim@127.0.0.1:{ports[0]}/{PRIMARY}?{slow}", "refuses this user and password")
    refused(f"redis+sentinel://127.0.0.1:{ports[0]}", "name of their primary", status=2)
    tool("senti-cache", "stats", "--cache", f"redis+sentinel://127.0.0.1:1,127.0.0.1:{ports[0]}/{PRIMARY}/3?{slow}")
    g.sentinels[0].signal(signal.SIGSTOP)
    try:
        tool("senti-cache", "stats", "--cache", f"{g.url}?{slow}")
        refused(f"redis+sentinel://127.0.0.1:{ports[0]}/{PRIMARY}?timeout=300", "the Sentinel 127.0.0.1", "no answer in time")
    finally:
        g.sentinels[0].signal(signal.SIGCONT)
    # One that also knows a server with TLS, by its port of TLS.
    redis = Redis("both", conf=SECURE)
    one = Redis("sesame", f"sentinel={redis.dir}", conf=(*SECURE, "tls-replication yes", "requirepass sesame",
                                                         f"sentinel monitor secure 127.0.0.1 {redis.port + 1} 1"))
    secure = f"rediss+sentinel://localhost:{one.port + 1}/secure?{slow}&cacertfile={pem('ca.pem')}"
    refused(secure, "it needs a password, in SENTI_SENTINEL_AUTH")
    for auth, good in (("geheim", False), ("sesame", True), ("default:sesame", True), (":sesame", True)):
        env = {**os.environ, "SENTI_SENTINEL_AUTH": auth}
        if good:
            tool("senti-cache", "stats", "--cache", secure, env=env)
        else:
            refused(secure, "it refuses the password of SENTI_SENTINEL_AUTH", env=env)
    refused(f"rediss+sentinel://localhost:{one.port + 1}/secure?{slow}", "the Sentinel localhost", "name its CA by cacertfile=FILE",
            env={**os.environ, "SENTI_SENTINEL_AUTH": "sesame"})


@check
def sleeper():
    "a follower that has had nothing to do since before the failover invalidates in the new primary, though the old one is still there"
    g = started()
    path, old = folder("sleeper"), g.agreed()
    store = f"sqlite:{path}/s.db"
    tool("sh", "-c", f"senti-score | senti-store put --store {store} | senti-cache put --cache {g.url}", data=lines([{"id": "z", "text": "I love it"}]))
    follower = Running(path, "senti-cache", "follow", "--reader", "f", "--cache", g.url, "--store", store, stdout=subprocess.PIPE)
    assert json.loads(follower.process.stdout.readline())["op"] == "insert"
    old.signal(signal.SIGSTOP)
    g.agreed(old=old)
    old.signal(signal.SIGCONT)
    wait_until(lambda: old.role() == "master", 20, "it does not wake up as the primary that it was")
    tool("senti-store", "correct", "--store", store, "z", "negative")
    assert json.loads(follower.process.stdout.readline())["op"] == "update"
    wait_until(lambda: g.agreed(old=old).ctl("get", "senti:m:z") == "2", 5, "the new primary has no tombstone")
    # The Sentinels would make the old one follow only after some seconds.
    old.ctl("replicaof", "127.0.0.1", str(g.agreed(old=old).port))
    follower.process.terminate()
    follower.ends()


class Told:
    """A Sentinel that names the server which it is told to, as the primary since a failover of this number."""

    def __init__(self, server, epoch):
        self.server, self.epoch = server, epoch
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis+sentinel://127.0.0.1:{self.socket.getsockname()[1]}/{PRIMARY}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            threading.Thread(target=self.answer, args=(self.socket.accept()[0],), daemon=True).start()

    def answer(self, c):
        with c, c.makefile("rb") as commands:
            while head := commands.readline():
                words = [commands.read(int(commands.readline()[1:]) + 2)[:-2] for _ in range(int(head[1:]))]
                port, epoch = str(self.server.port), str(self.epoch)
                said = ["127.0.0.1", port] if words[1] != b"master" else ["name", PRIMARY, "config-epoch", epoch]
                c.sendall(f"*{len(said)}\r\n".encode() + b"".join(b"$%d\r\n%s\r\n" % (len(w), w.encode()) for w in said))


@check
def there_and_back():
    "a primary that slept while another one stood in for it, and takes over again as it was: nobody reads what it had before"
    one, other = Redis("there"), Redis("back")
    told, path = Told(one, 1), folder("there_and_back")
    server = Server(path, "--store", "sqlite:s.db", "--cache", told.url)

    def label():
        return ask(server.url, "/v1/messages/m").json()["sentiment"]["label"]

    def comes_to(redis, word):
        """Until it has the record with this label. Every read says so meanwhile."""
        def there():
            assert label() == word
            return f'"label":"{word}"' in redis.ctl("get", "senti:m:m")
        wait_until(there, 20, f"the primary has no record that says {word}")

    assert ask(server.url, "/v1/messages", {"id": "m", "text": "I love it"}, headers={"Prefer": "wait=5"}).status == 200
    comes_to(one, "positive")
    told.server, told.epoch = other, 2
    assert ask(server.url, "/v1/messages/m", {"label": "negative"}, method="PATCH").status == 200
    comes_to(other, "negative")
    told.server, told.epoch = one, 3
    comes_to(one, "negative")
    server.ends()


class Client(threading.Thread):
    """Goes on asking one server, until it is told to end; a failure of a check is kept."""

    def __init__(self, work):
        super().__init__(daemon=True)
        self.work, self.over, self.failure, self.count = work, threading.Event(), None, 0
        self.start()

    def run(self):
        while not self.over.is_set() and not self.failure:
            try:
                self.work(self.count)
                self.count += 1
            except Exception as e:
                self.failure = e

    def ends(self):
        self.over.set()
        self.join(60)
        if self.failure:
            raise self.failure


@check
def under_load():
    "a primary killed, then one that stands still until it is replaced and wakes up, a Sentinel dead: no read is older than the last acknowledged write"
    g = started()
    path = folder("load")
    server = Server(path, "--store", "sqlite:s.db", "--cache", g.url)
    known = {f"m{i}": 0 for i in range(6)}  # the version that was acknowledged last

    def write(ids):
        def work(n):
            i = ids[n % len(ids)]
            answer = ask(server.url, f"/v1/messages/{i}", {"label": ("negative", "neutral")[n // len(ids) % 2]}, method="PATCH")
            assert answer.status == 200, answer.body
            known[i] = answer.json()["version"]
            time.sleep(0.02)
        return work

    def read(n):
        i = f"m{n % len(known)}"
        least = known[i]
        answer = ask(server.url, f"/v1/messages/{i}")
        got = answer.json().get("version", 0)
        assert answer.status == 200 and got >= least, f"{i}: version {got} after {least} was acknowledged"

    def hits():
        ask(server.url, "/v1/messages/quiet")
        return "hit" in ask(server.url, "/v1/messages/quiet").headers["Cache-Status"]

    for i in [*known, "quiet"]:
        answer = ask(server.url, "/v1/messages", {"id": i, "text": "I love it"}, headers={"Prefer": "wait=5"})
        assert answer.status == 200, answer.body
    wait_until(hits, 20, "Redis is not used")
    clients = [Client(write([f"m{w}", f"m{w + 3}"])) for w in range(3)] + [Client(read) for _ in range(3)]
    failed = lambda: any(c.failure for c in clients)
    first = g.followed(2)
    first.kill()
    second = g.followed(1, old=first)
    wait_until(lambda: hits() or failed(), 20, "the new primary is not used")
    g.sentinels[0].kill()
    second.signal(signal.SIGSTOP)
    try:
        g.agreed(*g.sentinels[1:], old=second)
        wait_until(lambda: hits() or failed(), 20, "the newest primary is not used")
    finally:
        second.signal(signal.SIGCONT)
    first.again()
    asked = [c.count for c in clients]
    wait_until(lambda: failed() or all(c.count > before + 50 for c, before in zip(clients, asked)), 30, "they do not go on")
    for c in clients:
        c.ends()
    wait_until(hits, 20, "Redis is not used in the end")
    server.ends()
    return f"{sum(c.count for c in clients)} requests"


run()
