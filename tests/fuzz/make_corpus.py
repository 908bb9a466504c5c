#!/usr/bin/python3
"""Writes the seeds of the parsers' fuzz targets into corpus/, beside this file."""

import pathlib
import struct

CORPUS = pathlib.Path(__file__).parent / "corpus"
UNKNOWN = 2**64 - 1
REPLY, BODY, END, ERROR = 4, 2, 3, 5  # enum frame_type


def head(line, *headers, body=b""):
    return b"\r\n".join([line, *headers, b"", b""]) + body


def get(*headers, body=b""):
    return head(b"GET /a/b?c=d HTTP/1.1", b"Host: a", *headers, body=body)


# The first two bytes are the target's: where the head is cut.
REQUESTS = {
    "get": get(),
    "get-10": head(b"GET / HTTP/1.0"),
    "get-10-keep": head(b"GET / HTTP/1.0", b"Connection: keep-alive"),
    "empty-line": b"\r\n" + get(),
    "absolute": head(b"GET http://a:80/b?c HTTP/1.1", b"Host: a:80"),
    "absolute-empty": head(b"GET https://a HTTP/1.1", b"Host: a"),
    "ipv6": head(b"GET / HTTP/1.1", b"Host: [2001:db8::1]:8080"),
    "asterisk": head(b"OPTIONS * HTTP/1.1", b"Host: a"),
    "connect": head(b"CONNECT a:443 HTTP/1.1", b"Host: a"),
    "version": head(b"PRI * HTTP/2.0"),
    "length": get(b"Content-Length: 5", body=b"hello"),
    "chunked": get(b"Transfer-Encoding: chunked", body=b"5\r\nhello\r\n0\r\n\r\n"),
    "both": get(b"Content-Length: 5", b"Transfer-Encoding: chunked"),
    "expect": get(b"Expect: 100-continue", b"Content-Length: 5"),
    "close": get(b"Connection: close, X-A,, te", b"X-A: 1", b"TE: trailers"),
    "upgrade": get(b"Connection: Upgrade", b"Upgrade: h2c", b"Proxy-X: y"),
    "values": get(b"A:", b"B: \t b c \t", b"C: \xc3\xa4\xff"),
    "folded": get(b"A: b", b" c"),
    "space-colon": get(b"Content-Length : 5"),
    "bare-lf": b"GET / HTTP/1.1\nHost: a\n\n",
    "bare-cr": b"GET / HTTP/1.1\r\nHost: a\rB: c\r\n\r\n",
    "nul": get(b"A: b\0c"),
    "headers": get(*[b"A%d: b" % i for i in range(64)]),
    "long": get(*[b"A: " + b"x" * 120 for _ in range(40)]),
    "pipelined": get() + get(),
    "tls": bytes.fromhex("16030100c8010000c40303"),
}

# The first byte is the target's: how large the pieces are.
BODIES = {
    "empty": b"0\r\n\r\n",
    "hello": b"5\r\nhello\r\n0\r\n\r\n",
    "two": b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
    "hex": b"0000000000000010\r\n0123456789abcdef\r\n0\r\n\r\n",
    "large": b"FFFFFFFFFFFFFFFF\r\nabc",
    "extension": b'5;a;b=c;d="e f"\r\nhello\r\n0;g\r\n\r\n',
    "trailers": b"1\r\na\r\n0\r\nA: b\r\nC:\r\nContent-Length: 5\r\n\r\n",
    "next": b"0\r\n\r\nGET / HTTP/1.1\r\n",
    "sign": b"+5\r\nhello\r\n",
    "prefix": b"0x5\r\nhello\r\n",
    "junk": b"5 junk\r\nhello\r\n",
    "bare-lf": b"5\nhello\n0\n\n",
    "no-end": b"5\r\nhelloworld\r\n",
    "folded": b"0\r\nA: b\r\n c\r\n\r\n",
}


def frame(kind, payload=b""):
    return struct.pack("=II", kind, len(payload)) + payload


def string(text):
    return struct.pack("=H", len(text)) + text + b"\0"


def reply(status=200, length=UNKNOWN, headers=()):
    strings = b"".join(string(name) + string(value) for name, value in headers)
    return frame(REPLY, struct.pack("=HHIQ", status, len(headers), 0, length) + strings)


REPLIES = {
    "empty": reply(204) + frame(END),
    "length": reply(length=5) + frame(BODY, b"hello") + frame(END),
    "stream": reply() + frame(BODY, b"hello ") + frame(BODY, b"world") + frame(END),
    "headers": reply(404, headers=[(b"content-type", b"text/plain"), (b"x", b"")]) + frame(END),
    "framing": reply(headers=[(b"content-length", b"5")]) + frame(END),
    "split": reply(headers=[(b"x", b"a\r\nb: c")]) + frame(END),
    "error": frame(ERROR, b"no luck"),
    "late-error": reply(length=9) + frame(BODY, b"hello") + frame(ERROR, b"no luck"),
    "short": reply(length=9) + frame(BODY, b"hello") + frame(END),
    "long": reply(length=3) + frame(BODY, b"hello") + frame(END),
    "no-body": reply(304) + frame(BODY, b"hello"),
    "trailing": reply() + frame(END) + frame(END),
    "twice": reply() + reply(),
    "no-head": frame(BODY, b"hello"),
    "request": frame(1, b"x" * 64),
    "huge": struct.pack("=II", BODY, 2**32 - 1),
}


V2 = b"\r\n\r\n\0\r\nQUIT\n"
V4_ADDRESSES = bytes([192, 0, 2, 1, 198, 51, 100, 2]) + struct.pack(">HH", 4711, 80)


def binary(command, family, rest):
    return V2 + bytes([command, family]) + struct.pack(">H", len(rest)) + rest


PROXY_HEADERS = {
    "v1-tcp4": b"PROXY TCP4 192.0.2.1 198.51.100.2 4711 80\r\nGET",
    "v1-tcp6": b"PROXY TCP6 2001:db8::1 ::1 4711 80\r\n",
    "v1-mapped": b"PROXY TCP6 ::ffff:192.0.2.1 ::1 4711 80\r\n",
    "v1-unknown": b"PROXY UNKNOWN ff ff\r\n",
    "v1-port": b"PROXY TCP4 192.0.2.1 198.51.100.2 65536 80\r\n",
    "v1-spaces": b"PROXY TCP4  192.0.2.1 198.51.100.2 4711 80\r\n",
    "v2-local": binary(0x20, 0, b""),
    "v2-tcp4": binary(0x21, 0x11, V4_ADDRESSES) + b"GET",
    "v2-tlv": binary(0x21, 0x11, V4_ADDRESSES + b"\x04\0\x02ab"),
    "v2-tcp6": binary(0x21, 0x21, bytes(32) + struct.pack(">HH", 1, 2)),
    "v2-unix": binary(0x21, 0x31, bytes(216)),
    "v2-unspec": binary(0x21, 0, b"abc"),
    "v2-short": binary(0x21, 0x11, V4_ADDRESSES[:-1]),
    "v2-datagram": binary(0x21, 0x12, V4_ADDRESSES),
}


def write(target, seeds, prefix):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in seeds.items():
        (folder / name).write_bytes(prefix + data)


write("fuzz_http_request", REQUESTS, b"\0\x0c")
write("fuzz_http_body", BODIES, b"\x02")
write("fuzz_reply_parse", REPLIES, b"\x04")
write("fuzz_proxy_header", PROXY_HEADERS, b"")
