"""What must be true of every route of every service, whoever wrote it."""

import importlib
import inspect
import math
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from tyrsky import auth, preconditions
from tyrsky.mistakes import of_field
from tyrsky.testing.receiver import SECRET

SERVICES = ("companies", "notifications", "seats")
OPEN = {"explainProblem", "readCalendar"}
"""Routes that need no token."""

HIDDEN = {"/livez", "/readyz", "/metrics", "/visits/answer/{visit_id}/{answer_key}"}
"""Addresses that are no part of the interface for programs, and need no token either."""

ODD: list[Any] = [
    *(None, True, -1, 10**30, 1.5, math.nan, [], {}, [{}]),
    *("", "x", "x" * 5_000, "\ud800", "1" * 5_000, "123e4567"),
    *("2026-13-45", "2026-01-01", "2026-01-01T00:00:00", "9999-12-31T23:59:59-12:00"),
]


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLEGES", '["vaao"]')
    monkeypatch.setenv("OIDC_ISSUER", "http://127.0.0.1:1/realms/tyrsky")
    monkeypatch.setenv("ADDRESS_PEPPERS", '["the-tests-have-a-pepper-of-their-own"]')
    monkeypatch.setenv("WEBHOOK_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("WEBHOOK_SECRET", SECRET)


def routes(service: str) -> list[APIRoute]:
    app: Any = importlib.import_module(f"{service}.main").app
    return [route for route in _flat(app.routes) if route.include_in_schema]


def _flat(found: list[Any]) -> Iterator[APIRoute]:
    for route in found:
        if isinstance(route, APIRoute):
            yield route
        elif hasattr(route, "original_router"):  # FastAPI keeps what was included as it was
            yield from _flat(route.original_router.routes)


def needs(dependant: Dependant) -> Iterator[Any]:
    return (each.call for each in _dependants(dependant))


def _dependants(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for each in dependant.dependencies:
        yield from _dependants(each)


@pytest.mark.parametrize("service", SERVICES)
def test_every_route_knows_its_caller(service: str) -> None:
    found = routes(service)
    assert len(found) > 2
    for route in found:
        if route.operation_id not in OPEN:
            assert auth.caller in set(needs(route.dependant)), route.path


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_open_besides_is_known(service: str) -> None:
    app: Any = importlib.import_module(f"{service}.main").app
    hidden = [route for route in _flat(app.routes) if not route.include_in_schema]
    assert len(hidden) > 2
    assert {route.path for route in hidden if auth.caller not in set(needs(route.dependant))} <= HIDDEN


@pytest.mark.parametrize("service", SERVICES)
def test_every_route_that_writes_has_a_key_or_a_version(service: str) -> None:
    for route in routes(service):
        if (route.methods or set()) & {"POST", "PUT", "PATCH", "DELETE"}:
            assert preconditions.wish in set(needs(route.dependant)), route.path


@pytest.mark.parametrize("service", SERVICES)
def test_nothing_on_a_requests_way_takes_a_thread(service: str) -> None:
    """What is not async FastAPI hands to a thread, for each request anew: that costs more than what is done there."""
    called = {each for route in routes(service) for each in needs(route.dependant) if each is not None}
    app: Any = importlib.import_module(f"{service}.main").app
    called |= {handler for handler in app.exception_handlers.values() if handler.__module__.startswith("tyrsky")}
    assert {each for each in called if not _is_async(each)} == set()


def _is_async(called: Any) -> bool:
    once = called if inspect.isroutine(called) else type(called).__call__  # such as HTTPBearer
    return inspect.iscoroutinefunction(once) or inspect.isasyncgenfunction(once)


def mistakes(route: APIRoute) -> Iterator[dict[str, Any]]:
    """What is said of odd values in each place of a request."""
    params = (field for each in _dependants(route.dependant) for field in (*each.path_params, *each.query_params))
    for field in (*params, *([route.body_field] if route.body_field else ())):
        names = getattr(field.field_info.annotation, "model_fields", ())
        for odd in ODD:
            for value in (odd, [odd] * 100):
                for sent in (value, dict.fromkeys(names, value), {"unheard-of": value}):
                    yield from field.validate(sent, loc=("here",))[1] or ()


def test_whatever_is_wrong_with_a_request_is_said_in_words() -> None:
    found = {
        each["type"]: each.get("ctx") or {}
        for service in SERVICES
        for route in routes(service)
        for each in mistakes(route)
    }
    assert len(found) > 20
    vague = of_field("nobody-knows", {}, "en")
    assert [kind for kind, context in found.items() if of_field(kind, context, "en") == vague] == []
