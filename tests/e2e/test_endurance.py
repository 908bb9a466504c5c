"""Kills at random, and requests by the hundred thousand: a sample in each run, the full numbers by make check-long."""

import os
import random
import signal
import subprocess

import pytest

from oracle import Oracle
from zyg import fd_count, parents, pool, private_kib, wait_until

KILLS = 12
LONG_KILLS = 200
REQUESTS = 30_000
LONG_REQUESTS = 1_000_000
STEPS = 10


# ---- kills ----


def victims(daemon):
    """By kind, of all that are not the supervisor."""
    zygotes = [daemon.zygote_pid(name) for name in ("echo", "other")]
    kinds = {"front": daemon.named("zygoted: front"), "zygote": [pid for pid in zygotes if pid]}
    kinds["child"] = [pid for pid in daemon.named("zygoted-zygote:") if pid not in zygotes]
    return {kind: pids for kind, pids in kinds.items() if pids}


def strike(daemon, chance, oracle):
    """One kill, then good answers again."""
    kinds = victims(daemon)
    kind = chance.choice(list(kinds))
    victim = chance.choice(kinds[kind])
    try:
        os.kill(victim, signal.SIGKILL)
    except ProcessLookupError:  # a child that was through with its request
        return strike(daemon, chance, oracle)
    wait_until(lambda: victim not in parents(), what="the supervisor has heard of it")
    there = oracle.right
    wait_until(lambda: oracle.right > there + chance.randrange(1, 40), 30, "answers after a kill")
    return kind


def kill_at_random(daemon, count):
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    with Oracle(daemon.port) as oracle:
        wait_until(lambda: oracle.right > 50)
        kinds = [strike(daemon, chance, oracle) for _ in range(count)]
    print(f"kills {len(kinds)} ({', '.join(f'{kinds.count(kind)} {kind}' for kind in sorted(set(kinds)))}); {oracle}")
    assert not oracle.wrong
    daemon.wait_ready()
    with Oracle(daemon.port) as after:
        wait_until(lambda: after.right > 200)
    assert not after.wrong and not after.errors and not after.broken
    daemon.wait_idle("echo")


@pytest.fixture
def struck(zygoted):
    return zygoted(pool("echo", breaker=0, queue_timeout="5s"), pool("other", worker="echo"), penalty=0)


def test_kills_at_random_give_no_wrong_answer(struck):
    kill_at_random(struck, KILLS)


@pytest.mark.long
def test_200_kills_at_random_give_no_wrong_answer(struck):
    kill_at_random(struck, LONG_KILLS)


# ---- leaks ----


def zombies(daemon):
    mine = {daemon.pid, *daemon.processes()}
    return sum(1 for parent, state in parents().values() if state == "Z" and parent in mine)


def figures(daemon):
    """At rest: descriptors and private KiB of each process that stays."""
    wait_until(lambda: daemon.ctl("stats")["front"]["connections"] == 0)
    daemon.wait_idle("echo")
    pids = {"supervisor": daemon.pid, "front": daemon.front_pid(), "zygote": daemon.zygote_pid("echo")}
    return {name: (fd_count(pid), private_kib(pid)) for name, pid in pids.items()}


def requests_so_far(daemon):
    return daemon.stats("echo")["requests"]


def serve_up_to(daemon, number):
    """By seconds, because wrk counts none beforehand: so some more."""
    while requests_so_far(daemon) < number:
        seconds = 1 if number - requests_so_far(daemon) < 20_000 else 5
        command = ["wrk", "-t1", "-c16", f"-d{seconds}s", f"http://127.0.0.1:{daemon.port}/echo/"]
        result = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert result.returncode == 0 and "Non-2xx" not in result.stdout, result.stdout + result.stderr


def slope(points):
    """KiB for 100,000 requests, by least squares."""
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread * 100_000


def break_off(daemon, count):
    """Clients that leave have the front hold more at a time than others: its memory is at its height after some thousand."""
    for _ in range(count):
        with daemon.connect() as connection:
            connection.request("GET", "/echo/")


def measure(daemon, total):
    """[(requests, figures)] at equal steps; the first tenth warms up."""
    points = []
    break_off(daemon, 4000)
    for step in range(1, STEPS + 1):
        serve_up_to(daemon, total * step // STEPS)
        points.append((requests_so_far(daemon), figures(daemon)))
    return points


def flat(daemon, total):
    points = measure(daemon, total)
    print(f"requests {points[-1][0]}, zombies {zombies(daemon)}")
    slopes = {}
    for name in points[0][1]:
        fds = [now[name][0] for _, now in points]
        slopes[name] = slope([(requests, now[name][1]) for requests, now in points])
        kib = [now[name][1] for _, now in points]
        print(f"{name}: descriptors {fds[0]} to {fds[-1]}, private KiB {kib}, {slopes[name]:+.2f} for 100,000 requests")
        assert fds[-1] <= fds[0]
    assert zombies(daemon) == 0
    return points, slopes


@pytest.fixture
def plain(zygoted):
    return zygoted(pool("echo", recycle_after="0s", prefault=0))


@pytest.mark.reads_proc
@pytest.mark.plain_build
def test_requests_leave_nothing_behind(plain):
    points, _ = flat(plain, REQUESTS)
    grown = {name: points[-1][1][name][1] - points[0][1][name][1] for name in points[0][1]}
    assert grown["zygote"] <= 0 and grown["front"] < 256 and grown["supervisor"] < 256


@pytest.mark.long
@pytest.mark.reads_proc
@pytest.mark.plain_build
def test_a_million_requests_leave_nothing_behind(plain):
    _, slopes = flat(plain, LONG_REQUESTS)
    assert slopes["zygote"] < 0.05 and slopes["front"] < 1 and slopes["supervisor"] < 1
