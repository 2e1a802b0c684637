"""``topics apply`` against a real Kafka, on topics and users of its own that are gone afterwards."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
)
from typer.testing import CliRunner
from tyrsky import topics_cli
from tyrsky.topics_access import Change, done
from tyrsky.topics_admin import Plan, TopicSettings, plan
from tyrsky_contracts.topics import Topic

# pyright: reportPrivateImportUsage=false
# The client's public names are in confluent_kafka.admin, which has no __all__ to say so.

pytestmark = pytest.mark.stack

BOOTSTRAP = os.environ.get("KAFKA_BOOTSTRAP", "127.0.0.1:19092")


@pytest.fixture(autouse=True)
def without_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """``make test`` names the demo's partner in PARTNERS; an apply of ours would take its access to the real topics
    away, since they are none of ours."""
    for name in TopicSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@dataclass(frozen=True)
class Ours:
    """Topics and a partner that no other test has."""

    admin: AdminClient
    public: Topic
    private: Topic
    partner: str

    @property
    def topics(self) -> tuple[Topic, Topic]:
        return self.public, self.private

    def settings(self, **changes: Any) -> TopicSettings:
        return TopicSettings.model_validate(
            {
                "kafka_bootstrap": BOOTSTRAP,
                "topic_partitions": 2,
                "topic_replication": 1,
                "topic_partitions_of": {},
                "topic_retention_days": {},
                "partners": {self.partner: "first-password"},
                **changes,
            }
        )

    def plan(self, *, rotate: Sequence[str] = (), **changes: Any) -> Plan:
        return plan(self.admin, self.topics, self.settings(**changes), rotate=rotate)

    def apply(self, **changes: Any) -> list[str]:
        """What was changed."""
        found = self.plan(**changes)
        assert not found.refusals
        make(found.changes)
        return said(found)


def make(changes: Sequence[Change]) -> None:
    for change in changes:
        change.do()


def said(found: Plan) -> list[str]:
    return [change.says for change in found.changes]


@pytest.fixture
def ours(without_the_environment: None) -> Iterator[Ours]:
    mark = uuid4().hex[:10]
    shared: dict[str, Any] = {"about": "", "key": "", "events": (), "producers": ("x",), "consumers": ("x-y",)}
    public = Topic(name=f"test-{mark}-public", retention=None, public=True, **shared)
    private = Topic(name=f"test-{mark}-private", retention=timedelta(days=7), public=False, **shared)
    these = Ours(AdminClient({"bootstrap.servers": BOOTSTRAP}), public, private, f"t{mark}")
    yield these
    gone = plan(these.admin, (), these.settings(partners={these.partner: None}))
    make(gone.changes)
    present = these.admin.list_topics(timeout=10).topics
    if left := [topic.name for topic in these.topics if topic.name in present]:
        done(these.admin.delete_topics(left))


def test_the_first_apply_makes_everything_and_the_second_changes_nothing(ours: Ours):
    public, private, partner = ours.public.name, ours.private.name, ours.partner
    assert ours.apply() == [
        f"create topic {public}: 2 partitions, replication 1, kept for ever",
        f"create topic {private}: 2 partitions, replication 1, kept 7 days",
        f"create user {partner}",
        f"allow: User:{partner} READ group {partner}-*",
        f"allow: User:{partner} DESCRIBE topic {public}",
        f"allow: User:{partner} READ topic {public}",
    ]
    again = ours.plan()
    assert (again.changes, again.refusals, again.notes) == ([], [], [])


def test_nobody_else_s_access_is_looked_at(ours: Ours):
    neighbour, theirs = f"n{ours.partner}", f"{ours.private.name}-of-others"
    line = AclBinding("TOPIC", theirs, "LITERAL", f"User:{neighbour}", "*", "READ", "ALLOW")
    done(ours.admin.create_acls([line]))
    try:
        assert not [change for change in ours.apply() if neighbour in change]
        found = ours.plan(partners={ours.partner: None})
        assert not [change for change in said(found) if ours.partner not in change or neighbour in change]
        assert found.notes == []
    finally:
        gone = ours.admin.delete_acls([AclBindingFilter("TOPIC", theirs, "ANY", None, None, "ANY", "ANY")])  # pyright: ignore[reportArgumentType]
        assert [len(future.result()) for future in gone.values()] == [1]  # it was still there


def test_a_plan_changes_nothing(ours: Ours):
    first = said(ours.plan())
    assert len(first) == 6
    assert said(ours.plan()) == first
    assert ours.public.name not in ours.admin.list_topics(timeout=10).topics


def test_drift_is_mended(ours: Ours):
    ours.apply()
    entries = [
        ConfigEntry("retention.ms", "3600000", incremental_operation=AlterConfigOpType.SET),
        ConfigEntry("cleanup.policy", "compact", incremental_operation=AlterConfigOpType.SET),
    ]
    resource = ConfigResource(ConfigResource.Type.TOPIC, ours.private.name, incremental_configs=entries)
    done(ours.admin.incremental_alter_configs([resource]))
    too_much = AclBinding("TOPIC", ours.private.name, "LITERAL", f"User:{ours.partner}", "*", "READ", "ALLOW")
    done(ours.admin.create_acls([too_much]))

    assert ours.apply() == [
        f"set cleanup.policy of {ours.private.name}: compact -> delete",
        f"set retention.ms of {ours.private.name}: 0.0416667 days -> 7 days",
        f"take away: User:{ours.partner} READ topic {ours.private.name}",
    ]
    assert ours.apply() == []


def test_settings_raise_partitions_and_change_retention(ours: Ours):
    ours.apply()
    changes: dict[str, Any] = {
        "topic_partitions_of": {ours.public.name: 4},
        "topic_retention_days": {ours.public.name: 30, ours.private.name: 2},
    }
    assert ours.apply(**changes) == [
        f"add partitions to {ours.public.name}: 2 -> 4 (keys move; let the consumers catch up first)",
        f"set retention.ms of {ours.public.name}: for ever -> 30 days",
        f"set retention.ms of {ours.private.name}: 7 days -> 2 days",
    ]
    assert ours.apply(**changes) == []
    assert len(ours.admin.list_topics(timeout=10).topics[ours.public.name].partitions) == 4


def test_partitions_are_not_lowered(ours: Ours):
    ours.apply()
    assert ours.plan(topic_partitions=1).refusals == [
        f"topic {topic.name} has 2 partitions; Kafka cannot lower them to 1" for topic in ours.topics
    ]


def test_another_replication_is_named_and_left(ours: Ours):
    ours.apply()
    found = ours.plan(topic_replication=3)
    assert found.notes == [
        f"topic {topic.name} has replication 1, not 3: only kafka-reassign-partitions moves them"
        for topic in ours.topics
    ]
    assert f"set min.insync.replicas of {ours.public.name}: 1 -> 2" in said(found)


def test_a_password_is_set_anew_only_when_that_is_asked_for(ours: Ours):
    ours.apply()
    assert said(ours.plan(partners={ours.partner: "second-password"})) == []
    found = ours.plan(partners={ours.partner: "second-password"}, rotate=[ours.partner])
    assert said(found) == [f"set another password of user {ours.partner}"]
    make(found.changes)


def test_a_partner_that_left_has_nothing(ours: Ours):
    ours.apply()
    assert ours.apply(partners={ours.partner: None}) == [
        f"delete user {ours.partner}",
        f"take away: User:{ours.partner} READ group {ours.partner}-*",
        f"take away: User:{ours.partner} DESCRIBE topic {ours.public.name}",
        f"take away: User:{ours.partner} READ topic {ours.public.name}",
    ]
    assert ours.apply(partners={ours.partner: None}) == []


def test_a_partner_that_nobody_names_any_more_is_noted_and_left(ours: Ours):
    ours.apply()
    found = ours.plan(partners={})
    assert found.changes == []
    assert found.notes == [f"User:{ours.partner} has access too, and is not in PARTNERS (null there takes it away)"]


def test_a_topic_that_became_private_is_taken_away(ours: Ours):
    ours.apply()
    now = replace(ours, public=ours.public.model_copy(update={"public": False}))
    assert now.apply() == [
        f"take away: User:{ours.partner} DESCRIBE topic {ours.public.name}",
        f"take away: User:{ours.partner} READ topic {ours.public.name}",
    ]


def test_settings_against_the_map_are_refused_before_anything_is_done(ours: Ours):
    found = ours.plan(
        rotate=["nobody"],
        topic_partitions_of={"no-such": 2},
        topic_retention_days={ours.private.name: 8},
        partners={"x1": "long-enough"},
    )
    assert found.changes == []
    assert found.refusals == [
        "the settings speak of no-such, which is no topic",
        f"{ours.private.name} is private and kept 7 days at most, not 8",
        "no password to give nobody: PARTNERS does not name it with one",
    ]


@pytest.mark.parametrize("name", ["companies", "admin"])
def test_a_partner_has_no_service_s_and_no_administrator_s_name(ours: Ours, name: str):
    named = replace(ours, public=ours.public.model_copy(update={"consumers": ("companies-policies",)}))
    assert named.plan(partners={name: "long-enough"}).refusals == [
        f"the partner {name} has the name of a service or an administrator, and would get its rights"
    ]


def command(monkeypatch: pytest.MonkeyPatch, ours: Ours, *arguments: str, **env: str) -> tuple[int, str]:
    monkeypatch.setattr(topics_cli, "ALL", ours.topics)
    told = {"KAFKA_BOOTSTRAP": BOOTSTRAP, "PARTNERS": f'{{"{ours.partner}":"first-password"}}', **env}
    result = CliRunner().invoke(topics_cli.app, ["apply", *arguments], env=told)
    return result.exit_code, result.output


def test_the_command_says_what_it_would_do_then_does_it_then_has_nothing_to_do(
    monkeypatch: pytest.MonkeyPatch, ours: Ours
):
    code, output = command(monkeypatch, ours, "--dry-run")
    assert code == 0
    assert f"would create topic {ours.public.name}: 6 partitions" in output
    assert output.endswith("6 differences, nothing was changed\n")
    assert command(monkeypatch, ours)[1].endswith("6 differences mended\n")
    assert command(monkeypatch, ours) == (0, "nothing differs\n")
    code, output = command(monkeypatch, ours, TOPIC_PARTITIONS="1")
    assert code == 1
    assert "nothing was changed:\n" in output
    assert "first-password" not in output


@pytest.mark.parametrize(
    ("env", "told"),
    [
        ({"PARTNERS": "tredu:secret-word"}, "partners"),
        ({"PARTNERS": '{"Tredu":"secret-word"}'}, "PARTNERS"),
        ({"PARTNERS": '{"tredu":"secret"}'}, "PARTNERS.TREDU"),
        ({"TOPIC_PARTITIONS": "many"}, "TOPIC_PARTITIONS"),
        ({"KAFKA_BOOTSTRAP": "127.0.0.1:1"}, "Kafka at 127.0.0.1:1"),
    ],
)
def test_settings_that_cannot_be_are_named_and_secrets_are_not(env: dict[str, str], told: str):
    result = CliRunner().invoke(topics_cli.app, ["apply"], env={"KAFKA_BOOTSTRAP": BOOTSTRAP, **env})
    assert result.exit_code == 1
    assert told in result.output
    assert "secret" not in result.output
