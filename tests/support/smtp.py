"""A mail server on loopback that keeps what it receives and answers as the test's script says."""

import asyncio
import ssl
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.support.components import wait_until

Security = Literal["plain", "starttls", "tls"]
Step = Literal["MAIL", "RCPT", "DATA"]


@dataclass(frozen=True)
class Received:
    """One message as it came over the wire."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    user: str | None
    encrypted: bool

    @property
    def message(self) -> EmailMessage:
        """The message, parsed."""
        parsed = message_from_bytes(self.raw, policy=default)
        assert isinstance(parsed, EmailMessage)
        return parsed

    def part(self, kind: Literal["plain", "html"]) -> str:
        """The text of the plain or of the HTML part."""
        body = self.message.get_body((kind,))
        assert body is not None, f"no {kind} part"
        return str(body.get_content())


class MailServer:
    """Accepts everything unless told otherwise; what was said to the server is in `messages`, oldest first.

    `answer("451 later", at="DATA")` queues one answer for one step; `silence(seconds)` waits before the answer to the
    next DATA; `drop_after_data()` takes the next message and breaks off before saying so (the lost acknowledgement).
    """

    def __init__(self, security: Security = "plain", login: tuple[str, str] | None = None) -> None:
        self.security = security
        self.login = login
        self.messages: list[Received] = []
        self._answers: dict[Step, deque[str]] = {"MAIL": deque(), "RCPT": deque(), "DATA": deque()}
        self._silences: deque[float] = deque()
        self._drops = 0
        self._authority = trustme.CA()
        self._controller: _Controller | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """The value of TERRISTORY_SMTP_URL that leads here."""
        scheme = {"plain": "smtp+plain", "starttls": "smtp", "tls": "smtps"}[self.security]
        account = ":".join(quote(part, safe="") for part in self.login) + "@" if self.login else ""
        return f"{scheme}://{account}127.0.0.1:{self.port}"

    def trusted_authorities(self, folder: Path) -> Path:
        """Write the certificate authority of this server to a file, for SSL_CERT_FILE, and return its path."""
        path = folder / "authority.pem"
        self._authority.cert_pem.write_to_path(str(path))
        return path

    def start(self) -> None:
        """Listen; after a `stop`, on the same port as before."""
        self._controller = _Controller(self, self._tls(), self.port)
        self._controller.start()
        self.port = self._controller.port

    def stop(self) -> None:
        """Refuse connections from now on."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def answer(self, reply: str, *, at: Step = "DATA", times: int = 1) -> None:
        """Answer `reply` (code and text) at the next `times` such steps."""
        self._answers[at].extend([reply] * times)

    def silence(self, seconds: float) -> None:
        """Say nothing for `seconds` after the next DATA."""
        self._silences.append(seconds)

    def drop_after_data(self) -> None:
        """Take the next message, then break the connection off instead of acknowledging it."""
        self._drops += 1

    def wait_for(self, count: int, *, seconds: float = 10) -> list[Received]:
        """Return the messages once there are at least `count`."""
        wait_until(lambda: len(self.messages) >= count, seconds=seconds, what=f"{count} messages received")
        return list(self.messages)

    def _tls(self) -> ssl.SSLContext | None:
        if self.security == "plain":
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
        return context

    # What aiosmtpd calls, on its own thread.

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._answers["MAIL"]:
            return self._answers["MAIL"].popleft()
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._answers["RCPT"]:
            return self._answers["RCPT"].popleft()
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self._silences:
            await asyncio.sleep(self._silences.popleft())
        if self._answers["DATA"]:
            return self._answers["DATA"].popleft()
        account = session.auth_data.login.decode() if session.auth_data else None
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        encrypted = bool(session.ssl) or self.security == "tls"
        self.messages.append(Received(envelope.mail_from or "", tuple(envelope.rcpt_tos), content, account, encrypted))
        if self._drops:
            self._drops -= 1
            assert server.transport is not None
            server.transport.abort()
        return "250 OK"

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:
        """Accept the one account of `login`."""
        assert self.login is not None
        user, password = (part.encode() for part in self.login)
        right = isinstance(given, LoginPassword) and (given.login, given.password) == (user, password)
        return AuthResult(success=right, auth_data=given)


class _Controller(Controller):
    """aiosmtpd's own probes port 0 at start: learn the true port before."""

    def __init__(self, mail: MailServer, tls: ssl.SSLContext | None, port: int = 0) -> None:
        options: dict[str, Any] = {}
        if mail.login:
            options |= {"authenticator": mail.authenticate, "auth_required": True, "auth_require_tls": False}
        if mail.security == "starttls":
            options |= {"tls_context": tls, "require_starttls": True}
        super().__init__(
            mail,
            hostname="127.0.0.1",
            port=port,
            ssl_context=tls if mail.security == "tls" else None,
            ready_timeout=10,
            **options,
        )

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def running_mail_server(security: Security = "plain", login: tuple[str, str] | None = None) -> Iterator[MailServer]:
    """Run a mail server for the time of a `with`."""
    server = MailServer(security, login)
    server.start()
    try:
        yield server
    finally:
        server.stop()
