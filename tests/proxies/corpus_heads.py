"""The corpus, first part: request lines, line ends, header lines, Host, limits of heads."""

from entry import CHUNKED, CLOSE, CONTROLS, DELIMITERS, HIDDEN, HOST, LAST, TCHARS, accepted, head, refused, sized

# ---- request lines ----

METHODS = [
    b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"TRACE", b"PATCH", b"PROPFIND", b"LOCK", b"PURGE",
    b"BREW",
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
    b"/", b"//", b"///t", b"/.", b"/..", b"/../../etc/passwd", b"/a/./b/../c", b"/%2e%2e/", b"/%00", b"/%0d%0aX:y",
    b"/%",
    b"/%zz", b"/%2f", b"/a;b=c", b"/a:b@c", b"/*", b"/?a", b"/?a=b&c=d", b"/?a?b??", b"/t?http://b/", b"/http://b/",
    b"/\\", b"/a\\..\\b", b"/<>", b'/"', b"/{}|^`", b"/'();", b"/~u", b"/a+b", b"/$,!", b"/[::1]", b"/" + b"a" * 4000,
    b"/?" + b"q=1&" * 900, b"/t/", b"/T", b"/index.php/x", b"/.git", b"/%E4%BD%A0",
]  # fmt: skip
# target, path and query as executed, Host
ABSOLUTE = [
    (b"http://a/t", b"/t", b"a"), (b"HTTP://a/t", b"/t", b"a"), (b"https://a/t", b"/t", b"a"),
    (b"http://a", b"/", b"a"),
    (b"http://a?q", b"/?q", b"a"), (b"http://a/?", b"/", b"a"), (b"http://a:80/t", b"/t", b"a:80"),
    (b"http://A/t", b"/t", b"a"), (b"http://[::1]:8/t", b"/t", b"[::1]:8"),
    (b"http://127.0.0.1/t", b"/t", b"127.0.0.1"),
    (b"http://a//b", b"//b", b"a"), (b"http://a/http://b/", b"/http://b/", b"a"),
]  # fmt: skip
BAD_TARGETS = {
    "relative": b"t", "dot": b"./t", "star for get": b"*", "star and more": b"*/t", "fragment": b"/t#f",
    "fragment encoded absolute": b"http://a/t#f", "above ascii": b"/\xff", "utf-8": b"/\xc3\xa4", "empty": b"",
    "authority form": b"a:80", "other host": b"http://b/t", "other port": b"http://a:81/t", "user": b"http://u@a/t",
    "scheme ftp": b"ftp://a/t", "scheme file": b"file:///t", "no authority": b"http:///t", "one slash": b"http:/a/t",
    "scheme alone": b"http://", "port empty": b"http://a:/t", "port 0": b"http://a:0/t",
    "port 65536": b"http://a:65536/t",
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
    b"HTTP/0.9": 505, b"HTTP/1.2": 505, b"HTTP/1.10": 505, b"HTTP/2.0": 505, b"HTTP/2": 505, b"HTTP/1": 505,
    b"HTTP/1.": 505,
    b"HTTP/01.1": 505, b"HTTP/1.1.1": 505, b"http/1.1": 505, b"HTTP/-1.1": 505, b"HTTPS/1.1": 505, b"1.1": 505,
    b"HTTP/1.1a": 505, b"HTTP/1,1": 505, b"JTTP/1.1": 505, b"": 400, b" HTTP/1.1": 400, b"HTTP/1.1 ": 400,
    b"HTTP /1.1": 400,
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
    data = head(b"POST /t HTTP/1.0", b"Content-Length: 3") + b"abc"
    yield accepted("1.0 sized", data, (b"POST", b"/t", b"abc"), end=CLOSE)
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
    "empty value": b"X:", "blank value": b"X: \t ", "no space": b"X:y", "tabs": b"X:\ty\t",
    "inner blanks": b"X: y \t z",
    "obs-text": b"X: \xe4\xff\x80", "colons": b"X: a:b::", "quoted": b'X: "a, b"; c="\\""',
    "long": b"X: " + b"v" * 4000,
    "delimiters": b"X: " + DELIMITERS, "like a request": b"X: GET /hidden HTTP/1.1", "name of 64": b"N" * 64 + b": v",
    "underscores": b"X_Y: v", "content_length": b"Content_Length: 5",
    "transfer_encoding": b"Transfer_Encoding: chunked",
    "content-lengt": b"Content-Lengt: 5", "x-content-length": b"X-Content-Length: 5",
    "x-transfer-encoding": b"X-Transfer-Encoding: chunked",
    "upgrade": b"Upgrade: h2c", "h2 settings": b"HTTP2-Settings: AAMAAABk", "te": b"TE: trailers",
    "trailer": b"Trailer: X",
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
    "CR hides coding": b"X: a\rTransfer-Encoding: chunked", "name with space": b"X Y: v",
    "request line": b"GET /t HTTP/1.1",
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
    b"", b"a b", b"a,b", b"a/b", b"a?b", b"a#b", b"u@a", b"a:", b"a:0", b"a:65536", b"a:x", b"a:+1", b"a:1:2", b":80",
    b"[::1",
    b"::1", b"[]", b"[::g]", b"[::1]x", b"[::1%25eth0]", b"[1.2.3.4]", b"a%41", b"a\xe4", b"x" * 256, b'"a"', b"a;b",
    b"<a>",
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


PARTS = [methods, targets, versions, other_protocols, line_ends, headers, hosts, limits]
