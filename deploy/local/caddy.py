"""The gateway: one address for all services, and a page that lists their interfaces; rules in ``deploy/gateway``."""

import os
from collections.abc import Mapping
from pathlib import Path

import flask_swagger_ui

from deploy.local.part import Part, answers, program
from deploy.local.progress import Failed
from deploy.local.stack import HOST, ROOT, Stack

FOLDER = ROOT / "deploy" / "gateway"

BODY_BYTES_MAX = "1000000"  # the services' default


def own_routes() -> str:
    """The folder that ``GATEWAY_OWN`` names; without it Caddy would find nothing there, and say nothing.

    :raises Failed: when there is no such folder, or no route in it.
    """
    folder = os.environ.get("GATEWAY_OWN")
    if folder and not any(Path(folder).glob("*.caddy")):
        raise Failed(f"GATEWAY_OWN: there is no *.caddy in {folder}")
    return folder or "own"


def part(stack: Stack, upstreams: Mapping[str, str] | None = None) -> Part:
    """The gateway; ``upstreams`` are other addresses of services, such as several of one."""
    return Part(
        name="gateway",
        command=[program("caddy"), "run", "--config", str(FOLDER / "Caddyfile"), "--adapter", "caddyfile"],
        env={
            "GATEWAY_BIND": HOST,
            "GATEWAY_PORT": str(stack.ports["gateway"]),
            "GATEWAY_SITE": str(FOLDER / "site"),
            "SWAGGER_UI": str(Path(flask_swagger_ui.__file__).parent / "dist"),
            "BODY_BYTES_MAX": BODY_BYTES_MAX,
            "COMPANIES": stack.address("companies"),
            "NOTIFICATIONS": stack.address("notifications"),
            "GATEWAY_OWN": own_routes(),
            **(upstreams or {}),
            "XDG_DATA_HOME": str(stack.folder / "caddy"),
            "XDG_CONFIG_HOME": str(stack.folder / "caddy"),
        },
        ready=lambda: answers(f"http://{HOST}:{stack.ports['gateway']}/"),
        ports=("gateway",),
        page=stack.url("gateway", "/"),
    )
