"""contrib/prometheus and contrib/grafana in Debian's Prometheus: each rule and each expression of the dashboard, against a server under load."""
# needs: prometheus promtool
# packages: psycopg pika
# seconds: 15
import json
import os
import re
import subprocess
import sys
import urllib.parse
import urllib.request

from account import Running, wait_until
from serve_help import Load, Server, ask, free_port
from tap import check, run

DIR = sys.argv[1]
CONTRIB = os.path.join(os.environ["SENTI_ROOT"], "contrib")
RULES = os.path.join(CONTRIB, "prometheus", "senti.rules.yml")
# The metrics of a queue's tools and of a worker, neither of which runs here.
ELSEWHERE = re.compile(r"senti_dead_lettered_total|senti_command_restarts_total")


def queries():
    """(title, expression) of each panel, as Grafana fills in its variables."""
    with open(os.path.join(CONTRIB, "grafana", "senti.json")) as f:
        board = json.load(f)
    values = {"$job": ".*", "$instance": ".*", "$__rate_interval": "10s"}
    for panel in board["panels"]:
        for target in panel["targets"]:
            text = target["expr"]
            for name, value in values.items():
                text = text.replace(name, value)
            assert "$" not in text, text
            yield panel["title"], text


class Prometheus:
    def __init__(self, *targets):
        self.port = free_port()
        config = {"global": {"scrape_interval": "1s", "evaluation_interval": "1s"}, "rule_files": [RULES],
                  "scrape_configs": [{"job_name": "senti", "static_configs": [{"targets": list(targets)}]}]}
        with open(os.path.join(DIR, "prometheus.yml"), "w") as f:
            json.dump(config, f)  # which is YAML too
        self.running = Running(DIR, "prometheus", "--config.file=prometheus.yml", f"--storage.tsdb.path={DIR}/tsdb",
                               f"--web.listen-address=127.0.0.1:{self.port}")

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/{path}", timeout=30) as answer:
            return json.load(answer)["data"]

    def ask(self, expression):
        """The values of an instant query; an expression that is wrong raises."""
        return [float(r["value"][1]) for r in self.get("query?" + urllib.parse.urlencode({"query": expression}))["result"]]

    def scraped(self):
        try:
            return self.ask("sum(rate(senti_http_requests_total[10s]))")
        except OSError:
            return []  # it has not begun to listen


@check
def files():
    "promtool finds nothing wrong with the rules and the configuration"
    for args in ("rules", "senti.rules.yml"), ("config", "--lint=none", "prometheus.yml"):
        done = subprocess.run(["promtool", "check", *args], cwd=os.path.dirname(RULES), capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


@check
def names():
    "each metric that a rule or a panel asks for is in the manual"
    manual = "".join(open(os.path.join(os.environ["SENTI_ROOT"], "man", page)).read() for page in ("senti.7", "senti-serve.8"))
    with open(RULES) as f:
        asked = re.findall(r"senti_[a-z_]+", f.read() + " ".join(text for _, text in queries()))
    unknown = {name.removesuffix("_bucket") for name in asked} - set(re.findall(r"senti_[a-z_]+", manual))
    assert asked and not unknown, unknown


@check
def expressions():
    "each expression has an answer under load, each rule is evaluated, and the alerts are those that should be"
    server = Server(DIR, "--store", "sqlite:s.db")
    assert ask(server.url, "/v1/messages", {"id": "known", "text": "I love it"}, headers={"Prefer": "wait=5"}).status == 200
    load = Load([server.url], "m", clients=2, pause=0.02)
    prometheus = Prometheus(f"127.0.0.1:{server.port}")

    def others():
        assert ask(server.url, "/v1/messages", [{"id": "bad", "text": 1}, {"id": "good", "text": "I hate it"}]).status == 202
        assert ask(server.url, "/v1/sentiment?model=textblob", {"text": "so so"}).status == 200
        assert ask(server.url, "/v1/stats").status == 200

    def all_answer(expressions):
        others()
        expressions[:] = [x for x in expressions if not prometheus.ask(x)]
        return not expressions

    def rules():
        return [r for g in prometheus.get("rules")["groups"] for r in g["rules"]]

    def alerts():
        return {r["name"] for r in rules() if r["type"] == "alerting" and r["state"] != "inactive"}
    wait_until(prometheus.scraped, 60, "Prometheus has nothing of the server")
    some = [text for _, text in queries()]
    for text in some:
        prometheus.ask(text)
    empty = [text for text in some if not ELSEWHERE.search(text)]
    empty += [r["name"] for r in rules() if r["type"] == "recording"]
    wait_until(lambda: all_answer(empty), 60, lambda: f"no answer to {empty}")
    assert len(some) > 20 and len(rules()) > 10, (some, rules())
    by_label = "count(sum by (label) (rate(senti_results_total[10s])) > 0)"
    wait_until(lambda: others() or prometheus.ask(by_label) == [3], 60, "the results lack a label")
    wait_until(lambda: all(r["health"] == "ok" for r in rules()), 60, "a rule is not evaluated")
    wait_until(lambda: others() or "SentiRejects" in alerts(), 60, "half of what comes in is rejected, and nobody notices")
    # A loaded machine may well be slow.
    assert alerts() <= {"SentiRejects", "SentiSlow"}, alerts()
    load.ends()
    server.kill()
    wait_until(lambda: "SentiDown" in alerts(), 60, "nobody notices that it is down")


run()
