"""Mail addresses: as people write them, and as every mail server on the way can read them."""

from typing import Annotated

from email_validator import validate_email
from pydantic import AfterValidator, EmailStr, Field

from tyrsky.catalogue import worded


def ascii_address(text: str) -> str:
    """An address as it is written to mail servers: a domain such as ``hämeenlinna.fi`` in its ASCII form.

    A name before the ``@`` has no such form. Only servers with an extension (SMTPUTF8) take it, and when one on the way
    does not, the message is lost: it is no address to us.

    :raises ValueError: when mail cannot be sent there, by the look of it; nobody is asked.
    """
    address = validate_email(text, check_deliverability=False, allow_smtputf8=False).ascii_email
    if address is None:
        raise ValueError("has no ASCII form")
    return address


def is_mail_address(text: str) -> bool:
    """Whether mail can be sent there, by the look of it."""
    try:
        ascii_address(text)
    except ValueError:
        return False
    return True


def _can_be_sent_to(address: str) -> str:
    ascii_address(address)
    return address


MailAddress = Annotated[EmailStr, Field(max_length=254), AfterValidator(_can_be_sent_to), worded("mail-address-wrong")]
"""An address that a request gives, kept as people write it."""
