"""What the tests of reloads share: other configurations, and load meanwhile."""

import contextlib

from load import Load
from zyg import ControlError, free_port, pool, wait_until


def text_pool(name, text, **keys):
    return pool(name, worker="text", options={"text": text}, **keys)


def rewrite(daemon, *pools, sections=None, **keys):
    daemon.write_config(daemon.config_text(pools, sections, **keys))


def reload(daemon, *pools, sections=None, command="reload --wait", **keys):
    rewrite(daemon, *pools, sections=sections, **keys)
    return daemon.ctl(command)


def changes(answer):
    return {entry["pool"]: entry["change"] for entry in answer["pools"]}


def generations(daemon):
    return {p["pool"]: p["generation"] for p in daemon.ctl("pools")["pools"]}


@contextlib.contextmanager
def under_load(daemon):
    """Load on the pool "echo", which stays; in the end every request was answered with 200 and what it asked for."""
    load = Load(daemon.port, lambda i: f"/echo/{i}", 10**9, threads=6).start()
    wait_until(lambda: len(load.answers) > 50)
    yield load
    load.stop()
    assert not load.broken and load.statuses() == {200}
    assert all(f"/echo/{number}".encode() in body for number, _, body in load.answers)


def many_reloads(daemon, count, zygotes=1, **keys):
    """In turn: all zygotes anew, other limits, a pool more and less, a listener more and less."""
    more = {**daemon.sections, "more": {"address": f"127.0.0.1:{free_port()}"}}
    for number in range(count):
        pools = [pool("echo", timeout=f"{5 + number % 3}s", zygotes=zygotes), text_pool("text", f"{number}", zygotes=zygotes)]
        pools += [text_pool(f"late{number}", "x", queue_timeout="1ms")] if number % 2 else []
        command = "reload --all --wait" if number % 3 == 0 else "reload --wait"

        def attempt():
            try:
                return reload(daemon, *pools, sections=more if number % 4 < 2 else None, command=command, **keys)
            except ControlError as error:
                assert "try again" in str(error), error
                return None

        wait_until(attempt)
        assert daemon.get("/text/").text.strip() == str(number)
