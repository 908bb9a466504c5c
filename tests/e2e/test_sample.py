"""What children share, copy and add is counted page by page, and counting it disturbs nobody."""

import contextlib
import itertools
import os
import re
import signal
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest

import zyg
from zyg import Control, ControlError, is_alive, pool, wait_until

sys.path.insert(0, os.path.join(zyg.TOP, "tests", "bench"))

from account import open_account  # noqa: E402

PAGE = 4096
STACK = 16384  # the kernel's, of each process
pytestmark = pytest.mark.plain_build  # a sanitizer's shadow memory is copied too
KINDS = ("frozen", "inherited")
kinds = pytest.mark.parametrize("image", KINDS)
places = pytest.mark.skipif(os.getuid() != 0, reason="only root may read which page is which")


def memory(daemon, name):
    return daemon.ctl(f"memory {name}")["pools"][0]


def take_samples(daemon, path, count=3, name="echo"):
    """Requests until so many more were sampled; the pool's `memory`."""
    wanted = memory(daemon, name)["samples"] + count

    def enough():
        assert daemon.get(path).status == 200
        return memory(daemon, name)["samples"] >= wanted

    wait_until(enough, what=f"{count} samples")
    return memory(daemon, name)


def echo(touch=0, ballast="64M", **keys):
    keys = {"image": "inherited", **keys}
    return pool("echo", options={"ballast": ballast, "touch": str(touch)}, sample=1, **keys)


# ---- ground truth ----


@pytest.mark.namespaces
def test_as_many_pages_are_copied_as_were_written(zygoted, user):
    own = {}
    for touch, image in itertools.product((0, 1, 10, 100, 1000), KINDS):
        daemon = zygoted(echo(touch, "256M", timeout="10s", image=image), user=user)
        figures = take_samples(daemon, "/echo/")
        assert figures["image"] == image and 256 << 20 <= figures["image_bytes"] < 260 << 20
        own_bytes = figures["sample_copied_bytes"] + figures["sample_new_bytes"]
        own[touch, image] = own_bytes / PAGE - touch
        daemon.stop()
    assert len(set(own.values())) == 1 and 1 <= own[0, "frozen"] <= 4, own


def copied_and_new(zygoted, path, **keys):
    daemon = zygoted(pool("probe", sample=1, timeout="10s", **keys))
    figures = take_samples(daemon, path, name="probe")
    daemon.stop()
    return figures["sample_copied_bytes"], figures["sample_new_bytes"]


@kinds
def test_new_pages_are_those_that_a_request_allocates(zygoted, image):
    small = copied_and_new(zygoted, f"/probe/alloc/{1 << 20}", image=image)
    large = copied_and_new(zygoted, f"/probe/alloc/{9 << 20}", image=image)
    assert large[1] - small[1] == 8 << 20 and large[0] == small[0]


@places
@kinds
def test_pages_of_loaded_memory_are_copied_and_not_new(zygoted, image):
    options = {"ballast": str(32 << 20)}
    little = copied_and_new(zygoted, f"/probe/touch/{1 << 20}/0", options=options, image=image)
    much = copied_and_new(zygoted, f"/probe/touch/{17 << 20}/0", options=options, image=image)
    assert much[0] - little[0] == 16 << 20 and much[1] == little[1]


# ---- memory ----


@pytest.mark.namespaces
def test_each_figure_tells_how_it_was_got(zygoted, user):
    daemon = zygoted(echo(10), user=user)
    take_samples(daemon, "/echo/")
    daemon.wait_idle("echo")  # the kernel's counts come with a child's end
    figures = {f["figure"]: f for f in daemon.ctl("memory echo")["figures"]}
    assert {f["method"] for f in figures.values()} == {"probe", "sample", "every request", "computed"}
    assert figures["after a request: copied"]["samples"] >= 3
    assert figures["faults of a request, as pages"]["bytes"] >= 10 * PAGE
    assert all(f["age_seconds"] >= 0 and f["bytes"] >= 0 for f in figures.values())


def test_the_sums_are_those_of_their_parts(zygoted):
    daemon = zygoted(echo(10, spare=6))
    figures = take_samples(daemon, "/echo/")
    daemon.wait_idle("echo")
    figures = memory(daemon, "echo")
    alone = figures["copied_bytes"] + figures["new_bytes"] + figures["page_table_bytes"] + STACK
    assert figures["parked"] == 6 and figures["busy"] == 0 and figures["child_bytes"] == alone
    with_sharing = figures["shared_bytes"] + figures["page_table_bytes"] + STACK + 6 * alone
    assert figures["with_sharing_bytes"] == with_sharing
    each = figures["rss_bytes"] + figures["page_table_bytes"] + STACK
    assert figures["without_sharing_bytes"] == 7 * each
    assert 64 << 20 <= figures["image_bytes"] < 66 << 20


def test_asking_often_forks_no_more_probes(zygoted):
    daemon = zygoted(echo())
    ages = [memory(daemon, "echo")["age_seconds"] for _ in range(20)]
    assert ages == sorted(ages) and ages[0] < ages[-1] < 10


def test_all_who_ask_at_once_are_answered(zygoted):
    daemon = zygoted(echo(), pool("probe"))
    controls = [Control(daemon.control) for _ in range(20)]
    for number, control in enumerate(controls):
        control.send((b"memory\n", b"maps\n", b"memory echo\n", b"routes\n")[number % 4])
    assert all(control.answer()["ok"] for control in controls)
    for control in controls:
        control.close()


def test_nothing_is_sampled_unless_asked_for(zygoted):
    daemon = zygoted(pool("echo"))
    for _ in range(20):
        daemon.get("/echo/")
    figures = memory(daemon, "echo")
    assert figures["samples"] == 0 and figures["sample_age_seconds"] is None


def test_one_in_so_many_requests_is_sampled(zygoted):
    daemon = zygoted(pool("echo", sample=10))
    memory(daemon, "echo")
    for turn in range(1, 6):
        for _ in range(10):
            assert daemon.get("/echo/").status == 200
        # One at a time: a turn that comes while another is read is passed over.
        wait_until(lambda: (now := memory(daemon, "echo"))["samples"] + now["samples_lost"] == turn)


# ---- maps, map, routes ----


@places
@kinds
def test_maps_names_the_regions_that_are_copied(zygoted, image):
    daemon = zygoted(echo(100, "256M", timeout="10s", image=image))
    take_samples(daemon, "/echo/")
    regions = daemon.ctl("maps echo")["regions"]
    ballast = regions[0]
    assert (ballast["region"], ballast["kind"]) == ("ballast", "named")
    assert ballast["copied_bytes"] == 100 * PAGE and ballast["copying_percent"] == 100
    shared_bytes = ballast["shared_bytes"] + ballast["copied_bytes"]
    assert shared_bytes >= 256 << 20 if image == "inherited" else shared_bytes < 16 << 20
    text = [r for r in regions if r["region"].endswith(" text")]
    assert text and all(r["copied_bytes"] == 0 and r["new_bytes"] == 0 for r in text)
    assert any(r["kind"] == "stack" and r["new_bytes"] >= PAGE for r in regions)


@places
def test_maps_without_samples_shows_a_child_that_serves_nothing(zygoted):
    daemon = zygoted(pool("oui", image="inherited"))
    regions = {r["region"]: r for r in daemon.ctl("maps oui")["regions"]}
    assert regions["rows"]["method"] == regions["index"]["method"] == "probe"
    assert regions["rows"]["shared_bytes"] > 1 << 20 and regions["rows"]["copied_bytes"] == 0


def pagemap_can_be_scanned():
    return tuple(int(part) for part in re.findall(r"\d+", os.uname().release)[:2]) >= (6, 7)


@places
@pytest.mark.skipif(not pagemap_can_be_scanned(), reason="before Linux 6.7 reservations are read through")
def test_a_reservation_of_terabytes_is_passed_over(zygoted):
    daemon = zygoted(pool("probe", options={"reserve": str(8 << 40)}, sample=1))
    take_samples(daemon, "/probe/pid", name="probe")
    regions = {r["region"]: r for r in daemon.ctl("maps probe")["regions"]}
    assert regions["reserved"]["shared_bytes"] == 2 * PAGE


def test_routes_tells_what_each_route_costs(zygoted):
    section = pool("probe", options={"ballast": str(8 << 20)}, sample=1, routes=["/probe/", "/other/"], prefault="0")
    daemon = zygoted(section)
    take_samples(daemon, f"/other/touch/{1 << 20}/0", name="probe")
    for _ in range(5):
        assert daemon.get("/probe/pid").status == 200
    asked = daemon.stats("probe")["requests"]

    def reaped():
        found = {r["route"]: r for r in daemon.ctl("routes probe")["routes"]}
        return sum(r["requests"] for r in found.values()) == asked and found

    routes = wait_until(reaped)
    plain, other = routes["/probe/"], routes["/other/"]
    assert plain["requests"] == 5 and sum(plain["faults_buckets"]) == 5 == sum(plain["wall_us_buckets"])
    assert other["faults_mean"] >= 256 > plain["faults_max"] and other["cpu_us_max"] > 0
    assert other["copied_bytes"] >= 1 << 20 and other["copied_max_bytes"] < 2 << 20
    assert plain["faults_p50"] <= plain["faults_p99"] <= plain["faults_max"]


@places
def test_the_map_shows_where_pages_are_copied(zygoted, tmp_path):
    daemon = zygoted(echo(100))
    take_samples(daemon, "/echo/")
    answer = daemon.ctl("map echo")
    assert len(answer["copied"]) == len(answer["new"]) <= 2048
    assert 90 <= sum(count > 0 for count in answer["copied"]) <= 101
    code, text, _ = daemon.zygotectl("map", "echo")
    assert code == 0 and 90 <= sum(line.count("#") for line in text.splitlines()[3:-8])
    picture = tmp_path / "map.svg"
    code, out, errors = daemon.zygotectl("map", "echo", "--svg", str(picture))
    assert (code, out, errors) == (0, "", "")
    root = ElementTree.parse(picture).getroot()
    fills = [rect.get("fill") for rect in root.iter("{http://www.w3.org/2000/svg}rect")]
    assert fills.count("#b2182b") >= 50 and "echo" in root[0].text


def test_the_map_says_what_it_lacks(zygoted, user):
    daemon = zygoted(pool("echo", routes=["/echo/"]), pool("probe", sample=1), user=user)
    with pytest.raises(ControlError, match="takes no samples: set `sample`"):
        daemon.ctl("map echo")
    with pytest.raises(ControlError, match="by a daemon that root has started|sampled yet"):
        daemon.ctl("map probe")
    assert daemon.zygotectl("map", "echo", "--svg")[0] == 2
    assert daemon.zygotectl("map", "nobody", "--svg", "/nowhere/x")[0] == 1


@places
def test_a_picture_that_cannot_be_written_is_an_error(zygoted):
    daemon = zygoted(echo())
    take_samples(daemon, "/echo/")
    code, _, errors = daemon.zygotectl("map", "echo", "--svg", "/nowhere/map.svg")
    assert code == 2 and "cannot write /nowhere/map.svg" in errors


# ---- what goes wrong ----


@pytest.mark.parametrize("command", ["memory nobody", "maps nobody", "map nobody", "routes nobody", "map"])
def test_an_unknown_pool_is_an_error(daemon, command):
    with pytest.raises(ControlError, match="no pool|argument|POOL"):
        daemon.ctl(command)


def test_a_pool_that_is_replaced_meanwhile(zygoted):
    daemon = zygoted(echo(10))
    take_samples(daemon, "/echo/")
    controls = [Control(daemon.control) for _ in range(4)]
    for generation in range(2, 6):
        for control, command in zip(controls, (b"memory echo\n", b"maps echo\n", b"map echo\n", b"routes\n")):
            control.send(command)
        assert daemon.ctl("recycle echo")["generation"] == generation
        for control in controls:
            answer = control.answer()
            assert answer["ok"] or answer["error"]
        assert daemon.get("/echo/").status == 200
        assert memory(daemon, "echo")["generation"] == generation
    for control in controls:
        control.close()
    take_samples(daemon, "/echo/")
    assert "bug" not in daemon.log()


def test_a_held_child_goes_even_if_nobody_reads_it(zygoted):
    """The supervisor is stopped: requests are served all the same, and the child leaves by itself."""
    daemon = zygoted(echo(ballast="1M", max_children=2, spare=1))
    before = take_samples(daemon, "/echo/")
    daemon.wait_idle("echo")
    (held,) = daemon.child_pids("echo")
    daemon.kill(daemon.pid, signal.SIGSTOP)
    try:
        for _ in range(20):
            assert daemon.get("/echo/").status == 200
        assert len(daemon.child_pids("echo")) <= 2
        wait_until(lambda: not is_alive(held), 10)
    finally:
        daemon.kill(daemon.pid, signal.SIGCONT)
    wait_until(lambda: memory(daemon, "echo")["samples_lost"] > before["samples_lost"])
    daemon.wait_idle("echo")


def test_a_child_that_dies_while_it_is_held_is_a_sample_lost(zygoted):
    daemon = zygoted(echo(ballast="1M"))
    before = take_samples(daemon, "/echo/")

    def is_lost():
        """One that dies before the zygote has heard that it is to be held is none: then there is another."""
        daemon.wait_idle("echo")
        killed = kill_held(daemon)
        wait_until(lambda: not killed & {child["pid"] for child in daemon.children("echo")})
        daemon.wait_idle("echo")
        return memory(daemon, "echo")["samples_lost"] > before["samples_lost"]

    wait_until(is_lost)
    take_samples(daemon, "/echo/")


def kill_held(daemon):
    daemon.kill(daemon.pid, signal.SIGSTOP)
    try:
        assert daemon.get("/echo/").status == 200
        killed = set(daemon.child_pids("echo"))
        for child in killed:
            with contextlib.suppress(ProcessLookupError):  # the one that is held leaves by itself
                daemon.kill(child)
    finally:
        daemon.kill(daemon.pid, signal.SIGCONT)
    return killed


def test_a_failed_request_is_no_sample(zygoted):
    daemon = zygoted(pool("probe", sample=1))
    memory(daemon, "probe")
    for deed, status in (("error", 500), ("crash/segv", 502), ("frames/none", 502)):
        assert daemon.get(f"/probe/{deed}").status == status
    daemon.wait_idle("probe")
    assert memory(daemon, "probe")["samples"] == 0


HOARD = """
import array, socket, sys
here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
for _ in range(5):
    here.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0] * 200))])
print("ready", flush=True)
sys.stdin.read()
"""


@places
def test_descriptors_on_their_way_elsewhere_cost_no_zygote(zygoted):
    """The kernel counts them by user; a user of its own, so that other tests' daemons do not meet it."""
    daemon = zygoted(echo(), user="games")
    zygote = daemon.zygote_pid("echo")
    hoarder = subprocess.Popen(
        [sys.executable, "-c", HOARD], user="games", stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert hoarder.stdout.readline() == b"ready\n"
        assert daemon.get("/echo/").status == 200
        with pytest.raises(ControlError, match="descriptors of this user"):
            memory(daemon, "echo")
    finally:
        hoarder.communicate()
    assert memory(daemon, "echo")["image"] == "inherited"
    take_samples(daemon, "/echo/")
    assert daemon.zygote_pid("echo") == zygote


def test_idle_control_connections_hold_up_no_sample(zygoted):
    daemon = zygoted(echo())
    controls = []
    for _ in range(1000):
        controls.append(Control(daemon.control))
    take_samples(daemon, "/echo/")
    for control in controls:
        control.close()


@pytest.mark.long
@kinds
@places
def test_the_sums_are_what_all_processes_are_charged(zygoted, image):
    """500 parked children: image and what children alone cost, against the charge of a control group of their own."""
    account = open_account()
    ballast = {"frozen": "1G", "inherited": "512M"}[image]  # page tables of the same size again for inherited ones
    echo_pool = pool("echo", options={"ballast": ballast}, spare=500, max_children=500, image=image)
    daemon = zygoted(echo_pool, start=False)
    daemon.prefix = account.prefix
    daemon.spawn()
    daemon.wait_ready(200)
    wait_until(lambda: daemon.pool("echo")["spare"] == 500, 200)
    figures = memory(daemon, "echo")
    used, told = account.now_mib(), figures["with_sharing_bytes"] / 2**20
    daemon.stop()
    account.close()
    print(f"{account.how}: used {used:.0f} MiB, told {told:.0f} MiB")
    assert figures["parked"] == 500 and abs(used - told) < 0.03 * used
