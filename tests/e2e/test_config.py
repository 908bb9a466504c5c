"""The command line and the configuration file: what is wrong, where, and with which exit code."""

import os

import pytest

import zyg
from zyg import pool

LISTEN = 'listen "web" { protocol = "http" address = "127.0.0.1:18999" }\n'
ECHO = 'pool "echo" { worker = "echo" routes = {"/echo/"} }\n'
GOOD = 'control = "control"\n' + LISTEN + ECHO


@pytest.fixture
def check(zygoted):
    """check(text) -> exit code, output and errors of zygoted -t."""

    def run(text, *options):
        daemon = zygoted(config=text, start=False)
        return daemon.run(*(options or ("-t",)), "-c", daemon.config_path)

    return run


def test_a_good_file_is_valid(check):
    code, out, errors = check(GOOD)
    assert code == 0 and "configuration is" in out and not errors


def test_the_effective_configuration_reads_back_the_same(check):
    code, first, _ = check(GOOD, "-T")
    assert code == 0 and "max_children" in first and "queue_timeout" in first
    assert check(first, "-T")[1] == first


BAD = {
    "unknown key": (3, "colour", GOOD.replace("pool", 'colour = "red"\npool', 1)),
    "unknown key in a pool": (3, "speed", GOOD.replace("routes", "speed = 3 routes")),
    "duration without unit": (3, "timeout", GOOD.replace("routes", 'timeout = "2" routes')),
    "bad unit": (3, "timeout", GOOD.replace("routes", 'timeout = "2 parsecs" routes')),
    "bad size": (3, "memory", GOOD.replace("routes", 'memory = "-1M" routes')),
    "out of range": (3, "spare", GOOD.replace("routes", "spare = 99999 routes")),
    "spare over max_children": (3, "spare", GOOD.replace("routes", "spare = 9 max_children = 4 routes")),
    "unknown profile": (3, "profile", GOOD.replace("routes", 'profile = "loose" routes')),
    "unknown protocol": (2, "protocol", GOOD.replace('"http"', '"gopher"')),
    "bad address": (2, "address", GOOD.replace("127.0.0.1:18999", "localhost")),
    "missing worker": (3, "worker", GOOD.replace('worker = "echo"', 'worker = "nosuch"')),
    "bad name": (3, "name", GOOD.replace('"echo" {', '"Echo Chamber" {')),
    "duplicate pool": (4, "echo", GOOD + ECHO.replace("/echo/", "/other/")),
    "route taken twice": (4, "/echo/", GOOD + ECHO.replace('"echo" {', '"other" {')),
    "route without slash": (3, "route", GOOD.replace('"/echo/"', '"echo"')),
    "syntax": (3, "", GOOD.replace("routes =", "routes")),
}


@pytest.mark.parametrize("name", BAD)
def test_an_error_is_named_with_file_and_line(check, name):
    line, word, text = BAD[name]
    code, out, errors = check(text)
    assert code == 1 and not out
    assert f"zygoted.conf:{line}:" in errors and word in errors


def test_all_errors_are_listed(check):
    text = GOOD.replace("routes", 'timeout = "2"\nmemory = "x"\nroutes')
    errors = check(text)[2]
    assert "timeout" in errors and "memory" in errors


def test_a_missing_file_is_named(zygoted):
    daemon = zygoted(start=False)
    code, _, errors = daemon.run("-t", "-c", "/nowhere/zygoted.conf")
    assert code == 1 and "/nowhere/zygoted.conf" in errors


def test_version(zygoted):
    code, out, _ = zygoted(start=False).run("-V")
    assert code == 0 and out.startswith("zygoted ")


@pytest.mark.parametrize("arguments", [("-x?",), ("-c",), ("-c", "a", "b"), ("--nonsense",)])
def test_usage_errors_exit_2(zygoted, arguments):
    code, _, errors = zygoted(start=False).run(*arguments)
    assert code == 2 and "usage" in errors.lower()


def test_a_bad_file_starts_nothing(zygoted):
    daemon = zygoted(config="nonsense = 1\n", start=False)
    code, _, errors = daemon.run("-c", daemon.config_path)
    assert code == 1 and "zygoted.conf:1:" in errors


def write(directory, name, text):
    path = f"{directory}/{name}"
    with open(path, "w") as file:
        file.write(text)
    return path


TABLES = {
    "no such column": ("a.csv", "a,b\n1,2\n", {"key": "c"}, "a.csv:1:"),
    "wrong number of fields": ("a.csv", "a,b\n1,2\n3\n", {"key": "a"}, "a.csv:3:"),
    "stray quote": ("a.csv", 'a,b\n1,"2"x\n', {"key": "a"}, "a.csv:2:"),
    "not hex": ("a.csv", "a,b\n1,2\nzz,3\n", {"key": "a", "normalise": "hex"}, "a.csv:3:"),
    "empty key": ("a.csv", "a,b\n,2\n", {"key": "a"}, "a.csv:2:"),
    "empty file": ("a.csv", "", {"key": "a"}, "a.csv:1:"),
    "header only": ("a.csv", "a,b\n", {"key": "a"}, "no rows"),
    "same column twice": ("a.csv", "a,a\n1,2\n", {"key": "a"}, "a.csv:1:"),
    "bad match": ("a.csv", "a\n1\n", {"key": "a", "match": "suffix"}, "match"),
    "unknown option": ("a.csv", "a\n1\n", {"key": "a", "kye": "a"}, "kye"),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_that_cannot_be_loaded_says_where(zygoted, name):
    file, text, options, expected = TABLES[name]
    daemon = zygoted(start=False)
    path = write(daemon.directory, file, text)
    daemon.write_config(zyg.format_config(
        {"control": daemon.control}, {"web": f"127.0.0.1:{daemon.port}"},
        [pool("table", options={"file": path, **options})]))
    os.chmod(daemon.directory, 0o755)
    daemon.spawn()
    daemon.wait_log("pool failed")
    assert expected in daemon.log()


def test_tables_are_read_as_csv_and_tsv(zygoted):
    daemon = zygoted(start=False)
    one = write(daemon.directory, "one.csv", 'name,"full, name"\r\nä,"a ""quoted"" one"\r\n')
    two = write(daemon.directory, "two.tsv", "name\tfull, name\nb\tx,y\nä\tlater\n")
    daemon.write_config(zyg.format_config(
        {"control": daemon.control}, {"web": f"127.0.0.1:{daemon.port}"},
        [pool("t", worker="table", options={"file": [one, two], "key": "name"})]))
    os.chmod(daemon.directory, 0o755)
    daemon.start()
    assert daemon.get("/t/%C3%A4").text == '{"name":"ä","full, name":"a \\"quoted\\" one"}\n'
    assert daemon.get("/t/b").text == '{"name":"b","full, name":"x,y"}\n'
