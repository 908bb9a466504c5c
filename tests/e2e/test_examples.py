"""The example configurations and applications do what `make run-python` and the others say."""

import os
import shutil
import subprocess
import tempfile

import pytest

import pyapps
import zyg


@pytest.fixture
def example(zygoted, monkeypatch):
    """example(name) -> the daemon of conf/NAME.conf, with a copy of its application, on a port of its own."""
    copies = []

    def start(name):
        copy = tempfile.mkdtemp(prefix="zyg-example-")
        copies.append(copy)
        shutil.copytree(os.path.join(zyg.TOP, "worker", name, "example"), copy, dirs_exist_ok=True)
        subprocess.run(["chmod", "-R", "a+rX", copy], check=True)
        monkeypatch.setenv("APP", copy)
        with open(os.path.join(zyg.TOP, "conf", f"{name}.conf")) as file:
            text = file.read()
        daemon = zygoted(start=False)
        text = text.replace("127.0.0.1:8080", f"127.0.0.1:{daemon.port}")
        if zyg.ASAN:
            text = text.replace('routes = {"/"}', 'routes = {"/"}\nsandbox = "log"\n')
            text = text.replace('memory = "128M"', 'memory = "64G"')
        daemon.write_config(f'control = "{daemon.control}"\n{text}')
        return daemon.start()

    yield start
    for copy in copies:
        shutil.rmtree(copy)


@pyapps.needs_worker
@pyapps.needs("flask")
@pytest.mark.plain_build
def test_the_flask_example(example):
    daemon = example("python")
    pages = [daemon.get("/").text for _ in range(3)]
    assert len(set(pages)) == 3 and all("has seen: 2." in page for page in pages)  # the warm-up was one
    body = daemon.request("POST", "/form", b"a=b", [("Content-Type", "application/x-www-form-urlencoded")])
    assert body.text == '{"a":"B"}\n'
    assert daemon.get("/stream").text.count("line") == 10
    assert daemon.get("/error").status == 500 and daemon.get("/steal").status == 500
    assert daemon.get("/crash").reason == "crashed"
    assert "has seen: 2." in daemon.get("/").text


@pytest.mark.skipif(not os.path.exists(os.path.join(zyg.BUILD, "workers", "lua.so")),
                    reason="the lua worker was not built")
def test_the_lua_example(example):
    daemon = example("lua")
    assert daemon.get("/square?12").text == "12 * 12 = 144\n" and daemon.get("/square?x").status == 404
    assert daemon.request("POST", "/shout", b"some text").text == "SOME TEXT"
    assert [daemon.get("/").text.split(",")[0][-1] for _ in range(3)] == ["1"] * 3
    assert daemon.get("/error").status == 500


@pytest.mark.skipif(not os.path.exists(os.path.join(zyg.BUILD, "workers", "exec.so")),
                    reason="the exec worker was not built")
@pytest.mark.plain_build
def test_the_exec_example(example):
    daemon = example("exec")
    assert daemon.get("/a").text == "hello from /a, asked by 127.0.0.1\n"
    assert daemon.request("POST", "/", b"one\ntwo\n").text.endswith("\n2 lines came\n")
