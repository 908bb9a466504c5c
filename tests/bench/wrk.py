"""One run of wrk, and cells that are asked in turns.

wrk's own percentiles leave connecting out, which flatters a server that closes after each answer. `mean_us` is what a
client waits from one answer to the next, connecting included: connections / rate.
"""

import collections
import math
import re
import statistics
import subprocess
import sys

MICROSECONDS = {"us": 1, "ms": 1000, "s": 1000000, "m": 60000000}
NEVER = float("inf")
ANSWERS_WANTED = 30
LONGEST = 3
ANSWER_BOUND = 60  # seconds after which wrk counts an answer as missing

Run = collections.namedtuple("Run", "rate mean_us p50_us p99_us errors")
Cell = collections.namedtuple("Cell", "key server connections")


class Absent(Exception):
    """A program that a row needs is not there, or not allowed: the row is left out, with this reason."""


def microseconds(text, percentile):
    number, unit = re.search(rf"\s{percentile}%\s+([\d.]+)(us|ms|s|m)\b", text).groups()
    return float(number) * MICROSECONDS[unit]


def count_errors(text):
    """Answers other than 2xx and 3xx, and what wrk calls socket errors."""
    lines = re.findall(r"(?:Non-2xx or 3xx responses|Socket errors):(.*)", text)
    return sum(int(number) for line in lines for number in re.findall(r"\d+", line))


def run(url, connections, seconds):
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", f"--timeout={ANSWER_BOUND}s", "--latency", url]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=seconds + ANSWER_BOUND)
    except FileNotFoundError:
        raise SystemExit("wrk is not installed (Debian: wrk); make bench installs it where it may") from None
    if result.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: {result.stdout}{result.stderr}")
    text = result.stdout
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))
    if rate == 0:
        return Run(0, NEVER, NEVER, NEVER, count_errors(text))
    return Run(rate, connections / rate * 1e6, microseconds(text, 50), microseconds(text, 99), count_errors(text))


def seconds_for(rate, seconds):
    """Slow servers get longer, up to LONGEST times, for the sake of ANSWERS_WANTED answers."""
    if rate * seconds >= ANSWERS_WANTED:
        return seconds
    return min(LONGEST * seconds, math.ceil(ANSWERS_WANTED / max(rate, 0.1)))


def run_rounds(cells, rounds, seconds, warm=0):
    """key -> its runs. Every round asks every cell, odd rounds in the opposite order. `warm` seconds beforehand use up what a
    server keeps ready, so that what it can keep up is measured."""
    runs = {cell.key: [] for cell in cells}
    for number in range(rounds):
        for cell in cells if number % 2 == 0 else reversed(cells):
            print(f"  round {number + 1}/{rounds}: {cell.key}", file=sys.stderr)
            length = seconds
            if warm:
                length = seconds_for(run(cell.server.url, cell.connections, warm).rate, seconds)
            runs[cell.key].append(run(cell.server.url, cell.connections, length))
            cell.server.settle()
    return runs


def median(runs, field):
    return statistics.median(getattr(one, field) for one in runs)


def ratio(runs, others, field):
    """The median of the rounds' ratios: a disturbed round counts once. None if either is not there or gave wrong answers."""
    if not runs or not others or any(one.errors or not one.rate for one in [*runs, *others]):
        return None
    pairs = zip([getattr(one, field) for one in runs], [getattr(one, field) for one in others])
    ratios = [one / other for one, other in pairs if other]
    return statistics.median(ratios) if ratios else None
