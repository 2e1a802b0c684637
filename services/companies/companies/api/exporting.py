"""All that is held on a person, put together from wherever a contact is named; in the person's language.

Another aggregate that names contacts has a line in :data:`MENTIONS`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pymongo.asynchronous.database import AsyncDatabase
from tyrsky.store import CODEC, Document, Loaded
from tyrsky_contracts.notifications import Language

from companies.api import export_words
from companies.api.export_words import LABELS, VALUES, Words
from companies.contact_state import Contact

ITEMS_MAX = 1_000
"""So many of each kind, the last ones."""


@dataclass(frozen=True)
class Mention:
    """A collection whose aggregates name contacts in ``field``, and what of them is about the contact."""

    title: Words
    collection: str
    field: str
    newest: str
    shown: Sequence[str]


MENTIONS: Mapping[str, Mention] = {
    "visits": Mention(
        title=export_words.VISITS,
        collection="visits",
        field="contact_id",
        newest="starts_at",
        shown=("company_name", "status", "starts_at", "ends_at", "answered_at", "answer_words", "notes"),
    ),
    "notes": Mention(
        title=export_words.NOTES, collection="notes", field="contact_id", newest="at", shown=("kind", "at", "text")
    ),
    "potentials": Mention(
        title=export_words.POTENTIALS,
        collection="potentials",
        field="instructor_id",
        newest="charted_at",
        shown=("form", "field_of_study", "agreed_places", "agreed_on"),
    ),
}

PERSON = (
    *("name", "role", "language", "email", "phone", "basis", "source", "collected_on", "period_ends_on"),
    *("keep_until", "addresses_until", "consent", "objection", "erased_at"),
)


class Held(BaseModel):
    """One thing that is held."""

    name: str = Field(description="For programs.", examples=["basis"])
    label: str = Field(examples=["Käsittelyn peruste"])
    value: Any = Field(description="As it is stored.", examples=["public-task"])
    text: str | None = Field(None, description="In words, for one of a few values.", examples=["yleinen etu"])


class Item(BaseModel):
    """One thing that is about the person."""

    id: UUID
    held: list[Held]


class Section(BaseModel):
    """All of one kind. ``more``: there are older ones than fit."""

    name: str = Field(examples=["visits"])
    title: str = Field(examples=["Käynnit, joihin sinut on kutsuttu"])
    items: list[Item]
    more: bool = False


class Export(BaseModel):
    """All that this service holds on a person."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "contact_id": "0b8e5f9a-7c39-5c55-8d8c-3c4f2a1b0d9e",
                "college": "vaao",
                "made_at": "2026-09-10T06:00:00Z",
                "language": "fi",
                "notice": "Tässä on kaikki, mitä oppilaitos on yrityspalvelussaan kirjannut sinusta.",
                "sections": [
                    {
                        "name": "contact",
                        "title": "Yhteystiedot",
                        "items": [
                            {
                                "id": "0b8e5f9a-7c39-5c55-8d8c-3c4f2a1b0d9e",
                                "held": [
                                    {"name": "name", "label": "Nimi", "value": "Aino Esimerkki", "text": None},
                                    {"name": "role", "label": "Rooli", "value": "other", "text": "muu"},
                                ],
                            }
                        ],
                        "more": False,
                    }
                ],
            }
        }
    )

    contact_id: UUID
    college: str
    made_at: AwareDatetime
    language: Language
    notice: str
    sections: list[Section]


async def export(database: AsyncDatabase[Document], contact: Loaded[Contact], now: datetime) -> Export:
    """Everything, with labels in the contact's language."""
    language = contact.state.language
    stored = {**contact.state.model_dump(mode="json"), "addresses_until": contact.state.addresses_until}
    person = Item(id=contact.id, held=_held(stored, PERSON, language))
    sections = [Section(name="contact", title=export_words.CONTACT[language], items=[person])]
    for name, mention in MENTIONS.items():
        sections.append(await _mentioned(database, name, mention, contact))
    return Export(
        contact_id=contact.id,
        college=contact.college,
        made_at=now,
        language=language,
        notice=export_words.NOTICE[language],
        sections=sections,
    )


async def _mentioned(
    database: AsyncDatabase[Document], name: str, mention: Mention, contact: Loaded[Contact]
) -> Section:
    language = contact.state.language
    named = {"college": contact.college, f"state.{mention.field}": str(contact.id)}
    shown = {f"state.{each}": 1 for each in mention.shown}
    collection = database.get_collection(mention.collection, codec_options=CODEC)
    found = collection.find(named, shown).sort([(f"state.{mention.newest}", -1), ("_id", -1)]).limit(ITEMS_MAX + 1)
    documents = await found.to_list(ITEMS_MAX + 1)
    items = [
        Item(id=UUID(document["_id"]), held=_held(document["state"], mention.shown, language))
        for document in documents[:ITEMS_MAX]
    ]
    return Section(name=name, title=mention.title[language], items=items, more=len(documents) > ITEMS_MAX)


def _held(stored: Mapping[str, Any], names: Sequence[str], language: Language) -> list[Held]:
    """What there is of these. Of what is one of a few values, the words too."""
    held: list[Held] = []
    for name in names:
        if (value := stored.get(name)) not in (None, "", [], ()):
            text = VALUES.get((name, value), {}).get(language) if isinstance(value, str) else None
            held.append(Held(name=name, label=LABELS[name][language], value=value, text=text))
    return held
