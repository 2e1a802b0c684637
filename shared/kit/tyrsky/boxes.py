"""A box of dead letters as a document, and a letter in it; see ``tyrsky.dead_letters``."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tyrsky_contracts.topics import Topic

from tyrsky.deliveries import Message
from tyrsky.store import Document

NEVER = datetime(9999, 1, 1, tzinfo=UTC)
"""Not due until a person says so."""

PRIVATE_KEPT = timedelta(days=7)
"""How long letters of a private topic are kept, when the topic itself has no retention."""


@dataclass(frozen=True)
class Box:
    """The letters of one key, in order; what a lease has of it when ``token`` is set."""

    id: str
    group: str
    topic: str
    key: str | None
    ordered: bool
    letters: list[Document]
    attempts: int
    due_at: datetime
    token: str

    @classmethod
    def of(cls, document: Document) -> "Box":
        """A box from its document."""
        return cls(
            id=document["_id"],
            group=document["group"],
            topic=document["topic"],
            key=document["key"],
            ordered=document["ordered"],
            letters=in_order(document["letters"]),
            attempts=document["attempts"],
            due_at=document["due_at"],
            token=document["lease_token"],
        )

    def message(self, letter: Document) -> Message:
        """The message that a letter kept."""
        headers = tuple((name, value) for name, value in letter["headers"])
        return Message(self.topic, letter["partition"], letter["offset"], self.key, headers, letter["body"])


def box_id(group: str, topic: str, key: str) -> str:
    """The one box that a key of a group can have."""
    return f"{group}/{topic}/{key}"


def in_order(letters: list[Document]) -> list[Document]:
    """By offset, since what comes again (offsets were set back) lines up behind what came after it.

    Partition by partition as they appear: a key moves to another when the topic gets more of them.
    """
    partitions = list(dict.fromkeys(letter["partition"] for letter in letters))
    return sorted(letters, key=lambda letter: (partitions.index(letter["partition"]), letter["offset"]))


def letter_of(message: Message, topic: Topic) -> Document:
    """What is kept of a message."""
    now = datetime.now(UTC)
    letter: Document = {
        "id": message.id,
        "partition": message.partition,
        "offset": message.offset,
        "headers": [[name, value] for name, value in message.headers],
        "body": message.body,
        "size": len(message.body or b"") + sum(len(value or b"") for _, value in message.headers),
        "type": message.header("ce_type"),
        "college": message.header("ce_college"),
        "kept_at": now,
    }
    if not topic.public:
        letter["expires_at"] = now + (topic.retention or PRIVATE_KEPT)
    return letter


def size_of(letter: Document) -> int:
    """Bytes of a letter that count."""
    return int(letter["size"])


def push(letter: Document) -> Document:
    """The update that puts a letter into a box."""
    update: Document = {"$push": {"letters": letter}, "$inc": {"count": 1, "bytes": size_of(letter)}}
    if "expires_at" in letter:
        update["$min"] = {"expires_at": letter["expires_at"]}
    return update
