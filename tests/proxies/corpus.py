"""Requests, and what becomes of them: valid, odd and smuggling, by the grammar of RFC 9110 and RFC 9112 and the choices
that the front makes where these leave one. Each expectation stands beside its bytes; none is computed by a parser.

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


# ---- request lines ----

METHODS = [
    b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"TRACE", b"PATCH", b"PROPFIND", b"LOCK", b"PURGE", b"BREW",
    b"get", b"Get", b"M-SEARCH", b"PRI", b"HTTP", b"connect", b"X" * 200, b"0", TCHARS,
]  # fmt: skip


def methods():
    """The framing is the same whatever the method is."""
    for method in METHODS:
        name = f"method {method.decode()[:24]}"
        line = method + b" /t HTTP/1.1"
        yield accepted(name, head(line), (method, b"/t", b""))
        yield accepted(f"{name} sized", sized(HIDDEN, method), (method, b"/t", HIDDEN))
        body = b"%x\r\n%s\r\n" % (len(HIDDEN), HIDDEN)
        yield accepted(f"{name} chunked", head(line, CHUNKED[:-2]) + body + LAST, (method, b"/t", HIDDEN))
    yield refused("method CONNECT", head(b"CONNECT a:80 HTTP/1.1"), 501)
    yield refused("method CONNECT path", head(b"CONNECT /t HTTP/1.1"), 501)
    for byte in DELIMITERS:
        yield refused(f"method with {chr(byte)}", head(b"GE%cT /t HTTP/1.1" % byte))
    yield refused("method empty", head(b" /t HTTP/1.1"))
    yield refused("method above ascii", head(b"G\xc3\x84T /t HTTP/1.1"))
    yield refused("method after space", head(b" GET /t HTTP/1.1"))
    yield refused("method after tab", head(b"\tGET /t HTTP/1.1"))


TARGETS = [
    b"/", b"//", b"///t", b"/.", b"/..", b"/../../etc/passwd", b"/a/./b/../c", b"/%2e%2e/", b"/%00", b"/%0d%0aX:y", b"/%",
    b"/%zz", b"/%2f", b"/a;b=c", b"/a:b@c", b"/*", b"/?a", b"/?a=b&c=d", b"/?a?b??", b"/t?http://b/", b"/http://b/",
    b"/\\", b"/a\\..\\b", b"/<>", b'/"', b"/{}|^`", b"/'();", b"/~u", b"/a+b", b"/$,!", b"/[::1]", b"/" + b"a" * 4000,
    b"/?" + b"q=1&" * 900, b"/t/", b"/T", b"/index.php/x", b"/.git", b"/%E4%BD%A0",
]  # fmt: skip
# target, path and query as executed, Host
ABSOLUTE = [
    (b"http://a/t", b"/t", b"a"), (b"HTTP://a/t", b"/t", b"a"), (b"https://a/t", b"/t", b"a"), (b"http://a", b"/", b"a"),
    (b"http://a?q", b"/?q", b"a"), (b"http://a/?", b"/", b"a"), (b"http://a:80/t", b"/t", b"a:80"),
    (b"http://A/t", b"/t", b"a"), (b"http://[::1]:8/t", b"/t", b"[::1]:8"), (b"http://127.0.0.1/t", b"/t", b"127.0.0.1"),
    (b"http://a//b", b"//b", b"a"), (b"http://a/http://b/", b"/http://b/", b"a"),
]  # fmt: skip
BAD_TARGETS = {
    "relative": b"t", "dot": b"./t", "star for get": b"*", "star and more": b"*/t", "fragment": b"/t#f",
    "fragment encoded absolute": b"http://a/t#f", "above ascii": b"/\xff", "utf-8": b"/\xc3\xa4", "empty": b"",
    "authority form": b"a:80", "other host": b"http://b/t", "other port": b"http://a:81/t", "user": b"http://u@a/t",
    "scheme ftp": b"ftp://a/t", "scheme file": b"file:///t", "no authority": b"http:///t", "one slash": b"http:/a/t",
    "scheme alone": b"http://", "port empty": b"http://a:/t", "port 0": b"http://a:0/t", "port 65536": b"http://a:65536/t",
    "ipv6 open": b"http://[::1/t", "percent in host": b"http://a%41/t", "backslash in host": b"http://a\\b/t",
    "slashes": b"\\t", "query alone": b"?q", "host without scheme": b"//a/t#x",
}  # fmt: skip


def targets():
    for target in TARGETS:
        yield accepted(f"target {target.decode()[:24]}", head(b"GET %s HTTP/1.1" % target), (b"GET", target, b""))
    yield accepted("target with empty query", head(b"GET /t? HTTP/1.1"), (b"GET", b"/t", b""))
    for target, path, host in ABSOLUTE:
        data = head(b"GET %s HTTP/1.1" % target, host=b"Host: %s\r\n" % host)
        yield accepted(f"absolute {target.decode()}", data, (b"GET", path, b""))
    yield accepted("absolute in 1.0", head(b"GET http://a/t HTTP/1.0", host=b""), end=CLOSE)
    yield accepted("options star", head(b"OPTIONS * HTTP/1.1"), (b"OPTIONS", b"*", b""))
    for name, target in BAD_TARGETS.items():
        yield refused(f"target {name}", head(b"GET %s HTTP/1.1" % target))
    for byte in CONTROLS:
        yield refused(f"target with byte {byte}", head(b"GET /a%cb HTTP/1.1" % byte))


VERSIONS = {
    b"HTTP/0.9": 505, b"HTTP/1.2": 505, b"HTTP/1.10": 505, b"HTTP/2.0": 505, b"HTTP/2": 505, b"HTTP/1": 505, b"HTTP/1.": 505,
    b"HTTP/01.1": 505, b"HTTP/1.1.1": 505, b"http/1.1": 505, b"HTTP/-1.1": 505, b"HTTPS/1.1": 505, b"1.1": 505,
    b"HTTP/1.1a": 505, b"HTTP/1,1": 505, b"JTTP/1.1": 505, b"": 400, b" HTTP/1.1": 400, b"HTTP/1.1 ": 400, b"HTTP /1.1": 400,
    b"HTTP/1.1\t": 400, b"HTTP/1.1 x": 400, b"HTTP/1.\xb9": 400,
}  # fmt: skip


def versions():
    for version, status in VERSIONS.items():
        yield refused(f"version {version!r}", head(b"GET /t " + version), status)
    yield refused("request of 0.9", b"GET /t\r\n")
    yield refused("tabs for spaces", head(b"GET\t/t\tHTTP/1.1"))
    yield refused("space in target", head(b"GET /a b HTTP/1.1"))
    yield refused("line of one word", head(b"GET"))
    yield accepted("1.0", head(b"GET /t HTTP/1.0"), end=CLOSE)
    yield accepted("1.0 without host", head(b"GET /t HTTP/1.0", host=b""), end=CLOSE)
    yield accepted("1.0 keep-alive", head(b"GET /t HTTP/1.0", b"Connection: keep-alive"))
    yield accepted("1.0 keep-alive and close", head(b"GET /t HTTP/1.0", b"Connection: keep-alive, close"), end=CLOSE)
    yield accepted("1.0 sized", head(b"POST /t HTTP/1.0", b"Content-Length: 3") + b"abc", (b"POST", b"/t", b"abc"), end=CLOSE)
    yield refused("1.0 chunked", head(b"POST /t HTTP/1.0", CHUNKED[:-2]) + LAST, 501)


def other_protocols():
    yield refused("tls", bytes.fromhex("16030100c8010000c40303") + b"\r\n")
    yield refused("http2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505)
    yield refused("ssh", b"SSH-2.0-OpenSSH_9.2\r\n")
    yield refused("proxy protocol", b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n")
    yield refused("answer", b"HTTP/1.1 200 OK\r\n\r\n", 400)
    yield refused("rtsp", head(b"OPTIONS * RTSP/1.0"), 505)


# ---- line ends ----


def line_ends():
    yield accepted("empty line before", b"\r\n" + head())
    yield refused("two empty lines before", b"\r\n\r\n" + head())
    yield refused("bare LF before", b"\n" + head())
    yield refused("bare CR before", b"\r" + head())
    yield refused("LF for all", head().replace(b"\r\n", b"\n"))
    yield refused("CR for all", head().replace(b"\r\n", b"\r"))
    yield refused("CR CR LF", head().replace(b"\r\n", b"\r\r\n"))
    for at, place in enumerate(["request line", "host", "agent", "head"]):
        for name, end in [("LF", b"\n"), ("CR", b"\r"), ("LF CR", b"\n\r"), ("NUL", b"\0\r\n")]:
            lines = head().split(b"\r\n")[:4]
            data = b"".join(line + (end if i == at else b"\r\n") for i, line in enumerate(lines))
            yield refused(f"{name} after {place}", data)
    yield refused("space before head's end", head()[:-2] + b" \r\n\r\n")


# ---- headers ----

ODD_HEADERS = {
    "empty value": b"X:", "blank value": b"X: \t ", "no space": b"X:y", "tabs": b"X:\ty\t", "inner blanks": b"X: y \t z",
    "obs-text": b"X: \xe4\xff\x80", "colons": b"X: a:b::", "quoted": b'X: "a, b"; c="\\""', "long": b"X: " + b"v" * 4000,
    "delimiters": b"X: " + DELIMITERS, "like a request": b"X: GET /hidden HTTP/1.1", "name of 64": b"N" * 64 + b": v",
    "underscores": b"X_Y: v", "content_length": b"Content_Length: 5", "transfer_encoding": b"Transfer_Encoding: chunked",
    "content-lengt": b"Content-Lengt: 5", "x-content-length": b"X-Content-Length: 5", "x-transfer-encoding": b"X-Transfer-Encoding: chunked",
    "upgrade": b"Upgrade: h2c", "h2 settings": b"HTTP2-Settings: AAMAAABk", "te": b"TE: trailers", "trailer": b"Trailer: X",
    "keep-alive": b"Keep-Alive: timeout=5", "proxy": b"Proxy: http://b/", "forwarded": b"Forwarded: for=127.0.0.1",
    "x-forwarded-for": b"X-Forwarded-For: 192.0.2.1", "max-forwards": b"Max-Forwards: 0", "range": b"Range: bytes=0-1",
    "if-match": b'If-Match: "x"', "cookie": b"Cookie: a=b; c=d", "authorization": b"Authorization: Basic YTpi",
    "via": b"Via: 1.1 x", "pragma": b"Pragma: no-cache", "method override": b"X-HTTP-Method-Override: DELETE",
    "original url": b"X-Original-URL: /hidden", "host twice in name": b"X-Host: b", "warning": b"Warning: 199 a b",
}  # fmt: skip
BAD_HEADERS = {
    "no colon": b"X", "empty name": b": v", "space before colon": b"X : v", "tab before colon": b"X\t: v",
    "length, space before colon": b"Content-Length : 50", "coding, space before colon": b"Transfer-Encoding : chunked",
    "folded with space": b"X: a\r\n b", "folded with tab": b"X: a\r\n\tb", "folded empty": b"X: a\r\n ",
    "space first": b" X: v", "tab first": b"\tX: v", "name above ascii": b"X\xe4: v", "name of 65": b"N" * 65 + b": v",
    "LF in value": b"X: a\nY: b", "CR in value": b"X: a\rY: b", "LF hides length": b"X: a\nContent-Length: 5",
    "CR hides coding": b"X: a\rTransfer-Encoding: chunked", "name with space": b"X Y: v", "request line": b"GET /t HTTP/1.1",
}  # fmt: skip


def headers():
    for name, header in ODD_HEADERS.items():
        yield accepted(f"header {name}", head(b"GET /t HTTP/1.1", header))
    for byte in TCHARS:
        yield accepted(f"header name with {chr(byte)}", head(b"GET /t HTTP/1.1", b"X%c: v" % byte))
    for name, header in BAD_HEADERS.items():
        yield refused(f"header {name}", head(b"GET /t HTTP/1.1", header))
    for byte in DELIMITERS:
        yield refused(f"header name with {chr(byte)}", head(b"GET /t HTTP/1.1", b"X%cY: v" % byte))
    for byte in CONTROLS:
        yield refused(f"header value with byte {byte}", head(b"GET /t HTTP/1.1", b"X: a%cb" % byte))
        yield refused(f"header name with byte {byte}", head(b"GET /t HTTP/1.1", b"X%cY: v" % byte))
    yield accepted("same header twice", head(b"GET /t HTTP/1.1", b"X: 1", b"X: 2", b"x: 1"))


GOOD_HOSTS = [
    b"b", b"A.B", b"a.", b"a-b_c~d", b"127.0.0.1", b"a:1", b"a:65535", b"a:080", b"[::1]", b"[2001:db8::1]:8080",
    b"[::ffff:1.2.3.4]", b"x" * 255, b"-", b"1",
]  # fmt: skip
BAD_HOSTS = [
    b"", b"a b", b"a,b", b"a/b", b"a?b", b"a#b", b"u@a", b"a:", b"a:0", b"a:65536", b"a:x", b"a:+1", b"a:1:2", b":80", b"[::1",
    b"::1", b"[]", b"[::g]", b"[::1]x", b"[::1%25eth0]", b"[1.2.3.4]", b"a%41", b"a\xe4", b"x" * 256, b'"a"', b"a;b", b"<a>",
    b"http://a", b"a\\b", b"a:000001", b"[v1.x]", b"a\tb",
]  # fmt: skip


def hosts():
    for host in GOOD_HOSTS:
        yield accepted(f"host {host.decode()[:24]}", head(host=b"Host: %s\r\n" % host))
    for host in BAD_HOSTS:
        yield refused(f"host {host!r}"[:32], head(host=b"Host: %s\r\n" % host))
    yield accepted("host, odd case and blanks", head(host=b"hOSt:\t a \t\r\n"))
    yield refused("no host", head(host=b""))
    yield refused("two hosts", head(host=HOST + HOST))
    yield refused("two hosts that differ", head(host=HOST + b"Host: b\r\n"))
    yield refused("two hosts in 1.0", head(b"GET /t HTTP/1.0", host=HOST * 2))
    yield refused("bad host in 1.0", head(b"GET /t HTTP/1.0", host=b"Host: a b\r\n"))
    yield refused("host after space", head(host=b" Host: a\r\n"))


# ---- framing ----

GOOD_LENGTHS = {b"5": b"hello", b"05": b"hello", b"0000000000000000005": b"hello", b"0": b"", b"\t5 ": b"hello"}
BAD_LENGTHS = [
    b"", b"+5", b"-5", b"-0", b"0x5", b"5 5", b"5,5", b"5, 5", b"5;", b"5.0", b"5e0", b" ", b"five", b"'5'", b'"5"', b"5\x0b",
    b"00000000000000000005", b"18446744073709551616", b"99999999999999999999", b"5\xa0", b"\xb5", b"0,5", b"5,", b",5", b"5_0",
]  # fmt: skip
BAD_CODINGS = [
    b"", b"xchunked", b"chunkedx", b"chunked,", b",chunked", b"chunked, chunked", b"chunked,chunked", b"identity", b"gzip",
    b"gzip, chunked", b"chunked, gzip", b"identity, chunked", b"chunked, identity", b"chunked;q=1", b'"chunked"', b"'chunked'",
    b"chun ked", b"c\xe7hunked", b"chunke", b"chunked chunked", b"CHUNKED;", b"deflate", b"trailers", b"x, chunked", b"chunk\xc3\xa9d",
]  # fmt: skip


def lengths():
    for length, body in GOOD_LENGTHS.items():
        yield accepted(f"length {length!r}", post(b"Content-Length: " + length, body=body), (b"POST", b"/t", body))
    for length in BAD_LENGTHS:
        yield refused(f"length {length!r}", post(b"Content-Length: " + length, body=b"hello"))
    yield refused("two lengths", post(b"Content-Length: 5", b"Content-Length: 5", body=b"hello"))
    yield refused("two lengths that differ", post(b"Content-Length: 5", b"Content-Length: 0", body=b"hello"))
    yield refused("second length bad", post(b"Content-Length: 5", b"content-length: x", body=b"hello"))
    yield refused("too large", post(b"Content-Length: 1048577"), 413)
    yield refused("far too large", post(b"Content-Length: 9999999999999999999"), 413)
    yield accepted("body is a line end", sized(b"\r\n"), (b"POST", b"/t", b"\r\n"))
    yield accepted("body of all bytes", sized(bytes(range(256))), (b"POST", b"/t", bytes(range(256))))
    large = bytes(i * i % 251 for i in range(100000))
    yield accepted("large body", sized(large), (b"POST", b"/t", large))


def codings():
    for value in [b"chunked", b"Chunked", b"CHUNKED", b"\tchunked\t "]:
        data = post(b"Transfer-Encoding:" + value, body=b"5\r\nhello\r\n" + LAST)
        yield accepted(f"coding {value!r}", data, (b"POST", b"/t", b"hello"))
    for value in BAD_CODINGS:
        yield refused(f"coding {value!r}", post(b"Transfer-Encoding: " + value, body=LAST), 501)
    for name, header in {
        "vertical tab": b"Transfer-Encoding: \x0bchunked", "NUL": b"Transfer-Encoding: chunked\0", "folded": b"Transfer-Encoding:\r\n chunked",
        "folded name": b"Transfer-Encoding\r\n : chunked", "LF before": b"X: x\nTransfer-Encoding: chunked", "space": b"Transfer-Encoding : chunked",
        "LF in name": b"Transfer-Encoding\n: chunked", "CR": b"Transfer-Encoding: chunked\r", "first": b" Transfer-Encoding: chunked",
    }.items():  # fmt: skip
        yield refused(f"coding hidden by {name}", post(b"Content-Length: 5", header, body=LAST))
        yield refused(f"coding alone hidden by {name}", post(header, body=LAST))
    yield refused("coding twice", post(CHUNKED[:-2], CHUNKED[:-2], body=LAST), 501)
    yield refused("coding twice, second unknown", post(CHUNKED[:-2], b"Transfer-encoding: x", body=LAST), 501)
    yield refused("coding twice, first unknown", post(b"Transfer-encoding: identity", CHUNKED[:-2], body=LAST), 501)
    for length in [b"0", b"4", b"5", b"50", b"x"]:
        both = [b"Content-Length: " + length, CHUNKED[:-2]]
        yield refused(f"length {length.decode()} and coding", post(*both, body=LAST))
        yield refused(f"coding and length {length.decode()}", post(*reversed(both), body=LAST))
    yield refused("coding of other case and length", post(b"transfer-ENCODING: CHUNKED", b"content-LENGTH: 5", body=LAST))
    yield refused("length and unknown coding", post(b"Content-Length: 5", b"Transfer-Encoding: x", body=LAST))


GOOD_CHUNKS = {
    "none": (LAST, b""), "one": (b"5\r\nhello\r\n" + LAST, b"hello"), "two": (b"3\r\nabc\r\n2\r\nde\r\n" + LAST, b"abcde"),
    "upper hex": (b"A\r\n0123456789\r\n" + LAST, b"0123456789"), "lower hex": (b"a\r\n0123456789\r\n" + LAST, b"0123456789"),
    "16 digits": (b"0000000000000005\r\nhello\r\n" + LAST, b"hello"), "long zero": (b"0000000000000000\r\n\r\n", b""),
    "extension": (b"5;a\r\nhello\r\n" + LAST, b"hello"), "extension value": (b'5;a=b;c="d e"\r\nhello\r\n0;z\r\n\r\n', b"hello"),
    "extension of 256": (b"5;" + b"a" * 255 + b"\r\nhello\r\n" + LAST, b"hello"), "line ends inside": (b"4\r\n\r\n\r\n\r\n" + LAST, b"\r\n\r\n"),
    "last chunk inside": (b"5\r\n0\r\n\r\n\r\n" + LAST, b"0\r\n\r\n"), "trailer": (b"0\r\nX: y\r\n\r\n", b""),
    "trailers": (b"1\r\na\r\n0\r\nX: y\r\nZ:\r\n\r\n", b"a"), "framing trailers": (b"0\r\nContent-Length: 5\r\nTransfer-Encoding: x\r\nHost: b\r\n\r\n", b""),
    "single bytes": (b"".join(b"1\r\n%c\r\n" % c for c in b"split") + LAST, b"split"), "extension with tab": (b"5;a\tb\r\nhello\r\n" + LAST, b"hello"),
    "extension obs-text": (b"5;a=\xe4\r\nhello\r\n" + LAST, b"hello"), "trailer of 64": (b"0\r\n" + b"N" * 64 + b": v\r\n\r\n", b""),
    "64 trailers": (b"0\r\n" + b"X: y\r\n" * 64 + b"\r\n", b""),
}  # fmt: skip
BAD_CHUNKS = {
    "sign": b"+5\r\nhello\r\n", "minus": b"-5\r\nhello\r\n", "prefix": b"0x5\r\nhello\r\n", "junk": b"5 junk\r\nhello\r\n", "space after": b"5 \r\nhello\r\n",
    "space before": b" 5\r\nhello\r\n", "tab": b"5\t\r\nhello\r\n", "empty": b"\r\nhello\r\n", "no hex": b"g\r\nhello\r\n", "17 digits": b"00000000000000005\r\nhello\r\n",
    "overflow": b"10000000000000005\r\nhello\r\n", "bare LF": b"5\nhello\r\n", "bare CR": b"5\rhello\r\n", "CR CR LF": b"5\r\r\nhello\r\n", "too short": b"4\r\nhello\r\n",
    "too long": b"6\r\nhello\r\n", "LF after data": b"5\r\nhello\n", "nothing after data": b"5\r\nhello5\r\n", "CR X after data": b"5\r\nhello\rX", "NUL in size": b"5\0\r\nhello\r\n",
    "quoted": b'"5"\r\nhello\r\n', "comma": b"5,5\r\nhello\r\n", "extension empty": b"5;\r\nhello\r\n", "extension space": b"5; a\r\nhello\r\n", "extension before": b"5 ;a\r\nhello\r\n",
    "extension LF": b"5;a\nb\r\nhello\r\n", "extension NUL": b"5;a\0\r\nhello\r\n", "extension CR": b"5;a\rb\r\nhello\r\n", "extension of 257": b"5;" + b"a" * 256 + b"\r\nhello\r\n", "decimal point": b"5.0\r\nhello\r\n",
    "underscore": b"0_5\r\nhello\r\n", "h suffix": b"5h\r\nhello\r\n",
}  # fmt: skip
BAD_TRAILERS = {
    "space before colon": (b"X : y\r\n", 400), "no colon": (b"X\r\n", 400), "folded": (b"X: y\r\n z\r\n", 400), "empty name": (b": y\r\n", 400),
    "bare LF": (b"X: y\n\r\n", 400), "bare CR": (b"X: y\rZ: z\r\n", 400), "NUL": (b"X: \0\r\n", 400), "name of 65": (b"N" * 65 + b": v\r\n", 400),
    "65 of them": (b"X: y\r\n" * 65, 431), "long line": (b"X: " + b"v" * 8190 + b"\r\n", 431), "too much": (b"X: " + b"v" * 8000 + b"\r\n", 431),
    "space first": (b" X: y\r\n", 400), "delimiter in name": (b"X(: y\r\n", 400),
}  # fmt: skip


def chunks():
    for name, (data, body) in GOOD_CHUNKS.items():
        yield accepted(f"chunks {name}", chunked(data), (b"POST", b"/t", body))
    for name, data in BAD_CHUNKS.items():
        yield refused(f"chunks {name}", chunked(data + LAST))
    for name, (data, status) in BAD_TRAILERS.items():
        times = 5 if name == "too much" else 1
        yield refused(f"trailer {name}", chunked(b"0\r\n" + data * times + b"\r\n"), status)
    for name, end in {"LF": b"0\r\n\n", "LF LF": b"0\n\n", "CR": b"0\r\n\rX", "no line": b"0\r\nG"}.items():
        yield refused(f"last chunk ends in {name}", chunked(end + b"\r\n"))
    yield refused("chunks too large", chunked(b"100001\r\n" + b"x" * 0x100001 + b"\r\n" + LAST), 413)
    yield accepted("chunks, then a request", chunked(LAST) + HIDDEN, (b"POST", b"/t", b""), (b"GET", b"/hidden", b""))


def expectations():
    body = b"hello"
    yield accepted("expect", post(b"Expect: 100-continue", b"Content-Length: 5", body=body), (b"POST", b"/t", body))
    yield accepted("expect, other case", post(b"expect: 100-Continue", b"Content-Length: 5", body=body), (b"POST", b"/t", body))
    yield accepted("expect, chunked", post(b"Expect: 100-continue", CHUNKED[:-2], body=LAST), (b"POST", b"/t", b""))
    yield accepted("expect, no body", head(b"GET /t HTTP/1.1", b"Expect: 100-continue"))
    yield accepted("expect in 1.0", head(b"GET /t HTTP/1.0", b"Expect: 100-continue"), end=CLOSE)
    for value in [b"", b"100", b"200-ok", b"100-continue, 100-continue", b"100-continue;q=1", b"x"]:
        yield refused(f"expect {value!r}", post(b"Expect: " + value, b"Content-Length: 5", body=body), 417)
    yield refused("expect twice", post(*[b"Expect: 100-continue"] * 2, b"Content-Length: 5", body=body), 417)


GOOD_OPTIONS = [
    (b"keep-alive", KEEP), (b"close", CLOSE), (b"CLOSE", CLOSE), (b"close, x", CLOSE), (b"x,close", CLOSE), (b",,close,,", CLOSE), (b"", KEEP), (b",", KEEP),
    (b"x-named", KEEP), (b"Upgrade, HTTP2-Settings", KEEP), (b"te", KEEP), (b"cloes", KEEP), (b"user-agents", KEEP), (b", ".join([b"o"] * 32), KEEP),
    (b"keep-alive, close", CLOSE), (b"\tclose\t", CLOSE),
]  # fmt: skip
BAD_OPTIONS = [
    b"host", b"Content-Length", b"close, content-length", b"transfer-encoding", b"expect", b"a b", b"close;x", b'"close"', b"a/b", b"close close", b"\xe4",
    b", ".join([b"o"] * 33), b"keep-alive=1",
]  # fmt: skip


def connections():
    for value, end in GOOD_OPTIONS:
        yield accepted(f"connection {value!r:.40} {len(value)}", head(b"GET /t HTTP/1.1", b"Connection: " + value), end=end)
    yield accepted("connection in two lines", head(b"GET /t HTTP/1.1", b"Connection: x", b"Connection: close"), end=CLOSE)
    yield accepted("proxy-connection is nothing", head(b"GET /t HTTP/1.1", b"Proxy-Connection: close"))
    for value in BAD_OPTIONS:
        yield refused(f"connection {value!r:.40} {len(value)}", post(b"Connection: " + value, b"Content-Length: 0"))
    yield accepted("nothing after close", head(b"GET /t HTTP/1.1", b"Connection: close") + HIDDEN, end=CLOSE)


def limits():
    line = b"GET /%s HTTP/1.1"
    target = b"/" + b"a" * 8178
    yield accepted("request line of 8192", head(line % target[1:]), (b"GET", target, b""))
    yield refused("request line of 8193", head(line % (b"a" * 8179)), 414)
    yield refused("request line without end", b"GET /" + b"a" * 9000, 414)
    yield refused("method without end", b"G" * 9000, 414)
    yield accepted("header line of 8192", head(b"GET /t HTTP/1.1", b"X: " + b"v" * 8189))
    yield refused("header line of 8193", head(b"GET /t HTTP/1.1", b"X: " + b"v" * 8190), 431)
    yield accepted("64 headers", head(b"GET /t HTTP/1.1", *[b"X: y"] * 62))
    yield refused("65 headers", head(b"GET /t HTTP/1.1", *[b"X: y"] * 63), 431)
    fill = 32768 - len(head(b"GET /t HTTP/1.1", *[b"X: " + b"v" * 8180] * 3, b"X: "))
    yield accepted("head of 32768", head(b"GET /t HTTP/1.1", *[b"X: " + b"v" * 8180] * 3, b"X: " + b"v" * fill))
    yield refused("head of 32769", head(b"GET /t HTTP/1.1", *[b"X: " + b"v" * 8180] * 3, b"X: " + b"v" * (fill + 1)), 431)


# ---- several requests, and parts of one ----


def pipelines():
    get, hidden = (b"GET", b"/t", b""), (b"GET", b"/hidden", b"")
    yield accepted("two", head() + HIDDEN, get, hidden)
    yield accepted("ten", head() * 10, *[get] * 10)
    yield accepted("line end between", head() + b"\r\n" + HIDDEN, get, hidden)
    yield accepted("bodies of both kinds", sized(b"one") + chunked(b"3\r\ntwo\r\n" + LAST), (b"POST", b"/t", b"one"), (b"POST", b"/t", b"two"))
    yield accepted("head requests", head(b"HEAD /t HTTP/1.1") * 3, *[(b"HEAD", b"/t", b"")] * 3)
    yield accepted("head with body, get", sized(HIDDEN, b"HEAD") + HIDDEN, (b"HEAD", b"/t", HIDDEN), hidden)
    yield accepted("last one closes", head() + head(b"GET /t HTTP/1.0"), get, get, end=CLOSE)
    yield refused("two line ends between", head() + b"\r\n\r\n", 400, get)
    yield refused("second is bad", head() + head(host=b""), 400, get)
    yield refused("second is http2", head() + b"PRI * HTTP/2.0\r\n\r\n", 505, get)
    yield refused("body longer than its length", sized(b"abc") + b"d(", 400, (b"POST", b"/t", b"abc"))
    # Ends inside of the hidden request, whose rest is a method that is none.
    short = post(b"Content-Length: 10", body=b"0123456789(")
    yield refused("rest of a body", short, 400, (b"POST", b"/t", b"0123456789"))
    yield refused("bytes after the last chunk", chunked(LAST + b"X\r\n"), 400, (b"POST", b"/t", b""))


def parts():
    get = (b"GET", b"/t", b"")
    for size in [1, 3, 4, 6, 14, 15, 16, 17, 24, 30, 50]:
        yield opened(f"{size} bytes of a head", head()[:size])
    yield opened("head but for its LF", head()[:-1])
    yield opened("head but for its last line", head()[:-2])
    yield opened("line end alone", b"\r\n")
    yield opened("CR alone", b"\r")
    yield opened("body missing", post(b"Content-Length: 5"))
    yield opened("body one byte short", post(b"Content-Length: 5", body=b"hell"))
    yield opened("length longer than all", post(b"Content-Length: 1000", body=HIDDEN))
    for data in [b"", b"5", b"5\r", b"5\r\n", b"5\r\nhello", b"5\r\nhello\r\n", b"5\r\nhello\r\n0\r\n", LAST[:-1], b"5;a", b"0\r\nX: y\r\n", b"ffffffff\r\n" + HIDDEN]:
        yield opened(f"chunks end with {data[:20]!r}", chunked(data))
    yield opened("a request and a half", head() + head()[:20], get)
    yield opened("line end after a request", head() + b"\r\n", get)


PARTS = [
    methods, targets, versions, other_protocols, line_ends, headers, hosts, lengths, codings, chunks, expectations, connections, limits, pipelines, parts,
]  # fmt: skip
ENTRIES = [entry for part in PARTS for entry in part()]
