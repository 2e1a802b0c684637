"""The salted hash by which colleges know an address again without telling it; how it is made is part of the contract.

HMAC-SHA-256 with a secret that the network's deployments share (the *pepper*), over ``email:`` or ``phone:`` and the
address in one spelling. Whoever has the pepper can try addresses; whoever has not learns nothing from a hash.
"""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated

from pydantic import StringConstraints

HASH = r"^[0-9a-f]{64}$"

AddressHash = Annotated[str, StringConstraints(pattern=HASH)]
"""An address, for those who have the pepper and the address to compare it with."""

PEPPER_LENGTH_MIN = 32

COUNTRY = "358"
"""A number without a country is Finland's."""


class AddressHashes:
    """Hashes with the network's peppers: new ones by the first, and all are known again."""

    def __init__(self, peppers: Sequence[str]) -> None:
        if not peppers or any(len(pepper) < PEPPER_LENGTH_MIN for pepper in peppers):
            raise ValueError(f"a pepper has {PEPPER_LENGTH_MIN} characters at least")
        self._peppers = [pepper.encode() for pepper in peppers]

    def of(self, address: str) -> str:
        """The hash of an e-mail address or a telephone number, to be told."""
        return self.known_as(address)[0]

    def known_as(self, address: str) -> list[str]:
        """The hashes by which it may have been told, the present one first."""
        message = one_spelling(address).encode()
        return [hmac.new(pepper, message, hashlib.sha256).hexdigest() for pepper in self._peppers]


def one_spelling(address: str) -> str:
    """An address as everybody spells it: ``email:aino@kahvila.example``, ``phone:+358401234567``."""
    return f"email:{_email(address)}" if "@" in address else f"phone:{_phone(address)}"


def _email(text: str) -> str:
    """In small letters, also before the @ (no server that people meet tells them apart); the domain in ASCII."""
    name, _, domain = unicodedata.normalize("NFKC", text).strip().lower().rpartition("@")
    with suppress(UnicodeError):  # no domain that mail goes to; as it is written, then
        domain = domain.encode("idna").decode()
    return f"{name}@{domain}"


def _phone(text: str) -> str:
    """With its country, and nothing but digits."""
    plain = re.sub(r"[^0-9+]", "", text.replace("(0)", ""))
    if plain.startswith("+"):
        digits = plain.replace("+", "")
    elif plain.startswith("00"):
        digits = plain[2:]
    else:
        digits = COUNTRY + plain.removeprefix("0")
    return f"+{digits}"
