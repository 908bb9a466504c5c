#!/usr/bin/python3
"""What zygotectl shows, taken from a daemon that serves, put into the documents between markers. Needs root and wrk.

README.md: `memory`; worker/README.md: `maps`, `map` and `top`; worker/map.svg: the picture of `map`.
"""

import os
import re
import subprocess
import sys

TESTS = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(TESTS, "e2e"))

import zyg  # noqa: E402

OUI = [f"/usr/share/ieee-data/{name}.csv" for name in ("oui", "mam", "oui36")]
POOLS = [
    zyg.pool(
        "oui",
        worker="table",
        options={"file": OUI, "key": "Assignment", "match": "prefix", "normalise": "hex"},
        spare=16,
        max_children=64,
        sample=20,
    ),
    zyg.pool(
        "echo", options={"ballast": "256M", "touch": "100"}, spare=16, max_children=64, sample=20
    ),
]
SECONDS = 4


def load(daemon, path):
    url = f"http://127.0.0.1:{daemon.port}{path}"
    command = ["wrk", "-t1", "-c8", f"-d{SECONDS}s", url]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


def shown(daemon, *arguments):
    code, text, error = daemon.zygotectl(*arguments)
    if code != 0:
        raise SystemExit(f"zygotectl {' '.join(arguments)}: {error}")
    return text


def take(daemon):
    """Name of the snapshot -> its text. `top` is looked at while there is load."""
    loads = [load(daemon, "/oui/00:22:72:01:02:03"), load(daemon, "/echo/")]
    texts = {"top": shown(daemon, "top", "-b", "-n", "2", "-d", "1").strip().split("\n\n")[-1]}
    for process in loads:
        process.wait()
    daemon.wait_idle("echo")
    texts["memory"] = shown(daemon, "memory").split("\n\n")[0]
    texts["maps"] = "\n".join(shown(daemon, "maps", "echo").splitlines()[:8])
    picture = os.path.join(zyg.TOP, "worker", "map.svg")
    shown(daemon, "map", "echo", "--svg", picture)
    texts["map"] = "\n".join(shown(daemon, "map", "echo").splitlines()[:12])
    return texts


def rewrite(path, name, text):
    begin, end = f"<!-- snapshot:{name} -->\n", f"<!-- /snapshot:{name} -->\n"
    with open(path) as file:
        old = file.read()
    body = "".join(f"    {line}".rstrip() + "\n" for line in text.rstrip().splitlines())
    pattern = re.escape(begin) + r".*?" + re.escape(end)
    new, count = re.subn(pattern, lambda _: begin + body + end, old, flags=re.S)
    if count != 1:
        raise SystemExit(f"{path}: the markers of {name} must stand there once")
    with open(path, "w") as file:
        file.write(new)


def main():
    daemon = zyg.Zygoted(*POOLS)
    try:
        daemon.start()
        texts = take(daemon)
    finally:
        daemon.stop()
        daemon.clean()
    rewrite(os.path.join(zyg.TOP, "README.md"), "memory", texts.pop("memory"))
    for name, text in texts.items():
        rewrite(os.path.join(zyg.TOP, "worker", "README.md"), name, text)


if __name__ == "__main__":
    main()
