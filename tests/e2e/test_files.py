"""Profile files: children read below read_paths, and nothing else is there for them."""

import os
import shutil

import pytest

import zyg
from zyg import pool

WORKER = os.path.join(zyg.BUILD, "tests", "e2e", "workers", "files.so")
REFUSED = ["EACCES", "ENOENT", "EROFS", "EPERM"]

# What keeps children to read_paths, one and both, by the calls that have to fail for that.
LAYERS = {
    "both": [],
    "mounts alone": ["landlock_create_ruleset:error=ENOSYS"],
    "landlock alone": ["unshare:error=EPERM"],
}
as_root = pytest.mark.skipif(os.getuid() != 0, reason="mounts of another user's process")
NEITHER = LAYERS["mounts alone"] + LAYERS["landlock alone"]


@pytest.fixture
def tree():
    """A directory with something to read, and a way out of it."""
    top = f"/tmp/zyg-files-{os.getpid()}"
    shutil.rmtree(top, ignore_errors=True)
    os.makedirs(f"{top}/inside/below")
    os.mkdir(f"{top}/outside")
    for name in ("inside/file", "inside/below/file", "outside/file", "single", "single.not"):
        with open(f"{top}/{name}", "w") as file:
            file.write(f"this is {name}")
        os.chmod(f"{top}/{name}", 0o666)
    for name in ("", "inside", "inside/below", "outside"):
        os.chmod(f"{top}/{name}", 0o777)
    os.symlink(f"{top}/outside/file", f"{top}/inside/out")
    os.symlink("below/file", f"{top}/inside/in")
    yield top
    shutil.rmtree(top)


@pytest.fixture
def start(zygoted, tree):
    """start(layers, ...) -> a daemon whose pool may read inside/ and single."""

    def make(failing=(), user=None, **keys):
        keys = {"profile": "files", "read_paths": [f"{tree}/inside", f"{tree}/single"], **keys}
        daemon = zygoted(pool("files", worker=WORKER, **keys), user=user, start=False)
        inject = [word for call in failing for word in ("-e", f"inject={call}")]
        if failing:
            daemon.prefix = ["strace", "-D", "-f", "-qq", "-o", "/dev/null", *inject]
        return daemon

    return make


def ask(daemon, deed, name):
    return daemon.request("POST", f"/files/{deed}", name.encode()).text.strip()


@pytest.fixture(params=LAYERS)
def daemon(start, user, request):
    return start(LAYERS[request.param], user).start()


@pytest.mark.namespaces
def test_files_below_read_paths_are_read(daemon, tree):
    assert ask(daemon, "read", f"{tree}/inside/file") == "this is inside/file"
    assert ask(daemon, "read", f"{tree}/inside/in") == "this is inside/below/file"
    assert ask(daemon, "read", f"{tree}/single") == "this is single"
    assert set(ask(daemon, "list", f"{tree}/inside").split()) == {
        ".", "..", "file", "below", "in", "out"}
    assert ask(daemon, "link", f"{tree}/inside/in") == "below/file"
    assert ask(daemon, "map", f"{tree}/inside/file") == "done"


@pytest.mark.namespaces
def test_nothing_else_can_be_read(daemon, tree):
    for name in ("/etc/passwd", f"{tree}/outside/file", f"{tree}/single.not", "/proc/self/maps",
                 "/proc/1/environ", "/dev/zero", f"{tree}/inside/out", f"{tree}/inside/../outside/file"):
        assert ask(daemon, "read", name) in REFUSED, name
    for name in ("/", tree, "/proc", "/etc"):
        listed = ask(daemon, "list", name).split()
        assert listed[0] in REFUSED or set(listed) <= {".", "..", "tmp", "inside", "single",
                                                      os.path.basename(tree)}, name


@pytest.mark.namespaces
def test_nothing_can_be_written(daemon, tree):
    for deed in ("write", "truncate", "create", "rename", "unlink"):
        assert ask(daemon, deed, f"{tree}/inside/file") in REFUSED, deed
    for name in (f"{tree}/inside/new", f"{tree}/new", "/new", "/tmp/zyg-files-new"):
        assert ask(daemon, "create", name) in REFUSED, name
        assert ask(daemon, "mkdir", name) in REFUSED, name
        assert not os.path.exists(name)
    assert open(f"{tree}/inside/file").read() == "this is inside/file"


@pytest.mark.namespaces
def test_with_the_mount_namespace_other_names_do_not_even_exist(start, tree, user):
    daemon = start(user=user).start()
    for name in ("/etc", "/proc/self", "/dev/null", f"{tree}/outside"):
        assert ask(daemon, "stat", name) == "ENOENT", name
    assert daemon.stats("files")["failed"] == 0


def mounts_of(pid):
    """Mount point -> its own flags, as a child sees them."""
    lines = [line.split() for line in zyg.read_proc(pid, "mountinfo").splitlines()]
    return {fields[4]: set(fields[5].split(",")) for fields in lines}


@pytest.mark.namespaces
@as_root
def test_the_mounts_are_read_only_and_no_others_are_there(start, tree, user):
    daemon = start(user=user).start()
    mounts = mounts_of(daemon.child_pids("files")[0])
    assert set(mounts) == {"/", f"{tree}/inside", f"{tree}/single"}
    assert all(flags >= {"ro", "nosuid", "nodev", "noexec"} for flags in mounts.values())


@pytest.mark.namespaces
@as_root
def test_what_is_mounted_below_comes_along_read_only(start, tree):
    daemon = start()
    script = f'mount -t tmpfs x {tree}/inside/below; echo there >{tree}/inside/below/t; exec "$@"'
    daemon.prefix = ["unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh"]
    daemon.start()
    assert ask(daemon, "read", f"{tree}/inside/below/t") == "there"
    daemon.wait_idle("files")
    mounts = mounts_of(daemon.child_pids("files")[0])
    assert mounts[f"{tree}/inside/below"] >= {"ro", "nosuid", "nodev", "noexec"}


def test_code_is_loaded_from_files_with_files_exec_alone(start, tree, user):
    for profile, expected in (("files", "EACCES"), ("files-exec", "done")):
        daemon = start(user=user, profile=profile).start()
        assert ask(daemon, "code", f"{tree}/inside/file") == expected
        daemon.stop()


def test_the_number_of_open_files_is_bounded(start, tree):
    daemon = start(open_files=10).start()
    assert ask(daemon, "count", f"{tree}/single") == "10 EMFILE"


def test_a_directory_and_one_below_it_may_both_be_named(start, tree):
    for order in (("inside", "inside/below"), ("inside/below", "inside")):
        daemon = start(read_paths=[f"{tree}/{name}" for name in order]).start()
        assert ask(daemon, "read", f"{tree}/inside/file") == "this is inside/file"
        assert ask(daemon, "read", f"{tree}/inside/below/file") == "this is inside/below/file"
        daemon.stop()


def test_the_missing_layer_is_named(start):
    daemon = start(LAYERS["landlock alone"]).start()
    layers = {row["layer"]: row["state"] for row in daemon.ctl("info")["layers"]}
    assert layers["empty-root"] == "missing" and layers["landlock"] == "applied"


STEPS = {
    "landlock_add_rule": "landlock",
    "landlock_restrict_self": "landlock",
    "open_tree": "empty-root",
    "mount_setattr": "empty-root",
    "move_mount": "empty-root",
    "pivot_root": "empty-root",
}


@pytest.mark.namespaces
@pytest.mark.parametrize("call", STEPS)
def test_a_layer_of_which_a_step_fails_is_missing_and_the_other_one_holds(start, tree, call):
    daemon = start([f"{call}:error=EPERM"]).start()
    states = {row["layer"]: row["state"] for row in daemon.ctl("info")["layers"]}
    assert [layer for layer in ("landlock", "empty-root") if states[layer] == "missing"] == [STEPS[call]]
    assert ask(daemon, "read", f"{tree}/inside/file") == "this is inside/file"
    assert ask(daemon, "read", "/etc/passwd") in REFUSED


def test_without_both_layers_the_pool_does_not_start(start, user):
    daemon = start(NEITHER, user, queue_timeout="1s")
    daemon.spawn()
    daemon.wait_log("nothing keeps children of this profile to read_paths")
    assert daemon.get("/files/read").reason == "pool-down"


@as_root
def test_a_path_that_is_gone_is_named(start, tree):
    daemon = start(read_paths=[f"{tree}/inside", f"{tree}/outside"])
    code, _, errors = daemon.run("-t", "-c", daemon.config_path)
    assert code == 0 and not errors
    os.chmod(tree, 0o700)
    daemon.spawn()
    daemon.wait_log(f"read_paths: {tree}/inside: Permission denied")
    shutil.rmtree(f"{tree}/outside")
    code, _, errors = daemon.run("-t", "-c", daemon.config_path)
    assert code == 1 and f"{tree}/outside: No such file" in errors
