"""What /proc tells about processes."""

import os


def read_proc(pid, name):
    """A file's text; None when the process is gone."""
    try:
        with open(f"/proc/{pid}/{name}") as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError):
        return None


def parents():
    """pid -> (parent, state) of every process."""
    table = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        stat = read_proc(entry, "stat")
        if stat:
            state, parent = stat.rpartition(")")[2].split()[:2]
            table[int(entry)] = (int(parent), state)
    return table


def descendants(pid):
    table, found = parents(), []
    todo = [pid]
    while todo:
        parent = todo.pop()
        below = [child for child, (its, _) in table.items() if its == parent]
        found += below
        todo += below
    return found


def is_alive(pid):
    stat = read_proc(pid, "stat")
    return stat is not None and stat.rpartition(")")[2].split()[0] not in "ZX"


def start_time(pid):
    """Ticks since boot; with it a pid names one process, however soon it is used again."""
    stat = read_proc(pid, "stat")
    return int(stat.rpartition(")")[2].split()[19]) if stat else None


def command_line(pid):
    text = read_proc(pid, "cmdline")
    return text.rstrip("\0").replace("\0", " ") if text else ""


def private_kib(pid):
    rollup = read_proc(pid, "smaps_rollup") or ""
    lines = [line.split() for line in rollup.splitlines() if line.startswith("Private_")]
    return sum(int(line[1]) for line in lines)


def descriptors(pid):
    """What its descriptors are; those that are closed meanwhile are left out."""
    links = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            links.append(os.readlink(f"/proc/{pid}/fd/{fd}"))
        except FileNotFoundError:
            continue
    return links


def fd_count(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))
