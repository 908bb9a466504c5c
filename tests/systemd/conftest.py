"""One machine for all tests: booting takes some seconds. Each test starts from the service as installed."""

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import machine as machines  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "long: the full numbers; not in make check-systemd")
    config.addinivalue_line("markers", "brief: in make check too")


@pytest.fixture(scope="session")
def booted():
    reason = machines.why_not()
    if reason:
        pytest.skip(reason)
    machine = machines.Machine()
    try:
        yield start_or_skip(machine)
    finally:
        machine.stop()


def start_or_skip(machine):
    """What cannot be had here is no fault of ours: a mirror that is not reached, a container that does not boot."""
    try:
        machines.make_tree()
        return machine.start()
    except machines.NotHere as error:
        pytest.skip(str(error))


@pytest.fixture
def machine(booted):
    """The service stopped, with its sample configuration and no drop-in."""
    reset(booted)
    yield booted
    reset(booted)


def reset(machine):
    machine.run("systemctl", "stop", "zygoted.socket", "zygoted.service", check=False)
    machine.run("systemctl", "disable", "-q", "zygoted.socket", "zygoted.service", check=False)
    for path in ("/etc/systemd/system/zygoted.service.d/test.conf", "/etc/systemd/system/zygoted.socket.d/test.conf"):
        machine.remove(path)
    with open(os.path.join(machines.TOP, "conf", "zygoted.conf")) as file:
        machine.write("/usr/local/etc/zygoted/zygoted.conf", file.read())
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "reset-failed", "zygoted.socket", "zygoted.service", check=False)
    machine.run("journalctl", "--rotate", "-q")
    machine.run("journalctl", "--vacuum-time=1s", "-q", check=False)
