"""Real clients, over both kinds of listener: curl, http.client, requests, wrk, ab, and a browser that loads a page."""

import contextlib
import hashlib
import http.client
import re
import select
import shutil
import ssl
import subprocess
import time

import pytest

import certs
import secure
import zyg
from zyg import pool

BOUND = 120
SIZE = 3 << 20  # of uploads: more than every buffer on the way
CHUNKED = {"Transfer-Encoding": "chunked"}
BOTH = pytest.mark.parametrize("scheme", ["http", "https"])
BROWSER = shutil.which("chromium-headless-shell") or shutil.which("chromium")


class Site:
    """A daemon with a plain listener, one with TLS, and one that asks for clients' certificates."""

    def __init__(self, folder):
        self.authority = certs.Authority(folder)
        server = self.authority.issue("localhost", "DNS:localhost,IP:127.0.0.1")
        self.client = self.authority.issue("alice", "DNS:alice.test")
        self.daemon = zyg.Zygoted(*self.pools(), listeners=3)
        sections = list(self.daemon.sections.values())
        sections[1].update(secure.server(server))
        sections[2].update(secure.server(server, client_ca=self.authority.path, client_verify="required"))
        self.daemon.write_config(self.daemon.config_text(self.pools()))
        self.body = bytes(i * i % 251 for i in range(SIZE))
        self.file = str(folder / "body")
        with open(self.file, "wb") as file:
            file.write(self.body)

    def pools(self):
        return pool("echo", body="8M"), pool("probe", body=SIZE), pool("small", "echo", body=1000, spare=1)

    def pieces(self):
        return (self.body[i : i + 70000] for i in range(0, SIZE, 70000))

    def port(self, scheme):
        return self.daemon.ports[{"http": 0, "https": 1, "mutual": 2}[scheme]]

    def url(self, scheme, path="/echo/"):
        return f"{scheme.replace('mutual', 'https')}://127.0.0.1:{self.port(scheme)}{path}"

    def accepted(self):
        return self.daemon.ctl("stats")["front"]["accepted"]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    site = Site(tmp_path_factory.mktemp("site"))
    try:
        site.daemon.start()
        yield site
    finally:
        site.daemon.stop()


# ---- curl ----


def curl(site, *arguments, data=None):
    command = ["curl", "-sS", "-4", "--max-time", "60", "--cacert", site.authority.path, *arguments]
    return subprocess.run(command, input=data, capture_output=True, timeout=BOUND)


def expect_body(site, result):
    assert result.returncode == 0, result.stderr[-500:]
    assert hashlib.sha256(result.stdout).digest() == hashlib.sha256(site.body).digest()


@BOTH
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_curl_speaks_both_versions(site, scheme, version):
    result = curl(site, f"--http{version}", "-w", "%{http_version} %{response_code}", site.url(scheme, "/echo/a?b"))
    assert b"path: /echo/a\nquery: b\n" in result.stdout and result.stdout.endswith(b"1.1 200")


@BOTH
def test_curl_uses_a_connection_again(site, scheme):
    before = site.accepted()
    result = curl(site, *[site.url(scheme, f"/echo/{i}") for i in range(20)])
    assert result.stdout.count(b"path: /echo/") == 20 and site.accepted() == before + 1


@BOTH
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_curl_uploads_a_file(site, scheme, version):
    expect_body(site, curl(site, f"--http{version}", "-T", site.file, site.url(scheme, "/echo/file")))


@BOTH
def test_curl_uploads_chunks(site, scheme):
    """From a pipe: the length is not known."""
    result = curl(site, "-v", "-T", "-", site.url(scheme), data=site.body)
    expect_body(site, result)
    assert b"> Transfer-Encoding: chunked" in result.stderr


@BOTH
def test_curl_waits_for_100_continue(site, scheme):
    """For half a minute, and would be slow without one."""
    arguments = ["-v", "-H", "Expect: 100-continue", "--expect100-timeout", "30", "--data-binary", f"@{site.file}"]
    result = curl(site, *arguments, site.url(scheme))
    expect_body(site, result)
    assert b"< HTTP/1.1 100 Continue" in result.stderr


@BOTH
def test_curl_is_told_before_it_sends_too_much(site, scheme):
    arguments = ["-v", "-H", "Expect: 100-continue", "--expect100-timeout", "30", "--data-binary", f"@{site.file}"]
    result = curl(site, *arguments, "-w", "%{response_code} %{size_upload}", site.url(scheme, "/small/"))
    assert result.stdout.endswith(b"413 0") and b"100 Continue" not in result.stderr


@BOTH
def test_curl_sends_a_form_with_a_file(site, scheme):
    result = curl(site, "-F", "name=value", "-F", f"file=@{site.file}", site.url(scheme))
    assert result.returncode == 0 and b'name="name"\r\n\r\nvalue\r\n' in result.stdout and site.body in result.stdout


@BOTH
def test_curl_asks_for_the_head_alone(site, scheme):
    result = curl(site, "-I", site.url(scheme))
    assert result.stdout.startswith(b"HTTP/1.1 200 OK\r\n") and result.stdout.endswith(b"\r\n\r\n")


def test_curl_shows_a_certificate(site):
    key = ["--cert", site.client.chain, "--key", site.client.key]
    assert b"CN=alice" in curl(site, *key, site.url("mutual", "/probe/tls")).stdout
    refused = curl(site, site.url("mutual", "/probe/tls"))
    assert refused.returncode != 0 and not refused.stdout


@BOTH
def test_curl_sees_that_an_answer_broke_off(site, scheme):
    result = curl(site, site.url(scheme, "/probe/break/segv"))
    assert result.returncode != 0 and result.stdout == b"the beginning"


# ---- Python ----


def http_client(site, scheme):
    if scheme == "http":
        return http.client.HTTPConnection("127.0.0.1", site.port(scheme), timeout=60)
    context = ssl.create_default_context(cafile=site.authority.path)
    return http.client.HTTPSConnection("127.0.0.1", site.port(scheme), timeout=60, context=context)


@BOTH
def test_http_client_keeps_its_connection(site, scheme):
    before = site.accepted()
    connection = http_client(site, scheme)
    for i in range(50):
        connection.request("PUT", f"/echo/{i}", body=b"%d" % i)
        assert connection.getresponse().read() == b"%d" % i
    connection.request("HEAD", "/echo/")
    assert connection.getresponse().read() == b""
    connection.request("GET", "/probe/trickle/3")
    assert connection.getresponse().read() == b"line 0\nline 1\nline 2\n"
    connection.close()
    assert site.accepted() == before + 1


@BOTH
def test_http_client_uploads_chunks(site, scheme):
    """It reads nothing before it has sent all: to a worker that answers at the end."""
    connection = http_client(site, scheme)
    connection.request("POST", "/probe/discard/", body=site.pieces(), encode_chunked=True, headers=CHUNKED)
    assert connection.getresponse().read() == b"%d\n" % SIZE
    connection.close()


@pytest.fixture
def session(site):
    requests = pytest.importorskip("requests")
    with requests.Session() as session:
        session.trust_env = False
        session.verify = site.authority.path
        yield session


@BOTH
def test_requests_keeps_its_connection(site, session, scheme):
    before = site.accepted()
    for i in range(50):
        answer = session.post(site.url(scheme), data={"number": i}, timeout=60)
        assert (answer.status_code, answer.text) == (200, f"number={i}")
    assert session.head(site.url(scheme), timeout=60).content == b""
    assert site.accepted() == before + 1


@BOTH
def test_requests_streams_both_ways(site, session, scheme):
    discard = site.url(scheme, "/probe/discard/")
    assert session.post(discard, data=site.pieces(), timeout=60).text == f"{SIZE}\n"
    with open(site.file, "rb") as file:
        assert session.put(discard, data=file, timeout=60).text == f"{SIZE}\n"
    answer = session.get(site.url(scheme, f"/probe/write/{SIZE}"), stream=True, timeout=60)
    assert sum(map(len, answer.iter_content(10000))) == SIZE


@BOTH
def test_requests_sees_that_an_answer_broke_off(site, session, scheme):
    import requests

    with pytest.raises(requests.RequestException):
        session.get(site.url(scheme, "/probe/break/segv"), timeout=60)
    assert session.get(site.url(scheme), timeout=60).ok


def test_requests_shows_a_certificate(site, session):
    import requests

    with pytest.raises(requests.RequestException):
        session.get(site.url("mutual", "/probe/tls"), timeout=60)
    session.cert = (site.client.chain, site.client.key)
    assert "CN=alice" in session.get(site.url("mutual", "/probe/tls"), timeout=60).text


# ---- a client that reads as late as it can ----


def exchange_late(connection, data, size):
    """Sends all of the data; reads only what it must so that it can go on. Then the rest of `size` bytes of answer."""
    connection.setblocking(False)
    received = b""
    end = time.monotonic() + BOUND
    while data:
        assert time.monotonic() < end, "the upload has stopped"
        try:
            data = data[connection.send(data) :]
            continue
        except (BlockingIOError, ssl.SSLWantWriteError):
            pass
        if not select.select([], [connection], [], 0.05)[1]:
            with contextlib.suppress(BlockingIOError, ssl.SSLWantReadError):
                received += connection.recv(65536)
    connection.settimeout(60)
    while len(received) < size:
        piece = connection.recv(65536)
        assert piece, f"the answer broke off after {len(received)} bytes"
        received += piece
    return received


@BOTH
def test_an_upload_whose_answer_is_read_late_goes_on_to_its_end(site, scheme):
    """The answer waits for the client, so the child waits to write, so the body waits for the child. All have to go on: not
    least with the end of the body, behind which nothing comes that would wake anybody."""
    head = b"POST /echo/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    data = head + b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in site.pieces()) + b"0\r\n\r\n"
    connection = http_client(site, scheme)
    connection.connect()
    for _ in range(40):
        received = exchange_late(connection.sock, data, SIZE)
        while not received.endswith(b"\r\n0\r\n\r\n"):
            piece = connection.sock.recv(65536)
            assert piece, "the answer has no end"
            received += piece
    connection.close()


# ---- load generators ----


@BOTH
def test_wrk_counts_no_error(site, scheme):
    command = ["wrk", "-t1", "-c16", "-d1s", "--timeout", "60s", site.url(scheme)]
    text = subprocess.run(command, capture_output=True, text=True, timeout=BOUND).stdout
    assert "Non-2xx" not in text and "Socket errors" not in text
    assert int(re.search(r"(\d+) requests in", text)[1]) > 100


@BOTH
@pytest.mark.parametrize("keep", [True, False])
def test_ab_counts_no_error(site, scheme, keep):
    """It speaks HTTP/1.0, with Connection: Keep-Alive if it is to keep connections."""
    if shutil.which("ab") is None:
        pytest.skip("ab is not installed (apache2-utils)")
    url = site.url(scheme)
    command = ["ab", "-l", "-s", "60", *["-k"] * keep, "-n", "500", "-c", "16", url]
    text = subprocess.run(command, capture_output=True, text=True, timeout=BOUND).stdout
    figures = dict(re.findall(r"^([A-Z][A-Za-z0-9 -]+):\s+(\d+)", text, re.M))
    assert figures["Complete requests"] == "500" and figures["Failed requests"] == "0", text
    assert figures.get("Keep-Alive requests", "0") == ("500" if keep else "0") and "Non-2xx" not in text


# ---- a browser ----

PAGE = """<!doctype html><title>page</title><link rel=stylesheet href=/style><script src=/script defer></script>
<img id=image src=/image><p id=text>not yet</p>"""
SCRIPT = """window.onload = async () => {
  const data = await (await fetch("/data")).json();
  const sent = "x".repeat(300000);
  const echoed = await (await fetch("/echo/", {method: "POST", body: sent})).text();
  const many = await Promise.all([...Array(20).keys()].map(i => fetch("/echo/" + i).then(answer => answer.text())));
  const inOrder = many.every((text, i) => text.includes("path: /echo/" + i + "\\n"));
  const color = getComputedStyle(document.getElementById("text")).color;
  document.getElementById("text").textContent = [
    data.name, echoed === sent, inOrder, color, document.getElementById("image").naturalWidth].join(" | ");
};"""
IMAGE = '<svg xmlns="http://www.w3.org/2000/svg" width="37" height="20"><rect width="37" height="20"/></svg>'
ASSETS = {
    "page": ("text/html; charset=utf-8", PAGE),
    "style": ("text/css", "p { color: rgb(1, 2, 3) }"),
    "script": ("text/javascript", SCRIPT),
    "image": ("image/svg+xml", IMAGE),
    "data": ("application/json", '{"name": "zygoted"}'),
}


def asset_pools():
    for name, (kind, text) in ASSETS.items():
        yield pool(name, "text", {"type": kind, "text": text}, routes=[f"=/{name}"], spare=2)
    yield pool("echo", spare=2)


@pytest.mark.long
@pytest.mark.plain_build
@BOTH
def test_a_browser_loads_a_page(zygoted, site, tmp_path, scheme):
    """Style sheet, script and image; then the script's own requests, one of them an upload, 20 at once."""
    if BROWSER is None:
        pytest.skip("no chromium is installed (chromium-headless-shell)")
    server = site.authority.issue(f"browsed-{scheme}", "DNS:localhost,IP:127.0.0.1")
    daemon = zygoted(*asset_pools(), tls=secure.server(server) if scheme == "https" else None)
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--ignore-certificate-errors"]
    options += [f"--user-data-dir={tmp_path}", "--virtual-time-budget=20000", "--dump-dom"]
    url = f"{scheme}://127.0.0.1:{daemon.port}/page"
    command = [BROWSER, *options, url]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    expected = '<p id="text">zygoted | true | true | rgb(1, 2, 3) | 37</p>'
    assert expected in result.stdout, result.stdout + result.stderr[-2000:]
    assert all(daemon.stats(name)["outcomes"]["ok"] == 1 for name in ASSETS)
    assert daemon.stats("echo")["outcomes"]["ok"] == 21
