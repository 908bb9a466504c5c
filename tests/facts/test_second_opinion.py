"""The facts about fork once more, without a line of the daemon's code: experiments of another make, whose figures the
doctor's have to agree with.
"""

import errno
import mmap
import os
import resource
import signal
import time

import pytest

import zyg
from doctor import AS_ROOT, USERS, Report

pytestmark = pytest.mark.skipif(zyg.ASAN, reason="a sanitizer changes memory, faults and times")

PAGE = mmap.PAGESIZE
COUNTS = [0, 1, 10, 100, 1000]
MIB = 1 << 20


@pytest.fixture(scope="module")
def report():
    return Report()


def in_child(work):
    """Runs work() in a forked child: (what it returned, at most 255; its resource usage)."""
    pid = os.fork()
    if pid == 0:
        code = 255
        try:
            code = work() or 0
        finally:
            os._exit(code)
    _, status, usage = os.wait4(pid, 0)
    return os.waitstatus_to_exitcode(status), usage


def anonymous(size):
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.madvise(mmap.MADV_NOHUGEPAGE)
    for at in range(0, size, PAGE):
        memory[at] = 10
    return memory


def frozen(size):
    fd = os.memfd_create("image")
    block = (b"\x0a" + bytes(PAGE - 1)) * 256
    for _ in range(0, size, len(block)):
        os.write(fd, block)
    memory = mmap.mmap(fd, size, flags=mmap.MAP_PRIVATE)
    os.close(fd)
    return memory


def write_pages(memory, count):
    for at in range(0, count * PAGE, PAGE):
        memory[at] = 20


@pytest.mark.parametrize("make", [anonymous, frozen])
def test_a_childs_write_is_its_own(make, report):
    memory = make(PAGE)
    seen, _ = in_child(lambda: (write_pages(memory, 1), memory[0])[1])
    assert (seen, memory[0]) == (20, 10)
    assert report.figures("private-writes") == {"parent_reads": memory[0], "child_reads": seen}


@pytest.mark.parametrize("make, row", [(anonymous, "copied-pages"), (frozen, "copied-pages-frozen")])
def test_faults_of_children_grow_by_the_pages_they_write(make, row, report):
    """The interpreter writes pages of its own, much the same number in each child."""
    memory = make(1024 * PAGE)
    faults = [in_child(lambda: write_pages(memory, k))[1].ru_minflt for k in COUNTS]
    figures = report.figures(row)
    for k, count in zip(COUNTS, faults):
        grown = count - faults[0]
        assert abs(grown - k) <= 16, faults
        assert abs(grown - figures[f"faults_{k}"]) <= 16 + 3


def least_fork_us(rounds=16):
    """Processor time of the call, with the interpreter's own work around it."""
    times = []
    for _ in range(rounds):
        start = time.thread_time()
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        times.append((time.thread_time() - start) * 1e6)
        os.waitpid(pid, 0)
    return min(times)


PTES = 256 * MIB // 4096
LEAST_PTE_US = 0.005  # to copy one is more than a few instructions


def test_fork_time_grows_with_written_memory_and_not_with_a_frozen_image(report):
    if "fork_256_mib_us" not in report.figures("fork-time-frozen"):
        pytest.skip("too little memory for 256 MiB")
    times = {}
    for make in (anonymous, frozen):
        memory = make(256 * MIB)
        times[make] = least_fork_us()
        memory.close()
    nothing = least_fork_us()
    # What this process takes by itself depends on the tests that it has run before.
    assert times[anonymous] - nothing > PTES * LEAST_PTE_US, (nothing, times)
    assert times[frozen] - nothing < (times[anonymous] - nothing) / 3, (nothing, times)


def fork_at_limit():
    if os.getuid() == 0:
        os.setgroups([])
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    return fork_errno()


def fork_errno():
    try:
        pid = os.fork()
    except OSError as error:
        return error.errno
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return 0


def test_the_limit_of_processes_stops_an_ordinary_user(report):
    assert in_child(fork_at_limit)[0] == errno.EAGAIN == report.figures("process-limit")["errno"]


@pytest.mark.skipif(not AS_ROOT, reason="only root is exempt")
def test_the_limit_of_processes_does_not_stop_root(report):
    def limited():
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
        return fork_errno()

    assert in_child(limited)[0] == 0 == report.figures("process-limit-root")["errno"]


def test_descriptors_are_copied_and_their_offset_is_shared(report):
    with open("/proc/self/exe", "rb", buffering=0) as file:
        assert in_child(lambda: os.closerange(file.fileno(), file.fileno() + 1))[0] == 0
        assert in_child(lambda: len(os.read(file.fileno(), 4)))[0] == 4
        assert os.lseek(file.fileno(), 0, os.SEEK_CUR) == 4
    assert report.figures("descriptor-table")["open_in_parent"] == 1
    assert report.figures("shared-offset")["parent_offset"] == 4


def resident_kib():
    with open("/proc/self/smaps_rollup") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Rss:"))


def test_reading_untouched_memory_adds_none(report):
    memory = mmap.mmap(-1, 16 * MIB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.madvise(mmap.MADV_NOHUGEPAGE)
    resident_kib()
    before = resident_kib()
    assert sum(memory[at] for at in range(0, 16 * MIB, PAGE)) == 0
    read = resident_kib() - before
    write_pages(memory, 16 * MIB // PAGE)
    written = resident_kib() - before
    assert read < 512 and abs(written - 16 * 1024) < 512
    figures = report.figures("zero-page")
    assert abs(figures["read_bytes"] // 1024 - read) < 768
    assert abs(figures["written_bytes"] // 1024 - written) < 768


@pytest.mark.parametrize("user", USERS)
def test_children_of_the_daemon_have_what_the_doctor_saw_inherited(user):
    """The real thing: a child that is parked, of a daemon started by that user."""
    figures = Report(user=user).figures("inherited-sandbox")
    daemon = zyg.Zygoted(zyg.pool("echo"), user="nobody" if user == "nobody" else None)
    try:
        pid = daemon.start().child_pids("echo")[0]
        text = zyg.read_proc(pid, "status")
    finally:
        daemon.stop()
    status = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
    assert int(status["Seccomp"]) == figures["seccomp"] == 2
    assert int(status["NoNewPrivs"]) == figures["no_new_privs"] == 1


def test_a_filter_kills_by_the_signal_that_the_doctor_saw(report):
    assert report.figures("seccomp")["signal"] == signal.SIGSYS
