"""Makes Kafka look like the map of topics: topics, access lists, users of partner colleges.

It plans first and says what differs; a second run finds nothing to do. It never deletes a topic, never lowers a number
of partitions, and touches no user but those of the partners that the settings name.
"""

# pyright: reportPrivateImportUsage=false
# The client's public names are in confluent_kafka.admin, which has no __all__ to say so.

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated

from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    TopicMetadata,
)
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from tyrsky_contracts.event import CollegeCode
from tyrsky_contracts.topics import Topic

from tyrsky.topics_access import REQUEST_SECONDS, Change, access_changes, done, strangers, user_changes

CONNECT_SECONDS = 10
DAY_MS = 86_400_000

ADMINISTRATORS = {"admin"}
"""Users that brokers let do anything (``super.users``)."""

Password = Annotated[SecretStr, Field(min_length=8)]


class TopicSettings(BaseSettings):
    """What a deployment decides of its topics; the map decides the rest."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    kafka_bootstrap: str = Field(
        default="127.0.0.1:9092",
        min_length=1,
        description="Kafka brokers to start from, `host:port`, separated by commas.",
    )
    topic_partitions: int = Field(default=6, ge=1, le=1_000, description="Partitions of a topic.")
    topic_partitions_of: Mapping[str, Annotated[int, Field(ge=1, le=1_000)]] = Field(
        default={}, description='Partitions of single topics, as a JSON object: `{"companies": 24}`.'
    )
    topic_replication: int = Field(
        default=1, ge=1, le=9, description="Copies of every partition, 3 in production; one may be missing at a write."
    )
    topic_retention_days: Mapping[str, Annotated[int, Field(ge=1, le=36_500)]] = Field(
        default={}, description='Days that single topics are kept, as a JSON object: `{"notifications": 30}`.'
    )
    own_services: Sequence[Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]*$")]] = Field(
        default=[],
        description='Packages of a college\'s own services, as a JSON list: `["seats"]`. Their topics '
        "(`<package>.contracts.TOPICS`) are made too.",
    )
    partners: Mapping[CollegeCode, Password | None] = Field(
        default={},
        description="Partner colleges that read the public topics, each with the password of its Kafka user, as a "
        'JSON object: `{"tredu": "..."}`. `null` takes user and access away again.',
    )


@dataclass
class Plan:
    """What differs. With a refusal nothing is done: the settings ask for what cannot be done."""

    changes: list[Change] = field(default_factory=list[Change])
    refusals: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])


def plan(admin: AdminClient, topics: Sequence[Topic], settings: TopicSettings, *, rotate: Sequence[str] = ()) -> Plan:
    """What must change in Kafka for these topics and settings. ``rotate`` are partners who get their password anew.

    :raises confluent_kafka.KafkaException: when Kafka does not answer, or says no.
    """
    found = Plan(refusals=[*_contradictions(topics, settings, rotate)])
    if found.refusals:
        return found
    present = admin.list_topics(timeout=CONNECT_SECONDS).topics
    for topic in topics:
        partitions = settings.topic_partitions_of.get(topic.name, settings.topic_partitions)
        if topic.name in present:
            _plan_partitions(admin, topic.name, len(present[topic.name].partitions), partitions, found)
            _plan_copies(topic.name, present[topic.name], settings.topic_replication, found)
            _plan_config(admin, topic.name, _config(topic, settings), found)
        else:
            _plan_topic(admin, topic, partitions, settings, found)
    found.changes += user_changes(admin, settings.partners, rotate)
    found.changes += access_changes(admin, settings.partners, [topic.name for topic in topics if topic.public])
    for stranger in strangers(admin, settings.partners, [topic.name for topic in topics]):
        found.notes.append(f"{stranger} has access too, and is not in PARTNERS (null there takes it away)")
    return found


def _contradictions(topics: Sequence[Topic], settings: TopicSettings, rotate: Sequence[str]) -> Iterator[str]:
    """Where the settings speak against the map, or against themselves."""
    by_name = {topic.name: topic for topic in topics}
    for name in sorted({*settings.topic_partitions_of, *settings.topic_retention_days} - by_name.keys()):
        yield f"the settings speak of {name}, which is no topic"
    for name, days in settings.topic_retention_days.items():
        topic = by_name.get(name)
        if topic and not topic.public and topic.retention and days > topic.retention.days:
            yield f"{name} is private and kept {topic.retention.days} days at most, not {days}"
    taken = {name.split("-")[0] for topic in topics for name in (*topic.consumers, *topic.producers)} | ADMINISTRATORS
    for college in sorted(taken & settings.partners.keys()):
        yield f"the partner {college} has the name of a service or an administrator, and would get its rights"
    for college in rotate:
        if settings.partners.get(college) is None:
            yield f"no password to give {college}: PARTNERS does not name it with one"


def _plan_topic(admin: AdminClient, topic: Topic, partitions: int, settings: TopicSettings, found: Plan) -> None:
    config = _config(topic, settings)
    new = NewTopic(topic.name, partitions, settings.topic_replication, config=config)
    kept = _kept(config["retention.ms"])
    says = f"create topic {topic.name}: {partitions} partitions, replication {settings.topic_replication}, kept {kept}"
    found.changes.append(Change(says, partial(_create_topic, admin, new)))


def _plan_partitions(admin: AdminClient, name: str, present: int, wanted: int, found: Plan) -> None:
    if wanted < present:
        found.refusals.append(f"topic {name} has {present} partitions; Kafka cannot lower them to {wanted}")
    if wanted > present:
        says = f"add partitions to {name}: {present} -> {wanted} (keys move; let the consumers catch up first)"
        found.changes.append(Change(says, partial(_add_partitions, admin, NewPartitions(name, wanted))))


def _plan_copies(name: str, present: TopicMetadata, wanted: int, found: Plan) -> None:
    fewest = min(len(partition.replicas) for partition in present.partitions.values())
    if fewest != wanted:
        found.notes.append(
            f"topic {name} has replication {fewest}, not {wanted}: only kafka-reassign-partitions moves them"
        )


def _plan_config(admin: AdminClient, name: str, wanted: Mapping[str, str], found: Plan) -> None:
    (answer,) = admin.describe_configs(
        [ConfigResource(ConfigResource.Type.TOPIC, name)], request_timeout=REQUEST_SECONDS
    ).values()
    present: Mapping[str, ConfigEntry] = answer.result()
    for key, value in wanted.items():
        now = str(present[key].value)
        if now == value:
            continue
        said = f"{_kept(now)} -> {_kept(value)}" if key == "retention.ms" else f"{now} -> {value}"
        found.changes.append(Change(f"set {key} of {name}: {said}", partial(_set_config, admin, name, key, value)))


def _config(topic: Topic, settings: TopicSettings) -> dict[str, str]:
    days = settings.topic_retention_days.get(topic.name, topic.retention.days if topic.retention else None)
    return {
        "cleanup.policy": "delete",
        "retention.ms": "-1" if days is None else str(days * DAY_MS),
        "min.insync.replicas": str(max(1, settings.topic_replication - 1)),
    }


def _kept(milliseconds: str) -> str:
    return "for ever" if milliseconds == "-1" else f"{int(milliseconds) / DAY_MS:g} days"


def _create_topic(admin: AdminClient, new: NewTopic) -> None:
    done(admin.create_topics([new], operation_timeout=REQUEST_SECONDS, request_timeout=REQUEST_SECONDS))


def _add_partitions(admin: AdminClient, new: NewPartitions) -> None:
    done(admin.create_partitions([new], operation_timeout=REQUEST_SECONDS, request_timeout=REQUEST_SECONDS))


def _set_config(admin: AdminClient, name: str, key: str, value: str) -> None:
    entry = ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ConfigResource.Type.TOPIC, name, incremental_configs=[entry])
    done(admin.incremental_alter_configs([resource], request_timeout=REQUEST_SECONDS))
