#!/usr/bin/python3
"""Line coverage of the fuzz targets' sources by the corpus in the tree.

    coverage.py BUILD TARGET...

Each target was built with -fprofile-instr-generate -fcoverage-mapping. Runs it over its seeds, prints a table, and fails
when a parser that reads the network, or what children send, has less than 95 % of its lines reached.
"""

import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
LEAST = 95.0
PARSERS = {
    "daemon/front/http_request.c", "daemon/front/http_framing.c", "daemon/front/http_header.c",
    "daemon/front/http_target.c", "daemon/front/http_token.c", "daemon/front/http_body.c",
    "daemon/front/proxy_header.c", "daemon/front/reply_parse.c", "daemon/front/http_reply.c",
    "daemon/base/frame_wire.c", "daemon/front/frame_reply.c", "daemon/supervisor/control_line.c",
}  # fmt: skip


def run(*command, **more):
    return subprocess.run([str(word) for word in command], check=True, **more)


def profile(build, target):
    """Runs a target over its corpus; the raw profile."""
    raw = build / f"{target.name}.profraw"
    seeds = HERE / "corpus" / target.name
    environment = {**os.environ, "LLVM_PROFILE_FILE": str(raw)}
    run(target, "-runs=0", seeds, env=environment, stderr=subprocess.DEVNULL)
    return raw


def measure(build, targets):
    """{file: (lines, lines reached)}"""
    merged = build / "merged.profdata"
    run("llvm-profdata", "merge", "-sparse", "-o", merged, *[profile(build, target) for target in targets])
    objects = [word for target in targets[1:] for word in ("-object", target)]
    command = ["llvm-cov", "export", "-summary-only", f"-instr-profile={merged}", targets[0], *objects]
    report = json.loads(run(*command, stdout=subprocess.PIPE).stdout)
    top = str(HERE.parent.parent.resolve()) + "/"
    found = {}
    for file in report["data"][0]["files"]:
        name = file["filename"].removeprefix(top)
        if name.startswith("daemon/") and file["summary"]["lines"]["count"] > 0:
            found[name] = (file["summary"]["lines"]["count"], file["summary"]["lines"]["covered"])
    return found


def main():
    build, *targets = map(pathlib.Path, sys.argv[1:])
    found = measure(build, targets)
    failed = sorted(PARSERS - set(found))
    print(f"{'lines':>6} {'reached':>8} {'%':>7}")
    for name, (lines, reached) in sorted(found.items()):
        percent = 100 * reached / lines
        low = name in PARSERS and percent < LEAST
        failed += [name] if low else []
        print(f"{lines:>6} {reached:>8} {percent:>7.1f}  {name}{f'  below {LEAST:.0f} %' if low else ''}")
    if failed:
        sys.exit(f"too few lines reached: {', '.join(failed)}")


main()
