"""A WSGI application without a framework: each path is a deed that a server must cope with."""

import ctypes
import io
import json
import logging
import os
import random
import sys
import threading
import time
import uuid
from wsgiref.validate import validator

import zygoted

TEXT = [("Content-Type", "text/plain")]
calls = []
drawn = []


@zygoted.on_child_start
def draw():
    drawn.append(random.random())


forks = []
os.register_at_fork(before=lambda: forks.append("before"),
                    after_in_child=lambda: forks.append("child"),
                    after_in_parent=lambda: forks.append("parent"))
random.gauss(0, 1)


def ok(start, *blocks, headers=()):
    start("200 OK", TEXT + list(headers))
    return list(blocks)


def count(environ, start):
    calls.append(environ["PATH_INFO"])
    return ok(start, str(len(calls)).encode())


def show(environ, start):
    keys = {key: value for key, value in environ.items() if isinstance(value, (str, bool, tuple))}
    return ok(start, json.dumps(keys).encode())


def numbers(environ, start):
    values = [random.random(), random.gauss(0, 1), drawn[0], str(uuid.uuid4()), os.urandom(8).hex()]
    return ok(start, json.dumps(values).encode())


def at_fork(environ, start):
    return ok(start, " ".join(forks).encode())


def still_there(environ, start):
    """What else forks are known to spoil: locks, logging, the main thread."""
    with threading.Lock(), threading.Condition():
        logging.getLogger("still").warning("logged")
    main = threading.current_thread() is threading.main_thread()
    return ok(start, f"{main} {threading.active_count()}".encode())


def about(environ, start):
    left = zygoted.deadline() - time.monotonic()
    return ok(start, json.dumps([zygoted.pool, zygoted.request_id(), left]).encode())


def body(environ, start):
    """Reads the body in the way that the query says."""
    stream, way = environ["wsgi.input"], environ["QUERY_STRING"]
    if way == "read":
        return ok(start, stream.read(), stream.read(), stream.read(1))
    if way == "huge":
        return ok(start, str(len(stream.read(1 << 40))).encode())
    if way == "pieces":
        return ok(start, *iter(lambda: stream.read(7), b""))
    if way == "lines":
        return ok(start, *[b"<%b>" % line for line in stream])
    if way == "readline":
        return ok(start, *[b"<%b>" % line for line in iter(lambda: stream.readline(5), b"")])
    if way == "readlines":
        return ok(start, *[b"<%b>" % line for line in stream.readlines(1)], stream.read())
    if way == "mixed":
        return ok(start, stream.readline(), b"|", stream.read(3), b"|", stream.read())
    if way == "count":
        return ok(start, str(sum(len(piece) for piece in iter(lambda: stream.read(65536), b""))).encode())
    raise ValueError(way)


def write(environ, start):
    send = start("200 OK", TEXT)
    send(b"written, ")
    send(b"")
    return [b"returned"]


def stream(environ, start):
    """A block now, the next one when the body's next byte has come."""
    start("200 OK", TEXT)
    for _ in range(3):
        yield b"block"
        environ["wsgi.input"].read(1)


class Closing:
    def __init__(self, blocks):
        self.blocks = iter(blocks)

    def __iter__(self):
        return self.blocks

    def close(self):
        print("closed", file=sys.stderr)


def close(environ, start):
    start("200 OK", TEXT)
    return Closing([b"a", b"b"])


def close_after_error(environ, start):
    start("200 OK", TEXT)
    return Closing(1 // 0 for _ in range(1))


def empty(environ, start):
    return ok(start)


def nothing(environ, start):
    start("204 No Content", [])
    return []


def not_modified(environ, start):
    start("304 Not Modified", [("Content-Length", "5"), ("ETag", '"x"')])
    return []


def sized(environ, start):
    return ok(start, *([] if environ["REQUEST_METHOD"] == "HEAD" else [b"hello"]),
              headers=[("Content-Length", "5")])


def too_long(environ, start):
    return ok(start, b"hello", b" and more", headers=[("Content-Length", "5")])


def too_short(environ, start):
    return ok(start, b"hell", headers=[("Content-Length", "5")])


def hop_by_hop(environ, start):
    return ok(start, b"x", headers=[("Connection", "close"), ("Date", "never"), ("X-Kept", "yes")])


def second_answer(environ, start):
    start("200 OK", TEXT)
    try:
        raise ValueError("first")
    except ValueError:
        start("503 Busy", [("Content-Type", "text/plain"), ("X-Second", "1")], sys.exc_info())
    return [b"second"]


def late_second_answer(environ, start):
    start("200 OK", TEXT)
    yield b"begun"
    try:
        raise ValueError("too late")
    except ValueError:
        start("500 Oops", TEXT, sys.exc_info())


def log(environ, start):
    print("on stdout")
    sys.stdout.write("no end of line")
    environ["wsgi.errors"].write("on errors\n")
    return ok(start, b"x")


def error(environ, start):
    raise RuntimeError("before the headers")


def error_after_start(environ, start):
    start("200 OK", TEXT)
    raise RuntimeError("after start_response")


def error_in_body(environ, start):
    start("200 OK", TEXT)
    yield b"x" * 100000
    raise RuntimeError("in the middle")


def leave(environ, start):
    sys.exit("leaving")


def leave_at_once(environ, start):
    os._exit(0)


def interrupt(environ, start):
    raise KeyboardInterrupt


def fault(environ, start):
    ctypes.string_at(0)


def fatal(environ, start):
    ctypes.pythonapi.Py_FatalError(b"said so")


def overflow(environ, start):
    """Recursion through C, until its stack ends."""
    sys.setrecursionlimit(10**9)

    def deeper(_):
        return sorted([1], key=deeper)

    return deeper(1)


def hang(environ, start):
    time.sleep(60)


def spin(environ, start):
    while True:
        pass


def hoard(environ, start):
    return ok(start, bytearray(1 << 30))


def thread(environ, start):
    threading.Thread(target=print).start()
    return ok(start, b"started")


def open_file(environ, start):
    with io.open("/etc/passwd") as file:
        return ok(start, file.read().encode())


def bad_status(environ, start):
    start(200, TEXT)


def bad_number(environ, start):
    start("100 Continue", TEXT)


def bad_headers(environ, start):
    start("200 OK", [("X-A", 1)])


def bad_value(environ, start):
    return ok(start, b"x", headers=[("X-A", "a\r\nX-B: b")])


def bad_character(environ, start):
    return ok(start, b"x", headers=[("X-A", "\u20ac")])


def bad_block(environ, start):
    return ok(start, "text")


def no_start(environ, start):
    return [b"x"]


def no_answer(environ, start):
    start("200 OK", TEXT)
    return None


DEEDS = {name: deed for name, deed in globals().items() if callable(deed)}


def app(environ, start):
    deed = environ["PATH_INFO"].split("/")[-1]
    return DEEDS[deed](environ, start) if deed in DEEDS else ok(start, b"no such deed")


validated = validator(app)


def factory():
    return app


def warmed(environ, start):
    if environ["PATH_INFO"] == "/fail":
        raise LookupError("the warm-up failed")
    if environ["PATH_INFO"] == "/error":
        start("500 Oops", TEXT)
        return [b"oops"]
    return count(environ, start)
