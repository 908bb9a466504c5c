"""Reloads with several fronts and several zygotes of a pool: all of them change, or none."""

import pytest

from lanes import front_pids, zygote_pids
from load import Load
from reloads import changes, generations, many_reloads, reload, text_pool, under_load
from zyg import Control, ControlError, pool, wait_until

RELOADS = 12


def echo(**keys):
    return pool("echo", **{"zygotes": 2, **keys})


@pytest.fixture
def two_by_two(zygoted):
    return zygoted(echo(), text_pool("text", "one", zygotes=2), fronts=2)


def ask_each(daemon, path, texts, count=40):
    """Connections spread over the fronts: whichever answers, the answer is one of these."""
    load = Load(daemon.port, lambda i: path, count, threads=8).run()
    assert load.statuses() == {200} and not load.broken
    return {body.decode().strip() for _, _, body in load.answers} <= texts


def test_many_reloads_under_load_lose_no_request(two_by_two):
    with under_load(two_by_two) as load:
        there = len(load.answers)
        many_reloads(two_by_two, RELOADS, zygotes=2, fronts=2)
        assert len(load.answers) > there + RELOADS
    assert len(front_pids(two_by_two)) == 2 and "front died" not in two_by_two.log()
    assert len(zygote_pids(two_by_two, "echo")) == 2


def test_every_front_has_the_new_configuration_when_the_answer_comes(two_by_two):
    for number in range(4):
        reload(two_by_two, echo(), text_pool("text", f"new{number}", zygotes=2), fronts=2)
        assert ask_each(two_by_two, "/text/", {f"new{number}"})


def test_each_front_gets_its_share_of_other_limits(two_by_two):
    reload(two_by_two, echo(spare=9, max_children=11), text_pool("text", "one", zygotes=2), fronts=2)
    wait_until(lambda: two_by_two.pool("echo")["spare"] == 9)
    reload(two_by_two, echo(spare=12, max_children=15), text_pool("text", "one", zygotes=2), fronts=2)
    wait_until(lambda: two_by_two.pool("echo")["spare"] == 12)


def test_other_numbers_of_zygotes(two_by_two):
    with under_load(two_by_two):
        for zygotes in (3, 1, 2):
            answer = reload(two_by_two, echo(zygotes=zygotes), text_pool("text", "one", zygotes=2), fronts=2)
            assert changes(answer) == {"echo": "generation"}
            wait_until(lambda: two_by_two.pool("echo")["zygotes"] == zygotes)


def test_a_pool_comes_and_goes(two_by_two):
    late = text_pool("late", "here", zygotes=2)
    assert changes(reload(two_by_two, echo(), text_pool("text", "one", zygotes=2), late, fronts=2)) == {"late": "added"}
    assert ask_each(two_by_two, "/late/", {"here"})
    reload(two_by_two, echo(), text_pool("text", "one", zygotes=2), fronts=2)
    load = Load(two_by_two.port, lambda i: "/late/", 20, threads=4).run()
    assert load.statuses() == {404}


def test_what_cannot_be_loaded_leaves_every_front_as_it_was(two_by_two):
    before = generations(two_by_two)
    with under_load(two_by_two):
        broken = pool("text", worker="table", options={"file": "/nonexistent", "key": "Key"}, zygotes=2)
        with pytest.raises(ControlError, match="/nonexistent"):
            reload(two_by_two, echo(memory="70M"), broken, fronts=2)
        wait_until(lambda: generations(two_by_two) == before)
        assert ask_each(two_by_two, "/text/", {"one"})


@pytest.mark.parametrize("number", [0, 1])
def test_a_front_that_dies_when_all_is_in_effect_costs_its_connections_and_nothing_else(two_by_two, number):
    control = Control(two_by_two.control)
    control.send(b"reload --all --wait\n")
    two_by_two.wait_log("zygoted: reload file=")
    two_by_two.kill(front_pids(two_by_two)[number])
    answer = control.answer()
    control.close()
    # It may have died before, or after.
    assert answer["ok"] or "a front died meanwhile; try again" in answer["error"]
    wait_until(lambda: two_by_two.ctl("stats")["front"]["fronts"] == 2)
    two_by_two.wait_ready()
    assert reload(two_by_two, echo(), text_pool("text", "two", zygotes=2), fronts=2)["state"] == "done"
    assert ask_each(two_by_two, "/text/", {"two"})
