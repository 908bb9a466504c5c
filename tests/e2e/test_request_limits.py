"""What one request may use up, and what is said when it uses more."""

import pytest

from client import Truncated
from load import Load
from zyg import pool, wait_until

MIB = 1 << 20


@pytest.fixture
def daemon(zygoted, user):
    """A child may add 16 MiB; there are 64 MiB of loaded memory that it can copy."""
    probe = pool("probe", options={"ballast": 64 * MIB}, memory="16M", timeout="10s", reply="1M")
    return zygoted(probe, pool("echo"), user=user)


@pytest.mark.namespaces
@pytest.mark.plain_build
def test_502_when_a_child_copies_more_memory_than_it_may_add(daemon):
    answer = daemon.get(f"/probe/touch/{48 * MIB}/9000")
    assert (answer.status, answer.reason) == (502, "memory-limit")
    assert daemon.outcome("memory_limit", "probe") == 1
    daemon.wait_log("child over its memory pool=probe")
    daemon.wait_idle("probe")


def test_a_child_that_copies_less_is_left_alone(daemon):
    assert daemon.get(f"/probe/touch/{15 * MIB}/500").status == 200
    assert daemon.outcome("memory_limit", "probe") == 0


@pytest.mark.namespaces
@pytest.mark.plain_build
def test_new_memory_and_copied_memory_add_up(daemon):
    answer = daemon.get(f"/probe/grow/{12 * MIB}/9000")
    assert answer.reason == "memory-limit"


@pytest.mark.plain_build
def test_an_allocation_over_the_limit_fails_in_the_child(daemon):
    assert daemon.get(f"/probe/alloc/{64 * MIB}").text == "refused\n"


def test_others_are_served_while_one_is_watched(daemon):
    with daemon.connect() as connection:
        connection.request("GET", f"/probe/touch/{15 * MIB}/1000")
        daemon.wait_busy("probe")
        load = Load(daemon.port, lambda i: f"/echo/{i}", 300).run()
        assert not load.broken and load.statuses() == {200}
        assert connection.response().status == 200


def test_the_largest_answer_arrives(daemon):
    assert len(daemon.get(f"/probe/write/{MIB}").body) == MIB


def test_a_larger_answer_breaks_off(daemon):
    with pytest.raises((Truncated, ConnectionResetError)):
        daemon.get(f"/probe/write/{8 * MIB}")
    wait_until(lambda: daemon.outcome("reply_too_large", "probe") == 1)
    daemon.wait_idle("probe")


def test_502_for_an_answer_that_promises_too_much(daemon):
    answer = daemon.get("/probe/frames/promise")
    assert (answer.status, answer.reason) == (502, "reply-too-large")
    assert daemon.outcome("reply_too_large", "probe") == 1


def test_children_that_say_too_much_are_counted_once(zygoted):
    daemon = zygoted(pool("probe", output="4K"))
    assert daemon.get("/probe/stderr/10").status == 200
    assert daemon.get("/probe/stderr/100000").status == 200
    wait_until(lambda: daemon.stats("probe")["output_truncated"] == 1)
    daemon.wait_log("child says too much pool=probe")
    said = [line for line in daemon.log().splitlines() if "complaint" in line]
    assert 200 < len(said) < 400


@pytest.mark.plain_build
def test_the_log_says_who_crashed_what(zygoted):
    daemon = zygoted(pool("probe"))
    daemon.get("/probe/crash/segv")
    daemon.wait_log("child ended pool=probe generation=1 pid=")
    line = next(line for line in daemon.log().splitlines() if "child ended" in line)
    for part in ('route="/probe/"', "peer=127.0.0.1", "request=", "signal=11", "SIGSEGV"):
        assert part in line
