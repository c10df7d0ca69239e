"""A broker that ends whoever keeps a message for over a minute (consumer_timeout), and senti-eval, which takes 200,000 records from it in one run of
two minutes: they are in its state, so none is kept."""
# servers: rabbitmq
# packages: pika
# seconds: 150
import json
import os
import sys
import threading
import time

import pika
from account import fill, left, service, tool
from tap import check, run

DIR = sys.argv[1]
N = 200_000
TIMEOUT_S = 60


class Keeper(threading.Thread):
    """A consumer that keeps its message; how long until the broker ended it."""

    def __init__(self, queue):
        super().__init__()
        self.queue, self.after = queue, None

    def run(self):
        began = time.monotonic()
        with pika.BlockingConnection(pika.URLParameters(os.environ["SENTI_AMQP"])) as connection:
            channel = connection.channel()
            channel.basic_consume(self.queue, lambda *_: None)
            while channel.is_open and time.monotonic() - began < 3 * TIMEOUT_S:
                connection.process_data_events(1)
            if channel.is_closed:
                self.after = time.monotonic() - began


@check
def longer_than_the_timeout():
    "200,000 records under a consumer_timeout of 60 s: all are counted, none comes again"
    service("ctl", "rabbitmq", DIR, "eval",
            f"application:set_env(rabbit, consumer_timeout, {TIMEOUT_S * 1000}), application:set_env(rabbit, channel_tick_interval, 5000).")
    fill("kept", [{"id": "one", "text": "kept"}])
    keeper = Keeper("kept")
    keeper.start()
    fill("many", [{"id": f"r{i}", "text": f"good {i}", "label": "positive"} for i in range(N // 2)])
    later = threading.Timer(1.5 * TIMEOUT_S, fill, ["many", [{"id": f"s{i}", "text": f"bad {i}", "label": "negative"} for i in range(N // 2)]])
    later.start()
    began = time.monotonic()
    out, err = tool("senti-eval", "-i", "amqp:many", "-m", "vader", "--json", "--idle", str(2 * TIMEOUT_S * 1000), "--summary",
                    "--state", os.path.join(DIR, "state"), timeout=600)
    took = time.monotonic() - began
    later.join()
    keeper.join()
    summary, report = json.loads(err.strip().splitlines()[-1]), json.loads(out)
    assert keeper.after, "the broker ended no consumer: this shows nothing"
    assert report["n"] == N and summary["in"] == N and "redelivered" not in summary, (report, summary)
    assert left("many") == 0
    return f"{N} in a run of {took:.0f} s; who kept a message was ended after {keeper.after:.0f} s"


run()
