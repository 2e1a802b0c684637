"""Docker Compose's stack and the one without Docker are the same platform. Docker itself is not needed, and not run."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from tyrsky.settings import Settings
from tyrsky.topics_admin import TopicSettings

from deploy.local import caddy, jars, kafka, keycloak, launch, services
from deploy.local.stack import PARTNERS, PORTS, Stack, port_setting

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
LOCAL = Stack.of("default", env={})

INSTEAD = {"zipkin": "lgtm"}
"""Parts that are another program with Docker."""

PINNED = re.compile(r":v?[0-9]+\.[0-9]+\.[0-9]+[a-z0-9.-]*$")


def test_the_file_fits_the_compose_specification():
    command = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.compose-spec",
        "docker-compose.yml",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_both_stacks_have_the_same_parts():
    parts = {INSTEAD.get(part.name, part.name) for part in launch.parts(LOCAL)}
    assert SERVICES.keys() == parts | {"topics"}


@pytest.mark.parametrize("name", services.NAMES)
def test_a_service_has_the_same_settings(name: str):
    here, there = services.environment(LOCAL, name), SERVICES[name]["environment"]
    # The issuer's keys are fetched inside Compose's network, where its public name leads nowhere.
    assert there.keys() == here.keys() | {"OIDC_JWKS_URI"}
    for same in ("MONGO_DATABASE", "OIDC_AUDIENCE", "HTTP_PORT"):
        assert there[same] == here[same]
    for same in ("COLLEGES", "SENDER_ADDRESSES", "ADDRESS_PEPPERS", "COLLEGE_NAMES"):
        assert json.loads(there.get(same, "null")) == json.loads(here.get(same, "null"))


@pytest.mark.parametrize("name", services.NAMES)
def test_every_setting_is_one_that_is_documented(name: str):
    documented = set(re.findall(r"^\| `([A-Z_]+)`", (ROOT / "docs/architecture/settings.md").read_text(), re.MULTILINE))
    assert SERVICES[name]["environment"].keys() <= documented


def test_topics_are_made_by_the_same_command_with_the_same_partners():
    topics = SERVICES["topics"]
    assert topics["command"] == ["tyrsky", "topics", "apply"]
    assert json.loads(topics["environment"]["PARTNERS"]) == PARTNERS
    assert topics["environment"].keys() <= {name.upper() for name in TopicSettings.model_fields}
    for name in services.NAMES:
        assert SERVICES[name]["depends_on"]["topics"] == {"condition": "service_completed_successfully"}


def test_ports_are_on_the_loopback_interface_and_moved_by_the_same_settings():
    published = {port for service in SERVICES.values() for port in service.get("ports", [])}
    form = re.compile(r"^127\.0\.0\.1:\$\{(?P<setting>[A-Z_]+):-(?P<default>[0-9]+)\}:[0-9]+$")
    matches = [form.match(port) for port in published]
    assert all(matches), published
    moved = {match["setting"]: int(match["default"]) for match in matches if match}
    local = {port_setting(name, "default"): both[0] for name, both in PORTS.items()}
    # Nobody but Kafka calls its controller; Mailpit has no IMAP; Grafana is in Zipkin's place.
    absent = {port_setting(name, "default") for name in ("kafka-controller", "imap", "zipkin")}
    assert moved == {name: port for name, port in local.items() if name not in absent} | {"TYRSKY_PORT_GRAFANA": 3000}


def test_what_a_service_listens_on_is_what_is_published_and_where_the_gateway_looks():
    gateway = SERVICES["gateway"]["environment"]
    for name in services.NAMES:
        port = SERVICES[name]["environment"]["HTTP_PORT"]
        assert all(published.endswith(f":{port}") for published in SERVICES[name]["ports"])
        assert gateway[name.upper()] == f"{name}:{port}"
    limit = str(Settings.model_fields["body_bytes_max"].default)
    assert gateway["BODY_BYTES_MAX"] == caddy.part(LOCAL).env["BODY_BYTES_MAX"] == limit
    assert gateway.keys() == {name for name in caddy.part(LOCAL).env if not name.startswith("XDG_")}


def test_kafka_has_the_same_properties():
    addresses = {"listeners", "advertised.listeners", "controller.quorum.voters", "log.dirs"}
    more = {"listener.security.protocol.map", "super.users"}  # one listener more for the host, no administrator
    here = _properties(kafka.PROPERTIES.replace("\\\n", ""))
    there = _properties((ROOT / "deploy" / "kafka" / "server.properties").read_text())
    assert _without(there, addresses | more) == _without(here, addresses | more)
    assert there.keys() == here.keys() - {"advertised.listeners"}
    assert set(here["listener.security.protocol.map"].split(",")) < set(
        there["listener.security.protocol.map"].split(",")
    )
    assert there["super.users"] in here["super.users"].split(";")


def test_both_stacks_use_the_same_realm_gateway_rules_and_versions():
    (realm,) = SERVICES["keycloak"]["volumes"]
    assert ROOT / realm.split(":")[0] == keycloak.REALM
    assert f"COPY {(caddy.FOLDER / 'Caddyfile').relative_to(ROOT)} " in DOCKERFILE
    assert SERVICES["kafka"]["image"].split(":")[1] == _locked("kafka", "kafka_2.13")
    assert SERVICES["keycloak"]["image"].split(":")[1] == _locked("keycloak", "keycloak-quarkus-dist")
    makefile = re.search(r"^UV_VERSION := (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert makefile
    assert f"uv=={makefile[1]}\n" in DOCKERFILE


def test_every_image_is_pinned_or_built_here():
    named = [service["image"] for service in SERVICES.values() if "build" not in service]
    named += [
        line.split()[1] for line in DOCKERFILE.splitlines() if line.startswith("FROM ") and line.split()[1] != "build"
    ]
    assert len(named) == 8
    assert [image for image in named if not PINNED.search(image)] == []


@pytest.mark.parametrize("name", [*services.NAMES, "topics"])
def test_a_service_may_write_nothing_and_gains_nothing(name: str):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["build"] == {
        "context": ".",
        "dockerfile": "deploy/Dockerfile",
        "args": {"SERVICE": "companies" if name == "topics" else name},
    }


def test_images_built_here_are_not_root_s():
    stages = DOCKERFILE.split("\nFROM ")
    assert [re.findall(r"^USER (.+)$", stage, re.MULTILINE) for stage in stages if " AS service\n" in stage] == [
        ["10001:10001"]
    ]
    assert [re.findall(r"^USER (.+)$", stage, re.MULTILINE) for stage in stages if " AS gateway\n" in stage] == [
        ["10001:10001"]
    ]
    assert " AS service\n" in stages[-1], "a build without a target must give the service"


def test_whatever_is_copied_or_mounted_exists_and_is_let_through():
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    copied = [
        source
        for line in DOCKERFILE.splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for source in line.split()[1:-1]
    ]
    for source in copied:
        assert (ROOT / source).exists(), source
        assert any(
            source == let or source.startswith(f"{let}/") for let in (line[1:] for line in ignored if line[0] == "!")
        )
    mounted = [volume for service in SERVICES.values() for volume in service.get("volumes", []) if volume[0] == "."]
    assert mounted
    for volume in mounted:
        assert (ROOT / volume.split(":")[0]).is_file(), volume
        assert volume.endswith(":ro")
    named = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    assert named - {volume.split(":")[0] for volume in mounted} == COMPOSE["volumes"].keys()


def _properties(text: str) -> dict[str, str]:
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def _without(properties: dict[str, str], names: set[str]) -> dict[str, str]:
    return {name: value for name, value in properties.items() if name not in names}


def _locked(part: str, artifact: str) -> str:
    """The version of a Java part in the lock of the stack without Docker."""
    (found,) = [jar.coordinate for jar in jars.locked(part) if f":{artifact}:" in jar.coordinate]
    return found.split(":")[2]
