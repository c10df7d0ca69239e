"""textblob_texts - texts that try TextBlob's tokenizer and rules, the same ones for the same seed.

The pools come from the package's own tables. Half of the texts are those of vader_texts, which know all of Unicode. Texts hold neither
surrogates nor U+0000, which no record may hold.
"""

import random

import vader_texts
from textblob import _text
from textblob.en import sentiment

sentiment.load()

LEXICON = {word: tags for word, tags in dict.items(sentiment) if " " not in word and "'" not in word}
WORDS = sorted(LEXICON)
MODIFIERS = sorted(word for word in WORDS if "RB" in LEXICON[word])
STRONG = sorted(word for word in WORDS if LEXICON[word][None][2] != 1.0)
AT_EDGE = sorted(word for word in WORDS if word[-1] in "xo38" or word[0] in "dpbcosx3")
NEGATIONS = ["no", "not", "n't", "never", "don't", "isn't", "can't", "No", "NOT", "Never", "nor", "none", "cannot"]
EMOTICONS = sorted(face for faces in _text.EMOTICONS.values() for face in faces)
ABBREVIATIONS = sorted(_text.ABBREVIATIONS)
MARKS = sorted(set(_text.PUNCTUATION + "%/<>\\\u2014\u2026\u00b0\u2665"))
QUOTES = list("'\"\u201c\u201d\u2018\u2019")
FILLERS = "the a is I it on x X D P p b 3 8 o O s S c _O .O O. o. xD XD movie \u00e9 \u0130 \u0130a a\u0130 \u2665 \u00b0 O\u00b0 \u00b0o\u00b0 U.S. T. Mr. Dr. Xyz. Bcd|. B|. e.g. w/ 3.5 END-OF-SENTENCE".split()
ENDS = ["", "", ".", "..", "...", "....", "......", "!", "!!", "!!!!", "?", "?!", "!)", "(!)", "( ! )", "( !)", "(! )", ". . .", ".\"", ".'", ".)", "!\u201d", ".\u2019)", "\n\n", "\r\n\r\n", "\n\r\n", " \n\n ", "\n \n"]


def cased(rng, word):
    return vader_texts.cased(rng, word)


def any_token(rng):
    roll = rng.random()
    if roll < 0.25:
        return cased(rng, rng.choice(WORDS))
    if roll < 0.35:
        return cased(rng, rng.choice(MODIFIERS))
    if roll < 0.42:
        return cased(rng, rng.choice(STRONG))
    if roll < 0.54:
        return rng.choice(NEGATIONS)
    if roll < 0.62:
        return rng.choice(EMOTICONS)
    if roll < 0.66:
        return rng.choice(ABBREVIATIONS)
    if roll < 0.70:
        return rng.choice(AT_EDGE)
    if roll < 0.84:
        return rng.choice(FILLERS)
    return rng.choice(MARKS) * rng.choice((1, 1, 1, 2, 3, 4))


def space(rng):
    return " " if rng.random() < 0.9 else rng.choice(["", "  ", "\n", "\n\n", "\r\n", "\t", rng.choice(vader_texts.SPACES), rng.choice(vader_texts.NEAR_SPACES)])


def sentence(rng):
    """All kinds of tokens."""
    return "".join(any_token(rng) + space(rng) for _ in range(rng.randint(1, 14))) + rng.choice(ENDS)


def reach(rng):
    """Modifiers and negations, with short and long words between them and what they reach."""
    out = []
    for _ in range(rng.randint(1, 4)):
        out += rng.choices([rng.choice(MODIFIERS), rng.choice(STRONG), rng.choice(NEGATIONS)], k=rng.randint(1, 3))
        out += rng.choices(["a", "is", "the", "I", "'", "\u00e9", "\u0130", ",", ":3", "!", "(!)", "...", "%"], k=rng.choice((0, 0, 1, 1, 2)))
        out.append(rng.choice(WORDS))
        if rng.random() < 0.3:
            out.append("!" * rng.randint(1, 4))
    return " ".join(cased(rng, word) for word in out)


def torn(rng):
    """Emoticons with blanks in them, next to one another and to words."""
    out = []
    for _ in range(rng.randint(1, 7)):
        face = rng.choice(EMOTICONS)
        face = "".join(c + (" " if rng.random() < 0.4 else "") for c in face)
        out.append(cased(rng, face) if rng.random() < 0.2 else face)
        out.append(rng.choice(["", "", " ", " ", "\n\n", " END-OF-SENTENCE ", rng.choice(AT_EDGE), rng.choice(WORDS), rng.choice(MARKS), rng.choice(FILLERS)]))
    return "".join(out) + rng.choice(ENDS)


def marks(rng):
    """Marks and dots at both ends of anything, and quotes within."""
    out = []
    for _ in range(rng.randint(1, 6)):
        core = rng.choice([rng.choice(WORDS), rng.choice(ABBREVIATIONS), rng.choice(FILLERS), "", "n't", "U.S.A.", "x.y", "Bcdfz.", "Mr.", "B.."])
        for _ in range(rng.randint(0, 2)):
            at = rng.randint(0, len(core))
            core = core[:at] + rng.choice(QUOTES + MARKS) + core[at:]
        pool = MARKS + ["."] * 10 + ["..."] * 4 + QUOTES
        out.append("".join(rng.choices(pool, k=rng.choice((0, 1, 2, 4)))) + core + "".join(rng.choices(pool, k=rng.choice((0, 1, 2, 5)))))
    return "".join(token + space(rng) for token in out)


def letters(rng):
    """Any of the characters that the tokenizer knows, in any order."""
    pool = " " * 12 + "'\".:;)(!?-=oODxX8<>3dmsrelvnt\n\r/\\^_*[]{}PpbcS\u00b0\u2665\u201c\u201d\u2018\u2019\u212a\u0130\u3000%"
    return "".join(rng.choices(pool, k=rng.randint(1, 40))) + rng.choice([" good", "", " very bad"])


STYLES = (sentence, reach, torn, marks, letters)


def texts(seed, count):
    """`count` short texts of all styles, half of them vader_texts' own."""
    rng = random.Random(seed)
    half = count // 2
    yield from vader_texts.texts(seed, half)
    for _ in range(count - half):
        yield rng.choice(STYLES)(rng)


def long_texts(seed):
    """Texts of thousands of tokens; no longer, since parts of the package are quadratic."""
    rng = random.Random(seed)
    for maker in STYLES:
        yield " ".join(maker(rng) for _ in range(300))
    for piece in ("not good ", "!", "(", ".", ". ", "a.", ":) ", ":", ": ) ", "' ", "n't", "( ! ) ", ".!", "very ", "not ", "...!", "x", "\n"):
        yield piece * 3000 + "good"
