"""Runs `zygoted --doctor`, and looks whether it left anything."""

import json
import os
import pwd
import resource
import subprocess
import sys

import zyg

DENY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "deny.py")
AS_ROOT = os.getuid() == 0
USERS = ["root", "nobody"] if AS_ROOT else ["self"]
BOUND = 60  # seconds, for a machine that does much else


def processes_of_session(session):
    """Zombies that wait for their parent are not counted: they do nothing any more."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z" and int(fields[3]) == session:
            found.append(int(pid))
    return found


def cpu_seconds_of_children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class Run:
    """One run to its end, in a session of its own. `denied`: what deny.py takes."""

    def __init__(self, *arguments, user="self", denied=(), bound=BOUND, prefix=()):
        command = [*prefix, zyg.ZYGOTED, "--doctor", *arguments]
        if denied:
            command = [sys.executable, DENY, *denied, "--", *command]
        extra = {}
        if user == "nobody":
            record = pwd.getpwnam(user)
            extra = {"user": record.pw_uid, "group": record.pw_gid, "extra_groups": []}
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd="/",
            start_new_session=True,
            **extra,
        )
        before = cpu_seconds_of_children()
        try:
            self.out, self.errors = process.communicate(timeout=bound)
        finally:
            process.kill()
            process.wait()
        self.code = process.returncode
        self.cpu_seconds = cpu_seconds_of_children() - before
        zyg.wait_until(lambda: not processes_of_session(process.pid), what="no process left")


class Report(Run):
    """The same as JSON: report["copied-pages"]["verdict"], report.figures("copied-pages")."""

    def __init__(self, *arguments, **keys):
        super().__init__("-j", *arguments, **keys)
        self.whole = json.loads(self.out)
        self.rows = {row["name"]: row for row in self.whole["experiments"]}

    def __getitem__(self, name):
        return self.rows[name]

    def figures(self, name):
        return self.rows[name]["figures"]

    def names(self, verdict, relied_on=("yes", "if there", "no")):
        rows = self.rows.values()
        return {r["name"] for r in rows if r["verdict"] == verdict and r["relied_on"] in relied_on}
