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

Index = tuple[tuple[str, int], ...]

BY_NAME: Index = (("name", 1), ("_id", 1))
"""The order of the list. What many companies have is best looked for along it: soon a page is full."""


def in_order(field: str) -> Index:
    """What has one value in a field, in the order of the list."""
    return ((field, 1), *BY_NAME)


SEARCHES: dict[str, Index] = {
    "business_id": (("_id", 1),),
    "name": (("search_keys", 1),),
    "municipality": in_order("municipality"),
    "region": in_order("municipality"),
    "area": in_order("municipality"),
    "business_line": in_order("business_line"),
    "business_line_codes": BY_NAME,
    "size_class": in_order("size_class"),
    "likely_employer": BY_NAME,
    "situation": in_order("situation"),
}
"""Which index serves each search, in MongoDB. Of a name's beginning and a class of lines of business all is found, and
then sorted; all others come in order. The embedded server of the local stack scans."""

INDEXES: tuple[Index, ...] = tuple(dict.fromkeys(index for index in SEARCHES.values() if index[0][0] != "_id"))

SEARCH_KEYS_MAX = 60
"""By how many words of all its names a company is found."""

SizeClass = Literal["micro", "small", "medium", "large"]
"""By Recommendation 2003/361/EC."""

LineCodes = Literal["TOL2008", "TOL2025"]
"""The classification that a line of business is of."""

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
    the register has no headcounts. ``size_class`` is known where somebody has told it (``tyrsky register sizes``).
    """

    business_id: BusinessId
    name: str
    other_names: tuple[OtherName, ...] = ()
    form: str | None = None
    form_name: Texts = {}
    business_line: str | None = None
    business_line_codes: LineCodes | None = None
    business_line_name: Texts = {}
    municipality: str | None = None
    addresses: tuple[Address, ...] = ()
    website: str | None = None
    situation: Situation = "active"
    situation_since: date | None = None
    likely_employer: bool = False
    registered_on: date | None = None
    size_class: SizeClass | None = None


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
    """What the open data says of a company as it is stored, with what it is searched by, and a digest that tells
    whether it is another one now."""
    names = [entry.name, *(other.name for other in entry.other_names)]
    stored = {**entry.model_dump(mode="json", exclude={"size_class"}), "search_keys": search_keys(names)}
    digest = sha256(json.dumps(stored, sort_keys=True).encode()).hexdigest()
    return {"_id": entry.business_id, "digest": digest, **stored}


def update(wanted: dict[str, Any]) -> dict[str, Any]:
    """How what the open data says is put into the register. What is known from elsewhere stays; when the API was asked
    does not, for what it said then may be newer than this."""
    fields = {name: value for name, value in wanted.items() if name != "_id"}
    return {"$set": fields, "$unset": {"asked": ""}}


def name_begins(text: str) -> dict[str, Any]:
    """What is asked of ``search_keys`` to find the companies that have a word of a name begin so.

    :raises Rejected: ``name-without-letters`` when only signs are typed, which would find every company.
    """
    return begins(text, otherwise=Rejected("name-without-letters", field="name"))


def begins(text: str, *, otherwise: Rejected) -> dict[str, Any]:
    """Folded and anchored, so that an index serves it; ``otherwise`` is raised when nothing is left to look for."""
    folded = fold(text)
    if not folded:
        raise otherwise
    return {"$regex": "^" + re.escape(folded)}
