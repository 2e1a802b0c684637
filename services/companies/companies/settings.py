"""What a deployment of companies has to say beyond what every service has."""

from typing import Annotated

from pydantic import Field, SecretStr
from tyrsky import settings
from tyrsky_contracts.addresses import PEPPER_LENGTH_MIN

Pepper = Annotated[SecretStr, Field(min_length=PEPPER_LENGTH_MIN)]


class Settings(settings.Settings):
    """The secret by which colleges know the addresses of those who object."""

    address_peppers: tuple[Pepper, ...] = Field(
        default=...,
        min_length=1,
        max_length=10,
        description="Secrets of 32 characters or more for the hashes of addresses, as a JSON list, the same in the "
        "whole network: the first makes hashes, all are known. `openssl rand -hex 32` makes one.",
    )
