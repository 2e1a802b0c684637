"""What is said of a field that is not valid, in three languages."""

from string import Formatter
from typing import Any

from tyrsky.catalogue import lookup
from tyrsky.language import Language

_FIELD: dict[str, tuple[str, str, str]] = {
    "missing": ("Tämä puuttuu.", "Detta saknas.", "This is missing."),
    "extra_forbidden": ("Tätä ei tunneta.", "Detta är okänt.", "This is not known."),
    "string_type": ("Tähän tarvitaan tekstiä.", "Här behövs text.", "This must be text."),
    "string_too_short": (
        "Vähintään {min_length} merkkiä.",
        "Minst {min_length} tecken.",
        "At least {min_length} characters.",
    ),
    "string_too_long": (
        "Enintään {max_length} merkkiä.",
        "Högst {max_length} tecken.",
        "At most {max_length} characters.",
    ),
    "string_unicode": (
        "Tekstissä on rikkinäinen merkki.",
        "Texten innehåller ett trasigt tecken.",
        "The text has a broken character.",
    ),
    "string_pattern_mismatch": ("Muoto on väärä.", "Formen är fel.", "The form is wrong."),
    "int_type": ("Tähän tarvitaan kokonaisluku.", "Här behövs ett heltal.", "This must be a whole number."),
    "int_parsing": ("Tähän tarvitaan kokonaisluku.", "Här behövs ett heltal.", "This must be a whole number."),
    "int_from_float": ("Tähän tarvitaan kokonaisluku.", "Här behövs ett heltal.", "This must be a whole number."),
    "int_parsing_size": (
        "Luvussa on liikaa numeroita.",
        "Talet har för många siffror.",
        "The number has too many digits.",
    ),
    "finite_number": (
        "Tähän tarvitaan äärellinen luku.",
        "Här behövs ett ändligt tal.",
        "This must be a finite number.",
    ),
    "float_type": ("Tähän tarvitaan luku.", "Här behövs ett tal.", "This must be a number."),
    "float_parsing": ("Tähän tarvitaan luku.", "Här behövs ett tal.", "This must be a number."),
    "bool_type": ("Vastaa true tai false.", "Svara true eller false.", "This must be true or false."),
    "bool_parsing": ("Vastaa true tai false.", "Svara true eller false.", "This must be true or false."),
    "greater_than": ("Suurempi kuin {gt}.", "Större än {gt}.", "Greater than {gt}."),
    "greater_than_equal": ("Vähintään {ge}.", "Minst {ge}.", "At least {ge}."),
    "less_than": ("Pienempi kuin {lt}.", "Mindre än {lt}.", "Less than {lt}."),
    "less_than_equal": ("Enintään {le}.", "Högst {le}.", "At most {le}."),
    "literal_error": ("Jokin näistä: {expected}.", "Något av dessa: {expected}.", "One of these: {expected}."),
    "enum": ("Jokin näistä: {expected}.", "Något av dessa: {expected}.", "One of these: {expected}."),
    "uuid_type": ("Tähän tarvitaan tunnus (UUID).", "Här behövs ett id (UUID).", "This must be an id (UUID)."),
    "uuid_parsing": ("Tähän tarvitaan tunnus (UUID).", "Här behövs ett id (UUID).", "This must be an id (UUID)."),
    "datetime_type": ("Tähän tarvitaan aika.", "Här behövs en tidpunkt.", "This must be a time."),
    "datetime_parsing": ("Tähän tarvitaan aika.", "Här behövs en tidpunkt.", "This must be a time."),
    "datetime_from_date_parsing": ("Tähän tarvitaan aika.", "Här behövs en tidpunkt.", "This must be a time."),
    "datetime_object_invalid": (
        "Aika on kalenterin ulkopuolella.",
        "Tidpunkten ligger utanför kalendern.",
        "The time is beyond the calendar.",
    ),
    "timezone_aware": (
        "Ajasta puuttuu aikavyöhyke.",
        "Tidpunkten saknar tidszon.",
        "The time has no time zone.",
    ),
    "date_type": ("Tähän tarvitaan päivä.", "Här behövs ett datum.", "This must be a date."),
    "date_parsing": ("Tähän tarvitaan päivä.", "Här behövs ett datum.", "This must be a date."),
    "date_from_datetime_parsing": ("Tähän tarvitaan päivä.", "Här behövs ett datum.", "This must be a date."),
    "date_from_datetime_inexact": ("Tähän tarvitaan päivä.", "Här behövs ett datum.", "This must be a date."),
    "list_type": ("Tähän tarvitaan luettelo.", "Här behövs en lista.", "This must be a list."),
    "too_short": ("Vähintään {min_length} kohtaa.", "Minst {min_length} poster.", "At least {min_length} items."),
    "too_long": ("Enintään {max_length} kohtaa.", "Högst {max_length} poster.", "At most {max_length} items."),
    "dict_type": ("Tähän tarvitaan olio.", "Här behövs ett objekt.", "This must be an object."),
    "model_type": ("Tähän tarvitaan olio.", "Här behövs ett objekt.", "This must be an object."),
    "model_attributes_type": ("Tähän tarvitaan olio.", "Här behövs ett objekt.", "This must be an object."),
}
"""By Pydantic's type of error. The braces hold what the schema says, never what was sent."""

_ANY = ("Arvo ei kelpaa.", "Värdet duger inte.", "The value is not valid.")
_FROM_SCHEMA = {"min_length", "max_length", "gt", "ge", "lt", "le", "expected"}


def of_field(kind: str, context: dict[str, Any], language: Language) -> str:
    """What to say of a field with an error of this kind: a declared problem's sentence, or Pydantic's kind in words."""
    problem = lookup(kind)
    if problem is not None:
        return problem.title(language)
    fi, sv, en = _FIELD.get(kind, _ANY)
    text = {"fi": fi, "sv": sv, "en": en}[language]
    wanted = {name for _, name, _, _ in Formatter().parse(text) if name}
    return text.format_map({name: str(context.get(name, "")).replace(" or ", ", ") for name in wanted & _FROM_SCHEMA})
