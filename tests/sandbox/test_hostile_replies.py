"""Answers straight into the channel: whatever a child writes there, its client gets a well-formed answer or a broken
connection, and nobody else gets anything.
"""

import os

import pytest

import zyg
from client import Truncated
from frames import BODY, BODY_MAX, END, ERROR, ERROR_MAX, HEAD_MAX, HEADERS_MAX, NAME_MAX, REPLY
from frames import REQUEST, VALUE_MAX, body, end, frame, head, string, whole
from hostile import Attack, Target, answered, hostile_pool

TIMEOUT = "1500ms"


@pytest.fixture(scope="module", params=["root", "nobody"] if os.getuid() == 0 else ["self"])
def target(request):
    user = "nobody" if request.param == "nobody" else None
    pools = [hostile_pool(timeout=TIMEOUT), zyg.pool("echo", spare=2)]
    daemon = zyg.Zygoted(*pools, user=user)
    try:
        yield Target(daemon.start())
    finally:
        daemon.stop()


def refused(name, data, why, broken_off=False, then="sleep"):
    """Taken for what it is: a child that is not to be believed."""
    log = f'text="{why}"'
    return Attack(name, f"raw/{then}", 502, "bad-reply", "bad_reply", log, "", data, broken_off)


def broken(name, data, why, **more):
    """The same, found when the head was on its way already: the connection is reset."""
    return refused(name, data, why, broken_off=True, **more)


def late(name, data, broken_off=False):
    """An answer that does not come to its end."""
    return Attack(name, "raw/sleep", 504, "timeout", "timeout", "", "", data, broken_off)


def cut(name, data, broken_off=False, then="exit"):
    """The child goes, or lets go of the channel, before its end."""
    return Attack(name, f"raw/{then}", 502, "crashed", "crashed", "", "", data, broken_off)


def accepted(name, data, text="body", then="sleep"):
    return answered(name, f"raw/{then}", text, body=data)


GARBAGE = [
    refused("an HTTP answer", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "frame type"),
    refused("zeros", bytes(64), "frame type"),
    refused("ones", b"\xff" * 64, "frame type"),
    refused("a request", frame(REQUEST, bytes(64)), "frame type"),
    refused("a frame of a kind to come", frame(6, b"data"), "frame type"),
    refused("much of nothing", bytes(200000), "frame type"),
    late("half a header", frame(REPLY)[:5]),
    late("a head that does not come", frame(REPLY, b"", length=16)),
    late("half a head", head()[:15]),
    cut("nothing", b""),
    cut("half a header, then gone", frame(REPLY)[:5]),
    cut("half a head, then gone", head()[:15]),
    cut("a head, then gone", head(), broken_off=True),
    cut("half a body, then gone", head() + body()[:10], broken_off=True),
    cut("a body without end, then gone", head() + body(), broken_off=True),
    cut("half the promised body, then gone", head(length=100) + body(), broken_off=True),
    cut("closed at once", b"", then="close"),
    cut("closed in the body", head() + body(), broken_off=True, then="close"),
    late("a body without end", head() + body(), broken_off=True),
]

LENGTHS = [
    refused("head of no length", frame(REPLY, b""), "frame length"),
    refused("head too short", frame(REPLY, bytes(15)), "frame length"),
    refused("head one byte over", frame(REPLY, bytes(16), length=HEAD_MAX + 1), "frame length"),
    refused("head of 2 GiB", frame(REPLY, bytes(16), length=0x7FFFFFFF), "frame length"),
    refused("head of negative length", frame(REPLY, bytes(16), length=0x80000000), "frame length"),
    refused("head of length -1", frame(REPLY, bytes(16), length=0xFFFFFFFF), "frame length"),
    refused("error one byte over", frame(ERROR, b"x" * (ERROR_MAX + 1)), "frame length"),
    refused("error of length -1", frame(ERROR, b"x", length=0xFFFFFFFF), "frame length"),
    broken("empty body frame", head() + frame(BODY), "frame length"),
    broken("body frame one over", head() + frame(BODY, b"", length=BODY_MAX + 1), "frame length"),
    broken("body frame of -1", head() + frame(BODY, b"x", length=0xFFFFFFFF), "frame length"),
    broken("end with data", head() + frame(END, b"data"), "frame length"),
    broken("end of length -1", head() + frame(END, b"", length=0xFFFFFFFF), "frame length"),
    *(
        broken(f"promise of {n:#x}", whole(length=n), "body shorter than promised")
        for n in (5, 1 << 16, 1 << 29)
    ),
    *(
        Attack(f"promise of {n:#x}", "raw/sleep", 502, "reply-too-large", "reply_too_large", body=whole(length=n))
        for n in (1 << 31, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 64) - 2)
    ),
    *(broken(f"promise of {n}", whole(length=n), "body longer than promised") for n in (0, 3)),
]

ORDER = [
    refused("body first", body(), "frame out of order"),
    refused("end first", end(), "frame out of order"),
    broken("two heads", head() + head(), "frame out of order"),
    broken("head in the body", head() + body() + head(), "frame out of order"),
    broken("two answers", whole() + whole(), "bytes after the end"),
    broken("a byte after the end", whole() + b"x", "bytes after the end"),
    broken("an error after the end", whole() + frame(ERROR), "bytes after the end"),
    refused("an answer after an error", frame(ERROR) + whole(), "bytes after the end"),
]

HEADS = [
    *(
        refused(f"status {n}", whole(status=n), "status")
        for n in (0, 1, 99, 100, 101, 103, 199, 600, 999, 0x7FFF, 0xFFFF)
    ),
    *(
        broken(f"{n} with a body", whole(status=n), "body for a status without body")
        for n in (204, 304)
    ),
    *(
        refused(
            f"{n} with a length",
            head(status=n, length=5) + end(),
            "length promised for a status without body",
        )
        for n in (204, 304)
    ),
    refused("padding", whole(padding=1), "padding"),
    refused("too many headers", whole(headers=[(b"x", b"y")] * 65), "too many headers"),
    refused("65535 headers", whole(count=0xFFFF), "too many headers"),
    refused("headers that are not there", whole(count=1), "header cut off"),
    refused("headers not counted", whole(headers=[(b"x", b"y")], count=0), "bytes behind the headers"),
    refused("bytes behind the headers", whole(rest=b"x"), "bytes behind the headers"),
    refused("name without NUL", whole(headers=[string(b"x", end=b"") + string(b"y")]), "header cut off"),
    refused("value without NUL", whole(headers=[string(b"x") + string(b"y", end=b"z")]), "header cut off"),
    refused("name beyond the frame", whole(headers=[string(b"x", length=60000)]), "header cut off"),
    refused(
        "value beyond the frame",
        whole(headers=[string(b"x") + string(b"y", length=0xFFFF)]),
        "header cut off",
    ),
]

BAD_NAMES = {
    "empty": b"",
    "NUL": b"x\0y",
    "CR LF": b"x\r\nSet-Cookie",
    "LF": b"x\ny",
    "colon": b"x:",
    "space": b"x y",
    "space at the end": b"x ",
    "tab": b"x\t",
    "DEL": b"x\x7f",
    "beyond ASCII": b"x\xe9",
    "brackets": b"x(y)",
}

BAD_VALUES = {
    "NUL": b"x\0y",
    "CR": b"x\ry",
    "LF": b"x\ny",
    "CR LF and a header": b"x\r\nSet-Cookie: a=b",
    "CR LF CR LF and a body": b"x\r\n\r\nhello",
    "folded": b"x\r\n y",
    "escape": b"x\x1b[2J",
    "DEL": b"x\x7f",
}

FORBIDDEN = [
    "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "TE", "Trailer", "Upgrade",
    "Proxy-Connection", "Proxy-Authenticate", "Date", "content-length", "TRANSFER-ENCODING",
]  # fmt: skip

HEADERS = [
    *(refused(f"name: {n}", whole(headers=[(v, b"y")]), "header name") for n, v in BAD_NAMES.items()),
    *(
        refused(f"value: {n}", whole(headers=[(b"x", v)]), "byte in header value")
        for n, v in BAD_VALUES.items()
    ),
    refused("name too long", whole(headers=[(b"x" * (NAME_MAX + 1), b"y")]), "header name too long"),
    refused("value too long", whole(headers=[(b"x", b"y" * (VALUE_MAX + 1))]), "header value too long"),
    *(
        refused(f"forbidden: {n}", whole(headers=[(n.encode(), b"5")]), "reserved header")
        for n in FORBIDDEN
    ),
    refused("two lengths", whole(headers=[(b"Content-Length", b"4")] * 2), "reserved header"),
]

ERRORS = [
    Attack("an error", "raw/sleep", 500, "worker-error", "worker_error", 'text="why"', "", frame(ERROR, b"why")),
    Attack(
        "an error that looks like log lines",
        "raw/sleep",
        500,
        "worker-error",
        "worker_error",
        r'text="x\x0a2026-01-01T00:00:00Z error front: stop reason=\x22gone\x22"',
        "",
        frame(ERROR, b'x\n2026-01-01T00:00:00Z error front: stop reason="gone"'),
    ),
    Attack(
        "an error in the body", "raw/sleep", 0, None, "worker_error", "", "", head() + body() + frame(ERROR), True
    ),
]

# What is unusual, but right.
FINE = [
    accepted("in single bytes", whole(headers=[(b"x", b"y")]), then="sleep/bytewise"),
    accepted("then sleeping", whole()),
    accepted("then spinning", whole(), then="spin"),
    accepted("then closed", whole(), then="close"),
    accepted("then gone", whole(), then="exit"),
    accepted("as many headers as may be", whole(headers=[(b"x", b"y")] * HEADERS_MAX)),
    accepted("the largest name and value", whole(headers=[(b"x" * NAME_MAX, b"y" * VALUE_MAX)])),
    accepted("the same header twice", whole(headers=[(b"x", b"1"), (b"x", b"2")])),
    accepted("a header without value", whole(headers=[(b"x", b"")])),
    accepted("the right length", whole(length=4)),
    accepted("a body of 100,000 bytes", head() + body(b"x" * 50000) * 2 + end(), "x{100000}"),
]

HANG_UPS = [
    Attack("hang up", "hang-up/close", 502, "crashed", "crashed"),
    Attack("log in place of the channel", "hang-up/replace", 502, "crashed", "crashed"),
    Attack("channel under another number", "hang-up/hide", 504, "timeout", "timeout"),
]

ALL = GARBAGE + LENGTHS + ORDER + HEADS + HEADERS + ERRORS + FINE + HANG_UPS


@pytest.mark.parametrize("attack", ALL, ids=str)
def test_reply(target, attack):
    target.attack(attack)


def test_names_are_unique():
    assert len({attack.name for attack in ALL}) == len(ALL)


# ---- before there is a request ----


def early(zygoted, data):
    pool = hostile_pool(options={"early": data.hex()}, timeout="2s")
    return zygoted(pool, zyg.pool("echo"))


def test_an_answer_before_the_request_is_that_childs_alone(zygoted):
    """The one client gets it whole or not at all; the child's second answer goes nowhere."""
    daemon = early(zygoted, whole())
    for _ in range(20):
        try:
            assert daemon.get("/hostile/canary").text == "body"
        except (Truncated, ConnectionResetError):
            pass
        assert daemon.request("POST", "/echo/", b"as ever").body == b"as ever"
    assert daemon.outcome("ok", "hostile") + daemon.outcome("bad_reply", "hostile") == 20
    daemon.wait_idle("hostile")


@pytest.mark.parametrize("data", [b"HTTP/1.1 200 OK\r\n\r\n", end(), frame(REPLY, b"", length=1 << 31)])
def test_garbage_before_the_request_is_found_with_it(zygoted, data):
    daemon = early(zygoted, data)
    answer = daemon.get("/hostile/canary")
    assert (answer.status, answer.reason) == (502, "bad-reply")
    daemon.wait_idle("hostile")


def test_an_answer_goes_to_nobody_else(target):
    """Bytes behind an answer's end never become the next answer on the client's connection."""
    with target.daemon.connect() as connection:
        with pytest.raises((Truncated, ConnectionError)):
            connection.request("POST", "/hostile/raw/sleep", whole() + whole())
            connection.request("POST", "/echo/", b"mine")
            connection.response()
            connection.response()
