"""Documents of a MiB that mean harm to /graphql: refused by its limits; and without them worked off in time and memory that grow with their length."""
# seconds: 15
import re
import time

from graphql_help import ask
from serve_raw import Server
from tap import check, run

MIB = 1 << 20
LIMITS = [word for limit in ("tokens", "depth", "aliases", "root-fields", "directives", "cost", "answer", "timeout")
          for word in (f"--graphql-{limit}", "0")]
# What is quadratic in a MiB of 10 bytes a piece is 10^10 steps: minutes. What is linear has room on any machine.
SECONDS, MEMORY = 20, 1 << 30


def documents():
    """Name and document, a MiB each."""
    yield "deep", "{ messages " + "{ edges { node " * (MIB // 15)
    yield "deep and closed", "{a" * (MIB // 3) + "}" * (MIB // 3)
    yield "wide", "{ " + "status { lagMs } " * (MIB // 17) + "}"
    yield "aliases", "{ " + " ".join(f"a{i}: models {{ name }}" for i in range(MIB // 24)) + " }"
    yield "lists", "{ sentiments(texts: " + "[" * MIB + "]) { label } }"
    yield "directives", "{ status { lagMs " + "@skip(if: false) " * (MIB // 17) + "} }"
    yield "overlapping fields", "{ " + "models { name } " * (MIB // 16) + "}"
    yield "overlaps in conflict", "{ " + " ".join(f'a: sentiment(text: "{i}") {{ label }}' for i in range(MIB // 40)) + " }"
    n = MIB // 64
    yield "a fragment bomb", "{ models { ...F0 } } " + " ".join(
        f"fragment F{i} on Model {{ ...F{i + 1} ...F{i + 1} }}" for i in range(n)) + f" fragment F{n} on Model {{ name }}"
    yield "fragments in a circle", "{ models { ...F0 } } " + " ".join(
        f"fragment F{i} on Model {{ name ...F{(i + 1) % n} }}" for i in range(n))
    yield "variables", "query (" + " ".join(f"$v{i}: Int" for i in range(MIB // 12)) + ") { status { lagMs } }"
    yield "a string", '{ sentiment(text: "' + "x" * MIB + '" nope: 1) { label } }'


def refused_as(name):
    """What the limits say of it: all but one are too many tokens, long before anything else is known of them."""
    return 'Unknown argument "nope"' if name == "a string" else "contains more than 1500 tokens"


def peak(server):
    with open(f"/proc/{server.pid}/status") as f:
        return int(re.search(r"VmHWM:\s*(\d+) kB", f.read()).group(1)) << 10


def attack(*options):
    """Sends each document; the longest that one took, and the server's peak of memory."""
    longest = 0, ""
    with Server(*options) as s:
        for name, document in documents():
            began = time.monotonic()
            answer = ask(s, document)
            longest = max(longest, (time.monotonic() - began, name))
            assert options or refused_as(name) in answer["errors"][0]["message"], (name, str(answer)[:200])
        assert ask(s, "{ models { name } }")["data"]["models"][0]["name"] == "vader"
        used = peak(s)
    assert longest[0] < SECONDS and used < MEMORY, (longest, used)
    return f"at most {longest[0] * 1000:.0f} ms ({longest[1]}), {used / MIB:.0f} MiB"


@check
def refused():
    """With its limits the server refuses each, and answers on"""
    return attack()


@check
def worked_off():
    """Without them it validates and runs what it can"""
    return attack(*LIMITS)


run()
