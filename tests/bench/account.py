"""How much memory a daemon takes, all of it: pages of its processes, page tables, kernel stacks, sockets, shared memory.

As root by a control group of its own, which nobody else's memory disturbs; otherwise by how much the machine's MemAvailable falls, which
is good on a quiet machine only.
"""

import os
import statistics
import threading
import time

import zyg

MOUNT = "/sys/fs/cgroup"
# (folder of the hierarchy, what is charged now, the most that ever was): cgroup v2 and v1.
LAYOUTS = (
    (MOUNT, "memory.current", "memory.peak"),
    (f"{MOUNT}/memory", "memory.usage_in_bytes", "memory.max_usage_in_bytes"),
)
SAMPLE_SECONDS = 0.001
QUIET_SAMPLES = 20


class Cgroup:
    """A control group; `prefix` is a command that enters it and becomes what follows."""

    how = "a control group"

    def __init__(self, folder, current, peak):
        self.folder, self.current, self.peak = folder, current, peak
        self.prefix = ["/bin/sh", "-c", f'echo $$ >{folder}/cgroup.procs && exec "$@"', "sh"]

    def read_mib(self, name):
        with open(os.path.join(self.folder, name)) as file:
            return int(file.read()) / 2**20

    def now_mib(self):
        return self.read_mib(self.current)

    def peak_mib(self):
        return self.read_mib(self.peak)

    def close(self):
        zyg.wait_until(self.remove, 10, f"{self.folder} is empty")

    def remove(self):
        try:
            os.rmdir(self.folder)
            return True
        except OSError:  # somebody is still dying in it
            return False


def available_mib():
    with open("/proc/meminfo") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith("MemAvailable:"))


def quiet_available_mib():
    """The middle of some samples, 10 ms apart."""
    samples = []
    for _ in range(QUIET_SAMPLES):
        samples.append(available_mib())
        time.sleep(0.01)
    return statistics.median(samples)


class Machine:
    """What the machine has lost since this was made."""

    how = "MemAvailable of the whole machine, as no control group could be made"
    prefix = []

    def __init__(self):
        self.before = self.least = quiet_available_mib()
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.sample, daemon=True)
        self.thread.start()

    def sample(self):
        while not self.done.wait(SAMPLE_SECONDS):
            self.least = min(self.least, available_mib())

    def now_mib(self):
        return self.before - quiet_available_mib()

    def peak_mib(self):
        return self.before - self.least

    def close(self):
        self.done.set()
        self.thread.join()


def open_account():
    """The better of the two that this machine and user allow."""
    for mount, current, peak in LAYOUTS:
        folder = f"{mount}/zygoted-bench-{os.getpid()}"
        if not os.path.exists(f"{mount}/cgroup.procs"):
            continue
        try:
            os.mkdir(folder)
        except OSError:
            continue
        if os.path.exists(f"{folder}/{current}") and os.path.exists(f"{folder}/{peak}"):
            return Cgroup(folder, current, peak)
        os.rmdir(folder)
    return Machine()
