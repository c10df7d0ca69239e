"""Reviews as shops export them: reviews.py [--clean] [N] writes N rows of CSV (100,000), the same ones each time.

Dates are as in the United States, 2 % of the rows are in windows-1252 and the rest in UTF-8, 15 % span lines, 10 % are escaped for HTML,
some ratings are NaN, and 1 % of the ids occur twice. --clean: the same reviews as nobody exports them."""

import csv
import datetime
import html
import io
import random
import sys

WORDS = """the a it this and but very really not never battery screen keyboard price quality delivery support works broke good great
excellent love like perfect bad terrible awful hate disappointed waste refund returned recommend happy cheap slow fast after two weeks
months my son wife café naïve “quoted” don't won't it's € 5" disk Müller""".split()
FIRST = datetime.date(2012, 1, 1)


def review(rng: random.Random, number: int) -> dict:
    """One row, and how it is spelled."""
    sentences = [" ".join(rng.choices(WORDS, k=rng.randint(5, 20))) + "." for _ in range(rng.randint(1, 8))]
    kind = rng.random()
    return {
        "id": f"R{number - rng.randint(1, 50) if number > 50 and rng.random() < 0.01 else number}",
        "product": f"B{rng.randint(0, 499):05}",
        "rating": "NaN" if rng.random() < 0.02 else f"{rng.randint(1, 5)}.0",
        "date": FIRST + datetime.timedelta(rng.randint(0, 1999)),
        "title": " ".join(rng.choices(WORDS, k=rng.randint(1, 6))),
        "sentences": sentences,
        "lines": kind < 0.15,
        "escaped": 0.15 <= kind < 0.25,
        "old": rng.random() < 0.02,
    }


def spelled(row: dict, clean: bool) -> bytes:
    """The row as CSV."""
    text = ("\n" if row["lines"] and not clean else " ").join(row["sentences"])
    date = row["date"].isoformat() + "T00:00:00Z" if clean else row["date"].strftime("%m/%d/%Y")
    out = io.StringIO()
    if row["escaped"] and not clean:
        text = html.escape(text)
    csv.writer(out, lineterminator="\n").writerow([row["id"], row["product"], row["rating"], date, row["title"], text])
    return out.getvalue().encode("windows-1252" if row["old"] and not clean else "utf-8")


def main() -> None:
    """Writes all rows."""
    clean = "--clean" in sys.argv
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    rng = random.Random(17)
    sys.stdout.buffer.write(b"id,product,rating,date,title,text\n")
    for number in range(1, (numbers or [100000])[0] + 1):
        sys.stdout.buffer.write(spelled(review(rng, number), clean))


if __name__ == "__main__":
    main()
