"""What runs under the rig, and what does not when the servers are somebody else's."""

import pytest
from companies.views import audit, objections, reach, reservations
from notifications.forgetting import GROUP as FORGETTING
from seats.views import occupancy

from deploy.local.stack import ROOT
from tests.faults import people
from tests.faults.parts import PAST, Layout, Outside, layout, parts
from tests.faults.people import People
from tests.faults.running import SERVICES

MONGO, KAFKA = "mongodb://db.example/?replicaSet=rs", "kafka.example:9092"


@pytest.fixture
def own() -> Layout:
    return layout(SERVICES, Outside())


@pytest.fixture
def outside() -> Layout:
    return layout(SERVICES, Outside(MONGO, KAFKA), "faults-7-abc-")


def test_every_service_looks_for_its_parts_through_proxies(own: Layout):
    proxies = {own.proxy_port(pair) for pair in own.pairs}
    for service in own.services:
        env = own.environment(service)
        assert int(env["MONGO_URI"].rsplit(":", 1)[1]) in proxies
        assert int(env["KAFKA_BOOTSTRAP"].rsplit(":", 1)[1]) in proxies


async def test_people_ask_through_a_proxy_that_stands_before_the_gateway(
    own: Layout, outside: Layout, monkeypatch: pytest.MonkeyPatch
):
    asked = list[str]()

    class Heard:
        def __init__(self, base_url: str, token: str) -> None:
            asked.append(base_url)

    monkeypatch.setattr(People, "_token", lambda *_: "a token")  # pyright: ignore[reportUnknownLambdaType]
    monkeypatch.setattr(people, "Caller", Heard)
    for each in (own, outside):
        folk, front = People(each.stack, each.front), f"http://127.0.0.1:{each.proxy_port('people-gateway')}"
        assert each.pairs["people-gateway"] == ("127.0.0.1", each.stack.ports["gateway"])
        assert folk.person("u1").base_url == front
        folk.caller("u1")
        assert asked.pop() == front


def test_every_consumer_group_of_the_services_is_known(own: Layout):
    policies = {f"{service}-policies" for service in own.services}
    views = {f"companies-{each.name}" for each in (reach, reservations, objections, audit)}
    assert own.groups.keys() == policies | views | {f"seats-{occupancy.name}", FORGETTING}
    assert own.groups["seats-policies"] == own.groups["seats-occupancy"] == ["vaao-seats"]


def test_no_two_things_listen_on_one_port(own: Layout):
    ports = [*own.stack.ports.values(), *(own.proxy_port(pair) for pair in own.pairs)]
    assert len(set(ports)) == len(ports)


def test_further_instances_wait_until_they_are_wanted(own: Layout):
    on_demand = {part.name for part in parts(own) if part.on_demand}
    assert on_demand == {f"{service}-{number}" for service in own.services for number in (2, 3, 4)}


def test_servers_of_somebody_else_are_neither_started_nor_proxied(outside: Layout):
    names = {part.name for part in parts(outside)}
    assert not names & {"mongo", "kafka"}
    assert not [pair for pair in outside.pairs if pair.endswith(("-mongo", "-kafka"))]  # a set says who is in it
    for service in outside.services:
        env = outside.environment(service)
        assert (env["MONGO_URI"], env["KAFKA_BOOTSTRAP"]) == (MONGO, KAFKA)
        assert env["MONGO_DATABASE"] == f"faults-7-abc-{service}"
    for part in parts(outside):
        assert not {"mongo", "topics"} & set(part.needs), part.name


def test_a_store_of_somebody_elses_is_proxied_when_its_clients_keep_to_one_server():
    there = layout(SERVICES, Outside("mongodb://rig:word@db.example:27018/?directConnection=true&w=1", KAFKA))
    for service in there.services:
        port = there.proxy_port(f"{service}-mongo")
        assert there.pairs[f"{service}-mongo"] == ("db.example", 27018)
        assert (
            there.environment(service)["MONGO_URI"] == f"mongodb://rig:word@127.0.0.1:{port}/?directConnection=true&w=1"
        )
    assert there.mongo_uri == "mongodb://rig:word@db.example:27018/?directConnection=true&w=1"
    for uri in (
        "mongodb://db.example/?directConnection=true&tls=true",
        "mongodb+srv://db.example/?directConnection=true",
    ):
        assert Outside(uri).mongo_server is None


def test_what_a_run_before_wrote_is_known_and_is_not_ours():
    assert Outside(MONGO, KAFKA).parts == {"mongo", "kafka"}
    assert Outside(MONGO, KAFKA, past={("companies", 0): 7}).parts == {"mongo", "kafka", PAST}


def test_the_gateway_knows_every_instance(own: Layout):
    [gateway] = [part for part in parts(own) if part.name == "gateway"]
    for service in own.services:
        assert len(gateway.env[service.upper()].split()) == 4


def test_nobody_waits_long_while_the_gateway_asks_instances_that_do_not_run(own: Layout):
    [gateway] = [part for part in parts(own) if part.name == "gateway"]
    assert gateway.env["UPSTREAM_PAUSE"] == "20ms"
    assert "lb_try_interval {$UPSTREAM_PAUSE:" in (ROOT / "deploy" / "gateway" / "Caddyfile").read_text()
