"""Latency of one connection, taken apart: what passing a request on costs at all, and what the forks of the next children add.

A server with thousands of children ready forks none for as long as a round takes: the difference to one that keeps 16 is refilling.
"""

import os
import statistics
import subprocess

from report import AtMost, Section, number
from servers import PROGRAMS, Handover, Nginx, Running, Zygoted

REQUESTS = 400
READY = 4 * REQUESTS + 200  # a quarter may be used up before the front orders more
PAUSE_US = 1000
PACES = (("back to back", 0), (f"every {PAUSE_US} us", PAUSE_US))
SERVERS = (
    ("zygoted", Zygoted, "16 children kept ready: four are forked while four requests run"),
    ("zygoted-ready", lambda name: Zygoted(name, spare=READY, max_children=READY), "as many ready as are asked for: no fork"),
    ("handover", Handover, "passed on to one process that lives on: the floor"),
    ("nginx", Nginx, "a file; no isolation: the bound"),
)
ROUNDS_LEAST = 9


def ask(server, pause_us):
    """(median, 99th percentile) in microseconds."""
    port, path = server.url.split(":")[2].split("/", 1)
    command = [os.path.join(PROGRAMS, "paced"), port, str(REQUESTS), str(pause_us), "/" + path]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if result.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: {result.stderr}")
    median, p99 = map(float, result.stdout.split())
    return median, p99


def measure_rounds(servers, rounds):
    runs = {(pace, name): [] for pace, _ in PACES for name in servers}
    for _ in range(max(rounds, ROUNDS_LEAST)):
        for pace, pause_us in PACES:
            for name, server in servers.items():
                runs[pace, name].append(ask(server, pause_us))
                server.settle()
    return runs


def middle(runs, key, index):
    return statistics.median(run[index] for run in runs[key]) if runs.get(key) else None


def bar(runs, index, text, bound):
    figures = [middle(runs, ("back to back", name), index) for name in ("zygoted-ready", "nginx")]
    return AtMost(text, figures[0] / figures[1] if all(figures) else None, bound)


def measure_latency(settings):
    section = Section("latency", f"Latency of one connection, {REQUESTS} requests a round")
    with Running([make(name) for name, make, _ in SERVERS], section.notes) as servers:
        runs = measure_rounds(servers, settings.rounds)
    section.head = ["requests", "server", "p50 us", "p99 us", "what it is"]
    section.csv_head = ["requests", "server", "rounds", "p50_us", "p99_us"]
    what = {name: text for name, _, text in SERVERS}
    for (pace, name), measured in runs.items():
        figures = [middle(runs, (pace, name), index) for index in (0, 1)]
        section.rows.append([pace, name, *map(number, figures), what[name]])
        section.csv_rows.append([pace, name, len(measured), *(f"{figure:.2f}" for figure in figures)])
    section.bars.append(bar(runs, 0, "echo, 1 connection, no fork meanwhile: median / nginx's for a file", 2))
    section.bars.append(bar(runs, 1, "echo, 1 connection, no fork meanwhile: p99 / nginx's for a file", 8))
    return section
