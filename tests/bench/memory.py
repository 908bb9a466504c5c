"""What children and loading cost in memory, and how long freezing takes."""

import statistics

from account import Cgroup, open_account
from proc import private_kib, read_proc
from report import AtMost, Section
from servers import Zygoted, image_kinds, zygoted_with_state

STATE_MIB = 1024
PARKED = {"frozen": 1000, "inherited": 100}  # a plain fork of 1 GiB takes tens of milliseconds, and 2 MiB of page tables
ROUNDS_MAX = 3


def status_kib(pid, name):
    text = read_proc(pid, "status") or ""
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith(name + ":")), 0)


def one_child():
    """KiB of an echo child without state: the probe's own pages, a parked child's own pages, a child's page tables."""
    server = Zygoted()
    try:
        server.start()
        server.settle()
        memory = next(row for row in server.daemon.ctl("memory")["pools"] if row["pool"] == "echo")
        children = server.daemon.child_pids("echo")
        own = statistics.median(private_kib(pid) for pid in children)
        tables = statistics.median(status_kib(pid, "VmPTE") for pid in children)
        return memory["private_bytes"] / 1024, own, tables
    finally:
        server.stop()


def find_figure(tree, name):
    """The first number of that name, anywhere in an answer of the control socket."""
    if isinstance(tree, dict) and isinstance(tree.get(name), (int, float)):
        return tree[name]
    below = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    return next((found for found in (find_figure(part, name) for part in below) if found is not None), None)


def with_state(kind, count):
    """A daemon with 1 GiB of state and that many parked children: MiB that all its processes take beyond the state, MiB of the peak
    beyond it, seconds of freezing (None: it says nothing of that), and how memory was measured."""
    account = open_account()
    try:
        server = zygoted_with_state(kind, kind, STATE_MIB, spare=count, max_children=count)
        server.daemon.prefix = account.prefix
        try:
            server.start()
            freeze = find_figure(server.daemon.ctl("info"), "freeze_seconds")
            return account.now_mib() - STATE_MIB, account.peak_mib() - STATE_MIB, freeze, account.how
        finally:
            server.stop()
    finally:
        account.close()


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


def measure_kind(section, kind, rounds):
    """Medians by the names of the promises."""
    loads = [with_state(kind, 1) for _ in range(rounds)]
    parked = [with_state(kind, PARKED[kind])[0] for _ in range(rounds if kind == "frozen" else 1)]
    freezes = [freeze for _, _, freeze, _ in loads if freeze is not None]
    found = {
        "alone": add(section, f"1 GiB, {kind}, 1 parked child: beyond the state", [now for now, _, _, _ in loads], "MiB"),
        "parked": add(section, f"1 GiB, {kind}, {PARKED[kind]} parked children: beyond the state", parked, "MiB"),
        "peak": add(section, f"1 GiB, {kind}: peak of the load beyond the state", [peak for _, peak, _, _ in loads], "MiB"),
    }
    if kind == "frozen" and freezes:
        found["freeze"] = add(section, "1 GiB: freezing", freezes, "s")
    section.notes = [f"measured by {loads[0][3]}"]
    return found if is_exact(loads) else {name: value for name, value in found.items() if name == "freeze"}


def is_exact(loads):
    """Promises are held against a control group's figures only: the whole machine's can be wrong either way."""
    return all(how == Cgroup.how for *_, how in loads)


def measure_memory(settings):
    section = Section("memory", "Memory and loading")
    section.head = ["", "median", "min", "max", ""]
    section.csv_head = ["what", "rounds", "median", "min", "max", "unit"]
    rounds = min(settings.rounds, ROUNDS_MAX)
    measure_child(section, rounds)
    found = {kind: measure_kind(section, kind, rounds) for kind in image_kinds() or ("inherited",)}
    frozen = found.get("frozen", {})
    why = "needs a control group: root" if "frozen" in found else "no frozen image in this build"
    section.bars += [
        AtMost("1,000 parked children, frozen image of 1 GiB: all beyond it", frozen.get("parked"), 300, " MiB", why),
        AtMost("peak of loading 1 GiB, frozen: beyond the state", frozen.get("peak"), 128, " MiB", why),
        AtMost("freezing 1 GiB", frozen.get("freeze"), 1, " s", why),
    ]
    return section
