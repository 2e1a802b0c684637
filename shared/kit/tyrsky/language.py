"""The languages that people are answered in."""

from typing import Literal, get_args

Language = Literal["fi", "sv", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

DEFAULT: Language = "en"
"""For who names no language. Browsers always name one, so it is a program, and its reader is a developer."""


def preferred(accept_language: str | None) -> Language:
    """The best of our languages for an Accept-Language header; an absent or unknown one gives the default."""
    best, best_weight = DEFAULT, 0.0
    for part in (accept_language or "")[:500].split(","):
        tag, _, parameter = part.strip().partition(";")
        weight = _weight(parameter)
        primary = tag.strip().lower().split("-")[0]
        for language in LANGUAGES:
            if primary == language and weight > best_weight:
                best, best_weight = language, weight
    return best


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0
