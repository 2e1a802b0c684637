"""How a request about companies can be refused, said so that whoever reads it knows what to do next."""

from tyrsky.catalogue import problems

from companies.problems import (
    area,
    charting,
    classification,
    company,
    contact,
    feed,
    field,
    note,
    potential,
    register,
    reservation,
    sheet,
    visit,
)

__all__ = [
    "area",
    "charting",
    "classification",
    "company",
    "contact",
    "feed",
    "field",
    "note",
    "potential",
    "problems",
    "register",
    "reservation",
    "sheet",
    "visit",
]
