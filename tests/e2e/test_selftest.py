"""The self-test of a pool: a generation serves only when a child of it has answered a request of the configuration."""

import os
import shutil

import pytest

from reloads import generations, reload, rewrite, under_load
from zyg import BOUND, BUILD, PROBE, ControlError, fd_count, parents, pool, wait_until

BAD = {
    "/probe/status/500": "answered with status 500",
    "/probe/crash/segv": "the child ended before its answer was complete (signal 11)",
    "/probe/exit/1": "the child ended before its answer was complete (exit 1)",
    "/probe/error": "the worker reported an error",
    "/probe/break/segv": "the child ended before its answer was complete",
}
PATHS = [pytest.param(path, marks=[pytest.mark.plain_build] if "ended" in BAD[path] else []) for path in BAD]


def probe(path="/probe/pid", **keys):
    return pool("probe", selftest=f"GET {path}", **keys)


# ---- what passes ----


@pytest.mark.parametrize("path, status", [("/probe/pid", 200), ("/probe/status/404", 404), ("/probe/write/100000", 200)])
def test_an_answer_below_500_passes(zygoted, user, path, status):
    daemon = zygoted(probe(path), user=user)
    assert f"self-test passed pool=probe generation=1 status={status}" in daemon.log()
    assert daemon.get("/probe/pid").status == 200


def test_without_one_none_is_made(zygoted):
    assert "self-test" not in zygoted(pool("probe")).log()


@pytest.mark.plain_build
def test_of_several_zygotes_the_first_makes_it(zygoted):
    daemon = zygoted(probe(zygotes=2, image="frozen", options={"ballast": 4 << 20}), fronts=2)
    assert daemon.log().count("self-test passed") == 1
    assert all(daemon.get("/probe/pid").status == 200 for _ in range(8))


@pytest.mark.reads_proc
def test_it_leaves_nothing_behind_in_the_zygote(zygoted):
    """No child, no descriptor, and the number where a child has its channel leads nowhere."""
    daemon = zygoted(probe(), pool("plain", worker=PROBE))
    counts = [daemon.wait_idle(name) and fd_count(daemon.zygote_pid(name)) for name in ("probe", "plain")]
    assert counts[0] == counts[1]
    assert os.readlink(f"/proc/{daemon.zygote_pid('probe')}/fd/3") == "/dev/null"
    zombies = [pid for pid, (parent, state) in parents().items() if parent == daemon.zygote_pid("probe") and state == "Z"]
    assert not zombies


SCRIPT = """
local expected = { method = "HEAD", path = "/l/a", query = "b=c&d", rest = "a", route = "/l/", host = "localhost", pool = "l" }
function handle(request)
	for name, value in pairs(expected) do
		if request[name] ~= value then return 500, name .. "=" .. tostring(request[name]) end
	end
	if request.headers.host ~= "localhost" or not request.deadline or request:read() then return 501 end
	return 200, "as expected"
end
"""


needs_lua = pytest.mark.skipif(not os.path.exists(os.path.join(BUILD, "workers", "lua.so")), reason="the lua worker was not built")


def with_script(zygoted, text, selftest):
    """Not started: another user has to be able to read the script."""
    daemon = zygoted(pool("echo"), start=False)
    os.chmod(daemon.directory, 0o755)
    script = os.path.join(daemon.directory, "script.lua")
    with open(script, "w") as file:
        file.write(text)
    rewrite(daemon, pool("l", worker="lua", options={"script": script}, selftest=selftest))
    return daemon


@needs_lua
def test_the_worker_sees_what_it_would_see_of_a_client(zygoted):
    daemon = with_script(zygoted, SCRIPT, "HEAD /l/a?b=c&d").start()
    assert "self-test passed pool=l generation=1 status=200" in daemon.log()


# ---- what does not, at start ----


@pytest.mark.parametrize("path", PATHS)
def test_the_daemon_does_not_start_with_a_pool_that_fails(zygoted, path):
    daemon = zygoted(probe(path), pool("echo"), start=False)
    daemon.exit_code = 1
    daemon.spawn()
    assert daemon.process.wait(BOUND) == 1
    assert f"self-test GET {path}: {BAD[path]}" in daemon.log()
    assert "a pool did not pass its self-test" in daemon.log()


@pytest.mark.plain_build
def test_a_worker_that_needs_a_forbidden_call_is_found_out(zygoted, user):
    daemon = zygoted(probe("/probe/crash/sys"), user=user, start=False)
    daemon.exit_code = 1
    daemon.spawn()
    assert daemon.process.wait(BOUND) == 1 and "(signal 31)" in daemon.log()  # SIGSYS


@needs_lua
def test_what_the_child_printed_is_told(zygoted):
    daemon = with_script(zygoted, 'function handle(request) error("of all the reasons") end\n', "GET /l/")
    daemon.exit_code = 1
    daemon.spawn()
    assert daemon.process.wait(BOUND) == 1
    says = [line for line in daemon.log().splitlines() if "self-test's child says pool=l" in line]
    assert any("of all the reasons" in line for line in says) and any("traceback" in line for line in says)


@pytest.mark.long
def test_a_child_that_does_not_answer_in_time_fails(zygoted):
    """Ten seconds at least, however short the pool's timeout."""
    daemon = zygoted(probe("/probe/sleep/60000"), start=False)
    daemon.exit_code = 1
    daemon.spawn()
    assert daemon.process.wait(30) == 1 and "no complete answer in time" in daemon.log()


# ---- later ----


@pytest.mark.parametrize("path", PATHS)
def test_a_reload_that_fails_it_leaves_the_old_generation_serving(zygoted, path):
    daemon = zygoted(pool("echo"), probe())
    with under_load(daemon):
        rewrite(daemon, pool("echo"), probe(path))
        code, _, error = daemon.zygotectl("reload", "--wait")
        assert code == 1 and f'pool "probe": self-test GET {path}: {BAD[path]}' in error
        assert generations(daemon) == {"echo": 1, "probe": 1} and daemon.get("/probe/pid").status == 200
        reload(daemon, pool("echo"), probe("/probe/status/201"))
        assert generations(daemon)["probe"] == 3
    assert "self-test passed pool=probe generation=3 status=201" in daemon.log()


def replaceable(zygoted):
    """A daemon whose worker's file can be replaced by one that fails the self-test: what text answers, probe dies of."""
    daemon = zygoted(pool("echo"), start=False)
    os.chmod(daemon.directory, 0o755)
    worker = os.path.join(daemon.directory, "mine.so")
    shutil.copy(os.path.join(BUILD, "workers", "text.so"), worker)
    mine = pool("mine", worker=worker, options={"text": "x"}, selftest="GET /mine/crash/segv", queue_timeout="1s")
    rewrite(daemon, mine)
    daemon.start()
    shutil.copy(PROBE, worker + ".new")
    os.replace(worker + ".new", worker)
    return daemon


@pytest.mark.plain_build
def test_a_recycle_that_fails_it_leaves_the_old_generation_serving(zygoted):
    daemon = replaceable(zygoted)
    with pytest.raises(ControlError, match="self-test GET /mine/crash/segv"):
        daemon.ctl("recycle mine")
    assert generations(daemon) == {"mine": 1} and daemon.get("/mine/").status == 200


@pytest.mark.plain_build
def test_after_a_zygotes_death_a_generation_that_fails_is_tried_again(zygoted):
    """The daemon, which was well once, goes on."""
    daemon = replaceable(zygoted)
    daemon.kill(daemon.zygote_pid("mine"))
    wait_until(lambda: daemon.log().count("pool failed pool=mine") >= 2)
    assert daemon.process.poll() is None and daemon.get("/mine/").reason == "pool-down"
    assert "self-test GET /mine/crash/segv" in daemon.pool("mine")["error"]
    shutil.copy(os.path.join(BUILD, "workers", "text.so"), os.path.join(daemon.directory, "good.so"))
    os.replace(os.path.join(daemon.directory, "good.so"), os.path.join(daemon.directory, "mine.so"))
    wait_until(lambda: daemon.get("/mine/").status == 200)
