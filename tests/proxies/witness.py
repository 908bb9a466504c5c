"""The daemon whose worker tells what it was asked to do, and how to read what it tells."""

import os
from dataclasses import dataclass
from zlib import crc32

import zyg
from entry import NONCE
from grammar import BODY_MAX

WORKER = os.path.join(zyg.BUILD, "tests", "proxies", "workers", "witness.so")
MANY = 1000000000


def make_daemon():
    """Not started. It takes all paths, keeps connections, and writes a line for each request into `access`."""
    pool = zyg.pool(
        "witness",
        WORKER,
        routes=["/"],
        spare=16,
        max_children=64,
        queue=8192,
        queue_timeout="30s",
        timeout="30s",
        body=BODY_MAX,
    )
    daemon = zyg.Zygoted(pool)
    daemon.access = os.path.join(daemon.directory, "access")
    keys = {"requests_per_connection": MANY, "idle_timeout": "60s", "header_timeout": "30s"}
    keys |= {"access_log": daemon.access, "access_format": "json"}
    daemon.write_config(daemon.config_text([pool], **keys))
    return daemon


class Nonces:
    """Values for NONCE, of its length, each given once."""

    def __init__(self):
        self.connections = 0

    def fill(self, data):
        """The bytes of one connection."""
        self.connections += 1
        first, *parts = data.split(NONCE)
        return first + b"".join(b"n%07x-%03x%s" % (self.connections, i % 4096, part) for i, part in enumerate(parts))


def tell(request):
    """What the worker says of such a request: its header X-Witness."""
    parts = (request.method, request.target, request.body)
    told = b"%08x %08x %08x %d %s" % (*map(crc32, parts), len(request.body), request.nonce[:128])
    return told.rstrip(b" \t")  # as a header's value arrives


@dataclass
class Witness:
    """X-Witness taken apart."""

    text: bytes

    def __post_init__(self):
        method, target, body, length, *nonce = self.text.split(b" ", 4)
        self.nonce = nonce[0] if nonce else b""
        self.method, self.target, self.body = (int(crc, 16) for crc in (method, target, body))
        self.length = int(length)

    @property
    def is_head(self):
        return self.method == crc32(b"HEAD")
