"""Debian's nginx in front of servers, with a configuration of its own: one port for each of them."""

import os
import shutil
import subprocess
import tempfile

import pytest

import zyg
from client import Connection
from wait import BOUND, wait_until

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin")
needs_nginx = pytest.mark.skipif(NGINX is None, reason="Debian's package nginx is not installed")

SERVER = """
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://127.0.0.1:{below};
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
        }}
    }}
"""
TEXT = """
daemon off;
{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {servers}
}}
"""


class Behind:
    """A server that is reached through nginx; the rest of it is as it was."""

    def __init__(self, server, port):
        self.server = server
        self.port = port

    def __getattr__(self, name):
        return getattr(self.server, name)


class Nginx:
    def __init__(self, servers):
        self.folder = tempfile.mkdtemp(prefix="zyg-nginx-")
        os.chmod(self.folder, 0o755)
        self.servers = [Behind(server, zyg.free_port()) for server in servers]
        blocks = "".join(SERVER.format(port=s.port, below=s.server.port) for s in self.servers)
        user = "user nobody nogroup;" if os.getuid() == 0 else ""
        config = os.path.join(self.folder, "nginx.conf")
        with open(config, "w") as file:
            file.write(TEXT.format(folder=self.folder, user=user, servers=blocks))
        self.process = subprocess.Popen([NGINX, "-p", self.folder, "-c", config], stderr=subprocess.DEVNULL)
        wait_until(self.listens, what="nginx listens")

    def listens(self):
        assert self.process.poll() is None, f"nginx has ended: see {self.folder}/error.log"
        try:
            with Connection(("127.0.0.1", self.servers[-1].port), 1):
                return True
        except OSError:
            return False

    def stop(self):
        self.process.terminate()
        self.process.wait(BOUND)
        shutil.rmtree(self.folder)
