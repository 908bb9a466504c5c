"""A zygoted under test: its own directory, its own ports, and everything a test wants to know about it.

    daemon = Zygoted(pool("echo"), header_timeout="500ms")
    daemon.start()
    assert daemon.get("/echo/").status == 200
    daemon.stop()

Nothing here sleeps for a fixed time: wait_until polls a condition against a bound.
"""

import atexit
import collections
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile

from client import Connection
from proc import (  # noqa: F401 - also for the tests
    command_line,
    descendants,
    fd_count,
    is_alive,
    parents,
    private_kib,
    read_proc,
    start_time,
)
from wait import BOUND, wait_until

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def reachable_build():
    """The build folder, or a copy of it where the tree lies below a folder that is its owner's alone (/root): the
    daemons that tests start as another user could not be executed there."""
    build = os.path.join(TOP, os.environ.get("ZYGOTED_BUILD", "build"))
    folders = [build]
    while folders[-1] != "/":
        folders.append(os.path.dirname(folders[-1]))
    if os.getuid() != 0 or all(os.stat(folder).st_mode & 0o001 for folder in folders):
        return build
    copy = tempfile.mkdtemp(prefix="zyg-build-")
    atexit.register(shutil.rmtree, copy)
    os.chmod(copy, 0o755)
    ignore = shutil.ignore_patterns("obj", "pic", "unit", "asan", "fuzz", "corpus", "*.d")
    shutil.copytree(build, copy, ignore=ignore, dirs_exist_ok=True)
    os.chmod(copy, 0o755)
    return copy


BUILD = reachable_build()
ASAN = bool(os.environ.get("ZYGOTED_ASAN"))
ZYGOTED = os.path.join(BUILD, "zygoted")
ZYGOTECTL = os.path.join(BUILD, "zygotectl")
PROBE = os.path.join(BUILD, "tests", "e2e", "workers", "probe.so")
IEEE = "/usr/share/ieee-data"
START_BOUND = 60


# ---- configuration ----


def pool(name, worker=None, options=None, **keys):
    """A pool's section. Known workers get what they need; `keys` override. The daemon's own deadlines are for clients: what
    a test waits for may take longer, where many tests share a machine."""
    patient = {"timeout": "20s", "queue_timeout": "20s"}
    keys = {"routes": [f"/{name}/"], "spare": 4, "max_children": 16, **patient, **keys}
    if ASAN:  # a sanitizer's runtime needs calls that the filter kills for, and address space
        keys = {"sandbox": "log", **keys, "memory": "64G"}
    if name == "probe" and worker is None:
        worker = PROBE
    if name == "oui" and options is None:
        worker = worker or "table"
        options = {
            "file": [f"{IEEE}/oui.csv", f"{IEEE}/mam.csv", f"{IEEE}/oui36.csv"],
            "key": "Assignment",
            "match": "prefix",
            "normalise": "hex",
        }
    return {"name": name, "worker": worker or name, "options": options or {}, "keys": keys}


def quote(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, (list, tuple)):
        return "{" + ", ".join(quote(item) for item in value) + "}"
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def format_pool(section):
    lines = [f'pool "{section["name"]}" {{', f'\tworker = {quote(section["worker"])}']
    for name, value in section["options"].items():
        lines.append(f'\toption "{name}" {{ value = {quote(value)} }}')
    lines += [f"\t{key} = {quote(value)}" for key, value in section["keys"].items()]
    return "\n".join(lines + ["}"])


def format_config(keys, listeners, pools):
    """`listeners`: by name their keys, or an address."""
    lines = [f"{key} = {quote(value)}" for key, value in keys.items()]
    for name, section in listeners.items():
        section = section if isinstance(section, dict) else {"address": section}
        inside = [f"\t{key} = {quote(value)}" for key, value in {"protocol": "http", **section}.items()]
        lines += [f'listen "{name}" {{', *inside, "}"]
    return "\n".join(lines + [format_pool(section) for section in pools]) + "\n"


PORTS_HELD = collections.deque(maxlen=32)  # more than a test has; what falls out is closed


def hold_port(port):
    """Runs beside this one do not take it: the name is free again when this process ends, however it does."""
    name = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        name.bind(f"\0zygoted-test-port-{port}")
    except OSError:
        name.close()
        return False
    PORTS_HELD.append(name)
    return True


def free_port():
    """Taken from below the ephemeral range, so that no outgoing connection gets it meanwhile."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    free_port.next = getattr(free_port, "next", os.getpid() % 500)
    while True:
        free_port.next += 1
        port = 18000 + worker * 1000 + free_port.next % 1000
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if hold_port(port):
            return port


class ControlError(Exception):
    pass


class Control:
    """One connection to the control socket."""

    def __init__(self, path, timeout=BOUND):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)  # blocks while the backlog is full
        self.socket.settimeout(timeout)
        self.file = self.socket.makefile("rb")

    def send(self, data):
        self.socket.sendall(data)

    def answer(self):
        """The next line as a dict; None when the daemon has closed."""
        line = self.file.readline()
        return json.loads(line) if line else None

    def command(self, line):
        self.send(line.encode() + b"\n")
        return self.answer()

    def close(self):
        self.file.close()
        self.socket.close()


class Zygoted:
    def __init__(self, *pools, user=None, config=None, listeners=1, tls=None, metrics=False, **keys):
        """`user`: the ordinary user to start the daemon as (needs root). `config`: the whole file. `tls`: further keys
        of the last listener. `metrics`: with a metrics listener."""
        self.user = user
        self.directory = tempfile.mkdtemp(prefix="zyg-", dir="/tmp")
        self.control = os.path.join(self.directory, "control")
        self.config_path = os.path.join(self.directory, "zygoted.conf")
        self.log_path = os.path.join(self.directory, "log")
        self.ports = [free_port() for _ in range(listeners)]
        self.port = self.ports[0]
        self.metrics_port = free_port() if metrics else None
        self.spares = {section["name"]: section["keys"]["spare"] for section in pools}
        self.process = None
        self.prefix = []  # a command that runs zygoted, and becomes it
        self.spawn_more = {}  # for Popen
        self.exit_code = 0  # what stop() expects
        self.seen = set()  # (pid, start time)
        if config is None:
            self.sections = {
                f"web{i or ''}": {"address": f"127.0.0.1:{port}"} for i, port in enumerate(self.ports)
            }
            list(self.sections.values())[-1].update(tls or {})
            if metrics:
                address = f"127.0.0.1:{self.metrics_port}"
                self.sections["metrics"] = {"protocol": "metrics", "address": address}
            config = self.config_text(pools or [pool("echo")], **keys)
        self.write_config(config)
        if user:
            record = pwd.getpwnam(user)
            os.chown(self.directory, record.pw_uid, record.pw_gid)

    def config_text(self, pools, sections=None, **keys):
        """The file for these pools. `sections`: listeners; else those that the daemon was started with. Bodies may take
        their time: a request lasts for as long as its client holds it."""
        keys = {"control": self.control, "body_grace": "2m", **keys}
        return format_config(keys, sections or self.sections, pools)

    def write_config(self, text):
        with open(self.config_path, "w") as file:
            file.write(text)

    # -- life --

    def spawn(self, *arguments):
        """Starts zygoted with its output in the log; does not wait."""
        extra = {}
        if ASAN:  # the search for leaks at exit stops all threads by ptrace, and hangs
            extra = {"env": {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}}
        if self.user:
            record = pwd.getpwnam(self.user)
            extra |= {"user": record.pw_uid, "group": record.pw_gid, "extra_groups": []}
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, ZYGOTED, *(arguments or ("-c", self.config_path))],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.directory,
                **extra,
                **self.spawn_more,
            )
        return self.process

    def start(self):
        self.spawn()
        self.wait_ready()
        wait_until(self.has_spares, what="all spares are parked")
        self.processes()
        return self

    def run(self, *arguments, bound=60):
        """Runs zygoted to its end. (exit code, stdout, stderr)"""
        result = subprocess.run(
            [ZYGOTED, *arguments], capture_output=True, text=True, timeout=bound, cwd=self.directory
        )
        return result.returncode, result.stdout, result.stderr

    def zygotectl(self, *arguments):
        result = subprocess.run(
            [ZYGOTECTL, "-s", self.control, *arguments], capture_output=True, text=True, timeout=60
        )
        return result.returncode, result.stdout, result.stderr

    @property
    def pid(self):
        return self.process.pid

    def ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"zygoted ended with {self.process.returncode}:\n{self.log()}")
        try:
            pools = self.ctl("pools")["pools"]
        except (OSError, ControlError, ValueError, TypeError):
            return False
        return all(p["state"] == "serving" and p["spare"] > 0 and p["starting"] == 0 for p in pools)

    def has_spares(self):
        return all(p["spare"] == self.spares.get(p["pool"], p["spare"]) for p in self.ctl("pools")["pools"])

    def wait_ready(self, bound=START_BOUND):
        try:
            wait_until(self.ready, bound, "every pool serving")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log()}") from None
        self.processes()

    def stop(self):
        """SIGTERM; asserts the exit code and that nothing is left. Removes the directory."""
        if self.process is None:
            self.clean()
            return
        self.processes()
        if self.process.poll() is None:
            self.process.terminate()
        try:
            code = self.process.wait(BOUND)
            self.wait_gone()
            assert code == self.exit_code, f"exit code {code}\n{self.log()}"
        finally:
            self.clean()

    def clean(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process = None
        shutil.rmtree(self.directory, ignore_errors=True)

    def wait_gone(self, bound=BOUND):
        """No process that was ever seen below the supervisor is alive."""
        wait_until(lambda: not self.left(), bound, f"no process left: {self.left()}")

    def left(self):
        return [pid for pid, start in self.seen if is_alive(pid) and start_time(pid) == start]

    # -- its processes --

    def processes(self):
        """All living descendants of the supervisor."""
        pids = [pid for pid in descendants(self.pid) if is_alive(pid)]
        self.seen.update((pid, start_time(pid)) for pid in pids)
        return pids

    def named(self, title):
        return [pid for pid in self.processes() if command_line(pid).startswith(title)]

    def front_pid(self):
        found = self.named("zygoted: front")
        return found[0] if found else None

    def zygote_pid(self, name):
        """The zygote is the one whose parent is the supervisor; its children have its title."""
        table = parents()
        titled = self.named(f"zygoted-zygote: {name}")
        found = [pid for pid in titled if table.get(pid, (0, ""))[0] == self.pid]
        return found[0] if found else None

    def child_pids(self, name):
        zygote = self.zygote_pid(name)
        table = parents()
        return [pid for pid, (parent, state) in table.items() if parent == zygote and state != "Z"]

    def kill(self, pid, number=signal.SIGKILL):
        os.kill(pid, number)

    # -- control --

    def ctl(self, command):
        """A command's answer; ControlError when the daemon says no."""
        control = Control(self.control)
        try:
            answer = control.command(command)
        finally:
            control.close()
        if not answer or not answer.get("ok"):
            raise ControlError((answer or {}).get("error", "closed without an answer"))
        return answer

    def pool(self, name):
        return next(p for p in self.ctl("pools")["pools"] if p["pool"] == name)

    def stats(self, name):
        return next(p for p in self.ctl("stats")["pools"] if p["pool"] == name)

    def outcome(self, reason, name=None):
        """How many requests ended so: in one pool, or in the whole front."""
        stats = self.ctl("stats")
        part = stats["front"] if name is None else self.stats(name)
        return part["outcomes"].get(reason.replace("-", "_"), 0)

    def children(self, name):
        return self.ctl(f"children {name}")["children"]

    def busy(self, name):
        return [c for c in self.children(name) if c["state"] == "busy"]

    def wait_busy(self, name, count=1, bound=BOUND):
        return wait_until(lambda: len(self.busy(name)) == count and self.busy(name), bound)

    def wait_idle(self, name, bound=BOUND):
        """Nothing but parked spares is left, as many as configured; in /proc as well."""

        def idle():
            now = self.pool(name)
            moving = now["busy"] + now["starting"] + now["dying"] + now["queued"]
            spare = self.spares.get(name, now["spare"])
            return moving == 0 and now["spare"] == spare == len(self.child_pids(name))

        wait_until(idle, bound, f"pool {name} idle: {self.pool(name)}")
        return self.pool(name)

    # -- log --

    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()

    def wait_log(self, text, bound=BOUND):
        return wait_until(lambda: text in self.log(), bound, f"log line with {text!r}")

    # -- requests --

    def connect(self, timeout=60, listener=0):
        return Connection(("127.0.0.1", self.ports[listener]), timeout)

    def request(self, method, path, body=None, headers=(), timeout=60, listener=0):
        """One request on a connection of its own. http.client-like Response."""
        with self.connect(timeout, listener) as connection:
            connection.request(method, path, body, headers)
            return connection.response(method)

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def scrape(self, path="/metrics", method="GET", headers=()):
        """One request to the metrics listener."""
        with Connection(("127.0.0.1", self.metrics_port)) as connection:
            connection.request(method, path, None, headers)
            return connection.response(method)

    def samples(self):
        """{'name{labels}': value} of one scrape."""
        lines = [line for line in self.scrape().text.splitlines() if not line.startswith("#")]
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}

    def raw(self, data, timeout=60):
        """Sends bytes, returns the answer's Response and whether the connection was then closed."""
        with self.connect(timeout) as connection:
            connection.send(data)
            response = connection.response()
            return response, connection.is_closed()
