"""Crowds of clients that are slow or do nothing: others do not notice, and each costs the front little memory."""

import re
import shutil
import statistics
import subprocess
import time

import pytest

import certs
import secure
from crowd import Crowd, raise_descriptors
from proc import private_kib
from zyg import BOUND, pool, wait_until

PLAIN_KIB, TLS_KIB = 40, 80
# Who pipelines on and reads nothing over TLS makes OpenSSL keep a record that has begun, too.
GREEDY_TLS_KIB = 96
HOLD_CHILDREN = ("body", "chunked", "read", "greedy")
KINDS = ["idle", "silent", "head", "long-head", *HOLD_CHILDREN]
BIG = 10 << 20  # an answer that no socket's buffer takes


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return certs.Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def tls(authority):
    return secure.server(authority.issue("localhost", "DNS:localhost"))


@pytest.fixture
def patient(zygoted, tls):
    """patient(count, kind): a daemon that cuts nobody off while the test looks, with a child of the pool probe
    for each that holds one. Its second listener speaks TLS."""

    def make(count, kind):
        holds = count + 32 if kind in HOLD_CHILDREN else 64
        keys = {"spare": 16, "queue": count, "queue_timeout": "1m", "timeout": "10m"}
        pools = [pool("echo", **keys, max_children=64), pool("probe", **keys, max_children=holds)]
        limits = {name: "10m" for name in ("header_timeout", "idle_timeout", "body_grace", "handshake_timeout")}
        return zygoted(*pools, listeners=2, tls=tls, connections=count + 100, **limits)

    return make


def connections(daemon):
    return daemon.ctl("stats")["front"]["connections"]


def wait_there(daemon, count):
    """All are accepted, and whoever can hold a child has it."""
    wait_until(lambda: connections(daemon) == count, 60)
    wait_until(lambda: not sum(p["queued"] + p["starting"] for p in daemon.ctl("pools")["pools"]), 60)


def crowd(daemon, kind, count, authority, secured, **options):
    return Crowd(daemon, kind, count, authority=authority.path if secured else None, size=BIG, **options)


def bound_kib(kind, secured):
    if kind == "greedy" and secured:
        return GREEDY_TLS_KIB
    return TLS_KIB if secured else PLAIN_KIB


def errors(daemon):
    """Requests that got an error, of all that ever came."""
    outcomes = daemon.ctl("stats")["front"]["outcomes"]
    return {name: count for name, count in outcomes.items() if count and name not in ("ok", "client_gone")}


@pytest.mark.reads_proc
@pytest.mark.plain_build
@pytest.mark.parametrize("secured", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_slow_client_costs_little_memory(patient, authority, kind, secured):
    count = 200
    raise_descriptors(4096)
    daemon = patient(count, kind)
    front = daemon.front_pid()
    before = private_kib(front)
    with crowd(daemon, kind, count, authority, secured, interval=1) as slow:
        wait_there(daemon, count)
        each = (private_kib(front) - before) / count
        assert daemon.get("/echo/").status == 200
    assert each < bound_kib(kind, secured) and slow.lost == 0 and not errors(daemon)
    wait_until(lambda: connections(daemon) == 0)


# ---- full size ----


class Speed:
    """One client, as fast as it gets its answers, for some seconds: 99 % of the answers came in p99 microseconds."""

    UNITS = {"us": 1, "ms": 1e3, "s": 1e6}

    def __init__(self, daemon, seconds=2):
        url = f"http://127.0.0.1:{daemon.port}/echo/"
        command = ["wrk", "-t1", "-c1", f"-d{seconds}s", "--latency", url]
        text = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
        number, unit = re.search(r"\s99%\s+([\d.]+)(us|ms|s)\b", text).groups()
        self.p99 = float(number) * self.UNITS[unit]
        assert "Non-2xx" not in text and "Socket errors" not in text, text


def compare(daemon, attack, rounds=5):
    """Medians of p99 without and with the attack, in turns; what `attack` yielded."""
    quiet, loud, seen = [], [], None
    for _ in range(rounds):
        wait_until(lambda: connections(daemon) == 0, 60)
        daemon.wait_idle("echo", 60)
        quiet.append(Speed(daemon).p99)
        with attack() as seen:
            loud.append(Speed(daemon).p99)
    return statistics.median(quiet), statistics.median(loud), seen


class Attack:
    """A crowd, complete, and what each of it costs."""

    def __init__(self, daemon, count, crowd):
        self.daemon, self.count, self.crowd = daemon, count, crowd
        self.kib = 0

    def __enter__(self):
        self.crowd.__enter__()
        wait_there(self.daemon, self.count)
        return self

    def __exit__(self, *_):
        self.kib = private_kib(self.daemon.front_pid()) / self.count
        self.crowd.__exit__()
        assert self.crowd.lost == 0


@pytest.mark.long
@pytest.mark.reads_proc
@pytest.mark.plain_build
@pytest.mark.parametrize(
    "kind, secured", [(kind, False) for kind in KINDS] + [(kind, True) for kind in ("head", "body", "read")]
)
def test_4000_slow_clients_delay_nobody(patient, authority, kind, secured):
    count = 4000
    raise_descriptors(20000)
    daemon = patient(count, kind)
    base = private_kib(daemon.front_pid()) / count
    quiet, loud, seen = compare(
        daemon, lambda: Attack(daemon, count, crowd(daemon, kind, count, authority, secured, interval=10))
    )
    kib = seen.kib - base
    print(f"{kind:10} {'tls' if secured else 'plain':6} p99 quiet {quiet:.0f} us, loud {loud:.0f} us; {kib:.1f} KiB each")
    assert kib < bound_kib(kind, secured) and loud < 2 * quiet and not errors(daemon)


@pytest.mark.long
@pytest.mark.reads_proc
@pytest.mark.plain_build
@pytest.mark.parametrize("secured", [False, True])
def test_10000_connections_are_open_at_once(patient, authority, secured):
    count = 10000
    raise_descriptors(20000)
    daemon = patient(count, "idle")
    front = daemon.front_pid()
    before = private_kib(front)
    with crowd(daemon, "idle", count, authority, secured) as idle:
        wait_there(daemon, count)
        each = (private_kib(front) - before) / count
        assert daemon.outcome("ok", "echo") == count
        assert Speed(daemon).p99 < 1e6
    print(f"{each:.1f} KiB for an idle connection {'with TLS' if secured else ''}")
    assert each < bound_kib("idle", secured) and idle.lost == 0 and not errors(daemon)
    wait_until(lambda: connections(daemon) == 0)
    daemon.wait_idle("echo")


SLOWHTTPTEST = {
    "headers": ["-H"],
    "body": ["-B", "-s", "100000"],
    "read": ["-X", "-w", "512", "-y", "1024", "-n", "5", "-z", "32", "-k", "3"],
}


class SlowHttpTest:
    """slowhttptest(1) against the daemon as it is configured: who is cut off does not come back."""

    def __init__(self, daemon, mode, url, count):
        self.command = ["nice", "slowhttptest", *SLOWHTTPTEST[mode], "-u", url, "-c", str(count)]
        self.command += ["-r", str(count), "-i", "5", "-l", "60", "-t", "POST" if mode == "body" else "GET"]
        self.daemon = daemon

    def is_steady(self):
        """All that can be there are there: who finds the queue full is sent away."""
        before, self.seen = self.seen, connections(self.daemon)
        time.sleep(0.2)
        return self.seen > 200 and self.seen <= before

    def __enter__(self):
        self.seen = 0
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self.is_steady, 30)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(BOUND)


@pytest.mark.long
@pytest.mark.plain_build
@pytest.mark.skipif(not shutil.which("slowhttptest"), reason="no slowhttptest (make deps-long)")
@pytest.mark.parametrize("mode", SLOWHTTPTEST)
def test_slowhttptest_delays_nobody(zygoted, mode):
    """With the limits as they are by default, against another pool than the one that is asked."""
    raise_descriptors(20000)
    probe = pool("probe", max_children=64, timeout="10s", body="1M")
    daemon = zygoted(pool("echo", max_children=64), probe, penalty=0)
    path = "/probe/write/1000000" if mode == "read" else "/probe/discard"
    url = f"http://127.0.0.1:{daemon.port}{path}"
    quiet, loud, _ = compare(daemon, lambda: SlowHttpTest(daemon, mode, url, 4000))
    print(f"slowhttptest {mode}: p99 quiet {quiet:.0f} us, loud {loud:.0f} us")
    assert loud < 2 * quiet
