"""The service's OpenAPI document, completed: each operation tells every problem that it may answer with.

A route names only the problems that are its own. What any route may answer (no token, a broken body, a store that is
away) follows from what the operation takes, and is written here; so are the problems' examples.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

from tyrsky.catalogue import MEDIA_TYPE, declared, example, problems
from tyrsky.problems import Answer, FieldError

Operation = dict[str, Any]

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

ANY = ("target-too-long", "headers-too-large", "unexpected", "caller-busy", "busy", "answer-slow")
WITH_TOKEN = (
    "token-missing",
    "token-invalid",
    "token-expired",
    "college-missing",
    "college-not-served",
    "role-missing",
    "identity-unavailable",
    "store-unavailable",
)
WITH_INPUT = ("request-invalid",)
WITH_BODY = (
    "json-broken",
    "json-too-deep",
    "request-slow",
    "body-too-large",
    "body-not-json",
    "not-storable",
    "aggregate-full",
)
WITH_CURSOR = ("cursor-wrong",)


@dataclass(frozen=True)
class Precondition:
    """A header that some methods need and the others do not take, and what is answered when it is not right."""

    header: str
    methods: frozenset[str]
    codes: tuple[str, ...]


def install(app: FastAPI, *preconditions: Precondition) -> None:
    """Complete the app's document."""
    plain = app.openapi

    def completed() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = plain()
            complete(document, preconditions)
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = completed


def complete(document: dict[str, Any], preconditions: Sequence[Precondition]) -> None:
    """Write the everyday problems into a document, in place of FastAPI's own word for what is not valid."""
    for name, operation in operations(document):
        codes = _everyday(operation) + _of_headers(operation, name.partition(" ")[0], preconditions)
        responses: dict[str, Any] = operation["responses"]
        if MEDIA_TYPE not in responses.get("422", {}).get("content", {}):
            responses.pop("422", None)
        for status, everyday in problems(*codes).items():
            own = responses.setdefault(str(status), everyday)
            if MEDIA_TYPE in own.get("content", {}):
                told = own["content"][MEDIA_TYPE]["examples"]
                own["content"][MEDIA_TYPE]["examples"] = {**told, **everyday["content"][MEDIA_TYPE]["examples"]}
        operation["responses"] = dict(sorted(responses.items()))
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    schemas.update(_schemas())
    told = _told(document)
    components["examples"] = {p.code: {"summary": p.en, "value": example(p)} for p in declared() if p.code in told}


def operations(document: dict[str, Any]) -> Iterator[tuple[str, Operation]]:
    """Every operation of a document, and what to call it."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield f"{method.upper()} {path}", item[method]


def _everyday(operation: Operation) -> list[str]:
    parameters: list[dict[str, Any]] = operation.get("parameters", [])
    names = {(parameter["in"], parameter["name"].lower()) for parameter in parameters}
    codes = [*ANY]
    codes += WITH_TOKEN if operation.get("security") else ()
    codes += WITH_INPUT if parameters or "requestBody" in operation else ()
    codes += WITH_BODY if "requestBody" in operation else ()
    codes += WITH_CURSOR if ("query", "cursor") in names else ()
    return codes


def _of_headers(operation: Operation, method: str, preconditions: Sequence[Precondition]) -> list[str]:
    """What may be answered for the headers that the operation needs. One dependency reads the headers of all methods,
    so that each operation has all as parameters: those of the other methods are taken out."""
    codes: list[str] = []
    for precondition in preconditions:
        for parameter in list(operation.get("parameters", ())):
            if (parameter["in"], parameter["name"].lower()) != ("header", precondition.header.lower()):
                continue
            if method in precondition.methods:
                parameter["required"] = True
                parameter["schema"] = _without_null(parameter["schema"])
                codes += precondition.codes
            else:
                operation["parameters"].remove(parameter)
    return codes


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of what may be left out, for where it may not: its one other kind."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) != 1:
        return schema
    return {**{name: value for name, value in schema.items() if name not in ("anyOf", "default")}, **kinds[0]}


def _schemas() -> dict[str, Any]:
    _, schema = models_json_schema(
        [(Answer, "serialization"), (FieldError, "serialization")], ref_template="#/components/schemas/{model}"
    )
    found: dict[str, Any] = schema["$defs"]
    return {"Problem": found["Answer"], "FieldError": found["FieldError"]}


def _told(document: dict[str, Any]) -> set[str]:
    return {
        code
        for _, operation in operations(document)
        for response in operation["responses"].values()
        for code in response.get("content", {}).get(MEDIA_TYPE, {}).get("examples", ())
    }
