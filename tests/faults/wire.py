"""What passes between two parts, as far as a proxy has to know it: which requests are worth losing the answer of, where
that answer begins, and which effects go out. One of these for each connection.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

TAIL_BYTES = 200
"""So much of what came before is looked at again: an id may stand across two reads."""

Wanted = Callable[[bytes], bool]


def anything(_: bytes) -> bool:
    """Whatever is asked."""
    return True


def http_write(chunk: bytes) -> bool:
    """A request that changes something."""
    return chunk.startswith((b"POST ", b"PUT ", b"PATCH ", b"DELETE "))


def mail_handed_over(chunk: bytes) -> bool:
    """The end of a message in SMTP: the server has it, and is about to say so."""
    return chunk.endswith(b"\r\n.\r\n")


class Talk:
    """One request after another, each answered before the next is asked: HTTP as our clients speak it, MongoDB, SMTP.
    ``effect`` finds the id of what goes out."""

    def __init__(self, wanted: Wanted = anything, effect: re.Pattern[bytes] | None = None) -> None:
        self._wanted = wanted
        self._effect = effect
        self._tail = b""

    @property
    def is_way_out(self) -> bool:
        """Whether effects go out here."""
        return self._effect is not None

    def asked(self, chunk: bytes) -> Sequence[tuple[str, int]]:
        """Requests in this chunk that are worth losing the answer of: of what kind, and the number of the answer."""
        return [("write", 0)] if self._wanted(chunk) else []

    def answered(self, chunk: bytes, numbers: Collection[int]) -> int | None:
        """Where in this chunk the first answer with one of these numbers begins; None when it is not there."""
        return 0 if numbers else None

    def goes_out(self, chunk: bytes) -> Sequence[str]:
        """Ids of the effects that this chunk, with what came before it, hands over."""
        if self._effect is None:
            return []
        known, text = len(self._tail), self._tail + chunk
        self._tail = text[-TAIL_BYTES:]
        return [each[1].decode() for each in self._effect.finditer(text) if each.end() > known]


@dataclass
class _Frames:
    """The beginnings of messages that stand in a stream one after the other, each with its length before it."""

    head: int
    _begun: bytes = b""
    _left: int = 0

    def begin(self, chunk: bytes) -> list[tuple[int, bytes]]:
        """Where in this chunk each message begins whose head is now known, and the head. One that began in the chunk
        before begins at 0."""
        found, at, start = list[tuple[int, bytes]](), 0, 0
        while at < len(chunk):
            if self._left:
                step = min(self._left, len(chunk) - at)
                self._left, at = self._left - step, at + step
                continue
            start = at if not self._begun else 0
            more = chunk[at : at + self.head - len(self._begun)]
            self._begun, at = self._begun + more, at + len(more)
            if len(self._begun) == self.head:
                found.append((start, self._begun))
                self._left = max(0, 4 + int.from_bytes(self._begun[:4]) - self.head)
                self._begun = b""
        return found


#: Kafka's requests that change something, by the number of the interface.
KAFKA_WRITES: Mapping[int, str] = {0: "Produce", 8: "OffsetCommit", 24: "AddPartitionsToTxn", 26: "EndTxn"}


class KafkaTalk(Talk):
    """Kafka, whose clients ask on before they are answered: an answer has its request's number."""

    def __init__(self, kinds: Mapping[int, str] = KAFKA_WRITES) -> None:
        super().__init__()
        self._kinds = kinds
        self._requests, self._answers = _Frames(12), _Frames(8)

    def asked(self, chunk: bytes) -> Sequence[tuple[str, int]]:
        """Length, interface, its version, and the number."""
        heads = [head for _, head in self._requests.begin(chunk)]
        kinds = [(self._kinds.get(int.from_bytes(head[4:6])), int.from_bytes(head[8:12])) for head in heads]
        return [(kind, number) for kind, number in kinds if kind]

    def answered(self, chunk: bytes, numbers: Collection[int]) -> int | None:
        """Length, and the number."""
        begun = self._answers.begin(chunk)
        return next((at for at, head in begun if int.from_bytes(head[4:8]) in numbers), None)


STORE_WRITE = re.compile(rb".{25}\x02(?:insert|update|findAndModify)\x00.{4}(?P<collection>[^\x00]+)\x00", re.DOTALL)
"""A write in MongoDB's wire protocol. Before it: a head of 16 bytes, 4 of flags, the kind of section, and the length of
the document, whose first name is the command, with the collection as its value."""

AGGREGATES = frozenset({b"companies", b"contacts", b"visits", b"notifications", b"rooms", b"dispatches"})
COMMIT, CLEARING, READ_MODEL = "commit", "clearing", "read model"
SAVED = b"\x09changed_at\x00"
"""A moment that each save of an aggregate writes down, and nobody else."""

READ_MODELS = (b"reach", b"occupancy")


class StoreTalk(Talk):
    """MongoDB: of each write it is known what it is for."""

    def asked(self, chunk: bytes) -> Sequence[tuple[str, int]]:
        """A commit is a save of an aggregate; what else is done to one is claiming and clearing of its outbox. The
        others are called by their collection: ``relays``, ``answers``."""
        found = STORE_WRITE.match(chunk)
        if found is None:
            return []
        collection = found["collection"]
        if collection in AGGREGATES:
            return [(COMMIT if SAVED in chunk else CLEARING, 0)]
        return [(READ_MODEL if collection.startswith(READ_MODELS) else collection.decode(), 0)]


MESSAGE_ID = re.compile(rb"\r\nMessage-ID:\s*<([0-9a-f-]{36})@", re.IGNORECASE)
WEBHOOK_ID = re.compile(rb"\r\nwebhook-id:\s*([0-9a-f-]{36})\r\n", re.IGNORECASE)

CUTS = 3

QUIET = "gateway-notifications"
"""Nobody asks notifications to change anything."""

UNASKED = "notifications-mongo"
"""The store of the one service that has no read model, and no answers to remember."""

OWN_CUTS: Mapping[str, int] = {COMMIT: CUTS, CLEARING: 1, "relays": 1}
ASKED_CUTS: Mapping[str, int] = {"answers": 1, READ_MODEL: 1}
"""How often the answers of a service's store are lost, by what was written."""


def talk_of(pair: str) -> Talk:
    """How the two parts of a pair, such as ``companies-mongo``, speak on a connection."""
    match pair.rsplit("-", 1)[-1]:
        case "mongo":
            return StoreTalk()
        case "kafka":
            return KafkaTalk()
        case "smtp":
            return Talk(mail_handed_over, MESSAGE_ID)
        case "webhook":
            return Talk(http_write, WEBHOOK_ID)
        case "keycloak":
            return Talk()
        case _:
            return Talk() if pair == QUIET else Talk(http_write)


def cuts_of(pair: str) -> Mapping[str, int]:
    """How often to lose the answer of each kind of request between the two."""
    match pair.rsplit("-", 1)[-1]:
        case "kafka":
            return dict.fromkeys(KAFKA_WRITES.values(), 1)
        case "mongo":
            return {**OWN_CUTS, **({} if pair == UNASKED else ASKED_CUTS)}
        case _:
            return {"write": CUTS}
