"""Using up time, output and patience: each has its bound, its status and its counter, and others are served on."""

import os
import re

import pytest

import zyg
from client import Connection, Truncated
from hostile import Attack, Bystander, Target, answered, hostile_pool
from zyg import wait_until

SIGKILL, SIGXCPU = 9, 24
GIB = 1 << 30
FRONT_GROWTH_KIB = 1024
OTHERS_WAIT = 0.5  # what a bystander may wait for an answer; a machine that is busy may make one in fifty later


USERS = ["root", "nobody"] if os.getuid() == 0 else ["self"]


def limited(request, **keys):
    user = "nobody" if request.param == "nobody" else None
    pools = [hostile_pool(output="16K", **keys), zyg.pool("echo", spare=2)]
    daemon = zyg.Zygoted(*pools, user=user, body_rate=1, body_grace="10s")
    try:
        yield Target(daemon.start())
    finally:
        daemon.stop()


@pytest.fixture(scope="module", params=USERS)
def target(request):
    """`hostile` has three seconds, and one of CPU."""
    yield from limited(request, timeout="3s", cpu="1s")


@pytest.fixture(scope="module", params=USERS)
def patient(request):
    """A second of CPU, and as much time as that takes on a machine that is busy."""
    yield from limited(request, timeout="60s", cpu="1s")


def timed_out(name, deed, body=None, broken_off=False):
    return Attack(name, deed, 504, "timeout", "timeout", "", "", body, broken_off)


COMPUTING = [
    Attack("endless computing", "burn", 504, "cpu-limit", "cpu_limit", f"signal={SIGXCPU}"),
    # Nobody but the kernel's hard limit is left then, and that says SIGKILL.
    Attack("computing on with signals blocked", "burn/stubborn", 502, "crashed", "crashed", f"signal={SIGKILL}"),
    answered("limits raised again", "raise-limits", r"processes 1 cpu 1\n"),
]

ATTACKS = [
    timed_out("sleeping past the deadline", "sleep"),
    timed_out("never reading", "sleep", b"x" * 900000),
    timed_out("reading a byte a second", "read-slowly", b"x" * 900000),
    answered("a flood of log lines", "flood-log/1000", r"flooded\n"),
]


@pytest.mark.parametrize("attack", COMPUTING, ids=str)
def test_computing(patient, attack):
    patient.attack(attack)


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_limit(target, attack):
    target.attack(attack)


def front_kib(daemon):
    """Memory of the front's own, from a file that any user may read."""
    status = zyg.read_proc(daemon.front_pid(), "status")
    return int(re.search(r"RssAnon:\s+(\d+) kB", status).group(1))


def flood(target, deed, children=2):
    """Runs several floods to their end beside a bystander; what the front's memory and the log grew by."""
    daemon = target.daemon
    memory, log = front_kib(daemon), len(daemon.log())
    with Bystander(daemon) as bystander:
        connections = [daemon.connect() for _ in range(children)]
        for connection in connections:
            connection.request("GET", f"/hostile/{deed}", headers=[("Connection", "close")])
        for connection in connections:
            try:
                while connection.fill():
                    connection.buffer = b""
            except ConnectionResetError:
                pass
            connection.close()
    late = [wait for wait in bystander.waits if wait > OTHERS_WAIT]
    assert bystander.waits and len(late) <= len(bystander.waits) / 50, bystander.waits
    target.nothing_is_left()
    return front_kib(daemon) - memory, len(daemon.log()) - log


def test_an_endless_flood_of_log_lines_is_cut(target):
    """Two children write as fast as they can until their time is over: 16 KiB of each are kept."""
    _, log = flood(target, "flood-log")
    assert log < 2 * (16384 // 64) * 300


def test_an_endless_answer_ends_with_its_child(target):
    memory, _ = flood(target, "flood-answer")
    assert memory < FRONT_GROWTH_KIB


def test_an_answer_that_nobody_takes_is_not_stored(target):
    daemon = target.daemon
    memory = front_kib(daemon)
    connections = [
        Connection(("127.0.0.1", daemon.port), 20, receive_buffer=4096) for _ in range(4)
    ]
    for connection in connections:
        connection.request("GET", "/hostile/flood-answer")
    wait_until(lambda: not daemon.busy("hostile"))
    assert front_kib(daemon) - memory < FRONT_GROWTH_KIB
    for connection in connections:
        connection.close()
    target.nothing_is_left()


# ---- words ----

SAYINGS = {
    "x%0a2026-01-01T00:00:00Z error zygoted: stop": r'text="2026-01-01T00:00:00Z error zygoted: stop"',
    "x%22 pool=other": r'text="x\x22 pool=other"',
    "%1b[2J%1b]0;x%07": r'text="\x1b[2J\x1b]0;x\x07"',
    "%e2%80%ae%ff%fe": r'text="\xe2\x80\xae\xff\xfe"',
    "%0d%0ax": r'text="\x0d"',
    "<3>x": 'text="<3>x"',
}


@pytest.mark.parametrize("said", SAYINGS)
def test_a_child_cannot_forge_log_lines(target, said):
    daemon = target.daemon
    before = len(daemon.log())
    assert daemon.get(f"/hostile/say/{said.replace(' ', '%20')}").status == 200
    wait_until(lambda: SAYINGS[said] in daemon.log()[before:])
    for line in daemon.log()[before:].splitlines():
        assert line.startswith("20") and " front: " in line and line.isprintable()


# ---- bodies ----


def test_a_body_of_10_gib_is_refused_by_its_length(target):
    head = f"POST /hostile/count HTTP/1.1\r\nHost: a\r\nContent-Length: {10 * GIB}\r\n\r\n"
    answer, closed = target.daemon.raw(head.encode())
    assert (answer.status, answer.reason) == (413, "body-too-large") and closed
    target.nothing_is_left()


def test_a_body_that_does_not_end_is_refused_at_the_limit(target):
    daemon = target.daemon
    memory = front_kib(daemon)
    with daemon.connect() as connection:
        connection.send(b"POST /hostile/count HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        sent = 0
        try:
            while sent < 10 * GIB:
                connection.send(b"10000\r\n" + b"x" * 65536 + b"\r\n")
                sent += 65536
        except (BrokenPipeError, ConnectionResetError):
            pass
    assert sent < GIB and daemon.outcome("body_too_large", "hostile") >= 1
    assert front_kib(daemon) - memory < FRONT_GROWTH_KIB
    target.nothing_is_left()


@pytest.mark.long
def test_10_gib_of_body_pass_through_bounded_memory(zygoted):
    daemon = zygoted(hostile_pool(body="16G", timeout="10m"))
    daemon.get("/hostile/canary")
    memory = front_kib(daemon)
    piece = b"x" * (4 << 20)
    with daemon.connect(600) as connection:
        head = f"POST /hostile/count HTTP/1.1\r\nHost: a\r\nContent-Length: {10 * GIB}\r\n\r\n"
        connection.send(head.encode())
        for _ in range(10 * GIB // len(piece)):
            connection.send(piece)
        assert front_kib(daemon) - memory < FRONT_GROWTH_KIB
        assert int(connection.response().text) == 10 * GIB


def test_a_truncated_flood_never_looks_complete(target):
    with target.daemon.connect() as connection:
        connection.request("GET", "/hostile/flood-answer")
        with pytest.raises((Truncated, ConnectionResetError)):
            response = connection.head()
            for _ in connection.body_pieces(response):
                pass
    target.nothing_is_left()
