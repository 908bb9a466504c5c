"""sandbox = "log": what enforce would kill is named, counted and carried out."""

import os
import signal
import sys

import pytest

import zyg
from zyg import pool

WORKER = os.path.join(zyg.BUILD, "tests", "e2e", "workers", "files.so")

# Loads a filter with a listener, which the program after it keeps: no other one can be had then.
TAKE_LISTENER = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
allow = (ctypes.c_ubyte * 8)(6, 0, 0, 0, 0, 0, 0xff, 0x7f)
class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]
libc.prctl(38, 1, 0, 0, 0)
fd = libc.syscall(317, 1, 8, ctypes.byref(Program(1, ctypes.addressof(allow))))
assert fd >= 0, os.strerror(ctypes.get_errno())
os.set_inheritable(fd, True)
os.execv(sys.argv[1], sys.argv[1:])
"""


def logging_pool(**keys):
    return pool("calls", worker=WORKER, sandbox="log", **keys)


@pytest.fixture
def daemon(zygoted, user):
    return zygoted(logging_pool(), pool("echo"), user=user)


def ask(daemon, deed, text=""):
    return daemon.request("POST", f"/calls/{deed}", text.encode()).text.strip()


def calls(daemon):
    return {(row["call"], row["row"]): row for row in daemon.ctl("policy calls")["calls"]}


def test_a_call_is_carried_out_and_reported_once(daemon):
    for _ in range(20):
        assert ask(daemon, "socket") == "done"
    (row,) = daemon.ctl("policy")["calls"]
    assert (row["pool"], row["call"], row["number"], row["count"]) == ("calls", "socket", 41, 20)
    assert row["arguments"].startswith("0x2, 0x1, 0x0")
    assert 'EQ(0, 0x2), EQ(1, 0x1), EQ(2, 0x0)), .profile = "compute"' in row["row"]
    assert daemon.log().count("call outside the profile pool=calls profile=compute call=socket") == 1


def test_what_the_policy_refuses_is_still_refused(daemon):
    assert ask(daemon, "read", "/etc/passwd") == "EACCES"
    assert daemon.ctl("policy calls")["calls"] == []


@pytest.mark.plain_build
def test_the_mode_is_shown_everywhere(daemon):
    info = daemon.ctl("info")
    states = {row["pool"]: row["state"] for row in info["layers"] if row["layer"] == "seccomp"}
    assert states == {"calls": "logging", "echo": "applied"}
    assert any("sandbox = log" in notice and "calls" in notice for notice in info["notices"])
    assert "warning zygoted: notice text=\"sandbox = log" in daemon.log()
    for rows in (daemon.ctl("pools")["pools"], daemon.ctl("stats")["pools"]):
        assert {row["pool"]: row["sandbox"] for row in rows} == {"calls": "log", "echo": "enforce"}
    rows = {row["pool"]: row["source"] for row in daemon.ctl("policy")["pools"]}
    assert rows == {"calls": "daemon", "echo": ""}


def test_zygotectl_shows_a_table(daemon):
    ask(daemon, "socket")
    code, out, _ = daemon.zygotectl("policy")
    assert code == 0 and "REPORTED TO" in out and '{ "socket", ALLOW, ARGS(EQ(0, 0x2)' in out


def test_kinds_of_calls_are_bounded(daemon):
    assert ask(daemon, "kinds", "100") == "done"
    answer = daemon.ctl("policy calls")
    assert len(answer["calls"]) == 64
    assert (answer["pools"][0]["kinds"], answer["pools"][0]["unlisted_calls"]) == (64, 36)
    assert daemon.log().count("call outside the profile") == 64
    assert daemon.log().count("too many kinds of calls") == 1


def test_a_busy_supervisor_holds_up_such_calls_alone(zygoted):
    daemon = zygoted(logging_pool(timeout="20s"), pool("echo"))
    with daemon.connect() as connection:
        daemon.kill(daemon.pid, signal.SIGSTOP)
        try:
            connection.request("POST", "/calls/socket", b"")
            for _ in range(50):
                assert daemon.get("/echo/").status == 200
                assert ask(daemon, "stat", "/") == "EACCES"
        finally:
            daemon.kill(daemon.pid, signal.SIGCONT)
        assert connection.response().text == "done\n"


def test_a_child_that_waits_for_the_supervisor_still_has_its_deadline(zygoted):
    daemon = zygoted(logging_pool(timeout="2s"))
    daemon.kill(daemon.pid, signal.SIGSTOP)
    try:
        assert daemon.request("POST", "/calls/socket", b"").reason == "timeout"
    finally:
        daemon.kill(daemon.pid, signal.SIGCONT)
    assert ask(daemon, "socket") == "done"


def test_what_was_seen_outlives_the_zygote(daemon):
    ask(daemon, "socket")
    before = daemon.zygote_pid("calls")
    daemon.ctl("recycle calls")
    ask(daemon, "socket")
    zyg.wait_until(lambda: daemon.zygote_pid("calls") != before, what="the old zygote is gone")
    assert [row["count"] for row in daemon.ctl("policy calls")["calls"]] == [2]


def test_without_notifications_the_kernels_log_is_named(zygoted):
    daemon = zygoted(logging_pool(), start=False)
    daemon.prefix = [sys.executable, "-c", TAKE_LISTENER]
    daemon.start()
    assert ask(daemon, "socket") == "done"
    answer = daemon.ctl("policy")
    assert answer["pools"][0]["source"] == "kernel log" and answer["calls"] == []
    assert any("kernel's log" in notice for notice in daemon.ctl("info")["notices"])


@pytest.mark.plain_build
def test_a_kill_by_the_filter_says_how_to_learn_the_call(zygoted):
    daemon = zygoted(pool("calls", worker=WORKER))
    assert daemon.request("POST", "/calls/socket", b"").reason == "sandbox"
    daemon.wait_log("SIGSYS: Bad system call; sandbox = log names it")
    assert daemon.ctl("policy calls")["calls"] == []
