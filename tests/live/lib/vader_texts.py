"""vader_texts - texts that try VADER's rules and everything Unicode has to offer, the same ones for the same seed.

The pools come from the package's own tables, so that every entry can turn up. Each style below leans on one group of rules; `texts` mixes
them. Texts hold neither surrogates nor U+0000, which no record may hold.
"""

import random
import sys
import unicodedata

from vaderSentiment import vaderSentiment as vader

ANALYZER = vader.SentimentIntensityAnalyzer()

LEXICON = sorted(ANALYZER.lexicon)
WORDS = [w for w in LEXICON if w.isalpha()]
STRONG = [w for w in WORDS if abs(ANALYZER.lexicon[w]) >= 2.5]
EMOTICONS = [w for w in LEXICON if not w.isalnum()]
BOOSTERS = [w for w in vader.BOOSTER_DICT]
NEGATIONS = list(vader.NEGATE)
IDIOMS = list(vader.SPECIAL_CASES) + list(vader.SENTIMENT_LADEN_IDIOMS)
EMOJI_ONE = sorted(e for e in ANALYZER.emojis if len(e) == 1)
EMOJI_MANY = sorted(e for e in ANALYZER.emojis if len(e) > 1)
NEUTRAL = "the a table of on it was is and my two house train today 12 3.5 http://t.co/x @you #tag e-mail x".split()
TRIGGERS = (
    "no no nor or not never never so so this this without doubt least least at very but but kind of sort just enough the "
    "shit bomb bad ass yeah right kiss death to die for bus stop beating heart good bad great isn't don't n't can't hardly "
    "barely extremely badass x y table"
).split()

SPACES = [chr(c) for c in range(sys.maxunicode + 1) if chr(c).isspace()]
NEAR_SPACES = list("\u180e\u200b\u200c\u200d\u2060\ufeff\u00ad\x08\x0e\x1b\x7f\u2800\u3164")
CONTROLS = [chr(c) for c in list(range(1, 32)) + list(range(127, 160))]
PUNCTUATION = list(vader.string.punctuation)
OTHER_PUNCTUATION = list("\u2018\u2019\u201c\u201d\u2026\u2014\u00bf\u00a1\u3002\uff01\uff1f\u203d\u2047\ufe56\u00ab\u00bb")
COMBINING = list("\u0300\u0301\u0308\u0327\u20e3\ufe0e\ufe0f\u0345\u05b0\u064b\u094d")
JOINERS = list("\u200d\ufe0f\ufe0e\u20e3\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff\U0001f1e6\U0001f1fa\U000e0067\U000e007f")


def by_case():
    """Characters whose case is unusual: mapped to several, to or from ASCII, without a partner, or titlecase."""
    odd = set("\u212a\u212b\u0130\u0131\u017f\u00df\u1e9e\u00aa\u00ba\u2167\u2177\u24b6\u24d0\u03a3\u03c2\u03c3\u0345\u0149\ufb01")
    for c in range(1, sys.maxunicode + 1):
        ch = chr(c)
        if unicodedata.category(ch) == "Lt" or len(ch.lower()) > 1:
            odd.add(ch)
        elif c > 127 and (ch.lower().isascii() or ch.upper().isascii()):
            odd.add(ch)
        elif ch.isupper() and ch.lower() == ch or ch.isupper() and unicodedata.category(ch) != "Lu":
            odd.add(ch)
        elif ch.islower() and unicodedata.category(ch) != "Ll":
            odd.add(ch)
    return sorted(odd)


ODD_CASE = by_case()
FOREIGN = (
    "ΚΑΛΟΣ Καλός ΟΔΟΣ ХОРОШО хорошо Плохо ԱՅՈ ՆԻ ᏣᎳᎩ ꭰꮳ ႠႡ ᲐᲑ აბ ⰀⰁ 𐐀𐐁 𐐨𐐩 𞤀𞤁 𞤢 ÉTÉ été Été ÜBEL übel ＧＯＯＤ ｇｏｏｄ 𝐆𝐎𝐎𝐃 Ⓖⓞⓞⓓ ⅧⅨ ⅷ "
    "ǅ ǈ ᾈ 日本語 مرحبا שלום नमस्ते 좋아요 สวัสดี ƏLA İYİ ıyı STRASSE straße STRAẞE ﬁne ½ ² ªº"
).split()
SWAPS = {"k": "\u212aKk", "s": "\u017fSs", "i": "\u0130\u0131Ii", "o": "\u043e\u03bfOo\uff4f", "a": "\u00e5\u0430A\uff21", "e": "\u0435\u00e9E"}


def cased(rng, word):
    """The word as it is, or in another case."""
    roll = rng.random()
    if roll < 0.66:
        return word
    if roll < 0.82:
        return word.upper()
    if roll < 0.91:
        return word.title()
    if roll < 0.97:
        return "".join(c.upper() if rng.random() < 0.5 else c.lower() for c in word)
    return "".join(rng.choice(SWAPS[c]) if c in SWAPS and rng.random() < 0.5 else c for c in word)


def glued(rng, word):
    """The word, now and then with punctuation stuck to it."""
    roll = rng.random()
    if roll < 0.72:
        return word
    marks = PUNCTUATION if roll < 0.97 else OTHER_PUNCTUATION
    before = "".join(rng.choices(marks, k=rng.choice((0, 0, 1, 2))))
    after = "".join(rng.choices(marks, k=rng.choice((0, 1, 1, 2, 3))))
    return before + word + after


def end(rng):
    return rng.choice(("", "", "", "", ".", "!", "!!", "!!!", "!!!!", "!!!!!", "?", "??", "???", "????", "?!", "!?!?", " !", " ? ?"))


def space(rng):
    roll = rng.random()
    if roll < 0.9:
        return " "
    if roll < 0.96:
        return rng.choice(SPACES)
    if roll < 0.98:
        return "".join(rng.choices(SPACES, k=rng.randint(2, 4)))
    return rng.choice(NEAR_SPACES)


def joined(rng, tokens):
    out = []
    for token in tokens:
        out.append(token)
        out.append(space(rng))
    return "".join(out[:-1])


def any_word(rng):
    roll = rng.random()
    if roll < 0.35:
        return rng.choice(WORDS)
    if roll < 0.40:
        return rng.choice(LEXICON)
    if roll < 0.52:
        return rng.choice(BOOSTERS)
    if roll < 0.64:
        return rng.choice(NEGATIONS)
    if roll < 0.70:
        return rng.choice(IDIOMS)
    if roll < 0.80:
        return rng.choice(TRIGGERS)
    if roll < 0.82:
        return rng.choice(EMOTICONS)
    return rng.choice(NEUTRAL)


def sentence(rng):
    """All kinds of words, cases and marks."""
    return joined(rng, [glued(rng, cased(rng, any_word(rng))) for _ in range(rng.randint(1, 14))]) + end(rng)


def dense(rng):
    """Only words that rules wait for, close together."""
    words = [rng.choice(TRIGGERS) for _ in range(rng.randint(2, 9))]
    if rng.random() < 0.3:
        words = [cased(rng, w) for w in words]
    return " ".join(words) + end(rng)


def around_idiom(rng):
    words = [rng.choice(TRIGGERS + NEUTRAL) for _ in range(rng.randint(0, 4))]
    words.append(rng.choice(IDIOMS))
    words += [any_word(rng) for _ in range(rng.randint(0, 4))]
    return joined(rng, [cased(rng, w) if rng.random() < 0.3 else w for w in words]) + end(rng)


TEMPLATES = [
    template.split()
    for template in (
        "? never so W",
        "? never this W",
        "never so ? W",
        "never this ? W",
        "? ? so W",
        "? ? this W",
        "without doubt W",
        "? without doubt W",
        "without doubt ? W",
        "without ? doubt W",
        "without a doubt W",
        "at least W",
        "very least W",
        "? least W",
        "least W",
        "least W at",
        "least W very",
        "least least W",
        "least ? W",
        "no W or W",
        "no W nor W",
        "no ? or W",
        "no ? nor W",
        "no W W W",
        "no no W",
        "no W and W",
        "kind of W",
        "? kind of W",
        "kind of ? W",
        "sort of ? W",
        "just enough W",
        "? just enough W",
        "just enough ? W",
        "N N N W",
        "B B B W",
        "N B W",
        "B N W",
    )
]


def by_template(rng):
    """The rules that name particular words, which chance alone seldom brings together."""
    pools = {"?": NEUTRAL + TRIGGERS, "W": WORDS, "N": NEGATIONS, "B": BOOSTERS}
    words = [rng.choice(NEUTRAL) for _ in range(rng.choice((0, 0, 1, 2, 3)))]
    for part in rng.choice(TEMPLATES):
        words.append(rng.choice(pools[part]) if part in pools else part)
    words += [any_word(rng) for _ in range(rng.choice((0, 0, 1, 2)))]
    return " ".join(cased(rng, w) if rng.random() < 0.15 else w for w in words) + end(rng)


# Values of which one becomes another when `but` halves it or adds a half to it.
RELATED = [w for w in WORDS if abs(ANALYZER.lexicon[w]) in (0.4, 0.6, 0.8, 0.9, 1.2, 1.6, 1.8, 2.4, 2.7, 3.2)]


def around_but(rng):
    """`but` in several places among few values, so that equal ones meet."""
    pool = RELATED if rng.random() < 0.7 else WORDS
    few = [rng.choice(pool) for _ in range(rng.randint(1, 3))] + ["table", "not", "very"]
    if pool is RELATED:
        few += [w for w in rng.sample(RELATED, 60) if abs(ANALYZER.lexicon[w]) in (abs(ANALYZER.lexicon[few[0]]) * f for f in (0.5, 2, 1.5))][:3]
    words = [rng.choice(few) for _ in range(rng.randint(2, 14))]
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        words.insert(rng.randint(0, len(words)), rng.choice(("but", "but", "But", "BUT", "but,", "(but)")))
    return " ".join(words) + end(rng)


def cancelling(rng):
    """Values that sum up to nearly nothing, where the order of the additions decides."""
    words = [rng.choice(WORDS) for _ in range(rng.randint(1, 4))]
    total = sum(ANALYZER.lexicon[w] for w in words)
    words += [w for w in rng.sample(WORDS, 400) if abs(ANALYZER.lexicon[w] + total) < 0.05][:1]
    rng.shuffle(words)
    return " ".join(words) + rng.choice(("!", "!!", "??", "???", "!?!?", ""))


def with_emoji(rng):
    parts = []
    for _ in range(rng.randint(1, 8)):
        roll = rng.random()
        if roll < 0.35:
            parts.append(rng.choice(EMOJI_ONE))
        elif roll < 0.5:
            parts.append(rng.choice(EMOJI_MANY))
        elif roll < 0.65:
            parts.append(rng.choice(JOINERS))
        elif roll < 0.75:
            parts.append(rng.choice((" ", " ", "!", "?", "\n", "\u00a0")))
        else:
            parts.append(cased(rng, any_word(rng)))
        if rng.random() < 0.4:
            parts.append(" ")
    return "".join(parts) + end(rng)


def with_odd_case(rng):
    words = []
    for _ in range(rng.randint(1, 7)):
        roll = rng.random()
        if roll < 0.25:
            words.append(rng.choice(FOREIGN))
        elif roll < 0.45:
            words.append("".join(rng.choice(ODD_CASE) for _ in range(rng.randint(1, 3))))
        elif roll < 0.6:
            word = list(rng.choice(WORDS).upper())
            word.insert(rng.randint(0, len(word)), rng.choice(ODD_CASE + COMBINING))
            words.append("".join(word))
        elif roll < 0.8:
            word = rng.choice(WORDS + BOOSTERS + NEGATIONS)
            words.append("".join(rng.choice(SWAPS[c]) if c in SWAPS and rng.random() < 0.4 else c for c in word))
        else:
            words.append(cased(rng, rng.choice(STRONG)).upper())
    return joined(rng, words) + end(rng)


def with_marks(rng):
    """Emoticons and punctuation, with and without blanks between."""
    parts = []
    for _ in range(rng.randint(1, 8)):
        roll = rng.random()
        if roll < 0.4:
            parts.append(rng.choice(EMOTICONS))
        elif roll < 0.6:
            parts.append("".join(rng.choices(PUNCTUATION + OTHER_PUNCTUATION, k=rng.randint(1, 5))))
        elif roll < 0.75:
            parts.append(rng.choice(("no", "ok", "so", "hi", "xd", "x", "at", "be", "\u00e9t", "\U0001d41a", "n't", "isn\u2019t", "ain't")))
        else:
            parts.append(any_word(rng))
        if rng.random() < 0.6:
            parts.append(rng.choice((" ", " ", " ", "  ", "\t")))
    return "".join(parts)


def any_character(rng):
    roll = rng.random()
    if roll < 0.25:
        c = rng.randint(1, sys.maxunicode)
    elif roll < 0.6:
        c = rng.randint(1, 0xFFFF)
    elif roll < 0.75:
        c = rng.randint(1, 0x2FF)
    else:
        return rng.choice(rng.choice((ODD_CASE, SPACES, NEAR_SPACES, COMBINING, CONTROLS, EMOJI_ONE, PUNCTUATION, JOINERS)))
    return "\ufffd" if 0xD800 <= c <= 0xDFFF else chr(c)


def garbage(rng):
    out = []
    for _ in range(rng.randint(1, 30)):
        out.append(any_character(rng) if rng.random() < 0.85 else rng.choice((" ", rng.choice(WORDS), rng.choice(STRONG).upper())))
    return "".join(out)


def blanks(rng):
    return "".join(rng.choice(SPACES + NEAR_SPACES + CONTROLS) for _ in range(rng.randint(0, 6)))


STYLES = (
    (sentence, 26),
    (dense, 10),
    (by_template, 10),
    (around_idiom, 10),
    (around_but, 10),
    (cancelling, 5),
    (with_emoji, 9),
    (with_odd_case, 8),
    (with_marks, 6),
    (garbage, 5),
    (blanks, 1),
)


def texts(seed, count):
    """`count` short texts of all styles."""
    rng = random.Random(seed)
    makers = [maker for maker, _ in STYLES]
    weights = [weight for _, weight in STYLES]
    for maker in rng.choices(makers, weights, k=count):
        yield maker(rng)


def long_texts(seed):
    """Texts of up to 20,000 words. The package's time grows with words times lexicon words: few of these are in the longest ones."""
    rng = random.Random(seed)
    for words, lexicon_words in ((20000, 60), (20000, 20), (20000, 0), (10000, 100), (5000, 300), (2000, 600), (2000, 2000)):
        tokens = [rng.choice(NEUTRAL + NEGATIONS + BOOSTERS[:5]) for _ in range(words)]
        for at in rng.sample(range(words), lexicon_words):
            tokens[at] = rng.choice(WORDS)
        tokens = [cased(rng, token) for token in tokens]
        yield joined(rng, tokens) + end(rng)
        yield " ".join(t for t in tokens if t.lower() != "but")
        tokens[rng.randrange(words)] = "but"
        yield " ".join(tokens)
    yield "not good " * 1000
    yield "but " * 3000 + "good"
    yield ("good " * 400 + "but ") * 2 + "bad " * 400
    yield "x" * 200000 + " good"
    yield "!" * 100000 + "good"
    yield "😀" * 3000
    yield " " * 100000 + "good" + "\u3000" * 50000


def every_character():
    """Each character of Unicode where its properties show: is it a space, uppercase, lowercase or titlecase, punctuation, an emoji?
    Of the code points without a character (and of private use), one in 64."""
    for c in range(1, sys.maxunicode + 1):
        ch = chr(c)
        category = unicodedata.category(ch)
        if category == "Cs" or category in ("Cn", "Co") and c % 64:
            continue
        yield ch + " GOOD"
        yield "A" + ch + " GOOD"
        yield ch + "good" + ch + " x bad" + ch + "good"
