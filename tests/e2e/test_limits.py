"""Everything is bounded, and each bound answers with its own status and reason."""

import time

import pytest

from zyg import pool, wait_until

POST = b"POST %s HTTP/1.1\r\nHost: a\r\n%s\r\n"


def test_413_for_a_body_longer_than_the_pools_limit(zygoted):
    daemon = zygoted(pool("echo", body="1K"))
    assert daemon.request("POST", "/echo/", b"x" * 1024).status == 200
    answer = daemon.request("POST", "/echo/", b"x" * 1025)
    assert (answer.status, answer.reason) == (413, "body-too-large")
    assert daemon.outcome("body_too_large", "echo") == 1


def test_413_for_a_chunked_body_that_grows_over_the_limit(zygoted):
    daemon = zygoted(pool("probe", body="1K"))
    head = POST % (b"/probe/discard", b"Transfer-Encoding: chunked\r\n")
    answer, closed = daemon.raw(head + b"400\r\n" + b"x" * 1024 + b"\r\n1\r\nx\r\n0\r\n\r\n")
    assert (answer.status, answer.reason) == (413, "body-too-large") and closed
    daemon.wait_idle("probe")


def test_a_client_that_sends_too_much_still_sees_the_413(zygoted):
    daemon = zygoted(pool("echo", body="1K"))
    with daemon.connect() as connection:
        connection.request("POST", "/echo/", b"x" * (4 << 20))
        assert connection.response().status == 413


@pytest.mark.parametrize("length, status", [(8100, 404), (8300, 414)])
def test_414_for_a_long_request_line(daemon, length, status):
    assert daemon.get("/" + "a" * length).status == status


@pytest.mark.parametrize("count, status", [(63, 200), (64, 431)])
def test_431_for_too_many_headers(daemon, count, status):
    assert daemon.get("/echo/", headers=[("X", "1")] * count).status == status


def test_408_for_a_head_that_does_not_end(zygoted):
    daemon = zygoted(pool("echo"), header_timeout="300ms")
    start = time.monotonic()
    answer, closed = daemon.raw(b"GET /echo/ HTTP/1.1\r\nHost:")
    assert answer.status == 408 and closed and 0.25 < time.monotonic() - start < 10
    assert answer.reason == "header-timeout"


def test_the_head_deadline_is_absolute(zygoted):
    daemon = zygoted(pool("echo"), header_timeout="500ms")
    with daemon.connect() as connection:
        start = time.monotonic()
        connection.socket.settimeout(0.05)
        answer = None
        for byte in b"GET /echo/ HTTP/1.1\r\nX: " + b"a" * 200:
            connection.send(bytes([byte]))
            try:
                answer = connection.response()
                break
            except TimeoutError:
                continue
    assert answer and answer.status == 408 and time.monotonic() - start < 10


def test_an_idle_connection_is_closed(zygoted):
    daemon = zygoted(pool("echo"), idle_timeout="300ms")
    with daemon.connect() as connection:
        start = time.monotonic()
        connection.request("GET", "/echo/")
        connection.response()
        assert connection.is_closed() and 0.25 < time.monotonic() - start < 10


def test_408_for_a_body_that_comes_too_slowly(zygoted):
    daemon = zygoted(pool("probe", timeout="60s"), body_rate="1K", body_grace="300ms")
    answer, closed = daemon.raw(POST % (b"/probe/discard", b"Content-Length: 100\r\n") + b"x")
    assert (answer.status, answer.reason) == (408, "body-too-slow") and closed
    daemon.wait_idle("probe")


def test_a_client_that_does_not_take_its_answer_is_dropped(zygoted):
    daemon = zygoted(pool("probe", timeout="60s"), body_rate="1K", body_grace="300ms")
    with daemon.connect() as connection:
        connection.request("GET", "/probe/write/100000000")
        wait_until(lambda: daemon.outcome("client_slow", "probe") == 1)
    daemon.wait_idle("probe")


def test_504_when_the_deadline_passes(zygoted, user):
    daemon = zygoted(pool("probe", timeout="300ms"), user=user)
    start = time.monotonic()
    answer = daemon.get("/probe/sleep/60000")
    assert (answer.status, answer.reason) == (504, "timeout")
    assert 0.25 < time.monotonic() - start < 10
    daemon.wait_idle("probe")


def test_an_answer_cut_by_the_deadline_does_not_look_complete(zygoted):
    daemon = zygoted(pool("probe", timeout="2s"))
    with daemon.connect() as connection:
        connection.request("GET", "/probe/trickle/1000")
        with pytest.raises(Exception) as caught:
            connection.response()
    assert type(caught.value).__name__ in ("Truncated", "ConnectionResetError")
    assert daemon.outcome("timeout", "probe") == 1


def test_504_when_the_cpu_time_is_used_up(zygoted):
    daemon = zygoted(pool("probe", timeout="20s", cpu="1s"))
    answer = daemon.get("/probe/burn")
    assert (answer.status, answer.reason) == (504, "cpu-limit")


@pytest.mark.plain_build
def test_a_child_cannot_add_more_than_its_memory(zygoted, user):
    daemon = zygoted(pool("probe", memory="16M"), user=user)
    assert daemon.get(f"/probe/alloc/{8 << 20}").text.startswith("allocated")
    assert daemon.get(f"/probe/alloc/{64 << 20}").text == "refused\n"


def fill(daemon, count):
    """`count` connections with a request in progress or queued, until they are released."""
    connections = [daemon.connect() for _ in range(count)]
    for connection in connections:
        connection.hold()
    return connections


def test_503_when_the_queue_is_full(zygoted):
    small = pool("probe", spare=1, max_children=1, queue=1)
    daemon = zygoted(small)
    waiting = fill(daemon, 2)
    wait_until(lambda: daemon.pool("probe")["queued"] == 1)
    answer = daemon.get("/probe/pid")
    assert (answer.status, answer.reason) == (503, "queue-full")
    assert int(answer.header("retry-after")) >= 1
    assert [connection.release().status for connection in waiting] == [200, 200]
    assert daemon.outcome("queue_full", "probe") == 1


def test_503_when_the_wait_is_too_long(zygoted):
    small = pool("probe", spare=1, max_children=1, queue=4, queue_timeout="100ms")
    daemon = zygoted(small)
    waiting = fill(daemon, 1)
    daemon.wait_busy("probe")
    answer = daemon.get("/probe/pid")
    assert (answer.status, answer.reason) == (503, "queue-timeout")
    assert int(answer.header("retry-after")) >= 1 and answer.header("connection") is None
    assert waiting[0].release().status == 200


def test_never_more_children_than_max_children(zygoted):
    daemon = zygoted(pool("probe", spare=2, max_children=3, queue=100))
    waiting = fill(daemon, 12)
    daemon.wait_busy("probe", 3)
    wait_until(lambda: daemon.pool("probe")["queued"] == 9)
    most = 0
    for connection in waiting:
        most = max(most, len(daemon.child_pids("probe")))
        assert connection.release().status == 200
    assert most == 3


def test_a_flood_of_connections_is_not_refused_but_waits(zygoted):
    daemon = zygoted(pool("echo"), connections=8)
    held = [daemon.connect() for _ in range(8)]
    wait_until(lambda: daemon.ctl("stats")["front"]["connections"] == 8)
    with daemon.connect() as late:
        late.request("GET", "/echo/")
        held.pop().close()
        assert late.response().status == 200


def test_what_a_child_says_reaches_the_log_up_to_its_bound(zygoted):
    daemon = zygoted(pool("probe", output="4K"))
    assert daemon.get("/probe/stderr/100000").status == 200
    daemon.wait_log("complaint 0")
    assert daemon.log().count("complaint") < 1000
