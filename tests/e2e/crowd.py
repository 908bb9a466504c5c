"""A crowd of slow clients, in a process of its own: thousands of connections that cost the machine next to nothing.

    with Crowd(daemon, "head", 4000) as crowd:
        ...                                # all of them are connected and have sent their beginning

Each sends (or reads) a few bytes every `interval` seconds. Connections come from several addresses of the loopback
network, so that neither ports nor a limit of one source bound them. With `tls` they have shaken hands first.
"""

import argparse
import contextlib
import itertools
import os
import resource
import select
import socket
import ssl
import subprocess
import sys
import time

HEAD = b"GET /echo/ HTTP/1.1\r\nHost: a\r\nX: "
BIG = b"GET /probe/write/%(size)d HTTP/1.1\r\nHost: a\r\n\r\n"
SOURCES = 8
SLICES = 200  # a second
READ_BYTES = 16
RECEIVE_BUFFER = 2048
BLOCKED = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)

# What each kind sends at once, what it repeats byte by byte, and whether it reads as slowly.
KINDS = {
    "idle": (b"GET /echo/ HTTP/1.1\r\nHost: a\r\n\r\n", b"", False),
    "silent": (b"", b"", False),
    "head": (HEAD, b"x", False),
    "long-head": (HEAD + b"y" * 1000 + (b"\r\nX: " + b"y" * 1000) * 30, b"x", False),
    "body": (b"POST /probe/discard HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n", b"x", False),
    "chunked": (b"POST /probe/discard HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", False),
    "read": (BIG, b"", True),
    "greedy": (BIG + BIG * 1000, b"", True),
}  # fmt: skip


def raise_descriptors(count):
    """Room for that many, or an explanation."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < count:
        raise SystemExit(f"at most {hard} descriptors may be open")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count), hard))


# ---- the process ----


class Member:
    """One slow client."""

    def __init__(self, number, options, context):
        first, self.more, self.reads = KINDS[options.kind]
        self.socket = socket.socket()
        if self.reads:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        self.socket.bind((f"127.0.0.{2 + number % SOURCES}", 0))
        self.socket.connect(("127.0.0.1", options.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context:
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
        self.socket.setblocking(False)
        with contextlib.suppress(*BLOCKED):
            self.socket.send(first % {b"size": options.size} if b"%" in first else first)
        self.turn = 0

    def step(self):
        """Whether the connection is still of use. Raw bytes are read: who does not look needs not decrypt."""
        try:
            if self.reads:
                return bool(os.read(self.socket.fileno(), READ_BYTES))
            if self.more:
                self.turn = (self.turn + 1) % len(self.more)
                self.socket.send(self.more[self.turn - 1 : self.turn or None])
        except BLOCKED:
            pass
        except OSError:
            return False
        return True


def trust(path):
    if not path:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(path)
    return context


def is_told_to_end(seconds):
    return bool(select.select([sys.stdin], [], [], seconds)[0])


def dribble(members, interval):
    """A slice of them every few milliseconds: clients that have nothing to do with each other do not come in bursts. How many were cut off."""
    lost = 0
    start, done = time.monotonic(), 0
    for number in itertools.count(1):
        if is_told_to_end(max(0, start + number / SLICES - time.monotonic())):
            return lost
        due = int((time.monotonic() - start) / interval * len(members))
        for index in range(done, min(due, done + len(members))):
            member = members[index % len(members)]
            if member.socket and not member.step():
                member.socket.close()
                member.socket, lost = None, lost + 1
        done = due


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("count", type=int)
    parser.add_argument("port", type=int)
    parser.add_argument("--interval", type=float, default=5)
    parser.add_argument("--size", type=int, default=100000)
    parser.add_argument("--authority")
    options = parser.parse_args()
    os.nice(10)  # it stands for machines of somebody else's
    raise_descriptors(options.count + 50)
    context = trust(options.authority)
    members = [Member(number, options, context) for number in range(options.count)]
    print("there", flush=True)
    print(dribble(members, options.interval), flush=True)


# ---- its owner ----


class Crowd:
    """Starts one, waits until all are there; the block's end ends it. lost: how many the daemon had cut off by then."""

    def __init__(self, daemon, kind, count, authority=None, **options):
        port = daemon.ports[-1] if authority else daemon.port
        arguments = [kind, str(count), str(port), *(["--authority", authority] if authority else [])]
        arguments += [f"--{name}={value}" for name, value in options.items()]
        self.command = [sys.executable, os.path.abspath(__file__), *arguments]
        self.process = None
        self.lost = None

    def __enter__(self):
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        if self.process.stdout.readline() != "there\n":
            self.end()
            raise AssertionError("the crowd could not gather")
        return self

    def __exit__(self, *_):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write("\n")
            self.process.stdin.flush()
        self.lost = int(self.process.stdout.readline() or -1)
        self.end()

    def end(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(30)


if __name__ == "__main__":
    main()
