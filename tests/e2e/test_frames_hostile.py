"""Frames from clients and children that mean harm: limits that hold, and others who have their turn."""

import json
import os
import signal
import time

import pytest

from client import Truncated
from frames_client import CRASHED, HELD, OK, OVERLOADED, TIMEOUT, TOO_LARGE, WORKER_ERROR, Frames, frame
from reloads import reload
from test_frames import connect, listener, start
from zyg import pool, wait_until

# ---- limits of replies ----


@pytest.mark.parametrize("lines, status, length", [(300, TOO_LARGE, None), (150, OK, 1240)])
def test_a_lower_limit_while_a_reply_comes_is_for_the_next_one(zygoted, lines, status, length):
    """300 lines are over `gather`, 150 are not; both are over the new `reply`."""
    daemon = start(zygoted, pool("probe", timeout="20s", reply="1M"), gather=2000)
    with connect(daemon) as connection:
        connection.send(frame(b"trickle/%d" % lines))
        daemon.wait_busy("probe")
        time.sleep(0.6)  # until more has come than the new limit is
        reload(daemon, pool("probe", timeout="20s", reply=100))
        got, text = connection.reply()
        assert got == status and (length is None or len(text) == length)
        assert connection.call(b"write/101")[0] == TOO_LARGE


FAILURES = [
    (b"frames/no-end", CRASHED),
    (b"break/segv", CRASHED),
    (b"break/error", WORKER_ERROR),
    (b"fill/900000/segv", CRASHED),
    (b"fill/900000/sleep", TIMEOUT),
    (b"write/1100000", TOO_LARGE),
]


@pytest.mark.plain_build
@pytest.mark.parametrize("payload, status", FAILURES)
def test_what_a_failed_reply_took_can_be_had_again(zygoted, payload, status):
    daemon = start(zygoted, pool("probe", timeout="2s"), top={"gather_memory": "1M", "penalty": 0}, gather="1M")
    with connect(daemon) as connection:
        for _ in range(3):
            assert connection.call(payload)[0] == status
            assert connection.call(b"write/1000000")[0] == OK


def test_what_a_client_that_leaves_had_can_be_had_again(zygoted):
    daemon = start(zygoted, pool("probe", timeout="20s"), top={"gather_memory": "1M"}, gather="1M")
    for _ in range(3):
        with connect(daemon) as connection:
            connection.send(frame(b"fill/900000/sleep"))
            daemon.wait_busy("probe")
        daemon.wait_idle("probe")
    with connect(daemon) as connection:
        assert connection.call(b"write/1000000")[0] == OK


# ---- turns ----


def test_many_refusals_in_a_few_bytes_let_others_have_their_turn(zygoted, tmp_path):
    log = str(tmp_path / "access")
    open(log, "w").close()
    os.chmod(log, 0o666)
    busy = pool("probe", spare=1, max_children=1, queue=0, timeout="20s")
    daemon = start(zygoted, busy, pool("echo"), top={"access_log": log, "access_format": "json"})
    with connect(daemon) as holder, connect(daemon) as many, connect(daemon, 1) as other:
        assert other.call(b"warm")[0] == OK
        holder.send(frame(b"sleep/60000"))
        daemon.wait_busy("probe")
        daemon.kill(daemon.front_pid(), signal.SIGSTOP)
        many.send(frame(b"") * 8000)
        other.send(frame(b"hello"))
        daemon.kill(daemon.front_pid(), signal.SIGCONT)
        assert other.reply() == (OK, b"hello")
        assert all(many.reply()[0] == OVERLOADED for _ in range(8000))
        lines = wait_until(lambda: (all := open(log).readlines())[8001:] and all)
    begun = sorted(map(json.loads, lines), key=lambda line: line["time"])
    places = [place for place, line in enumerate(begun) if line["outcome"] == "ok"]
    assert len(lines) == 8002 and places[0] == 0 and places[1] < 4000


# ---- listeners that others take the place of ----


def private(daemon):
    """A listener that the client of these tests has no way to."""
    address = f"unix:{daemon.directory}/private.sock"
    return {"protocol": "frame", "pool": "echo", "address": address, "access": "owner"}


def begin(connection):
    """The front waits for the rest of a length."""
    connection.send(frame(b"")[:2])


def finish(connection):
    """What answers the rest; None: nobody does."""
    try:
        connection.send(frame(b"pid")[2:])
        return connection.reply()
    except (Truncated, ConnectionError):
        return None


def test_who_has_come_by_an_address_is_not_sent_to_the_pool_of_the_next(zygoted):
    pools = [pool("probe"), pool("echo")]
    daemon = start(zygoted, pools[0])
    with connect(daemon) as connection, connect(daemon) as busy:
        begin(connection)
        busy.send(HELD[:-1])
        daemon.wait_busy("probe")
        reload(daemon, *pools, sections={"probe": private(daemon)})
        assert finish(connection) is None
        busy.send(HELD[-1:] + frame(b"pid"))
        assert busy.reply() == (OK, b"1\n") and busy.at_end()
    with Frames(f"{daemon.directory}/private.sock") as allowed:
        assert allowed.call(b"pid") == (OK, b"pid")


def test_who_has_come_by_a_listener_is_not_one_of_the_next_in_its_place(zygoted):
    pools = [pool("probe"), pool("echo")]
    daemon = start(zygoted, pools[0])
    other = listener("probe")
    with connect(daemon) as connection:
        begin(connection)
        reload(daemon, *pools, sections={"other": other})
        reload(daemon, *pools, sections={"other": other, "private": private(daemon)})
        assert finish(connection) is None
