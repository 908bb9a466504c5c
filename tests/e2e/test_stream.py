"""Bodies of any size pass through, at the pace of the slower side, in bounded memory."""

import threading
import time

import pytest

import zyg
from client import Connection
from zyg import pool, wait_until

MIB = 1 << 20
PIECE = bytes(range(256)) * 256  # 64 KiB
FRONT_GROWTH_KIB = 8192 if zyg.ASAN else 2048


@pytest.fixture
def echo(zygoted):
    return zygoted(pool("echo", body="4G", timeout="120s"), pool("probe", body="4G", timeout="60s"))


def send_body(connection, size):
    for _ in range(size // len(PIECE)):
        connection.send(PIECE)


def echo_through(daemon, size, headers, send):
    """Uploads and downloads at once; checks every byte; returns the front's growth in KiB."""
    front = daemon.front_pid()
    before, peak, got = zyg.private_kib(front), [], 0
    with daemon.connect(timeout=60) as connection:
        connection.request("POST", "/echo/", headers=headers)
        sender = threading.Thread(target=send, args=(connection, size))
        sender.start()
        response = connection.head()
        assert response.status == 200
        for piece in connection.body_pieces(response):
            offset = got % len(PIECE)
            assert piece == (PIECE + PIECE)[offset : offset + len(piece)]
            if got % (16 * MIB) + len(piece) >= 16 * MIB:
                peak.append(zyg.private_kib(front))
            got += len(piece)
        sender.join()
    assert got == size
    return max(peak) - before


def send_chunked(connection, size):
    for _ in range(size // len(PIECE)):
        connection.send(b"%x\r\n" % len(PIECE) + PIECE + b"\r\n")
    connection.send(b"0\r\n\r\n")


FRAMINGS = {
    "length": (lambda size: [("Content-Length", size)], send_body),
    "chunked": (lambda size: [("Transfer-Encoding", "chunked")], send_chunked),
}


@pytest.mark.plain_build
@pytest.mark.reads_proc
@pytest.mark.parametrize("framing", FRAMINGS)
def test_64_mib_through_echo(echo, framing):
    headers, send = FRAMINGS[framing]
    assert echo_through(echo, 64 * MIB, headers(64 * MIB), send) < FRONT_GROWTH_KIB


@pytest.mark.reads_proc
@pytest.mark.long
@pytest.mark.parametrize("framing", FRAMINGS)
def test_1_gib_through_echo(echo, framing):
    headers, send = FRAMINGS[framing]
    assert echo_through(echo, 1024 * MIB, headers(1024 * MIB), send) < FRONT_GROWTH_KIB


@pytest.mark.reads_proc
def test_a_slow_reader_holds_the_child_not_the_memory(echo):
    before = zyg.private_kib(echo.front_pid())
    with Connection(("127.0.0.1", echo.port), 20, receive_buffer=4096) as connection:
        connection.request("GET", f"/probe/write/{64 * MIB}")
        response = connection.head()
        echo.wait_busy("probe")
        growth = zyg.private_kib(echo.front_pid()) - before
        assert growth < FRONT_GROWTH_KIB
        total = sum(len(piece) for piece in connection.body_pieces(response))
    assert total == 64 * MIB


@pytest.mark.reads_proc
def test_a_slow_worker_slows_the_sender(echo):
    size = 2 * MIB
    before = zyg.private_kib(echo.front_pid())
    with echo.connect() as connection:
        connection.request("POST", "/probe/discard/1", headers=[("Content-Length", size)])
        send_body(connection, size)
        assert zyg.private_kib(echo.front_pid()) - before < FRONT_GROWTH_KIB
        assert connection.response().text == f"{size}\n"


@pytest.mark.plain_build
@pytest.mark.reads_proc
def test_a_body_that_dribbles_to_a_deaf_worker_costs_no_more_than_its_bytes(echo):
    """A byte in each segment, until nothing more is read from the client."""
    before = zyg.private_kib(echo.front_pid())
    with echo.connect() as connection:
        connection.request("POST", "/probe/sleep/20000", headers=[("Content-Length", 100000)])
        echo.wait_busy("probe")
        for _ in range(3000):
            connection.send(b"x")
            time.sleep(0.0003)  # else they come together
        assert zyg.private_kib(echo.front_pid()) - before < 256
    echo.wait_idle("probe")


def test_an_answer_that_trickles_arrives_as_it_is_written(echo):
    with echo.connect() as connection:
        connection.request("GET", "/probe/trickle/2500")  # for 50 seconds
        pieces = connection.body_pieces(connection.head())
        (child,) = echo.wait_busy("probe")
        for number in range(20):
            assert next(pieces) == b"line %d\n" % number
        assert [busy["pid"] for busy in echo.busy("probe")] == [child["pid"]]


def test_a_worker_may_answer_before_it_read_the_body(echo):
    with echo.connect() as connection:
        connection.request("POST", "/probe/early", headers=[("Content-Length", 8 * MIB)])
        response = connection.response()
        assert response.text == "early\n" and connection.is_closed()


def test_an_early_answer_is_seen_by_a_client_that_goes_on_sending(echo):
    with echo.connect() as connection:
        connection.request("POST", "/probe/early", headers=[("Content-Length", 4 * MIB)])
        wait_until(lambda: echo.stats("probe")["ok"] == 1)
        send_body(connection, 4 * MIB)
        assert connection.response().text == "early\n"


@pytest.mark.parametrize("size", [0, 1, 16383, 16384, 16385, 65536, 65537, 1000000])
def test_answers_of_every_size_are_whole(echo, size):
    answer = echo.get(f"/probe/write/{size}")
    assert answer.status == (204 if size == 0 else 200) and answer.body == b"x" * size
