"""vader_compare - runs texts through senti-score and through the package, compares every field as exact numbers, prints TAP.

-0.0, which the package gives when a tiny negative sum is rounded, equals 0, which senti-score writes.
"""

import argparse
import json
import math
import multiprocessing
import os
import random
import re
import subprocess
import sys
import tarfile
import tempfile
from importlib import metadata

import vader_texts
from vaderSentiment import vaderSentiment as vader

SEED = 20260501
RATED_TEXTS = 23703
FIELDS = ("compound", "pos", "neu", "neg")
JOBS = 2


def left_to_right(values):
    total = 0
    for value in values:
        total = total + value
    return total


# From Python 3.12 on, sum() compensates rounding errors; the contract is the sum of 3.11.
vader.sum = left_to_right


def judge(texts):
    """What the package says: one tuple of FIELDS a text."""
    scores = map(vader_texts.ANALYZER.polarity_scores, texts)
    return [tuple(score[field] for field in FIELDS) for score in scores]


def judge_all(pool, texts, size=500):
    parts = [texts[at : at + size] for at in range(0, len(texts), size)]
    return [score for part in pool.imap(judge, parts) for score in part]


# A user's lexicon that is hard on the rules: words that they name become known words, known ones get other values and the other sign,
# and keys lie beyond ASCII, some with a lower case of their own.
LAYER = {
    "good": -1.0,
    "bad": 0.0,
    "very": 1.5,
    "not": -1.1,
    "never": 0.3,
    "so": 0.7,
    "but": 1.2,
    "least": -0.4,
    "of": 0.5,
    "kind": -0.9,
    "or": 0.1,
    "doubt": 1.7,
    "isn't": 0.6,
    "table": 2.125,
    "x": -0.25,
    "12": 1e-3,
    "@you": 3.5,
    "http://t.co/x": 0.8,
    "EXTREMELY": -3.0,
    "хорошо": 1.9,
    "Плохо": -2.5,
    "ΟΔΟΣ": 1.3,
    "straße": -0.7,
    "GROẞ": 0.9,
    "日本語": 2.2,
    "İYİ": 2.9,
    "ｇｏｏｄ": 1.9,
    "été": 0.2,
    "ﬁne": 1.0,
    "ⅷ": -1.6,
    "good\u200bbad": 0.4,
    "a-key-that-is-longer-than-any-word-of-the-lexicon": 1.0,
}


def layer_texts(seed, count):
    """Texts in which the layer's words turn up often."""
    rng = random.Random(seed)
    for text in vader_texts.texts(seed, count):
        tokens = text.split(" ")
        for _ in range(rng.randint(0, 3)):
            tokens.insert(rng.randint(0, len(tokens)), vader_texts.cased(rng, rng.choice(list(LAYER))))
        yield " ".join(tokens)


def lay_over():
    """In a worker of the pool: the package's lexicon with the layer."""
    vader_texts.ANALYZER.lexicon.update((key.lower(), value) for key, value in LAYER.items())


def label_of(compound):
    return "positive" if compound >= 0.05 else "negative" if compound <= -0.05 else "neutral"


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


def differs(expected, got):
    compound, pos, neu, neg = expected
    return (
        (compound, pos, neu, neg) != (got["score"], got["pos"], got["neu"], got["neg"])
        or got["label"] != label_of(compound)
    )


def shortened(text):
    """The text with one piece left out: halves first, then smaller and smaller pieces."""
    size = max(1, len(text) // 2)
    while True:
        for at in range(0, len(text), size):
            yield text[:at] + text[at + size :]
        if size == 1:
            return
        size = max(1, size // 2)


def minimise(pool, text, *options):
    for _ in range(60):
        candidates = list(dict.fromkeys(shortened(text)))[:4000]
        pairs = zip(candidates, judge_all(pool, candidates), senti_score(candidates, *options))
        smaller = next((c for c, expected, got in pairs if differs(expected, got)), None)
        if smaller is None or not candidates:
            break
        text = smaller
    return text


class Tap:
    def __init__(self):
        self.count = self.failed = 0

    def result(self, good, name):
        self.count += 1
        self.failed += not good
        print("%s %d - %s" % ("ok" if good else "not ok", self.count, name), flush=True)

    def note(self, message):
        print("# " + message, flush=True)

    def done(self):
        print("1..%d" % self.count)
        return 1 if self.failed else 0


def compare(tap, pool, name, texts, *options):
    got = senti_score(texts, *options)
    expected = judge_all(pool, texts)
    wrong = [at for at in range(len(texts)) if differs(expected[at], got[at])]
    tap.result(not wrong, "%s: %d texts, %d differ" % (name, len(texts), len(wrong)))
    for at in sorted(wrong, key=lambda at: len(texts[at]))[:5]:
        text = minimise(pool, texts[at], *options) if len(texts[at]) < 5000 else texts[at]
        (want,), (have,) = judge_all(pool, [text]), senti_score([text], *options)
        tap.note(json.dumps(text[:500]))
        tap.note("  package     %s %s" % (label_of(want[0]), dict(zip(FIELDS, want))))
        tap.note("  senti-score %s" % json.dumps(have))


def explained(tap, texts):
    """--explain changes no score; its values sum up to the raw score, and its words are where it says."""
    plain, detailed = senti_score(texts), senti_score(texts, "--explain")
    fields = ("label", "score", "neg", "neu", "pos", "model")
    changed = sum(any(p[f] != d[f] for f in fields) for p, d in zip(plain, detailed))
    tap.result(changed == 0, "--explain changes no result: %d of %d changed" % (changed, len(texts)))
    wrong_sum, wrong_word = [], []
    for text, result in zip(texts, detailed):
        raw = math.fsum(reason["value"] for reason in result["why"])
        if abs(raw / math.sqrt(raw * raw + 15) - result["score"]) > 1e-4:
            wrong_sum.append((text, result))
        data = text.encode()
        for reason in result["why"]:
            start, stop = reason["at"]
            if not 0 <= start <= stop <= len(data) or data[start:stop] != reason["word"].encode():
                wrong_word.append((text, reason))
    tap.result(not wrong_sum, "--explain's values sum up to the raw score: %d of %d do not" % (len(wrong_sum), len(texts)))
    for text, result in sorted(wrong_sum, key=lambda pair: len(pair[0]))[:3]:
        tap.note("%s %s" % (json.dumps(text), json.dumps(result)))
    tap.result(not wrong_word, "--explain's words are the bytes that it names: %d are not" % len(wrong_word))
    for text, reason in sorted(wrong_word, key=lambda pair: len(pair[0]))[:3]:
        tap.note("%s %s" % (json.dumps(text), json.dumps(reason)))


def rated_texts(folder):
    """The texts that people rated for the package's paper, from its source distribution; three columns a line: id, rating, text."""
    texts = []
    with tarfile.open(os.path.join(folder, "additional_resources", "hutto_ICWSM_2014.tar.gz")) as archive:
        names = sorted(name for name in archive.getnames() if re.fullmatch(r"hutto_ICWSM_2014/[^._/][^/]*GroundTruth\.txt", name))
        for name in names:
            lines = archive.extractfile(name).read().decode("utf-8", errors="replace").split("\n")
            texts += [line.rstrip("\r").split("\t")[2] for line in lines if line]
    return texts


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sdist", required=True, help="the package's source distribution, unpacked")
    parser.add_argument("--count", type=int, default=200000, help="how many short texts to generate (200000)")
    parser.add_argument("--seed", type=int, default=SEED)
    arguments = parser.parse_args()

    tap = Tap()
    if metadata.version("vaderSentiment") != "3.3.2":
        sys.exit("Bail out! the judge is vaderSentiment 3.3.2, this is " + metadata.version("vaderSentiment"))
    if sys.version_info[:2] != (3, 11):
        tap.note("Python 3.11 is the judge; another one knows other characters than Unicode 14.0's")

    rated = rated_texts(arguments.sdist)
    with multiprocessing.Pool(JOBS) as pool:
        tap.result(len(rated) == RATED_TEXTS, "the human-rated texts are %d: %d" % (RATED_TEXTS, len(rated)))
        compare(tap, pool, "human-rated", rated)
        generated = list(vader_texts.texts(arguments.seed, arguments.count))
        compare(tap, pool, "generated, seed %d" % arguments.seed, generated, "-j", "2")
        compare(tap, pool, "long", list(vader_texts.long_texts(arguments.seed)))
        compare(tap, pool, "every character", list(vader_texts.every_character()))
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".tsv") as layer, multiprocessing.Pool(JOBS, lay_over) as pool:
        layer.write("".join("%s\t%r\n" % entry for entry in LAYER.items()))
        layer.flush()
        texts = list(layer_texts(arguments.seed, arguments.count // 4))
        compare(tap, pool, "with a user's lexicon", texts, "--lexicon", "+" + layer.name)
    explained(tap, generated[:20000] + rated[:5000])
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
