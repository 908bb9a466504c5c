"""The exec worker: any program, by the common gateway interface (RFC 3875), each request an execution of its own."""

import os
import shutil
import threading

import pytest

import certs
import programs
import secure
import zyg
from client import Truncated
from programs import program_pool

pytestmark = [programs.needs_worker, pytest.mark.plain_build]

SHELL = """#!/bin/sh
echo "Content-Type: text/plain"
echo
while read -r line; do echo "<$line>"; done
echo "$REQUEST_METHOD $GREETING $0"
"""
PYTHON = """
import os, sys
data = sys.stdin.buffer.read(int(os.environ.get("CONTENT_LENGTH", 0)))
print("Content-Type: text/plain\\n")
print(len(data), sys.argv[1:], os.environ["PATH_INFO"])
"""


@pytest.fixture(scope="module")
def folder():
    folder = programs.make_folder()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return certs.Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def daemon(folder, authority):
    programs.write_script(folder, "script.sh", SHELL)
    programs.write_script(folder, "script.py", PYTHON)
    python = {"program": "/usr/bin/python3", "args": [f"{folder}/script.py", "a b", ""]}
    files = ["/usr/lib/python3.11", *programs.needed_files("/usr/bin/python3"), "/usr/bin/python3"]
    pools = [
        program_pool("d", folder, options={"env": ["GREETING=hello", "REQUEST_METHOD=NONE"]}, body="64M",
                     reply="64M"),
        program_pool("sh", folder, "script.sh", {"env": "GREETING=hello"}, ["/bin/sh"]),
        program_pool("py", folder, options=python, also=files, memory="256M"),
    ]
    tls = secure.server(authority.issue("localhost", "DNS:localhost"), client_ca=authority.path,
                        client_verify="optional")
    daemon = zyg.Zygoted(*pools, listeners=2, tls=tls)
    try:
        yield daemon.start()
    finally:
        daemon.stop()


def variables(text):
    return dict(line.split("=", 1) for line in text.splitlines())


# ---- what it is told ----


def test_the_variables_describe_the_request(daemon):
    headers = [("X-One", "1"), ("X-Two", "a"), ("X-Two", "b"), ("X_One", "spoof"), ("Cookie", "a=1"),
               ("Cookie", "b=2"), ("Content-Type", "text/x"), ("Proxy", "http://evil"), ("Authorization", "x")]
    found = variables(daemon.request("POST", "/d/a%20b/env?x=1&y=%20", b"body", headers).text)
    expected = {
        "GATEWAY_INTERFACE": "CGI/1.1", "REQUEST_METHOD": "POST", "SCRIPT_NAME": "/d",
        "PATH_INFO": "/a b/env", "QUERY_STRING": "x=1&y=%20", "REQUEST_URI": "/d/a%20b/env?x=1&y=%20",
        "CONTENT_LENGTH": "4", "CONTENT_TYPE": "text/x", "SERVER_NAME": "test", "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1", "SERVER_SOFTWARE": "zygoted", "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_HOST": "127.0.0.1", "REQUEST_SCHEME": "http", "HTTP_HOST": "test", "HTTP_X_ONE": "1",
        "HTTP_X_TWO": "a, b", "HTTP_COOKIE": "a=1; b=2", "GREETING": "hello", "ZYGOTED_POOL": "d",
        "ZYGOTED_LISTENER": "web", "PATH": "/usr/local/bin:/usr/bin:/bin",
    }
    assert found.pop("REMOTE_PORT").isdigit() and len(found.pop("ZYGOTED_REQUEST_ID")) == 32
    assert found == expected


@pytest.mark.parametrize("name", ["X_Forwarded_For", "X.Forwarded.For", "X!Forwarded", "X`id`", "X|a", "X'a", "X%%"])
def test_headers_that_could_pass_for_others_are_left_out(daemon, name):
    """PHP, for one, makes underscores of dots."""
    found = variables(daemon.get("/d/env", headers=[(name, "spoof")]).text)
    assert "spoof" not in found.values()


def test_a_request_without_a_body_has_no_length(daemon):
    assert "CONTENT_LENGTH" not in variables(daemon.get("/d/env").text)


def test_the_client_of_tls(daemon, authority):
    shown = authority.issue("alice", None, "/C=DE/CN=alice")
    found = variables(secure.get(daemon, "/d/env", secure.trust(authority, "1.3", shown)).text)
    wanted = {"HTTPS": "on", "REQUEST_SCHEME": "https", "SSL_PROTOCOL": "TLSv1.3", "SSL_CLIENT_VERIFY": "SUCCESS",
              "SSL_CLIENT_S_DN": "CN=alice,C=DE", "SSL_TLS_SNI": "localhost", "SERVER_PORT": "443"}
    assert {name: found.get(name) for name in wanted} == wanted
    spoofed = daemon.get("/d/env", headers=[("Https", "on"), ("Ssl-Client-Verify", "SUCCESS")]).text
    assert not [name for name in variables(spoofed) if name == "HTTPS" or name.startswith("SSL_")]


def test_it_starts_where_it_is(daemon, folder):
    assert daemon.get("/d/where").text == folder + "\n"


def test_a_shell_script(daemon, folder):
    answer = daemon.request("POST", "/sh/", b"one\ntwo\n")
    assert answer.text == f"<one>\n<two>\nPOST hello {folder}/script.sh\n"


def test_a_python_script_with_arguments(daemon):
    answer = daemon.request("POST", "/py/x/%C3%A4", b"x" * 100000)
    assert answer.text == "100000 ['a b', ''] /x/\u00e4\n"


def test_paths_and_bodies_that_cgi_cannot_carry(daemon):
    assert daemon.get("/d/%00/env").status == 400
    with daemon.connect() as connection:
        connection.send(b"POST /d/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n")
        assert connection.response().status == 411


# ---- bodies ----


@pytest.mark.parametrize("size", [1, 4096, 65536, 1 << 20, (1 << 23) + 7])
def test_a_body_goes_in_and_out(daemon, size):
    body = os.urandom(size)
    with daemon.connect() as connection:  # large ones come back while they are sent
        sender = threading.Thread(target=connection.request, args=("POST", "/d/echo", body))
        sender.start()
        answer = connection.response()
        sender.join()
    assert answer.status == 200 and answer.body == body


def test_an_answer_that_begins_before_the_body_is_there(daemon):
    with daemon.connect() as connection:
        connection.send(b"POST /d/stream HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n")
        received = b""
        while b"one" not in received:
            received += connection.socket.recv(4096)
        assert b"two" not in received
        connection.send(b"x")
        while b"two" not in received:
            received += connection.socket.recv(4096)


def test_a_body_that_is_not_wanted(daemon):
    assert daemon.request("POST", "/d/unread", b"x" * (1 << 20)).text == "unread"


def test_a_small_answer_has_its_length(daemon):
    assert daemon.get("/d/exact").header("content-length") == "5"
    assert daemon.get("/d/canary").header("content-length") == "17"
    answer = daemon.request("HEAD", "/d/exact")
    assert (answer.header("content-length"), answer.body) == ("5", b"")


# ---- headers ----


def test_status_and_headers(daemon):
    answer = daemon.get("/d/status")
    assert (answer.status, answer.text, answer.header("x-one")) == (404, "nothing\n", "1")
    assert answer.header("status") is None and answer.header("date") != "never"
    assert (daemon.get("/d/nothing").status, daemon.get("/d/nothing").body) == (204, b"")


@pytest.mark.parametrize("deed, location", [("elsewhere", "https://example.org/a"), ("local", "/echo/there")])
def test_redirects_are_the_clients_to_follow(daemon, deed, location):
    answer = daemon.get(f"/d/{deed}")
    assert (answer.status, answer.header("location")) == (302, location)


NO_ANSWERS = {
    "silent": "ended within its header", "headless": "ended within its header",
    "half-header": "ended within its header", "no-type": "none of Content-Type",
    "huge-header": "too long", "endless-name": "too long", "bad-status": "Status", "two-types": "twice",
    "split-header": "bytes in its header", "null-byte": "byte 0", "too-long": "longer", "too-short": None,
    "failing": "ended with status 3",
}


@pytest.mark.parametrize("deed", NO_ANSWERS)
def test_what_is_no_answer_is_an_error(daemon, deed):
    before = len(daemon.log())
    answer = daemon.get(f"/d/{deed}")
    assert (answer.status, answer.reason) == (500, "worker-error")
    zyg.wait_until(lambda: (NO_ANSWERS[deed] or "") in daemon.log()[before:])


def test_an_answer_that_breaks_off_does_so_visibly(daemon):
    assert (daemon.get("/d/crash").status, daemon.get("/d/crash").reason) == (502, "crashed")
    with pytest.raises((Truncated, ConnectionResetError)):
        daemon.get("/d/crash-later")


def test_its_standard_error_is_in_the_log(daemon):
    daemon.get("/d/log")
    daemon.wait_log("said on standard error")


# ---- configuration ----


@pytest.mark.parametrize("options, keys, message", [
    ({"program": "deeds"}, {}, "absolute path"),
    ({"program": "/nowhere/x"}, {}, "cannot be executed"),
    ({"env": "NAME"}, {}, "is not NAME=value"),
    ({"directory": "x"}, {}, "one absolute path"),
    ({"programme": "x"}, {}, "not known to this worker"),
    ({}, {"profile": "files-exec"}, "needs profile"),
])
def test_mistakes_are_named(zygoted, folder, options, keys, message):
    daemon = zygoted(program_pool("d", folder, options=options, **keys), start=False)
    daemon.spawn()
    daemon.wait_log(message)


def test_a_loader_that_is_not_below_read_paths_is_named(zygoted, folder):
    daemon = zygoted(program_pool("d", folder, read_paths=[folder]))
    assert daemon.get("/d/canary").status == 500
    daemon.wait_log("are the program, its interpreter and its loader below read_paths")
