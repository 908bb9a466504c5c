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
    "line-too-long": head(b"GET /" + b"x" * 8192 + b" HTTP/1.1"),
    "header-too-long": get(b"A: " + b"x" * 8192),
    "head-too-large": get(*[b"A: " + b"x" * 8000 for _ in range(5)]),
    "no-method": head(b" / HTTP/1.1", b"Host: a"),
    "no-target": head(b"GET  HTTP/1.1", b"Host: a"),
    "one-word": head(b"GET"),
    "no-version": head(b"GET /", b"Host: a"),
    "odd-version": head(b"GET / HTTQ/1.1", b"Host: a"),
    "two-empty-lines": b"\r\n\r\n" + get(),
    "target-form": head(b"GET a/b HTTP/1.1", b"Host: a"),
    "target-authority": head(b"GET http://a:b/ HTTP/1.1", b"Host: a"),
    "target-empty-authority": head(b"GET http:/// HTTP/1.1", b"Host: a"),
    "target-byte": head(b"GET /\xe4 HTTP/1.1", b"Host: a"),
    "target-fragment": head(b"GET /a#b HTTP/1.1", b"Host: a"),
    "target-asterisk": head(b"GET * HTTP/1.1", b"Host: a"),
    "target-differs": head(b"GET http://b/ HTTP/1.1", b"Host: a"),
    "no-host": head(b"GET / HTTP/1.1", b"A: b"),
    "two-hosts": get(b"Host: a"),
    "host-empty": head(b"GET / HTTP/1.1", b"Host:"),
    "host-port": head(b"GET / HTTP/1.1", b"Host: a:"),
    "host-port-long": head(b"GET / HTTP/1.1", b"Host: a:123456"),
    "host-port-zero": head(b"GET / HTTP/1.1", b"Host: a:0"),
    "host-port-letters": head(b"GET / HTTP/1.1", b"Host: a:8o"),
    "host-bracket": head(b"GET / HTTP/1.1", b"Host: [::1"),
    "host-ipv6-long": head(b"GET / HTTP/1.1", b"Host: [" + b"1" * 60 + b"]"),
    "host-ipv6-bad": head(b"GET / HTTP/1.1", b"Host: [::g]"),
    "host-long": head(b"GET / HTTP/1.1", b"Host: " + b"a" * 300),
    "length-empty": get(b"Content-Length:"),
    "length-long": get(b"Content-Length: " + b"1" * 20),
    "length-letters": get(b"Content-Length: 0x5"),
    "length-twice": get(b"Content-Length: 5", b"Content-Length: 5"),
    "coding-10": head(b"POST / HTTP/1.0", b"Transfer-Encoding: chunked"),
    "coding-other": get(b"Transfer-Encoding: gzip, chunked"),
    "coding-twice": get(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"),
    "expect-other": get(b"Expect: 200-ok"),
    "connection-byte": get(b"Connection: a b"),
    "connection-many": get(b"Connection: " + b", ".join(b"x%d" % i for i in range(70))),
    "connection-framing": get(b"Connection: content-length", b"Content-Length: 1"),
    "connection-host": get(b"Connection: host"),
    "headers-65": get(*[b"A%d: b" % i for i in range(65)]),
    "no-colon": get(b"A b"),
    "colon-only": get(b": b"),
    "name-long": get(b"A" * 65 + b": b"),
    "name-no-colon": get(b"Abc"),
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
    "size-long": b"00000000000000001\r\n",
    "extension-name": b"5 ;\r\n",
    "extension-space": b"5;a\x01\r\n",
    "extension-long": b"5;" + b"a" * 256 + b"\r\n",
    "size-cr": b"5\rhello",
    "extension-cr": b"5;a\rhello",
    "end-cr": b"1\r\na\rb",
    "end-byte": b"1\r\nab\r\n",
    "last-cr": b"0\r\n\rx",
    "trailer-name": b"0\r\nA b\r\n\r\n",
    "trailer-space": b"0\r\nA : b\r\n\r\n",
    "trailer-colon": b"0\r\n: b\r\n\r\n",
    "trailer-name-long": b"0\r\n" + b"A" * 65 + b": b\r\n\r\n",
    "trailer-byte": b"0\r\nA: b\x01\r\n\r\n",
    "trailer-cr": b"0\r\nA: b\rc",
    "trailer-long": b"0\r\nA: " + b"b" * 8192 + b"\r\n\r\n",
    "trailers-many": b"0\r\n" + b"A: b\r\n" * 65 + b"\r\n",
    "trailers-large": b"0\r\n" + (b"A: " + b"b" * 8000 + b"\r\n") * 5 + b"\r\n",
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
    "status": reply(999),
    "status-class": reply(299) + frame(END) + reply(599),
    "status-last": reply(599) + frame(END),
    "too-many": frame(REPLY, struct.pack("=HHIQ", 200, 65535, 0, UNKNOWN)) + frame(END),
    "padding": frame(REPLY, struct.pack("=HHIQ", 200, 0, 1, UNKNOWN)) + frame(END),
    "promise-204": reply(204, length=5) + frame(END),
    "missing": frame(REPLY, struct.pack("=HHIQ", 200, 1, 0, UNKNOWN)) + frame(END),
    "cut-string": frame(REPLY, struct.pack("=HHIQ", 200, 1, 0, UNKNOWN) + struct.pack("=H", 9) + b"x\0"),
    "behind": frame(REPLY, struct.pack("=HHIQ", 200, 0, 0, UNKNOWN) + b"x"),
    "name": reply(headers=[(b"a b", b"c")]),
    "name-empty": reply(headers=[(b"", b"c")]),
    "name-long": reply(headers=[(b"a" * 65, b"c")]),
    "value-long": reply(headers=[(b"a", b"c" * 8193)]),
    "short-head": frame(REPLY, b"\0\0"),
    "end-with-bytes": reply() + frame(END, b"x"),
}


def request_frame(payload, length=None):
    return struct.pack(">I", len(payload) if length is None else length) + payload


FRAMES = {
    "empty": request_frame(b""),
    "hello": request_frame(b"hello"),
    "pipelined": request_frame(b"a") + request_frame(b"") + request_frame(b"bc" * 40),
    "short": b"\0\0\0",
    "cut": request_frame(b"hell", 5),
    "huge": request_frame(b"x", 2**32 - 1),
    "http": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "reply": struct.pack(">BI", 0, 2) + b"ok" + struct.pack(">BI", 6, 0),
    "no-status": struct.pack(">BI", 7, 1) + b"x",
    # The first two bytes also choose a status of a worker's: 200 and their number.
    "413": struct.pack(">H", 213) + b"\0\0",
    "500": struct.pack(">H", 300) + b"\0\0",
    "503": struct.pack(">H", 303) + b"\0\0",
}

CONTROL_LINES = {
    "ping": b"ping",
    "pool": b"recycle oui\r",
    "blanks": b" \t reload\toui  --all --wait ",
    "level": b"log debug oui",
    "empty": b"",
    "spaces": b"   ",
    "words": b"a b c d e f g h",
    "too-many": b"a b c d e f g h i",
    "control": b"ping\x01",
    "utf-8": "ping \u00e4".encode(),
    "long": b"x" * 1024,
    "too-long": b"x" * 1025,
}

SMALL = b"""zygote_program = /bin/true
listen "web" { address = "127.0.0.1:8080" }
pool "a" { worker = "/bin/true" routes = {"/"} }
"""

CONFIGS = {
    "small": SMALL,
    "sample": (CORPUS.parent.parent.parent / "conf" / "zygoted.conf").read_bytes(),
    "unix": SMALL + b"""listen "u" { address = "unix:/run/x" access = all group = "root" proxy = {"unix:"} gather = 2M }
""",
    "frame": SMALL + b"""listen "f" { protocol = frame address = "[::1]:90" pool = a proxy = {"10.0.0.0/8", "::1"} }
""",
    "top": b"""user = "nobody"
control = "control"
control_group = root
log_level = debug
access_log = /tmp/access
access_format = json
require = {seccomp, landlock}
fronts = 2
drain_timeout = 1m
penalty_exempt = {}
connections_per_source = 0
""" + SMALL,
    "pool": b"""zygote_program = /bin/true
listen "web" { address = "127.0.0.1:8080" }
pool "a" {
	worker = "/bin/true"
	option "file" { value = {'x', "y\\n\\x41\\"", ""} }
	option "other" { value = "again" }
	spare = 2 max_children = 4 cpu = 2s memory = 1G image = frozen profile = files read_paths = {"/usr/share", "/etc/hosts"}
	sandbox = log zygotes = 2 timeout = 500ms routes = {"=/x", "/y"} prefault = "0"
}
""",
    "environment": b'user = "${NO_SUCH_NAME:-nobody}" control = "${NO_SUCH_NAME}"\n' + SMALL,
    "tls": SMALL + b"""listen "t" { address = "127.0.0.1:443" certificate = {"/a", "/b"} key = "/c" ocsp = {"", "/d"} client_ca = "/e"
client_verify = required tls_min = "1.3" }
""",
    "unknown-key": SMALL + b"nonsense = 1\n",
    "unknown-choice": b"log_level = loud\n" + SMALL,
    "ranges": b"fronts = 9 drain_timeout = 1ms body_rate = 0 connections = 1000001\n" + SMALL,
    "units": b"drain_timeout = 5 body_rate = 1X connections = one idle_timeout = 1.5s\n" + SMALL,
    "addresses": b"""listen "a" { address = "localhost:1" } listen "b" { address = "1.2.3.4" }
listen "c" { address = "[::1" } listen "d" { address = "unix:x" } listen "e" { address = "1.2.3.4:70000" }
listen "f" { address = "1.2.3.4:80" } listen "g" { address = "1.2.3.4:80" group = root pool = a proxy = "unix:" }
""" + SMALL,
    "networks": b'penalty_exempt = {"10.0.0.1/8", "x", "1.2.3.4/33", "::/129", "unix:"}\n' + SMALL,
    "routes": SMALL + b"""pool "b" { worker = "/bin/true" routes = {"/", "x", "/a?b", "=/ok"} }
pool "c" { worker = "/bin/true" }
""",
    "workers": b"""listen "f" { protocol = frame address = "[::1]:90" } pool "A" { worker = "no such" routes = {"/"} }
pool "b" { worker = "../x/y.so" routes = {"/b"} } pool "c" { worker = "/etc" routes = {"/c"} } pool "d" { routes = {"/d"} }
""",
    "paths": SMALL + b"""pool "b" { worker = "/bin/true" routes = {"/b"} profile = files read_paths = {"x", "/", "/proc/1", "/a//b",
"/a/../b", "/nowhere"} } pool "c" { worker = "/bin/true" routes = {"/c"} profile = other cpu = 1500ms spare = 99 }
pool "d" { worker = "/bin/true" routes = {"/d"} profile = files } pool "e" { worker = "/bin/true" routes = {"/e"} read_paths = "/usr" }
""",
    "values": b"""user = "no such user" control_group = "no such group" access_log = "relative" require = {"nonsense"}
listen "w" { address = "127.0.0.1:80" protocol = smtp certificate = "/a" ocsp = {"/b", "/c"} client_ca = "" client_verify = none }
listen "v" { address = "127.0.0.1:81" client_ca = "/x" } listen "u" { address = "127.0.0.1:82" client_verify = required key = "/k" }
listen "t" { address = "127.0.0.1:83" certificate = "/a" key = "/b" client_ca = "/x" }
listen "s" { address = "127.0.0.1:84" certificate = "/a" key = "/b" client_verify = optional }
listen "m" { protocol = metrics address = "unix:/run/m" proxy = "10.0.0.1" } listen "n" { protocol = frame address = "[::1]:1" pool = x }
pool "a" { worker = "/bin/true" routes = {"/a", "/a"} option "o" { value = {} } sandbox = log max_children = 1 zygotes = 2 }
""" + SMALL.replace(b"/bin/true", b"/nowhere", 1) + b"require = {seccomp}\nuser = root\n",
    "metrics-alone": b"""listen "m" { protocol = metrics address = "[::1]:80" } connections = 1 fronts = 8
""",
    "long": b'worker_dir = "' + b"x" * 1100 + b'"\ncontrol = ""\n' + SMALL + b'pool "' + b"n" * 40 + b'" { worker = a routes = {"/' + b"r" * 130 + b'"} }\n',
    "lists": SMALL + b'penalty_exempt = {' + b", ".join(b'"10.0.0.%d"' % i for i in range(40)) + b"""}
pool "l" { worker = "/bin/true" routes = {""" + b", ".join(b'"/%d"' % i for i in range(40)) + b"} }\n",
    "syntax-brace": b"listen { }\n",
    "syntax-quote": b'listen "web { address = 1\n',
    "syntax-equals": b"fronts 2\n",
    "syntax-string": b'user = "\\q"\n',
    "syntax-comment": b"/* never ends\n",
    "twice": SMALL + SMALL + b"fronts = 1 fronts = 2\n",
    "nul": b"user = \0\n",
    "include": b'include("/dev/null")\n' + SMALL,
}


V2 = b"\r\n\r\n\0\r\nQUIT\n"
V4_ADDRESSES = bytes([192, 0, 2, 1, 198, 51, 100, 2]) + struct.pack(">HH", 4711, 80)


def binary(command, family, rest):
    return V2 + bytes([command, family]) + struct.pack(">H", len(rest)) + rest


PROXY_HEADERS = {
    "v1-tcp4": b"PROXY TCP4 192.0.2.1 198.51.100.2 4711 80\r\nGET",
    "v1-tcp6": b"PROXY TCP6 2001:db8::1 ::1 4711 80\r\n",
    "v1-mapped": b"PROXY TCP6 ::ffff:192.0.2.1 ::1 4711 80\r\n",
    "v1-address": b"PROXY TCP4 192.0.2.256 198.51.100.2 4711 80\r\n",
    "v1-family": b"PROXY UDP4 192.0.2.1 198.51.100.2 4711 80\r\n",
    "v1-no-family": b"PROXY \r\n",
    "v1-port-letters": b"PROXY TCP4 192.0.2.1 198.51.100.2 47x1 80\r\n",
    "v1-port-zero": b"PROXY TCP4 192.0.2.1 198.51.100.2 04711 80\r\n",
    "v1-long": b"PROXY UNKNOWN " + b"x" * 120 + b"\r\n",
    "v1-nul": b"PROXY UNKNOWN \0\r\n",
    "v1-line-end": b"PROXY UNKNOWN\rx",
    "v1-cut": b"PROXY TCP4 192.0.2.1 198.51.100.2 4711 80\r",
    "none": b"GET / HTTP/1.1\r\n\r\n",
    "v2-command": binary(0x22, 0x11, V4_ADDRESSES),
    "v2-version": binary(0x31, 0x11, V4_ADDRESSES),
    "v2-long": V2 + bytes([0x21, 0x11, 0xff, 0xff]),
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
write("fuzz_frames", FRAMES, b"")
write("fuzz_control_line", CONTROL_LINES, b"")
write("fuzz_config", CONFIGS, b"")
