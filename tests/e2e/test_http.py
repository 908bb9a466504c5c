"""What the front accepts and refuses on the wire."""

import pytest

from zyg import pool

HOST = b"Host: a\r\n"


def get(extra=b"", target=b"/echo/", version=b"HTTP/1.1", host=HOST, method=b"GET"):
    return method + b" " + target + b" " + version + b"\r\n" + host + extra + b"\r\n"


def post(framing, body=b""):
    return get(framing, method=b"POST") + body


CHUNKED = b"Transfer-Encoding: chunked\r\n"
REFUSED = {
    # request line
    "no version": (400, b"GET /echo/\r\n" + HOST + b"\r\n"),
    "http 0.9 line": (505, get(version=b"HTTP/0.9")),
    "http 2": (505, get(version=b"HTTP/2.0")),
    "http 1.2": (505, get(version=b"HTTP/1.2")),
    "two spaces": (400, get(target=b" /echo/")),
    "tab for space": (400, b"GET\t/echo/ HTTP/1.1\r\n" + HOST + b"\r\n"),
    "space in target": (400, get(target=b"/echo/a b")),
    "byte above ascii in target": (400, get(target=b"/echo/\xff")),
    "control byte in target": (400, get(target=b"/echo/\x01")),
    "nul in target": (400, get(target=b"/echo/\0")),
    "method no token": (400, get(method=b"GE(T")),
    "relative target": (400, get(target=b"echo/")),
    "star for get": (400, get(target=b"*")),
    "connect": (501, get(target=b"a:80", method=b"CONNECT")),
    "absolute target of another host": (400, get(target=b"http://b/echo/")),
    "bare line feed": (400, b"GET /echo/ HTTP/1.1\n" + HOST + b"\r\n"),
    "bare carriage return": (400, b"GET /echo/ HTTP/1.1\r" + HOST + b"\r\n"),
    "two empty lines before": (400, b"\r\n\r\n" + get()),
    "long request line": (414, get(target=b"/" + b"a" * 9000)),
    # headers
    "space before colon": (400, get(b"X : 1\r\n")),
    "no colon": (400, get(b"X\r\n")),
    "empty name": (400, get(b": 1\r\n")),
    "name no token": (400, get(b"X(: 1\r\n")),
    "folded": (400, get(b"X: 1\r\n 2\r\n")),
    "nul in value": (400, get(b"X: a\0b\r\n")),
    "cr in value": (400, get(b"X: a\rb\r\n")),
    "control byte in value": (400, get(b"X: a\x01b\r\n")),
    "header after bare lf": (400, get(b"X: 1\nY: 2\r\n")),
    "name too long": (400, get(b"X" * 65 + b": 1\r\n")),
    "line too long": (431, get(b"X: " + b"a" * 9000 + b"\r\n")),
    "too many": (431, get(b"X: 1\r\n" * 64)),
    "too much": (431, get(b"".join(b"X%d: " % i + b"a" * 8000 + b"\r\n" for i in range(5)))),
    "no host": (400, get(host=b"")),
    "two hosts": (400, get(HOST)),
    "bad host": (400, get(host=b"Host: a b\r\n")),
    "bad port in host": (400, get(host=b"Host: a:x\r\n")),
    "two hosts in 1.0": (400, get(HOST, version=b"HTTP/1.0")),
    # framing
    "length and chunked": (400, post(b"Content-Length: 3\r\n" + CHUNKED, b"0\r\n\r\n")),
    "two lengths": (400, post(b"Content-Length: 3\r\nContent-Length: 3\r\n", b"abc")),
    "list of lengths": (400, post(b"Content-Length: 3, 3\r\n", b"abc")),
    "negative length": (400, post(b"Content-Length: -1\r\n")),
    "signed length": (400, post(b"Content-Length: +3\r\n", b"abc")),
    "hex length": (400, post(b"Content-Length: 0x3\r\n", b"abc")),
    "empty length": (400, post(b"Content-Length: \r\n")),
    "length of 20 digits": (400, post(b"Content-Length: 00000000000000000003\r\n", b"abc")),
    "length before colon": (400, post(b"Content-Length : 3\r\n", b"abc")),
    "chunked in 1.0": (501, get(CHUNKED, version=b"HTTP/1.0", method=b"POST")),
    "gzip, chunked": (501, post(b"Transfer-Encoding: gzip, chunked\r\n")),
    "chunked twice": (501, post(CHUNKED + CHUNKED)),
    "xchunked": (501, post(b"Transfer-Encoding: xchunked\r\n")),
    "other expectation": (417, post(b"Expect: 200-ok\r\nContent-Length: 3\r\n")),
    # chunks
    "chunk size signed": (400, post(CHUNKED, b"+5\r\nhello\r\n0\r\n\r\n")),
    "chunk size hex mark": (400, post(CHUNKED, b"0x5\r\nhello\r\n0\r\n\r\n")),
    "chunk size junk": (400, post(CHUNKED, b"5 junk\r\nhello\r\n0\r\n\r\n")),
    "chunk size empty": (400, post(CHUNKED, b"\r\nhello\r\n0\r\n\r\n")),
    "chunk size of 17 digits": (400, post(CHUNKED, b"0" * 16 + b"5\r\nhello\r\n0\r\n\r\n")),
    "chunk longer than said": (400, post(CHUNKED, b"3\r\nhello\r\n0\r\n\r\n")),
    "chunk ends in lf": (400, post(CHUNKED, b"5\nhello\r\n0\r\n\r\n")),
    "chunk extension too long": (400, post(CHUNKED, b"5;" + b"a" * 300 + b"\r\nhello\r\n0\r\n\r\n")),
    "bad trailer": (400, post(CHUNKED, b"0\r\nX : 1\r\n\r\n")),
}


def reason_for(status):
    return {413: "body-too-large"}.get(status, "bad-request")


@pytest.mark.parametrize("name", REFUSED)
def test_refused_and_closed(daemon, name):
    status, data = REFUSED[name]
    answer, closed = daemon.raw(data)
    assert (answer.status, answer.reason) == (status, reason_for(status))
    assert answer.header("connection") == "close" and closed


@pytest.mark.parametrize("name", ["no host", "bare line feed", "length and chunked", "two spaces"])
def test_nothing_after_a_refused_request_is_served(daemon, name):
    before = daemon.stats("echo")["requests"]
    _, closed = daemon.raw(REFUSED[name][1] + get() * 3)
    assert closed and daemon.stats("echo")["requests"] == before


def test_a_refusal_is_counted(daemon):
    before = daemon.outcome("bad_request")
    daemon.raw(REFUSED["no host"][1])
    assert daemon.outcome("bad_request") == before + 1


@pytest.mark.parametrize(
    "data",
    [
        get(),
        b"\r\n" + get(),
        get(host=b"hOsT:a:8080\r\n"),
        get(target=b"http://a/echo/"),
        get(b"X: \t value \t\r\n"),
        get(b"X: \xe4\xf6\r\n"),
        get(b"X:\r\n"),
        get(version=b"HTTP/1.0", host=b""),
        get(b"X: 1\r\n" * 63),
        get(b"X" * 64 + b": 1\r\n"),
        post(b"Content-Length: 0000000000000000003\r\n", b"abc"),
    ],
)
def test_accepted(daemon, data):
    with daemon.connect() as connection:
        connection.send(data)
        assert connection.response().status == 200


@pytest.mark.parametrize("name", ["no host", "two lengths", "chunk size signed", None])
def test_byte_by_byte_is_the_same(daemon, name):
    status, data = REFUSED[name] if name else (200, post(CHUNKED, b"5\r\nhello\r\n0\r\n\r\n"))
    with daemon.connect() as connection:
        for i in range(len(data)):
            connection.send(data[i : i + 1])
        assert connection.response().status == status


def test_keep_alive_serves_many_requests_on_one_connection(daemon):
    with daemon.connect() as connection:
        for number in range(200):
            connection.request("POST", "/echo/", b"number %d" % number)
            assert connection.response().body == b"number %d" % number


def test_connection_close_is_honoured(daemon):
    answer, closed = daemon.raw(get(b"Connection: close\r\n"))
    assert answer.status == 200 and answer.header("connection") == "close" and closed


def test_http_1_0_closes(daemon):
    answer, closed = daemon.raw(get(version=b"HTTP/1.0"))
    assert answer.status == 200 and closed and answer.header("transfer-encoding") is None


def test_http_1_0_keep_alive_on_request(daemon):
    with daemon.connect() as connection:
        for _ in range(2):
            connection.send(get(b"Connection: keep-alive\r\n", version=b"HTTP/1.0"))
            answer = connection.response()
            assert answer.status == 200 and answer.header("connection") == "keep-alive"


def test_a_streamed_answer_to_http_1_0_ends_with_the_connection(daemon):
    answer, closed = daemon.raw(get(target=b"/probe/trickle/3", version=b"HTTP/1.0"))
    assert answer.text == "line 0\nline 1\nline 2\n" and closed
    assert answer.header("content-length") is None and answer.header("transfer-encoding") is None


@pytest.mark.parametrize("count", [2, 1000])
def test_pipelined_requests_are_answered_in_order(daemon, count):
    bodies = [b"request %d" % i for i in range(count)]
    with daemon.connect() as connection:
        connection.send(b"".join(post(b"Content-Length: %d\r\n" % len(b), b) for b in bodies))
        assert [connection.response().body for _ in bodies] == bodies


def test_pipelined_requests_to_several_pools_keep_their_order(daemon):
    with daemon.connect() as connection:
        connection.send(get(target=b"/probe/sleep/200") + post(b"Content-Length: 2\r\n", b"hi"))
        assert connection.response().text == "slept\n"
        assert connection.response().text == "hi"


def test_head_has_the_headers_and_no_body(daemon):
    with daemon.connect() as connection:
        connection.send(get(target=b"/oui/002272", method=b"HEAD"))
        head = connection.response("HEAD")
        connection.send(get(target=b"/oui/002272"))
        full = connection.response()
    assert head.status == 200 and head.header("content-length") == str(len(full.body))


def test_head_of_an_error_has_no_body(daemon):
    with daemon.connect() as connection:
        connection.send(get(target=b"/nowhere", method=b"HEAD"))
        assert connection.response("HEAD").status == 404
        connection.send(get())
        assert connection.response().status == 200


def test_expect_100_continue(daemon):
    with daemon.connect() as connection:
        connection.send(post(b"Expect: 100-continue\r\nContent-Length: 5\r\n"))
        assert connection.head().status == 100
        connection.send(b"hello")
        assert connection.response().body == b"hello"


def test_no_100_continue_for_a_request_that_is_refused(daemon):
    answer, closed = daemon.raw(post(b"Expect: 100-continue\r\nContent-Length: 999999999\r\n"))
    assert answer.status == 413 and answer.reason == "body-too-large" and closed


def test_chunked_upload(daemon):
    pieces = [b"a" * size for size in (1, 2, 4096, 65536, 3)]
    data = b"".join(b"%x;x=y\r\n%s\r\n" % (len(p), p) for p in pieces) + b"0\r\nX-T: 1\r\n\r\n"
    with daemon.connect() as connection:
        connection.send(post(CHUNKED, data) + get())
        assert connection.response().body == b"".join(pieces)
        assert connection.response().status == 200


@pytest.mark.parametrize("method", [b"GET", b"DELETE", b"OPTIONS", b"FROBNICATE"])
def test_framing_is_the_same_for_every_method(daemon, method):
    smuggled = get(target=b"/oui/002272")
    with daemon.connect() as connection:
        connection.send(get(b"Content-Length: %d\r\n" % len(smuggled), method=method) + smuggled)
        assert connection.response().body == smuggled
        connection.send(get())
        assert connection.response().status == 200


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_body_leaves_the_connection_usable(daemon, status):
    with daemon.connect() as connection:
        for _ in range(2):
            connection.send(get(target=b"/probe/status/%d" % status))
            answer = connection.response()
            assert answer.status == status and answer.header("x-probe") == "yes"


def test_hop_by_hop_headers_stay_in_the_front(daemon):
    with daemon.connect() as connection:
        connection.send(get(b"X-Mine: 1\r\nX-Named: 2\r\nConnection: X-Named\r\nTE: trailers\r\n"))
        text = connection.response().text.lower()
    assert "x-mine" in text and "x-named" not in text and "trailers" not in text


def test_every_answer_is_dated_and_typed(daemon):
    answer = daemon.get("/nowhere")
    assert answer.header("date").endswith(" GMT") and "text/plain" in answer.header("content-type")


def test_the_last_request_of_a_connection_is_announced(zygoted):
    daemon = zygoted(pool("echo"), requests_per_connection=3)
    with daemon.connect() as connection:
        connection.send(get() * 5)
        answers = [connection.response() for _ in range(3)]
        assert [a.header("connection") for a in answers] == [None, None, "close"]
        assert connection.is_closed()
