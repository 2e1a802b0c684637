"""What a deployment may change, each setting a variable of the environment with the field's name in capitals.

A service adds its own in its ``settings.py``: ``class Settings(tyrsky.settings.Settings)``. A wrong one stops the
service at start-up with one line per variable; the values themselves are never printed, since they may be secrets.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, AnyHttpUrl, Field, SecretStr, ValidationError
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError
from tyrsky_contracts.event import CollegeCode

from tyrsky.consumer_settings import ConsumerSettings

SigningAlgorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Signatures with a key pair only: with a shared secret (HS256) every service could make tokens."""


def _is_http(text: str) -> str:
    AnyHttpUrl(text)
    return text.rstrip("/")


HttpAddress = Annotated[str, AfterValidator(_is_http)]
"""An http or https address as text, without a closing slash."""


class SettingsWrong(Exception):  # noqa: N818 - reads as the sentence that it prints
    """The environment does not describe a deployment. The message names each variable at fault."""


class Settings(BaseSettings, ConsumerSettings):  # pyright: ignore[reportIncompatibleVariableOverride] - the same, and more
    """Settings that every service has."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    colleges: frozenset[CollegeCode] = Field(
        default=...,
        min_length=1,
        description='Colleges that are served here, as a JSON list of codes: `["vaao","sasky"]`.',
    )

    mongo_uri: SecretStr = Field(
        default=SecretStr("mongodb://127.0.0.1:27117"), description="The MongoDB server; may hold a password."
    )
    mongo_database: str = Field(
        default="", max_length=63, pattern=r"^[a-zA-Z0-9_-]*$", description="Database; empty means the service's name."
    )
    kafka_bootstrap: str = Field(
        default="127.0.0.1:9092",
        min_length=1,
        description="Kafka brokers to start from, `host:port`, with commas.",
    )

    oidc_issuer: HttpAddress = Field(default=..., description="Issuer of access tokens: the identity provider's realm.")
    oidc_audience: str = Field(default="tyrsky", min_length=1, description="Audience that an access token must have.")
    oidc_jwks_uri: HttpAddress | None = Field(
        default=None,
        description="Where the issuer's keys are; empty means where its discovery document says.",
    )
    oidc_algorithms: frozenset[SigningAlgorithm] = Field(
        default=frozenset[SigningAlgorithm]({"RS256", "PS256", "ES256"}),
        min_length=1,
        description="Signatures that are accepted, as a JSON list.",
    )
    oidc_keys_seconds: float = Field(
        default=600,
        ge=1,
        le=86_400,
        description="Age at which the issuer's keys are fetched anew.",
    )
    oidc_refetch_seconds: float = Field(
        default=5,
        ge=0,
        le=300,
        description="Shortest time between two fetches of the keys.",
    )

    traces_exporter: Literal["none", "zipkin", "otlp"] = Field(default="none", description="Where traces go.")
    traces_endpoint: HttpAddress | None = Field(
        default=None,
        description="The collector's address, such as `http://127.0.0.1:9411/api/v2/spans` (zipkin) or "
        "`http://127.0.0.1:4318/v1/traces` (otlp).",
    )
    traces_ratio: float = Field(
        default=1.0, ge=0, le=1, description="Share of traces that is exported; those with an error always are."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(default="INFO", description="Least that is logged.")

    http_host: str = Field(default="127.0.0.1", description="Address to listen on.")
    http_port: int = Field(default=8000, ge=1, le=65_535, description="Port to listen on.")
    keep_alive_seconds: int = Field(
        default=75,
        ge=1,
        le=3_600,
        description="How long an idle connection is kept; longer than the gateway's.",
    )
    request_seconds: float = Field(default=30, gt=0, le=600, description="Longest time that one request may take.")
    requests_max: int = Field(
        default=64, ge=1, le=10_000, description="Requests that are worked on at a time; others wait for a place."
    )
    requests_waiting_max: int = Field(
        default=1_024, ge=1, le=100_000, description="Requests that wait for a place; more must come back later."
    )
    request_wait_seconds: float = Field(
        default=1, gt=0, le=60, description="How long a request waits for a place; then it must come back later."
    )
    connections_max: int = Field(
        default=4_096, ge=16, le=60_000, description="Connections at a time; one that rests makes room for a new one."
    )
    streams_max: int = Field(
        default=2_000, ge=1, le=50_000, description="Event streams at a time; of one caller at most a quarter of them."
    )
    stream_seconds: float = Field(
        default=110,
        gt=0,
        le=3_600,
        description="How long an event stream lasts, then its client connects again; shorter than what the gateway "
        "gives an answer, two minutes.",
    )
    body_bytes_max: int = Field(default=1_000_000, ge=1_000, le=100_000_000, description="Largest body of a request.")
    json_depth_max: int = Field(default=32, ge=1, le=200, description="Deepest nesting of lists and objects in a body.")
    header_bytes_max: int = Field(
        default=16_384, ge=1_024, le=65_536, description="Largest sum of a request's headers."
    )
    target_bytes_max: int = Field(default=8_192, ge=256, le=32_768, description="Longest path and query of a request.")

    start_seconds: float = Field(default=120, gt=0, le=3_600, description="How long to wait for the parts at start-up.")
    stop_seconds: int = Field(
        default=60,
        ge=2,
        le=600,
        description="How long a stop may take: half for requests, a quarter for other work in hand, the rest to close.",
    )

    @classmethod
    def read(cls) -> Self:
        """The settings as the environment says them.

        :raises SettingsWrong: when it does not.
        """
        return cls()

    @property
    def finish_seconds(self) -> float:
        """How long at a stop work in the background may take to finish what it has in hand."""
        return self.stop_seconds / 4

    def __init__(self, **given: Any) -> None:
        try:
            super().__init__(**given)
        except ValidationError as error:
            raise SettingsWrong(explain(error)) from None
        except SettingsError as error:  # a list or object that is not JSON; its cause holds the value
            raise SettingsWrong(f"{error}: lists are written as JSON") from None


def explain(error: ValidationError) -> str:
    """One line per variable at fault, without its value."""
    lines = [
        f"{'.'.join(str(part) for part in mistake['loc']).upper()}: {mistake['msg']}"
        for mistake in error.errors(include_input=False, include_url=False, include_context=False)
    ]
    return "\n".join(["the settings are wrong:", *(f"  {line}" for line in lines)])


def table(settings: type[BaseSettings], *, beyond: type[BaseSettings] | None = None) -> str:
    """The settings of a service as a Markdown table; with ``beyond`` only those that it adds to that class."""
    rows = ["| variable | what it is | default | bounds |", "| --- | --- | --- | --- |"]
    schema = settings.model_json_schema()["properties"]
    for name, field in settings.model_fields.items():
        if beyond is not None and name in beyond.model_fields:
            continue
        if not field.description:
            raise TypeError(f"the setting {settings.__name__}.{name} has no description")
        rows.append(f"| `{name.upper()}` | {field.description} | {_default(field.default)} | {_bounds(schema[name])} |")
    return "\n".join(rows)


def _default(value: object) -> str:
    match value:
        case _ if value is PydanticUndefined:
            return "**required**"
        case None | "":
            return "-"
        case SecretStr():
            return _default(value.get_secret_value())
        case frozenset():
            return " ".join(f"`{item}`" for item in sorted(value))
        case _:
            return f"`{value}`"


def _bounds(schema: dict[str, Any]) -> str:
    words = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    bounds = [f"{word} {_number(schema[key])}" for key, word in words.items() if key in schema]
    return ", ".join(bounds) or " ".join(f"`{choice}`" for choice in schema.get("enum", ())) or "-"


def _number(value: float) -> str:
    return f"{int(value)}" if value == int(value) else f"{value:g}"
