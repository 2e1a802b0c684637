"""Bad input through the real gateway, with real tokens: each a problem that says what is wrong, and none a 500."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import jwt
import pytest

from . import world

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="module")]


@pytest.fixture(scope="module")
def outreach() -> world.Person:
    return world.Person("vaao-outreach")


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> str:
    id = world.business_id()
    world.import_register(tmp_path_factory.mktemp("register"), world.record(id, "Toinen Esimerkki Oy"))
    return id


def problem(answer: httpx2.Response) -> tuple[int, str, str | None]:
    assert answer.headers["content-type"].startswith("application/problem+json"), (answer.status_code, answer.text)
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["title"]
    return answer.status_code, body["code"], body.get("field")


async def test_a_wrong_check_digit(outreach: world.Person, registered: str) -> None:
    wrong = registered[:-1] + str((int(registered[-1]) + 1) % 10)
    answer = await outreach.post("/companies", {"business_id": wrong}, Accept_Language="fi")
    assert problem(answer) == (422, "business-id-check-digit", "business_id")
    assert answer.headers["content-language"] == "fi"


async def test_a_company_that_the_register_does_not_know(outreach: world.Person) -> None:
    answer = await outreach.post("/companies", {"business_id": world.business_id()})
    assert problem(answer) == (422, "business-id-not-in-register", "business_id")


async def test_a_second_registration(outreach: world.Person, registered: str) -> None:
    first = await outreach.post("/companies", {"business_id": registered})
    assert first.status_code == 201
    again = await outreach.post("/companies", {"business_id": registered})
    assert problem(again) == (409, "company-already-registered", "business_id")


async def test_no_token_a_foreign_one_and_a_changed_one(outreach: world.Person) -> None:
    async with httpx2.AsyncClient(base_url=world.setting("GATEWAY_URL"), timeout=30) as http:
        assert problem(await http.get("/companies"))[:2] == (401, "token-missing")
        good = world.token("vaao-outreach")
        head, body, signature = good.split(".")
        for bad in (
            jwt.encode({"sub": "x", "college": "vaao", "exp": 4102444800, "iat": 0}, "secret" * 8, algorithm="HS256"),
            f"{head}.{body}x.{signature}",
            "not a token",
        ):
            answer = await http.get("/companies", headers={"Authorization": f"Bearer {bad}"})
            assert problem(answer)[:2] == (401, "token-invalid")


async def test_a_role_that_may_not(registered: str) -> None:
    for user in ("vaao-operator", "vaao-municipal-partner"):
        answer = await world.Person(user).post("/companies", {"business_id": registered})
        assert problem(answer)[:2] == (403, "role-missing")


async def test_ten_megabytes(outreach: world.Person) -> None:
    body = b'{"business_id": "' + b"1" * 10_000_000 + b'"}'
    headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid4()), **outreach.http.headers}
    for gateway in (world.setting("GATEWAY_URL"), world.setting("COMPANIES_URL")):
        # Not the asynchronous client: it loses an answer that comes before the body is sent.
        answer = await asyncio.to_thread(httpx2.post, f"{gateway}/companies", content=body, headers=headers, timeout=30)
        assert problem(answer)[:2] == (413, "body-too-large")


async def test_the_largest_body_is_read(outreach: world.Person) -> None:
    body = b'{"business_id": "' + b"1" * (1_000_000 - 19) + b'"}'
    headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid4())}
    answer = await outreach.http.post("/companies", content=body, headers=headers)
    assert problem(answer)[:2] == (422, "request-invalid")


async def test_forty_kilobytes_of_headers(outreach: world.Person) -> None:
    answer = await outreach.http.get("/companies", headers={"X-Long": "x" * 40_000})
    assert problem(answer)[:2] == (431, "headers-too-large")


async def test_a_method_that_the_page_does_not_have(outreach: world.Person) -> None:
    answer = await outreach.http.post("/")
    assert problem(answer)[:2] == (405, "method-not-allowed")


async def test_a_large_body_of_unknown_length(outreach: world.Person) -> None:
    def pieces() -> Iterator[bytes]:
        yield b'{"business_id": "'
        for _ in range(100):
            yield b"1" * 100_000

    headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid4()), **outreach.http.headers}
    for place in (world.setting("GATEWAY_URL"), world.setting("COMPANIES_URL")):
        answer = await asyncio.to_thread(
            httpx2.post, f"{place}/companies", content=pieces(), headers=headers, timeout=30
        )
        assert problem(answer)[:2] == (413, "body-too-large")


@pytest.mark.parametrize("code", ["business-id-check-digit", "notification-unknown", "token-expired"])
async def test_a_problems_type_leads_to_its_page(outreach: world.Person, code: str) -> None:
    page = await outreach.get(f"/problems/{code}")
    assert page.status_code == 200
    assert set(page.json()["title"]) == {"fi", "sv", "en"}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"business_id": ', (400, "json-broken")),
        (b"[" * 200 + b"]" * 200, (400, "json-too-deep")),
        (b"\xff\xfe\x00", (400, "json-broken")),
        (('["\u2200", ' + "[" * 200 + "]" * 201).encode("utf-16"), (400, "json-broken")),
        (b'{"business_id": 7}', (422, "request-invalid")),
        (b"{}", (422, "request-invalid")),
        (b"null", (422, "request-invalid")),
    ],
)
async def test_broken_bodies(outreach: world.Person, body: bytes, expected: tuple[int, str]) -> None:
    answer = await outreach.http.post(
        "/companies",
        content=body,
        headers={"Content-Type": "application/json", "Idempotency-Key": str(uuid4())},
    )
    assert problem(answer)[:2] == expected


@pytest.mark.parametrize(
    "path",
    [
        "/companies?limit=0",
        "/companies?limit=x",
        "/companies?cursor=zzz",
        "/companies?sort=secret",
        "/visits?nothing=1",
    ],
)
async def test_odd_questions(outreach: world.Person, path: str) -> None:
    status, _, _ = problem(await outreach.get(path))
    assert status == 422


@pytest.mark.parametrize(
    "path", ["/companies/x", "/companies/0198a3c2-7d10-7e3a-9b0a-3f8f6c1d2e4f", "/nowhere", "/register/0000000-0"]
)
async def test_things_that_are_not_there(outreach: world.Person, path: str) -> None:
    status, _, _ = problem(await outreach.get(path))
    assert status in {404, 422}


async def test_a_register_file_that_is_cut(tmp_path: Path) -> None:
    ids = [world.business_id() for _ in range(3)]
    text = json.dumps({"companies": [world.record(id, "Katkennut Oy") for id in ids]})
    cut = tmp_path / "cut.json"
    cut.write_text(text[: text.rindex("businessId") + 5])
    done = world.run_import(cut)
    assert done.returncode == 1
    assert ids[1] in done.stdout + done.stderr  # the last that was read
    person = world.Person("vaao-outreach")
    kept: list[Any] = [(await person.get(f"/register/{id}")).status_code for id in ids]
    assert kept == [200, 200, 404]
