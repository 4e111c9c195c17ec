"""Debian's nginx with `deploy/nginx.conf` as it is delivered, but for ports, paths and the certificate."""

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import requests
import trustme

from terristory.settings import PROJECT_ROOT
from tests.support.components import Child, free_port, listens, require

DELIVERED = PROJECT_ROOT / "deploy" / "nginx.conf"


class Nginx:
    """One proxy before some hosts; `url` is its https address, `authority` the file that makes a client trust it."""

    def __init__(self, folder: Path) -> None:
        self.program = require(
            "nginx", shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin"), "apt install nginx"
        )
        self.folder = folder
        self.port, self.plain_port = free_port(), free_port()
        self.url = f"https://localhost:{self.port}"
        self.access_log = folder / "access.log"
        self.authority = folder / "authority.pem"
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(self.authority))
        certificate = authority.issue_cert("localhost")
        certificate.private_key_pem.write_to_path(str(folder / "key.pem"))
        for part in certificate.cert_chain_pems:
            part.write_to_path(str(folder / "chain.pem"), append=True)

    def start(self, ports: Sequence[int]) -> Child:
        """Proxy to these ports of loopback, until the child that is returned is stopped."""
        written = self.folder / "nginx.conf"
        written.write_text(self._configuration(ports))
        child = Child([self.program, "-p", self.folder, "-c", written, "-e", "stderr"], self.folder / "nginx.log")
        child.wait_until_ready(lambda: listens(self.port))
        return child

    def session(self) -> requests.Session:
        """A browser's worth of cookies and connections that trusts the certificate."""
        session = requests.Session()
        session.verify = str(self.authority)
        return session

    def _configuration(self, ports: Sequence[int]) -> str:
        """The delivered server blocks within the frame that Debian's own nginx.conf gives them."""
        hosts = "".join(f"server 127.0.0.1:{port};" for port in ports)
        text = DELIVERED.read_text()
        for pattern, replacement, times in (
            (r"listen \[::\]:\d+(?: ssl)?;", "", 2),
            (r"listen 80;", f"listen 127.0.0.1:{self.plain_port};", 1),
            (r"listen 443 ssl;", f"listen 127.0.0.1:{self.port} ssl;", 1),
            (r"server 127\.0\.0\.1:8000;", hosts, 1),
            (r"/etc/letsencrypt/live/compte\.example\.fr/fullchain\.pem", str(self.folder / "chain.pem"), 1),
            (r"/etc/letsencrypt/live/compte\.example\.fr/privkey\.pem", str(self.folder / "key.pem"), 1),
            (r"/var/log/nginx/terristory\.log", str(self.access_log), 2),
            (r"compte\.example\.fr", "localhost", 4),
        ):
            text, replaced = re.subn(pattern, replacement, text)
            assert replaced == times, f"{pattern} is {replaced} times in deploy/nginx.conf"
        places = "".join(
            f"{name}_temp_path {self.folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        # The user that runs the tests also owns the folder, which is closed to others.
        user = "user root;" if os.geteuid() == 0 else ""
        return (
            f"{user} daemon off; worker_processes 1; pid {self.folder}/pid; error_log stderr;"
            f"events {{ worker_connections 1024; }} http {{ {places} {text} }}"
        )


@contextmanager
def running_nginx(nginx: Nginx, ports: Sequence[int]) -> Iterator[Nginx]:
    """Run a proxy before the services of some ports for the time of a `with`."""
    child = nginx.start(ports)
    try:
        yield nginx
    finally:
        child.stop()
