"""Frames of the channel between child and front, as daemon/base/proto.h has them; well formed or not."""

import struct

REQUEST, BODY, END, REPLY, ERROR = 1, 2, 3, 4, 5
HEAD_MAX, BODY_MAX, ERROR_MAX, HEADERS_MAX = 49152, 65536, 1024, 64
NAME_MAX, VALUE_MAX = 64, 8192
UNKNOWN = (1 << 64) - 1


def frame(kind, data=b"", length=None):
    """`length` is what the header says, if it is to lie."""
    return struct.pack("=II", kind, len(data) if length is None else length) + data


def string(data, length=None, end=b"\0"):
    return struct.pack("=H", len(data) if length is None else length) + data + end


def header(name, value):
    return string(name) + string(value)


def head(status=200, headers=(), length=UNKNOWN, count=None, padding=0, rest=b""):
    """FRAME_REPLY; `headers` are pairs, or bytes that stand for themselves."""
    parts = [item if isinstance(item, bytes) else header(*item) for item in headers]
    count = len(parts) if count is None else count
    fixed = struct.pack("=HHIQ", status, count, padding, length)
    return frame(REPLY, fixed + b"".join(parts) + rest)


def body(data=b"body"):
    return frame(BODY, data)


def end():
    return frame(END)


def whole(**more):
    """A complete answer."""
    return head(**more) + body() + end()
