"""What applications are told of the client's TLS: by the python and the lua worker."""

import json
import os

import pytest

import certs
import pyapps
import secure
import zyg

HERE = [name for name in ("python", "lua") if os.path.exists(os.path.join(zyg.BUILD, "workers", f"{name}.so"))]
NAME, SAN = "/C=DE/CN=alice", "DNS:a.example,email:a@example.org"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return certs.Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def daemon(authority):
    """Plain on the first port, TLS on the last; a client may show a certificate."""
    apps = pyapps.copy_apps()
    pools = {
        "python": pyapps.python_pool("python", apps, "plain:validated", timeout="60s"),
        "lua": zyg.pool("lua", options={"script": f"{apps}/deeds.lua"}),
    }
    certificate = authority.issue("localhost", "DNS:localhost")
    tls = secure.server(certificate, client_ca=authority.path, client_verify="optional")
    started = zyg.Zygoted(*[pools[name] for name in HERE], listeners=2, tls=tls)
    try:
        yield started.start()
    finally:
        started.stop()
        pyapps.remove_apps(apps)


def python_environ(text):
    environ = json.loads(text)
    return {name: value for name, value in environ.items()
            if name.startswith("SSL_") or name in ("HTTPS", "wsgi.url_scheme")}


def lua_table(text):
    return dict(line.split("=", 1) for line in text.split("\n"))


def needs(name):
    return pytest.mark.skipif(name not in HERE, reason=f"the {name} worker was not built")


@needs("python")
@pytest.mark.parametrize("is_known", [True, False])
def test_wsgi_environ(daemon, authority, is_known):
    shown = authority.issue("alice", SAN, NAME) if is_known else None
    context = secure.trust(authority, "1.3", shown)
    environ = python_environ(secure.get(daemon, "/python/show", context).text)
    assert environ.pop("SSL_CIPHER").startswith("TLS_")
    assert environ == {
        "HTTPS": "on", "wsgi.url_scheme": "https", "SSL_PROTOCOL": "TLSv1.3", "SSL_TLS_SNI": "localhost",
        "SSL_CLIENT_VERIFY": "SUCCESS" if is_known else "NONE",
        "SSL_CLIENT_S_DN": "CN=alice,C=DE" if is_known else "", "SSL_CLIENT_SAN": SAN if is_known else "",
    }


@needs("python")
def test_wsgi_environ_without_tls_has_none_of_it_whatever_a_client_says(daemon):
    headers = [("Ssl-Client-Verify", "SUCCESS"), ("Ssl_Client_Verify", "SUCCESS"), ("Https", "on")]
    environ = python_environ(daemon.get("/python/show", headers=headers).text)
    assert environ == {"wsgi.url_scheme": "http"}


@needs("lua")
@pytest.mark.parametrize("is_known", [True, False])
def test_lua_request(daemon, authority, is_known):
    shown = authority.issue("alice", SAN, NAME) if is_known else None
    table = lua_table(secure.get(daemon, "/lua/tls", secure.trust(authority, "1.2", shown)).text)
    assert table.pop("tls_cipher")
    assert table == {
        "scheme": "https", "tls_version": "TLSv1.2", "tls_server_name": "localhost",
        "client_subject": "CN=alice,C=DE" if is_known else "", "client_san": SAN if is_known else "",
    }


@needs("lua")
def test_lua_request_without_tls(daemon):
    table = lua_table(daemon.get("/lua/tls").text)
    assert table == {"scheme": "http", "tls_version": "", "tls_cipher": "", "tls_server_name": "",
                     "client_subject": "", "client_san": ""}
