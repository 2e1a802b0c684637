"""Whom to reach first: companies ranked by how little anybody has reached them, and by what a visit promises. Pure.

Each factor is between 0 and 1; a company's score is their mean, weighted as the college wants. Two companies that are
alike have the same score, and the same rank; in which order they are shown, a seed decides, so that nobody is always
the first for the letter that its name begins with.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from hashlib import sha256

from tyrsky.aggregate import State

from companies.priorities import FACTORS, Factor, Priorities
from companies.register import RegisterEntry, SizeClass
from companies.views import Reach

FORGOTTEN = timedelta(days=2 * 365)
"""After so long, who was reached once is as good as never reached: people have changed, and so has education."""

SETTLED = timedelta(days=3 * 365)
"""By then a company has the routines that a learner needs around them."""


class Reason(State):
    """One factor of a company's score, and what it comes from; see ``REASONS`` for its words."""

    factor: Factor
    code: str
    points: float


class Ranked(State):
    """A company in the ranking: its rank (companies that are alike have the same), its score from 0 to 1, and why."""

    rank: int
    score: float
    entry: RegisterEntry
    reach: Reach
    reasons: tuple[Reason, ...]


REASONS: dict[str, dict[str, str]] = {
    "never-reached": {
        "fi": "Mikään verkoston oppilaitos ei ole ollut yhteydessä.",
        "sv": "Ingen läroanstalt i nätverket har haft kontakt.",
        "en": "No college of the network has been in touch.",
    },
    "reached-long-ago": {
        "fi": "Edellisestä yhteydestä on yli kaksi vuotta.",
        "sv": "Den senaste kontakten var för över två år sedan.",
        "en": "The last contact was more than two years ago.",
    },
    "reached": {
        "fi": "Verkosto on ollut yhteydessä viimeksi kuluneiden kahden vuoden aikana.",
        "sv": "Nätverket har haft kontakt under de senaste två åren.",
        "en": "The network has been in touch within the last two years.",
    },
    "likely-employer": {
        "fi": "Yritys on säännöllinen työnantaja (työnantajarekisteri).",
        "sv": "Företaget är regelbunden arbetsgivare (arbetsgivarregistret).",
        "en": "The company is a regular employer (employer register).",
    },
    "no-employer": {
        "fi": "Yritys ei ole työnantajarekisterissä.",
        "sv": "Företaget finns inte i arbetsgivarregistret.",
        "en": "The company is not in the employer register.",
    },
    "settled": {
        "fi": "Yritys on toiminut yli kolme vuotta.",
        "sv": "Företaget har verkat i över tre år.",
        "en": "The company has been at work for more than three years.",
    },
    "young": {
        "fi": "Yritys on alle kolme vuotta vanha.",
        "sv": "Företaget är yngre än tre år.",
        "en": "The company is younger than three years.",
    },
    "age-unknown": {
        "fi": "Yrityksen ikä ei ole tiedossa.",
        "sv": "Företagets ålder är inte känd.",
        "en": "The company's age is not known.",
    },
    "line-taught": {
        "fi": "Oppilaitos kouluttaa yrityksen toimialalle.",
        "sv": "Läroanstalten utbildar för företagets bransch.",
        "en": "The college teaches for the company's line of business.",
    },
    "line-not-taught": {
        "fi": "Toimiala ei ole niiden joukossa, joille oppilaitos kouluttaa.",
        "sv": "Branschen hör inte till dem som läroanstalten utbildar för.",
        "en": "The line of business is not among those that the college teaches for.",
    },
    "size-micro": {
        "fi": "Mikroyritys: alle kymmenen työntekijää.",
        "sv": "Mikroföretag: färre än tio anställda.",
        "en": "A micro-enterprise: fewer than ten people.",
    },
    "size-small": {
        "fi": "Pieni yritys: alle viisikymmentä työntekijää.",
        "sv": "Litet företag: färre än femtio anställda.",
        "en": "A small enterprise: fewer than fifty people.",
    },
    "size-medium": {
        "fi": "Keskisuuri yritys: alle 250 työntekijää.",
        "sv": "Medelstort företag: färre än 250 anställda.",
        "en": "A medium-sized enterprise: fewer than 250 people.",
    },
    "size-large": {
        "fi": "Suuri yritys.",
        "sv": "Stort företag.",
        "en": "A large enterprise.",
    },
    "size-unknown": {
        "fi": "Yrityksen kokoluokka ei ole tiedossa.",
        "sv": "Företagets storleksklass är inte känd.",
        "en": "The company's size class is not known.",
    },
}
"""What a factor came from, in words."""

SIZE_POINTS: dict[SizeClass, float] = {"micro": 1, "small": 1, "medium": 0.5, "large": 0}
"""Small companies are reached the least: nobody's job there is to talk to colleges."""


def reasons(entry: RegisterEntry, reach: Reach, priorities: Priorities, now: datetime) -> tuple[Reason, ...]:
    """Each factor of a company."""
    return (
        _reach(reach, now),
        Reason(factor="employer", code="likely-employer", points=1)
        if entry.likely_employer
        else Reason(factor="employer", code="no-employer", points=0),
        _age(entry.registered_on, now.date()),
        Reason(factor="line", code="line-taught", points=1)
        if (entry.business_line or "").startswith(priorities.lines or ("-",))
        else Reason(factor="line", code="line-not-taught", points=0),
        _size(entry.size_class),
    )


def _reach(reach: Reach, now: datetime) -> Reason:
    if reach.last_reached_at is None:
        return Reason(factor="reach", code="never-reached", points=1)
    share = (now - reach.last_reached_at) / FORGOTTEN
    if share >= 1:
        return Reason(factor="reach", code="reached-long-ago", points=0.9)
    return Reason(factor="reach", code="reached", points=round(0.9 * max(0.0, share), 3))


def _age(registered_on: date | None, today: date) -> Reason:
    if registered_on is None:
        return Reason(factor="age", code="age-unknown", points=0.5)
    share = (today - registered_on) / SETTLED
    if share >= 1:
        return Reason(factor="age", code="settled", points=1)
    return Reason(factor="age", code="young", points=round(max(0.0, share), 3))


def _size(size_class: SizeClass | None) -> Reason:
    if size_class is None:
        return Reason(factor="size", code="size-unknown", points=0.5)
    return Reason(factor="size", code=f"size-{size_class}", points=SIZE_POINTS[size_class])


def score(reasons: Sequence[Reason], priorities: Priorities) -> float:
    """The weighted mean of the factors, from 0 to 1, in thousandths; 0 when nothing counts."""
    total = sum(getattr(priorities, factor) for factor in FACTORS)
    if not total:
        return 0.0
    return round(sum(getattr(priorities, each.factor) * each.points for each in reasons) / total, 3)


def rank(
    companies: Iterable[tuple[RegisterEntry, Reach]], priorities: Priorities, now: datetime, seed: str
) -> list[Ranked]:
    """The companies, the most promising first; ``seed`` orders those that are alike."""
    scored = [(entry, reach, reasons(entry, reach, priorities, now)) for entry, reach in companies]
    ordered = sorted(
        ((score(why, priorities), entry, reach, why) for entry, reach, why in scored),
        key=lambda each: (-each[0], sha256(f"{seed} {each[1].business_id}".encode()).digest()),
    )
    ranked: list[Ranked] = []
    for place, (points, entry, reach, why) in enumerate(ordered, 1):
        same = ranked[-1].rank if ranked and ranked[-1].score == points else place
        ranked.append(Ranked(rank=same, score=points, entry=entry, reach=reach, reasons=why))
    return ranked
