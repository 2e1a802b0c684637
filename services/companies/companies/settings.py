"""What a deployment of companies has to say, and may change, beyond what every service has."""

from typing import Annotated

from pydantic import Field, SecretStr
from tyrsky import settings
from tyrsky.settings import HttpAddress
from tyrsky_contracts.addresses import PEPPER_LENGTH_MIN
from tyrsky_contracts.event import CollegeCode

from companies.ytj_api import ADDRESS, Asking

Pepper = Annotated[SecretStr, Field(min_length=PEPPER_LENGTH_MIN)]


class Settings(settings.Settings):
    """Where people outside find the service, whom it may write to, and how the register's API is asked."""

    address_peppers: tuple[Pepper, ...] = Field(
        default=...,
        min_length=1,
        max_length=10,
        description="Secrets of 32 characters or more for the hashes of addresses, as a JSON list, the same in the "
        "whole network: the first makes hashes, all are known. `openssl rand -hex 32` makes one.",
    )
    public_url: HttpAddress = Field(
        default="http://127.0.0.1:8080",
        max_length=200,
        description="The gateway's address as people outside see it: links in mails and of calendars begin with it.",
    )
    college_names: dict[CollegeCode, str] = Field(
        default={},
        description='Names of colleges on pages, as JSON: `{"vaao": "Valkeakosken ammattiopisto"}`; else their codes.',
    )
    register_api: HttpAddress = Field(
        default=ADDRESS, description="The business register's open API (YTJ version 3), without a closing slash."
    )
    register_api_per_second: float = Field(
        default=1, gt=0, le=10, description="Requests that it is asked in a second at most; it is everybody's."
    )
    register_api_seconds: float = Field(
        default=30, gt=0, le=300, description="How long one answer of it may take, to its last byte."
    )
    register_api_attempts: int = Field(
        default=5, ge=1, le=20, description="How often one request is tried, with growing pauses."
    )
    register_refresh_hour: int = Field(
        default=-1,
        ge=-1,
        le=23,
        description="Hour (UTC) from which on, each day, the companies in care are refreshed from it; -1: never.",
    )
    register_refresh_max: int = Field(
        default=20_000, ge=1, le=1_000_000, description="Companies that one day's refresh asks for at most."
    )
    register_answer_seconds: int = Field(
        default=72_000,
        ge=0,
        le=2_592_000,
        description="How long an answer about a company counts: it is not asked for again before.",
    )

    @property
    def register_asking(self) -> Asking:
        """How the open API is asked."""
        return Asking(
            address=self.register_api,
            per_second=self.register_api_per_second,
            seconds=self.register_api_seconds,
            attempts=self.register_api_attempts,
        )

    def college_name(self, college: str) -> str:
        """What a college is called."""
        return self.college_names.get(college, college)
