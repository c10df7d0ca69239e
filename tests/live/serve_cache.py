"""senti-serve keeps the Redis that it uses true to its store: workers behind a queue know of no cache, and nobody runs `senti-cache follow`."""
# servers: postgresql redis rabbitmq
# needs: redis-cli pg_dump
# packages: psycopg pika
# seconds: 30
import os
import subprocess
import sys

import psycopg

from account import Broker, Running, wait_until
from serve_help import Server, ask, new_database
from tap import check, run

DIR = sys.argv[1]
REDIS = os.environ["SENTI_REDIS"]


class Place:
    """Servers on one database, one queue and one Redis, and perhaps a worker."""

    def __init__(self, name, *args, servers=1, worker=True):
        path = os.path.join(DIR, name)
        os.mkdir(path)
        self.store = new_database(os.environ["SENTI_STORE"], name)
        self.env = {**os.environ, "SENTI_STORE": self.store}
        self.servers = [Server(path, "--cache", REDIS, "--queue", name, *args, env=self.env) for _ in range(servers)]
        self.start_worker = lambda: Running(path, "senti-worker", "-q", name, "--", "sh", "-c", "senti-score | senti-store put", env=self.env)
        self.worker = self.start_worker() if worker else None

    def post(self, *ids):
        for i in ids:
            answer = ask(self.servers[0].url, "/v1/messages", {"id": i, "text": "I love it"})
            assert answer.status == 202, answer.body

    def wait_stored(self, *ids):
        with psycopg.connect(self.store, autocommit=True) as c:
            query = "select count(*) from senti.message where id = any(%s) and label is not null"
            wait_until(lambda: c.execute(query, (list(ids),)).fetchone()[0] == len(ids), 60, "the worker stores nothing")

    def sql(self, text):
        with psycopg.connect(self.store) as c:
            c.execute(text)

    def label(self, i, server=0):
        """What GET shows: the label, None where there is no result, or the status of an error."""
        answer = ask(self.servers[server].url, f"/v1/messages/{i}")
        return answer.json().get("sentiment", {}).get("label") if answer.status == 200 else answer.status

    def ends(self):
        if self.worker:
            self.worker.kill()
        for s in self.servers:
            s.ends()


def in_redis(i):
    """Whether Redis holds a record of the message, stored or not: no tombstone, and not that there is none."""
    return b"@" in subprocess.run(["redis-cli", "-u", REDIS, "get", f"senti:m:{i}"], stdout=subprocess.PIPE, check=True).stdout


@check
def scored():
    "what a worker has stored is shown, where the submitted message was"
    place = Place("scored", worker=False)
    place.post("a", "b")
    assert place.label("a") is None and in_redis("a") and in_redis("b"), place.label("a")
    place.worker = place.start_worker()
    place.wait_stored("a", "b")
    # At once, however late the log is followed.
    assert [place.label(i) for i in "ab"] == ["positive"] * 2, [place.label(i) for i in "ab"]
    place.ends()


@check
def corrected():
    "a correction and a deletion in the database, and a correction through another server, leave Redis; several servers do no harm"
    place = Place("corrected", servers=2)
    place.post("c", "d", "e")
    place.wait_stored("c", "d", "e")
    wait_until(lambda: [place.label(i, s) for i in "cde" for s in (0, 1)] == ["positive"] * 6 and all(map(in_redis, "cde")), 20, "Redis lacks them")
    place.sql("update senti.message set label = 'negative' where id = 'c'")
    wait_until(lambda: [place.label("c", s) for s in (0, 1)] == ["negative"] * 2, 20, "a correction by SQL is not shown")
    assert ask(place.servers[0].url, "/v1/messages/d", {"label": "neutral"}, method="PATCH").status == 200
    assert [place.label("d", s) for s in (1, 0)] == ["neutral"] * 2, "a correction through another server is not shown"
    place.sql("delete from senti.message where id = 'e'")
    wait_until(lambda: [place.label("e", s) for s in (0, 1)] == [404] * 2, 20, "a deletion by SQL is not shown")
    place.ends()


@check
def while_down():
    "what changes while no server runs is not missed"
    place = Place("down")
    place.post("f")
    place.wait_stored("f")
    wait_until(lambda: place.label("f") == "positive" and in_redis("f"), 20, "Redis lacks it")
    place.servers[0].kill()
    place.sql("update senti.message set label = 'negative' where id = 'f'")
    assert in_redis("f"), "somebody else invalidates it"
    place.servers[0].start()
    wait_until(lambda: place.label("f") == "negative", 20, "the change is not shown")
    place.ends()


@check
def brief():
    "a message that nobody stores is shown for --pending-ttl"
    place = Place("brief", "--pending-ttl", "1s", worker=False)
    place.post("g")
    wait_until(lambda: place.label("g") == 404, 20, "it is still shown")
    assert not in_redis("g")
    place.ends()


@check
def status():
    "/v1/status and GraphQL count what waits in the queue and its dead letters; what cannot be reached is null, with the reason"
    place = Place("status", "--scan-timeout", "1", worker=False)

    def told(path="/v1/status"):
        answer = ask(place.servers[0].url, path)
        assert answer.status == 200, answer.body
        return answer.json()

    def becomes(queue):
        wait_until(lambda: told()["queue"] == queue, 20, f"the queue is not {queue}")

    becomes({"depth": 0, "dead_letters": 0})
    place.post("h", "i", "j")
    with Broker() as broker:
        broker.channel.confirm_delivery()
        broker.channel.basic_publish("", "status.dead", b'{"id":"k"}')
        becomes({"depth": 3, "dead_letters": 1})
        depths = told("/graphql?query={status{queueDepth deadLetters}}".replace(" ", "%20"))["data"]["status"]
        assert depths == {"queueDepth": 3, "deadLetters": 1}, depths
        whole = told()
        assert whole["unavailable"] == {} and whole["ready"] and whole["dependencies"]["queue"] == "ok", whole
        assert whole["store"]["messages"] == 0 and whole["cache"]["rate"] is None, whole
        broker.channel.queue_delete("status.dead")
        becomes({"depth": 3, "dead_letters": None})
        broker.channel.queue_delete("status")
        becomes(None)
    whole = told()
    assert "status" in whole["unavailable"]["queue"] and whole["store"] and whole["cache"], whole
    with psycopg.connect(place.store) as c:
        c.execute("LOCK TABLE senti.message IN ACCESS EXCLUSIVE MODE")
        wait_until(lambda: told()["dependencies"]["store"] == "failing", 20, "the store is not missed")
        whole = told()
        assert whole["store"] is None and whole["unavailable"]["store"] and not whole["ready"] and whole["models"], whole
    wait_until(lambda: told()["store"], 20, "the store is not back")
    place.ends()


@check
def restored():
    "a back-up that is restored under running servers: their memory, and Redis, show its rows, and its versions in If-Match"
    path = os.path.join(DIR, "restored")
    os.mkdir(path)
    store = new_database(os.environ["SENTI_STORE"], "restored")
    env = {**os.environ, "SENTI_STORE": store}
    servers = [Server(path, "--cache", cache, env=env) for cache in ("memory:8M", REDIS)]

    def post(text):
        return ask(servers[0].url, "/v1/messages", {"id": "r", "text": text}, headers={"Prefer": "wait=5"}).status

    def shown(server):
        answer = ask(server.url, "/v1/messages/r")
        return answer.json()["text"] if answer.status == 200 else answer.status
    assert post("old") == 200
    dump = subprocess.run(["pg_dump", store, "-n", "senti"], check=True, stdout=subprocess.PIPE).stdout
    assert [post(f"new {i}") for i in range(3)] == [200] * 3
    wait_until(lambda: [shown(s) for s in servers] == ["new 2"] * 2 and in_redis("r"), 20, "the newest row is not cached")
    with psycopg.connect(store, autocommit=True) as c:
        c.execute("drop schema senti cascade")
    subprocess.run(["psql", "-q", "-v", "ON_ERROR_STOP=1", store], input=dump, check=True, stdout=subprocess.DEVNULL)
    wait_until(lambda: [shown(s) for s in servers] == ["old"] * 2, 20, "the rows of before are still shown")

    def labelled(s, label):
        return ask(s.url, "/v1/messages/r").json()["sentiment"]["label"] == label
    for s, before, label in zip(servers, ("neutral", "negative"), ("negative", "positive")):
        wait_until(lambda: labelled(s, before), 20, "a server does not show the newest label")
        tag = ask(s.url, "/v1/messages/r").headers["ETag"]
        answer = ask(s.url, "/v1/messages/r", {"label": label}, method="PATCH", headers={"If-Match": tag})
        assert answer.status == 200, (tag, answer.body)
        assert labelled(s, label)
    for s in servers:
        assert "restored" in s.running.said(), s.running.said()
        s.ends()


run()
