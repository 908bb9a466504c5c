"""Several fronts and several zygotes: together they are what one of each is."""

import concurrent.futures
import os
import re
import subprocess

import pytest

import zyg
from lanes import front_pids, zygote_pids
from load import Load
from zyg import command_line, is_alive, parents, pool, wait_until


def serve(daemon, count=200, threads=8):
    """Requests with answers that name them; returns the load."""
    load = Load(daemon.port, lambda i: f"/echo/{i}", count, threads=threads).run()
    assert load.statuses() == {200} and not load.broken
    assert all(f"/echo/{number}".encode() in body for number, _, body in load.answers)
    return load


@pytest.fixture
def two_by_two(zygoted):
    return zygoted(pool("echo", zygotes=2), pool("probe", zygotes=2, timeout="20s"), fronts=2)


def test_every_process_has_its_name_and_its_parent(two_by_two):
    assert [command_line(pid) for pid in front_pids(two_by_two)] == ["zygoted: front 1", "zygoted: front 2"]
    names = [command_line(pid) for pid in zygote_pids(two_by_two, "echo")]
    assert names == ["zygoted-zygote: echo 1", "zygoted-zygote: echo 2"]
    wait_until(lambda: two_by_two.pool("echo")["spare"] == 4)
    table = parents()
    for zygote in zygote_pids(two_by_two, "echo"):
        below = [pid for pid, (parent, _) in table.items() if parent == zygote]
        assert sum(command_line(pid) == command_line(zygote) for pid in below) == 2  # spare = 4


def test_answers_are_right_and_orders_and_figures_add_up(two_by_two):
    serve(two_by_two, 400)
    stats = two_by_two.stats("echo")
    assert stats["requests"] == stats["ok"] == 400
    assert two_by_two.ctl("stats")["front"]["fronts"] == 2
    assert two_by_two.ctl("stats")["front"]["requests"] == 400
    wait_until(lambda: two_by_two.pool("echo")["spare"] == 4)
    assert two_by_two.pool("echo")["zygotes"] == 2
    assert two_by_two.pool("echo")["forks"] >= 404


def spread(daemon, count):
    """How many of `count` connections each front got, one opened after the other."""
    wait_until(lambda: all(p["spare"] == 4 and p["dying"] == 0 for p in daemon.ctl("pools")["pools"]))
    idle = [zyg.fd_count(pid) for pid in front_pids(daemon)]
    connections = [daemon.connect() for _ in range(count) if not wait_accepted(daemon)]
    wait_accepted(daemon)
    now = [zyg.fd_count(pid) for pid in front_pids(daemon)]
    for connection in connections:
        connection.close()
    wait_until(lambda: daemon.ctl("stats")["front"]["connections"] == 0)
    return [after - before for after, before in zip(now, idle)]


def wait_accepted(daemon):
    """The backlog of its listener is empty: Recv-Q of ss(8)."""
    command = ["ss", "-Hltn", f"sport = :{daemon.port}"]
    wait_until(lambda: subprocess.run(command, capture_output=True, text=True).stdout.split()[1] == "0")


@pytest.mark.reads_proc
def test_connections_spread_over_the_fronts(two_by_two):
    """A front that has to wait for a processor while another has one may lose a round, but not each."""
    rounds = []
    for _ in range(5):
        rounds.append(spread(two_by_two, 32))
        assert sum(rounds[-1]) == 32
        if min(rounds[-1]) >= 12:
            return
    pytest.fail(f"one front has nearly all connections: {rounds}")


def test_children_of_all_zygotes_and_fronts_are_listed_with_their_pids(two_by_two):
    wait_until(lambda: len(two_by_two.children("probe")) == 4)
    listed = {child["pid"] for child in two_by_two.children("probe")}
    zygotes = zygote_pids(two_by_two, "probe")
    table = parents()
    assert len(listed) == 4 and {table[pid][0] for pid in listed} == set(zygotes)


def test_limits_hold_for_all_together(zygoted):
    daemon = zygoted(pool("probe", zygotes=2, spare=2, max_children=4, queue=2), fronts=2)
    connections = []

    def hold_more(count=1):
        for _ in range(count):
            connections.append(daemon.connect())
            connections[-1].hold()
        return len(daemon.busy("probe")) == 4

    wait_until(hold_more)  # until each front has as many as it may
    hold_more(10)
    wait_until(lambda: 4 + daemon.pool("probe")["queued"] + daemon.outcome("queue_full", "probe") == len(connections))
    assert daemon.pool("probe")["queued"] <= 2 and len(daemon.busy("probe")) == 4
    statuses = [connection.release().status for connection in connections]
    assert 4 <= statuses.count(200) <= 6 and set(statuses) == {200, 503}


@pytest.mark.parametrize("number", [0, 1])
def test_a_zygote_that_dies_takes_its_generation_and_is_replaced(two_by_two, number):
    zygotes = zygote_pids(two_by_two, "echo")
    children = [child["pid"] for child in two_by_two.children("echo")]
    two_by_two.kill(zygotes[number])
    wait_until(lambda: not any(is_alive(pid) for pid in zygotes + children))
    wait_until(lambda: two_by_two.pool("echo")["restarts"] == 1)
    two_by_two.wait_ready()
    assert len(zygote_pids(two_by_two, "echo")) == 2
    if number == 1:
        two_by_two.wait_log("another zygote of the generation died")
    serve(two_by_two)


@pytest.mark.parametrize("number", [0, 1])
def test_a_front_that_dies_leaves_the_other_serving(two_by_two, number):
    load = Load(two_by_two.port, lambda i: f"/echo/{i}", 10**9, threads=8).start()
    wait_until(lambda: len(load.answers) > 100)
    fronts = front_pids(two_by_two)
    two_by_two.kill(fronts[number])
    there = len(load.answers)
    wait_until(lambda: len(load.answers) > there + 500)
    wait_until(lambda: len(front_pids(two_by_two)) == 2 and two_by_two.ctl("stats")["front"]["fronts"] == 2)
    load.stop()
    assert load.statuses() == {200} and len(load.broken) <= 8  # those on its connections
    assert is_alive(fronts[1 - number])
    assert two_by_two.pool("echo")["generation"] == 1
    two_by_two.wait_ready()
    serve(two_by_two)


def test_no_connection_in_the_backlog_is_lost_with_a_front(two_by_two):
    """Both fronts are stopped while connections come in, one is killed, the other goes on."""
    fronts = front_pids(two_by_two)
    for pid in fronts:
        two_by_two.kill(pid, zyg.signal.SIGSTOP)
    connections = [two_by_two.connect() for _ in range(16)]
    for number, connection in enumerate(connections):
        connection.request("GET", f"/echo/{number}")
    two_by_two.kill(fronts[0])
    two_by_two.kill(fronts[1], zyg.signal.SIGCONT)
    for number, connection in enumerate(connections):
        assert f"/echo/{number}".encode() in connection.response().body
        connection.close()


def test_a_child_that_dies_hurts_nobody_else(two_by_two):
    assert two_by_two.get("/probe/crash/segv").status == 502
    assert two_by_two.pool("probe")["generation"] == 1
    serve(two_by_two)


def test_recycling_under_load_loses_nothing(two_by_two):
    load = Load(two_by_two.port, lambda i: f"/echo/{i}", 10**9, threads=8).start()
    wait_until(lambda: len(load.answers) > 100)
    for expected in (2, 3, 4):
        before = zygote_pids(two_by_two, "echo")
        assert two_by_two.ctl("recycle echo")["generation"] == expected
        wait_until(lambda: not any(is_alive(pid) for pid in before))
    load.stop()
    assert load.statuses() == {200} and not load.broken
    assert all(f"/echo/{number}".encode() in body for number, _, body in load.answers)
    assert two_by_two.pool("echo")["recycles"] == 3 and len(zygote_pids(two_by_two, "echo")) == 2


def test_a_front_that_dies_while_a_pool_is_recycled_does_not_stop_it(two_by_two):
    front_pid = front_pids(two_by_two)[1]
    two_by_two.kill(front_pid, zyg.signal.SIGSTOP)  # never parks a child of the new generation
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        answer = threads.submit(two_by_two.ctl, "recycle echo")
        two_by_two.wait_log("generation=2")
        two_by_two.kill(front_pid)
        assert answer.result()["generation"] == 2
    two_by_two.wait_ready()
    serve(two_by_two)


def test_requests_of_all_fronts_count_towards_recycling(zygoted):
    daemon = zygoted(pool("echo", zygotes=2, recycle_requests=100), fronts=2)
    serve(daemon, 150)
    wait_until(lambda: daemon.pool("echo")["recycles"] >= 1)
    assert daemon.pool("echo")["recycle_reason"] == "requests"


def confinement(pid):
    """What /proc shows of a process's sandbox."""
    keys = ("Uid", "Gid", "Groups", "Cap", "NoNewPrivs", "Seccomp", "Sig", "Shd")
    status = [line for line in zyg.read_proc(pid, "status").splitlines() if line.startswith(keys)]
    namespaces = {name: os.readlink(f"/proc/{pid}/ns/{name}") for name in os.listdir(f"/proc/{pid}/ns")}
    return status, namespaces, os.readlink(f"/proc/{pid}/root"), zyg.read_proc(pid, "limits")


@pytest.mark.reads_proc
@pytest.mark.parametrize("of_children", [False, True])
def test_a_sibling_is_confined_like_the_first_zygote(two_by_two, of_children):
    zygotes = zygote_pids(two_by_two, "echo")
    if of_children:
        wait_until(lambda: len(two_by_two.children("echo")) == 4)
        table = parents()
        listed = [child["pid"] for child in two_by_two.children("echo")]
        zygotes = [next(pid for pid in listed if table[pid][0] == zygote) for zygote in zygotes]
        for pid in zygotes:  # one that was forked just now may still be closing
            wait_until(lambda: len(os.listdir(f"/proc/{pid}/fd")) == 4)
    first, sibling = map(confinement, zygotes)
    assert first == sibling
    assert "Seccomp:\t2" in first[0] or zyg.ASAN


def image_mappings(pid):
    """(inodes, copied kB) of what is mapped of the frozen image."""
    inodes, copied, inside = set(), 0, False
    for line in zyg.read_proc(pid, "smaps").splitlines():
        if line.split()[0].count("-") == 1 and not line.split()[0].endswith(":"):
            inside = "zygoted-image" in line
            inodes |= {line.split()[4]} if inside else set()
        elif inside and line.startswith("Anonymous:"):
            copied += int(line.split()[1])
    return inodes, copied


@pytest.mark.plain_build
@pytest.mark.reads_proc
def test_zygotes_share_one_image_and_write_nothing_to_it(zygoted):
    daemon = zygoted(pool("echo", options={"ballast": "32M"}, zygotes=3, image="frozen"), fronts=2)
    serve(daemon, 300)
    images = [image_mappings(pid) for pid in zygote_pids(daemon, "echo")]
    assert len(images) == 3 and len(images[0][0]) == 1
    assert all(image[0] == images[0][0] for image in images)
    assert max(copied for _, copied in images) <= images[0][1] + 16, images


@pytest.mark.plain_build
@pytest.mark.reads_proc
def test_children_of_all_zygotes_and_fronts_are_sampled(zygoted):
    daemon = zygoted(pool("echo", zygotes=2, sample=2), fronts=2)

    def samples():
        serve(daemon, 40)
        return daemon.ctl("memory echo")["pools"][0].get("samples", 0)

    wait_until(lambda: samples() >= 8)
    wait_until(lambda: daemon.pool("echo")["spare"] == 4 and daemon.pool("echo")["dying"] == 0)


def test_metrics_count_all_fronts_and_routes(two_by_two):
    serve(two_by_two, 100)
    text = two_by_two.ctl("metrics")["text"]
    found = re.search(r'zygoted_requests_total\{[^}]*pool="echo"[^}]*outcome="ok"[^}]*\} (\d+)', text)
    assert found and int(found.group(1)) == 100, text
    assert two_by_two.ctl("stats")["front"]["fronts"] == 2


def test_memory_counts_the_children_of_all_fronts(two_by_two):
    wait_until(lambda: two_by_two.pool("echo")["spare"] == 4)
    row = two_by_two.ctl("memory echo")["pools"][0]
    assert row["children"] == 4 and "error" not in row


def test_the_log_level_reaches_each_front(two_by_two):
    two_by_two.ctl("log debug")
    two_by_two.kill(front_pids(two_by_two)[0])
    wait_until(lambda: len(front_pids(two_by_two)) == 2)
    two_by_two.wait_log("pool attached pool=echo generation=1 front=1")


def test_eight_by_eight(zygoted):
    daemon = zygoted(pool("echo", zygotes=8, spare=8, max_children=64), fronts=8)
    assert len(front_pids(daemon)) == 8 and len(zygote_pids(daemon, "echo")) == 8
    serve(daemon, 100)
