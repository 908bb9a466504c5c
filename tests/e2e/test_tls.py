"""TLS as clients see it: versions, certificates by name, ALPN, tickets, stapling, and bodies of every size through it."""

import contextlib
import hashlib
import re
import ssl
import subprocess
import threading
import time

import pytest

import certs
import secure
import zyg
from zyg import pool, wait_until

MIB = 1 << 20


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return certs.Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def named(authority):
    """Certificates by the host that they are for."""
    return {
        "localhost": authority.issue("localhost", "DNS:localhost,IP:127.0.0.1"),
        "b.test": authority.issue("b.test", "DNS:b.test,DNS:*.wild.test", kind="rsa"),
    }


@pytest.fixture(scope="module")
def daemon(authority, named):
    """Plain on the first port, TLS on the last, with two certificates, the second one stapled."""
    chains = [certificate.chain for certificate in named.values()]
    keys = [certificate.key for certificate in named.values()]
    staples = ["", authority.staple(named["b.test"])]
    tls = {"certificate": chains, "key": keys, "ocsp": staples}
    daemon = zyg.Zygoted(
        pool("echo", body="2G", reply="2G", timeout="60s"),
        pool("probe", body="64M", timeout="2m"),
        listeners=2,
        tls=tls,
    )
    try:
        yield daemon.start()
    finally:
        daemon.stop()


def s_client(daemon, *arguments, data=b"", **more):
    """openssl s_client's output."""
    port = f"127.0.0.1:{daemon.ports[-1]}"
    return certs.openssl("s_client", "-connect", port, *arguments, data=data, check=False, **more).stdout.decode()


# ---- versions and ciphers ----


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_curl_is_answered(daemon, authority, version):
    url = f"https://localhost:{daemon.ports[-1]}/echo/"
    command = ["curl", "-sS", "--cacert", authority.path, f"--tlsv{version}", "--tls-max", version]
    result = subprocess.run([*command, "--data-binary", "hello", url], capture_output=True, timeout=60)
    assert (result.returncode, result.stdout) == (0, b"hello"), result.stderr


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_the_worker_is_told_what_is_spoken(daemon, authority, version):
    context = secure.trust(authority, version)
    lines = secure.get(daemon, "/probe/tls", context).text.split("\n")
    assert lines[:2] == ["https", f"TLSv{version}"] and "GCM" in lines[2] + lines[2].replace("CHACHA20", "GCM")
    assert lines[3:6] == ["localhost", "", ""]


def test_the_plain_listener_says_nothing_of_tls(daemon):
    assert daemon.get("/probe/tls").text == "http\n\n\n\n\n\n"


@pytest.mark.parametrize("version", ["-tls1", "-tls1_1"])
def test_old_versions_are_refused(daemon, version):
    text = s_client(daemon, version, "-cipher", "ALL:@SECLEVEL=0")
    assert "Cipher is (NONE)" in text


def test_weak_ciphers_are_refused(daemon):
    text = s_client(daemon, "-tls1_2", "-cipher", "AES128-SHA:ECDHE-RSA-AES128-SHA:DHE:@SECLEVEL=0")
    assert "Cipher is (NONE)" in text


def test_tls_min(zygoted, authority, named):
    daemon = zygoted(tls=secure.server(named["localhost"], tls_min="1.3"))
    with pytest.raises(ssl.SSLError):
        secure.get(daemon, "/echo/", secure.trust(authority, "1.2"))
    assert secure.get(daemon, "/echo/", secure.trust(authority, "1.3")).status == 200


def test_no_renegotiation_and_no_compression(daemon):
    text = s_client(daemon, "-tls1_2", data=b"R\n")
    assert "Compression: NONE" in text and "Cipher is ECDHE" in text
    assert "Secure Renegotiation IS supported" in text  # the extension, not the deed
    port = f"127.0.0.1:{daemon.ports[-1]}"
    result = certs.openssl("s_client", "-connect", port, "-tls1_2", data=b"R\n", check=False)
    assert b"no renegotiation" in result.stderr


# ---- certificates by name ----


def served(daemon, *arguments):
    return re.search(r"subject=CN = (\S+)", s_client(daemon, *arguments)).group(1)


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize(
    "name, certificate",
    [
        ("localhost", "localhost"),
        ("b.test", "b.test"),
        ("x.wild.test", "b.test"),
        ("B.TEST", "b.test"),
        ("x.y.wild.test", "localhost"),
        ("unknown.test", "localhost"),
    ],
)
def test_the_name_chooses_the_certificate(daemon, version, name, certificate):
    assert served(daemon, version, "-servername", name) == certificate


def test_without_a_name_the_first_certificate_is_shown(daemon):
    assert served(daemon, "-noservername") == "localhost"


def test_alpn_is_http_1_1_alone(daemon):
    assert "ALPN protocol: http/1.1" in s_client(daemon, "-alpn", "h2,http/1.1")
    assert "No ALPN negotiated" in s_client(daemon)
    text = s_client(daemon, "-alpn", "h2")
    assert "Cipher is (NONE)" in text


def test_a_staple_is_sent_with_its_certificate_alone(daemon):
    assert "OCSP Response Status: successful" in s_client(daemon, "-status", "-servername", "b.test")
    assert "OCSP response: no response sent" in s_client(daemon, "-status", "-servername", "localhost")


def test_a_staple_that_has_expired_is_not_sent(zygoted, authority):
    certificate = authority.issue("stale", "DNS:localhost")
    staple = authority.staple(certificate, until=time.time() + 8)
    daemon = zygoted(tls=secure.server(certificate, ocsp=staple))
    assert "OCSP Response Status: successful" in s_client(daemon, "-status")
    wait_until(lambda: "OCSP response: no response sent" in s_client(daemon, "-status"))


# ---- tickets ----


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_session_is_resumed(daemon, authority, version):
    context = secure.trust(authority, version)
    before = secure.counts(daemon)
    with secure.connect(daemon, context) as connection:
        connection.request("GET", "/echo/")
        connection.response()
        session = connection.socket.session
    with secure.connect(daemon, context, session=session) as connection:
        assert connection.socket.session_reused
        connection.request("GET", "/probe/tls")
        assert connection.response().text.startswith(f"https\nTLSv{version}\n")
    now = secure.counts(daemon)
    assert now["ok"] - before["ok"] == 2 and now["resumed"] - before["resumed"] == 1


def test_s_client_reconnects_with_its_ticket(daemon):
    text = s_client(daemon, "-tls1_2", "-reconnect")
    assert text.count("Reused, TLSv1.2") == 5


def reused(daemon, context, session):
    with secure.connect(daemon, context, session=session) as connection:
        return connection.socket.session_reused


def test_keys_of_tickets_change_and_the_previous_one_is_accepted(zygoted, authority, named):
    """A ticket is good for one lifetime; keys are gone after two."""
    daemon = zygoted(tls=secure.server(named["localhost"]), ticket_lifetime="4s")
    context = secure.trust(authority, "1.2")
    with secure.connect(daemon, context) as connection:
        session = connection.socket.session
        assert connection.socket.session.has_ticket and session.ticket_lifetime_hint == 4
    assert reused(daemon, context, session)
    wait_until(lambda: not reused(daemon, context, session))
    with secure.connect(daemon, context) as connection:
        assert reused(daemon, context, connection.socket.session)


def test_no_tickets(zygoted, authority, named):
    daemon = zygoted(tls=secure.server(named["localhost"]), ticket_lifetime="0s")
    with secure.connect(daemon, secure.trust(authority, "1.2")) as connection:
        assert not connection.socket.session.has_ticket


def test_a_new_front_does_not_know_the_tickets_of_the_old_one(zygoted, authority, named):
    daemon = zygoted(tls=secure.server(named["localhost"]))
    context = secure.trust(authority, "1.2")
    with secure.connect(daemon, context) as connection:
        session = connection.socket.session
    old = daemon.front_pid()
    daemon.kill(old)
    wait_until(lambda: daemon.front_pid() not in (None, old))
    daemon.wait_ready()
    assert not reused(daemon, context, session)
    assert secure.get(daemon, "/echo/", context).status == 200


# ---- bodies ----


def upload(connection, data):
    connection.request("POST", "/echo/", headers=[("Content-Length", len(data))])
    connection.buffer += b"".join(secure.duplex(connection, [data] if data else []))
    return connection.response()


@pytest.mark.parametrize("size", [0, 1, 16383, 16384, 16385, 100000, 8 * MIB])
def test_bodies_of_every_size_come_back_whole(daemon, authority, size):
    data = hashlib.shake_128(b"body").digest(size)
    with secure.connect(daemon, secure.trust(authority)) as connection:
        for _ in range(2):
            assert upload(connection, data).body == data


def stream(daemon, context, size):
    """Sends and reads `size` bytes at once; the digest of what came."""
    piece = hashlib.shake_128(b"piece").digest(MIB)
    with secure.connect(daemon, context, timeout=120) as connection:
        connection.request("POST", "/echo/", headers=[("Content-Length", size)])
        digest, head, count = hashlib.sha256(), b"", 0
        for part in secure.duplex(connection, [piece] * (size // MIB)):
            if b"\r\n\r\n" not in head:
                head += part
                part = head.partition(b"\r\n\r\n")[2]
            digest.update(part)
            count += len(part)
        while count < size:
            part = connection.socket.recv(65536)
            digest.update(part)
            count += len(part)
    expected = hashlib.sha256()
    for _ in range(size // MIB):
        expected.update(piece)
    return count == size and digest.digest() == expected.digest()


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_64_mib_through_tls(daemon, authority, version):
    assert stream(daemon, secure.trust(authority, version), 64 * MIB)


def discard(daemon, context, size, count, answers):
    """Uploads, one after the other, to a worker that says how much it has read."""
    piece = bytes(65536)
    for _ in range(count):
        with secure.connect(daemon, context) as connection:
            connection.request("POST", "/probe/discard", headers=[("Content-Length", size)])
            for _ in range(size // len(piece)):
                connection.send(piece)
            answers.append(connection.response().text)


@pytest.mark.long
def test_uploads_side_by_side_reach_their_children_whole(daemon, authority):
    """A child that takes its bytes just when more of them come from the client loses none."""
    answers, size = [], 16 * MIB
    arguments = (daemon, secure.trust(authority), size, 75, answers)
    threads = [threading.Thread(target=discard, args=arguments) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [f"{size}\n"] * 300


@pytest.mark.long
def test_1_gib_through_tls(daemon, authority):
    assert stream(daemon, secure.trust(authority), 1024 * MIB)


def test_pipelined_requests_in_one_record(daemon, authority):
    with secure.connect(daemon, secure.trust(authority)) as connection:
        connection.send(b"".join(b"GET /echo/%d HTTP/1.1\r\nHost: a\r\n\r\n" % i for i in range(200)))
        for i in range(200):
            assert f"path: /echo/{i}\n" in connection.response().text


def test_a_request_byte_by_byte(daemon, authority):
    with secure.connect(daemon, secure.trust(authority)) as connection:
        for byte in b"POST /echo/ HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc":
            connection.send(bytes([byte]))
        assert connection.response().body == b"abc"


# ---- ends ----


def test_a_complete_answer_ends_with_close_notify(daemon, authority):
    with secure.connect(daemon, secure.trust(authority)) as connection:
        connection.send(b"GET /probe/write/100000 HTTP/1.0\r\n\r\n")
        assert len(connection.response().body) == 100000
        assert connection.socket.recv(1) == b""  # an end without close_notify would raise


def test_an_idle_connection_ends_with_close_notify(zygoted, authority, named):
    daemon = zygoted(tls=secure.server(named["localhost"]), idle_timeout="200ms")
    with secure.connect(daemon, secure.trust(authority)) as connection:
        connection.request("GET", "/echo/")
        assert connection.response().status == 200
        assert connection.socket.recv(1) == b""


def test_an_answer_that_breaks_off_is_seen_to(daemon, authority):
    """An HTTP/1.0 answer without a length ends with the connection: it must not look complete."""
    with secure.connect(daemon, secure.trust(authority)) as connection:
        connection.send(b"GET /probe/break HTTP/1.0\r\n\r\n")
        with pytest.raises((ssl.SSLError, ConnectionResetError)):
            connection.response()


def test_a_client_that_says_goodbye_and_stays_is_let_go(daemon, authority):
    """close_notify without closing TCP: the connection ends, and a request in progress with it."""
    before = daemon.outcome("client_gone", "probe")
    with secure.connect(daemon, secure.trust(authority, "1.2")) as connection:
        connection.request("GET", "/probe/sleep/100000")
        daemon.wait_busy("probe")
        with contextlib.suppress(OSError):
            connection.socket.unwrap()
        daemon.wait_idle("probe")
    assert daemon.outcome("client_gone", "probe") == before + 1


@pytest.mark.parametrize("leave", ["close", "reset"])
def test_a_client_that_leaves_takes_its_child_with_it(daemon, authority, leave):
    before = daemon.outcome("client_gone", "probe")
    connection = secure.connect(daemon, secure.trust(authority))
    connection.request("GET", "/probe/sleep/100000")
    daemon.wait_busy("probe")
    getattr(connection, leave)()
    daemon.wait_idle("probe")
    assert daemon.outcome("client_gone", "probe") == before + 1
