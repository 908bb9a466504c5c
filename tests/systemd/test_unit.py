"""The installed units on a real systemd: start, hardening, sockets."""

import os

import pytest

from load import Load
from machine import TOP, wait_until
from service import CONFIG, DROP_IN, PORT, be_patient, get, set_service, start, status_of

# ---- start, status, journal ----


@pytest.mark.brief
def test_enable_now_serves_the_sample_configuration(machine):
    machine.run("systemctl", "enable", "--now", "zygoted")
    assert machine.run("systemctl", "is-enabled", "zygoted").strip() == "enabled"
    assert get("/echo?x").status == 200
    assert b"American Micro-Fuel" in get("/oui/00:22:72:01:02:03").body
    assert all(p["state"] == "serving" for p in machine.ctl("pools")["pools"])


def test_status_and_journal_say_what_goes_on(machine):
    set_service(machine, "WatchdogSec=3s")
    start(machine)
    wait_until(lambda: machine.show("StatusText").startswith("pools 3 of 3, children 34 spare"))
    machine.wait_journal("zygoted: ready after_ms=")
    levels = machine.run("journalctl", "-u", "zygoted", "-p", "warning", "-q", "--no-pager", "-o", "cat")
    assert "pool ready" not in levels
    machine.run("zygotectl", "recycle", "echo")
    machine.wait_journal("pool recycled pool=echo reason=manual")
    wait_until(lambda: machine.show("StatusText").endswith("recycles 1"))


@pytest.mark.brief
def test_a_configuration_that_is_wrong_fails_with_file_and_line(machine):
    machine.write(CONFIG, "nonsense = 1\n")
    code, _ = machine.code("systemctl", "start", "zygoted")
    assert code != 0
    machine.wait_journal(f"{CONFIG}:1:")


# ---- hardening ----


@pytest.mark.brief
def test_the_units_are_verified_clean(machine):
    units = [f"/usr/local/lib/systemd/system/zygoted.{kind}" for kind in ("service", "socket")]
    code, text = machine.code("systemd-analyze", "--man=no", "verify", *units)
    assert (code, text) == (0, "")


@pytest.mark.brief
def test_exposure_is_at_most_2_5(machine):
    text = machine.run("systemd-analyze", "security", "--offline=yes", "--no-pager", "/usr/local/lib/systemd/system/zygoted.service", check=False)
    line = next(line for line in text.splitlines() if "Overall exposure level" in line)
    print(line)
    assert float(line.split(":")[1].split()[0]) <= 2.5


@pytest.mark.brief
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


@pytest.mark.brief
def test_no_process_of_the_service_is_root(machine):
    start(machine)
    names = ["/usr/local/sbin/zygoted", "zygoted: front", "zygoted-zygote: "]

    def pids():
        found = [pid for name in names for pid in machine.processes(name)]
        return len(found) > 30 and found

    assert all(status_of(pid)["Uid"].split()[0] != "0" for pid in wait_until(pids))


# ---- sockets ----


@pytest.mark.brief
def test_the_first_connection_starts_it(machine):
    start(machine, "zygoted.socket")
    assert machine.show("ActiveState") == "inactive"
    assert get("/echo").status == 200
    wait_until(lambda: machine.show("ActiveState") == "active")


@pytest.mark.brief
def test_a_restart_under_load_refuses_no_connection(machine):
    be_patient(machine)
    start(machine, "zygoted.socket", "zygoted.service")
    with Load(PORT, lambda i: f"/echo?{i}", 10**9, threads=6) as load:
        for _ in range(5):
            there = len(load.answers)
            machine.run("systemctl", "restart", "zygoted")
            wait_until(lambda: len(load.answers) > there + 50)
    print(f"restarts 5 requests {len(load.answers)} failed {len(load.broken)}")
    assert not load.broken and load.statuses() == {200}


def test_an_upgrade_of_the_files_takes_effect_at_the_restart_and_costs_no_request(machine):
    be_patient(machine)
    start(machine, "zygoted.socket", "zygoted.service")
    with Load(PORT, lambda i: f"/echo?{i}", 10**9, threads=4) as load:
        machine.run("sh", "-c", "cd /usr/local/sbin && cp zygoted new && echo >>new && mv new zygoted")
        new = machine.run("stat", "-c", "%i", "/usr/local/sbin/zygoted")
        running = ["sh", "-c", "stat -L -c %i /proc/$(systemctl show --value -p MainPID zygoted)/exe"]
        assert machine.run(*running) != new
        machine.run("systemctl", "restart", "zygoted")
        assert machine.run(*running) == new
    assert not load.broken and load.statuses() == {200}


# ---- without a user of its own ----


@pytest.mark.brief
def test_with_a_user_that_the_service_manager_makes_up(machine):
    """Whose runtime directory is behind a link."""
    with open(os.path.join(TOP, "systemd", "dynamic-user.conf")) as file:
        machine.write(DROP_IN, file.read())
    machine.run("systemctl", "daemon-reload")
    start(machine)
    assert get("/echo").status == 200
    assert 61184 <= int(status_of(machine.main_pid())["Uid"].split()[0]) <= 65519  # systemd.exec(5)
    assert {layer["state"] for layer in machine.ctl("info")["layers"]} == {"applied"}
    machine.run("systemctl", "restart", "zygoted")
    assert get("/echo").status == 200
