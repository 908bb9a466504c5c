"""What children and loading cost in memory, and how long freezing takes.

One child: the daemon's own probe, and beside it what the kernel says of a parked child. Many children, and the peak of the load: by how
much the machine's MemAvailable falls, which leaves nothing out, whoever it is accounted to; so only a quiet machine gives good figures.
"""

import statistics
import threading
import time

from load_parts import state_kinds
from proc import private_kib, read_proc
from report import AtMost, Section
from servers import Zygoted

STATE = "1G"
STATE_MIB = 1024
PARKED = {"frozen": 1000, "inherited": 100}  # a plain fork of 1 GiB takes tens of milliseconds, and 2 MiB of page tables
SAMPLE_SECONDS = 0.001
QUIET_SAMPLES = 20


def available_kib():
    with open("/proc/meminfo") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("MemAvailable:"))


def quiet_available_kib():
    """The middle of some samples, 10 ms apart."""
    samples = []
    for _ in range(QUIET_SAMPLES):
        samples.append(available_kib())
        time.sleep(0.01)
    return statistics.median(samples)


class Lowest:
    """The least of MemAvailable while the block runs."""

    def __enter__(self):
        self.before = quiet_available_kib()
        self.least = self.before
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.sample)
        self.thread.start()
        return self

    def sample(self):
        while not self.done.wait(SAMPLE_SECONDS):
            self.least = min(self.least, available_kib())

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()

    @property
    def drop_mib(self):
        return (self.before - self.least) / 1024


def image_keys(kind):
    """Of the pool: none where the build has one kind of image only."""
    return {"image": kind} if "frozen" in state_kinds() else {}


def zygoted(kind, count, state=STATE):
    keys = {**image_keys(kind), "spare": count, "max_children": count}
    return Zygoted(kind, {"ballast": state} if state else None, **keys)


def status_kib(pid, name):
    text = read_proc(pid, "status") or ""
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith(name + ":")), 0)


def one_child():
    """(probe's own pages, a parked child's own pages, a child's page tables), KiB."""
    server = Zygoted()
    try:
        server.start()
        memory = next(row for row in server.daemon.ctl("memory")["pools"] if row["pool"] == "echo")
        children = server.daemon.child_pids("echo")
        own = statistics.median(private_kib(pid) for pid in children)
        tables = statistics.median(status_kib(pid, "VmPTE") for pid in children)
        return memory["private_bytes"] / 1024, own, tables
    finally:
        server.stop()


def parked_mib(kind, count):
    """What the daemon with that many parked children takes beyond its state of 1 GiB."""
    server = zygoted(kind, count)
    before = quiet_available_kib()
    try:
        server.start()
        return (before - quiet_available_kib()) / 1024 - STATE_MIB
    finally:
        server.stop()


def find_figure(tree, names):
    """The first number under one of these names, anywhere in an answer of the control socket."""
    if isinstance(tree, dict):
        for name in names:
            if isinstance(tree.get(name), (int, float)):
                return tree[name]
    below = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    return next((found for found in (find_figure(part, names) for part in below) if found is not None), None)


def load_once(kind):
    """(MiB of the peak beyond the state, seconds of freezing or None)."""
    server = zygoted(kind, 1)
    try:
        with Lowest() as lowest:
            server.start()
        frozen_us = find_figure(server.daemon.ctl("info"), ("freeze_us",))
        return lowest.drop_mib - STATE_MIB, frozen_us / 1e6 if frozen_us is not None else None
    finally:
        server.stop()


def add(section, what, values, unit):
    """A row: median and spread. Returns the median."""
    middle = statistics.median(values)
    section.rows.append([what, *(f"{value:.4g}" for value in (middle, min(values), max(values))), unit])
    section.csv_rows.append([what, len(values), *(f"{value:.3f}" for value in (middle, min(values), max(values))), unit])
    return middle


def measure_child(section, rounds):
    probes, owns, tables = zip(*(one_child() for _ in range(rounds)))
    add(section, "echo child: own pages, by the probe", probes, "KiB")
    add(section, "echo child: own pages, parked child", owns, "KiB")
    add(section, "echo child: page tables", tables, "KiB")
    # The probe parks before it would read a request; of the two the larger is held against the promise.
    total = add(section, "echo child: both", [max(a, b) + c for a, b, c in zip(probes, owns, tables)], "KiB")
    section.bars.append(AtMost("one echo child adds, page tables included", total, 200, " KiB"))


def measure_parked(section, kinds, rounds):
    medians = {}
    for kind in kinds:
        values = [parked_mib(kind, PARKED[kind]) for _ in range(rounds if kind == "frozen" else 1)]
        what = f"{PARKED[kind]} parked children, image of 1 GiB, {kind}: all beyond the image"
        medians[kind] = add(section, what, values, "MiB")
    section.bars.append(
        AtMost("1,000 parked children, frozen image of 1 GiB: all beyond it", medians.get("frozen"), 300, " MiB", WHY)
    )


def measure_load(section, kinds, rounds):
    peaks, freezes = {}, []
    for kind in kinds:
        found = [load_once(kind) for _ in range(rounds)]
        peaks[kind] = add(section, f"peak of loading 1 GiB, {kind}: beyond the state", [peak for peak, _ in found], "MiB")
        if kind == "frozen":
            freezes = [seconds for _, seconds in found if seconds is not None]
    frozen = add(section, "freezing 1 GiB", freezes, "s") if freezes else None
    section.bars.append(AtMost("peak of loading 1 GiB, frozen: beyond the state", peaks.get("frozen"), 128, " MiB", WHY))
    section.bars.append(AtMost("freezing 1 GiB", frozen, 1, " s", WHY))


WHY = "no frozen image in this build"


def measure_memory(settings):
    section = Section("memory", "Memory and loading")
    section.head = ["", "median", "min", "max", ""]
    section.csv_head = ["what", "rounds", "median", "min", "max", "unit"]
    kinds = state_kinds()
    rounds = min(settings.rounds, 3)
    measure_child(section, rounds)
    measure_parked(section, kinds, rounds)
    measure_load(section, kinds, rounds)
    return section
