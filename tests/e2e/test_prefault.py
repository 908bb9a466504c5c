"""What requests mostly touch is learned, and touched while children are parked; their requests then need no faults for it."""

import os
import re

import pytest

from zyg import pool, wait_until

PAGE = 4096
pytestmark = [
    pytest.mark.plain_build,  # under a sanitizer requests have many faults more
    pytest.mark.skipif(os.getuid() != 0, reason="only root may read which page is which"),
]
kinds = pytest.mark.parametrize("image", ("frozen", "inherited"))


def echo(touch, **keys):
    keys = {"image": "frozen", "spare": 4, **keys}
    return pool("echo", options={"ballast": "16M", "touch": str(touch)}, **keys)


def serve_until(daemon, predicate, what, bound=60):
    """Requests until predicate() is true; what it gave."""
    with daemon.connect() as connection:

        def done():
            for _ in range(20):
                connection.request("GET", "/echo/")
                assert connection.response("GET").status == 200
            return predicate()

        return wait_until(done, bound, what)


def learned(daemon, samples=8):
    def has_learned():
        figures = daemon.pool("echo")
        return figures if figures["prefault"] == "on" and figures["prefault_samples"] >= samples else None

    return serve_until(daemon, has_learned, "a table")


def compared(daemon):
    """`stats`, once faults on the path were counted for both kinds of children."""

    def is_compared():
        figures = daemon.stats("echo")
        known = figures["plain_faults_mean"] is not None and figures["prefault_faults_mean"] is not None
        return figures if known and figures["prefault_requests"] > 50 else None

    return serve_until(daemon, is_compared, "faults with and without")


def table_mapping(pid):
    """The table's entry in smaps: (range, permissions, flags); None when the process has none."""
    with open(f"/proc/{pid}/smaps") as file:
        entry = re.search(r"^(\S+) (\S+) .*zygoted-prefault(?:.|\n)*?^VmFlags: (.*)$", file.read(), re.M)
    return entry and (entry[1], entry[2], entry[3].split())


@kinds
def test_a_request_finds_its_pages_copied(zygoted, image):
    daemon = zygoted(echo(200, image=image))
    figures = learned(daemon)
    assert 200 <= figures["prefault_bytes"] / PAGE < 220
    stats = compared(daemon)
    assert 200 <= stats["plain_faults_mean"] < 220 and stats["prefault_faults_mean"] < 10


def test_all_zygotes_of_a_generation_share_what_was_learned(zygoted):
    daemon = zygoted(echo(200, zygotes=2, spare=8))
    assert compared(daemon)["prefault_faults_mean"] < 10


def test_some_children_go_without_for_the_comparison(zygoted):
    daemon = zygoted(echo(200))
    stats = compared(daemon)
    before = stats["plain_requests"]
    serve_until(daemon, lambda: daemon.stats("echo")["plain_requests"] > before, "another one without")
    stats = daemon.stats("echo")
    assert stats["prefault_requests"] > 10 * (stats["plain_requests"] - before)


def test_requests_with_few_faults_teach_nothing(zygoted):
    daemon = zygoted(echo(10))
    serve_until(daemon, lambda: daemon.stats("echo")["ok"] >= 200, "200 requests")
    figures = daemon.pool("echo")
    assert figures["prefault"] == "idle" and figures["prefault_samples"] == figures["prefault_runs"] == 0


def test_samples_that_an_operator_wants_do_not_make_it_worth_it(zygoted):
    daemon = zygoted(echo(10, sample=1))
    serve_until(daemon, lambda: daemon.pool("echo")["prefault_samples"] >= 8, "samples")
    assert daemon.pool("echo")["prefault"] == "idle"
    assert daemon.stats("echo")["prefault_requests"] == 0


def test_zero_switches_it_off(zygoted):
    daemon = zygoted(echo(200, prefault="0"))
    serve_until(daemon, lambda: daemon.stats("echo")["ok"] >= 200, "200 requests")
    assert daemon.pool("echo")["prefault"] == "off"
    assert table_mapping(daemon.zygote_pid("echo")) is None


@pytest.mark.parametrize("keys", ({"prefault": "400K"}, {"memory": "1600K"}), ids=("prefault", "memory"))
def test_a_child_copies_no_more_than_it_may(zygoted, keys):
    daemon = zygoted(echo(200, **keys))
    assert 300 << 10 <= learned(daemon)["prefault_bytes"] <= 400 << 10
    stats = compared(daemon)
    assert stats["prefault_faults_mean"] >= 100


def test_nobody_but_the_supervisor_can_write_the_table(zygoted):
    daemon = zygoted(echo(200))
    learned(daemon)
    daemon.wait_idle("echo")
    for pid in [daemon.zygote_pid("echo"), *daemon.child_pids("echo")]:
        where, permissions, flags = table_mapping(pid)
        assert permissions == "r--s" and "mw" not in flags  # mprotect cannot make it writable either
    begin, end = where.split("-")
    file = os.open(f"/proc/{pid}/map_files/{int(begin, 16):x}-{int(end, 16):x}", os.O_RDWR)
    try:
        with pytest.raises(PermissionError):  # the seal: not even root
            os.pwrite(file, b"\1", 0)
    finally:
        os.close(file)


def test_a_new_generation_learns_anew(zygoted):
    daemon = zygoted(echo(200))
    learned(daemon)
    daemon.ctl("recycle echo")
    figures = daemon.pool("echo")
    assert figures["generation"] == 2 and figures["prefault_samples"] == 0
    assert 200 <= learned(daemon)["prefault_bytes"] / PAGE < 220
    assert compared(daemon)["prefault_faults_mean"] < 10


def test_a_new_front_uses_what_was_learned(zygoted):
    daemon = zygoted(echo(200))
    samples = learned(daemon, 24)["prefault_samples"]
    front = daemon.front_pid()
    daemon.kill(front)
    wait_until(lambda: daemon.front_pid() not in (None, front), what="a new front")
    daemon.wait_ready()
    assert learned(daemon, samples)["prefault_samples"] < 2 * samples
    assert compared(daemon)["prefault_faults_mean"] < 10


@pytest.mark.namespaces
def test_an_ordinary_users_daemon_says_that_it_cannot(zygoted, user):
    if user is None:
        pytest.skip("this is about a daemon that root did not start")
    daemon = zygoted(echo(200), user=user)
    serve_until(daemon, lambda: daemon.stats("echo")["ok"] >= 100, "100 requests")
    assert daemon.pool("echo")["prefault"] == "unavailable"


def test_zygotectl_shows_what_it_brings(zygoted):
    daemon = zygoted(echo(200))
    compared(daemon)
    code, text, _ = daemon.zygotectl("stats")
    assert code == 0 and "pages touched beforehand" in text
    assert "PREFAULT" in daemon.zygotectl("pools")[1]
