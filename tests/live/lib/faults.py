"""Faults at random under traffic: senti's processes and the servers that they use are killed, ended, frozen and cut off, and start again.

    system = System(DIR)
    faults = Faults(seed, system.faults() + [Fault("Redis killed", 3, lambda rng: killed("redis", DIR, rng))])
    run(traffic, faults, seconds)
"""
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from typing import Callable, NamedTuple, Optional

import psycopg

from acknowledged import QUEUE

PIPELINE = "senti-cache get | senti-score | senti-store put --retry 60 | senti-cache put"
LOG_BYTES = 64 << 20  # of one process, looked at when it starts again
REPORT_S = 60


def service(*args, timeout=180):
    """What scripts/services says."""
    done = subprocess.run([os.environ["SENTI_SERVICES"], *args], timeout=timeout, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, f"services {args}: status {done.returncode}\n{done.stderr[-2000:]}"
    return done.stdout


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


# ---- senti's own processes ----

class Process:
    """One of senti's, started again whenever it ends, as a supervisor would."""

    def __init__(self, folder, name, *argv):
        self.folder, self.log, self.argv, self.ending = folder, os.path.join(folder, name + ".log"), argv, False
        self.start()
        self.thread = threading.Thread(target=self.keep, daemon=True)
        self.thread.start()

    def start(self):
        if os.path.exists(self.log) and os.path.getsize(self.log) > LOG_BYTES:
            os.replace(self.log, self.log + ".1")
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder, start_new_session=True)

    def keep(self):
        while not self.ending:
            self.process.wait()
            time.sleep(0.2)
            try:
                if not self.ending:
                    self.start()
            except OSError as e:  # the programs are being built again
                print(f"# {self.argv[0]}: {e}", flush=True)

    def signal(self, number):
        try:
            os.kill(self.process.pid, number)
        except ProcessLookupError:
            pass

    def stop(self):
        self.ending = True
        self.signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.thread.join()


class System:
    """Two senti-serves and two workers, with what the environment names; and for each of `caches` a senti-serve with that one."""

    def __init__(self, folder, *caches):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))  # so that stop is called
        subprocess.run(["senti-store", "migrate"], check=True, timeout=60, stdout=subprocess.DEVNULL)
        settings = [[], [], *(["--cache", c] for c in caches)]
        self.ports = [free_port() for _ in settings]
        self.servers = [Process(folder, f"serve{i}", "senti-serve", "-v", "-l", f"127.0.0.1:{p}", "--queue", f"amqp:{QUEUE}", *s)
                        for i, (p, s) in enumerate(zip(self.ports, settings))]
        self.workers = [Process(folder, f"worker{i}", "senti-worker", "-q", QUEUE, "--retry", "60", "--", "bash", "-o", "pipefail", "-c", PIPELINE)
                        for i in range(2)]

    def faults(self):
        def signalled(some, number):
            return lambda rng: rng.choice(some).signal(number)

        def stopped(some):
            return lambda rng: stand_still([rng.choice(some).process.pid], rng)

        return [Fault("server killed", 5, signalled(self.servers, signal.SIGKILL)),
                Fault("server ended", 3, signalled(self.servers, signal.SIGTERM)),
                Fault("server frozen", 3, stopped(self.servers)),
                Fault("worker killed", 5, signalled(self.workers, signal.SIGKILL)),
                Fault("worker ended", 2, signalled(self.workers, signal.SIGTERM)),
                Fault("worker frozen", 2, stopped(self.workers))]

    def stop(self):
        for p in self.servers + self.workers:
            p.stop()


# ---- the servers of others ----

def stand_still(pids, rng):
    for number, pause in (signal.SIGSTOP, rng.uniform(0.2, 3)), (signal.SIGCONT, 0):
        for pid in pids:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass  # a session has ended meanwhile
        time.sleep(pause)


def frozen(server, folder, rng):
    """With its children: the first process of PostgreSQL only starts others."""
    with open(os.path.join(folder, "pids", server)) as f:
        pid = f.read().split()[0]
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        stand_still([int(pid), *map(int, f.read().split())], rng)


def killed(server, folder, rng):
    service("kill", server, folder)
    time.sleep(rng.uniform(0, 2))
    service("again", server, folder)


def cut(_rng):
    """Ends all sessions of the database."""
    with psycopg.connect(os.environ["SENTI_STORE"], autocommit=True) as db:
        db.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()")


def redis_faults(*folders, **kw):
    return [Fault("Redis killed", 3, lambda rng: killed("redis", rng.choice(folders), rng), **kw),
            Fault("Redis frozen", 3, lambda rng: frozen("redis", rng.choice(folders), rng), **kw)]


# ---- one after another, or several at a time ----

class Fault(NamedTuple):
    what: str
    weight: float
    do: Callable[[random.Random], None]
    part: Optional[str] = None  # faults of a part run beside those of others, one at a time; without one, nothing else begins meanwhile


class Faults:
    """Draws faults by their weights. Each has a random source of its own, so that the seed fixes what is drawn in spite of threads."""

    def __init__(self, seed, table):
        self.seed, self.table, self.drawn = seed, table, 0
        self.counts, self.running, self.failed = Counter(), {}, []

    def do(self, fault, rng):
        try:
            fault.do(rng)
        except (ProcessLookupError, psycopg.OperationalError):
            pass  # it is gone already, and is being started again
        except Exception as e:
            self.failed.append(f"{fault.what}: {e!r}")

    def once(self):
        self.drawn += 1
        rng = random.Random(f"{self.seed} fault {self.drawn}")
        fault = rng.choices(self.table, [f.weight for f in self.table])[0]
        if fault.part and fault.part in self.running and self.running[fault.part].is_alive():
            return
        self.counts[fault.what] += 1
        if not fault.part:
            self.do(fault, rng)
            return
        self.running[fault.part] = threading.Thread(target=self.do, args=(fault, rng))
        self.running[fault.part].start()

    def finish(self):
        for t in self.running.values():
            t.join()


def wrong(traffic, faults):
    return traffic.wrong or traffic.failed or faults.failed


def run(traffic, faults, seconds, operations=0, pause=(0.1, 1.5), say=None):
    """Until the time is over and so many operations are answered, or something is wrong; `say` gets a line each minute."""
    rng = random.Random(f"{faults.seed} pauses")
    began = time.monotonic()
    told, answered = began, 0
    traffic.start()
    while not wrong(traffic, faults):
        now = time.monotonic()
        if now - began > seconds and (traffic.answered() >= operations or now - began > 2 * seconds):
            break
        if say and now - told >= REPORT_S:
            n = traffic.answered()
            say(f"{now - began:.0f} s: {n} of {traffic.requests()} requests answered ({(n - answered) / (now - told):.0f}/s), {len(traffic.lives)} messages, "
                f"{sum(faults.counts.values())} faults, {len(traffic.wrong)} violations, longest lag {traffic.longest:.1f} s, "
                f"{max(0, seconds - (now - began)):.0f} s left")
            told, answered = now, n
        time.sleep(rng.uniform(*pause))
        faults.once()
    faults.finish()
    traffic.stop()


def verdict(traffic, faults, dead):
    """What is said at the end, with all counts; an AssertionError with the violations, if there are any."""
    assert not faults.failed + traffic.failed, "\n".join(faults.failed + traffic.failed)
    assert not traffic.wrong, f"{len(traffic.wrong)} violations, such as\n" + "\n".join(what for _, what in traffic.wrong[:20])
    return (f"{traffic.requests()} requests, {traffic.answered()} answered, {len(traffic.lives)} messages, {dead} dead letters, "
            f"{sum(faults.counts.values())} faults, longest lag {traffic.longest:.1f} s\n# "
            + ", ".join(f"{k}: {n}" for k, n in sorted((traffic.done + faults.counts).items())))
