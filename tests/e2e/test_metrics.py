"""The metrics listener: what it tells, to whom, and that it tells it to the end."""

import os
import re
import signal
import socket
import stat
import subprocess

import pytest

import certs
import zyg
from client import Connection
from load import Load
from reloads import reload
from zyg import BOUND, pool, wait_until

OPENMETRICS = [("Accept", "application/openmetrics-text;version=1.0.0,text/plain;q=0.5")]
MANUAL = os.path.join(zyg.TOP, "daemon", "zygoted-metrics.7")


@pytest.fixture(scope="module")
def monitored():
    daemon = zyg.Zygoted(pool("echo"), pool("probe"), metrics=True)
    try:
        yield daemon.start()
    finally:
        daemon.stop()


def wait_sample(daemon, name, value):
    """Texts are shared for 100 ms: what has just happened shows a moment later."""
    wait_until(lambda: daemon.samples().get(name) == value, what=f"{name} {value}")


def test_the_text_format_is_the_default(monitored):
    answer = monitored.scrape()
    assert answer.status == 200
    assert answer.header("content-type") == "text/plain; version=0.0.4; charset=utf-8"
    assert "# TYPE zygoted_requests_total counter" in answer.text
    assert "# EOF" not in answer.text


def test_openmetrics_is_for_those_who_ask(monitored):
    answer = monitored.scrape(headers=OPENMETRICS)
    kind = "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert answer.header("content-type") == kind
    assert "# TYPE zygoted_requests counter" in answer.text
    assert answer.text.endswith("\n# EOF\n")


def test_both_formats_are_what_their_parsers_take(monitored):
    parsers = pytest.importorskip("prometheus_client")
    from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
    from prometheus_client.parser import text_string_to_metric_families as plain

    assert parsers
    strict = {family.name for family in openmetrics(monitored.scrape(headers=OPENMETRICS).text)}
    loose = {family.name for family in plain(monitored.scrape().text)}
    assert strict == loose and len(strict) > 40


def test_zygotectl_prints_the_same(monitored):
    code, text, _ = monitored.zygotectl("metrics")
    families = re.findall(r"^# TYPE .*$", text, re.M)
    assert code == 0 and families == re.findall(r"^# TYPE .*$", monitored.scrape().text, re.M)


def test_requests_are_counted_once(zygoted):
    daemon = zygoted(pool("echo"), pool("probe"), metrics=True)
    daemon.request("POST", "/echo/", b"12345")
    daemon.get("/probe/status/404")
    daemon.get("/probe/crash/11")
    daemon.get("/nowhere")
    name = "zygoted_requests_total"
    wait_sample(daemon, f'{name}{{pool="",code="4xx",outcome="no_route"}}', 1)
    samples = daemon.samples()
    assert samples[f'{name}{{pool="echo",code="2xx",outcome="ok"}}'] == 1
    assert samples[f'{name}{{pool="probe",code="4xx",outcome="ok"}}'] == 1
    assert samples[f'{name}{{pool="probe",code="5xx",outcome="crashed"}}'] == 1
    assert sum(value for key, value in samples.items() if key.startswith(name)) == 4
    assert samples['zygoted_request_body_bytes_total{pool="echo"}'] == 5
    assert samples['zygoted_refusals_total{pool="",reason="no_route"}'] == 1


def test_histograms_hold_what_happened(zygoted):
    daemon = zygoted(pool("probe"), metrics=True)
    daemon.get("/probe/sleep/30")
    run = "zygoted_request_duration_seconds"
    wait_sample(daemon, f'{run}_count{{pool="probe"}}', 1)
    samples = daemon.samples()
    buckets = [v for key, v in samples.items() if key.startswith(f'{run}_bucket{{pool="probe"')]
    assert buckets == sorted(buckets) and buckets[-1] == 1
    assert samples[f'{run}_bucket{{pool="probe",le="0.025"}}'] == 0
    assert 0.03 <= samples[f'{run}_sum{{pool="probe"}}'] < 2
    assert samples['zygoted_queue_duration_seconds_count{pool="probe"}'] == 1
    forks = samples['zygoted_fork_duration_seconds_count{pool="probe"}']
    assert forks == samples['zygoted_child_forks_total{pool="probe"}'] >= 4


@pytest.mark.plain_build
def test_a_child_that_died_is_gone_and_counted(zygoted):
    daemon = zygoted(pool("probe"), metrics=True)
    with daemon.connect() as connection:
        connection.hold()
        child = daemon.wait_busy("probe")[0]
        wait_sample(daemon, 'zygoted_children{pool="probe",state="busy"}', 1)
        os.kill(child["pid"], signal.SIGSEGV)
        assert connection.response().status == 502
    daemon.wait_idle("probe")
    wait_sample(daemon, 'zygoted_children{pool="probe",state="busy"}', 0)
    wait_sample(daemon, 'zygoted_children{pool="probe",state="parked"}', 4)
    wait_sample(daemon, 'zygoted_child_exits_total{pool="probe",reason="fault"}', 1)


def test_handshakes_by_result(zygoted, tmp_path):
    certificate = certs.Authority(tmp_path).issue("localhost", "DNS:localhost,IP:127.0.0.1")
    tls = {"certificate": certificate.chain, "key": certificate.key}
    daemon = zygoted(pool("echo"), listeners=2, tls=tls, metrics=True)
    port = str(daemon.ports[1])
    curl = ["curl", "-sSk", f"https://127.0.0.1:{port}/echo/"]
    assert subprocess.run(curl, capture_output=True, timeout=60).returncode == 0
    with daemon.connect(listener=1) as plain:
        plain.send(b"no TLS at all\r\n\r\n")
        wait_sample(daemon, 'zygoted_tls_handshakes_total{result="failed"}', 1)
    assert daemon.samples()['zygoted_tls_handshakes_total{result="ok"}'] == 1
    with daemon.connect(listener=1):
        wait_sample(daemon, 'zygoted_connections{listener="web1",state="handshake"}', 1)


def test_connections_by_listener_and_state(zygoted):
    daemon = zygoted(pool("probe"), metrics=True)
    name = 'zygoted_connections{listener="web",state="%s"}'
    with daemon.connect(), daemon.connect() as partial, daemon.connect() as active:
        partial.send(b"GET / HT")
        active.hold()
        for state in ("idle", "head", "active"):
            wait_sample(daemon, name % state, 1)
        assert daemon.samples()['zygoted_connections_accepted_total{listener="web"}'] == 3
    for state in ("idle", "head", "active"):
        wait_sample(daemon, name % state, 0)


@pytest.mark.parametrize("image", ["inherited", "frozen"])
@pytest.mark.plain_build
@pytest.mark.namespaces
def test_the_image_is_told(zygoted, image):
    daemon = zygoted(pool("echo", options={"ballast": "32M"}, image=image), metrics=True)
    samples = daemon.samples()
    frozen = samples['zygoted_image_frozen_bytes{pool="echo"}']
    assert frozen >= 32 << 20 if image == "frozen" else frozen == 0


@pytest.mark.plain_build
@pytest.mark.namespaces
def test_memory_follows_after_the_first_scrape(zygoted):
    daemon = zygoted(pool("echo", options={"ballast": "32M"}, image="inherited"), metrics=True)
    daemon.scrape()
    shared = 'zygoted_child_shared_bytes{pool="echo"}'
    wait_until(lambda: shared in daemon.samples(), what=shared)
    samples = daemon.samples()
    assert samples[shared] >= 32 << 20
    saved = daemon.ctl("memory echo")["pools"][0]["saved_bytes"]
    assert samples['zygoted_memory_saved_bytes{pool="echo"}'] == saved
    assert samples['zygoted_memory_age_seconds{pool="echo"}'] < 10
    daemon.wait_idle("echo")


def test_every_metric_is_in_the_manual_and_the_other_way_round(monitored):
    told = set(re.findall(r"^# TYPE (\S+) ", monitored.scrape().text, re.M))
    with open(MANUAL) as file:
        described = set(re.findall(r"^\.It Ic (z?\w+)", file.read(), re.M))
    assert told == described


def test_labels_are_those_of_the_manual(monitored):
    with open(MANUAL) as file:
        rows = re.findall(r"^\.It Ic (\w+)(?: Ns { Ns Ar (.*) Ns })?$", file.read(), re.M)
    wanted = {name: set(labels.split(" , ")) - {""} for name, labels in rows}
    for sample in monitored.samples():
        name = re.sub(r"_(bucket|sum|count)$", "", sample.split("{")[0])
        labels = set(re.findall(r'(\w+)="', sample)) - {"le"}
        assert labels == wanted[name], sample


# ---- live and ready ----


def test_live_and_ready(monitored):
    for path in ("/-/live", "/-/ready"):
        answer = monitored.scrape(path)
        assert (answer.status, answer.body) == (200, path[3:].encode() + b"\n")


def test_not_ready_while_a_pool_loads(zygoted):
    daemon = zygoted(pool("probe", options={"wait": "GATE"}), metrics=True, start=False)
    os.chmod(daemon.directory, 0o755)
    gate = os.path.join(daemon.directory, "gate")
    open(gate, "w").close()
    with open(daemon.config_path) as file:
        config = file.read()
    daemon.write_config(config.replace("GATE", gate))
    daemon.spawn()
    wait_until(lambda: refused_or(daemon, "/-/live"))
    answer = daemon.scrape("/-/ready")
    assert (answer.status, answer.body) == (503, b"not ready: pool probe is not loaded\n")
    assert daemon.scrape("/-/live").status == 200
    wait_sample(daemon, "zygoted_ready", 0)
    wait_sample(daemon, 'zygoted_zygote_up{pool="probe"}', 0)
    os.unlink(gate)
    wait_until(lambda: daemon.scrape("/-/ready").status == 200)
    wait_sample(daemon, "zygoted_ready", 1)
    daemon.wait_ready()


def refused_or(daemon, path):
    try:
        return daemon.scrape(path).body
    except OSError:
        return b""


def test_not_ready_while_draining_and_still_told(zygoted):
    daemon = zygoted(pool("probe"), metrics=True, drain_timeout="1m")
    with daemon.connect() as connection:
        connection.hold()
        daemon.wait_busy("probe")
        daemon.process.terminate()
        wait_until(lambda: daemon.scrape("/-/ready").status == 503)
        assert daemon.scrape("/-/ready").body == b"not ready: draining\n"
        wait_sample(daemon, "zygoted_ready", 0)
        assert connection.release().status == 200
    daemon.process.wait(BOUND)


# ---- what is refused, and who waits for whom ----


def test_other_paths_and_methods(monitored):
    assert monitored.scrape("/").status == 404
    assert monitored.scrape("/metrics/").status == 404
    assert monitored.scrape("/echo/").status == 404
    answer = monitored.scrape(method="POST")
    assert answer.status == 405 and answer.header("allow") == "GET, HEAD"
    assert monitored.scrape(method="get").status == 405
    answer = monitored.scrape(method="HEAD")
    assert answer.status == 200 and int(answer.header("content-length")) > 1000
    with Connection(("127.0.0.1", monitored.metrics_port)) as connection:
        connection.request("GET", "/metrics", b"body")
        assert connection.response().status == 413
        assert connection.is_closed()


def test_pipelined_scrapes_are_answered_in_order(monitored):
    with Connection(("127.0.0.1", monitored.metrics_port)) as connection:
        for path in ("/-/live", "/metrics", "/-/ready", "/nothing", "/metrics"):
            connection.request("GET", path)
        statuses = [connection.response().status for _ in range(5)]
    assert statuses == [200, 200, 200, 404, 200]


def test_no_request_gets_to_a_pool(monitored):
    before = monitored.stats("echo")["requests"], monitored.ctl("stats")["front"]["requests"]
    monitored.scrape("/echo/")
    after = monitored.stats("echo")["requests"], monitored.ctl("stats")["front"]["requests"]
    assert before == after


@pytest.mark.plain_build
@pytest.mark.namespaces
def test_what_children_copy_is_told_when_it_was_sampled(zygoted):
    options = {"ballast": "32M", "touch": "100"}
    daemon = zygoted(pool("echo", options=options, sample=1), pool("probe"), metrics=True)
    copied = 'zygoted_child_copied_bytes{pool="%s"}'

    def is_told():
        assert daemon.get("/echo/").status == 200
        return copied % "echo" in daemon.samples()

    wait_until(is_told)
    samples = daemon.samples()
    assert 100 * 4096 <= samples[copied % "echo"] < 120 * 4096
    assert 0 < samples['zygoted_child_new_bytes{pool="echo"}'] < 20 * 4096
    assert copied % "probe" not in samples


def test_texts_are_shared(monitored):
    """Many scrapers within a moment get the same text; /metrics counts those it gave."""
    with Connection(("127.0.0.1", monitored.metrics_port)) as connection:
        connection.send(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n" * 20)
        texts = [connection.response().text for _ in range(20)]
    assert len(set(texts)) < len(texts)


def test_scrapers_get_in_when_clients_are_too_many(zygoted):
    daemon = zygoted(pool("echo"), metrics=True, connections=2)
    with daemon.connect(), daemon.connect():
        wait_sample(daemon, 'zygoted_connections{listener="web",state="idle"}', 2)


def test_scrapers_are_bounded_and_those_after_them_wait(monitored):
    address = ("127.0.0.1", monitored.metrics_port)
    scrapers = [Connection(address) for _ in range(64)]
    name = "connections"
    wait_until(lambda: monitored.zygotectl("metrics")[1].count('listener="metrics",state="idle"} 64'), what=name)
    with Connection(address) as late:
        late.request("GET", "/-/live")
        scrapers.pop().close()
        assert late.response().status == 200
    for scraper in scrapers:
        scraper.close()


def test_scrapers_that_do_not_read_disturb_nobody(monitored):
    scrapers = []
    for _ in range(16):
        scraper = Connection(("127.0.0.1", monitored.metrics_port), receive_buffer=4096)
        for _ in range(40):
            scraper.request("GET", "/metrics")
        scrapers.append(scraper)
    load = Load(monitored.port, lambda i: f"/echo/{i}", 500, threads=4).run()
    assert load.statuses() == {200} and not load.broken
    assert monitored.scrape().status == 200
    for scraper in scrapers:
        scraper.reset()
    assert monitored.get("/echo/").status == 200


def test_without_an_answer_of_the_front_the_rest_is_told(zygoted):
    daemon = zygoted(pool("echo"), metrics=True)
    front = daemon.front_pid()
    daemon.kill(front, signal.SIGSTOP)
    try:
        text = daemon.ctl("metrics")["text"]
    finally:
        daemon.kill(front, signal.SIGCONT)
    assert 'zygoted_zygote_up{pool="echo"} 1' in text
    assert "zygoted_requests_total" not in text


def test_figures_go_on_after_the_front_died(zygoted):
    daemon = zygoted(pool("echo"), metrics=True)
    daemon.get("/echo/")
    daemon.kill(daemon.front_pid())
    wait_until(lambda: refused_or(daemon, "/-/live"))
    wait_sample(daemon, "zygoted_front_restarts_total", 1)
    daemon.wait_ready()


# ---- Unix sockets ----


def unix_get(path, target):
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(path)
        client.sendall(f"GET {target} HTTP/1.0\r\n\r\n".encode())
        return client.makefile("rb").read()


def test_a_unix_socket(zygoted, user):
    daemon = zygoted(pool("echo"), user=user, start=False)
    path = os.path.join(daemon.directory, "metrics.sock")
    with open(daemon.config_path, "a") as file:
        file.write(f'listen "m" {{ protocol = "metrics" address = "unix:{path}" access = "all" }}\n')
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(path)  # what a daemon leaves that was killed
    if user:
        os.chown(path, os.stat(daemon.directory).st_uid, -1)
    daemon.start()
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o666
    assert unix_get(path, "/-/ready").endswith(b"\r\n\r\nready\n")
    assert b"zygoted_build_info" in unix_get(path, "/metrics")
    assert daemon.ctl("info")["listeners"][1]["address"] == f"unix:{path}"
    daemon.process.terminate()
    daemon.process.wait(BOUND)
    assert not os.path.exists(path)


@pytest.mark.parametrize("access, mode", [("owner", 0o600), ("group", 0o660)])
def test_who_may_connect(zygoted, access, mode):
    daemon = zygoted(pool("echo"), start=False)
    path = os.path.join(daemon.directory, "metrics.sock")
    with open(daemon.config_path, "a") as file:
        file.write(f'listen "m" {{ protocol = "metrics" address = "unix:{path}" access = "{access}" }}\n')
    daemon.start()
    assert stat.S_IMODE(os.stat(path).st_mode) == mode


@pytest.mark.parametrize("obstacle", ["file", "listener"])
def test_nothing_of_others_is_removed(zygoted, obstacle):
    daemon = zygoted(pool("echo"), start=False)
    path = os.path.join(daemon.directory, "metrics.sock")
    with open(daemon.config_path, "a") as file:
        file.write(f'listen "m" {{ protocol = "metrics" address = "unix:{path}" }}\n')
    other = socket.socket(socket.AF_UNIX)
    if obstacle == "file":
        open(path, "w").close()
    else:
        other.bind(path)
        other.listen()
    code, _, errors = daemon.run("-c", daemon.config_path)
    other.close()
    assert code == 1 and os.path.exists(path)
    assert ("is no socket" if obstacle == "file" else "another daemon answers") in errors


# ---- reloads ----


def labels(daemon, family, name):
    """Of all samples of that family."""
    return set(re.findall(rf'^{family}{{.*?{name}="([^"]*)"', daemon.scrape().text, re.MULTILINE))


def test_after_a_reload_only_what_is_there_has_figures(zygoted):
    daemon = zygoted(pool("gone", worker="echo"), pool("probe", timeout="20s"), pool("echo"), metrics=True)
    sections = {**daemon.sections, "more": {"address": f"127.0.0.1:{zyg.free_port()}"}}
    reload(daemon, pool("probe", timeout="20s"), pool("echo"), sections=sections)
    assert daemon.get("/echo/").status == 200
    with daemon.connect() as connection:
        connection.hold()
        daemon.wait_busy("probe")
        reload(daemon, pool("echo"))
        reload(daemon, pool("probe", timeout="20s"), pool("echo"))  # in another place: the first one still drains
        wait_until(lambda: "more" not in labels(daemon, "zygoted_connections_accepted_total", "listener"))
        lines = [line.rsplit(" ", 1)[0] for line in daemon.scrape().text.splitlines() if not line.startswith("#")]
        assert len(lines) == len(set(lines))
        assert labels(daemon, "zygoted_children", "pool") == {"probe", "echo"}
        assert labels(daemon, "zygoted_connections_accepted_total", "listener") == set(daemon.sections)
        assert daemon.samples()['zygoted_requests_total{pool="echo",code="2xx",outcome="ok"}'] == 1
        assert connection.release().status == 200
