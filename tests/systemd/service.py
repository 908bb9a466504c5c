"""What the tests on a booted system share: the service, its configuration, a request."""

from client import Connection
from proc import read_proc

PORT = 8080
PLACE = ("127.0.0.1", PORT)
CONFIG = "/usr/local/etc/zygoted/zygoted.conf"
DROP_IN = "/etc/systemd/system/zygoted.service.d/test.conf"


def get(path, port=PORT):
    with Connection(("127.0.0.1", port)) as connection:
        connection.request("GET", path)
        return connection.response()


def start(machine, *units):
    machine.run("systemctl", "start", *(units or ["zygoted.service"]))


def be_patient(machine):
    """Requests to echo wait for a child for as long as a busy machine takes."""
    machine.write(CONFIG, machine.read(CONFIG).replace('routes = {"/echo"}', 'routes = {"/echo"} queue_timeout = "20s"'))


def set_service(machine, *lines):
    machine.write(DROP_IN, "\n".join(["[Service]", *lines, ""]))
    machine.run("systemctl", "daemon-reload")


def status_of(pid):
    """/proc/PID/status as a dict."""
    text = read_proc(pid, "status") or ""
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def is_up(machine, but):
    """A main process runs that is not `but`."""
    return machine.main_pid() not in (None, but) and machine.show("SubState") == "running"
