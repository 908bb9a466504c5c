"""`zygotectl call`: a frame from the shell."""

import os
import subprocess

import pytest

import certs
import secure
import zyg
from test_frames import start
from test_unix import local  # noqa: F401 - a fixture
from zyg import pool


def call(daemon, *arguments, payload=b"", control=None):
    result = subprocess.run(
        [zyg.ZYGOTECTL, "-s", control or daemon.control, "call", *arguments], input=payload, capture_output=True, timeout=60
    )
    return result.returncode, result.stdout, result.stderr.decode()


@pytest.fixture(scope="module")
def daemon():
    pools = [pool("probe", timeout="3s", body=100_000), pool("echo", body="64M")]
    holder = zyg.Zygoted(*pools)
    try:
        yield start(lambda *_, **__: holder, *pools, gather="64M")
    finally:
        holder.stop()


@pytest.mark.parametrize("size", [0, 1, 65536, 40_000_000])
def test_what_comes_in_goes_out(daemon, size):
    payload = os.urandom(size)
    assert call(daemon, "echo", payload=payload) == (0, payload, "")


@pytest.mark.parametrize(
    "payload, code, text",
    [
        (b"status/500", 11, "status 1: worker error"),
        (b"sleep/60000", 12, "status 2: timeout"),
        (b"status/503", 13, "status 3: overloaded"),
        (b"x" * 100_001, 14, "status 4: too large"),
        (b"crash/segv", 15, "status 5: crashed"),
        (b"nonsense", 16, "status 6: bad request"),
    ],
)
def test_the_exit_code_tells_the_status(daemon, payload, code, text):
    got, _, errors = call(daemon, "probe", payload=payload)
    assert got == code and text in errors


def test_a_workers_answer_is_printed_whatever_its_status(daemon):
    code, output, _ = call(daemon, "probe", payload=b"nonsense")
    assert (code, output) == (16, b"no such deed\n")


def test_an_address_needs_no_control_socket(daemon):
    address = f"127.0.0.1:{daemon.ports[1]}"
    assert call(daemon, "echo", address, payload=b"x", control="/nowhere") == (0, b"x", "")


def test_a_unix_socket(local):  # noqa: F811
    daemon = local(pool("probe"), protocol="frame", pool="probe")
    assert call(daemon, "probe", payload=b"peer")[1] == b"unix: \n"
    assert call(daemon, "probe", f"unix:{daemon.path}", payload=b"peer")[1] == b"unix: \n"


@pytest.mark.parametrize(
    "arguments, code, text",
    [
        ([], 2, "usage: "),
        (["other"], 1, 'no listener with protocol = "frame" has pool = "other"'),
        (["echo", "localhost:1"], 2, "is no address"),
        (["echo", "[::1:1"], 2, "is no address"),
        (["echo", "127.0.0.1:0"], 2, "is no address"),
        (["echo", "127.0.0.1:80x"], 2, "is no address"),
        (["echo", "127.0.0.1:+80"], 2, "is no address"),
        (["echo", "unix:x"], 2, "is no address"),
        (["echo", "unix:/nowhere/x"], 2, "cannot connect"),
    ],
)
def test_what_cannot_be_asked(daemon, arguments, code, text):
    got, output, errors = call(daemon, *arguments)
    assert (got, output) == (code, b"") and text in errors


def test_a_listener_with_tls_is_not_for_it(zygoted, tmp_path):
    certificate = certs.Authority(tmp_path).issue("localhost", "DNS:localhost")
    daemon = start(zygoted, pool("echo"), **secure.server(certificate))
    code, _, errors = call(daemon, "echo")
    assert code == 1 and "speak TLS" in errors


def test_a_server_that_speaks_something_else(zygoted):
    daemon = zygoted(pool("echo"))
    code, output, errors = call(daemon, "echo", f"127.0.0.1:{daemon.port}", payload=b"x")
    assert (code, output) == (2, b"") and "does not speak frames" in errors


@pytest.mark.parametrize("size", [1, 1_000_000])
def test_a_reply_that_cannot_be_written_is_not_the_daemons_fault(daemon, size):
    command = [zyg.ZYGOTECTL, "-s", daemon.control, "call", "echo"]
    with open("/dev/full", "wb") as full:
        result = subprocess.run(command, input=b"x" * size, stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert (result.returncode, result.stderr) == (2, b"zygotectl: cannot write the reply: No space left on device\n")
