"""The client of the open API, against a server on loopback that answers well, badly, late and with malice."""

import asyncio
import gzip
import json
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from companies import ytj_api
from companies.testing import business_id, record
from companies.ytj import entry_of
from companies.ytj_api import ApiAway, ApiFailed, ApiSaysLater, Asking, Seen, YtjApi
from companies.ytj_stand_in import Scripted, YtjStandIn, body

# Real records stand beside the project; a clone that stands alone has made-up ones.
SAMPLE = Path(__file__).parents[4] / "shared" / "data" / "ytj_v3_sample_companies.json"
REAL: list[dict[str, Any]] = json.loads(SAMPLE.read_text("utf-8"))["companies"] if SAMPLE.exists() else []
RECORDS = [*REAL, *(record(number) for number in range(230))]


@pytest.fixture
def server() -> Iterator[YtjStandIn]:
    with YtjStandIn(RECORDS) as running:
        yield running


class Pauses:
    """What was slept, without sleeping."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        if seconds > 0:
            self.seconds.append(seconds)
        await asyncio.sleep(0)


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


@pytest.fixture
async def api(server: YtjStandIn, pauses: Pauses) -> AsyncIterator[YtjApi]:
    async with YtjApi(Asking(server.address, per_second=1_000_000, seconds=5), sleep=pauses) as client:
        yield client


async def test_every_page_is_given(api: YtjApi):
    pages = [await api.page(number) for number in (1, 2, 3)]
    assert [len(each.companies) for each in pages] == [100, 100, len(RECORDS) - 200]
    assert {each.total_results for each in pages} == {len(RECORDS)}
    assert [entry_of(each) for page in pages for each in page.companies] == [entry_of(each) for each in RECORDS]


async def test_a_place_is_asked_for_by_its_name(api: YtjApi, server: YtjStandIn):
    assert len((await api.page(1, location="Valkeakoski")).companies) == 100
    assert server.asked[-1].query == {"page": "1", "location": "Valkeakoski"}


async def test_a_company_is_asked_for_by_its_business_id(api: YtjApi):
    answer = await api.company(business_id(7))
    assert [entry_of(each).name for each in answer.companies] == ["Testikahvila Hämärä 7 Oy"]
    assert (await api.company(business_id(7_000))).companies == ()


async def test_what_was_seen_is_not_sent_again(api: YtjApi, server: YtjStandIn):
    first = await api.company(business_id(7))
    assert first.seen.etag
    assert (await api.company(business_id(7), first.seen)).unchanged
    server.records = [record(7, endDate="2026-08-01")]
    changed = await api.company(business_id(7), first.seen)
    assert not changed.unchanged
    assert entry_of(changed.companies[0]).situation == "ceased"
    await api.company(business_id(7), Seen(last_modified="Mon, 07 Sep 2026 00:00:00 GMT"))
    assert server.asked[-1].headers["if-modified-since"] == "Mon, 07 Sep 2026 00:00:00 GMT"


@pytest.mark.parametrize("etag", ["x" * 201, "\u00e4", "a\tb"])
async def test_a_version_that_could_not_be_sent_back_is_none(etag: str, api: YtjApi, server: YtjStandIn):
    server.script.append(Scripted(body=body([record(7)]), headers={"ETag": etag}))
    answer = await api.company(business_id(7))
    assert answer.seen.etag is None
    assert not (await api.company(business_id(7), answer.seen)).unchanged


AWAY = {
    "too many": Scripted(429),
    "error": Scripted(500, b"<html>sorry</html>"),
    "unavailable": Scripted(503),
    "gateway": Scripted(504),
    "cut": Scripted(body=body([record(7)]), cut=40),
    "cut at once": Scripted(body=body([record(7)]), cut=0),
    "half a document": Scripted(body=body([record(7)])[:-30]),
    "a page of a proxy": Scripted(body=b"<html>log in here</html>"),
    "nothing": Scripted(body=b""),
    "broken gzip": Scripted(body=b"no gzip", headers={"Content-Encoding": "gzip"}),
    "cut gzip": Scripted(body=gzip.compress(body([record(7)]))[:-20], headers={"Content-Encoding": "gzip"}),
    "gzip without its end": Scripted(body=gzip.compress(body([record(7)]))[:-4], headers={"Content-Encoding": "gzip"}),
    "too deep": Scripted(body=b'{"companies":' + b"[" * 100_000),
}


@pytest.mark.parametrize("which", AWAY)
async def test_what_fails_for_now_is_tried_again_after_a_pause(
    which: str, api: YtjApi, server: YtjStandIn, pauses: Pauses
):
    server.script.extend([AWAY[which]] * 2)
    assert len((await api.company(business_id(7))).companies) == 1
    assert len(server.asked) == 3
    assert len([each for each in pauses.seconds if each > 0.00001]) == 2


@pytest.mark.parametrize("which", AWAY)
async def test_what_fails_each_time_is_given_up(which: str, api: YtjApi, server: YtjStandIn):
    server.script.extend([AWAY[which]] * 9)
    with pytest.raises(ApiAway):
        await api.company(business_id(7))
    assert len(server.asked) == 5


async def test_pauses_grow_and_differ():
    """Two clients that failed together do not come back together."""
    with YtjStandIn() as server:
        taken: list[list[float]] = []
        for _ in range(2):
            server.script.extend([Scripted(503)] * 8)
            pauses = Pauses()
            async with YtjApi(Asking(server.address, per_second=1_000_000, attempts=8), sleep=pauses) as api:
                with pytest.raises(ApiAway):
                    await api.page(1)
            taken.append([each for each in pauses.seconds if each > 0.00001])
    assert taken[0] != taken[1]
    for seconds in taken:
        assert all(each <= min(2**number, ytj_api.PAUSE_SECONDS_MAX) for number, each in enumerate(seconds))


async def test_it_comes_back_when_the_api_says(api: YtjApi, server: YtjStandIn, pauses: Pauses):
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True)
    server.script.extend([Scripted(429, headers={"Retry-After": "17"}), Scripted(503, headers={"Retry-After": at})])
    await api.company(business_id(7))
    told = [each for each in pauses.seconds if each > 0.00001]
    assert 17 <= told[0] <= 18
    assert 37 <= told[1] <= 41


@pytest.mark.parametrize("said", ["soon", "-5", "9" * 400, "1e3", "", f"Mon, 01 Jan {9**40} 00:00:00 GMT"])
async def test_a_time_that_is_none_is_a_pause_as_any(said: str, api: YtjApi, server: YtjStandIn, pauses: Pauses):
    server.script.append(Scripted(429, headers={"Retry-After": said}))
    await api.company(business_id(7))
    assert max(pauses.seconds) <= 1


async def test_who_is_told_to_stay_away_for_long_asks_nothing_more(api: YtjApi, server: YtjStandIn, pauses: Pauses):
    server.script.append(Scripted(429, headers={"Retry-After": "3600"}))
    with pytest.raises(ApiSaysLater) as later:
        await api.company(business_id(7))
    assert later.value.seconds == 3600
    assert len(server.asked) == 1
    assert pauses.seconds == []


FAILED = {
    "refused": Scripted(400),
    "gone": Scripted(404),
    "elsewhere": Scripted(301, headers={"Location": "http://127.0.0.1:1/"}),
    "another form": Scripted(body=b'{"message": "hello"}'),
    "a list": Scripted(body=b"[1, 2]"),
    "a wrong type": Scripted(body=b'{"companies": {"0": 1}}'),
    "a wrong total": Scripted(body=b'{"totalResults": "many", "companies": []}'),
    "an endless total": Scripted(body=b'{"totalResults": 1' + b"0" * 400 + b', "companies": []}'),
    "a total below none": Scripted(body=b'{"totalResults": -1, "companies": []}'),
    "too many companies": Scripted(body=b'{"companies": [' + b"1," * 100 + b"1]}"),
    "packed otherwise": Scripted(body=body([]), headers={"Content-Encoding": "br"}),
    "two with one id": Scripted(body=body([record(7), record(7)])),
}


@pytest.mark.parametrize("which", FAILED)
async def test_what_is_wrong_for_good_is_not_tried_again(which: str, api: YtjApi, server: YtjStandIn):
    server.script.append(FAILED[which])
    with pytest.raises(ApiFailed) as failed:
        await api.company(business_id(7))
    assert not isinstance(failed.value, ApiAway)
    assert len(server.asked) == 1


async def test_a_page_of_too_many_is_no_page(api: YtjApi, server: YtjStandIn):
    server.script.append(FAILED["too many companies"])
    with pytest.raises(ApiFailed, match="another form"):
        await api.page(1)


@pytest.mark.parametrize("packed", [False, True])
async def test_an_answer_without_an_end_is_left(
    packed: bool, api: YtjApi, server: YtjStandIn, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(ytj_api, "ANSWER_BYTES_MAX", 100_000)
    much = b'{"companies": [' + b" " * 3_000_000
    headers = {"Content-Encoding": "gzip"} if packed else {}
    server.script.append(Scripted(body=gzip.compress(much) if packed else much, headers=headers))
    with pytest.raises(ApiFailed, match="larger than 100,000 bytes"):
        await api.company(business_id(7))
    assert len(server.asked) == 1


async def test_an_answer_that_drips_is_not_waited_for():
    with YtjStandIn() as server:
        server.script.append(Scripted(body=body([record(number) for number in range(90)]), seconds=0.1))
        async with YtjApi(Asking(server.address, seconds=0.4, attempts=1)) as api:
            began = time.monotonic()
            with pytest.raises(ApiAway, match="TimeoutError"):
                await api.page(1)
            assert time.monotonic() - began < 2


async def test_nobody_there_is_away(pauses: Pauses):
    async with YtjApi(Asking("http://127.0.0.1:9/v3", per_second=1_000_000), sleep=pauses) as api:
        with pytest.raises(ApiAway):
            await api.page(1)


async def test_it_asks_so_often_a_second_and_one_after_the_other(server: YtjStandIn, pauses: Pauses):
    async with YtjApi(Asking(server.address, per_second=0.1), sleep=pauses) as api:
        await asyncio.gather(*(api.company(business_id(number)) for number in range(6)))
    assert len(pauses.seconds) == 5
    assert all(5 < each <= 10 for each in pauses.seconds)


async def test_an_error_quotes_nothing_of_an_answer(api: YtjApi, server: YtjStandIn):
    server.script.append(Scripted(body=b'{"companies": "Salainen Nimi"}'))
    with pytest.raises(ApiFailed) as failed:
        await api.company(business_id(7))
    assert "Salainen" not in f"{failed.value!r} {failed.value.__cause__!r}"
