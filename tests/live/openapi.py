"""The description of senti-serve's HTTP interface, held to the running server: the document by openapi-spec-validator, its examples by its own
schemas, and the server by schemathesis with all its checks."""
# packages: openapi_spec_validator schemathesis
# seconds: 60
import http.client
import json
import os
import re
import subprocess
import sys
import time

import jsonschema
import openapi_spec_validator

import tap
from tap import check

DIR = sys.argv[1]
LIB = os.path.dirname(tap.__file__)
LINES = "application/x-ndjson"


class Server:
    def __init__(self):
        self.said = os.path.join(DIR, "log")
        with open(self.said, "w") as log:
            self.process = subprocess.Popen(["senti-serve", "-v", "-l", "127.0.0.1:0"], stdin=subprocess.DEVNULL, stderr=log, cwd=DIR)
        for _ in range(600):
            match = re.search(r"listening.*address=(\S+)", open(self.said).read())
            if match:
                break
            assert self.process.poll() is None, open(self.said).read()
            time.sleep(0.05)
        self.address = match.group(1)

    def ask(self, method, path, body=None, **headers):
        """Status, headers and body; of a stream what comes until there is an event."""
        c = http.client.HTTPConnection(self.address, timeout=30)
        c.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
        answer = c.getresponse()
        if answer.getheader("Content-Type") == "text/event-stream":
            said = b""
            while b"data: " not in said or not said.endswith(b"\n\n"):
                said += answer.readline()
        else:
            said = answer.read()
        c.close()
        return answer.status, answer.headers, said

    def stop(self):
        self.process.terminate()
        return self.process.wait(60)


def fits(value, schema):
    """$ref points into the document, so the schema is looked at as a part of it."""
    jsonschema.Draft202012Validator({**schema, "components": api["components"]}).validate(value)


def resolve(node):
    while "$ref" in node:
        at = api
        for name in node["$ref"][2:].split("/"):
            at = at[name.replace("~1", "/").replace("~0", "~")]
        node = at
    return node


def operations():
    for path, item in api["paths"].items():
        for method, op in item.items():
            if method in ("get", "post", "put", "patch", "delete"):
                yield path, method, op, [resolve(p) for p in item.get("parameters", []) + op.get("parameters", [])]


def answers_of(op):
    return {status: resolve(answer) for status, answer in op["responses"].items()}


def a_problem(answer, status, kind):
    assert answer[0] == status and answer[1]["Content-Type"] == "application/problem+json", answer
    fits(json.loads(answer[2]), {"$ref": "#/components/schemas/Problem"})
    assert json.loads(answer[2])["type"] == "urn:senti:problem:" + kind, answer


@check
def the_document_is_openapi_3_1():
    openapi_spec_validator.OpenAPIV31SpecValidator(api).validate()
    for schema in api["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


@check
def examples_fit_their_schemas():
    def look(media_type, content):
        given = [content["example"]] if "example" in content else []
        given += [e["value"] for e in content.get("examples", {}).values()]
        for value in given:
            fits(value, content["schema"])
        return len(given)

    n = 0
    for path, method, op, parameters in operations():
        for p in parameters:
            if "example" in p:
                fits(p["example"], p["schema"])
                n += 1
        for media_type, content in op.get("requestBody", {}).get("content", {}).items():
            n += look(media_type, content)
        for answer in answers_of(op).values():
            for media_type, content in answer.get("content", {}).items():
                n += look(media_type, content)
    for schema in api["components"]["schemas"].values():
        for value in schema.get("examples", []):
            fits(value, schema)
    assert n > 30, n


@check
def every_operation_is_described_whole():
    """What any request may be answered stands at each operation; every error is a problem; each parameter says what it is for."""
    for path, method, op, parameters in operations():
        answers = answers_of(op)
        assert {"400", "413"} <= set(answers), (path, method)
        if op.get("security") != []:
            assert {"401", "403"} <= set(answers), (path, method)
        if "requestBody" in op:
            # At /graphql what is wrong with the data of a request stands in the answer, among its errors.
            assert {"415"} | ({"422"} if path != "/graphql" else set()) <= set(answers), (path, method)
        for status, answer in answers.items():
            assert status < "400" or "application/problem+json" in answer["content"], (path, method, status)
        assert op["summary"] and op["tags"][0] in [t["name"] for t in api["tags"]]
        assert all(p["description"] for p in parameters), (path, method)


@check
def lines_hold_what_arrays_hold():
    """schemathesis sees NDJSON as text; here each line of an answer is held to the schema of an array's items."""
    def items(path, status):
        either = api["paths"][path]["post"]["responses"][status]["content"]["application/json"]["schema"]["anyOf"]
        return either[1]["items"]

    body = b'{"id":"l1","text":"I love it"}\n{"id":"l2"}\n\n{"text":"\xff"}\nx\n{"id":"l3","text":"bad","time":"2026-01-31T12:00:00+01:00"}\n'
    for path, prefer, status in (("/v1/sentiment?explain", "", 200), ("/v1/messages", "", 202), ("/v1/messages", "wait=5", 200)):
        answer = server.ask("POST", path, body, Content_Type=LINES, Prefer=prefer)
        assert answer[0] == status and answer[1]["Content-Type"] == LINES, answer
        lines = answer[2].splitlines()
        assert len(lines) == 5, lines
        for line in lines:
            fits(json.loads(line), items(path.split("?")[0], str(status)))


@check
def events_are_as_described():
    """schemathesis reads answers to their end, which a stream does not have; so it is looked at here."""
    op = api["paths"]["/v1/events"]["get"]
    server.ask("POST", "/v1/messages", b'{"id":"e1","text":"I love it","source":"events"}', Content_Type="application/json")
    for path, headers in (("/v1/events?source=events&label=positive", {"Last_Event_ID": "0"}), ("/v1/events?source=events&last-event-id=0", {})):
        status, got, said = server.ask("GET", path, **headers)
        answer = answers_of(op)[str(status)]
        assert status == 200 and got["Content-Type"] in answer["content"] and set(answer["headers"]) <= set(got), got
        event = dict(line.split(": ", 1) for line in said.decode().split("event: scored\n", 1)[1].splitlines() if line)
        assert event["id"].isdigit(), said
        fits(json.loads(event["data"]), {"$ref": "#/components/schemas/Message"})
    a_problem(server.ask("GET", "/v1/events?label=good"), 400, "bad_query")
    a_problem(server.ask("GET", "/v1/events", Last_Event_ID="x"), 400, "bad_event_id")
    a_problem(server.ask("GET", "/v1/events?last-event-id=-1"), 400, "bad_event_id")


@check
def schemathesis_finds_nothing():
    """All checks, all phases; but for /v1/events, see above."""
    env = {**os.environ, "SCHEMATHESIS_HOOKS": "openapi_hooks", "PYTHONPATH": LIB, "PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1"}
    said = subprocess.run(
        [os.path.join(os.path.dirname(sys.executable), "schemathesis"), "--config-file", os.path.join(LIB, "openapi.toml"), "run",
         f"http://{server.address}/openapi.json", "--checks", "all", "--exclude-path", "/v1/events", "--max-redirects", "0",
         "--request-timeout", "30", "--max-examples", "40", "--seed", "1", "--warnings", "off", "--output-truncate", "false"],
        capture_output=True, text=True, env=env, cwd=DIR, timeout=240)
    assert said.returncode == 0, said.stdout + said.stderr
    tested = re.search(r"(\d+) generated, (\d+) passed", said.stdout)
    assert tested and int(tested.group(1)) > 500, said.stdout
    assert "errored" not in said.stdout, said.stdout
    # All but the events, and /openapi.json itself, which it leaves out where it has read the document from there.
    assert re.search(r"Tested: (\d+)", said.stdout).group(1) == str(len(list(operations())) - 2), said.stdout
    print(f"# {tested.group(0)}")


@check
def the_server_is_none_the_worse():
    assert server.ask("GET", "/readyz")[0] == 200
    assert server.stop() == 0
    with open(server.said) as log:
        assert "error:" not in log.read()


server = Server()
api = json.loads(server.ask("GET", "/openapi.json")[2])
try:
    tap.run()
finally:
    if server.process.poll() is None:
        server.stop()
