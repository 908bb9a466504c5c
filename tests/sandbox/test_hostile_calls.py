"""Every system call number, with many arguments, by each of three ways into the kernel: what happens to a child that
tries is what the policy table says, all of it.

What must end in a kill needs a child for each try. What must not is tried many times by one child; calls that are
allowed get arguments that are harmless, from the table SAFE, and a row without a line there fails.
"""

import os
import threading

import pytest

import zyg
from hostile import NR, call, call_line, hostile_pool
from policy_table import ALLOW, CHAIN, KILL, Policy, read_rows
from zyg import wait_until

NUMBERS = 1024
X32 = 0x40000000
THREADS = 6

EAGAIN, EBADF, ECHILD, EINTR, ENOENT, ENOTSOCK, ENXIO, ESPIPE = -11, -9, -10, -4, -2, -88, -6, -29
EFAULT, EINVAL, EPERM = -14, -22, -1
POSITIVE = range(1, 1 << 63)
COUNT = range(0, 1 << 63)
ZERO = (0,)

# Arguments for calls that have no row at all: each number is tried with all of these.
ARGUMENTS = [
    (0, 0, 0, 0, 0, 0),
    (3, "@b", 1, 0, 0, 0),
    ("@b", "@b", "@b", "@b", "@b", "@b"),
    (-1, -1, -1, -1, -1, -1),
]

# The kernel's own trampolines for traced code: since Linux 6.14 no filter is asked about them. They fail by themselves
# where no tracer has put them.
UNFILTERED = {335: "uretprobe", 336: "uprobe"}

# (call, arguments, what an allowed call answers). At least one line for each row that allows.
COMPUTE = [
    ("read", (3, "@b", 0), ZERO),
    ("readv", (3, "@b", 0), ZERO),
    ("recvfrom", (3, "@b", 0, 0x40, 0, 0), (0, EAGAIN)),
    *(("write", (fd, "@b", 0), ZERO) for fd in (1, 2, 3)),
    *(("writev", (fd, "@b", 0), ZERO) for fd in (1, 2, 3)),
    ("sendto", (3, "@b", 0, 0x4000, 0, 0), ZERO),
    *(("sendto", (fd, "@b", 0, 0, 0, 0), (ENOTSOCK,)) for fd in (1, 2)),
    ("brk", (0,), POSITIVE),
    ("munmap", ("@m", 4096), ZERO),
    ("mmap", (0, 4096, 3, 0x22, -1, 0), POSITIVE),
    ("mmap", (0, 4096, 0, 0x4022, -1, 0), POSITIVE),
    ("mprotect", ("@m", 4096, 1), ZERO),
    ("mprotect", ("@m", 4096, 3), ZERO),
    ("mremap", ("@m", 4096, 8192, 1), POSITIVE),
    *(("madvise", ("@m", 4096, advice), ZERO) for advice in (4, 8, 22, 23)),
    ("futex", ("@b", 128, 1, "@t"), (EAGAIN,)),
    ("futex", ("@b", 129, 1), ZERO),
    *(("clock_gettime", (clock, "@b"), ZERO) for clock in (0, 1, 2, 3, 7)),
    ("clock_getres", (1, "@b"), ZERO),
    ("gettimeofday", ("@b", 0), ZERO),
    ("time", (0,), POSITIVE),
    ("getcpu", ("@b", 0, 0), ZERO),
    ("nanosleep", ("@t", 0), ZERO),
    ("clock_nanosleep", (1, 0, "@t", 0), ZERO),
    ("restart_syscall", (), (EINTR,)),
    ("getrandom", ("@b", 16, 0), (16,)),
    ("getpid", (), POSITIVE),
    ("gettid", (), POSITIVE),
    ("rt_sigprocmask", (0, 0, "@b", 8), ZERO),
    ("sysinfo", ("@b",), ZERO),
    ("poll", ("@b", 0, 0), ZERO),
    ("ppoll", ("@b", 0, "@t", 0, 8), ZERO),
    *(("recvmsg", (fd, "@b", 0), (EBADF,)) for fd in range(4, 13)),
    *(("sendmsg", (fd, "@b", 0), (EBADF,)) for fd in range(4, 13)),
    ("clone", (0x1011, 0, "@b", 0, 0), (EAGAIN,)),
    ("waitid", (0, 0, "@b", 5, 0), (ECHILD,)),
    ("pidfd_send_signal", (3, 9, 0, 0), (EBADF,)),
    ("close", (999,), (EBADF,)),
    ("close_range", (4, -1, 0), ZERO),
    *(("dup3", (999, fd, 0), (EBADF,)) for fd in (1, 2, 3)),
    ("prlimit64", (0, 6, 0, "@b"), ZERO),
    ("prlimit64", (0, 0, 0, "@b"), ZERO),
    ("prctl", (1, 9), ZERO),
    ("getppid", (), POSITIVE),
]

FILES = [
    ("open", ("=/nowhere", 0), (ENOENT,)),
    ("openat", (-100, "=/nowhere", 0), (ENOENT,)),
    ("read", (0, "@b", 1), ZERO),
    *(("read", (fd, "@b", 1), (EBADF,)) for fd in (4, 12)),
    *(("readv", (fd, "@b", 1), (EBADF,)) for fd in (4, 12)),
    ("pread64", (3, "@b", 1, 0), (ESPIPE,)),
    ("preadv", (3, "@b", 1, 0, 0), (ESPIPE,)),
    ("lseek", (3, 0, 0), (ESPIPE,)),
    ("stat", ("=/nowhere", "@b"), (ENOENT,)),
    ("lstat", ("=/nowhere", "@b"), (ENOENT,)),
    ("fstat", (3, "@b"), ZERO),
    ("newfstatat", (-100, "=/nowhere", "@b", 0), (ENOENT,)),
    ("access", ("=/nowhere", 4), (ENOENT,)),
    ("faccessat", (-100, "=/nowhere", 4), (ENOENT,)),
    ("faccessat2", (-100, "=/nowhere", 4, 0), (ENOENT,)),
    ("readlink", ("=/nowhere", "@b", 100), (ENOENT,)),
    ("readlinkat", (-100, "=/nowhere", "@b", 100), (ENOENT,)),
    ("getdents64", (999, "@b", 4096), (EBADF,)),
    ("getcwd", ("@b", 4096), POSITIVE),
    ("mmap", (0, 4096, 1, 0x02, 999, 0), (EBADF,)),
    ("fcntl", (3, 1, 0), ZERO),
    ("fcntl", (3, 3, 0), POSITIVE),
    ("fcntl", (999, 6, "@b"), (EBADF,)),
    *((name, (), POSITIVE) for name in ("getuid", "geteuid", "getgid", "getegid")),
    ("prlimit64", (0, 7, 0, "@b"), ZERO),
]

CODE = [
    ("mmap", (0, 4096, 5, 0x02, 999, 0), (EBADF,)),
]

EXEC = [
    ("execve", ("=/nowhere", 0, 0), (ENOENT,)),
    ("arch_prctl", (0x1002, -1), (EPERM,)),
    ("set_tid_address", (0,), POSITIVE),
    *(("prlimit64", (0, limit, 0, "@b"), ZERO) for limit in (3, 9)),
    ("getrlimit", (3, "@b"), ZERO),
    *((name, (2000, "@b", 1), (EBADF,)) for name in ("read", "readv", "write", "writev")),
    ("pipe", (0,), (EFAULT,)),
    ("pipe2", (0, 0x80000), (EFAULT,)),
    ("dup", (999,), (EBADF,)),
    ("dup2", (999, 50), (EBADF,)),
    ("dup3", (999, 50, 0), (EBADF,)),
    *(("fcntl", (999, command, 0), (EBADF,)) for command in (0, 1030)),
    ("select", (0, 0, 0, 0, "@t"), ZERO),
    ("pselect6", (0, 0, 0, 0, "@t", 0), ZERO),
    ("fadvise64", (999, 0, 0, 0), (EBADF,)),
    ("chdir", ("=/nowhere",), (ENOENT,)),
    ("fchdir", (999,), (EBADF,)),
    ("umask", (18,), COUNT),
    ("rt_sigaction", (10, 0, "@b", 8), ZERO),
    ("sigaltstack", (0, "@b"), ZERO),
    ("rt_sigpending", ("@b", 8), ZERO),
    ("rt_sigsuspend", ("@b", 7), (EINVAL,)),
    ("alarm", (0,), ZERO),
    ("setitimer", (99, 0, 0), (EINVAL,)),
    ("getitimer", (0, "@b"), ZERO),
    ("wait4", (-1, 0, 1, 0), COUNT),  # lines above may have ended it
    ("sched_yield", (), ZERO),
    ("getpgrp", (), COUNT),
    ("getgroups", (0, 0), COUNT),
    ("getresuid", ("@b", "@b", "@b"), ZERO),
    ("getresgid", ("@b", "@b", "@b"), ZERO),
    ("getrusage", (0, "@b"), ZERO),
    ("times", ("@b",), POSITIVE),
]

# There a child has one child, which waits for the program that it is to become.
WITH_CHILD = [line if line[0] != "waitid" else (*line[:2], ZERO) for line in COMPUTE]

SAFE = {
    "compute": COMPUTE,
    "files": COMPUTE + FILES,
    "files-exec": COMPUTE + FILES + CODE,
    "exec": WITH_CHILD + FILES + CODE + EXEC,
}

# Allowed calls that do not come back: (call, arguments, line of the log).
LAST = [
    ("exit", (7,), "exit=7"),
    ("exit_group", (8,), "exit=8"),
    ("rt_sigreturn", (), "signal=11"),
]


PROFILES = sorted({row.profile for row in read_rows()} - {"front", "zygote"}, key=CHAIN.index)
USERS = ["root", "nobody"] if os.getuid() == 0 else ["self"]


@pytest.fixture(scope="module", params=PROFILES)
def profile(request):
    return request.param


@pytest.fixture(scope="module")
def policy(profile):
    return Policy(profile)


@pytest.fixture(scope="module", params=USERS)
def daemon(request, profile):
    """Many spares: every kill costs one."""
    keys = {"profile": profile, "spare": 24, "max_children": 64, "queue": 1000}
    if profile != "compute":
        keys["read_paths"] = [zyg.IEEE]
    user = "nobody" if request.param == "nobody" else None
    daemon = zyg.Zygoted(hostile_pool(**keys), user=user)
    try:
        yield daemon.start()
    finally:
        daemon.stop()


# ---- many requests ----


def ask_all(daemon, paths):
    """Gets all paths over a few connections; the answers in their order."""
    answers = [None] * len(paths)
    numbers = iter(range(len(paths)))
    lock = threading.Lock()

    def work():
        connection = daemon.connect()
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                break
            connection.request("GET", f"/hostile/{paths[number]}")
            answers[number] = connection.response()
            if answers[number].header("connection") == "close":
                connection.close()
                connection = daemon.connect()
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def expect_kills(daemon, tries):
    """Each try, a path by name, dies of SIGSYS, is counted and logged as such; the daemon goes on."""
    before, log_before = daemon.stats("hostile"), len(daemon.log())
    answers = ask_all(daemon, [path for _, path in tries])
    lived = [
        f"{name}: {answer}"
        for (name, _), answer in zip(tries, answers)
        if answer is None or (answer.status, answer.reason) != (502, "sandbox")
    ]
    assert not lived, f"{len(lived)} of {len(tries)} were not killed: {lived[:20]}"
    daemon.wait_idle("hostile")
    after = daemon.stats("hostile")
    moved = {
        name: count - before["outcomes"][name]
        for name, count in after["outcomes"].items()
        if count != before["outcomes"][name]
    }
    assert moved == {"sandbox": len(tries)}
    assert daemon.log()[log_before:].count("signal=31") == len(tries)
    assert daemon.get("/hostile/canary").status == 200


def run_lines(daemon, lines):
    """Results of calls that all come back, made by as few children as the body's limit allows."""
    results = []
    for start in range(0, len(lines), 500):
        part = lines[start : start + 500]
        answer = daemon.request("POST", "/hostile/calls", "\n".join(part).encode())
        assert answer.status == 200, f"one of these did not come back: {part}: {answer}"
        results += [int(line) for line in answer.text.split()]
    assert len(results) == len(lines)
    return results


# ---- the table itself ----


def numbers_of(args):
    """A line's arguments as the table sees them: places count as 0."""
    return [0 if isinstance(arg, str) else arg for arg in args]


def test_every_row_that_allows_has_a_line(policy, profile):
    tried = set()
    for name, args, _ in SAFE[profile] + LAST:
        row = policy.row_of(NR[name], numbers_of(args))
        assert row and row.verdict == ALLOW, f"{name}{args} is not allowed any more"
        tried.add(row)
    missing = [row.text for row in policy.rows if row.verdict == ALLOW and row not in tried]
    assert not missing, f"add a harmless line for: {missing}"


def test_the_numbers_are_the_kernels(policy):
    assert {name: NR[name] for name in policy.numbers} == policy.numbers


# ---- what comes back ----


def test_every_allowed_row_lets_its_call_through(daemon, profile):
    lines = SAFE[profile]
    results = run_lines(daemon, [call_line(name, *args) for name, args, _ in lines])
    wrong = [f"{line}: {got}" for line, got in zip(lines, results) if got not in line[2]]
    assert not wrong


@pytest.mark.parametrize("name, args, line", LAST)
def test_calls_that_do_not_return(daemon, name, args, line):
    before = len(daemon.log())
    answer = daemon.get(f"/hostile/{call(name, *args)}")
    assert (answer.status, answer.reason) == (502, "crashed")
    wait_until(lambda: line in daemon.log()[before:])


def test_every_row_with_an_errno_gives_it(daemon, policy):
    """With pointers to nowhere: were the call made, it would say EFAULT, EBADF or EINVAL instead."""
    tries = []
    for row in policy.rows:
        if row.verdict[0] == "errno":
            args, tested = row.passing(), {test.index for test in row.tests}
            filled = [arg if i in tested else 999 for i, arg in enumerate(args)]
            tries += [(row, args), (row, filled)]
    results = run_lines(daemon, [call_line(row.number, *args) for row, args in tries])
    wrong = [(row.text, got) for (row, _), got in zip(tries, results) if got != -row.verdict[1]]
    assert not wrong and len(tries) > 40


def test_edges_of_rows_with_an_errno(daemon, policy):
    tries = [t for t in policy.edges() if policy.verdict(*t)[0] == "errno"]
    results = run_lines(daemon, [call_line(number, *args) for number, args in tries])
    wrong = [(t, got) for t, got in zip(tries, results) if got != -policy.verdict(*t)[1]]
    assert not wrong and len(tries) > 50


# ---- what does not ----


def test_every_number_without_a_row_kills(daemon, policy):
    known = {row.number for row in policy.rows}
    tries = [
        (f"{number}{args}", call(number, *args))
        for number in [*range(NUMBERS), -1, -2, 0x7FFFFFFF, 1 << 31]
        for args in ARGUMENTS
        if number not in known and number not in UNFILTERED
    ]
    assert len(tries) > 3500
    expect_kills(daemon, tries)


def test_calls_that_no_filter_sees_lead_nowhere(daemon):
    """Killed as any other by older kernels; else a fault, or no such device."""
    for number in UNFILTERED:
        for args in ARGUMENTS:
            answer = daemon.get(f"/hostile/{call(number, *args)}")
            if answer.status == 200:
                assert answer.text == f"{ENXIO}\n"
            else:
                assert (answer.status, answer.reason) in {(502, "sandbox"), (502, "crashed")}


def test_arguments_beside_every_row_kill(daemon, policy):
    tries = [t for t in policy.edges() if policy.verdict(*t) == KILL]
    assert len(tries) > 500
    expect_kills(daemon, [(str(t), call(t[0], *t[1])) for t in tries])


def test_every_x32_number_kills(daemon):
    expect_kills(daemon, [(f"x32 {n}", call(X32 | n, 3, 0, 0)) for n in range(NUMBERS)])


def test_every_32_bit_number_kills(daemon):
    expect_kills(daemon, [(f"i386 {n}", call(n, 3, 0, 0, how="I")) for n in range(NUMBERS)])
