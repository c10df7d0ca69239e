"""How long a lone record takes through senti-worker: from its delivery to its acknowledgement, as they pass on the wire.

    lone.py URL COUNT OUT COMMAND

Stands between the broker at URL and `senti-worker -q lone --to OUT -- sh -c COMMAND`, and reads the frames of AMQP 0-9-1 that go by. The next
record is published when the one before it is acknowledged and a pause of 2 to 20 ms is over. Each must come out once, under its id, and none be
delivered twice. Prints: median, 99th percentile and longest, in milliseconds.
"""
import json
import os
import random
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from urllib.parse import urlsplit

import pika

WARM_UP = 20  # records that are not counted: the command is started by the first
METHOD, DELIVER, ACK = 1, (60, 60), (60, 80)


class Frames:
    """Cuts what passes in one direction into frames; calls on_method((class, method), arguments)."""

    def __init__(self, on_method, skip=0):
        self.bytes, self.on_method, self.skip = bytearray(), on_method, skip

    def feed(self, data):
        self.bytes += data
        if self.skip:  # the protocol header that opens a connection
            n = min(self.skip, len(self.bytes))
            del self.bytes[:n]
            self.skip -= n
        while len(self.bytes) >= 7:
            kind, _, size = struct.unpack_from(">BHI", self.bytes)
            if len(self.bytes) < size + 8:
                return
            if kind == METHOD:
                self.on_method(struct.unpack_from(">HH", self.bytes, 7), bytes(self.bytes[11 : 7 + size]))
            del self.bytes[: size + 8]


class Proxy(threading.Thread):
    """Passes on one connection, and notes when deliveries and acknowledgements go by."""

    def __init__(self, broker):
        super().__init__(daemon=True)
        self.broker = broker
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.open = {}  # delivery tag: when
        self.took = []
        self.redelivered = 0
        self.acked = threading.Semaphore(0)

    def run(self):
        tool, _ = self.listener.accept()
        broker = socket.create_connection(self.broker)
        for s in (tool, broker):
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        ways = {broker: (tool, Frames(self.from_broker)), tool: (broker, Frames(self.from_tool, skip=8))}
        while True:
            for s in select.select(list(ways), [], [])[0]:
                data = s.recv(65536)
                self.now = time.perf_counter()
                to, frames = ways[s]
                frames.feed(data)
                if not data:
                    tool.close()
                    broker.close()
                    return
                to.sendall(data)

    def from_broker(self, method, arguments):
        if method == DELIVER:
            at = 1 + arguments[0]  # behind the consumer's tag
            tag, redelivered = struct.unpack_from(">QB", arguments, at)
            self.open[tag] = self.now
            self.redelivered += redelivered

    def from_tool(self, method, arguments):
        if method == ACK:
            last, multiple = struct.unpack_from(">QB", arguments)
            for tag in [t for t in self.open if t == last or (multiple and t <= last)]:
                self.took.append(self.now - self.open.pop(tag))
                self.acked.release()


def publish(url, count, proxy):
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.confirm_delivery()
    rng = random.Random(4)
    with open(os.environ["BENCH_RECORDS"], encoding="utf-8", newline="\n") as file:
        for line, _ in zip(file, range(count + WARM_UP)):
            channel.basic_publish("", "lone", line.rstrip("\n").encode(), pika.BasicProperties(delivery_mode=2), mandatory=True)
            if not proxy.acked.acquire(timeout=60):
                raise SystemExit("a record was not acknowledged within a minute")
            time.sleep(rng.uniform(0.002, 0.02))
            yield json.loads(line)["id"]
    connection.close()


def main(url, count, out, command):
    where = urlsplit(url)
    proxy = Proxy((where.hostname, where.port))
    proxy.start()
    through = "amqp://%s:%s@127.0.0.1:%d" % (where.username, where.password, proxy.port)
    worker = subprocess.Popen(["senti-worker", "-q", "lone", "--to", out, "--", "sh", "-c", command], env={**os.environ, "SENTI_AMQP": through})
    try:
        time.sleep(1)  # until it has declared the queue and waits
        ids = list(publish(url, count, proxy))
    finally:
        worker.send_signal(signal.SIGTERM)
        if worker.wait(60):
            raise SystemExit("senti-worker ended with status %d" % worker.returncode)
    with open(out, encoding="utf-8", newline="\n") as file:
        came = [json.loads(line)["id"] for line in file]
    if came != ids or proxy.redelivered or proxy.open:
        raise SystemExit("%d records went in, %d came out, %d were delivered again" % (len(ids), len(came), proxy.redelivered))
    took = sorted(proxy.took[WARM_UP:])
    print("%.2f %.2f %.2f" % tuple(1000 * t for t in (took[len(took) // 2], took[len(took) * 99 // 100], took[-1])))


main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])
