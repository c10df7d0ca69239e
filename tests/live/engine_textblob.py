"""senti-score -m textblob against the package that it promises to equal (textblob 0.20.1): polarity and subjectivity as exact doubles."""
# packages: textblob vaderSentiment
# seconds: 70
import random
import sys

import compare
import textblob_texts
import vader_texts
from textblob import _text
from textblob.en import sentiments

# From Python 3.12 on, sum() compensates rounding errors; the contract is the sum of 3.11. The means of the word list are made of it.
_text.sum = compare.left_to_right
textblob_texts.sentiment.clear()
textblob_texts.sentiment.load()

ANALYZER = sentiments.PatternAnalyzer()

# A user's lexicon: new words, known ones, negations, what the rules name, and keys beyond ASCII.
LAYER = {
    "good": -0.9,
    "bad": 0.0,
    "very": 0.25,
    "not": -0.1,
    "no": 0.125,
    "movie": 0.7,
    "the": 0.3,
    "a": -0.2,
    "!": 0.05,
    ":)": -0.4,
    "(!)": 0.45,
    "u.s.": 0.6,
    "EXTREMELY": -1,
    "хорошо": 0.9,
    "Плохо": -0.25,
    "ΟΔΟΣ": 0.35,
    "İYİ": 0.85,
    "日本語": 1.0,
}


def judge(texts):
    return [tuple(ANALYZER.analyze(text)) for text in texts]


def lay_over():
    """In a worker of the pool: the package's lexicon with the layer, as its own annotate() does it."""
    sentiment = textblob_texts.sentiment
    for key, polarity in LAYER.items():
        word = key.lower()
        _, subjectivity, intensity = dict.get(sentiment, word, {None: (0.0, 0.0, 1.0)})[None]
        sentiment.annotate(word, None, polarity, subjectivity, intensity)


def differs(expected, got):
    polarity, subjectivity = expected
    label = "positive" if polarity > 0 else "negative" if polarity < 0 else "neutral"
    return (polarity, subjectivity, label) != (got["score"], got["subjectivity"], got["label"]) or "neg" in got


def layer_texts(seed, count):
    rng = random.Random(seed)
    for text in textblob_texts.texts(seed, count):
        tokens = text.split(" ")
        for _ in range(rng.randint(0, 3)):
            tokens.insert(rng.randint(0, len(tokens)), vader_texts.cased(rng, rng.choice(list(LAYER))))
        yield " ".join(tokens)


def explained(tap, texts):
    """--explain changes no result; its values are the assessments, whose mean is the score; its words are the bytes that it names."""
    plain = compare.senti_score(texts, "-m", "textblob")
    detailed = compare.senti_score(texts, "-m", "textblob", "--explain")
    changed = wrong = misplaced = 0
    for text, p, d in zip(texts, plain, detailed):
        why = d.pop("why")
        changed += p != d
        assessments = ANALYZER.analyze(text, keep_assessments=True).assessments
        wrong += [round(a[1], 9) + 0.0 for a in assessments] != [reason["value"] + 0.0 for reason in why]
        data = text.encode()
        misplaced += sum(data[slice(*reason["at"])] != reason["word"].encode() for reason in why)
    tap.result(changed == 0, "--explain changes no result: %d of %d changed" % (changed, len(texts)))
    tap.result(wrong == 0, "--explain's values are the assessments: %d of %d are not" % (wrong, len(texts)))
    tap.result(misplaced == 0, "--explain's words are the bytes that it names: %d are not" % misplaced)


def main():
    arguments, tap = compare.start(__doc__, "textblob", "0.20.1")
    rated = compare.rated(tap)
    generated = list(textblob_texts.texts(arguments.seed, arguments.count))
    with compare.pool() as pool:
        run = compare.Comparison(tap, pool, judge, differs, "-m", "textblob")
        run.compare("human-rated", rated)
        run.compare("generated, seed %d" % arguments.seed, generated, "-j", "2")
        run.compare("long", list(textblob_texts.long_texts(arguments.seed)))
        run.compare("every character", list(vader_texts.every_character())[::3])
        run.compare_more()
    with compare.layer_file(LAYER) as layer, compare.pool(lay_over) as pool:
        run = compare.Comparison(tap, pool, judge, differs, "-m", "textblob", "--lexicon", "+" + layer.name)
        run.compare("with a user's lexicon", list(layer_texts(arguments.seed, arguments.count // 4)))
    explained(tap, generated[-10000:] + rated[:5000])
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
