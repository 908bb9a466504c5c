"""Certificates of clients: who gets in, and what workers are told about them."""

import ssl

import pytest

import certs
import secure
import zyg
from zyg import pool, wait_until

VERSIONS = pytest.mark.parametrize("version", ["1.2", "1.3"])


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return certs.Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def clients(tmp_path_factory):
    """The authority of clients' certificates: another one than the server's."""
    return certs.Authority(tmp_path_factory.mktemp("clients"), "clients")


@pytest.fixture(scope="module")
def strangers(tmp_path_factory):
    return certs.Authority(tmp_path_factory.mktemp("strangers"), "strangers")


@pytest.fixture(scope="module")
def server(authority):
    return authority.issue("localhost", "DNS:localhost")


@pytest.fixture(scope="module")
def alice(clients):
    san = "DNS:alice.test,email:alice@example.org,IP:192.0.2.1,IP:2001:db8::1,URI:urn:x:1"
    return clients.issue("alice", san, "/O=Example/CN=alice")


def daemon_that_verifies(server, clients, verify):
    tls = secure.server(server, client_ca=clients.path, client_verify=verify)
    return zyg.Zygoted(pool("echo"), pool("probe"), tls=tls)


@pytest.fixture(scope="module", params=["optional", "required"])
def daemon(request, server, clients):
    daemon = daemon_that_verifies(server, clients, request.param)
    daemon.verify = request.param
    try:
        yield daemon.start()
    finally:
        daemon.stop()


def told(daemon, context, **more):
    """Subject and SAN that the worker was told."""
    return secure.get(daemon, "/probe/tls", context, **more).text.split("\n")[4:6]


def is_refused(daemon, context):
    """TLS 1.3: the client believes that all is well until it reads."""
    try:
        secure.get(daemon, "/probe/tls", context)
    except (ssl.SSLError, ConnectionResetError):
        return True
    return False


@VERSIONS
def test_a_good_certificate_is_told_to_the_worker(daemon, authority, alice, version):
    assert told(daemon, secure.trust(authority, version, alice)) == [
        "CN=alice,O=Example",
        "DNS:alice.test,email:alice@example.org,IP:192.0.2.1,IP:2001:db8::1,URI:urn:x:1",
    ]


@VERSIONS
def test_without_a_certificate(daemon, authority, version):
    context = secure.trust(authority, version)
    if daemon.verify == "required":
        assert is_refused(daemon, context)
    else:
        assert told(daemon, context) == ["", ""]


@VERSIONS
def test_a_stranger_is_refused(daemon, authority, strangers, version):
    mallory = strangers.issue("mallory", "DNS:alice.test", "/O=Example/CN=alice")
    failed = secure.counts(daemon)["failed"]
    assert is_refused(daemon, secure.trust(authority, version, mallory))
    wait_until(lambda: secure.counts(daemon)["failed"] == failed + 1)


@VERSIONS
def test_an_expired_certificate_is_refused(daemon, authority, clients, version):
    expired = clients.issue("expired", "DNS:alice.test", days=-1)
    assert is_refused(daemon, secure.trust(authority, version, expired))


@VERSIONS
def test_a_resumed_session_knows_its_client(daemon, authority, alice, version):
    context = secure.trust(authority, version, alice)
    with secure.connect(daemon, context) as connection:
        connection.request("GET", "/probe/tls")
        first = connection.response().text
        session = connection.socket.session
    with secure.connect(daemon, context, session=session) as connection:
        assert connection.socket.session_reused
        connection.request("GET", "/probe/tls")
        assert connection.response().text == first and "alice" in first


def test_a_listeners_sessions_are_of_no_use_on_another(zygoted, authority, server, clients):
    """A ticket that was given to nobody in particular must not open the door that asks for a certificate."""
    daemon = zygoted(pool("probe"), listeners=2, tls=secure.server(server), start=False)
    daemon.sections["web"] |= secure.server(server, client_ca=clients.path, client_verify="required")
    daemon.write_config(zyg.format_config({"control": daemon.control}, daemon.sections, [pool("probe")]))
    daemon.start()
    for version in ("1.2", "1.3"):
        context = secure.trust(authority, version)
        with secure.connect(daemon, context) as connection:
            connection.request("GET", "/probe/tls")
            connection.response()
            session = connection.socket.session
        assert session.has_ticket
        with pytest.raises((ssl.SSLError, ConnectionResetError)):
            with secure.wrap(daemon.connect(listener=0), context, session=session) as connection:
                connection.request("GET", "/probe/tls")
                connection.response()


NAMES = [
    ("comma", "/CN=a,O=b", None, ["CN=a\\,O=b", ""]),
    ("utf8", "/CN=J\u00fcrgen", None, ["CN=J\\C3\\BCrgen", ""]),
    ("injected", "/CN=x", '@names\n[names]\nDNS.1=a.test\\,DNS:root.test', ["CN=x", "DNS:a.test\\2CDNS:root.test"]),
    ("newline", "/CN=x", '@names\n[names]\nURI.1=urn:a\\nX-Root: yes', ["CN=x", "URI:urn:a\\0AX-Root:\\20yes"]),
]


@pytest.mark.parametrize("name, subject, san, expected", NAMES, ids=[row[0] for row in NAMES])
def test_names_are_escaped(daemon, authority, clients, name, subject, san, expected):
    certificate = clients.issue(name, san, subject)
    assert told(daemon, secure.trust(authority, "1.3", certificate)) == expected


def test_names_that_are_too_long_are_refused_and_not_cut(daemon, authority, clients):
    san = ",".join(f"DNS:{i:04}-{'x' * 50}.test" for i in range(60))
    certificate = clients.issue("long", san)
    assert is_refused(daemon, secure.trust(authority, "1.3", certificate))


def test_a_certificate_without_any_name_is_refused(daemon, authority, clients):
    certificate = clients.issue("nameless", None, "/")
    assert is_refused(daemon, secure.trust(authority, "1.3", certificate))


def test_headers_cannot_pretend_a_certificate(daemon, authority, alice):
    """What is known by the handshake reaches the worker in fields of its own."""
    context = secure.trust(authority, "1.3", alice if daemon.verify == "required" else None)
    with secure.connect(daemon, context) as connection:
        connection.request("GET", "/probe/tls", headers=[("X-Client-Subject", "CN=root")])
        assert "root" not in connection.response().text
