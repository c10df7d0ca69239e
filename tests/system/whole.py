"""The whole specification, started by scripts/system: each way from a text to what is seen of it, each component killed and brought back, the commands
of senti-operations(7), and nothing left when it ends. SENTI_INTERRUPTS says how often a start is interrupted (2)."""
# needs: rabbitmq redis postgresql traefik airflow openssl jq curl sqlite3 chromium
# packages: pika psycopg playwright
# seconds: 200
import glob
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from urllib.parse import urlsplit

import pika
import psycopg

from account import Broker, Running, dead, left, lines, tool, wait_until
from dashboard_page import close_browser, dashboard, expect
from serve_help import Load, ask, rows_of_postgres
from tap import check, run

DIR, ROOT = sys.argv[1], os.environ["SENTI_ROOT"]
SYSTEM, WHOLE = os.path.join(ROOT, "scripts/system"), os.path.join(DIR, "s")
# Where a program would put files that it was not told to put elsewhere.
ELSEWHERE = [os.path.join(DIR, name) for name in ("home", "tmp")]
AROUND = {**os.environ, "HOME": ELSEWHERE[0], "TMPDIR": ELSEWHERE[1], "SENTI_BIN": os.path.dirname(tool("sh", "-c", "command -v senti-serve")[0].decode())}
env = {}


# ---- the system ----

def system(verb, *args, status=0, folder=WHOLE, **kw):
    return tool(SYSTEM, verb, folder, *args, status=status, timeout=300, env=AROUND, **kw)


def processes(folder):
    """All that run there, by where they stand, what they were called with and what they were given."""
    found = {}
    for path in glob.glob("/proc/[0-9]*"):
        try:
            with open(path + "/stat") as f:
                if f.read().rsplit(") ", 1)[1][0] in "ZX":
                    continue
            known = os.readlink(path + "/cwd").encode() + b"/\0"
            for name in "cmdline", "environ":
                with open(path + "/" + name, "rb") as f:
                    known += f.read()
        except OSError:
            continue
        if folder.encode() + b"/" in known:
            with open(path + "/cmdline", "rb") as f:
                found[path[6:]] = f.read().replace(b"\0", b" ")[:100]
    return found


def nothing_left(folder):
    wait_until(lambda: not processes(folder), 5, f"left: {processes(folder)}")
    files = [name for place in ELSEWHERE for name in os.listdir(place)]
    assert not files, f"files elsewhere: {files}"


def through(path, *args, **kw):
    return ask(env["TRAEFIK_TLS"], path, *args, cafile=f"{WHOLE}/traefik/cert.pem", **kw)


def new(id, text, source="by-hand", **more):
    """A message sent by REST, as it is once it is stored."""
    got = through("/v1/messages", {"id": id, "text": text, "source": source, **more}, headers={"Prefer": "wait=30"})
    assert got.status == 200, (got.status, got.body)
    return got.json()


def sql(text, *args):
    with psycopg.connect(env["SENTI_STORE"], autocommit=True) as c:
        done = c.execute(text, args or None)
        return done.fetchall() if done.description else None


def redis(*args):
    return tool("redis-cli", "-u", env["SENTI_REDIS"], *args)[0].decode().rstrip("\n")


def publish(body):
    with Broker(env["SENTI_AMQP"]) as broker:
        broker.channel.basic_publish("", "texts", body.encode(), pika.BasicProperties(content_type="application/json", delivery_mode=2))


class Airflow:
    def __init__(self):
        self.headers = {"Content-Type": "application/json"}
        self.headers["Authorization"] = "Bearer " + self.ask("POST", "/auth/token", {
            "username": env["AIRFLOW_USER"], "password": env["AIRFLOW_PASSWORD"]})["access_token"]

    def ask(self, method, path, body=None):
        request = urllib.request.Request(env["AIRFLOW"] + path, None if body is None else json.dumps(body).encode(), self.headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as e:
            raise AssertionError(f"{method} {path}: {e.code} {e.read()[:500]}") from e

    def unpause(self, dag):
        wait_until(lambda: dag in [d["dag_id"] for d in self.ask("GET", "/api/v2/dags")["dags"]], 60, f"Airflow does not know {dag}")
        self.ask("PATCH", f"/api/v2/dags/{dag}", {"is_paused": False})

    def runs(self, dag, day, state="success", **conf):
        """What became of the tasks of a new run: {task: state}."""
        name = f"{day}.{time.monotonic_ns()}"
        self.ask("POST", f"/api/v2/dags/{dag}/dagRuns", {"dag_run_id": name, "logical_date": f"{day}T00:00:00Z", "conf": conf})
        path = f"/api/v2/dags/{dag}/dagRuns/{name}"
        wait_until(lambda: self.ask("GET", path)["state"] in ("success", "failed"), 120, f"the run of {dag} does not end")
        tasks = {t["task_id"]: t["state"] for t in self.ask("GET", path + "/taskInstances")["task_instances"]}
        assert self.ask("GET", path)["state"] == state, tasks
        return tasks


# ---- checks ----

@check
def started():
    "scripts/system start: all run, within 1.5 GiB, and what it says where the pages are is true"
    began = time.monotonic()
    out, _ = system("start")
    seconds = time.monotonic() - began
    with open(f"{WHOLE}/env") as f:
        env.update(re.findall(r"(\w+)='([^']*)'", f.read()))
    os.environ.update({k: v for k, v in env.items() if k.startswith("SENTI_")})
    told, _ = system("status")
    mib = int(re.search(r"^all +(\d+) MiB$", told.decode(), re.M)[1])
    assert told.count(b" runs ") == len(told.splitlines()) - 1 == 14, told.decode()
    assert mib <= 1536, told.decode()
    pages = dict(re.findall(r"^(\w+) +(https?://\S+)", out.decode(), re.M))
    assert list(pages) == ["dashboard", "API", "GraphiQL", "Airflow"], out
    for name, url in pages.items():
        got = ask(url, urlsplit(url).path, cafile=f"{WHOLE}/traefik/cert.pem")
        assert got.status == 200 and got.headers.get_content_type() == "text/html", (name, url, got.status, got.body[:300])
    assert ask(env["AIRFLOW"], "/api/v2/monitor/health").json()["scheduler"]["status"] == "healthy"
    return f"{seconds:.0f} s, {mib} MiB"


@check
def by_rest():
    "a text by REST goes through Traefik, queue, worker and store, and is read from the cache"
    assert new("rest-1", "I love it")["sentiment"]["label"] == "positive"
    assert sql("select label from senti.message where id = 'rest-1'") == [("positive",)]
    through("/v1/messages/rest-1")
    got = through("/v1/messages/rest-1")
    assert got.json()["sentiment"]["score"] == 0.6369 and "hit" in got.headers["Cache-Status"], got.headers


@check
def by_graphql():
    "a text by GraphQL"
    def graphql(query):
        got = through("/graphql", {"query": query})
        assert got.status == 200 and "errors" not in got.json(), got.body
        return got.json()["data"]
    sent = graphql('mutation { submit(messages: [{id: "graphql-1", text: "so sad"}], waitMs: 30000) { id message { sentiment { label } } } }')
    assert sent["submit"][0]["message"]["sentiment"]["label"] == "NEGATIVE", sent
    assert graphql('{ message(id: "graphql-1") { text } }') == {"message": {"text": "so sad"}}
    assert sql("select label from senti.message where id = 'graphql-1'") == [("negative",)]


@check
def repeated_text():
    "a repeated text is served from the cache: a result put there by hand comes back"
    text = "I love it twice"
    first = new("repeat-1", text)["sentiment"]
    key = tool("senti-cache", "key", "-e", text)[0].decode().strip()
    assert json.loads(redis("get", key)) == first
    redis("set", key, json.dumps({**first, "score": 0.1234}, separators=(",", ":")))
    assert new("repeat-2", text)["sentiment"]["score"] == 0.1234


@check
def corrected_by_hand():
    "a row corrected in psql is seen at the API of both servers, and on the dashboard, in a browser that goes through Traefik"
    new("hand-1", "I love it", "hand")
    for url in env["SERVE1"], env["SERVE2"]:
        assert ask(url, "/v1/messages/hand-1").json()["sentiment"]["label"] == "positive"
    try:
        with dashboard(env["TRAEFIK_TLS"], "#view=messages&source=hand", ignore_https_errors=True) as d:
            expect(d.listed(1).find("#rows .chip")).to_have_text("+positive")
            tool("psql", "-X", "-q", "-c", "update senti.message set label = 'negative' where id = 'hand-1'", env["SENTI_STORE"])
            for url in env["SERVE1"], env["SERVE2"]:
                wait_until(lambda: ask(url, "/v1/messages/hand-1").json()["sentiment"]["label"] == "negative", 30, f"{url} shows the old label")
                assert ask(url, "/v1/messages/hand-1").json()["sentiment"]["corrected"] is True
            d.page.reload()
            expect(d.listed(1).find("#rows .chip")).to_have_text("−negativecorrected")
            d.find("#rows a").click()
            expect(d.find("#message-body .chip")).to_have_text("−negativecorrected")
            expect(d.find("#message-body [aria-busy]")).to_have_count(0)
    finally:
        close_browser()
    page = through("/v1/messages?source=hand&label=negative").json()["items"]
    assert ["hand-1"] == [m["id"] for m in page], page


@check
def streamed():
    "a script sends a stream: events as they are stored, windows over them, and one alert"
    events = Running(DIR, "sh", "-c", 'curl -sN --cacert "$0" "$1/v1/events?source=stream" | tee told | sed -un "s/^data: //p" | '
                     'tee events.jsonl | senti-window --every 1m --no-sketch --terms 0 -o windows.jsonl', f"{WHOLE}/traefik/cert.pem", env["TRAEFIK_TLS"])
    alert = Running(DIR, "sh", "-c", "senti-cache follow --reader alerts | senti-store get | jq --unbuffered -c 'select(.source == \"stream\")' | "
                    "senti-window --every 1m --no-sketch --terms 0 --alert 'mean < -0.3' -o alerts.jsonl")
    # A listener's first line, which comes before any event.
    wait_until(lambda: seen("told") >= 1, 30, "nobody listens")
    script = subprocess.Popen(["senti-ingest", "-F", "json", "--source", "stream", "-o", "amqp:texts"], stdin=subprocess.PIPE)
    minutes = ["I love it"] * 20, ["I hate it"] * 20, ["It is a chair"] * 20, ["end"]
    try:
        for minute, texts in enumerate(minutes):
            records = [{"id": f"stream-{minute}-{i}", "text": t, "time": f"2024-05-01T10:{minute:02}:{i:02}Z"} for i, t in enumerate(texts)]
            script.stdin.write(lines(records))
            script.stdin.flush()
            # Three workers take from the queue: a window may close only when all of its records are through.
            wait_until(lambda: sql("select count(*) from senti.message where id like %s", f"stream-{minute}-%") == [(len(texts),)], 30, "not stored")
            wait_until(lambda: seen("events.jsonl") == sum(map(len, minutes[:minute + 1])), 30, "events are missing")
    finally:
        script.stdin.close()
    assert script.wait(30) == 0
    wait_until(lambda: seen("windows.jsonl") == 3, 30, "windows are missing")
    with open(f"{DIR}/windows.jsonl") as f:
        windows = [json.loads(line) for line in f]
    assert [(w["count"], w["mean"] > 0, w["mean"] < 0) for w in windows] == [(20, True, False), (20, False, True), (20, False, False)], windows
    wait_until(lambda: seen("alerts.jsonl") == 1, 30, "no alert")
    with open(f"{DIR}/alerts.jsonl") as f:
        assert json.loads(f.read())["start"] == "2024-05-01T10:01:00.000Z"
    events.kill()
    alert.kill()


def seen(name):
    try:
        with open(f"{DIR}/{name}") as f:
            return f.read().count("\n")
    except FileNotFoundError:
        return 0


@check
def batch_by_airflow():
    "a CSV file by Airflow is in the store and at the API; the stream is well, until a letter is dead, which is repaired and sent again"
    with open(f"{env['SENTI_DATA']}/2024-05-01.csv", "w") as f:
        f.write("id,text\n" + "".join(f"batch-{i},I love number {i}\n" for i in range(300)))
    airflow = Airflow()
    airflow.unpause("senti_batch")
    airflow.unpause("senti_stream_health")
    assert airflow.runs("senti_batch", "2024-05-01") == {"load": "success", "verify": "success"}
    assert sql("select count(*) from senti.message where id like 'batch-%'") == [(300,)]
    got = through("/v1/messages?source=batch&limit=1000").json()["items"]
    assert len(got) == 300 and got[0]["sentiment"]["label"] == "positive"
    tasks = airflow.runs("senti_stream_health", "2024-05-02")
    assert tasks == dict.fromkeys(("depth", "dead_letters", "lag", "cache"), "success"), tasks
    publish('{"id":"dead-1","txt":"I love it"}')
    # RabbitMQ renews its figures every few seconds.
    metrics = env["SENTI_METRICS"].split()[0].removesuffix("/metrics/per-object")
    wait_until(lambda: re.search(r'^rabbitmq_queue_messages_ready[{].*queue="texts.dead".*[}] 1$', ask(metrics, "/metrics/per-object").body.decode(), re.M), 60,
               "no dead letter in the metrics")
    tasks = airflow.runs("senti_stream_health", "2024-05-03", "failed")
    assert tasks.pop("dead_letters") == "failed" and set(tasks.values()) == {"success"}, tasks


@check
def each_killed():
    "each component is killed and brought back while texts come: every one is there, none is dead, the cache is not stale"
    names = "worker1 follower serve1 serve2 redis postgresql rabbitmq traefik airflow".split()
    new("known", "I love it")
    load = Load([env["TRAEFIK_TLS"]], "killed", kinds=("post", "read"), clients=2, pause=0.05, cafile=f"{WHOLE}/traefik/cert.pem")
    records = [{"id": f"fed-{i}", "source": "fed", "text": f"I love number {i}, it is great"} for i in range(6000)]
    with open(f"{DIR}/fed.jsonl", "wb") as f:
        f.write(lines(records))
    feeder = Running(DIR, "senti-ingest", "-F", "json", "--rate", "300", "--retry", "120", "-o", "amqp:texts", f"{DIR}/fed.jsonl")
    for name in names:
        system("kill", name)
        system("again", name)
        load.wait("post", 202, n=2)
        load.wait("read", 200, n=2)
    feeder.ends()
    load.ends()
    wait_until(lambda: sql("select count(*) from senti.message where source = 'fed' and label is not null") == [(6000,)], 60, "texts are missing")
    wait_until(lambda: not load.promised - rows_of_postgres(env["SENTI_STORE"], "label is not null").keys(), 60, "a promised message is missing")
    load.check_kept(rows_of_postgres(env["SENTI_STORE"]), "the store")
    assert {h["x-senti-error"] for h, _ in dead("texts")} <= {"no_text"}
    tool("senti-cache", "verify")
    system("status")
    with open(f"{env['SENTI_DATA']}/2024-05-04.csv", "w") as f:
        f.write("id,text\nafter,I love it\n")
    assert Airflow().runs("senti_batch", "2024-05-04")["verify"] == "success"
    return f"{len(load.promised)} messages promised, {len(load.failed('post', 'read'))} requests failed"


@check
def operations():
    "the commands of senti-operations(7), in their order"
    with open(f"{ROOT}/man/senti-operations.7") as f:
        page = f.read()
    blocks = re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed$", page, re.M | re.S)
    assert len(blocks) >= 15
    folder = f"{DIR}/operations"
    os.mkdir(folder)
    with open(f"{folder}/rabbitmqctl", "w") as f:
        f.write(f'#!/bin/sh\nexec "{os.environ["SENTI_SERVICES"]}" ctl rabbitmq "{WHOLE}" "$@"\n')
    os.chmod(f"{folder}/rabbitmqctl", 0o755)
    new("shop-1", "I love it", "shop")
    publish('{"id":"dead-2","txt":"I love it"}')
    wait_until(lambda: left("texts.dead") >= 1, 30, "no dead letter")
    said = {}
    for block in blocks:
        block = block.replace("\\e", "\\")
        done = subprocess.run(["bash", "-e", "-o", "pipefail", "-c", block], cwd=ROOT, capture_output=True, timeout=120,
                              env={**os.environ, "DIR": folder, "SENTI_URL": env["SERVE1"], "PATH": f"{folder}:{os.environ['PATH']}"})
        assert done.returncode == 0, f"{block}\nstatus {done.returncode}\n{done.stdout[-500:]}\n{done.stderr.decode()[-1500:]}"
        said[block] = done
        if "texts.dead --idle" in block:
            wait_until(lambda: sql("select label from senti.message where id = 'dead-2'") == [("positive",)], 30, "the dead letter is not stored")
        if "--source shop" in block:
            assert sql("select count(*) from senti.message where source = 'shop'") == [(0,)]
        if "worker -q texts" in block:
            assert left("texts") == 0
    assert sql("select count(*) from information_schema.tables where table_schema = 'senti'") == [(0,)]
    assert redis("dbsize") == "0" or not redis("--scan", "--pattern", "senti:m:*")
    return f"{len(blocks)} blocks"


@check
def stopped():
    "scripts/system stop: no process is left, and no file elsewhere"
    began = time.monotonic()
    system("stop")
    seconds = time.monotonic() - began
    nothing_left(WHOLE)
    system("status", status=3)
    return f"{seconds:.0f} s"


@check
def failed():
    "a start that fails stops what it had started"
    folder, bin = f"{DIR}/f", f"{DIR}/broken"
    os.mkdir(bin)
    os.symlink("/bin/false", f"{bin}/senti-store")
    _, err = tool(SYSTEM, "start", folder, "--without-airflow", status=3, timeout=120,
                  env={**AROUND, "SENTI_BIN": f"{bin}:{AROUND['SENTI_BIN']}"})
    assert "stopping what was started" in err, err
    nothing_left(folder)


@check
def interrupted():
    "Ctrl-C at random moments of a start: no process is left"
    moments = []
    for n in range(int(os.environ.get("SENTI_INTERRUPTS", "2"))):
        folder = f"{DIR}/i{n}"
        # Every other one has Airflow, which takes longer.
        args, longest = ([], 25) if n % 2 else (["--without-airflow"], 9)
        process = subprocess.Popen([SYSTEM, "start", folder, *args], env=AROUND, start_new_session=True, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        moments.append(round(random.uniform(0, longest), 2))
        time.sleep(moments[-1])
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=120)
        if process.returncode == 0:
            system("stop", folder=folder)
        nothing_left(folder)
    return f"after {', '.join(map(str, moments))} s"


for place in ELSEWHERE:
    os.mkdir(place)
try:
    run()
finally:
    for folder in WHOLE, f"{DIR}/f", *glob.glob(f"{DIR}/i*"):
        if processes(folder):
            subprocess.run([SYSTEM, "stop", folder], env=AROUND, timeout=180)
