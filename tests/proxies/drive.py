"""A client that has many connections at once, sends whatever bytes it is given, and reads until the end or until its patience
ends: nobody knows how many answers there will be. One thread and epoll."""

import re
import select
import socket
import time
from dataclasses import dataclass, field

from witness import Witness

PARALLEL = 96
PATIENCE = 0.4  # seconds without a byte
RECEIVED_MAX = 1 << 20
IP_BIND_ADDRESS_NO_PORT = 24  # ip(7)

LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)", re.I)
CODING = re.compile(rb"\r\ntransfer-encoding:[ \t]*chunked", re.I)
CHUNK = re.compile(rb"([0-9a-fA-F]+)[^\r\n]*\r\n")
ID = re.compile(rb"\r\nx-request-id:[ \t]*([^\r\n]*)", re.I)
WITNESS = re.compile(rb"\r\nx-witness:[ \t]*([^\r\n]*)", re.I)
REASON = re.compile(rb"\r\nx-zygoted-reason:[ \t]*([^\r\n]*)", re.I)


@dataclass
class Case:
    """What is sent on one connection, and what came back. `step`: bytes at a time; 0: all at once."""

    number: int
    port: int
    data: bytes
    step: int = 0
    client: str = ""  # address, as the proxy sees it
    received: bytes = b""
    gave_up: bool = False
    sent: int = 0
    patience_ends: float = 0.0
    socket: object = field(default=None, repr=False)


def source_address(number):
    """Each of the next million connections has its own address of the loopback network: that names it in logs."""
    return f"127.{1 + (number >> 16) % 254}.{number >> 8 & 255}.{number & 255}"


class Drive:
    """Runs cases, PARALLEL at a time."""

    connections = 0  # of all drives

    def __init__(self, patience=PATIENCE):
        self.patience = patience
        self.poll = select.epoll()
        self.open = {}

    def run(self, cases):
        left = iter(cases)
        while True:
            while len(self.open) < PARALLEL and (case := next(left, None)):
                self.begin(case)
            if not self.open:
                self.poll.close()
                return cases
            for number, events in self.poll.poll(0.02):
                self.go_on(self.open[number], events)
            self.end_impatient()

    def begin(self, case):
        case.socket = socket.socket()
        case.socket.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        Drive.connections += 1
        case.socket.bind((source_address(Drive.connections), 0))
        case.socket.connect(("127.0.0.1", case.port))
        case.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        case.socket.setblocking(False)
        case.client = case.socket.getsockname()[0]
        case.patience_ends = time.monotonic() + self.patience
        self.open[case.socket.fileno()] = case
        self.poll.register(case.socket.fileno(), select.EPOLLIN)
        self.send(case)

    def send(self, case):
        try:
            end = case.sent + case.step if case.step else len(case.data)
            case.sent += case.socket.send(case.data[case.sent : end])
        except BlockingIOError:
            pass
        except OSError:  # it has closed; what it said before is still to be read
            case.sent = len(case.data)
        more = select.EPOLLOUT if case.sent < len(case.data) else 0
        self.poll.modify(case.socket.fileno(), select.EPOLLIN | more)

    def go_on(self, case, events):
        if events & select.EPOLLOUT:
            self.send(case)
        if not events & ~select.EPOLLOUT:
            return
        try:
            data = case.socket.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        case.received += data
        case.patience_ends = time.monotonic() + self.patience
        if not data or len(case.received) > RECEIVED_MAX:
            self.end(case)

    def end(self, case):
        del self.open[case.socket.fileno()]
        self.poll.unregister(case.socket.fileno())
        case.socket.close()
        case.socket = None

    def end_impatient(self):
        now = time.monotonic()
        for case in [case for case in self.open.values() if case.patience_ends < now]:
            case.gave_up = True
            self.end(case)


@dataclass
class Answer:
    status: int
    id: str
    reason: bytes  # of the daemon's refusal, else empty
    witness: Witness | None
    body: bytes
    complete: bool

    @property
    def is_torn(self):
        """Head and body do not belong together."""
        if self.status != 200 or self.witness is None or self.witness.is_head or not self.complete:
            return False
        return self.body.rstrip(b" \t\n") != self.witness.text


def first(pattern, head):
    match = pattern.search(head)
    return match[1] if match else b""


def take_body(data, at, head, witness):
    """(body, where it ends, complete). An answer to HEAD has none; if it is not a worker's, that shows by what follows."""
    if witness is not None and witness.is_head:
        return b"", at, True
    if data.startswith(b"HTTP/1.", at) or at == len(data):
        return b"", at, True
    if CODING.search(head):
        return take_chunks(data, at)
    length = LENGTH.search(head)
    end = at + int(length[1]) if length else len(data)
    return data[at:end], min(end, len(data)), end <= len(data)


def take_chunks(data, at):
    body = b""
    while match := CHUNK.match(data, at):
        size = int(match[1], 16)
        at = match.end() + size + 2
        body += data[match.end() : match.end() + size]
        if size == 0:
            return body, at, at <= len(data)
    return body, len(data), False


def parse_answers(data):
    """All final answers of a connection, and what is left that is none."""
    answers, at = [], 0
    while at < len(data):
        end = data.find(b"\r\n\r\n", at)
        if not data.startswith(b"HTTP/1.", at) or end < 0:
            return answers, data[at:]
        head = data[at : end + 2]
        status = int(head[9:12])
        if status == 100:
            at = end + 4
            continue
        told = first(WITNESS, head)
        witness = Witness(told.rstrip(b" \t")) if told else None
        body, at, complete = take_body(data, end + 4, head, witness)
        identity = first(ID, head).decode("latin-1")
        answers.append(Answer(status, identity, first(REASON, head), witness, body, complete))
    return answers, b""
