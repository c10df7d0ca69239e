"""Clients that OpenAPI Generator makes of senti-serve's description, in Python and in TypeScript, each used against the server. What they make of
arrays where one object may stand as well is of no use in either language (7.19): programs send lines, or one record at a time."""
# needs: java node
# packages: pydantic dateutil urllib3
# npm: typescript
# seconds: 30
import glob
import importlib
import json
import os
import shutil
import subprocess
import sys

from serve_raw import DIR, Server
from tap import check, run

ROOT = os.environ["SENTI_ROOT"]
JAR, = glob.glob(ROOT + "/build/openapi-generator/openapi-generator-cli-*.jar") or [None]


def make(*command, folder=DIR):
    done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


def generate(server, generator, folder, *args):
    assert JAR, "scripts/fetch-openapi-generator has not been run"
    path = os.path.join(DIR, "api.json")
    with open(path, "wb") as f:
        f.write(server.ask("GET", "/openapi.json")[2])
    return make("java", "-jar", JAR, "generate", "-g", generator, "-i", path, "-o", folder, *args)


@check
def typescript():
    "typescript-fetch: tsc takes the client and a program that uses it; the program gets what it asks for"
    folder, npm = os.path.join(DIR, "typescript"), os.environ["SENTI_NPM"]
    os.mkdir(folder)
    shutil.copy(os.path.join(ROOT, "tests/system/openapi-generator/client.ts"), folder)
    with open(os.path.join(folder, "tsconfig.json"), "w") as f:
        json.dump({"compilerOptions": {"strict": True, "noEmitOnError": True, "target": "es2022", "module": "commonjs", "lib": ["es2022", "dom"],
                                       "types": []}, "files": ["client.ts"]}, f)
    with Server() as s:
        generate(s, "typescript-fetch", os.path.join(folder, "api"))
        make("node", f"{npm}/typescript/bin/tsc", folder=folder)
        got = json.loads(make("node", "client.js", f"http://127.0.0.1:{s.port}", folder=folder))
    assert got == {"score": 0.6369, "id": "typescript/ü 1", "source": "shop", "label": "positive", "corrected": "neutral", "version": 2, "page": 1,
                   "missing": "urn:senti:problem:not_found"}, got


@check
def python():
    "python: its models take what the server answers and keep all of it, and what they write is taken"
    with Server() as s:
        generate(s, "python", os.path.join(DIR, "python"), "--additional-properties=packageName=generated_client")
        sys.path.insert(0, os.path.join(DIR, "python"))
        c = importlib.import_module("generated_client")
        client = c.ApiClient(c.Configuration(host=f"http://127.0.0.1:{s.port}"))
        scoring, messages = c.ScoringApi(client), c.MessagesApi(client)
        scored = scoring.score(c.RecordOrRecords(c.Record.from_dict({"text": "I love it", "shop": 7}))).actual_instance
        assert (scored.sentiment.label, scored.sentiment.score, scored.additional_properties) == (c.Label.POSITIVE, 0.6369, {"shop": 7}), scored
        new = c.NewMessage(id="python/ü 1", text="I love it", source="shop", sentiment=c.GivenSentiment.from_dict({"label": "negative", "by": "hand"}))
        assert messages.submit_messages(c.NewMessageOrMessages(new)).actual_instance.id == new.id
        stored = messages.get_message(new.id)
        assert (stored.text, stored.source, stored.version, stored.sentiment.label) == ("I love it", "shop", 1, c.Label.POSITIVE), stored
        whole = json.loads(s.ask("GET", "/v1/messages/python%2F%C3%BC%201")[2])
        assert {k: v for k, v in json.loads(stored.to_json()).items() if v is not None} == whole, (stored, whole)
        assert messages.correct_message(new.id, c.Correction(label="neutral")).version == 2
        assert [m.id for m in messages.list_messages(limit=5).items] == [new.id]
        try:
            messages.get_message("none")
        except c.exceptions.NotFoundException as missing:
            assert missing.data.type == "urn:senti:problem:not_found", missing
        else:
            raise AssertionError("a message that is not there is read")


run()
