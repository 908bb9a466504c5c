"""The policy as `zygoted -x policy` prints it: what must happen to a call, and calls at the edges of each row."""

import dataclasses
import re
import subprocess

import zyg

WORD = 0xFFFFFFFF
ALLOW, KILL = ("allow", 0), ("kill", 0)

# Profiles of pools: each holds the rows of those before it, and every one those of "zygote".
CHAIN = ["compute", "files", "files-exec", "exec"]


@dataclasses.dataclass(frozen=True)
class Test:
    """One argument's low 32 bits: (value & mask) within low..high, or outside it."""

    index: int
    mask: int
    low: int
    high: int
    outside: bool = False

    def passes(self, args):
        return (self.low <= args[self.index] & self.mask <= self.high) != self.outside

    def passing(self):
        """A value that passes."""
        return self.low ^ (self.mask & -self.mask) if self.outside else self.low

    def edges(self):
        """Values at, around and far from the border, and each single bit away from a good one."""
        near = [self.low, self.low + 1, self.low - 1, self.high, self.high + 1, ~self.low, 0, 1, -1]
        bits = [self.low ^ (1 << bit) for bit in range(32)]
        high_half = [self.low | 1 << 32, self.low | WORD << 32]
        return [value & WORD for value in near + bits] + high_half


@dataclasses.dataclass(frozen=True)
class Row:
    profile: str
    call: str
    number: int
    tests: tuple
    verdict: tuple  # ("allow", 0), ("errno", 13), ("kill", 0)
    text: str

    def matches(self, number, args):
        return number == self.number and all(test.passes(args) for test in self.tests)

    def passing(self):
        """Arguments that pass every test, 0 where there is none."""
        args = [0] * 6
        for test in self.tests:
            args[test.index] = test.passing()
        return args


def parse_test(text):
    match = re.fullmatch(r"a(\d)(?:&(0x[0-9a-f]+))?(!?=)(0x[0-9a-f]+)(?:\.\.(0x[0-9a-f]+))?", text)
    index, mask, sign, low, high = match.groups()
    low = int(low, 16)
    high = int(high, 16) if high else low
    return Test(int(index), int(mask or hex(WORD), 16), low, high, sign == "!=")


def parse_row(line):
    profile, name, number, tests, action, error, reason = line.split("\t")
    assert reason, f"a row without a reason: {line}"
    tests = () if tests == "-" else tuple(parse_test(test) for test in tests.split(" "))
    return Row(profile, name, int(number), tests, (action, int(error)), line)


def read_rows():
    """All rows of the table, of whatever profile."""
    result = subprocess.run(
        [zyg.ZYGOTED, "-x", "policy"], capture_output=True, text=True, check=True
    )
    head, *lines = result.stdout.splitlines()
    assert head.startswith("#profile\t")
    return [parse_row(line) for line in lines]


class Policy:
    """The rows that bind a child of one profile."""

    def __init__(self, profile):
        held = CHAIN[: CHAIN.index(profile) + 1]
        rows = read_rows()
        last = {row.call: held.index(row.profile) for row in rows if row.profile in held}
        for row in rows:
            if row.profile in held:
                last[row.call] = max(last[row.call], held.index(row.profile))
        self.rows = [
            row
            for row in rows
            if row.profile == "zygote"
            or row.profile in held
            # A refusal gives way to a later profile's rows for the call.
            and (row.verdict == ALLOW or held.index(row.profile) == last[row.call])
        ]
        self.numbers = {row.call: row.number for row in self.rows}

    def row_of(self, number, args):
        padded = [arg & 0xFFFFFFFFFFFFFFFF for arg in [*args, 0, 0, 0, 0, 0, 0][:6]]
        return next((row for row in self.rows if row.matches(number, padded)), None)

    def verdict(self, number, args):
        row = self.row_of(number, args)
        return row.verdict if row else KILL

    def edges(self):
        """(number, args) around the tests of every row, without repetition."""
        found = {}
        for row in self.rows:
            for test in row.tests:
                for value in test.edges():
                    args = row.passing()
                    args[test.index] = value
                    found[row.number, tuple(args)] = None
        return list(found)
