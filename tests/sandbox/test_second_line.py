"""What stands behind the system-call filter: with `sandbox = "log"` calls are made that would otherwise kill, and
namespaces, empty root, Landlock and limits have to stop them alone.
"""

import errno

import pytest

import zyg
from hostile import descriptors, hostile_pool
from zyg import wait_until

NO_FILE = {errno.ENOENT, errno.EACCES}
NOT_ALLOWED = {errno.EPERM, errno.EACCES}
UNREACHABLE = {errno.ENETUNREACH, errno.EACCES, errno.ECONNREFUSED}

EXPECTED = {
    "open-etc": NO_FILE,
    "open-proc": NO_FILE,
    "open-root": {errno.EACCES},
    "open-parent": NO_FILE,
    "create-file": {errno.EACCES, errno.EROFS},
    "exec": NO_FILE,
    "exec-memory": {errno.ENOENT, errno.EACCES, errno.EPERM},
    "connect-daemon": UNREACHABLE,
    "send-outside": UNREACHABLE,
    "connect-control": NO_FILE,
    "raw-socket": NOT_ALLOWED,
    "fork": {errno.EAGAIN},
    "mount": NOT_ALLOWED,
    "unshare-mounts": NOT_ALLOWED,
    "host-name": NOT_ALLOWED,
    "become-root": {errno.EPERM, errno.EINVAL},
    "kill-zygote": NOT_ALLOWED,
    "trace-zygote": NOT_ALLOWED,
    "read-zygote": NOT_ALLOWED,
    "take-descriptor": NOT_ALLOWED,
    "raise-data-limit": NOT_ALLOWED,
    "lock-memory": NOT_ALLOWED | {errno.ENOMEM},
}


@pytest.fixture
def logging(zygoted, user):
    return zygoted(hostile_pool(sandbox="log"), zyg.pool("echo"), user=user)


@pytest.mark.namespaces
def test_every_attempt_fails_without_the_filter(logging):
    answer = logging.get(f"/hostile/second-line/{logging.port}")
    results = {name: int(error) for name, error in map(str.split, answer.text.splitlines())}
    assert results.keys() == EXPECTED.keys()
    assert {n: e for n, e in results.items() if e not in EXPECTED[n]} == {}
    logging.wait_idle("hostile")
    assert logging.get("/hostile/canary").status == 200


def test_log_mode_is_said_aloud(logging):
    layers = {(row["pool"], row["layer"]): row["state"] for row in logging.ctl("info")["layers"]}
    assert layers["hostile", "seccomp"] == "logging" and layers["echo", "seccomp"] == "applied"


def test_foreign_architectures_are_killed_even_so(logging):
    for path in ("call/I,20", "call/S,0x40000027"):
        answer = logging.get(f"/hostile/{path}")
        assert (answer.status, answer.reason) == (502, "sandbox")


@pytest.mark.parametrize("how, status, reason", [("", 200, None), ("/lone", 502, "bad-reply")])
def test_descriptors_that_a_child_passes_go_nowhere(logging, how, status, reason):
    """With a byte to travel on, that byte is garbage; the descriptor is dropped by the kernel."""
    for _ in range(40):
        answer = logging.get(f"/hostile/pass-descriptor{how}")
        assert (answer.status, answer.reason) == (status, reason)
    logging.wait_idle("hostile")
    before = descriptors(logging.front_pid())
    for _ in range(40):
        logging.get(f"/hostile/pass-descriptor{how}")
    logging.wait_idle("hostile")
    wait_until(lambda: descriptors(logging.front_pid()) == before)
