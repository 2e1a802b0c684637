"""The document: every operation tells all that it may answer; what a reader would miss is a fault."""

from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header
from openapi_spec_validator import validate
from tyrsky import openapi, problems
from tyrsky.openapi import Precondition
from tyrsky.testing.openapi import faults

PROBLEM = "application/problem+json"


def codes(operation: dict[str, Any]) -> dict[str, set[str]]:
    contents = {status: response.get("content", {}) for status, response in operation["responses"].items()}
    return {status: set(content[PROBLEM]["examples"]) for status, content in contents.items() if PROBLEM in content}


def test_an_operation_tells_its_own_problems_and_the_everyday_ones(app: FastAPI):
    document = app.openapi()
    validate(document)
    told = codes(document["paths"]["/visits"]["post"])
    assert told["409"] == {"trial-is-over", "aggregate-full"}
    assert told["401"] == {"token-missing", "token-invalid", "token-expired"}
    assert told["422"] == {"request-invalid", "not-storable"}
    assert told["413"] == {"body-too-large"}
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_only_what_fits_the_operation(app: FastAPI):
    document = app.openapi()
    assert codes(document["paths"]["/visits"]["get"])["422"] == {"request-invalid", "cursor-wrong"}
    assert "413" not in codes(document["paths"]["/visits"]["get"])
    assert "401" not in codes(document["paths"]["/problems/{code}"]["get"])


def test_each_problem_has_an_example_that_is_one(app: FastAPI):
    examples = app.openapi()["components"]["examples"]
    for code, example in examples.items():
        assert problems.Answer.model_validate(example["value"]).code == code


def test_a_problems_page_says_what_it_is(app: FastAPI):
    assert app.openapi()["paths"]["/problems/{code}"]["get"]["summary"] == "What a problem means"


def test_it_is_made_once(app: FastAPI):
    assert app.openapi() is app.openapi()


def test_a_header_is_asked_for_by_the_methods_that_need_it():
    app = FastAPI()
    openapi.install(app, Precondition("If-Match", frozenset({"PUT"}), ("rejected",)))

    def wish(if_match: Annotated[str | None, Header(description="The version that is changed.")] = None) -> None:
        """What handling reads, whatever the method."""

    app.get("/visit", dependencies=[Depends(wish)])(lambda: None)
    app.put("/visit", dependencies=[Depends(wish)])(lambda: None)
    operations = app.openapi()["paths"]["/visit"]
    assert [(header["name"].lower(), header["required"]) for header in operations["put"]["parameters"]] == [
        ("if-match", True)
    ]
    assert operations["put"]["parameters"][0]["schema"]["type"] == "string"  # and not null as well
    assert codes(operations["put"])["409"] == {"rejected"}
    assert operations["get"].get("parameters", []) == []
    assert "409" not in codes(operations["get"])


def test_a_good_document_has_no_faults(app: FastAPI):
    assert faults(app) == []


def test_faults_are_found():
    app = FastAPI()

    @app.get("/silent/{place}")
    async def silent(place: str, kind: str = "x") -> dict[str, str]:
        return {"place": place}

    openapi.install(app)
    found = " ".join(faults(app))
    assert "GET /silent/{place} has no operation id of its own" in found
    assert "GET /silent/{place} has no description" in found
    assert "GET /silent/{place} does not say what place is" in found
    assert "GET /silent/{place} has no example of answer 200" in found
