"""What a company answers to a visit: by the link that it got, on a page that needs no log-in; or told to staff."""

import re
from datetime import datetime
from typing import Annotated
from urllib.parse import parse_qs, urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from tyrsky.aggregate import Rejected
from tyrsky.catalogue import worded
from tyrsky.language import LANGUAGES, Language, preferred
from tyrsky.linked import Linked, linked
from tyrsky.links import opens
from tyrsky.store import Loaded

from companies import answer_page
from companies.answer_words import WORDS
from companies.api.inviting import PATH
from companies.api.visit_views import VisitView
from companies.api.visits import Visits
from companies.api.words import Staff, Text, VisitId
from companies.problems import problems
from companies.settings import Settings
from companies.visit import aggregate
from companies.visit_commands import Answer, AnswerVisit, VisitCommand
from companies.visit_state import Visit

router = APIRouter(tags=["visits"])

LinkedVisits = Annotated[Linked[Visit, VisitCommand], Depends(linked(aggregate))]
Key = Annotated[str, Path(max_length=100)]

FORM_BYTES_MAX = 8_000
FORM_FIELDS_MAX = 10
WORDS_MAX = 500
UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


class CompanyAnswer(BaseModel):
    """What the company answered."""

    model_config = ConfigDict(extra="forbid")

    answer: Answer
    words: Annotated[str, Text, StringConstraints(max_length=WORDS_MAX), worded("answer-words-wrong")] = Field(
        "", description="In what words; they stay in the college.", examples=["Mieluummin iltapäivällä."]
    )


ANSWERS: dict[str, Answer] = {"confirmed": "confirmed", "declined": "declined"}
SPOKEN: dict[str, Language] = {language: language for language in LANGUAGES}


def language_of(request: Request, wanted: str | None) -> Language:
    """The language that was asked for, when it is one of ours, else the browser's."""
    return SPOKEN.get(wanted or "") or preferred(request.headers.get("accept-language"))


def shown(html: str, language: Language, status: int = 200) -> Response:
    """A page as an answer."""
    return HTMLResponse(html, status, {**answer_page.HEADERS, "Content-Language": language})


async def opened(visits: LinkedVisits, visit_id: Key, answer_key: Key) -> Loaded[Visit] | None:
    """The visit that a link is for; None when it opens none, or none any more, or was cut on its way."""
    try:
        found = await visits.find(UUID(visit_id))
    except ValueError:
        return None
    return found if found and opens(answer_key, found.state.answer_digest) else None


Opened = Annotated[Loaded[Visit] | None, Depends(opened)]


def page(
    request: Request,
    visit: Loaded[Visit] | None,
    language: Language,
    now: datetime,
    trouble: answer_page.Trouble | None = None,
) -> Response:
    """What a link shows."""
    if visit is None:
        return shown(answer_page.nothing(language), language, 404)
    settings: Settings = request.app.state.settings
    html = answer_page.page(visit.state, settings.college_name(visit.college), language, now, trouble)
    return shown(html, language, 422 if trouble else 200)


@router.get(PATH, operation_id="showAnswer", include_in_schema=False)
async def show(request: Request, visit: Opened, visits: LinkedVisits) -> Response:
    """What is asked. It changes nothing, however often a mail scanner looks."""
    return page(request, visit, language_of(request, request.query_params.get("lang")), visits.now)


@router.post(PATH, operation_id="giveAnswer", include_in_schema=False)
async def give(request: Request, visit: Opened, visits: LinkedVisits, answer_key: Key) -> Response:
    """Confirm or decline, and show what was answered."""
    form = await _form(request)
    language, answer = language_of(request, form.get("lang")), ANSWERS.get(form.get("answer", ""))
    words = UNSEEN.sub("", form.get("words", "")).strip()
    if visit is None:
        return page(request, None, language, visits.now)
    if answer is None or len(words) > WORDS_MAX:
        said = WORDS[language]["trouble-words" if answer else "trouble-answer"]
        return page(request, visit, language, visits.now, answer_page.Trouble(said, words))
    command = AnswerVisit(visit_id=visit.id, now=visits.now, answer=answer, words=words, key=answer_key)
    try:
        await visits.carry_out(command, visit.college)
    except Rejected as refusal:
        if refusal.code not in ("visit-is-over", "visit-has-begun", "visit-answer-link-wrong"):
            raise
    # Whatever it came to is shown by the same address; to load it again answers nothing again.
    return RedirectResponse(f"?{urlencode({'lang': language})}", 303, answer_page.HEADERS)


async def _form(request: Request) -> dict[str, str]:
    """The form's fields. What is none, or too much, is an empty form: it is asked again."""
    body = await request.body()
    if len(body) > FORM_BYTES_MAX:
        raise Rejected("body-too-large")
    try:
        fields = parse_qs(body.decode("ascii"), errors="replace", max_num_fields=FORM_FIELDS_MAX)
    except ValueError:
        return {}
    return {name: values[0] for name, values in fields.items()}


@router.post(
    "/visits/{visit_id}/answer",
    operation_id="answerVisit",
    summary="Note what the company answered",
    responses=problems("visit-unknown", "visit-is-over", "visit-has-begun"),
)
async def note(visit_id: VisitId, told: CompanyAnswer, visits: Visits, staff: Staff) -> VisitView:
    """Note what the company answered by phone, say; as if it had answered by its link."""
    command = AnswerVisit(visit_id=visit_id, now=visits.now, answer=told.answer, words=told.words)
    return await visits.handle(command, VisitView)
