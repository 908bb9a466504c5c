"""Any process may die at any moment: the requests concerned fail visibly, the rest goes on."""

import os
import re
import signal
import statistics
import time

import pytest

import zyg
from client import Truncated
from load import Load
from zyg import pool, wait_until


@pytest.fixture
def probe(zygoted):
    return zygoted(pool("probe", timeout="60s"), pool("echo"))


# abort() may not raise its signal, which could be another process's, and executes what is a fault: policy.c.
@pytest.mark.parametrize("how, signal", [("segv", "SEGV"), ("abrt", "SEGV"), ("fpe", "FPE"), ("ill", "ILL")])
def test_502_when_the_child_crashes(probe, how, signal):
    answer = probe.get(f"/probe/crash/{how}")
    assert (answer.status, answer.reason) == (502, "crashed")
    if not zyg.ASAN:  # which turns the signal into an exit
        probe.wait_log(f'text="SIG{signal}')
    assert probe.outcome("crashed", "probe") == 1
    assert probe.get("/probe/pid").status == 200


@pytest.mark.plain_build
def test_502_when_the_child_breaks_the_sandbox(probe):
    answer = probe.get("/probe/crash/sys")
    assert (answer.status, answer.reason) == (502, "sandbox")


@pytest.mark.parametrize("code", [0, 1, 99])
def test_502_when_the_child_just_exits(probe, code):
    answer = probe.get(f"/probe/exit/{code}")
    assert (answer.status, answer.reason) == (502, "crashed" if code != 99 else "sandbox")


def test_500_when_the_worker_says_error(probe):
    answer = probe.get("/probe/error")
    assert (answer.status, answer.reason) == (500, "worker-error")


@pytest.mark.parametrize("how", ["segv", "error"])
def test_an_answer_that_breaks_off_does_not_look_complete(probe, how):
    with probe.connect() as connection:
        connection.request("GET", f"/probe/break/{how}")
        with pytest.raises((Truncated, ConnectionResetError)):
            connection.response()


FRAMES = ["garbage", "unknown", "huge", "body-first", "two-heads", "status", "headers-missing",
          "too-short", "too-long"]


@pytest.mark.parametrize("kind", FRAMES)
def test_a_malformed_reply_never_reaches_the_client_whole(probe, kind):
    with probe.connect() as connection:
        connection.request("GET", f"/probe/frames/{kind}")
        try:
            answer = connection.response()
            assert (answer.status, answer.reason) == (502, "bad-reply")
        except (Truncated, ConnectionResetError):
            pass
    wait_until(lambda: probe.outcome("bad_reply", "probe") == 1)
    probe.wait_idle("probe")


@pytest.mark.parametrize("kind", ["no-end", "none"])
def test_a_reply_without_end_is_a_crash(probe, kind):
    with probe.connect() as connection:
        connection.request("GET", f"/probe/frames/{kind}")
        try:
            assert connection.response().reason == "crashed"
        except (Truncated, ConnectionResetError):
            pass
    wait_until(lambda: probe.outcome("crashed", "probe") == 1)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGBUS])
def test_a_busy_child_killed_from_outside_is_a_502_at_once(probe, number):
    """The median: what else the machine does delays one or the other."""
    times = []
    for _ in range(5):
        with probe.connect() as connection:
            connection.request("GET", "/probe/sleep/60000")
            probe.kill(probe.wait_busy("probe")[0]["pid"], number)
            start = time.monotonic()
            assert connection.response().status == 502
            times.append(time.monotonic() - start)
        probe.wait_idle("probe")
    assert statistics.median(times) < (1 if zyg.ASAN else 0.1), times


def test_killed_spares_are_replaced_and_fail_nobody(probe):
    killed = set(probe.child_pids("echo"))
    for pid in killed:
        probe.kill(pid)
    wait_until(lambda: not killed & {child["pid"] for child in probe.children("echo")})
    load = Load(probe.port, lambda i: f"/echo/{i}", 100).run()
    assert not load.broken and load.statuses() == {200}


def waits(daemon, event):
    """Milliseconds that the daemon has waited by itself before each of these; the rest is what the start takes."""
    return [int(ms) for ms in re.findall(rf"{event} in_ms=(\d+)", daemon.log())]


def under_load(daemon, strike, allowed, path="/echo/%d"):
    """Strikes in the middle of a load: only allowed answers, and good ones again."""
    load = Load(daemon.port, lambda i: path % i, 100000, threads=8).start()
    try:
        wait_until(lambda: len(load.answers) > 200)
        strike()
        there = len(load.answers)
        wait_until(lambda: sum(s == 200 for _, s, _ in load.answers[there:]) > 200)
    finally:
        load.stop()
    assert load.statuses() <= allowed
    for number, status, body in load.answers:
        assert status != 200 or f"{path % number}".encode() in body
    return load


def test_front_killed_under_load(probe):
    front = probe.front_pid()
    load = under_load(probe, lambda: probe.kill(front), {200, 502, 503})
    assert len(load.broken) > 0 and probe.front_pid() not in (None, front)
    assert waits(probe, "front restart front=1") == [100]
    probe.wait_idle("echo")


def test_zygote_killed_under_load(probe):
    zygote = probe.zygote_pid("echo")
    under_load(probe, lambda: probe.kill(zygote), {200, 502, 503})
    assert probe.pool("echo")["generation"] == 2 and probe.pool("probe")["generation"] == 1
    assert waits(probe, "zygote restart pool=echo") == [100]
    probe.wait_idle("echo")


def test_children_killed_under_load(probe):
    def strike():
        for pid in probe.child_pids("echo"):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    under_load(probe, strike, {200, 502, 503})
    probe.wait_idle("echo")


def test_a_zygote_that_dies_leaves_the_other_pools_alone(probe):
    with probe.connect() as connection:
        connection.hold()
        probe.wait_busy("probe")
        before = probe.zygote_pid("echo")
        probe.kill(before)
        wait_until(lambda: probe.zygote_pid("echo") not in (None, before))
        assert connection.release().status == 200


def test_the_zygotes_busy_children_die_with_it(probe):
    with probe.connect() as connection:
        connection.request("GET", "/probe/sleep/60000")
        child = probe.wait_busy("probe")[0]["pid"]
        probe.kill(probe.zygote_pid("probe"))
        assert connection.response().status == 502
    wait_until(lambda: not zyg.is_alive(child))
    wait_until(lambda: probe.pool("probe")["state"] == "serving")


def test_the_fronts_death_ends_its_children(probe):
    with probe.connect() as connection:
        connection.request("GET", "/probe/sleep/60000")
        child = probe.wait_busy("probe")[0]["pid"]
        probe.kill(probe.front_pid())
        assert connection.is_closed()
        wait_until(lambda: not zyg.is_alive(child))
    wait_until(lambda: probe.get("/probe/pid").status == 200)


def test_a_front_that_dies_again_and_again_comes_back(probe):
    for _ in range(5):
        pid = wait_until(probe.front_pid)
        probe.kill(pid)
        wait_until(lambda: probe.front_pid() not in (None, pid))
    wait_until(probe.ready)
    assert probe.get("/echo/").status == 200


def test_no_process_outlives_the_supervisor(zygoted, user):
    """Within a second, in most of three times."""
    times = []
    for _ in range(3):
        daemon = zygoted(pool("probe", timeout="60s"), pool("echo"), user=user)
        with daemon.connect() as connection:
            connection.request("GET", "/probe/sleep/60000")
            daemon.wait_busy("probe")
            assert len(daemon.processes()) >= 10
            daemon.exit_code = -signal.SIGKILL
            start = time.monotonic()
            daemon.kill(daemon.pid)
            daemon.process.wait()
            daemon.wait_gone()
            times.append(time.monotonic() - start)
            assert connection.is_closed()
    assert statistics.median(times) < 1, times


@pytest.mark.parametrize("which", ["front", "zygote"])
def test_any_process_may_be_stopped_and_go_on(probe, which):
    pid = probe.front_pid() if which == "front" else probe.zygote_pid("echo")
    probe.kill(pid, signal.SIGSTOP)
    with probe.connect() as connection:
        connection.request("GET", "/echo/hello")
        probe.kill(pid, signal.SIGCONT)
        assert connection.response().status == 200
