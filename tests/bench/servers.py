"""The servers that are measured: zygoted, the textbook server, and Debian's peers configured for one request per process.

Each has a folder and a free port of its own, listens on the loopback interface, stays in the foreground and is ended by its
process id. As root they are started as the user nobody.
"""

import contextlib
import functools
import os
import shutil
import socket
import subprocess
import tempfile
import time

import zyg
from proc import descendants, is_alive, start_time
from wrk import Absent

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = os.path.join(zyg.BUILD, "tests", "bench")
PROCESSES = 16  # that a peer keeps ready, as zygoted keeps spares
WORKERS = os.cpu_count()  # of nginx
CHILDREN_MAX = 64
START_BOUND = 120  # seconds; gigabytes are loaded
SETTLE_BOUND = 60
UNPRIVILEGED = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.getuid() == 0 else {}


def find_program(*names):
    path = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
    found = next(filter(None, (shutil.which(name, path=path) for name in names)), None)
    if found is None:
        raise Absent(f"{names[-1]} is not installed")
    return found


class Zygoted:
    """The echo worker. `options` are the worker's, `keys` the pool's."""

    def __init__(self, name="zygoted", options=None, **keys):
        self.name = name
        keys = {"spare": PROCESSES, "max_children": CHILDREN_MAX, **keys}
        self.daemon = zyg.Zygoted(
            zyg.pool("echo", options=options, **keys), requests_per_connection=1000000000
        )
        self.url = f"http://127.0.0.1:{self.daemon.port}/echo/"

    def start(self):
        self.daemon.spawn()
        self.daemon.wait_ready(START_BOUND)

    def settle(self):
        self.daemon.wait_idle("echo", SETTLE_BOUND)

    def stop(self):
        self.daemon.stop()


@functools.cache
def image_kinds():
    """That this daemon can be told to use; none where it has one kind only, which is what a plain fork copies."""
    return tuple(kind for kind in ("frozen", "inherited") if knows_image(kind))


def knows_image(kind):
    """Whether this daemon has the pool key `image` and this value of it."""
    daemon = zyg.Zygoted(zyg.pool("echo", image=kind))
    try:
        return daemon.run("-t", "-c", daemon.config_path)[0] == 0
    finally:
        daemon.clean()


def zygoted_with_state(name, kind, mebibytes, **keys):
    """Carrying touched memory, in an image of that kind."""
    image = {"image": kind} if image_kinds() else {}
    return Zygoted(name, {"ballast": f"{mebibytes}M"}, **image, **keys)


class Peer:
    """A server with files of its own. Subclasses give `commands`, which may write into self.folder."""

    kept = 0  # processes below its programs when no request runs

    def __init__(self, name):
        self.name = name
        self.port = zyg.free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self.folder = None
        self.running = []

    def commands(self):
        """Command lines of programs that stay in the foreground, in the order of their start."""
        raise NotImplementedError

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def start(self):
        self.folder = tempfile.mkdtemp(prefix="zyg-bench-", dir="/tmp")
        os.chmod(self.folder, 0o755)
        commands = self.commands()
        if UNPRIVILEGED:
            shutil.chown(self.folder, UNPRIVILEGED["user"], UNPRIVILEGED["group"])
        with open(os.path.join(self.folder, "log"), "ab") as log:
            for command in commands:
                self.running.append(
                    subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder, **UNPRIVILEGED)
                )
        zyg.wait_until(self.answers, START_BOUND, f"{self.name} answers: {self.log()}")

    def log(self):
        with open(os.path.join(self.folder, "log"), errors="replace") as file:
            return file.read()[-2000:]

    def answers(self):
        for process in self.running:
            if process.poll() is not None:
                raise AssertionError(f"{self.name}: {process.args[0]} ended with {process.returncode}: {self.log()}")
        try:
            with socket.create_connection(("127.0.0.1", self.port), 5) as connection:
                connection.sendall(b"GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
                return connection.recv(64).startswith((b"HTTP/1.1 200", b"HTTP/1.0 200"))
        except OSError:
            return False

    def below(self):
        return [pid for process in self.running for pid in descendants(process.pid) if is_alive(pid)]

    def settle(self):
        """No request is running: no more processes than it keeps, twice in a row."""

        def quiet():
            for _ in range(2):
                if len(self.below()) > self.kept:
                    return False
                time.sleep(0.02)
            return True

        zyg.wait_until(quiet, SETTLE_BOUND, f"{self.name} has ended its processes")

    def stop(self):
        """Ends its programs, then what these have left: known by pid and start time."""
        left = [(pid, start_time(pid)) for pid in self.below()]
        for process in reversed(self.running):
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for pid, start in left:
            if is_alive(pid) and start_time(pid) == start:
                os.kill(pid, 15)
        self.running = []
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)


class Textbook(Peer):
    def __init__(self, name="textbook", mebibytes=0):
        super().__init__(name)
        self.mebibytes = mebibytes

    def commands(self):
        return [[os.path.join(PROGRAMS, "textbook"), str(self.port), str(self.mebibytes)]]


class Handover(Peer):
    """Two processes that pass each request on and back, for one connection at a time."""

    kept = 1

    def commands(self):
        return [[os.path.join(PROGRAMS, "handover"), str(self.port)]]


class Nginx(Peer):
    """Answers from a file: what a server does that isolates nothing."""

    kept = WORKERS
    location = "root {folder}; try_files /static.txt =404; default_type text/plain;"

    def commands(self):
        program = find_program("nginx")
        self.write("static.txt", "GET / HTTP/1.1\nHost: 127.0.0.1\n")
        location = self.location.format(folder=self.folder)
        temporary = "".join(
            f"  {kind}_temp_path {self.folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        path = self.write(
            "nginx.conf",
            f"daemon off;\nworker_processes {WORKERS};\npid {self.folder}/nginx.pid;\nerror_log stderr error;\n"
            "events { worker_connections 1024; }\nhttp {\n  access_log off;\n  keepalive_requests 1000000000;\n"
            f"{temporary}  server {{\n    listen 127.0.0.1:{self.port} backlog=4096;\n"
            f"    location / {{ {location} }}\n  }}\n}}\n",
        )
        return [*self.backend(), [program, "-e", "stderr", "-c", path]]

    def backend(self):
        return []


class PhpFpm(Nginx):
    kept = WORKERS + PROCESSES
    location = (
        "fastcgi_pass unix:{folder}/socket; fastcgi_param SCRIPT_FILENAME {folder}/echo.php;"
        " fastcgi_param REQUEST_METHOD $request_method; fastcgi_param REQUEST_URI $request_uri;"
    )

    def backend(self):
        program = find_program("php-fpm", "php-fpm8.4", "php-fpm8.3", "php-fpm8.2")
        self.write(
            "echo.php",
            "<?php header('Content-Type: text/plain');\n"
            "echo $_SERVER['REQUEST_METHOD'], ' ', $_SERVER['REQUEST_URI'], \"\\n\";\n",
        )
        path = self.write(
            "php.conf",
            f"[global]\nerror_log = {self.folder}/php.log\nlog_level = error\ndaemonize = no\n[bench]\n"
            f"listen = {self.folder}/socket\nlisten.backlog = 4096\npm = static\n"
            f"pm.max_children = {PROCESSES}\npm.max_requests = 1\n",
        )
        return [[program, "-F", "-y", path, "-p", self.folder]]


class Fcgiwrap(Nginx):
    kept = WORKERS + PROCESSES
    location = (
        "fastcgi_pass unix:{folder}/socket; fastcgi_param SCRIPT_FILENAME {folder}/once;"
        " fastcgi_param REQUEST_METHOD $request_method; fastcgi_param GATEWAY_INTERFACE CGI/1.1;"
    )

    def backend(self):
        program = find_program("fcgiwrap")
        shutil.copy(os.path.join(PROGRAMS, "once"), self.folder)
        return [[program, "-c", str(PROCESSES), "-s", f"unix:{self.folder}/socket"]]


class Tcpserver(Peer):
    def commands(self):
        program = find_program("tcpserver")
        once = os.path.join(PROGRAMS, "once")
        options = ["-q", "-H", "-R", "-D", "-l", "bench", "-b", "4096", "-c", str(CHILDREN_MAX)]
        return [[program, *options, "127.0.0.1", str(self.port), once]]


class ForkingMixIn(Peer):
    def commands(self):
        return [["/usr/bin/python3", os.path.join(HERE, "forking.py"), str(self.port)]]


class Running:
    """Starts servers, leaves out those that are absent (and says so in `notes`), stops them all at the end."""

    def __init__(self, servers, notes):
        self.wanted = servers
        self.notes = notes
        self.stack = contextlib.ExitStack()

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            servers = {}
            for server in self.wanted:
                stack.callback(server.stop)
                try:
                    server.start()
                    servers[server.name] = server
                except Absent as reason:
                    self.notes.append(f"left out: {server.name}: {reason}")
            self.stack = stack.pop_all()
        return servers

    def __exit__(self, *_):
        self.stack.close()
