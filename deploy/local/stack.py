"""Where a stack's parts listen and keep their data. Three profiles run beside one another.

``default`` is `make up`, ``test`` is `make test`, ``faults`` is `make faults`. Of the last, several copies may run too:
``TYRSKY_FAULTS_DIR`` moves its folder, ``TYRSKY_FAULTS_SHIFT`` all its ports.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Profile = Literal["default", "test", "faults"]

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"

#: The partner college of the demo, which reads the network's topics with Kafka alone, and its password.
PARTNERS = {"tredu": "tredu-demo"}

#: What listens, and where: in `make up`, in `make test`, in `make faults`. All below the ports that systems give to
#: outgoing connections (from 32768 on Linux): a part that was killed must find its own free again.
PORTS: Mapping[str, tuple[int, int, int]] = {
    "gateway": (8080, 18080, 28080),
    "companies": (8101, 18101, 28101),
    "notifications": (8102, 18102, 28102),
    "kafka": (9092, 19092, 29092),
    "kafka-controller": (9093, 19093, 29093),
    "kafka-partner": (9094, 19094, 29094),
    "mongo": (27117, 17017, 27017),
    "keycloak": (8180, 18180, 28180),
    "zipkin": (9411, 19411, 29411),
    "smtp": (4025, 14025, 24025),
    "imap": (4143, 14143, 24143),
    "mailbox": (4080, 14080, 24080),
}

PREFIXES: Mapping[Profile, str] = {
    "default": "TYRSKY_PORT_",
    "test": "TYRSKY_TEST_PORT_",
    "faults": "TYRSKY_FAULTS_PORT_",
}
FOLDERS: Mapping[Profile, str] = {"default": ".local", "test": ".local-test", "faults": ".local-faults"}


def port_setting(name: str, profile: Profile) -> str:
    """The environment variable that moves a port: ``TYRSKY_PORT_KAFKA``, ``TYRSKY_TEST_PORT_KAFKA``."""
    return PREFIXES[profile] + name.upper().replace("-", "_")


@dataclass(frozen=True)
class Stack:
    """One running copy of the platform on this machine."""

    profile: Profile
    folder: Path
    ports: Mapping[str, int]

    @classmethod
    def of(cls, profile: Profile, env: Mapping[str, str] = os.environ) -> "Stack":
        """The profile's stack, with what the environment says otherwise. Raises ValueError for what is no port."""
        folder, shift, column = ROOT / FOLDERS[profile], 0, list(FOLDERS).index(profile)
        if profile == "faults":
            folder = Path(env.get("TYRSKY_FAULTS_DIR", folder)).resolve()
            shift = int(env.get("TYRSKY_FAULTS_SHIFT", "0"))
        ports = {name: _port(env, port_setting(name, profile), all[column] + shift) for name, all in PORTS.items()}
        return cls(profile, folder, ports)

    def address(self, name: str) -> str:
        """``127.0.0.1:9092``"""
        return f"{HOST}:{self.ports[name]}"

    def url(self, name: str, path: str = "") -> str:
        """What a browser on this machine opens; ``localhost``, because that is also the issuer's name."""
        return f"http://localhost:{self.ports[name]}{path}"

    @property
    def stopping(self) -> str:
        """The command that stops it from another terminal."""
        default = self.profile == "default"
        return "make down" if default else f".venv/bin/python -m deploy.local down --profile {self.profile}"

    @property
    def issuer(self) -> str:
        return self.url("keycloak", "/realms/tyrsky")

    @property
    def mongo_uri(self) -> str:
        return f"mongodb://{self.address('mongo')}"

    def environment(self) -> dict[str, str]:
        """What tests and programs need in order to find the parts."""
        return {
            "TYRSKY_PROFILE": self.profile,
            "TYRSKY_LOCAL_DIR": str(self.folder),
            "MONGO_URI": self.mongo_uri,
            "KAFKA_BOOTSTRAP": self.address("kafka"),
            "KAFKA_PARTNER_BOOTSTRAP": self.address("kafka-partner"),
            "OIDC_ISSUER": self.issuer,
            "OIDC_AUDIENCE": "tyrsky",
            "GATEWAY_URL": self.url("gateway"),
            "COMPANIES_URL": self.url("companies"),
            "NOTIFICATIONS_URL": self.url("notifications"),
            "ZIPKIN_URL": self.url("zipkin"),
            "SMTP_HOST": HOST,
            "SMTP_PORT": str(self.ports["smtp"]),
            "IMAP_HOST": HOST,
            "IMAP_PORT": str(self.ports["imap"]),
            "MAILBOX_URL": self.url("mailbox"),
        }


def _port(env: Mapping[str, str], setting: str, default: int) -> int:
    text = env.get(setting, str(default))
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise ValueError(f"{setting}={text!r} is no port (1-65535)")
    return int(text)
