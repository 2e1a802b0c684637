"""From a notification to a message: text, HTML and a calendar invitation, in the recipient's language.

Pure, and the same notification gives the same message byte for byte: what is sent again after a crash can be told from
a second message by nobody, and receivers that drop what has a known Message-ID may do so.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time
from icalendar import Calendar, Event, vCalAddress
from icalendar.enums import STATUS
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from tyrsky.mail_address import ascii_address
from tyrsky_contracts.companies import Manner
from tyrsky_contracts.notifications import Language

from notifications.kinds import KINDS
from notifications.notification import Notification

HELSINKI = ZoneInfo("Europe/Helsinki")
LOCALES: dict[Language, str] = {"fi": "fi_FI", "sv": "sv_FI", "en": "en_GB"}
MANNERS: dict[Language, dict[Manner, str]] = {
    "fi": {"on-site": "tulemme luoksenne", "remote": "etäyhteydellä", "phone": "puhelimitse"},
    "sv": {"on-site": "vi kommer till er", "remote": "på distans", "phone": "per telefon"},
    "en": {"on-site": "we come to you", "remote": "by video", "phone": "by phone"},
}
NAME_IN_SUBJECT_CHARACTERS_MAX = 80

NEEDS_QUOTES = re.compile(r'[()<>\[\]:;@\\,."]')

# 7bit: no server on the way needs an extension, and none has a reason to recode the message.
# The policy refuses line breaks in headers, whatever was let through before.
POLICY = SMTP.clone(cte_type="7bit")

# A plain subject that is a little long would begin on a line of its own, and be read with a blank before it.
UNFOLDED = POLICY.clone(max_line_length=998)  # RFC 5322, 2.1.1

templates = Environment(
    loader=PackageLoader("notifications"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


@dataclass(frozen=True)
class Sender:
    """Who a college's messages come from, and who answers come to."""

    name: str
    address: str


def compose(id: UUID, notification: Notification, sender: Sender) -> EmailMessage:
    """The message of a notification.

    :raises ValueError: when its address is none.
    """
    words = _words(notification, sender)
    name = f"{KINDS[notification.kind].templates[notification.data.change]}.{notification.language}"
    subject, _, text = templates.get_template(f"{name}.txt").render(words).partition("\n\n")
    html = templates.get_template(f"{name}.html").render(words, subject=subject)

    message = EmailMessage(policy=UNFOLDED if subject.isascii() else POLICY)
    message["From"] = _address(sender.name, sender.address)
    message["To"] = _address(one_line(notification.to_name), ascii_address(notification.to_email))
    message["Subject"] = subject
    message["Date"] = notification.accepted_at
    message["Message-ID"] = f"<{id}@{_domain(sender.address)}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "OOF, AutoReply"  # what Exchange knows Auto-Submitted by
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    calendar = invitation(notification, sender, summary=subject, description=text)
    message.add_alternative(calendar.to_ical().decode(), subtype="calendar", params={"method": str(calendar["METHOD"])})
    message["Content-Language"] = notification.language  # here, because a new content takes Content-* headers away
    message.set_boundary(f"=_{id.hex}")  # the library's own is random
    return message


def invitation(notification: Notification, sender: Sender, *, summary: str, description: str) -> Calendar:
    """The visit as a calendar invitation (iTIP, RFC 5546: REQUEST), or its withdrawal (CANCEL); the answer goes to the
    college by mail.

    The visit's id is the UID and its revision the SEQUENCE, so that a later message moves the entry or takes it away
    instead of making another, in whatever order they come.
    """
    visit = notification.data
    cancelled = visit.change == "cancelled"
    event = Event.new(
        uid=notification.about,
        sequence=visit.revision,
        stamp=notification.accepted_at,
        start=visit.starts_at.astimezone(HELSINKI),
        end=visit.ends_at.astimezone(HELSINKI),
        summary=summary,
        description=description,
        location=one_line(visit.company_name) if visit.manner == "on-site" else None,
        status=STATUS.CANCELLED if cancelled else STATUS.CONFIRMED,
        organizer=vCalAddress.new(f"mailto:{sender.address}", cn=sender.name),
        attendees=[
            vCalAddress.new(
                f"mailto:{ascii_address(notification.to_email)}",
                cn=one_line(notification.to_name) or None,
                cutype="INDIVIDUAL",
                role="REQ-PARTICIPANT",
                partstat="NEEDS-ACTION",
                rsvp=not cancelled,
                language=notification.language,
            )
        ],
    )
    method = "CANCEL" if cancelled else "REQUEST"
    calendar = Calendar.new(prodid="-//Tyrsky//Notifications//EN", method=method, subcomponents=[event])
    calendar.pop("UID")  # the library's own is random, and the calendar needs none
    year_around = timedelta(days=366)  # else the rules of Helsinki's clock since 1970
    calendar.add_missing_timezones((visit.starts_at - year_around).date(), (visit.ends_at + year_around).date())
    return calendar


def one_line(words: str) -> str:
    """``words`` without line breaks, control characters and marks that turn the direction of reading.

    A name is written by somebody else: it may not end a header, nor look like another line of the message. ``=?``
    begins an encoded word (RFC 2047), which the library would decode, line breaks and all, and write out as headers.
    """
    printable = "".join(" " if _is_unprintable(c) else c for c in words)
    return " ".join(printable.replace("=?", "= ?").split())


def _address(name: str, address: str) -> Address:
    """A name and an address for a header.

    The library breaks a long name between words, and then forgets the quotation marks that it needs: what is in it
    would be read as another address. A no-break space looks the same, and makes it encode the whole name.
    """
    return Address(name.replace(" ", "\xa0") if NEEDS_QUOTES.search(name) else name, addr_spec=address)


def _is_unprintable(character: str) -> bool:
    category = unicodedata.category(character)
    return category.startswith("C") or category in ("Zl", "Zp")


def _words(notification: Notification, sender: Sender) -> dict[str, Any]:
    """What the templates may use."""
    company_name = one_line(notification.data.company_name)
    starts_at, ends_at = (at.astimezone(HELSINKI) for at in (notification.data.starts_at, notification.data.ends_at))
    locale = LOCALES[notification.language]
    return {
        "language": notification.language,
        "college": sender.name,
        "college_address": sender.address,
        "name": one_line(notification.to_name),
        "company_name": company_name,
        "company_name_short": _short(company_name),
        "day": format_date(starts_at, "full", locale),
        "day_short": format_date(starts_at, "long", locale),
        "starts": format_time(starts_at, "short", locale=locale),
        "ends": _end(starts_at, ends_at, locale),
        "manner": MANNERS[notification.language][notification.data.manner],
        "answer_url": notification.data.answer_url,
    }


def _end(starts_at: datetime, ends_at: datetime, locale: str) -> str:
    """The hour, and the day too when it is another one."""
    hour = format_time(ends_at, "short", locale=locale)
    return hour if ends_at.date() == starts_at.date() else f"{format_date(ends_at, 'long', locale)} {hour}"


def _short(name: str) -> str:
    most = NAME_IN_SUBJECT_CHARACTERS_MAX
    return name if len(name) <= most else f"{name[: most - 1]}…"


def _domain(address: str) -> str:
    return address.rpartition("@")[2]
