"""What is sent to a TLS port by those who mean no good, or speak something else."""

import os
import select
import socket
import ssl

import pytest

import certs
import secure
import zyg
from client import Truncated
from zyg import pool, wait_until


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return certs.Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def server(authority):
    return authority.issue("localhost", "DNS:localhost")


@pytest.fixture(scope="module")
def daemon(server):
    daemon = zyg.Zygoted(pool("echo"), pool("probe"), tls=secure.server(server))
    try:
        yield daemon.start()
    finally:
        daemon.stop()


def record(kind, data):
    return bytes([kind, 3, 3]) + len(data).to_bytes(2, "big") + data


GARBAGE = {
    "zeros": bytes(100),
    "random": os.urandom(4096),
    "ssh": b"SSH-2.0-OpenSSH_9.2\r\n",
    "sslv2": b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10" + bytes(40),
    "alert": record(21, b"\x02\x28"),
    "data first": record(23, b"GET / HTTP/1.1\r\n\r\n"),
    "hello cut": record(22, b"\x01\x00\x02\x00" + bytes(20)) + record(23, b"x"),
    "huge hello": record(22, b"\x01\xff\xff\xff" + bytes(16000)) * 20,
    "empty records": record(22, b"") * 100,
    "too long": b"\x16\x03\x03\xff\xff" + bytes(65535),
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_ends_the_connection_and_nothing_else(daemon, authority, name):
    failed = secure.counts(daemon)["failed"]
    with daemon.connect() as connection:
        try:
            connection.send(GARBAGE[name])
            while connection.fill():
                connection.buffer = b""
        except (ConnectionResetError, BrokenPipeError):
            pass
    wait_until(lambda: secure.counts(daemon)["failed"] == failed + 1)
    assert secure.get(daemon, "/echo/", secure.trust(authority)).status == 200


def test_plain_http_is_told_so(daemon):
    response, closed = daemon.raw(b"GET /echo/ HTTP/1.1\r\nHost: a\r\n\r\n")
    assert (response.status, response.reason, closed) == (400, "bad-request", True)
    assert b"speaks TLS" in response.body


def test_tls_on_a_plain_port_is_a_bad_request(zygoted, authority, server):
    daemon = zygoted(listeners=2, tls=secure.server(server))
    with pytest.raises(ssl.SSLError):
        secure.wrap(daemon.connect(listener=0), secure.trust(authority))


def hello(authority):
    """The first flight of a handshake."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = secure.trust(authority).wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


@pytest.mark.parametrize("sent", ["nothing", "a byte", "half a hello", "a hello"])
def test_a_handshake_that_is_not_finished_ends_at_its_deadline(zygoted, authority, server, sent):
    daemon = zygoted(tls=secure.server(server), handshake_timeout="300ms")
    data = hello(authority)
    data = {"nothing": b"", "a byte": data[:1], "half a hello": data[:100], "a hello": data}[sent]
    with daemon.connect() as connection:
        connection.send(data)
        try:
            while connection.fill():
                pass
        except ConnectionResetError:
            pass
    counts = secure.counts(daemon)
    assert (counts["timed_out"], counts["ok"], counts["handshaking"]) == (1, 0, 0)


def test_a_handshake_that_dribbles_ends_at_its_deadline(zygoted, authority, server):
    daemon = zygoted(tls=secure.server(server), handshake_timeout="500ms")
    with daemon.connect() as connection:
        for byte in hello(authority):
            connection.send(bytes([byte]))
            if select.select([connection.socket], [], [], 0.02)[0]:
                break
        assert connection.is_closed()
    assert secure.counts(daemon)["timed_out"] == 1


@pytest.mark.parametrize("how", ["close", "reset"])
def test_handshakes_beyond_the_bound_wait_and_get_their_turn(zygoted, authority, server, how):
    daemon = zygoted(tls=secure.server(server), handshakes=2, handshake_timeout="20s")
    first = hello(authority)
    holders = [daemon.connect() for _ in range(2)]
    for holder in holders:
        holder.send(first[:50])
    wait_until(lambda: secure.counts(daemon)["handshaking"] == 2)
    silent = daemon.connect()  # takes no place
    waiting, leaving = daemon.connect(), daemon.connect()
    for connection in (waiting, leaving):
        connection.send(first)
    wait_until(lambda: secure.counts(daemon)["waiting"] == 2)
    getattr(leaving, how)()
    wait_until(lambda: secure.counts(daemon)["waiting"] == 1)
    holders[0].close()
    assert waiting.take(5)[:1] == b"\x16"  # the server's answer
    counts = secure.counts(daemon)
    assert (counts["handshaking"], counts["waiting"]) == (2, 0)
    for connection in (*holders[1:], silent, waiting):
        connection.close()
    assert secure.get(daemon, "/echo/", secure.trust(authority)).status == 200
    wait_until(lambda: secure.counts(daemon)["handshaking"] == 0)


def test_waiting_for_a_place_ends_at_the_deadline_too(zygoted, authority, server):
    daemon = zygoted(tls=secure.server(server), handshakes=1, handshake_timeout="500ms")
    first = hello(authority)
    connections = [daemon.connect() for _ in range(3)]
    for connection in connections:
        connection.send(first[:50])
    for connection in connections:
        with connection:
            assert connection.is_closed()
    counts = secure.counts(daemon)
    assert (counts["timed_out"], counts["handshaking"], counts["waiting"]) == (3, 0, 0)


def test_a_broken_record_ends_the_connection_and_its_request(daemon, authority):
    connection = secure.connect(daemon, secure.trust(authority))
    connection.request("GET", "/probe/sleep/20000")
    daemon.wait_busy("probe")
    with socket.socket(fileno=os.dup(connection.socket.fileno())) as raw:
        raw.sendall(record(23, bytes(100)))
    daemon.wait_idle("probe")
    connection.close()


@pytest.mark.reads_proc
def test_clients_that_vanish_at_every_byte_leave_nothing(zygoted, authority, server):
    """The bytes of a handshake, then of a request, cut off everywhere."""
    daemon = zygoted(tls=secure.server(server))
    descriptors = zyg.fd_count(daemon.front_pid())
    data = hello(authority)
    for length in range(1, len(data), 7):
        with daemon.connect() as connection:
            connection.send(data[:length])
            connection.reset() if length % 2 else connection.close()
    context = secure.trust(authority)
    for length in range(0, 60, 3):
        with secure.connect(daemon, context) as connection:
            connection.send(b"POST /echo/ HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc"[:length])
    wait_until(lambda: daemon.ctl("stats")["front"]["connections"] == 0)
    daemon.wait_idle("echo")
    assert zyg.fd_count(daemon.front_pid()) <= descriptors + 8  # spares' sockets may come
    assert secure.counts(daemon)["handshaking"] == 0


@pytest.mark.plain_build
@pytest.mark.reads_proc
def test_idle_connections_cost_little(zygoted, authority, server):
    daemon = zygoted(tls=secure.server(server), connections=600, idle_timeout="60s")
    context = secure.trust(authority)
    assert secure.get(daemon, "/echo/", context).status == 200
    before = zyg.private_kib(daemon.front_pid())
    connections = [secure.connect(daemon, context) for _ in range(200)]
    for connection in connections:
        connection.request("GET", "/echo/")
        connection.response()
    cost = (zyg.private_kib(daemon.front_pid()) - before) / len(connections)
    for connection in connections:
        connection.close()
    assert cost < 40


@pytest.mark.plain_build
@pytest.mark.reads_proc
def test_connections_that_do_not_read_cost_a_bounded_amount(zygoted, authority, server):
    daemon = zygoted(pool("probe", timeout="60s", spare=4, max_children=64), tls=secure.server(server))
    context = secure.trust(authority)
    assert secure.get(daemon, "/probe/write/10", context).status == 200
    before = zyg.private_kib(daemon.front_pid())
    connections = [secure.connect(daemon, context) for _ in range(40)]
    for connection in connections:
        connection.request("GET", "/probe/write/100000000")
    wait_until(lambda: len(daemon.busy("probe")) == 40)
    cost = (zyg.private_kib(daemon.front_pid()) - before) / len(connections)
    for connection in connections:
        connection.close()
    assert cost < 80


def test_many_handshakes_at_once(zygoted, authority, server):
    daemon = zygoted(tls=secure.server(server), handshakes=4)
    context = secure.trust(authority)
    plain = [daemon.connect() for _ in range(50)]
    for connection in plain:
        secure.wrap(connection, context)
        connection.request("GET", "/echo/")
    for connection in plain:
        try:
            assert connection.response().status == 200
        except Truncated:
            pytest.fail("an answer broke off")
        connection.close()
    assert secure.counts(daemon)["ok"] == 50
