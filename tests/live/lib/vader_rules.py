"""What the two VADERs share: their fields, a user's lexicon that is hard on the rules, and the sums of --explain."""
import json
import math
import random

import vader_texts
from compare import senti_score

FIELDS = ("compound", "pos", "neu", "neg")

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


def label_of(compound):
    return "positive" if compound >= 0.05 else "negative" if compound <= -0.05 else "neutral"


def differs(expected, got):
    compound, pos, neu, neg = expected
    return (
        (compound, pos, neu, neg) != (got["score"], got["pos"], got["neu"], got["neg"])
        or got["label"] != label_of(compound)
    )


def explained(tap, texts, *options):
    """--explain changes no score; its values sum up to the raw score, and its words are where it says."""
    plain, detailed = senti_score(texts, *options), senti_score(texts, *options, "--explain")
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
