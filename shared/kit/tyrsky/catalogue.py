"""The catalogue of problems: every refusal has a code, a status and a sentence in each language, declared once.

A service declares its own in ``problems.py`` and takes from there what its routes name::

    problems = declare(Problem("visit-in-the-past", 409, fi="...", sv="...", en="..."))

    @router.post("", responses=problems("visit-in-the-past"))
"""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, LiteralString

from pydantic import ValidationError, ValidatorFunctionWrapHandler, WrapValidator
from pydantic_core import PydanticCustomError

from tyrsky.language import Language

MEDIA_TYPE = "application/problem+json"
TYPES = "/problems/"
"""Where a problem's own page is; its ``type`` is this and the code."""

Responses = dict[int | str, dict[str, Any]]


@dataclass(frozen=True)
class Problem:
    """A way in which a request can be refused. The sentences do not change from one time to the next: what does is in
    the answer's ``field``, ``about`` and ``errors``."""

    code: str
    status: int
    fi: str
    sv: str
    en: str

    @property
    def type(self) -> str:
        """The problem's URI, relative to the service."""
        return TYPES + self.code

    def title(self, language: Language) -> str:
        """The sentence in a language."""
        return {"fi": self.fi, "sv": self.sv, "en": self.en}[language]


_FORM = {"string_pattern_mismatch", "value_error"}
"""What Pydantic calls a text that is not what it should be: it says of neither what would be."""

_declared: dict[str, Problem] = {}


def declare(*new: Problem) -> Callable[..., Responses]:
    """Put problems into the catalogue, and get :func:`problems` to name them by.

    :raises ValueError: when a code is declared already, and otherwise.
    """
    for problem in new:
        if _declared.setdefault(problem.code, problem) != problem:
            raise ValueError(f"the problem {problem.code} is declared twice, and differently")
    return problems


def lookup(code: str) -> Problem | None:
    """The problem with a code."""
    return _declared.get(code)


def declared() -> list[Problem]:
    """All problems, by code."""
    return [_declared[code] for code in sorted(_declared)]


def problems(*codes: str) -> Responses:
    """What a route says of the problems that are its own, for ``responses=``; the everyday ones (no token, a broken
    body) are added to every route by :mod:`tyrsky.openapi`.

    :raises KeyError: when a code is not declared, at import: a route cannot promise what nobody wrote.
    """
    found: Responses = {}
    for code in codes:
        problem = _declared[code]
        entry = found.setdefault(
            problem.status,
            {
                "description": HTTPStatus(problem.status).phrase,
                "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}}},
            },
        )
        entry["content"][MEDIA_TYPE]["examples"][code] = {"$ref": f"#/components/examples/{code}"}
    return found


def worded(code: LiteralString) -> WrapValidator:
    """Say a declared problem's sentence of a field whose form is wrong, in place of Pydantic's word for it. What is
    too long, or no text at all, is said as everywhere."""

    def check(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
        try:
            return validate(value)
        except ValidationError as error:
            if _FORM.isdisjoint(mistake["type"] for mistake in error.errors(include_input=False, include_url=False)):
                raise
            raise PydanticCustomError(code, code) from None

    return WrapValidator(check)


def example(problem: Problem) -> dict[str, Any]:
    """The least that an answer with this problem holds."""
    return {"type": problem.type, "title": problem.en, "status": problem.status, "code": problem.code}
