"""A small HTTP/1.1 client that shows what is on the wire: pipelining, half-closes, truncated answers."""

import socket


class Truncated(Exception):
    """The connection ended before the answer was complete."""


class Response:
    def __init__(self, version, status, headers):
        self.version = version
        self.status = status
        self.headers = headers  # list of (lower-case name, value)
        self.body = b""

    def header(self, name, default=None):
        return next((value for key, value in self.headers if key == name.lower()), default)

    @property
    def reason(self):
        return self.header("x-zygoted-reason")

    @property
    def text(self):
        return self.body.decode()

    def __repr__(self):
        return f"<{self.status} {self.reason or ''} {self.body[:60]!r}>"


class Connection:
    """`address`: host and port, or the path of a Unix socket."""

    def __init__(self, address, timeout=60, receive_buffer=None):
        is_unix = isinstance(address, str)
        self.socket = socket.socket(socket.AF_UNIX if is_unix else socket.AF_INET)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect(address)
        if not is_unix:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def reset(self):
        """Closes with RST instead of FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def request(self, method, path, body=None, headers=()):
        lines = [f"{method} {path} HTTP/1.1", "Host: test"]
        lines += [f"{name}: {value}" for name, value in headers]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join(lines + ["", ""]).encode() + (body or b""))

    def hold(self, path="/probe/discard"):
        """A request that lasts until release(): the worker waits for the only byte of its body."""
        self.request("POST", path, headers=[("Content-Length", 1)])

    def release(self):
        """Ends it; the answer says "1\n"."""
        self.send(b"x")
        return self.response()

    # -- reading --

    def fill(self):
        """More bytes into the buffer; False at the end of the stream."""
        data = self.socket.recv(65536)
        self.buffer += data
        return bool(data)

    def take(self, size):
        while len(self.buffer) < size:
            if not self.fill():
                raise Truncated(f"{len(self.buffer)} of {size} bytes")
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def line(self):
        while b"\r\n" not in self.buffer:
            if not self.fill():
                raise Truncated(f"in a line: {self.buffer[:60]!r}")
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line.decode("latin-1")

    def head(self):
        version, status, _ = (self.line() + " ").split(" ", 2)
        headers = []
        while line := self.line():
            name, _, value = line.partition(":")
            headers.append((name.lower(), value.strip()))
        return Response(version, int(status), headers)

    def body_pieces(self, response, method="GET"):
        """Yields the body as it comes; raises Truncated when it breaks off."""
        if method == "HEAD" or response.status in (204, 304) or response.status < 200:
            return
        if response.header("transfer-encoding") == "chunked":
            while size := int(self.line(), 16):
                yield self.take(size)
                self.expect_line("")
            self.expect_line("")
        elif response.header("content-length") is not None:
            left = int(response.header("content-length"))
            while left > 0:
                if not self.buffer and not self.fill():
                    raise Truncated(f"{left} bytes missing")
                piece = self.take(min(left, len(self.buffer)))
                left -= len(piece)
                yield piece
        else:
            while self.buffer or self.fill():
                yield self.take(len(self.buffer))

    def expect_line(self, text):
        line = self.line()
        assert line == text, f"line {line!r}, not {text!r}"

    def response(self, method="GET"):
        response = self.head()
        response.body = b"".join(self.body_pieces(response, method))
        return response

    def is_closed(self):
        """The stream ends here, with nothing more to read."""
        try:
            return not self.buffer and not self.socket.recv(1)
        except ConnectionResetError:
            return True
