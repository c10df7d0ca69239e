"""senti-score's VADER against the package that it promises to equal (vaderSentiment 3.3.2), in every field.

-0.0, which the package gives when a tiny negative sum is rounded, equals 0, which senti-score writes.
"""
# packages: vaderSentiment
# seconds: 50
import sys

import compare
import vader_texts
from vader_rules import FIELDS, LAYER, differs, explained, layer_texts
from vaderSentiment import vaderSentiment as vader

# From Python 3.12 on, sum() compensates rounding errors; the contract is the sum of 3.11.
vader.sum = compare.left_to_right


def judge(texts):
    """What the package says: one tuple of FIELDS a text."""
    scores = map(vader_texts.ANALYZER.polarity_scores, texts)
    return [tuple(score[field] for field in FIELDS) for score in scores]


def lay_over():
    """In a worker of the pool: the package's lexicon with the layer."""
    vader_texts.ANALYZER.lexicon.update((key.lower(), value) for key, value in LAYER.items())


def main():
    arguments, tap = compare.start(__doc__, "vaderSentiment", "3.3.2")
    rated = compare.rated(tap)
    generated = list(vader_texts.texts(arguments.seed, 2 * arguments.count))
    with compare.pool() as pool:
        run = compare.Comparison(tap, pool, judge, differs)
        run.compare("human-rated", rated)
        run.compare("generated, seed %d" % arguments.seed, generated, "-j", "2")
        run.compare("long", list(vader_texts.long_texts(arguments.seed)))
        run.compare("every character", list(vader_texts.every_character()))
    with compare.layer_file(LAYER) as layer, compare.pool(lay_over) as pool:
        run = compare.Comparison(tap, pool, judge, differs, "--lexicon", "+" + layer.name)
        run.compare("with a user's lexicon", list(layer_texts(arguments.seed, arguments.count // 2)))
    explained(tap, generated[:20000] + rated[:5000])
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
