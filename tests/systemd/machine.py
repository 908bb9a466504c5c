"""A real systemd, booted in a container, with zygoted installed in it by `make install`.

The tree is made once with debootstrap and kept in /var/cache; each machine is an overlay over it. Commands and
connections go in by the namespaces of the container's first process.
"""

import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import zlib

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "e2e"))

from proc import parents, read_proc  # noqa: E402
from wait import wait_until  # noqa: E402

CACHE = "/var/cache/zygoted-tests"
PACKAGES = (
    "systemd,systemd-sysv,dbus,libevent-core-2.1-7,libseccomp2,libconfuse2,libjansson4,libncursesw6,libssl3,ieee-data"
)
# Another list, another tree: one with too much in it would hide what is missing here.
TREE = os.path.join(CACHE, f"bookworm-{zlib.crc32(PACKAGES.encode()):08x}")
MIRROR = os.environ.get("ZYGOTED_MIRROR")  # without it, debootstrap's own
CLONE_NEWNET = 0x40000000
LANDLOCK = "landlock_create_ruleset landlock_add_rule landlock_restrict_self"


class NotHere(Exception):
    """This computer cannot have a machine."""


def why_not():
    """Why no machine can be had here; None if one can."""
    if os.getuid() != 0:
        return "booting a container needs root"
    for program in ("systemd-nspawn", "debootstrap", "nsenter"):
        if not shutil.which(program):
            return f"{program} is not installed: make deps-systemd"
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode != 0:
        return "no mount namespaces"
    return None


def make_tree():
    """Half a minute, once; a tree that was not completed is made anew."""
    if os.path.isdir(TREE):
        return
    os.makedirs(CACHE, exist_ok=True)
    fresh = tempfile.mkdtemp(dir=CACHE)
    try:
        command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", fresh]
        command += [MIRROR] if MIRROR else []
        run_debootstrap(command)
        os.chmod(fresh, 0o755)
        os.rename(fresh, TREE)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def run_debootstrap(command):
    try:
        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600)
    except subprocess.TimeoutExpired:
        raise NotHere("debootstrap made no tree within ten minutes") from None
    if result.returncode != 0:
        raise NotHere(f"debootstrap made no tree: {result.stdout[-300:]}")


class Machine:
    def __init__(self):
        self.place = tempfile.mkdtemp(prefix="zyg-systemd-")
        self.root = os.path.join(self.place, "root")
        self.process = None
        self.home = os.open("/proc/self/ns/net", os.O_RDONLY)

    # -- life --

    def start(self):
        layers = {name: os.path.join(self.place, name) for name in ("upper", "work", "root")}
        for path in layers.values():
            os.mkdir(path)
        options = f"lowerdir={TREE},upperdir={layers['upper']},workdir={layers['work']}"
        if subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, self.root]).returncode != 0:
            raise NotHere("no overlay can be mounted")
        install = ["make", "-s", "-C", TOP, "install", f"DESTDIR={self.root}"]
        subprocess.run(install, check=True, stdout=subprocess.DEVNULL)
        self.boot()
        return self

    def boot(self):
        with open(os.path.join(self.place, "console"), "wb") as console:
            self.process = subprocess.Popen(
                ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--private-network", "--boot",
                 "--console=pipe", f"--system-call-filter={LANDLOCK}", f"--machine=zyg{os.getpid()}", "-D", self.root],
                stdin=subprocess.DEVNULL, stdout=console, stderr=console,
            )
        try:
            wait_until(self.is_up, 60, "the machine is up")
        except AssertionError:
            raise NotHere(f"the machine is not up after a minute: {self.console()}") from None
        self.enter_network()

    def console(self):
        """The end of what it said."""
        with open(os.path.join(self.place, "console"), errors="replace") as console:
            return console.read()[-300:]

    def leader(self):
        return next((pid for pid, (parent, _) in parents().items() if parent == self.process.pid), None)

    def is_up(self):
        if self.process.poll() is not None:
            raise NotHere(f"the machine ended: {self.console()}")
        if self.leader() is None or not os.path.exists(f"/proc/{self.leader()}/ns/net"):
            return False
        return self.run("systemctl", "is-system-running", check=False).strip() in ("running", "degraded")

    def stop(self):
        set_network(self.home)
        os.close(self.home)
        if self.process is not None and self.process.poll() is None:
            self.run("systemctl", "poweroff", check=False)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        subprocess.run(["umount", "--lazy", self.root], check=False)
        shutil.rmtree(self.place, ignore_errors=True)

    def enter_network(self):
        """This process's new sockets are the machine's."""
        fd = os.open(f"/proc/{self.leader()}/ns/net", os.O_RDONLY)
        set_network(fd)
        os.close(fd)

    # -- commands and files --

    def run(self, *command, check=True, bound=120):
        enter = ["nsenter", "-t", str(self.leader()), "--mount", "--uts", "--ipc", "--net", "--pid", "--"]
        result = subprocess.run([*enter, *command], capture_output=True, text=True, timeout=bound)
        if check and result.returncode != 0:
            raise AssertionError(f"{command}: {result.returncode}\n{result.stdout}{result.stderr}")
        return result.stdout

    def code(self, *command):
        """Exit code, and all that was printed."""
        enter = ["nsenter", "-t", str(self.leader()), "--mount", "--uts", "--ipc", "--net", "--pid", "--"]
        result = subprocess.run([*enter, *command], capture_output=True, text=True, timeout=120)
        return result.returncode, result.stdout + result.stderr

    def write(self, path, text):
        whole = self.root + path
        os.makedirs(os.path.dirname(whole), exist_ok=True)
        with open(whole, "w") as file:
            file.write(text)

    def read(self, path):
        with open(self.root + path) as file:
            return file.read()

    def remove(self, path):
        if os.path.exists(self.root + path):
            os.remove(self.root + path)

    def show(self, name, unit="zygoted.service"):
        return self.run("systemctl", "show", "--value", f"--property={name}", unit).strip()

    def journal(self):
        return self.run("journalctl", "--unit=zygoted.service", "--no-pager", "--output=short")

    def wait_journal(self, text):
        """The journal takes lines when it comes to them."""
        wait_until(lambda: text in self.journal(), what=f"{text!r} in the journal")

    # -- the service --

    def ctl(self, *command):
        return json.loads(self.run("zygotectl", "-j", *command))

    def main_pid(self):
        """As this process sees it."""
        inner = self.show("MainPID")
        return self.outer(int(inner)) if inner != "0" else None

    def outer(self, inner):
        for pid in parents():
            status = read_proc(pid, "status") or ""
            line = next((line for line in status.splitlines() if line.startswith("NSpid:")), "")
            pids = line.split()[1:]
            if len(pids) >= 2 and pids[1] == str(inner) and self.is_inside(pid):
                return pid
        return None

    def is_inside(self, pid):
        table, at = parents(), pid
        while at in table and at != self.leader():
            at = table[at][0]
        return at == self.leader()

    def processes(self, title):
        """Pids as this process sees them of the machine's processes with such a title."""
        found = []
        for pid in parents():
            line = (read_proc(pid, "cmdline") or "").replace("\0", " ")
            if line.startswith(title) and self.is_inside(pid):
                found.append(pid)
        return found


def set_network(fd):
    if ctypes.CDLL(None, use_errno=True).setns(fd, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def kill(pid, number=signal.SIGKILL):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def is_listening(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
