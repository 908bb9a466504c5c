"""The lua worker: a script that is loaded once, and one call of its handle for each request."""

import os
import re

import pytest

import pyapps
import zyg
from client import Truncated
from zyg import pool, wait_until

WORKER = os.path.join(zyg.BUILD, "workers", "lua.so")
pytestmark = pytest.mark.skipif(not os.path.exists(WORKER), reason="the lua worker was not built")


@pytest.fixture(scope="module")
def apps():
    copy = pyapps.copy_apps()
    yield copy
    pyapps.remove_apps(copy)


def lua_pool(apps, script="deeds.lua", options=None, **keys):
    options = {"script": f"{apps}/{script}", **(options or {})}
    return pool("l", worker="lua", options=options, breaker=0, **keys)


@pytest.fixture(scope="module")
def daemon(apps):
    started = zyg.Zygoted(lua_pool(apps, timeout="20s", memory="512M"))
    try:
        yield started.start()
    finally:
        started.stop()


def write_script(apps, name, text):
    path = os.path.join(apps, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)


ANSWERS = {
    "hello": (200, "hello, world"),
    "loaded": (200, "American Micro-Fuel Device Corp."),
    "status": (404, "nothing here"),
    "nothing": (204, ""),
    "no_body": (204, ""),
    "nosuch": (404, "no such deed"),
}


@pytest.mark.parametrize("deed", ANSWERS)
def test_what_handle_returns_is_the_answer(daemon, deed):
    answer = daemon.get(f"/l/{deed}")
    assert (answer.status, answer.text) == ANSWERS[deed]


def test_headers_may_be_returned_or_added(daemon):
    answer = daemon.get("/l/headers")
    assert (answer.status, answer.header("x-one"), answer.header("x-number")) == (201, "1", "2")
    answer = daemon.get("/l/write")
    assert (answer.status, answer.header("x-written"), answer.text) == (202, "yes", "0123456789")


def test_the_request_is_described(daemon):
    headers = [("X-One", "a"), ("X-One", "b")]
    lines = daemon.request("POST", "/l/a/show?q=1", b"body", headers).text.split("\n")
    assert set(lines) == {
        "method=POST", "path=/l/a/show", "query=q=1", "rest=a/show", "route=/l/", "host=test",
        "protocol=HTTP/1.1", "scheme=http", "peer=127.0.0.1", "listener=web", "pool=l",
        "body_length=4", "x-one=a, b", "none=nil", "id=32", "left=true"}


def test_coroutines_have_the_request_too(daemon):
    assert daemon.get("/l/coroutine").text == "GET coroutine"


@pytest.mark.plain_build  # its runtime takes new memory where the zygote's stack was for that stack
def test_memory_that_grows_keeps_what_it_holds(daemon):
    size = sum(6 * (i % 50) for i in range(1, 20001))
    assert daemon.get("/l/grow").text == f"{size} {size}"


@pytest.mark.plain_build
@pytest.mark.parametrize("rows", [1, 400_000])
def test_a_child_may_use_its_memory_however_large_the_state_is(zygoted, apps, rows):
    write_script(
        apps,
        "large.lua",
        f"""local state = {{}}
for i = 1, {rows} do state[i] = {{ i }} end
function handle(request)
	local made = {{}}
	for i = 1, tonumber(request.rest) do made[i] = {{ i }} end
	return 200, #state .. " " .. #made .. "\\n"
end
""",
    )
    daemon = zygoted(lua_pool(apps, "large.lua", memory="16M"))
    for count in (10, 5_000, 80_000):  # 80,000 tables have 6 MB, and the list of them 3 at most while it grows
        assert daemon.get(f"/l/{count}").text == f"{rows} {count}\n"


@pytest.mark.plain_build
def test_memory_that_a_script_collects_while_it_is_loaded_is_used_again(zygoted, apps):
    """500 times a megabyte of small objects."""
    write_script(apps, "garbage.lua", """
        for round = 1, 500 do
            local kept = {}
            for i = 1, 10000 do kept[i] = { tostring(i * round) } end
            collectgarbage()
        end
        function handle() return "done" end""")
    daemon = zygoted(lua_pool(apps, "garbage.lua"))
    assert daemon.get("/l/").text == "done"
    assert int(re.search(r"state_bytes=(\d+)", daemon.log()).group(1)) < 32 << 20


@pytest.mark.plain_build
def test_a_child_costs_few_faults(zygoted, apps):
    """What children write to is kept together; before that there were some ten more."""
    daemon = zygoted(lua_pool(apps))
    for _ in range(50):
        assert daemon.get("/l/hello").status == 200
    daemon.wait_idle("l")
    assert daemon.stats("l")["minor_faults_mean"] < 21


def test_percent_encoding_is_decoded(daemon):
    assert daemon.get("/l/decode?a%20b%C3%A4").text == "a b\u00e4"
    assert daemon.get("/l/decode?%zz").text == "nil"


BODIES = {
    ("read", b"one\ntwo"): b"one\ntwo",
    ("pieces", b"0123456789"): b"<0123456><789>",
    ("lines", b"one\n\ntwo\n"): b"<one><><two>",
    ("lines", b"one\ntwo"): b"<one><two>",
    ("lines", b""): b"",
    ("lines", b"x" * 30000 + b"\n\n"): b"<" + b"x" * 30000 + b"><>",
}


@pytest.mark.parametrize("deed, body", BODIES, ids=lambda value: str(value)[:20])
def test_the_body_is_read(daemon, deed, body):
    assert daemon.request("POST", f"/l/{deed}", body).body == BODIES[deed, body]


def test_a_large_body_comes_whole(daemon):
    body = os.urandom(900_000)
    assert daemon.request("POST", "/l/read", body).body == body


def test_pieces_leave_one_by_one(daemon):
    with daemon.connect() as connection:
        connection.send(b"POST /l/stream HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\n")
        pieces = connection.body_pieces(connection.head())
        assert next(pieces) == b"piece"
        for _ in range(2):
            connection.send(b"x")
            assert next(pieces) == b"piece"
        assert list(pieces) == []


def test_nothing_stays_and_random_numbers_differ(daemon):
    assert [daemon.get("/l/count").text for _ in range(10)] == ["1"] * 10
    drawn = [daemon.get("/l/random").text.split() for _ in range(50)]
    assert len({child for child, _ in drawn}) == 50 and len({load for _, load in drawn}) == 1


def test_output_goes_to_the_log(daemon):
    daemon.get("/l/print")
    daemon.wait_log('text="printed"')
    daemon.wait_log('text="no end of line"')


def test_what_was_printed_before_a_crash_is_in_the_log(daemon):
    assert daemon.get("/l/print_and_crash").status == 502
    daemon.wait_log('text="said before"')


def test_warnings_go_to_the_log_when_they_are_on(daemon):
    daemon.get("/l/warn")
    daemon.wait_log('text="warning: look out"')
    assert "not shown" not in daemon.log()


WRONG = {
    "error": "deeds.lua:",
    "object": "table: 0x",
    "bad_status": "status 100 cannot be sent",
    "bad_header": "cannot be sent: bad bytes",
    "bad_body": "string expected, got table",
    "too_many": "handle returned 4 values",
    "hoard": "not enough memory",
    "open": "/etc/passwd: Permission denied",
    "deep": "stack overflow",
}


@pytest.mark.plain_build
@pytest.mark.parametrize("deed", WRONG)
def test_an_error_is_a_500_with_its_text_in_the_log(daemon, deed):
    assert daemon.get(f"/l/{deed}").reason == "worker-error"
    daemon.wait_log(WRONG[deed])


def test_an_error_has_its_traceback_in_the_log(daemon):
    daemon.get("/l/error")
    daemon.wait_log("stack traceback:")
    daemon.wait_log(": in function <")


def test_an_error_in_the_middle_breaks_the_answer_off(daemon):
    with daemon.connect() as connection:
        connection.request("GET", "/l/middle")
        with pytest.raises((Truncated, ConnectionResetError)):
            connection.response()


@pytest.mark.plain_build
def test_programs_cannot_be_run_and_leaving_is_a_crash(daemon):
    assert daemon.get("/l/execute").reason == "sandbox"
    assert daemon.get("/l/leave").reason == "crashed"


def test_a_script_that_spins_ends_at_the_deadline(zygoted, apps):
    daemon = zygoted(lua_pool(apps, timeout="1s"))
    assert daemon.get("/l/spin").reason == "timeout"
    assert daemon.get("/l/hello").text == "hello, world"


def test_modules_are_found_by_path(zygoted, apps):
    write_script(apps, "modules/greeting.lua", 'return { word = "greetings" }')
    write_script(apps, "main.lua", 'local g = require "greeting"\nfunction handle() return g.word end')
    daemon = zygoted(lua_pool(apps, "main.lua", {"path": ["/nosuch", f"{apps}/modules"]}))
    assert daemon.get("/l/").text == "greetings"


FAILURES = {
    "syntax": ("function handle(", "broken.lua:1:"),
    "no handle": ("x = 1", "has no function handle(request)"),
    "error while it runs": ("error('at once')", "broken.lua:1: at once"),
    "error in load": ("function load() error('loading') end function handle() end", "1: loading"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_what_cannot_be_loaded_is_named(zygoted, apps, name):
    text, expected = FAILURES[name]
    write_script(apps, "broken.lua", text)
    daemon = zygoted(lua_pool(apps, "broken.lua"), start=False)
    daemon.spawn()
    daemon.wait_log("pool failed")
    assert expected in daemon.log()


def test_options_are_checked(zygoted, apps):
    for options, expected in (({"script": f"{apps}/nosuch.lua"}, "cannot open"),
                              ({"script": [f"{apps}/deeds.lua", "x"]}, "one Lua script is needed"),
                              ({"scripts": "x"}, "scripts")):
        daemon = zygoted(lua_pool(apps, options=options), start=False)
        daemon.spawn()
        wait_until(lambda: "pool failed" in daemon.log())
        assert expected in daemon.log()
        daemon.stop()
