"""New certificates for a daemon that serves; and bad ones, at start and later."""

import os
import re
import shutil
import ssl

import pytest

import certs
import secure
import zyg
from proc import descriptors
from zyg import ControlError, pool, wait_until


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return certs.Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def old(authority):
    return authority.issue("old", "DNS:localhost", "/CN=old")


@pytest.fixture(scope="module")
def new(authority):
    return authority.issue("new", "DNS:localhost", "/CN=new", kind="rsa")


@pytest.fixture
def place(tmp_path, old):
    """Where the daemon's certificate is, to be replaced there."""
    place = certs.Certificate(str(tmp_path), "server")
    put(old, place)
    return place


def put(certificate, place):
    shutil.copy(certificate.chain, place.chain)
    shutil.copy(certificate.key, place.key)


@pytest.fixture
def daemon(zygoted, place):
    return zygoted(pool("echo"), pool("probe"), tls=secure.server(place))


def served(daemon, authority):
    with secure.connect(daemon, secure.trust(authority)) as connection:
        return dict(part[0] for part in connection.socket.getpeercert()["subject"])["commonName"]


# ---- reload ----


def test_new_handshakes_get_the_new_certificate(daemon, authority, place, new):
    assert served(daemon, authority) == "old"
    put(new, place)
    assert served(daemon, authority) == "old"
    answer = daemon.ctl("reload --wait")
    assert (answer["certificates"], answer["notices"]) == (1, [])
    assert served(daemon, authority) == "new"


def test_every_front_has_the_new_certificate(zygoted, authority, place, new):
    daemon = zygoted(pool("echo"), tls=secure.server(place), fronts=3)
    wait_until(lambda: daemon.ctl("stats")["front"]["fronts"] == 3)
    put(new, place)
    daemon.ctl("reload --wait")
    assert {served(daemon, authority) for _ in range(30)} == {"new"}
    before = daemon.named("zygoted: front")
    daemon.kill(before[1])
    wait_until(lambda: daemon.ctl("stats")["front"]["fronts"] == 3 and daemon.named("zygoted: front") != before)
    assert {served(daemon, authority) for _ in range(30)} == {"new"}


def test_connections_and_requests_go_on(daemon, authority, place, new):
    with secure.connect(daemon, secure.trust(authority)) as connection:
        connection.hold()
        daemon.wait_busy("probe")
        put(new, place)
        daemon.ctl("reload --wait")
        assert connection.release().status == 200
        connection.request("GET", "/probe/tls")
        assert connection.response().status == 200
    assert served(daemon, authority) == "new"


def test_a_handshake_in_progress_goes_on_with_the_old_one(daemon, authority, place, new):
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = secure.trust(authority).wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    hello = outgoing.read()
    with daemon.connect() as connection:
        connection.send(hello[:20])
        wait_until(lambda: secure.counts(daemon)["handshaking"] == 1)
        put(new, place)
        daemon.ctl("reload --wait")
        connection.send(hello[20:])
        while client.version() is None or client.getpeercert() is None:
            try:
                client.do_handshake()
            except ssl.SSLWantReadError:
                incoming.write(connection.socket.recv(65536))
        assert client.getpeercert()["subject"] == ((("commonName", "old"),),)
    assert served(daemon, authority) == "new"


@pytest.mark.reads_proc
def test_many_reloads_leave_nothing_behind(daemon, authority, place, old, new):
    daemon.ctl("reload --wait")
    front, supervisor = zyg.fd_count(daemon.front_pid()), zyg.fd_count(daemon.pid)
    for certificate in [new, old] * 15:
        put(certificate, place)
        daemon.ctl("reload --wait")
    assert served(daemon, authority) == "old"
    daemon.wait_idle("echo")
    assert zyg.fd_count(daemon.front_pid()) <= front + 8 and zyg.fd_count(daemon.pid) <= supervisor + 1


def test_a_new_front_has_the_reloaded_certificate_whatever_the_files_are_now(daemon, authority, place, new):
    put(new, place)
    daemon.ctl("reload --wait")
    os.remove(place.key)
    first = daemon.front_pid()
    daemon.kill(first)
    wait_until(lambda: daemon.front_pid() not in (None, first))
    daemon.wait_ready()
    assert served(daemon, authority) == "new"


def test_tickets_are_good_across_a_reload(daemon, authority, place, new):
    context = secure.trust(authority, "1.2")
    with secure.connect(daemon, context) as connection:
        session = connection.socket.session
    put(new, place)
    daemon.ctl("reload --wait")
    with secure.connect(daemon, context, session=session) as connection:
        assert connection.socket.session_reused


def test_other_authorities_of_clients_make_tickets_void(zygoted, authority, old, tmp_path):
    """Who was let in by an authority that is trusted no more must not come back by a ticket."""
    trusted = certs.Authority(tmp_path, "trusted")
    other = certs.Authority(tmp_path, "other")
    alice = trusted.issue("alice", "DNS:alice.test")
    path = str(tmp_path / "clients.pem")
    shutil.copy(trusted.path, path)
    tls = secure.server(old, client_ca=path, client_verify="required")
    daemon = zygoted(pool("echo"), tls=tls)
    context = secure.trust(authority, "1.2", alice)
    with secure.connect(daemon, context) as connection:
        session = connection.socket.session
    shutil.copy(other.path, path)
    daemon.ctl("reload --wait")
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        with secure.connect(daemon, context, session=session) as connection:
            connection.request("GET", "/echo/")
            connection.response()


def test_without_tls_there_is_nothing_to_reload(zygoted):
    assert zygoted().ctl("reload --wait")["certificates"] == 0


def test_what_should_be_known_is_said(zygoted, authority, place):
    soon = authority.issue("soon", "DNS:localhost", "/CN=soon", days=5)
    put(soon, place)
    os.chmod(place.key, 0o644)
    daemon = zygoted(tls=secure.server(place))
    notices = " ".join(daemon.ctl("info")["notices"])
    assert re.search(r"expires in [45] days", notices) and "can be read by everybody" in notices
    expired = authority.issue("expired", "DNS:localhost", "/CN=expired", days=-1)
    put(expired, place)
    os.chmod(place.key, 0o600)
    assert "has expired" in daemon.ctl("reload --wait")["notices"][0]


# ---- what is wrong ----


def spoil_key(place, authority):
    shutil.copy(authority.certificate.key, place.key)


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def encrypt_key(place, authority):
    certs.openssl("pkey", "-in", place.key, "-aes256", "-passout", "pass:x", "-out", place.key + ".new")
    os.replace(place.key + ".new", place.key)


def small_key(place, authority):
    certs.openssl(
        "req", "-x509", "-newkey", "rsa:1024", "-nodes", "-subj", "/CN=small", "-keyout", place.key,
        "-out", place.chain,
    )  # fmt: skip


def spoil_chain(place, authority):
    with open(place.chain, "a") as file:
        file.write("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")


SPOILS = {
    "no file": (lambda place, _: os.remove(place.chain), "certificate", "No such file"),
    "no key": (lambda place, _: os.remove(place.key), "key", "No such file"),
    "empty": (lambda place, _: write(place.chain, ""), "certificate", "is no certificate in PEM"),
    "not PEM": (lambda place, _: write(place.chain, "x" * 1000), "certificate", "is no certificate in PEM"),
    "bad chain": (spoil_chain, "certificate", "in its chain"),
    "bad key": (lambda place, _: write(place.key, "x"), "key", "is no private key in PEM"),
    "mismatch": (spoil_key, "key", "is not the key of its certificate"),
    "encrypted": (encrypt_key, "key", "is encrypted"),
    "small": (small_key, "certificate", "cannot be used"),
    "too large": (lambda place, _: write(place.chain, "x" * (1 << 20)), "certificate", "256 KiB"),
    "folder": (lambda place, _: (os.remove(place.chain), os.mkdir(place.chain)), "certificate", "is not a file"),
    "fifo": (lambda place, _: (os.remove(place.key), os.mkfifo(place.key)), "key", "is not a file"),
}


@pytest.mark.parametrize("what", SPOILS)
def test_a_bad_file_is_refused_and_the_old_one_serves_on(daemon, authority, place, what):
    spoil, key, text = SPOILS[what]
    spoil(place, authority)
    code, _, error = daemon.zygotectl("reload", "--wait")
    assert code == 1
    for part in (f"{daemon.config_path}:", f": {key} {place.chain[:-4]}", text):
        assert part in error
    assert served(daemon, authority) == "old"
    code, _, errors = daemon.run("-t", "-c", daemon.config_path)
    assert code == 1 and text in errors and f"{daemon.config_path}:" in errors


@pytest.mark.parametrize("what", ["no file", "mismatch"])
def test_a_daemon_does_not_start_with_a_bad_file(zygoted, authority, place, what):
    spoil, key, text = SPOILS[what]
    spoil(place, authority)
    daemon = zygoted(tls=secure.server(place), start=False)
    code, _, errors = daemon.run("-c", daemon.config_path)
    line = [number for number, text in enumerate(open(daemon.config_path), 1) if "listen " in text][0]
    assert code == 1 and f"{daemon.config_path}:{line}: " in errors and text in errors


def test_a_staple_for_another_certificate_is_refused(daemon, authority, place, new):
    staple = authority.staple(new)
    keys = {"control": daemon.control}
    daemon.sections["web"]["ocsp"] = staple
    daemon.write_config(zyg.format_config(keys, daemon.sections, [pool("echo")]))
    code, _, errors = daemon.run("-t", "-c", daemon.config_path)
    assert code == 1 and "ocsp" in errors and "about another certificate" in errors
    daemon.sections["web"]["ocsp"] = place.chain
    daemon.write_config(zyg.format_config(keys, daemon.sections, [pool("echo")]))
    code, _, errors = daemon.run("-t", "-c", daemon.config_path)
    assert code == 1 and "is no OCSP response" in errors


KEYS = [
    ({"key": None}, "each certificate needs its key"),
    ({"certificate": None, "key": None, "client_ca": "CA", "client_verify": "optional"}, "without one of its own"),
    ({"client_ca": "CA"}, "without client_verify"),
    ({"client_verify": "required"}, "client_verify without client_ca"),
    ({"ocsp": ["", ""]}, "ocsp names more files"),
    ({"tls_min": "1.1"}, '"1.1" is not known: choose one of 1.2, 1.3'),
]


@pytest.mark.parametrize("change, text", KEYS, ids=[row[1] for row in KEYS])
def test_keys_that_do_not_fit_each_other(zygoted, authority, place, change, text):
    keys = secure.server(place) | {k: authority.path if v == "CA" else v for k, v in change.items()}
    daemon = zygoted(tls={k: v for k, v in keys.items() if v is not None}, start=False)
    code, _, errors = daemon.run("-t", "-c", daemon.config_path)
    assert code == 1 and text in errors


def test_the_effective_configuration_reads_back(zygoted, place, tmp_path):
    daemon = zygoted(tls=secure.server(place, ocsp=["", ""][:1], tls_min="1.3"), handshakes=7, start=False)
    _, printed, _ = daemon.run("-T", "-c", daemon.config_path)
    assert f'certificate = {{"{place.chain}"}}' in printed and 'tls_min = "1.3"' in printed
    copy = tmp_path / "copy.conf"
    copy.write_text(printed)
    assert daemon.run("-T", "-c", str(copy))[1] == printed


# ---- secrets ----


def secret_of(certificate):
    """The private number of an EC key, as it lies in memory: either way round."""
    text = certs.openssl("pkey", "-in", certificate.key, "-noout", "-text").stdout.decode()
    digits = text.split("priv:")[1].split("pub:")[0].replace(":", "").split()
    number = bytes.fromhex("".join(digits))[-32:]
    return number, number[::-1]


def pieces_of(certificate):
    with open(certificate.key) as file:
        lines = file.read().split("\n")
    return [*secret_of(certificate), lines[1].encode()[8:40]]


def memory_of(pid):
    with open(f"/proc/{pid}/maps") as file:
        spans = [line.split()[:2] + [line.split()[-1]] for line in file]
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for span, flags, name in spans:
            begin, end = (int(part, 16) for part in span.split("-"))
            if flags[0] == "r" and name not in ("[vvar]", "[vvar_vclock]", "[vsyscall]"):
                memory.seek(begin)
                yield memory.read(end - begin)


def finds(pid, pieces):
    return any(piece in part for part in memory_of(pid) for piece in pieces)


@pytest.mark.reads_proc
@pytest.mark.plain_build
def test_keys_are_in_the_front_and_nowhere_else(daemon, authority, old):
    secure.get(daemon, "/echo/", secure.trust(authority))
    daemon.ctl("reload --wait")
    daemon.wait_idle("echo")  # no process that ends while it is searched
    pieces = pieces_of(old)
    assert finds(daemon.front_pid(), pieces), "the search finds nothing anywhere"
    others = [pid for pid in [daemon.pid, *daemon.processes()] if pid != daemon.front_pid()]
    assert len(others) > 4
    assert [zyg.command_line(pid) for pid in others if zyg.is_alive(pid) and finds(pid, pieces)] == []


@pytest.mark.reads_proc
def test_the_bundle_is_no_descriptor_of_anybodys_but_the_supervisor(daemon, authority):
    daemon.ctl("reload --wait")
    holders = []
    for pid in [daemon.pid, *daemon.processes()]:
        holders += [pid for link in descriptors(pid) if "zygoted-tls" in link]
    assert holders == [daemon.pid]
