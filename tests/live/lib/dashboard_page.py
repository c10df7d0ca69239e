"""The dashboard in a browser, as its checks use it: one Chromium for all of them, a context for each page, and what none of them may do."""
import json
import os
import re
import shutil
from contextlib import contextmanager
from urllib.parse import parse_qsl, urlsplit

from playwright.sync_api import expect, sync_playwright

from serve_raw import Server, wait

SECONDS = 30
SHOTS = os.path.join(os.environ["SENTI_BUILD"], "tests", "live", "dashboard")
AXE = os.path.join(os.environ["SENTI_NPM"], "axe-core", "axe.min.js")
# What a browser says when its policy stops something.
WATCH = """window.refused = [];
document.addEventListener('securitypolicyviolation', e => refused.push(e.violatedDirective + ' ' + e.blockedURI));"""

expect.set_options(timeout=SECONDS * 1000)
running = []


def browser():
    """Started once."""
    if not running:
        play = sync_playwright().start()
        args = ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--js-flags=--expose-gc"]
        running.append((play, play.chromium.launch(executable_path=shutil.which("chromium"), args=args)))
    return running[0][1]


def close_browser():
    while running:
        play, b = running.pop()
        b.close()
        play.stop()


class Page:
    """`server` is one of serve_raw, or the address under which users reach it."""

    def __init__(self, server, at="", **options):
        self.url = server if isinstance(server, str) else f"http://{server.address}"
        self.context = browser().new_context(**{"viewport": {"width": 1280, "height": 900}, "timezone_id": "Europe/Berlin", "locale": "en-GB", **options})
        self.context.set_default_timeout(SECONDS * 1000)
        self.asked, self.said = [], []
        self.context.on("request", lambda r: self.asked.append((r.method, r.url)))
        self.context.add_init_script(WATCH)
        self.page = self.context.new_page()
        self.page.on("console", lambda m: self.said.append(f"{m.type}: {m.text}"))
        self.page.on("pageerror", lambda e: self.said.append(f"error: {e}"))
        self.open(at)

    def open(self, at=""):
        self.page.goto(f"{self.url}/{at}")

    def find(self, selector, **more):
        return self.page.locator(selector, **more)

    def button(self, name, **more):
        return self.page.get_by_role("button", name=name, **more)

    def drawn(self):
        """Waits until the charts stand there."""
        expect(self.find("#over-time:not([aria-busy]) #plot-share canvas")).to_be_visible()
        return self

    def listed(self, n):
        """Waits until the table has n rows."""
        expect(self.find("#rows tr")).to_have_count(n)
        return self

    def live(self):
        """Waits until the feed is connected."""
        expect(self.find("#feed-state")).to_have_text("Live")
        return self

    def texts(self):
        return self.find("#rows .c-text").all_inner_texts()

    def all_texts(self, part):
        """Waits until the table has texts, and all have this part."""
        wait(lambda: (texts := self.texts()) and all(part in t.lower() for t in texts), f"all have '{part}'")

    def scores(self):
        return [float(t.replace("−", "-")) for t in self.find("#rows .c-score").all_inner_texts()]

    def state(self):
        """What the address says."""
        return dict(parse_qsl(self.page.evaluate("location.hash.slice(1)")))

    def saved(self, click):
        """The bytes of the file that a click saves, and its name."""
        with self.page.expect_download() as given:
            click()
        with open(given.value.path(), "rb") as f:
            return f.read(), given.value.suggested_filename

    def paths(self, pattern):
        return [url for method, url in self.asked if re.search(pattern, url)]

    def heap(self, session):
        """Bytes that are used after all garbage is collected."""
        session.send("HeapProfiler.collectGarbage")
        return session.send("Runtime.getHeapUsage")["usedSize"]

    def trace(self):
        """Begins to measure."""
        browser().start_tracing(page=self.page, categories=["toplevel", "devtools.timeline"])

    def tasks(self):
        """The page's tasks since trace(): their milliseconds of processor time, so that other processes do not count; and without what the test asks of
        the page, which comes by messages."""
        events = json.loads(browser().stop_tracing())["traceEvents"]
        main = {(e["pid"], e["tid"]) for e in events if e.get("name") == "thread_name" and e["args"]["name"] == "CrRendererMain"}
        mine = [e for e in events if (e["pid"], e["tid"]) in main and e.get("ph") == "X" and "tdur" in e]
        asked = [e for e in mine if e["name"] == "Receive mojo message" and e["tdur"] > 10000]
        tasks = [e for e in mine if e["name"] == "ThreadControllerImpl::RunTask" and not any(e["pid"] == a["pid"] and e["ts"] <= a["ts"] <= e["ts"] + e["dur"] for a in asked)]
        return [e["tdur"] / 1000 for e in tasks]

    def shot(self, name):
        os.makedirs(SHOTS, exist_ok=True)
        self.page.screenshot(path=os.path.join(SHOTS, f"{name}.png"), full_page=True)

    def accessible(self, what):
        """axe-core, with all of its rules, finds nothing."""
        with open(AXE) as f:
            self.page.evaluate(f.read() + "; 0")
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.map(v => "
                                   "[v.id, v.nodes.map(n => n.target.join(' ') + ': ' + n.failureSummary)]))")
        assert found == [], (what, json.dumps(found, indent=1)[:3000])

    def fits(self, what):
        """Nothing is wider than the window."""
        wide = self.page.evaluate("""() => [document.documentElement.scrollWidth - innerWidth, [...document.querySelectorAll('body *')].filter(e =>
            e.getBoundingClientRect().right > innerWidth + 1 && e.checkVisibility() && !e.closest('.scroll, .visually-hidden, .plots')).map(e => e.outerHTML.slice(0, 80))]""")
        assert wide[0] <= 0 and wide[1] == [], (what, wide)

    def clean(self, known=""):
        """Asked nobody but its server, was refused nothing by its policy, and said nothing but `known`."""
        hosts = {urlsplit(url).netloc for _, url in self.asked if not url.startswith(("data:", "blob:"))}
        assert hosts == {urlsplit(self.url).netloc}, hosts
        assert self.page.evaluate("refused") == [], self.page.evaluate("refused")
        said = [line for line in self.said if line.startswith(("error", "warning")) and not (known and re.search(known, line))]
        assert not said, said


@contextmanager
def dashboard(server, at="", known="", **options):
    """A page of the server. `known` matches what the browser may say: failed requests that the check makes on purpose."""
    p = Page(server, at, **options)
    try:
        yield p
        p.clean(known)
    finally:
        p.context.close()


def submit(server, records, headers=None):
    """Stores them, scored."""
    body = "".join(json.dumps(r) + "\n" for r in records).encode()
    status, _, answer = server.ask("POST", "/v1/messages", body, {"Content-Type": "application/x-ndjson", "Prefer": "wait=60", **(headers or {})})
    assert status == 200 and b'"error"' not in answer, (status, answer[:300])


TEXTS = [
    "I love this shop, the delivery was quick and everybody was friendly", "It broke after two days and nobody answered my letters",
    "The parcel arrived on Tuesday", "Great quality, I am very happy with it", "The worst service I have ever seen, I want my money back",
    "Not bad at all", "It is a chair with four legs", "Wonderful colours, but the handle is a bit awkward", "The app crashes whenever I open the map",
    "Thank you for the kind help!", "I do not like the new design", "The invoice came by mail", "Excellent, would buy again", "Too expensive and too slow",
]
SOURCES = ["shop", "app", "mail", "forum"]


def sample(n, step=3600, begin=1767225600):
    """n messages of several sources, so many seconds apart, from 2026-01-01T00:00:00Z."""
    from datetime import datetime, timezone
    stamp = lambda i: datetime.fromtimestamp(begin + i * step, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    pick = lambda i: TEXTS[(i * i // 3 + i // 40) % len(TEXTS)]
    return [{"id": f"m{i:06}", "text": pick(i), "time": stamp(i), "source": SOURCES[i * 7 % 11 % 4]} for i in range(n)]
