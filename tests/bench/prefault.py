#!/usr/bin/python3
"""What learned pre-copying brings: latency of one connection with and without it, and faults on the request's path.

A worker that writes to scattered pages, and where they are installed the Python worker with a Flask application; each frozen and
inherited. Daemons with and without stand beside each other and are asked in turns, so that a disturbance hits both; there is
a pause between requests, as pre-copying is for times when children are parked before they are needed. ROUNDS (of 50 requests)
may be set in the environment. Needs root.
"""

import importlib.util
import os
import statistics
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))

import pyapps  # noqa: E402
import zyg  # noqa: E402

ROUNDS = int(os.environ.get("ROUNDS", "10"))
BATCH = 50
PAUSE = 0.003
WARM_UP = 400


def pools(apps, **keys):
    """label -> (pool, path)"""
    touching = {"ballast": "16M", "touch": "400"}
    found = {"400 pages written": (zyg.pool("echo", options=touching, **keys), "/echo/")}
    if os.path.exists(pyapps.WORKER) and importlib.util.find_spec("flask"):
        found["Flask"] = (pyapps.python_pool("flask", apps, "flask_site:app", routes=["/"], **keys), "/count")
    return found


def timed(connection, path):
    start = time.perf_counter()
    connection.request("GET", path)
    response = connection.response("GET")
    taken = time.perf_counter() - start
    if response.status != 200:
        raise SystemExit(f"{path}: {response.status} {response.text}")
    time.sleep(PAUSE)
    return taken * 1e6


def measure(label, image, apps):
    daemons = {}
    for prefault in ("8M", "0"):
        section, path = pools(apps, image=image, prefault=prefault, spare=8)[label]
        daemons[prefault] = (zyg.Zygoted(section).start(), section["name"])
    links = {prefault: daemon.connect() for prefault, (daemon, _) in daemons.items()}
    for link in links.values():
        for _ in range(WARM_UP):
            timed(link, path)
    times = {"8M": [], "0": []}
    for _ in range(ROUNDS):
        for prefault, link in links.items():
            times[prefault] += [timed(link, path) for _ in range(BATCH)]
    daemon, name = daemons["8M"]
    stats, pool = daemon.stats(name), daemon.pool(name)
    for link in links.values():
        link.close()
    for daemon, _ in daemons.values():
        daemon.stop()
    without, with_it = (statistics.median(times[key]) for key in ("0", "8M"))
    faults = f'{stats["plain_faults_mean"]} -> {stats["prefault_faults_mean"]}'
    copied = f'{pool["prefault_bytes"] // 4096}/{pool["prefault_read_places"]}/{pool["prefault_runs"]}'
    print(f"{label:<20} {image:<10} {without:>9.0f} {with_it:>9.0f} {faults:>14} {copied:>16}", flush=True)


def main():
    if os.getuid() != 0:
        raise SystemExit("which pages children write to only root can learn")
    print(f'{"":<31} {"median us":>9} {"":>9} {"faults on the":>14} {"copied/mapped/":>16}')
    print(f'{"request":<20} {"image":<10} {"without":>9} {"with":>9} {"path":>14} {"runs":>16}')
    apps = pyapps.copy_apps()
    try:
        for label in pools(apps):
            for image in ("inherited", "frozen"):
                measure(label, image, apps)
    finally:
        pyapps.remove_apps(apps)


if __name__ == "__main__":
    main()
