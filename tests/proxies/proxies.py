"""The proxies of Debian in front of a daemon: nginx, HAProxy, Apache httpd and Varnish.

Each runs in the foreground with a configuration, a folder and ports of its own on the loopback interface, keeps its
connections to the daemon, and is ended by its process id; no system service is touched. As root they are started as the user
nobody. Each gives every request that it forwards an X-Request-Id which it alone knows, and writes a line about it: who sent
it, method and target, what the daemon answered and under which id.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
from dataclasses import dataclass

import zyg

PATH = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
UNPRIVILEGED = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.getuid() == 0 else {}
START_BOUND = 30
READY = b"/ready"  # what is asked for until there is an answer; in no ledger
MODULES = "/usr/lib/apache2/modules"


@dataclass
class Forwarded:
    """A request as the proxy believes to have forwarded it. `status`: the daemon's; 0 when it has seen no answer. `body`: where
    it can tell; `body_bytes`: where it can tell no more than its length."""

    id: str
    client: str  # its address
    method: bytes
    target: bytes
    status: int
    answer_id: str
    body: bytes | None = None
    body_bytes: int | None = None


def number(text):
    return int(text) if text.isdigit() else 0


class Proxy:
    ways = 1  # ports, each with a setting of its own

    def __init__(self, upstream):
        self.upstream = upstream
        self.ports = [zyg.free_port() for _ in range(self.ways)]
        self.folder = tempfile.mkdtemp(prefix="zyg-proxy-", dir="/tmp")
        self.access = os.path.join(self.folder, "access")
        self.running = []
        self.seen = 0  # bytes of the log
        self.rest = b""

    @classmethod
    def is_installed(cls):
        return all(shutil.which(program, path=PATH) for program in cls.programs)

    def commands(self):
        """Command lines of programs that stay in the foreground, in the order of their start."""
        raise NotImplementedError

    def parse(self, line):
        """What a line of the log says; None if the request was not forwarded."""
        raise NotImplementedError

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def start(self):
        commands = self.commands()
        if UNPRIVILEGED:
            shutil.chown(self.folder, UNPRIVILEGED["user"], UNPRIVILEGED["group"])
        with open(os.path.join(self.folder, "output"), "ab") as output:
            for command in commands:
                self.running.append(self.spawn(command, output))
                zyg.wait_until(self.is_up, START_BOUND, f"{self.name} is up: {self.output()}")
        zyg.wait_until(self.answers, START_BOUND, f"{self.name} answers: {self.output()}")
        return self

    def spawn(self, command, output):
        program = [shutil.which(command[0], path=PATH), *command[1:]]
        more = {"cwd": self.folder, "env": {"PATH": PATH, "LC_ALL": "C"}, **UNPRIVILEGED}
        return subprocess.Popen(program, stdin=subprocess.DEVNULL, stdout=output, stderr=output, **more)

    def output(self):
        with open(os.path.join(self.folder, "output"), errors="replace") as file:
            return file.read()[-2000:]

    def is_up(self):
        for process in self.running:
            assert process.poll() is None, f"{self.name} ended with {process.returncode}: {self.output()}"
        try:
            for port in self.ports:
                socket.create_connection(("127.0.0.1", port), 5).close()
        except OSError:
            return False
        return True

    def answers(self):
        """And has written about it."""
        with socket.create_connection(("127.0.0.1", self.ports[0]), 5) as connection:
            connection.sendall(b"GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" % READY)
            while connection.recv(65536):
                pass
        return os.path.exists(self.access) and os.path.getsize(self.access) > 0

    def stop(self):
        for process in reversed(self.running):
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.running = []
        shutil.rmtree(self.folder, ignore_errors=True)

    def forwarded(self):
        """What it has forwarded since the last call."""
        with open(self.access, "rb") as file:
            file.seek(self.seen)
            data = file.read()
        self.seen += len(data)
        *lines, self.rest = (self.rest + data).split(b"\n")
        records = map(self.parse, lines)
        return [record for record in records if record is not None and record.target != READY]


class Nginx(Proxy):
    """The second way passes bodies on while they come."""

    name = "nginx"
    programs = ["nginx"]
    ways = 2

    FORMAT = {
        "client": "$remote_addr", "id": "$request_id", "method": "$request_method", "target": "$request_uri",
        "status": "$upstream_status", "answer": "$upstream_http_x_request_id", "body": "$request_body", "way": "$server_port",
    }  # fmt: skip
    PROXY = (
        "proxy_pass http://zygoted; proxy_http_version 1.1; proxy_set_header Connection ''; proxy_set_header Host $host;"
        " proxy_set_header X-Request-Id $request_id;"
    )

    def commands(self):
        log_format = json.dumps(self.FORMAT)
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        temporary = "".join(f"{kind}_temp_path {self.folder}/{kind};\n" for kind in kinds)
        servers = "".join(
            f"server {{ listen 127.0.0.1:{port} backlog=4096; server_name a;"
            f" location / {{ {self.PROXY} proxy_request_buffering {buffering}; }} }}\n"
            for port, buffering in zip(self.ports, ["on", "off"])
        )
        path = self.write(
            "nginx.conf",
            f"daemon off;\nworker_processes 1;\npid {self.folder}/pid;\nerror_log {self.folder}/error error;\n"
            "events { worker_connections 8192; }\nhttp {\n"
            f"log_format forwarded escape=json '{log_format}';\naccess_log {self.access} forwarded;\n{temporary}"
            "large_client_header_buffers 8 16k;\nproxy_buffer_size 16k;\nproxy_busy_buffers_size 24k;\n"
            "keepalive_requests 1000000;\nclient_body_buffer_size 128k;\n"
            f"upstream zygoted {{ server 127.0.0.1:{self.upstream}; keepalive 32; }}\n{servers}}}\n",
        )
        return [["nginx", "-e", "stderr", "-c", path]]

    def parse(self, line):
        values = json.loads(line.decode("latin-1"), strict=False)
        if not values["status"]:
            return None
        method, target, body = (values[key].encode("latin-1") for key in ("method", "target", "body"))
        # "502, 200" when it has tried twice; "-" for an attempt without an answer.
        status = number(values["status"].split(", ")[-1])
        answer = values["answer"].split(", ")[-1]
        body = body if values["way"] == str(self.ports[0]) else None
        return Forwarded(values["id"], values["client"], method, target, status, answer, body)


class Haproxy(Proxy):
    """The second way waits for bodies before it passes requests on."""

    name = "haproxy"
    programs = ["haproxy"]
    BODY_MAX = 8192  # it waits for a buffer full of it
    ways = 2

    WAIT = "option http-buffer-request\n  http-request set-var(txn.body) req.body"
    LINE = "%ID %ci %[capture.req.method,hex] %[var(txn.uri),hex] %[var(txn.status)] %[var(txn.answer)] %[var(txn.body),hex] %fp %s"

    def commands(self):
        frontends = "".join(
            f"frontend way{i}\n  bind 127.0.0.1:{port}\n  {wait}\n  unique-id-format %[uuid()]\n"
            "  http-request set-header X-Request-Id %[unique-id]\n  http-request set-var(txn.uri) url\n"
            f"  log-format \"{self.LINE}\"\n  default_backend zygoted\n"
            for i, (port, wait) in enumerate(zip(self.ports, ["", self.WAIT]))
        )
        path = self.write(
            "haproxy.cfg",
            "global\n  log stdout len 65535 format raw local0\n  maxconn 8000\n  nbthread 1\n"
            "defaults\n  mode http\n  log global\n  option http-keep-alive\n  http-reuse always\n"
            "  timeout connect 5s\n  timeout client 3s\n  timeout server 30s\n  timeout http-request 3s\n"
            f"  timeout http-keep-alive 3s\n  timeout queue 30s\n{frontends}"
            "backend zygoted\n  http-response set-var(txn.status) status\n"
            "  http-response set-var(txn.answer) res.hdr(X-Request-Id)\n"
            f"  server zygoted 127.0.0.1:{self.upstream}\n",
        )
        return [["haproxy", "-db", "-f", path]]

    def __init__(self, upstream):
        super().__init__(upstream)
        self.access = os.path.join(self.folder, "output")

    def parse(self, line):
        parts = line.split(b" ")
        if len(parts) != 9 or parts[8] != b"zygoted":
            return None
        identity, client, method, uri, status, answer, body, port, _ = parts
        method, uri, body = (bytes.fromhex(text.decode().strip("-")) for text in (method, uri, body))
        body = body if port.decode() == str(self.ports[1]) and len(body) < self.BODY_MAX else None
        return Forwarded(identity.decode(), client.decode(), method, uri, number(status.decode()), answer.decode(), body)


class Apache(Proxy):
    name = "apache"
    programs = ["apache2"]

    NEEDED = "mpm_event authz_core proxy proxy_http headers unique_id".split()
    LINE = '%{UNIQUE_ID}e %a %{X-Request-Id}o %s %m \\"%f\\"'

    def commands(self):
        modules = "".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so\n" for name in self.NEEDED)
        path = self.write(
            "httpd.conf",
            f"ServerRoot {self.folder}\nServerName a\nPidFile {self.folder}/pid\nListen 127.0.0.1:{self.ports[0]}\n{modules}"
            f"ErrorLog {self.folder}/error\nLogLevel error\nLogFormat \"{self.LINE}\" forwarded\n"
            f"CustomLog {self.access} forwarded\nDefaultRuntimeDir {self.folder}\nMutex pthread\n"
            "StartServers 1\nServerLimit 1\nThreadLimit 400\nThreadsPerChild 400\nMaxRequestWorkers 400\nMinSpareThreads 1\n"
            "MaxSpareThreads 400\nKeepAlive On\nMaxKeepAliveRequests 0\nKeepAliveTimeout 3\nTimeout 5\n"
            "LimitRequestFieldSize 16380\nLimitRequestLine 16380\nAllowEncodedSlashes NoDecode\nMergeSlashes Off\n"
            "ProxyRequests Off\nProxyPreserveHost On\nProxyTimeout 30\n"
            'RequestHeader set X-Request-Id "%{UNIQUE_ID}e"\nRequestHeader edit* X-Request-Id @ .\n'
            f"ProxyPass / http://127.0.0.1:{self.upstream}/ nocanon\n",
        )
        return [["apache2", "-D", "FOREGROUND", "-f", path]]

    PARSED = re.compile(rb'(\S+) (\S+) (\S+) (\d+) (\S+) "proxy:http://127\.0\.0\.1:\d+(.*)"')

    def parse(self, line):
        match = self.PARSED.fullmatch(line)
        if match is None:
            return None
        identity, client, answer, status, method, target = match.groups()
        identity = identity.replace(b"@", b".").decode()
        return Forwarded(identity, client.decode(), method, unescape(target), int(status), answer.decode())


def unescape(text):
    """Of ap_escape_logitem: like C."""
    known = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"v": b"\v"}

    def one(match):
        code = match[1]
        return bytes([int(code[1:], 16)]) if code.startswith(b"x") and len(code) == 3 else known.get(code, code)

    return re.sub(rb"\\(x[0-9a-f]{2}|.)", one, text)


class Varnish(Proxy):
    """Nothing is cached: each request is one to the daemon."""

    name = "varnish"
    programs = ["varnishd", "varnishncsa", "cc"]

    LINE = "%{X-Request-Id}i %{X-Client}i %m %s %{X-Request-Id}o %{VSL:BereqAcct[2]}x %{Transfer-Encoding}i %{VSL:BereqURL}x"
    VCL = """vcl 4.1;
backend zygoted { .host = "127.0.0.1"; .port = "%d"; .max_connections = 1000; }
sub vcl_recv {
    if (!req.http.Host && req.proto != "HTTP/1.0") { return (synth(400)); }
    set req.http.X-Client = client.ip;
    return (pass);
}
sub vcl_backend_fetch { set bereq.http.X-Request-Id = bereq.xid; return (fetch); }
"""

    def commands(self):
        vcl = self.write("default.vcl", self.VCL % self.upstream)
        place = ["-n", os.path.join(self.folder, "work")]
        address = f"127.0.0.1:{self.ports[0]}"
        memory = ["-s", "malloc,64m", "-l", "256m"]
        set_to = {"http_req_hdr_len": "16k", "http_max_hdr": 128, "vsl_reclen": "16300b", "vsl_buffer": "64k"}
        set_to |= {"thread_pool_min": 100, "thread_pools": 1}
        limits = [word for name, value in set_to.items() for word in ("-p", f"{name}={value}")]
        return [
            ["varnishd", "-F", "-j", "none", *place, "-a", address, "-f", vcl, *memory, *limits],
            ["varnishncsa", *place, "-b", "-F", self.LINE, "-w", self.access, "-t", "10"],
        ]

    def parse(self, line):
        parts = line.split(b" ", 7)
        if len(parts) < 8:
            return None
        identity, client, method, status, answer, size, coding, target = parts
        status = number(status.decode())
        size = number(size.decode()) if coding == b"-" else None  # else with the lines between chunks
        answer = answer.decode("latin-1")
        return Forwarded(identity.decode(), client.decode(), method, unescape(target), status, answer, body_bytes=size)


PROXIES = {proxy.name: proxy for proxy in (Nginx, Haproxy, Apache, Varnish)}
