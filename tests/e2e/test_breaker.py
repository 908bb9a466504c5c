"""A worker that crashes for everybody is left alone for a while, and comes back by itself."""

import select

import pytest

from zyg import pool, wait_until


@pytest.fixture
def daemon(zygoted):
    return zygoted(pool("probe", breaker=5), pool("echo"))


def crash(daemon, count, how="crash/segv"):
    return [daemon.get(f"/probe/{how}").reason for _ in range(count)]


def is_open(daemon):
    return (daemon.pool("probe")["breaker"], daemon.pool("probe")["breaker_opened"]) == ("open", 1)


def refused(daemon):
    """An answer of the breaker that is open. What probes meanwhile crashes too, so that it stays so."""

    def ask():
        answer = daemon.get("/probe/crash/segv")
        return answer.reason == "crash-breaker" and answer

    return wait_until(ask)


def test_503_after_too_many_crashes(daemon):
    assert crash(daemon, 5) == ["crashed"] * 5
    assert is_open(daemon)
    answer = refused(daemon)
    assert answer.status == 503
    assert int(answer.header("retry-after")) >= 1 and answer.header("connection") is None
    assert daemon.outcome("crash_breaker", "probe") == 1
    assert is_open(daemon)
    daemon.wait_log("breaker open pool=probe crashes=5")


@pytest.mark.parametrize("how", ["crash/sys", "frames/garbage", "exit/1"])
def test_other_ways_to_crash_count_too(daemon, how):
    crash(daemon, 5, how)
    assert is_open(daemon) and refused(daemon)


def test_errors_that_the_worker_reports_do_not_count(daemon):
    assert crash(daemon, 10, "error") == ["worker-error"] * 10
    assert daemon.get("/probe/pid").status == 200


def test_other_pools_serve_on(daemon):
    crash(daemon, 5)
    assert refused(daemon)
    assert daemon.get("/echo/").status == 200
    assert daemon.pool("echo")["breaker"] == "closed"


def test_the_first_request_that_is_answered_closes_it(daemon):
    crash(daemon, 5)
    wait_until(lambda: daemon.get("/probe/pid").status == 200)
    assert daemon.pool("probe")["breaker"] == "closed"
    assert [daemon.get("/probe/pid").status for _ in range(10)] == [200] * 10
    daemon.wait_log("breaker closed pool=probe")


def test_one_request_probes_while_the_others_are_refused(daemon):
    crash(daemon, 5)

    def held():
        """The request that probes, when the seven others have their answers."""
        connections = [daemon.connect() for _ in range(8)]
        refused = daemon.outcome("crash_breaker", "probe")
        for connection in connections:
            connection.hold()
        wait_until(lambda: len(daemon.busy("probe")) + daemon.outcome("crash_breaker", "probe") == refused + 8)
        waiting = [c for c in connections if not select.select([c.socket], [], [], 0)[0]]
        others = {connection.response().status for connection in connections if connection not in waiting}
        assert others == {503} and len(waiting) <= 1
        return waiting and waiting[0]

    assert wait_until(held).release().status == 200
    assert daemon.pool("probe")["breaker"] == "closed"


def test_probes_that_crash_come_more_seldom(daemon):
    crash(daemon, 5)
    assert refused(daemon).header("retry-after") in ("1", "2")
    wait_until(lambda: int(refused(daemon).header("retry-after")) >= 3)  # after two that crashed, at first


def test_zero_turns_it_off(zygoted):
    daemon = zygoted(pool("probe", breaker=0))
    assert set(crash(daemon, 100)) == {"crashed"}
    assert daemon.pool("probe")["breaker"] == "off"


def test_crashes_beyond_the_window_do_not_add_up(zygoted):
    daemon = zygoted(pool("probe", breaker=3, breaker_window="100ms"))
    for _ in range(6):
        assert daemon.get("/probe/crash/segv").reason == "crashed"
        assert daemon.get("/probe/sleep/150").status == 200
