#!/usr/bin/python3
"""One Flask application under zygoted and under its peers, one run of wrk after the other; Lua and a CGI program against echo.

Servers that are not installed are left out. Each figure is the median over the rounds; rounds take the servers in turns, so that
a disturbance hits all. "warm" reuses its processes: no isolation. "fresh" is one process for each request.
ROUNDS, DURATION (seconds), CONNECTIONS ("1 16"), ONLY (an expression that names of servers must match) and OPTIONS (keys of zygoted's
pools, such as 'image = "frozen"') may be set in the environment. Packages: wrk python3-flask gunicorn uwsgi-core uwsgi-plugin-python3 python3-numpy python3-pandas.
"""

import importlib.util
import os
import platform
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))

import programs  # noqa: E402
import pyapps  # noqa: E402
import python_limit  # noqa: E402
import python_memory  # noqa: E402
import zyg  # noqa: E402

ROUNDS = int(os.environ.get("ROUNDS", "3"))
DURATION = int(os.environ.get("DURATION", "3"))
CONNECTIONS = [int(word) for word in os.environ.get("CONNECTIONS", "1 16").split()]
ONLY = re.compile(os.environ.get("ONLY", ""))
MICROSECONDS = {"us": 1, "ms": 1000, "s": 1000000}
APP, PATH = "flask_site:app", "/count"
PACED_REQUESTS, PAUSE_US = 200, 20000
FORKING = """
import sys
from werkzeug.serving import run_simple, WSGIRequestHandler
from flask_site import app
WSGIRequestHandler.log_request = lambda *_: None
run_simple("127.0.0.1", int(sys.argv[1]), app, processes=40)
"""


class Peer:
    """Another server, in a process group of its own."""

    def __init__(self, apps, command):
        self.port = zyg.free_port()
        command = [word.replace("PORT", str(self.port)) for word in command]
        self.log = open(os.path.join(apps, "peers.log"), "ab")
        self.process = subprocess.Popen(command, cwd=apps, stdout=self.log, stderr=self.log,
                                        start_new_session=True)
        zyg.wait_until(self.answers, 20, command[0])

    def answers(self):
        if self.process.poll() is not None:
            raise SystemExit(f"{self.process.args}: see {self.log.name}")
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def stop(self):
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.log.close()


def peers():
    """name -> command, of those that are installed. As many processes as processors where they are reused."""
    processes = str(os.cpu_count())
    found = {"werkzeug, forking": [pyapps.PYTHON, "-c", FORKING, "PORT"]}
    if importlib.util.find_spec("gunicorn"):
        gunicorn = [pyapps.PYTHON, "-m", "gunicorn", "-b", "127.0.0.1:PORT", "-w", processes, APP]
        found["gunicorn, warm"] = gunicorn
        found["gunicorn, fresh"] = [*gunicorn, "--max-requests", "1"]
    if shutil.which("uwsgi"):
        uwsgi = ["uwsgi", "--plugin", "python3", "--http-socket", "127.0.0.1:PORT", "--master",
                 "-p", processes, "--pythonpath", ".", "-w", APP, "--disable-logging"]
        found["uwsgi, warm"] = uwsgi
        fresh = ["--max-requests", "1", "--min-worker-lifetime", "0"]  # else a process lives for 60 s
        found["uwsgi, fresh"] = [*uwsgi, *fresh]
    return found


def zygoted_pools(apps, folder):
    extra = dict(re.findall(r'(\w+)\s*=\s*"?([^";\n]+)"?', os.environ.get("OPTIONS", "")))
    keys = {"spare": 16, "max_children": 64, "memory": "256M", "timeout": "10s", **extra}
    warm = {"warmup": f"GET {PATH}"}
    sections = {
        "zygoted": pyapps.python_pool("flask", apps, APP, warm, routes=[PATH], **keys),
        "zygoted, echo": zyg.pool("echo", routes=["/echo"], **keys),
        "zygoted, lua": zyg.pool("lua", options={"script": f"{apps}/deeds.lua"}, routes=["/hello"], **keys),
    }
    if os.path.exists(programs.DEEDS):
        sections["zygoted, exec"] = programs.program_pool("exec", folder, routes=["/exec"], **keys)
    if importlib.util.find_spec("pandas"):
        large = {**warm, "preload": ["numpy", "pandas"], "script_name": "/large"}
        sections["zygoted, pandas"] = pyapps.python_pool(
            "pandas", apps, APP, large, routes=["/large"], **keys)
    return {name: section for name, section in sections.items() if ONLY.search(name)}


PATHS = {"zygoted, exec": "/exec/canary", "zygoted, echo": "/echo", "zygoted, lua": "/hello", "zygoted, pandas": f"/large{PATH}"}


def measure(name, port, connections):
    """One run of wrk: (requests per second, median us, p99 us, errors)."""
    url = f"http://127.0.0.1:{port}{PATHS.get(name, PATH)}"
    command = ["wrk", "-t1", f"-c{connections}", f"-d{DURATION}s", "--latency", url]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    if "Non-2xx" in text:
        raise SystemExit(f"{name} gives wrong answers:\n{text}")

    def microseconds(percentile):
        number, unit = re.search(rf"\s{percentile}%\s+([\d.]+)(us|ms|s)\b", text).groups()
        return float(number) * MICROSECONDS[unit]

    # A server that closes each connection has a read error for each request.
    errors = [int(n) for n in re.findall(r"(?:connect|read|write|timeout) (\d+)", text)]
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))
    return rate, microseconds(50), microseconds(99), sum(errors)


def run_rounds(ports):
    runs = {}
    for number in range(ROUNDS):
        for connections in CONNECTIONS:
            names = list(ports) if number % 2 == 0 else list(reversed(ports))
            for name in names:
                runs.setdefault((name, connections), []).append(
                    measure(name, ports[name], connections))
    return {key: [statistics.median(column) for column in zip(*rows)] for key, rows in runs.items()}


def measure_paced(name, port):
    """A request every PAUSE_US on one connection: what it takes where the machine has time for the next child: (median us, p99 us)."""
    program = os.path.join(zyg.BUILD, "tests", "bench", "paced")
    command = [program, str(port), str(PACED_REQUESTS), str(PAUSE_US), PATHS.get(name, PATH)]
    return tuple(map(float, subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()))


def print_paced(ports):
    runs = {}
    for _ in range(ROUNDS):
        for name in ports:
            if "fresh" not in name:  # slower than the pace
                runs.setdefault(name, []).append(measure_paced(name, ports[name]))
    print(f"\none request every {PAUSE_US // 1000} ms, {PACED_REQUESTS} of them:")
    row = "{:<18} {:>10} {:>10}".format
    print(row("server", "p50 us", "p99 us"))
    for name, figures in runs.items():
        print(row(name, *(f"{statistics.median(column):.0f}" for column in zip(*figures))))


def ratio(results, one, other, column, connections):
    if (one, connections) not in results or (other, connections) not in results:
        return None
    below = results[other, connections][column]
    return results[one, connections][column] / below if below else None


# What is promised of the ratios: servers, column of the results, connections, bound.
PROMISES = [
    ("median to gunicorn, warm", "zygoted", "gunicorn, warm", 1, 1, "at most 2"),
    ("median with pandas to without", "zygoted, pandas", "zygoted", 1, 1, "at most 1.3"),
    ("rate to werkzeug, forking", "zygoted", "werkzeug, forking", 0, 16, "at least 4"),
    ("rate to gunicorn, fresh", "zygoted", "gunicorn, fresh", 0, 16, "at least 40"),
    ("rate to uwsgi, fresh", "zygoted", "uwsgi, fresh", 0, 16, "at least 40"),
    ("rate to gunicorn, warm", "zygoted", "gunicorn, warm", 0, 16, "stated"),
    ("rate of lua to echo", "zygoted, lua", "zygoted, echo", 0, 16, "at least 0.85"),
    ("rate of a program by CGI to echo", "zygoted, exec", "zygoted, echo", 0, 16, "stated"),
]


def print_costs(daemon):
    """What a request's child costs, from its fork to its end, by the kernel's count."""
    row = "{:<8} {:>12} {:>8}".format
    print("\n" + row("pool", "CPU us", "faults"))
    for pool in daemon.ctl("stats")["pools"]:
        print(row(pool["pool"], pool["cpu_mean_us"], pool["minor_faults_mean"]))


def print_tables(results, ports, daemon):
    print(f"{os.cpu_count()} cores, Linux {platform.release()}; wrk: {ROUNDS} rounds of {DURATION} s\n")
    row = "{:>11}  {:<18} {:>10} {:>10} {:>10} {:>7}".format
    print(row("connections", "server", "requests/s", "p50 us", "p99 us", "errors"))
    for connections in CONNECTIONS:
        for name in ports:
            print(row(connections, name, *(f"{n:.0f}" for n in results[name, connections])))
    print()
    for what, one, other, column, connections, bound in PROMISES:
        found = ratio(results, one, other, column, connections)
        if found is not None:
            print(f"{what} ({connections} connections): {found:.2f} ({bound})")
    print_costs(daemon)
    for command in ("stats", "memory"):
        print(f"\n{daemon.zygotectl(command)[1]}", end="")


def print_more(apps, sections):
    """What needs root."""
    names = {"flask": "zygoted", "echo": "zygoted, echo", "lua": "zygoted, lua"}
    pools = {pool: (sections[name], PATHS.get(name, PATH)) for pool, name in names.items() if name in sections}
    if os.getuid() != 0:
        print("\nnot as root: neither the limit by forking nor what is copied can be told")
        return
    python_limit.print_limits(pools, ROUNDS)
    if "flask" in pools:
        python_memory.print_regions(apps)
        python_memory.print_prefault(apps)


def print_rates(apps, sections):
    """zygoted and its peers, all at once, asked in turns."""
    daemon = zyg.Zygoted(*sections.values(), requests_per_connection=1000000000)
    started = {}
    try:
        daemon.start()
        for name, command in peers().items():
            if ONLY.search(name):
                started[name] = Peer(apps, command)
        ports = {name: daemon.port for name in sections}
        ports |= {name: peer.port for name, peer in started.items()}
        print_tables(run_rounds(ports), ports, daemon)
        print_paced(ports)
    finally:
        for peer in started.values():
            peer.stop()
        daemon.stop()


def main():
    apps = pyapps.copy_apps()
    folder = programs.make_folder() if os.path.exists(programs.DEEDS) else None
    sections = zygoted_pools(apps, folder)
    try:
        print_rates(apps, sections)
        print_more(apps, sections)
    finally:
        pyapps.remove_apps(apps)
        if folder:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
