"""The DAGs of airflow/dags under a real Airflow: by `dags test`, and by a scheduler while their tools are killed, their tasks are failed by hand and
the store is away. AIRFLOW_VERSION names another version than scripts/fetch-airflow fetches by itself (make airflow-versions)."""
# servers: postgresql
# packages: psycopg
# seconds: 150
import base64
import datetime
import glob
import gzip
import json
import os
import re
import signal
import sys
import time
import urllib.error
import urllib.request

import psycopg

from account import lines, service, tool, wait_until
from tap import Skip, check, checks, run

DIR = sys.argv[1]
VERSION = os.environ.get("AIRFLOW_VERSION", "3.3")
V2 = VERSION.startswith("2.")
HOME, DATA, STORE = os.path.join(DIR, "airflow"), os.path.join(DIR, "data"), os.environ["SENTI_STORE"]
BATCH = "senti_batch"
COLUMNS = {"text": "comment", "time": "when"}


# ---- Airflow ----

class Airflow:
    def __init__(self):
        said = service("start", "airflow", DIR, f"version={VERSION}")
        self.url = re.search(r"AIRFLOW='([^']*)'", said)[1]
        with open(f"{HOME}/db/postgresql/port") as f:
            self.database = f"postgresql://postgres@127.0.0.1:{f.read().strip()}/postgres"
        self.headers = {"Content-Type": "application/json"}
        if V2:
            self.headers["Authorization"] = "Basic " + base64.b64encode(b"admin:admin").decode()
        else:
            token = self.ask("POST", "/auth/token", {"username": "admin", "password": "admin"})["access_token"]
            self.headers["Authorization"] = "Bearer " + token

    def ask(self, method, path, body=None):
        request = urllib.request.Request(self.url + path, None if body is None else json.dumps(body).encode(), self.headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"null")

    def api(self, method, path, body=None):
        try:
            return self.ask(method, ("/api/v1" if V2 else "/api/v2") + path, body)
        except urllib.error.HTTPError as e:
            raise AssertionError(f"{method} {path}: {e.code} {e.read()[:500]}") from e

    def command(self, *args, timeout=120):
        return tool(os.environ["SENTI_SERVICES"], "ctl", "airflow", DIR, *args, timeout=timeout)

    def select(self, sql, *args):
        with psycopg.connect(self.database) as c:
            return c.execute(sql, args).fetchall()

    def last_run(self, dag):
        return self.select("select run_id from dag_run where dag_id = %s order by id desc limit 1", dag)[0][0]

    def tasks(self, dag, run_id):
        """What became of them: {task: state}."""
        return dict(self.select("select task_id, state from task_instance where dag_id = %s and run_id = %s", dag, run_id))

    def tries(self, dag, run_id, task):
        return self.select("select try_number from task_instance where dag_id = %s and run_id = %s and task_id = %s", dag, run_id, task)[0][0]

    def xcom(self, dag, run_id, task):
        """The last line that the task said, which is JSON."""
        value = self.select("select value from xcom where dag_id = %s and run_id = %s and task_id = %s and key = 'return_value'", dag, run_id, task)[0][0]
        while isinstance(value, (str, bytes, memoryview)):
            value = json.loads(bytes(value) if isinstance(value, memoryview) else value)
        return value

    def log(self, dag, run_id, task, attempt):
        path = f"{HOME}/logs/dag_id={dag}/run_id={run_id}/task_id={task}/attempt={attempt}.log"
        if not os.path.exists(path):
            return ""
        with open(path, errors="replace") as f:
            return f.read()

    def unpause(self, dag):
        self.api("PATCH", f"/dags/{dag}", {"is_paused": False})

    def trigger(self, dag, day, **conf):
        """The id of the run."""
        run_id = f"{day}.{time.monotonic_ns()}"
        self.api("POST", f"/dags/{dag}/dagRuns", {"dag_run_id": run_id, "logical_date": f"{day}T00:00:00Z", "conf": conf})
        return run_id

    def state(self, dag, run_id):
        return self.select("select state from dag_run where dag_id = %s and run_id = %s", dag, run_id)[0][0]

    def ends(self, dag, run_id, state="success", seconds=120):
        wait_until(lambda: self.state(dag, run_id) in ("success", "failed"), seconds, f"the run of {dag} does not end: {self.tasks(dag, run_id)}")
        last = "".join(self.log(dag, run_id, task, n) for task in self.tasks(dag, run_id) for n in (1, 2, 3))
        assert self.state(dag, run_id) == state, f"{dag} {run_id}: {self.tasks(dag, run_id)}\n{last[-3000:]}"

    def runs(self, dag, day, **conf):
        run_id = self.trigger(dag, day, **conf)
        self.ends(dag, run_id)
        return run_id


# ---- files, rows and processes ----

def file_of(day, rows, bad=1, pad=0):
    """A CSV of the day; `bad` rows of it have a column too few. With `pad` it is more than a tool reads ahead."""
    with open(f"{DATA}/{day}.csv", "w") as f:
        f.write("when,who,comment\n")
        f.writelines("ragged\n" for _ in range(bad))
        f.writelines(f'{day}T{i // 3600:02}:{i // 60 % 60:02}:{i % 60:02}Z,w{i % 7},"I love number {i}, it is great{" x" * pad}"\n' for i in range(rows))


def undisturbed(day):
    """What the tools make of the file, by id."""
    out, _ = tool("bash", "-o", "pipefail", "-c", 'senti-ingest --text comment --time when --source "$0" --id-path "$0.csv" --max-rejects 1%'
                  ' --reject /dev/null "$1" | senti-score', day, f"{DATA}/{day}.csv")
    return {r["id"]: r for r in map(json.loads, out.splitlines())}


def stored(day):
    out, _ = tool("senti-store", "query", "--source", day)
    return {r["id"]: r for r in map(json.loads, out.splitlines())}


def check_stored(day):
    """The rows of the day are those of an undisturbed run."""
    wanted, got = undisturbed(day), stored(day)
    assert wanted.keys() == got.keys(), f"{day}: {len(got)} rows, not {len(wanted)}"
    for i, r in got.items():
        assert r["sentiment"] == wanted[i]["sentiment"] and r["text"] == wanted[i]["text"], f"{day}: {r}"


def rejects(name):
    path = f"{DATA}/rejects/{name}.jsonl"
    if not os.path.exists(path):
        return None
    with open(path) as f:
        return [json.loads(line)["error"]["code"] for line in f]


def counts():
    with psycopg.connect(STORE) as c:
        return dict(c.execute("select source, count(*) from senti.message group by source").fetchall())


def processes(day, name=None):
    """Those of the day's run, by the variable in their environment."""
    found = []
    for path in glob.glob("/proc/[0-9]*/environ"):
        try:
            with open(path, "rb") as f:
                env = f.read().split(b"\0")
            with open(path.replace("environ", "comm")) as f:
                comm = f.read().strip()
        except OSError:
            continue
        if f"DAY={day}".encode() in env and name in (None, comm):
            found.append(int(path.split("/")[2]))
    return found


# ---- checks ----

@check
def parsed():
    "no DAG has an error, all four are there"
    out, _ = airflow.command("dags", "list-import-errors")
    assert "No data found" in out.decode(), out
    wanted = {BATCH, "senti_stream_health", "senti_retrain", "senti_retention"}
    wait_until(lambda: {d["dag_id"] for d in airflow.api("GET", "/dags")["dags"]} == wanted, 60, "the DAGs are not all there")
    assert airflow.api("GET", "/importErrors")["total_entries"] == 0


@check
def batch_twice():
    "dags test senti_batch, twice: the rows of the file, then the same rows with the same versions; one summary as XCom"
    day = "2024-05-01"
    file_of(day, 500)
    before = None
    for _ in range(2):
        airflow.command("dags", "test", BATCH, day, "-c", json.dumps({**COLUMNS, "source": day}))
        check_stored(day)
        run_id = airflow.last_run(BATCH)
        assert airflow.tasks(BATCH, run_id) == {"load": "success", "verify": "success"}, airflow.tasks(BATCH, run_id)
        load, verify = (airflow.xcom(BATCH, run_id, t) for t in ("load", "verify"))
        assert load["tool"] == "senti-store" and load["in"] == load["out"] == 500 and load["unchanged"] == (500 if before else 0), load
        assert verify["in"] == verify["out"] == 500, verify
        assert rejects(day) == ["bad_row"], rejects(day)
        assert before in (None, stored(day)), "versions differ"
        before = stored(day)


@check
def tools_killed():
    "under the scheduler each tool killed, TERM to ingest, to the group, a task set to failed: then the rows of an undisturbed run"
    # The newest day is run as soon as the DAG is awake; whichever that is when we are.
    today = datetime.datetime.now(datetime.timezone.utc).date()
    for n in range(3):
        with open(f"{DATA}/{today - datetime.timedelta(n)}.csv", "w") as f:
            f.write("text\n")
    airflow.unpause(BATCH)

    def hit(name, sig):
        def do(day):
            for pid in processes(day, name):
                os.kill(pid, sig)
        return do

    def group(day):
        for pid in processes(day, "senti-score"):
            os.killpg(os.getpgid(pid), signal.SIGTERM)

    def by_api(day):
        airflow.api("PATCH", f"/dags/{BATCH}/dagRuns/{runs[day]}/taskInstances/load", {"new_state": "failed", **({"dry_run": False} if V2 else {})})

    faults = {"2024-05-03": hit("senti-ingest", signal.SIGKILL), "2024-05-04": hit("senti-score", signal.SIGKILL),
              "2024-05-05": hit("senti-store", signal.SIGKILL), "2024-05-06": hit("senti-ingest", signal.SIGTERM), "2024-05-07": group,
              "2024-05-08": by_api}
    runs = {}
    for day in faults:
        rows = 1500 if day == "2024-05-08" else 500
        file_of(day, rows, pad=500)
        runs[day] = airflow.trigger(BATCH, day, **COLUMNS, source=day, rate="100/s" if rows == 1500 else "200/s")
    waiting = dict(faults)
    until = time.monotonic() + 240
    while waiting:
        assert time.monotonic() < until, f"not yet begun: {waiting.keys()}, {[airflow.tasks(BATCH, r) for r in runs.values()]}"
        there = counts()
        for day in [d for d in waiting if there.get(d, 0) >= 50]:
            assert processes(day, "senti-score"), f"{day}: the run was over too soon"
            waiting.pop(day)(day)
        time.sleep(0.05)
    for day in faults:
        if faults[day] is by_api:
            airflow.ends(BATCH, runs[day], "failed")
            wait_until(lambda: not processes(day), 60, "the task was set to failed, and its tools live on")
            assert len(stored(day)) < 1500, "it ended by itself"
            airflow.api("POST", f"/dags/{BATCH}/clearTaskInstances", {
                "dry_run": False, "dag_run_id": runs[day], "only_failed": False, "reset_dag_runs": True})
            wait_until(lambda: airflow.state(BATCH, runs[day]) not in ("success", "failed"), 60, "the run does not begin again")
        airflow.ends(BATCH, runs[day])
        assert airflow.tries(BATCH, runs[day], "load") == 2, day
        assert "non-zero exit code" in airflow.log(BATCH, runs[day], "load", 1) or faults[day] is by_api
        check_stored(day)
        assert rejects(day) == ["bad_row"] and not processes(day), day
    tried = {os.path.basename(p) for p in glob.glob(f"{DATA}/rejects/*.1.jsonl")}
    assert len(tried) == len(faults), f"rejects of the first tries: {tried}"


@check
def empty_day():
    "a day without rows is skipped, and so is what follows"
    file_of("2024-05-02", 0, bad=0)
    tasks = airflow.tasks(BATCH, airflow.runs(BATCH, "2024-05-02", **COLUMNS))
    assert tasks == {"load": "skipped", "verify": "skipped"}, tasks


@check
def store_away():
    "store away: status 3, and the retry finds it again"
    day = "2024-05-09"
    file_of(day, 20, bad=0)
    service("kill", "postgresql", DIR)
    try:
        run_id = airflow.trigger(BATCH, day, **COLUMNS, source=day, retry="1")
        wait_until(lambda: "exit code 3" in airflow.log(BATCH, run_id, "load", 1), 60, "the try does not fail")
    finally:
        service("again", "postgresql", DIR)
    airflow.ends(BATCH, run_id)
    check_stored(day)


@check
def back_fill():
    "back-fill of seven days over an earlier manual run: seven of seven"
    days = [f"2024-06-{n:02}" for n in range(1, 8)]
    for n, day in enumerate(days):
        file_of(day, 10 + n, bad=0)
    airflow.runs(BATCH, days[4], **COLUMNS, source=days[4])
    with psycopg.connect(STORE) as c:
        c.execute("delete from senti.message where source = %s", (days[4],))
    conf = json.dumps({**COLUMNS, "source": "back-fill"})
    if V2:
        airflow.command("dags", "backfill", "-s", days[0], "-e", days[-1], "--reset-dagruns", "-y", "-c", conf, BATCH, timeout=300)
    else:
        airflow.command("backfill", "create", "--dag-id", BATCH, "--from-date", days[0], "--to-date", days[-1], "--reprocess-behavior", "completed",
                        "--dag-run-conf", conf)

    whole = sum(10 + n for n in range(7))
    wait_until(lambda: sum(v for k, v in counts().items() if k in ("back-fill", days[4])) >= whole, 180, f"not all are there: {counts()}")
    with psycopg.connect(STORE) as c:
        by_day = dict(c.execute("select (time at time zone 'UTC')::date::text, count(*) from senti.message where time >= '2024-06-01' group by 1"))
    assert by_day == {day: 10 + n for n, day in enumerate(days)}, by_day


@check
def retrained():
    "retrain: promoted and rescored, then nothing to do; a model that is not good enough changes nothing"
    good, bad = "love like enjoy great superb".split(), "hate dislike awful poor nasty".split()
    labelled = [{"text": f"{w} {w} thing {i} number {i % 13}", "label": label} for i in range(60)
                for words, label in ((good, "positive"), (bad, "negative")) for w in [words[i % 5]]]
    for name, records in ("labelled", labelled), ("held-out", labelled[:40] + [{"text": "love love thing", "label": "negative"}]):
        with open(f"{DATA}/{name}.jsonl", "wb") as f:
            f.write(lines(records))
    # Awake, the DAG may begin with a run of its own, which promotes the same model: the records and their order decide its bytes.
    airflow.unpause("senti_retrain")
    run_id = airflow.runs("senti_retrain", "2024-06-09", min_f1=0.5)
    assert airflow.xcom("senti_retrain", run_id, "evaluate")["macro_f1"] > 0.5
    model = json.loads(tool("senti-score", "-m", f"{DATA}/models/current.senti", "-e", "x")[0])["sentiment"]["model"]
    with psycopg.connect(STORE) as c:
        models = c.execute("select model, count(*) from senti.message group by model").fetchall()
    assert models == [(model, sum(counts().values()))] and models[0][1] > 3000, (models, model)
    run_id = airflow.runs("senti_retrain", "2024-06-10", min_f1=0.5)
    assert airflow.xcom("senti_retrain", run_id, "promote")["promoted"] is False
    assert airflow.tasks("senti_retrain", run_id)["rescore"] == "skipped"
    with open(f"{DATA}/models/current.senti", "rb") as f:
        before = f.read()
    run_id = airflow.trigger("senti_retrain", "2024-06-11", min_f1=1)
    airflow.ends("senti_retrain", run_id, "failed")
    tasks = airflow.tasks("senti_retrain", run_id)
    assert tasks == {"train": "success", "evaluate": "failed", "promote": "upstream_failed", "rescore": "upstream_failed"}, tasks
    with open(f"{DATA}/models/current.senti", "rb") as f:
        assert f.read() == before


@check
def retained():
    "retention: the back-up is the export, what is old is gone, the log of changes is trimmed; with nothing old it is still trimmed"
    # Not by the scheduler: awake, the DAG may begin with a run of its own for this very day.
    before, _ = tool("senti-store", "export")

    def test(day, **conf):
        airflow.command("dags", "test", "senti_retention", day, "-c", json.dumps({"keep_backups": 1, **conf}))
        return airflow.last_run("senti_retention")
    run_id = test("2025-06-01", keep_days=365)
    with gzip.open(f"{DATA}/backup/2025-06-01.jsonl.gz") as f:
        assert f.read() == before
    old = [r for r in map(json.loads, before.splitlines()) if r["time"] < "2024-06-01"]
    assert airflow.xcom("senti_retention", run_id, "expire")["in"] == len(old) > 3000, len(old)
    left = [json.loads(s)["id"] for s in tool("senti-store", "export")[0].splitlines()]
    assert len(left) == len(before.splitlines()) - len(old)
    run_id = test("2025-06-02", keep_days=366)
    assert airflow.tasks("senti_retention", run_id) == {"backup": "success", "expire": "skipped", "prune": "success"}
    assert json.loads(tool("senti-store", "stats")[0])["outbox"] == 0
    assert os.listdir(f"{DATA}/backup") == ["2025-06-02.jsonl.gz"], os.listdir(f"{DATA}/backup")


os.mkdir(DATA)
os.environ["SENTI_DATA"] = DATA
if os.path.exists(os.path.join(os.environ["SENTI_ROOT"], f"build/airflow-{VERSION}/bin/airflow")):
    tool("senti-store", "migrate")
    airflow = Airflow()
else:
    checks.clear()

    @check
    def installed():
        raise Skip(f"Airflow {VERSION} is not installed (scripts/fetch-airflow {VERSION})")
run()
