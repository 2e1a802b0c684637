"""Companies that do not exist, in the form of the register's open data: for tests, and for trying things out."""

import json
import zipfile
from pathlib import Path
from random import Random
from typing import Any

from stdnum.fi import ytunnus


def business_id(number: int) -> str:
    """The ``number``-th made-up business id, with a right check digit.

    They begin far above the ids that the register had given out when this was written.
    """
    serial = 9_000_000 + 2 * number
    while True:  # one serial in eleven has no check digit; the next then has
        for digit in range(10):
            if ytunnus.is_valid(f"{serial:07}{digit}"):
                return f"{serial:07}-{digit}"
        serial += 1


def record(number: int = 0, **other: Any) -> dict[str, Any]:
    """A living limited company with a café in Valkeakoski. ``other`` replaces fields of the record."""
    made: dict[str, Any] = {
        "businessId": {"value": business_id(number), "registrationDate": "2012-05-02", "source": "3"},
        "names": [{"name": f"Testikahvila Hämärä {number} Oy", "type": "1", "registrationDate": "2012-05-02"}],
        "mainBusinessLine": {
            "type": "56300",
            "typeCodeSet": "TOIMI4",
            "descriptions": [{"languageCode": "1", "description": "Kahvilat"}],
        },
        "companyForms": [{"type": "16", "descriptions": [{"languageCode": "1", "description": "Osakeyhtiö"}]}],
        "companySituations": [],
        "registeredEntries": [{"type": "1", "register": "1", "registrationDate": "2012-05-02"}],
        "addresses": [
            {
                "type": 1,
                "street": "Valtakatu",
                "buildingNumber": "1",
                "postCode": "37600",
                "postOffices": [{"city": "VALKEAKOSKI", "languageCode": "1", "municipalityCode": "908"}],
            }
        ],
        "tradeRegisterStatus": "1",
        "status": "2",
        "registrationDate": "2012-05-02",
    }
    return made | other


TOWNS = (("020", "AKAA"), ("908", "VALKEAKOSKI"), ("790", "SASTAMALA"), ("837", "TAMPERE"), ("091", "HELSINKI"))
LINES = (("56300", "Kahvilat"), ("43210", "Sähköasennus"), ("62100", "Ohjelmointi"), ("96210", "Parturit ja kampaamot"))
WORDS = ("Hämärä", "Koski", "Metsä", "Åvik", "Pohjola", "Saari", "Ääni", "Verstas", "Kulma", "Silta")
FORMER_WORDS = 3
TEXTS = {"1": "suomeksi", "2": "på svenska", "3": "in English"}


def full_record(number: int, seed: int = 1) -> dict[str, Any]:
    """A company with all that the schema knows, of about the size that a real one has: former and auxiliary names, both
    addresses, entries in several registers. The same for the same number and seed."""
    chance = Random(f"{seed} {number}")  # noqa: S311 - no secret
    (code, town), (line, said) = chance.choice(TOWNS), chance.choice(LINES)
    day = f"{chance.randint(1980, 2024)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
    words = [chance.choice(WORDS) for _ in range(FORMER_WORDS + 2)]
    older = chance.random() < 0.5  # before 2026 lines of business came in TOL 2008
    ended = {"endDate": "2025-03-31"} if chance.random() < 0.1 else {}
    offices = [{"city": town, "languageCode": language, "municipalityCode": code} for language in ("1", "2")]
    address = {"street": "Valtakatu", "buildingNumber": str(number % 99), "postCode": "37600", "postOffices": offices}
    address |= {
        "entrance": "A",
        "apartmentNumber": "3",
        "country": "",
        "co": "",
        "source": "0",
        "registrationDate": day,
    }
    return record(
        number,
        euId={"value": f"FIFPRO.{business_id(number)}", "source": "1"},
        names=[
            {"name": f"{words[0]} {words[1]} {number} Oy", "type": "1", "registrationDate": day, "version": 1},
            {"name": f"{words[1]} {number} Ab", "type": "2", "registrationDate": day, "version": 1, "source": "1"},
            {"name": f"Toiminimi {words[-1]}", "type": "3", "registrationDate": day, "version": 1, "source": "1"},
            *(
                {
                    "name": f"Ennen {word} {number} Oy",
                    "type": "1",
                    "registrationDate": day,
                    "endDate": day,
                    "version": 2,
                }
                for word in words[1:FORMER_WORDS]
            ),
        ],
        mainBusinessLine={
            "type": line,
            "typeCodeSet": "TOIMI3" if older else "TOIMI4",
            "registrationDate": day,
            "source": "2",
            "descriptions": _texts(said),
        },
        website={"url": f"www.yritys-{number}.example", "registrationDate": day, "source": "0"},
        companyForms=[{"type": "16", "version": 1, "source": "1", "descriptions": _texts("Osakeyhtiö")}],
        registeredEntries=[
            {
                "type": kind,
                "register": which,
                "registrationDate": day,
                "authority": "1",
                "descriptions": _texts("Merkintä"),
            }
            for which, kind in (("1", "1"), ("5", "80"), ("6", "44"), ("7", chance.choice(("41", "43"))))
        ],
        addresses=[{"type": 1, **address}, {"type": 2, **address, "postOfficeBox": "12"}],
        lastModified=f"{day}T03:04:05",
        **ended,
    )


def write_register(path: Path, count: int, *, seed: int = 1) -> int:
    """Write a zip as the register's own, with so many made-up companies; how many bytes of JSON are in it."""
    written = 0
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("data_20260804.json", "w", force_zip64=True) as file,
    ):
        for number in range(count):
            one = json.dumps(full_record(number, seed), ensure_ascii=False).encode()
            written += file.write((b"," if number else b"[") + one)
        written += file.write(b"]" if count else b"[]")
    return written


def _texts(said: str) -> list[dict[str, str]]:
    return [{"languageCode": code, "description": f"{said} ({language})"} for code, language in TEXTS.items()]
