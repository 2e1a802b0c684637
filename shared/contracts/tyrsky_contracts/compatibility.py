"""What a release promised, and what breaks the promise.

Topics keep events for ever and colleges upgrade when they can, so both ways must hold: an old reader reads the new
message, and the new reader reads the old one. Widening breaks the first (a reader that checks refuses the new enum
value, the longer text), narrowing the second. So within a version of an event nothing changes but that optional fields
come; whatever else is wanted is a new version with an upcast.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from tyrsky_contracts.schemas import FOLDER, Json, events_of, example_of, schema_of
from tyrsky_contracts.topics import Topic

PARTNERS = "partner colleges"
SAYS_NOTHING = {"title", "description", "examples", "properties", "required"}
"""Keywords that are words for people, or are compared field by field."""


class PromisedEvent(BaseModel):
    """An event as it was released."""

    model_config = ConfigDict(frozen=True)

    name: str
    fields: Json
    example: Json


class PromisedTopic(BaseModel):
    """A topic as it was released."""

    model_config = ConfigDict(frozen=True)

    public: bool
    retention_seconds: float | None
    consumers: tuple[str, ...]
    events: dict[str, PromisedEvent]

    def readers(self) -> tuple[str, ...]:
        """Whom a break of this topic breaks."""
        return (*self.consumers, PARTNERS) if self.public else self.consumers


class Release(BaseModel):
    """Everything that a version of the contracts promises."""

    model_config = ConfigDict(frozen=True)

    version: str
    topics: dict[str, PromisedTopic]


@dataclass(frozen=True)
class Break:
    """One broken promise."""

    where: str
    what: str
    consumers: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.where}: {self.what}; breaks {', '.join(self.consumers) or 'no consumer on the map'}"


def release_of(version: str, topics: Sequence[Topic], folder: Path = FOLDER) -> Release:
    """What the contracts promise now."""
    return Release(
        version=version,
        topics={
            topic.name: PromisedTopic(
                public=topic.public,
                retention_seconds=None if topic.retention is None else topic.retention.total_seconds(),
                consumers=topic.consumers,
                events={
                    event.type: PromisedEvent(
                        name=event.__name__, fields=schema_of(event), example=example_of(event, folder)
                    )
                    for event in events_of([topic])
                },
            )
            for topic in topics
        },
    )


def releases(folder: Path = FOLDER) -> list[Release]:
    """Every committed release, the oldest first."""
    found = [Release.model_validate_json(file.read_text()) for file in (folder / "releases").glob("*.json")]
    return sorted(found, key=lambda release: [int(part) for part in release.version.split(".")])


def breaks(then: Release, now: Release) -> list[Break]:
    """Every promise of ``then`` that ``now`` does not keep."""
    return [broken for name, topic in then.topics.items() for broken in _topic(name, topic, now)]


def _topic(name: str, then: PromisedTopic, release: Release) -> Iterator[Break]:
    now = release.topics.get(name)
    if now is None:
        yield Break(f"topic {name}", "was removed", then.readers())
    else:
        yield from _promises(f"topic {name}", then, now)
    homes = {type_: topic for topic, promised in release.topics.items() for type_ in promised.events}
    for type_, event in then.events.items():
        where = f"{event.name} ({type_})"
        home = homes.get(type_)
        if home is None:
            yield Break(where, f"was removed from topic {name}", then.readers())
            continue
        if home != name:
            yield Break(where, f"moved from topic {name} to {home}", then.readers())
        promised = release.topics[home].events[type_]
        for field, what in differences(event.fields, promised.fields):
            yield Break(f"{where} {field}".rstrip(), what, then.readers())
        if event.example != promised.example:
            yield Break(where, "its example was changed; an example stands for messages that lie in the topic", ())


def _promises(where: str, then: PromisedTopic, now: PromisedTopic) -> Iterator[Break]:
    if then.public and not now.public:
        yield Break(where, "was public, is private", (PARTNERS,))
    if now.public and not then.public:
        yield Break(where, "was private, is public: what lies in it was written for nobody outside", (PARTNERS,))
    kept = [float("inf") if topic.retention_seconds is None else topic.retention_seconds for topic in (then, now)]
    if kept[1] < kept[0]:
        yield Break(where, "is kept for a shorter time", then.readers())
    if kept[1] > kept[0] and not then.public:
        yield Break(where, "is private and kept for longer than was promised", ())


def differences(then: Json, now: Json, path: str = "") -> Iterator[tuple[str, str]]:
    """Which field differs, and how. An optional field that came is no difference."""
    before, after = then.get("properties", {}), now.get("properties", {})
    required_then, required_now = then.get("required", []), now.get("required", [])
    for name in before:
        field = f"{path}.{name}".lstrip(".")
        if name not in after:
            yield field, "was removed"
            continue
        if name in required_now and name not in required_then:
            yield field, "was optional, is required"
        if name in required_then and name not in required_now:
            yield field, "was required, is optional"
        yield from differences(before[name], after[name], field)
    for name in after.keys() - before.keys():
        if name in required_now:
            yield f"{path}.{name}".lstrip("."), "is new and required"
    yield from _keywords(then, now, path)


def _keywords(then: Json, now: Json, path: str) -> Iterator[tuple[str, str]]:
    if _kind(then) != _kind(now):
        yield path, f"was {_kind(then)}, is {_kind(now)}"
        return
    for keyword in sorted((then.keys() | now.keys()) - SAYS_NOTHING):
        before, after = then.get(keyword), now.get(keyword)
        if before == after:
            continue
        if keyword in ("enum", "const"):
            yield from ((path, change) for change in _values(then, now))
        elif isinstance(before, dict) and isinstance(after, dict):
            yield from differences(before, after, f"{path}[]")
        elif keyword == "anyOf":
            for one, other in zip(then["anyOf"], now["anyOf"], strict=True):
                yield from differences(one, other, path)
        else:
            yield path, f"{keyword} was {_said(before)}, is {_said(after)}"


def _kind(schema: Json) -> str:
    """What kind of value: ``string``, ``string or null``, ``array`` ..."""
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"])
    return str(schema.get("format", schema.get("type", "anything")))


def _values(then: Json, now: Json) -> Iterator[str]:
    before, after = (
        [*schema.get("enum", []), *([schema["const"]] if "const" in schema else [])] for schema in (then, now)
    )
    yield from (f"the value {value!r} was removed" for value in before if value not in after)
    yield from (f"the value {value!r} is new" for value in after if value not in before)


def _said(value: Any) -> str:
    return "unsaid" if value is None else repr(value)
