"""A few made-up companies in the form of the business register's open data, for where no real records are at hand."""

import json
from pathlib import Path

#: Business ids with a right check digit, and nobody's: the register gives none that begin with 9.
COMPANIES = (
    ("9000003-8", "Esimerkki Metalli Oy", "Valkeakoski", "908"),
    ("9000004-6", "Malliksi Leipomo Oy", "Tampere", "837"),
    ("9000005-4", "Kuviteltu Rakennus Oy", "Sastamala", "790"),
)


def write(file: Path) -> None:
    """The made-up records, as the register's own answer to a search."""
    records = [_record(*company) for company in COMPANIES]
    file.write_text(json.dumps({"totalResults": len(records), "companies": records}, ensure_ascii=False, indent=1))


def _record(business_id: str, name: str, city: str, municipality: str) -> dict[str, object]:
    offices = [{"city": city.upper(), "languageCode": "1", "municipalityCode": municipality}]
    return {
        "businessId": {"value": business_id, "registrationDate": "2020-01-01", "source": "3"},
        "names": [{"name": name, "type": "1", "registrationDate": "2020-01-01", "version": 1, "source": "1"}],
        "companyForms": [{"type": "16", "registrationDate": "2020-01-01", "version": 1, "source": "1"}],
        "addresses": [{"type": 1, "street": "Esimerkkikatu", "buildingNumber": "1", "postOffices": offices}],
        "tradeRegisterStatus": "1",
        "status": "2",
        "registrationDate": "2020-01-01",
    }
