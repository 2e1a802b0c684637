"""The log and the metrics know routes, never what was in the address."""

import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from fastapi import APIRouter, FastAPI
from prometheus_client.parser import text_string_to_metric_families
from tyrsky import logs, metrics
from tyrsky.testing.tokens import Authority


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Standard output, while the process logs as a service does."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    logs.configure("companies", "INFO")
    yield out
    root.handlers[:], root.level = before


def parsed(lines: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


async def test_a_request_is_one_line_with_its_route(app: FastAPI, client: httpx2.AsyncClient, lines: io.StringIO):
    router = APIRouter(prefix="/contacts")
    router.get("/{name}/letters")(lambda name: name)  # pyright: ignore[reportUnknownLambdaType]
    app.include_router(router)
    await client.get("/contacts/Meikäläinen/letters?email=maija@x.example", headers={"User-Agent": "Maijan puhelin"})
    (line,) = parsed(lines)
    assert {name: line[name] for name in ("level", "service", "method", "route", "status", "message")} == {
        "level": "INFO",
        "service": "companies",
        "method": "GET",
        "route": "/contacts/{name}/letters",
        "status": 200,
        "message": "GET /contacts/{name}/letters 200",
    }
    assert line["ms"] >= 0
    assert line["time"].endswith("Z")


async def test_nobody_is_named(client: httpx2.AsyncClient, authority: Authority, lines: io.StringIO):
    visit = {"place": "Akaa", "contact": {"email": "maija@x.example", "phone": "040 1234567"}}
    await client.post("/visits", json=visit, headers=authority.headers(name="Maija Meikäläinen"))
    await client.post("/visits", content=b'{"maija@x.example', headers=authority.headers())
    await client.get("/maija@x.example?who=Maija")
    await client.get("/fails/unexpected")
    log = lines.getvalue().lower()
    assert log.count("\n") >= 5
    for personal in ("maija", "meik", "040 1234567", authority.headers()["Authorization"][:60].lower()):
        assert personal not in log


async def test_an_exception_is_logged_by_type_and_place(client: httpx2.AsyncClient, lines: io.StringIO):
    await client.get("/fails/unexpected")
    (line,) = [line for line in parsed(lines) if line["level"] == "ERROR"]
    assert line["message"] == "unexpected ValueError"
    assert line["exc_info"].startswith("ValueError\n")
    assert "conftest.py" in line["exc_info"]


def test_causes_are_told_too():
    try:
        try:
            raise KeyError("maija@x.example")
        except KeyError as error:
            raise RuntimeError("maija@x.example") from error
    except RuntimeError as error:
        told = logs.without_messages(error)
    assert told.startswith("RuntimeError\n")
    assert "because of KeyError\n" in told
    assert "maija" not in told


async def test_requests_are_measured_by_route_and_status(client: httpx2.AsyncClient, authority: Authority):
    def count(route: str, status: str) -> float:
        labels = {"method": "GET", "route": route, "status": status}
        return metrics.REGISTRY.get_sample_value("http_request_seconds_count", labels) or 0

    before = count("/me", "401"), count("(none)", "404")
    await client.get("/me?token=x")
    await client.get("/no/such/1234")
    assert (count("/me", "401"), count("(none)", "404")) == (before[0] + 1, before[1] + 1)


async def test_a_method_of_ones_own_making_makes_no_label(client: httpx2.AsyncClient):
    await client.request("MAIJA", "/me")
    assert "MAIJA" not in (await client.get("/metrics")).text


async def test_metrics_are_what_prometheus_reads_and_are_explained(client: httpx2.AsyncClient):
    answer = await client.get("/metrics")
    families = list(text_string_to_metric_families(answer.text))
    names = {family.name for family in families}
    assert {"outbox_size", "outbox_oldest_age_seconds", "consumer_lag", "consumer_retries", "parked_keys"} <= names
    assert {"dead_letters", "http_request_seconds", "process_resident_memory_bytes"} <= names
    assert [family.name for family in families if not family.documentation] == []


async def test_quiet_routes_leave_no_line(client: httpx2.AsyncClient, lines: io.StringIO):
    await client.get("/livez")
    await client.get("/metrics")
    assert lines.getvalue() == ""
