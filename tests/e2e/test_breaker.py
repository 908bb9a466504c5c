"""A worker that crashes for everybody is left alone for a while, and comes back by itself."""

import pytest

from zyg import pool, wait_until


@pytest.fixture
def daemon(zygoted):
    return zygoted(pool("probe", breaker=5), pool("echo"))


def crash(daemon, count, how="crash/segv"):
    return [daemon.get(f"/probe/{how}").reason for _ in range(count)]


def test_503_after_too_many_crashes(daemon):
    assert crash(daemon, 5) == ["crashed"] * 5
    answer = daemon.get("/probe/pid")
    assert (answer.status, answer.reason) == (503, "crash-breaker")
    assert int(answer.header("retry-after")) >= 1 and answer.header("connection") is None
    assert daemon.outcome("crash_breaker", "probe") == 1
    assert daemon.pool("probe")["breaker"] == "open"
    assert daemon.pool("probe")["breaker_opened"] == 1
    daemon.wait_log("breaker open pool=probe crashes=5")


@pytest.mark.parametrize("how", ["crash/sys", "frames/garbage", "exit/1"])
def test_other_ways_to_crash_count_too(daemon, how):
    crash(daemon, 5, how)
    assert daemon.get("/probe/pid").reason == "crash-breaker"


def test_errors_that_the_worker_reports_do_not_count(daemon):
    assert crash(daemon, 10, "error") == ["worker-error"] * 10
    assert daemon.get("/probe/pid").status == 200


def test_other_pools_serve_on(daemon):
    crash(daemon, 5)
    assert daemon.get("/probe/pid").status == 503
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
    connections = [daemon.connect() for _ in range(8)]

    def ask_all():
        for connection in connections:
            connection.request("GET", "/probe/sleep/300")
        statuses = [connection.response().status for connection in connections]
        return 200 in statuses and statuses

    assert sorted(wait_until(ask_all)) == [200] + [503] * 7
    assert daemon.pool("probe")["breaker"] == "closed"


def test_probes_that_crash_come_more_seldom(daemon):
    crash(daemon, 5)
    wait_until(lambda: daemon.get("/probe/crash/segv").reason == "crashed")
    answer = daemon.get("/probe/pid")
    assert answer.reason == "crash-breaker" and answer.header("retry-after") in ("2", "3")


def test_zero_turns_it_off(zygoted):
    daemon = zygoted(pool("probe", breaker=0))
    assert set(crash(daemon, 100)) == {"crashed"}
    assert daemon.pool("probe")["breaker"] == "off"


def test_crashes_beyond_the_window_do_not_add_up(zygoted):
    daemon = zygoted(pool("probe", breaker=3, breaker_window="100ms"))
    for _ in range(6):
        assert daemon.get("/probe/crash/segv").reason == "crashed"
        assert daemon.get("/probe/sleep/150").status == 200
