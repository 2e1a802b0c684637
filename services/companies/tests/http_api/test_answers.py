"""What a company does with the link that it got: the page, the form, and what neither of them does."""

import logging
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any
from uuid import uuid4

import httpx2
import pytest
import pytest_asyncio
from companies import answer_page
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tyrsky.service import Service
from tyrsky.telemetry import WithoutPersons

from .calling import Client
from .making import Registered, at, company_of, invited, link, made, outbox

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="session")]

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
NOWHERE = f"/visits/answer/{uuid4()}/Q3vS0mC1xkqk9d2l7y8ZJw"


@pytest_asyncio.fixture(loop_scope="session")
async def visit(staff: Client, registered: Registered) -> dict[str, Any]:
    return await invited(staff, await company_of(staff, registered))


@pytest_asyncio.fixture(loop_scope="session")
async def address(service: Service, visit: dict[str, Any]) -> str:
    return await link(service, visit["id"])


class Page(HTMLParser):
    """What somebody who hears the page gets to know of it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of each such tag."""
        return [attributes for name, attributes in self.tags if name == tag]


async def status(staff: Client, visit: dict[str, Any]) -> tuple[str, str]:
    found = (await staff.get(f"/visits/{visit['id']}")).json()
    return found["status"], found["answer_words"]


async def test_looking_changes_nothing_however_often(
    http: httpx2.AsyncClient, staff: Client, visit: dict[str, Any], address: str
):
    before = await staff.get(f"/visits/{visit['id']}")
    for _ in range(3):
        assert (await http.get(address)).status_code == 200
        assert (await http.head(address)).status_code == 405
    assert (await staff.get(f"/visits/{visit['id']}")).headers["ETag"] == before.headers["ETag"]


async def test_the_company_confirms_and_the_page_says_so(
    service: Service, http: httpx2.AsyncClient, staff: Client, visit: dict[str, Any], address: str
):
    answer = await http.post(address, content="answer=confirmed&words=Kahvi+on+valmis.&lang=sv", headers=FORM)
    assert (answer.status_code, answer.headers["Location"]) == (303, "?lang=sv")
    assert await status(staff, visit) == ("confirmed", "Kahvi on valmis.")
    shown = (await http.get(address)).text
    assert "Ni har svarat att tiden passar" in shown
    types = [each["headers"]["ce_type"] for each in await outbox(service, visit["id"])]
    assert types[-1] == "tyrsky.visit.confirmed.v1"
    assert "Kahvi" not in str(await outbox(service, visit["id"]))


async def test_an_answer_sent_twice_is_one_and_may_be_changed(
    service: Service, http: httpx2.AsyncClient, staff: Client, visit: dict[str, Any], address: str
):
    for _ in range(2):
        assert (await http.post(address, content="answer=declined", headers=FORM)).status_code == 303
    assert len([each for each in await outbox(service, visit["id"]) if "declined" in str(each["headers"])]) == 1
    await http.post(address, content="answer=confirmed", headers=FORM)
    assert await status(staff, visit) == ("confirmed", "")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "Choose whether"),
        ("answer=perhaps", "Choose whether"),
        ("answer=confirmed&words=" + "x" * 501, "too long"),
        ("&".join(f"a{number}=1" for number in range(50)), "Choose whether"),
        (b"answer=confirmed&words=%00".decode() * 0 + "ä", "Choose whether"),
    ],
)
async def test_a_form_that_says_nothing_is_asked_again(
    content: str, said: str, http: httpx2.AsyncClient, staff: Client, visit: dict[str, Any], address: str
):
    path = address.partition("?")[0]
    answer = await http.post(path, content=content.encode(), headers=FORM)
    assert (answer.status_code, said in answer.text) == (422, True)
    assert (await status(staff, visit))[0] == "planned"


async def test_an_answer_is_a_small_thing(http: httpx2.AsyncClient, address: str):
    answer = await http.post(address, content="words=" + "x" * 8_000, headers=FORM)
    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")


async def test_words_that_nobody_sees_are_taken_out(
    http: httpx2.AsyncClient, staff: Client, visit: dict[str, Any], address: str
):
    await http.post(address, content="answer=confirmed&words=+Ovi%0D%0Atakana%00%E2%80%AE+", headers=FORM)
    assert await status(staff, visit) == ("confirmed", "Ovi\ntakana")


async def test_a_link_that_is_none_says_of_no_visit_that_there_is_one(
    http: httpx2.AsyncClient, visit: dict[str, Any], address: str
):
    path = address.partition("?")[0]
    wrong = [NOWHERE, path[:-1], f"{path[:-1]}{'A' if path[-1] != 'A' else 'B'}", path.replace(visit["id"], "oops")]
    pages = [await http.get(each) for each in wrong]
    pages += [await http.post(each, content="answer=confirmed", headers=FORM) for each in wrong]
    assert {page.status_code for page in pages} == {404}
    assert len({page.text for page in pages}) == 1
    assert visit["company_name"] not in pages[0].text


async def test_when_the_visit_is_moved_the_link_of_before_is_none(
    service: Service, http: httpx2.AsyncClient, staff: Client, visit: dict[str, Any], address: str
):
    path = f"/visits/{visit['id']}"
    await http.post(address, content="answer=confirmed", headers=FORM)
    moved = await staff.patch(path, {"starts_at": at(48), "ends_at": at(49)}, version="*")
    assert (moved.json()["status"], moved.json()["answered_at"]) == ("planned", None)
    assert (await http.get(address)).status_code == 404
    assert (await http.post(address, content="answer=confirmed", headers=FORM)).status_code == 404
    newest = await link(service, visit["id"])
    assert (await http.post(newest, content="answer=declined", headers=FORM)).status_code == 303
    assert (await status(staff, visit))[0] == "declined"


async def test_of_a_cancelled_visit_the_page_says_so_and_takes_no_answer(
    http: httpx2.AsyncClient, staff: Client, visit: dict[str, Any], address: str
):
    await made(staff, f"/visits/{visit['id']}/cancel")
    answer = await http.post(address, content="answer=confirmed", headers=FORM)
    assert answer.status_code == 303
    page = await http.get(address.replace("lang=sv", "lang=en"))
    assert "The visit is cancelled." in page.text
    assert Page(page.text).of("form") == []
    assert (await status(staff, visit))[0] == "cancelled"


async def test_staff_note_an_answer_that_they_heard(staff: Client, visit: dict[str, Any]):
    told = {"answer": "declined", "words": "Mieluummin iltapäivällä."}
    found = await made(staff, f"/visits/{visit['id']}/answer", told)
    assert (found["status"], found["answer_words"]) == ("declined", told["words"])


async def test_no_answer_asks_nobody_else_for_anything(http: httpx2.AsyncClient, address: str):
    page = await http.get(address)
    for header, value in answer_page.HEADERS.items():
        assert page.headers[header] == value
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert not re.search(r"<script|https?:|//|@import|url\(", page.text.replace("<!doctype html>", ""))


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
async def test_the_page_can_be_heard_as_well_as_seen(language: str, http: httpx2.AsyncClient, address: str):
    answer = await http.get(address.partition("?")[0], headers={"Accept-Language": language})
    page = Page(answer.text)
    assert (answer.headers["Content-Language"], page.of("html")) == (language, [{"lang": language}])
    assert [len(page.of(tag)) for tag in ("h1", "title", "main", "nav", "form", "label")] == [1] * 6
    assert page.of("label")[0]["for"] == page.of("textarea")[0]["id"] == "words"
    assert [each["lang"] for each in page.of("a")] == [each for each in ("fi", "sv", "en") if each != language]
    assert [each["value"] for each in page.of("button")] == ["confirmed", "declined"]
    wrong = await http.post(address, content=f"lang={language}", headers=FORM)
    assert [each["role"] for each in Page(wrong.text).of("p") if "role" in each] == ["alert"]


async def test_the_key_is_in_no_log_in_no_trace_and_in_no_store(
    service: Service,
    http: httpx2.AsyncClient,
    visit: dict[str, Any],
    address: str,
    caplog: pytest.LogCaptureFixture,
):
    key = address.partition("?")[0].rpartition("/")[2]
    spans = InMemorySpanExporter()
    service.tracing.add_span_processor(SimpleSpanProcessor(WithoutPersons(spans)))
    with caplog.at_level(logging.DEBUG):
        await http.get(address)
        await http.post(address, content="answer=confirmed", headers=FORM)
        await http.get(address + "&" * 9_000)  # refused for its length
        await http.put(address)
    ours = [each for each in caplog.records if each.name.startswith(("tyrsky", "companies", "uvicorn"))]
    assert len(ours) >= 4
    assert not [each for each in ours if key in each.getMessage() + str(vars(each))]
    exported = [span.to_json() for span in spans.get_finished_spans()]
    assert len(exported) >= 4
    assert not [span for span in exported if key in span]
    found = await service.database["visits"].find_one({"_id": visit["id"]})
    assert found is not None
    assert key not in str({**found, "outbox": []})


async def test_a_visit_that_has_begun_takes_no_answer(
    http: httpx2.AsyncClient, service: Service, visit: dict[str, Any], address: str
):
    begun = datetime.now(UTC) - timedelta(minutes=1)
    await service.database["visits"].update_one({"_id": visit["id"]}, {"$set": {"state.starts_at": begun}})
    assert (await http.post(address, content="answer=confirmed", headers=FORM)).status_code == 303
    page = await http.get(address)
    assert "har redan börjat" in page.text
    assert Page(page.text).of("form") == []
