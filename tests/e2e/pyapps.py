"""Python applications of the tests: copies that the daemon's user can read, pools and servers that run them."""

import importlib.util
import os
import shutil
import subprocess
import tempfile

import pytest

import zyg

WORKER = os.path.join(zyg.BUILD, "workers", "python.so")
PYTHON = "/usr/bin/python3"  # the system's, whose library the worker embeds
SITE = "/usr/lib/python3/dist-packages"

needs_worker = pytest.mark.skipif(not os.path.exists(WORKER), reason="the python worker was not built")


def needs(module):
    missing = importlib.util.find_spec(module) is None
    return pytest.mark.skipif(missing, reason=f"Debian's package of {module} is not installed")


def copy_apps():
    """tests/e2e/apps where every user may read it: the tree may lie below /root."""
    copy = os.path.join(tempfile.mkdtemp(prefix="zyg-apps-"), "apps")
    os.chmod(os.path.dirname(copy), 0o755)
    source = os.path.join(zyg.TOP, "tests", "e2e", "apps")
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run(["chmod", "-R", "a+rX", copy], check=True)
    return copy


def remove_apps(copy):
    shutil.rmtree(os.path.dirname(copy))


def python_pool(name, apps, app, options=None, **keys):
    options = {"path": apps, **({"app": app} if app else {}), **(options or {})}
    return zyg.pool(name, worker="python", options=options, **keys)
