"""What the corpus consists of, and how its entries are written.

NONCE stands where a client puts something that no other request has. It is as long as what replaces it, so that lengths
and chunk sizes hold. Whatever is hidden in a body has one as well: an answer to it would show.
"""

from dataclasses import dataclass

NONCE = b"~nonce~nonce"
AGENT = b"User-Agent: " + NONCE + b"\r\n"
HOST = b"Host: a\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
LAST = b"0\r\n\r\n"
TCHARS = b"!#$%&'*+-.^_`|~09AZaz"
DELIMITERS = b'"(),/;<=>?@[\\]{}'
CONTROLS = bytes([*range(9), 11, 12, *range(14, 32), 127])  # but for tab, CR and LF

REFUSED, CLOSE, KEEP, OPEN = "refused", "close", "keep", "open"


@dataclass(frozen=True)
class Entry:
    """`executed`: (method, target, body) of each request that is complete; a target that has no route is one too.
    `end`: how the connection stands behind the bytes; `status` of the refusal, if that."""

    name: str
    data: bytes
    executed: tuple
    end: str
    status: int = 0


def head(line=b"GET /t HTTP/1.1", *headers, host=HOST, agent=AGENT):
    return line + b"\r\n" + host + agent + b"".join(header + b"\r\n" for header in headers) + b"\r\n"


def post(*headers, body=b"", **more):
    return head(b"POST /t HTTP/1.1", *headers, **more) + body


def chunked(body, *headers):
    return post(CHUNKED[:-2], *headers, body=body)


def sized(body, method=b"POST", target=b"/t"):
    return head(method + b" " + target + b" HTTP/1.1", b"Content-Length: %d" % len(body)) + body


HIDDEN = head(b"GET /hidden HTTP/1.1")


def accepted(name, data, *executed, end=KEEP):
    return Entry(name, data, executed or ((b"GET", b"/t", b""),), end)


def refused(name, data, status=400, *executed):
    """What hides behind it must not run either."""
    return Entry(name, data + HIDDEN, executed, REFUSED, status)


def opened(name, data, *executed):
    return Entry(name, data, executed, OPEN)
