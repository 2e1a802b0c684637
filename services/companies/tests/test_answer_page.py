"""The page by which a company answers, in each language and for every eye and ear."""

import re
from datetime import datetime
from typing import Any

import pytest
from companies import answer_page
from companies.answer_words import WORDS
from companies.visit import aggregate
from companies.visit_state import Status, Visit
from tyrsky.language import LANGUAGES, Language

from .known import DAY, HOUR, NOON, TOMORROW, arranged

HOSTILE = '<script>alert(1)</script>"{{ 7 * 7 }}'


def visit(**other: Any) -> Visit:
    found = aggregate.fold(None, [arranged()])
    assert found is not None
    return found.but(**other)


def shown(
    language: Language = "en", now: datetime = NOON, trouble: answer_page.Trouble | None = None, **other: Any
) -> str:
    return answer_page.page(visit(**other), "Valkeakosken ammattiopisto", language, now, trouble)


WHEN = {
    "fi": ("keskiviikko 2. syyskuuta 2026", "15.00–16.00 (Suomen aikaa)"),
    "sv": ("onsdag 2 september 2026", "15:00–16:00 (finsk tid)"),
    "en": ("Wednesday, 2 September 2026", "15:00–16:00 (time in Finland)"),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_says_who_comes_when_and_how(language: Language):
    page = shown(language)
    manner = WORDS[language]["manner-on-site"]
    for words in (*WHEN[language], "Kahvila Oy", "Valkeakosken ammattiopisto", manner):
        assert words in page


def test_each_language_says_everything():
    assert WORDS["fi"].keys() == WORDS["sv"].keys() == WORDS["en"].keys()
    assert all(words.strip() for language in LANGUAGES for words in WORDS[language].values())


STATES: list[tuple[Status, datetime, str, bool]] = [
    ("planned", NOON, "told-planned", True),
    ("confirmed", NOON, "told-confirmed", True),
    ("declined", NOON, "told-declined", True),
    ("cancelled", NOON, "told-cancelled", False),
    ("recorded", TOMORROW + DAY, "told-recorded", False),
    ("planned", TOMORROW, "told-begun", False),
    ("confirmed", TOMORROW + HOUR, "told-begun", False),
]


@pytest.mark.parametrize(("status", "now", "told", "asks"), STATES)
def test_it_asks_as_long_as_an_answer_is_taken(status: Status, now: datetime, told: str, asks: bool):
    page = shown(now=now, status=status)
    assert WORDS["en"][told].replace("'", "&#39;") in page
    assert ("<form" in page, "<button" in page) == (asks, asks)


def test_what_somebody_else_wrote_is_text():
    page = shown(company_name=HOSTILE, answer_words=f"</textarea>{HOSTILE}")
    assert "<script" not in page
    assert page.count("</textarea>") == 1
    assert "{{ 7 * 7 }}" in page


def test_what_went_wrong_is_said_where_it_is_heard():
    page = shown(trouble=answer_page.Trouble("Choose.", "Typed already."), answer_words="Of before.")
    assert '<p class="trouble" role="alert">Choose.</p>' in page
    assert "Typed already.</textarea>" in page
    assert 'role="alert"' not in shown()


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_every_text_stands_out_from_its_ground():
    """WCAG 2.2 AA: 4.5 : 1 of text, 3 : 1 of what borders and of what shows the focus; light and dark on their own."""
    style = shown().split("<style>")[1].split("</style>")[0]
    light, dark = style.split("@media (prefers-color-scheme: dark)")
    for scheme in (light, dark):
        [ground] = re.findall(r"body \{[^}]*background: (#[0-9a-f]{6})", scheme)
        for rule in re.findall(r"\{([^{}]*)\}", scheme):
            own = re.findall(r"background: (#[0-9a-f]{6})", rule) or [ground]
            for text in re.findall(r"(?<![-a-z])color: (#[0-9a-f]{6})", rule):
                assert contrast(text, own[0]) >= 4.5, rule
            for line in re.findall(r"(?:border[-a-z]*|outline[-a-z]*): [^;]*?(#[0-9a-f]{6})", rule):
                assert contrast(line, ground) >= 3, rule


def test_what_is_clicked_is_large_enough():
    style = shown().split("<style>")[1]
    assert "min-height: 2.75em" in style  # of 18 pixels: more than the 24 that WCAG 2.2 asks for
    assert "nav a { display: inline-block; padding: .4em .6em" in style


def test_the_same_visit_is_the_same_page():
    assert shown() == shown()


def test_a_link_that_opens_nothing_has_nothing_of_a_visit():
    for language in LANGUAGES:
        page = answer_page.nothing(language)
        assert WORDS[language]["told-wrong-link"] in page
        assert "<form" not in page
        assert "<dl" not in page
