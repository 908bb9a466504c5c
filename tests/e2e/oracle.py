"""Load whose every answer is known beforehand: each request has a nonce, and a body made of it, which "echo" returns.

An answer is right, an error of the daemon's own, or a connection that visibly broke. Anything else is wrong: another
request's bytes, or an answer that looks complete and is not.
"""

import hashlib
import os
import threading
from collections import Counter

from client import Connection, Truncated

ERRORS = {502, 503, 504}
LONGEST = 60000


def body_of(nonce):
    """Up to 60 kB that no other nonce has any part of; half of them short."""
    seed = hashlib.sha256(nonce).digest()
    length = int.from_bytes(seed[:2], "big") % LONGEST
    return hashlib.shake_256(nonce).digest(length if seed[2] % 2 else length % 200)


class Oracle:
    """with Oracle(port) as oracle: ...; then oracle.right, .errors (by status), .broken, .wrong."""

    def __init__(self, port, path="/echo/", threads=8):
        self.address = ("127.0.0.1", port)
        self.path = path
        self.stopped = False
        self.right = 0
        self.errors = Counter()
        self.broken = 0
        self.wrong = []
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.run, daemon=True) for _ in range(threads)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopped = True
        for thread in self.threads:
            thread.join()

    def run(self):
        connection = None
        while not self.stopped:
            try:
                connection = connection or Connection(self.address, 30)
                if self.ask(connection):
                    connection = self.close(connection)
            except (OSError, Truncated):
                with self.lock:
                    self.broken += 1
                connection = self.close(connection)
        self.close(connection)

    def ask(self, connection):
        """One request; whether the connection ends with it."""
        nonce = os.urandom(16).hex().encode()
        connection.request("POST", self.path + nonce.decode(), body_of(nonce))
        response = connection.response()
        self.judge(nonce, response)
        return response.header("connection") == "close" or connection.buffer

    def judge(self, nonce, response):
        own = response.header("x-zygoted-reason") is not None
        with self.lock:
            if response.status == 200 and response.body == body_of(nonce):
                self.right += 1
            elif own and response.status in ERRORS:
                self.errors[response.status] += 1
            else:
                self.wrong.append((nonce, response.status, len(response.body)))

    def close(self, connection):
        if connection:
            connection.close()

    def __str__(self):
        errors = " ".join(f"{status}: {count}" for status, count in sorted(self.errors.items()))
        return f"right {self.right}, errors {{{errors}}}, broken {self.broken}, wrong {len(self.wrong)}"
