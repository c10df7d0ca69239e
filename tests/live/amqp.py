"""Queues on a real RabbitMQ: round trips, dead letters, TLS, faults; every record is accounted for by its id."""
# servers: rabbitmq
# needs: openssl
# packages: pika
# before: tls.py
# seconds: 60
import gzip
import json
import os
import random
import re
import sqlite3
import subprocess
import sys
import time
from collections import Counter

from packed import zstd
from tap import check, run


# ---- what the checks stand on ----

DIR = sys.argv[1]
URL = os.environ.get("SENTI_AMQP", "")


def tool(*args, data=None, status=0, env=None, timeout=90):
    """Runs a tool to its end: (stdout, stderr). Its summary, if asked for, is the last line of stderr."""
    done = subprocess.run(args, input=data, capture_output=True, timeout=timeout, env={**os.environ, **(env or {})})
    err = done.stderr.decode(errors="replace")
    assert done.returncode == status, f"{args}: status {done.returncode}, not {status}\n{err[-2000:]}"
    return done.stdout, err


def summary(err):
    return json.loads(err.strip().splitlines()[-1])


def start(*args, **kw):
    return subprocess.Popen(args, stderr=kw.pop("stderr", subprocess.DEVNULL), **kw)


def service(*args):
    subprocess.run([os.environ["SENTI_SERVICES"], *args], check=True, timeout=120, stdout=subprocess.DEVNULL)


def ctl(*args):
    service("ctl", "rabbitmq", DIR, *args)


def channel():
    import pika
    params = pika.URLParameters(URL + "/?socket_timeout=10&blocked_connection_timeout=20")
    return pika.BlockingConnection(params).channel()


def to_disk():
    """A lone node that is killed has forgotten a quorum queue whose entry in its tables is still in memory alone."""
    ctl("eval", "lists:foreach(fun dets:sync/1, dets:all()), mnesia:dump_log().")


def waiting_in(queue):
    ch = channel()
    count = ch.queue_declare(queue, passive=True).method.message_count
    ch.connection.close()
    return count


def publish(queue, bodies, **props):
    import pika
    ch = channel()
    ch.confirm_delivery()
    for body in bodies:
        ch.basic_publish("", queue, body, pika.BasicProperties(delivery_mode=2, **props), mandatory=True)
    ch.connection.close()


def drain(queue):
    """All messages of a queue: [(properties, body)]."""
    ch = channel()
    got = []
    while True:
        method, props, body = ch.basic_get(queue, auto_ack=True)
        if method is None:
            break
        got.append((props, body))
    ch.connection.close()
    return got


def records(n, prefix="r"):
    rng = random.Random(n)
    words = ["I love it", "a bad day", "so so", "not good at all"]
    return [json.dumps({"id": f"{prefix}{i}", "text": f"{rng.choice(words)} {i}"}) for i in range(n)]


def lines(some):
    return ("\n".join(some) + "\n").encode()


def declare(*queues):
    """As the tools do it, by a sink that gets nothing."""
    for q in queues:
        tool("senti-ingest", "-F", "json", "-o", f"amqp:{q}", data=b"")


def fill(queue, some, *args):
    tool("senti-ingest", "-F", "json", "-o", f"amqp:{queue}", *args, data=lines(some))


def ids_of(some):
    return [json.loads(s)["id"] for s in some]


def read(queue, *args, idle=3000, **kw):
    out, err = tool("senti-score", "-i", f"amqp:{queue}", "--idle", str(idle), "--summary", *args, **kw)
    return out.splitlines(), err


# ---- the checks ----


@check
def round_trip():
    "20,000 records through two queues, with bad ones among them: in = out + rejected, in order, none missing"
    some = records(20000)
    fill("trip", some[:12000])
    publish("trip", [b"{bad", b'{"id":"no"}', b"", b'{"text":"\xff"}', b'{"id":"n","text":7}'])
    fill("trip", some[12000:])
    _, err = tool("senti-score", "-i", "amqp:trip", "-o", "amqp:trip-out", "--idle", "3000", "--summary", status=1)
    s = summary(err)
    assert (s["in"], s["out"], s["rejected"]) == (20005, 20000, 5), s
    out, _ = read("trip-out")
    assert ids_of(out) == ids_of(some), "lost, repeated or out of order"
    assert all(b'"sentiment"' in o for o in out)
    dead = drain("trip.dead")
    assert [p.headers["x-senti-error"] for p, _ in dead] == ["bad_json", "no_text", "bad_json", "bad_utf8", "bad_text"]
    assert [b for _, b in dead] == [b"{bad", b'{"id":"no"}', b"", b'{"text":"\xff"}', b'{"id":"n","text":7}']
    for p, _ in dead:
        assert p.headers["x-senti-tool"] == "senti-score" and p.headers["x-senti-message"], p.headers
        assert p.headers["x-senti-count"] == 1 and p.delivery_mode == 2, p.headers


@check
def parallel():
    "-j 2 keeps the order"
    some = records(5000)
    fill("jobs", some)
    out, _ = read("jobs", "-j", "2", "-b", "50")
    assert ids_of(out) == ids_of(some)


@check
def properties():
    "messages say what they are: id, type, time, persistent; a traceparent passes through"
    declare("props")
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    publish("props", [b'{"id":"a","text":"fine"}'], headers={"traceparent": trace})
    tool("senti-score", "-i", "amqp:props", "-o", "amqp:props-out", "--idle", "3000")
    (p, body), = drain("props-out")
    assert (p.message_id, p.content_type, p.delivery_mode) == ("a", "application/json", 2), p
    assert abs(p.timestamp - time.time()) < 60 and p.headers["traceparent"] == trace, p
    assert body.startswith(b'{"id":"a","text":"fine","sentiment":{'), body


@check
def large_headers():
    "headers that fill a whole frame stop nobody: what is not a traceparent does not go on"
    declare("heads")
    for n in (100, 130000, 130900):
        publish("heads", [b'{"id":"%d","text":"fine"}' % n, b"{bad"], headers={"traceparent": "x" * n})
    read("heads", "-o", "amqp:heads.out", "--retry", "2", status=1)
    for queue in ("heads.out", "heads.dead"):
        got = [len(p.headers.get("traceparent", "")) for p, _ in drain(queue)]
        assert got == [100, 0, 0], (queue, got)


@check
def bodies():
    "bodies of every form: pretty-printed, without a type, lines; ids from message_id or a hash, the same each time"
    declare("forms")
    publish("forms", ["{\n  \"text\": \"caf\u00e9\",\r\n\t\"n\": 1.50\n}\n".encode()], message_id="m-1")
    publish("forms", [b'{"text":"same"}', b'{"text":"same"}', b'{}'])
    publish("forms", [b'{"text":"one"}\r\n\n{"id":"two","text":"2"}\n{"text":"three"}'],
            content_type="application/x-ndjson; charset=utf-8", message_id="pack")
    publish("forms", [b'{"text":"line\nend"}', b" \n "], content_type="application/json")
    out, err = read("forms", status=1)
    got = [json.loads(o) for o in out]
    assert got[0]["id"] == "m-1" and got[0]["text"] == "caf\u00e9" and b"1.50" in out[0], out[0]
    assert got[1]["id"] == got[2]["id"] and len(got[1]["id"]) == 32
    assert [g["id"] for g in got[3:]] == ["pack.1", "two", "pack.3"], got
    s = summary(err)
    assert (s["in"], s["out"], s["rejected"]) == (9, 6, 3), s
    dead = drain("forms.dead")
    assert [(p.headers["x-senti-error"], b) for p, b in dead] == [
        ("no_text", b"{}"), ("bad_json", b'{"text":"line\nend"}'), ("bad_json", b" \n ")], dead


@check
def compressed():
    "bodies with a content_encoding are expanded, gzip and Zstandard, one record or a pack; another one says nothing; what cannot be expanded is dead as it came"
    declare("coded")
    one, pack = b'{"id":"1","text":"I love it"}', b'{"id":"2","text":"good"}\n{"id":"3"}\n{"id":"4","text":"bad"}\n'
    publish("coded", [gzip.compress(one)], content_encoding="gzip", content_type="application/json")
    publish("coded", [gzip.compress(pack)], content_encoding="GZIP", content_type="application/x-ndjson")
    publish("coded", [zstd(one.replace(b"1", b"5"))], content_encoding="zstd")
    publish("coded", [one.replace(b"1", b"6")], content_encoding="utf-8")
    bad = [one, gzip.compress(one)[:-3]]
    publish("coded", bad, content_encoding="gzip")
    huge = b'{"id":"7","text":"' + b"x" * (20 << 20) + b'"}'
    publish("coded", [gzip.compress(huge)], content_encoding="gzip")
    publish("coded", [gzip.compress(b"\n" * (129 << 20))], content_encoding="gzip", content_type="application/x-ndjson")
    out, _ = read("coded", status=1)
    assert ids_of(out) == ["1", "2", "4", "5", "6"], out
    dead = drain("coded.dead")
    assert [p.headers["x-senti-error"] for p, _ in dead] == ["no_text", "bad_coding", "bad_coding", "too_long", "too_long"], dead
    assert [b for _, b in dead[:3]] == [b'{"id":"3"}', *bad]
    assert dead[3][1] == huge[:8 << 20] and dead[3][0].headers["x-senti-truncated"] is True
    assert gzip.decompress(dead[4][1]).count(b"\n") == 129 << 20


@check
def packs():
    "--pack: fewer messages, the same records; of a pack only the bad line is dead"
    some = records(2050)
    fill("pack", some, "--pack", "100", "-b", "500")
    ch = channel()
    n = ch.queue_declare("pack", passive=True).method.message_count
    ch.connection.close()
    assert n in (21, 22, 23, 24, 25), n
    out, err = read("pack", "-b", "64")
    assert ids_of(out) == ids_of(some)
    publish("pack", [b'{"id":"x","text":"good"}\n{"id":"y"}\n{"id":"z","text":"bad"}\n'], content_type="application/x-ndjson")
    out, err = read("pack", status=1)
    assert ids_of(out) == ["x", "z"]
    (p, body), = drain("pack.dead")
    assert (p.headers["x-senti-error"], body) == ("no_text", b'{"id":"y"}')


@check
def long_bodies():
    "a body over --max-record is dead with all its bytes, over 8 MiB with its first 8 MiB, marked"
    declare("long")
    short = b'{"id":"s","text":"' + b"x" * 2000000 + b'"}'
    huge = b'{"id":"h","text":"' + b"y" * (9 << 20) + b'"}'
    publish("long", [short, huge, b'{"id":"ok","text":"fine"}'])
    out, _ = read("long", status=1)
    assert ids_of(out) == ["ok"]
    (p, a), (q, b) = drain("long.dead")
    assert p.headers["x-senti-error"] == "too_long" and a == short and "x-senti-truncated" not in p.headers
    assert q.headers["x-senti-truncated"] is True and b == huge[:8 << 20]
    publish("long", [short])
    out, _ = read("long", "--max-record", "3M")
    assert ids_of(out) == ["s"]


@check
def replay():
    "dead letters are turned back into the originals, byte for byte, and the cured pass"
    declare("again")
    publish("again", [b'{"id":"a","txt":"lovely"}', b"{bad", b'{"text":"\xff"}', b'{"id":"p",\n"txt":"sad"}'])
    read("again", status=1)
    ch = channel()
    for name in ("again.dead.dead", "again.dead.dx"):
        assert not exists(name)
    ch.connection.close()
    out, err = tool("senti-ingest", "-F", "reject", "-i", "amqp:again.dead", "-o", "amqp:again", "--idle", "3000",
                    "--summary")
    s = summary(err)
    assert (s["in"], s["out"], s["rejected"]) == (4, 4, 0), err
    assert not exists("again.dead.dead")
    out, err = read("again", "-f", "txt", status=1)
    assert sorted(ids_of(out)) == ["a", "p"]
    assert [b for _, b in drain("again.dead")] == [b"{bad", b'{"text":"\xff"}']


@check
def replayed_ids():
    "a dead letter without an id of its own keeps that of its message, so equal texts of two people stay two"
    declare("who")
    for m in "st":
        publish("who", [b'{"txt":"thanks"}'], message_id=m)
    publish("who", [b'{"txt":"thanks"}\n{"id":"own","txt":"thanks"}\n{"txt":"thanks"}\n'], message_id="p",
            content_type="application/x-ndjson")
    read("who", status=1)
    tool("senti-ingest", "-F", "reject", "-i", "amqp:who.dead", "-o", "amqp:who", "--idle", "3000")
    out, _ = read("who", "-f", "txt")
    assert sorted(ids_of(out)) == ["own", "p.1", "p.3", "s", "t"], out


def exists(queue):
    import pika
    ch = channel()
    try:
        ch.queue_declare(queue, passive=True)
    except pika.exceptions.ChannelClosedByBroker:
        return False
    finally:
        if ch.connection.is_open:
            ch.connection.close()
    return True


@check
def ingested():
    "senti-ingest reads a queue too, names members, and sends what it rejects to the dead letters; csv is refused there"
    declare("raw")
    publish("raw", [b'{"n":1,"comment":"good"}', b"{bad", b'{"n":2}\n'], message_id="m")
    out, _ = tool("senti-ingest", "-i", "amqp:raw", "--text", "comment", "--idle", "3000", status=1)
    assert [json.loads(o) for o in out.splitlines()] == [{"id": "m", "n": 1, "text": "good"}], out
    assert [(p.headers["x-senti-tool"], b) for p, b in drain("raw.dead")] == [
        ("senti-ingest", b"{bad"), ("senti-ingest", b'{"n":2}\n')]
    _, err = tool("senti-ingest", "-F", "csv", "-i", "amqp:raw", status=2)
    assert "csv" in err


@check
def reject_elsewhere():
    "--reject names another place, a path or a queue; a file's rejects go to a queue as reject objects and come back"
    declare("else")
    publish("else", [b"{bad"])
    path = os.path.join(DIR, "else.jsonl")
    read("else", "--reject", path, status=1)
    assert json.load(open(path))["input"] == "{bad" and not drain("else.dead")
    tool("senti-score", "--reject", "amqp:bin", data=b'{"id":"1"}\n{"id":"2","text":"' + b"z" * (9 << 20) + b'"}\n', status=1)
    (_, a), (_, b) = drain("bin")
    assert json.loads(a)["input"] == '{"id":"1"}'
    long = json.loads(b)
    assert long["truncated"] is True and len(long["input_base64"]) == 4 * -(-(8 << 20) // 3), list(long)
    publish("bin", [a, b])
    out, err = tool("senti-ingest", "-F", "reject", "-i", "amqp:bin", "--idle", "3000", "--reject", path, status=1)
    assert out == b'{"id":"1"}\n', out


@check
def exchange():
    "?exchange=E&key=K publishes there; with no queue bound that is an error that names both"
    ch = channel()
    ch.exchange_declare("topics", "topic", durable=True)
    ch.queue_declare("bound", durable=True)
    ch.queue_bind("bound", "topics", "text.#")
    ch.connection.close()
    line = b'{"id":"e","text":"fine"}\n'
    tool("senti-score", "-o", URL + "/?exchange=topics&key=text.new", data=line)
    assert len(drain("bound")) == 1
    _, err = tool("senti-score", "-o", URL + "/?exchange=topics&key=other", data=line, status=3)
    assert "topics" in err and "other" in err and "NO_ROUTE" in err and "guest:" not in err, err
    _, err = tool("senti-score", "-o", URL + "/?exchange=absent&key=k", data=line, status=3)
    assert "absent" in err and "404" in err, err


@check
def refused():
    "wrong password, host, virtual host and arguments: status 3 at once, a message that helps and shows no secret"
    secret = "pass%77ord-s3cret"
    bad = re.sub(r"//guest:guest@", f"//guest:{secret}@", URL)
    for end, env in ((bad + "/?queue=q", None), ("amqp:q", {"SENTI_AMQP": bad})):
        _, err = tool("senti-score", "-i", end, "--retry", "30", status=3, env=env, timeout=10)
        assert "403" in err and "s3cret" not in err and "guest@127.0.0.1" in err, err
    _, err = tool("senti-score", "-i", URL + "/nowhere?queue=q", status=3, timeout=10)
    assert "nowhere" in err and "530" in err, err
    nobody = re.sub(r":\d+$", ":1", URL)
    begun = time.monotonic()
    _, err = tool("senti-score", "-i", "amqp:q", env={"SENTI_AMQP": nobody}, status=3, timeout=10)
    assert "refused" in err, err
    _, err = tool("senti-score", "-i", "amqp:q", "--retry", "2", env={"SENTI_AMQP": nobody}, status=3, timeout=30)
    assert time.monotonic() - begun >= 2 and "refused" in err, err
    _, err = tool("senti-score", "-i", "amqp:", status=2)
    _, err = tool("senti-score", "-i", URL, status=2)
    assert "queue" in err and "guest:" not in err
    ch = channel()
    ch.queue_declare("classic", durable=True)
    ch.connection.close()
    _, err = tool("senti-score", "-i", "amqp:classic", status=3, timeout=10)
    assert "'classic'" in err and "quorum" in err and "x-queue-type" in err and "delete it" in err, err


@check
def few_rights():
    "without the right to declare, the queues that are there are used"
    declare("given", "given-out")
    ctl("add_user", "worker", "pw")
    ctl("set_permissions", "worker", "^$", ".*", ".*")
    env = {"SENTI_AMQP": URL.replace("guest:guest", "worker:pw")}
    fill("given", records(10))
    publish("given", [b"{bad"])
    tool("senti-score", "-i", "amqp:given", "-o", "amqp:given-out", "--idle", "3000", status=1, env=env)
    assert len(drain("given-out")) == 10 and len(drain("given.dead")) == 1
    _, err = tool("senti-score", "-i", "amqp:not-given", status=3, env=env, timeout=10)
    assert "'not-given'" in err and "may not declare" in err, err


@check
def tls():
    "amqps: with a CA and a client's certificate; a foreign CA and a missing certificate are refused"
    port = int(URL.rsplit(":", 1)[1]) + 3
    name = lambda f: os.path.join(DIR, "tls", f)
    base = f"amqps://guest:guest@localhost:{port}"
    env = {"SENTI_AMQP": base, "SENTI_AMQP_CACERT": name("ca.pem"), "SENTI_AMQP_CERT": name("client.pem"),
           "SENTI_AMQP_KEY": name("client.key")}
    some = records(3000)
    tool("senti-ingest", "-F", "json", "-o", "amqps:tls", data=lines(some), env=env)
    end = f"{base}/?queue=tls&cacertfile={name('ca.pem')}&certfile={name('client.pem')}&keyfile={name('client.key')}"
    out, _ = tool("senti-score", "-i", end, "--idle", "3000")
    assert ids_of(out.splitlines()) == ids_of(some)
    _, err = tool("senti-score", "-i", "amqps:tls", env={**env, "SENTI_AMQP_CACERT": name("other.pem")}, status=3, timeout=20)
    assert "127.0.0.1" in err or "localhost" in err
    tool("senti-score", "-i", "amqps:tls", env={**env, "SENTI_AMQP_CERT": "", "SENTI_AMQP_KEY": ""}, status=3, timeout=20)


@check
def idle():
    "--idle ends an empty queue with status 0, or 99; a stream of files has none"
    begun = time.monotonic()
    tool("senti-score", "-i", "amqp:empty", "--idle", "300", timeout=20)
    assert time.monotonic() - begun >= 0.3
    tool("senti-score", "-i", "amqp:empty", "--idle", "0", "--exit-if-empty", status=99, timeout=20)
    tool("senti-score", "--idle", "300", status=2)


@check
def waits():
    "a lone record comes out at once, while the queue stays open"
    declare("lone")
    p = start("senti-score", "-i", "amqp:lone", stdout=subprocess.PIPE)
    try:
        publish("lone", [b'{"id":"l","text":"fine"}'])
        assert b'"id":"l"' in p.stdout.readline()
        p.terminate()
        assert p.wait(10) == 0
    finally:
        p.kill()


@check
def terminated():
    "SIGTERM: what was read is finished and acknowledged, the rest is in the queue; together each record once"
    some = records(20000)
    fill("term", some, "--pack", "10")
    path = os.path.join(DIR, "term.out")
    with open(path, "wb") as f:
        p = start("senti-score", "-i", "amqp:term", "-b", "20", stdout=f)
        wait_until(lambda: os.path.getsize(path) > 100000)
        p.terminate()
        assert p.wait(20) == 0
    first = open(path, "rb").read().splitlines()
    rest, _ = read("term")
    assert 0 < len(rest) < 20000, len(rest)
    assert Counter(ids_of(first + rest)) == Counter(ids_of(some))


def wait_until(f, seconds=30):
    until = time.monotonic() + seconds
    while not f():
        assert time.monotonic() < until, "it did not come to this"
        time.sleep(0.01)


def stored(db):
    if not os.path.exists(db):
        return []
    con = sqlite3.connect(f"file:{db}?mode=ro", uri=True, timeout=20)
    try:
        return [row[0] for row in con.execute("select id from message")]
    except sqlite3.OperationalError:
        return []
    finally:
        con.close()


@check
def killed():
    "kill -9 of the consumer at random moments: every record is in the store"
    some = records(20000)
    fill("kill", some)
    rng = random.Random(os.environ.get("SEED", "7"))
    db = os.path.join(DIR, "kill.db")
    store = ("senti-store", "put", "-i", "amqp:kill", "-b", "200", "--store", f"sqlite:{db}", "-o", "/dev/null")
    for _ in range(8):
        before = len(stored(db))
        if before >= 16000:
            break
        p = start(*store)
        goal = before + rng.randrange(1, 2500)
        wait_until(lambda: len(stored(db)) >= goal)
        time.sleep(rng.random() * 0.02)
        p.kill()
        p.wait()
    tool(*store, "--idle", "3000")
    assert sorted(stored(db)) == sorted(ids_of(some))


@check
def competing():
    "three consumers share a queue: each record once"
    some = records(9000)
    fill("compete", some)
    each = [start("senti-score", "-i", "amqp:compete", "-b", "50", "--idle", "3000", stdout=subprocess.PIPE) for _ in range(3)]
    out = [p.communicate(timeout=60)[0].splitlines() for p in each]
    assert all(p.returncode == 0 for p in each)
    assert Counter(ids_of(sum(out, []))) == Counter(ids_of(some))


@check
def deleted():
    "a queue deleted under its consumer is declared again, and the consumer goes on"
    declare("gone")
    p = start("senti-score", "-i", "amqp:gone", stdout=subprocess.PIPE)
    try:
        publish("gone", [b'{"id":"1","text":"before"}'])
        assert b'"1"' in p.stdout.readline()
        ch = channel()
        ch.queue_delete("gone")
        ch.connection.close()
        wait_until(lambda: exists("gone"))
        publish("gone", [b'{"id":"2","text":"after"}'])
        assert b'"2"' in p.stdout.readline()
        p.terminate()
        assert p.wait(10) == 0
    finally:
        p.kill()


@check
def deleted_under_sink():
    "a queue deleted under a publisher: the broker returns the message, status 3, the queue named"
    p = start("senti-score", "-o", "amqp:hole", stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        p.stdin.write(b'{"id":"1","text":"before"}\n')
        p.stdin.flush()
        wait_until(lambda: exists("hole"))
        wait_until(lambda: drain("hole"))
        ch = channel()
        ch.queue_delete("hole")
        ch.connection.close()
        _, err = p.communicate(b'{"id":"2","text":"after"}\n', timeout=20)
        assert p.returncode == 3 and b"'hole'" in err and b"NO_ROUTE" in err, err
    finally:
        p.kill()


@check
def crashed():
    "kill -9 of the broker in mid-stream, and its restart: publisher and consumer go on, no record is missing"
    declare("crash", "crash-out")
    to_disk()
    some = records(30000)
    source = os.path.join(DIR, "crash.jsonl")
    with open(source, "wb") as f:
        f.write(lines(some))
    made = start("senti-ingest", "-F", "json", source, "-o", "amqp:crash", "--rate", "4000", "-b", "200", "--no-progress")
    used = start("senti-score", "-i", "amqp:crash", "-o", "amqp:crash-out", "-b", "200", "--idle", "5000")
    wait_until(lambda: waiting_in("crash-out") > 3000)
    service("kill", "rabbitmq", DIR)
    time.sleep(1)
    assert made.poll() is None and used.poll() is None, "a broker that is gone for a moment ends nothing"
    service("again", "rabbitmq", DIR)
    assert made.wait(60) == 0
    assert used.wait(60) == 0
    out, _ = read("crash-out")
    missing = set(ids_of(some)) - set(ids_of(out))
    assert not missing and len(out) < 2 * len(some), f"{len(missing)} missing, {len(out)} came out"


@check
def gone_for_good():
    "a broker that does not come back within --retry: status 3, and nothing was acknowledged that did not come out"
    some = records(50)
    fill("lost", some)
    to_disk()
    path = os.path.join(DIR, "lost.out")
    with open(path, "wb") as f:
        p = start("senti-score", "-i", "amqp:lost", "-b", "10", "--retry", "2", stdout=f, stderr=subprocess.PIPE)
    wait_until(lambda: os.path.getsize(path) > 0)
    service("kill", "rabbitmq", DIR)
    _, err = p.communicate(timeout=30)
    service("again", "rabbitmq", DIR)
    assert p.returncode == 3 and b"connect" in err, err
    again, _ = read("lost")
    assert set(ids_of(open(path, "rb").read().splitlines() + again)) == set(ids_of(some))


run()
