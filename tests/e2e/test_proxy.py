"""The PROXY protocol: a trusted proxy says who the client is, and nobody else does."""

import socket
import struct

import pytest

import certs
import secure
from zyg import format_pool, free_port, pool, wait_until

GET = b"GET /probe/peer HTTP/1.1\r\nHost: a\r\n\r\n"
V1 = b"PROXY TCP4 192.0.2.1 198.51.100.2 4711 80\r\n"
V2_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def v2(address, port, extensions=b""):
    family, kind = (socket.AF_INET6, 0x21) if ":" in address else (socket.AF_INET, 0x11)
    packed = socket.inet_pton(family, address)
    rest = packed + packed + struct.pack(">HH", port, 80) + extensions
    return V2_SIGNATURE + bytes([0x21, kind]) + struct.pack(">H", len(rest)) + rest


LOCAL = V2_SIGNATURE + b"\x20\0\0\0"


@pytest.fixture
def behind(zygoted, tmp_path):
    """behind(proxy=..., top keys): a daemon whose listener trusts those proxies."""

    def start(proxy='{"127.0.0.1"}', **keys):
        port, control = free_port(), str(tmp_path / "control")
        lines = [f'control = "{control}"'] + [f"{key} = {value}" for key, value in keys.items()]
        lines.append(f'listen "web" {{ address = "127.0.0.1:{port}" proxy = {proxy} }}')
        config = "\n".join([*lines, format_pool(pool("probe")), ""])
        daemon = zygoted(pool("probe"), config=config, start=False)
        daemon.control, daemon.ports, daemon.port = control, [port], port
        return daemon.start()

    return start


def refused(daemon):
    return daemon.ctl("stats")["front"]["refused"]


def peer(daemon, header):
    """Whom the worker sees: address and port."""
    with daemon.connect() as connection:
        connection.send(header + GET)
        return connection.response().text.split()


@pytest.mark.parametrize(
    "header, expected",
    [
        (V1, ["192.0.2.1", "4711"]),
        (b"PROXY TCP6 2001:db8::7 ::1 1 2\r\n", ["2001:db8::7", "1"]),
        (v2("192.0.2.9", 99), ["192.0.2.9", "99"]),
        (v2("2001:db8::9", 99), ["2001:db8::9", "99"]),
        (v2("192.0.2.9", 99, b"\x04\x02\x00" + bytes(512)), ["192.0.2.9", "99"]),
    ],
)
def test_the_worker_sees_the_client(behind, header, expected):
    assert peer(behind(), header) == expected


@pytest.mark.parametrize("header", [b"PROXY UNKNOWN\r\n", LOCAL])
def test_a_header_without_a_client_leaves_the_proxy(behind, header):
    assert peer(behind(), header)[0] == "127.0.0.1"


@pytest.mark.parametrize("header", [V1, v2("192.0.2.1", 4711)])
def test_pieces_make_no_difference(behind, header):
    daemon = behind()
    with daemon.connect() as connection:
        for byte in header + GET:
            connection.send(bytes([byte]))
        assert connection.response().text.split() == ["192.0.2.1", "4711"]
        connection.send(GET)  # and the connection keeps its client
        assert connection.response().text.split() == ["192.0.2.1", "4711"]


def is_cut_off(connection):
    try:
        return connection.socket.recv(1) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize("data", [GET, b"PROXY TCP4 1.2.3.4 1.2.3.4 1 99999\r\n" + GET, b"\x16\3\1"])
def test_without_a_header_nothing_is_served(behind, data):
    daemon = behind()
    with daemon.connect() as connection:
        connection.send(data)
        assert is_cut_off(connection)
    daemon.wait_log("connection of a proxy refused")
    assert daemon.ctl("stats")["front"]["requests"] == 0


def test_a_header_from_anybody_else_is_not_listened_to(behind):
    daemon = behind(proxy='{"10.0.0.0/8"}')
    try:
        with daemon.connect() as connection:
            assert is_cut_off(connection)
    except ConnectionResetError:
        pass  # it was there before connect(2) has returned
    assert refused(daemon) == 1


def test_on_other_listeners_the_header_is_a_bad_request(zygoted):
    answer, closed = zygoted(pool("probe")).raw(V1 + GET)
    assert answer.status == 400 and closed


def test_a_header_that_does_not_come_ends_the_connection(behind):
    daemon = behind(header_timeout='"200ms"')
    with daemon.connect() as connection:
        connection.send(V1[:20])
        assert is_cut_off(connection)
    wait_until(lambda: daemon.ctl("stats")["front"]["connections"] == 0)


def test_limits_are_for_the_client_not_for_the_proxy(behind):
    daemon = behind(connections_per_source=1, penalty_exempt="{}")
    first, second, third = [daemon.connect() for _ in range(3)]
    for connection, header in ((first, V1), (second, v2("192.0.2.2", 1))):
        connection.send(header + GET)
        assert connection.response().status == 200
    third.send(v2("192.0.2.2", 2) + GET)
    assert is_cut_off(third)
    second.close()
    wait_until(lambda: daemon.ctl("stats")["front"]["connections"] == 1)
    assert peer(daemon, v2("192.0.2.2", 3)) == ["192.0.2.2", "3"]


@pytest.mark.plain_build  # a sanitizer turns the signal that is charged into an exit
def test_penalties_are_for_the_client(behind):
    daemon = behind(penalty=10, penalty_exempt="{}")
    crash = GET.replace(b"peer", b"crash/segv")

    def status():
        with daemon.connect() as connection:
            connection.send(v2("192.0.2.2", 1) + crash)
            return connection.response().status

    assert status() == 502
    wait_until(lambda: status() == 429)
    assert peer(daemon, V1)[0] == "192.0.2.1"


def test_the_access_log_names_the_client(behind, tmp_path):
    daemon = behind(access_log=f'"{tmp_path}/log"')
    peer(daemon, V1)
    wait_until(lambda: (tmp_path / "log").read_text().startswith("192.0.2.1 - - ["))


@pytest.mark.parametrize("header", [V1, v2("192.0.2.1", 4711)])
def test_the_header_comes_before_tls(zygoted, tmp_path, header):
    authority = certs.Authority(tmp_path)
    certificate = authority.issue("localhost", "DNS:localhost")
    port, control = free_port(), str(tmp_path / "control")
    config = (
        f'control = "{control}"\n'
        f'listen "tls" {{ address = "127.0.0.1:{port}" proxy = {{"127.0.0.1"}}\n'
        f'certificate = {{"{certificate.chain}"}} key = {{"{certificate.key}"}} }}\n'
    )
    daemon = zygoted(pool("probe"), config=config + format_pool(pool("probe")) + "\n", start=False)
    daemon.control, daemon.ports, daemon.port = control, [port], port
    daemon.start()
    with daemon.connect() as connection:
        connection.send(header)
        secure.wrap(connection, secure.trust(authority))
        connection.send(GET)
        assert connection.response().text.split() == ["192.0.2.1", "4711"]
