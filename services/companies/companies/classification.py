"""Official classifications: municipalities and regions, lines of business, fields of education, qualification titles.

Reference data, as the register is: everybody's, without events. They are filled by ``tyrsky classifications import``
(see ``classifying``). A code that the newest file does not have any more is marked ``gone`` and stays, since companies
and areas may name it.
"""

import json
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict
from tyrsky.language import LANGUAGES, Language

from companies.register import Index, search_keys

COLLECTION = "classifications"

Kind = Literal["municipality", "region", "tol2008", "tol2025", "field-of-education", "qualification-title"]
KINDS: tuple[Kind, ...] = get_args(Kind)

MUNICIPALITIES_MAX = 1_000
"""Finland had 603 at most, and has some 308."""

SEARCHES: dict[str, Index] = {
    "parent": (("kind", 1), ("gone", 1), ("parent", 1), ("code", 1), ("_id", 1)),
    "region": (("kind", 1), ("gone", 1), ("parent", 1), ("code", 1), ("_id", 1)),
    "text": (("kind", 1), ("search_keys", 1)),
    "level": (("kind", 1), ("gone", 1), ("code", 1), ("_id", 1)),
    "gone": (("kind", 1), ("gone", 1), ("code", 1), ("_id", 1)),
}
"""Which index serves each search, in MongoDB. The embedded server of the local stack scans some thousand documents."""

INDEXES: tuple[Index, ...] = tuple(dict.fromkeys(SEARCHES.values()))


@dataclass(frozen=True)
class Form:
    """How a classification's codes are written, and those of what stands above them when that is another one."""

    code: re.Pattern[str]
    above: re.Pattern[str] | None = None


_LINES = Form(re.compile(r"[A-Z]|[0-9]{2,5}"))

FORMS: dict[Kind, Form] = {
    "municipality": Form(re.compile(r"[0-9]{3}"), above=re.compile(r"[0-9]{2}")),
    "region": Form(re.compile(r"[0-9]{2}")),
    "tol2008": _LINES,
    "tol2025": _LINES,
    "field-of-education": Form(re.compile(r"[0-9]{2,4}")),
    "qualification-title": Form(re.compile(r"[0-9]{1,5}")),
}


class Class(BaseModel):
    """One class. ``names`` has Finnish always, and what else there was; a municipality's ``parent`` is its region."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: Kind
    code: str
    level: int | None = None
    parent: str | None = None
    names: dict[Language, str]
    gone: bool = False

    def called(self, language: Language) -> tuple[str, Language]:
        """Its name in a language, else in Finnish; and which of them it is."""
        told: Language = language if language in self.names else "fi"
        return self.names[told], told


def document(each: Class) -> dict[str, Any]:
    """A class as it is stored, with what it is searched by, and a digest that tells whether it is another one now."""
    names = [each.names[language] for language in LANGUAGES if language in each.names]
    stored = {**each.model_dump(mode="json"), "search_keys": search_keys(names)}
    digest = sha256(json.dumps(stored, sort_keys=True).encode()).hexdigest()
    return {"_id": f"{each.kind}/{each.code}", "digest": digest, **stored}
