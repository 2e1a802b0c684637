"""Tyrsky's own services: each a process, with a database of its own, found by the gateway under its paths."""

import json
from collections.abc import Callable, Mapping

from deploy.local.part import Part, answers, program
from deploy.local.stack import HOST, PARTNERS, Stack

NAMES = ("companies", "notifications")

#: The demo's colleges, and who their mails come from.
SENDERS = {
    "vaao": "Valkeakosken ammattiopisto <tyoelama@vaao.example>",
    "sasky": "SASKY koulutuskuntayhtymä <tyoelama@sasky.example>",
}


#: No secret: a network makes its own (`openssl rand -hex 32`), and shares it among its colleges alone.
PEPPERS = ["the-pepper-of-the-demo-is-no-secret"]


def part(stack: Stack, name: str, instance: str = "") -> Part:
    """A service; or one more ``instance`` of it, on a port of its own."""
    place = instance or name
    return Part(
        name=place,
        command=[program("tyrsky"), "serve", name],
        env={**environment(stack, name), "HTTP_PORT": str(stack.ports[place])},
        ready=lambda: answers(f"http://{HOST}:{stack.ports[place]}/readyz"),
        ports=(place,),
        needs=("topics", "mongo", "keycloak"),
        stop_seconds=65,  # more than STOP_SECONDS
    )


def environment(stack: Stack, name: str, *, port: int = 0) -> dict[str, str]:
    """A service's settings here; docs/architecture/settings.md says what each means. One that is none of ours has a
    ``port`` of its own, and its topics are known by its name."""
    everyone = {
        "MONGO_URI": stack.mongo_uri,
        "MONGO_DATABASE": name,
        "KAFKA_BOOTSTRAP": stack.address("kafka"),
        "COLLEGES": json.dumps(list(SENDERS)),
        "OIDC_ISSUER": stack.issuer,
        "OIDC_AUDIENCE": "tyrsky",
        "TRACES_EXPORTER": "zipkin",
        "TRACES_ENDPOINT": f"http://{stack.address('zipkin')}/api/v2/spans",
        "HTTP_HOST": HOST,
        "HTTP_PORT": str(port or stack.ports[name]),
    }
    if name not in NAMES:
        return {**everyone, "OWN_SERVICES": json.dumps([name]), "PARTNERS": json.dumps(PARTNERS)}
    return {**everyone, **_OWN[name](stack)}


_OWN: Mapping[str, Callable[[Stack], dict[str, str]]] = {
    "companies": lambda stack: {
        "ADDRESS_PEPPERS": json.dumps(PEPPERS),
        "PUBLIC_URL": stack.url("gateway"),
        "COLLEGE_NAMES": json.dumps({college: sender.partition(" <")[0] for college, sender in SENDERS.items()}),
    },
    "notifications": lambda stack: {
        "SMTP_HOST": HOST,
        "SMTP_PORT": str(stack.ports["smtp"]),
        "SENDER_ADDRESSES": json.dumps(SENDERS),
    },
}
