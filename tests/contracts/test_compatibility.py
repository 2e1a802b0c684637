"""What is a break, what it says, and whom it breaks. What is no break, passes."""

import shutil
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, create_model
from tyrsky_contracts import topics
from tyrsky_contracts.companies import VisitRecorded
from tyrsky_contracts.compatibility import PromisedTopic, Release, breaks, differences, release_of
from tyrsky_contracts.event import Event
from tyrsky_contracts.schemas import FOLDER, schema_of
from tyrsky_contracts.topics import ALL, Topic

THEN = release_of("0.1.0", ALL)
READERS = ", ".join(topics.companies.consumers)


def changed(name: str, **changes: Any) -> list[Topic]:
    """The map with one topic changed."""
    assert name in THEN.topics
    return [topic.model_copy(update=changes) if topic.name == name else topic for topic in ALL]


def said(now: Sequence[Topic], folder: Path = FOLDER, then: Release = THEN) -> list[str]:
    return [str(broken) for broken in breaks(then, release_of("now", now, folder))]


def test_what_did_not_change_breaks_nothing():
    assert said(ALL) == []


def test_a_release_says_the_same_after_it_was_written_and_read():
    assert breaks(Release.model_validate_json(THEN.model_dump_json()), release_of("now", ALL)) == []


def test_a_removed_event_names_who_reads_it():
    events = tuple(event for event in topics.companies.events if event is not VisitRecorded)
    assert said(changed("companies", events=events)) == [
        "VisitRecorded (tyrsky.visit.recorded.v1): was removed from topic companies; "
        f"breaks {READERS}, partner colleges"
    ]


def test_a_moved_event_is_a_break():
    moved = VisitRecorded
    kept = [event for event in topics.companies.events if event is not moved]
    now = [
        topic.model_copy(update={"events": (*topic.events, moved)}) if topic.name == "notifications" else topic
        for topic in changed("companies", events=tuple(kept))
    ]
    assert said(now)[0].startswith(
        "VisitRecorded (tyrsky.visit.recorded.v1): moved from topic companies to notifications;"
    )


def test_a_removed_topic_is_a_break_of_it_and_of_every_event_on_it():
    told = said([topic for topic in ALL if topic.name != "notification-requests"])
    assert told == [
        "topic notification-requests: was removed; breaks notifications-policies",
        "NotificationRequested (tyrsky.notification.requested.v1): was removed from topic notification-requests; "
        "breaks notifications-policies",
    ]


@pytest.mark.parametrize(
    ("name", "changes", "what"),
    [
        ("companies", {"public": False}, "topic companies: was public, is private; breaks partner colleges"),
        (
            "notification-requests",
            {"public": True},
            "topic notification-requests: was private, is public: what lies in it was written for nobody outside; "
            "breaks partner colleges",
        ),
        (
            "notifications",
            {"retention": timedelta(days=30)},
            "topic notifications: is kept for a shorter time; breaks partner colleges",
        ),
        (
            "companies",
            {"retention": timedelta(days=3650)},
            f"topic companies: is kept for a shorter time; breaks {READERS}, partner colleges",
        ),
        (
            "notification-requests",
            {"retention": None},
            "topic notification-requests: is private and kept for longer than was promised; "
            "breaks no consumer on the map",
        ),
    ],
)
def test_a_promise_about_a_topic_is_kept(name: str, changes: dict[str, Any], what: str):
    assert said(changed(name, **changes)) == [what]


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("notifications", {"retention": None}),
        ("companies", {"consumers": ()}),
        ("companies", {"producers": ("companies", "events")}),
        ("companies", {"about": "Other words."}),
    ],
)
def test_what_takes_nothing_from_anybody_is_no_break(name: str, changes: dict[str, Any]):
    assert said(changed(name, **changes)) == []


def test_a_new_event_and_a_new_topic_are_no_break():
    fewer = [
        topic for topic in changed("companies", events=topics.companies.events[:1]) if topic.name != "notifications"
    ]
    assert said(ALL, then=release_of("0.0.1", fewer)) == []


def test_a_changed_example_is_a_break(tmp_path: Path):
    shutil.copytree(FOLDER / "examples", tmp_path / "examples")
    file = tmp_path / "examples" / "tyrsky.visit.planned.v1.json"
    file.write_text(file.read_text().replace("Esimerkki Oy", "Toinen Oy"))
    (told,) = said(ALL, tmp_path)
    assert told.startswith("VisitPlanned (tyrsky.visit.planned.v1): its example was changed")


class Inner(BaseModel):
    """A part of an event."""

    place: str
    seats: int = 0


def fields(**those: Any) -> dict[str, Any]:
    return schema_of(create_model("Gathered", __doc__="Some words.", **those))


Short = Annotated[str, Field(max_length=5)]

BEFORE = fields(
    name=(str, ...),
    note=(str | None, None),
    needs=(tuple[Literal["training", "guidance"], ...], ()),
    form=(Literal["briefing", "fair"], ...),
    size=(Annotated[int, Field(ge=0, le=9)], 0),
    inner=(Inner, ...),
    inners=(list[Inner], []),
    counts=(dict[str, int], {}),
)


def edited(**those: Any) -> dict[str, Any]:
    """The same fields with some changed; ``None`` removes one."""
    now = fields(
        **{
            "name": (str, ...),
            "note": (str | None, None),
            "needs": (tuple[Literal["training", "guidance"], ...], ()),
            "form": (Literal["briefing", "fair"], ...),
            "size": (Annotated[int, Field(ge=0, le=9)], 0),
            "inner": (Inner, ...),
            "inners": (list[Inner], []),
            "counts": (dict[str, int], {}),
            **{name: those[name] for name in those if those[name] is not None},
        }
    )
    for name in [name for name in those if those[name] is None]:
        del now["properties"][name]
        now["required"] = [field for field in now["required"] if field != name]
    return now


class InnerWithoutPlace(BaseModel):
    """Inner, but for a field."""

    seats: int = 0


class InnerWithMore(Inner):
    """Inner and something optional: allowed, however deep."""

    floor: int | None = None


BREAKING = {
    "a field removed": (edited(name=None), [("name", "was removed")]),
    "an optional field removed": (edited(note=None), [("note", "was removed")]),
    "a required field added": (edited(when=(str, ...)), [("when", "is new and required")]),
    "required made optional": (
        edited(name=(str, "x")),
        [("name", "was required, is optional"), ("name", "default was unsaid, is 'x'")],
    ),
    "optional made required": (
        edited(size=(Annotated[int, Field(ge=0, le=9)], ...)),
        [("size", "was optional, is required"), ("size", "default was 0, is unsaid")],
    ),
    "another type": (edited(name=(int, ...)), [("name", "was string, is integer")]),
    "a type narrowed": (edited(note=(str, "")), [("note", "was string or null, is string")]),
    "a type widened": (edited(name=(str | int, ...)), [("name", "was string, is string or integer")]),
    "a bound narrowed": (edited(size=(Annotated[int, Field(ge=0, le=5)], 0)), [("size", "maximum was 9, is 5")]),
    "a bound widened": (edited(size=(Annotated[int, Field(ge=0, le=99)], 0)), [("size", "maximum was 9, is 99")]),
    "a bound removed": (edited(size=(Annotated[int, Field(ge=0)], 0)), [("size", "maximum was 9, is unsaid")]),
    "a bound inside an option": (
        edited(note=(Short | None, None)),
        [("note", "maxLength was unsaid, is 5")],
    ),
    "another default": (edited(size=(Annotated[int, Field(ge=0, le=9)], 1)), [("size", "default was 0, is 1")]),
    "a value removed": (edited(form=(Literal["fair"], ...)), [("form", "the value 'briefing' was removed")]),
    "a value added": (
        edited(form=(Literal["briefing", "fair", "stall"], ...)),
        [("form", "the value 'stall' is new")],
    ),
    "a value of a list removed": (
        edited(needs=(tuple[Literal["training"], ...], ())),
        [("needs[]", "the value 'guidance' was removed")],
    ),
    "a field inside": (
        edited(inner=(InnerWithoutPlace, ...)),
        [("inner.place", "was removed")],
    ),
    "a field inside a list": (
        edited(inners=(list[InnerWithoutPlace], [])),
        [("inners[].place", "was removed")],
    ),
    "values of a map": (edited(counts=(dict[str, str], {})), [("counts[]", "was integer, is string")]),
}


@pytest.mark.parametrize(("after", "what"), BREAKING.values(), ids=BREAKING.keys())
def test_a_change_within_a_version_is_a_break(after: dict[str, Any], what: list[tuple[str, str]]):
    assert sorted(set(differences(BEFORE, after))) == sorted(what)


ALLOWED = {
    "an optional field": edited(when=(str | None, None)),
    "an optional field inside": edited(inner=(InnerWithMore, ...), inners=(list[InnerWithMore], [])),
    "other words": edited(name=(Annotated[str, Field(description="The name.", title="Name")], ...)),
    "values in another order": edited(form=(Literal["fair", "briefing"], ...)),
}


@pytest.mark.parametrize("after", ALLOWED.values(), ids=ALLOWED.keys())
def test_an_addition_is_no_break(after: dict[str, Any]):
    assert list(differences(BEFORE, after)) == []


def test_a_break_of_a_private_topic_does_not_name_partners():
    topic = PromisedTopic(public=False, retention_seconds=None, consumers=("mailer-policies",), events={})
    assert topic.readers() == ("mailer-policies",)


def test_an_event_that_contains_itself_is_refused():
    class Tree(Event, type="test.tree.grown.v1"):
        branches: "list[Tree]"

    Tree.model_rebuild(_types_namespace={"Tree": Tree})
    with pytest.raises(TypeError, match="Tree contains itself"):
        schema_of(Tree)
