"""The business register: what is known of every company, in whosever care it is. Reference data, without events.

It is filled from the open data by ``tyrsky register import`` (see ``ytj`` and ``importing``), and searched here.
"""

import json
import re
import unicodedata
from collections.abc import Iterable
from datetime import date
from hashlib import sha256
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from stdnum.fi import ytunnus
from tyrsky.aggregate import Rejected
from tyrsky_contracts.companies import Situation
from tyrsky_contracts.event import BusinessId

COLLECTION = "register"

INDEXES = (
    [("search_keys", 1)],
    [("municipality", 1), ("business_line", 1)],
    [("business_line", 1)],
)
"""One for each way to search; the business id is the key itself."""

SEARCH_KEYS_MAX = 60
"""By how many words of all its names a company is found."""

Texts = dict[Literal["fi", "sv", "en"], str]
"""The same text in the languages that the register has it in."""


class Entry(BaseModel):
    """Frozen, as all that is only read."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Address(Entry):
    """Where a company is (``street``) or gets its post (``postal``)."""

    kind: Literal["street", "postal"]
    line: str
    post_code: str | None = None
    city: Texts = {}
    municipality: str | None = None


class OtherName(Entry):
    """A name beside the current one: in another language, of a branch of the business, or what it was called before."""

    name: str
    kind: Literal["parallel", "auxiliary", "former", "other"]


class RegisterEntry(Entry):
    """What the register knows of one company, in our words.

    ``likely_employer`` says that it is in the employer register as a regular employer. It is a proxy of size, no more:
    the register has no headcounts.
    """

    business_id: BusinessId
    name: str
    other_names: tuple[OtherName, ...] = ()
    form: str | None = None
    form_name: Texts = {}
    business_line: str | None = None
    business_line_codes: Literal["TOL2008", "TOL2025"] | None = None
    business_line_name: Texts = {}
    municipality: str | None = None
    addresses: tuple[Address, ...] = ()
    website: str | None = None
    situation: Situation = "active"
    situation_since: date | None = None
    likely_employer: bool = False
    registered_on: date | None = None


def parse_business_id(text: str) -> BusinessId:
    """A business id as people write it (``0100130-4``, ``01001304``, ``FI01001304``), in its written form.

    :raises Rejected: ``business-id-check-digit`` when its check digit is wrong, or it is no business id at all.
    """
    if not (text.isascii() and ytunnus.is_valid(text)):
        raise Rejected("business-id-check-digit", field="business_id")
    return ytunnus.format(text)


def fold(text: str) -> str:
    """As people type in a hurry: small letters, ``å ä ö`` as ``a a o``, and all but letters and digits one space."""
    letters = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return re.sub(r"[\W_]+", " ", letters).strip()


def search_keys(names: Iterable[str]) -> tuple[str, ...]:
    """Each folded name from each of its words on, so that "eniro" and "eniro fin" find Oy Eniro Finland Ab."""
    keys: dict[str, None] = {}
    for name in names:
        words = fold(name).split()
        keys |= {" ".join(words[i:]): None for i in range(len(words))}
    return tuple(keys)[:SEARCH_KEYS_MAX]


def document(entry: RegisterEntry) -> dict[str, Any]:
    """An entry as it is stored, with what it is searched by, and a digest that tells whether it is another one now."""
    names = [entry.name, *(other.name for other in entry.other_names)]
    stored = {**entry.model_dump(mode="json"), "search_keys": search_keys(names)}
    digest = sha256(json.dumps(stored, sort_keys=True).encode()).hexdigest()
    return {"_id": entry.business_id, "digest": digest, **stored}


def name_begins(text: str) -> dict[str, Any]:
    """What is asked of ``search_keys`` to find the companies that have a word of a name begin so.

    Folded and anchored, so that an index serves it.

    :raises Rejected: ``name-without-letters`` when only signs are typed, which would find every company.
    """
    folded = fold(text)
    if not folded:
        raise Rejected("name-without-letters", field="name")
    return {"$regex": "^" + re.escape(folded)}
