"""The service's life on a real systemd: watchdog, stop, crash, credentials, reload, what runs out."""

import shutil
import signal
import time

import pytest

import secure
from certs import Authority
from client import Connection
from load import Load
from machine import is_listening, kill, wait_until
from proc import read_proc
from service import CONFIG, PLACE, PORT, be_patient, get, is_up, set_service, start
from zyg import PROBE

# ---- watchdog ----


@pytest.mark.parametrize("title", ["zygoted: front", "zygoted-zygote: echo"])
def test_a_part_that_is_stopped_has_the_service_restarted(machine, title):
    set_service(machine, "WatchdogSec=2s")
    start(machine)
    first = machine.main_pid()
    stopped = min(machine.processes(title))
    kill(stopped, signal.SIGSTOP)
    wait_until(lambda: is_up(machine, first))
    machine.wait_journal("Watchdog timeout")
    assert machine.show("NRestarts") == "1"
    assert get("/echo").status == 200 and read_proc(stopped, "status") is None


def test_a_service_that_is_well_is_left_alone(machine):
    set_service(machine, "WatchdogSec=2s")
    start(machine)
    with Load(PORT, lambda i: "/echo", 10**9, threads=4) as load:
        time.sleep(6)  # three intervals
    assert load.statuses() == {200} and machine.show("NRestarts") == "0"


# ---- stop ----


@pytest.mark.brief
def test_stopping_under_load_answers_what_was_accepted(machine):
    """A connection that was refused never was accepted; one that was accepted gets its answer."""
    be_patient(machine)
    start(machine)
    with Load(PORT, lambda i: f"/echo?{i}", 10**9, threads=6) as load:
        wait_until(lambda: len(load.answers) > 100)
        machine.run("systemctl", "stop", "zygoted")
    lost = [error for _, error in load.broken if "ConnectionRefused" not in error]
    print(f"requests {len(load.answers)} refused {len(load.broken) - len(lost)} lost {len(lost)}")
    assert not lost and load.statuses() == {200}
    assert machine.show("Result") == "success" and not is_listening(PORT)


def kill_supervisor(machine):
    """Killed under load, it is back, serves, and nothing of it is left. How long it was away, as systemd saw it."""
    first = machine.show("MainPID")
    old = machine.processes("zygoted: front") + machine.processes("zygoted-zygote: ")
    kill(machine.outer(int(first)))
    wait_until(lambda: machine.show("MainPID") not in ("0", first) and machine.show("SubState") == "running")
    ends = [int(machine.show(f"Active{what}TimestampMonotonic")) for what in ("Exit", "Enter")]
    away = (ends[1] - ends[0]) / 1e6
    assert get("/echo").status == 200
    assert old and not [pid for pid in old if read_proc(pid, "status")]
    return away


def kill_supervisors(machine, count):
    be_patient(machine)
    start(machine, "zygoted.socket", "zygoted.service")
    with Load(PORT, lambda i: f"/echo/{i}", 10**9, threads=2) as load:
        away = [kill_supervisor(machine) for _ in range(count)]
    assert load.statuses() == {200} and all(f"/echo/{i}".encode() in body for i, _, body in load.answers)
    wait_until(lambda: len(machine.processes("zygoted: front")) == 1)
    assert machine.show("NRestarts") == str(count)
    print(f"kills {count}, back after at most {max(away):.2f} s, requests {len(load.answers)}, connections cut {len(load.broken)}")


def test_after_kill_9_of_the_supervisor_it_comes_back_and_nothing_is_left(machine):
    kill_supervisors(machine, 3)


@pytest.mark.long
def test_20_kills_of_the_supervisor(machine):
    kill_supervisors(machine, 20)


# ---- credentials, memory ----


PROBE_POOL = """pool "probe" {
	worker = "/usr/local/lib/zygoted/workers/probe.so" routes = {"/probe/"} timeout = "10s" memory = "16M"
	option "ballast" { value = "67108864" }
}
"""


@pytest.fixture
def probe(machine):
    """The service with the tests' own worker beside the sample's pools."""
    shutil.copy(PROBE, machine.root + "/usr/local/lib/zygoted/workers/probe.so")
    machine.write(CONFIG, machine.read(CONFIG) + PROBE_POOL)
    return machine


@pytest.mark.brief
def test_keys_of_tls_come_by_credential(machine, tmp_path):
    """Files of root's that the service's user could not open."""
    authority = Authority(tmp_path)
    certificate = authority.issue("server", "DNS:localhost")
    for name, path in (("chain", certificate.chain), ("key", certificate.key)):
        with open(path) as file:
            machine.write(f"/etc/secret/{name}", file.read())
    machine.run("chmod", "-R", "go=", "/etc/secret")
    set_service(machine, "LoadCredential=chain:/etc/secret/chain", "LoadCredential=key:/etc/secret/key")
    files = 'certificate = "${CREDENTIALS_DIRECTORY}/chain" key = "${CREDENTIALS_DIRECTORY}/key"'
    machine.write(CONFIG, machine.read(CONFIG).replace('listen "web" {', f'listen "web" {{ {files}', 1))
    start(machine)
    with Connection(PLACE) as connection:
        secure.wrap(connection, secure.trust(authority)).request("GET", "/echo")
        assert connection.response().status == 200


def test_a_child_at_its_memory_limit_leaves_the_unit_running(probe):
    start(probe)
    before = probe.main_pid()
    assert get(f"/probe/alloc/{64 << 20}").text == "refused\n"
    answer = get(f"/probe/touch/{60 << 20}/9000")
    assert (answer.status, answer.reason) == (502, "memory-limit")
    assert get("/echo").status == 200 and probe.main_pid() == before
    assert (probe.show("ActiveState"), probe.show("NRestarts")) == ("active", "0")


def test_the_kernel_killing_one_child_for_memory_leaves_the_unit_running(probe):
    """What the control group has is used up by one child, whose pool would let it have more."""
    start(probe)
    if probe.show("MemoryCurrent") == "[not set]":
        pytest.skip("no memory controller in this container")
    probe.write(CONFIG, probe.read(CONFIG).replace('memory = "16M"', 'memory = "2G"'))
    set_service(probe, "MemoryMax=600M", "MemorySwapMax=0")
    probe.run("systemctl", "restart", "zygoted")
    before = probe.main_pid()
    assert get(f"/probe/alloc/{1 << 30}").status == 502
    assert get("/echo").status == 200 and probe.main_pid() == before
    assert probe.show("ActiveState") == "active"


# ---- the journal ----


def test_a_journal_that_hangs_blocks_nobody(machine):
    """Until its socket is full and beyond: lines are lost and counted, requests are not."""
    machine.write(CONFIG, 'access_log = "stderr"\n' + machine.read(CONFIG))
    set_service(machine, "LogRateLimitIntervalSec=0")  # or the journal drops what later tests look for
    start(machine)
    journal = machine.outer(int(machine.show("MainPID", "systemd-journald.service")))
    kill(journal, signal.SIGSTOP)
    try:
        long = "/nowhere/" + 4000 * "x"  # few lines, so that the journal is soon through with them
        with Load(PORT, lambda i: long if i % 2 else "/echo", 10**9, threads=4) as load:
            wait_until(lambda: machine.ctl("stats")["front"]["access_lost"] > 100, 60)
    finally:
        kill(journal, signal.SIGCONT)
    print(f"requests while the journal was stopped {len(load.answers)}, failed {len(load.broken)}")
    assert not load.broken and load.statuses() == {200, 404}
    assert machine.show("NRestarts") == "0"
    machine.run("systemctl", "restart", "zygoted")
    wait_until(lambda: machine.journal().count("zygoted: ready") == 2, 60, "the journal goes on")


# ---- reload ----


@pytest.mark.brief
def test_systemctl_reload_waits_and_fails_with_a_reason(machine):
    start(machine)
    with open(machine.root + CONFIG) as file:
        sample = file.read()
    machine.write(CONFIG, sample.replace('routes = {"/echo"}', 'routes = {"/echo", "/more"}'))
    machine.run("systemctl", "reload", "zygoted")
    assert get("/more").status == 200
    machine.write(CONFIG, "pool {")
    code, _ = machine.code("systemctl", "reload", "zygoted")
    assert code != 0
    machine.wait_journal(f"{CONFIG}:1:")
    assert get("/more").status == 200 and machine.show("ActiveState") == "active"
