"""zygotectl top: as text, and on a terminal (a pty)."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios

import pytest

import zyg
from load import Load
from zyg import BOUND, pool, wait_until

ESCAPES = re.compile(rb"\x1b(\[[0-9;?>]*[A-Za-z]|[()][A-Z0-9]|[=>])|\x0f")


@pytest.fixture(scope="module")
def daemon():
    yield from zyg_shared(pool("echo"), pool("probe", timeout="60s"))


def zyg_shared(*pools):
    daemon = zyg.Zygoted(*pools)
    try:
        yield daemon.start()
    finally:
        daemon.stop()


def top(daemon, *arguments, timeout=60):
    command = [zyg.ZYGOTECTL, "-s", daemon.control, "top", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL)
    return result.returncode, result.stdout, result.stderr


def rows(frame):
    lines = frame.strip().splitlines()
    header = re.split(r"\s{2,}", lines[1].strip())
    return {row[0]: dict(zip(header, row)) for row in (re.split(r"\s{2,}", line.strip()) for line in lines[2:])}


def test_text_frames_have_rates_and_latencies(daemon):
    load = Load(daemon.port, lambda i: "/probe/sleep/20", 10**9, threads=2).start()
    try:
        wait_until(lambda: len(load.answers) > 10)
        code, text, errors = top(daemon, "-b", "-n", "2", "-d", "0.5")
    finally:
        load.stop()
    assert code == 0 and not errors
    frames = text.split("\n\n")
    assert len(frames) == 2
    for frame in frames:
        assert frame.startswith("front up ")
        probe, echo = rows(frame)["probe"], rows(frame)["echo"]
        assert 10 < float(probe["REQ/S"]) <= 100 and echo["REQ/S"] == "0"
        assert probe["P50"].endswith(" ms") and 10 <= float(probe["P50"].split()[0]) <= 250
        assert echo["P50"] == "-" and echo["STATE"] == "serving" and echo["PARKED"] == "4"


def test_failures_and_refusals(daemon):
    load = Load(daemon.port, lambda i: "/probe/error", 10**9, threads=1).start()
    try:
        wait_until(lambda: len(load.answers) > 5)
        frame = top(daemon, "-b", "-n", "1", "-d", "0.4")[1]
    finally:
        load.stop()
    assert float(rows(frame)["probe"]["FAILED/S"]) > 0


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "needs a terminal: use top -b"),
        (["-d", "x"], "usage: zygotectl top"),
        (["-d", "0"], "usage: zygotectl top"),
        (["-d", "nan"], "usage: zygotectl top"),
        (["-n", "-1"], "usage: zygotectl top"),
        (["-n", "0"], "usage: zygotectl top"),
        (["more"], "usage: zygotectl top"),
    ],
)
def test_what_cannot_be_is_said(daemon, arguments, message):
    code, text, errors = top(daemon, *arguments)
    assert code == 2 and message in errors and not text


def test_no_daemon(tmp_path):
    command = [zyg.ZYGOTECTL, "-s", str(tmp_path / "none"), "top", "-b"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.returncode == 2 and "is zygoted running?" in result.stderr


class Terminal:
    """zygotectl top on a pty of its own."""

    def __init__(self, daemon, *arguments, kind="xterm", size=(24, 120)):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
        self.process = subprocess.Popen(
            [zyg.ZYGOTECTL, "-s", daemon.control, "top", *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, "TERM": kind, "LANG": "C.UTF-8"},
        )
        os.close(slave)
        self.output = b""

    def read_more(self, wait=0.05):
        """Whether there was anything."""
        if not select.select([self.master], [], [], wait)[0]:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:  # the other end is closed
            return False
        self.output += data
        return bool(data)

    def read(self):
        self.read_more()
        return ESCAPES.sub(b"", self.output)

    def wait_for(self, text):
        wait_until(lambda: text in self.read(), what=f"{text} on the terminal")

    def press(self, key):
        self.output = b""
        os.write(self.master, key)

    def end(self):
        """The exit code, after everything was read."""
        wait_until(lambda: self.read() is None or self.process.poll() is not None, what="the end")
        while self.read_more():
            pass
        return self.process.returncode

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.master)


@pytest.fixture
def terminal():
    terminals = []

    def make(*arguments, **keys):
        terminals.append(Terminal(*arguments, **keys))
        return terminals[-1]

    yield make
    for each in terminals:
        each.close()


def test_the_terminal_shows_pools_and_obeys_keys(daemon, terminal):
    screen = terminal(daemon, "-d", "0.2")
    for text in (b"front up", b"POOL", b"echo", b"probe", b"serving", b"q quit", b"sort by: pool"):
        screen.wait_for(text)
    screen.press(b"s")
    screen.wait_for(b"rate")
    screen.press(b"p")
    screen.wait_for(b"go on (paused)")
    screen.press(b"q")
    assert screen.end() == 0


def test_pausing_asks_no_more(daemon, terminal):
    screen = terminal(daemon, "-d", "0.1")
    screen.wait_for(b"serving")
    screen.press(b"p")
    screen.wait_for(b"paused")

    def is_silent():
        screen.output = b""
        return all(screen.read() == b"" for _ in range(10))  # for five of its frames

    wait_until(is_silent)
    screen.press(b"p")
    wait_until(lambda: screen.read(), what="it goes on")


def test_it_ends_after_its_frames(daemon, terminal):
    assert terminal(daemon, "-d", "0.1", "-n", "3").end() == 0


def test_a_tiny_window_is_no_trouble(daemon, terminal):
    screen = terminal(daemon, "-d", "0.1", "-n", "3", size=(2, 5))
    assert screen.end() == 0


def test_an_unknown_terminal_is_said(daemon, terminal):
    screen = terminal(daemon, kind="nosuch")
    screen.wait_for(b'the terminal "nosuch" is not known')
    assert screen.end() == 2


def test_the_error_is_there_after_the_screen_is_gone(zygoted, terminal):
    daemon = zygoted()
    screen = terminal(daemon, "-d", "0.1")
    screen.wait_for(b"serving")
    daemon.process.terminate()
    daemon.process.wait(BOUND)
    assert screen.end() == 2
    assert b"is zygoted running?" in screen.read() or b"no answer from" in screen.read()
