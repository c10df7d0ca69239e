"""What runs live checks and prints TAP: @check collects them in their order, run() runs them, or those whose names are wanted."""
import time
import traceback

checks = []


def check(f):
    checks.append(f)
    return f


def run(wanted=()):
    """Whether any failed."""
    chosen = [c for c in checks if not wanted or c.__name__ in wanted]
    failed = 0
    for n, c in enumerate(chosen, 1):
        name = c.__doc__ or c.__name__.replace("_", " ")
        begun = time.monotonic()
        try:
            c()
            print(f"ok {n} - {name}", flush=True)
        except Exception:
            failed += 1
            print(f"not ok {n} - {name}", flush=True)
            print("".join(f"# {line}\n" for line in traceback.format_exc().splitlines()), end="", flush=True)
        print(f"# {c.__name__}: {time.monotonic() - begun:.1f} s", flush=True)
    print(f"1..{len(chosen)}")
    return failed > 0
