"""The page by which a company answers to a visit: plain HTML in three languages, without scripts and loading nothing.

Pure: the same visit gives the same page.
"""

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from tyrsky.language import LANGUAGES, Language

from companies.answer_words import LANGUAGE_NAMES, WORDS
from companies.visit_state import Visit

HELSINKI = ZoneInfo("Europe/Helsinki")
LOCALES: dict[Language, str] = {"fi": "fi_FI", "sv": "sv_FI", "en": "en_GB"}

_templates = Environment(
    loader=PackageLoader("companies"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_style = _templates.get_template("answer.css").render()
_digest = base64.b64encode(hashlib.sha256(_style.encode()).digest()).decode()

HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_digest}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "no-referrer",  # the key is in the address
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
    "Vary": "Accept-Language",
}


@dataclass(frozen=True)
class Trouble:
    """What is wrong with an answer, and the words that came with it: nobody types them twice."""

    said: str
    words: str


def page(visit: Visit, college: str, language: Language, now: datetime, trouble: Trouble | None = None) -> str:
    """The page about a visit: what is asked, or what was answered and may be answered otherwise, or that it is too
    late."""
    open = visit.status in ("planned", "confirmed", "declined") and now < visit.starts_at
    words = WORDS[language]
    told = words[f"told-{visit.status}" if open or visit.status in ("cancelled", "recorded") else "told-begun"]
    facts = _facts(visit, language)
    return _render(
        language,
        told=told,
        college=college,
        visit=facts,
        asks=open,
        settled=visit.status != "planned" or not open,
        words=trouble.words if trouble else visit.answer_words,
        trouble=trouble.said if trouble else "",
    )


def nothing(language: Language) -> str:
    """The page of a link that answers nothing, or nothing any more. It says of no visit that there is one."""
    told = WORDS[language]["told-wrong-link"]
    return _render(language, told=told, college="", visit=None, asks=False, settled=True, words="", trouble="")


def _render(language: Language, **told: Any) -> str:
    others = [(each, LANGUAGE_NAMES[each]) for each in LANGUAGES if each != language]
    said = WORDS[language]
    style = Markup(_style)  # noqa: S704 - our own file
    return _templates.get_template("answer.html").render(
        language=language, others=others, said=said, style=style, **told
    )


def _facts(visit: Visit, language: Language) -> dict[str, str]:
    starts_at, ends_at = visit.starts_at.astimezone(HELSINKI), visit.ends_at.astimezone(HELSINKI)
    locale = LOCALES[language]
    hours = "–".join(format_time(each, "short", locale=locale) for each in (starts_at, ends_at))
    return {
        "company": visit.company_name,
        "day": format_date(starts_at, "full", locale),
        "hours": f"{hours} ({WORDS[language]['zone']})",
        "manner": WORDS[language][f"manner-{visit.manner}"],
        "starts_at": starts_at.isoformat(),
    }
