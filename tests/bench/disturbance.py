#!/usr/bin/python3
"""What it does to requests when `memory`, `maps` and `metrics` are asked for ten times a second each: p99 with and without.

The state has 1 GiB. Rounds alternate; each figure is the median over them. ROUNDS, DURATION (seconds) and CONNECTIONS from the
environment.
"""

import os
import statistics
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))

import zyg  # noqa: E402
from wrk import run  # noqa: E402

ROUNDS = int(os.environ.get("ROUNDS", "7"))
DURATION = int(os.environ.get("DURATION", "3"))
CONNECTIONS = int(os.environ.get("CONNECTIONS", "4"))
COMMANDS = ("memory", "maps", "metrics")


class Poll:
    """Asks while it is open; `asked` counts answers."""

    def __init__(self, daemon):
        self.daemon, self.asked, self.stopped = daemon, 0, False
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.stopped:
            begin = time.monotonic()
            for command in COMMANDS:
                self.daemon.ctl(command)
                self.asked += 1
            time.sleep(max(0, 0.1 - (time.monotonic() - begin)))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopped = True
        self.thread.join()


def main():
    pool = zyg.pool("echo", options={"ballast": "1G"}, spare=16, max_children=64)
    daemon = zyg.Zygoted(pool, requests_per_connection=1000000000)
    quiet, polled, asked = [], [], 0
    try:
        daemon.start()
        url = f"http://127.0.0.1:{daemon.port}/echo/"
        run(url, CONNECTIONS, 1)
        for _ in range(ROUNDS):
            quiet.append(run(url, CONNECTIONS, DURATION))
            with Poll(daemon) as poll:
                polled.append(run(url, CONNECTIONS, DURATION))
            asked += poll.asked
    finally:
        daemon.stop()
        daemon.clean()
    for name in ("rate", "p50_us", "p99_us"):
        one, other = ([getattr(figures, name) for figures in runs] for runs in (quiet, polled))
        before, after = statistics.median(one), statistics.median(other)
        spread = f"{min(one):.0f}-{max(one):.0f} / {min(other):.0f}-{max(other):.0f}"
        print(f"{name:8} quiet {before:9.0f}  polled {after:9.0f}  ratio {after / before:.2f}  ({spread})")
    print(f"{asked / (ROUNDS * DURATION):.0f} answers of the control socket a second")


if __name__ == "__main__":
    main()
