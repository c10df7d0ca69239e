"""Two senti-serve processes behind the real Traefik with the configuration of contrib/traefik, on PostgreSQL, Redis and RabbitMQ with workers:
requests are spread, a server that is killed or drained costs nobody a request that could be saved, too many are answered 429, events pass as
they happen."""
# servers: postgresql redis rabbitmq
# needs: traefik openssl node
# packages: pika psycopg yaml
# seconds: 75
import gzip
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import yaml

import tap
from account import Running, service, wait_until
from graphql_help import Subscription
from serve_help import Load, Server, ask, connect, free_port, rows_of_postgres
from tap import Skip, check

DIR = sys.argv[1]
STORE = os.environ["SENTI_STORE"]
CONTRIB = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "contrib", "traefik")


# ---- the cluster: it stays for all checks ----

ARGS = ("--cache", os.environ["SENTI_REDIS"], "--queue", "amqp:texts", "--drain-delay", "4", "--access-log")
server = [Server(DIR, *ARGS) for _ in range(2)]
for _ in range(2):
    Running(DIR, "senti-worker", "-q", "texts", "--", "sh", "-c", "senti-score | senti-store put")
settings = dict(re.findall(r"(\w+)='([^']*)'", service("start", "traefik", DIR, *(s.url for s in server))))
TLS, PLAIN, ADMIN = settings["TRAEFIK_TLS"], settings["TRAEFIK"], settings["TRAEFIK_ADMIN"]
CA = os.path.join(DIR, "traefik", "cert.pem")


def through(path, *args, **kw):
    return ask(TLS, path, *args, cafile=CA, **kw)


def well(n):
    """So many servers pass their health checks, as Traefik sees it."""
    text = ask(ADMIN, "/metrics").body.decode()
    return sum(float(s.rsplit(" ", 1)[1]) for s in text.splitlines() if s.startswith("traefik_service_server_up")) == n


def asked(s, route="/v1/sentiment", method="POST"):
    return s.figure(f'senti_http_requests_total{{route="{route}",code="200",method="{method}"}}')


def rest():
    """Until the rate limit has forgotten what was before."""
    time.sleep(2.5)


# ---- checks ----

@check
def balanced():
    "requests are spread over both, nothing is sticky; plain HTTP leads to TLS"
    wait_until(lambda: well(2), 30, "Traefik finds no two servers that are well")
    before = [asked(s) for s in server]
    c = connect(TLS, CA)
    for _ in range(40):
        c.request("POST", "/v1/sentiment", '{"text":"I love it"}', {"Content-Type": "application/json"})
        r = c.getresponse()
        assert r.status == 200 and json.loads(r.read())["sentiment"]["label"] == "positive"
        assert not r.headers.get("Set-Cookie")
    got = [asked(s) - b for s, b in zip(server, before)]
    assert sum(got) == 40 and min(got) >= 15, f"of 40 requests {got}"
    away = ask(PLAIN, "/v1/models")
    assert away.status in (301, 302, 307, 308) and away.headers["Location"] == TLS + "/v1/models", away.headers


@check
def one_killed():
    "one killed with -9 under load: no request fails but those it was just working on, all 202 are kept, and it is used again once it is back"
    rest()
    known = through("/v1/messages", {"id": "known", "text": "I love it"}, headers={"Prefer": "wait=20"})
    assert known.status == 200, known.body
    clients = 4
    load = Load([TLS], "killed", clients=clients, pause=0.03, cafile=CA)
    for _ in range(3):
        for kind, status in ("post", 202), ("score", 200), ("read", 200):
            load.wait(kind, status)
        server[1].kill()
        time.sleep(1.5)
        load.wait("post", 202)
        server[1].start()
        wait_until(lambda: well(2), 30, "Traefik does not see that it is back")
    before = asked(server[1])
    load.wait("score", 200, n=20)
    assert asked(server[1]) > before, "the server that is back gets nothing"
    load.ends()
    bad = load.failed("post", "score", "read")
    # A client has one request under way.
    assert len(bad) <= 3 * clients and all(o.status == 502 for o in bad), bad
    load.outcomes = [o for o in load.outcomes if o not in bad]
    until = time.monotonic() + 60
    while (load.promised - (rows := rows_of_postgres(STORE, "label is not null")).keys()) and time.monotonic() < until:
        time.sleep(0.2)
    load.check_kept(rows, "behind Traefik")


@check
def one_drained():
    "one told to end under load: /readyz says so first, Traefik sends its requests elsewhere, and not one fails"
    rest()
    load = Load([TLS], "drained", kinds=("score", "read", "post"), pause=0.03, cafile=CA)
    load.wait("score", 200)
    server[0].running.process.terminate()
    wait_until(lambda: ask(server[0].url, "/readyz").status == 503, 3, "it is still ready")
    told = ask(server[0].url, "/readyz")
    assert told.json()["type"] == "urn:senti:problem:draining" and told.json()["checks"]["store"] == "ok", told.body
    assert ask(server[0].url, "/v1/sentiment", {"text": "I love it"}).status == 200, "it serves nothing while it says that it will end"
    wait_until(lambda: well(1), 30, "Traefik does not notice")
    server[0].running.ends()
    load.wait("score", 200, n=20)
    server[0].start()
    wait_until(lambda: well(2), 30, "Traefik does not see that it is back")
    load.wait("score", 200, n=20)
    load.ends()
    assert not load.failed("score", "read", "post"), load.failed("score", "read", "post")[:5]


def next_event(r):
    event = {}
    while line := r.readline().decode().rstrip("\n"):
        name, _, value = line.partition(": ")
        event[name] = value
    return event


def listen(last=None):
    """A connection, the answer of /v1/events on it, and the place in the log where that begins."""
    c = connect(TLS, CA)
    c.request("GET", "/v1/events", headers={"Accept-Encoding": "gzip", **({"Last-Event-ID": last} if last else {})})
    r = c.getresponse()
    assert r.status == 200 and r.headers["Content-Type"] == "text/event-stream" and not r.headers["Content-Encoding"], r.headers
    first = next_event(r)
    assert first["retry"] == "1000"
    return c, r, first["id"]


@check
def events():
    "events pass as they happen, uncompressed; a stream ends when its server does, and goes on at the other where it was"
    rest()
    c, r, _ = listen()
    for i in range(3):
        assert through("/v1/messages", {"id": f"event-{i}", "text": "I love it"}).status == 202
        # Each before the next is sent: nothing between waits for more.
        event = next_event(r)
        assert json.loads(event["data"])["id"] == f"event-{i}", event
    holder = next(s for s in server if s.figure("senti_events_listeners"))
    holder.kill()
    try:
        assert not r.read(), "the stream has more to tell than was sent"
    except http.client.IncompleteRead as e:
        assert not e.partial, e.partial
    assert through("/v1/messages", {"id": "event-3", "text": "I love it"}).status == 202
    c, r, _ = listen(event["id"])
    assert json.loads(next_event(r)["data"])["id"] == "event-3"
    holder.start()
    wait_until(lambda: well(2), 30, "Traefik does not see that it is back")


@check
def subscription():
    "graphql-sse's client: each server is killed under load; it goes on at the other, misses and repeats nothing"
    if not os.path.isdir(os.path.join(os.environ["SENTI_NPM"], "graphql-sse")):
        raise Skip("npm's graphql-sse is not installed")
    rest()
    # From a place in the log on: behind a proxy a stream may be cut before its first message, and its client knows no place yet.
    c, _, place = listen()
    c.close()
    subscription = Subscription(TLS + "/graphql", place, ca=CA)
    subscription.wait_connected()
    assert through("/v1/messages", {"id": "subscribed-first", "text": "I love it"}).status == 202
    subscription.wait_for("subscribed-first")
    load = Load([TLS], "subscribed", kinds=("post",), clients=2, pause=0.05, cafile=CA)
    before = subscription.connected
    # One of the two holds it.
    for s in server:
        load.wait("post", 202)
        s.kill()
        load.wait("post", 202)
        s.start()
        wait_until(lambda: well(2), 30, "Traefik does not see that it is back")
    subscription.wait_connected(before + 1)
    load.ends()

    def stored():
        return rows_of_postgres(STORE, "label is not null and id like 'subscribed-%'").keys()
    subscription.wait(lambda: load.promised <= stored() == subscription.ids(), "all that was stored")
    subscription.ends(stored(), ordered=False)
    return f"{len(load.promised)} messages"


@check
def compressed():
    "other answers are compressed once"
    for _ in range(2):  # by senti-serve
        page = through("/v1/messages?limit=100", headers={"Accept-Encoding": "gzip"})
        assert page.headers["Content-Encoding"] == "gzip" and json.loads(gzip.decompress(page.body))["items"]


@check
def inner_paths():
    "figures and health are not for those outside"
    for path in "/metrics", "/readyz", "/livez":
        assert through(path).status == 404, path
        assert ask(server[0].url, path).status == 200, path


@check
def too_many():
    "beyond the rate limit 429 with Retry-After, whatever address is claimed; then it goes on"
    rest()

    def burst(n):
        c = connect(TLS, CA)
        got = []
        for i in range(200):
            c.request("GET", "/v1/models", headers={"X-Forwarded-For": f"10.0.{n}.{i}"})
            r = c.getresponse()
            r.read()
            got.append((r.status, r.headers.get("Retry-After")))
        return got
    with ThreadPoolExecutor(8) as pool:
        got = [g for some in pool.map(burst, range(8)) for g in some]
    refused = [g for g in got if g[0] == 429]
    assert refused and all(g[1] is not None for g in refused), f"{len(got)} requests: {sorted(set(got))}"
    assert {g[0] for g in got} == {200, 429}, sorted(set(got))
    rest()
    assert through("/v1/models").status == 200


@check
def figures():
    "promtool finds nothing wrong in /metrics of a server that has done all of this"
    if not shutil.which("promtool"):
        raise Skip("promtool is not installed")
    for s in server:
        for path in "/nowhere", "/v1/messages/x/y", "/%00":
            ask(s.url, path)
        text = ask(s.url, "/metrics").body
        done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True)
        assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
        text = text.decode()
        for name in ("senti_http_requests_total", "senti_http_request_duration_seconds_bucket", "senti_score_texts_total", "senti_batch_size_bucket",
                     "senti_batch_flush_total", "senti_cache_requests_total", "senti_queue_unacked", "senti_build_info", "process_open_fds",
                     "senti_events_listeners", "senti_follow_lag_seconds", "senti_dependency_up"):
            assert re.search(rf"^{name}[{{ ]", text, re.M), name
        assert len(re.findall(r'^senti_http_requests_total\{route="other",code="404"', text, re.M)) == 1
        assert "nowhere" not in text


# ---- the labels: a program that speaks as much of Docker's interface as Traefik asks for ----

def labels():
    with open(os.path.join(CONTRIB, "compose.yaml")) as f:
        return yaml.safe_load(f)["services"]["serve"]["labels"]


def docker(path, port, labels):
    """Serves one container with these labels on a Unix socket."""
    container = {"Id": "c1", "Names": ["/senti-serve-1"], "Image": "senti", "State": "running", "Status": "Up", "Labels": labels,
                 "HostConfig": {"NetworkMode": "host"}, "NetworkSettings": {"Networks": {"host": {"IPAddress": "127.0.0.1"}}}}
    inspected = {**container, "Name": "/senti-serve-1", "State": {"Status": "running", "Running": True}, "Config": {"Labels": labels},
                 "Created": "2026-01-01T00:00:00Z", "NetworkSettings": {"Ports": {}, "Networks": {"host": {"IPAddress": "127.0.0.1"}}}}
    answers = {"/_ping": "OK", "/version": {"ApiVersion": "1.44", "Version": "25.0.0"}, "/containers/json": [container], "/containers/c1/json": inspected}
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(16)

    def serve(c):
        with c, c.makefile("rb") as f:
            while line := f.readline():
                while f.readline().strip():
                    pass
                at = re.sub(r"^/v1\.\d+", "", line.split()[1].decode().split("?")[0])
                if at == "/events":
                    c.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
                    time.sleep(600)
                body = answers.get(at)
                text = (body if isinstance(body, str) else json.dumps(body)).encode()
                c.sendall(b"HTTP/1.1 %d x\r\nApi-Version: 1.44\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                          % (200 if body else 404, len(text)) + text)

    def accept():
        while True:
            threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
    threading.Thread(target=accept, daemon=True).start()


@check
def by_labels():
    "the labels of compose.yaml make the same routers, middlewares and service as the file"
    mine = labels()
    path = os.path.join(DIR, "docker.sock")
    mine["traefik.http.services.senti.loadBalancer.server.port"] = str(server[0].port)
    docker(path, server[0].port, mine)
    port = free_port()
    program = shutil.which("traefik", path=os.path.join(CONTRIB, "..", "..", "build") + ":" + os.environ["PATH"])
    traefik = Running(DIR, program, "--providers.docker=true", "--providers.docker.exposedByDefault=false", f"--providers.docker.endpoint=unix://{path}",
                      f"--entryPoints.websecure.address=127.0.0.1:{port}", "--api.insecure=true", f"--entryPoints.traefik.address=127.0.0.1:{free_port()}")
    admin = next(a for a in traefik.process.args if "entryPoints.traefik" in a).split("=")[1]

    def found():
        try:
            return ask(f"http://{admin}", "/api/rawdata").json()
        except (OSError, ValueError):
            return {}
    wait_until(lambda: "senti-v1@docker" in found().get("routers", {}), 30, "Traefik finds no routers")
    got = found()
    with open(os.path.join(CONTRIB, "senti.yml")) as f:
        want = yaml.safe_load(f)["http"]
    for name, router in want["routers"].items():
        r = got["routers"][name + "@docker"]
        assert r["status"] == "enabled", r
        assert (r["rule"], r["priority"], r["entryPoints"]) == (router["rule"], router["priority"], router["entryPoints"]), r
        assert [m.split("@")[0] for m in r["middlewares"]] == router["middlewares"], r
    limit, retry, compress = (got["middlewares"][f"senti-{m}@docker"] for m in ("limit", "retry", "compress"))
    for have, wanted in (limit["rateLimit"], want["middlewares"]["senti-limit"]["rateLimit"]), (retry["retry"], want["middlewares"]["senti-retry"]["retry"]), (
            compress["compress"], want["middlewares"]["senti-compress"]["compress"]):
        for k, v in wanted.items():
            assert have[k] == v, (k, have[k], v)
    balancer = got["services"]["senti@docker"]["loadBalancer"]
    assert [s["url"] for s in balancer["servers"]] == [server[0].url] and "sticky" not in balancer, balancer
    for k, v in want["services"]["senti"]["loadBalancer"]["healthCheck"].items():
        assert balancer["healthCheck"][k] == v, balancer


# The checks share the cluster: what runs ends at the end, not after each check.
tap.cleanups.clear()
status = tap.run_all(sys.argv[2:])
Running.kill_all()
sys.exit(status)
