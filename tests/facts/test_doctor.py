"""What `zygoted --doctor` says, and that it says otherwise where something is missing."""

import re
import shutil
import subprocess

import pytest

import zyg
from doctor import AS_ROOT, BOUND, USERS, Report, Run

pytestmark = pytest.mark.skipif(zyg.ASAN, reason="a sanitizer changes memory, faults and times")

# The ten facts about fork that the daemon rests on, by the rows that try them out.
FACTS = {
    "1 writes are not seen": ["private-writes"],
    "2 unless memory is shared": ["clone-vm"],
    "3 what fork returns": ["fork-returns", "process-limit", "process-limit-root"],
    "4 descriptors": ["descriptor-table", "shared-offset"],
    "5 pages are copied one by one": ["copied-pages", "copied-pages-frozen"],
    "6 text is never copied": ["text-shared"],
    "7 exec and exit let go": ["exit-lets-go", "exec-lets-go"],
    "8 the zero page": ["zero-page"],
    "9 what fork costs": ["fork-time-inherited", "fork-time-frozen"],
    "10 what a child inherits": ["inherited-sandbox"],
}
LAYERS = {
    "user", "user-namespace", "pid-namespace", "net-namespace", "ipc-namespace", "uts-namespace", "mount-namespace",
    "empty-root", "landlock", "no-capabilities", "no-new-privs", "rlimits", "seccomp",
}  # fmt: skip
MEANS = {
    "seccomp-notify", "pidfd", "close-range", "memfd-seals", "dontfork", "populate-write", "pagemap-exclusive",
    "smaps-rollup",
}  # fmt: skip
CONTRASTS = {"clone-vm", "process-limit-root", "fork-time-inherited"}
COUNTS = [0, 1, 10, 100, 1000]

EPERM, ENOSYS = 1, 38


@pytest.fixture(scope="module", params=USERS)
def report(request):
    return Report(user=request.param)


# ---- on this machine ----


def test_nothing_fails_and_the_exit_status_says_so(report):
    assert report.names("fails") == set() and report.code == 0, report.out
    assert report.whole["ok"] is True and report.errors == ""


def test_its_rows_are_the_facts_the_layers_and_the_means(report):
    facts = {name for names in FACTS.values() for name in names}
    assert set(report.rows) == facts | LAYERS | MEANS
    assert {row["name"] for row in report.rows.values() if row["relied_on"] == "no"} == CONTRASTS


@pytest.mark.parametrize("fact", FACTS)
def test_each_of_the_ten_facts_holds(report, fact):
    for name in FACTS[fact]:
        if name != "process-limit-root":  # which an ordinary user cannot try
            assert report[name]["verdict"] == "holds", report[name]


def test_it_is_quick(report):
    """Measured on processors, or it would be a test of what else runs here."""
    assert report.cpu_seconds < 5


def test_rows_tell_what_was_done_expected_and_measured(report):
    for row in report.rows.values():
        assert row["done"].endswith(".") and row["expected"].endswith(".") and row["measured"], row


def test_its_layers_are_those_that_info_shows():
    daemon = zyg.Zygoted()
    try:
        layers = daemon.start().ctl("info")["layers"]
    finally:
        daemon.stop()
    assert {layer["layer"] for layer in layers} == LAYERS


def test_the_child_writes_20_and_the_parent_reads_10(report):
    assert report.figures("private-writes") == {"parent_reads": 10, "child_reads": 20}
    assert report.figures("clone-vm") == {"parent_reads": 20}


@pytest.mark.parametrize("name", ["copied-pages", "copied-pages-frozen"])
def test_k_pages_written_are_k_pages_copied(report, name):
    figures = report.figures(name)
    assert [figures[f"copied_{k}"] for k in COUNTS] == COUNTS
    assert all(k <= figures[f"faults_{k}"] <= k + 3 for k in COUNTS) and figures["changed_in_parent"] == 0


def test_text_was_there_and_none_of_it_copied(report):
    figures = report.figures("text-shared")
    assert figures["present"] > 50 and figures["copied"] == 0


@pytest.mark.parametrize("name", ["exit-lets-go", "exec-lets-go"])
def test_pages_are_the_parents_again(report, name):
    assert report.figures(name) == {"owned_before": 256, "owned_during": 0, "owned_after": 256}


def test_fork_of_a_frozen_image_does_not_grow(report):
    inherited, frozen = report.figures("fork-time-inherited"), report.figures("fork-time-frozen")
    if "fork_256_mib_us" not in frozen:
        pytest.skip("too little memory for 256 MiB")
    assert frozen["fork_256_mib_us"] < 3 * frozen["fork_0_mib_us"] + 100
    assert inherited["fork_256_mib_us"] > 10 * inherited["fork_0_mib_us"]
    assert frozen["fork_256_mib_us"] < inherited["fork_256_mib_us"] / 5


def test_a_parked_child_has_the_filter_of_its_parent(report):
    figures = report.figures("inherited-sandbox")
    assert figures["seccomp"] == 2 and figures["no_new_privs"] == 1


def test_unprivileged_experiments_are_not_roots(report):
    assert report.figures("user")["uid"] != 0 and report.figures("process-limit")["uid"] != 0


# ---- where something is missing ----

# Calls that the daemon cannot do without, and the row that has to fail.
NEEDED = {
    "memfd_create": (319, ENOSYS, "memfd-seals"),
    "seccomp": (317, EPERM, "seccomp"),
    "close_range": (436, ENOSYS, "close-range"),
    "madvise": (28, ENOSYS, "dontfork"),
    "capset": (126, EPERM, "no-capabilities"),
    "pidfd_send_signal": (424, ENOSYS, "pidfd"),
    "prlimit64": (302, EPERM, "rlimits"),
}

# Layers that are used where there are any.
OPTIONAL = {
    "unshare": (272, EPERM, {"user-namespace", "pid-namespace", "net-namespace", "mount-namespace", "empty-root"}),
    "pivot_root": (155, EPERM, {"empty-root"}),
    "landlock_create_ruleset": (444, ENOSYS, {"landlock"}),
}


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("call", NEEDED)
def test_exit_status_1_without_what_is_needed(call, user):
    number, error, name = NEEDED[call]
    report = Report(user=user, denied=[f"{number}={error}"])
    assert report.code == 1 and report.whole["ok"] is False
    assert report[name]["verdict"] == "fails" and report[name]["relied_on"] == "yes", report[name]


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("call", OPTIONAL)
def test_exit_status_0_without_what_is_used_where_it_is_there(call, user):
    number, error, names = OPTIONAL[call]
    report = Report(user=user, denied=[f"{number}={error}"])
    assert report.code == 0, report.names("fails")
    assert names <= report.names("not-available", ["if there"])


def test_a_layer_that_is_there_and_does_nothing_fails():
    report = Report(denied=["446=0"])  # landlock_restrict_self says yes and does nothing
    assert report.code == 1 and report["landlock"]["verdict"] == "fails", report["landlock"]


@pytest.mark.skipif(not AS_ROOT, reason="only root makes a pid namespace without a user namespace")
def test_a_namespace_that_is_none_fails():
    report = Report(denied=["272=0"])  # unshare says yes and does nothing
    assert report.code == 1 and report["pid-namespace"]["verdict"] == "fails", report["pid-namespace"]


def test_a_careless_parent_makes_no_difference():
    careless = ["sh", "-c", "trap '' CHLD ALRM PIPE; exec \"$0\" \"$@\" <&-"]
    report = Report(prefix=careless)
    assert report.code == 0 and not report.names("fails"), report.out


def test_an_experiment_that_hangs_is_ended_and_so_is_its_child():
    report = Report(denied=["424=0"])  # pidfd_send_signal says yes and kills nobody
    assert report["pidfd"]["measured"] == "did not end within 10 seconds"
    assert report.code == 1  # and Run has seen that nothing is left
    assert report.names("fails") == {"pidfd"}


@pytest.mark.skipif(shutil.which("prlimit") is None, reason="needs prlimit of util-linux")
def test_too_little_address_space_is_not_a_broken_kernel():
    report = Report(prefix=["prlimit", f"--as={128 << 20}"])
    assert report.names("fails", ["yes"]) <= {"fork-time-frozen"}
    assert report["fork-time-inherited"]["verdict"] == "not-available"


@pytest.mark.skipif(not AS_ROOT, reason="a root that can become nobody else takes a root to make")
def test_a_root_that_cannot_become_another_user_is_told():
    report = Report(denied=["117=1"])  # setresuid
    assert report.code == 1 and "becoming the unprivileged user" in report["user"]["measured"]


# ---- for people ----


def test_the_table_has_a_row_for_each(report):
    out = Run().out
    rows = re.findall(r"^(holds|FAILS|not available) +(yes|if there|no) +([a-z-]+)$", out, re.M)
    assert [name for _, _, name in rows] == list(report.rows)
    assert out.count("\n    done ") == out.count("\n    expected ") == out.count("\n    measured ") == len(rows)
    assert max(map(len, out.splitlines())) <= 96
    assert f"\n{len(rows)} hold, 0 fail, " in out or "not available" in out


def test_the_table_tells_what_fails():
    run = Run(denied=["319=38"])
    assert run.code == 1 and re.search(r"^FAILS +yes +memfd-seals$", run.out, re.M)
    assert "Function not implemented" in run.out and "do not run the daemon here" in run.out


@pytest.mark.parametrize("arguments", [["-x"], ["-j", "more"], [""]])
def test_wrong_options_show_the_usage(arguments):
    run = Run(*arguments)
    assert run.code == 2 and "usage: zygoted --doctor" in run.errors and run.out == ""


def test_it_is_named_in_the_usage():
    help_text = subprocess.run([zyg.ZYGOTED, "-h"], capture_output=True, text=True, timeout=BOUND)
    assert "--doctor" in help_text.stdout


def test_output_that_cannot_be_written_is_a_failure():
    with open("/dev/full", "w") as full:
        command = [zyg.ZYGOTED, "--doctor"]
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=BOUND)
    assert result.returncode == 1 and "could not be written" in result.stderr
