"""Connections have limits: in all, of a listener, of a source, and of the descriptors that there are."""

import os
import socket
import subprocess

import pytest

from client import Connection
from proc import read_proc
from zyg import BOUND, format_config, free_port, pool, wait_until


def connections(daemon):
    return daemon.ctl("stats")["front"]["connections"]


def refused(daemon):
    return daemon.ctl("stats")["front"]["refused"]


def hold(daemon, count, listener=0):
    held = [daemon.connect(listener=listener) for _ in range(count)]
    wait_until(lambda: connections(daemon) >= count)
    return held


def is_served(connection):
    connection.request("GET", "/echo/")
    return connection.response().status == 200


def from_address(daemon, address):
    """A connection from another address of the loopback network."""
    connection = Connection.__new__(Connection)
    connection.socket = socket.create_connection(
        ("127.0.0.1", daemon.port), timeout=60, source_address=(address, 0)
    )
    connection.buffer = b""
    return connection


def is_refused(daemon):
    """The reset may be there before connect(2) has returned."""
    try:
        with daemon.connect() as late:
            return late.is_closed()
    except ConnectionResetError:
        return True


def test_a_source_has_no_more_connections_than_it_may(zygoted):
    daemon = zygoted(pool("echo"), connections_per_source=3, penalty_exempt=[])
    held = hold(daemon, 3)
    assert is_refused(daemon)
    assert refused(daemon) == 1 and all(is_served(connection) for connection in held)


def test_another_source_is_not_concerned(zygoted):
    daemon = zygoted(pool("echo"), connections_per_source=2, penalty_exempt=[])
    hold(daemon, 2)
    with from_address(daemon, "127.0.0.2") as other:
        assert is_served(other)
    assert refused(daemon) == 0


def test_a_connection_that_ended_makes_room(zygoted):
    daemon = zygoted(pool("echo"), connections_per_source=1, penalty_exempt=[])
    for _ in range(20):
        with daemon.connect() as connection:
            assert is_served(connection)
        wait_until(lambda: connections(daemon) == 0)
    assert refused(daemon) == 0


def test_exempt_sources_are_not_counted(zygoted):
    daemon = zygoted(pool("echo"), connections_per_source=1)
    assert all(is_served(connection) for connection in hold(daemon, 5))


@pytest.fixture
def two_listeners(zygoted, tmp_path):
    """One with room for two connections, and one without a limit of its own."""
    ports = [free_port(), free_port()]
    control = str(tmp_path / "control")
    config = format_config({"control": control}, {"b": f"127.0.0.1:{ports[1]}"}, [pool("echo")])
    config += f'listen "a" {{ address = "127.0.0.1:{ports[0]}" connections = 2 }}\n'
    daemon = zygoted(pool("echo"), config=config, start=False)
    daemon.control, daemon.ports, daemon.port = control, ports, ports[0]
    return daemon.start()


def test_a_full_listener_lets_new_connections_wait(two_listeners):
    held = hold(two_listeners, 2)
    with two_listeners.connect() as late:
        late.request("GET", "/echo/")
        late.socket.settimeout(0.2)
        with pytest.raises(TimeoutError):
            late.response()
        late.socket.settimeout(10)
        held.pop().close()
        assert late.response().status == 200


def test_a_full_listener_does_not_concern_another(two_listeners):
    hold(two_listeners, 2)
    with two_listeners.connect(listener=1) as other:
        assert is_served(other)


def test_connections_leave_descriptors_for_children(zygoted):
    daemon = zygoted(pool("echo", spare=4, max_children=8), start=False)
    daemon.prefix = ["prlimit", "--nofile=192:192"]
    daemon.start()
    daemon.wait_log("fewer connections than configured")
    held = [daemon.connect() for _ in range(200)]
    wait_until(lambda: connections(daemon) > 40)
    for connection in held[:8]:
        connection.request("GET", "/echo/")
    assert [connection.response().status for connection in held[:8]] == [200] * 8
    assert "cannot accept" not in daemon.log() and connections(daemon) < 90
    for connection in held:
        connection.close()
    assert daemon.get("/echo/").status == 200


def test_a_limit_that_leaves_no_room_is_refused_at_start(zygoted):
    daemon = zygoted(pool("echo", max_children=64), start=False)
    daemon.prefix = ["prlimit", "--nofile=192:192"]
    daemon.exit_code = 1
    daemon.spawn().wait(BOUND)
    assert "leaves none for connections" in daemon.log() and "front restart" not in daemon.log()


def limit_descriptors(pid, soft):
    """Changes it from outside, as the process's own user may. The soft limit that it had."""
    status = dict(line.split(":", 1) for line in read_proc(pid, "status").splitlines())
    old = int(read_proc(pid, "limits").split("Max open files")[1].split()[0])
    user, group = (int(status[key].split()[0]) for key in ("Uid", "Gid"))
    same = {"user": user, "group": group, "extra_groups": []} if os.getuid() == 0 else {}
    subprocess.run(["prlimit", f"--pid={pid}", f"--nofile={soft}:"], check=True, **same)
    return old


def test_out_of_descriptors_is_survived(zygoted):
    """Lowered while it runs: the front cannot have known."""
    daemon = zygoted(pool("echo", spare=4, max_children=8))
    front = daemon.front_pid()
    before = limit_descriptors(front, 50)
    held = [daemon.connect() for _ in range(100)]
    wait_until(lambda: refused(daemon) > 2)
    assert daemon.log().count("cannot accept") == 1
    for connection in held:
        connection.close()
    limit_descriptors(front, before)
    wait_until(lambda: connections(daemon) == 0)
    assert daemon.get("/echo/").status == 200 and daemon.front_pid() == front
