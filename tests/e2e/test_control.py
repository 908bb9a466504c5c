"""The control socket: what it tells, and that nothing sent to it disturbs anybody."""

import os
import socket
import subprocess
import sys

import pytest

import zyg
from load import Load
from zyg import BOUND, Control, ControlError, pool, wait_until


def test_ping(daemon):
    assert daemon.ctl("ping")["pong"] is True


@pytest.mark.plain_build
def test_info(daemon):
    info = daemon.ctl("info")
    assert info["pid"] == daemon.pid and info["config"] == daemon.config_path
    assert info["control"] == daemon.control and info["uptime_seconds"] > 0
    assert info["listeners"][0]["address"] == f"127.0.0.1:{daemon.port}"
    layers = {row["layer"]: row for row in info["layers"] if row["pool"] == "echo"}
    for layer in ("seccomp", "no-new-privs", "no-capabilities", "rlimits"):
        assert layers[layer]["state"] == "applied"
    assert all(row["state"] != "missing" or row["reason"] for row in info["layers"])


def test_stats_count_requests_and_outcomes(zygoted):
    daemon = zygoted(pool("echo"), pool("probe"))
    daemon.request("POST", "/echo/", b"12345")
    daemon.get("/probe/error")
    daemon.get("/nowhere")
    echo, probe, front = daemon.stats("echo"), daemon.stats("probe"), daemon.ctl("stats")["front"]
    assert (echo["requests"], echo["ok"], echo["bytes_in"], echo["bytes_out"]) == (1, 1, 5, 5)
    assert (probe["requests"], probe["ok"], probe["failed"]) == (1, 0, 1)
    assert probe["outcomes"]["worker_error"] == 1
    assert front["requests"] == 3 and front["outcomes"]["no_route"] == 1
    assert echo["run_max_us"] > 0 and echo["minor_faults_mean"] >= 0


def test_pools(daemon):
    now = daemon.wait_idle("oui")
    assert now["state"] == "serving" and now["generation"] == 1 and now["worker"] == "table"
    assert now["pid"] == daemon.zygote_pid("oui") and now["spare"] == 4
    assert now["state_bytes"] > 1 << 20 and now["load_seconds"] > 0 and now["restarts"] == 0


def test_children_are_named_by_the_pids_that_ps_shows(daemon):
    daemon.wait_idle("echo")
    listed = {child["pid"] for child in daemon.children("echo")}
    assert listed == set(daemon.child_pids("echo")) and len(listed) == 4
    assert {child["pool"] for child in daemon.ctl("children")["children"]} == {"echo", "oui", "probe"}


def test_a_busy_child_shows_its_request(daemon):
    with daemon.connect() as connection:
        connection.hold()
        child = daemon.wait_busy("probe")[0]
        assert child["request"] and child["run_us"] > 0 and child["generation"] == 1
        assert connection.release().status == 200


@pytest.mark.namespaces
def test_memory_shows_what_sharing_saves(zygoted, user):
    daemon = zygoted(pool("echo", options={"ballast": "32M"}, spare=8, image="inherited"), user=user)
    memory = daemon.ctl("memory echo")["pools"][0]
    assert memory["shared_bytes"] >= 32 << 20 and memory["private_bytes"] < 1 << 20
    assert memory["rss_bytes"] >= memory["pss_bytes"] and memory["method"] == "probe"
    assert memory["saved_bytes"] > 7 * (32 << 20) and 80 < memory["saved_percent"] <= 100
    daemon.wait_idle("echo")


def test_log_level_can_be_changed(zygoted):
    daemon = zygoted(pool("echo"))
    daemon.raw(b"bad\r\n\r\n")
    assert "bad request" not in daemon.log()
    assert daemon.ctl("log debug")["level"] == "debug"

    def logged():
        daemon.raw(b"bad\r\n\r\n")
        return "bad request" in daemon.log()

    wait_until(logged)


def test_help_names_every_command(daemon):
    commands = {row["command"].split()[0] for row in daemon.ctl("help")["commands"]}
    assert commands >= {"ping", "info", "stats", "pools", "children", "memory", "log", "stop", "help"}


def test_stop(zygoted):
    daemon = zygoted(pool("echo"))
    daemon.processes()
    assert daemon.ctl("stop")["ok"]
    assert daemon.process.wait(BOUND) == 0 and not os.path.exists(daemon.control)


@pytest.mark.parametrize(
    "command",
    ["nonsense", "PING", "ping now", "children nobody", "memory nobody", "log", "log loud", "stats x y",
     "\x01\x02", "{}", "pools;stop"],
)
def test_a_malformed_command_gets_an_error_and_nothing_else(daemon, command):
    control = Control(daemon.control)
    answer = control.command(command)
    assert answer["ok"] is False and answer["error"] and set(answer) == {"ok", "error"}
    assert control.command("ping")["ok"] is True
    control.close()


def test_bytes_that_are_no_text_do_no_harm(daemon):
    control = Control(daemon.control)
    control.send(bytes(range(256)) + b"\n\0\n")
    assert control.answer()["ok"] is False
    assert daemon.ctl("ping")["ok"]
    control.close()


def test_a_line_without_end_is_refused(daemon):
    control = Control(daemon.control)
    try:
        control.send(b"x" * 100000)
        answer = control.answer()
        assert answer is None or answer["ok"] is False
    except (BrokenPipeError, ConnectionResetError):
        pass
    assert daemon.ctl("ping")["ok"]
    control.close()


def test_commands_may_come_in_pieces_or_together(daemon):
    control = Control(daemon.control)
    for byte in b"ping\n":
        control.send(bytes([byte]))
    assert control.answer()["pong"]
    control.send(b"ping\r\nhelp\nping\n")
    assert [bool(control.answer().get(key)) for key in ("pong", "commands", "pong")] == [True] * 3
    control.close()


def test_a_client_that_never_reads_blocks_nobody(daemon):
    control = Control(daemon.control)
    control.socket.setblocking(False)
    try:
        for _ in range(10000):
            control.send(b"help\n")
    except (BlockingIOError, BrokenPipeError, ConnectionResetError):
        pass
    assert daemon.ctl("ping")["ok"] and daemon.get("/echo/").status == 200
    control.close()


def test_many_connections_do_not_lock_the_operator_out(daemon):
    held = []
    for _ in range(200):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(daemon.control)  # blocks while the backlog is full
        held.append(connection)
    assert daemon.ctl("ping")["ok"]
    for connection in held:
        connection.close()


def test_control_commands_do_not_slow_requests_down(daemon):
    load = Load(daemon.port, lambda i: f"/echo/{i}", 300, threads=2).start()
    for command in ("stats", "pools", "children", "memory", "info") * 3:
        daemon.ctl(command)
    assert not load.join().broken and load.statuses() == {200}


STRANGER = """
import os, socket, sys
os.setgroups([]); os.setgid(12345); os.setuid(12345)
s = socket.socket(socket.AF_UNIX); s.settimeout(30); s.connect(sys.argv[1])
try: s.sendall(b"stop\\n")
except BrokenPipeError: pass # refused before it could ask
print(s.recv(1000).decode())
"""


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to become another user")
def test_another_user_is_refused(zygoted):
    daemon = zygoted(pool("echo"))
    os.chmod(daemon.directory, 0o755)
    os.chmod(daemon.control, 0o666)
    result = subprocess.run(
        [sys.executable, "-c", STRANGER, daemon.control], capture_output=True, text=True, timeout=60
    )
    assert '"ok":false' in result.stdout.replace(" ", "") and "permission denied" in result.stdout
    assert daemon.ctl("ping")["ok"]


def test_zygotectl_shows_tables_and_json(daemon):
    code, out, _ = daemon.zygotectl("pools")
    assert code == 0 and "oui" in out and "serving" in out
    code, out, _ = daemon.zygotectl("-j", "ping")
    assert code == 0 and '"pong"' in out


@pytest.mark.parametrize("arguments, code", [(["nonsense"], 1), (["children", "nobody"], 1), ([], 2)])
def test_zygotectl_says_what_is_wrong(daemon, arguments, code):
    result, _, errors = daemon.zygotectl(*arguments)
    assert result == code and errors


@pytest.mark.parametrize("command", ["info", "stats", "pools", "children", "memory", "help", "ping"])
def test_zygotectl_prints_every_command(daemon, command):
    code, out, errors = daemon.zygotectl(command)
    assert code == 0 and out.strip() and not errors


def test_an_unknown_pool_is_named_in_the_error(daemon):
    with pytest.raises(ControlError, match="nobody"):
        daemon.ctl("children nobody")


def test_requests_are_answered_while_a_command_waits_for_its_end(daemon):
    control = Control(daemon.control)
    control.send(b"sta")
    assert daemon.get("/echo/").status == 200 and zyg.is_alive(daemon.pid)
    control.send(b"ts\n")
    assert control.answer()["ok"]
    control.close()
