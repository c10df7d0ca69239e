"""The sums of senti-score -m afinn:LANG against those of the package that it promises to equal (afinn 0.1). The sum is what --explain's values
add up to; the score must follow from it."""
# packages: afinn vaderSentiment
# seconds: 50
import math
import random
import sys

import compare
import vader_texts
from afinn import Afinn

SPECS = [("en", False), ("da", False), ("en", True), ("da", True)]
JUDGES = [Afinn(language=language, emoticons=emoticons) for language, emoticons in SPECS]
EMOTICONS = sorted(JUDGES[0].read_word_file(JUDGES[0].full_filename("AFINN-emoticon-8.txt")))
GAPS = [" ", " ", " ", " ", "-", "'", "  ", "\n", "\t ", "\u3000", "_", "", ".", " - ", "\u2019", "--", "\u0307", "1"]


def judges(number):
    def judge(texts):
        return [JUDGES[number].score(text) for text in texts]

    judge.__qualname__ = judge.__name__ = "judge%d" % number  # so that a pool finds it
    return judge


judge0, judge1, judge2, judge3 = (judges(number) for number in range(4))


def differs(expected, got):
    total = math.fsum(reason["value"] for reason in got["why"])
    score = round(expected / math.sqrt(expected * expected + 15), 4)
    label = "positive" if expected > 0 else "negative" if expected < 0 else "neutral"
    return (expected, score, label) != (total, got["score"], got["label"]) or "neg" in got


def texts(seed, words, count):
    """Entries whole, torn, joined by all kinds of gaps; half of the texts are vader_texts' own."""
    rng = random.Random(seed)
    yield from vader_texts.texts(seed, count // 2)
    phrases = [word for word in words if not word.isalnum()]
    pieces = sorted({piece for phrase in phrases for piece in phrase.replace("-", " ").replace("'", " ").split()})
    for _ in range(count - count // 2):
        out = []
        for _ in range(rng.randint(1, 10)):
            roll = rng.random()
            pool = words if roll < 0.3 else phrases if roll < 0.5 else pieces if roll < 0.7 else EMOTICONS if roll < 0.85 else vader_texts.FOREIGN + ["\u0130", "x", "xo", "1", "_"]
            word = vader_texts.cased(rng, rng.choice(pool))
            if rng.random() < 0.2:
                word = word.replace(" ", rng.choice(GAPS))
            out.append(word + rng.choice(GAPS))
        yield "".join(out)


def explained(tap, spec, given):
    wrong = 0
    for text, result in zip(given, compare.senti_score(given, "-m", spec, "--explain")):
        data = text.encode()
        wrong += sum(data[slice(*reason["at"])] != reason["word"].encode() for reason in result["why"])
    tap.result(wrong == 0, "%s: --explain's words are the bytes that it names: %d are not" % (spec, wrong))


def main():
    arguments, tap = compare.start(__doc__, "afinn", "0.1")
    rated = compare.rated(tap)
    with compare.pool() as pool:
        for number, (language, emoticons) in enumerate(SPECS):
            spec = "afinn:%s%s" % (language, "+emoticons" if emoticons else "")
            words = sorted(JUDGES[language == "da"].read_word_file(JUDGES[number].full_filename({"en": "AFINN-en-165.txt", "da": "AFINN-da-32.txt"}[language])))
            run = compare.Comparison(tap, pool, globals()["judge%d" % number], differs, "-m", spec, "--explain")
            generated = list(texts(arguments.seed + number, words, arguments.count // 4))
            run.compare(spec + ", human-rated", rated if number % 2 == 0 else rated[:2000])
            run.compare(spec + ", generated", generated, "-j", "2")
            explained(tap, spec, generated[-5000:])
        run = compare.Comparison(tap, pool, judge0, differs, "-m", "afinn", "--explain")
        run.compare_more()
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
