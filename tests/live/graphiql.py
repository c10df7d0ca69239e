"""GraphiQL at /graphiql in a real browser: the schema, completion, a query, a mutation, a subscription, tokens; what its policy refuses, and that
it asks nobody but the server."""
# needs: chromium
# packages: playwright
# npm: graphiql
# seconds: 40
import json
import re
import shutil
import subprocess
from contextlib import contextmanager
from urllib.parse import urlsplit

from playwright.sync_api import expect, sync_playwright

from graphql_help import ask, submit
from serve_raw import Server, new_path, wait
from tap import check, run

SECONDS = 30
# What a browser says when its policy stops something.
WATCH = """window.refused = [];
document.addEventListener('securitypolicyviolation', e => refused.push(e.violatedDirective + ' ' + e.blockedURI));"""


EDITORS = {
    "Query Editor": ".graphiql-query-editor .CodeMirror", "Variables": ".graphiql-editor-tool .graphiql-editor:nth-child(1) .CodeMirror",
    "Headers": ".graphiql-editor-tool .graphiql-editor:nth-child(2) .CodeMirror",
}


class Page:
    """GraphiQL, as a person uses it."""

    def __init__(self, browser, server):
        self.context = browser.new_context(viewport={"width": 1280, "height": 900})
        self.context.set_default_timeout(SECONDS * 1000)
        self.asked, self.said = [], []
        self.context.on("request", lambda r: self.asked.append(r.url))
        self.context.add_init_script(WATCH)
        self.page = self.context.new_page()
        self.page.on("console", lambda m: self.said.append(f"{m.type}: {m.text}"))
        self.page.on("pageerror", lambda e: self.said.append(f"error: {e}"))
        self.page.goto(f"http://{server.address}/graphiql")

    def editor(self, name):
        return self.page.locator(EDITORS[name])

    def write(self, editor, text):
        """In place of what an editor has; by its API, which types without completing brackets."""
        self.editor(editor).evaluate("(e, text) => e.CodeMirror.setValue(text)", text)

    def written(self):
        return self.editor("Query Editor").evaluate("e => e.CodeMirror.getValue()")

    def answered(self):
        return self.page.locator(".graphiql-response .CodeMirror").evaluate("e => e.CodeMirror.getValue()")

    def run(self, document):
        self.write("Query Editor", document)
        self.page.get_by_role("button", name="Execute query").click()

    def shows(self, pattern):
        """Waits until the answer matches."""
        try:
            wait(lambda: re.search(pattern, self.answered()), f"'{pattern}' in the answer")
        except AssertionError as e:
            raise AssertionError(f"{e}, which is {self.answered()}") from None

    def document(self):
        self.page.get_by_role("button", name="Show Documentation Explorer").click()

    def has_schema(self):
        """Waits until the documentation lists the root types."""
        self.document()
        for name in ("Query", "Mutation", "Subscription"):
            expect(self.page.locator(".graphiql-doc-explorer").get_by_role("link", name=name, exact=True)).to_be_visible(timeout=SECONDS * 1000)

    def has_no_schema(self):
        """Waits until the documentation says so."""
        self.document()
        expect(self.page.locator(".graphiql-doc-explorer")).to_contain_text("Error fetching schema", timeout=SECONDS * 1000)

    def headers(self, value):
        self.page.get_by_role("button", name="Headers", exact=True).click()
        self.write("Headers", value)


def new_token(scopes):
    """Its line for the file, and itself."""
    made = subprocess.run(["senti-serve", "--new-token", "x:" + scopes], capture_output=True, text=True, check=True, timeout=60)
    return made.stdout, made.stderr.split()[-1]


@contextmanager
def graphiql(*options):
    """A server and the page; in the end nobody else was asked, nothing refused, and nothing went wrong."""
    with Server(*options) as s, sync_playwright() as p:
        browser = p.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"])
        try:
            page = Page(browser, s)
            yield s, page
            hosts = {urlsplit(url).netloc for url in page.asked if not url.startswith("data:")}
            assert hosts == {s.address}, hosts
            assert page.page.evaluate("refused") == [], page.page.evaluate("refused")
            assert not [line for line in page.said if line.startswith(("error", "warning"))], page.said
        finally:
            browser.close()


@check
def schema_and_completion():
    """the schema is loaded and documented; a field is completed"""
    with graphiql() as (s, g):
        g.has_schema()
        g.write("Query Editor", "")
        g.editor("Query Editor").click()
        g.page.keyboard.type("{ stat")
        g.page.keyboard.press("Control+Space")
        hints = g.page.locator(".CodeMirror-hint")
        expect(hints.filter(has_text="status").first).to_be_visible()
        offered = hints.all_inner_texts()
        assert any("stats" in h for h in offered), offered
        g.page.keyboard.press("ArrowDown")
        g.page.keyboard.press("Enter")
        assert re.search(r"\{ stat(s|us)\b", g.written()), g.written()
        # What is wrong is marked while one types.
        g.write("Query Editor", "{ nope }")
        expect(g.page.locator(".CodeMirror-lint-mark-error").first).to_be_visible()


@check
def query():
    """a query with variables is answered; the example it begins with too"""
    with graphiql() as (s, g):
        g.page.get_by_role("button", name="Execute query").click()
        g.shows('"label": "POSITIVE"')
        g.write("Variables", '{"t": "I hate it"}')
        g.run("query ($t: String!) { sentiment(text: $t) { label score } }")
        g.shows('"label": "NEGATIVE"')
        answer = json.loads(g.answered())
    assert answer == {"data": {"sentiment": {"label": "NEGATIVE", "score": -0.5719}}}, answer


@check
def mutation():
    """a mutation changes what is stored"""
    with graphiql() as (s, g):
        submit(s, 1, 1)
        g.run('mutation { correct(id: "m0000001", label: NEGATIVE) { id sentiment { label } } }')
        g.shows('"NEGATIVE"')
        assert ask(s, '{ message(id: "m0000001") { sentiment { label } } }') == {"data": {"message": {"sentiment": {"label": "NEGATIVE"}}}}


@check
def subscription():
    """a subscription shows each message as it is scored, until it is stopped"""
    with graphiql() as (s, g):
        submit(s, 1, 1)
        g.run('subscription { scored(after: "0") { id } }')
        g.shows("m0000001")
        submit(s, 2, 1)
        g.shows("m0000002")
        g.page.get_by_role("button", name="Stop query").click()
        expect(g.page.get_by_role("button", name="Execute query")).to_be_visible()


@check
def tokens():
    """with a token in its headers it reads the schema, asks, and is told what the token does not allow; the token is not kept"""
    reads, writes = new_token("read"), new_token("read,write")
    path = new_path("tokens")
    with open(path, "w") as f:
        f.write(reads[0] + writes[0])
    with graphiql("--tokens", path) as (s, g):
        g.run("{ models { name } }")
        g.shows("urn:senti:problem:no_token")
        g.headers(json.dumps({"Authorization": f"Bearer {reads[1]}"}))
        g.has_schema()
        g.run("{ models { name } }")
        g.shows('"vader"')
        g.run('mutation { delete(id: "m0000001") }')
        g.shows("FORBIDDEN")
        g.headers(json.dumps({"Authorization": f"Bearer {writes[1]}"}))
        g.run('mutation { submit(messages: [{id: "m0000001", text: "good"}], waitMs: 30000) { id } }')
        g.shows('"id": "m0000001"')
        g.run('subscription { scored(after: "0") { text } }')
        g.shows('"text": "good"')
        kept = g.page.evaluate("JSON.stringify(localStorage)")
        assert not any(token in kept for _, token in (reads, writes)) and "scored" in kept, kept
        g.page.reload()
        g.has_no_schema()
        # The browser's own word of what was to be refused.
        g.said[:] = [line for line in g.said if not re.search("status of 40[13]", line)]


@check
def policy():
    """what its policy refuses: a script that the page does not hold, another server, a frame around it"""
    with graphiql() as (s, g):
        g.page.evaluate("""() => {
            document.head.append(Object.assign(document.createElement('script'), {textContent: 'window.planted = true'}));
            document.head.append(Object.assign(document.createElement('script'), {src: 'http://evil.example/x.js'}));
        }""")
        sent = g.page.evaluate("fetch('http://evil.example/').then(() => 'sent', () => 'refused')")
        wait(lambda: g.page.evaluate("refused.length") >= 3, "all is refused")
        refused = g.page.evaluate("refused.splice(0)")
        assert sent == "refused" and not g.page.evaluate("window.planted"), sent
        assert sorted(refused) == ["connect-src http://evil.example/", "script-src-elem http://evil.example/x.js", "script-src-elem inline"], refused
        around = g.context.new_page()
        around.set_content(f"<iframe src=http://{s.address}/graphiql></iframe>")
        wait(lambda: around.frames[1].url.startswith("chrome-error:"), "the frame is refused")
        # What was asked for and said is what this check did.
        g.said.clear()
        g.asked[:] = [url for url in g.asked if "evil.example" not in url]


run()
