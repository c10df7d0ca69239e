"""Clients that others' generators make of senti-serve's description, each used against the server: types for TypeScript by openapi-typescript, a
client by openapi-python-client, models by datamodel-codegen. Each scores a text, submits a message, reads it back, and asks for one that is not there."""
# needs: node
# packages: openapi_python_client datamodel_code_generator
# npm: openapi-typescript openapi-fetch typescript
# seconds: 20
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from urllib.parse import quote

from serve_raw import DIR, Server
from tap import check, run

LIB = os.path.dirname(os.path.abspath(__file__)) + "/lib"
BIN = os.path.dirname(sys.executable)
JSON = {"Content-Type": "application/json"}


def make(*command, folder=DIR):
    """What it says; nothing is fetched."""
    env = {**os.environ, "PATH": BIN + ":" + os.environ["PATH"], "CI": "true", "NO_COLOR": "1"}
    done = subprocess.run(command, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=120)
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


def described(server):
    path = os.path.join(DIR, "api.json")
    with open(path, "wb") as f:
        f.write(server.ask("GET", "/openapi.json")[2])
    return path


@check
def typescript():
    """openapi-typescript and openapi-fetch: tsc takes the types and a program that uses them; the program gets what it asks for"""
    folder, npm = os.path.join(DIR, "typescript"), os.environ["SENTI_NPM"]
    os.mkdir(folder)
    os.symlink(npm, os.path.join(folder, "node_modules"))
    shutil.copy(os.path.join(LIB, "client.ts"), folder)
    with open(os.path.join(folder, "package.json"), "w") as f:
        f.write('{"type":"module"}')
    with open(os.path.join(folder, "tsconfig.json"), "w") as f:
        json.dump({"compilerOptions": {"strict": True, "noEmitOnError": True, "skipLibCheck": True, "target": "es2022",
                                       "module": "nodenext", "lib": ["es2022", "dom"], "types": []}, "files": ["api.ts", "client.ts"]}, f)
    with Server() as s:
        make("node", f"{npm}/openapi-typescript/bin/cli.js", described(s), "-o", "api.ts", folder=folder)
        make("node", f"{npm}/typescript/bin/tsc", folder=folder)
        got = json.loads(make("node", "client.js", f"http://127.0.0.1:{s.port}", folder=folder))
    lines = [json.loads(line) for line in got.pop("lines").splitlines()]
    assert [r.get("sentiment", {}).get("label", r.get("error", {}).get("code")) for r in lines] == ["neutral", "no_text"], lines
    assert got == {"label": "positive", "score": 0.6369, "shop": {"aisle": 7}, "submitted": 200, "id": "typescript/ü 1", "source": "shop",
                   "sentiment": "positive", "version": 1, "missing": 404, "problem": "urn:senti:problem:not_found",
                   "graphql": {"message": {"sentiment": {"label": "POSITIVE"}}}}, got


@check
def openapi_python_client():
    """openapi-python-client: it understands all but bodies of lines, and its client works"""
    conf = os.path.join(DIR, "conf.yaml")
    with open(conf, "w") as f:
        f.write("post_hooks: []\n")  # formatting
    with Server() as s:
        said = make(f"{BIN}/openapi-python-client", "generate", "--path", described(s), "--output-path", "senti_client", "--meta", "none", "--config",
                    conf)
        warned = re.findall(r"(?m)^WARNING .*|^Unsupported .*|^Unable .*|^ERROR .*", said)
        lines = "Unsupported content type application/x-ndjson"
        assert warned == ["WARNING parsing POST /v1/sentiment within scoring.", lines, "WARNING parsing POST /v1/messages within messages.", lines], said
        sys.path.insert(0, DIR)
        client = importlib.import_module("senti_client").Client(base_url=f"http://127.0.0.1:{s.port}")
        models = importlib.import_module("senti_client.models")

        def ask(name, **given):
            return importlib.import_module("senti_client.api." + name).sync(client=client, **given)

        scored = ask("scoring.score", body=models.Record.from_dict({"text": "I love it", "shop": 7}), model=models.ScoreModel.VADER,
                     explain=models.ScoreExplain.TRUE)
        assert isinstance(scored, models.ScoredRecord) and scored["shop"] == 7, scored
        assert scored.sentiment.label == models.Label.POSITIVE and scored.sentiment.why[0].word == "love", scored
        several = ask("scoring.score", body=[{"text": "so so"}, {"id": "2"}])
        assert [type(r) for r in several] == [models.ScoredRecord, models.Reject] and several[1].error.code == models.ErrorCode.NO_TEXT, several
        given = models.GivenSentiment.from_dict({"label": "negative", "by": "hand"})
        new = models.NewMessage(id="python/ü 1", text="I love it", source="shop", sentiment=given)
        accepted = ask("messages.submit_messages", body=new)
        assert isinstance(accepted, models.Accepted) and accepted.id == new.id, accepted
        stored = ask("messages.get_message", id=new.id)
        assert isinstance(stored, models.Message) and (stored.text, stored.source, stored.version) == ("I love it", "shop", 1), stored
        assert stored.sentiment.label == models.Label.POSITIVE and stored.sentiment.additional_properties["pos"] == 0.677, stored
        assert ask("messages.list_messages", limit=5).items == [stored]
        missing = ask("messages.get_message", id="none")
        assert isinstance(missing, models.Problem) and (missing.status, missing.type_) == (404, "urn:senti:problem:not_found"), missing


@check
def datamodel_codegen():
    """datamodel-codegen: its models of Pydantic take what the server answers, keep all of it, and what they write is taken"""
    with Server() as s:
        make(f"{BIN}/datamodel-codegen", "--input", described(s), "--input-file-type", "openapi", "--output-model-type", "pydantic_v2.BaseModel",
             "--formatters", "builtin", "--output", "senti_models.py")
        sys.path.insert(0, DIR)
        models = importlib.import_module("senti_models")
        _, _, body = s.ask("POST", "/v1/sentiment?explain", models.Record(text="I love it", shop=7).model_dump_json().encode(), JSON)
        scored = models.ScoredRecord.model_validate_json(body)
        assert scored.sentiment.label.value == "positive" and scored.sentiment.why[0].word == "love" and json.loads(body)["shop"] == 7, body
        new = models.NewMessage(id="pydantic/ü 1", text="I love it", source="shop", sentiment={"label": "negative", "by": "hand"})
        status, _, body = s.ask("POST", "/v1/messages", new.model_dump_json(exclude_none=True).encode(), JSON)
        assert status == 202 and models.Accepted.model_validate_json(body).id == "pydantic/ü 1", body
        _, _, body = s.ask("GET", f"/v1/messages/{quote('pydantic/ü 1', safe='')}")
        stored = models.Message.model_validate_json(body)
        assert stored.sentiment.label.value == "positive" and stored.version == 1, stored
        assert json.loads(stored.model_dump_json(exclude_none=True)) == json.loads(body), "a member is lost"
        status, _, body = s.ask("GET", "/v1/messages/none")
        problem = models.Problem.model_validate_json(body)
        assert problem.status == status == 404 and problem.type == "urn:senti:problem:not_found", problem


os.chdir(DIR)
run()
