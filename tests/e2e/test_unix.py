"""HTTP over Unix sockets: who may connect, what requests look like, and answers that cannot be cut short unseen."""

import json
import os
import socket
import ssl
import stat
import subprocess

import pytest

import certs
import secure
from client import Connection, Truncated
from reloads import reload
from test_proxy import LOCAL, V1
from test_service import moved_up, with_sockets
from zyg import BOUND, format_config, pool, wait_until


@pytest.fixture
def local(zygoted):
    """local(pools, listener keys, top=keys): a daemon with a Unix socket, at daemon.path."""

    def start(*pools, top=None, start=True, **keys):
        pools = pools or [pool("echo"), pool("probe")]
        daemon = zygoted(*pools, start=False)
        daemon.path = os.path.join(daemon.directory, "web.sock")
        sections = {"local": {"address": f"unix:{daemon.path}", "access": "all", **keys}}
        daemon.write_config(format_config({"control": daemon.control, **(top or {})}, sections, pools))
        return daemon.start() if start else daemon

    return start


def get(daemon, target, headers=()):
    with Connection(daemon.path) as connection:
        connection.request("GET", target, headers=headers)
        return connection.response()


def old(daemon, target, method="GET"):
    """An HTTP/1.0 request's answer, to the end of the connection."""
    with Connection(daemon.path) as connection:
        connection.send(f"{method} {target} HTTP/1.0\r\n\r\n".encode())
        return connection.response(method)


# ---- requests ----


def test_requests_with_keep_alive_pipelining_and_bodies(local):
    daemon = local()
    with Connection(daemon.path) as connection:
        for body in (b"", b"x", b"y" * 500_000):
            connection.request("POST", "/echo/", body)
            assert connection.response().body == body or body == b""
        connection.send(b"GET /probe/pid HTTP/1.1\r\nHost: a\r\n\r\n" * 20)
        assert len({connection.response().body for _ in range(20)}) == 20


def test_curl_speaks_to_it(local):
    daemon = local()
    command = ["curl", "-sS", "--unix-socket", daemon.path, "-d", "hello", "http://any/echo/"]
    assert subprocess.run(command, capture_output=True, timeout=60).stdout == b"hello"


def test_the_client_has_no_address(local, tmp_path):
    log = str(tmp_path / "access")
    open(log, "w").close()
    os.chmod(log, 0o666)
    daemon = local(top={"access_log": log, "access_format": "json"})
    assert get(daemon, "/probe/peer").text == "unix: \n"
    line = json.loads(wait_until(lambda: open(log).readline()))
    assert line["peer"] == "unix:"


@pytest.mark.plain_build
def test_without_an_address_there_is_no_source_to_limit_or_to_penalise(local):
    daemon = local(top={"penalty": 1, "penalty_exempt": [], "connections_per_source": 1})
    with Connection(daemon.path):
        for _ in range(3):
            assert get(daemon, "/probe/crash/segv").status == 502
        assert get(daemon, "/echo/").status == 200
    assert daemon.ctl("penalties")["penalties"] == []


def test_the_listeners_own_limit_holds(local):
    daemon = local(connections=1)
    first = Connection(daemon.path)
    second = Connection(daemon.path)  # waits in the backlog
    first.request("GET", "/echo/")
    assert first.response().status == 200
    second.request("GET", "/echo/")
    second.socket.settimeout(0.2)
    with pytest.raises(TimeoutError):
        second.fill()
    first.close()
    second.socket.settimeout(20)
    assert second.response().status == 200
    second.close()


def test_a_client_that_leaves_costs_no_child(local):
    daemon = local()
    with Connection(daemon.path) as connection:
        connection.request("GET", "/probe/sleep/60000")
        daemon.wait_busy("probe")
    daemon.wait_idle("probe")
    assert daemon.outcome("client-gone", "probe") == 1


# ---- answers that break off ----


@pytest.mark.parametrize("how", ["error", "segv"])
def test_an_old_client_never_gets_a_part_that_looks_whole(local, how):
    answer = old(local(), f"/probe/break/{how}")
    assert answer.status in (500, 502) and b"the beginning" not in answer.body


def test_to_a_new_client_it_visibly_breaks_off(local):
    daemon = local()
    with Connection(daemon.path) as connection, pytest.raises((Truncated, ConnectionError)):
        connection.request("GET", "/probe/break/segv")
        connection.response()


def test_an_old_client_gets_the_length_of_what_is_streamed(local):
    answer = old(local(), "/probe/write/300000")
    assert answer.header("content-length") == "300000" and answer.body == b"x" * 300_000


def test_an_old_clients_connection_may_stay(local):
    daemon = local()
    with Connection(daemon.path) as connection:
        for _ in range(3):
            connection.send(b"GET /probe/write/40000 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            answer = connection.response()
            assert answer.header("connection") == "keep-alive" and len(answer.body) == 40_000


def test_an_old_clients_head_request_has_no_body(local):
    assert old(local(), "/probe/write/40000", "HEAD").body == b""


@pytest.mark.parametrize("size, status", [(100_000, 200), (100_001, 502)])
def test_what_is_gathered_is_bounded(local, size, status):
    answer = old(local(gather=100_000), f"/probe/write/{size}")
    assert answer.status == status
    if status != 200:
        assert answer.reason == "reply-too-large"


def test_all_that_is_gathered_together_is_bounded(local):
    """Clients that do not read hold their answers in the front; when they go there is room again."""
    daemon = local(top={"gather_memory": "1M"}, gather="1M")
    slow = Connection(daemon.path)
    slow.send(b"GET /probe/write/900000 HTTP/1.0\r\n\r\n")
    wait_until(lambda: daemon.outcome("ok", "probe") == 1)
    assert old(daemon, "/probe/write/500000").reason == "internal"
    slow.close()
    wait_until(lambda: old(daemon, "/probe/write/500000").status == 200)


# ---- TLS, proxies, the service manager ----


def test_tls_shows_an_old_client_that_an_answer_broke_off(local, tmp_path):
    authority = certs.Authority(tmp_path)
    daemon = local(**secure.server(authority.issue("localhost", "DNS:localhost")))
    with Connection(daemon.path) as plain:
        connection = secure.wrap(plain, secure.trust(authority))
        connection.send(b"GET /probe/break/segv HTTP/1.0\r\n\r\n")
        with pytest.raises((ssl.SSLError, ConnectionError)):
            while connection.fill():
                assert connection.buffer.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("header, peer", [(V1, "192.0.2.1"), (LOCAL, "unix:")])
def test_a_proxy_at_the_socket_tells_whose_request_it_is(local, header, peer):
    daemon = local(proxy=["unix:"])
    with Connection(daemon.path) as connection:
        connection.send(header + b"GET /probe/peer HTTP/1.1\r\nHost: a\r\n\r\n")
        assert connection.response().text.split()[0] == peer


@pytest.mark.plain_build
def test_penalties_see_the_proxys_client(local):
    daemon = local(top={"penalty": 10}, proxy=["unix:"])

    def status():
        with Connection(daemon.path) as connection:
            connection.send(V1 + b"GET /probe/crash/segv HTTP/1.1\r\nHost: a\r\n\r\n")
            return connection.response().status

    assert status() == 502
    wait_until(lambda: status() == 429)


def test_without_its_header_a_proxy_is_refused(local):
    daemon = local(proxy=["unix:"])
    with Connection(daemon.path) as connection:
        connection.request("GET", "/echo/")
        with pytest.raises((Truncated, ConnectionError)):
            connection.response()


def test_what_is_printed_can_be_read_again(local, tmp_path):
    daemon = local(proxy=["unix:"], start=False)
    _, text, _ = daemon.run("-T", "-c", daemon.config_path)
    assert 'proxy = {"unix:"}' in text
    again = tmp_path / "again.conf"
    again.write_text(text)
    assert daemon.run("-T", "-c", str(again))[1] == text


def test_a_socket_of_the_service_managers(local):
    daemon = local(start=False)
    path = os.path.join(daemon.directory, "handed.sock")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(path)
        made.listen()
        listener = moved_up(made)
    with_sockets(daemon, ("local", listener))
    listener.close()
    daemon.wait_ready()
    with Connection(path) as connection:
        connection.request("GET", "/probe/peer")
        assert connection.response().text == "unix: \n"
    assert not os.path.exists(daemon.path)
    daemon.process.terminate()
    daemon.process.wait(BOUND)
    assert os.path.exists(path)  # it is not ours to remove


# ---- the file ----


def test_a_stale_socket_is_replaced_and_ours_is_removed(local):
    daemon = local(start=False)
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(daemon.path)
    daemon.start()
    assert stat.S_IMODE(os.stat(daemon.path).st_mode) == 0o666
    assert get(daemon, "/echo/").status == 200
    daemon.process.terminate()
    daemon.process.wait(BOUND)
    assert not os.path.exists(daemon.path)


def put_another(path):
    """Somebody's socket in the place of the one that is there."""
    os.unlink(path)
    other = socket.socket(socket.AF_UNIX)
    other.bind(path)
    other.listen()
    return other


@pytest.mark.parametrize("which", ["path", "control"])
def test_what_has_taken_the_sockets_place_is_not_removed(local, which):
    daemon = local()
    path = getattr(daemon, which)
    with put_another(path):
        daemon.process.terminate()
        daemon.process.wait(BOUND)
        assert os.path.exists(path)
    assert f'socket not removed path="{path}"' in daemon.log()


def test_a_reload_does_not_remove_it_either(local):
    daemon = local()
    with put_another(daemon.path):
        sections = {"other": {"address": f"unix:{daemon.path}.new"}}
        reload(daemon, pool("echo"), pool("probe"), sections=sections)
        assert os.path.exists(daemon.path) and os.path.exists(f"{daemon.path}.new")


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_SEQPACKET])
def test_a_socket_of_another_type_may_be_in_use(local, kind):
    daemon = local(start=False)
    with socket.socket(socket.AF_UNIX, kind) as other:
        other.bind(daemon.path)
        before = os.stat(daemon.path).st_ino
        code, _, errors = daemon.run("-c", daemon.config_path)
        assert code == 1 and f"cannot tell whether {daemon.path} is in use" in errors
        assert os.stat(daemon.path).st_ino == before


def test_a_socket_that_cannot_be_given_to_its_group_is_not_opened(zygoted):
    """An ordinary user can give it to groups of his own only; the wrong group must not have it meanwhile."""
    daemon = zygoted(pool("echo"), start=False, user="nobody" if os.getuid() == 0 else None)
    path = os.path.join(daemon.directory, "web.sock")
    sections = {"local": {"address": f"unix:{path}", "group": "root"}}
    daemon.write_config(format_config({"control": daemon.control}, sections, [pool("echo")]))
    daemon.exit_code = 1
    assert daemon.spawn().wait(BOUND) == 1
    assert f"cannot give the listener's socket {path} to its user and group" in daemon.log()
    assert not os.path.exists(path)
