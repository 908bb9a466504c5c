"""The corpus, second part: where a request ends, and what comes behind it."""

from entry import CHUNKED, CLOSE, HIDDEN, KEEP, LAST, accepted, chunked, head, opened, post, refused, sized

# ---- framing ----

GOOD_LENGTHS = {b"5": b"hello", b"05": b"hello", b"0000000000000000005": b"hello", b"0": b"", b"\t5 ": b"hello"}
BAD_LENGTHS = [
    b"", b"+5", b"-5", b"-0", b"0x5", b"5 5", b"5,5", b"5, 5", b"5;", b"5.0", b"5e0", b" ", b"five", b"'5'", b'"5"',
    b"5\x0b",
    b"00000000000000000005", b"18446744073709551616", b"99999999999999999999", b"5\xa0", b"\xb5", b"0,5", b"5,", b",5",
    b"5_0",
]  # fmt: skip
BAD_CODINGS = [
    b"", b"xchunked", b"chunkedx", b"chunked,", b",chunked", b"chunked, chunked", b"chunked,chunked", b"identity",
    b"gzip",
    b"gzip, chunked", b"chunked, gzip", b"identity, chunked", b"chunked, identity", b"chunked;q=1", b'"chunked"',
    b"'chunked'",
    b"chun ked", b"c\xe7hunked", b"chunke", b"chunked chunked", b"CHUNKED;", b"deflate", b"trailers", b"x, chunked",
    b"chunk\xc3\xa9d",
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
        "vertical tab": b"Transfer-Encoding: \x0bchunked", "NUL": b"Transfer-Encoding: chunked\0",
        "folded": b"Transfer-Encoding:\r\n chunked",
        "folded name": b"Transfer-Encoding\r\n : chunked", "LF before": b"X: x\nTransfer-Encoding: chunked",
        "space": b"Transfer-Encoding : chunked",
        "LF in name": b"Transfer-Encoding\n: chunked", "CR": b"Transfer-Encoding: chunked\r",
        "first": b" Transfer-Encoding: chunked",
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
    "none": (LAST, b""), "one": (b"5\r\nhello\r\n" + LAST, b"hello"),
    "two": (b"3\r\nabc\r\n2\r\nde\r\n" + LAST, b"abcde"),
    "upper hex": (b"A\r\n0123456789\r\n" + LAST, b"0123456789"),
    "lower hex": (b"a\r\n0123456789\r\n" + LAST, b"0123456789"),
    "16 digits": (b"0000000000000005\r\nhello\r\n" + LAST, b"hello"), "long zero": (b"0000000000000000\r\n\r\n", b""),
    "extension": (b"5;a\r\nhello\r\n" + LAST, b"hello"),
    "extension value": (b'5;a=b;c="d e"\r\nhello\r\n0;z\r\n\r\n', b"hello"),
    "extension of 256": (b"5;" + b"a" * 255 + b"\r\nhello\r\n" + LAST, b"hello"),
    "line ends inside": (b"4\r\n\r\n\r\n\r\n" + LAST, b"\r\n\r\n"),
    "last chunk inside": (b"5\r\n0\r\n\r\n\r\n" + LAST, b"0\r\n\r\n"), "trailer": (b"0\r\nX: y\r\n\r\n", b""),
    "trailers": (b"1\r\na\r\n0\r\nX: y\r\nZ:\r\n\r\n", b"a"),
    "framing trailers": (b"0\r\nContent-Length: 5\r\nTransfer-Encoding: x\r\nHost: b\r\n\r\n", b""),
    "single bytes": (b"".join(b"1\r\n%c\r\n" % c for c in b"split") + LAST, b"split"),
    "extension with tab": (b"5;a\tb\r\nhello\r\n" + LAST, b"hello"),
    "extension obs-text": (b"5;a=\xe4\r\nhello\r\n" + LAST, b"hello"),
    "trailer of 64": (b"0\r\n" + b"N" * 64 + b": v\r\n\r\n", b""),
    "64 trailers": (b"0\r\n" + b"X: y\r\n" * 64 + b"\r\n", b""),
}  # fmt: skip
BAD_CHUNKS = {
    "sign": b"+5\r\nhello\r\n", "minus": b"-5\r\nhello\r\n", "prefix": b"0x5\r\nhello\r\n",
    "junk": b"5 junk\r\nhello\r\n", "space after": b"5 \r\nhello\r\n",
    "space before": b" 5\r\nhello\r\n", "tab": b"5\t\r\nhello\r\n", "empty": b"\r\nhello\r\n",
    "no hex": b"g\r\nhello\r\n", "17 digits": b"00000000000000005\r\nhello\r\n",
    "overflow": b"10000000000000005\r\nhello\r\n", "bare LF": b"5\nhello\r\n", "bare CR": b"5\rhello\r\n",
    "CR CR LF": b"5\r\r\nhello\r\n", "too short": b"4\r\nhello\r\n",
    "too long": b"6\r\nhello\r\n", "LF after data": b"5\r\nhello\n", "nothing after data": b"5\r\nhello5\r\n",
    "CR X after data": b"5\r\nhello\rX", "NUL in size": b"5\0\r\nhello\r\n",
    "quoted": b'"5"\r\nhello\r\n', "comma": b"5,5\r\nhello\r\n", "extension empty": b"5;\r\nhello\r\n",
    "extension space": b"5; a\r\nhello\r\n", "extension before": b"5 ;a\r\nhello\r\n",
    "extension LF": b"5;a\nb\r\nhello\r\n", "extension NUL": b"5;a\0\r\nhello\r\n",
    "extension CR": b"5;a\rb\r\nhello\r\n", "extension of 257": b"5;" + b"a" * 256 + b"\r\nhello\r\n",
    "decimal point": b"5.0\r\nhello\r\n",
    "underscore": b"0_5\r\nhello\r\n", "h suffix": b"5h\r\nhello\r\n",
}  # fmt: skip
BAD_TRAILERS = {
    "space before colon": (b"X : y\r\n", 400), "no colon": (b"X\r\n", 400), "folded": (b"X: y\r\n z\r\n", 400),
    "empty name": (b": y\r\n", 400),
    "bare LF": (b"X: y\n\r\n", 400), "bare CR": (b"X: y\rZ: z\r\n", 400), "NUL": (b"X: \0\r\n", 400),
    "name of 65": (b"N" * 65 + b": v\r\n", 400),
    "65 of them": (b"X: y\r\n" * 65, 431), "long line": (b"X: " + b"v" * 8190 + b"\r\n", 431),
    "too much": (b"X: " + b"v" * 8000 + b"\r\n", 431),
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
    for header in [b"Expect: 100-continue", b"expect:100-Continue", b"EXPECT: \t100-CONTINUE "]:
        data = post(header, b"Content-Length: 5", body=body)
        yield accepted(f"{header!r}", data, (b"POST", b"/t", body))
    yield accepted("expect, chunked", post(b"Expect: 100-continue", CHUNKED[:-2], body=LAST), (b"POST", b"/t", b""))
    yield accepted("expect, no body", head(b"GET /t HTTP/1.1", b"Expect: 100-continue"))
    yield accepted("expect in 1.0", head(b"GET /t HTTP/1.0", b"Expect: 100-continue"), end=CLOSE)
    for value in [b"", b"100", b"200-ok", b"100-continue, 100-continue", b"100-continue;q=1", b"x"]:
        yield refused(f"expect {value!r}", post(b"Expect: " + value, b"Content-Length: 5", body=body), 417)
    yield refused("expect twice", post(*[b"Expect: 100-continue"] * 2, b"Content-Length: 5", body=body), 417)


GOOD_OPTIONS = [
    (b"keep-alive", KEEP), (b"close", CLOSE), (b"CLOSE", CLOSE), (b"close, x", CLOSE), (b"x,close", CLOSE),
    (b",,close,,", CLOSE), (b"", KEEP), (b",", KEEP),
    (b"x-named", KEEP), (b"Upgrade, HTTP2-Settings", KEEP), (b"te", KEEP), (b"cloes", KEEP), (b"user-agents", KEEP),
    (b", ".join([b"o"] * 32), KEEP),
    (b"keep-alive, close", CLOSE), (b"\tclose\t", CLOSE),
]  # fmt: skip
BAD_OPTIONS = [
    b"host", b"Content-Length", b"close, content-length", b"transfer-encoding", b"expect", b"a b", b"close;x",
    b'"close"', b"a/b", b"close close", b"\xe4",
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


# ---- several requests, and parts of one ----


def pipelines():
    get, hidden = (b"GET", b"/t", b""), (b"GET", b"/hidden", b"")
    yield accepted("two", head() + HIDDEN, get, hidden)
    yield accepted("ten", head() * 10, *[get] * 10)
    yield accepted("line end between", head() + b"\r\n" + HIDDEN, get, hidden)
    data = sized(b"one") + chunked(b"3\r\ntwo\r\n" + LAST)
    yield accepted("bodies of both kinds", data, (b"POST", b"/t", b"one"), (b"POST", b"/t", b"two"))
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


CHUNK_PARTS = [
    b"", b"5", b"5\r", b"5\r\n", b"5\r\nhello", b"5\r\nhello\r\n", b"5\r\nhello\r\n0\r\n", LAST[:-1], b"5;a",
    b"0\r\nX: y\r\n", b"ffffffff\r\n" + HIDDEN,
]  # fmt: skip


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
    for data in CHUNK_PARTS:
        yield opened(f"chunks end with {data[:20]!r}", chunked(data))
    yield opened("a request and a half", head() + head()[:20], get)
    yield opened("line end after a request", head() + b"\r\n", get)


PARTS = [lengths, codings, chunks, expectations, connections, pipelines, parts]
