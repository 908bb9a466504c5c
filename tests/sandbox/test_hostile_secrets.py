"""What must differ from child to child does; overflows that count on its being the same get nowhere, however many."""

import re

import pytest

from hostile import SIGSEGV, Attack, Bystander, answered, crashed

CHILDREN = 1000
SMASHES, SMASHES_LONG = 200, 10000


def ask_many(daemon, path, count):
    """The answers of `count` children, over one connection."""
    with daemon.connect() as connection:
        answers = []
        for _ in range(count):
            connection.request("GET", f"/hostile/{path}")
            answers.append(connection.response().text)
    return answers


def test_the_canaries_of_a_thousand_children_differ(target):
    canaries = ask_many(target.daemon, "canary", CHILDREN)
    assert len(set(canaries)) == CHILDREN
    assert all(re.fullmatch(r"[0-9a-f]{14}00\n", canary) for canary in canaries)


def test_every_bit_of_a_canary_but_the_last_byte_is_random(target):
    values = [int(canary, 16) for canary in ask_many(target.daemon, "canary", 256)]
    for bit in range(8, 64):
        assert 64 < sum(value >> bit & 1 for value in values) < 192


def test_seeds_and_random_numbers_of_a_thousand_children_differ(target):
    answers = ask_many(target.daemon, "seed", CHILDREN)
    seeds, numbers = zip(*(answer.split() for answer in answers))
    assert len(set(seeds)) == len(set(numbers)) == CHILDREN
    assert len(set(seeds) | set(numbers)) == 2 * CHILDREN
    assert {len(seed) for seed in seeds} == {64} and {len(number) for number in numbers} == {32}


SMASHED = '"*** stack smashing detected ***: terminated"'

ATTACKS = [
    answered("the deed hits the canary", "smash/own", r"survived\n"),
    Attack("blind overflow", "smash", 502, "crashed", "crashed", SMASHED),
    Attack("overflow with zeros", "smash/0", 502, "crashed", "crashed", SMASHED),
    crashed("overflow that dies of SIGSEGV", "smash", SIGSEGV),
]


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_smash(target, attack):
    target.attack(attack)


def test_a_canary_learned_from_one_child_is_of_no_use_in_another(target):
    for canary in ask_many(target.daemon, "canary", 20):
        target.attack(
            Attack("learned canary", f"smash/{canary.strip()}", 502, "crashed", "crashed", SMASHED)
        )


def smash_many(target, count):
    """`count` smashes: none survives, and a client of another pool sees nothing of it."""
    daemon = target.daemon
    before = target.outcomes().get(("hostile", "crashed"), 0)
    with Bystander(daemon) as bystander:
        with daemon.connect() as connection:
            for _ in range(count):
                connection.request("GET", "/hostile/smash")
                answer = connection.response()
                assert (answer.status, answer.reason) == (502, "crashed")
    assert len(bystander.waits) > 5
    assert target.outcomes()["hostile", "crashed"] == before + count
    target.next_is_answered()
    target.nothing_is_left()


def test_no_smash_of_many_survives(target):
    smash_many(target, SMASHES)


@pytest.mark.long
def test_no_smash_of_ten_thousand_survives(target):
    smash_many(target, SMASHES_LONG)
