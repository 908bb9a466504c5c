"""What the comparison finds when something is wrong: without this, its silence would mean nothing."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

import ledger as ledgers
import witness
from drive import Case
from grammar import read
from mutate import TAIL
from proxies import Forwarded

ADDRESS = "127.1.0.1"
ANSWER = b"HTTP/1.1 200 OK\r\nX-Request-Id: %s\r\nX-Witness: %s\r\nContent-Length: %d\r\n\r\n%s"


class Story:
    """One honest request through a proxy, as both logs and the client tell it; tests change a detail."""

    def __init__(self, folder):
        self.data = witness.Nonces().fill(TAIL)
        self.told = witness.tell(read(self.data).requests[0])
        self.forwarded = [Forwarded("one", ADDRESS, b"GET", b"/tail", 200, "one")]
        self.executed = [self.line("one", read(self.data).requests[0].nonce)]
        self.received = self.answer()
        self.path = folder / "access"

    def line(self, identity, nonce, method="GET", target="/tail", outcome="ok"):
        return {
            "request": identity, "time": "2026-01-01T00:00:00.000000Z", "method": method, "target": target,
            "agent": nonce.decode(), "bytes_in": 0, "outcome": outcome, "generation": 1,
        }  # fmt: skip

    def answer(self, identity=b"one", head=None, body=None):
        body = (body or self.told) + b"\n"
        return ANSWER % (identity, head or self.told, len(body), body)

    def findings(self):
        self.path.write_text("".join(json.dumps(line) + "\n" for line in self.executed))
        daemon = SimpleNamespace(access=str(self.path), pool=lambda _: {"busy": 0, "queued": 0})
        proxy = SimpleNamespace(name="proxy", forwarded=lambda: self.forwarded)
        ledger = ledgers.Ledger(daemon, proxy)
        ledger.close([Case(0, 0, self.data, client=ADDRESS, received=self.received)])
        return ledger.findings


@pytest.fixture
def story(tmp_path, monkeypatch):
    monkeypatch.setattr(ledgers, "SETTLE_BOUND", 0.1)
    return Story(tmp_path)


def expect(story, text):
    findings = story.findings()
    assert any(text in finding for finding in findings), findings


def test_an_honest_story_has_no_finding(story):
    assert story.findings() == []


def test_a_smuggled_request(story):
    story.executed.append(story.line("made", b"n0000001-001", target="/hidden"))
    expect(story, "executed but not forwarded")


def test_an_answer_from_nowhere(story):
    story.executed.clear()
    expect(story, "answered but not executed")


@pytest.mark.parametrize("change", [{"method": "POST"}, {"target": "/tail?x"}])
def test_another_request_than_was_forwarded(story, change):
    story.executed[0] |= change
    expect(story, "is not what was forwarded")


@pytest.mark.parametrize("told", [{"body": b"x"}, {"body_bytes": 1}])
def test_another_body_than_was_forwarded(story, told):
    story.forwarded[0] = replace(story.forwarded[0], **told)
    expect(story, "another body")


def test_a_body_of_the_same_length(story):
    story.executed[0]["bytes_in"] = 1
    story.forwarded[0] = replace(story.forwarded[0], body=b"x")
    expect(story, "the body has changed")


def test_the_answer_of_another_request(story):
    story.forwarded[0] = replace(story.forwarded[0], answer_id="other")
    expect(story, "answer of another request")


def test_executed_twice(story):
    story.executed.append(dict(story.executed[0]))
    expect(story, "executed twice")


def test_forwarded_again_under_another_id(story):
    story.executed.append(story.executed[0] | {"request": "two"})
    story.forwarded.append(replace(story.forwarded[0], id="two", answer_id="two"))
    expect(story, "out of order or again")


def test_the_answer_of_another_client(story):
    story.forwarded[0] = replace(story.forwarded[0], client="127.1.0.2")
    expect(story, "not this client's")


def test_a_nonce_of_another_connection(story):
    told = story.told.replace(b"n0000001", b"n0000002")
    story.received = story.answer(head=told, body=told)
    expect(story, "a nonce that was not sent")


def test_head_and_body_of_two_answers(story):
    story.received = story.answer(body=story.told.replace(b"-000", b"-001"))
    expect(story, "head and body of different answers")


def test_a_body_that_has_changed(story):
    fields = story.told.split(b" ")
    told = b" ".join([*fields[:2], b"12345678", b"7", *fields[4:]])
    story.received = story.answer(head=told, body=told)
    expect(story, "was executed as something else")


def test_a_valid_request_that_is_refused(story):
    story.received = b"HTTP/1.1 400 Bad Request\r\nX-Zygoted-Reason: bad-request\r\nContent-Length: 0\r\n\r\n"
    expect(story, "though valid")


def test_an_answer_that_the_proxy_cannot_use(story):
    story.received = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"
    expect(story, "could not use")


def test_a_body_behind_an_answer_without_one(story):
    story.received += b"00000000 00000000 00000000 0 n0000002-000\n"
    expect(story, "without a head")
