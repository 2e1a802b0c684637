"""Who was invited is told that a visit was moved or cancelled, and answers by a link; calendars too."""

from datetime import timedelta

import pytest
from icalendar import Calendar
from notifications.mail import MANNERS
from tyrsky_contracts.notifications import Language, VisitInvitation

from .known import VISIT, VISIT_STARTS, invitation
from .mails import LANGUAGES, Page, event, part, sent

URL = "https://tyrsky.example/visits/answer/0198a3c2/Q3vS0mC1xkqk9d2l7y8ZJw?lang=fi"
LATER = VISIT_STARTS + timedelta(days=1)
MOVED = VisitInvitation(
    company_name="Hämeen Metallityö Oy",
    starts_at=LATER,
    ends_at=LATER + timedelta(minutes=90),
    revision=1,
    change="moved",
    answer_url=URL,
)
CANCELLED = MOVED.model_copy(update={"revision": 2, "change": "cancelled", "answer_url": None})

NEWS = {
    "fi": ("Vierailu muuttunut: Hämeen Metallityö Oy, 4. helmikuuta 2026 klo 9.00", "Vierailu peruttu: "),
    "sv": ("Besöket ändrat: Hämeen Metallityö Oy, 4 februari 2026 kl. 09:00", "Besöket inställt: "),
    "en": ("Visit changed: Hämeen Metallityö Oy, 4 February 2026 at 09:00", "Visit cancelled: "),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_was_invited_is_told_that_the_visit_was_moved_or_cancelled(language: Language):
    moved, cancelled = (sent(language=language, data=data) for data in (MOVED, CANCELLED))
    subject, begins = NEWS[language]
    assert moved["Subject"] == subject
    assert cancelled["Subject"].startswith(begins)
    for message in (moved, cancelled):
        for text in (part(message, "plain"), Page(part(message, "html")).text):
            assert "Hämeen Metallityö Oy" in text
            assert "Teppo Virtanen" in text


@pytest.mark.parametrize("letter", ["a", "ä"])
@pytest.mark.parametrize("length", range(13, 75))
def test_the_subject_is_read_as_it_was_written_however_long_it_is(length: int, letter: str):
    name = f"V{letter}staava {'E' * (length - 12)} Oy"
    message = sent(data=MOVED.model_copy(update={"company_name": name}))
    assert message["Subject"] == f"Vierailu muuttunut: {name}, 4. helmikuuta 2026 klo 9.00"


@pytest.mark.parametrize("data", [invitation.model_copy(update={"answer_url": URL}), MOVED])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_link_answers(language: Language, data: VisitInvitation):
    message = sent(language=language, data=data)
    assert URL in part(message, "plain").splitlines()
    links = [attributes["href"] for tag, attributes in Page(part(message, "html")).tags if tag == "a"]
    assert links[0] == URL
    without = sent(language=language, data=data.model_copy(update={"answer_url": None}))
    assert "http" not in part(without, "plain") + part(without, "html").split("</style>")[1]


def test_calendars_move_the_entry_and_take_it_away():
    moved, cancelled = sent(data=MOVED), sent(data=CANCELLED)
    for message, method, status, sequence in (
        (moved, "REQUEST", "CONFIRMED", 1),
        (cancelled, "CANCEL", "CANCELLED", 2),
    ):
        (calendar,) = (each for each in message.iter_parts() if each.get_content_subtype() == "calendar")
        assert calendar["Content-Type"].params["method"] == method
        assert Calendar.from_ical(calendar.get_content()).get("METHOD") == method
        visit = event(message)
        assert (visit["UID"], visit["SEQUENCE"], visit["STATUS"]) == (str(VISIT), sequence, status)
        assert visit["ATTENDEE"] == "mailto:teppo.virtanen@metalli.example"
    assert event(moved)["DTSTART"].dt == LATER
    assert event(cancelled)["ATTENDEE"].params["RSVP"] == "FALSE"


@pytest.mark.parametrize("language", LANGUAGES)
def test_how_the_visit_is_made_is_told_and_a_call_has_no_place(language: Language):
    call = sent(language=language, data=invitation.model_copy(update={"manner": "phone"}))
    for text in (part(call, "plain"), Page(part(call, "html")).text):
        assert MANNERS[language]["phone"] in text
    assert "LOCATION" not in event(call)
    assert event(sent(language=language))["LOCATION"] == "Hämeen Metallityö Oy"
