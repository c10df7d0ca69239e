"""What senti-window must give, in plain Python: windows as lists of scores, decided record by record."""
import datetime
import json
import math
from collections import Counter, deque
from fractions import Fraction
from zoneinfo import ZoneInfo

UTC = datetime.timezone.utc
FIRST = datetime.datetime(1970, 1, 1, tzinfo=UTC)
QUANTILES = {"p50": Fraction(1, 2), "p90": Fraction(9, 10), "p99": Fraction(99, 100)}


def to_ms(text):
    return (datetime.datetime.fromisoformat(text.replace("Z", "+00:00")) - FIRST) // datetime.timedelta(milliseconds=1)


def to_text(ms):
    return (FIRST + datetime.timedelta(milliseconds=ms)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Steps:
    """Tumbling (of == every) and hopping windows."""

    def __init__(self, every, of=None):
        self.every, self.of = every, of or every

    def of_time(self, t):
        last = t // self.every * self.every
        return [(s, s + self.of) for s in range(last, last - self.of, -self.every)]


class Calendar:
    def __init__(self, period, zone):
        self.period, self.zone = period, ZoneInfo(zone)

    def local(self, y, m, d):
        return int(datetime.datetime(y, m, d, tzinfo=self.zone).timestamp()) * 1000

    def of_time(self, t):
        at = datetime.datetime.fromtimestamp(t // 1000, self.zone)
        day = at.date()
        if self.period == "hour":
            start = t // 3600000 * 3600000
            return [(start, start + 3600000)]
        if self.period == "day":
            ends = day, day + datetime.timedelta(1)
        elif self.period == "week":
            monday = day - datetime.timedelta(day.weekday())
            ends = monday, monday + datetime.timedelta(7)
        else:
            months = {"month": 1, "quarter": 3, "year": 12}[self.period]
            first = (day.month - 1) // months * months
            ends = day.replace(month=first + 1, day=1), datetime.date(
                day.year + (first + months) // 12, (first + months) % 12 + 1, 1)
        return [tuple(self.local(d.year, d.month, d.day) for d in ends)]


class Sessions:
    def __init__(self, gap):
        self.gap = gap


class Reference:
    """Feed records in their order, then ask for windows(): {(end, start, key): [record]}, and what was not counted."""

    def __init__(self, shape, by=(), late=0, dedupe=0):
        self.shape, self.by, self.allowed = shape, by, late
        self.greatest = self.mark = -math.inf
        self.ids = deque(maxlen=dedupe or None)
        self.dedupe = dedupe
        self.window, self.sessions = {}, {}
        self.late = self.duplicates = 0

    def key(self, record):
        return json.dumps({name: record.get(name) for name in self.by}, separators=(",", ":"))

    def feed(self, record):
        if self.dedupe and record["id"] in self.ids:
            self.duplicates += 1
            return
        t, key = to_ms(record["time"]), self.key(record)
        taken = self.to_session(t, key, record) if isinstance(self.shape, Sessions) else self.to_windows(t, key, record)
        if not taken:
            self.late += 1
            return
        if self.dedupe:
            self.ids.append(record["id"])
        self.greatest = max(self.greatest, t)
        self.mark = self.greatest - self.allowed

    def to_windows(self, t, key, record):
        open_ones = [w for w in self.shape.of_time(t) if w[1] > self.mark]
        for start, end in open_ones:
            self.window.setdefault((end, start, key), []).append(record)
        return open_ones

    def to_session(self, t, key, record):
        start, end = t, t + self.shape.gap
        all_of_key = self.sessions.setdefault(key, [])
        met = [s for s in all_of_key if s[1] > self.mark and s[0] < end and start < s[1]]
        if not met and end <= self.mark:
            return False
        for s in met:
            all_of_key.remove(s)
        all_of_key.append((min([start] + [s[0] for s in met]), max([end] + [s[1] for s in met]),
                           [r for s in met for r in s[2]] + [record]))
        return True

    def windows(self):
        made = dict(self.window)
        for key, sessions in self.sessions.items():
            made.update({(end, start, key): records for start, end, records in sessions})
        return made

    def order(self):
        return sorted(self.windows(), key=lambda w: (w[0], w[1], w[2].encode()))


def scores(records):
    return sorted(Fraction(str(r["sentiment"]["score"])) for r in records)


def near(got, wanted, what, most=1.1e-6):
    assert abs(got - wanted) <= most, f"{what} is {got}, not {float(wanted)}"


def check_figures(line, records):
    """Count, mean, deviation, shares exactly; quantiles within 1 % of the exact value."""
    s = scores(records)
    n, mean = len(s), sum(s) / len(s)
    assert line["count"] == n, f"count is {line['count']}, not {n}"
    near(line["mean"], mean, "mean")
    near(line["stdev"], math.sqrt(sum((x - mean) ** 2 for x in s) / n), "stdev")
    if len(set(s)) == 1:
        assert line["stdev"] == 0, f"equal scores have the deviation {line['stdev']}"
    for name, q in QUANTILES.items():
        exact = s[math.floor(q * (n - 1))]
        near(line[name], exact, name, float(abs(exact)) * 0.01 + 1e-6)
    labels = Counter(r["sentiment"]["label"] for r in records)
    for label in ("positive", "neutral", "negative"):
        near(line["labels"][label], labels[label] / n, label)


def check_words(line, records):
    """Exact as long as there are at most eight times as many words as are shown."""
    counts, values = Counter(), Counter()
    for r in records:
        for why in r["sentiment"].get("why", ()):
            counts[why["word"].lower()] += 1
            if why["value"]:
                values[why["word"].lower()] += Fraction(str(why["value"]))
    by_count = sorted(counts, key=lambda w: (-counts[w], w.encode()))[:10]
    by_value = sorted(values, key=lambda w: (-abs(values[w]), w.encode()))[:10]
    assert [(t["term"], t["count"]) for t in line["terms"]] == [(w, counts[w]) for w in by_count], line["terms"]
    assert [t["term"] for t in line["contributing"]] == by_value, (line["contributing"], by_value)
    for t in line["contributing"]:
        near(t["value"], values[t["term"]], t["term"])


def check_means(lines, reference):
    """ewm: each record counts once, in the first window that has it; halved every five lengths of the window."""
    state, seen = {}, set()
    windows = reference.windows()
    for line, (end, start, key) in zip(lines, reference.order()):
        new = [r for r in windows[end, start, key] if id(r) not in seen]
        seen.update(id(r) for r in new)
        n, total, at = state.get(key, (0.0, 0.0, end))
        weight = 2 ** (-(end - at) / (5 * (end - start)))
        n, total = n * weight + len(new), total * weight + float(sum(scores(new)))
        state[key] = n, total, end
        near(line["ewm"], total / n, f"ewm of {key} at {to_text(end)}", 2e-6)


def check_lines(lines, reference, words=False, means=True):
    """All windows, in the order of (end, start, key), with the right figures."""
    windows, order = reference.windows(), reference.order()
    got = [(to_ms(x["end"]), to_ms(x["start"]), json.dumps(x["key"], separators=(",", ":"))) for x in lines]
    assert got == order, f"{len(got)} windows, not {len(order)}: {[w for w in zip(got, order) if w[0] != w[1]][:2]}"
    for line, w in zip(lines, order):
        check_figures(line, windows[w])
        if words:
            check_words(line, windows[w])
    if means:
        check_means(lines, reference)
