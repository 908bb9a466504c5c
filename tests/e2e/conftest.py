"""Fixtures: a factory of daemons that stops them all and checks that nothing is left."""

import os
import resource
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import zyg  # noqa: E402

AS_ROOT = os.getuid() == 0


def raise_descriptors(wanted=4096):
    """A login shell gives 1,024, and there are tests with as many connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))


raise_descriptors()


def pytest_configure(config):
    config.addinivalue_line("markers", "long: the full numbers; run by make check-long")
    config.addinivalue_line("markers", "reads_proc: looks into the front, which only root may")
    config.addinivalue_line("markers", "namespaces: needs user and mount namespaces")
    config.addinivalue_line("markers", "plain_build: what a sanitizer changes: memory, signals, kills")


def has_namespaces():
    """Not inside a chroot, nor where the system forbids them."""
    return subprocess.run(["unshare", "--user", "--mount", "true"], capture_output=True).returncode == 0


def pytest_collection_modifyitems(items):
    no_namespaces = not has_namespaces()
    skip = pytest.mark.skip(reason="only root may read the front's descriptors and memory")
    for item in items:
        if not AS_ROOT and "reads_proc" in item.keywords:
            item.add_marker(skip)
        if no_namespaces and "namespaces" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="no user namespaces can be had here"))
        if os.environ.get("ZYGOTED_ASAN") and "plain_build" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="a sanitizer changes what this test measures"))


def stop_all(daemons):
    errors = []
    for daemon in daemons:
        try:
            daemon.stop()
        except AssertionError as error:
            errors.append(str(error))
    assert not errors, "\n".join(errors)


@pytest.fixture
def zygoted():
    """zygoted(pool(...), ..., key=value) starts a daemon; stopped at the end with exit code 0."""
    daemons = []

    def make(*pools, start=True, **keys):
        daemon = zyg.Zygoted(*pools, **keys)
        daemons.append(daemon)
        return daemon.start() if start else daemon

    yield make
    stop_all(daemons)


@pytest.fixture(params=["root", "nobody"] if AS_ROOT else ["self"])
def user(request):
    """Runs a test once for each kind of user that can start the daemon. None: as we are."""
    return "nobody" if request.param == "nobody" else None


def shared_daemon(*pools, **keys):
    daemon = zyg.Zygoted(*pools, **keys)
    try:
        yield daemon.start()
    finally:
        daemon.stop()


@pytest.fixture(scope="module")
def daemon():
    """One daemon for a module's tests that leave it as it was: echo, probe and oui."""
    yield from shared_daemon(zyg.pool("echo"), zyg.pool("probe"), zyg.pool("oui"))
