"""A request has one name: in its answer, for the worker and in the log."""

import re

import pytest

from zyg import pool

MADE = re.compile(r"[0-9a-f]{32}")


def ask(daemon, path="/echo/", *ids, method="GET"):
    return daemon.request(method, path, headers=[("X-Request-Id", name) for name in ids])


def worker_saw(answer):
    """The line that echo writes of it."""
    return re.search(r"^request: (.*)$", answer.text, re.M).group(1)


def test_a_clients_id_is_kept(daemon):
    answer = ask(daemon, "/echo/", "order-17.a")
    assert answer.header("x-request-id") == worker_saw(answer) == "order-17.a"


def test_without_one_each_request_gets_its_own(daemon):
    seen = set()
    with daemon.connect() as connection:
        for _ in range(600):  # more than one fetch of random bytes makes
            connection.request("GET", "/echo/")
            answer = connection.response()
            assert MADE.fullmatch(worker_saw(answer))
            assert answer.header("x-request-id") == worker_saw(answer)
            seen.add(worker_saw(answer))
    assert len(seen) == 600


@pytest.mark.parametrize("ids", [["two words"], ['"q"'], ["x" * 129], [""], ["a", "b"]])
def test_what_is_no_token_is_replaced(daemon, ids):
    answer = ask(daemon, "/echo/", *ids)
    assert MADE.fullmatch(answer.header("x-request-id"))
    assert worker_saw(answer) == answer.header("x-request-id")


def test_error_answers_have_it_too(daemon):
    assert ask(daemon, "/nowhere", "mine").header("x-request-id") == "mine"
    answer, _ = daemon.raw(b"GET / HTTP/1.1\r\nX-Request-Id: mine\r\nHost : a\r\n\r\n")
    assert answer.status == 400 and MADE.fullmatch(answer.header("x-request-id"))


def test_a_head_that_came_too_late_has_one(zygoted):
    answer, _ = zygoted(pool("echo"), header_timeout="200ms").raw(b"GET / HTTP/1.1\r\n")
    assert answer.status == 408 and MADE.fullmatch(answer.header("x-request-id"))


def test_the_log_names_it(zygoted):
    daemon = zygoted(pool("probe"))
    assert ask(daemon, "/probe/crash/segv", "it-was-me").status == 502
    daemon.wait_log("request=it-was-me")
    ask(daemon, "/probe/stderr/1", "it-said-so")
    daemon.wait_log('request=it-said-so text="complaint 0"')


def test_the_answer_has_it_once_whatever_the_worker_says(zygoted):
    daemon = zygoted(pool("probe"))
    answer = ask(daemon, "/probe/header/X-Request-Id", "mine")
    assert [value for name, value in answer.headers if name == "x-request-id"] == ["mine"]
    assert answer.header("x-probe") == "yes"


def test_the_next_request_of_a_connection_does_not_inherit_it(daemon):
    with daemon.connect() as connection:
        connection.request("GET", "/echo/", headers=[("X-Request-Id", "first")])
        assert connection.response().header("x-request-id") == "first"
        connection.request("GET", "/echo/")
        assert MADE.fullmatch(connection.response().header("x-request-id"))
