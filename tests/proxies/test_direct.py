"""The corpus, sent to the front itself: its answers are what the grammar says, in whatever pieces the bytes come."""

import random

import pytest

import witness
from client import Truncated
from corpus import ENTRIES
from entry import KEEP, OPEN, REFUSED, head
from grammar import read

TAIL = head(b"GET /tail HTTP/1.1")
SHORT = 4096  # longer ones are not sent byte by byte throughout
NO_ROUTE = b"*"


@pytest.fixture(scope="module")
def daemon():
    daemon = witness.make_daemon()
    try:
        yield daemon.start()
    finally:
        daemon.stop()


def test_the_corpus_and_the_second_parser_agree():
    """The expectations of the one were written without the other."""
    for entry in ENTRIES:
        reading = read(entry.data)
        executed = tuple((r.method, r.target, r.body) for r in reading.requests)
        assert (executed, reading.end, reading.status) == (entry.executed, entry.end, entry.status), entry.name


def test_the_corpus_is_large_and_has_no_repetition():
    assert len(ENTRIES) > 700
    assert len({entry.data for entry in ENTRIES}) == len({entry.name for entry in ENTRIES}) == len(ENTRIES)


def whole(data, _):
    return [data]


def bytewise(data, dice):
    """The beginning and the end of a long one; what is between comes in pieces."""
    if len(data) <= SHORT:
        return [data[i : i + 1] for i in range(len(data))]
    return [*bytewise(data[:512], dice), *split(data[512:-512], dice), *bytewise(data[-512:], dice)]


def split(data, dice):
    most = max(80, len(data) // 20)
    pieces = []
    while data:
        size = dice.randint(1, most)
        pieces.append(data[:size])
        data = data[size:]
    return pieces


def send_all(connection, pieces):
    """Behind a refusal the front closes, which may come in the middle."""
    try:
        for piece in pieces:
            connection.send(piece)
    except (BrokenPipeError, ConnectionResetError):
        pass


def final(connection, method="GET"):
    answer = connection.response(method)
    while answer.status == 100:
        answer = connection.response(method)
    return answer


def expect_answer(connection, request):
    answer = final(connection, request.method.decode())
    if request.target == NO_ROUTE:
        assert (answer.status, answer.reason) == (404, "no-route")
        return
    told = witness.tell(request)
    assert (answer.status, answer.header("x-witness").encode("latin-1")) == (200, told)
    assert answer.body == (b"" if request.method == b"HEAD" else told + b"\n")


def expect_end(connection, entry, tail):
    if entry.end == KEEP:
        expect_answer(connection, tail)
    elif entry.end == REFUSED:
        answer = final(connection)
        reason = "body-too-large" if entry.status == 413 else "bad-request"
        assert (answer.status, answer.reason, answer.header("connection")) == (entry.status, reason, "close")
    if entry.end != KEEP:
        assert connection.is_closed()


def deliver(daemon, entry, pieces_of):
    """Sends an entry, with a request behind it, and checks the answers. How many requests have run."""
    nonces = daemon.nonces = getattr(daemon, "nonces", None) or witness.Nonces()
    data = nonces.fill(entry.data if entry.end == OPEN else entry.data + TAIL)
    requests = read(data).requests
    with daemon.connect() as connection:
        send_all(connection, pieces_of(data, random.Random(entry.name)))
        for request in requests[: len(entry.executed)]:
            expect_answer(connection, request)
        if entry.end == OPEN:  # not before: who leaves while his request runs gets no answer
            connection.half_close()
        expect_end(connection, entry, requests[-1] if requests else None)
    return sum(request.target != NO_ROUTE for request in requests)


@pytest.mark.parametrize("pieces_of", [whole, bytewise, split])
def test_answers_are_what_the_grammar_says(daemon, pieces_of):
    before = daemon.stats("witness")["outcomes"]["ok"]
    executed, wrong = 0, []
    for entry in ENTRIES:
        try:
            executed += deliver(daemon, entry, pieces_of)
        except (AssertionError, Truncated, OSError) as error:
            wrong.append(f"{entry.name}: {error!r:.300}")
    assert not wrong, "\n".join(wrong)
    assert daemon.stats("witness")["outcomes"]["ok"] == before + executed
