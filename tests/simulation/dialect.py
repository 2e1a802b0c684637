"""The part of MongoDB's language that the kit speaks: filters, updates, projections. Whatever else is an error.

Held to a real server by ``test_store_contract.py``. Documents here are plain ones, fresh from BSON.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

import bson
from pymongo.errors import WriteError

Document = dict[str, Any]

MISSING = object()


class Unsupported(NotImplementedError):  # noqa: N818 - a verdict
    """The in-memory store does not know this; teach it, with a test that the real one answers alike."""


def _kind(value: Any) -> int:
    """MongoDB's order of types, as far as they occur."""
    match value:
        case None:
            return 1
        case bool():
            return 8
        case int() | float():
            return 2
        case str():
            return 3
        case dict():
            return 4
        case list():
            return 5
        case bytes():
            return 6
        case datetime():
            return 9
        case _:
            raise Unsupported(f"values of {type(value).__name__}")


def order(value: Any) -> tuple[int, Any]:
    """What a value is sorted by."""
    if value is MISSING or value is None:
        return 1, 0
    if isinstance(value, (dict, list)):
        raise Unsupported("sorting by documents or arrays")
    return _kind(value), value


def _same(value: Any, other: Any) -> bool:
    if value is MISSING:
        return other is None
    if _kind(value) != _kind(other):
        return False
    if isinstance(value, (dict, list)):
        return bson.encode({"": value}) == bson.encode({"": other})
    return value == other


def found_at(value: Any, path: str) -> Iterator[Any]:
    """The values at a path, an array's elements each; MISSING where there is nothing."""
    if not path:
        yield value
        return
    name, _, rest = path.partition(".")
    if name.isdigit() or name.startswith("$"):
        raise Unsupported(f"a path with {name}")
    if isinstance(value, dict):
        yield from found_at(value[name], rest) if name in value else (MISSING,)
    elif isinstance(value, list):
        for each in value:
            if isinstance(each, dict):
                yield from found_at(each, path)
    else:
        yield MISSING


def _candidates(document: Document, path: str) -> list[Any]:
    if "." not in path:
        value = document.get(path, MISSING)
        return [value, *value] if isinstance(value, list) else [value]
    found: list[Any] = []
    for value in found_at(document, path):
        found.append(value)
        if isinstance(value, list):
            found += value
    return found


def _compared(compare: Callable[[Any, Any], bool]) -> Callable[[list[Any], Any], bool]:
    def test(candidates: list[Any], wanted: Any) -> bool:
        if wanted is None:
            raise Unsupported("comparing with null")
        return any(
            each is not MISSING and _kind(each) == _kind(wanted) and compare(each, wanted) for each in candidates
        )

    return test


def _equals(candidates: list[Any], wanted: Any) -> bool:
    return any(_same(each, wanted) for each in candidates)


_TESTS: dict[str, Callable[[list[Any], Any], bool]] = {
    "$eq": _equals,
    "$ne": lambda candidates, wanted: not _equals(candidates, wanted),
    "$in": lambda candidates, wanted: any(_equals(candidates, each) for each in wanted),
    "$nin": lambda candidates, wanted: not any(_equals(candidates, each) for each in wanted),
    "$exists": lambda candidates, wanted: any(each is not MISSING for each in candidates) == wanted,
    "$lt": _compared(lambda value, wanted: value < wanted),
    "$lte": _compared(lambda value, wanted: value <= wanted),
    "$gt": _compared(lambda value, wanted: value > wanted),
    "$gte": _compared(lambda value, wanted: value >= wanted),
}


def operators(condition: Any) -> bool:
    """Whether a condition is made of operators; else it is a value to be equal to."""
    return isinstance(condition, dict) and any(name.startswith("$") for name in condition)


def matches(document: Document, filter: Mapping[str, Any]) -> bool:
    """Whether a document is what a filter asks for."""
    for path, condition in filter.items():  # a loop, for most of the simulation's time is spent in such places
        if type(condition) is str and path in document and type(value := document[path]) is not list:
            if value != condition:
                return False
        elif not _holds(document, path, condition):
            return False
    return True


def _holds(document: Document, path: str, condition: Any) -> bool:  # noqa: C901 - a table in words
    match path:
        case "$or":
            return any(matches(document, each) for each in condition)
        case "$and":
            return all(matches(document, each) for each in condition)
        case _ if path.startswith("$"):
            raise Unsupported(path)
        case _:
            pass
    if not operators(condition):
        return _equals(_candidates(document, path), condition)
    for name, wanted in condition.items():
        if name == "$size":
            if not any(isinstance(value, list) and len(value) == wanted for value in found_at(document, path)):
                return False
        elif name == "$elemMatch":
            arrays = [value for value in found_at(document, path) if isinstance(value, list)]
            if not any(isinstance(each, dict) and matches(each, wanted) for array in arrays for each in array):
                return False
        elif name not in _TESTS:
            raise Unsupported(name)
        elif not _TESTS[name](_candidates(document, path), wanted):
            return False
    return True


def project(document: Document, projection: Mapping[str, Any] | None) -> Document:
    """The fields that were asked for."""
    if not projection:
        return document
    wanted = {name: bool(value) for name, value in projection.items() if name != "_id"}
    if len(set(wanted.values())) > 1 or any(not isinstance(value, int) for value in projection.values()):
        raise Unsupported(f"the projection {projection}")
    including = all(wanted.values()) if wanted else bool(projection["_id"])
    paths = [name.split(".") for name in wanted]
    answer = _only(document, paths) if including else _without(document, paths)
    if including:
        answer = {"_id": document["_id"], **answer}
    if not projection.get("_id", True):
        answer.pop("_id", None)
    return answer


def _only(value: Document, paths: list[list[str]]) -> Document:
    answer: Document = {}
    for name, inner in value.items():
        below = [path[1:] for path in paths if path[0] == name]
        if [] in below:
            answer[name] = inner
        elif below and isinstance(inner, dict):
            answer[name] = _only(inner, below)
        elif below and isinstance(inner, list):
            answer[name] = [_only(each, below) for each in inner if isinstance(each, dict)]
    return answer


def _without(value: Document, paths: list[list[str]]) -> Document:
    answer: Document = {}
    for name, inner in value.items():
        below = [path[1:] for path in paths if path[0] == name]
        if [] in below:
            continue
        if below and isinstance(inner, dict):
            answer[name] = _without(inner, below)
        elif below and isinstance(inner, list):
            answer[name] = [_without(each, below) if isinstance(each, dict) else each for each in inner]
        else:
            answer[name] = inner
    return answer


def updated(document: Document, update: Mapping[str, Any], filter: Mapping[str, Any], *, inserting: bool) -> Document:
    """The document after an update; ``document`` itself is changed too."""
    if not update or not all(name.startswith("$") for name in update):
        raise ValueError("an update is made of operators, and of one at least")
    touched: list[str] = []
    for operator, fields in update.items():
        for path, operand in fields.items():
            if operator == "$setOnInsert" and not inserting:
                continue
            if any(f"{path}.".startswith(f"{other}.") or f"{other}.".startswith(f"{path}.") for other in touched):
                raise WriteError(f"Updating the path '{path}' would create a conflict at '{path}'", 40)
            touched.append(path)
            place, name = _place(document, path, filter)
            _change(operator, place, name, operand)
    return document


def _place(document: Document, path: str, filter: Mapping[str, Any]) -> tuple[Document, str]:
    """The inner document and the name in it that a path leads to; ``$`` is the element that the filter found."""
    *way, name = path.split(".")
    inner: Any = document
    for index, step in enumerate(way):
        at_found = step == "$"
        inner = inner[_position(inner, ".".join(way[:index]), filter)] if at_found else inner.setdefault(step, {})
    if not isinstance(inner, dict) or name.isdigit() or name.startswith("$"):
        raise Unsupported(f"updating {path}")
    return inner, name


def _position(array: list[Any], path: str, filter: Mapping[str, Any]) -> int:
    inner = {name[len(path) + 1 :]: each for name, each in filter.items() if name.startswith(f"{path}.")}
    if len(inner) != 1:
        raise Unsupported(f"a position in {path} by {len(inner)} conditions")
    return next(index for index, each in enumerate(array) if isinstance(each, dict) and matches(each, inner))


def _change(operator: str, place: Document, name: str, operand: Any) -> None:  # noqa: C901 - a table in words
    match operator:
        case "$set" | "$setOnInsert":
            place[name] = operand
        case "$unset":
            place.pop(name, None)
        case "$inc":
            place[name] = place.get(name, 0) + operand
        case "$min" | "$max":
            if name not in place or (order(operand) < order(place[name])) == (operator == "$min"):
                place[name] = operand
        case "$push":
            _push(place, name, operand)
        case "$addToSet":
            if operators(operand):
                raise Unsupported("$addToSet with modifiers")
            kept = place.setdefault(name, [])
            if not any(_same(each, operand) for each in kept):
                kept.append(operand)
        case "$pull":
            if name in place:
                place[name] = [each for each in place[name] if not _pulled(each, operand)]
        case _:
            raise Unsupported(operator)


def _push(place: Document, name: str, operand: Any) -> None:
    if not operators(operand):
        operand = {"$each": [operand]}
    if not operand.keys() <= {"$each", "$slice"}:
        raise Unsupported(f"$push with {', '.join(operand)}")
    if not isinstance(kept := place.setdefault(name, []), list):
        raise WriteError(f"The field '{name}' must be an array", 2)
    kept += operand["$each"]
    if (slice := operand.get("$slice")) is not None:
        place[name] = kept[slice:] if slice < 0 else kept[:slice]


def _pulled(element: Any, condition: Any) -> bool:
    if operators(condition):
        return matches({"": element}, {"": condition})
    if isinstance(condition, dict):
        return isinstance(element, dict) and matches(element, condition)
    return _same(element, condition)
