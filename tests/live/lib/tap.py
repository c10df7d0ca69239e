"""Runs live checks and prints TAP: @check collects them in their order, run() runs them, or those that the arguments name."""
import sys
import time
import traceback

checks = []
# Called after each check, for what must not outlive it.
cleanups = []
# Called after a check that has failed: each returns what else may explain it.
witnesses = []


def check(f):
    """The check's name is its docstring, or else the function's name; what it returns, if anything, is shown with it."""
    checks.append(f)
    return f


class Skip(Exception):
    """Cannot be tested here: why."""


class Tap:
    """Prints one result after another."""

    def __init__(self):
        self.count = self.failed = 0

    def result(self, good, name, why=""):
        self.count += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.count} - {name}", flush=True)
        if not good and why:
            self.note(str(why))

    def note(self, message):
        print("".join(f"# {line}\n" for line in message.splitlines()), end="", flush=True)

    def done(self):
        """Prints the plan; returns the program's status."""
        print(f"1..{self.count}")
        return 1 if self.failed else 0


def run_all(wanted=()):
    """Returns the status."""
    tap = Tap()
    for c in [c for c in checks if not wanted or c.__name__ in wanted]:
        name = c.__doc__ or c.__name__.replace("_", " ")
        began = time.monotonic()
        try:
            said = c()
            tap.result(True, f"{name}: {said}" if said else name)
        except Skip as why:
            tap.result(True, f"{name} # SKIP {why}")
        except Exception:
            tap.result(False, name, traceback.format_exc())
            for witness in witnesses:
                tap.note(witness())
        for cleanup in cleanups:
            cleanup()
        tap.note(f"{c.__name__}: {time.monotonic() - began:.1f} s")
    return tap.done()


def run():
    """For a subject's last line: the program's arguments are a folder and the names of the checks, by default all. Exits."""
    sys.exit(run_all(sys.argv[2:]))
