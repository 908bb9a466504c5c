"""The end-to-end tests' fixtures, and a daemon with the hostile worker for each kind of user."""

import importlib.util
import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
E2E = os.path.join(os.path.dirname(HERE), "e2e")
sys.path[:0] = [HERE, E2E]

spec = importlib.util.spec_from_file_location("e2e_fixtures", os.path.join(E2E, "conftest.py"))
e2e_fixtures = importlib.util.module_from_spec(spec)
spec.loader.exec_module(e2e_fixtures)

pytest_configure = e2e_fixtures.pytest_configure
zygoted = e2e_fixtures.zygoted
user = e2e_fixtures.user

import hostile  # noqa: E402
import zyg  # noqa: E402

USERS = ["root", "nobody"] if e2e_fixtures.AS_ROOT else ["self"]


def pytest_collection_modifyitems(items):
    """Sanitizers map what a filter forbids, count no memory as we do, and see overflows first."""
    e2e_fixtures.pytest_collection_modifyitems(items)
    for item in items if zyg.ASAN else []:
        if str(item.fspath).startswith(HERE):  # the hook gets those of other directories too
            item.add_marker(pytest.mark.skip(reason="the sandbox is tested without sanitizers"))


@pytest.fixture(scope="module", params=USERS)
def target(request):
    """A daemon with the hostile worker and a bystander, watched; shared by a module's tests."""
    user_name = "nobody" if request.param == "nobody" else None
    pools = [hostile.hostile_pool(), zyg.pool("echo", spare=2)]
    daemon = zyg.Zygoted(*pools, user=user_name)
    try:
        daemon.start()
        yield hostile.Target(daemon)
    finally:
        daemon.stop()
