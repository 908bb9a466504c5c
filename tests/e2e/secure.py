"""TLS clients for tests: connections of client.py over ssl, and a daemon's listener that speaks TLS."""

import select
import ssl
import time

from client import Connection

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def server(certificate, **keys):
    """A listener's keys for Zygoted(tls=...)."""
    return {"certificate": certificate.chain, "key": certificate.key, **keys}


def trust(authority, version=None, certificate=None, alpn=None):
    """A client's context: what it trusts, and what it shows of itself."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF  # Python would take any end for a close_notify
    context.load_verify_locations(authority.path)
    if version:
        context.minimum_version = context.maximum_version = VERSIONS[version]
    if certificate:
        context.load_cert_chain(certificate.chain, certificate.key)
    if alpn:
        context.set_alpn_protocols(alpn)
    return context


def wrap(connection, context, name="localhost", session=None):
    """Speaks TLS on a connection from here on. A stream that ends without a close_notify raises ssl.SSLEOFError."""
    connection.socket = context.wrap_socket(
        connection.socket, server_hostname=name, suppress_ragged_eofs=False, session=session
    )
    return connection


def connect(daemon, context, name="localhost", timeout=60, session=None) -> Connection:
    return wrap(daemon.connect(timeout, len(daemon.ports) - 1), context, name, session)


def duplex(connection, pieces, timeout=120):
    """Sends the pieces while it yields what comes, until nothing has to be sent any more. In one thread: two must not use
    one SSL object."""
    connection.socket.setblocking(False)
    end = time.monotonic() + timeout
    pieces = iter(pieces)
    left = next(pieces, b"")
    while left:
        assert time.monotonic() < end, "the stream has stopped"
        stuck = True
        try:
            sent = connection.socket.send(left)
            left, stuck = left[sent:] or next(pieces, b""), False
        except ssl.SSLWantWriteError:
            pass
        try:
            yield connection.socket.recv(65536)
            stuck = False
        except ssl.SSLWantReadError:
            pass
        if stuck:
            select.select([connection.socket], [connection.socket], [], 1)
    connection.socket.setblocking(True)
    connection.socket.settimeout(timeout)


def get(daemon, path, context, **more):
    with connect(daemon, context, **more) as connection:
        connection.request("GET", path)
        return connection.response()


def counts(daemon):
    """The front's figures about handshakes, without the prefix."""
    front = daemon.ctl("stats")["front"]
    return {key.removeprefix("handshakes_"): value for key, value in front.items() if "handshak" in key}
