"""A mail server that does what a test tells it to: takes, refuses, hangs, or goes away."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import SMTP as SMTP_POLICY
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

TAKEN = "250 2.0.0 taken"
HANG = "hang"
GONE = "gone"
GONE_AFTER_TAKING = "gone after taking"


@dataclass
class Receiver:
    """What came, and how each stage answers: with one answer for ever, or with the next of several."""

    port: int = 0
    taken: list[Envelope] = field(default_factory=list[Envelope])
    at_sender: str | Iterator[str] = TAKEN
    at_recipient: str | Iterator[str] = TAKEN
    at_data: str | Iterator[str] = TAKEN
    delay_seconds: float = 0.01
    connections: int = 0
    at_once: int = 0
    at_once_most: int = 0

    @property
    def message_ids(self) -> list[str]:
        """Which messages came, each as often as it came."""
        return [str(message_from_bytes(_content(each), policy=SMTP_POLICY)["Message-ID"]) for each in self.taken]

    async def handle_MAIL(self, server: SMTP, _: Session, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802
        envelope.mail_from = address
        return await self._answer(server, self.at_sender)

    async def handle_RCPT(self, server: SMTP, _: Session, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802
        envelope.rcpt_tos.append(address)
        return await self._answer(server, self.at_recipient)

    async def handle_DATA(self, server: SMTP, _: Session, envelope: Envelope) -> str:  # noqa: N802
        self.at_once += 1
        self.at_once_most = max(self.at_once, self.at_once_most)
        try:
            answer = await self._answer(server, self.at_data)
        finally:
            self.at_once -= 1
        if answer == GONE_AFTER_TAKING:
            self.taken.append(envelope)
            return self._go(server)
        if answer.startswith("250"):
            self.taken.append(envelope)
        return answer

    async def _answer(self, server: SMTP, script: str | Iterator[str]) -> str:
        answer = script if isinstance(script, str) else next(script)
        if answer == HANG:
            await asyncio.sleep(60)
        await asyncio.sleep(self.delay_seconds)
        return self._go(server) if answer == GONE else answer

    def _go(self, server: SMTP) -> str:
        assert isinstance(server.transport, asyncio.WriteTransport)
        server.transport.abort()
        return "421 gone"


def _content(envelope: Envelope) -> bytes:
    assert isinstance(envelope.content, bytes)
    return envelope.content


@asynccontextmanager
async def receiving(
    tls: ssl.SSLContext | None = None, *, at_once: bool = False, port: int = 0, **smtp: Any
) -> AsyncGenerator[Receiver]:
    """A receiver, on a port of its own if none is given; ``at_once``: TLS from the first byte, else by STARTTLS."""
    receiver = Receiver()

    def protocol() -> SMTP:
        receiver.connections += 1
        return SMTP(receiver, hostname="mail.example", tls_context=None if at_once else tls, **smtp)

    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", port, ssl=tls if at_once else None)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()


def user(name: str, password: str) -> Callable[..., AuthResult]:
    """Lets one user in."""

    def check(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (name.encode(), password.encode()), handled=False)

    return check
