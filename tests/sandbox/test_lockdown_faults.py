"""Every step of the lock-down is made to fail, one at a time: what was to be confined does not run, or the layer is
reported as missing where it is an optional one; a reason is logged, and nothing hangs or spins.

Steps after the worker's load fail by a filter that the worker itself puts under the daemon's (its option `deny`), which
works for any user. Steps before it fail by strace, which only root can use here.
"""

import shutil
import subprocess
import time

import pytest

import zyg
from hostile import AS_ROOT, NR, hostile_pool
from zyg import wait_until

LINES_BOUND = 200  # of the log, in the second that a test looks on
NEW_USER, NEW_NET, NEW_ALL = 0x10000000, 0x40000000, 0x5C020000

PRCTL = {
    "PDEATHSIG": 1, "DUMPABLE": 4, "CAPBSET_READ": 23, "CAPBSET_DROP": 24, "SECUREBITS": 28,
    "NO_NEW_PRIVS": 38, "CAP_AMBIENT": 47,
}  # fmt: skip
RLIMIT = {"CPU": 0, "DATA": 2, "STACK": 3, "CORE": 4, "NPROC": 6, "NOFILE": 7, "MEMLOCK": 8}
RLIMIT |= {"AS": 9, "MSGQUEUE": 12, "NICE": 13, "RTPRIO": 14}


def deny(call, index=None, value=None):
    """An option of the hostile worker: the call fails with EPERM from the end of load on."""
    return str(NR[call]) if index is None else f"{NR[call]}:{index}={value}"


def started(zygoted, user, *denied, queue_timeout="100ms"):
    """A daemon whose hostile pool meets these failures, beside one that does not.

    Inherited: the trial of an image forks too, and while the zygote is started again and again it would be seen.
    """
    keys = {"cpu": "1s", "queue_timeout": queue_timeout, "image": "inherited"}
    hostile = hostile_pool(options={"deny": denied}, **keys)
    pools = [hostile, zyg.pool("echo", spare=2)]
    daemon = zygoted(*pools, user=user, start=False)
    daemon.spawn()
    daemon.wait_log("pool ready pool=echo")
    return daemon


def others_are_served(daemon):
    assert daemon.request("POST", "/echo/", b"as ever").body == b"as ever"


# ---- the zygote's steps ----

NEVER_OPTIONAL = {
    **{
        f"prctl {name}": (deny("prctl", 0, PRCTL[name]), "no-capabilities")
        for name in ("CAPBSET_READ", "CAPBSET_DROP", "SECUREBITS", "CAP_AMBIENT", "DUMPABLE")
    },
    "capget": (deny("capget"), "no-capabilities"),
    "capset": (deny("capset"), "no-capabilities"),
    "prctl NO_NEW_PRIVS": (deny("prctl", 0, PRCTL["NO_NEW_PRIVS"]), "no-new-privs"),
    **{
        f"rlimit {name}": (deny("prlimit64", 1, number), "rlimits")
        for name, number in RLIMIT.items()
        if name not in ("NPROC", "CPU")
    },
    "seccomp": (deny("seccomp"), "seccomp"),
}


@pytest.mark.namespaces
@pytest.mark.parametrize("step", NEVER_OPTIONAL)
def test_without_such_a_layer_no_child_is_made(zygoted, user, step):
    denied, layer = NEVER_OPTIONAL[step]
    daemon = started(zygoted, user, denied)
    daemon.wait_log(f"the layer {layer}, which is never optional, failed")
    answer = daemon.get("/hostile/canary")
    assert (answer.status, answer.reason) == (503, "pool-down")
    assert layer in daemon.pool("hostile")["error"] and not daemon.child_pids("hostile")
    others_are_served(daemon)


NAMESPACES = {"user-namespace", "net-namespace", "ipc-namespace", "uts-namespace", "mount-namespace"}

OPTIONAL = {
    "unshare": ([deny("unshare")], NAMESPACES | {"empty-root"}),
    "unshare all at once": ([deny("unshare", 0, NEW_ALL)], set()),
    "unshare net": ([deny("unshare", 0, NEW_ALL), deny("unshare", 0, NEW_NET)], {"net-namespace"}),
    "mount": ([deny("mount")], {"empty-root"}),
    "pivot_root": ([deny("pivot_root")], {"empty-root"}),
    "umount2": ([deny("umount2")], {"empty-root"}),
    "chdir": ([deny("chdir")], {"empty-root"}),
    "landlock_create_ruleset": ([deny("landlock_create_ruleset")], {"landlock"}),
    "landlock_restrict_self": ([deny("landlock_restrict_self")], {"landlock"}),
    "all of them": (
        [deny("unshare"), deny("mount"), deny("landlock_create_ruleset")],
        NAMESPACES | {"empty-root", "landlock"},
    ),
}


def missing_layers(daemon, name):
    rows = [row for row in daemon.ctl("info")["layers"] if row["pool"] == name]
    return {row["layer"]: row["reason"] for row in rows if row["state"] != "applied"}


@pytest.mark.parametrize("step", OPTIONAL)
def test_a_layer_that_is_missing_is_reported(zygoted, user, step):
    denied, expected = OPTIONAL[step]
    present = missing_layers(zygoted(hostile_pool(), user=user), "hostile")
    daemon = started(zygoted, user, *denied)
    wait_until(lambda: daemon.pool("hostile")["state"] == "serving")
    missing = missing_layers(daemon, "hostile")
    assert missing.keys() == expected | present.keys()
    assert all("not permitted" in missing[layer] for layer in expected)
    assert missing_layers(daemon, "echo") == present


@pytest.mark.parametrize("step", [step for step in OPTIONAL if OPTIONAL[step][1]])
def test_a_layer_that_is_missing_and_required_is_a_refusal(zygoted, user, step):
    denied, expected = OPTIONAL[step]
    layer = sorted(expected)[0]
    pools = [hostile_pool(options={"deny": denied})]
    daemon = zygoted(*pools, user=user, start=False, require=[layer])
    daemon.exit_code = 1
    daemon.spawn()
    assert daemon.process.wait(zyg.BOUND) == 1
    assert f"requires the layer {layer}, which is not available here" in daemon.log()


@pytest.mark.parametrize("step", OPTIONAL)
def test_what_is_left_still_keeps_a_child_in(zygoted, user, step):
    """Without that layer, the filter and the others hold."""
    daemon = started(zygoted, user, *OPTIONAL[step][0], queue_timeout="20s")
    wait_until(lambda: daemon.pool("hostile")["state"] == "serving")
    assert daemon.get("/hostile/call/S,2,=/etc/passwd,0").text == "-13\n"
    assert daemon.get("/hostile/fork-bomb").text == "made 0 errno 11\n"
    assert daemon.get("/hostile/call/S,41,2,1,0").reason == "sandbox"
    assert daemon.get("/hostile/call/S,62,1,9").reason == "sandbox"


OTHER_STEPS = {
    "reading /proc/self/status": (deny("read"), "cannot read VmData"),
    "opening /proc": (deny("openat"), "/proc/self/task"),
    "memory that children do not get": (deny("madvise", 2, 10), "Operation not permitted"),
}


@pytest.mark.parametrize("step", OTHER_STEPS)
def test_other_steps_of_the_zygote(zygoted, user, step):
    denied, reason = OTHER_STEPS[step]
    daemon = started(zygoted, user, denied)
    daemon.wait_log("zygote failed")
    daemon.wait_log(reason)
    assert daemon.get("/hostile/canary").reason == "pool-down"
    others_are_served(daemon)


# ---- a child's steps ----

CHILD = {
    "its channel": (deny("dup3", 1, 3), 41),
    "its output": (deny("dup3", 1, 1), 41),
    "its errors": (deny("dup3", 1, 2), 41),
    "other descriptors": (deny("close_range", 0, 4), 41),
    "no processes": (deny("prlimit64", 1, RLIMIT["NPROC"]), 42),
    "CPU time": (deny("prlimit64", 1, RLIMIT["CPU"]), 42),
    "death of the zygote": (deny("prctl", 0, PRCTL["PDEATHSIG"]), 43),
    "whose child it is": (deny("getppid"), 43),
    "its canary": (deny("getrandom"), 44),
}


def tries(daemon, count=5):
    """Statuses and reasons of some requests, one after the other."""
    answers = [daemon.get("/hostile/canary") for _ in range(count)]
    return {(answer.status, answer.reason) for answer in answers}


def stays_calm(daemon, seconds=1):
    """The log does not fill, the processor is not used up."""
    lines, busy = daemon.log().count("\n"), cpu_seconds(daemon)
    end = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() > end, seconds + 1)
    assert daemon.log().count("\n") - lines < LINES_BOUND
    assert cpu_seconds(daemon) - busy < seconds / 4


def cpu_seconds(daemon):
    """Of front and zygote, children that are gone included."""
    ticks = 0
    for pid in (daemon.front_pid(), daemon.zygote_pid("hostile")):
        fields = zyg.read_proc(pid, "stat").rpartition(")")[2].split()
        ticks += sum(int(field) for field in fields[11:15])
    return ticks / 100


@pytest.mark.parametrize("step", CHILD)
def test_a_child_that_cannot_be_locked_down_serves_nothing(zygoted, user, step):
    denied, code = CHILD[step]
    daemon = started(zygoted, user, denied)
    daemon.wait_log("pool ready pool=hostile")
    assert tries(daemon) <= {(502, "sandbox"), (503, "queue-timeout")}
    daemon.wait_log(f"exit={code} ")
    others_are_served(daemon)
    stays_calm(daemon)
    assert tries(daemon) <= {(502, "sandbox"), (503, "queue-timeout")}


def test_a_fork_that_fails(zygoted, user):
    daemon = started(zygoted, user, deny("clone"))
    assert tries(daemon) <= {(503, "fork-failed"), (503, "queue-timeout")}
    daemon.wait_log("fork failed")
    others_are_served(daemon)
    stays_calm(daemon)


# ---- steps before the worker's load, and the front's ----

needs_strace = pytest.mark.skipif(
    not AS_ROOT or shutil.which("strace") is None, reason="needs strace, and root for it"
)


class Traced(zyg.Zygoted):
    """A daemon all of whose processes, from their start, meet an error in a system call."""

    injection = None

    def spawn(self, *arguments):
        trace = ["strace", "-D", "-f", "-qqq", "-o", "/dev/null", "-e", f"trace={self.injection[0]}"]
        trace += ["-e", "inject=%s:error=EPERM:when=%s" % self.injection]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*trace, zyg.ZYGOTED, "-c", self.config_path],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.directory,
            )
        return self.process


@pytest.fixture
def traced():
    """traced(call, when): started, whatever becomes of it."""
    daemons = []

    def make(call, when):
        daemon = Traced(zyg.pool("echo", spare=2, queue_timeout="100ms"))
        daemon.injection = (call, when)
        daemons.append(daemon)
        daemon.spawn()
        return daemon

    yield make
    for daemon in daemons:
        daemon.stop()


def try_request(daemon):
    try:
        return daemon.get("/echo/", timeout=0.5).status
    except OSError:
        return None


def served(daemon, seconds=1.0):
    """Whether any request is answered by a child within this time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if try_request(daemon) == 200:
            return True
    return False


# (call, which one of each process, a word of the log)
STEPS = [
    ("setsid", "1", "step=signals"),
    ("setgroups", "1", "step=user"),
    ("setresgid", "1", "step=user"),
    ("setresuid", "1", "step=user"),
    ("dup2", "1", "step=descriptors"),
    ("close_range", "1", "step=descriptors"),
    ("execveat", "1", "step=exec"),
    ("prctl", "1", "step=parent"),
    ("prctl", "2", "step=parent"),
    ("prctl", "3", "parent death signal"),
    ("prctl", "3+", "cannot be confined: dumpable"),
    ("prctl", "4", "cannot be confined: dumpable"),
    ("prctl", "5", "cannot be confined: no_new_privs"),
    ("prlimit64", "2", "cannot read the limit of descriptors"),
    ("prlimit64", "3", "cannot be confined: RLIMIT_CORE"),
    ("seccomp", "1", "not started"),
]


# The first front is killed by what it could not do, or is not made at all: it is tried again.
GOES_ON = {("prctl", "3"), ("seccomp", "1")}


@needs_strace
@pytest.mark.parametrize("call, when, word", STEPS)
def test_a_step_of_every_process_that_fails_leaves_none_serving(traced, call, when, word):
    daemon = traced(call, when)
    daemon.wait_log(word)
    assert not served(daemon, 0.5)
    if (call, when) not in GOES_ON:
        daemon.exit_code = 1
        assert daemon.process.wait(zyg.BOUND) == 1 and "the front cannot start" in daemon.log()
