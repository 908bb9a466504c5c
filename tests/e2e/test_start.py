"""Starting and stopping, as root and as an ordinary user."""

import os
import signal
import time

import pytest

import zyg
from zyg import BOUND, pool, wait_until


def status_of(pid):
    text = zyg.read_proc(pid, "status")
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def test_starts_and_answers(zygoted, user):
    daemon = zygoted(pool("echo"), user=user)
    assert daemon.request("POST", "/echo/", b"hello").body == b"hello"


def test_nothing_but_the_supervisor_runs_as_root(zygoted, user):
    daemon = zygoted(pool("echo"), user=user)
    pids = [daemon.front_pid(), daemon.zygote_pid("echo"), *daemon.child_pids("echo")]
    assert len(pids) >= 4
    for pid in pids:
        assert "0" not in status_of(pid)["Uid"].split()


def test_children_and_front_are_locked_down(zygoted, user):
    daemon = zygoted(pool("echo"), user=user)
    for pid in [daemon.front_pid(), *daemon.child_pids("echo")]:
        status = status_of(pid)
        assert status["Seccomp"].strip() == "2" and status["NoNewPrivs"].strip() == "1"
        assert int(status["CapEff"], 16) == 0 and int(status["CapPrm"], 16) == 0


@pytest.mark.skipif(os.getuid() != 0, reason="the descriptors of another user's process")
def test_a_child_has_only_its_socket_and_its_log(zygoted, user):
    daemon = zygoted(pool("echo"), user=user)
    for pid in daemon.child_pids("echo"):  # one that was forked just now may still be closing
        zyg.wait_until(lambda: set(os.listdir(f"/proc/{pid}/fd")) <= {"0", "1", "2", "3"})


def test_processes_are_named_as_documented(zygoted):
    daemon = zygoted(pool("echo"))
    assert zyg.command_line(daemon.front_pid()) == "zygoted: front"
    assert zyg.command_line(daemon.zygote_pid("echo")) == "zygoted-zygote: echo"


def test_several_listeners(zygoted):
    daemon = zygoted(pool("echo"), listeners=3)
    assert [daemon.get("/echo/", listener=i).status for i in range(3)] == [200] * 3


def test_a_second_instance_says_that_the_address_is_in_use(zygoted):
    first = zygoted(pool("echo"))
    second = zygoted(start=False)
    text = open(first.config_path).read().replace(first.control, second.control)
    second.write_config(text)
    code, _, errors = second.run("-c", second.config_path)
    assert code == 1 and f"127.0.0.1:{first.port}" in errors and "in use" in errors.lower()
    assert first.get("/echo/").status == 200


def test_a_second_instance_does_not_take_the_control_socket(zygoted):
    first = zygoted(pool("echo"))
    second = zygoted(start=False)
    text = open(second.config_path).read().replace(second.control, first.control)
    second.write_config(text)
    code, _, errors = second.run("-c", second.config_path)
    assert code == 1 and first.control in errors
    assert first.ctl("ping")["ok"]


def test_a_stale_control_socket_is_replaced(zygoted):
    daemon = zygoted(pool("echo"))
    daemon.kill(daemon.pid)
    daemon.process.wait()
    daemon.wait_gone()
    assert os.path.exists(daemon.control)
    daemon.start()
    assert daemon.ctl("ping")["ok"]


def behind_link(daemon):
    """The control socket's directory is a link, as a service manager makes it for a user that it made up."""
    real, link = os.path.join(daemon.directory, "real"), os.path.join(daemon.directory, "link")
    os.mkdir(real, 0o755)
    os.symlink("real", link)
    path = os.path.join(link, "control")
    with open(daemon.config_path) as file:
        daemon.write_config(file.read().replace(daemon.control, path))
    daemon.control = path
    return link


def test_the_directory_of_the_control_socket_may_be_a_link_of_the_users_own(zygoted):
    daemon = zygoted(pool("echo"), start=False)
    behind_link(daemon)
    assert daemon.start().ctl("ping")["ok"]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a link away")
def test_a_link_that_another_user_could_turn_is_no_directory(zygoted):
    daemon = zygoted(pool("echo"), start=False)
    link = behind_link(daemon)
    os.lchown(link, 65534, 65534)
    code, _, errors = daemon.run("-c", daemon.config_path)
    assert code == 1 and f"{link} is no directory" in errors


def test_a_worker_that_fails_to_load_leaves_the_others_serving(zygoted):
    daemon = zygoted(pool("probe", options={"load": "fail"}, queue_timeout="100ms"), pool("echo"), start=False)
    daemon.spawn()
    daemon.wait_log("told to fail")
    wait_until(lambda: daemon.get("/echo/").status == 200)
    answer = daemon.get("/probe/pid")
    assert (answer.status, answer.reason) == (503, "pool-down")
    assert answer.header("retry-after") and "told to fail" in daemon.pool("probe")["error"]


def test_a_worker_that_crashes_at_load_is_retried_more_and_more_slowly(zygoted):
    daemon = zygoted(pool("probe", options={"load": "crash"}), pool("echo"), start=False)
    daemon.spawn()
    wait_until(lambda: daemon.log().count("zygote restart") >= 3)
    assert daemon.pool("probe")["state"] != "serving"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_in_good_order(zygoted, number):
    daemon = zygoted(pool("echo"))
    daemon.processes()
    daemon.kill(daemon.pid, number)
    assert daemon.process.wait(BOUND) == 0
    daemon.wait_gone()


def test_stopping_lets_a_request_end(zygoted):
    daemon = zygoted(pool("probe"), drain_timeout="1m")
    with daemon.connect() as connection:
        connection.hold()
        daemon.wait_busy("probe")
        daemon.kill(daemon.pid, signal.SIGTERM)
        daemon.wait_log("zygoted: stop reason=")
        assert connection.release().status == 200


def test_a_second_signal_stops_at_once(zygoted):
    daemon = zygoted(pool("probe", timeout="5m"), drain_timeout="5m")
    with daemon.connect() as connection:
        connection.request("GET", "/probe/sleep/600000")
        daemon.wait_busy("probe")
        daemon.kill(daemon.pid, signal.SIGTERM)
        daemon.wait_log("zygoted: stop reason=")
        daemon.kill(daemon.pid, signal.SIGTERM)
        assert daemon.process.wait(BOUND) == 0


def test_signals_that_come_until_the_end_leave_the_exit_code(zygoted):
    for _ in range(5):
        daemon = zygoted(pool("echo"))
        deadline = time.monotonic() + BOUND
        while daemon.process.poll() is None and time.monotonic() < deadline:
            daemon.process.send_signal(signal.SIGTERM)
            os.sched_yield()  # where there is one processor, the daemon needs it too
        assert daemon.process.wait(BOUND) == 0


def block_and_send_a_reload():
    """In the new process: what a service manager's mask, and a signal during the start, leave to the daemon."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1})
    os.kill(os.getpid(), signal.SIGHUP)


def test_a_signal_during_the_start_waits_for_its_end(zygoted):
    daemon = zygoted(pool("echo"), start=False)
    daemon.spawn_more = {"preexec_fn": block_and_send_a_reload}
    daemon.start()
    wait_until(lambda: "reload" in daemon.log())
    daemon.kill(daemon.pid, signal.SIGTERM)
    assert daemon.process.wait(BOUND) == 0


def test_the_log_says_what_started(zygoted):
    log = zygoted(pool("echo")).log()
    assert "pool ready pool=echo" in log and "version=" in log


@pytest.mark.plain_build
@pytest.mark.namespaces
def test_layers_that_are_required_are_there(zygoted, user):
    daemon = zygoted(pool("echo"), user=user, require=["pid-namespace", "net-namespace", "seccomp"])
    assert daemon.get("/echo/").status == 200
