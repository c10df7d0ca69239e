"""The filter from queue to queue as it is written with pika and vaderSentiment, for the benchmark of queues.

    pika_filter.py HOW URL FROM TO COUNT PREFETCH

HOW is `blocking`: a BlockingConnection, whose basic_publish returns with the broker's confirm; `windowed`: a SelectConnection, which publishes on while
confirms are open, and acknowledges all up to a delivery at once; `packed`: the same with messages of many lines. COUNT is of records. Prints
records a second, from the first delivery to the last acknowledgement.
"""
import json
import sys
import time

import pika
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

HOW, URL, FROM, TO = sys.argv[1:5]
COUNT, PREFETCH = map(int, sys.argv[5:])
ANALYZER = SentimentIntensityAnalyzer()
PROPERTIES = pika.BasicProperties(content_type="application/x-ndjson" if HOW == "packed" else "application/json", delivery_mode=2)


def score(line):
    record = json.loads(line)
    record["sentiment"] = ANALYZER.polarity_scores(record["text"])
    return json.dumps(record, ensure_ascii=False)


def answer(body):
    text = "".join(score(line) + "\n" for line in body.splitlines()) if HOW == "packed" else score(body)
    return text.encode()


def blocking():
    connection = pika.BlockingConnection(pika.URLParameters(URL))
    channel = connection.channel()
    channel.confirm_delivery()
    channel.basic_qos(prefetch_count=PREFETCH)
    start, count = None, 0
    for method, _, body in channel.consume(FROM):
        start = start or time.perf_counter()
        channel.basic_publish("", TO, answer(body), PROPERTIES, mandatory=True)
        channel.basic_ack(method.delivery_tag)
        count += 1
        if count == COUNT:
            break
    took = time.perf_counter() - start
    connection.close()
    return took


class Windowed:
    """Deliveries and publishings are both numbered from 1 on their channel, in the same order: number n answers delivery n."""

    def __init__(self):
        self.start = self.took = None
        self.left = COUNT  # records whose answers are not confirmed
        self.sizes = []  # records in each message
        self.first = 1  # the first that is not confirmed
        self.confirmed = set()  # those behind it that are
        self.channel = None
        self.connection = pika.SelectConnection(
            pika.URLParameters(URL),
            on_open_callback=lambda c: c.channel(on_open_callback=self.on_channel),
            on_close_callback=lambda c, _: c.ioloop.stop(),
        )

    def on_channel(self, channel):
        self.channel = channel
        channel.confirm_delivery(self.on_confirm, callback=self.on_confirming)

    def on_confirming(self, _):
        self.channel.basic_qos(prefetch_count=PREFETCH, callback=lambda _: self.channel.basic_consume(FROM, self.on_message))

    def on_message(self, channel, method, _, body):
        self.start = self.start or time.perf_counter()
        self.sizes.append(body.count(b"\n") if HOW == "packed" else 1)
        channel.basic_publish("", TO, answer(body), PROPERTIES, mandatory=True)

    def on_confirm(self, frame):
        method = frame.method
        if method.NAME != "Basic.Ack":
            raise SystemExit("the broker refused a message")
        before = self.first
        if method.multiple:
            self.first = max(self.first, method.delivery_tag + 1)
        else:
            self.confirmed.add(method.delivery_tag)
        while self.first in self.confirmed:
            self.confirmed.remove(self.first)
            self.first += 1
        if self.first > before:
            self.channel.basic_ack(self.first - 1, multiple=True)
            self.left -= sum(self.sizes[before - 1 : self.first - 1])
        if self.left == 0 and not self.took:
            self.took = time.perf_counter() - self.start
            self.connection.close()


def windowed():
    filter_ = Windowed()
    filter_.connection.ioloop.start()
    return filter_.took


print("%.1f" % (COUNT / (blocking() if HOW == "blocking" else windowed())))
