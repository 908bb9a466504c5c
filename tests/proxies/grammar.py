"""A second reading of the grammar that the front accepts (RFC 9110, RFC 9112, and where these leave a choice, the strict
one): what becomes of the bytes of one connection. Written for comparison, not for speed, and without a look at how the
front does it: one pass over whole lines and no states.

Decisions fall in the order of the bytes, and what comes first decides the status: a byte that does not belong into a line,
then the line as a whole, then, at the empty line, what the headers say together.
"""

import ipaddress
import re
from dataclasses import dataclass, field

LINE_MAX = 8192
HEAD_MAX = 32768
HEADERS_MAX = 64
NAME_MAX = 64
OPTIONS_MAX = 32
EXTENSION_MAX = 256
BODY_MAX = 1 << 20  # of the pool that the tests configure

TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
VISIBLE = re.compile(rb"[\x21-\x7e]+")
TEXT = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
HOST_NAME = re.compile(rb"[0-9A-Za-z\-._~]{1,255}")
AUTHORITY = re.compile(rb"(\[[^\]]*\]|[^:\[\]]*)(?::([0-9]{1,5}))?")
SIZE = re.compile(rb"([0-9A-Fa-f]+)")

SINGLES = {b"host": 400, b"content-length": 400, b"transfer-encoding": 501, b"expect": 417}


class Refused(Exception):
    """The connection ends here, with this status."""

    def __init__(self, status):
        super().__init__(status)
        self.status = status


class Incomplete(Exception):
    """More bytes are needed to decide."""


@dataclass
class Request:
    method: bytes
    target: bytes  # path and query; a query that is empty is none
    minor: int
    headers: list = field(default_factory=list)  # (lower-case name, value)
    body: bytes = b""
    options: list = field(default_factory=list)  # of Connection, in lower case
    keep: bool = False

    @property
    def nonce(self):
        """What the worker sees of it: a header that Connection names ends in the front."""
        if b"user-agent" in self.options:
            return b""
        return next((value for name, value in self.headers if name == b"user-agent"), b"")


@dataclass
class Reading:
    """`requests`: the complete ones. `status`: what the bytes behind them are refused with; 0 if they are not.
    `end`: "refused"; "close" after a request that is the last; "keep" at the end of a request; "open" inside of one."""

    requests: list
    end: str
    status: int = 0


class Bytes:
    """What is left of the connection's bytes."""

    def __init__(self, data):
        self.data = data
        self.at = 0
        self.limit = None  # where trailers must have ended

    def take(self, size):
        if len(self.data) - self.at < size:
            raise Incomplete
        if self.limit is not None and self.at + size > self.limit:
            raise Refused(431)
        self.at += size
        return self.data[self.at - size : self.at]


# ---- lines ----


def take_line(source, end, too_long):
    """Up to CRLF, without it. `end`: where the head must have ended."""
    text = TEXT.match(source.data, source.at, min(source.at + LINE_MAX, end)).group()
    at = source.at + len(text)
    follows = source.data[at : min(at + 2, end)]
    if follows[:1] not in (b"", b"\r"):
        raise Refused(too_long if TEXT.fullmatch(follows[:1]) else 400)
    if len(follows) == 2 and follows != b"\r\n":
        raise Refused(400)
    if len(follows) < 2:
        if end <= len(source.data):
            raise Refused(431)
        raise Incomplete
    source.at = at + 2
    return text


def is_authority(text):
    match = AUTHORITY.fullmatch(text)
    if not match or (match[2] is not None and not 1 <= int(match[2]) <= 65535):
        return False
    if not match[1].startswith(b"["):
        return HOST_NAME.fullmatch(match[1]) is not None
    try:
        ipaddress.IPv6Address(match[1][1:-1].decode("ascii"))
    except ValueError:
        return False
    return b"%" not in match[1]


def join_target(path, query):
    return path + (b"?" + query if query else b"")


def parse_target(target, method):
    """(path and query, authority of the absolute form or None)"""
    if not VISIBLE.fullmatch(target) or b"#" in target or (target == b"*" and method != b"OPTIONS"):
        raise Refused(400)
    if target.startswith(b"/") or target == b"*":
        path, _, query = target.partition(b"?")
        return join_target(path, query), None
    match = re.fullmatch(rb"(?i:https?)://([^/?]*)([^?]*)(?:\?(.*))?", target)
    if not match or not is_authority(match[1]):
        raise Refused(400)
    return join_target(match[2] or b"/", match[3]), match[1]


def parse_request_line(line):
    method, *rest = line.split(b" ", 2)
    if not TOKEN.fullmatch(method) or len(rest) < 2:
        raise Refused(400)
    target, version = rest
    if not VISIBLE.fullmatch(version):
        raise Refused(400)
    if version not in (b"HTTP/1.0", b"HTTP/1.1"):
        raise Refused(505)
    if method == b"CONNECT":
        raise Refused(501)
    target, authority = parse_target(target, method)
    return Request(method, target, int(version[-1:])), authority


def parse_header(line):
    name, colon, value = line.partition(b":")
    if not colon or not TOKEN.fullmatch(name) or len(name) > NAME_MAX:
        raise Refused(400)
    return name.lower(), value.strip(b" \t")


# ---- what the headers say ----


def find_singles(request):
    found = {}
    for name, value in request.headers:
        if name in SINGLES:
            if name in found:
                raise Refused(SINGLES[name])
            found[name] = value
    return found


def check_host(host, authority, request):
    if host is None:
        if request.minor == 1:
            raise Refused(400)
    elif not is_authority(host) or (authority is not None and authority.lower() != host.lower()):
        raise Refused(400)


def body_kind(length, coding, request):
    """Bytes of the body, or "chunked"."""
    if length is not None:
        if coding is not None or not re.fullmatch(rb"[0-9]{1,19}", length):
            raise Refused(400)
        return int(length)
    if coding is None:
        return 0
    if request.minor == 0 or coding.lower() != b"chunked":
        raise Refused(501)
    return "chunked"


def check_connection(request):
    options = request.options
    for name, value in request.headers:
        if name != b"connection":
            continue
        for option in filter(None, (part.strip(b" \t") for part in value.split(b","))):
            options.append(option.lower())
            framing = {b"host", b"content-length", b"transfer-encoding", b"expect"}
            if not TOKEN.fullmatch(option) or len(options) > OPTIONS_MAX or option.lower() in framing:
                raise Refused(400)
    request.keep = b"close" not in options and (request.minor == 1 or b"keep-alive" in options)


def take_head(source):
    """(request, body_kind)"""
    end = source.at + HEAD_MAX
    line = take_line(source, end, 414)
    if not line:  # one is tolerated: RFC 9112 section 2.2
        line = take_line(source, end, 414)
    request, authority = parse_request_line(line)
    while line := take_line(source, end, 431):
        if len(request.headers) == HEADERS_MAX:
            raise Refused(431)
        request.headers.append(parse_header(line))
    found = find_singles(request)
    check_host(found.get(b"host"), authority, request)
    kind = body_kind(found.get(b"content-length"), found.get(b"transfer-encoding"), request)
    if found.get(b"expect", b"100-continue").lower() != b"100-continue":
        raise Refused(417)
    check_connection(request)
    return request, kind


# ---- bodies ----


def take_crlf(source):
    for byte in (b"\r", b"\n"):
        if source.take(1) != byte:
            raise Refused(400)


def take_chunk_size(source):
    digits = SIZE.match(source.data, source.at, source.at + 17)
    size = digits.group() if digits else b""
    if len(size) > 16:
        raise Refused(400)
    source.at += len(size)
    follows = source.take(1)
    if not size or follows not in (b"\r", b";"):
        raise Refused(400)
    source.at -= 1
    if follows == b";":
        take_extension(source)
    take_crlf(source)
    return int(size, 16)


def take_extension(source):
    extension = TEXT.match(source.data, source.at, source.at + EXTENSION_MAX).group()
    if len(extension) > 1 and not TOKEN.fullmatch(extension[1:2]):
        raise Refused(400)
    source.at += len(extension)
    follows = source.take(1)
    if follows != b"\r" or len(extension) == 1:
        raise Refused(400)
    source.at -= 1


def take_trailers(source):
    """By the rules of headers; here the limits count the bytes of the trailers alone."""
    source.limit = source.at + HEAD_MAX
    count = 0
    while name := TOKEN.match(source.data, source.at, min(source.at + NAME_MAX, source.limit)):
        count += 1
        if count > HEADERS_MAX:
            raise Refused(431)
        take_trailer(source, name)
    take_crlf(source)
    source.limit = None


def take_trailer(source, name):
    source.at = name.end()
    if source.take(1) != b":":
        raise Refused(400)
    full = min(name.start() + LINE_MAX, source.limit)
    source.at += len(TEXT.match(source.data, source.at, full).group())
    follows = source.take(1)
    if TEXT.fullmatch(follows):
        raise Refused(431)
    source.at -= 1
    take_crlf(source)


def take_chunked(source):
    body = b""
    while size := take_chunk_size(source):
        if len(body) + min(size, len(source.data) - source.at) > BODY_MAX:
            raise Refused(413)
        body += source.take(size)
        take_crlf(source)
    take_trailers(source)
    return body


def take_request(source):
    request, kind = take_head(source)
    if kind == "chunked":
        request.body = take_chunked(source)
    elif kind > BODY_MAX:
        raise Refused(413)
    else:
        request.body = source.take(kind)
    return request


def read(data):
    """What becomes of a connection on which these bytes come."""
    source = Bytes(data)
    requests = []
    while source.at < len(data):
        try:
            requests.append(take_request(source))
        except Refused as refused:
            return Reading(requests, "refused", refused.status)
        except Incomplete:
            return Reading(requests, "open")
        if not requests[-1].keep:
            return Reading(requests, "close")
    return Reading(requests, "keep")
