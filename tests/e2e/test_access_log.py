"""Every request leaves one line, in full, wherever the log goes and whoever reads it."""

import contextlib
import datetime
import json
import os
import re
import signal

import pytest

from zyg import BOUND, pool, wait_until

COMBINED = re.compile(
    r'127\.0\.0\.1 - - \[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000)\] '
    r'"([^"]*)" (\d{3}|-) (\d+) "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"'
)


class Lines:
    """The log of a daemon: a file in its directory."""

    def __init__(self, daemon, name="access"):
        self.path = os.path.join(daemon.directory, name)

    def text(self):
        with open(self.path) as file:
            return file.read()

    def wait(self, count, bound=5):
        wait_until(lambda: os.path.exists(self.path), bound)
        wait_until(lambda: self.text().count("\n") >= count, bound, f"{count} lines")
        lines = self.text().splitlines()
        assert len(lines) == count
        return lines

    def json(self, count):
        return [json.loads(line) for line in self.wait(count)]


@pytest.fixture
def logging(zygoted, tmp_path):
    """A daemon with an access log, started, and its lines."""

    def start(*pools, format="json", **keys):
        path = str(tmp_path / "access")
        daemon = zygoted(*(pools or [pool("echo")]), access_log=path, access_format=format, **keys)
        lines = Lines(daemon)
        lines.path = path
        return daemon, lines

    return start


def test_json_tells_who_what_and_how(logging):
    daemon, lines = logging()
    headers = [("X-Request-Id", "mine"), ("User-Agent", 'a "b"'), ("Referer", "http://r/")]
    daemon.request("POST", "/echo/x?y", b"12345", headers=headers)
    (line,) = lines.json(1)
    assert line["request"] == "mine" and line["peer"] == "127.0.0.1" and line["listener"] == "web"
    assert (line["method"], line["target"], line["protocol"]) == ("POST", "/echo/x?y", "HTTP/1.1")
    assert (line["agent"], line["referer"]) == ('a "b"', "http://r/")
    assert (line["outcome"], line["status"], line["pool"]) == ("ok", 200, "echo")
    assert (line["bytes_in"], line["bytes_out"], line["generation"]) == (5, 5, 1)
    assert line["child"] > 0 and line["minor_faults"] > 0 and line["fork_us"] > 0
    assert 0 < line["run_us"] <= line["total_us"] < 10_000_000 and "reason" not in line
    then = datetime.datetime.fromisoformat(line["time"].replace("Z", "+00:00"))
    now = datetime.datetime.now(datetime.timezone.utc)
    assert abs((now - then).total_seconds()) < 60 and len(line["time"]) == 27


def test_combined_is_what_web_servers_write(logging):
    daemon, lines = logging(format="combined")
    daemon.get("/echo/a", headers=[("User-Agent", "me"), ("Referer", 'b"c\\')])
    daemon.raw(b"nonsense\r\n\r\n")
    first, second = [COMBINED.fullmatch(line) for line in lines.wait(2)]
    assert first.groups()[1:3] == ("GET /echo/a HTTP/1.1", "200")
    assert first.groups()[4:] == ('b\\"c\\\\', "me")
    assert second.groups()[1:] == ("-", "400", "0", "-", "-")


@pytest.mark.parametrize(
    "path, status, outcome",
    [
        ("/probe/crash/segv", 502, "crashed"),
        ("/probe/error", 500, "worker_error"),
        ("/probe/sleep/60000", 504, "timeout"),
        ("/nowhere", 404, "no_route"),
    ],
)
def test_each_refusal_and_failure_has_its_line(logging, path, status, outcome):
    daemon, lines = logging(pool("probe", timeout="2s"))
    assert daemon.get(path).status == status
    (line,) = lines.json(1)
    assert (line["status"], line["outcome"]) == (status, outcome) and line["reason"]


def test_bad_and_late_heads_have_one(logging):
    daemon, lines = logging(header_timeout="200ms")
    daemon.raw(b"GET / HTTP/1.1\r\nHost : a\r\n\r\n")
    daemon.raw(b"GET / HTTP/1.1\r\n")
    bad, late = lines.json(2)
    assert (bad["outcome"], bad["status"]) == ("bad_request", 400) and "method" not in bad
    assert (late["outcome"], late["status"]) == ("header_timeout", 408)


def test_a_client_that_left_has_one(logging):
    daemon, lines = logging(pool("probe"))
    with daemon.connect() as connection:
        connection.request("GET", "/probe/sleep/60000")
        daemon.wait_busy("probe")
    (line,) = lines.json(1)
    assert line["outcome"] == "client_gone" and "status" not in line and line["child"] > 0


def test_no_line_can_be_forged(logging):
    daemon, lines = logging(format="combined")
    agent = b"x\xe2\x80\xa8\t\" 200 0 \"-\" \"-\""
    daemon.raw(b"GET /echo/ HTTP/1.1\r\nHost: a\r\nUser-Agent: " + agent + b"\r\n\r\n")
    (line,) = lines.wait(1)
    assert line.isascii() and COMBINED.fullmatch(line)


def test_as_many_lines_as_requests_whatever_the_load(logging):
    daemon, lines = logging()
    with daemon.connect() as connection:
        for _ in range(8):
            connection.send(b"GET /echo/ HTTP/1.1\r\nHost: a\r\n\r\n" * 250)
            for _ in range(250):
                assert connection.response().status == 200
    seen = lines.json(2000)
    assert len({line["request"] for line in seen}) == 2000
    assert daemon.ctl("stats")["front"]["access_lost"] == 0


def test_sigusr1_goes_on_in_a_new_file(logging):
    daemon, lines = logging()
    daemon.get("/echo/1")
    lines.wait(1)
    os.rename(lines.path, lines.path + ".1")
    daemon.kill(daemon.pid, signal.SIGUSR1)
    daemon.wait_log("access log reopened")
    daemon.get("/echo/2")
    assert lines.json(1)[0]["target"] == "/echo/2"
    assert daemon.ctl("stats")["front"]["access_lost"] == 0


def test_a_file_that_cannot_be_reopened_leaves_the_old_one(logging):
    daemon, lines = logging()
    os.mkdir(lines.path + ".d")
    os.rename(lines.path, lines.path + ".1")
    os.mkdir(lines.path)
    daemon.kill(daemon.pid, signal.SIGUSR1)
    daemon.wait_log("access log not reopened")
    daemon.get("/echo/")
    lines.path += ".1"
    lines.wait(1)


def test_stopping_loses_nothing(logging):
    daemon, lines = logging()
    daemon.get("/echo/")
    daemon.kill(daemon.pid, signal.SIGTERM)
    daemon.process.wait(BOUND)
    assert len(lines.text().splitlines()) == 1


def test_a_new_front_has_the_log_too(logging):
    daemon, lines = logging()
    front = daemon.front_pid()
    daemon.kill(front)
    wait_until(lambda: daemon.front_pid() not in (None, front))
    daemon.wait_ready()
    daemon.get("/echo/")
    lines.wait(1)


def test_stderr_is_a_place_too(zygoted):
    daemon = zygoted(pool("echo"), access_log="stderr")
    daemon.get("/echo/here")
    daemon.wait_log('"GET /echo/here HTTP/1.1" 200')


def requests(daemon, count):
    with daemon.connect() as connection:
        for _ in range(count):
            connection.request("GET", "/echo/" + "x" * 1000)
            assert connection.response().status == 200


def lost(daemon):
    return daemon.ctl("stats")["front"]["access_lost"]


def test_a_reader_that_does_not_read_loses_lines_and_delays_nobody(zygoted, tmp_path):
    path = str(tmp_path / "pipe")
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    daemon = zygoted(pool("echo"), access_log=path)
    requests(daemon, 500)  # a pipe holds 64 KiB, the buffer 256
    assert wait_until(lambda: lost(daemon)) < 500
    os.set_blocking(reader, True)
    daemon.get("/echo/")
    whole = b""
    while whole.count(b"\n") < 501 - lost(daemon):
        whole += os.read(reader, 65536)
    os.close(reader)
    assert all(COMBINED.fullmatch(line) for line in whole.decode().splitlines())


def test_a_reader_that_went_loses_lines_and_nothing_else(zygoted, tmp_path):
    path = str(tmp_path / "pipe")
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    daemon = zygoted(pool("echo"), access_log=path, metrics=True)
    os.close(reader)
    requests(daemon, 3)
    wait_until(lambda: lost(daemon) == 3)
    wait_until(lambda: daemon.samples()["zygoted_access_log_lost_total"] == 3)
    reader = os.open(path, os.O_RDONLY)
    requests(daemon, 1)
    assert COMBINED.match(os.read(reader, 65536).decode())
    os.close(reader)


def test_a_place_that_cannot_be_written_is_refused_at_start(zygoted, tmp_path):
    daemon = zygoted(pool("echo"), access_log=str(tmp_path), start=False)
    daemon.exit_code = 1
    daemon.spawn()
    assert daemon.process.wait(BOUND) == 1
    assert "access_log: cannot open" in daemon.log()


def test_children_that_are_given_a_request_before_they_are_reported_have_their_number(logging):
    """Under load requests go to children whose fork the zygote has not told of yet."""
    daemon, lines = logging(pool("echo", spare=1, max_children=32, queue=256))
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(daemon.connect()) for _ in range(100)]
        for connection in connections:
            connection.request("GET", "/echo/")
        assert {connection.response().status for connection in connections} == {200}
    assert all(line["child"] > 0 and "fork_us" in line and line["generation"] == 1 for line in lines.json(100))
