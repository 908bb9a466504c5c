"""The time of day jumps by years, under load: nothing is cut short by that, and nothing lasts longer.

All processes of the daemon have a library before all others (workers/clock_jump.c) that adds to the time of day what a file
says. They get it by /etc/ld.so.preload, ld.so(8), in a mount namespace of theirs: front and zygotes have no environment.
"""

import os
import struct
import tempfile
import time

import pytest

from load import Load
from zyg import BUILD, PROBE, command_line, pool, read_proc, wait_until

TEN_YEARS = 10 * 365 * 86400
LIBRARY = os.path.join(BUILD, "tests", "e2e", "workers", "clock_jump.so")
ENTER = """
mount --make-rprivate / && mount -t tmpfs -o mode=755 tmpfs /mnt && mkdir /mnt/etc /mnt/clock &&
echo "$LIBRARY" >/mnt/etc/ld.so.preload && mount -t overlay -o lowerdir=/mnt/etc:/etc overlay /etc &&
mount --bind "$FOLDER" /mnt/clock && exec env -u LIBRARY -u FOLDER "$@"
"""
pytestmark = [
    pytest.mark.plain_build,
    pytest.mark.namespaces,
    pytest.mark.skipif(os.getuid() != 0, reason="only root can load a library into all of the daemon's processes"),
]


class Clock:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="zyg-clock-")
        os.chmod(self.folder, 0o755)
        self.path = os.path.join(self.folder, "offset")
        self.set(0)

    def set(self, seconds):
        mode = "r+b" if os.path.exists(self.path) else "wb"
        with open(self.path, mode) as file:
            file.write(struct.pack("q", seconds))
        os.chmod(self.path, 0o644)

    def prefix(self):
        settings = [f"LIBRARY={LIBRARY}", f"FOLDER={self.folder}"]
        return ["env", *settings, "unshare", "--mount", "sh", "-c", ENTER, "sh"]


@pytest.fixture
def jumping(zygoted):
    """A daemon, and its clock."""
    clock = Clock()
    daemon = zygoted(
        pool("echo", recycle_after="1h"), pool("probe", worker=PROBE, timeout="3s"), idle_timeout="60s", start=False
    )
    daemon.prefix = clock.prefix()
    daemon.start()
    for pid in daemon.processes():
        assert "clock_jump" in read_proc(pid, "maps"), command_line(pid)
    yield daemon, clock
    os.remove(clock.path)
    os.rmdir(clock.folder)


def year(daemon):
    return int(daemon.get("/echo/").header("date").split()[3])


@pytest.mark.parametrize("years", [10, -10])
def test_a_jump_changes_the_date_and_nothing_else(jumping, years):
    daemon, clock = jumping
    before = year(daemon)
    with Load(daemon.port, lambda i: f"/echo/{i}", 10**9, threads=4) as load, daemon.connect() as idle, daemon.connect() as busy:
        idle.request("GET", "/echo/")
        assert idle.response().status == 200
        busy.request("GET", "/probe/sleep/1000")
        daemon.wait_busy("probe")
        clock.set(years * 365 * 86400)
        wait_until(lambda: abs(year(daemon) - before) in (9, 10))
        there = len(load.answers)
        assert busy.response().text == "slept\n"
        idle.request("GET", "/echo/")  # which the front had not closed
        assert idle.response().status == 200
        wait_until(lambda: len(load.answers) > there + 200)
    assert not load.broken and load.statuses() == {200}
    assert daemon.pool("echo")["generation"] == 1 and "died" not in daemon.log()


@pytest.mark.parametrize("years", [10, -10])
def test_deadlines_hold_across_a_jump(jumping, years):
    daemon, clock = jumping
    with daemon.connect() as connection:
        begin = time.monotonic()
        connection.request("GET", "/probe/sleep/60000")
        daemon.wait_busy("probe")
        clock.set(years * 365 * 86400)
        assert connection.response().status == 504
        assert 2.9 < time.monotonic() - begin < 10
    wait_until(lambda: daemon.ctl("info")["uptime_seconds"] < 60)


def test_a_recycle_and_a_reload_after_a_jump(jumping):
    daemon, clock = jumping
    clock.set(-TEN_YEARS)
    daemon.ctl("recycle echo")
    daemon.ctl("reload --all --wait")
    assert daemon.get("/echo/").status == 200 and daemon.pool("echo")["generation"] == 3
