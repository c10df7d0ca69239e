"""The memory of senti-serve under 200 hostile clients of several kinds at once: never more than --memory and 64 MiB, small requests are answered
meanwhile, and the temporary files have a limit, too."""
# seconds: 90
import json
import os
import select
import socket
import threading

from serve_raw import Server, wait
from tap import check, run

MIB = 1 << 20
PAGES, ARRAYS, LINES, HALVES = 110, 50, 20, 20
ARRAY = ("[" + ",".join(['{"text":"' + "no so good! " * 500 + '"}'] * 170) + "]").encode()
ONES = b"1\n" * (MIB // 2)


def head(method, path, media=None, length=0):
    fields = f"Content-Type: {media}\r\nContent-Length: {length}\r\n" if media else ""
    return f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n".encode()


def send(s, *parts):
    """Sends as far as the server takes it, in a thread of its own."""
    def work():
        try:
            for part in parts:
                s.sendall(part)
        except OSError:
            pass
    threading.Thread(target=work, daemon=True).start()


def readable(sockets):
    return select.select(sockets, [], [], 0)[0]


def status(s):
    return int(s.recv(12, socket.MSG_PEEK)[9:12])


def figure(server, name):
    with open(f"/proc/{server.pid}/status") as f:
        return int(f.read().split(name + ":")[1].split()[0]) * 1024


def spooled(server):
    """Bytes in the server's files without a name."""
    total = 0
    for fd in os.listdir(f"/proc/{server.pid}/fd"):
        try:
            if "(deleted)" in os.readlink(f"/proc/{server.pid}/fd/{fd}"):
                total += os.stat(f"/proc/{server.pid}/fd/{fd}").st_size
        except FileNotFoundError:
            pass
    return total


def start(server, n, *parts):
    sockets = [server.connect(receive=4096, timeout=300) for _ in range(n)]
    for s in sockets:
        send(s, *parts)
    return sockets


def abuse(memory):
    spool = 256 * MIB
    with Server("--memory", str(memory), "--spool", str(spool)) as server:
        for k in range(3):
            rows = [{"id": f"m{k}-{i}", "text": "x" * 4100} for i in range(500)]
            assert server.post("/v1/messages", json.dumps(rows))[0] == 202
        arrays = start(server, ARRAYS, head("POST", "/v1/sentiment?explain=1&model=plus", "application/json", len(ARRAY)), ARRAY)
        halves = start(server, HALVES, head("POST", "/v1/sentiment", "application/json", 8 * MIB), b"[" + b" " * (4 * MIB))
        pages = start(server, PAGES, head("GET", "/v1/messages?limit=1000"))
        lines = start(server, LINES, head("POST", "/v1/sentiment", "application/x-ndjson", len(ONES)), ONES)
        most = 0

        def answered():
            nonlocal most
            most = max(most, spooled(server))
            server.alive()
            return len(readable(pages)) == PAGES and len(readable(lines)) == LINES and len(readable(arrays)) >= 4

        wait(answered, "pages and lines are answered or refused, and some arrays", 280)
        kinds = [[status(s) for s in readable(group)] for group in (pages, lines, arrays)]
        assert 200 in kinds[0], kinds
        assert set(kinds[0]) <= {200, 503} and set(kinds[1]) <= {200, 503, 507} and set(kinds[2]) <= {200, 503, 507}, kinds
        assert 507 in kinds[1], ("20 answers of 32 MiB do not fit into 256", kinds[1])
        for s in arrays + halves + pages + lines:
            s.close()
        server.settled(60)
        server.alive()
        # Each array may have found the files full of lines; now they are free.
        alone = start(server, 1, head("POST", "/v1/sentiment?explain=1&model=plus", "application/json", len(ARRAY)), ARRAY)
        wait(lambda: readable(alone), "an array is answered", 280)
        assert status(alone[0]) == 200, status(alone[0])
        alone[0].close()
        server.settled(60)
        peak = figure(server, "VmHWM")
        assert peak <= memory + 64 * MIB, f"{peak / MIB:.1f} MiB"
        assert most <= spool, most
        return f"peak {peak / MIB:.1f} MiB, then {figure(server, 'VmRSS') / MIB:.1f}; {most / MIB:.0f} MiB in files"


@check
def many():
    "--max-items 1000000: one array of as many is answered or refused within --memory"
    memory = 64 * MIB
    with Server("--memory", str(memory), "--max-items", "1000000", "--max-waiting", "1000000") as server:
        status = [server.post("/v1/messages", "[" + ",".join(['{"text":"a"}'] * n) + "]")[0] for n in (1000000, 1000001, 100000)]
        assert status[0] in (202, 503) and status[1:] == [413, 202], status
        peak = figure(server, "VmHWM")
        assert peak <= memory + 64 * MIB, f"{peak / MIB:.1f} MiB"
        return f"peak {peak / MIB:.1f} MiB, status {status}"


def ask(query, texts):
    body = json.dumps({"query": query, "variables": {"t": texts}}).encode()
    return head("POST", "/graphql", "application/json", len(body)), body


@check
def graphql():
    "operations of GraphQL whose variables, explanations and pages take many times their bytes"
    memory, explained = 64 * MIB, "{ label score why { word value rule at } }"
    with Server("--memory", str(memory)) as server:
        for k in range(3):
            rows = [{"id": f"m{k}-{i}", "text": "x" * 4100} for i in range(500)]
            assert server.post("/v1/messages", json.dumps(rows))[0] == 202
        sentiments = f'sentiments(texts: $t, explain: true, model: "plus") {explained}'
        many = "query($t: [String!]!) { " + " ".join(f"a{i}: {sentiments}" for i in range(10)) + " }"
        pages = "{ " + " ".join(f"a{i}: messages(first: 100) {{ edges {{ node {{ id text }} }} }}" for i in range(30)) + " }"
        usual = [(20, *ask(many, ["no so good! great bad " * 20] * 100)), (20, *ask(pages, []))]
        large = [(10, *ask("query($t: [String!]!) { sentiments(texts: $t) { label } }", ["a"] * 1000000)),
                 (10, *ask("query($t: [String!]!) { " + sentiments + " }", ["no so good! " * 500] * 2000))]

        def answers(which):
            groups = [start(server, *one) for one in which]
            wait(lambda: all(len(readable(group)) == len(group) for group in groups), "all are answered or refused", 200)
            kinds = [sorted({status(s) for s in group}) for group in groups]
            for s in sum(groups, []):
                s.close()
            server.settled(60)
            return kinds

        assert answers(usual) == [[200], [200]]
        kinds = answers(usual + large)  # beside large ones each may be refused
        assert all(set(kind) <= {200, 413, 503} for kind in kinds) and 413 not in kinds[0] + kinds[1], kinds
        server.alive()
        peak = figure(server, "VmHWM")
        assert peak <= memory + 64 * MIB, f"{peak / MIB:.1f} MiB"
        return f"peak {peak / MIB:.1f} MiB, {kinds}"


@check
def small():
    "--memory 64M"
    return abuse(64 * MIB)


@check
def usual():
    "--memory 256M"
    return abuse(256 * MIB)


run()
