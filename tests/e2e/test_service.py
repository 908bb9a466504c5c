"""What a service manager is told, and what it hands over: sd_notify(3), sd_listen_fds(3), without one around."""

import fcntl
import os
import shutil
import signal
import socket
import tempfile
import time

import pytest

from zyg import BOUND, PROBE, command_line, parents, pool, wait_until

WATCHDOG_MS = 1500
PATIENT_MS = 10000


class Manager:
    """The service manager's end of NOTIFY_SOCKET."""

    def __init__(self, path):
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        os.chmod(path, 0o666)
        self.socket.setblocking(False)
        self.messages = []

    def take(self):
        """All messages so far, as lists of lines."""
        while True:
            try:
                self.messages.append(self.socket.recv(4096).decode().split("\n"))
            except BlockingIOError:
                return self.messages

    def lines(self):
        return [line for message in self.take() for line in message]

    def wait(self, line, bound=BOUND):
        wait_until(lambda: any(told.startswith(line) for told in self.lines()), bound, line)

    def forget(self):
        self.take()
        self.messages = []


@pytest.fixture
def manager():
    directory = tempfile.mkdtemp(prefix="zyg-")
    os.chmod(directory, 0o755)  # the daemon may be another user
    manager = Manager(os.path.join(directory, "notify"))
    yield manager
    manager.socket.close()
    shutil.rmtree(directory)


def under(daemon, manager, watchdog_ms=0):
    """Starts the daemon as a service manager would."""
    daemon.prefix = ["env", f"NOTIFY_SOCKET={manager.path}"]
    if watchdog_ms:
        daemon.prefix.append(f"WATCHDOG_USEC={watchdog_ms * 1000}")
    daemon.spawn()
    return daemon


# ---- what it is told ----


def test_ready_is_said_when_every_pool_is_loaded_and_not_before(zygoted, manager):
    daemon = zygoted(pool("echo"), start=False)
    os.chmod(daemon.directory, 0o755)  # the zygote is another user
    gate = os.path.join(daemon.directory, "missing.csv")
    late = pool("late", worker="table", options={"file": gate, "key": "Key"})
    daemon.write_config(daemon.config_text([pool("echo"), late]))
    under(daemon, manager)
    daemon.wait_log("pool failed pool=late")
    daemon.wait_log("pool ready pool=echo")
    manager.wait('STATUS=not ready: pool "late": ')
    assert "READY=1" not in manager.lines()
    with open(gate, "w") as file:
        file.write("Key,Value\na,1\n")
    manager.wait("READY=1")
    assert daemon.get("/late/a").status == 200
    assert manager.lines().count("READY=1") == 1


def test_a_reload_before_that_says_ready_only_if_it_brings_it_about(zygoted, manager):
    daemon = zygoted(pool("echo"), start=False)
    late = pool("late", worker="table", options={"file": "/nonexistent", "key": "Key"})
    daemon.write_config(daemon.config_text([pool("echo"), late]))
    under(daemon, manager, WATCHDOG_MS)
    daemon.wait_log("pool failed pool=late")
    daemon.wait_log("pool ready pool=echo")
    daemon.wait_log("front ready")
    daemon.write_config("nonsense\n")
    daemon.kill(daemon.process.pid, signal.SIGHUP)
    daemon.wait_log("reload failed")
    assert not [line for line in manager.lines() if line in ("READY=1", "RELOADING=1")]
    daemon.write_config(daemon.config_text([pool("echo")]))
    daemon.kill(daemon.process.pid, signal.SIGHUP)
    manager.wait("READY=1")
    manager.wait("STATUS=pools 1 of 1")  # live counts follow
    assert manager.lines().count("READY=1") == 1


def test_status_shows_live_counts(zygoted, manager):
    daemon = under(zygoted(pool("echo", spare=3), start=False), manager, WATCHDOG_MS)
    manager.wait("STATUS=pools 1 of 1, children 3 spare 0 busy")
    for _ in range(7):
        assert daemon.get("/echo/").status == 200
    wait_until(lambda: any(" 7 answered" in line for line in manager.lines()))


def test_stopping_is_said(zygoted, manager):
    daemon = under(zygoted(pool("echo"), start=False), manager)
    manager.wait("READY=1")
    daemon.process.terminate()
    manager.wait("STOPPING=1")
    assert daemon.process.wait(BOUND) == 0


def expect_no_sign_of_life_without(daemon, manager, pid):
    def missed():
        return daemon.log().count("did not answer in time")

    before = missed()
    daemon.kill(pid, signal.SIGSTOP)
    wait_until(lambda: missed() > before)
    manager.forget()
    time.sleep(WATCHDOG_MS / 1000)  # the interval in which a sign would have to come
    assert "WATCHDOG=1" not in manager.lines()
    daemon.kill(pid, signal.SIGCONT)
    manager.wait("WATCHDOG=1")


@pytest.mark.parametrize("who", ["front", "zygote"])
def test_signs_of_life_end_while_a_part_is_stopped(zygoted, manager, who):
    daemon = under(zygoted(pool("echo"), start=False), manager, WATCHDOG_MS)
    manager.wait("WATCHDOG=1")
    pid = daemon.front_pid() if who == "front" else daemon.zygote_pid("echo")
    expect_no_sign_of_life_without(daemon, manager, pid)


@pytest.mark.parametrize("who", ["zygoted: front 2", "zygoted-zygote: echo 2"])
def test_signs_of_life_are_those_of_every_front_and_every_zygote(zygoted, manager, who):
    daemon = under(zygoted(pool("echo", zygotes=2), fronts=2, start=False), manager, WATCHDOG_MS)
    manager.wait("WATCHDOG=1")
    table = parents()
    pid = next(pid for pid in daemon.named(who) if not command_line(table[pid][0]) == who)  # children have its name
    expect_no_sign_of_life_without(daemon, manager, pid)


def test_a_part_that_is_restarted_costs_no_sign_of_life(zygoted, manager):
    daemon = under(zygoted(pool("echo"), start=False), manager, PATIENT_MS)
    manager.wait("WATCHDOG=1")
    daemon.kill(daemon.front_pid())
    daemon.kill(daemon.zygote_pid("echo"))
    manager.forget()
    manager.wait("WATCHDOG=1", PATIENT_MS / 1000)


def test_a_watchdog_for_another_process_is_not_served(zygoted, manager):
    daemon = zygoted(pool("echo"), start=False)
    daemon.prefix = ["env", f"NOTIFY_SOCKET={manager.path}", "WATCHDOG_USEC=300000", "WATCHDOG_PID=1"]
    daemon.spawn()
    manager.wait("STATUS=pools")  # the first round
    assert "WATCHDOG=1" not in manager.lines()


@pytest.mark.reads_proc
def test_nobody_else_is_told_where_the_manager_listens(zygoted, manager, user):
    daemon = under(zygoted(pool("echo"), start=False, user=user), manager)
    manager.wait("READY=1")
    for pid in daemon.processes():
        with open(f"/proc/{pid}/environ") as file:
            assert "NOTIFY_SOCKET" not in file.read()


# ---- what it hands over ----


def with_sockets(daemon, *named):
    """Starts the daemon with these (name, socket) as descriptors from 3 on."""
    names = ":".join(name for name, _ in named)
    moves = " ".join(f"{3 + i}<&{s.fileno()}" for i, (_, s) in enumerate(named))
    script = f'LISTEN_PID=$$ LISTEN_FDS={len(named)} LISTEN_FDNAMES={names} exec "$@" {moves}'
    daemon.prefix = ["bash", "-c", script, "bash"]
    daemon.spawn_more = {"pass_fds": [listener.fileno() for _, listener in named]}
    daemon.spawn()


def moved_up(listener):
    """A copy on a descriptor that is out of the way of those that it becomes."""
    return socket.socket(fileno=fcntl.fcntl(listener.fileno(), fcntl.F_DUPFD_CLOEXEC, 100))


def listening(port=0):
    with socket.create_server(("127.0.0.1", port)) as listener:
        return moved_up(listener)


def test_a_socket_that_is_handed_over_is_listened_at(zygoted):
    with listening() as listener:
        daemon = zygoted(pool("echo"), start=False)
        early = socket.create_connection(listener.getsockname())
        early.sendall(b"GET /echo/early HTTP/1.0\r\n\r\n")
        with_sockets(daemon, ("web", listener))
        early.settimeout(BOUND)
        assert early.recv(4096).startswith(b"HTTP/1.1 200")
        early.close()
        with pytest.raises(OSError):
            daemon.connect()  # the address of the configuration


def test_a_socket_that_nobody_asks_for_is_said(zygoted):
    with listening() as listener:
        daemon = zygoted(pool("echo"), start=False)
        with_sockets(daemon, ("other", listener))
        daemon.wait_log("socket of the service manager not used name=other")
        daemon.wait_ready()
        assert daemon.get("/echo/").status == 200


def test_sockets_for_another_process_are_left_alone(zygoted):
    with listening() as listener:
        daemon = zygoted(pool("echo"), start=False)
        daemon.spawn_more = {"pass_fds": [listener.fileno()]}
        daemon.prefix = ["env", "LISTEN_PID=1", "LISTEN_FDS=1", "LISTEN_FDNAMES=web"]
        daemon.start()
        assert daemon.get("/echo/").status == 200


def test_a_handed_over_socket_of_the_wrong_kind_is_refused(zygoted):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wrong:
        daemon = zygoted(pool("echo"), start=False)
        daemon.exit_code = 1
        with moved_up(wrong) as high:
            with_sockets(daemon, ("web", high))
        assert daemon.process.wait(BOUND) == 1
        assert 'listener "web": the service manager\'s socket is no listening stream socket' in daemon.log()


# ---- stopping ----


def test_draining_is_bounded_by_drain_timeout(zygoted):
    daemon = zygoted(pool("probe", worker=PROBE, timeout="60s"), drain_timeout="700ms")
    with daemon.connect() as connection:
        connection.request("GET", "/probe/sleep/30000")
        daemon.wait_busy("probe")
        start = time.monotonic()
        daemon.process.terminate()
        assert daemon.process.wait(BOUND) == 0
        assert 0.6 < time.monotonic() - start < 10
    assert "drain took too long after_ms=700" in daemon.log()


# ---- the log ----


def test_a_log_that_nobody_reads_blocks_nothing(zygoted):
    daemon = zygoted(pool("echo"), start=False)
    reader, writer = os.pipe()
    daemon.log_path = f"/proc/self/fd/{writer}"
    daemon.spawn()
    os.close(writer)
    daemon.log = lambda: ""
    daemon.wait_ready()
    daemon.ctl("log debug")
    for _ in range(300):  # 64 KiB of log lines and more
        for name in ("error", "debug"):
            daemon.ctl(f"log {name}")
        assert daemon.get("/nowhere" * 100).status == 404
    assert daemon.get("/echo/").status == 200
    os.close(reader)


def test_a_full_disk_costs_log_lines_and_nothing_else(zygoted):
    """/dev/full, full(4), answers each write as a full disk does."""
    daemon = zygoted(pool("probe", worker=PROBE), metrics=True, start=False)
    daemon.log_path = "/dev/full"
    daemon.spawn()
    daemon.log = lambda: ""
    daemon.wait_ready()
    for _ in range(3):
        assert daemon.get("/probe/crash/segv").status == 502
    assert daemon.get("/probe/pid").status == 200
    wait_until(lambda: daemon.samples()["zygoted_log_lost_total"] >= 3)
