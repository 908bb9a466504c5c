"""Python's own server with a process for each request: http.server behind socketserver's ForkingMixIn.

Runs in: a process of its own, started by servers.py with its port as the argument.
"""

import http.server
import socketserver
import sys

BODY = b"a process of its own for this request\n"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_):
        pass


class Server(socketserver.ForkingMixIn, http.server.HTTPServer):
    request_queue_size = 4096
    max_children = 64


if __name__ == "__main__":
    Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
