import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar
from jinja2 import UndefinedError
from notifications.kinds import KINDS
from notifications.mail import Sender, compose, one_line, templates
from tyrsky_contracts.notifications import Language, VisitInvitation

from .known import ID, NOON, VISIT, VISIT_STARTS, invitation, notification
from .mails import LANGUAGES, VAAO, Page, event, part, sent

HOSTILE = [
    "Teppo\r\nBcc: eve@evil.example",
    "Teppo\nBcc: eve@evil.example\n\nBody",
    "Teppo\rBcc: eve@evil.example",
    "Teppo\x00\x0b\x0c\x1c\x85Bcc: eve@evil.example",
    "Teppo\u2028Bcc: eve@evil.example\u2029",
    '"Teppo" <eve@evil.example>, "x"',
    "Virtanen, Teppo, eve@evil.example",
    "Bcc: eve@evil.example" * 4,
    "=?utf-8?q?Teppo=0D=0ABcc:_eve@evil.example?=",
    "Teppo\u202e\u2066elpmaxe.live@eve",
    "<script>alert(1)</script>",
    "{{ 7 * 7 }}{% include 'layout.html' %}",
    "END:VEVENT\r\nBEGIN:VEVENT;CN=x:mailto:eve@evil.example",
    "ä" * 200,
    "Hämäläinen, Teppo, " * 10,
    "😀" * 100,
    ";:,\\\"'^n",
]


PLAIN = sent()


WORDS = {
    "fi": ("Vierailu: Hämeen Metallityö Oy, 3. helmikuuta 2026 klo 9.00", "tiistai 3. helmikuuta 2026", "9.00–10.30"),
    "sv": ("Besök: Hämeen Metallityö Oy, 3 februari 2026 kl. 09:00", "tisdag 3 februari 2026", "09:00–10:30"),
    "en": ("Visit: Hämeen Metallityö Oy, 3 February 2026 at 09:00", "Tuesday, 3 February 2026", "09:00–10:30"),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_invitation_says_what_it_must_in_each_language(language: Language):
    message = sent(language=language)
    subject, day, hours = WORDS[language]
    assert message["Subject"] == subject
    assert message["Content-Language"] == language
    for text in (part(message, "plain"), Page(part(message, "html")).text):
        for words in (day, hours, "Hämeen Metallityö Oy", "Teppo Virtanen", "Valkeakosken ammattiopisto"):
            assert words in text


def test_the_parts_go_from_the_plainest_to_the_richest():
    message = sent()
    assert message.get_content_type() == "multipart/alternative"
    types = [each.get_content_type() for each in message.iter_parts()]
    assert types == ["text/plain", "text/html", "text/calendar"]


def test_the_headers_of_a_message_by_a_machine():
    message = sent()
    assert str(message["From"]) == "Valkeakosken ammattiopisto <tyoelama@vaao.example>"
    assert str(message["To"]) == "Teppo Virtanen <teppo.virtanen@metalli.example>"
    assert message["Message-ID"] == f"<{ID}@vaao.example>"
    assert message["Date"].datetime == NOON
    assert message["Auto-Submitted"] == "auto-generated"


def test_the_same_notification_is_the_same_message_byte_for_byte():
    assert compose(ID, notification(), VAAO).as_bytes() == compose(ID, notification(), VAAO).as_bytes()


def test_another_notification_has_another_message_id():
    other = compose(uuid4(), notification(), VAAO)
    assert other["Message-ID"] != sent()["Message-ID"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_line_goes_through_every_server(language: Language):
    raw = compose(ID, notification(language=language, to_name="Ä" * 200), VAAO).as_bytes()
    assert raw.isascii()
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"")


def test_the_calendar_invites_to_the_visit():
    message = sent()
    (calendar,) = (each for each in message.iter_parts() if each.get_content_subtype() == "calendar")
    assert calendar["Content-Type"].params["method"] == "REQUEST"
    assert Calendar.from_ical(calendar.get_content()).get("METHOD") == "REQUEST"
    visit = event(message)
    assert visit["UID"] == str(VISIT)
    assert visit["SEQUENCE"] == 0
    assert visit["ORGANIZER"] == "mailto:tyoelama@vaao.example"
    assert visit["ATTENDEE"] == "mailto:teppo.virtanen@metalli.example"
    assert visit["ATTENDEE"].params["RSVP"] == "TRUE"
    assert visit["DTSTAMP"].dt == NOON


def test_a_domain_of_letters_is_written_so_that_every_server_can_read_it():
    message = sent(to_email="info@hämeenlinna.fi")
    assert message["To"].addresses[0].addr_spec == "info@xn--hmeenlinna-q5a.fi"
    assert event(message)["ATTENDEE"] == "mailto:info@xn--hmeenlinna-q5a.fi"
    assert message.as_bytes().isascii()


@pytest.mark.parametrize("starts_at", [VISIT_STARTS, datetime(2026, 6, 9, 6, 0, tzinfo=UTC)], ids=["winter", "summer"])
def test_the_calendar_has_the_hours_of_helsinki(starts_at: datetime):
    when = VisitInvitation(company_name="X Oy", starts_at=starts_at, ends_at=starts_at + timedelta(minutes=90))
    visit = event(sent(data=when))
    assert visit["DTSTART"].to_ical().endswith(b"T090000")
    assert visit["DTSTART"].params["TZID"] == "Europe/Helsinki"
    assert (visit["DTSTART"].dt, visit["DTEND"].dt) == (starts_at, starts_at + timedelta(minutes=90))


def test_a_calendar_knows_the_newer_invitation_to_the_same_visit():
    moved = invitation.model_copy(update={"revision": 3})
    assert (event(sent(data=moved))["UID"], event(sent(data=moved))["SEQUENCE"]) == (str(VISIT), 3)


def test_a_visit_over_midnight_says_both_days():
    late = VisitInvitation(company_name="Yö Oy", starts_at=VISIT_STARTS, ends_at=VISIT_STARTS + timedelta(hours=20))
    assert "9.00–4. helmikuuta 2026 5.00" in part(sent(data=late), "plain")


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_hostile_name_adds_neither_header_nor_recipient_nor_markup(hostile: str, language: Language):
    data = VisitInvitation(company_name=hostile, starts_at=VISIT_STARTS, ends_at=invitation.ends_at)
    plain, message = sent(language=language), sent(language=language, to_name=hostile, data=data)
    assert message.keys() == plain.keys()
    (recipient,) = message["To"].addresses
    assert recipient.addr_spec == "teppo.virtanen@metalli.example"
    # Without spaces: the library's parser puts one between the encoded words of a long name.
    assert "".join(recipient.display_name.split()) == "".join(one_line(hostile).split())
    assert [tag for tag, _ in Page(part(message, "html")).tags] == [tag for tag, _ in Page(part(plain, "html")).tags]
    assert part(message, "plain").count("\n") == part(plain, "plain").count("\n")
    visit = event(message)
    assert str(visit["ATTENDEE"]) == "mailto:teppo.virtanen@metalli.example"
    assert visit["ATTENDEE"].params["CN"] == one_line(hostile)
    assert str(visit["LOCATION"]) == one_line(hostile)
    assert set(visit.keys()) == set(event(plain).keys())


FRAGMENTS = st.sampled_from(
    ["\r", "\n", "=?utf-8?q?", "=0D=0A", "?=", "Bcc: eve@evil.example", "<", ">", ",", '"', "\\"]
)


@given(st.lists(FRAGMENTS | st.text(max_size=10), max_size=12).map("".join))
@settings(max_examples=60, deadline=None)
def test_no_name_whatever_adds_a_header_or_a_recipient(name: str):
    data = VisitInvitation(company_name=f"{name}.", starts_at=VISIT_STARTS, ends_at=invitation.ends_at)
    message = sent(to_name=name, data=data)
    assert message.keys() == PLAIN.keys()
    assert [each.addr_spec for each in message["To"].addresses] == ["teppo.virtanen@metalli.example"]
    assert set(event(message).keys()) == set(event(PLAIN).keys())


def test_a_sender_with_a_line_break_is_refused():
    with pytest.raises(ValueError, match="CR or LF"):
        compose(ID, notification(), Sender("Vaao\r\nBcc: eve@evil.example", "tyoelama@vaao.example"))


def test_a_template_with_a_missing_word_fails_before_it_is_sent():
    with pytest.raises(UndefinedError):
        templates.get_template("visit-invitation.fi.txt").render(name="Teppo")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", [each for kind in KINDS.values() for each in kind.templates.values()])
def test_every_kind_is_written_in_every_language(template: str, language: Language):
    for form in ("txt", "html"):
        assert templates.get_template(f"{template}.{language}.{form}")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_can_be_heard_as_well_as_seen(language: Language):
    page = Page(part(sent(language=language), "html"))
    names = [tag for tag, _ in page.tags]
    assert dict(page.tags)["html"]["lang"] == language
    assert names.count("h1") == names.count("title") == names.count("caption") == 1
    assert all(attributes.get("scope") == "row" for tag, attributes in page.tags if tag == "th")


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_every_text_stands_out_from_every_ground_it_may_be_on():
    """WCAG 2.2 AA asks for 4.5 : 1; light and dark each on its own."""
    css = part(sent(), "html").split("<style>")[1].split("</style>")[0]
    light, dark = css.split("@media")
    for scheme in (light, dark):
        texts = re.findall(r"[^-]color: (#[0-9a-f]{6})", scheme)
        grounds = re.findall(r"background: (#[0-9a-f]{6})", scheme)
        assert len(texts) == 4
        assert len(grounds) == 3
        for text in texts:
            for ground in grounds:
                darker, lighter = sorted((luminance(text), luminance(ground)))
                assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (text, ground)
