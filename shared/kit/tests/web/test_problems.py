"""Every refusal is a problem, in the caller's language, and never says what was sent."""

import ast
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from fastapi import APIRouter, FastAPI
from tyrsky.catalogue import Problem, declare, declared, problems
from tyrsky.language import LANGUAGES, preferred
from tyrsky.mistakes import of_field
from tyrsky.testing.tokens import Authority

ROOT = Path(__file__).parents[4]
JSON = {"Content-Type": "application/json"}


async def test_a_rejection_is_a_problem_with_its_code(client: httpx2.AsyncClient):
    answer = await client.get("/fails/rejected")
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    told.pop("trace_id", None)  # there when an earlier test in this process has set up tracing
    assert told == {
        "type": "/problems/trial-is-over",
        "title": "The visit is over.",
        "status": 409,
        "code": "trial-is-over",
        "about": {"status": "cancelled"},
    }


@pytest.mark.parametrize(
    ("header", "language", "title"),
    [
        ("fi", "fi", "Käynti on ohi."),
        ("sv-FI, fi;q=0.8", "sv", "Besöket är över."),
        ("de, en;q=0.5, fi;q=0.7", "fi", "Käynti on ohi."),
        ("de", "en", "The visit is over."),
    ],
)
async def test_it_speaks_the_callers_language(client: httpx2.AsyncClient, header: str, language: str, title: str):
    answer = await client.get("/fails/rejected", headers={"Accept-Language": header})
    assert (answer.headers["content-language"], answer.json()["title"]) == (language, title)
    assert answer.headers["vary"] == "Accept-Language"


@pytest.mark.parametrize("header", [None, "", "*", "fi;q=0", "fi;q=x", ";;;,,,", "fi;q=0, sv;q=0", "x" * 100_000])
def test_no_language_that_we_have_is_english(header: str | None):
    assert preferred(header) == "en"


@pytest.mark.parametrize(
    ("how", "status", "code"),
    [
        ("unknown", 404, "trial-unknown"),
        ("undeclared", 409, "nobody-wrote-this"),
        ("undeclared-unknown", 404, "thing-unknown"),
        ("store", 503, "store-unavailable"),
        ("store-full", 503, "store-unavailable"),
        ("store-alone", 503, "store-unavailable"),
        ("store-command", 500, "unexpected"),
        ("unexpected", 500, "unexpected"),
    ],
)
async def test_each_failure_has_its_status(client: httpx2.AsyncClient, how: str, status: int, code: str):
    answer = await client.get(f"/fails/{how}")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert ("retry-after" in answer.headers) == (status == 503)


async def test_an_unexpected_failure_tells_the_caller_nothing(
    client: httpx2.AsyncClient, caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.ERROR):
        answer = await client.get("/fails/unexpected")
    assert "Meikäläinen" not in answer.text
    assert "Traceback" not in answer.text
    assert [record.getMessage() for record in caplog.records] == ["unexpected ValueError"]


async def test_what_is_not_valid_is_told_field_by_field(client: httpx2.AsyncClient, authority: Authority):
    sent = {"place": "V", "kind": "third", "contact": {"email": "maija.meikalainen@firma.example"}}
    answer = await client.post("/visits", json=sent, headers={**authority.headers(), "Accept-Language": "sv"})
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"where": "body", "field": "place", "code": "string-too-short", "message": "Minst 2 tecken."},
        {"where": "body", "field": "kind", "code": "literal-error", "message": "Något av dessa: 'first', 'next'."},
        {"where": "body", "field": "contact.email", "code": "string-too-long", "message": "Högst 20 tecken."},
    ]
    assert "meikalainen" not in answer.text


async def test_a_parameter_that_nobody_knows_is_named(client: httpx2.AsyncClient, authority: Authority):
    answer = await client.get("/visits?colour=red&limit=0", headers=authority.headers())
    assert [(error["where"], error["field"], error["code"]) for error in answer.json()["errors"]] == [
        ("query", "limit", "greater-than-equal"),
        ("query", "colour", "extra-forbidden"),
    ]


async def test_a_field_that_nobody_knows_is_named_unless_it_is_no_name(
    client: httpx2.AsyncClient, authority: Authority
):
    sent = {"place": "Akaa", "contact": {"email": "a@b.example", "maija.meikalainen@firma.example": 1, "e-mail": 2}}
    answer = await client.post("/visits", json=sent, headers=authority.headers())
    assert [(error["where"], error["field"], error["code"]) for error in answer.json()["errors"]] == [
        ("body", "contact", "extra-forbidden"),
        ("body", "contact.e-mail", "extra-forbidden"),
    ]
    assert "meikalainen" not in answer.text


async def test_broken_json_says_where_it_breaks(client: httpx2.AsyncClient, authority: Authority):
    answer = await client.post("/visits", content=b'{"a":\n  1,}', headers={**JSON, **authority.headers()})
    assert answer.status_code == 400
    assert answer.json()["code"] == "json-broken"
    assert answer.json()["about"] == {"position": 10, "line": 2, "column": 5}


@pytest.mark.parametrize("body", [b'"\xff"', b"{", b"[" * 30, b'{"a": ' + b"1" * 5_000 + b"}"])
async def test_what_cannot_be_read_is_broken_json(client: httpx2.AsyncClient, authority: Authority, body: bytes):
    answer = await client.post("/visits", content=body, headers={**JSON, **authority.headers()})
    assert (answer.status_code, answer.json()["code"]) == (400, "json-broken")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", None])
async def test_a_body_that_is_not_json_is_told_apart(
    client: httpx2.AsyncClient, authority: Authority, kind: str | None
):
    headers = {**authority.headers(), **({"Content-Type": kind} if kind else {})}
    answer = await client.post("/visits", content=b"place=Valkeakoski", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "body-not-json")


async def test_no_such_address_and_no_such_method(client: httpx2.AsyncClient):
    assert (await client.get("/nothing")).json()["code"] == "not-found"
    answer = await client.delete("/visits")
    assert (answer.status_code, answer.json()["code"]) == (405, "method-not-allowed")
    assert answer.headers["allow"] == "GET, POST"


async def test_the_methods_of_an_address_are_told_whatever_router_has_them(app: FastAPI, client: httpx2.AsyncClient):
    inner, outer = APIRouter(), APIRouter(prefix="/rooms")
    for method in ("DELETE", "PATCH"):
        inner.add_api_route("/{id}", lambda id: id, methods=[method])  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    outer.include_router(inner)
    app.include_router(outer)
    answer = await client.put("/rooms/1")
    assert (answer.status_code, answer.headers["allow"]) == (405, "PATCH, DELETE")


async def test_each_problem_has_a_page(client: httpx2.AsyncClient):
    kind = (await client.get("/fails/rejected")).json()["type"]
    page = (await client.get(kind)).json()
    assert page["title"] == {"fi": "Käynti on ohi.", "sv": "Besöket är över.", "en": "The visit is over."}
    assert (await client.get("/problems/no-such")).status_code == 404


def test_the_page_of_problems_is_as_the_code_is():
    packages = sorted({path.parent.name for path in ROOT.glob("services/*/*/problems*")})
    say = f"from tyrsky.pages import problems_page; print(problems_page({packages}))"
    # In a process of its own: in this one the tests have declared problems too.
    said = subprocess.run([sys.executable, "-c", say], capture_output=True, text=True, check=True).stdout
    page = ROOT / "docs/architecture/problems.md"
    assert page.read_text() == said, "run: tyrsky problems " + " ".join(packages)


def codes_raised() -> Iterator[tuple[str, Path]]:
    """Codes that the services and the kit reject with, as far as they are written out where they are raised."""
    for path in [*ROOT.glob("services/*/*/**/*.py"), *ROOT.glob("shared/kit/tyrsky/*.py")]:
        source = path.read_text()
        if "Rejected(" not in source and "Unknown(" not in source:
            continue  # to parse all that there is takes long
        for node in ast.walk(ast.parse(source)):
            match node:
                case ast.Call(func=ast.Name("Rejected"), args=[ast.Constant(str(code)), *_]):
                    yield code, path
                case ast.Call(func=ast.Name("Unknown"), args=[ast.Constant(str(kind)), *_]):
                    yield f"{kind}-unknown", path
                case _:
                    pass


def test_every_code_that_is_raised_is_declared():
    page = (ROOT / "docs/architecture/problems.md").read_text()
    raised = [(code, path) for code, path in codes_raised() if "tests" not in path.parts]
    assert len(raised) > 20
    assert {f"{code} ({path.name})" for code, path in raised if f"| `{code}` |" not in page} == set()


def test_a_code_is_declared_once():
    again = Problem("trial-is-over", 410, fi="x", sv="x", en="x")
    with pytest.raises(ValueError, match="trial-is-over is declared twice"):
        declare(again)


def test_a_route_cannot_promise_what_nobody_declared():
    with pytest.raises(KeyError, match="never-heard-of"):
        problems("never-heard-of")


def test_every_problem_is_a_sentence_in_every_language():
    for problem in declared():
        titles = {problem.title(language) for language in LANGUAGES}
        assert len(titles) == len(LANGUAGES), f"{problem.code} says the same in two languages"
        assert all(title.endswith(".") for title in titles), problem.code


def test_a_validators_own_code_is_told_in_its_own_words():
    assert of_field("trial-number-wrong", {}, "fi") == "Tarkistusnumero on väärä."
    assert of_field("something_new_of_pydantic", {"input": "secret"}, "en") == "The value is not valid."
