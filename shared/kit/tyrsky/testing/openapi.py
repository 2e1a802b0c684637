"""What every service's OpenAPI document must hold; its tests call :func:`faults` and expect none."""

import re
from typing import Any

from fastapi import FastAPI
from openapi_spec_validator import validate

from tyrsky.catalogue import MEDIA_TYPE
from tyrsky.openapi import Operation, operations

SPEAKS_FOR_ITSELF = {"boolean", "integer", "number", "null"}


def faults(app: FastAPI) -> list[str]:
    """What a reader of the document would miss, one sentence each.

    :raises openapi_spec_validator.validation.exceptions.OpenAPIValidationError: when it is no OpenAPI document at all.
    """
    document = app.openapi()
    validate(document)
    return [f"{name} {fault}" for name, operation in operations(document) for fault in _faults(operation, document)]


def _faults(operation: Operation, document: dict[str, Any]) -> list[str]:
    found: list[str] = []
    if not re.fullmatch(r"[a-z][A-Za-z0-9]+", operation.get("operationId", "")):
        found.append("has no operation id of its own (operation_id=, in camelCase)")
    if not operation.get("description"):
        found.append("has no description (the route's docstring)")
    found += [f"does not say what {p['name']} is" for p in operation.get("parameters", ()) if not p.get("description")]
    statuses = operation["responses"]
    for status, response in statuses.items():
        if status >= "400" and not response.get("content", {}).get(MEDIA_TYPE, {}).get("examples"):
            found.append(f"answers {status} without a declared problem (responses=problems(...))")
    if not any(status < "300" for status in statuses):
        found.append("has no answer that is good")
    contents = {"the body": operation.get("requestBody", {}).get("content", {})}
    contents |= {
        f"answer {status}": response.get("content", {}) for status, response in statuses.items() if status < "400"
    }
    for where, content in contents.items():
        for media in content.values():
            if not media.get("example") and not media.get("examples"):
                found += [
                    f"has no example of {lacks}" for lacks in _lacking(media.get("schema", {}), where, document, 0)
                ]
    return found


def _lacking(schema: dict[str, Any], where: str, document: dict[str, Any], depth: int) -> list[str]:
    """The texts that a schema leaves without an example, a format, or a list of choices."""
    if "$ref" in schema:
        return _lacking(
            document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], where, document, depth + 1
        )
    if depth > 12 or {"example", "examples", "const", "enum", "format"} & schema.keys():
        return []
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            branches = [_lacking(branch, where, document, depth + 1) for branch in schema[several]]
            return [] if schema.get("default") else max(branches, key=len)
    match schema.get("type"):
        case "object" if "properties" in schema:
            parts = schema["properties"].items()
            return [lack for name, part in parts for lack in _lacking(part, f"{where}.{name}", document, depth + 1)]
        case "array":
            return _lacking(schema.get("items", {}), f"{where}[]", document, depth + 1)
        case kind if kind in SPEAKS_FOR_ITSELF:
            return []
        case _:
            return [where]
