"""Messages as their receivers see and hear them."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from html.parser import HTMLParser
from typing import Any

from icalendar import Calendar
from notifications.mail import Sender, compose
from tyrsky_contracts.notifications import Language

from .known import ID, notification

VAAO = Sender("Valkeakosken ammattiopisto", "tyoelama@vaao.example")
LANGUAGES: tuple[Language, ...] = ("fi", "sv", "en")


def sent(**other: Any) -> EmailMessage:
    """The message as its receiver parses it."""
    message = message_from_bytes(compose(ID, notification(**other), VAAO).as_bytes(), policy=SMTP)
    assert isinstance(message, EmailMessage)
    return message


def part(message: EmailMessage, subtype: str) -> str:
    return next(part for part in message.iter_parts() if part.get_content_subtype() == subtype).get_content()


def event(message: EmailMessage) -> Any:
    (found,) = Calendar.from_ical(part(message, "calendar")).walk("VEVENT")
    return found


class Page(HTMLParser):
    """What somebody who hears the page gets to know of it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data
