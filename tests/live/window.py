"""senti-window beside a plain Python reference: out of order, late, repeated, across changes of clocks; in one run, by several workers, and killed
again and again over files."""
# seconds: 40
import json
import os
import random
import signal
import subprocess
import sys
import time

from tap import check, run
from window_reference import Calendar, Reference, Sessions, Steps, check_lines, to_ms, to_text

DIR = sys.argv[1]
KILLS = 30
SECOND, MINUTE, HOUR, DAY = 1000, 60000, 3600000, 86400000
WORDS = ["good", "Bad", "awful", "great", "fine", "dull", "Ärger", "film", "food"]


def record(draw, i, t, words):
    score = draw.choice([0, 0, round(draw.uniform(-1, 1), 4), round(draw.uniform(-1, 1), 4), 1, -1])
    label = "positive" if score > 0.05 else "negative" if score < -0.05 else "neutral"
    sentiment = {"label": label, "score": score}
    if words:
        sentiment["why"] = [{"at": [4 * k, 4 * k + 3], "word": w, "value": round(draw.uniform(-3, 3), 2), "rule": "lexicon"}
                            for k, w in enumerate(draw.choices(WORDS, k=3))]
    made = {"id": f"r{i}", "time": to_text(t), "text": "x", "sentiment": sentiment}
    if draw.random() < 0.95:
        made["source"] = draw.choice(["a", "b", 'q"é', 7, None])
    return made


def stream(n, seed, start="2024-05-01T10:00:00Z", step=SECOND, jitter=20 * SECOND, words=False):
    """Records whose times wander ahead, out of order by up to `jitter`; some come again, some much later, and twice the clock jumps."""
    draw = random.Random(seed)
    t, made = to_ms(start), []
    for i in range(n):
        t += draw.randrange(2 * step)
        if i in (n // 3, n // 2):
            t += 40 * step
        late = draw.randrange(100 * step) if draw.random() < 0.02 else 0
        made.append(record(draw, i, t - draw.randrange(jitter + 1) - late, words))
        if draw.random() < 0.03:
            made.append(dict(draw.choice(made[-200:])))
    return made


def write(name, records):
    path = os.path.join(DIR, name)
    with open(path, "w") as f:
        f.write("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records))
    return path


def window(*options, stdin=None, status=(0, 1)):
    """The lines, and the summary."""
    p = subprocess.run(["senti-window", "--reject", os.devnull, "--summary", *options], stdin=stdin, capture_output=True, text=True, timeout=60)
    assert p.returncode in status, (p.returncode, p.stderr)
    return [json.loads(x) for x in p.stdout.splitlines()], json.loads(p.stderr.splitlines()[-1])


def compare(name, options, reference, records, words=False, means=True):
    for r in records:
        reference.feed(r)
    lines, said = window(*options, write(name, records))
    check_lines(lines, reference, words, means)
    assert said["late"] == reference.late, f"{said['late']} are late, not {reference.late}"
    assert said.get("duplicates", 0) == reference.duplicates, f"{said.get('duplicates')} duplicates, not {reference.duplicates}"
    assert said["rejected"] == reference.late and said["windows"] == len(lines) == said["out"]
    return f"{len(lines)} windows of {len(records)} records, {reference.late} late"


@check
def tumbling():
    "tumbling windows by key, out of order and late"
    return compare("tumbling", ["--every", "1m", "--by", "source", "--late", "15s"], Reference(Steps(MINUTE), ["source"], 15 * SECOND),
                   stream(4000, 1, words=True), words=True)


@check
def without_lateness():
    "the same without --late, in batches of seven"
    return compare("now", ["--every", "10s", "-b", "7"], Reference(Steps(10 * SECOND)), stream(3000, 2))


@check
def hopping():
    "hopping windows: each record is in all of its windows that are open"
    return compare("hopping", ["--every", "10s", "--of", "1m", "--by", "source", "--late", "5s"],
                   Reference(Steps(10 * SECOND, MINUTE), ["source"], 5 * SECOND), stream(2500, 3, words=True), words=True)


@check
def sessions():
    "sessions: those that overlap become one"
    return compare("sessions", ["--gap", "3s", "--by", "source", "--late", "10s"], Reference(Sessions(3 * SECOND), ["source"], 10 * SECOND),
                   stream(3000, 4, words=True), words=True)


@check
def repeated():
    "records that come again within the last 150 ids count once"
    records = stream(3000, 5)
    return compare("repeated", ["--every", "1m", "--late", "1m", "--dedupe", "150"], Reference(Steps(MINUTE), late=MINUTE, dedupe=150), records)


@check
def calendar():
    "hours, days, weeks, months, quarters and years in Berlin, through both changes of its clocks"
    for change in ("2024-03-30T20:00:00Z", "2024-10-26T20:00:00Z"):
        for period, step in (("hour", 30 * SECOND), ("day", 2 * MINUTE), ("week", HOUR), ("month", 12 * HOUR), ("quarter", DAY), ("year", 5 * DAY)):
            compare(f"{period}-{change[5:7]}", ["--every", period, "--tz", "Europe/Berlin", "--late", "30m", "--ahead", "36500d"],
                    Reference(Calendar(period, "Europe/Berlin"), late=30 * MINUTE), stream(1500, 6, change, step))


@check
def days_that_are_not_24_hours():
    "the days of the changes have 23 and 25 hours"
    for day, hours in (("2024-03-31", 23), ("2024-10-27", 25)):
        draw = random.Random(7)
        lines, _ = window("--every", "day", "--tz", "Europe/Berlin", write("one", [record(draw, 1, to_ms(day + "T12:00:00Z"), False)]))
        length = to_ms(lines[0]["end"]) - to_ms(lines[0]["start"])
        assert length == hours * HOUR, length / HOUR
        assert lines[0]["start"].startswith(day + "T00:00:00.000+0"), lines[0]["start"]


@check
def workers():
    "the windows of three workers, merged, are those of one, to the byte"
    records = [r for r in stream(6000, 8, words=True)]
    for options, merge in ((["--every", "1m", "--by", "source"], []), (["--every", "10s", "--of", "1m"], []), (["--gap", "4s"], ["--gap", "4s"])):
        far = ["--late", "1h", "--terms", "20"]
        one = window(*options, *far, write("one", records))[0]
        parts = []
        for i in range(3):
            part = write(f"part{i}", records[i::3])
            parts.append(write(f"windows{i}", window(*options, *far, part)[0]))
        merged, said = window("--merge", "--terms", "20", *merge, *parts)
        assert [same_order(x) for x in merged] == [same_order(x) for x in one], f"merged windows of {options} differ"
        assert said["rejected"] == 0


def same_order(line):
    """Counters of words stand in the order in which they came, which means nothing while there are few."""
    sketch = line["sketch"]
    return {**line, "sketch": {**sketch, "terms": sorted(sketch["terms"]), "contributing": sorted(sketch["contributing"])}}


@check
def many_words():
    "with more words than counters, each count is at most its error too high, and that is within n/(8K)"
    draw = random.Random(9)
    names = [f"w{i}" for i in range(500)]
    weights = [1 / (i + 1) for i in range(500)]
    records, true = [], {}
    for i in range(3000):
        r = record(draw, i, to_ms("2024-05-01T10:00:00Z") + i, False)
        r["sentiment"]["why"] = [{"at": [k, k + 1], "word": w, "value": 1.0} for k, w in enumerate(draw.choices(names, weights, k=4))]
        for why in r["sentiment"]["why"]:
            true[why["word"]] = true.get(why["word"], 0) + 1
        records.append(r)
    whole = window("--every", "1d", write("words", records))[0][0]
    parts = [write(f"wordy{i}", window("--every", "1d", write(f"words{i}", records[i::2]))[0]) for i in range(2)]
    for line in (whole, window("--merge", *parts)[0][0]):
        for word, weight, error, _ in line["sketch"]["terms"]:
            assert true[word] <= weight <= true[word] + error, (word, true[word], weight, error)
            assert error <= 12000 / 80, (word, error)
        assert line["terms"][0]["term"] == "w0", line["terms"]


@check
def clock_jumps():
    "one time that is years ahead is rejected, and closes nothing"
    records = stream(1000, 10)
    ahead = dict(records[500], id="ahead", time=to_text(int(time.time() * 1000) + 3 * DAY))
    lines, said = window("--every", "1m", write("jump", records[:500] + [ahead] + records[500:]))
    plain, _ = window("--every", "1m", write("plain", records))
    assert lines == plain and said["rejected"] == said["late"] + 1


# ---- kills ----

def run_until(command, reached, kill):
    """Starts it, and once reached() kills it. False: it has ended before."""
    p = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while p.poll() is None and not reached():
        time.sleep(0.0005)
    if kill and p.poll() is None:
        p.send_signal(signal.SIGKILL)
    return p.wait() == -signal.SIGKILL


def size(path):
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0


def whole_lines(path):
    with open(path, "rb") as f:
        return f.read().split(b"\n")[:-1]


def killed(name, options, records):
    """Over two files, with kills spread over the whole: the lines that come out are those of an undisturbed run."""
    half = len(records) // 2
    files = [write(name + "-a", records[:half]), write(name + "-b", records[half:])]
    state, out, rejects = (os.path.join(DIR, name + x) for x in ("-state", "-out", "-rejects"))
    calm = subprocess.run(["senti-window", *options, *files], capture_output=True, timeout=60)
    command = ["senti-window", *options, "-b", "50", "--state", state, "-o", out, "--reject", rejects, *files]
    kills, draw, total = 0, random.Random(11), sum(map(size, files))
    while True:
        before, more = size(state), draw.randrange(total // KILLS // 8, total // KILLS // 3)
        if not run_until(command, lambda: abs(size(state) - before) >= more, kills < KILLS) or not os.path.exists(state):
            break
        kills += 1
    # On a busy machine more is done before the kill comes.
    assert kills >= KILLS // 2, f"it had ended after {kills} kills"
    assert not os.path.exists(state), "the state is left"
    got = set(whole_lines(out))
    wanted = set(calm.stdout.splitlines())
    assert got == wanted, f"{len(wanted - got)} of {len(wanted)} lines are missing, {len(got - wanted)} are strange: {sorted(got - wanted)[:2]}"
    refused = {json.loads(x)["input"] for x in whole_lines(rejects) if x.endswith(b"}")}  # else a kill has cut it
    assert refused == {json.loads(x)["input"] for x in calm.stderr.splitlines()}, "other records were rejected"
    return f"{kills} kills, {len(whole_lines(out))} lines, {len(wanted)} of them different, {len(refused)} rejects"


@check
def killed_tumbling():
    "killed at 30 moments over files: the same lines, and the same rejects"
    return killed("tumble", ["--every", "1m", "--by", "source", "--late", "10s"], stream(20000, 12, words=True))


@check
def killed_hopping():
    "hopping windows with an alert, likewise"
    return killed("hop", ["--every", "10s", "--of", "1m", "--late", "5s", "--alert", "mean < 0", "--clear", "mean > 0.1"], stream(12000, 13))


@check
def killed_sessions():
    "sessions without repeated records, likewise"
    return killed("session", ["--gap", "2s", "--by", "source", "--late", "5s", "--dedupe", "1000"], stream(12000, 14))


@check
def another_file():
    "a state that belongs to another file, or to other options, is refused"
    records = stream(5000, 15)
    path, state = write("first", records), os.path.join(DIR, "refused")
    command = ["senti-window", "--every", "1h", "--state", state, "--reject", os.devnull, path]
    assert run_until(command, lambda: size(state) > 200000, True), "it ended too early"
    write("first", [dict(r, text="y") for r in records])
    p = subprocess.run(command, capture_output=True, text=True)
    assert p.returncode == 3 and "is not the input that the state knows" in p.stderr, (p.returncode, p.stderr)
    p = subprocess.run(["senti-window", "--every", "2h", *command[3:]], capture_output=True, text=True)
    assert p.returncode == 3 and "belongs to" in p.stderr, (p.returncode, p.stderr)


@check
def stopped_with_a_state():
    "SIGTERM on a pipe keeps the windows open for the next run, which knows the ids"
    records = stream(300, 16, jitter=0)
    state, out = os.path.join(DIR, "piped"), os.path.join(DIR, "piped-out")
    command = ["senti-window", "--every", "1h", "--state", state, "--reject", os.devnull, "--late", "1h", "-o", out]
    p = subprocess.Popen(command, stdin=subprocess.PIPE)
    p.stdin.write("".join(json.dumps(r) + "\n" for r in records[:200]).encode())
    p.stdin.flush()
    while size(state) < 1000:
        time.sleep(0.001)
    p.send_signal(signal.SIGTERM)
    assert p.wait(30) == 0 and size(out) == 0, "a stop put windows out"
    said = subprocess.run([*command, "--summary"], input="".join(json.dumps(r) + "\n" for r in records), capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    with open(out) as f:
        lines = [json.loads(x) for x in f]
    distinct = {r["id"] for r in records}
    assert sum(x["count"] for x in lines) == len(distinct), (lines, len(distinct))
    assert not os.path.exists(state)


run()
