"""A frozen image: the same answers as from inherited memory, at a cost that does not depend on the state's size."""

import os
import re
import tempfile
import time

import pytest

import zyg
from load import Load
from proc import descriptors, read_proc
from zyg import pool, wait_until

MIB = 1 << 20
WORKER = os.path.join(zyg.BUILD, "tests", "e2e", "workers", "image.so")
NAME = "/memfd:zygoted-image (deleted)"
ASIDE = "/memfd:zygoted-aside (deleted)"

# Sanitizers have memory of their own that cannot be moved: nothing is frozen there.
pytestmark = pytest.mark.plain_build


def image_pool(name, image, **keys):
    return pool(name, WORKER, image=image, **{"memory": "128M", "timeout": "20s", "spare": 2, **keys})


@pytest.fixture(scope="module")
def both():
    """Every kind of memory, frozen and inherited, and a table both ways."""
    oui = pool("oui")["options"]
    daemon = zyg.Zygoted(
        image_pool("frozen", "frozen"),
        image_pool("inherited", "inherited"),
        pool("cold", "table", oui, image="frozen"),
        pool("warm", "table", oui, image="inherited"),
    )
    try:
        yield daemon.start()
    finally:
        daemon.stop()


# ---- the same answers ----


@pytest.mark.parametrize("deed", ["digest", "write", "heap", "free", "realloc"])
def test_every_kind_of_memory_answers_alike(both, deed):
    frozen, inherited = (both.get(f"/{name}/{deed}") for name in ("frozen", "inherited"))
    assert (frozen.status, frozen.body) == (200, inherited.body)
    assert len(frozen.body) > 10


def test_what_children_write_stays_theirs(both):
    before = both.get("/frozen/digest").body
    written = [both.get("/frozen/write").body for _ in range(3)]
    assert len(set(written)) == 1 and written[0] != before
    assert both.get("/frozen/digest").body == before


def test_the_heap_grows_behind_the_image(both):
    assert both.get("/frozen/heap").text == "heap grew, 0 bytes not zero\n"


@pytest.mark.parametrize("deed", ["guard", "forbidden"])
@pytest.mark.parametrize("name", ["frozen", "inherited"])
def test_protection_stays(both, name, deed):
    answer = both.get(f"/{name}/{deed}")
    assert (answer.status, answer.reason) == (502, "crashed")


def test_a_table_answers_alike(both):
    keys = ["00:22:72:01:02:03", "00:00:00", "00d0ef", "ff:ff:ff", "70B3D5", "x", ""]
    for key in keys:
        cold, warm = both.get(f"/cold/{key}"), both.get(f"/warm/{key}")
        assert (cold.status, cold.body) == (warm.status, warm.body)


# ---- what moves aside, whatever the image ----


@pytest.mark.parametrize("name", ["frozen", "inherited"])
def test_environment_and_libraries_variables_are_at_hand_and_each_childs_own(both, name):
    answers = {both.get(f"/{name}/environment").text for _ in range(3)}
    assert answers == {f"zygoted-zygote: {name} {os.sysconf('SC_PAGESIZE')} 1 set Bad file descriptor\n"}


@pytest.mark.parametrize("name", ["frozen", "inherited"])
def test_a_childs_stack_is_eight_mebibytes_and_ends_in_a_fault(both, name):
    assert both.get(f"/{name}/descend/{7 * MIB // (16 << 10)}").status == 200
    answer = both.get(f"/{name}/descend/{9 * MIB // (16 << 10)}")
    assert (answer.status, answer.reason) == (502, "crashed")


def test_ps_shows_zygotes_and_children(both):
    both.wait_idle("frozen")
    pids = [both.zygote_pid("frozen"), *both.child_pids("frozen")]
    assert len(pids) > 1 and {zyg.command_line(pid) for pid in pids} == {"zygoted-zygote: frozen"}


@pytest.mark.reads_proc
def test_a_parked_child_has_a_dozen_pages(zygoted):
    daemon = zygoted(pool("echo", spare=1))
    daemon.wait_idle("echo")
    child = daemon.child_pids("echo")[0]
    maps = read_proc(child, "maps").splitlines()
    libraries, stack = (next(int(line.split("-")[0], 16) for line in maps if name in line) for name in ("/libc.", "[stack]"))
    assert abs(libraries - stack) < 64 * MIB and any(line.endswith(ASIDE) for line in maps)
    assert private_pages(child) <= 14  # 10 to 13; 30 with the libraries' variables and the first stack


def private_pages(pid):
    kib = re.search(r"RssAnon:\s+(\d+) kB", read_proc(pid, "status")).group(1)
    return int(kib) * 1024 // os.sysconf("SC_PAGESIZE")


# ---- what the operator sees ----


def test_info_says_what_became_of_the_state(both):
    images = {image["pool"]: image for image in both.ctl("info")["images"]}
    frozen, inherited = images["frozen"], images["inherited"]
    assert (frozen["image"], frozen["image_reason"]) == ("frozen", "configured")
    assert (inherited["image"], inherited["image_bytes"], inherited["freeze_seconds"]) == ("inherited", 0, 0)
    assert 30 * MIB < frozen["image_bytes"] <= frozen["state_bytes"]
    assert frozen["image_mappings"] >= 8 and frozen["image_left_bytes"] == 0
    assert 0 < frozen["freeze_seconds"] < 20
    assert both.pool("frozen")["image_bytes"] == frozen["image_bytes"]
    assert "configured" in both.zygotectl("info")[1]


def test_auto_tries_what_is_small_and_freezes_what_is_large(zygoted):
    daemon = zygoted(
        pool("none", "echo"),
        pool("medium", "echo", {"ballast": "48M"}),
        pool("large", "echo", {"ballast": "80M"}),
    )
    none, medium, large = (daemon.pool(name) for name in ("none", "medium", "large"))
    assert (none["image"], none["image_reason"]) == ("inherited", "small")
    assert medium["image_reason"] == "measured" and 0 < medium["trial_frozen_us"] < 1000000
    cheaper = "frozen" if medium["trial_frozen_us"] < medium["trial_inherited_us"] else "inherited"
    assert medium["image"] == cheaper == "frozen"
    assert (large["image"], large["image_reason"], large["trial_frozen_us"]) == ("frozen", "large", 0)
    assert medium["image_bytes"] >= 48 * MIB and large["image_bytes"] >= 80 * MIB


def test_any_user_can_freeze(zygoted, user):
    daemon = zygoted(pool("echo", options={"ballast": "8M"}, image="frozen"), user=user)
    assert daemon.pool("echo")["image"] == "frozen" and daemon.get("/echo/").status == 200


# ---- what it costs ----


def image_figures(pid, key):
    """kB of a line of smaps, summed over the image's mappings."""
    total, inside, mappings = 0, False, 0
    for line in read_proc(pid, "smaps").splitlines():
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            inside = line.endswith(NAME)
            mappings += inside
        elif inside and line.startswith(f"{key}:"):
            total += int(line.split()[1])
    return mappings, total


def forks_cost(daemon, name, count):
    """The zygote's CPU time in seconds while `count` requests are answered."""

    def used():
        return int(read_proc(daemon.zygote_pid(name), "schedstat").split()[0]) / 1e9

    start = used()
    load = Load(daemon.port, lambda i: f"/{name}/{i}", count, threads=4).run()
    assert not load.broken and load.statuses() == {200}
    return used() - start


@pytest.mark.reads_proc
def test_a_thousand_forks_leave_the_image_as_it_was_and_cost_what_they_cost_without_state(zygoted):
    daemon = zygoted(
        pool("small", "echo", image="inherited"),
        pool("large", "echo", {"ballast": "256M"}, image="frozen"),
    )
    zygote = daemon.zygote_pid("large")
    mappings, before = image_figures(zygote, "Rss")
    assert 1 <= mappings <= 12
    small, large = (forks_cost(daemon, name, 1000) for name in ("small", "large"))
    assert daemon.zygote_pid("large") == zygote
    assert image_figures(zygote, "Anonymous") == (mappings, 0)
    assert image_figures(zygote, "Rss") == (mappings, before) and before < 1024
    assert large < 2 * small + 0.1  # inherited: ten seconds


@pytest.mark.namespaces
def test_reading_the_image_is_not_adding_memory(zygoted, user):
    options = {"ballast": 200 * MIB}
    daemon = zygoted(
        pool("image", WORKER, options, image="frozen", memory="64M", timeout="20s", spare=1, max_children=1),
        user=user,
    )
    assert daemon.get("/image/read/1000").text == f"read {200 * 256}\n"
    answer = daemon.get("/image/copy/15000")
    assert (answer.status, answer.reason) == (502, "memory-limit")
    assert daemon.outcome("memory_limit", "image") == 1


@pytest.mark.reads_proc
def test_the_image_is_sealed_and_no_process_keeps_it_open(both):
    both.wait_idle("frozen")
    for pid in [both.zygote_pid("frozen"), *both.child_pids("frozen")]:
        assert not [link for link in descriptors(pid) if "zygoted-image" in link]
        lines = [line for line in read_proc(pid, "maps").splitlines() if line.endswith(NAME)]
        assert lines and all(line.split()[1] in ("rw-p", "r--p") for line in lines)


@pytest.fixture
def charged():
    """A memory control group: (file of its processes, function that tells its peak in bytes)."""
    base = next((path for path in ("/sys/fs/cgroup/memory", "/sys/fs/cgroup") if os.access(path, os.W_OK)), None)
    if base is None:
        pytest.skip("no control group can be made here")
    folder = tempfile.mkdtemp(prefix="zyg-", dir=base)
    peak = next((f"{folder}/{name}" for name in ("memory.max_usage_in_bytes", "memory.peak")
                 if os.path.exists(f"{folder}/{name}")), None)
    try:
        if peak is None:
            pytest.skip("the memory control group counts no peak here")
        yield f"{folder}/cgroup.procs", lambda: int(open(peak).read())
    finally:
        wait_until(lambda: not open(f"{folder}/cgroup.procs").read())
        os.rmdir(folder)


def started_in(procs, section):
    daemon = zyg.Zygoted(section)
    daemon.prefix = ["/bin/sh", "-c", f'echo $$ >{procs} && exec "$@"', "sh"]
    return daemon


@pytest.mark.reads_proc
def test_freezing_takes_little_more_than_the_state(charged):
    procs, peak = charged
    state = 512 * MIB
    daemon = started_in(procs, pool("echo", options={"ballast": "512M"}, image="frozen", spare=1))
    try:
        started = time.monotonic()
        daemon.start()
        image = daemon.pool("echo")
        print(f"freeze {image['freeze_seconds']:.3f} s, peak {peak() - state >> 20} MiB over the state, "
              f"ready after {time.monotonic() - started:.1f} s")
        assert image["image"] == "frozen" and image["image_bytes"] >= state
        assert state < peak() < state + 128 * MIB
    finally:
        daemon.stop()
