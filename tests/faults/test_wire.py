"""Requests are known when they are seen, wherever a read begins and ends."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from bson.codec_options import DEFAULT_CODEC_OPTIONS
from pymongo.message import _op_msg  # pyright: ignore[reportPrivateUsage] - what the driver says, byte by byte

from tests.faults.networks import without_a_lost_commit
from tests.faults.wire import KAFKA_WRITES, Talk, cuts_of, talk_of

ID = "6c1d0b0e-0000-4000-8000-000000000001"


def asks(pair: str, chunk: bytes) -> bool:
    return bool(talk_of(pair).asked(chunk))


def test_it_knows_writes_when_it_sees_them() -> None:
    assert asks("notifications-smtp", b"Moi!\r\n.\r\n")
    assert asks("people-gateway", b"POST /rooms HTTP/1.1\r\n")
    assert not asks("people-gateway", b"GET /rooms HTTP/1.1\r\n")
    assert asks("gateway-seats", b"POST /rooms HTTP/1.1\r\n")
    assert asks("seats-webhook", b"POST /hook HTTP/1.1\r\n")
    assert not asks("gateway-seats", b"GET /rooms HTTP/1.1\r\n")
    assert asks("gateway-notifications", b"GET /notifications HTTP/1.1\r\n")


def request(key: int, number: int, body: bytes = b"") -> bytes:
    return (8 + len(body)).to_bytes(4) + key.to_bytes(2) + b"\x00\x09" + number.to_bytes(4) + body


def answer(number: int, body: bytes = b"") -> bytes:
    return (4 + len(body)).to_bytes(4) + number.to_bytes(4) + body


@pytest.mark.parametrize("step", [1, 3, 5, 12, 1_000])
def test_kafkas_requests_are_known_by_their_numbers_however_they_are_read(step: int) -> None:
    talk = talk_of("seats-kafka")
    fetch, produce, commit = request(1, 70, b"x" * 40), request(0, 71, request(26, 99)), request(26, 72)
    stream = fetch + produce + commit + request(8, 73)
    found = [each for at in range(0, len(stream), step) for each in talk.asked(stream[at : at + step])]
    assert found == [("Produce", 71), ("EndTxn", 72), ("OffsetCommit", 73)]


@pytest.mark.parametrize("step", [1, 3, 7, 8, 1_000])
def test_kafkas_answers_are_known_by_their_numbers_however_they_are_read(step: int) -> None:
    talk = talk_of("seats-kafka")
    before = answer(70, answer(72)) + answer(71)
    stream, passed = before + answer(72, b"ok"), 0
    for at in range(0, len(stream), step):
        begins = talk.answered(stream[at : at + step], {72})
        if begins is not None:
            passed = at + begins
            break
    assert len(before) <= passed < len(before) + 8  # of its head some bytes may be out already
    assert step < 1_000 or passed == len(before)


def test_an_id_that_goes_out_is_found_once_also_across_reads() -> None:
    mail = f"354 go on\r\nFrom: a@b\r\nMessage-ID: <{ID}@vaao.example>\r\n\r\nMoi".encode()
    call = f"POST / HTTP/1.1\r\nWebhook-Id: {ID}\r\n\r\n".encode()
    for pair, text in (("notifications-smtp", mail), ("seats-webhook", call)):
        for step in (7, 40, 1_000):
            talk = talk_of(pair)
            parts = [text[at : at + step] for at in range(0, len(text), step)]
            assert [id for part in parts for id in talk.goes_out(part)] == [ID]
        assert talk_of(pair).is_way_out
    assert not Talk().goes_out(mail)


MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
SAVE = {"q": {"_id": "v1", "version": 1}, "u": {"$set": {"version": 2, "changed_at": MOMENT}}}
CLEAR = {"q": {"_id": "v1"}, "u": {"$set": {"outbox": []}, "$unset": {"outbox_since": ""}}}


@pytest.mark.parametrize(
    ("command", "kinds"),
    [
        ({"insert": "visits", "documents": [{"_id": "v1", "changed_at": MOMENT}]}, ["commit"]),
        ({"update": "visits", "updates": [SAVE]}, ["commit"]),
        ({"update": "visits", "updates": [SAVE, SAVE]}, ["commit"]),  # saves that come together
        ({"update": "visits", "updates": [CLEAR, CLEAR]}, ["clearing"]),
        ({"findAndModify": "visits", "query": {}, "update": CLEAR["u"]}, ["clearing"]),
        ({"update": "relays", "updates": [{"q": {}, "u": {"$set": {"beats": 3}}}]}, ["relays"]),
        ({"insert": "answers", "documents": [{"_id": "k1"}]}, ["answers"]),
        ({"update": "reach_edition_2_ab", "updates": [{"q": {}, "u": {"$set": {"version": 2}}}]}, ["read model"]),
        ({"find": "visits", "filter": {}}, []),
    ],
)
def test_of_a_write_to_the_store_it_is_known_what_it_is_for(command: dict[str, Any], kinds: list[str]) -> None:
    message: bytes = _op_msg(0, command, "companies", None, DEFAULT_CODEC_OPTIONS)[1]
    assert [kind for kind, _ in talk_of("companies-mongo").asked(message)] == kinds


def test_of_kafka_and_of_the_store_each_kind_of_answer_is_lost() -> None:
    assert set(cuts_of("companies-kafka")) == set(KAFKA_WRITES.values())
    assert "EndTxn" in cuts_of("companies-kafka")
    assert set(cuts_of("companies-mongo")) == {"commit", "clearing", "relays", "answers", "read model"}
    assert set(cuts_of("notifications-mongo")) == {"commit", "clearing", "relays"}
    assert cuts_of("people-gateway") == {"write": 3}


def test_a_service_that_never_lost_the_answer_of_a_commit_is_told_of() -> None:
    lost = {
        "seats-kafka": Counter({"answers of Produce cut": 2}),
        "companies-kafka": Counter({"answers of EndTxn cut": 1}),
        "seats-mongo": Counter({"answers of relays cut": 1, "answers of clearing cut": 1}),
        "companies-mongo": Counter({"answers of commit cut": 3}),
        "people-gateway": Counter({"answers of write cut": 3}),
    }
    taken = [("no answer", pair) for pair in lost]
    assert without_a_lost_commit(taken, lost) == [
        "seats-kafka: the answer of no EndTxn was cut",
        "seats-mongo: the answer of no commit was cut",
    ]
    assert without_a_lost_commit([("reset", pair) for pair in lost], lost) == []
