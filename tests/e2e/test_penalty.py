"""A client that does harm is refused for a while, by its address; nobody else notices."""

import socket

import pytest

from client import Connection, Truncated
from load import Load
from zyg import pool, wait_until

ATTACKER, OTHER = "127.0.0.2", "127.0.0.1"


class From(Connection):
    """A connection from that address."""

    def __init__(self, daemon, address):
        self.socket = socket.socket()
        self.socket.bind((address, 0))
        self.socket.settimeout(20)
        self.socket.connect(("127.0.0.1", daemon.port))
        self.buffer = b""


def get(daemon, address, path):
    with From(daemon, address) as connection:
        connection.request("GET", path)
        return connection.response()


@pytest.fixture
def daemon(zygoted):
    return zygoted(pool("probe", breaker=50), pool("echo"), penalty_exempt=[])


def attack(daemon, count):
    for _ in range(count):
        get(daemon, ATTACKER, "/probe/crash/abrt")


def smash(daemon, address=ATTACKER):
    """One crash after the other until the source is refused; that answer."""

    def hit():
        answer = get(daemon, address, "/probe/crash/abrt")
        return answer.status == 429 and answer

    return wait_until(hit)


def entry(daemon, address=ATTACKER):
    return next((p for p in daemon.ctl("penalties")["penalties"] if p["source"] == address), None)


def test_429_for_whoever_smashes_and_nobody_else(daemon):
    answer = smash(daemon)
    assert answer.reason == "penalty"
    assert int(answer.header("retry-after")) >= 1 and answer.header("connection") == "close"
    assert get(daemon, OTHER, "/echo/").status == 200
    assert get(daemon, OTHER, "/probe/pid").status == 200
    assert daemon.outcome("penalty") == 1 and daemon.ctl("stats")["front"]["penalties"] >= 1
    daemon.wait_log(f"source under penalty source={ATTACKER} for_ms=1000")


def test_the_list_shows_it(daemon):
    def is_refused():
        smash(daemon)
        shown = entry(daemon)
        return shown["refused_for_seconds"] > 0 and shown

    shown = wait_until(is_refused)
    relapses = shown["relapses"]
    assert relapses >= 1 and shown["refused"] >= 1 and shown["points"] == 50
    assert shown["refused_for_seconds"] <= 2 ** (relapses - 1) and entry(daemon, OTHER) is None
    assert ATTACKER in daemon.zygotectl("penalties")[1]


def test_it_ends_and_a_relapse_lasts_longer(daemon):
    smash(daemon)
    wait_until(lambda: get(daemon, ATTACKER, "/echo/").status == 200)
    smash(daemon)
    daemon.wait_log(f"source={ATTACKER} for_ms=2000")


def test_leaving_before_the_crash_does_not_help(daemon):
    def is_refused():
        with From(daemon, ATTACKER) as connection:
            connection.request("GET", "/probe/crash/abrt")
        return (entry(daemon) or {"relapses": 0})["relapses"] > 0

    wait_until(is_refused)
    wait_until(lambda: is_refused() and daemon.outcome("client_gone", "probe") > 0)


def test_bad_requests_add_up(daemon):
    def is_refused():
        with From(daemon, ATTACKER) as connection:
            connection.send(b"bad\r\n\r\n")
            connection.response()
        return get(daemon, ATTACKER, "/echo/").status == 429

    wait_until(is_refused)
    assert get(daemon, OTHER, "/echo/").status == 200


def test_requests_that_are_open_are_finished(daemon):
    with From(daemon, ATTACKER) as connection:
        connection.hold()
        daemon.wait_busy("probe")
        smash(daemon)
        assert connection.release().status == 200

        def is_refused():
            smash(daemon)
            connection.request("GET", "/probe/pid")
            return connection.response().status == 429

        wait_until(is_refused)
        assert connection.is_closed()


def test_others_see_no_failure_and_the_breaker_stays_closed(daemon):
    load = Load(daemon.port, lambda i: f"/probe/{'pid' if i % 2 else 'write/5000'}", 10**6, 4)
    load.start()
    try:
        attack(daemon, 500)
    finally:
        load.stop()
    assert not load.broken and load.statuses() == {200}
    assert daemon.outcome("crashed", "probe") < 25 and daemon.outcome("penalty") > 400
    assert daemon.pool("probe")["breaker"] == "closed"


@pytest.mark.parametrize("network", ["127.0.0.2", "127.0.0.0/8", "0.0.0.0/0"])
def test_exempt_sources_are_not_refused(zygoted, network):
    daemon = zygoted(pool("probe", breaker=0), penalty_exempt=[network])
    attack(daemon, 30)
    assert get(daemon, ATTACKER, "/probe/pid").status == 200 and entry(daemon) is None


def test_loopback_is_exempt_by_default(zygoted):
    daemon = zygoted(pool("probe", breaker=0))
    attack(daemon, 30)
    assert get(daemon, ATTACKER, "/probe/pid").status == 200


def test_zero_turns_penalties_off(zygoted):
    daemon = zygoted(pool("probe", breaker=0), penalty=0, penalty_exempt=[])
    attack(daemon, 30)
    assert get(daemon, ATTACKER, "/probe/pid").status == 200


def test_answers_that_break_off_count(daemon):
    def is_refused():
        try:
            assert get(daemon, ATTACKER, "/probe/break/abrt").status == 429
        except (Truncated, ConnectionResetError):
            return False
        return True

    wait_until(is_refused)
    assert daemon.outcome("crashed", "probe") >= 5
