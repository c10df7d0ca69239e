"""What checks of /graphql stand on: documents sent to a server, and npm's clients of it."""
import json
import os
import subprocess

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


def node(what, server, *args):
    """The lines that graphql_client.mjs prints of a server, or of an address."""
    url = server if isinstance(server, str) else f"http://{server.address}/graphql"
    done = subprocess.run(["node", os.path.join(LIB, "graphql_client.mjs"), what, url, *map(str, args)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()
