"""The installed units on a real systemd: start, hardening, watchdog, sockets, credentials."""

import signal
import socket
import time

import pytest

from client import Connection
from load import Load
from machine import is_listening, kill, wait_until
from proc import read_proc

PORT = 8080
PLACE = ("127.0.0.1", PORT)
CONFIG = "/usr/local/etc/zygoted/zygoted.conf"
DROP_IN = "/etc/systemd/system/zygoted.service.d/test.conf"


def get(path, port=PORT):
    with Connection(("127.0.0.1", port), 20) as connection:
        connection.request("GET", path)
        return connection.response()


def start(machine, *units):
    machine.run("systemctl", "start", *(units or ["zygoted.service"]))


def set_service(machine, *lines):
    machine.write(DROP_IN, "\n".join(["[Service]", *lines, ""]))
    machine.run("systemctl", "daemon-reload")


def status_of(pid):
    text = read_proc(pid, "status") or ""
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


# ---- start, status, journal ----


def test_enable_now_serves_the_sample_configuration(machine):
    machine.run("systemctl", "enable", "--now", "zygoted")
    assert machine.run("systemctl", "is-enabled", "zygoted").strip() == "enabled"
    assert get("/echo?x").status == 200
    assert b"American Micro-Fuel" in get("/oui/00:22:72:01:02:03").body
    assert all(p["state"] == "serving" for p in machine.ctl("pools")["pools"])


def test_status_and_journal_say_what_goes_on(machine):
    set_service(machine, "WatchdogSec=3s")
    start(machine)
    wait_until(lambda: machine.show("StatusText").startswith("pools 3 of 3, children 34 spare"), 20)
    assert "zygoted: ready after_ms=" in machine.journal()
    levels = machine.run("journalctl", "-u", "zygoted", "-p", "warning", "-q", "--no-pager", "-o", "cat")
    assert "pool ready" not in levels
    machine.run("zygotectl", "recycle", "echo")
    machine.wait_journal("pool recycled pool=echo reason=manual")
    wait_until(lambda: machine.show("StatusText").endswith("recycles 1"), 20)


def test_a_configuration_that_is_wrong_fails_with_file_and_line(machine):
    machine.write(CONFIG, "nonsense = 1\n")
    code, _ = machine.code("systemctl", "start", "zygoted")
    assert code != 0 and f"{CONFIG}:1:" in machine.journal()


# ---- hardening ----


def test_the_units_are_verified_clean(machine):
    units = [f"/usr/local/lib/systemd/system/zygoted.{kind}" for kind in ("service", "socket")]
    code, text = machine.code("systemd-analyze", "--man=no", "verify", *units)
    assert (code, text) == (0, "")


def test_exposure_is_at_most_2_5(machine):
    text = machine.run("systemd-analyze", "security", "--offline=yes", "--no-pager", "/usr/local/lib/systemd/system/zygoted.service", check=False)
    line = next(line for line in text.splitlines() if "Overall exposure level" in line)
    print(line)
    assert float(line.split(":")[1].split()[0]) <= 2.5


def test_children_are_sandboxed_under_the_hardened_unit(machine):
    start(machine)
    layers = machine.ctl("info")["layers"]
    missing = {layer["layer"] for layer in layers if layer["state"] != "applied"}
    assert layers
    assert not missing
    for child in machine.ctl("children", "echo")["children"][:3]:
        status = status_of(machine.outer(child["pid"]))
        assert (status["Seccomp"], status["NoNewPrivs"]) == ("2", "1")
        assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0
        assert status["Uid"].split()[0] != "0"


def test_no_process_of_the_service_is_root(machine):
    start(machine)
    names = ["/usr/local/sbin/zygoted", "zygoted: front", "zygoted-zygote: "]
    pids = [pid for name in names for pid in machine.processes(name)]
    assert len(pids) > 30 and all(status_of(pid)["Uid"].split()[0] != "0" for pid in pids)


# ---- watchdog ----


@pytest.mark.parametrize("title", ["zygoted: front", "zygoted-zygote: echo"])
def test_a_part_that_is_stopped_has_the_service_restarted(machine, title):
    set_service(machine, "WatchdogSec=2s")
    start(machine)
    first = machine.main_pid()
    stopped = min(machine.processes(title))
    kill(stopped, signal.SIGSTOP)
    wait_until(lambda: machine.main_pid() not in (None, first) and machine.show("SubState") == "running", 30)
    assert machine.show("NRestarts") == "1" and "Watchdog timeout" in machine.journal()
    assert get("/echo").status == 200 and read_proc(stopped, "status") is None


def test_a_service_that_is_well_is_left_alone(machine):
    set_service(machine, "WatchdogSec=2s")
    start(machine)
    load = Load(PORT, lambda i: "/echo", 10**9, threads=4).start()
    time.sleep(6)  # three intervals
    load.stop()
    assert load.statuses() == {200} and machine.show("NRestarts") == "0"


# ---- sockets ----


def test_the_first_connection_starts_it(machine):
    start(machine, "zygoted.socket")
    assert machine.show("ActiveState") == "inactive"
    assert get("/echo").status == 200
    wait_until(lambda: machine.show("ActiveState") == "active", 20)


def test_a_restart_under_load_refuses_no_connection(machine):
    start(machine, "zygoted.socket", "zygoted.service")
    load = Load(PORT, lambda i: f"/echo?{i}", 10**9, threads=6).start()
    for _ in range(5):
        there = len(load.answers)
        machine.run("systemctl", "restart", "zygoted")
        wait_until(lambda: len(load.answers) > there + 50, 30)
    load.stop()
    print(f"restarts 5 requests {len(load.answers)} failed {len(load.broken)}")
    assert not load.broken and load.statuses() == {200}


def test_an_upgrade_of_the_files_takes_effect_at_the_restart(machine):
    start(machine, "zygoted.socket", "zygoted.service")
    machine.run("sh", "-c", "cd /usr/local/sbin && cp zygoted new && mv new zygoted")
    assert get("/echo").status == 200
    machine.run("systemctl", "restart", "zygoted")
    assert get("/echo").status == 200


# ---- stop ----


def test_stopping_under_load_answers_what_was_accepted(machine):
    """A connection that was refused never was accepted; one that was accepted gets its answer."""
    start(machine)
    load = Load(PORT, lambda i: f"/echo?{i}", 10**9, threads=6).start()
    wait_until(lambda: len(load.answers) > 100, 30)
    machine.run("systemctl", "stop", "zygoted")
    load.stop()
    lost = [error for _, error in load.broken if "ConnectionRefused" not in error]
    print(f"requests {len(load.answers)} refused {len(load.broken) - len(lost)} lost {len(lost)}")
    assert not lost and load.statuses() == {200}
    assert machine.show("Result") == "success" and not is_listening(PORT)


def test_after_kill_9_of_the_supervisor_it_comes_back_and_nothing_is_left(machine):
    start(machine)
    for _ in range(3):
        first = machine.main_pid()
        old = machine.processes("zygoted: front") + machine.processes("zygoted-zygote: ")
        kill(first)
        wait_until(lambda: machine.main_pid() not in (None, first) and machine.show("SubState") == "running", 30)
        assert get("/echo").status == 200
        assert not [pid for pid in old if read_proc(pid, "status")]


# ---- credentials, memory, reload ----


def test_keys_come_by_credential(machine):
    machine.run("sh", "-c", "echo of no use >/etc/zygoted.key; chmod 600 /etc/zygoted.key")
    set_service(machine, "LoadCredential=text:/etc/zygoted.key")
    pool = 'pool "text" { worker = "text" routes = {"/"} option "file" { value = "${CREDENTIALS_DIRECTORY}/text" } }'
    machine.write(CONFIG, f'listen "web" {{ address = "127.0.0.1:{PORT}" }}\n{pool}\n')
    start(machine)
    assert get("/").text.strip() == "of no use"


def test_systemctl_reload_waits_and_fails_with_a_reason(machine):
    start(machine)
    with open(machine.root + CONFIG) as file:
        sample = file.read()
    machine.write(CONFIG, sample.replace('routes = {"/echo"}', 'routes = {"/echo", "/more"}'))
    machine.run("systemctl", "reload", "zygoted")
    assert get("/more").status == 200
    machine.write(CONFIG, "pool {")
    code, _ = machine.code("systemctl", "reload", "zygoted")
    assert code != 0 and f"{CONFIG}:1:" in machine.journal()
    assert get("/more").status == 200 and machine.show("ActiveState") == "active"
