"""Many requests at once: a few threads with keep-alive connections, and what came back."""

import threading

from client import Connection, Truncated


class Load:
    """Asks `path_of(i)` for i in range(count), spread over `threads` connections.

    answers: list of (i, status, body); broken: how often a connection ended instead of answering.
    """

    def __init__(self, port, path_of, count, threads=16, timeout=60):
        self.address = ("127.0.0.1", port)
        self.path_of = path_of
        self.numbers = iter(range(count))
        self.lock = threading.Lock()
        self.timeout = timeout
        self.stopped = False
        self.answers = []
        self.broken = []
        # A test that fails without stopping it is not to keep the interpreter.
        self.threads = [threading.Thread(target=self.run_one, daemon=True) for _ in range(threads)]

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def start(self):
        for thread in self.threads:
            thread.start()
        return self

    def join(self):
        for thread in self.threads:
            thread.join()
        return self

    def stop(self):
        self.stopped = True
        return self.join()

    def run(self):
        return self.start().join()

    def next_number(self):
        with self.lock:
            return None if self.stopped else next(self.numbers, None)

    def run_one(self):
        connection = None
        while (number := self.next_number()) is not None:
            try:
                connection = connection or Connection(self.address, self.timeout)
                connection.request("GET", self.path_of(number))
                response = connection.response()
                self.answers.append((number, response.status, response.body))
                if response.header("connection") == "close":
                    connection = self.drop(connection)
            except (OSError, Truncated) as error:
                self.broken.append((number, repr(error)))
                connection = self.drop(connection)
        self.drop(connection)

    def drop(self, connection):
        if connection:
            connection.close()

    def statuses(self):
        with self.lock:
            return {status for _, status, _ in self.answers}
