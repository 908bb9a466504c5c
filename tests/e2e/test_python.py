"""The python worker: WSGI as PEP 3333 has it, each request in a process of its own."""

import json
import os
import subprocess

import pytest

import pyapps
import zyg
from client import Truncated
from pyapps import python_pool
from zyg import wait_until

pytestmark = pyapps.needs_worker


@pytest.fixture(scope="module")
def apps():
    copy = pyapps.copy_apps()
    yield copy
    pyapps.remove_apps(copy)


@pytest.fixture(scope="module")
def daemon(apps):
    """The same application bare, and below the validator of wsgiref."""
    started = zyg.Zygoted(
        python_pool("p", apps, "plain:app", timeout="60s", breaker=0, body="64M"),
        python_pool("v", apps, "plain:validated", timeout="60s", breaker=0),
    )
    try:
        yield started.start()
    finally:
        started.stop()


@pytest.fixture
def start(zygoted, apps):
    """start(app, options, ...) -> a daemon with one pool, whatever becomes of it."""

    def make(app, options=None, **keys):
        return zygoted(python_pool("p", apps, app, options, **keys), start=False)

    return make


def write_module(apps, name, text):
    with open(os.path.join(apps, f"{name}.py"), "w") as file:
        file.write(text)


BOTH = pytest.mark.parametrize("at", ["/p", "/v"], ids=["bare", "validated"])


# ---- answers ----


@BOTH
def test_nothing_stays_from_one_request_to_the_next(daemon, at):
    assert [daemon.get(f"{at}/count").text for _ in range(20)] == ["1"] * 20


@BOTH
def test_the_environ_describes_the_request(daemon, at):
    path = f"{at}/a%C3%A4%2Fb/show?x=1&y=%20"
    headers = [("X-One", "1"), ("X-Two", "a"), ("X-Two", "b"), ("X_Two", "spoof"),
               ("Cookie", "a=1"), ("Cookie", "b=2"), ("Content-Type", "text/x")]
    environ = json.loads(daemon.request("POST", path, b"body", headers).body)
    expected = {
        "REQUEST_METHOD": "POST", "SCRIPT_NAME": "", "QUERY_STRING": "x=1&y=%20",
        "PATH_INFO": f"{at}/a\u00c3\u00a4/b/show", "REQUEST_URI": path, "CONTENT_TYPE": "text/x",
        "CONTENT_LENGTH": "4", "SERVER_NAME": "test", "SERVER_PORT": "80", "HTTP_HOST": "test",
        "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1", "HTTP_X_ONE": "1",
        "HTTP_X_TWO": "a,b", "HTTP_COOKIE": "a=1; b=2", "wsgi.url_scheme": "http",
        "wsgi.version": [1, 0], "wsgi.multithread": False, "wsgi.multiprocess": True,
        "wsgi.run_once": True, "zygoted.pool": at[1:], "zygoted.listener": "web",
    }
    assert {key: environ.get(key) for key in expected} == expected
    assert environ["REMOTE_PORT"].isdigit() and len(environ["zygoted.request_id"]) == 32
    assert "CONTENT_LENGTH" not in json.loads(daemon.get(f"{at}/show").body)


def test_the_server_name_and_port_come_from_the_host(daemon):
    def ask(host):
        with daemon.connect() as connection:
            connection.send(f"GET /p/show HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            environ = json.loads(connection.response().body)
            return environ["SERVER_NAME"], environ["SERVER_PORT"]

    assert ask("a.example:81") == ("a.example", "81")
    assert ask("[::1]:82") == ("[::1]", "82") and ask("[::1]") == ("[::1]", "80")
    answer, _ = daemon.raw(b"GET /p/show HTTP/1.0\r\n\r\n")
    assert json.loads(answer.body)["SERVER_NAME"] == "localhost"


WAYS = {
    "read": b"one\ntwo\nthree",
    "pieces": b"one\ntwo\nthree",
    "lines": b"<one\n><two\n><three>",
    "readline": b"<one\n><two\n><three>",
    "readlines": b"<one\n>two\nthree",
    "mixed": b"one\n|two|\nthree",
    "count": b"13",
}


@BOTH
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_the_body_is_read(daemon, at, way, framing):
    if at == "/v" and way in ("read", "readline", "readlines", "mixed"):
        pytest.skip("the validator wants a size for read and none for readline")
    body = b"one\ntwo\nthree"
    with daemon.connect() as connection:
        if framing == "length":
            connection.request("POST", f"{at}/body?{way}", body)
        else:
            connection.send(f"POST {at}/body?{way} HTTP/1.1\r\nHost: t\r\n"
                            "Transfer-Encoding: chunked\r\n\r\n6\r\none\ntw\r\n".encode())
            connection.send(b"7\r\no\nthree\r\n0\r\n\r\n")
        assert connection.response().body == WAYS[way]


@BOTH
def test_a_large_body_is_streamed(daemon, at):
    size = 50 << 20 if at == "/p" else 900_000
    assert daemon.request("POST", f"{at}/body?count", b"x" * size).text == str(size)


def test_a_large_line_and_a_large_read(daemon):
    body = b"x" * 300_000
    assert daemon.request("POST", "/p/body?lines", body).body == b"<" + body + b">"
    assert daemon.request("POST", "/p/body?read", body).body == body


def test_memory_is_taken_for_what_comes_and_not_for_what_is_asked(daemon):
    with daemon.connect() as connection:
        connection.send(b"POST /p/body?huge HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(40):
            connection.send(b"4e20\r\n" + b"x" * 20000 + b"\r\n")
        connection.send(b"0\r\n\r\n")
        assert connection.response().body == b"800000"
    assert daemon.request("POST", "/p/body?huge", b"x").body == b"1"


@BOTH
def test_blocks_leave_one_by_one(daemon, at):
    """Each block is seen before the byte is sent that the application waits for."""
    with daemon.connect() as connection:
        connection.send(f"POST {at}/stream HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\n".encode())
        pieces = connection.body_pieces(connection.head())
        for _ in range(3):
            assert next(pieces) == b"block"
            connection.send(b"x")
        assert list(pieces) == []


@BOTH
def test_write_and_return_together(daemon, at):
    assert daemon.get(f"{at}/write").text == "written, returned"


@BOTH
def test_close_is_called_once_after_the_body(daemon, at):
    before = daemon.log().count('text="closed"')
    assert daemon.get(f"{at}/close").text == "ab"
    wait_until(lambda: daemon.log().count('text="closed"') == before + 1)


def test_close_is_called_after_an_error(daemon):
    before = daemon.log().count('text="closed"')
    assert daemon.get("/p/close_after_error").status == 500
    wait_until(lambda: daemon.log().count('text="closed"') == before + 1)


@BOTH
def test_answers_without_a_body(daemon, at):
    empty = daemon.get(f"{at}/empty")
    assert (empty.status, empty.body, empty.header("content-length")) == (200, b"", "0")
    assert daemon.get(f"{at}/nothing").status == 204


def test_304_says_nothing_of_a_body(daemon):
    answer = daemon.get("/p/not_modified")
    assert (answer.status, answer.body, answer.header("etag")) == (304, b"", '"x"')


@pytest.mark.parametrize("deed", ["sized", "count", "stream"])
def test_head_has_the_headers_of_get_alone(daemon, deed):
    with daemon.connect() as connection:
        connection.request("HEAD", f"/p/{deed}")
        answer = connection.response("HEAD")
        assert (answer.status, answer.body) == (200, b"")
        assert answer.header("content-length") == {"sized": "5", "count": "1"}.get(deed)
        connection.request("GET", "/p/count")
        assert connection.response().text == "1"


def test_more_than_the_content_length_is_cut(daemon):
    assert daemon.get("/p/too_long").text == "hello"


def test_less_than_the_content_length_is_an_error(daemon):
    assert daemon.get("/p/too_short").reason == "worker-error"
    daemon.wait_log("promised a Content-Length of 5 and gave 4 bytes")


def test_headers_of_the_connection_are_left_out(daemon):
    answer = daemon.get("/p/hop_by_hop")
    names = [name for name, _ in answer.headers]
    assert answer.header("x-kept") == "yes" and answer.header("date") != "never"
    assert "connection" not in names and names.count("date") == 1


def test_start_response_with_exc_info(daemon):
    answer = daemon.get("/p/second_answer")
    assert (answer.status, answer.header("x-second"), answer.text) == (503, "1", "second")
    with daemon.connect() as connection:
        connection.request("GET", "/p/late_second_answer")
        with pytest.raises((Truncated, ConnectionResetError)):
            connection.response()
    daemon.wait_log("ValueError: too late")


# ---- what goes wrong ----


def test_output_and_errors_go_to_the_log(daemon):
    assert daemon.get("/p/log").status == 200
    for text in ('text="on stdout"', 'text="no end of line"', 'text="on errors"'):
        daemon.wait_log(text)


WRONG = {
    "error": "RuntimeError: before the headers",
    "error_after_start": "RuntimeError: after start_response",
    "leave": "SystemExit: leaving",
    "interrupt": "KeyboardInterrupt",
    "hoard": "MemoryError",
    "open_file": "PermissionError",
    "bad_status": "TypeError: status must be a str",
    "bad_number": "ValueError: status must be a number",
    "bad_headers": "TypeError: headers must be",
    "bad_value": "header 'X-A' cannot be sent",
    "bad_character": "UnicodeEncodeError",
    "bad_block": "TypeError: the body must come as bytes",
    "no_start": "did not call start_response",
    "no_answer": "TypeError: 'NoneType' object is not iterable",
}


@pytest.mark.plain_build
@pytest.mark.parametrize("deed", WRONG)
def test_an_exception_is_a_500_with_its_traceback_in_the_log(daemon, deed):
    answer = daemon.get(f"/p/{deed}")
    assert (answer.status, answer.reason) == (500, "worker-error")
    daemon.wait_log(WRONG[deed].replace('"', "\\x22"))
    assert daemon.get("/p/count").text == "1"


def test_a_traceback_names_file_line_and_function(daemon):
    daemon.get("/p/error")
    daemon.wait_log("/apps/plain.py\\x22, line ")
    daemon.wait_log(", in error")


def test_an_exception_in_the_body_breaks_the_answer_off(daemon):
    with daemon.connect() as connection:
        connection.request("GET", "/p/error_in_body")
        with pytest.raises((Truncated, ConnectionResetError)):
            connection.response()
    daemon.wait_log("RuntimeError: in the middle")


@pytest.mark.plain_build
@pytest.mark.parametrize("deed, function", [("fault", "fault"), ("fatal", "fatal"), ("overflow", "deeper")])
def test_a_fault_in_native_code_is_a_502_with_the_python_traceback(daemon, deed, function):
    seen = len(daemon.log())
    answer = daemon.get(f"/p/{deed}")
    assert (answer.status, answer.reason) == (502, "crashed")
    wait_until(lambda: f"in {function}" in daemon.log()[seen:], what="the traceback")
    wait_until(lambda: "signal=11" in daemon.log()[seen:], what="the child's end")
    assert daemon.get("/p/count").text == "1"


def test_an_exit_that_skips_everything_is_a_502(daemon):
    assert daemon.get("/p/leave_at_once").reason == "crashed"


@pytest.mark.plain_build
def test_a_thread_cannot_be_started_in_a_child(daemon):
    assert daemon.get("/p/thread").reason == "sandbox"


@pytest.mark.parametrize("deed", ["hang", "spin"])
def test_a_request_that_hangs_ends_at_the_deadline(start, deed):
    daemon = start("plain:app", timeout="2s").start()
    answer = daemon.get(f"/p/{deed}")
    assert (answer.status, answer.reason) == (504, "timeout")
    assert daemon.get("/p/count").text == "1"


def test_a_path_that_cannot_be_decoded_is_a_400(daemon):
    assert daemon.get("/p/%zz").status == 400
    assert daemon.get("/p/%00").status == 400


# ---- each child its own ----


@pytest.mark.plain_build
def test_random_numbers_differ_among_children(daemon):
    answers = [json.loads(daemon.get("/p/numbers").body) for _ in range(50)]
    for values in zip(*answers):
        assert len(set(values)) == 50


def test_functions_of_register_at_fork_are_called_once(daemon):
    assert [daemon.get("/p/at_fork").text for _ in range(3)] == ["before child"] * 3


def test_locks_and_threads_look_as_they_should(daemon):
    assert daemon.get("/p/still_there").text == "True 1"
    daemon.wait_log('text="logged"')


def test_the_module_tells_pool_request_and_deadline(daemon):
    pool_name, request, left = json.loads(daemon.get("/p/about").body)
    assert pool_name == "p" and 0 < left <= 60
    daemon.get("/p/error")
    answer = json.loads(daemon.get("/p/show").body)
    assert answer["zygoted.request_id"] != request and int(request, 16) > 0


@pyapps.needs("numpy")
@pytest.mark.plain_build
def test_numpy_of_the_zygote_works_in_children(start):
    daemon = start("numeric:app", {"preload": ["numpy", "numpy.linalg"]}).start()
    answers = [json.loads(daemon.get("/p/").body) for _ in range(20)]
    assert {(product, threads) for product, _, threads in answers} == {(49995000.0, "1")}
    assert len({number for _, number, _ in answers}) == 20


# ---- loading ----


def test_a_warm_up_is_served_in_the_zygote(start):
    daemon = start("plain:warmed", {"warmup": ["GET /a", "GET /b%20c?x=1"]}).start()
    assert [daemon.get("/p/").text for _ in range(5)] == ["3"] * 5


def test_a_script_name_is_taken_off_the_path(start):
    daemon = start("plain:factory()", {"script_name": "/p"}).start()
    environ = json.loads(daemon.get("/p/show").body)
    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == ("/p", "/show")


ENVIRONMENT = """
import os
VALUE = os.environ["ZYG_TEST"].encode()
def app(environ, start):
    start("200 OK", [])
    return [VALUE]
"""


def test_variables_are_set_before_the_first_import(start, apps):
    write_module(apps, "environment", ENVIRONMENT)
    daemon = start("environment:app", {"env": ["ZYG_OTHER=1", "ZYG_TEST=x=y"]}).start()
    assert daemon.get("/p/").text == "x=y"


@pytest.fixture(scope="module")
def venv(apps):
    """A virtual environment with one module in it."""
    path = os.path.join(apps, "venv")
    subprocess.run([pyapps.PYTHON, "-m", "venv", "--without-pip", path], check=True)
    (site,) = [os.path.join(top, "site-packages") for top, names, _ in os.walk(path)
               if "site-packages" in names]
    with open(os.path.join(site, "venv_only.py"), "w") as file:
        file.write("import sys\ndef app(e, s):\n s('200 OK', [])\n return [sys.prefix.encode()]\n")
    subprocess.run(["chmod", "-R", "a+rX", path], check=True)
    return path


def test_a_virtual_environment_is_used(start, venv):
    daemon = start("venv_only:app", {"venv": venv}).start()
    assert daemon.get("/p/").text == venv


FAILURES = {
    "no app": ({"app": None}, 'option "app" is missing'),
    "no colon": ({"app": "plain"}, 'is not "module:callable"'),
    "no module": ({"app": "nosuch:app"}, "ModuleNotFoundError: No module named 'nosuch'"),
    "no attribute": ({"app": "plain:nosuch"}, "AttributeError"),
    "not callable": ({"app": "plain:TEXT"}, "is a list, which cannot be called"),
    "no preload": ({"preload": "nosuch"}, "No module named 'nosuch'"),
    "no path": ({"path": "/nosuch"}, 'option "path": /nosuch: No such file'),
    "path is a file": ({"path": "/etc/passwd"}, "is no directory"),
    "no venv": ({"venv": "/usr"}, "/usr/pyvenv.cfg: No such file"),
    "bad env": ({"env": "x"}, "is not NAME=value"),
    "bad script_name": ({"script_name": "p/"}, "with a slash"),
    "bad warm-up": ({"warmup": "/x"}, 'is not \\x22GET /path\\x22'),
    "warm-up raises": ({"app": "plain:warmed", "warmup": "GET /fail"}, "LookupError: the warm-up failed"),
    "warm-up is a 500": ({"app": "plain:warmed", "warmup": "GET /error"}, "answers with status 500"),
    "two apps": ({"app": ["plain:app", "plain:warmed"]}, "one value only"),
    "bad placement": ({"placement": "x"}, 'is neither \\x22learned\\x22 nor \\x22none\\x22'),
    "nothing to learn from": ({"placement": "learned"}, 'needs an option \\x22warmup\\x22'),
    "unknown option": ({"wsgi": "x"}, "wsgi"),
    "a thread": ({"app": "threaded:app"}, "left 1 thread running"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_what_cannot_be_loaded_is_named(start, name):
    options, expected = FAILURES[name]
    options = {"app": "plain:app", **options}
    app = options.pop("app")
    daemon = start(app, options)
    daemon.spawn()
    daemon.wait_log("pool failed")
    assert expected.replace('"', "\\x22") in daemon.log().replace('"', "\\x22")


def test_a_failed_import_leaves_its_traceback_in_the_log(start):
    daemon = start("plain:warmed", {"warmup": "GET /fail"})
    daemon.spawn()
    daemon.wait_log("pool failed")
    assert "Traceback (most recent call last):" in daemon.log() and "in warmed" in daemon.log()


HOOK = """
import zygoted
@zygoted.on_child_start
def hook():
    raise ValueError("of the hook")
def app(environ, start):
    pass
"""


def test_a_hook_that_fails_says_so(start, apps):
    write_module(apps, "hook", HOOK)
    daemon = start("hook:app")
    daemon.spawn()
    daemon.wait_log("ValueError: of the hook")
