"""The configuration is read again while requests are served: all of it takes effect, or nothing."""

import os
import shutil
import signal
import socket

import pytest

import zyg
from reloads import changes, generations, many_reloads, reload, rewrite, text_pool, under_load
from zyg import BOUND, BUILD, PROBE, Control, ControlError, free_port, pool, wait_until

RELOADS = 12
LONG_RELOADS = 500


@pytest.fixture
def loaded(zygoted):
    daemon = zygoted(pool("echo"), text_pool("text", "one"))
    with under_load(daemon) as load:
        yield daemon, load


# ---- pools ----


def test_without_a_change_nothing_happens(zygoted):
    daemon = zygoted(pool("echo"))
    assert daemon.ctl("reload --wait")["pools"] == []
    assert generations(daemon) == {"echo": 1}


def test_only_the_pool_that_changed_is_loaded_anew(zygoted, user):
    daemon = zygoted(pool("echo"), text_pool("text", "one"), user=user)
    answer = reload(daemon, pool("echo"), text_pool("text", "two"))
    assert changes(answer) == {"text": "generation"} and answer["state"] == "done"
    assert generations(daemon) == {"echo": 1, "text": 2}
    assert daemon.get("/text/").text.strip() == "two"


def test_limits_of_the_front_take_effect_without_a_new_zygote(zygoted):
    daemon = zygoted(pool("probe", timeout="20s"))
    answer = reload(daemon, pool("probe", timeout="200ms"))
    assert changes(answer) == {"probe": "settings"} and generations(daemon) == {"probe": 1}
    assert daemon.get("/probe/sleep/5000").status == 504


def test_a_request_goes_on_with_what_it_began_with(zygoted):
    daemon = zygoted(pool("probe", timeout="20s"))
    with daemon.connect() as connection:
        connection.hold()
        daemon.wait_busy("probe")
        reload(daemon, pool("probe", timeout="20s", cpu="3s"))
        assert connection.release().status == 200
    assert generations(daemon) == {"probe": 2}


def test_more_children_than_before(zygoted):
    daemon = zygoted(pool("probe", spare=1, max_children=1, queue=0, timeout="20s"))
    answer = reload(daemon, pool("probe", spare=1, max_children=3, queue=8, timeout="20s"))
    assert changes(answer) == {"probe": "generation"}
    connections = [daemon.connect() for _ in range(3)]
    for connection in connections:
        connection.hold()
    daemon.wait_busy("probe", 3)
    assert [connection.release().status for connection in connections] == [200] * 3


@pytest.mark.parametrize("command, expected", [("reload echo --wait", {"echo": 2, "text": 1}), ("reload --all --wait", {"echo": 2, "text": 2})])
def test_what_is_asked_for_is_loaded_anew_unchanged(zygoted, command, expected):
    daemon = zygoted(pool("echo"), text_pool("text", "one"))
    daemon.ctl(command)
    assert generations(daemon) == expected


def test_a_new_file_of_a_worker_is_a_change(zygoted):
    daemon = zygoted(pool("echo"), start=False)
    os.chmod(daemon.directory, 0o755)
    worker = os.path.join(daemon.directory, "mine.so")
    shutil.copy(os.path.join(BUILD, "workers", "echo.so"), worker)
    rewrite(daemon, pool("echo", worker=worker), pool("other", worker="echo"))
    daemon.start()
    shutil.copy(worker, worker + ".new")
    os.replace(worker + ".new", worker)
    assert changes(daemon.ctl("reload --wait")) == {"echo": "generation"}


def test_a_pool_comes_and_goes(zygoted):
    daemon = zygoted(pool("echo"))
    assert changes(reload(daemon, pool("echo"), text_pool("late", "here", queue_timeout="1s"))) == {"late": "added"}
    assert daemon.get("/late/").text.strip() == "here"
    assert changes(reload(daemon, pool("echo"))) == {"late": "removed"}
    assert daemon.get("/late/").status == 404 and daemon.get("/echo/").status == 200
    wait_until(lambda: generations(daemon) == {"echo": 1} and not daemon.named("zygoted-zygote: late"))
    daemon.wait_log("pool removed pool=late")


def test_a_removed_pool_answers_what_it_has_and_what_waits(zygoted):
    daemon = zygoted(pool("echo"), pool("probe", spare=1, max_children=1, timeout="20s", queue_timeout="10s"))
    connections = [daemon.connect() for _ in range(3)]
    for connection in connections:
        connection.hold()
    wait_until(lambda: daemon.pool("probe")["queued"] == 2)
    reload(daemon, pool("echo"))
    assert [connection.release().status for connection in connections] == [200] * 3


def test_the_place_of_a_removed_pool_is_used_again(zygoted):
    daemon = zygoted(pool("echo"))
    for number in range(3):
        name = f"pool{number}"
        reload(daemon, pool("echo"), text_pool(name, name, queue_timeout="1ms"))
        wait_until(lambda: daemon.pool(name)["spare"] > 0)
        assert daemon.get(f"/{name}/").text.strip() == name
        assert daemon.stats(name)["requests"] == 1
        reload(daemon, pool("echo"))
        daemon.wait_log(f"pool removed pool={name}")


# ---- listeners ----


def port_section(port, name="web"):
    return {name: {"address": f"127.0.0.1:{port}"}}


def answers(port):
    with zyg.Connection(("127.0.0.1", port)) as connection:
        connection.request("GET", "/echo/")
        return connection.response().status == 200


def is_refused(port):
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except ConnectionRefusedError:
        return True
    return False


def test_listeners_come_and_go(zygoted):
    daemon, port = zygoted(pool("echo")), free_port()
    both = {**port_section(daemon.port), **port_section(port, "more")}
    reload(daemon, pool("echo"), sections=both)
    assert answers(port) and answers(daemon.port)
    reload(daemon, pool("echo"), sections=port_section(port, "more"))
    assert answers(port) and is_refused(daemon.port)


def test_a_listener_changes_its_address(zygoted):
    daemon, port = zygoted(pool("echo")), free_port()
    reload(daemon, pool("echo"), sections=port_section(port))
    assert answers(port) and is_refused(daemon.port)


def test_a_listener_changes_its_name_and_keeps_its_queue(loaded):
    daemon, load = loaded
    for name in ("other", "web", "third"):
        reload(daemon, pool("echo"), text_pool("text", "one"), sections=port_section(daemon.port, name))
        there = len(load.answers)
        wait_until(lambda: len(load.answers) > there + 20)


def test_connections_to_a_removed_listener_end_in_good_order(zygoted):
    daemon, port = zygoted(pool("echo")), free_port()
    reload(daemon, pool("echo"), sections={**port_section(daemon.port), **port_section(port, "more")})
    with zyg.Connection(("127.0.0.1", port)) as connection:
        connection.request("GET", "/echo/1")
        assert connection.response().header("connection") != "close"
        connection.hold("/echo/2")
        daemon.wait_busy("echo")
        reload(daemon, pool("echo"))
        response = connection.release()
        assert response.status == 200 and response.header("connection") == "close"
        assert connection.is_closed()


def test_an_address_that_cannot_be_had_changes_nothing(zygoted):
    daemon = zygoted(pool("echo"))
    with socket.create_server(("127.0.0.1", 0)) as other:
        both = {**port_section(daemon.port), **port_section(other.getsockname()[1], "more")}
        with pytest.raises(ControlError, match="another program listens there"):
            reload(daemon, pool("echo"), text_pool("late", "x"), sections=both)
    assert daemon.get("/echo/").status == 200 and daemon.get("/late/").status == 404


def test_a_pool_that_is_gone_or_failed_is_none_that_is_missing(zygoted):
    daemon = zygoted(pool("echo"), text_pool("text", "one"), text_pool("last", "x"), metrics=True)
    reload(daemon, pool("echo"), text_pool("last", "x"))
    assert daemon.scrape("/-/ready").status == 200
    broken = pool("bad", worker="text", options={"nonsense": "x"})
    with pytest.raises(ControlError, match="nonsense"):
        reload(daemon, pool("echo"), text_pool("last", "x"), broken)
    assert daemon.scrape("/-/ready").status == 200


# ---- Unix sockets ----


@pytest.fixture
def unix(zygoted):
    """A daemon with a Unix socket for metrics, and that socket's path."""
    daemon = zygoted(pool("echo"), start=False)
    path = os.path.join(daemon.directory, "web.socket")
    daemon.sections = {**daemon.sections, "local": {"protocol": "metrics", "address": f"unix:{path}"}}
    rewrite(daemon, pool("echo"))
    return daemon.start(), path


def answers_at(path):
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(path)
        client.sendall(b"GET /-/ready HTTP/1.0\r\n\r\n")
        return b"200" in client.makefile("rb").readline()


def renamed(daemon, name="local", **keys):
    return {**port_section(daemon.port), name: {**daemon.sections["local"], **keys}}


def test_a_unix_socket_keeps_its_file_under_another_name_and_loses_it_when_removed(unix):
    daemon, path = unix
    reload(daemon, pool("echo"), sections=renamed(daemon, "other"))
    assert answers_at(path)
    reload(daemon, pool("echo"), sections=port_section(daemon.port))
    assert not os.path.exists(path)


def test_a_unix_socket_comes_and_takes_the_place_of_another(unix):
    daemon, path = unix
    reload(daemon, pool("echo"), sections=renamed(daemon, address=f"unix:{path}.new"))
    assert answers_at(f"{path}.new") and not os.path.exists(path)
    daemon.process.terminate()
    daemon.process.wait(BOUND)
    assert not os.path.exists(f"{path}.new")


def test_a_reload_that_fails_leaves_no_file_of_its_own(unix):
    daemon, path = unix
    broken = pool("bad", worker="text", options={"nonsense": "x"})
    with pytest.raises(ControlError, match="nonsense"):
        reload(daemon, pool("echo"), broken, sections=renamed(daemon, address=f"unix:{path}.new"))
    assert answers_at(path) and not os.path.exists(f"{path}.new")


def test_a_unix_socket_that_cannot_be_made_refuses_the_reload(unix):
    daemon, path = unix
    os.mkdir(f"{path}.new")
    with pytest.raises(ControlError, match="is no socket: remove it or change `address`"):
        reload(daemon, pool("echo"), sections=renamed(daemon, address=f"unix:{path}.new"))
    assert answers_at(path) and os.path.isdir(f"{path}.new")


@pytest.mark.parametrize("name", ["local", "other"])
def test_who_may_use_a_unix_socket_is_set_at_start_only(unix, name):
    daemon, path = unix
    with pytest.raises(ControlError, match=f'listener "{name}": a new access or group of a Unix socket needs a restart'):
        reload(daemon, pool("echo"), sections=renamed(daemon, name, access="all"))
    assert answers_at(path)


# ---- what goes wrong ----


def break_configuration(daemon, broken):
    daemon.write_config("pool {")
    return "zygoted.conf:1:"


def break_worker(daemon, broken):
    rewrite(daemon, pool("echo", worker=broken), text_pool("text", "one"))
    return "file too short"


def break_load(daemon, broken):
    rewrite(daemon, pool("echo"), pool("text", worker="table", options={"file": "/nonexistent", "key": "Key"}))
    return "/nonexistent"


def break_new_pool(daemon, broken):
    rewrite(daemon, pool("echo"), text_pool("text", "one"), pool("new", worker="table", options={"file": "/nonexistent", "key": "Key"}, queue_timeout="1s"))
    return "/nonexistent"


def break_one_of_two(daemon, broken):
    rewrite(daemon, pool("echo", memory="70M"), pool("text", worker="table", options={"file": "/nonexistent", "key": "Key"}))
    return "/nonexistent"


def break_certificate(daemon, broken):
    web = {"web": {"address": f"127.0.0.1:{daemon.port}", "certificate": broken, "key": broken}}
    rewrite(daemon, pool("echo"), text_pool("text", "one"), sections=web)
    return broken


def break_selftest(daemon, broken):
    rewrite(daemon, pool("echo"), text_pool("text", "one"), pool("new", worker=PROBE, routes=["/new/"], queue_timeout="1s", selftest="GET /new/status/500"))
    return "answered with status 500"


BREAKS = [break_configuration, break_worker, break_load, break_new_pool, break_one_of_two, break_certificate, break_selftest]


def check_break(daemon, spoil, directory):
    broken = os.path.join(directory, "broken.so")
    with open(broken, "w") as file:
        file.write("no worker")
    reason = spoil(daemon, broken)
    code, _, error = daemon.zygotectl("reload", "--wait")
    assert code == 1 and reason in error, error
    assert "reload failed" in daemon.log()
    assert daemon.get("/text/").text.strip() == "one"
    return error


@pytest.mark.parametrize("spoil", BREAKS, ids=lambda spoil: spoil.__name__)
def test_what_is_broken_leaves_the_old_generation_serving(loaded, spoil):
    daemon, _ = loaded
    before = generations(daemon)
    os.chmod(daemon.directory, 0o755)
    check_break(daemon, spoil, daemon.directory)
    wait_until(lambda: generations(daemon) == before)
    rewrite(daemon, pool("echo"), text_pool("text", "one"))
    assert daemon.zygotectl("reload", "--wait")[0] == 0


@pytest.mark.parametrize("key, value", [("user", "daemon"), ("require", ["rlimits"]), ("control_group", "daemon"), ("fronts", 2)])
def test_what_needs_a_restart_is_said(zygoted, key, value):
    daemon = zygoted(pool("echo"))
    with pytest.raises(ControlError, match=f"a new value of {key} needs a restart"):
        reload(daemon, pool("echo"), **{key: value})
    assert daemon.get("/echo/").status == 200


def test_a_pool_that_is_not_there(zygoted):
    with pytest.raises(ControlError, match='there is no pool "nobody"'):
        zygoted(pool("echo")).ctl("reload nobody --wait")


class Slow:
    """A daemon whose next zygote loads until it is let go."""

    def __init__(self, zygoted):
        self.daemon = zygoted(pool("echo"), start=False)
        os.chmod(self.daemon.directory, 0o755)
        self.gate = os.path.join(self.daemon.directory, "gate")
        rewrite(self.daemon, pool("slow", worker=PROBE, options={"wait": self.gate}))
        self.daemon.start()
        open(self.gate, "w").close()

    def reload(self):
        """The control connection that waits for the answer."""
        control = Control(self.daemon.control)
        control.send(b"reload --all --wait\n")
        self.daemon.wait_log("zygoted: reload file=")
        return control

    def let_go(self):
        os.remove(self.gate)


def answer_of(control):
    answer = control.answer()
    control.close()
    return answer


def test_a_reload_during_a_reload_is_refused(zygoted):
    slow = Slow(zygoted)
    first = slow.reload()
    with pytest.raises(ControlError, match="another reload is in progress"):
        slow.daemon.ctl("reload --wait")
    slow.let_go()
    assert answer_of(first)["ok"]


def test_without_wait_the_answer_comes_at_once(zygoted):
    slow = Slow(zygoted)
    answer = slow.daemon.ctl("reload --all")
    assert answer["state"] == "loading" and generations(slow.daemon) == {"slow": 1}
    slow.let_go()
    wait_until(lambda: generations(slow.daemon) == {"slow": 2})


def test_a_front_that_dies_meanwhile_leaves_everything_as_it_was(zygoted):
    slow = Slow(zygoted)
    first = slow.reload()
    slow.daemon.kill(slow.daemon.front_pid())
    assert "a front died meanwhile" in answer_of(first)["error"]
    slow.let_go()
    slow.daemon.wait_ready()
    assert generations(slow.daemon) == {"slow": 1} and slow.daemon.get("/slow/pid").status == 200


def test_a_zygote_that_dies_meanwhile_is_started_as_it_was(zygoted):
    slow = Slow(zygoted)
    first = slow.reload()
    old = slow.daemon.pool("slow")["pid"]
    slow.daemon.kill(old)
    wait_until(lambda: slow.daemon.pool("slow")["state"] != "serving")
    slow.let_go()
    answer = answer_of(first)
    # What was started in its place may come to the front between the new one and the end of the reload, which has failed then.
    assert answer["ok"] or "a front did not take it" in answer["error"], answer
    slow.daemon.wait_ready()
    assert slow.daemon.get("/slow/pid").status == 200


def test_stopping_ends_a_reload(zygoted):
    slow = Slow(zygoted)
    waiting = slow.reload()
    slow.daemon.process.terminate()
    assert "the daemon is stopping" in answer_of(waiting)["error"]
    assert slow.daemon.process.wait(BOUND) == 0


# ---- by signal, and many ----


def test_sighup_reloads(zygoted):
    daemon = zygoted(text_pool("text", "one"))
    rewrite(daemon, text_pool("text", "two"))
    daemon.kill(daemon.pid, signal.SIGHUP)
    wait_until(lambda: daemon.get("/text/").text.strip() == "two")
    rewrite(daemon, text_pool("text", "three", nonsense="1"))
    daemon.kill(daemon.pid, signal.SIGHUP)
    daemon.wait_log("reload failed")
    assert daemon.get("/text/").text.strip() == "two"


def test_many_reloads_lose_no_request(loaded):
    daemon, load = loaded
    there = len(load.answers)
    many_reloads(daemon, RELOADS)
    assert len(load.answers) > there + RELOADS


@pytest.mark.long
def test_500_reloads_lose_no_request_and_leave_nothing_behind(loaded):
    daemon, load = loaded
    many_reloads(daemon, 20)
    supervisor = zyg.fd_count(daemon.pid)
    memory = zyg.private_kib(daemon.pid)
    many_reloads(daemon, LONG_RELOADS)
    print(f"reloads {LONG_RELOADS} requests {len(load.answers)} failed {len(load.broken)}")
    daemon.ctl("reload --wait")
    assert zyg.fd_count(daemon.pid) <= supervisor + 24  # generations that drain
    assert zyg.private_kib(daemon.pid) < memory + 4096


@pytest.mark.long
def test_50_broken_reloads_change_nothing(loaded):
    daemon, _ = loaded
    os.chmod(daemon.directory, 0o755)
    reasons = [check_break(daemon, BREAKS[number % len(BREAKS)], daemon.directory) for number in range(50)]
    print(f"broken reloads {len(reasons)}: each with exit code 1 and a reason")
