"""A program of the exec worker that is out for harm: what it tries fails, its answers are judged, and it never outlives its request."""

import os
import re
import shutil
import subprocess

import pytest

import programs
import zyg
from hostile import Attack, Target, answered
from zyg import wait_until

pytestmark = programs.needs_worker
SIGILL, SIGSYS, SIGXCPU = 4, 31, 24
USERS = ["root", "nobody"] if os.getuid() == 0 else ["self"]
MEMORY = 32


@pytest.fixture(scope="module")
def folder():
    folder = programs.make_folder()
    yield folder
    shutil.rmtree(folder)


def under_attack(request, folder, **keys):
    keys = {"memory": f"{MEMORY}M", "spare": 4, "max_children": 16, "recycle_faults": 0, "open_files": 32, "reply": "1M", **keys}
    pools = [programs.program_pool("program", folder, **keys), zyg.pool("echo", spare=2)]
    daemon = zyg.Zygoted(*pools, user="nobody" if request.param == "nobody" else None)
    try:
        yield Target(daemon.start(), "program")
    finally:
        daemon.stop()
        wait_until(lambda: programs.running(folder) == [], what="the programs' end")


@pytest.fixture(scope="module", params=USERS)
def target(request, folder):
    yield from under_attack(request, folder, timeout="4s")


@pytest.fixture(scope="module", params=USERS)
def patient(request, folder):
    """A second of CPU, and as much time as that takes on a machine that is busy."""
    yield from under_attack(request, folder, timeout="60s", cpu="1s")


def killed(name, deed, **more):
    return Attack(name, deed, 502, "sandbox", "sandbox", f"signal={SIGSYS}", **more)


def refused(name, deed, why):
    return Attack(name, deed, 500, "worker-error", "worker_error", why)


def lines(**outcomes):
    return "".join(f"{name.replace('_', ' ')}: {outcome}\n" for name, outcome in outcomes.items())


def everything(outcome, *names):
    return "".join(f"{name}: {outcome}\n" for name in names)


NOT_THERE = lines(stat="ENOENT", read="ENOENT", write="EACCES", create="EACCES", make="EACCES",
                  remove="EACCES", execute="ENOENT")

ATTACKS = [
    # Processes: none but itself, in whatever way.
    answered("a fork bomb, threads", "forks",
             "0\n" + everything("EAGAIN", "fork", "vfork", "as a zygote", "thread") + "clone3: ENOSYS\n"),
    answered("killing, and not dying with its child", "kills",
             everything("EPERM", "translator", "zygote", "all", "group", "sibling", "thread",
                        "ungrateful", "other signal")),
    killed("tracing the child", "trace"),
    killed("reading the child's memory", "peek"),
    killed("a pidfd of the child", "pidfd"),
    # The network, the daemon's channels, other namespaces.
    answered("sockets", "sockets", everything("EACCES", "inet", "unix", "netlink")),
    killed("a pair of sockets", "pair"),
    killed("a namespace of its own", "namespaces"),
    answered("descriptors", "descriptors", "0 1 2 \nflags: EPERM\nchannel: EBADF\n"),
    answered("what others share with it", "shared", 3 * ("flags: EPERM\nioctl: ENOTTY\nasync: ENOTTY\n"
             + everything("EPERM", "size", "owner", "signal", "lock"))),
    Attack("filling pipes and the log", "fill-pipes", 504, "timeout", "timeout"),
    answered("pipes without end", "pipes", r"1\d\n"),
    # Files and code.
    *(answered(f"the file {path}", f"path?{path}", NOT_THERE)
      for path in ("/etc/passwd", "/proc/self/mem", "/dev/null", "/bin/sh", "/tmp/x", "/proc/1/root/etc")),
    answered("the root directory", "path?/", lines(stat="done", read="EACCES", write="EACCES", create="EACCES",
             make="EACCES", remove="EACCES", execute="EACCES")),
    killed("code in memory of its own", "own-code"),
    killed("a program in memory", "memfd"),
    # Answers that are none.
    refused("no header", "headless", "ended within its header"),
    refused("a header without end", "huge-header", "its header is too long"),
    refused("a name without end", "endless-name", "its header is too long"),
    refused("a header split", "split-header", "bytes in its header"),
    refused("a byte 0 in its header", "null-byte", "byte 0"),
    refused("a status that is none", "bad-status", "its Status"),
    refused("more than it said", "too-long", "longer than its Content-Length"),
    # Time.
    Attack("sleeping on, deaf to signals", "hang", 504, "timeout", "timeout"),
    Attack("an answer without end", "endless", 0, None, "reply_too_large", broken_off=True),
    answered("closing its output and going on", "outlive", "all of it"),
    Attack("a crash", "crash", 502, "crashed", "crashed", f"signal={SIGILL} program=yes"),
    Attack("a crash within the answer", "crash-later", 0, None, "crashed", f"signal={SIGILL} program=yes",
           broken_off=True),
]


COMPUTING = [
    answered("raising its limits", "limits", everything("EPERM", "processes", "time", "dump")),
    Attack("computing without end", "spin", 504, "cpu-limit", "cpu_limit", f"signal={SIGXCPU} program=yes"),
    Attack("computing on, deaf to signals", "spin-on", 504, "cpu-limit", "cpu_limit",
           f"signal={SIGXCPU} program=yes"),
    Attack("computing on, half of it in the kernel", "spin-half", 504, "cpu-limit", "cpu_limit",
           f"signal={SIGXCPU} program=yes"),
]


@pytest.mark.parametrize("attack", COMPUTING, ids=str)
def test_computing(patient, folder, attack):
    patient.attack(attack)
    wait_until(lambda: programs.running(folder) == [], what="the program's end")


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_an_attack(target, folder, attack):
    target.attack(attack)
    wait_until(lambda: programs.running(folder) == [], what="the program's end")


def test_its_own_files_are_read_and_executed_and_nothing_else(target, folder):
    status, _, text = target.run(f"path?{folder}/deeds")
    own = lines(stat="done", read="done", write="EACCES", create="EACCES", make="EACCES", remove="EACCES")
    assert status == 200 and text == own + "Content-Type: text/plain\n\n1 secure=0\n"


def test_it_is_not_executed_by_descriptor(target, folder):
    target.attack(killed("by descriptor", f"by-descriptor?{folder}/deeds"))


def test_executing_itself_for_ever_is_computing(patient, folder):
    line = f"signal={SIGXCPU} program=yes"
    patient.attack(Attack("again", f"again?{folder}/deeds", 504, "cpu-limit", "cpu_limit", line))
    wait_until(lambda: programs.running(folder) == [], what="the program's end")


def test_memory_has_its_bound(target):
    status, _, text = target.run("hoard")
    assert status == 200 and MEMORY // 2 < int(text) < MEMORY + 16


def test_a_client_that_leaves_takes_the_program_with_it(patient, folder):
    with patient.daemon.connect() as connection:
        connection.request("GET", "/program/hang")
        wait_until(lambda: programs.running(folder), what="the program runs")
    wait_until(lambda: not programs.running(folder), what="the program's end")
    patient.next_is_answered()
    patient.nothing_is_left()


def test_a_program_dies_with_its_child(patient, folder):
    """However the child ends: here by an operator's hand."""
    with patient.daemon.connect() as connection:
        connection.request("GET", "/program/hang")
        wait_until(lambda: programs.running(folder), what="the program runs")
        program = programs.running(folder)[0]
        with open(f"/proc/{program}/stat") as file:
            child = int(file.read().rpartition(")")[2].split()[1])
        patient.daemon.kill(child)
        assert connection.response().reason == "crashed"
    wait_until(lambda: not programs.running(folder), what="the program's end")
    patient.nothing_is_left()


@pytest.mark.skipif(os.getuid() != 0, reason="only root makes a program of root's")
def test_a_program_that_sets_its_user_gains_nothing(target, folder):
    copy = shutil.copy(os.path.join(folder, "deeds"), os.path.join(folder, "of-root"))
    os.chown(copy, 0, 0)
    os.chmod(copy, 0o6755)
    status, _, text = target.run(f"become?{copy}")
    assert status == 200 and re.fullmatch(r"1 secure=0\n", text)


def core_limits(folder):
    texts = [zyg.read_proc(pid, "limits") or "" for pid in programs.running(folder)]
    return [match.groups() for match in (re.search(r"core file size +(\d+) +(\d+)", text) for text in texts) if match]


@pytest.mark.parametrize("user", USERS)
def test_no_dump_goes_to_a_pipe(zygoted, folder, user):
    """A hard limit of 0 lets it, and only root can raise that, if the machine has not taken CAP_SYS_RESOURCE from it."""
    other = "nobody" if user == "nobody" else None
    daemon = zygoted(programs.program_pool("program", folder), user=other, start=False)
    daemon.prefix = ["prlimit", "--core=0:0"]
    raises = subprocess.run([*daemon.prefix, "prlimit", "--core=1:1", "true"], stderr=subprocess.DEVNULL)
    if user != "root" or raises.returncode != 0:
        daemon.spawn()
        daemon.wait_log("lets dumps of programs go to a pipe")
        return
    daemon.start()
    with daemon.connect() as connection:
        connection.request("GET", "/program/hang")
        wait_until(lambda: core_limits(folder) == [("1", "1")], what="a program without dumps")


def test_nothing_stays_of_a_request(target):
    """Each execution has an address layout and random numbers of its own."""
    found = {target.run("canary")[2] for _ in range(20)}
    assert len(found) == 20
