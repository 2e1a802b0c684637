"""What the state machine believes: each thing as the API has to show it, and what was answered to whom."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.faults.asking import Answer, Request

UNREACHABLE = "contact-unreachable"
OVER = "visit-is-over"


class Disagrees(AssertionError):  # noqa: N818 - it reads as it is meant
    """The API did not do what it promises."""


def holds(promise: object, what: str) -> None:
    """Raise Disagrees unless the promise is kept."""
    if not promise:
        raise Disagrees(what)


@dataclass
class Thing:
    """An aggregate: GET must show ``body``, at ``version``, or later by at most ``more`` that policies may add."""

    kind: str
    user: str
    path: str
    body: dict[str, Any]
    version: int
    more: int = 0
    visited: bool = False
    contact: "Thing | None" = None
    reservations: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def id(self) -> str:
        """Its id."""
        return self.body["id"]

    @property
    def college(self) -> str:
        """Whose it is."""
        return self.user.partition("-")[0]

    @property
    def etag(self) -> str:
        """Its ETag, as it was last seen."""
        return f'"{self.version}"'

    @property
    def told(self) -> bool:
        """Whether a visit's contact can be told of it by mail."""
        return self.contact is not None and self.contact.body["email"] is not None

    def moves(self) -> int:
        """How many happenings a change is: of a visit, a link that dies or is new, and who is told, come on top."""
        return 1 + (self.told or self.body.get("asked", False)) + self.told

    def held(self) -> list[str]:
        """The reservations that take a seat."""
        return [id for id, status in self.reservations.items() if status == "held"]

    def after(self, change: dict[str, Any]) -> dict[str, Any] | str:
        """What a PATCH makes of it, or the code of its refusal."""
        match self.kind:
            case "company":
                return {**self.body, "tags": list(dict.fromkeys(change["tags"]))}
            case "contact":
                after = {**self.body, **change}
                return UNREACHABLE if after["email"] is None and after["phone"] is None else after
            case _:
                if self.body["status"] != "planned":
                    return OVER
                after = {**self.body, **change}
                return after if after == self.body else {**after, "asked": self.told}

    def will_be_visited(self) -> None:
        """A policy notes, in a while, that a visit to this company was recorded: of the first one only."""
        self.more, self.visited = self.more + (not self.visited), True

    def by_now(self, believed: dict[str, Any], shown: Any) -> dict[str, Any]:
        """What is believed, with what that policy may have done by now. Raises Disagrees."""
        if not self.visited or believed["stage"] != "unknown" or shown.get("stage") == "unknown":
            return believed
        came = [(each["stage"], each["because"]) for each in shown.get("reached", [])]
        holds(came == [("visited", "visit.recorded")], f"{self.path} came to {came}")
        return {**believed, "stage": "visited", "reached": shown["reached"]}

    def seen(self, body: Any, version: int) -> None:
        """The API shows it: it must be as it is believed to be. Raises Disagrees."""
        self.body = self.by_now(self.body, body)
        holds(body == self.body, f"{self.path} is {body}, and should be {self.body}")
        holds(
            self.version <= version <= self.version + self.more,
            f"{self.path} is at version {version}, and should be at {self.version}"
            + (f" to {self.version + self.more}" if self.more else ""),
        )
        self.more -= version - self.version
        self.version = version

    def became(self, body: dict[str, Any], version: int, by: int) -> None:
        """It changed by so many happenings, and the answer showed it so. Raises Disagrees."""
        self.version, self.body = self.version + by, body
        self.seen(body, version)


@dataclass(frozen=True)
class Done:
    """A wish that was granted, to be asked for again."""

    request: Request
    answer: Answer
    thing: Thing


def other(request: Request) -> Any:
    """Another body for the same key, as valid as the first."""
    match request.body:
        case None:
            return {"more": True}
        case {"seats": int(seats)}:
            return {"seats": seats % 1_000 + 1}
        case {"guest": str(guest)}:
            return {"guest": guest + "x"}
        case {"tags": [*tags]}:
            return {"tags": [*tags, "still-another"]}
        case {"ends_at": str(ends), **rest}:
            return {**rest, "ends_at": text(datetime.fromisoformat(ends) + timedelta(minutes=1))}
        case {"notes": str(notes), **rest}:
            return {**rest, "notes": notes + "x"}
        case {"role": role, **rest}:
            return {**rest, "role": "decision-maker" if role == "other" else "other"}
        case _:
            return {**request.body, "role": "decision-maker"}


def times(starts: datetime, minutes: int = 60) -> dict[str, str]:
    """A visit's times as the API shows them."""
    return {"starts_at": text(starts), "ends_at": text(starts + timedelta(minutes=minutes))}


def text(moment: datetime) -> str:
    """A moment as the API shows it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
