"""Clients that vanish, dribble or come in crowds: nothing of them is left behind, and nobody else waits for them."""

import contextlib
import resource
import socket
import statistics
import threading
import time

import pytest

from client import Connection
from proc import fd_count, private_kib
from zyg import pool, wait_until

HEAD = b"POST /echo/x HTTP/1.1\r\nHost: test\r\nContent-Length: 12\r\n\r\n"
CHUNKED = b"POST /echo/x HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
REQUESTS = {
    "length": HEAD + b"0123456789ab",
    "chunked": CHUNKED + b"5;a=b\r\nhello\r\n7\r\n, world\r\n0\r\nX: y\r\n\r\n",
}


def connections(daemon):
    return daemon.ctl("stats")["front"]["connections"]


def wait_nothing_left(daemon, name):
    wait_until(lambda: connections(daemon) == 0, 20)
    daemon.wait_idle(name, 20)


def vanish(daemon, data, how):
    with contextlib.suppress(OSError):  # it may have been answered, and closed, before
        connection = daemon.connect()
        connection.send(data)
        getattr(connection, how)()


@pytest.fixture(params=["close", "reset"])
def how(request):
    return request.param


@pytest.mark.reads_proc
@pytest.mark.parametrize("kind", REQUESTS)
def test_at_every_byte_of_a_request(zygoted, kind, how):
    daemon = zygoted(pool("echo", spare=4, max_children=4, queue=4096, queue_timeout="10s"))
    request = REQUESTS[kind]
    front = daemon.front_pid()
    before = fd_count(front)
    for cut in range(len(request) + 1):
        vanish(daemon, request[:cut], how)
    wait_nothing_left(daemon, "echo")
    assert fd_count(front) <= before and daemon.front_pid() == front
    assert daemon.get("/echo/").status == 200


@pytest.mark.reads_proc
def test_at_every_byte_of_an_answer(zygoted, how):
    daemon = zygoted(pool("echo", spare=4, max_children=4, queue=4096, queue_timeout="10s"))
    front = daemon.front_pid()
    request = REQUESTS["chunked"].replace(b"Host", b"Connection: close\r\nHost")
    with daemon.connect() as connection:
        connection.send(request)
        while connection.fill():
            pass
        length = len(connection.buffer)
    wait_nothing_left(daemon, "echo")
    before = fd_count(front)
    for cut in range(length + 1):
        connection = daemon.connect()
        connection.send(request)
        got = 0
        while got < cut:
            got += len(connection.socket.recv(cut - got))
        getattr(connection, how)()
    wait_nothing_left(daemon, "echo")
    assert fd_count(front) <= before and daemon.front_pid() == front


@pytest.mark.reads_proc
@pytest.mark.plain_build
def test_thousands_that_vanish_leave_no_memory(zygoted):
    daemon = zygoted(pool("echo"))
    front = daemon.front_pid()

    def crowd():
        for cut in range(2000):
            vanish(daemon, REQUESTS["length"][: cut % len(HEAD)], "close")
        wait_nothing_left(daemon, "echo")
        return private_kib(front)

    # Crowds are not all as dense: the allocator may take some pages more. A leak is more than that.
    warm = max(crowd(), crowd())
    assert max(crowd(), crowd()) < warm + 512


def test_a_thousand_requests_pipelined_are_answered_in_order(zygoted):
    daemon = zygoted(pool("echo", queue_timeout="30s"))
    with daemon.connect(60) as connection:
        sender = threading.Thread(
            target=lambda: connection.send(
                b"".join(
                    b"POST /echo/ HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n%04d" % i
                    for i in range(1000)
                )
            )
        )
        sender.start()
        assert [connection.response().body for _ in range(1000)] == [b"%04d" % i for i in range(1000)]
        sender.join()
    daemon.wait_idle("echo")


# ---- crowds ----


@contextlib.contextmanager
def many(daemon, count):
    """That many connections; needs two descriptors for each, here and in the front."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < count + 200:
        pytest.skip(f"at most {hard} descriptors may be open")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    held = []
    try:
        for _ in range(count):
            held.append(socket.create_connection(("127.0.0.1", daemon.port), 20))
        wait_until(lambda: connections(daemon) == count, 20)
        yield held
    finally:
        for one in held:
            one.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def latencies(daemon, count=400):
    """Seconds of requests one after the other, each on a connection of its own."""
    times = []
    for _ in range(count):
        start = time.monotonic()
        assert daemon.get("/echo/").status == 200
        times.append(time.monotonic() - start)
    return times


def p99(times):
    return statistics.quantiles(times, n=100)[98]


def dribble(held, stopped):
    """Each of them sends a byte of a header line now and then."""
    while not stopped.is_set():
        for one in held:
            one.send(b"x")
            if stopped.is_set():
                return


@pytest.mark.long
@pytest.mark.reads_proc
@pytest.mark.plain_build
def test_4000_that_dribble_delay_nobody(zygoted, record_property):
    daemon = zygoted(pool("echo"), header_timeout="10m")
    quiet = min(p99(latencies(daemon)) for _ in range(3))
    before = private_kib(daemon.front_pid())
    with many(daemon, 4000) as held:
        for one in held:
            one.send(b"GET / HTTP/1.1\r\nX: " + b"y" * 1000)
        stopped = threading.Event()
        thread = threading.Thread(target=dribble, args=(held, stopped))
        thread.start()
        try:
            loud = min(p99(latencies(daemon)) for _ in range(3))
        finally:
            stopped.set()
            thread.join()
        each = (private_kib(daemon.front_pid()) - before) / 4000
    print(f"p99 quiet {quiet * 1e3:.2f} ms, loud {loud * 1e3:.2f} ms; {each:.1f} KiB a connection")
    assert each < 40 and loud < 2 * quiet


@pytest.mark.long
@pytest.mark.reads_proc
@pytest.mark.plain_build
def test_10000_connections_are_open_at_once(zygoted):
    daemon = zygoted(pool("echo"), connections=10100, idle_timeout="10m")
    before = private_kib(daemon.front_pid())
    with many(daemon, 10000) as held:
        each = (private_kib(daemon.front_pid()) - before) / 10000
        for one in held[::100]:
            connection = Connection.__new__(Connection)
            connection.socket, connection.buffer = one, b""
            connection.request("GET", "/echo/")
            assert connection.response().status == 200
        print(f"{each:.1f} KiB a connection that is idle")
        assert each < 40
    wait_nothing_left(daemon, "echo")
