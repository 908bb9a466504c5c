"""A client that leaves takes its child with it, at once."""

import time

import pytest

import zyg
from zyg import pool, wait_until

BOUND = 1.0 if zyg.ASAN else 0.1


def busy_child(daemon):
    return daemon.wait_busy("probe")[0]["pid"]


def leaves_within_bound(daemon, leave):
    pid = busy_child(daemon)
    assert zyg.is_alive(pid)
    start = time.monotonic()
    leave()
    wait_until(lambda: not zyg.is_alive(pid), 5)
    assert time.monotonic() - start < BOUND
    assert daemon.outcome("client_gone", "probe") == 1
    daemon.wait_idle("probe")


@pytest.fixture
def probe(zygoted, user):
    return zygoted(pool("probe", timeout="60s"), user=user)


def test_closing_kills_the_child(probe):
    connection = probe.connect()
    connection.request("GET", "/probe/sleep/60000")
    leaves_within_bound(probe, connection.close)


def test_a_reset_kills_the_child(probe):
    connection = probe.connect()
    connection.request("GET", "/probe/sleep/60000")
    leaves_within_bound(probe, connection.reset)


def test_a_half_close_kills_the_child(probe):
    connection = probe.connect()
    connection.request("GET", "/probe/sleep/60000")
    leaves_within_bound(probe, connection.half_close)


def test_a_reset_amid_the_body_kills_the_child(probe):
    connection = probe.connect()
    connection.request("POST", "/probe/discard", headers=[("Content-Length", 1000000)])
    connection.send(b"x" * 1000)
    leaves_within_bound(probe, connection.reset)


def test_leaving_while_the_child_does_not_read_kills_it(probe):
    connection = probe.connect()
    connection.request("POST", "/probe/sleep/60000", headers=[("Content-Length", 100000)])
    connection.send(b"x" * 100000)
    leaves_within_bound(probe, connection.close)


def test_leaving_amid_the_answer_kills_the_child(probe):
    connection = probe.connect()
    connection.request("GET", "/probe/trickle/10000")
    connection.head()
    leaves_within_bound(probe, connection.close)


def test_leaving_an_answer_unread_kills_the_child(probe):
    connection = probe.connect()
    connection.request("GET", "/probe/write/1000000000")
    connection.head()
    leaves_within_bound(probe, connection.reset)


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
    wait_until(lambda: zyg.fd_count(daemon.front_pid()) <= before, 5, "descriptors as before")
    assert daemon.request("POST", "/echo/", b"alive").body == b"alive"
