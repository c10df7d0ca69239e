"""What --metrics shows of queues on a real RabbitMQ, which is killed in between: what is unacknowledged, redelivered, dead-lettered and
reconnected, beside the broker's own figures."""
# servers: rabbitmq
# needs: promtool
# packages: pika
# seconds: 25
import collections
import json
import os
import re
import subprocess
import sys
import time
import urllib.request

import pika

from account import declare
from tap import check, run

DIR = sys.argv[1]
SERVICES = os.environ["SENTI_SERVICES"]


class Tool:
    """A filter that runs with --metrics; its figures by name and labels."""

    def __init__(self, name, *args, command=()):
        self.err = os.path.join(DIR, f"err{time.monotonic_ns()}")
        self.process = subprocess.Popen([name, "-v", "--metrics", "0", *args, *(["--", *command] if command else [])],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(self.err, "w"), cwd=DIR)
        wait(lambda: re.search(r"serving metrics url=(\S+)", self.said()), "an endpoint", self.said)
        self.url = re.search(r"serving metrics url=(\S+)", self.said()).group(1)

    def said(self):
        with open(self.err, errors="replace") as f:
            return f.read()

    def text(self):
        with urllib.request.urlopen(self.url, timeout=10) as answer:
            assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
            return answer.read().decode()

    def figures(self):
        text = self.text()
        said = subprocess.run(["promtool", "check", "metrics"], input=text.encode(), capture_output=True, timeout=60)
        assert said.returncode == 0 and not said.stderr, said.stderr.decode()
        return {k: float(v) for k, v in re.findall(r"^([a-z].*) (\S+)$", text, re.M)}

    def value(self, name):
        """None: there is no such figure."""
        match = re.search(rf"^{re.escape(name)} (\S+)$", self.text(), re.M)
        return match and float(match.group(1))

    def becomes(self, name, wanted):
        wait(lambda: self.value(name) == wanted, f"{name} {wanted}", self.text)

    def stop(self, status=0):
        self.process.terminate()
        assert self.process.wait(60) == status, (self.process.returncode, self.said())

    def kill(self):
        self.process.kill()
        self.process.wait()


def wait(done, what, shown=lambda: "", seconds=60):
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, f"no {what} in {seconds} s; {shown()}"
        time.sleep(0.05)


class Broker:
    def __enter__(self):
        self.connection = pika.BlockingConnection(pika.URLParameters(os.environ["SENTI_AMQP"]))
        self.channel = self.connection.channel()
        return self

    def __exit__(self, *_):
        self.connection.close()


def publish(queue, *bodies):
    declare(queue)  # the tool that reads it may not have come to that yet
    with Broker() as broker:
        broker.channel.confirm_delivery()
        for body in bodies:
            broker.channel.basic_publish("", queue, body, pika.BasicProperties(delivery_mode=2), mandatory=True)


def texts(n):
    return [json.dumps({"id": f"r{i}", "text": f"number {i} is great"}).encode() for i in range(n)]


def services(verb, *args):
    return subprocess.run([SERVICES, verb, "rabbitmq", DIR, *args], check=True, capture_output=True, timeout=120).stdout.decode()


def unacknowledged(queue):
    """As the broker counts: also what it has sent and nobody has read."""
    listed = services("ctl", "--formatter", "json", "list_queues", "name", "messages_unacknowledged")
    return {q["name"]: q["messages_unacknowledged"] for q in json.loads(listed)}.get(queue)


def gated(gate):
    """A command that answers nothing before the file `gate` is there."""
    return ["sh", "-c", f"while [ ! -e {gate} ]; do sleep 0.05; done; exec cat"]


@check
def what_is_in_hand_is_unacked_and_what_a_killed_worker_held_is_redelivered():
    first = Tool("senti-worker", "-q", "held", "-b", "50", "-w", "30000", "--timeout", "600", command=gated("late"))
    assert first.value("senti_queue_unacked") == 0
    publish("held", *texts(200))
    wait(lambda: unacknowledged("held") == 150, "prefetch of three batches")
    # One batch is with the command; the rest of what the broker has sent nobody has read.
    first.becomes("senti_queue_unacked", 50)
    assert first.value("senti_records_in_total") == 0 and first.value("senti_queue_redelivered_total") == 0
    first.kill()
    wait(lambda: unacknowledged("held") == 0, "requeueing")
    second = Tool("senti-worker", "-q", "held", "-b", "50", "-w", "30000", "--timeout", "600", command=gated("open"))
    second.becomes("senti_queue_unacked", 50)
    open(os.path.join(DIR, "open"), "w").close()
    second.becomes("senti_records_in_total", 200)
    second.becomes("senti_queue_unacked", 0)
    f = second.figures()
    assert f["senti_records_out_total"] == 200 == f["senti_batch_size_sum"], f
    assert f['senti_batch_flush_total{reason="full"}'] == 4 == f["senti_batch_size_count"], f
    assert f["senti_queue_redelivered_total"] == 150, f
    assert f["senti_queue_reconnects_total"] == 0, f
    assert unacknowledged("held") == 0
    second.stop()
    open(os.path.join(DIR, "late"), "w").close()  # the killed worker's command ends: it is nobody's child now


@check
def dead_letters_are_counted_by_their_reason():
    tool = Tool("senti-score", "-i", "amqp:bad", "-o", "amqp:bad.out")
    publish("bad", *texts(5), b'{"id":"a"}', b'{"id":"b"}', b"no json", b'{"id":"c","text":7}', b'{"text":"\xff"}')
    tool.becomes("senti_records_in_total", 10)
    f = tool.figures()
    shown = {re.search('"(.*)"', k).group(1): v for k, v in f.items() if k.startswith("senti_dead_lettered_total{")}
    with Broker() as broker:
        reasons = collections.Counter()
        while (got := broker.channel.basic_get("bad.dead", auto_ack=True))[0]:
            reasons[got[1].headers["x-senti-error"]] += 1
    assert shown == reasons == {"no_text": 2, "bad_json": 1, "bad_text": 1, "bad_utf8": 1}, (shown, reasons)
    assert all(f[f'senti_records_rejected_total{{code="{k}"}}'] == v for k, v in shown.items()), f
    tool.stop(1)


@check
def rejects_that_go_elsewhere_are_no_dead_letters():
    tool = Tool("senti-score", "-i", "amqp:else", "-o", "amqp:else.out", "--reject", os.path.join(DIR, "rejects"))
    publish("else", b'{"id":"a"}')
    tool.becomes('senti_records_rejected_total{code="no_text"}', 1)
    assert "senti_dead_lettered_total{" not in tool.text()
    tool.stop(1)


@check
def a_command_may_say_any_code():
    code = 'odd"} 1\nx \\'
    reject = json.dumps({"error": {"code": code, "message": "m", "tool": "t"}, "input": '{"id":"a"}'})
    tell = ("import os, socket, sys\n"
            "for line in sys.stdin:\n"
            "    s = socket.socket(socket.AF_UNIX); s.connect(os.environ['SENTI_REJECT'])\n"
            f"    s.sendall({(reject + chr(10)).encode()!r}); s.close()\n")
    tool = Tool("senti-worker", "-q", "odd", command=[sys.executable, "-u", "-c", tell])
    publish("odd", b'{"id":"a"}')
    spelled = code.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    tool.becomes(f'senti_dead_lettered_total{{reason="{spelled}"}}', 1)
    tool.figures()
    tool.stop(1)


@check
def a_killed_broker_is_counted_as_reconnects():
    score = Tool("senti-score", "-i", "amqp:cut", "-o", "amqp:cut.out")
    worker = Tool("senti-worker", "-q", "cut.held", "-b", "10", "-w", "30000", "--timeout", "600", command=gated("cut.open"))
    publish("cut", *texts(1))
    publish("cut.held", *texts(30))
    score.becomes("senti_records_out_total", 1)
    worker.becomes("senti_queue_unacked", 10)
    services("kill")
    score.becomes("senti_queue_unacked", 0)
    wait(lambda: "lost the broker" in score.said(), "notice of the loss")
    f = score.figures()  # It answers while there is no broker.
    assert f["senti_queue_reconnects_total"] == 0 and f["senti_records_out_total"] == 1, f
    services("again")
    wait(lambda: score.value("senti_queue_reconnects_total") >= 1, "reconnect of the source", score.text)
    publish("cut", *texts(3))
    score.becomes("senti_records_out_total", 4)
    # The sink's connection is found broken when it is used.
    assert score.value("senti_queue_reconnects_total") >= 2, score.text()
    score.stop()
    # What the worker had in hand came again on the new connection: the first answers could not be acknowledged.
    open(os.path.join(DIR, "cut.open"), "w").close()
    wait(lambda: worker.value("senti_queue_redelivered_total") >= 10, "redelivery", worker.text)
    worker.becomes("senti_queue_unacked", 0)
    wait(lambda: unacknowledged("cut.held") == 0, "acknowledgement")
    f = worker.figures()
    assert f["senti_queue_reconnects_total"] >= 1 and f["senti_records_in_total"] == 40, f
    worker.stop()


run()
