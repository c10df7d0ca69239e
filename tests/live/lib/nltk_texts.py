"""nltk_texts - texts that try what sets NLTK's VADER apart, the same ones for the same seed: words that come again in other company and
other case, single marks at the ends of words, short words, rules that see lower case only. Half of the texts are those of vader_texts."""

import random

import vader_texts
from nltk.sentiment.vader import VaderConstants as constants

MARKS = constants.PUNC_LIST + ["!!!!", "?!!", "..", "--", "*", "(", "_", "\u201d", "\u3002", "/", "#"]
TRIGGERS = "never so this least at very kind of sort of just enough but not isn't the bomb shit bad ass yeah right kiss of death hand to mouth cut mustard".split()


def word(rng):
    roll = rng.random()
    if roll < 0.35:
        return rng.choice(vader_texts.WORDS)
    if roll < 0.7:
        return rng.choice(TRIGGERS)
    if roll < 0.8:
        return rng.choice(list(constants.BOOSTER_DICT))
    if roll < 0.88:
        return rng.choice(sorted(constants.NEGATE))
    return rng.choice(vader_texts.NEUTRAL + ["x", "I", "\u00e9", "\u00e9t", "xy", "\U0001d41a"])


def cased(rng, text):
    return vader_texts.cased(rng, text) if rng.random() < 0.4 else text


def again(rng):
    """Few words, many times."""
    few = [cased(rng, word(rng)) for _ in range(rng.randint(2, 7))]
    few.append(rng.choice(vader_texts.WORDS))
    return " ".join(cased(rng, rng.choice(few)) for _ in range(rng.randint(3, 25))) + vader_texts.end(rng)


def marked(rng):
    out = []
    for _ in range(rng.randint(1, 8)):
        before = rng.choice(MARKS) if rng.random() < 0.3 else ""
        after = rng.choice(MARKS) if rng.random() < 0.5 else ""
        inner = word(rng)
        if rng.random() < 0.15:
            at = rng.randint(0, len(inner))
            inner = inner[:at] + rng.choice(MARKS) + inner[at:]
        out.append(cased(rng, before + inner + after))
    return vader_texts.joined(rng, out)


def rules(rng):
    return " ".join(cased(rng, word(rng)) for _ in range(rng.randint(2, 9))) + vader_texts.end(rng)


def texts(seed, count):
    """`count` short texts of all styles, half of them vader_texts' own."""
    rng = random.Random(seed)
    half = count // 2
    yield from vader_texts.texts(seed, half)
    for _ in range(count - half):
        yield rng.choice((again, marked, rules))(rng)


def long_texts(seed):
    rng = random.Random(seed)
    for words in (20000, 5000, 2000):
        yield " ".join(cased(rng, word(rng)) for _ in range(words))
        yield " ".join(vader_texts.cased(rng, rng.choice(("good", "terrible", "not", "but", "VERY"))) for _ in range(words))
    yield "".join("%s " % "".join(rng.choice(pair) for pair in zip("wonderful", "WONDERFUL")) for _ in range(5000))
    for piece in ("not good ", "but ", "good! ", "! ", "x ", "\u3000", "never so good "):
        yield piece * 5000 + "good"
