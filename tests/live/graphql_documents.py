"""lib/graphql beside graphql-js on generated documents, sound ones and ones in which something is off, without limits."""
# needs: node
# npm: graphql
# programs: graphql_documents
# seconds: 20
import json
import os
import subprocess

import tap
from tap import check, run

DIR = os.sys.argv[1]
LIB = os.path.dirname(tap.__file__)
SEED, DOCUMENTS, EXECUTED = 1, 6000, 2000


def path(name):
    return os.path.join(DIR, name)


def generate():
    """How many documents break which rule, are executed and so on; DIR has the questions, the data and graphql-js' answers."""
    done = subprocess.run(["node", os.path.join(LIB, "graphql_documents.mjs"), str(SEED), str(DOCUMENTS), DIR], capture_output=True, text=True,
                          timeout=600)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def answer():
    """Question, graphql-js' answer and ours, of each document."""
    program = os.path.join(os.environ["SENTI_BUILD"], "tests/live/lib/graphql_documents")
    with open(path("questions")) as questions, open(path("got"), "w") as got:
        subprocess.run([program, os.path.join(LIB, "graphql_documents.graphql"), path("data.json")], stdin=questions, stdout=got, check=True,
                       timeout=300)
    with open(path("questions")) as questions, open(path("answers")) as answers, open(path("got")) as got:
        return [tuple(map(json.loads, row)) for row in zip(questions, answers, got, strict=True)]


def is_null_on(data, steps):
    """Whether the answer is null somewhere on this path."""
    for step in steps.split("."):
        if data is None:
            return True
        data = data[int(step)] if isinstance(data, list) else data.get(step)
    return False


def same(want, got):
    """Equal; or there are more errors in what became null: graphql-js does not execute what stands beside a failure in such an object, lib/graphql
    may, and then says what fails there too. The specification leaves that open (section 6.4.4)."""
    if want == got:
        return True
    if "data" not in want or want["data"] != got.get("data") or not set(want["errors"]) <= set(got["errors"]):
        return False
    return all(is_null_on(want["data"], e.split(" ")[0]) for e in set(got["errors"]) - set(want["errors"]))


def rows_of(kind):
    return [row for row in rows if kind in row[1]]


def compare(kind):
    of_kind = rows_of(kind)
    differ = [row for row in of_kind if not same(row[1], row[2])]
    assert not differ, f"{len(differ)} of {len(of_kind)} differ; the first:\n" + "\n".join(map(json.dumps, differ[0]))
    return len(of_kind)


@check
def every_rule():
    """The documents break every rule of the specification"""
    assert len(rows) == DOCUMENTS and not made["missed"], made
    return ", ".join(f"{name} {n}" for name, n in sorted(made["seen"].items()))


@check
def verdicts():
    """Each document is refused by the one as by the other: as a text, as a document, for its variables, or not at all"""
    differ = [row for row in rows if set(row[1]) != set(row[2])]
    assert not differ, f"{len(differ)} differ; the first:\n" + "\n".join(map(json.dumps, differ[0]))


@check
def syntax():
    """Where a text stops being a document"""
    return compare("syntax")


@check
def rules():
    """Which rules are broken, and where"""
    return compare("wrong")


@check
def variables():
    """Which variables cannot be what they are"""
    return compare("refused")


@check
def execution():
    """Data, and paths and places of errors"""
    n = compare("data")
    assert n >= EXECUTED, n
    failed = [row for row in rows_of("data") if row[1]["errors"]]
    assert len(failed) > EXECUTED / 20, len(failed)
    exact = sum(want == got for _, want, got in rows_of("data"))
    return f"{n}, of which {len(failed)} have errors; {n - exact} have more than graphql-js in what became null"


made = generate()
rows = answer()
run()
