"""Companies that do not exist, in the form of the register's open data: for tests, and for trying things out."""

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
