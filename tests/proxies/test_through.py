"""The corpus and mutations of it through the proxies of Debian that are installed (make deps-proxies): the rules are in
ledger.py. `make check-proxies` runs the long ones too, `make fuzz-proxies` as many mutations as wanted."""

import pytest

import fuzz
from corpus import ENTRIES
from mutate import TAIL
from proxies import PROXIES

PATIENCE = 4.0
SEED = "check"


@pytest.fixture(scope="module", params=PROXIES)
def bench(request):
    if not PROXIES[request.param].is_installed():
        pytest.skip(f"{request.param} is not installed (make deps-proxies)")
    with fuzz.Bench(request.param) as bench:
        yield bench


def expect_none(ledger):
    findings, ledger.findings = ledger.findings, []
    assert not findings, "\n".join(findings[: fuzz.FINDINGS_SHOWN])


def run_corpus(bench, step_of):
    """Each entry through each of the proxy's ports."""
    before = bench.ledger.counts["answers compared in full"]
    front = bench.daemon.ctl("stats")["front"]
    for way, _ in enumerate(bench.proxy.ports):
        cases = [bench.case(number + way, entry.data + TAIL, step_of(entry)) for number, entry in enumerate(ENTRIES)]
        bench.run(cases, patience=PATIENCE)
    expect_none(bench.ledger)
    assert bench.ledger.counts["answers compared in full"] > before + len(ENTRIES) // 4
    now = bench.daemon.ctl("stats")["front"]
    assert now["requests"] - front["requests"] > 2 * (now["accepted"] - front["accepted"]), "connections are kept"


def test_workers_execute_what_was_forwarded(bench):
    run_corpus(bench, lambda entry: 0)


@pytest.mark.long
def test_in_small_pieces_too(bench):
    run_corpus(bench, lambda entry: 1 + len(entry.data) // 200)


def run_mutations(bench, count):
    before = bench.ledger.counts["answers of workers"]
    for ledger in bench.fuzz(SEED, count):
        expect_none(ledger)
    assert bench.ledger.counts["answers of workers"] > before + count // 10


def test_mutations_of_the_corpus(bench):
    run_mutations(bench, 500)


@pytest.mark.long
def test_many_mutations_of_the_corpus(bench):
    run_mutations(bench, 20000)


def test_mutations_without_a_proxy_are_answered_as_the_grammar_says():
    with fuzz.Bench(fuzz.DIRECT) as bench:
        for ledger in bench.fuzz(SEED, 2000, patience=PATIENCE):
            expect_none(ledger)
        assert ledger.counts["executed"] > 500 and ledger.counts["refused"] > 500
