"""The mail server: one message handed over, and what the server made of it.

What matters is when it went wrong. Before the message was handed over, it was certainly not sent; after, an answer in
the 400s or 500s says so too; but when no answer comes, nobody knows.
"""

import asyncio
import re
import ssl
from contextlib import suppress
from email.message import EmailMessage

from aiosmtplib import (
    SMTP,
    SMTPDataError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPSenderRefused,
)
from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode
from tyrsky.effects import Outcome

from notifications.settings import Settings

QUIT_SECONDS = 2
LOG_IN_NEEDED = (530, 534, 535, 538)
"""Answers to a sender, a recipient or a message that are about our log-in: to be mended here, not by the recipient."""

ENHANCED = re.compile(r"([245])\.\d{1,3}\.\d{1,3}\b")

tracer = trace.get_tracer(__name__)


class MailServer:
    """Hands messages over by SMTP, each over a connection of its own."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tls: ssl.SSLContext | None = None
        if settings.smtp_security != "none":
            self._tls = ssl.create_default_context(cafile=settings.smtp_ca_file)

    async def hand_over(self, message: EmailMessage) -> Outcome:
        """One attempt to send ``message``, which has one sender and one recipient."""
        with tracer.start_as_current_span(
            "smtp send",
            kind=SpanKind.CLIENT,
            attributes={
                "server.address": self._settings.smtp_host,
                "server.port": self._settings.smtp_port,
                "peer.service": "smtp",
            },
        ) as span:
            outcome = await self._attempt(message)
            span.set_attribute("tyrsky.outcome", outcome.status)
            if outcome.status != "sent":
                span.set_attribute("error.type", outcome.reason)
                span.set_status(Status(StatusCode.ERROR))
            return outcome

    async def _attempt(self, message: EmailMessage) -> Outcome:
        sender, recipient = (message[header].addresses[0].addr_spec for header in ("From", "To"))
        if not recipient.isascii():
            return Outcome("refused", "address-malformed")
        content = message.as_bytes()
        client = self._client()
        handed_over = False
        try:
            async with asyncio.timeout(self._settings.smtp_seconds):
                await client.connect()  # greeting, TLS, log-in
                await client.mail(sender)
                await client.rcpt(recipient)
                handed_over = True
                await client.data(content)
        except (SMTPException, OSError, TimeoutError, UnicodeError) as error:
            return _verdict(error, handed_over)
        else:
            with suppress(SMTPException, OSError, TimeoutError):
                await client.quit(timeout=QUIT_SECONDS)  # a courtesy: the message is out
            return Outcome("sent")
        finally:
            client.close()

    def _client(self) -> SMTP:
        settings = self._settings
        return SMTP(
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            username=settings.smtp_username or None,
            password=settings.smtp_password.get_secret_value() if settings.smtp_username else None,
            timeout=settings.smtp_seconds,
            use_tls=settings.smtp_security == "tls",
            start_tls=settings.smtp_security == "starttls",
            tls_context=self._tls,
        )


def _verdict(error: Exception, handed_over: bool) -> Outcome:
    match error:
        case SMTPSenderRefused() | SMTPRecipientRefused() | SMTPDataError() if _is_final(error.code):
            return Outcome("refused", _reason(error))
        case SMTPResponseException() if 400 <= error.code < 600:
            return Outcome("deferred", _reason(error))
        case TimeoutError():
            return Outcome("deferred", "timeout", unsure=handed_over)
        case OSError() if handed_over:
            return Outcome("deferred", "connection-lost", unsure=True)
        case OSError() | UnicodeError():  # of the latter kind is a host name that is none
            return Outcome("deferred", "connection-failed")
        case _:
            return Outcome("deferred", "protocol-error", unsure=handed_over)


def _is_final(code: int) -> bool:
    return 500 <= code < 600 and code not in LOG_IN_NEEDED


def _reason(error: SMTPResponseException) -> str:
    """The enhanced code, or the plain one; never the prose after it, which may quote an address."""
    enhanced = ENHANCED.match(error.message)
    return enhanced[0] if enhanced else f"smtp-{error.code}"
