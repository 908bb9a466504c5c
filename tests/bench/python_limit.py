"""How fast children can come and go at all, with what a request touches and without any request: no server of this kind is faster.

forker.c takes the place of the front of a daemon that has learned which pages requests touch.
"""

import os
import signal
import statistics
import subprocess

import limit
import zyg
from wrk import Absent

BATCH = 16
SECONDS = 2


def rates_of(name, section, path, rounds):
    """label -> children per second."""
    daemon = zyg.Zygoted(section, requests_per_connection=1000000)
    try:
        daemon.start()
        url = f"http://127.0.0.1:{daemon.port}{path}"
        for _ in range(2):  # once to learn, once to find that it pays
            subprocess.run(["wrk", "-t1", "-c2", "-d2s", url], capture_output=True, check=True)
        daemon.wait_idle(name)
        front = daemon.front_pid()
        os.kill(front, signal.SIGSTOP)
        try:
            channel = limit.front_channel(daemon, name)
            variants = {"forked, and ended": (), "the same, with the pages of a request touched": ("touch",)}
            rates = {label: [] for label in variants}
            for _ in range(rounds):
                for label, words in variants.items():
                    rates[label].append(limit.fork_rate(channel, BATCH, SECONDS, *words))
        finally:
            os.kill(front, signal.SIGKILL)
        return {label: statistics.median(values) for label, values in rates.items()}
    finally:
        daemon.stop()


def print_limits(pools, rounds):
    """pools: name -> (section, path)"""
    row = "{:<8} {:<46} {:>12} {:>14}".format
    print("\nchildren that answer no request, every layer of the sandbox on:")
    print(row("pool", "", "per second", f"CPU us, of {os.cpu_count()}"))
    for name, (section, path) in pools.items():
        try:
            rates = rates_of(name, section, path, rounds)
        except Absent as reason:
            print(f"{name}: left out: {reason}")
            continue
        for label, rate in rates.items():
            print(row(name, label, f"{rate:.0f}", f"{os.cpu_count() * 1e6 / rate:.0f}"))
