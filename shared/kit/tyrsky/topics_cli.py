"""``tyrsky topics``: Kafka as the map says, and what is on a topic."""

import json
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Annotated, Any, TypeVar

import typer
from confluent_kafka import Consumer, KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from pydantic import ValidationError
from pydantic_settings import SettingsError
from tyrsky_contracts.topics import ALL, Topic

from tyrsky.settings import explain
from tyrsky.topics_admin import TopicSettings, plan
from tyrsky.topics_reading import latest, reader

Client = TypeVar("Client", AdminClient, Consumer)

app = typer.Typer(no_args_is_help=True, help="Topics, access lists and partners' users in Kafka.")


@app.callback()
def topics() -> None:
    """Topics, access lists and partners' users in Kafka."""


@app.command()
def apply(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what differs, and change nothing.")] = False,
    rotate: Annotated[list[str] | None, typer.Option(help="A partner whose password is set anew.")] = None,
) -> None:
    """Make Kafka look like the map of topics and the settings. A second run changes nothing."""
    settings = _settings()
    with _client(AdminClient, settings.kafka_bootstrap) as admin:
        found = plan(admin, [*ALL, *_own_topics(settings.own_services)], settings, rotate=rotate or ())
        for note in found.notes:
            typer.echo(f"note: {note}")
        if found.refusals:
            sys.exit("\n".join(["nothing was changed:", *(f"  {refusal}" for refusal in found.refusals)]))
        for change in found.changes:
            typer.echo(f"would {change.says}" if dry_run else change.says)
            if not dry_run:
                change.do()
    differences = "1 difference" if len(found.changes) == 1 else f"{len(found.changes)} differences"
    if not found.changes:
        typer.echo("nothing differs")
    else:
        typer.echo(f"{differences}, nothing was changed" if dry_run else f"{differences} mended")


@app.command()
def read(
    topic: Annotated[str, typer.Argument(help="The topic's name.")],
    last: Annotated[int, typer.Option(min=1, max=10_000, help="So many of its latest events.")] = 10,
) -> None:
    """Print the latest events of a topic, one line of JSON each, as any reader gets them."""
    with _client(reader, _settings().kafka_bootstrap) as consumer:
        for event in latest(consumer, topic, last):
            typer.echo(json.dumps(event, ensure_ascii=False))


@contextmanager
def _client(kind: Callable[[dict[str, Any]], Client], bootstrap: str) -> Generator[Client]:
    """A client of Kafka's; what it raises ends the command with a sentence, and the first trouble that it met is its
    cause. By itself its C library would print every try to connect, twenty a second."""
    troubles = list[KafkaError]()
    client = kind({"bootstrap.servers": bootstrap, "log_level": 0, "error_cb": troubles.append})
    try:
        yield client
    except KafkaException as error:
        client.poll(0)  # hands over what was met
        cause = f" ({troubles[0].str()})" if troubles else ""
        sys.exit(f"Kafka at {bootstrap}: {error.args[0].str()}{cause}")
    finally:
        if isinstance(client, Consumer):
            client.close()


def _own_topics(packages: Sequence[str]) -> Iterator[Topic]:
    for package in packages:
        try:
            yield from import_module(f"{package}.contracts").TOPICS
        except (ModuleNotFoundError, AttributeError) as error:
            sys.exit(f"OWN_SERVICES: {package} has no topics here: {error}")


def _settings() -> TopicSettings:
    try:
        return TopicSettings()
    except ValidationError as error:
        sys.exit(explain(error))
    except SettingsError as error:
        sys.exit(f"{error}: objects are written as JSON")
