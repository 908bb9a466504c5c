"""Flask and Django, unmodified: what they answer is what they answer under gunicorn, both alone and both behind nginx."""

import os
import re
import signal
import subprocess
import urllib.parse

import pytest

import nginx
import pyapps
import zyg
from client import Connection
from pyapps import python_pool
from zyg import BOUND, wait_until

pytestmark = [pyapps.needs_worker, pyapps.needs("gunicorn")]

# ---- requests ----


def multipart(*parts):
    """(name, file name or None, type, data) -> body and headers."""
    lines = []
    for name, filename, kind, data in parts:
        extra = f'; filename="{filename}"' if filename else ""
        lines.append(f'--edge\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n'
                     f"Content-Type: {kind}\r\n\r\n".encode() + data + b"\r\n")
    return b"".join(lines) + b"--edge--\r\n", [("Content-Type", "multipart/form-data; boundary=edge")]


def form(**fields):
    body = urllib.parse.urlencode(fields, doseq=True).encode()
    return body, [("Content-Type", "application/x-www-form-urlencoded")]


def json(text):
    return text.encode(), [("Content-Type", "application/json")]


FILE = multipart(("doc", "gr\u00fc\u00dfe.txt", "text/plain", b"hello\r\n" * 1000),
                 ("image", "x.png", "image/png", bytes(range(256)) * 500))
MANY_FIELDS = form(**{f"field{n}": f"\u00e4 {n}" for n in range(200)})

COMMON = [
    ("GET", "/"),
    ("HEAD", "/"),
    ("OPTIONS", "/form"),
    ("GET", "/note/1"),
    ("GET", "/note/2"),
    ("GET", "/note/99"),
    ("GET", "/note/x"),
    ("GET", "/form?a=1&a=2&b=%C3%A4&c=&d=+%2B"),
    ("GET", "/form?" + "&".join(f"k{n}={n}" for n in range(50))),
    ("POST", "/upload", *FILE),
    ("POST", "/upload", *multipart(("empty", "e", "text/plain", b""))),
    ("POST", "/upload", *multipart()),
    ("POST", "/raw", b"0123456789"),
    ("POST", "/raw", b""),
    ("PUT", "/raw", bytes(range(256)) * 100),
    ("PATCH", "/raw", b"patched"),
    ("DELETE", "/raw"),
    ("POST", "/"),
    ("GET", "/cookies"),
    ("GET", "/cookies", None, [("Cookie", "a=1; b=two; plain=\"quoted\"")]),
    ("GET", "/cookies", None, [("Cookie", "bad; =x; c=\u00e4".encode("latin-1").decode("latin-1"))]),
    ("GET", "/whoami"),
    ("GET", "/stream"),
    ("HEAD", "/stream"),
    ("GET", "/stream?word=%E4%B8%89"),
    ("GET", "/file"),
    ("HEAD", "/file"),
    ("GET", "/file", None, [("Range", "bytes=100-199")]),
    ("GET", "/path/plain/below"),
    ("GET", "/path/gr%C3%BC%C3%9Fe/%E4%B8%89%20x"),
    ("GET", "/path/a%2Fb//c/../d;e=f"),
    ("GET", "/path/%ff%fe"),
    ("GET", "/path/%22%3Cb%3E?q=%22"),
    ("GET", "/nosuch"),
    ("GET", "/nosuch/gr%C3%BC%C3%9Fe"),
    ("GET", "/error"),
    ("GET", "/count"),
]
FLASK = COMMON + [
    ("POST", "/form", *form(a=["1", "2"], b="\u00e4", c="")),
    ("POST", "/form", *MANY_FIELDS),
    ("POST", "/form?both=1", *form(both="2")),
    ("POST", "/json", *json('{"a": [1, 2.5, null, "\u00e4"]}')),
    ("POST", "/json", *json("{broken")),
    ("POST", "/json", b"x", [("Content-Type", "text/plain")]),
    ("POST", "/raw", b"x" * 600_000),
    ("GET", "/headers", None, [("Accept-Language", "de"), ("X-Custom", "1"), ("X-Custom", "2")]),
    ("GET", "/static/style.css"),
    ("GET", "/static/nosuch.css"),
    ("GET", "/static/../flask_site.py"),
    ("GET", "/custom"),
    ("GET", "/empty"),
    ("GET", "/abort/401"),
    ("GET", "/abort/429"),
    ("DELETE", "/form"),
]
DJANGO = COMMON + [
    ("POST", "/form", *form(a="no token")),
    ("POST", "/lines", b"one\ntwo\r\nthree"),
    ("POST", "/lines", b""),
    ("GET", "/slash"),
    ("GET", "/slash/"),
    ("GET", "/tagged"),
    ("GET", "/tagged", None, [("If-None-Match", '"fixed"')]),
    ("GET", "/large"),
    ("GET", "/forbidden"),
]

# ---- servers ----


@pytest.fixture(scope="module")
def apps():
    copy = pyapps.copy_apps()
    command = [pyapps.PYTHON, f"{copy}/make_database.py", f"{copy}/notes.db"]
    subprocess.run(command, check=True)
    os.chmod(f"{copy}/notes.db", 0o644)
    yield copy
    pyapps.remove_apps(copy)


class Gunicorn:
    """One process for all requests, for comparison."""

    def __init__(self, apps, app):
        self.port = zyg.free_port()
        self.log = open(os.path.join(apps, "gunicorn.log"), "ab")
        self.process = subprocess.Popen(
            [pyapps.PYTHON, "-m", "gunicorn", "-b", f"127.0.0.1:{self.port}", "--chdir", apps, app],
            stdout=self.log, stderr=self.log, env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"})
        wait_until(self.answers, what="gunicorn answers")

    def answers(self):
        assert self.process.poll() is None, "gunicorn has ended"
        try:
            with Connection(("127.0.0.1", self.port), 1):
                return True
        except OSError:
            return False

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(BOUND)
        self.log.close()


def servers(apps, app, warmups):
    """A daemon and a gunicorn that run the same application."""
    daemon = zyg.Zygoted(python_pool(
        "site", apps, app, {"warmup": warmups}, routes=["/"], timeout="60s", breaker=0,
        profile="files", read_paths=[apps, "/usr/lib/python3", "/usr/lib/python3.11"]))
    gunicorn = Gunicorn(apps, app)
    try:
        yield daemon.start(), gunicorn
    finally:
        gunicorn.stop()
        daemon.stop()


@pytest.fixture(scope="module")
def flask_alone(apps):
    yield from servers(apps, "flask_site:app", ["GET /", "GET /static/style.css"])


@pytest.fixture(scope="module")
def django_alone(apps):
    yield from servers(apps, "django_site.wsgi:application", ["GET /", "GET /file"])


WAYS = ["alone", pytest.param("nginx", marks=nginx.needs_nginx)]


def behind(way, pair):
    if way == "alone":
        yield pair
        return
    proxy = nginx.Nginx(pair)
    try:
        yield proxy.servers
    finally:
        proxy.stop()


@pytest.fixture(scope="module", params=WAYS)
def flask(request, flask_alone):
    yield from behind(request.param, flask_alone)


@pytest.fixture(scope="module", params=WAYS)
def django(request, django_alone):
    yield from behind(request.param, django_alone)


# ---- comparing ----

# They are the server's, or tell the time.
SERVERS_OWN = {"date", "server", "connection", "transfer-encoding", "keep-alive", "x-request-id"}
SECRETS = re.compile(r"((?:session|sessionid|csrftoken|csrfmiddlewaretoken)\"?(?: value)?=\"?)[^;\" ]+")
TIMES = re.compile(r"expires=[^;]+|^\w{3}, \d\d .*GMT$")


def ask(port, method, path, body=None, headers=()):
    with Connection(("127.0.0.1", port)) as connection:
        connection.request(method, path, body, [*headers, ("Connection", "close")])
        return connection.response(method)


def comparable(answer, port):
    headers = sorted((name, TIMES.sub("TIME", SECRETS.sub(r"\1SECRET", value)))
                     for name, value in answer.headers if name not in SERVERS_OWN)
    headers = [(name, sorted(value.split(", ")) if name == "allow" else value)  # Python's set: any order
               for name, value in headers]
    body = SECRETS.sub(r"\1SECRET", answer.body.decode("latin-1")).replace(str(port), "PORT")
    return answer.status, dict(headers), [h for h in headers if h[0] == "set-cookie"], body


def assert_same(pair, request):
    daemon, gunicorn = pair
    ours, theirs = ask(daemon.port, *request), ask(gunicorn.port, *request)
    one, other = comparable(ours, daemon.port), comparable(theirs, gunicorn.port)
    if "content-length" not in other[1]:  # a single block, whose length we know
        one[1].pop("content-length", None)
    if ours.status == 304:  # we say nothing of a body that is not there
        other[1].pop("content-length", None)
    assert one == other


def name_of(request):
    return f"{request[0]} {request[1][:40]}"


@pyapps.needs("flask")
@pytest.mark.parametrize("request_", [r for r in FLASK if r[1] != "/count"], ids=name_of)
def test_flask_answers_as_under_gunicorn(flask, request_):
    assert_same(flask, request_)


@pyapps.needs("django")
@pytest.mark.parametrize("request_", [r for r in DJANGO if r[1] not in ("/count", "/slash/")],
                         ids=name_of)
def test_django_answers_as_under_gunicorn(django, request_):
    assert_same(django, request_)


def cookies_of(answer):
    pairs = [value.split(";")[0] for name, value in answer.headers if name == "set-cookie"]
    return [("Cookie", "; ".join(pairs))]


@pytest.mark.parametrize("site", [
    pytest.param("flask", marks=pyapps.needs("flask")),
    pytest.param("django", marks=pyapps.needs("django")),
])
def test_a_session_lives_in_the_client_and_state_in_no_process(site, request):
    daemon, gunicorn = request.getfixturevalue(f"{site}_alone")
    for port in (daemon.port, gunicorn.port):
        answer = ask(port, "GET", "/login/gr%C3%BC%C3%9Fe")
        assert answer.status == 302 and answer.header("location") == "/whoami"
        found = ask(port, "GET", "/whoami", None, cookies_of(answer))
        assert "gr\\u00fc\\u00dfe" in found.text
    ours = [ask(daemon.port, "GET", "/count").text for _ in range(5)]
    theirs = [int(ask(gunicorn.port, "GET", "/count").text) for _ in range(5)]
    assert ours == ["1"] * 5
    assert theirs == list(range(theirs[0], theirs[0] + 5))


@pyapps.needs("django")
def test_a_form_of_django_with_its_token(django):
    for server in django:
        page = ask(server.port, "GET", "/")
        token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', page.text).group(1)
        body, headers = form(csrfmiddlewaretoken=token, a="\u00e4")
        answer = ask(server.port, "POST", "/form", body, headers + cookies_of(page))
        assert answer.status == 200 and '"a": ["\\u00e4"]' in answer.text


@pyapps.needs("flask")
def test_a_database_below_read_paths_is_read_and_not_written(flask):
    answer = ask(flask[0].port, "GET", "/write")
    assert answer.status == 503 and "readonly" in answer.text


@pyapps.needs("flask")
def test_an_exception_of_a_view_is_in_the_log(flask):
    assert ask(flask[0].port, "GET", "/error").status == 500
    flask[0].wait_log("RuntimeError: of the view")
