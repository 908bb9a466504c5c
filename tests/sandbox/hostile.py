"""The hostile worker seen from outside: attacks as rows of a table, and what must hold after each of them."""

import dataclasses
import os
import re
import threading
import time
import urllib.parse

import proc
import zyg
from client import Truncated
from zyg import wait_until

HOSTILE = os.path.join(zyg.BUILD, "tests", "sandbox", "workers", "hostile.so")
AS_ROOT = os.getuid() == 0

SIGSYS, SIGSEGV, SIGKILL = 31, 11, 9


def hostile_pool(name="hostile", **keys):
    """Every attack is to reach a child of the same zygote: no breaker, no recycling."""
    steady = {"breaker": 0, "recycle_faults": 0}
    keys = {"spare": 4, "max_children": 16, "timeout": "10s", **steady, **keys}
    return zyg.pool(name, worker=HOSTILE, **keys)


# ---- system calls ----


def call_numbers():
    """name -> number on x86-64, from the kernel's header."""
    for path in ("/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "/usr/include/asm/unistd_64.h"):
        if os.path.exists(path):
            with open(path) as file:
                lines = re.findall(r"#define __NR_(\w+) (\d+)", file.read())
            return {name: int(number) for name, number in lines}
    raise AssertionError("no asm/unistd_64.h: is libc6-dev installed?")


# Calls that are newer than Debian 12's headers.
NR = {"statmount": 457, "listmount": 458, "mseal": 462, **call_numbers()}


def call_line(number, *args, how="S"):
    """One line for the worker: text arguments are places ("@b") or strings ("=/etc/passwd")."""
    number = NR[number] if isinstance(number, str) else number
    return ",".join([how, str(number), *(str(arg) for arg in args)])


def call(number, *args, how="S"):
    """The path of a deed that makes one system call and answers its result."""
    return "call/" + urllib.parse.quote(call_line(number, *args, how=how), safe="/,=@")


# ---- attacks ----


@dataclasses.dataclass
class Attack:
    name: str
    deed: str
    status: int
    reason: str
    counter: str
    log: str = ""  # a piece of a line that the log must have
    text: str = ""  # a regular expression that the answer must match
    body: bytes = None
    broken_off: bool = False  # the answer had begun, so the connection is reset instead

    def __str__(self):
        return self.name


def killed(name, deed, **more):
    """Dies of the filter."""
    return Attack(name, deed, 502, "sandbox", "sandbox", f"signal={SIGSYS}", **more)


def crashed(name, deed, number=SIGSEGV, **more):
    return Attack(name, deed, 502, "crashed", "crashed", f"signal={number}", **more)


def answered(name, deed, text, **more):
    """Gets an answer that says that it got nowhere."""
    return Attack(name, deed, 200, None, "ok", "", text, **more)


# ---- what holds afterwards ----


def descriptors(pid):
    """kind -> how many, of a process's descriptors; None where we may not look."""
    kinds = {}
    try:
        for link in proc.descriptors(pid):
            kind = link.split(":")[0]
            kinds[kind] = kinds.get(kind, 0) + 1
    except PermissionError:
        return None
    return kinds


class Target:
    """A daemon under attack: `attack` runs one, `settled` checks that all is as before."""

    def __init__(self, daemon, name="hostile", bystander="echo"):
        self.daemon = daemon
        self.name = name
        self.bystander = bystander
        self.fill_slots()
        self.idle()
        self.front_before = self.front_sockets()
        self.zygote_before = self.zygote_descriptors()
        self.pids = (daemon.pid, daemon.front_pid(), daemon.zygote_pid(name))

    def fill_slots(self):
        """Log pipes are made once for each slot: make them all now."""
        for name in (self.name, self.bystander):
            for _ in range(64):
                self.daemon.get(f"/{name}/canary")

    def idle(self):
        self.daemon.wait_idle(self.name)
        self.daemon.wait_idle(self.bystander)
        spare = self.daemon.pool(self.name)["spare"]
        wanted = 4
        if spare < wanted:
            wait_until(lambda: self.daemon.pool(self.name)["spare"] >= wanted)

    def front_sockets(self):
        kinds = descriptors(self.daemon.front_pid())
        return kinds and kinds.get("socket", 0)

    def zygote_descriptors(self):
        return descriptors(self.daemon.zygote_pid(self.name))

    def outcomes(self):
        """All counters that are not 0, of the attacked pool and of the bystander."""
        pools = {p["pool"]: p["outcomes"] for p in self.daemon.ctl("stats")["pools"]}
        return {
            (name, outcome): count
            for name in (self.name, self.bystander)
            for outcome, count in pools[name].items()
            if count
        }

    def next_is_answered(self):
        assert re.fullmatch(r"[0-9a-f]{16}\n", self.daemon.get(f"/{self.name}/canary").text)
        answer = self.daemon.request("POST", f"/{self.bystander}/", b"as ever")
        assert (answer.status, answer.body) == (200, b"as ever")

    def nothing_is_left(self):
        """Spares only, no descriptor more than before, and still the same three processes."""
        daemon = self.daemon
        wait_until(lambda: self.is_as_before(), what="nothing left of the attack")
        assert (daemon.pid, daemon.front_pid(), daemon.zygote_pid(self.name)) == self.pids

    def is_as_before(self):
        self.idle()
        return (
            self.front_sockets() == self.front_before
            and self.zygote_descriptors() == self.zygote_before
        )

    def run(self, path, body=None, **more):
        """(status, reason, text); status 0 when the answer broke off or never came."""
        try:
            answer = self.daemon.request(
                "GET" if body is None else "POST", f"/{self.name}/{path}", body, **more
            )
            return answer.status, answer.reason, answer.text
        except (Truncated, ConnectionResetError):
            return 0, None, ""

    def attack(self, attack):
        before, log_before = self.outcomes(), len(self.daemon.log())
        status, reason, text = self.run(attack.deed, attack.body)
        if attack.broken_off:
            assert status == 0, f"{attack.name}: {status} {reason} {text}"
        else:
            assert (status, reason) == (attack.status, attack.reason), f"{attack.name}: {text}"
        if attack.text:
            assert re.fullmatch(attack.text, text), f"{attack.name}: {text!r}"
        self.wait_counted(before, attack.counter)
        self.next_is_answered()
        self.nothing_is_left()
        if attack.log:
            wait_until(lambda: attack.log in self.daemon.log()[log_before:], what=attack.log)

    def wait_counted(self, before, counter):
        """Exactly this counter has moved, by one, and nobody else's."""
        expected = dict(before)
        expected[self.name, counter] = expected.get((self.name, counter), 0) + 1
        wait_until(lambda: self.outcomes() == expected, what=f"{counter} + 1: {before}")


class Bystander:
    """Asks another pool again and again, and remembers how long it took."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.waits = []
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.work)

    def work(self):
        while not self.stop.wait(0.005):
            start = time.monotonic()
            assert self.daemon.request("POST", "/echo/", b"x").body == b"x"
            self.waits.append(time.monotonic() - start)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()
