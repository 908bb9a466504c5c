"""What workers executed against what the proxy believes to have forwarded, and the answers against both.

Every request that a proxy forwards has an id that the proxy alone knows, so that requests are matched by it and by nothing
that a client wrote. The rules:

- What was executed was forwarded, once, with that method and target, and with that body as far as the proxy tells: nginx and
  HAProxy of what they buffer, Varnish its length, if that is no chunked one.
- What the proxy has a worker's answer for was executed, and the answer is that one's.
- A client's answers are to requests of its own connection, in the order in which it sent them, and head and body of an answer
  belong together.
- A request that is valid by the grammar, as all before it on its connection, arrives as it was sent: method, target, body.
- Where all requests of a connection are valid, the daemon behind the proxy refuses none, unless the proxy has added what
  makes it invalid (REFUSALS_BY_ADDITION), and no answer of the daemon's is one that the proxy cannot use.

What is left to a proxy: to refuse what the daemon would accept, to tidy up what it would refuse, to answer by itself, to
forget a request whose client has left, and to write a target in another way, as long as its log says which; an absolute one
stands for its path. nginx and Apache understand HTTP/0.9, whose answers have no head; Apache and HAProxy put headers of one
name, and lines that are folded, into one line; Varnish makes a part of an answer for Range, and answers 503 itself to chunk
extensions and trailers, which it cannot read.
"""

import json
import os
import re
import time
from collections import Counter
from dataclasses import dataclass, replace
from zlib import crc32

from drive import parse_answers
from grammar import read
from proxies import READY
from witness import tell

SETTLE_BOUND = 10.0
# A header or, as HAProxy does, an option of Connection beyond the limits; a Host other than an absolute target has, as
# Varnish does if that has no path.
REFUSALS_BY_ADDITION = (b"too many headers", b"head too large", b"too many Connection options", b"target and Host differ")
BAD_GATEWAY = (502, 504)
SHOWN = 1024  # bytes of a target in the daemon's log
METHOD_SHOWN = 400  # it has some more
OURS = re.compile(rb"n([0-9a-f]{7})-([0-9a-f]{3})")
TOLD = re.compile(rb"[0-9a-f]{8} [0-9a-f]{8} [0-9a-f]{8} \d")  # how a worker's answer begins
ABSOLUTE = re.compile(rb"(?i:https?)://[^/?]*")


@dataclass
class Executed:
    """A request that a child was given, from the daemon's access log."""

    id: str
    begun: str
    method: bytes
    target: bytes
    nonce: bytes
    body_bytes: int
    outcome: str


class AccessLog:
    """The daemon's, read as it grows."""

    def __init__(self, daemon):
        self.path = daemon.access
        self.seen = 0
        self.rest = b""
        self.refused = 0

    def executed(self):
        if not os.path.exists(self.path):
            return []
        with open(self.path, "rb") as file:
            file.seek(self.seen)
            data = file.read()
        self.seen += len(data)
        *lines, self.rest = (self.rest + data).split(b"\n")
        return [record for record in map(self.parse, lines) if record is not None]

    def parse(self, line):
        values = json.loads(line)
        if "generation" not in values:
            self.refused += 1
            return None
        if values["target"].encode() == READY:
            return None
        method, target, nonce = (values[key].encode("latin-1") for key in ("method", "target", "agent"))
        return Executed(values["request"], values["time"], method, target, nonce, values["bytes_in"], values["outcome"])


def path_of(target):
    """Without scheme and authority, and without a '?' that nothing follows."""
    absolute = ABSOLUTE.match(target)
    if absolute:
        target = target[absolute.end() :]
    if not target.startswith((b"/", b"*")):
        target = b"/" + target
    return target.removesuffix(b"?")


def is_foreign(text, case):
    """Whether it has a nonce that was not sent there. Proxies join lines of one name, and lines that are folded."""
    return any(match.group() not in case.data for match in OURS.finditer(text))


def is_by_addition(answer):
    return any(text in answer.body for text in REFUSALS_BY_ADDITION)


def is_same(logged, target):
    """`logged` may be the beginning of a long one."""
    return path_of(logged)[: SHOWN - 64] == path_of(target)[: SHOWN - 64]


class Ledger:
    def __init__(self, daemon, proxy):
        self.daemon = daemon
        self.proxy = proxy
        self.log = AccessLog(daemon)
        self.forwarded = {}
        self.executed = {}
        self.counts = Counter()
        self.findings = []

    def find(self, text, case=None):
        where = f" (case {case.number}, {case.data!r:.1000})" if case else ""
        self.findings.append(f"{self.proxy.name}: {text:.1000}{where}")

    # ---- collecting ----

    def collect(self):
        for record in self.proxy.forwarded():
            self.counts["forwarded"] += 1
            if self.forwarded.setdefault(record.id, record) is not record:
                self.find(f"an id forwarded twice: {record}")
        for record in self.log.executed():
            if self.executed.setdefault(record.id, record) is not record:
                self.find(f"executed twice: {record}")

    def unmatched(self):
        """Ids that one side knows and the other should."""
        expected = {record.id for record in self.forwarded.values() if 200 <= record.status < 300}
        return (self.executed.keys() - self.forwarded.keys()) | (expected - self.executed.keys())

    def settle(self):
        """Waits until no request runs and both logs tell the same, but not forever: what is missing then is a finding."""
        end = time.monotonic() + SETTLE_BOUND
        while time.monotonic() < end:
            pool = self.daemon.pool("witness")
            self.collect()
            if pool["busy"] == pool["queued"] == 0 and not self.unmatched():
                return
            time.sleep(0.02)

    # ---- comparing ----

    def close(self, cases):
        """Compares what these cases and their answers have led to."""
        self.settle()
        by_client = {}
        for case in cases:
            by_client.setdefault(case.client, case)
        for identity in self.unmatched():
            self.compare_unmatched(identity)
        for identity in self.executed.keys() & self.forwarded.keys():
            self.compare_pair(self.executed[identity], self.forwarded[identity])
        self.compare_order(by_client)
        for case in cases:
            self.compare_answers(case)
        self.count(cases)
        self.forget()

    def forget(self):
        """All but what was forwarded and has come to nothing yet: such a request may still have run when its client left."""
        for identity in self.unmatched() | self.executed.keys():
            self.forwarded.pop(identity, None)
        self.executed.clear()

    def count(self, cases):
        self.counts["cases"] += len(cases)
        self.counts["executed"] += len(self.executed)
        self.counts["given up"] += sum(case.gave_up for case in cases)
        self.counts["refused behind the proxy"] += self.log.refused
        self.log.refused = 0

    def compare_unmatched(self, identity):
        if identity in self.executed:
            self.find(f"executed but not forwarded: {self.executed[identity]}")
        else:
            self.find(f"answered but not executed: {self.forwarded[identity]}")

    def compare_pair(self, executed, forwarded):
        is_method = executed.method[:METHOD_SHOWN] == forwarded.method[:METHOD_SHOWN]
        if not is_method or not is_same(executed.target, forwarded.target):
            self.find(f"executed {executed} is not what was forwarded: {forwarded}")
        size = forwarded.body_bytes if forwarded.body is None else len(forwarded.body)
        if size is not None and executed.outcome == "ok" and executed.body_bytes != size:
            self.find(f"executed with another body: {executed} {forwarded}")
        if 200 <= forwarded.status < 300 and (forwarded.answer_id != forwarded.id or executed.outcome != "ok"):
            self.find(f"answer of another request: {forwarded} {executed}")

    def compare_order(self, by_client):
        """Requests of a connection, by the nonces that have come through unchanged."""
        last = {}
        for record in sorted(self.executed.values(), key=lambda record: record.begun):
            nonce, forwarded = OURS.fullmatch(record.nonce), self.forwarded.get(record.id)
            case = by_client.get(forwarded.client) if forwarded else None
            if nonce is None or case is None:
                continue
            if is_foreign(record.nonce, case):
                self.find(f"a request of another connection: {record} {forwarded}", case)
            if nonce[2] <= last.get(case.client, b""):
                self.find(f"executed out of order or again: {record}", case)
            last[case.client] = nonce[2]

    def compare_answers(self, case):
        answers, rest = parse_answers(case.received)
        if TOLD.search(rest) and is_foreign(rest, case):
            self.find(f"a worker's answer without a head: {rest}", case)
        if rest and not case.gave_up and rest != case.received:
            self.counts["bytes that are no answer"] += 1
        valid = {request.nonce: request for request in read(case.data).requests if OURS.fullmatch(request.nonce)}
        is_valid = read(case.data).end != "refused"
        last = -1
        for answer in answers:
            self.counts[f"answers {answer.status // 100}xx"] += 1
            if is_valid and answer.reason == b"bad-request" and not is_by_addition(answer):
                self.find(f"refused behind the proxy ({answer.reason.decode()}) though valid", case)
            if is_valid and answer.status in BAD_GATEWAY and not answer.reason:
                self.find(f"the proxy could not use the daemon's answer: {answer}", case)
            if answer.witness is not None:
                self.compare_answer(case, answer, valid)
                last = self.compare_place(case, answer, last)

    def compare_place(self, case, answer, last):
        place = case.data.find(answer.witness.nonce)
        if not OURS.fullmatch(answer.witness.nonce):
            return last
        if place <= last:
            self.find(f"answers out of order: {answer}", case)
        return place

    def compare_answer(self, case, answer, valid):
        self.counts["answers of workers"] += 1
        forwarded = self.forwarded.get(answer.id)
        if forwarded is None or forwarded.client != case.client or answer.id not in self.executed:
            self.find(f"an answer that is not this client's: {answer} {forwarded}", case)
        if answer.is_torn:
            self.find(f"head and body of different answers: {answer}", case)
        if is_foreign(answer.witness.nonce, case):
            self.find(f"a nonce that was not sent: {answer}", case)
        if forwarded is not None and forwarded.body is not None:
            self.counts["bodies compared with the proxy's"] += 1
            if answer.witness.body != crc32(forwarded.body):
                self.find(f"the body has changed: {answer} {forwarded}", case)
        request = valid.get(answer.witness.nonce)
        if request is not None:
            self.counts["answers compared in full"] += 1
            target = path_of(forwarded.target) if forwarded is not None else request.target
            if answer.witness.text not in (tell(request), tell(replace(request, target=target))):
                self.find(f"{request} was executed as something else: {answer}", case)
