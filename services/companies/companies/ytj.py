"""The open data of the Finnish business register (YTJ, version 3): one record in, one register entry out. Pure.

Its traps: the top-level ``status`` is the same for the living and the dead, so a company's situation is read from its
end date, its situations and its entries in the trade register; the current name is the one of type 1 that has not
ended, and a ceased company may have none; languages are coded 1, 2 and 3; lines of business come in either of two
classifications.
"""

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Final, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel
from tyrsky.aggregate import Rejected
from tyrsky_contracts.companies import Situation

from companies.register import Address, OtherName, RegisterEntry, Texts, parse_business_id

LANGUAGES: Final[dict[str | None, Literal["fi", "sv", "en"]]] = {"1": "fi", "2": "sv", "3": "en"}
LINE_CODES: Final[dict[str | None, Literal["TOL2008", "TOL2025"]]] = {"TOIMI3": "TOL2008", "TOIMI4": "TOL2025"}
NAME_KINDS: Final[dict[str | None, Literal["parallel", "auxiliary"]]] = {"2": "parallel", "3": "auxiliary"}
ADDRESS_KINDS: Final[dict[str | None, Literal["street", "postal"]]] = {"1": "street", "2": "postal"}
SITUATIONS: Final[dict[str | None, Situation]] = {
    "KONK": "bankrupt",
    "SELTILA": "in-liquidation",
    "SANE": "in-restructuring",
}
"""In order of weight: a company that is both bankrupt and in restructuring is bankrupt."""

CURRENT_NAME = "1"
TRADE_REGISTER, CEASED = "1", "4"
EMPLOYER_REGISTER, REGULAR_EMPLOYER = "7", ("41", "42")


class NotUnderstood(ValueError):  # noqa: N818 - a refusal of one record, with its reason
    """A record that is refused. ``reason`` says why, and never quotes the record."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


T = TypeVar("T")


def _blank_is_none(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


def _null_is_empty(value: object) -> object:
    return () if value is None else value


Optional = Annotated[T | None, BeforeValidator(_blank_is_none)]
"""A blank text is as good as none."""

Many = Annotated[tuple[T, ...], Field(max_length=500), BeforeValidator(_null_is_empty)]
"""A list may be missing or null, and has a limit."""

Words = Annotated[str, StringConstraints(max_length=300), AfterValidator(lambda text: " ".join(text.split()))]
Code = Annotated[str, StringConstraints(max_length=20)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", alias_generator=to_camel, coerce_numbers_to_str=True)


class _Description(_Part):
    language_code: Optional[Code] = None
    description: Optional[Words] = None


class _Timed(_Part):
    type: Optional[Code] = None
    registration_date: Optional[date] = None
    end_date: Optional[date] = None


class _Name(_Timed):
    name: Words


class _Coded(_Timed):
    register_: Annotated[Optional[Code], Field(alias="register")] = None
    type_code_set: Optional[Code] = None
    descriptions: Many[_Description] = ()

    @property
    def names(self) -> Texts:
        return _texts((each.language_code, each.description) for each in self.descriptions)


class _PostOffice(_Part):
    city: Optional[Words] = None
    language_code: Optional[Code] = None
    municipality_code: Optional[Code] = None


class _Address(_Part):
    type: Optional[Code] = None
    street: Optional[Words] = None
    building_number: Optional[Words] = None
    entrance: Optional[Words] = None
    apartment_number: Optional[Words] = None
    post_office_box: Optional[Words] = None
    free_address_line: Optional[Words] = None
    post_code: Optional[Code] = None
    post_offices: Many[_PostOffice] = ()


class _BusinessId(_Part):
    value: Code


class _Website(_Part):
    url: Optional[Words] = None


class _Record(_Part):
    """What is read of a record; the rest is passed by."""

    business_id: _BusinessId
    names: Many[_Name] = ()
    main_business_line: _Coded | None = None
    website: _Website | None = None
    company_forms: Many[_Coded] = ()
    company_situations: Many[_Coded] = ()
    registered_entries: Many[_Coded] = ()
    addresses: Many[_Address] = ()
    registration_date: Optional[date] = None
    end_date: Optional[date] = None


def entry_of(record: object) -> RegisterEntry:
    """The register entry that a record of the open data describes.

    :raises NotUnderstood: when it has no valid business id or no name, or is not of the form that the schema gives.
    """
    try:
        read = _Record.model_validate(record)
        business_id = parse_business_id(read.business_id.value)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join("*" if isinstance(step, int) else str(step) for step in first["loc"])
        raise NotUnderstood(f"{where or 'record'}: {first['type']}") from error
    except Rejected as error:
        raise NotUnderstood(error.code) from error
    name = _current_name(read)
    other_names = tuple(
        OtherName(name=each.name, kind=_name_kind(each)) for each in read.names if each is not name and each.name
    )
    addresses = tuple(_address(each) for each in read.addresses if each.type in ADDRESS_KINDS)
    line, form = read.main_business_line, _current(read.company_forms)
    situation, since = _situation(read, name)
    return RegisterEntry(
        business_id=business_id,
        name=name.name,
        other_names=other_names,
        form=form.type if form else None,
        form_name=form.names if form else {},
        business_line=line.type if line else None,
        business_line_codes=LINE_CODES.get(line.type_code_set) if line else None,
        business_line_name=line.names if line else {},
        municipality=_municipality(addresses),
        addresses=addresses,
        website=read.website.url if read.website else None,
        situation=situation,
        situation_since=since,
        likely_employer=any(
            each.register_ == EMPLOYER_REGISTER and each.type in REGULAR_EMPLOYER and each.end_date is None
            for each in read.registered_entries
        ),
        registered_on=read.registration_date,
    )


Each = TypeVar("Each", bound=_Timed)


def _current(all_of_them: Iterable[Each]) -> Each | None:
    """The one that has not ended; the newest when there are several."""
    living = [each for each in all_of_them if each.end_date is None]
    return max(living, key=lambda each: each.registration_date or date.min, default=None)


def _current_name(read: _Record) -> _Name:
    own = [each for each in read.names if each.type == CURRENT_NAME and each.name]
    last = max(own, key=lambda each: each.end_date or date.min, default=None)
    name = _current(own) or last
    if name is None:
        raise NotUnderstood("name-missing")
    return name


def _name_kind(name: _Name) -> Literal["parallel", "auxiliary", "former", "other"]:
    return "former" if name.end_date or name.type == CURRENT_NAME else NAME_KINDS.get(name.type, "other")


def _situation(read: _Record, name: _Name) -> tuple[Situation, date | None]:
    """A company that has ended anywhere has ceased; else the gravest situation that is not over."""
    if read.end_date is not None:
        return "ceased", read.end_date
    trade = _current(each for each in read.registered_entries if each.register_ == TRADE_REGISTER)
    if trade is not None and trade.type == CEASED:
        return "ceased", trade.registration_date
    if name.end_date is not None:  # no name is left
        return "ceased", name.end_date
    for code, situation in SITUATIONS.items():
        found = _current(each for each in read.company_situations if each.type == code)
        if found is not None:
            return situation, found.registration_date
    return "active", None


def _municipality(addresses: tuple[Address, ...]) -> str | None:
    """Where it is, rather than where it gets its post."""
    by_kind = sorted(addresses, key=lambda address: address.kind != "street")
    return next((address.municipality for address in by_kind if address.municipality), None)


def _address(address: _Address) -> Address:
    flat = f"{address.entrance or ''} {address.apartment_number or ''}"
    line = " ".join(f"{address.street or ''} {address.building_number or ''} {flat}".split())
    box = f"PL {address.post_office_box}" if address.post_office_box else None
    offices = address.post_offices
    return Address(
        kind=ADDRESS_KINDS[address.type],
        line=line or box or address.free_address_line or "",
        post_code=address.post_code,
        city=_texts((each.language_code, each.city) for each in offices),
        municipality=next((each.municipality_code for each in offices if each.municipality_code), None),
    )


def _texts(coded: Iterable[tuple[str | None, str | None]]) -> Texts:
    return {LANGUAGES[code]: text for code, text in coded if code in LANGUAGES and text}
