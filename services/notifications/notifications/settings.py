"""What a deployment of notifications may change."""

from email.utils import parseaddr
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, FilePath, SecretStr, model_validator
from tyrsky import settings
from tyrsky.effects import RECORD_SECONDS
from tyrsky.mail_address import ascii_address, is_mail_address
from tyrsky_contracts.event import CollegeCode

from notifications.mail import Sender, one_line

LOOPBACK = ("localhost", "127.0.0.1", "::1")


def _is_mailbox(text: str) -> str:
    name, address = parseaddr(text)
    if not name or not is_mail_address(address) or one_line(text) != text:
        raise ValueError("not of the form: Name <name@domain>")
    return text


Mailbox = Annotated[str, AfterValidator(_is_mailbox)]
"""A sender as it is written in a message: ``Valkeakosken ammattiopisto <tyoelama@vaao.example>``."""


class Settings(settings.Settings):
    """Where messages go out, in whose name, and how hard it is tried."""

    smtp_host: str = Field(
        default="127.0.0.1", min_length=1, description="The mail server that messages are handed to."
    )
    smtp_port: int = Field(default=4025, ge=1, le=65_535, description="Its port: 587 with `starttls`, 465 with `tls`.")
    smtp_security: Literal["none", "starttls", "tls"] = Field(
        default="none", description="How the connection is secured; `starttls` is never done without."
    )
    smtp_ca_file: FilePath | None = Field(
        default=None, description="Certificates to trust (PEM) instead of the system's, for a server with its own."
    )
    smtp_username: str = Field(default="", max_length=255, description="User to log in as; empty means no log-in.")
    smtp_password: SecretStr = Field(default=SecretStr(""), description="That user's password.")
    smtp_seconds: float = Field(
        default=12,
        gt=0,
        le=300,
        description="How long one message may take, from connecting on; at most a quarter of STOP_SECONDS less 3 s.",
    )

    sender_address: Mailbox = Field(
        default="Tyrsky <tyrsky@tyrsky.example>", description="Sender of colleges that have none of their own."
    )
    sender_addresses: dict[CollegeCode, Mailbox] = Field(
        default={},
        description='Senders by college, as JSON: `{"vaao": "Valkeakosken ammattiopisto <tyoelama@vaao.example>"}`.',
    )

    mail_at_once: int = Field(default=4, ge=1, le=100, description="Messages that are sent at a time.")
    mail_poll_seconds: float = Field(
        default=5,
        gt=0,
        le=300,
        description="How often it is looked what is due; what is accepted here is sent at once.",
    )
    mail_retry_seconds: float = Field(
        default=30, gt=0, le=3_600, description="Pause after a first try that failed; it doubles."
    )
    mail_retry_seconds_max: float = Field(
        default=3_600, gt=0, le=86_400, description="Longest pause between two tries."
    )

    @model_validator(mode="after")
    def _no_password_in_clear(self) -> Self:
        if self.smtp_username and self.smtp_security == "none" and self.smtp_host not in LOOPBACK:
            raise ValueError("SMTP_USERNAME needs SMTP_SECURITY starttls or tls: the password would travel in clear")
        return self

    @model_validator(mode="after")
    def _a_stop_lasts_longer_than_an_attempt(self) -> Self:
        if self.smtp_seconds > self.finish_seconds - RECORD_SECONDS:
            raise ValueError(
                f"SMTP_SECONDS may be a quarter of STOP_SECONDS less {RECORD_SECONDS} at most: at a stop nobody would "
                "hear what became of a message under way, and it would be sent again"
            )
        return self

    def sender(self, college: str) -> Sender:
        """Who a college's messages come from."""
        name, address = parseaddr(self.sender_addresses.get(college, self.sender_address))
        return Sender(name, ascii_address(address))
