"""Random requests: an entry of the corpus, or parts of two, with a few changes that tend to confuse parsers. The same seed
and number give the same bytes."""

import random

from corpus import ENTRIES
from entry import HIDDEN, NONCE, REFUSED, head

LONG = 8192  # of what is varied; more of the same tells nothing more
SEEDS = [entry.data for entry in ENTRIES if len(entry.data) < LONG]
VALID = [entry.data for entry in ENTRIES if len(entry.data) < LONG and entry.end != REFUSED]
# Behind every case: an honest request. Whatever a parser made of the bytes before it, its answer is its own.
TAIL = head(b"GET /tail HTTP/1.1", b"Connection: close")

PIECES = [
    b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\n\n", b" ", b"\t", b"\0", b"\x0b", b"\x0c", b"\x7f", b"\x85", b"\xa0",
    b"\xff", b":", b",", b";", b"0", b"1", b"a",
    b"Content-Length: 0\r\n", b"Content-Length: 5\r\n", b"Content-Length: 60\r\n", b"Content-Length:\r\n",
    b"content-length: 1\r\n", b"Content-Length: +1\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: identity\r\n", b"Transfer-Encoding: gzip, chunked\r\n",
    b"Transfer-Encoding:\x0bchunked\r\n",
    b"Transfer-Encoding : chunked\r\n", b"Transfer-Encoding: chunked, chunked\r\n", b"transfer-encoding: CHUNKED\r\n",
    b"Transfer_Encoding: chunked\r\n",
    b"Connection: close\r\n", b"Connection: keep-alive\r\n", b"Connection: content-length\r\n",
    b"Connection: transfer-encoding\r\n", b"Connection: host\r\n",
    b"Connection: user-agent\r\n", b"Expect: 100-continue\r\n", b"Upgrade: websocket\r\nConnection: upgrade\r\n",
    b"TE: trailers\r\n", b"Trailer: X\r\n",
    b"Host: a\r\n", b"Host: b\r\n", b"Host:\r\n", b"X-Request-Id: stolen\r\n", b"X-Forwarded-For: x\r\n", b"HTTP/1.1",
    b"HTTP/1.0", b"HTTP/0.9", b"HTTP/2.0",
    b"GET ", b"HEAD ", b"POST ", b"0\r\n\r\n", b"0\n\n", b"0\r\n", b"5\r\nhello\r\n", b"ffffffff\r\n",
    b"5;x=\"\n\"\r\n", b"1\r\nZ\r\n", HIDDEN,
]  # fmt: skip


LINE_ENDS = [b"\n", b"\r", b"\r\r\n", b"\n\r", b" \r\n", b"\r\n ", b"\r\n\t", b"\0\r\n", b""]
NUMBERS = [b"0", b"1", b"9", b"00", b"f", b"-1", b"+1", b" 1", b"0x1", b"1,1", b"99"]


def flip(dice, data):
    at = dice.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << dice.randrange(8)]) + data[at + 1 :]


def replace(dice, data):
    at = dice.randrange(len(data))
    return data[:at] + dice.choice(PIECES) + data[at + 1 :]


def insert(dice, data):
    at = dice.randrange(len(data) + 1)
    return data[:at] + dice.choice(PIECES) + data[at:]


def insert_line(dice, data):
    """At the beginning of a line, where a header counts."""
    starts = [at + 2 for at in range(len(data) - 1) if data[at : at + 2] == b"\r\n"] or [0]
    at = dice.choice(starts)
    return data[:at] + dice.choice(PIECES) + data[at:]


def cut(dice, data):
    at = dice.randrange(len(data))
    return data[:at] + data[at + dice.choice([1, 1, 2, 5, 20]) :]


def repeat(dice, data):
    at = dice.randrange(len(data))
    return data[:at] + data[at : at + dice.choice([1, 2, 10, 40])] + data[at:]


def shuffle_lines(dice, data):
    lines = data.split(b"\r\n")
    one, other = dice.randrange(len(lines)), dice.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"\r\n".join(lines)


def change_line_end(dice, data):
    ends = [at for at in range(len(data) - 1) if data[at : at + 2] == b"\r\n"]
    if not ends:
        return data
    at = dice.choice(ends)
    return data[:at] + dice.choice(LINE_ENDS) + data[at + 2 :]


def change_digit(dice, data):
    digits = [at for at, byte in enumerate(data) if 48 <= byte <= 57]
    if not digits:
        return data
    at = dice.choice(digits)
    return data[:at] + dice.choice(NUMBERS) + data[at + 1 :]


def change_case(dice, data):
    at = dice.randrange(len(data))
    return data[:at] + data[at : at + 20].swapcase() + data[at + 20 :]


def splice(dice, data):
    other = dice.choice(SEEDS)
    return data[: dice.randrange(len(data) + 1)] + other[dice.randrange(len(other)) :]


def append(dice, data):
    return data + dice.choice(SEEDS)


CHANGES = [
    flip, replace, insert, insert_line, insert_line, cut, repeat, shuffle_lines, change_line_end, change_line_end,
    change_digit, change_case, splice, append,
]  # fmt: skip


def make(seed, number):
    """With NONCE where it has survived."""
    dice = random.Random(f"{seed}:{number}")
    data = dice.choice(dice.choice([SEEDS, VALID, VALID]))
    for _ in range(dice.choice([0, 1, 1, 2, 2, 3, 5])):
        data = dice.choice(CHANGES)(dice, data) or NONCE
    return data + TAIL
