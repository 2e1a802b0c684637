"""What `make up` prints at the end: where everything is, and one log-in per role."""

import json
from typing import Any

from tyrsky.token_cli import ISSUER

from deploy.local import keycloak
from deploy.local.stack import PARTNERS, Stack

PASSWORD = "demo"  # noqa: S105 - of the demo realm's users


def addresses(stack: Stack, *, in_docker: bool = False) -> str:
    """Plain lines: they must be readable in a log file too."""
    traces = "http://localhost:3000/  (TYRSKY_PORT_GRAFANA)" if in_docker else stack.url("zipkin", "/zipkin/")
    mongo = f"{stack.mongo_uri}/?directConnection=true" if in_docker else stack.mongo_uri
    data = "volumes of Docker" if in_docker else str(stack.folder)
    rows = [
        ("Interfaces (gateway)", stack.url("gateway", "/")),
        ("Mailbox", stack.url("mailbox", "/")),
        ("Traces", traces),
        ("Log-in service", stack.url("keycloak", "/admin/") + "  (admin, admin)"),
        ("Kafka", f"{stack.address('kafka')}, for partner colleges {stack.address('kafka-partner')}"),
        ("Store", mongo),
        ("Data and logs", data),
        ("", ""),
    ]
    for user in users():
        (college,), (role,) = user["attributes"]["college"], user["realmRoles"]
        rows.append((f"{role} at {college}", f"{user['username']}, password {PASSWORD}"))
    port = stack.ports["kafka-partner"]
    rows += [("partner college", f"{who}, password {word} (Kafka, port {port})") for who, word in PARTNERS.items()]
    rows += [("", ""), ("A token", token_command(stack))]
    return "\n".join(f"{what:<27}{where}".rstrip() for what, where in rows)


def token_command(stack: Stack) -> str:
    """With the issuer, where it is not the one that the command expects."""
    issuer = "" if stack.issuer == ISSUER else f" --issuer {stack.issuer}"
    return f".venv/bin/tyrsky token --user {users()[0]['username']} --password {PASSWORD}{issuer}"


def users() -> list[dict[str, Any]]:
    """The demo realm's users, as its file has them."""
    return json.loads(keycloak.REALM.read_text())["users"]
