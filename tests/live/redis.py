"""Caches on real Redis servers: the rules of lib/data/cache.h, senti-cache, and what goes wrong with a server."""
# needs: redis
# seconds: 15
import json
import os
import random
import re
import socket
import sqlite3
import subprocess
import sys
import threading
import time

from tap import check, run

DIR = sys.argv[1]
ROOT = os.environ["SENTI_ROOT"]
BUILD = os.environ["SENTI_BUILD"]


# ---- what the checks stand on ----


def tool(*args, data=b"", status=0, env=None, timeout=60):
    """Runs a tool or a shell line to its end: (stdout, stderr)."""
    if len(args) == 1 and " " in args[0]:
        args = ("sh", "-c", args[0])
    done = subprocess.run(args, input=data, capture_output=True, timeout=timeout, env={**os.environ, **(env or {})})
    err = done.stderr.decode(errors="replace")
    assert done.returncode == status, f"{args}: status {done.returncode}, not {status}\n{err[-2000:]}"
    return done.stdout, err


def sums(err, name="senti-cache"):
    """The summaries of a tool, in the order in which they came."""
    found = [json.loads(line) for line in err.splitlines() if line.startswith('{"tool"')]
    return [s for s in found if s["tool"] == name]


class Redis:
    """A server of its own, with these lines in its configuration."""

    def __init__(self, name, *conf):
        self.dir = os.path.join(DIR, name)
        os.mkdir(self.dir)
        if conf:
            with open(os.path.join(self.dir, "redis.conf"), "w") as f:
                f.write("\n".join(conf) + "\n")
        self.url = self.service("start").split("'")[1]
        self.port = int(self.url.rsplit(":", 1)[1])
        self.env = {"SENTI_REDIS": self.url}

    def service(self, verb, *args, env=None):
        done = subprocess.run([f"{ROOT}/scripts/services", verb, "redis", self.dir, *args], check=True, timeout=60,
                              capture_output=True, env={**os.environ, **(env or {})})
        return done.stdout.decode()

    def ctl(self, *args, **kw):
        return self.service("ctl", *args, **kw).rstrip("\n")

    def flush(self):
        self.ctl("flushall")

    def info(self, name):
        return int(re.search(rf"^{name}:(\d+)", self.ctl("info"), re.M).group(1))


def until(condition, what, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not in {seconds} s: {what}"
        time.sleep(0.05)


main = None
WORDS = "love hate good bad not very horrible nice the a movie plot was but never great :) !!! sad kind of".split()


def records(n, distinct=None, seed=1):
    rng = random.Random(seed)
    texts = [" ".join(rng.choice(WORDS) for _ in range(8)) + f" {i}" for i in range(distinct or n)]
    return [json.dumps({"id": f"r{i}", "text": texts[i % len(texts)], "n": i}) for i in range(n)]


def lines(some):
    return ("\n".join(some) + "\n").encode()


def key(text, *args):
    return tool("senti-cache", "key", "-e", text, *args)[0].decode().rstrip("\n")


# ---- the rules ----


def unit(address):
    done = subprocess.run([f"{BUILD}/tests/unit/cache"], capture_output=True, timeout=60, env={**os.environ, "SENTI_REDIS": address})
    failed = re.findall(rb"^not ok.*(?:\n#.*)*", done.stdout, re.M)
    assert done.returncode == 0 and not failed, b"\n".join(failed).decode(errors="replace")
    return done.stdout, done.stderr.decode()


@check
def rules_hold_over_tcp():
    main.flush()
    out, err = unit(main.url)
    assert b"\nok" in out and b"redis: two" not in err.encode(), err
    assert out.count(b"redis:") > 100, "the part of Redis did not run"


@check
def rules_hold_on_a_unix_socket_and_another_database():
    main.flush()
    unit(f"unix:{main.dir}/redis/sock?db=3")
    assert "db3" in main.ctl("info", "keyspace") and "db0" not in main.ctl("info", "keyspace")


# ---- results ----


@check
def a_hit_is_not_scored_and_the_bytes_are_equal():
    for model in ("vader", "plus", "textblob", "vader-nltk", "afinn:en", "linear"):
        main.flush()
        data = lines(records(3000, 500) + ['{"text":"","id":"x"}', ' { "text" : "\\u00c4rger \\"x\\"" } ', '{"text":"ÄRGER","sentiment":{"a":1}}'])
        env = {**main.env, "SENTI_MODEL": model}
        want, _ = tool("senti-score", data=data, env=env)
        pipe = "senti-cache get --summary | senti-score --summary | senti-cache put --summary"
        for run in ("empty", "full"):
            got, err = tool(pipe, data=data, env=env)
            assert got == want, f"{model}, {run}: other bytes"
            get = next(s for s in sums(err) if "hits" in s)
            scored = sums(err, "senti-score")[0]
            # In the first run a text that comes again may be known by then.
            assert get["misses"] >= 502 if run == "empty" else get["misses"] == 0, get
            assert get["hits"] + get["misses"] == 3003 and scored["scored"] == get["misses"] and scored.get("kept", 0) == get["hits"], (get, scored)


@check
def a_text_that_stands_there_twice_is_asked_for_once():
    main.flush()
    main.ctl("config", "resetstat")
    tool("senti-cache", "get", "-b", "1000", data=lines(records(1000, 10)), env=main.env)
    # Whatever batches the pipe makes of them: far fewer lookups than records.
    assert 10 <= main.info("keyspace_misses") <= 200, main.info("keyspace_misses")


@check
def other_members_and_other_models_do_not_mix():
    main.flush()
    data = lines(['{"body":"I love it","text":"I hate it"}'])
    want, _ = tool("senti-score -f body --into s | senti-score -m plus --into p", data=data)
    pipe = "senti-cache get -f body --into s | senti-score -f body --into s | senti-cache put -f body --into s | " \
           "senti-cache get -m plus --into p | senti-score -m plus --into p | senti-cache put --into p"
    for _ in range(2):
        got, _ = tool(pipe, data=data, env=main.env)
        assert got == want, got
    assert main.ctl("dbsize") == "2"


@check
def results_that_are_not_the_engines_are_not_kept():
    main.flush()
    plain = '{"label":"positive","score":0.5,"model":"m@1"}'
    bad = ['{"label":"positive", "score":0.5,"model":"m@1"}', '{"label":"negative","score":0.5,"model":"m@1","corrected":true}',
           '{"label":"positive","score":0.5,"model":"m@1","why":[]}', '{"label":"positive","score":"0.5","model":"m@1"}',
           '{"score":0.5,"label":"positive","model":"m@1"}', '{"label":"positive","score":0.5}', '[]', '"x"', '{}',
           '{"label":"positive","score":0.5,"model":"m@1","model":"m@1"}',
           '{"label":"positive","score":0.5,"neg":1,"neu":0,"model":"m@1"}', '{"label":"positive","score":0.5,"model":"m\\u0040"}',
           '{"label":"positive","score":0.5,"subjectivity":1,"neg":1,"neu":0,"pos":0,"model":"m@1"}']
    data = lines(f'{{"text":"t{i}","sentiment":{s}}}' for i, s in enumerate(bad))
    out, err = tool("senti-cache", "put", "--summary", data=data, env=main.env)
    assert out == data and sums(err)[0]["stored"] == 0, err
    assert main.ctl("dbsize") == "0", main.ctl("keys", "*")
    # Labels and numbers as other engines may write them.
    good = [plain, '{"label":"positiv, \\"sehr\\"","score":5e-1,"model":"m@1"}', '{"label":"schön","score":-0,"model":"m@1"}',
            '{"label":"a","score":-1,"neg":0.1,"neu":0,"pos":0.9,"subjectivity":1E+0,"model":"m@1"}']
    _, err = tool("senti-cache", "put", "--summary", data=lines(f'{{"text":"g{i}","sentiment":{s}}}' for i, s in enumerate(good)), env=main.env)
    assert sums(err)[0]["stored"] == len(good), err


@check
def what_others_wrote_into_redis_is_a_miss():
    name = key("I love it")
    good, _ = tool("senti-score", data=b'{"text":"I love it"}\n')
    model = json.loads(good)["sentiment"]["model"]
    for bad in ("", "x", "{}", "{\n}", '{"label":"positive","score":1,"model":"%s"}}' % model, '{"label":"positive","score":1,"model":"other@1"}',
                '{"label":"positive","score":1,"model":"%s","x":1}' % model, '{"label":"positive",\n"score":1,"model":"%s"}' % model,
                '{"label":"positive","score":01,"model":"%s"}' % model, '{"label":"positive","score":1.,"model":"%s"}' % model,
                '{"label":"positive","score":-,"model":"%s"}' % model, '{"label":"pos\nitive","score":1,"model":"%s"}' % model,
                '{"label":"positive","score":1,"model":"%s"' % model, '{"label":"\udcff","score":1,"model":"%s"}' % model, "\udcff"):
        subprocess.run(["redis-cli", "-p", str(main.port), "-x", "set", name], input=bad.encode("utf-8", "surrogateescape"), check=True,
                       capture_output=True)
        out, err = tool("senti-cache", "get", "--summary", data=b'{"text":"I love it"}\n', env=main.env)
        assert out == b'{"text":"I love it"}\n' and sums(err)[0]["misses"] == 1, (bad, out)
    main.ctl("del", name)
    main.ctl("lpush", name, "a")
    out, err = tool("senti-cache", "get", "--summary", data=b'{"text":"I love it"}\n', env=main.env)
    assert sums(err)[0]["misses"] == 1, err


@check
def lifetimes_are_spread():
    main.flush()
    tool("senti-score | senti-cache put --ttl 1000s", data=lines(records(300)), env=main.env)
    ttl = [int(main.ctl("pttl", k)) for k in main.ctl("keys", "*").split()[:30]]
    assert all(895000 <= t <= 1000000 for t in ttl) and max(ttl) - min(ttl) > 30000, (min(ttl), max(ttl))


@check
def a_hundred_thousand_records():
    main.flush()
    data = lines(records(100000))
    want, _ = tool("senti-score", data=data)
    pipe = "senti-cache get --summary | senti-score | senti-cache put --summary"
    got, err = tool(pipe, data=data, env=main.env)
    assert got == want and [s for s in sums(err) if "stored" in s][0]["stored"] == 100000, err
    got, err = tool(pipe, data=data, env=main.env)
    assert got == want and [s for s in sums(err) if "hits" in s][0]["hits"] == 100000, err
    stats = json.loads(tool("senti-cache", "stats", env=main.env)[0])
    assert stats["entries"] == 100000 and 99000 <= stats["results"] <= 101000 and stats["policy"] == "allkeys-lfu", stats
    main.flush()


# ---- messages ----


def entry(id):
    """What readers of a message are shown, None where there is no entry: the value without its head."""
    got = main.ctl("get", f"senti:m:{id}")
    head, _, record = got.partition(" ")
    return record if record and head[0].isdigit() else None


@check
def a_message_is_kept_as_the_store_shows_it():
    main.flush()
    store = f"sqlite:{DIR}/messages.db"
    data = b'{"id":"1","n":1.50,"text":"I love it","time":"2024-05-01T12:00:00+02:00"}\n'
    put = f"senti-score | senti-store put --store {store} | senti-cache put --summary"
    for named in ("", f" --store {store}"):
        main.flush()
        _, err = tool(put + named, data=data, env=main.env)
        assert sums(err)[0]["stored"] == 2, err
        shown, _ = tool("senti-store", "get", "--store", store, "1")
        assert entry("1") == shown.decode().rstrip("\n"), (entry("1"), shown)


@check
def with_a_store_an_old_record_does_no_harm():
    main.flush()
    store = f"sqlite:{DIR}/old.db"
    old, _ = tool(f"senti-score | senti-store put --store {store}", data=b'{"id":"1","text":"I love it"}\n{"id":"2","text":"x"}\n')
    tool(f"senti-store correct --store {store} 1 negative")
    tool(f"senti-store delete --store {store} 2")
    _, err = tool("senti-cache", "put", "--summary", "--store", store, data=old * 2, env=main.env)
    assert sums(err)[0]["refused"] == 1, err
    shown, _ = tool("senti-store", "get", "--store", store, "1")
    assert entry("1") == shown.decode().rstrip("\n") and '"corrected":true' in entry("1"), entry("1")
    assert entry("2") is None
    # Without one it is believed, and the newer entry refuses it.
    _, err = tool("senti-cache", "put", "--summary", data=old, env=main.env)
    assert sums(err)[0]["refused"] == 1 and '"corrected":true' in entry("1"), err


@check
def a_store_that_is_away_is_an_error():
    data = b'{"id":"1","text":"x","version":3}\n'
    out, err = tool("senti-cache", "put", "--store", f"sqlite:{DIR}/none/none.db", data=data, env=main.env, status=3)
    assert out == b"" and "none.db" in err, err


@check
def invalidate_takes_entries_away():
    main.flush()
    ids = ["1", "a b", "ä", 'q"', "new\nline", "*"]
    data = lines(json.dumps({"id": i, "text": "x", "version": 7}, ensure_ascii=False) for i in ids)
    tool("senti-cache", "put", data=data, env=main.env)
    assert all(entry(i) for i in ids)
    _, err = tool("senti-cache", "invalidate", "--summary", *ids[:3], env=main.env)
    assert [entry(i) is None for i in ids] == [True] * 3 + [False] * 3 and sums(err)[0]["buried"] == 3
    out, _ = tool("senti-cache", "invalidate", data=data, env=main.env)
    assert out == data and not any(entry(i) for i in ids)
    assert main.ctl("get", "senti:m:*") == "7" and 55000 < int(main.ctl("pttl", "senti:m:*")) <= 60000
    older = lines(json.dumps({"id": i, "text": "old", "version": 6}) for i in ids)
    _, err = tool("senti-cache", "put", "--summary", data=older, env=main.env)
    assert sums(err)[0]["refused"] == len(ids), err


@check
def records_without_an_id_are_rejected_by_invalidate():
    _, err = tool("senti-cache", "invalidate", data=b'{"id":"1"}\n{}\n', env=main.env, status=1)
    assert '"no_id"' in err


@check
def scripts_that_redis_forgets_are_sent_again():
    main.flush()
    p = subprocess.Popen(["senti-cache", "put", "--summary"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         env={**os.environ, **main.env})
    for i in range(5):
        line = json.dumps({"id": f"s{i}", "text": "x", "version": 3}).encode() + b"\n"
        p.stdin.write(line)
        p.stdin.flush()
        assert p.stdout.readline() == line
        main.ctl("script", "flush")
    _, err = p.communicate(timeout=30)
    assert p.returncode == 0 and sums(err.decode())[0]["stored"] == 5, err


# ---- what goes wrong with a server ----


def step(p, some):
    """Some lines in, as many out."""
    p.stdin.write(lines(some))
    p.stdin.flush()
    return [p.stdout.readline() for _ in some]


@check
def a_killed_redis_is_told_once_and_comes_back():
    server = Redis("killed")
    data = records(6000, 50)
    want = tool("senti-score", data=lines(data))[0].splitlines(keepends=True)
    p = subprocess.Popen(["sh", "-c", "senti-cache get --summary 2>get.err | senti-score --summary 2>score.err | senti-cache put --summary"],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=server.dir, env={**os.environ, **server.env})
    got = step(p, data[:500]) + step(p, data[500:1000])
    server.service("kill")
    for i in range(1000, 3000, 100):
        got += step(p, data[i:i + 100])
    server.service("again")
    end = time.monotonic() + 30
    i = 3000
    while i < 6000:
        got += step(p, data[i:i + 10])
        i += 10
        stored = int(server.ctl("dbsize"))
        if stored == 0 and time.monotonic() < end:
            time.sleep(0.2)
            i = min(i, 5900)
            data = data[:i] + data[:10] + data[i:]
            want = want[:i] + want[:10] + want[i:]
    _, err = p.communicate(timeout=30)
    assert p.returncode == 0
    put_err, get_err = err.decode(), open(f"{server.dir}/get.err").read()
    assert [json.loads(g)["sentiment"] for g in got] == [json.loads(w)["sentiment"] for w in want[:len(got)]]
    for said in (put_err, get_err):
        assert said.count("is unreachable") == 1 and said.count("is back") == 1, said
    get = sums(get_err)[0]
    assert get["skipped"] > 0 and get["hits"] > 0, get


@check
def without_a_server_filters_go_on_and_invalidate_does_not():
    env = {"SENTI_REDIS": "redis://127.0.0.1:1"}
    data = lines(records(5000))
    scored, _ = tool("senti-score", data=data)
    out, err = tool("senti-cache get --summary | senti-score | senti-cache put --summary", data=data, env=env)
    assert out == scored and err.count("is unreachable") == 2 and "Connection refused" in err, err
    for verb in ("invalidate", "stats"):
        _, err = tool("senti-cache", verb, *(["1"] if verb == "invalidate" else []), env=env, status=3)
        assert "Connection refused" in err, err


class Impostor(threading.Thread):
    """Takes connections and does to each what the test says."""

    def __init__(self, what):
        super().__init__(daemon=True)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self.socket.getsockname()[1]}"
        self.what = what
        self.start()

    def run(self):
        held = []
        while True:
            c, _ = self.socket.accept()
            held.append(c)
            try:
                c.recv(65536)
                self.what(c)
            except OSError:
                pass


@check
def servers_that_are_no_redis_do_not_stop_a_pipeline():
    data = lines(records(10))

    def garbage(c):
        c.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        c.close()

    def early(c):
        c.sendall(b"*2\r\n$10\r\n17")
        c.close()

    def deep(c):
        c.sendall(b"*1\r\n" * 100 + b"$-1\r\n")

    def negative(c):
        c.sendall(b"*-5\r\n$999999999999\r\n:x\r\n")

    def loading(c):
        c.sendall(b"-LOADING Redis is loading the dataset in memory\r\n" * 10)

    for what in (garbage, early, deep, negative, loading, lambda c: None):
        out, err = tool("senti-cache", "get", "--summary", data=data, env={"SENTI_REDIS": Impostor(what).url})
        assert out == data and sums(err)[0]["skipped"] == 10 and err.count("warning") == 1, err
        if what is loading:
            assert "still loading" in err, err


@check
def answers_that_redis_does_not_give_are_errors_where_something_is_promised():
    """keys that are not strings, and a script that answers no number, end verify, stats and invalidate with status 3"""
    greeting = b"*2\r\n$1\r\n9\r\n$1\r\n9\r\n$0\r\n\r\n$0\r\n\r\n"
    store = os.path.join(DIR, "strange.db")
    tool("senti-store", "migrate", "--store", f"sqlite:{store}")

    def to(*answers):
        def what(c):
            for a in (greeting, *answers):
                c.sendall(a)
                c.recv(65536)
        return {"SENTI_REDIS": Impostor(what).url}

    for keys in (b"*3\r\n:1\r\n$-1\r\n$3\r\nfoo\r\n", b"*2\r\n*1\r\n*1\r\n:3\r\n*0\r\n"):
        scan = b"*2\r\n$1\r\n0\r\n" + keys
        _, err = tool("senti-cache", "verify", "--store", f"sqlite:{store}", env=to(scan), status=3)
        assert "never gives" in err, err
        _, err = tool("senti-cache", "stats", env=to(b"$0\r\n\r\n:5\r\n", scan), status=3)
        assert "never gives" in err, err
    out, _ = tool("senti-cache", "verify", "--store", f"sqlite:{store}", env=to(b"*2\r\n$1\r\n0\r\n*1\r\n$3\r\nfoo\r\n" * 2))
    assert json.loads(out)["checked"] == 0, out
    _, err = tool("senti-cache", "invalidate", "a", env=to(b"$1\r\nx\r\n", b"*0\r\n"), status=3)
    assert "never gives" in err, err


@check
def a_redis_that_cannot_save_is_named_as_one():
    scored, _ = tool("senti-score", data=lines(records(3)))

    def cannot_save(c):
        c.sendall(b"*2\r\n$1\r\n9\r\n$1\r\n9\r\n$0\r\n\r\n$0\r\n\r\n")
        c.recv(65536)
        c.sendall(b"-MISCONF Redis is configured to save RDB snapshots\r\n" * 3)

    out, err = tool("senti-cache put -b 3 -w 1000 --summary", data=scored, env={"SENTI_REDIS": Impostor(cannot_save).url})
    assert out == scored and err.count("cannot save") == 1 and sums(err)[0]["skipped"] == 3, err


@check
def a_user_with_the_rights_that_the_manual_names_is_enough():
    manual = open(f"{ROOT}/man/senti-cache.1").read()
    rules = re.findall(r"^(user [a-z]+ .*)$", manual, re.M)
    assert len(rules) == 2, rules
    blind = rules[1].replace("user writer", "user blind").replace(" +info", "")
    server = Redis("acl", "user default off", *rules, blind)
    secrets = {r.split()[1]: re.search(r">(\S+)", r).group(1) for r in rules}
    (reader, writer) = (r.split()[1] for r in rules)
    url = server.url.replace("redis://", "redis://{}:{}@")
    data = lines(records(100))
    scored, _ = tool("senti-score", data=data)
    env = {"SENTI_REDIS": url.format(writer, secrets[writer])}
    versions = scored.replace(b"}}\n", b'},"version":4}\n')
    out, err = tool("senti-cache", "put", "--summary", data=versions, env=env)
    assert sums(err)[0]["stored"] == 200 and err.count("\n") == 1, err
    out, err = tool("senti-cache get --summary", data=data, env=env)
    assert out == scored and err.count("\n") == 1, err
    tool("senti-cache", "invalidate", "r1", env=env)
    assert json.loads(tool("senti-cache", "stats", env=env)[0])["messages"] == 100
    env = {"SENTI_REDIS": url.format(reader, secrets[reader])}
    out, err = tool("senti-cache get --summary", data=data, env=env)
    assert out == scored and err.count("\n") == 1, err
    out, err = tool("senti-cache put --summary", data=scored, env=env)
    assert out == scored and sums(err)[0]["skipped"] == 100 and err.count("lacks a permission") == 1, err
    _, err = tool("senti-cache", "invalidate", "r1", env=env, status=3)
    assert "lacks a permission" in err, err
    # Without INFO nobody warns, and entries are kept and read all the same.
    env = {"SENTI_REDIS": url.format("blind", secrets[writer])}
    out, err = tool("senti-cache", "put", "--summary", data=versions.replace(b'"id": "r', b'"id": "b'), env=env)
    assert sums(err)[0]["stored"] == 200 and err.count("\n") == 1, err
    _, err = tool("senti-cache", "put", "--summary", data=versions.replace(b'"id": "r', b'"id": "b'), env=env)
    assert sums(err)[0]["refused"] == 100 and err.count("\n") == 1, err
    # The password from the environment, a wrong one, and none.
    out, _ = tool("senti-cache get", data=data, env={"SENTI_REDIS": url.format(reader, "").replace(":@", "@"), "REDISCLI_AUTH": secrets[reader]})
    assert out == scored
    for address, words in ((url.format(reader, "wrong-geheim"), "refuses this user"), (server.url, "needs a password")):
        out, err = tool("senti-cache get --summary", data=data, env={"SENTI_REDIS": address})
        assert out == data and err.count(words) == 1 and "geheim" not in err, err
        _, err = tool("senti-cache", "invalidate", "1", env={"SENTI_REDIS": address}, status=3)
        assert words in err and "geheim" not in err, err


@check
def a_policy_that_evicts_nothing_is_warned_of():
    server = Redis("full", "maxmemory 3mb", "maxmemory-policy noeviction")
    scored, _ = tool("senti-score", data=lines(records(30000)))
    _, err = tool("senti-cache", "put", data=scored[:scored.index(b"\n") + 1], env=server.env)
    assert err.count("evicts nothing") == 1 and "will refuse" in err, err
    # And then it is full.
    out, err = tool("senti-cache", "put", "--summary", data=scored, env=server.env)
    assert out == scored and err.count("stores nothing") == 1 and sums(err)[0]["skipped"] > 0, err
    out, err = tool("senti-cache", "put", "--summary", data=b'{"id":"1","text":"x","version":3}\n', env=server.env)
    assert "it is full" in err and sums(err)[0]["skipped"] == 1, err
    got, err = tool("senti-cache get --summary | senti-score", data=lines(records(30000)), env=server.env)
    assert got == scored and sums(err)[0]["hits"] > 0, err
    server.ctl("config", "set", "maxmemory", "0")
    _, err = tool("senti-cache", "put", data=scored[:scored.index(b"\n") + 1], env=server.env)
    assert "no memory limit" in err, err
    server.ctl("config", "set", "maxmemory-policy", "allkeys-lfu")
    _, err = tool("senti-cache", "put", data=scored[:scored.index(b"\n") + 1], env=server.env)
    assert err == "", err
    # Eviction changes hits, never bytes.
    server.ctl("config", "set", "maxmemory", "3mb")
    tool("senti-cache", "put", data=scored, env=server.env)
    got, err = tool("senti-cache get --summary | senti-score", data=lines(records(30000)), env=server.env)
    assert got == scored and sums(err)[0]["misses"] > 0 and server.info("evicted_keys") > 0, err


@check
def a_node_of_a_cluster_is_named_as_one():
    server = Redis("cluster", "cluster-enabled yes", "cluster-require-full-coverage no")
    data = lines(records(50))
    out, err = tool("senti-cache get", data=data, env=server.env)
    assert out == data and err.count("node of a cluster") == 1, err
    server.ctl("cluster", "addslotsrange", "0", "100")
    until(lambda: "cluster_state:ok" in server.ctl("cluster", "info"), "the cluster is whole")
    ids = [f"r{i}" for i in range(50)]
    _, err = tool("senti-cache", "invalidate", *ids, env=server.env, status=3)
    assert "node of a cluster" in err and "MOVED" in err or "CLUSTERDOWN" in err, err
    out, err = tool("senti-score | senti-cache put --summary", data=data, env=server.env)
    assert err.count("node of a cluster") == 1 and sums(err)[0]["skipped"] > 0, err


@check
def a_replica_is_named_as_one():
    server = Redis("replica", f"replicaof 127.0.0.1 {main.port}")
    main.flush()
    data = lines(records(50))
    scored, _ = tool("senti-score | senti-cache put", data=data, env=main.env)
    tool("senti-cache", "put", data=b'{"id":"1","text":"x","version":4}\n', env=main.env)
    until(lambda: server.ctl("dbsize") == "51", "the replica has all")
    out, err = tool("senti-cache get --summary", data=data, env=server.env)
    assert out == scored and sums(err)[0]["hits"] == 50, err
    versions = lines(json.dumps({"id": f"r{i}", "text": "x", "version": 4}) for i in range(5))
    for some in (scored, versions):
        out, err = tool("senti-cache put --summary", data=some, env=server.env)
        assert out == some and err.count("read-only replica") == 1 and sums(err)[0]["stored"] == 0, err
    _, err = tool("senti-cache", "invalidate", "1", env=server.env, status=3)
    assert "read-only replica" in err, err


@check
def the_whole_pipeline_with_a_store():
    main.flush()
    store = f"sqlite:{DIR}/whole.db"
    data = lines(records(2000, 300))
    pipe = "senti-cache get --summary | senti-score --summary | senti-store put | senti-cache put --summary"
    env = {**main.env, "SENTI_STORE": store}
    out, err = tool(pipe, data=data, env=env)
    assert out.count(b"\n") == 2000 and sums(err)[0]["tool"] == "senti-cache"
    count = sqlite3.connect(f"{DIR}/whole.db").execute("SELECT count(*) FROM message WHERE sentiment IS NOT NULL").fetchone()[0]
    assert count == 2000
    stats = json.loads(tool("senti-cache", "stats", env=main.env)[0])
    assert stats["messages"] == 2000 and stats["results"] == 300, stats
    again, err = tool(pipe, data=data, env=env)
    assert again == out and sums(err, "senti-score")[0]["scored"] == 0, err


main = Redis("main", "repl-diskless-sync-delay 0")
run()
