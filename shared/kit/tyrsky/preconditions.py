"""What a writing request says beside its body: ``Idempotency-Key`` (which wish this is) and ``If-Match`` (upon what).

Every POST names its wish with a key of the client's making, so that it may be sent again when the answer was lost
(IETF draft httpapi-idempotency-key-header). Every PUT, PATCH and DELETE says which version it changes (RFC 9110,
13.1.1; RFC 6585, 3), so that nobody writes over what they have not seen.
"""

import hashlib
import re
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Annotated
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from fastapi import Depends, Header, Request

from tyrsky.aggregate import Rejected
from tyrsky.auth import Caller, caller
from tyrsky.catalogue import Problem, declare
from tyrsky.openapi import Precondition

KEYS = uuid5(NAMESPACE_URL, "urn:tyrsky:idempotency-key")
KEY = re.compile(r"[\x21-\x7e]{8,200}")
ETAG = re.compile(r'"([0-9]{1,15})"')

declare(
    Problem(
        "key-missing",
        400,
        fi="Otsake Idempotency-Key puuttuu. Lähetä pyyntö uudelleen ja anna sille tunniste, esimerkiksi UUID.",
        sv="Rubriken Idempotency-Key saknas. Skicka begäran på nytt med en egen nyckel, till exempel ett UUID.",
        en="The header Idempotency-Key is missing. Send the request again with a key of your own, such as a UUID.",
    ),
    Problem(
        "key-wrong",
        400,
        fi="Otsakkeen Idempotency-Key on oltava 8-200 näkyvää ASCII-merkkiä.",
        sv="Rubriken Idempotency-Key ska bestå av 8-200 synliga ASCII-tecken.",
        en="The header Idempotency-Key has to be 8 to 200 visible ASCII characters.",
    ),
    Problem(
        "key-reused",
        422,
        fi="Samalla Idempotency-Key-tunnisteella on jo tehty toinen pyyntö. Anna uudelle pyynnölle oma tunniste.",
        sv="Samma Idempotency-Key har redan använts för en annan begäran. Ge den nya begäran en egen nyckel.",
        en="This Idempotency-Key was used for another request. Give a new request a key of its own.",
    ),
    Problem(
        "key-in-flight",
        409,
        fi="Samaa pyyntöä käsitellään parhaillaan. Odota hetki ja lähetä se uudelleen samalla tunnisteella.",
        sv="Samma begäran behandlas just nu. Vänta en stund och skicka den igen med samma nyckel.",
        en="The same request is being handled right now. Wait a moment and send it again with the same key.",
    ),
    Problem(
        "if-match-missing",
        428,
        fi="Otsake If-Match puuttuu. Hae tiedot, ja lähetä muutos niiden ETag-arvon kanssa.",
        sv="Rubriken If-Match saknas. Hämta uppgifterna och skicka ändringen med deras ETag.",
        en="The header If-Match is missing. Get the thing first, and send the change with its ETag.",
    ),
    Problem(
        "if-match-wrong",
        400,
        fi='If-Match ei ole saatu ETag-arvo, esimerkiksi "3".',
        sv='If-Match är inte en ETag som har getts ut, till exempel "3".',
        en='If-Match is not an ETag that was given out, such as "3".',
    ),
    Problem(
        "version-stale",
        412,
        fi="Joku on muuttanut tietoja sen jälkeen, kun hait ne. Hae ne uudelleen ja tee muutoksesi siihen.",
        sv="Någon har ändrat uppgifterna sedan du hämtade dem. Hämta dem på nytt och gör din ändring i dem.",
        en="Somebody changed this after you got it. Get it again, and make your change to that.",
    ),
)


@dataclass(frozen=True)
class Wish:
    """What a request wants, as far as its headers tell. With a key, ``id`` is the same for each repeat of it."""

    id: UUID
    by: Caller
    keyed: bool
    fingerprint: str
    expected_version: int | None
    now: datetime
    commands: Iterator[int] = field(default_factory=lambda: count(1))
    """Numbers for the commands that the request comes to, whichever aggregates they are for."""


IdempotencyKey = Annotated[
    str | None,
    Header(
        description="A name for this wish, of your making: send it again when the answer was lost, and get the same.",
        examples=["6f1c2b52-3f0e-4d0a-9d0f-0c4b7f0b8f11"],
    ),
]
IfMatch = Annotated[
    str | None, Header(description="The ETag of what is changed, as it was last given out.", examples=['"3"'])
]

HEADERS = (
    Precondition("Idempotency-Key", frozenset({"POST"}), ("key-missing", "key-wrong", "key-reused", "key-in-flight")),
    Precondition(
        "If-Match", frozenset({"PUT", "PATCH", "DELETE"}), ("if-match-missing", "if-match-wrong", "version-stale")
    ),
)
"""Which methods need which header, for the service's OpenAPI document."""


async def wish(
    request: Request,
    by: Annotated[Caller, Depends(caller)],
    idempotency_key: IdempotencyKey = None,
    if_match: IfMatch = None,
) -> AsyncGenerator[Wish]:
    """Dependency: the wish of this request, which is under way in this process only once at a time.

    In another process the same wish may be under way too; there the store sees to it that it is carried out once, and
    both get the same answer.
    """
    if idempotency_key is None:
        if request.method == "POST":
            raise Rejected("key-missing")
        id = uuid4()
    elif KEY.fullmatch(idempotency_key):
        id = uuid5(KEYS, f"{by.college} {by.subject} {idempotency_key}")
    else:
        raise Rejected("key-wrong")
    now = datetime.now(UTC)
    found = Wish(
        id,
        by,
        idempotency_key is not None,
        fingerprint=hashlib.sha256(
            f"{request.method} {request.url.path}?{request.url.query}\n".encode() + await request.body()
        ).hexdigest(),
        expected_version=expected_version(request.method, if_match),
        now=now.replace(microsecond=now.microsecond // 1000 * 1000),  # what the store keeps, so that both agree
    )
    under_way: set[UUID] = request.app.state.wishes
    if id in under_way:
        raise Rejected("key-in-flight")
    under_way.add(id)
    try:
        yield found
    finally:
        under_way.discard(id)


def expected_version(method: str, match: str | None) -> int | None:
    """The version that the request changes; None when it does not say, or does not care (``*``).

    :raises Rejected: ``if-match-missing`` on a PUT, PATCH or DELETE without it, ``if-match-wrong``.
    """
    if match is None:
        if method in {"PUT", "PATCH", "DELETE"}:
            raise Rejected("if-match-missing")
        return None
    if match.strip() == "*":
        return None
    if found := ETAG.fullmatch(match.strip()):
        return int(found[1])
    raise Rejected("if-match-wrong")


def etag(version: int) -> str:
    """The ETag of a version."""
    return f'"{version}"'
