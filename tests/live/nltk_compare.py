"""nltk_compare - runs texts through senti-score -m vader-nltk and through NLTK's SentimentIntensityAnalyzer on the word list of vaderSentiment,
compares every field as exact numbers, prints TAP."""

import json
import math
import os
import sys
import tempfile

import engine_compare
import nltk_texts
import vader_compare
import vader_texts
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
vader.sum = vader_compare.left_to_right
ANALYZER = Analyzer()


def judge(texts):
    scores = map(ANALYZER.polarity_scores, texts)
    return [tuple(score[field] for field in vader_compare.FIELDS) for score in scores]


def lay_over():
    """In a worker of the pool: the analyzer's lexicon with the layer."""
    ANALYZER.lexicon.update((key.lower(), value) for key, value in vader_compare.LAYER.items())


def explained(tap, texts):
    """--explain changes no result; its values sum up to the raw score."""
    plain = vader_compare.senti_score(texts, "-m", "vader-nltk")
    detailed = vader_compare.senti_score(texts, "-m", "vader-nltk", "--explain")
    changed = wrong = misplaced = 0
    for text, p, d in zip(texts, plain, detailed):
        why = d.pop("why")
        changed += p != d
        raw = math.fsum(reason["value"] for reason in why)
        wrong += abs(raw / math.sqrt(raw * raw + 15) - d["score"]) > 1e-4
        data = text.encode()
        misplaced += sum(data[slice(*reason["at"])] != reason["word"].encode() for reason in why)
    tap.result(changed == 0, "--explain changes no result: %d of %d changed" % (changed, len(texts)))
    tap.result(wrong == 0, "--explain's values sum up to the raw score: %d of %d do not" % (wrong, len(texts)))
    tap.result(misplaced == 0, "--explain's words are the bytes that it names: %d are not" % misplaced)


def main():
    arguments, tap = engine_compare.start(__doc__, "nltk", "3.10.4")
    rated = engine_compare.rated(tap, arguments.sdist)
    generated = list(nltk_texts.texts(arguments.seed, arguments.count))
    with engine_compare.pool() as pool:
        run = engine_compare.Comparison(tap, pool, judge, vader_compare.differs, "-m", "vader-nltk")
        run.compare("human-rated", rated)
        run.compare("generated, seed %d" % arguments.seed, generated, "-j", "2")
        run.compare("long", list(nltk_texts.long_texts(arguments.seed)))
        run.compare("every character", list(vader_texts.every_character())[::3])
        if os.environ.get("SENTI_TEXTS"):  # more texts, as records with a text
            with open(os.environ["SENTI_TEXTS"], encoding="utf-8") as file:
                run.compare("from SENTI_TEXTS", [json.loads(line)["text"] for line in file])
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".tsv") as layer, engine_compare.pool(lay_over) as pool:
        layer.write("".join("%s\t%r\n" % entry for entry in vader_compare.LAYER.items()))
        layer.flush()
        run = engine_compare.Comparison(tap, pool, judge, vader_compare.differs, "-m", "vader-nltk", "--lexicon", "+" + layer.name)
        run.compare("with a user's lexicon", list(vader_compare.layer_texts(arguments.seed, arguments.count // 4)))
    explained(tap, generated[-10000:] + rated[:5000])
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
