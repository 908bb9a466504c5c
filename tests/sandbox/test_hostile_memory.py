"""Memory: a child sees its zygote's image and its own request, and nothing of anybody else; what it writes, nobody else
sees; and it gets no more than was granted.
"""

import os
import re
import secrets

import pytest

import zyg
from hostile import AS_ROOT, Attack, answered, crashed, hostile_pool, killed
from zyg import wait_until

MIB = 1 << 20
MEMORY = 32 * MIB
STACK = 8 * MIB  # that a stack may grow to
SLACK = 2 * MIB

needs_root = pytest.mark.skipif(not AS_ROOT, reason="only root may read the memory of a child")


def complement(text):
    """As the worker wants what it is to look for, so that the request itself is no finding."""
    return bytes(byte ^ 0xFF for byte in text.encode()).hex()


def search(daemon, text, headers=(), name="hostile"):
    """How often a child finds `text` in what it can read."""
    answer = daemon.get(f"/{name}/search/{complement(text)}", headers=headers)
    found, pages = re.fullmatch(r"found (\d+) pages (\d+)\n", answer.text).groups()
    assert int(pages) > 1000, "it did not get to see its own memory"
    return int(found)


# ---- one's own is one's own ----


def test_what_a_child_writes_into_the_image_no_other_sees(target):
    daemon = target.daemon
    before = daemon.get("/hostile/image-hash").text
    for _ in range(20):
        assert daemon.get("/hostile/scribble").text == "scribbled 1\n"
        assert daemon.get("/hostile/image-hash").text == before
    target.nothing_is_left()


def test_children_that_were_parked_meanwhile_do_not_see_it_either(target):
    """All spares were forked before the write, those after it from the same zygote."""
    daemon = target.daemon
    before = daemon.get("/hostile/image-hash").text
    with daemon.connect() as connection:
        connection.request("POST", "/hostile/raw/sleep", b"\0")
        assert daemon.get("/hostile/scribble").status == 200
        hashes = {daemon.get("/hostile/image-hash").text for _ in range(40)}
    assert hashes == {before}
    daemon.wait_idle("hostile")


# ---- looking for others' ----


def test_the_search_finds_what_is_there(target):
    """The proof that finding nothing means something."""
    text = secrets.token_hex(16)
    assert search(target.daemon, text, [("X-Own", text)]) >= 1


def test_no_request_finds_an_earlier_one(target):
    text = secrets.token_hex(16)
    for _ in range(10):
        target.daemon.request("POST", "/hostile/count", text.encode() * 1000, [("Cookie", text)])
        assert search(target.daemon, text) == 0


def test_no_request_finds_one_that_runs_beside_it(target):
    text = secrets.token_hex(16)
    daemon = target.daemon
    with daemon.connect() as busy, daemon.connect() as sending, daemon.connect() as other:
        busy.request("POST", "/hostile/read-slowly", text.encode() * 1000, [("Cookie", text)])
        other.request("POST", "/echo/", None, [("Cookie", text)])
        sending.send(f"POST /hostile/count HTTP/1.1\r\nHost: a\r\nCookie: {text}".encode())
        daemon.wait_busy("hostile")
        assert search(daemon, text) == 0
    daemon.wait_idle("hostile")


@pytest.fixture
def daemon_with_secrets(zygoted, monkeypatch, user):
    """Secrets where a daemon has some: environment, configuration, another pool's options, control socket."""
    texts = {name: secrets.token_hex(16) for name in ("environment", "comment", "option")}
    monkeypatch.setenv("ZYGOTED_TEST_SECRET", texts["environment"])
    pools = [
        hostile_pool(),
        zyg.pool("text", options={"text": texts["option"]}),
    ]
    daemon = zygoted(*pools, user=user, start=False)
    with open(daemon.config_path, "a") as file:
        file.write(f"# key: {texts['comment']}\n")
    daemon.start()
    texts["control"] = daemon.control
    texts["config"] = daemon.config_path
    return daemon, texts


def test_no_secret_of_the_daemon_is_found(daemon_with_secrets):
    daemon, texts = daemon_with_secrets
    assert {name: search(daemon, text) for name, text in texts.items()} == dict.fromkeys(texts, 0)


# ---- from outside ----


def held_child(daemon, connection, header):
    """The pid of a child that holds a request."""
    connection.request("GET", "/hostile/sleep", headers=[("X-Own", header)])
    return daemon.wait_busy("hostile")[0]["pid"]


def mappings(pid):
    """(begin, end, flags, name) of each mapping."""
    with open(f"/proc/{pid}/maps") as file:
        lines = [line.split(maxsplit=5) for line in file]
    spans = [[int(part, 16) for part in line[0].split("-")] for line in lines]
    return [(*span, line[1], line[5].strip() if len(line) > 5 else "") for span, line in zip(spans, lines)]


def read_all(pid):
    """All readable memory of a process."""
    pieces = []
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for begin, end, flags, name in mappings(pid):
            if flags[0] == "r" and name not in ("[vvar]", "[vvar_vclock]", "[vsyscall]"):
                memory.seek(begin)
                pieces.append(memory.read(end - begin))
    return b"".join(pieces)


@needs_root
def test_all_memory_of_a_child_read_from_outside_holds_nothing_of_others(daemon_with_secrets):
    daemon, texts = daemon_with_secrets
    earlier, own = secrets.token_hex(16), secrets.token_hex(16)
    daemon.get("/hostile/canary", headers=[("Cookie", earlier)])
    with daemon.connect() as connection:
        memory = read_all(held_child(daemon, connection, own))
    assert own.encode() in memory
    for text in [*texts.values(), earlier]:
        assert text.encode() not in memory


@needs_root
def test_a_child_shares_no_memory_that_it_can_write(target):
    daemon = target.daemon
    with daemon.connect() as connection:
        busy = mappings(held_child(daemon, connection, "x"))
        parked = [mappings(pid) for pid in daemon.child_pids("hostile")]
    for mapping in [*busy, *(one for all_of_one in parked for one in all_of_one)]:
        flags = mapping[2]
        assert "s" not in flags or "w" not in flags, f"shared and writable: {mapping}"
        assert "w" not in flags or "x" not in flags, f"writable code: {mapping}"
    daemon.wait_idle("hostile")


@needs_root
def test_a_child_has_four_descriptors_and_none_that_leads_anywhere(target):
    daemon = target.daemon
    with daemon.connect() as connection:
        pid = held_child(daemon, connection, "x")
        links = {fd: os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
    assert set(links) == {"0", "1", "2", "3"} and links["0"] == "/dev/null"
    assert links["1"] == links["2"] and links["2"].startswith("pipe:")
    assert links["3"].startswith("socket:")
    daemon.wait_idle("hostile")


@pytest.mark.namespaces
@needs_root
def test_a_child_sees_nothing_of_the_file_system(target):
    target.daemon.wait_idle("hostile")
    for pid in target.daemon.child_pids("hostile"):
        assert os.listdir(f"/proc/{pid}/root") == [] and os.listdir(f"/proc/{pid}/cwd") == []
        with open(f"/proc/{pid}/mounts") as file:
            assert [line.split()[1:3] for line in file] == [["/", "tmpfs"]]


# ---- no more than was granted ----


@pytest.fixture
def small(zygoted, user):
    return zygoted(hostile_pool(memory=f"{MEMORY >> 20}M", timeout="20s"), user=user)


@pytest.mark.parametrize("how", ["malloc", "brk", "mmap", "protect"])
def test_data_ends_at_the_limit(small, how):
    taken = int(small.get(f"/hostile/take-memory/{how}").text)
    assert MEMORY - SLACK <= taken <= MEMORY
    small.wait_idle("hostile")


def test_page_tables_end_with_the_addresses(small):
    """Memory that is only read costs page tables, a page for each 2 MiB."""
    taken = int(small.get("/hostile/take-memory/tables").text)
    assert taken <= (MEMORY + STACK + SLACK) // 512


def test_memory_beyond_the_limits_own_counting_is_refused(small):
    answer = small.get("/hostile/take-memory/growsdown")
    assert (answer.status, answer.reason) == (502, "sandbox")


def test_the_limits_hold_without_the_filter(zygoted):
    daemon = zygoted(hostile_pool(memory=f"{MEMORY >> 20}M", timeout="20s", sandbox="log"))
    answer = daemon.get("/hostile/take-memory/growsdown")
    if answer.reason != "memory-limit":  # by the watch; or all there is, by the limit on addresses
        assert int(answer.text) <= MEMORY + STACK + SLACK


EXHAUSTION = [
    crashed("endless recursion", "recurse"),
    answered("all memory there is", "take-memory/malloc", r"\d+\n"),
    answered("all memory in small pieces", "take-memory/brk", r"\d+\n"),
    killed("memory that no limit counts", "take-memory/growsdown"),
]


@pytest.mark.parametrize("attack", EXHAUSTION, ids=str)
def test_exhaustion(target, attack: Attack):
    target.attack(attack)


def test_many_children_at_their_limit_do_not_disturb_others(small):
    connections = [small.connect() for _ in range(8)]
    for connection in connections:
        connection.request("GET", "/hostile/take-memory/mmap")
    assert small.get("/hostile/canary").status == 200
    assert {int(connection.response().text) for connection in connections} == {MEMORY}
    wait_until(lambda: small.pool("hostile")["busy"] == 0)
