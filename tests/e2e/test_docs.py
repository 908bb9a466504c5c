"""The commands that the README shows do what it says, against the configuration of `make run`."""

import os
import re
import subprocess

import pytest

import zyg

CONFIG = os.path.join(zyg.TOP, "conf", "zygoted.conf")


def quoted_commands():
    path = os.path.join(zyg.TOP, "README.md")
    text = open(path).read() if os.path.exists(path) else ""
    fences = re.findall(r"^```sh\n(.*?)^```", text, re.S | re.M)
    lines = [line.removeprefix("$ ").strip() for fence in fences for line in fence.splitlines()]
    return [line for line in lines if line.startswith(("curl ", "build/zygotectl "))]


@pytest.fixture(scope="module")
def sample():
    """make run's configuration, with another port and control socket."""
    daemon = zyg.Zygoted()
    with open(CONFIG) as file:
        text = file.read()
    text = re.sub(r"^\s*#?\s*control = .*\n", "", text, flags=re.M)
    text = text.replace("127.0.0.1:8080", f"127.0.0.1:{daemon.port}")
    daemon.write_config(f'control = "{daemon.control}"\n{text}')
    try:
        yield daemon.start()
    finally:
        daemon.stop()


def run_command(sample, command):
    """Runs a documented command in a shell against the sample daemon; its output."""
    command = command.split(" #")[0].replace("127.0.0.1:8080", f"127.0.0.1:{sample.port}")
    command = re.sub(r"\bcurl ", "curl -sS --fail ", command)
    command = re.sub(r"(build/)?\bzygotectl ", f"{zyg.ZYGOTECTL} -s {sample.control} ", command)
    result = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=zyg.TOP,
    )
    assert result.returncode == 0 and result.stdout, f"{command}: {result.stderr}"
    return result.stdout


@pytest.mark.parametrize("command", quoted_commands())
def test_the_readmes_commands_work(sample, command):
    run_command(sample, command)


def test_the_readme_shows_requests_and_control():
    commands = quoted_commands()
    assert any(c.startswith("curl ") for c in commands)
    assert any(c.startswith("build/zygotectl ") for c in commands)


def test_the_first_page_tells_what_to_try(sample):
    answer = sample.get("/")
    assert answer.status == 200 and "text/plain" in answer.header("content-type")
    commands = re.findall(r"^ +(.*(?:curl|zygotectl) .*)$", answer.text, re.M)
    commands = [command for command in commands if "(" not in command]
    assert len(commands) >= 3
    for command in commands:
        run_command(sample, command)


def test_the_sample_configuration_is_valid():
    command = [zyg.ZYGOTED, "-t", "-c", CONFIG]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=zyg.TOP)
    assert result.returncode == 0 and "configuration is" in result.stdout


def fences(path, kind):
    with open(os.path.join(zyg.TOP, path)) as file:
        return re.findall(rf"^```{kind}\n(.*?)^```", file.read(), re.S | re.M)


def test_the_worker_readmes_worker_builds_and_answers(zygoted, tmp_path):
    (tmp_path / "primes.c").write_text(fences("worker/README.md", "c")[0])
    build = fences("worker/README.md", "sh")[0].replace("-Iworker", f"-I{zyg.TOP}/worker")
    subprocess.run(["sh", "-ec", build], cwd=tmp_path, check=True)
    os.chmod(tmp_path / "primes.so", 0o755)
    daemon = zygoted(zyg.pool("primes", worker=str(tmp_path / "primes.so"), routes=["/prime/"]))
    assert daemon.get("/prime/999983").body == b"999983 is prime\n"
    assert daemon.get("/prime/999981").body == b"999981 is composite\n"
    assert daemon.get("/prime/1").status == 404


def test_the_readmes_frames_are_answered(zygoted):
    port = zyg.free_port()
    config, program = (fences("README.md", kind)[0].replace("9000", str(port)) for kind in ("conf", "python"))
    daemon = zygoted(zyg.pool("oui"), start=False)
    with open(daemon.config_path, "a") as file:
        file.write(config)
    daemon.start()
    result = subprocess.run(["/usr/bin/python3", "-c", program], capture_output=True, text=True, timeout=60)
    assert result.stdout.startswith("(0, b'{\"key\":\"00:22:72\",\"row\":"), result
    asked = subprocess.run(
        [zyg.ZYGOTECTL, "-s", daemon.control, "call", "oui"], input=b"00:22:72\n", capture_output=True, timeout=60
    )
    assert asked.returncode == 0 and asked.stdout.startswith(b'{"key":"00:22:72","row":')


def outcomes():
    """Status -> reasons, from the table that the daemon is built from; what no client sees is left out."""
    with open(os.path.join(zyg.TOP, "daemon", "base", "proto.h")) as file:
        table = file.read().split("#define PROTO_OUTCOMES(X)")[1].split("enum outcome")[0]
    found = {}
    for name, status in re.findall(r'X\(\w+, "(\w+)", (\d+),', table):
        found.setdefault(status, set()).add(name.replace("_", "-"))
    found.pop("0")
    return found


def test_the_manual_names_each_answer_of_the_daemons_own():
    with open(os.path.join(zyg.TOP, "daemon", "zygoted.8")) as file:
        rows = re.findall(r"^\.It ([\d, ]+) Ta (.*)$", file.read(), re.M)
    told = {}
    for statuses, reasons in rows:
        for status in statuses.split(", "):
            told.setdefault(status, set()).update(reasons.split(", "))
    known = outcomes()
    assert len(known) > 5 and {status: told.get(status) for status in known} == known
