"""Frames as a client sends them: a length and a payload there, a status, a length and a payload back."""

import struct

from client import Connection

OK, WORKER_ERROR, TIMEOUT, OVERLOADED, TOO_LARGE, CRASHED, BAD_REQUEST = range(7)


def frame(payload):
    return struct.pack(">I", len(payload)) + payload


HELD = frame(b"discard\nx")


class Frames(Connection):
    def reply(self):
        """The next one: (status, payload)."""
        status, length = struct.unpack(">BI", self.take(5))
        return status, self.take(length)

    def call(self, payload):
        self.send(frame(payload))
        return self.reply()

    def hold(self):
        """A request to probe that lasts until release()."""
        self.send(HELD[:-1])

    def release(self):
        """Ends it; the reply is OK and "1\n"."""
        self.send(HELD[-1:])
        return self.reply()

    def at_end(self):
        """The daemon has closed, and nothing is left."""
        return not self.buffer and not self.fill()
