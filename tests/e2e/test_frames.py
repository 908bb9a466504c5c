"""Requests and replies as frames: over TCP, TLS and Unix sockets, and what becomes of those that go wrong."""

import json
import os
import shutil
import socket
import ssl
import struct
import subprocess
import tempfile

import pytest

import certs
import secure
import zyg
from client import Truncated
from frames_client import (
    BAD_REQUEST,
    CRASHED,
    OK,
    OVERLOADED,
    TIMEOUT,
    TOO_LARGE,
    WORKER_ERROR,
    Frames,
    frame,
)
from reloads import reload
from test_proxy import V1
from test_unix import local  # noqa: F401 - a fixture
from zyg import ControlError, format_config, free_port, pool, wait_until

MIB = 1 << 20


def listener(name, **keys):
    return {"protocol": "frame", "pool": name, "address": f"127.0.0.1:{free_port()}", **keys}


def start(zygoted, *pools, top=None, **keys):
    """A daemon with a listener for frames to each pool, named as the pool; daemon.port is the first one's."""
    daemon = zygoted(*pools, start=False)
    daemon.sections = {section["name"]: listener(section["name"], **keys) for section in pools}
    daemon.ports = [int(section["address"].rsplit(":", 1)[1]) for section in daemon.sections.values()]
    daemon.port = daemon.ports[0]
    daemon.write_config(daemon.config_text(pools, **(top or {})))
    return daemon.start()


def connect(daemon, index=0, **more):
    return Frames(("127.0.0.1", daemon.ports[index]), **more)


def call(daemon, payload, index=0):
    with connect(daemon, index) as connection:
        return connection.call(payload)


@pytest.fixture(scope="module")
def daemon():
    """echo, probe and oui, each with its own listener; limits that a test can reach."""
    pools = [pool("echo", body="8M"), pool("probe", body=1000), pool("oui")]
    holder = zyg.Zygoted(*pools)
    try:
        yield start(lambda *_, **__: holder, *pools, gather="4M")
    finally:
        holder.stop()


# ---- requests and replies ----


@pytest.mark.parametrize("size", [0, 1, 4, 65536, 4 * MIB])
def test_the_payload_is_the_body_both_ways(daemon, size):
    payload = os.urandom(size)
    assert call(daemon, payload) == (OK, payload)


def test_each_request_has_a_child_of_its_own_and_answers_are_in_order(daemon):
    with connect(daemon, 1) as connection:
        connection.send(b"".join(frame(b"pid\n") + frame(b"write/%d" % i) for i in range(1, 50)))
        pids = set()
        for i in range(1, 50):
            pids.add(connection.reply())
            assert connection.reply() == (OK, b"x" * i)
        assert len(pids) == 49


def test_bytes_one_by_one_make_no_difference(daemon):
    with connect(daemon) as connection:
        for byte in frame(b"hello") + frame(b""):
            connection.send(bytes([byte]))
        assert [connection.reply(), connection.reply()] == [(OK, b"hello"), (OK, b"")]


def test_what_a_worker_sees(daemon):
    status, text = call(daemon, b"fields", 1)
    assert status == OK
    with connect(daemon, 1) as connection:
        port = connection.socket.getsockname()[1]
        status, text = connection.call(b"fields")
    expected = ["FRAME", "/", "", "/", "", "", "FRAME", "frame", "127.0.0.1", str(port), "probe", "probe"]
    assert text.decode().split("|") == expected + [""] * 5 + ["0"]


def test_the_table_looks_keys_up(daemon):
    status, text = call(daemon, b"00:22:72\nnonsense\n", 2)
    first, second = map(json.loads, text.splitlines())
    assert status == OK and first["row"]["Assignment"] == "002272" and second["error"]


def test_the_route_of_frames_has_its_figures(daemon):
    before = {route["route"]: route["requests"] for route in daemon.ctl("routes oui")["routes"]}
    call(daemon, b"00:22:72", 2)
    wait_until(lambda: daemon.ctl("routes oui")["routes"][1]["requests"] > before["frame"])
    assert [route["route"] for route in daemon.ctl("routes oui")["routes"]] == ["/oui/", "frame"]


def answers_backwards(zygoted, name, worker, options, text):
    path = os.path.join(zyg.BUILD, "workers", f"{worker}.so")
    if not os.path.exists(path):
        pytest.skip(f"the worker {worker} was not built")
    folder = tempfile.mkdtemp(prefix="zyg-frames-")
    try:
        os.chmod(folder, 0o755)
        with open(os.path.join(folder, name), "w") as file:
            file.write(text)
        options = {key: value.replace("HERE", folder) for key, value in options.items()}
        daemon = start(zygoted, pool("app", worker=worker, options=options, timeout="20s"))
        assert call(daemon, b"hello") == (OK, b"FRAME olleh")
    finally:
        shutil.rmtree(folder)


def test_a_lua_script_answers_frames(zygoted):
    text = "function handle(request) return request.method .. ' ' .. request:read():reverse() end\n"
    answers_backwards(zygoted, "app.lua", "lua", {"script": "HERE/app.lua"}, text)


def test_a_python_application_answers_frames(zygoted):
    text = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["REQUEST_METHOD"].encode() + b" " + environ["wsgi.input"].read()[::-1]]
"""
    answers_backwards(zygoted, "backwards.py", "python", {"path": "HERE", "app": "backwards:app"}, text)


# ---- statuses ----


@pytest.mark.parametrize(
    "payload, status, reason",
    [
        (b"error", WORKER_ERROR, b"worker_error: "),
        (b"break/error", WORKER_ERROR, b"worker_error: "),
        (b"crash/segv", CRASHED, b"crashed: "),
        (b"break/segv", CRASHED, b"crashed: "),
        (b"crash/sys", CRASHED, b"sandbox: "),
        (b"frames/garbage", CRASHED, b"bad_reply: "),
        (b"write/4194305", TOO_LARGE, b"reply_too_large: "),
    ],
)
@pytest.mark.plain_build
def test_a_request_that_fails_says_why_and_the_connection_stays(daemon, payload, status, reason):
    with connect(daemon, 1) as connection:
        expect_failure(connection, payload, status, reason)


def expect_failure(connection, payload, status, reason):
    got, text = connection.call(payload)
    assert (got, text[: len(reason)]) == (status, reason)
    assert connection.call(b"write/3") == (OK, b"xxx")


def test_so_does_one_that_takes_too_long(zygoted):
    daemon = start(zygoted, pool("probe", timeout="2s"))
    with connect(daemon) as connection:
        expect_failure(connection, b"sleep/60000", TIMEOUT, b"timeout: ")


@pytest.mark.parametrize(
    "code, status",
    [(200, OK), (302, OK), (404, BAD_REQUEST), (413, TOO_LARGE), (429, OVERLOADED)]
    + [(500, WORKER_ERROR), (503, OVERLOADED), (504, TIMEOUT), (599, WORKER_ERROR)],
)
def test_a_workers_own_status_becomes_one(daemon, code, status):
    assert call(daemon, b"status/%d" % code, 1)[0] == status


def test_a_request_over_the_limit_is_refused_before_it_has_come(daemon):
    with connect(daemon, 1) as connection:
        connection.send(struct.pack(">I", 1001) + b"pid\n")
        assert connection.reply() == (TOO_LARGE, b"body_too_large: request body over the pool's limit")
        assert connection.at_end()


def test_the_largest_request_is_taken(daemon):
    assert call(daemon, b"discard\n".ljust(1000, b"x"), 1) == (OK, b"992\n")


def test_no_room_in_the_queue(zygoted):
    daemon = start(zygoted, pool("probe", spare=1, max_children=1, queue=0, timeout="20s"))
    with connect(daemon) as busy:
        busy.send(frame(b"sleep/60000"))
        daemon.wait_busy("probe")
        status, text = call(daemon, b"pid")
        assert status == OVERLOADED and text.startswith(b"queue_full: ")


@pytest.mark.plain_build
def test_a_source_under_penalty_is_told_and_closed(zygoted):
    daemon = start(zygoted, pool("probe"), top={"penalty": 10, "penalty_exempt": []})
    assert call(daemon, b"crash/segv")[0] == CRASHED

    def is_told():
        with connect(daemon) as connection:
            status, text = connection.call(b"crash/segv")
            assert status == CRASHED or text.startswith(b"penalty: ") and connection.at_end()
            return status == OVERLOADED

    wait_until(is_told)


# ---- broken and slow clients ----


@pytest.mark.parametrize("sent", [b"\0", b"\0\0\0", b"\0\0\0\5hell"])
def test_a_frame_that_breaks_off_is_counted_and_closed(daemon, sent):
    reason = "bad_request" if len(sent) < 4 else "client_gone"
    before = daemon.outcome(reason)
    with connect(daemon) as connection:
        connection.send(sent)
        connection.half_close()
        rest = b""
        while connection.fill():
            rest = connection.buffer
    assert rest[:1] == (bytes([BAD_REQUEST]) if len(sent) < 4 else b"")
    wait_until(lambda: daemon.outcome(reason) == before + 1)
    daemon.wait_idle("echo")


def test_a_length_that_does_not_come_in_time(zygoted):
    daemon = start(zygoted, pool("echo"), top={"header_timeout": "500ms"})
    with connect(daemon) as connection:
        connection.send(b"\0\0")
        status, text = connection.reply()
        assert status == BAD_REQUEST and text.startswith(b"header_timeout: ") and connection.at_end()


def test_a_payload_below_the_minimum_rate(zygoted):
    daemon = start(zygoted, pool("echo"), top={"body_rate": "1M", "body_grace": "100ms"})
    with connect(daemon) as connection:
        connection.send(struct.pack(">I", 100_000) + b"x")
        status, text = connection.reply()
        assert status == BAD_REQUEST and text.startswith(b"body_too_slow: ") and connection.at_end()


def test_a_client_that_leaves_costs_no_child(daemon):
    with connect(daemon, 1) as connection:
        connection.send(frame(b"sleep/60000"))
        daemon.wait_busy("probe")
    daemon.wait_idle("probe")


def test_clients_that_leave_at_every_byte_leave_nothing(daemon):
    request = frame(b"hello")
    for offset in range(len(request) + 1):
        connection = connect(daemon)
        connection.send(request[:offset])
        connection.reset()
    daemon.wait_idle("echo")
    assert wait_until(lambda: daemon.ctl("stats")["front"]["connections"] == 0) is True
    assert call(daemon, b"hello") == (OK, b"hello")


def test_replies_that_nobody_takes_are_bounded_together(local):  # noqa: F811
    """At a Unix socket, where the kernel takes little of a reply."""
    keys = {"protocol": "frame", "pool": "probe", "gather": "1M"}
    daemon = local(pool("probe"), top={"gather_memory": "1M"}, **keys)
    with Frames(daemon.path) as slow, Frames(daemon.path) as other:
        slow.send(frame(b"write/1000000"))
        wait_until(lambda: daemon.outcome("ok", "probe") == 1)
        status, text = other.call(b"write/500000")
        assert status == OVERLOADED and text.startswith(b"internal: ")
        assert slow.reply() == (OK, b"x" * 1_000_000)
        assert other.call(b"write/500000")[0] == OK


def test_http_at_a_listener_for_frames_is_refused(daemon):
    """"GET " is a length of 1.1 GiB."""
    with connect(daemon) as connection:
        connection.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert connection.reply()[0] == TOO_LARGE and connection.at_end()


def test_a_frame_at_a_listener_for_http_is_refused(daemon, zygoted):
    other = zygoted(pool("echo"))
    with Frames(("127.0.0.1", other.port)) as connection:
        connection.send(frame(b"hello"))
        assert connection.response().status == 400


# ---- what all connections have ----


def test_the_access_log_has_its_lines(zygoted, tmp_path):
    log = str(tmp_path / "access")
    open(log, "w").close()
    os.chmod(log, 0o666)
    daemon = start(zygoted, pool("probe"), top={"access_log": log, "access_format": "json"})
    with connect(daemon) as connection:
        connection.call(b"write/30")
        connection.call(b"crash/segv")
    lines = wait_until(lambda: (all := open(log).readlines())[1:] and [json.loads(line) for line in all])
    first, second = sorted(lines, key=lambda line: line["outcome"] != "ok")
    assert (first["method"], first["target"], first["protocol"]) == ("FRAME", "/", "FRAME")
    assert (first["status"], first["bytes_in"], first["bytes_out"]) == (200, 8, 30)
    assert (second["outcome"], second["status"]) == ("crashed", 502)
    assert len(first["request"]) == 32 and first["request"] != second["request"]


def test_requests_per_connection(zygoted):
    daemon = start(zygoted, pool("echo"), top={"requests_per_connection": 2})
    with connect(daemon) as connection:
        connection.send(frame(b"a") + frame(b"b") + frame(b"c"))
        assert [connection.reply(), connection.reply()] == [(OK, b"a"), (OK, b"b")]
        assert connection.at_end()


def test_a_drain_lets_the_request_end(zygoted):
    daemon = start(zygoted, pool("probe"), top={"drain_timeout": "1m"})
    with connect(daemon) as connection:
        connection.hold()
        daemon.wait_busy("probe")
        daemon.process.terminate()
        daemon.wait_log("zygoted: stop reason=")
        assert connection.release() == (OK, b"1\n") and connection.at_end()


def test_a_proxy_says_whose_frames_they_are(zygoted):
    daemon = start(zygoted, pool("probe"), proxy=["127.0.0.1"])
    with connect(daemon) as connection:
        connection.send(V1)
        assert connection.call(b"peer") == (OK, b"192.0.2.1 4711\n")


def test_over_a_unix_socket(local):  # noqa: F811
    daemon = local(pool("probe"), protocol="frame", pool="probe")
    with Frames(daemon.path) as connection:
        assert connection.call(b"peer") == (OK, b"unix: \n")
        assert connection.call(b"break/segv")[0] == CRASHED
        assert connection.call(b"write/200000") == (OK, b"x" * 200_000)


def test_several_fronts(zygoted):
    daemon = start(zygoted, pool("echo"), top={"fronts": 2})
    connections = [connect(daemon) for _ in range(8)]
    for number, connection in enumerate(connections):
        assert connection.call(b"%d" % number) == (OK, b"%d" % number)
        connection.close()


# ---- TLS ----


@pytest.fixture
def authority(tmp_path):
    return certs.Authority(tmp_path)


@pytest.fixture
def tls(zygoted, authority):
    return start(zygoted, pool("probe"), pool("echo", body="4M"), gather="4M", **secure.server(authority.issue("localhost", "DNS:localhost")))


def test_over_tls(tls, authority):
    with secure.wrap(connect(tls, 1), secure.trust(authority)) as connection:
        for size in (0, 1, 100_000, 3 * MIB):
            payload = os.urandom(size)
            assert connection.call(payload) == (OK, payload)
    with secure.wrap(connect(tls), secure.trust(authority)) as connection:
        fields = connection.call(b"fields")[1].decode().split("|")
        assert fields[7] == "frames" and fields[12] == "TLSv1.3"
        assert connection.call(b"break/segv")[0] == CRASHED


def test_a_client_that_means_http_is_refused_in_the_handshake(tls, authority):
    with connect(tls) as connection, pytest.raises(ssl.SSLError, match="no application protocol"):
        secure.wrap(connection, secure.trust(authority, alpn=["http/1.1"]))


# ---- configuration ----


def check(tmp_path, sections, *pools):
    path = tmp_path / "try.conf"
    path.write_text(format_config({}, sections, pools))
    result = subprocess.run([zyg.ZYGOTED, "-T", "-c", path], capture_output=True, text=True, timeout=60)
    return result.returncode, result.stdout, result.stderr


@pytest.mark.parametrize(
    "keys, error",
    [
        ({"protocol": "frame"}, "frames have no path: name the pool that gets them"),
        ({"protocol": "frame", "pool": "other"}, 'there is no pool "other"'),
        ({"pool": "echo"}, 'pool is for protocol = "frame"'),
    ],
)
def test_a_pool_is_named_where_frames_are_spoken_and_nowhere_else(tmp_path, keys, error):
    code, _, errors = check(tmp_path, {"a": {"address": "127.0.0.1:9", **keys}}, pool("echo"))
    assert code == 1 and error in errors


def test_a_pool_needs_routes_or_frames(tmp_path):
    silent = pool("echo", routes=[])
    code, _, errors = check(tmp_path, {"a": "127.0.0.1:9"}, silent)
    assert code == 1 and 'pool "echo" has no routes and gets no frames' in errors
    code, text, _ = check(tmp_path, {"a": listener("echo")}, silent)
    assert code == 0 and "routes = {}" in text


def test_a_pool_for_frames_alone_has_no_path(zygoted):
    daemon = start(zygoted, pool("echo", routes=[]))
    assert call(daemon, b"hello") == (OK, b"hello")


def test_frames_count_as_a_route(tmp_path):
    full = pool("echo", routes=[f"/{i}/" for i in range(32)])
    code, _, errors = check(tmp_path, {"a": listener("echo")}, full)
    assert code == 1 and "frames count as one of at most 32 routes" in errors


def test_a_reload_brings_them_and_takes_them_away(zygoted):
    daemon = zygoted(pool("echo"))
    web = dict(daemon.sections)
    rpc = listener("echo")
    answer = reload(daemon, pool("echo"), sections={**web, "rpc": rpc})
    assert [entry["change"] for entry in answer["pools"]] == ["settings"]
    port = int(rpc["address"].rsplit(":", 1)[1])
    with Frames(("127.0.0.1", port)) as connection:
        assert connection.call(b"hello") == (OK, b"hello")
        reload(daemon, pool("echo"), sections=web)
        assert connection.at_end()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port)).close()


def test_a_reload_gives_them_to_another_pool(zygoted):
    daemon = start(zygoted, pool("probe"), pool("echo"))
    with connect(daemon) as connection:
        assert connection.call(b"write/2") == (OK, b"xx")
        sections = {**daemon.sections, "probe": {**daemon.sections["probe"], "pool": "echo"}}
        reload(daemon, pool("probe"), pool("echo"), sections=sections)
        assert connection.call(b"write/2") == (OK, b"write/2")


def test_a_pool_that_frames_go_to_cannot_be_taken_away(zygoted):
    daemon = start(zygoted, pool("echo"), pool("probe"))
    with pytest.raises(ControlError, match='there is no pool "probe"'):
        reload(daemon, pool("echo"))
    assert call(daemon, b"pid", 1)[0] == OK


def test_a_reply_that_breaks_off_never_looks_whole(local):  # noqa: F811
    """At a Unix socket, which cannot be reset: the length that came first tells."""
    top = {"body_rate": "1M", "body_grace": "100ms"}
    daemon = local(pool("probe"), top=top, protocol="frame", pool="probe")
    with Frames(daemon.path) as connection:
        connection.send(frame(b"write/1000000"))
        wait_until(lambda: daemon.outcome("ok", "probe") == 1)
        wait_until(lambda: daemon.ctl("stats")["front"]["connections"] == 0)
        with pytest.raises(Truncated):
            connection.reply()
        assert connection.buffer
