"""What the comparisons of senti-score's engines with the packages that they equal share.

A comparison names a judge (texts in, expected results out; run in other processes) and a way to tell a difference.
"""

import argparse
import json
import multiprocessing
import os
import random
import re
import subprocess
import sys
import tarfile
import tempfile
from importlib import metadata

from tap import Tap

SEED = 20260501
RATED_TEXTS = 23703
JOBS = 2
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..")
# The source distribution of vaderSentiment, unpacked.
SDIST = os.environ.get("SENTI_SDIST") or os.path.join(ROOT, "build", "vaderSentiment-3.3.2")


def left_to_right(values):
    total = 0
    for value in values:
        total = total + value
    return total


ESCAPES = {"\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\", "/": "\\/"}


def utf16_escape(rng, ch):
    units = ch.encode("utf-16-be")
    form = "\\u%04x" if rng.random() < 0.5 else "\\u%04X"
    return "".join(form % (units[at] << 8 | units[at + 1]) for at in range(0, len(units), 2))


def spell(rng, text):
    """The text as a JSON string, in one of many spellings."""
    roll = rng.random()
    if roll < 0.4:
        return json.dumps(text, ensure_ascii=False)
    if roll < 0.6:
        return json.dumps(text)
    share = rng.choice((0.02, 0.3, 1.0))
    out = ['"']
    for ch in text:
        if rng.random() < share:
            out.append(ESCAPES[ch] if ch in ESCAPES and rng.random() < 0.5 else utf16_escape(rng, ch))
        elif ch in '"\\' or ch < " ":
            out.append(ESCAPES[ch] if ch in ESCAPES else utf16_escape(rng, ch))
        else:
            out.append(ch)
    out.append('"')
    return "".join(out)


def record(rng, number, text):
    string = spell(rng, text)
    roll = rng.random()
    if roll < 0.6:
        return '{"id":"%d","text":%s}' % (number, string)
    if roll < 0.8:
        return '{"text":%s,"id":"%d"}' % (string, number)
    if roll < 0.9:
        return ' { "n" : [1.50, {"text":"bad"}, null] ,\t"text" : %s , "id":"%d" } ' % (string, number)
    return '{"text":"overridden by the last","id":"%d","t\\u0065xt":%s}' % (number, string)


def senti_score(texts, *options):
    """What senti-score says: the sentiment object of each text. Dies loudly when a record is missing."""
    rng = random.Random(SEED)
    with tempfile.TemporaryFile() as given:
        for number, text in enumerate(texts):
            given.write(record(rng, number, text).encode() + b"\n")
        given.seek(0)
        run = subprocess.run(["senti-score", "--max-record", "64M", *options], stdin=given, capture_output=True)
    if run.returncode != 0:
        sys.exit("Bail out! senti-score ended with status %d: %s" % (run.returncode, run.stderr.decode(errors="replace")[:2000]))
    out = [json.loads(line) for line in run.stdout.decode().split("\n")[:-1]]
    if [int(line["id"]) for line in out] != list(range(len(texts))):
        sys.exit("Bail out! senti-score gave %d records for %d, or not in their order" % (len(out), len(texts)))
    return [line["sentiment"] for line in out]


def shortened(text):
    """The text with one piece left out: halves first, then smaller and smaller pieces."""
    size = max(1, len(text) // 2)
    while True:
        for at in range(0, len(text), size):
            yield text[:at] + text[at + size :]
        if size == 1:
            return
        size = max(1, size // 2)


class Comparison:
    """`judge`: a function of this module's user, from a list of texts to a list of results. `differs(expected, got)`."""

    def __init__(self, tap, pool, judge, differs, *options):
        self.tap, self.pool, self.judge, self.differs, self.options = tap, pool, judge, differs, options

    def judge_all(self, texts, size=500):
        parts = [texts[at : at + size] for at in range(0, len(texts), size)]
        return [result for part in self.pool.imap(self.judge, parts) for result in part]

    def minimise(self, text, *options):
        for _ in range(60):
            candidates = list(dict.fromkeys(shortened(text)))[:4000]
            pairs = zip(candidates, self.judge_all(candidates), senti_score(candidates, *options))
            smaller = next((c for c, expected, got in pairs if self.differs(expected, got)), None)
            if smaller is None or not candidates:
                break
            text = smaller
        return text

    def compare(self, name, texts, *options):
        options = self.options + options
        got = senti_score(texts, *options)
        expected = self.judge_all(texts)
        wrong = [at for at in range(len(texts)) if self.differs(expected[at], got[at])]
        self.tap.result(not wrong, "%s: %d texts, %d differ" % (name, len(texts), len(wrong)))
        for at in sorted(wrong, key=lambda at: len(texts[at]))[:5]:
            text = self.minimise(texts[at], *options) if len(texts[at]) < 5000 else texts[at]
            (want,), (have,) = self.judge_all([text]), senti_score([text], *options)
            self.tap.note(json.dumps(text[:500]))
            self.tap.note("  package     %s" % (want,))
            self.tap.note("  senti-score %s" % json.dumps(have))

    def compare_more(self):
        """The caller's own texts: records in the file that SENTI_TEXTS names."""
        path = os.environ.get("SENTI_TEXTS")
        if path:
            with open(path, encoding="utf-8") as file:
                self.compare("from SENTI_TEXTS", [json.loads(line)["text"] for line in file])


def start(description, package, version):
    """The command line of a comparison (a folder, options) and its Tap; dies if the package is not the judge that it should be."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("folder")
    parser.add_argument("--count", type=int, default=100000, help="how many short texts to generate (100000)")
    parser.add_argument("--seed", type=int, default=SEED)
    tap = Tap()
    if metadata.version(package) != version:
        sys.exit("Bail out! the judge is %s %s, this is %s" % (package, version, metadata.version(package)))
    if sys.version_info[:2] != (3, 11):
        tap.note("Python 3.11 is the judge; another one knows other characters than Unicode 14.0's")
    return parser.parse_args(), tap


def rated_texts(folder=SDIST):
    """The texts that people rated for the package's paper, from its source distribution; three columns a line: id, rating, text."""
    if not os.path.isdir(folder):
        subprocess.run([os.path.join(ROOT, "scripts", "fetch-vader"), "texts"], check=True, stdout=sys.stderr)
    texts = []
    with tarfile.open(os.path.join(folder, "additional_resources", "hutto_ICWSM_2014.tar.gz")) as archive:
        names = sorted(name for name in archive.getnames() if re.fullmatch(r"hutto_ICWSM_2014/[^._/][^/]*GroundTruth\.txt", name))
        for name in names:
            lines = archive.extractfile(name).read().decode("utf-8", errors="replace").split("\n")
            texts += [line.rstrip("\r").split("\t")[2] for line in lines if line]
    return texts


def rated(tap):
    texts = rated_texts()
    tap.result(len(texts) == RATED_TEXTS, "the human-rated texts are %d" % len(texts))
    return texts


def layer_file(layer):
    """A lexicon for --lexicon, open and whole, removed when it is closed."""
    file = tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".tsv")
    file.write("".join("%s\t%r\n" % entry for entry in layer.items()))
    file.flush()
    return file


def pool(prepare=None):
    return multiprocessing.Pool(JOBS, prepare)
