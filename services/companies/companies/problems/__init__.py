"""How a request about companies can be refused, said so that whoever reads it knows what to do next."""

from tyrsky.catalogue import problems

from companies.problems import (
    area,
    classification,
    company,
    contact,
    field,
    note,
    register,
    reservation,
    sheet,
    visit,
)

__all__ = [
    "area",
    "classification",
    "company",
    "contact",
    "field",
    "note",
    "problems",
    "register",
    "reservation",
    "sheet",
    "visit",
]
