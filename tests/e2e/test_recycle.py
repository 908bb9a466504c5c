"""A pool's zygote is replaced by a new one beside it: nobody notices, and a bad new one harms nobody."""

import os
import re
import shutil
import signal
import stat
import threading

import pytest

import zyg
from client import Truncated
from load import Load
from zyg import BOUND, Control, ControlError, pool, wait_until

GROWTH_KIB = 1 << 18 if zyg.ASAN else 300  # a sanitizer keeps what was freed for a while


def layout(pid):
    """Where the program's own text is mapped."""
    maps = zyg.read_proc(pid, "maps").splitlines()
    return next(line.split("-")[0] for line in maps if "r-xp" in line and "zygoted-zygote" in line)


def started(pid):
    """Ticks since the boot: proc(5), field 22."""
    return int((zyg.read_proc(pid, "stat") or ") " + "0 " * 20).rpartition(")")[2].split()[19])


def zygotes(daemon, name):
    """All zygotes of the pool, the newest last: the supervisor's children of that title."""
    table = zyg.parents()
    titled = daemon.named(f"zygoted-zygote: {name}")
    return sorted((pid for pid in titled if table.get(pid, (0, ""))[0] == daemon.pid), key=started)


def wait_one_zygote(daemon, name):
    return wait_until(lambda: len(found := zygotes(daemon, name)) == 1 and found[0])


class Recycle(threading.Thread):
    """The command in a thread of its own; join() gives the answer."""

    def __init__(self, daemon, name):
        super().__init__()
        self.daemon_, self.name_, self.reply = daemon, name, None
        self.start()

    def run(self):
        control = Control(self.daemon_.control)
        self.reply = control.command(f"recycle {self.name_}")
        control.close()

    def join(self, timeout=30):
        super().join(timeout)
        return self.reply


@pytest.fixture
def loaded(zygoted):
    """A daemon under load: yields it with the load; in the end each request was answered with 200."""
    daemon = zygoted(pool("echo"), pool("probe", timeout="10s"))
    load = Load(daemon.port, lambda i: f"/echo/{i}", 10**9, threads=8).start()
    wait_until(lambda: len(load.answers) > 100)
    yield daemon, load
    load.stop()
    assert not load.broken and load.statuses() == {200}
    assert all(f"/echo/{number}".encode() in body for number, _, body in load.answers)


# ---- by hand ----


def test_by_hand_under_load_nobody_notices_and_the_layout_is_new(loaded):
    daemon, load = loaded
    before = daemon.zygote_pid("echo")
    base = layout(before)
    answer = daemon.ctl("recycle echo")
    there = len(load.answers)
    assert (answer["previous"], answer["generation"], answer["ok"]) == (1, 2, True)
    now = wait_one_zygote(daemon, "echo")
    assert now == answer["pid"] == daemon.pool("echo")["pid"] != before
    assert layout(now) != base
    wait_until(lambda: len(load.answers) > there + 200)
    assert daemon.pool("probe")["generation"] == 1 and not zyg.is_alive(before)


def test_pools_show_generation_count_and_reason(zygoted, user):
    daemon = zygoted(pool("echo"), user=user)
    fresh = daemon.pool("echo")
    assert (fresh["generation"], fresh["recycles"], fresh["recycle_reason"]) == (1, 0, "")
    code, out, _ = daemon.zygotectl("recycle", "echo")
    assert code == 0 and "generation  2" in out
    now = daemon.pool("echo")
    assert (now["generation"], now["recycles"], now["recycle_reason"]) == (2, 1, "manual")
    daemon.wait_log("pool recycled pool=echo reason=manual from=1 to=2 load_ms=")
    assert "zygote died" not in daemon.log() and now["restarts"] == 0 and now["error"] == ""


def test_a_busy_child_finishes_in_the_old_zygote(zygoted):
    daemon = zygoted(pool("probe"))
    old = daemon.zygote_pid("probe")
    with daemon.connect() as connection:
        connection.hold()
        busy = daemon.wait_busy("probe")[0]["pid"]
        assert daemon.ctl("recycle probe")["generation"] == 2
        wait_until(lambda: daemon.pool("probe")["draining"] == 1)
        assert zygotes(daemon, "probe")[0] == old and zyg.is_alive(busy)
        assert {child["pid"]: child["generation"] for child in daemon.children("probe")}[busy] == 1
        assert daemon.get("/probe/pid").status == 200
        assert connection.release().status == 200
    assert wait_one_zygote(daemon, "probe") != old


def test_what_does_not_drain_is_bounded_by_the_timeout(zygoted):
    daemon = zygoted(pool("probe", timeout="500ms"))
    with daemon.connect() as connection:
        connection.request("GET", "/probe/sleep/60000")
        daemon.wait_busy("probe")
        daemon.ctl("recycle probe")
        assert connection.response().status == 504
    wait_one_zygote(daemon, "probe")


def test_an_operator_who_is_in_a_hurry_is_told_to_wait(zygoted):
    daemon = zygoted(pool("probe", timeout="20s"))
    with daemon.connect() as one, daemon.connect() as two, daemon.connect() as three:
        for number, connection in enumerate((one, two, three), 1):
            connection.hold()
            wait_until(lambda: sum(c["state"] == "busy" for c in daemon.children("probe")) == number)
            daemon.ctl("recycle probe")
        with pytest.raises(ControlError, match="earlier generations still drain"):
            daemon.ctl("recycle probe")
        assert [c.release().status for c in (one, two, three)] == [200] * 3
    wait_one_zygote(daemon, "probe")
    assert daemon.ctl("recycle probe")["generation"] == 5


def most_children(daemon, recycle):
    """While it is in progress."""
    most = 0
    while recycle.is_alive():
        most = max(most, len(daemon.children("probe")))
    assert recycle.join()["ok"]
    return most


def test_generations_together_stay_below_their_bound(zygoted):
    daemon = zygoted(pool("probe", spare=2, max_children=4))
    held = [daemon.connect() for _ in range(4)]
    for connection in held:
        connection.hold()
    daemon.wait_busy("probe", 4)
    assert most_children(daemon, Recycle(daemon, "probe")) <= 6
    recycle = Recycle(daemon, "probe")  # which has no room for a child until the requests end
    daemon.wait_log("pool ready pool=probe generation=3")
    most = max(len(daemon.children("probe")) for _ in range(20))
    assert all(connection.release().status == 200 for connection in held)
    assert max(most, most_children(daemon, recycle)) <= 6
    for connection in held:
        connection.close()
    wait_one_zygote(daemon, "probe")


@pytest.mark.parametrize("command, error", [("recycle", "argument"), ("recycle nobody", "no pool"),
                                            ("recycle echo now", "too many")])
def test_a_wrong_command_says_so(daemon, command, error):
    with pytest.raises(ControlError, match=error):
        daemon.ctl(command)


# ---- by itself ----


def test_by_requests(zygoted):
    daemon = zygoted(pool("echo", recycle_requests=50))
    load = Load(daemon.port, lambda i: f"/echo/{i}", 49, threads=4).run()
    assert daemon.pool("echo")["recycles"] == 0
    load = Load(daemon.port, lambda i: f"/echo/{i}", 200, threads=4).run()
    assert not load.broken and load.statuses() == {200}
    wait_until(lambda: daemon.pool("echo")["recycle_reason"] == "requests")
    assert daemon.pool("echo")["generation"] == 2


def test_by_age(zygoted):
    daemon = zygoted(pool("echo", recycle_after="300ms"), pool("probe", recycle_after="0s"))
    wait_until(lambda: daemon.pool("echo")["recycle_reason"] == "age")
    assert daemon.pool("echo")["generation"] == 2 and daemon.pool("probe")["generation"] == 1


def crash(daemon, count, how="abrt"):
    for _ in range(count):
        assert daemon.get(f"/probe/crash/{how}").status == 502


def test_by_faults_and_not_again_at_once(loaded):
    daemon, _ = loaded
    base = layout(daemon.zygote_pid("probe"))
    crash(daemon, 9)
    assert daemon.pool("probe")["recycles"] == 0
    crash(daemon, 1)
    wait_until(lambda: daemon.pool("probe")["recycle_reason"] == "faults")
    assert layout(wait_one_zygote(daemon, "probe")) != base
    crash(daemon, 10)
    daemon.wait_log("recycle postponed pool=probe reason=faults in_ms=")
    assert daemon.pool("probe")["recycles"] == 1 and daemon.pool("echo")["recycles"] == 0


@pytest.mark.parametrize("how, counts", [("segv", 1), ("ill", 1), ("abrt", 1), ("sys", 1), ("fpe", 0)])
def test_which_deaths_are_faults(zygoted, how, counts):
    if zyg.ASAN and how in ("segv", "ill", "fpe"):
        pytest.skip("a sanitizer turns the signal into an exit")
    daemon = zygoted(pool("probe", recycle_faults=1))
    crash(daemon, 1, how)
    if counts:
        wait_until(lambda: daemon.pool("probe")["recycles"] == 1)
    else:
        crash(daemon, 1)  # after which the supervisor has heard of both
        wait_until(lambda: daemon.pool("probe")["recycles"] == 1)
        assert "postponed" not in daemon.log()


def test_faults_may_be_left_alone(zygoted):
    daemon = zygoted(pool("probe", recycle_faults=0, recycle_requests=12))
    crash(daemon, 11)
    assert daemon.pool("probe")["recycles"] == 0
    crash(daemon, 1)
    wait_until(lambda: daemon.pool("probe")["recycle_reason"] == "requests")


@pytest.mark.long
def test_what_was_postponed_or_failed_is_tried_again(zygoted):
    daemon = open_pool(zygoted, recycle_faults=3)
    crash(daemon, 3)
    wait_until(lambda: daemon.pool("probe")["recycles"] == 1)
    replace_file(daemon.worker, b"garbage")
    crash(daemon, 3)
    daemon.wait_log("recycle failed pool=probe reason=faults", 15)
    shutil.copy(zyg.PROBE, daemon.worker + ".good")
    os.rename(daemon.worker + ".good", daemon.worker)
    wait_until(lambda: daemon.pool("probe")["recycles"] == 2, 60)


# ---- a new one that cannot be loaded ----


def open_pool(zygoted, **keys):
    """A probe whose worker is a file of its own, and whose load lasts while daemon.gate is there."""
    daemon = zygoted(start=False)
    os.chmod(daemon.directory, 0o755)
    daemon.worker = os.path.join(daemon.directory, "probe.so")
    daemon.gate = os.path.join(daemon.directory, "gate")
    shutil.copy(zyg.PROBE, daemon.worker)
    probe = pool("probe", daemon.worker, {"wait": daemon.gate}, timeout="10s", **keys)
    daemon.write_config(zyg.format_config({"control": daemon.control},
                                          {"web": f"127.0.0.1:{daemon.port}"}, [probe]))
    return daemon.start()


def replace_file(path, data):
    """By rename: who has mapped the file keeps the old one."""
    with open(path + ".new", "wb") as file:
        file.write(data)
    os.rename(path + ".new", path)


def test_a_broken_worker_file_leaves_the_old_one_serving(zygoted):
    daemon = open_pool(zygoted)
    before = daemon.zygote_pid("probe")
    replace_file(daemon.worker, b"garbage")
    code, _, error = daemon.zygotectl("recycle", "probe")
    assert code == 1 and "probe.so" in error
    now = daemon.pool("probe")
    assert (now["state"], now["generation"], now["pid"]) == ("serving", 1, before)
    assert "probe.so" in now["error"] and now["recycles"] == 0
    assert daemon.get("/probe/pid").status == 200 and wait_one_zygote(daemon, "probe") == before
    daemon.wait_log("recycle failed pool=probe reason=manual from=1 to=2 error=")
    os.unlink(daemon.worker)
    shutil.copy(zyg.PROBE, daemon.worker)
    assert daemon.ctl("recycle probe")["generation"] == 3 and daemon.pool("probe")["error"] == ""


def test_a_missing_data_file_leaves_the_old_one_serving(zygoted):
    daemon = zygoted(start=False)
    os.chmod(daemon.directory, 0o755)
    table = os.path.join(daemon.directory, "t.csv")
    replace_file(table, b"name\nx\n")
    section = pool("t", worker="table", options={"file": table, "key": "name"})
    daemon.write_config(zyg.format_config({"control": daemon.control},
                                          {"web": f"127.0.0.1:{daemon.port}"}, [section]))
    daemon.start()
    os.unlink(table)
    with pytest.raises(ControlError, match="t.csv"):
        daemon.ctl("recycle t")
    assert daemon.get("/t/x").status == 200 and daemon.pool("t")["generation"] == 1
    replace_file(table, b"name\ny\n")
    daemon.ctl("recycle t")
    assert daemon.get("/t/y").status == 200 and daemon.get("/t/x").status == 404


@pytest.mark.namespaces
@pytest.mark.skipif(os.getuid() != 0, reason="needs root to put another file over /proc/meminfo")
def test_too_little_memory_for_two_is_a_refusal(zygoted, monkeypatch, tmp_path):
    meminfo, program = tmp_path / "meminfo", tmp_path / "zygoted"
    meminfo.write_text("MemTotal: 99999999 kB\nMemAvailable:       64 kB\n")
    program.write_text(f"#!/bin/sh\nexec unshare -m sh -c 'mount --bind {meminfo} /proc/meminfo && "
                       f'exec {zyg.ZYGOTED} "$@"\' sh "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(zyg, "ZYGOTED", str(program))
    daemon = zygoted(pool("echo"))
    with pytest.raises(ControlError, match="not enough memory .*available_bytes=65536"):
        daemon.ctl("recycle echo")
    daemon.wait_log("recycle refused pool=echo reason=manual")
    code, _, error = daemon.zygotectl("reload", "--all", "--wait")
    assert code == 1 and "not enough memory for the new generations beside the old ones" in error
    assert "available_bytes=65536; reload pool by pool, or restart" in error
    assert re.search(r"memory for reload needed_bytes=\d{5,} available_bytes=65536", daemon.log())
    assert daemon.get("/echo/").status == 200 and daemon.pool("echo")["generation"] == 1


# ---- deaths in between ----


@pytest.fixture
def loading(zygoted):
    """A daemon with a recycle in progress whose new zygote loads until the gate is opened."""
    daemon = open_pool(zygoted)
    open(daemon.gate, "w").close()
    daemon.recycle = Recycle(daemon, "probe")
    daemon.old, daemon.new = wait_until(lambda: len(z := zygotes(daemon, "probe")) == 2 and z)
    daemon.open_gate = lambda: os.unlink(daemon.gate)
    yield daemon
    daemon.recycle.join()


def test_the_old_one_serves_while_the_new_one_loads(loading):
    assert all(loading.get("/probe/pid").status == 200 for _ in range(20))
    with pytest.raises(ControlError, match="is being recycled"):
        loading.ctl("recycle probe")
    assert loading.recycle.is_alive() and loading.pool("probe")["pid"] == loading.old
    loading.open_gate()
    assert loading.recycle.join()["pid"] == loading.new


def test_the_new_one_dies_before_it_is_ready(loading):
    loading.kill(loading.new)
    assert loading.recycle.join() == {"ok": False, "error": "zygote died: signal=KILL"}
    loading.open_gate()
    assert wait_one_zygote(loading, "probe") == loading.old
    assert loading.get("/probe/pid").status == 200
    assert loading.pool("probe")["error"] == "zygote died: signal=KILL"
    assert loading.ctl("recycle probe")["generation"] == 3


def test_the_old_one_dies_while_the_new_one_loads(loading):
    loading.kill(loading.old)
    wait_until(lambda: loading.pool("probe")["state"] != "serving")
    with loading.connect() as connection:
        connection.request("GET", "/probe/pid")
        wait_until(lambda: loading.pool("probe")["queued"] == 1)
        loading.open_gate()
        assert connection.response().status == 200
    assert loading.recycle.join()["pid"] == loading.new == wait_one_zygote(loading, "probe")
    assert loading.pool("probe")["restarts"] == 0


def serves_with_another_than(daemon, *pids):
    """What has been killed may be shown as serving for a moment: it dies after its children."""
    now = daemon.pool("probe")
    return now["state"] == "serving" and now["pid"] not in pids


def test_both_die(loading):
    loading.kill(loading.old)
    loading.kill(loading.new)
    assert loading.recycle.join()["ok"] is False
    loading.open_gate()
    wait_until(lambda: serves_with_another_than(loading, loading.old, loading.new))
    assert wait_one_zygote(loading, "probe") and loading.get("/probe/pid").status == 200


def test_the_front_dies_while_the_new_one_loads(loading):
    front = loading.front_pid()
    loading.kill(front)
    wait_until(lambda: loading.front_pid() not in (None, front))
    wait_until(lambda: loading.pool("probe")["spare"] == 4)
    assert loading.get("/probe/pid").status == 200
    loading.open_gate()
    assert loading.recycle.join()["pid"] == loading.new == wait_one_zygote(loading, "probe")
    assert loading.get("/probe/pid").status == 200


def test_the_front_dies_while_the_old_one_drains(zygoted):
    daemon = zygoted(pool("probe", timeout="60s"))
    with daemon.connect() as connection:
        connection.request("GET", "/probe/sleep/60000")
        daemon.wait_busy("probe")
        new = daemon.ctl("recycle probe")["pid"]
        assert len(zygotes(daemon, "probe")) == 2
        daemon.kill(daemon.front_pid())
        with pytest.raises((Truncated, ConnectionResetError)):
            connection.response()
    assert wait_one_zygote(daemon, "probe") == new
    wait_until(lambda: daemon.pool("probe")["spare"] == 4)
    assert daemon.get("/probe/pid").status == 200


def test_the_front_is_not_there_when_the_new_one_is_ready(loading):
    front = loading.front_pid()
    os.kill(loading.pid, signal.SIGSTOP)
    loading.kill(front)
    loading.open_gate()
    os.kill(loading.pid, signal.SIGCONT)
    assert loading.recycle.join()["pid"] == loading.new == wait_one_zygote(loading, "probe")
    wait_until(lambda: loading.pool("probe")["spare"] == 4)
    assert loading.get("/probe/pid").status == 200


def test_the_new_one_dies_before_it_has_a_child(zygoted):
    daemon = zygoted(pool("probe"))
    old, front = daemon.zygote_pid("probe"), daemon.front_pid()
    os.kill(front, signal.SIGSTOP)  # which cannot order a child then
    recycle = Recycle(daemon, "probe")
    new = wait_until(lambda: len(z := zygotes(daemon, "probe")) == 2 and z[1])
    daemon.wait_log("pool ready pool=probe generation=2")
    daemon.kill(new)
    assert recycle.join()["ok"] is False
    os.kill(front, signal.SIGCONT)
    assert daemon.get("/probe/pid").status == 200 and wait_one_zygote(daemon, "probe") == old


@pytest.mark.long
def test_a_new_one_that_gets_no_child_is_given_up(zygoted):
    daemon = zygoted(pool("probe", timeout="500ms"))
    old, front = daemon.zygote_pid("probe"), daemon.front_pid()
    os.kill(front, signal.SIGSTOP)
    answer = Recycle(daemon, "probe").join()
    assert answer == {"ok": False, "error": "no child of it could be parked in time"}
    os.kill(front, signal.SIGCONT)
    assert daemon.get("/probe/pid").status == 200 and wait_one_zygote(daemon, "probe") == old
    assert daemon.ctl("recycle probe")["generation"] == 3


def test_the_old_one_dies_before_the_new_one_has_a_child(zygoted):
    daemon = zygoted(pool("probe"))
    old, front = daemon.zygote_pid("probe"), daemon.front_pid()
    os.kill(front, signal.SIGSTOP)
    recycle = Recycle(daemon, "probe")
    daemon.wait_log("pool ready pool=probe generation=2")
    daemon.kill(old)
    assert recycle.join()["generation"] == 2
    os.kill(front, signal.SIGCONT)
    assert daemon.get("/probe/pid").status == 200 and wait_one_zygote(daemon, "probe") != old


def test_a_stop_in_between_is_a_stop(loading):
    loading.process.terminate()
    assert loading.process.wait(BOUND) == 0
    assert loading.recycle.join() in (None, {"ok": False, "error": "the daemon is stopping"})


def test_an_operator_is_not_kept_waiting_for_ever(loading):
    answer = loading.recycle.join()
    assert answer["ok"] is False and "still loading" in answer["error"]
    loading.open_gate()
    wait_until(lambda: loading.pool("probe")["recycles"] == 1)


# ---- again and again ----


def figures(daemon):
    """Descriptors and private memory (KiB) of each process that stays."""
    pids = {"supervisor": daemon.pid, "front": daemon.front_pid()}
    return {name: (zyg.fd_count(pid), zyg.private_kib(pid)) for name, pid in pids.items()}


def grown(before, now):
    return {
        name: (before[name], now[name])
        for name in before
        if now[name][0] > before[name][0] or now[name][1] > before[name][1] + GROWTH_KIB
    }


def settle(daemon):
    wait_until(lambda: daemon.ctl("stats")["front"]["connections"] == 0)
    wait_one_zygote(daemon, "echo")
    daemon.wait_idle("echo")


def recycle_when_drained(daemon):
    """Recycles are refused while three earlier generations still drain; the answer says: try again."""

    def attempt():
        try:
            return daemon.ctl("recycle echo")["generation"]
        except zyg.ControlError as error:
            assert "still drain" in str(error)
            return None

    return wait_until(attempt, what="recycled")


def recycle_under_load(daemon, times):
    load = Load(daemon.port, lambda i: f"/echo/{i}", 10**9, threads=4).start()
    try:
        for _ in range(times):
            there = len(load.answers)
            generation = recycle_when_drained(daemon)
            wait_until(lambda: len(load.answers) > there + 10)
    finally:
        load.stop()
    assert not load.broken and load.statuses() == {200}
    settle(daemon)
    return generation


@pytest.mark.plain_build
@pytest.mark.reads_proc
def test_fifty_in_a_row_leave_nothing_behind(zygoted):
    daemon = zygoted(pool("echo", spare=16, max_children=16))
    recycle_under_load(daemon, 10)
    before = figures(daemon)
    assert recycle_under_load(daemon, 50) == 61 and daemon.pool("echo")["recycles"] == 60
    wait_until(lambda: len(daemon.processes()) == 2 + 16, what="front, zygote and 16 children")
    try:
        wait_until(lambda: not grown(before, figures(daemon)))
    except AssertionError:
        raise AssertionError(f"grown: {grown(before, figures(daemon))}") from None
    assert daemon.log().count("zygote died") == 0
