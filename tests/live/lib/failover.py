"""Servers that stand in for each other, with what a supervisor does when one of them dies."""
import json
import os
import time

import psycopg

from acknowledged import QUEUE
from faults import Fault, cut, frozen, killed, redis_faults, service


class Pair:
    """PostgreSQL and a standby without which nothing is committed.

    A primary that has died comes back as a standby, never as a primary. The one that takes its place commits alone until then, so it must not fail before
    (Faults lets one thing of a pair fail at a time) and takes over only when it has all that could be seen in the primary."""

    def __init__(self, folder):
        self.primary, self.standby = (os.path.join(folder, name) for name in ("postgresql-1", "postgresql-2"))
        service("start", "postgresql", self.primary, "wal_log_hints=on", "wal_keep_size=256MB", "wal_retrieve_retry_interval=200ms")
        self.join()
        hosts = ",".join(f"127.0.0.1:{self.port(f)}" for f in (self.primary, self.standby))
        self.url = f"postgresql://postgres@{hosts}/postgres?target_session_attrs=read-write"
        self.failovers = []  # how many seconds there was no primary

    @staticmethod
    def port(folder):
        with open(os.path.join(folder, "postgresql", "port")) as f:
            return f.read().strip()

    def sql(self, folder, *statements):
        """The rows of the last one."""
        with psycopg.connect(f"postgresql://postgres@127.0.0.1:{self.port(folder)}/postgres", autocommit=True) as db:
            for s in statements:
                answer = db.execute(s)
            return answer.fetchall() if answer.description else None

    def await_sync(self, state):
        """Until the standby has all that the primary shows now."""
        (lsn,), = self.sql(self.primary, "SELECT pg_current_wal_flush_lsn()::text")
        until = time.monotonic() + 60
        while self.sql(self.primary, f"SELECT 1 FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = '{state}' AND flush_lsn >= '{lsn}'") == []:
            assert time.monotonic() < until, "the standby does not come up with its primary"
            time.sleep(0.1)

    def join(self):
        """Makes the standby (again), then has the primary wait for it."""
        service("start", "postgresql", self.standby, f"standby={self.primary}")
        self.await_sync("async")
        self.sql(self.primary, "ALTER SYSTEM SET synchronous_standby_names = 'standby'", "SELECT pg_reload_conf()")
        self.await_sync("sync")
        # Backends wait once the checkpointer has read the setting too, which it does before each checkpoint.
        self.sql(self.primary, "CHECKPOINT", "CHECKPOINT")

    def fail_over(self, _rng):
        self.await_sync("sync")
        began = time.monotonic()
        service("kill", "postgresql", self.primary)
        self.sql(self.standby, "SELECT pg_promote()")
        self.failovers.append(time.monotonic() - began)
        self.primary, self.standby = self.standby, self.primary
        self.sql(self.primary, "CHECKPOINT")  # pg_rewind reads its new timeline from the disk
        self.join()

    def faults(self):
        return [Fault("PostgreSQL failed over", 3, self.fail_over, "postgresql"),
                Fault("PostgreSQL killed", 2, lambda rng: killed("postgresql", self.primary, rng), "postgresql"),
                Fault("PostgreSQL frozen", 2, lambda rng: frozen("postgresql", self.primary, rng), "postgresql"),
                Fault("standby of PostgreSQL killed", 2, lambda rng: killed("postgresql", self.standby, rng), "postgresql"),
                Fault("standby of PostgreSQL frozen", 2, lambda rng: frozen("postgresql", self.standby, rng), "postgresql"),
                Fault("connections of PostgreSQL cut", 3, cut, "postgresql")]


class Redis:
    """One that forgets all when it is killed."""

    def __init__(self, folder):
        self.servers = [os.path.join(folder, "redis-1")]
        self.url = service("start", "redis", self.servers[0]).split("'")[1]

    def ask(self, *command):
        """What each server says."""
        return [service("ctl", "redis", f, *command).strip() for f in self.servers]

    def faults(self):
        return redis_faults(*self.servers, part="redis")


class Sentinels(Redis):
    """Redis with a replica, and three Sentinels that promote it when the primary has been away for half a second."""

    def __init__(self, folder):
        self.servers = [os.path.join(folder, f"redis-{n}") for n in (1, 2)]
        self.sentinels = [os.path.join(folder, f"sentinel-{n}") for n in (1, 2, 3)]
        service("start", "redis", self.servers[0])
        service("start", "redis", self.servers[1], f"replica={self.servers[0]}")
        urls = [service("start", "redis", f, f"sentinel={self.servers[0]}").split("'")[1] for f in self.sentinels]
        self.url = "redis+sentinel://" + ",".join(url.split("/")[2] for url in urls) + "/senti"
        until = time.monotonic() + 30
        while not service("ctl", "redis", self.sentinels[0], "sentinel", "ckquorum", "senti").startswith("OK 3 usable"):
            assert time.monotonic() < until, "the Sentinels do not find each other"
            time.sleep(0.1)

    def faults(self):
        return [*super().faults(),
                Fault("Sentinel killed", 1, lambda rng: killed("redis", rng.choice(self.sentinels), rng), "redis")]


class Cluster:
    """Three nodes of RabbitMQ, of which two always stay: enough for queues of three members."""

    def __init__(self, folder):
        self.nodes = [os.path.join(folder, f"rabbitmq-{n}") for n in (1, 2, 3)]
        said = [service("start", "rabbitmq", node, "schedulers=1", *([f"cluster={self.nodes[0]}"] if node != self.nodes[0] else [])) for node in self.nodes]
        self.hosts = [s.split("@")[1].rstrip("'\n") for s in said]
        self.url = "amqp://guest:guest@" + ",".join(self.hosts)

    def row(self, *columns):
        rows = json.loads(service("ctl", "rabbitmq", self.nodes[0], "list_queues", "name", *columns, "--formatter", "json"))
        return next(r for r in rows if r["name"] == QUEUE)

    def members(self):
        return len(self.row("members")["members"])

    def some(self, rng):
        """A node: the one that leads the queue, or any."""
        if rng.random() < 0.5:
            return rng.choice(self.nodes)
        port = self.row("leader")["leader"].split("@")[0].removeprefix("senti")
        return self.nodes[[h.split(":")[1] for h in self.hosts].index(port)]

    def faults(self):
        return [Fault("node of RabbitMQ killed", 2, lambda rng: killed("rabbitmq", self.some(rng), rng), "rabbitmq"),
                Fault("node of RabbitMQ frozen", 2, lambda rng: frozen("rabbitmq", self.some(rng), rng), "rabbitmq")]
