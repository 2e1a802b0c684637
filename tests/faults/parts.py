"""What runs under the rig: the stack's parts, services with up to four instances, and a proxy between each pair."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from seats import contracts as seats_contracts
from tyrsky_contracts import topics

from deploy.local import caddy, kafka, keycloak, mailbox, mongo, services
from deploy.local.kafka import Proxied
from deploy.local.part import Part, answers
from deploy.local.stack import HOST, ROOT, Stack

INSTANCES = 4
OWN = ("seats",)
"""A college's own services, beside those of the platform: the example of the documentation."""

OWN_GROUPS = {seats_contracts.seats.name: ("seats-policies", "seats-occupancy")}
"""What is on no map, since nobody else needs to know it: who reads a topic of a college's own at home."""

TOPICS = (*topics.ALL, *seats_contracts.TOPICS)

WEBHOOKS = {
    "WEBHOOK_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",  # an example's, in the documentation of the standard
    "WEBHOOK_SECONDS": "5",
    "WEBHOOK_POLL_SECONDS": "0.5",
    "WEBHOOK_RETRY_SECONDS": "0.2",
    "WEBHOOK_RETRY_SECONDS_MAX": "5",
}

UPSTREAMS = {"UPSTREAM_REST": "2s", "UPSTREAM_PAUSE": "20ms"}
"""The gateway learns of new instances soon, and people hardly wait while it asks those that do not run: with pauses of
200 ms, for each seventh command, their p99 would tell of nothing else."""

OWN_PORT = 28_110
EXTRA_PORT = 28_200
PROXY_PORT = 28_300
LISTENER_PORT = 28_400
WEBHOOK_PORT = 28_500


MONGO_PORT = 27_017

PAST = "a past in kafka"
"""What a run before this one wrote: to be taken again it would have to be known."""

Address = tuple[str, int]


@dataclass(frozen=True)
class Outside:
    """Servers that are somebody else's: they are not started, and not killed."""

    mongo_uri: str = ""
    kafka_bootstrap: str = ""
    past: Mapping[tuple[str, int], int] = field(default_factory=dict[tuple[str, int], int])
    """Where each partition of a topic that a run before wrote ended, when this run began."""

    @property
    def parts(self) -> frozenset[str]:
        """Names of what is not ours."""
        there = {"mongo": self.mongo_uri, "kafka": self.kafka_bootstrap, PAST: bool(self.past)}
        return frozenset(name for name, is_there in there.items() if is_there)

    @property
    def mongo_server(self) -> Address | None:
        """The one server that a client keeps to, so that a proxy can stand before it: the URI has to ask for that. Of a
        set of servers a client is told by the set where to go on, and by TLS whether that is who it was to be."""
        parsed = urlsplit(self.mongo_uri)
        options = {name.lower(): value for name, value in parse_qsl(parsed.query)}
        secured = "true" in (options.get("tls"), options.get("ssl"))
        if options.get("directconnection") != "true" or secured or parsed.scheme != "mongodb":
            return None
        return parsed.hostname or HOST, parsed.port or MONGO_PORT


@dataclass(frozen=True)
class Layout:
    """Who runs where: the stack with more ports, the services, and which proxy stands between whom."""

    stack: Stack
    services: Sequence[str]
    outside: Outside
    prefix: str

    @property
    def pairs(self) -> Mapping[str, Address]:
        """Each proxy's target, by its name: ``companies-mongo`` stands between companies and the store."""
        found: dict[str, Address] = {"people-gateway": (HOST, self.stack.ports["gateway"])}
        store = self.outside.mongo_server if self.outside.mongo_uri else (HOST, self.stack.ports["mongo"])
        for service in self.services:
            if store:
                found[f"{service}-mongo"] = store
            if not self.outside.kafka_bootstrap:
                found[f"{service}-kafka"] = HOST, self.stack.ports[f"{service}-listener"]
            found[f"{service}-keycloak"] = HOST, self.stack.ports["keycloak"]
            found[f"gateway-{service}"] = HOST, self.stack.ports[service]
        found["seats-webhook"] = HOST, self.stack.ports["webhook"]
        found["notifications-smtp"] = HOST, self.stack.ports["smtp"]
        return found

    def proxy_port(self, pair: str) -> int:
        """Where a proxy listens."""
        return PROXY_PORT + _shift() + list(self.pairs).index(pair)

    @property
    def front(self) -> str:
        """Where people ask: the gateway, through the proxy before it."""
        return f"http://{HOST}:{self.proxy_port('people-gateway')}"

    def instances(self, service: str) -> Sequence[str]:
        """The names of a service's instances, the first of which always runs."""
        return [service, *(f"{service}-{number}" for number in range(2, INSTANCES + 1))]

    def database(self, service: str) -> str:
        """A service's database: one of its own on servers that are not ours, which may have held another run."""
        return f"{self.prefix}{service}"

    @property
    def topics(self) -> Sequence[str]:
        """The topics that the services write."""
        return [topic.name for topic in TOPICS if set(topic.producers) & set(self.services)]

    @property
    def groups(self) -> Mapping[str, Sequence[str]]:
        """Each consumer group, with the topics that it reads."""
        found: dict[str, list[str]] = {}
        for topic in TOPICS:
            for group in (*topic.consumers, *OWN_GROUPS.get(topic.name, ())):
                found.setdefault(group, []).append(topic.name)
        return found

    @property
    def mongo_uri(self) -> str:
        """The store itself, past all proxies."""
        return self.outside.mongo_uri or self.stack.mongo_uri

    @property
    def bootstrap(self) -> str:
        """Kafka itself, past all proxies."""
        return self.outside.kafka_bootstrap or self.stack.address("kafka")

    def _mongo_uri_of(self, service: str) -> str:
        """The store as a service reaches it: through its proxy, if it has one."""
        pair = f"{service}-mongo"
        if pair not in self.pairs:
            return self.outside.mongo_uri
        uri = urlsplit(self.mongo_uri)
        who, at, _ = uri.netloc.rpartition("@")
        return uri._replace(netloc=f"{who}{at}{HOST}:{self.proxy_port(pair)}").geturl()

    def environment(self, service: str) -> dict[str, str]:
        """A service's settings: as everywhere, but through the proxies, and quicker to look again."""
        env = services.environment(self.stack, "companies" if service in OWN else service)
        del env["TRACES_ENDPOINT"]
        env |= {
            "TRACES_EXPORTER": "none",
            "MONGO_DATABASE": self.database(service),
            "MONGO_URI": self._mongo_uri_of(service),
            "KAFKA_BOOTSTRAP": self.outside.kafka_bootstrap or f"{HOST}:{self.proxy_port(f'{service}-kafka')}",
            "OIDC_JWKS_URI": f"http://{HOST}:{self.proxy_port(f'{service}-keycloak')}"
            "/realms/tyrsky/protocol/openid-connect/certs",
            "OIDC_KEYS_SECONDS": "10",
            "PYTHONPATH": str(ROOT),
        }
        if service == "notifications":
            env |= {"SMTP_PORT": str(self.proxy_port("notifications-smtp")), "SMTP_SECONDS": "10"}
        if service == "seats":
            env |= WEBHOOKS | {"WEBHOOK_URL": f"http://{HOST}:{self.proxy_port('seats-webhook')}/"}
        return env


def layout(services: Sequence[str], outside: Outside, prefix: str = "") -> Layout:
    """The layout of this copy of the rig."""
    stack, shift = Stack.of("faults"), _shift()
    ports = dict(stack.ports)
    for index, service in enumerate(services):
        if service in OWN:
            ports[service] = OWN_PORT + shift + index
        ports[f"{service}-listener"] = LISTENER_PORT + shift + index
        for number in range(2, INSTANCES + 1):
            ports[f"{service}-{number}"] = EXTRA_PORT + shift + 10 * index + number
    ports["webhook"] = WEBHOOK_PORT + shift
    return Layout(Stack(stack.profile, stack.folder, ports), services, outside, prefix)


def parts(layout: Layout) -> list[Part]:
    """Every part that is ours, in the order of starting."""
    stack, outside = layout.stack, layout.outside
    found: list[Part] = []
    if not outside.kafka_bootstrap:
        listeners = {
            service.upper(): Proxied(stack.ports[f"{service}-listener"], layout.proxy_port(f"{service}-kafka"))
            for service in layout.services
        }
        found.append(kafka.part(stack, listeners))
    if not outside.mongo_uri:
        found.append(mongo.part(stack))
    found += [keycloak.part(stack), mailbox.part(stack)]
    for service in layout.services:
        found += [_service(layout, service, instance) for instance in layout.instances(service)]
    found.append(caddy.part(stack, _upstreams(layout)))
    return found


def _service(layout: Layout, service: str, instance: str) -> Part:
    port = layout.stack.ports[instance]
    file = layout.stack.folder / "control" / f"{instance}.json"
    absent = layout.outside.parts | ({"topics"} if layout.outside.kafka_bootstrap else set[str]())
    return Part(
        name=instance,
        command=[sys.executable, "-m", "tests.faults.launched", service, str(file)],  # it can turn the clock
        env={**layout.environment(service), "HTTP_PORT": str(port)},
        ready=lambda: answers(f"http://{HOST}:{port}/readyz"),
        ports=(instance,),
        needs=[need for need in ("topics", "mongo", "keycloak") if need not in absent],
        stop_seconds=65,  # more than STOP_SECONDS
        on_demand=instance != service,
    )


def _upstreams(layout: Layout) -> dict[str, str]:
    """The first instance through its proxy, the others as they are."""
    found = {
        service.upper(): " ".join(
            [f"{HOST}:{layout.proxy_port(f'gateway-{service}')}"]
            + [layout.stack.address(instance) for instance in layout.instances(service)[1:]]
        )
        for service in layout.services
    }
    return {**found, **UPSTREAMS, "GATEWAY_OWN": str(ROOT / "docs" / "examples" / "seats")}


def _shift() -> int:
    return int(os.environ.get("TYRSKY_FAULTS_SHIFT", "0"))
