"""The gateway's own problems are those that the kit declares: a client meets one catalogue, whoever answers."""

import importlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from tyrsky import problems
from tyrsky.settings import Settings

CADDYFILE = Path(__file__).parents[2] / "deploy" / "gateway" / "Caddyfile"

PROBLEM = re.compile(r'import problem (\S+) (\S+) "([^"]*)" "([^"]*)" "([^"]*)"')


def test_each_problem_of_the_gateway_is_a_declared_one() -> None:
    known = {problem.code: (str(problem.status), problem.en, problem.fi, problem.sv) for problem in problems.declared()}
    text = CADDYFILE.read_text("utf-8")
    told = {code: (status, *titles) for status, code, *titles in PROBLEM.findall(text)}
    assert len(told) == text.count("import problem ") > 0
    any_status = {code for code, (status, *_) in told.items() if status.startswith("{")}
    assert any_status == {"gateway-refused"}
    for code, (status, *titles) in told.items():
        expected = known.get(code)
        assert expected is not None, f"nobody declares {code}"
        assert (expected[0] if code in any_status else status, *titles) == expected


def test_the_gateway_lets_every_route_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLEGES", '["vaao"]')
    monkeypatch.setenv("ADDRESS_PEPPERS", json.dumps(["p" * 32]))
    monkeypatch.setenv("OIDC_ISSUER", "http://127.0.0.1:1/realms/tyrsky")
    for service, paths in re.findall(r"^\timport service (\w+) (.*) \{$", CADDYFILE.read_text("utf-8"), re.MULTILINE):
        let = [re.compile(re.escape(path).replace(r"\*", ".*")) for path in paths.split()]
        app: Any = importlib.import_module(f"{service}.main").app
        ours = {*app.openapi()["paths"], *(["/visits/answer/id/key"] if service == "companies" else [])}
        lost = {path for path in ours if not any(each.fullmatch(path) for each in let)}
        assert {path for path in lost if not path.startswith("/problems/")} == set()


def test_what_the_gateway_logs_has_no_address() -> None:
    """The key of a link is in its address, and a name that somebody searched for."""
    assert "request>uri delete" in CADDYFILE.read_text("utf-8")


def test_the_gateway_lets_go_of_a_connection_before_the_service_does() -> None:
    [seconds] = re.findall(r"\bkeepalive (\d+)s\b", CADDYFILE.read_text("utf-8"))
    assert int(seconds) < Settings.model_fields["keep_alive_seconds"].default
