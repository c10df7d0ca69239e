"""engine_compare - what the comparisons of senti-score's engines with their packages share, beside vader_compare's means.

A comparison names a judge (texts in, expected results out; run in other processes) and a way to tell a difference.
"""

import argparse
import json
import multiprocessing
import sys
from importlib import metadata

import vader_compare

JOBS = 2


class Comparison:
    """`judge`: a function of this module's user, from a list of texts to a list of results. `differs(expected, got)`."""

    def __init__(self, tap, pool, judge, differs, *options):
        self.tap, self.pool, self.judge, self.differs, self.options = tap, pool, judge, differs, options

    def judge_all(self, texts, size=500):
        parts = [texts[at : at + size] for at in range(0, len(texts), size)]
        return [result for part in self.pool.imap(self.judge, parts) for result in part]

    def minimise(self, text, *options):
        for _ in range(60):
            candidates = list(dict.fromkeys(vader_compare.shortened(text)))[:4000]
            pairs = zip(candidates, self.judge_all(candidates), vader_compare.senti_score(candidates, *options))
            smaller = next((c for c, expected, got in pairs if self.differs(expected, got)), None)
            if smaller is None or not candidates:
                break
            text = smaller
        return text

    def compare(self, name, texts, *options):
        options = self.options + options
        got = vader_compare.senti_score(texts, *options)
        expected = self.judge_all(texts)
        wrong = [at for at in range(len(texts)) if self.differs(expected[at], got[at])]
        self.tap.result(not wrong, "%s: %d texts, %d differ" % (name, len(texts), len(wrong)))
        for at in sorted(wrong, key=lambda at: len(texts[at]))[:5]:
            text = self.minimise(texts[at], *options) if len(texts[at]) < 5000 else texts[at]
            (want,), (have,) = self.judge_all([text]), vader_compare.senti_score([text], *options)
            self.tap.note(json.dumps(text[:500]))
            self.tap.note("  package     %s" % (want,))
            self.tap.note("  senti-score %s" % json.dumps(have))


def start(description, package, version):
    """The command line of a comparison and its Tap; dies if the package is not the judge that it should be."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--sdist", required=True, help="the source distribution of vaderSentiment, unpacked")
    parser.add_argument("--count", type=int, default=100000, help="how many short texts to generate (100000)")
    parser.add_argument("--seed", type=int, default=vader_compare.SEED)
    tap = vader_compare.Tap()
    if metadata.version(package) != version:
        sys.exit("Bail out! the judge is %s %s, this is %s" % (package, version, metadata.version(package)))
    if sys.version_info[:2] != (3, 11):
        tap.note("Python 3.11 is the judge; another one knows other characters than Unicode 14.0's")
    return parser.parse_args(), tap


def rated(tap, sdist):
    texts = vader_compare.rated_texts(sdist)
    tap.result(len(texts) == vader_compare.RATED_TEXTS, "the human-rated texts are %d" % len(texts))
    return texts


def pool(prepare=None):
    return multiprocessing.Pool(JOBS, prepare)
