"""A request is answered from warm state, by a child of its own, and leaves nothing behind."""

import csv
import json
import random

import pytest

import zyg
from load import Load
from zyg import IEEE, pool, wait_until

GROWTH_KIB = 2048 if zyg.ASAN else 200


def registry():
    """Assignment -> row of the real IEEE data, first row first, read by another CSV reader."""
    rows = {}
    for name in ("oui", "mam", "oui36"):
        with open(f"{IEEE}/{name}.csv", newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                rows.setdefault(row["Assignment"], row)
    return rows


def test_oui_answers_with_the_vendors_row(zygoted, user):
    daemon = zygoted(pool("oui"), user=user)
    answer = daemon.get("/oui/00:22:72:01:02:03")
    assert answer.status == 200 and answer.header("content-type") == "application/json"
    row = json.loads(answer.body)
    assert row["Assignment"] == "002272"
    assert row["Organization Name"] == "American Micro-Fuel Device Corp."
    assert answer.body.endswith(b"}\n")


def test_every_sampled_row_is_the_registrys(daemon):
    rows = registry()
    keys = random.Random(7).sample(sorted(rows), 400)
    with daemon.connect() as connection:
        connection.request("POST", "/oui/", "\n".join(keys).encode())
        answer = connection.response()
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [line["key"] for line in lines] == keys
    assert all(line["row"] == rows[line["key"]] for line in lines)


def test_the_longest_prefix_wins(daemon):
    rows = registry()
    long = next(key for key in rows if len(key) == 9 and key[:6] in rows)
    assert json.loads(daemon.get(f"/oui/{long}FFF").body)["Assignment"] == long
    other = next(f"{long[:6]}{n:03X}" for n in range(4096) if f"{long[:6]}{n:03X}" not in rows)
    assert json.loads(daemon.get(f"/oui/{other}000").body)["Assignment"] == long[:6]


@pytest.mark.parametrize("key", ["00-22-72", "0022.72", "00%3A22%3A72", "00%2022%2072"])
def test_keys_may_be_written_in_many_ways(daemon, key):
    assert json.loads(daemon.get(f"/oui/{key}").body)["Assignment"] == "002272"


@pytest.mark.parametrize(
    "method, path, status, error",
    [
        ("GET", "/oui/FFFFFFFFFFFF", 404, "no match"),
        ("GET", "/oui/", 400, "empty key"),
        ("GET", "/oui/::", 400, "empty key"),
        ("GET", "/oui/hello", 400, "key has other than hex digits"),
        ("GET", "/oui/0%zz", 400, "bad percent-encoding"),
        ("GET", "/oui/" + "0" * 1025, 400, "key too long"),
        ("PUT", "/oui/", 405, "method not allowed"),
        ("POST", "/oui/002272", 405, "method not allowed"),
    ],
)
def test_table_refuses(daemon, method, path, status, error):
    answer = daemon.request(method, path, b"" if method != "GET" else None)
    assert answer.status == status and json.loads(answer.body)["error"] == error
    assert (status == 405) == (answer.header("allow") is not None)


def test_many_keys_each_get_a_line(daemon):
    keys = ["002272", "FFFFFF", "", "zz", "00:22:72\r", "0" * 1025, "00" * 512, "002272"]
    answer = daemon.request("POST", "/oui/", "\n".join(keys).encode())
    assert answer.header("content-type") == "application/x-ndjson"
    lines = [json.loads(line) for line in answer.text.splitlines()]
    errors = [line.get("error") for line in lines]
    hex_error = "key has other than hex digits"
    assert errors[:6] == [None, "no match", "empty key", hex_error, None, "key too long"]
    assert len(lines) == len(keys) and lines[5]["line"] == 6 and "row" in lines[7]


def test_a_large_post_streams(daemon):
    count = 50000
    answer = daemon.request("POST", "/oui/", b"00:22:72:00:00:01\n" * count)
    assert answer.header("transfer-encoding") == "chunked"
    lines = answer.body.splitlines()
    assert len(lines) == count and len(set(lines)) == 1


def test_nothing_of_a_request_is_seen_by_the_next(zygoted, user):
    daemon = zygoted(pool("probe"), user=user)
    with daemon.connect() as connection:
        for _ in range(50):
            connection.request("GET", "/probe/pid")
            pid, counter = connection.response().text.split()
            assert counter == "1"


def test_each_request_has_a_child_of_its_own(zygoted):
    daemon = zygoted(pool("probe"))
    with daemon.connect() as connection:
        pids = []
        for _ in range(100):
            connection.request("GET", "/probe/pid")
            pids.append(connection.response().text.split()[0])
    assert len(set(pids)) == 100
    now = daemon.wait_idle("probe")
    assert now["forks"] == 100 + now["spare"]


def test_an_unknown_path_gets_404(daemon):
    answer = daemon.get("/nobody/home")
    assert answer.status == 404 and answer.reason == "no-route"


def settle(daemon):
    """Only parked spares, no connection: pool figures once it is so."""
    wait_until(lambda: daemon.ctl("stats")["front"]["connections"] == 0)
    return daemon.wait_idle("oui")


def figures(daemon):
    """Descriptors and private memory (KiB) of each lasting process."""
    pids = {"supervisor": daemon.pid, "front": daemon.front_pid(), "zygote": daemon.zygote_pid("oui")}
    return {name: (zyg.fd_count(pid), zyg.private_kib(pid)) for name, pid in pids.items()}


def grown(before, now):
    """What has more descriptors than before, or clearly more memory."""
    return {
        name: (before[name], now[name])
        for name in before
        if now[name][0] > before[name][0] or now[name][1] > before[name][1] + GROWTH_KIB
    }


def leaves_nothing_behind(zygoted, count, threads):
    # As many spares as slots: what the front keeps for each slot is there from the start.
    daemon = zygoted(pool("oui", spare=32, max_children=32))
    rows = registry()
    keys = random.Random(count + threads).sample(sorted(rows), 1000)
    Load(daemon.port, lambda i: f"/oui/{keys[i % 1000]}", 500, threads).run()
    settle(daemon)
    before = figures(daemon)
    load = Load(daemon.port, lambda i: f"/oui/{keys[i % 1000]}", count, threads).run()
    assert not load.broken and len(load.answers) == count
    assert all(json.loads(body) == rows[keys[i % 1000]] for i, _, body in load.answers)
    now = settle(daemon)
    assert now["forks"] == daemon.stats("oui")["requests"] + now["spare"]
    try:
        wait_until(lambda: not grown(before, figures(daemon)))
    except AssertionError:
        raise AssertionError(f"grown: {grown(before, figures(daemon))}") from None


@pytest.mark.plain_build
@pytest.mark.reads_proc
@pytest.mark.parametrize("threads", [1, 16])
def test_requests_leave_nothing_behind(zygoted, threads):
    leaves_nothing_behind(zygoted, 1000, threads)


@pytest.mark.plain_build
@pytest.mark.reads_proc
@pytest.mark.long
@pytest.mark.parametrize("threads", [1, 32])
def test_ten_thousand_requests_leave_nothing_behind(zygoted, threads):
    leaves_nothing_behind(zygoted, 10000, threads)
