"""A client that leaves takes its child with it, at once."""

import statistics
import time

import pytest

import zyg
from client import Connection
from zyg import pool, wait_until

BOUND = 1.0 if zyg.ASAN else 0.1
ROUNDS = 5


def busy_child(daemon):
    return daemon.wait_busy("probe")[0]["pid"]


def child_outlives(daemon, begin, leave):
    """For how long the child of a client is there that has left."""
    connection = daemon.connect()
    begin(connection)
    pid = busy_child(daemon)
    assert zyg.is_alive(pid)
    start = time.monotonic()
    leave(connection)
    wait_until(lambda: not zyg.is_alive(pid))
    return time.monotonic() - start


def leaves_within_bound(daemon, begin, leave):
    """The median: what else the machine does delays one or the other, a daemon that looks now and then delays most."""
    times = []
    for count in range(1, ROUNDS + 1):
        times.append(child_outlives(daemon, begin, leave))
        assert daemon.outcome("client_gone", "probe") == count
        daemon.wait_idle("probe")
    assert statistics.median(times) < BOUND, times


def sleep(connection):
    connection.request("GET", "/probe/sleep/60000")


@pytest.fixture
def probe(zygoted, user):
    return zygoted(pool("probe", timeout="60s"), user=user)


def test_closing_kills_the_child(probe):
    leaves_within_bound(probe, sleep, Connection.close)


def test_a_reset_kills_the_child(probe):
    leaves_within_bound(probe, sleep, Connection.reset)


def test_a_half_close_kills_the_child(probe):
    leaves_within_bound(probe, sleep, Connection.half_close)


def test_a_reset_amid_the_body_kills_the_child(probe):
    def begin(connection):
        connection.request("POST", "/probe/discard", headers=[("Content-Length", 1000000)])
        connection.send(b"x" * 1000)

    leaves_within_bound(probe, begin, Connection.reset)


def test_leaving_while_the_child_does_not_read_kills_it(probe):
    def begin(connection):
        connection.request("POST", "/probe/sleep/60000", headers=[("Content-Length", 100000)])
        connection.send(b"x" * 100000)

    leaves_within_bound(probe, begin, Connection.close)


def test_leaving_amid_the_answer_kills_the_child(probe):
    def begin(connection):
        connection.request("GET", "/probe/trickle/10000")
        connection.head()

    leaves_within_bound(probe, begin, Connection.close)


def test_leaving_an_answer_unread_kills_the_child(probe):
    def begin(connection):
        connection.request("GET", "/probe/write/1000000000")
        connection.head()

    leaves_within_bound(probe, begin, Connection.reset)


def test_leaving_the_queue_frees_the_place(zygoted):
    daemon = zygoted(pool("probe", spare=1, max_children=1, queue=1, queue_timeout="60s", timeout="60s"))
    first, second = daemon.connect(), daemon.connect()
    first.request("GET", "/probe/sleep/60000")
    daemon.wait_busy("probe")
    second.request("GET", "/probe/pid")
    wait_until(lambda: daemon.pool("probe")["queued"] == 1)
    second.close()
    wait_until(lambda: daemon.pool("probe")["queued"] == 0)
    first.close()
    daemon.wait_idle("probe")


@pytest.mark.reads_proc
def test_a_thousand_clients_that_leave_anywhere(zygoted):
    daemon = zygoted(pool("echo", spare=16, max_children=16))
    data = b"POST /echo/ HTTP/1.1\r\nHost: a\r\nContent-Length: 200\r\n\r\n" + b"x" * 200
    before = zyg.fd_count(daemon.front_pid())
    for i in range(1000):
        connection = daemon.connect()
        connection.send(data[: i % len(data) + 1])
        (connection.reset if i % 2 else connection.close)()
    daemon.wait_idle("echo")
    wait_until(lambda: zyg.fd_count(daemon.front_pid()) <= before, what="descriptors as before")
    assert daemon.request("POST", "/echo/", b"alive").body == b"alive"
