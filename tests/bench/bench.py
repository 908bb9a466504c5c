#!/usr/bin/python3
"""Rate and latency of zygoted's echo against the textbook accept-fork-answer server, by wrk.

Both run at the same time on this machine; wrk asks them in turns, so that a disturbance hits both. Each figure is the
median over the rounds. "mean" is connections / rate: what a client waits from one answer to the next, connecting
included; wrk's own percentiles leave connecting out, which flatters a server that closes after each answer.
ROUNDS, DURATION (seconds) and CONNECTIONS ("1 16") may be set in the environment.
"""

import os
import platform
import re
import socket
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))

import zyg  # noqa: E402

ROUNDS = int(os.environ.get("ROUNDS", "5"))
DURATION = int(os.environ.get("DURATION", "3"))
CONNECTIONS = [int(word) for word in os.environ.get("CONNECTIONS", "1 16").split()]
MICROSECONDS = {"us": 1, "ms": 1000, "s": 1000000}


def build_textbook():
    program = os.path.join(zyg.BUILD, "tests", "textbook")
    os.makedirs(os.path.dirname(program), exist_ok=True)
    source = os.path.join(HERE, "textbook.c")
    compiler = os.environ.get("CC", "cc")
    subprocess.run([compiler, "-D_GNU_SOURCE", "-O2", "-o", program, source], check=True)
    return program


def start_textbook():
    port = zyg.free_port()
    process = subprocess.Popen([build_textbook(), str(port)])

    def answers():
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError:
            return False

    zyg.wait_until(answers, 5, "the textbook server listens")
    return process, port


def microseconds(text, percentile):
    number, unit = re.search(rf"\s{percentile}%\s+([\d.]+)(us|ms|s)\b", text).groups()
    return float(number) * MICROSECONDS[unit]


def measure(port, connections):
    """One run of wrk: (requests per second, mean us, median us, p99 us). Errors end the benchmark."""
    url = f"http://127.0.0.1:{port}/echo/"
    command = ["wrk", "-t1", f"-c{connections}", f"-d{DURATION}s", "--latency", url]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Socket errors" in text or "Non-2xx" in text:
        raise SystemExit(f"wrong answers:\n{text}")
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))
    return rate, connections / rate * 1e6, microseconds(text, 50), microseconds(text, 99)


def run_rounds(ports):
    """(server, connections) -> medians of rate, mean, p50, p99."""
    runs = {(server, n): [] for server in ports for n in CONNECTIONS}
    for number in range(ROUNDS):
        order = list(ports) if number % 2 == 0 else list(reversed(ports))
        for connections in CONNECTIONS:
            for server in order:
                runs[server, connections].append(measure(ports[server], connections))
    return {key: [statistics.median(column) for column in zip(*rows)] for key, rows in runs.items()}


def cpu_model():
    with open("/proc/cpuinfo") as file:
        names = re.findall(r"^model name\s*:\s*(.*)$", file.read(), re.M)
    return names[0] if names else platform.machine()


def print_table(results):
    print(f"machine: {os.cpu_count()} cores, {cpu_model()}, Linux {platform.release()}")
    print(f"wrk: 1 thread, {ROUNDS} rounds of {DURATION} s, medians\n")
    row = "{:>11}  {:<9} {:>11} {:>8} {:>8} {:>8}".format
    print(row("connections", "server", "requests/s", "mean us", "p50 us", "p99 us"))
    for connections in CONNECTIONS:
        for server in ("textbook", "zygoted"):
            print(row(connections, server, *(f"{n:.0f}" for n in results[server, connections])))
        one, other = results["zygoted", connections], results["textbook", connections]
        print(row("", "ratio", *(f"{a / b:.2f}" for a, b in zip(one, other))) + "\n")


def main():
    textbook, port = start_textbook()
    daemon = zyg.Zygoted(
        zyg.pool("echo", spare=16, max_children=64), requests_per_connection=1000000000
    )
    try:
        daemon.start()
        print_table(run_rounds({"textbook": port, "zygoted": daemon.port}))
    finally:
        daemon.stop()
        textbook.kill()
        textbook.wait()


if __name__ == "__main__":
    main()
