#!/usr/bin/python3
"""The benchmark's report: every row from one run on one machine, medians of rounds in which servers are asked in turns.

    PARTS="connections state peers latency limit memory" ROUNDS=5 DURATION=2 tests/bench/bench.py [--readme]

DURATION is seconds of load for each figure. The text goes to standard output and build/bench/report.txt; beside that are CSV
with the spread of the rounds, and SVG plots. --readme puts the table of the part `state` into README.md.
"""

import argparse
import collections
import os
import platform
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))

import zyg  # noqa: E402
from latency import measure_latency  # noqa: E402
from limit import measure_limit  # noqa: E402
from load_parts import measure_connections, measure_peers, measure_state  # noqa: E402
from memory import measure_memory  # noqa: E402
from report import format_bars, format_table, rewrite_readme, write_csv, write_plots  # noqa: E402

PARTS = {
    "connections": measure_connections,
    "state": measure_state,
    "peers": measure_peers,
    "latency": measure_latency,
    "limit": measure_limit,
    "memory": measure_memory,
}
Settings = collections.namedtuple("Settings", "rounds duration")


def whole_number(name, default, most):
    """From the environment, 1 to `most`."""
    text = os.environ.get(name) or default
    if not re.fullmatch(r"\d{1,4}", text) or not 1 <= int(text) <= most:
        raise SystemExit(f"{name}={text}: a whole number from 1 to {most} is wanted")
    return int(text)


def wanted_parts():
    names = (os.environ.get("PARTS") or " ".join(PARTS)).split()
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        raise SystemExit(f"PARTS: there is no {' '.join(unknown)}; there are: {' '.join(PARTS)}")
    return names


def cpu_model():
    with open("/proc/cpuinfo") as file:
        names = re.findall(r"^model name\s*:\s*(.*)$", file.read(), re.M)
    return names[0] if names else platform.machine()


def memory_gibibytes():
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30


def machine():
    return f"{os.cpu_count()} cores, {cpu_model()}, {memory_gibibytes():.0f} GiB, Linux {platform.release()}"


def describe(settings):
    return (
        f"machine: {machine()}\n"
        f"load: wrk with 1 thread on the same machine; {settings.rounds} rounds of {settings.duration} s, medians\n"
        f"load average at the start: {os.getloadavg()[0]:.2f}\n"
    )


def readme_text(section, settings):
    """The table as an indented block, with the machine and the command that makes it."""
    head, rows = section.readme
    table = "".join(f"    {line}\n" for line in format_table(head, rows))
    return (
        f"\n{table}\n{machine()};\nmedians of {settings.rounds} rounds, from "
        '`PARTS=state make bench BENCH_FLAGS=--readme`.\n\n'
    )


def main():
    parser = argparse.ArgumentParser(description="Measures and reports; see the head of bench.py for the environment.")
    parser.add_argument("--readme", action="store_true", help="put the table of the part `state` into README.md")
    arguments = parser.parse_args()
    names = wanted_parts()
    if arguments.readme and "state" not in names:
        raise SystemExit("--readme needs the part `state`")
    settings = Settings(whole_number("ROUNDS", "5", 100), whole_number("DURATION", "2", 3600))
    folder = os.path.join(zyg.TOP, os.environ.get("ZYGOTED_BUILD", "build"), "bench")
    os.makedirs(folder, exist_ok=True)
    texts = [describe(settings)]
    print(texts[0], flush=True)
    sections = []
    for name in names:
        section = PARTS[name](settings)
        sections.append(section)
        write_csv(section, folder)
        texts.append(section.text())
        print(texts[-1], flush=True)
    texts += [format_bars(sections), write_plots(sections, folder)]
    print("\n".join(texts[-2:]))
    with open(os.path.join(folder, "report.txt"), "w") as file:
        file.write("\n".join(texts))
    print(f"written: {folder}/report.txt, *.csv, *.svg")
    if arguments.readme:
        section = next(section for section in sections if section.name == "state")
        rewrite_readme(os.path.join(zyg.TOP, "README.md"), readme_text(section, settings))


if __name__ == "__main__":
    main()
