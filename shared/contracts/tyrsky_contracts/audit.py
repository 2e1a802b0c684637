"""Events on the private topic ``audit``: who changed what, when. What was changed to what is with the thing itself."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from tyrsky_contracts.event import Event

Happened = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,59}$")]
"""What happened, as a word: ``company-tagged``."""


class Audited(Event, type="tyrsky.audit.entered.v1"):
    """Somebody had something happen to ``thing``, which belongs to ``about``.

    ``by`` is who that is to the identity provider; or the type of the event that it followed from; or ``service``.
    """

    entry: UUID
    kind: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,59}$")]
    thing: UUID
    about: UUID
    by: Annotated[str, Field(min_length=1, max_length=255)]
    happened: Annotated[tuple[Happened, ...], Field(min_length=1, max_length=20)]
