"""Certificates for tests, made by the openssl program in a folder of the test's own."""

import os
import re
import subprocess
import time


def openssl(*arguments, data=None, check=True):
    """Runs openssl; its CompletedProcess, with bytes."""
    return subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=check, timeout=60)


class Certificate:
    def __init__(self, folder, name):
        self.chain = os.path.join(folder, f"{name}.pem")
        self.key = os.path.join(folder, f"{name}.key")


class Authority:
    """A certificate authority: ca.chain is what its clients trust."""

    def __init__(self, folder, name="ca"):
        self.folder = str(folder)
        self.name = name
        self.certificate = Certificate(self.folder, name)
        self.new_key(self.certificate, "ec")
        openssl(
            "req", "-x509", "-new", "-key", self.certificate.key, "-subj", f"/CN=Test {name}",
            "-days", "30", "-out", self.certificate.chain,
        )  # fmt: skip

    @property
    def path(self):
        return self.certificate.chain

    def new_key(self, certificate, kind):
        options = {
            "ec": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
            "rsa": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
        }
        openssl("genpkey", *options[kind], "-out", certificate.key)
        os.chmod(certificate.key, 0o600)

    def issue(self, name, san=None, subject=None, kind="ec", days=30):
        """A certificate for `san` ("DNS:a.test,IP:127.0.0.1"), signed by this authority."""
        certificate = Certificate(self.folder, name)
        self.new_key(certificate, kind)
        request = openssl("req", "-new", "-utf8", "-key", certificate.key, "-subj", subject or f"/CN={name}")
        extensions = os.path.join(self.folder, f"{name}.ext")
        with open(extensions, "w") as file:
            file.write(f"subjectAltName={san}\n" if san else "basicConstraints=CA:FALSE\n")
        openssl(
            "x509", "-req", "-CA", self.path, "-CAkey", self.certificate.key, "-CAcreateserial",
            "-days", str(days), "-extfile", extensions, "-out", certificate.chain,
            data=request.stdout,
        )  # fmt: skip
        return certificate

    def staple(self, certificate, until=None):
        """An OCSP response that the certificate is good; its path. `until`: a time in seconds that is put in afterwards,
        and spoils the signature."""
        base = certificate.chain.removesuffix(".pem")
        text = openssl("x509", "-in", certificate.chain, "-noout", "-serial", "-enddate").stdout.decode()
        serial = text.split("serial=")[1].split("\n")[0]
        index = f"{base}.index"
        with open(index, "w") as file:
            file.write(f"V\t491231235959Z\t\t{serial}\tunknown\t/CN=x\n")
        openssl("ocsp", "-issuer", self.path, "-cert", certificate.chain, "-reqout", f"{base}.ocspreq")
        openssl(
            "ocsp", "-index", index, "-CA", self.path, "-rsigner", self.path, "-rkey",
            self.certificate.key, "-reqin", f"{base}.ocspreq", "-respout", f"{base}.ocsp",
            "-nmin", "60",
        )  # fmt: skip
        if until is not None:
            self.set_next_update(f"{base}.ocsp", until)
        return f"{base}.ocsp"

    def set_next_update(self, path, until):
        with open(path, "rb") as file:
            response = file.read()
        produced, this, following = re.findall(rb"\d{14}Z", response)[:3]
        at = response.index(following, response.index(this) + len(this))
        stamp = time.strftime("%Y%m%d%H%M%SZ", time.gmtime(until)).encode()
        with open(path, "wb") as file:
            file.write(response[:at] + stamp + response[at + len(stamp) :])
