"""Where the python worker puts objects: those that requests use, which rehearsals have found, and those of children."""

import json
import os
import subprocess

import pytest

import pyapps
from proc import command_line
from pyapps import python_pool
from wait import wait_until

pytestmark = [pyapps.needs_worker,
              pytest.mark.skipif(subprocess.run([pyapps.PYTHON, "-c", "import sys; sys.exit(sys.version_info[:2] != (3, 11))"]).returncode != 0,
                                 reason="objects are placed with Python 3.11 alone")]
NOT_LEARNED = "which objects requests use was not learned"


@pytest.fixture(scope="module")
def apps():
    copy = pyapps.copy_apps()
    os.chmod(copy, 0o777)  # applications that write down what they do while they are loaded
    yield copy
    pyapps.remove_apps(copy)


@pytest.fixture
def start(zygoted, apps):
    """start(name, text, options, ...) -> a daemon that serves the `app` of a module with this text."""

    def make(name, text, options=None, **keys):
        with open(os.path.join(apps, f"{name}.py"), "w") as file:
            file.write(f"HERE = {apps!r}\n{text}")
        options = {"warmup": "GET /", **(options or {})}
        options = {key: value for key, value in options.items() if value}
        return zygoted(python_pool("p", apps, f"{name}:app", options, routes=["/"], **keys), start=False)

    return make


# Functions of which a request calls each twentieth: objects that are used, far from each other.
SCATTERED = """
functions = []
for number in range(8000):
    space = {}
    exec(f"def function(): return {number}.5", space)
    functions.append(space["function"])
chosen = functions[::20]
def app(environ, start):
    start("200 OK", [])
    return [str(sum(function() for function in chosen)).encode()]
"""


def faults(daemon):
    expected = str(sum(number + 0.5 for number in range(0, 8000, 20)))
    assert [daemon.get("/").text for _ in range(30)] == [expected] * 30
    return daemon.stats("p")["minor_faults_mean"]


@pytest.mark.plain_build
@pytest.mark.parametrize("image", ["inherited", "frozen"])
def test_what_requests_use_lies_together(start, image):
    """One page for each function where Python has put them, and some ten for all."""
    keys = {"image": image, "prefault": 0}
    apart = faults(start("scattered", SCATTERED, {"placement": "none"}, **keys).start())
    together = faults(start("scattered", SCATTERED, **keys).start())
    assert apart > 400 and together < apart / 3, f"{together} faults of {apart}"


# A system call that is given memory of which use is watched fails.
UNWATCHABLE = """
import os
constant = b"out of the request"
def app(environ, start):
    os.write(1, constant)
    return scattered(environ, start)
"""


@pytest.mark.plain_build
def test_where_reads_cannot_be_learned_writes_are(start):
    text = SCATTERED.replace("def app", "def scattered") + UNWATCHABLE
    daemon = start("unwatchable", text, image="inherited", prefault=0).start()
    assert faults(daemon) < 200 and NOT_LEARNED not in daemon.log()


@pytest.mark.plain_build
@pytest.mark.skipif(os.getuid() != 0, reason="which pages are copied only root can tell")
def test_maps_has_a_name_for_what_was_placed(start):
    daemon = start("scattered", SCATTERED, image="inherited", prefault=0, sample=1).start()
    faults(daemon)
    wait_until(lambda: daemon.ctl("memory")["pools"][0]["samples"] > 0)
    regions = {region["region"]: region for region in daemon.ctl("maps")["regions"]}
    placed = regions["objects in use"]
    assert 50_000 < placed["copied_bytes"] < 500_000
    assert regions["anonymous"]["copied_bytes"] < 500_000


LOADED = """
import os
print("out of load", flush=True)
with open(f"{HERE}/{__name__}.loads", "a") as file:
    file.write(f"{os.getpid()}\\n")
def app(environ, start):
    start("200 OK", [])
    return [b"served"]
"""


def loads(apps, name):
    with open(os.path.join(apps, f"{name}.loads")) as file:
        return len(set(file.read().split()))


@pytest.mark.parametrize("options, count", [
    ({}, 3), ({"placement": "learned"}, 3), ({"placement": "none"}, 1), ({"warmup": None}, 1),
], ids=["default", "learned", "none", "nothing to learn from"])
def test_rehearsals_are_loads_that_say_nothing(start, apps, options, count):
    name = f"loaded_{'_'.join(options) or 'default'}_{count}"
    daemon = start(name, LOADED, options).start()
    assert daemon.get("/").text == "served"
    daemon.wait_log("out of load")
    assert loads(apps, name) == count and daemon.log().count("out of load") == 1
    assert NOT_LEARNED not in daemon.log()


# In a rehearsal there is no output.
ONLY_ASIDE = """
import os, signal, sys
aside = os.path.samestat(os.fstat(2), os.stat("/dev/null"))
requests = []
def app(environ, start):
    requests.append(1)
    if aside and {where}:
        {deed}
    start("200 OK", [])
    return [b"served"]
"""
DEEDS = {
    "a warm-up kills": ("len(requests) == 1", "os.kill(os.getpid(), signal.SIGKILL)", "a process died"),
    "a child kills": ("len(requests) == 2", "os.kill(os.getpid(), signal.SIGKILL)", "a process died"),
    "a child fails": ("len(requests) == 2", "raise LookupError", "a warm-up failed in a child"),
    "a child exits": ("len(requests) == 2", "os._exit(0)", "a process died"),
    "a child kills its parent": ("len(requests) == 2", "os.kill(os.getppid(), signal.SIGKILL)", "a process died"),
}


@pytest.mark.parametrize("name", DEEDS)
def test_a_rehearsal_that_fails_is_told_and_does_not_matter(start, name):
    where, deed, reason = DEEDS[name]
    module = name.replace(" ", "_").replace("-", "_")
    daemon = start(module, ONLY_ASIDE.format(where=where, deed=deed)).start()
    daemon.wait_log(f"{NOT_LEARNED}: {reason}")
    assert daemon.get("/").text == "served"


# What is found lies in memory that is shared: 4 MiB that begin with a state, a count and the bytes by use.
OVERWRITES = """
import ctypes, os
aside = os.path.samestat(os.fstat(2), os.stat("/dev/null"))
def app(environ, start):
    start("200 OK", [])
    return [b"served"]
for line in open("/proc/self/maps") if aside else ():
    begin, end = (int(number, 16) for number in line.split()[0].split("-"))
    if " rw-s " in line and end - begin > 4 << 20:
        {what}
        ctypes.memmove(begin, b"".join(number.to_bytes(4, "little") for number in ({complete}, {count}, 0, 0, 0, {bytes_high}, 0, {bytes_high})), 32)
if aside:
    os._exit(0)
"""
COMPLETE = 7  # enum placement_state


@pytest.mark.parametrize("what, count, bytes_high", [
    ("pass", 3, 1 << 28),
    ("pass", 1 << 31, 0),
    ("ctypes.memset(begin, 0x41, end - begin)", 1 << 18, 0),
], ids=["bytes", "count", "no free slot"])
def test_what_was_found_is_not_trusted(start, what, count, bytes_high):
    name = f"overwrites_{count}_{bytes_high}"
    daemon = start(name, OVERWRITES.format(what=what, complete=COMPLETE, count=count, bytes_high=bytes_high)).start()
    assert daemon.get("/").text == "served"
    daemon.wait_log(f"{NOT_LEARNED}: a process has written over what it had found")


LEAVES_A_THREAD = """
import queue, threading
work, done = queue.Queue(), queue.Queue()
def serve():
    while True:
        done.put(work.get())
threading.Thread(target=serve, daemon=True).start()
def app(environ, start):
    work.put(b"served")
    start("200 OK", [])
    return [done.get()]
"""


def test_a_thread_that_is_left_is_refused_at_once(start):
    """A child that waits for it would have two minutes for that."""
    daemon = start("thread", LEAVES_A_THREAD)
    daemon.spawn()
    daemon.wait_log("left 1 thread running")
    assert NOT_LEARNED not in daemon.log()


LEAVES_A_PROCESS = """
import os, subprocess
process = subprocess.Popen(["sleep", "600"], start_new_session={new_session})
with open(f"{HERE}/{__name__}.pids", "a") as file:
    file.write(f"{process.pid}\\n")
if not os.path.samestat(os.fstat(2), os.stat("/dev/null")):
    process.kill()
    process.wait()
def app(environ, start):
    start("200 OK", [])
    return [b"served"]
"""


@pytest.mark.namespaces
@pytest.mark.parametrize("new_session", [False, True])
def test_what_a_rehearsal_started_ends_with_it(start, apps, new_session):
    """By pid of the zygote's namespace: seen from there, as the daemon's descendants."""
    name = f"leaves_{new_session}"
    daemon = start(name, LEAVES_A_PROCESS.replace("{new_session}", str(new_session))).start()
    with open(os.path.join(apps, f"{name}.pids")) as file:
        assert len(file.read().split()) == 3
    wait_until(lambda: "sleep" not in [command_line(pid).split(" ")[0] for pid in daemon.processes()])


# All kinds of growth, each checked: the region of children is full after a mebibyte, and blocks move out of it.
CHURN = """
import json, random
kept = {n: [n] * (n % 40) for n in range(2000)}
def churn(generator):
    blocks = []
    for step in range(20000):
        deed = generator.randrange(6)
        if deed < 2 or not blocks:
            blocks.append(bytearray([step % 251]) * generator.randrange(1, 3000))
        elif deed == 2:
            del blocks[generator.randrange(len(blocks))]
        elif deed == 3:
            block = blocks[generator.randrange(len(blocks))]
            block.extend(block[:1] * generator.randrange(20000 if step % 50 == 0 else 200))
        elif deed == 4:
            block = blocks[generator.randrange(len(blocks))]
            del block[len(block) // 2 + 1:]
        else:
            kept[generator.randrange(2000)].append(step)
        if len(blocks) > 2000:
            del blocks[::2]
    return all(block.count(block[0]) == len(block) for block in blocks)
def app(environ, start):
    start("200 OK", [])
    whole = churn(random.Random(1))
    total = sum(map(sum, kept.values()))
    return [json.dumps([whole, total]).encode()]
"""


@pytest.mark.parametrize("placement", ["learned", "none"])
@pytest.mark.parametrize("image", ["inherited", pytest.param("frozen", marks=pytest.mark.plain_build)])
def test_blocks_keep_what_is_in_them(start, placement, image):
    daemon = start("churn", CHURN, {"placement": placement, "warmup": "GET /"}, image=image, timeout="60s").start()
    answers = [json.loads(daemon.get("/").body) for _ in range(3)]
    assert answers[0][0] is True and answers == answers[:1] * 3


# 200 MB of the C library's heap, freed before the end of load, with a block behind them that is not.
FREES = """
held = [b"x" * 20000 for _ in range(10000)]
kept = [b"y" * 20000 for _ in range(10)]
held.clear()
def app(environ, start):
    start("200 OK", [])
    return [b"served"]
"""


@pytest.mark.plain_build
@pytest.mark.parametrize("placement", ["learned", "none"])
def test_what_load_has_freed_is_no_part_of_the_state(start, placement):
    daemon = start("frees", FREES, {"placement": placement}, image="inherited").start()
    assert daemon.get("/").text == "served"
    assert daemon.ctl("memory")["pools"][0]["state_bytes"] < 50_000_000
