"""What the checks of the PostgreSQL store stand on. The server of $SENTI_STORE runs in the folder of the first argument; each check takes a
database of its own."""
import json
import os
import random
import subprocess
import sys
import time

import psycopg

DIR = sys.argv[1] if len(sys.argv) > 1 else "."
URL = os.environ.get("SENTI_STORE", "")
# What a check does not ask for must not come from outside.
for name in [n for n in os.environ if n.startswith("PG")] + ["SENTI_STORE", "SENTI_REJECT"]:
    os.environ.pop(name, None)
os.environ["PGPASSFILE"] = os.path.join(DIR, "no-pgpass")


def url(database, user="postgres", server=URL, password=None):
    host = server.split("@")[1].split("/")[0]
    return f"postgresql://{user}{':' + password if password else ''}@{host}/{database}"


def connect(database, **kw):
    return psycopg.connect(url(database), autocommit=True, **kw)


def sql(database, query, *args):
    """The rows of one statement."""
    with connect(database) as c:
        cur = c.execute(query, args or None)
        return cur.fetchall() if cur.description else None


def one(database, query, *args):
    return sql(database, query, *args)[0][0]


made = 0


def database(migrated=True):
    """A new one: its name."""
    global made
    made += 1
    name = f"t{os.getpid()}_{made}"
    sql("postgres", f"CREATE DATABASE {name}")
    if migrated:
        store(name, "migrate")
    return name


def env_with(extra):
    return {**os.environ, **(extra or {})}


def tool(*args, data=None, status=0, env=None, timeout=100):
    """Runs a tool to its end: (stdout, stderr)."""
    done = subprocess.run(args, input=data, capture_output=True, timeout=timeout, env=env_with(env))
    err = done.stderr.decode(errors="replace")
    assert done.returncode == status, f"{args}: status {done.returncode}, not {status}\n{err[-2000:]}"
    return done.stdout, err


def store(name, *args, at=None, **kw):
    """senti-store on a database, or at an address of its own: (stdout, stderr)."""
    return tool("senti-store", *args, "--store", at or url(name), **kw)


def start(name, *args, at=None, env=None, **kw):
    kw.setdefault("stderr", subprocess.DEVNULL)
    return subprocess.Popen(["senti-store", *args, "--store", at or url(name)], env=env_with(env), **kw)


def service(*args, status=0):
    done = subprocess.run([os.environ["SENTI_SERVICES"], *args], timeout=120, stdout=subprocess.PIPE)
    assert done.returncode == status, f"services {args}: status {done.returncode}"
    return done.stdout.decode()


def until(what, seconds=60):
    """Waits for something that happens sooner or later; a test never fails for being early."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return
        time.sleep(0.01)
    raise AssertionError(f"not within {seconds} s")


def records(n, prefix="r", text="text number"):
    rng = random.Random(n)
    out = []
    for i in range(n):
        r = {"id": f"{prefix}{i}", "text": f"{text} {i}", "source": rng.choice(["a", "b", "c"])}
        if i % 5:
            r["time"] = f"2024-05-{1 + i % 28:02}T{i % 24:02}:{i % 60:02}:00.{i % 1000:03}Z"
        if i % 3:
            r["sentiment"] = {"label": ["positive", "neutral", "negative"][i // 3 % 3], "score": 0.25, "model": "m@1"}
        out.append(r)
    return out


def lines(some):
    return "".join(json.dumps(r) + "\n" for r in some).encode()


def whole_lines(path):
    """The records of an output whose last line may be torn."""
    with open(path, "rb") as f:
        data = f.read()
    return [json.loads(line) for line in data[:data.rfind(b"\n") + 1].splitlines()]


def stored(name):
    return dict(sql(name, "SELECT id, version FROM senti.message"))


def check_kept(name, came):
    """All records that came out are stored, in the version that they came out with."""
    have = stored(name)
    for r in came:
        assert have.get(r["id"]) == r["version"], f"{r['id']} came out as {r['version']}, stored is {have.get(r['id'])}"


def check_sound(name):
    """No version twice, and each row's newest entry in the outbox is that of its version."""
    assert one(name, "SELECT count(DISTINCT version) = count(*) FROM senti.message")
    wrong = one(name, """SELECT count(*) FROM senti.message m FULL JOIN
        (SELECT DISTINCT ON (id) id, version, op FROM senti.outbox ORDER BY id, version DESC) o USING (id)
        WHERE o.id IS NULL OR (o.op <> 'delete') IS DISTINCT FROM (m.id IS NOT NULL) OR (m.id IS NOT NULL AND m.version <> o.version)""")
    assert wrong == 0, f"{wrong} rows differ from the outbox"


def summary(err):
    return json.loads(err.strip().splitlines()[-1])
