"""Programs for the worker `exec`: a copy that the daemon's user can execute, and a pool that runs them."""

import os
import shutil
import subprocess
import tempfile

import pytest

import zyg

DEEDS = os.path.join(zyg.BUILD, "tests", "e2e", "programs", "deeds")

needs_worker = pytest.mark.skipif(
    not os.path.exists(os.path.join(zyg.BUILD, "workers", "exec.so")), reason="the exec worker was not built"
)


def needed_files(program):
    """What ldd finds: the loader and the libraries."""
    text = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    words = [word for word in text.split() if word.startswith("/")]
    return sorted(set(words))


def make_folder():
    """deeds, and scripts of tests, in a folder that every user may read."""
    folder = tempfile.mkdtemp(prefix="zyg-programs-")
    os.chmod(folder, 0o755)
    shutil.copy(DEEDS, folder)
    return folder


def write_script(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, 0o755)
    return path


def program_pool(name, folder, program="deeds", options=None, also=(), **keys):
    """`also`: files beside the folder, the loader and libc that the program needs."""
    options = {"program": os.path.join(folder, program), **(options or {})}
    paths = [folder, *needed_files(DEEDS), *also]
    keys = {"profile": "exec", "read_paths": sorted(set(paths)), "timeout": "60s", "breaker": 0, **keys}
    return zyg.pool(name, worker="exec", options=options, **keys)


def running(folder):
    """Processes that execute something of the folder."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{pid}/exe").startswith(folder):
                found.append(int(pid))
        except OSError:
            continue
    return found
