"""Real Prometheus: its own check of the text, a server that scrapes the daemon, the alert rules, the dashboard."""

import json
import os
import re
import shutil
import subprocess
import urllib.parse
import urllib.request

import pytest

import zyg
from zyg import BOUND, pool, wait_until

ALERTS = os.path.join(zyg.TOP, "conf", "zygoted-alerts.yml")
DASHBOARD = os.path.join(zyg.TOP, "conf", "zygoted-dashboard.json")
REASON = "Debian package prometheus is not installed: make deps-metrics"

needs_prometheus = pytest.mark.skipif(not shutil.which("prometheus"), reason=REASON)
needs_promtool = pytest.mark.skipif(not shutil.which("promtool"), reason=REASON)

SCRAPE = """
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: ["{alerts}"]
scrape_configs:
  - job_name: zygoted
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


@pytest.fixture
def daemon(zygoted):
    return zygoted(pool("echo"), pool("probe"), metrics=True)


def promtool(*arguments, text=""):
    result = subprocess.run(["promtool", *arguments], input=text, capture_output=True, text=True, timeout=60)
    return result.returncode, result.stdout + result.stderr


@needs_promtool
def test_promtool_finds_nothing_to_say(daemon):
    daemon.get("/echo/")
    daemon.scrape()
    wait_until(lambda: "zygoted_memory_age_seconds{" in daemon.scrape().text)
    assert promtool("check", "metrics", text=daemon.scrape().text) == (0, "")


@needs_promtool
def test_the_alert_rules_are_valid():
    code, output = promtool("check", "rules", ALERTS)
    assert code == 0, output


def names_told(daemon):
    types = re.findall(r"^# TYPE (\S+) (\S+)", daemon.scrape().text, re.M)
    names = {name for name, kind in types if kind != "histogram"}
    for name in (name for name, kind in types if kind == "histogram"):
        names |= {name + end for end in ("_bucket", "_sum", "_count")}
    return names


def test_alerts_and_dashboard_name_what_there_is(daemon):
    with open(ALERTS) as file:
        used = set(re.findall(r"\b(zygoted_\w+)", file.read()))
    with open(DASHBOARD) as file:
        board = json.load(file)
    targets = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    used |= set(re.findall(r"\b(zygoted_\w+)", " ".join(targets)))
    assert len(targets) >= 15 and len(used) >= 15
    assert used <= names_told(daemon)


class Prometheus:
    """A server of its own: free port, own storage."""

    def __init__(self, daemon, directory):
        self.port = zyg.free_port()
        config = directory / "prometheus.yml"
        config.write_text(SCRAPE.format(alerts=ALERTS, port=daemon.metrics_port))
        self.log = open(directory / "log", "w")
        self.process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={config}",
                f"--storage.tsdb.path={directory}/data",
                f"--web.listen-address=127.0.0.1:{self.port}",
            ],
            stdout=self.log,
            stderr=self.log,
        )

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=60) as answer:
            return json.load(answer)["data"]

    def ask(self, query):
        try:
            return self.get("/api/v1/query?query=" + urllib.parse.quote(query))["result"]
        except OSError:
            return []

    def value(self, query):
        result = self.ask(query)
        return float(result[0]["value"][1]) if result else None

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(BOUND)
        finally:
            self.process.kill()
            self.log.close()


@pytest.fixture
def prometheus(daemon, tmp_path):
    server = Prometheus(daemon, tmp_path)
    yield server
    server.stop()


def board_expressions():
    with open(DASHBOARD) as file:
        panels = json.load(file)["panels"]
    words = {"$__rate_interval": "1m", "$instance": ".*", "$pool": ".*"}
    for target in (target for panel in panels for target in panel["targets"]):
        expression = target["expr"]
        for word, value in words.items():
            expression = expression.replace(word, value)
        yield expression


@needs_prometheus
def test_a_real_prometheus_scrapes_it(daemon, prometheus):
    wait_until(lambda: prometheus.value('up{job="zygoted"}') == 1, what="up")
    for _ in range(7):
        daemon.get("/echo/")
    daemon.get("/probe/error")
    count = 'zygoted_requests_total{pool="echo",outcome="ok",code="2xx"}'
    wait_until(lambda: prometheus.value(count) == 7, what=count)
    failed = 'sum(zygoted_requests_total{outcome="worker_error"})'
    wait_until(lambda: prometheus.value(failed) == 1, what=failed)
    quantile = 'histogram_quantile(0.5, zygoted_request_duration_seconds_bucket{pool="echo"})'
    assert 0 < prometheus.value(quantile) < 20

    def is_up():
        target = prometheus.get("/api/v1/targets")["activeTargets"][0]
        return target["health"] == "up" and not target["lastError"]

    wait_until(is_up)
    for expression in board_expressions():
        prometheus.get("/api/v1/query?query=" + urllib.parse.quote(expression))  # 400 if malformed
    groups = prometheus.get("/api/v1/rules")["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len(rules) >= 10 and all(rule["health"] != "err" for rule in rules)
