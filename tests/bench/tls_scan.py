#!/usr/bin/python3
"""What sslscan and testssl.sh find on a TLS listener with a proper certificate. Exit 1 if a finding of severity LOW or above
is not explained below.

    tls_scan.py [fast]      fast: sslscan alone
"""

import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))

import certs  # noqa: E402
import zyg  # noqa: E402

# Findings that are the test certificate's, or the worker's headers.
NOT_OURS = re.compile(
    r"cert_|DNS_CAA|OCSP_|HSTS|HPKP|banner|X-|security_headers|cookie|overall_grade|grade_cap|final_score|"
    r"BREACH|service|optimal_proto|engine_problem|scanTime|protocol_support_score|rating"
)
SEVERE = {"LOW", "MEDIUM", "HIGH", "CRITICAL"}


def start(folder):
    authority = certs.Authority(folder)
    certificate = authority.issue("server", "DNS:localhost,IP:127.0.0.1", kind="rsa")
    daemon = zyg.Zygoted(
        zyg.pool("echo"), tls={"certificate": certificate.chain, "key": certificate.key}, log_level="error"
    )
    return daemon.start(), authority


def run_sslscan(daemon):
    """Lines that tell of something that should not be."""
    command = ["sslscan", "--no-colour", f"localhost:{daemon.port}"]
    text = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    print(text)
    bad = re.findall(r"^(?:SSLv\d|TLSv1\.[01]) +enabled.*$", text, re.M)
    bad += [line for line in text.splitlines() if re.search(r"RC4|DES|NULL|EXP|MD5|-SHA\b|CBC|anon", line)]
    bad += [line for line in text.splitlines() if re.search(r"Insecure|Compression enabled| vulnerable", line)]
    return [line for line in bad if "not vulnerable" not in line]


def run_testssl(daemon, folder, authority):
    report = os.path.join(folder, "report.json")
    command = ["testssl", "--quiet", "--color", "0", "--warnings", "off", "--add-ca", authority.path]
    command += ["--ip", "127.0.0.1", "--jsonfile", report, f"localhost:{daemon.port}"]
    subprocess.run(command, timeout=1200, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    with open(report) as file:
        findings = json.load(file)
    print(f"testssl.sh: {len(findings)} findings")
    severe = [finding for finding in findings if finding["severity"] in SEVERE]
    for finding in severe:
        whose = "not ours" if NOT_OURS.match(finding["id"]) else "OURS"
        print(f"  {finding['severity']:<8} {whose:<8} {finding['id']}: {finding['finding']}")
    return [finding["id"] for finding in severe if not NOT_OURS.match(finding["id"])]


def main():
    with tempfile.TemporaryDirectory() as folder:
        daemon, authority = start(folder)
        try:
            bad = run_sslscan(daemon)
            if "fast" not in sys.argv[1:]:
                bad += run_testssl(daemon, folder, authority)
        finally:
            daemon.stop()
    print("findings of ours:", bad or "none")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
