"""Clients that vanish at every byte of what they send and get: nothing of them is left behind."""

import contextlib
import ssl
import threading

import pytest

import certs
import secure
from proc import fd_count, private_kib
from zyg import Zygoted, pool, wait_until

HEAD = b"POST /echo/x HTTP/1.1\r\nHost: test\r\nContent-Length: 12\r\n\r\n"
CHUNKED = b"POST /echo/x HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
REQUESTS = {
    "length": HEAD + b"0123456789ab",
    "chunked": CHUNKED + b"5;a=b\r\nhello\r\n7\r\n, world\r\n0\r\nX: y\r\n\r\n",
    "pipelined": b"GET /echo/ HTTP/1.1\r\nHost: a\r\n\r\n" + HEAD + b"0123456789ab" + HEAD + b"0123456789ab",
}
SECOND = b"GET /echo/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
LEAK_BYTES = 32  # of each client: less is the smallest block that malloc has
CROWDS_MAX = 10  # not all are as dense: until the densest has been, the allocator takes some pages more


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return certs.Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def context(authority):
    return secure.trust(authority)


@pytest.fixture(scope="module")
def daemon(authority):
    """Listeners: plain, and with TLS."""
    echo = pool("echo", spare=4, max_children=4, queue=4096)
    keys = secure.server(authority.issue("localhost", "DNS:localhost"))
    daemon = Zygoted(echo, listeners=2, tls=keys)
    try:
        yield daemon.start()
    finally:
        daemon.stop()


# ---- what a client does ----


class Plain:
    """A connection whose bytes are the test's."""

    made = 0  # of all kinds

    def __init__(self, daemon, context):
        self.open(daemon, 0)

    def open(self, daemon, listener):
        self.connection = daemon.connect(listener=listener)
        self.socket = self.connection.socket
        Plain.made += 1

    def send(self, data):
        self.socket.sendall(data)

    def request(self, data):
        """Sends whole bytes of HTTP."""
        self.send(data)

    def answer(self):
        """Waits for the first bytes of one."""
        assert self.socket.recv(4) == b"HTTP"

    def take(self, count):
        """Reads that many bytes as they are on the wire, or to the end. How many there were."""
        got = 0
        while got < count and (data := self.socket.recv(count - got)):
            got += len(data)
        return got

    def leave(self, how):
        if how == "half-close":
            self.socket.shutdown(1)
            with contextlib.suppress(OSError):
                self.take(1 << 20)
        elif how == "reset":
            self.connection.reset()
        self.connection.close()


class Secure(Plain):
    """The same below TLS: what send() sends and take() counts are bytes of records."""

    def __init__(self, daemon, context):
        self.open(daemon, 1)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")
        with contextlib.suppress(ssl.SSLWantReadError):
            self.tls.do_handshake()
        self.hello = self.outgoing.read()

    def go_on(self, step, *arguments):
        """A step of TLS with all the bytes that it wants from the daemon."""
        while True:
            try:
                return step(*arguments)
            except ssl.SSLWantReadError:
                data = self.socket.recv(65536)
                assert data, "the daemon has closed the connection"
                self.incoming.write(data)

    def flight(self, data):
        """Shakes hands; what is to be sent then: the end of the handshake, and the data."""
        if self.hello:
            self.socket.sendall(self.hello)
            self.hello = b""
            self.go_on(self.tls.do_handshake)
        if data:
            self.tls.write(data)
        return self.outgoing.read()

    def request(self, data):
        self.send(self.flight(data))

    def answer(self):
        assert self.go_on(self.tls.read, 4) == b"HTTP"


KINDS = {"plain": Plain, "tls": Secure}


@pytest.fixture(params=["close", "reset", "half-close"])
def how(request):
    return request.param


def vanish(daemon, kind, context, data, how):
    with contextlib.suppress(OSError):  # it may have been answered, and closed, before
        client = KINDS[kind](daemon, context)
        client.request(data)
        client.leave(how)


# ---- what is left ----


def connections(daemon):
    return daemon.ctl("stats")["front"]["connections"]


def not_made_here(daemon):
    """Connections that the daemon has accepted, less those made: lower than before while some wait to be accepted."""
    return daemon.ctl("stats")["front"]["accepted"] - Plain.made


def wait_nothing_left(daemon, others):
    wait_until(lambda: not_made_here(daemon) >= others)
    wait_until(lambda: connections(daemon) == 0)
    daemon.wait_idle("echo")


class Nothing:
    """Whether all that the block's clients had of the front has been given back."""

    def __init__(self, daemon):
        self.daemon = daemon

    def __enter__(self):
        self.front = self.daemon.front_pid()
        self.others = not_made_here(self.daemon)
        wait_nothing_left(self.daemon, self.others)
        self.descriptors = fd_count(self.front)

    def __exit__(self, kind, *_):
        if kind is None:
            wait_nothing_left(self.daemon, self.others)
            assert self.daemon.front_pid() == self.front
            assert fd_count(self.front) <= self.descriptors
            assert self.daemon.get("/echo/").status == 200


@pytest.mark.reads_proc
@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize("kind", KINDS)
def test_at_every_byte_of_a_request(daemon, context, kind, name, how):
    request = REQUESTS[name]
    with Nothing(daemon):
        for cut in range(len(request) + 1):
            vanish(daemon, kind, context, request[:cut], how)


@pytest.mark.reads_proc
@pytest.mark.parametrize("kind", KINDS)
def test_at_every_byte_of_a_second_request(daemon, context, kind, how):
    with Nothing(daemon):
        for cut in range(len(SECOND) + 1):
            client = KINDS[kind](daemon, context)
            client.request(REQUESTS["length"])
            client.answer()
            client.request(SECOND[:cut])
            client.leave(how)


def cut_flight(daemon, context, second, cut, how):
    """Sends `cut` bytes of the first flight of a handshake, or of the second one with a request. How many there were."""
    client = Secure(daemon, context)
    flight = client.flight(REQUESTS["chunked"]) if second else client.hello
    client.send(flight[:cut])
    client.leave(how)
    return len(flight)


@pytest.mark.reads_proc
@pytest.mark.parametrize("second", [False, True])
def test_at_every_byte_of_a_handshake_and_of_records(daemon, context, second, how):
    with Nothing(daemon):
        length = cut_flight(daemon, context, second, 0, how)
        for cut in range(1, length + 1):
            cut_flight(daemon, context, second, cut, how)
    wait_until(lambda: secure.counts(daemon)["handshaking"] == 0)


def take_and_leave(daemon, context, kind, name, count, how):
    """How many bytes of the answers there were; over TLS with what the handshake has left to read, and in records."""
    client = KINDS[kind](daemon, context)
    client.request(REQUESTS[name] + SECOND)
    got = client.take(count)
    client.leave(how)
    return got


@pytest.mark.reads_proc
@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize("kind, step", [("plain", 1), ("tls", 5)])
def test_at_every_byte_of_an_answer(daemon, context, kind, step, name, how):
    length = take_and_leave(daemon, context, kind, name, 1 << 20, how)
    assert length > 300
    with Nothing(daemon):
        for cut in range(0, length + 1, step):
            take_and_leave(daemon, context, kind, name, cut, how)


@pytest.mark.reads_proc
@pytest.mark.plain_build
@pytest.mark.parametrize("kind, count", [("plain", 2000), ("tls", 600)])
def test_thousands_that_vanish_leave_no_memory(daemon, context, kind, count, how):
    request = REQUESTS["chunked"]

    def crowd():
        others = not_made_here(daemon)
        for cut in range(count):
            vanish(daemon, kind, context, request[: cut % (len(request) + 1)], how)
        wait_nothing_left(daemon, others)
        return private_kib(daemon.front_pid())

    used = [crowd() for _ in range(4)]
    while used[-1] - used[-3] >= LEAK_BYTES * count / 1024 and len(used) < CROWDS_MAX:
        used.append(crowd())
    assert used[-1] - used[-3] < LEAK_BYTES * count / 1024, used


def test_a_thousand_requests_pipelined_are_answered_in_order(daemon):
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


@pytest.mark.parametrize("kind", KINDS)
def test_who_leaves_behind_a_request_that_waits_costs_neither_child_nor_time(authority, context, kind, how):
    """The second request's bytes are in the front, so that nothing is read until the first one has its answer."""
    keys = secure.server(authority.issue("localhost", "DNS:localhost"))
    daemon = Zygoted(pool("probe", timeout="20s"), listeners=2, tls=keys)
    try:
        daemon.start()
        client = KINDS[kind](daemon, context)
        client.request(b"GET /probe/sleep/15000 HTTP/1.1\r\nHost: a\r\n\r\nG")
        daemon.wait_busy("probe")
        leaving = threading.Thread(target=client.leave, args=[how])
        leaving.start()
        wait_until(lambda: daemon.outcome("client_gone", "probe") == 1)
        leaving.join()
        assert daemon.get("/probe/pid").status == 200
    finally:
        daemon.stop()
