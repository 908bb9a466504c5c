#!/usr/bin/python3
"""What TLS costs: echo over keep-alive connections with and without it, by wrk; and full handshakes per second against
`openssl s_server -www` on the same core, by `openssl s_time` on the others. Where these keep the clients too busy to
saturate a server, handshakes per second of the server's CPU time tell more.

Both of a pair are asked in turns, so that a disturbance hits both; figures are medians over the rounds.
ROUNDS, DURATION (seconds) and CONNECTIONS may be set in the environment.
"""

import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))

import certs  # noqa: E402
import zyg  # noqa: E402

ROUNDS = int(os.environ.get("ROUNDS", "5"))
DURATION = int(os.environ.get("DURATION", "3"))
CONNECTIONS = int(os.environ.get("CONNECTIONS", "16"))
CLIENTS = 3  # s_time does one handshake at a time
SERVER_CORE, CLIENT_CORES = "0", f"1-{os.cpu_count() - 1}"


def request_rate(url):
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{DURATION}s", url]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Socket errors" in text or "Non-2xx" in text:
        raise SystemExit(f"wrong answers:\n{text}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))


def cpu_seconds(pid):
    fields = zyg.read_proc(pid, "stat").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def handshake_rates(server, version):
    """Full handshakes per second, and per second of the server's CPU time; all clients together."""
    port, pid = server
    before = cpu_seconds(pid)
    limit = {"TLS 1.2": ["-tls1_2"], "TLS 1.3": ["-tls1_3"]}[version]
    command = ["taskset", "-c", CLIENT_CORES, "openssl", "s_time", "-new", *limit]
    command += ["-time", str(DURATION), "-connect", f"127.0.0.1:{port}"]
    clients = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(CLIENTS)]
    texts = [client.communicate()[0] for client in clients]
    counts = [re.search(r"(\d+) connections in (\d+) real seconds", text) for text in texts]
    rate = sum(int(found.group(1)) / int(found.group(2)) for found in counts)
    return rate, sum(int(found.group(1)) for found in counts) / (cpu_seconds(pid) - before)


def start_s_server(certificate):
    port = zyg.free_port()
    command = ["taskset", "-c", SERVER_CORE, "openssl", "s_server", "-www", "-quiet", "-accept", str(port)]
    command += ["-cert", certificate.chain, "-key", certificate.key]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    probe = ["openssl", "s_time", "-new", "-time", "1", "-connect", f"127.0.0.1:{port}"]
    zyg.wait_until(lambda: subprocess.run(probe, capture_output=True).returncode == 0, 20)
    return process, port


def medians(measure, what):
    """Each of `what` in turns; name -> median, or medians."""
    runs = {name: [] for name in what}
    for number in range(ROUNDS):
        for name in list(what) if number % 2 == 0 else reversed(list(what)):
            runs[name].append(measure(what[name]))
    if isinstance(runs[next(iter(runs))][0], tuple):
        return {name: [statistics.median(column) for column in zip(*rows)] for name, rows in runs.items()}
    return {name: statistics.median(values) for name, values in runs.items()}


def compare_requests(daemon):
    urls = {"plain": f"http://127.0.0.1:{daemon.ports[0]}/echo/"}
    urls["TLS"] = f"https://127.0.0.1:{daemon.ports[1]}/echo/"
    rates = medians(request_rate, urls)
    for name, rate in rates.items():
        print(f"echo, {CONNECTIONS} connections kept alive, {name:<6} {rate:9.0f} requests/s")
    print(f"{'ratio':>52} {rates['TLS'] / rates['plain']:9.2f}   (wanted: 0.85)\n")


def compare_handshakes(daemon, certificate, kind):
    s_server, port = start_s_server(certificate)
    servers = {"s_server": (port, s_server.pid), "zygoted": (daemon.ports[1], daemon.front_pid())}
    subprocess.run(["taskset", "-pc", SERVER_CORE, str(daemon.front_pid())], check=True, capture_output=True)
    try:
        for version in ("TLS 1.3", "TLS 1.2"):
            rates = medians(lambda its: handshake_rates(its, version), servers)
            for name, (rate, cpu_rate) in rates.items():
                print(f"full handshakes, {kind:<3}, {version}, {name:<9} {rate:9.0f} /s {cpu_rate:9.0f} /CPU second")
            ratios = [a / b for a, b in zip(rates["zygoted"], rates["s_server"])]
            print(f"{'ratio':>40} {ratios[0]:9.2f}    {ratios[1]:9.2f}   (wanted: 0.80)")
    finally:
        s_server.kill()
        s_server.wait()


def run(authority, kind):
    certificate = authority.issue(f"server-{kind}", "DNS:localhost,IP:127.0.0.1", kind=kind)
    echo = zyg.pool("echo", spare=16, max_children=64)
    daemon = zyg.Zygoted(
        echo, listeners=2, requests_per_connection=1000000000,
        tls={"certificate": certificate.chain, "key": certificate.key},
    )  # fmt: skip
    try:
        daemon.start()
        if kind == "ec":
            compare_requests(daemon)
        compare_handshakes(daemon, certificate, kind)
    finally:
        daemon.stop()


def main():
    print(f"machine: {os.cpu_count()} cores, Linux {platform.release()}; {ROUNDS} rounds of {DURATION} s\n")
    with tempfile.TemporaryDirectory() as folder:
        authority = certs.Authority(folder)
        run(authority, "ec")
        run(authority, "rsa")


if __name__ == "__main__":
    main()
