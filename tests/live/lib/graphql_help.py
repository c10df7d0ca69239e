"""What checks of /graphql stand on: documents sent to a server, and npm's clients of it."""
import atexit
import json
import os
import subprocess
import threading
import time

LIB = os.path.dirname(__file__)


def ask(server, query, headers=None, status=200, **more):
    """The answer to a document that is sent as JSON."""
    got, _, body = server.ask("POST", "/graphql", json.dumps({"query": query, **more}), {"Content-Type": "application/json", **(headers or {})})
    assert got == status, (got, body[:500])
    return json.loads(body)


def submit(server, first, n, headers=None, text="I love it"):
    """Messages m0000007, m0000008, ..."""
    messages = [{"id": f"m{i:07}", "text": text} for i in range(first, first + n)]
    answer = ask(server, "mutation ($m: [MessageInput!]!) { submit(messages: $m, waitMs: 30000) { id error message { seq } } }", headers,
                 variables={"m": messages})
    assert "errors" not in answer and [s["id"] for s in answer["data"]["submit"]] == [m["id"] for m in messages], str(answer)[:500]
    return answer["data"]["submit"]


class Subscription:
    """graphql-sse's client of `scored` after a seq ("": from now on), which connects again by itself: its .messages so far, and how often it was
    .connected."""

    def __init__(self, url, after=0, *mode, ca=None):
        self.messages, self.connected = [], 0
        self.process = subprocess.Popen(["node", os.path.join(LIB, "graphql_client.mjs"), "subscribe", url, str(after), *mode], text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **({"NODE_EXTRA_CA_CERTS": ca} if ca else {})})
        atexit.register(self.process.kill)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            if line == "connected\n":
                self.connected += 1
            else:
                self.messages.append(json.loads(line))

    def wait(self, what, why, seconds=60):
        end = time.monotonic() + seconds
        while not what():
            assert self.process.poll() is None, self.process.stderr.read()
            assert time.monotonic() < end, (why, self.connected, self.messages[-3:])
            time.sleep(0.02)

    def wait_connected(self, times=1):
        self.wait(lambda: self.connected >= times, f"connected {times} times")

    def wait_for(self, key):
        self.wait(lambda: any(m["id"] == key for m in self.messages[-100:]), f"the message {key}")

    def ids(self):
        return {m["id"] for m in self.messages}

    def ends(self, ids, ordered=True):
        """It has had each of these once, in the order of SQLite's log. (PostgreSQL's is that of transactions.)"""
        self.process.kill()
        self.process.wait()
        got = [m["id"] for m in self.messages]
        seqs = [int(m["seq"]) for m in self.messages]
        assert sorted(got) == sorted(ids), (f"{len(got)} of {len(ids)}", sorted(set(ids) - set(got))[:5], [i for i in got if got.count(i) > 1][:5])
        assert not ordered or seqs == sorted(seqs), seqs


def node(what, server, *args):
    """The lines that graphql_client.mjs prints of a server, or of an address."""
    url = server if isinstance(server, str) else f"http://{server.address}/graphql"
    done = subprocess.run(["node", os.path.join(LIB, "graphql_client.mjs"), what, url, *map(str, args)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()
