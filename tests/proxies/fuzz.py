#!/usr/bin/python3
"""Sends random mutations of the corpus through a proxy, or to the daemon itself, and compares (see ledger.py).

    fuzz.py [--proxy NAME]... [--count N] [--seed TEXT] [--first N]

Any case can be had again by its seed and number: --first NUMBER --count 1 --show.
"""

import argparse
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "e2e")]

import mutate  # noqa: E402
import witness  # noqa: E402
from drive import Case, Drive, parse_answers  # noqa: E402
from grammar import read  # noqa: E402
from ledger import AccessLog, Ledger  # noqa: E402
from proxies import PROXIES  # noqa: E402

BATCH = 2000  # is sent, then compared
FINDINGS_SHOWN = 20  # and then it is enough
DIRECT = "none"
NOT_FOUND = 404  # OPTIONS * is for no pool


class Direct:
    """No proxy: the daemon's answers are compared with the grammar."""

    name = DIRECT

    def __init__(self, daemon):
        self.log = AccessLog(daemon)
        self.findings, self.counts = [], {"cases": 0, "executed": 0, "refused": 0, "given up": 0, "without a route": 0}

    def close(self, cases):
        for case in cases:
            self.compare(case)
            self.counts["given up"] += case.gave_up

    def compare(self, case):
        reading = read(case.data)
        answers, rest = parse_answers(case.received)
        if any(answer.status == NOT_FOUND for answer in answers):  # then a body is not read, and the connection ends
            self.counts["without a route"] += 1
            return
        expected = [witness.tell(request) for request in reading.requests]
        got = [answer.witness.text for answer in answers if answer.witness is not None]
        refusals = [answer.status for answer in answers if answer.witness is None]
        self.counts["cases"] += 1
        self.counts["executed"] += len(got)
        self.counts["refused"] += len(refusals)
        torn = any(answer.is_torn for answer in answers)
        if (got, refusals) != (expected, [reading.status] * (reading.end == "refused")) or rest or torn:
            self.findings.append(f"none: {answers} and {rest!r}, not {reading} (case {case.number}, {case.data!r})")


class Bench:
    """A daemon and what stands before it: a proxy, or nothing. With a ledger, for as many rounds of cases as wanted."""

    def __init__(self, name):
        self.name = name
        self.nonces = witness.Nonces()
        self.daemon = self.proxy = self.ledger = None

    def __enter__(self):
        try:
            self.daemon = witness.make_daemon()
            self.daemon.start()
            if self.name != DIRECT:
                self.proxy = PROXIES[self.name](self.daemon.port)
                self.proxy.start()
        except BaseException:
            self.__exit__()
            raise
        self.ledger = Ledger(self.daemon, self.proxy) if self.proxy else Direct(self.daemon)
        return self

    def __exit__(self, *_):
        if self.proxy:
            self.proxy.stop()
        if self.daemon:
            self.daemon.stop()

    def case(self, number, data, step=0):
        """The ports take turns."""
        ports = self.proxy.ports if self.proxy else self.daemon.ports
        return Case(number, ports[number % len(ports)], self.nonces.fill(data), step)

    def run(self, cases, **more):
        self.ledger.close(Drive(**more).run(cases))

    def fuzz(self, seed, count, first=0, **more):
        """Yields the ledger after each batch."""
        numbers = range(first, first + count)
        for at in range(0, count, BATCH):
            self.run([self.case(number, mutate.make(seed, number)) for number in numbers[at : at + BATCH]], **more)
            yield self.ledger


def show(ledger, begun):
    counts = ", ".join(f"{key} {value}" for key, value in sorted(ledger.counts.items()))
    print(f"{time.monotonic() - begun:6.0f} s  {counts}; findings {len(ledger.findings)}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [DIRECT, *PROXIES]
    parser.add_argument("--proxy", action="append", choices=names, help="by default all that are installed, and none")
    parser.add_argument("--count", type=int, default=100000, help="cases for each proxy (100000)")
    parser.add_argument("--seed", default=str(int(time.time())))
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--show", action="store_true", help="print the bytes of the cases, and send nothing")
    options = parser.parse_args()
    if options.show:
        for number in range(options.first, options.first + options.count):
            print(number, mutate.make(options.seed, number))
        return 0
    failed = False
    for name in options.proxy or names:
        if name != DIRECT and not PROXIES[name].is_installed():
            print(f"{name}: not installed (make deps-proxies)")
            continue
        print(f"{name}: {options.count} cases, seed {options.seed}, from number {options.first}")
        begun = time.monotonic()
        with Bench(name) as bench:
            for ledger in bench.fuzz(options.seed, options.count, options.first):
                show(ledger, begun)
                if len(ledger.findings) >= FINDINGS_SHOWN:
                    break
            for finding in ledger.findings[:FINDINGS_SHOWN]:
                print(finding)
            failed = failed or bool(ledger.findings)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
