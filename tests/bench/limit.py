"""The limit: how fast the zygote's image can be forked and ended at all, with every layer of the sandbox on.

forker.c takes the place of a running daemon's front. Another daemon answers requests meanwhile, in turns with it.
"""

import os
import signal
import statistics
import subprocess

from report import AtLeast, Section, number
from servers import PROGRAMS, Running, Zygoted
from wrk import Absent, run

ZYGOTE_FRONT_FD = 5  # daemon/base/heritage.h: the zygote's end of the first front's channel
CONNECTIONS = 16
VARIANTS = (("fork and exit, one at a time", 1), ("fork and exit, batches of 16", 16))
ECHO = f"echo, {CONNECTIONS} connections"


def peer_inode(inode):
    """The other end of a connected Unix socket, as ss(8) has it from unix_diag."""
    text = subprocess.run(["ss", "-xaH"], capture_output=True, text=True, timeout=20, check=True).stdout
    for line in text.splitlines():
        words = line.split()
        if words[5] == inode:
            return words[7]
    raise Absent(f"ss shows no socket {inode}")


def find_descriptor(pids, inode):
    """(pid, descriptor) of the first process that has this socket."""
    for pid in pids:
        for number_ in os.listdir(f"/proc/{pid}/fd"):
            try:
                if os.readlink(f"/proc/{pid}/fd/{number_}") == f"socket:[{inode}]":
                    return pid, int(number_)
            except FileNotFoundError:
                continue
    raise Absent("no process of the daemon holds the front's channel")


def front_channel(daemon, pool="echo"):
    """Where the front's end of the zygote's channel is."""
    zygote = daemon.zygote_pid(pool)
    try:
        inode = os.readlink(f"/proc/{zygote}/fd/{ZYGOTE_FRONT_FD}").strip("socket:[]")
        return find_descriptor([daemon.pid, daemon.front_pid()], peer_inode(inode))
    except PermissionError:
        raise Absent("only root may take a front's place") from None
    except FileNotFoundError:
        raise Absent("ss is not installed (Debian: iproute2)") from None


def fork_rate(channel, batch, seconds, *words):
    pid, descriptor = channel
    command = [os.path.join(PROGRAMS, "forker"), str(pid), str(descriptor), str(batch), str(seconds), *words]
    result = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 30)
    if result.returncode != 0:
        raise Absent(result.stderr.strip())
    return float(result.stdout)


def run_rounds(idle, server, settings):
    """name -> rates. The front of `idle` is stopped, and killed at the end: the supervisor starts another one."""
    rates = {name: [] for name in [ECHO, *(name for name, _ in VARIANTS)]}
    front = idle.daemon.front_pid()
    os.kill(front, signal.SIGSTOP)
    try:
        channel = front_channel(idle.daemon)
        for _ in range(settings.rounds):
            for name, batch in VARIANTS:
                rates[name].append(fork_rate(channel, batch, settings.duration))
            rates[ECHO].append(run(server.url, CONNECTIONS, settings.duration).rate)
            server.settle()
    finally:
        os.kill(front, signal.SIGKILL)
    return rates


def measure_limit(settings):
    section = Section("limit", "The limit: fork and exit of echo's zygote, every sandbox layer on")
    section.head = ["", "per second", "min", "max", "us each"]
    section.csv_head = ["what", "rounds", "per_second", "per_second_min", "per_second_max"]
    bar = AtLeast("echo, 16 connections: rate / bare fork and exit", None, 0.6)
    section.bars = [bar]
    idle, server = Zygoted("idle"), Zygoted()
    with Running([idle, server], section.notes):
        try:
            rates = run_rounds(idle, server, settings)
        except Absent as reason:
            section.notes.append(f"left out: {reason}")
            return section
    for name, values in rates.items():
        middle, spread = statistics.median(values), [min(values), max(values)]
        section.rows.append([name, *map(number, [middle, *spread, 1e6 / middle])])
        section.csv_rows.append([name, len(values), *(f"{value:.1f}" for value in [middle, *spread])])
    bar.figure = statistics.median(one / other for one, other in zip(rates[ECHO], rates[VARIANTS[1][0]]))
    return section
