"""senti-score -m vader-nltk against NLTK's SentimentIntensityAnalyzer (nltk 3.10.4) on the word list of vaderSentiment, in every field."""
# packages: nltk vaderSentiment
# seconds: 35
import os
import sys

import compare
import nltk_texts
import vader_texts
from vader_rules import FIELDS, LAYER, differs, explained, layer_texts
from nltk.sentiment import vader
from vaderSentiment import vaderSentiment

# NLTK downloads its word list, which no package has; the other package's takes its place.
LEXICON = os.path.join(os.path.dirname(vaderSentiment.__file__), "vader_lexicon.txt")
with open(LEXICON, encoding="utf-8") as file:
    WORDS = file.read().rstrip("\n")


class Analyzer(vader.SentimentIntensityAnalyzer):
    def __init__(self):
        self.lexicon_file = WORDS
        self.lexicon = self.make_lex_dict()
        self.constants = vader.VaderConstants()


# From Python 3.12 on, sum() compensates rounding errors; the contract is the sum of 3.11.
vader.sum = compare.left_to_right
ANALYZER = Analyzer()


def judge(texts):
    scores = map(ANALYZER.polarity_scores, texts)
    return [tuple(score[field] for field in FIELDS) for score in scores]


def lay_over():
    """In a worker of the pool: the analyzer's lexicon with the layer."""
    ANALYZER.lexicon.update((key.lower(), value) for key, value in LAYER.items())


def main():
    arguments, tap = compare.start(__doc__, "nltk", "3.10.4")
    rated = compare.rated(tap)
    generated = list(nltk_texts.texts(arguments.seed, arguments.count))
    with compare.pool() as pool:
        run = compare.Comparison(tap, pool, judge, differs, "-m", "vader-nltk")
        run.compare("human-rated", rated)
        run.compare("generated, seed %d" % arguments.seed, generated, "-j", "2")
        run.compare("long", list(nltk_texts.long_texts(arguments.seed)))
        run.compare("every character", list(vader_texts.every_character())[::3])
        run.compare_more()
    with compare.layer_file(LAYER) as layer, compare.pool(lay_over) as pool:
        run = compare.Comparison(tap, pool, judge, differs, "-m", "vader-nltk", "--lexicon", "+" + layer.name)
        run.compare("with a user's lexicon", list(layer_texts(arguments.seed, arguments.count // 4)))
    explained(tap, generated[-10000:] + rated[:5000], "-m", "vader-nltk")
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
