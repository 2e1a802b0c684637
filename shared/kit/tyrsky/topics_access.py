"""Who may read what in Kafka: a user for each partner college, and the access lists that it needs, no more.

Kafka refuses whatever no list allows. A partner reads the network's public topics, each by its whole name (the prefix
``companies`` would also give away ``companies-dlq-...``), with groups whose names begin with its code.
"""

# pyright: reportPrivateImportUsage=false
# The client's public names are in confluent_kafka.admin, which has no __all__ to say so.

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import astuple, dataclass
from functools import partial
from typing import Any

from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)
from pydantic import SecretStr

REQUEST_SECONDS = 30
SCRAM_ITERATIONS = 8192
"""Twice Kafka's least; a log-in costs the broker some milliseconds."""

Partners = Mapping[str, SecretStr | None]
"""Partner colleges and their passwords; ``None`` has left, or is to leave."""


@dataclass(frozen=True)
class Change:
    """One difference between Kafka and what is wanted, in words, and what mends it."""

    says: str
    do: Callable[[], None]


@dataclass(frozen=True, order=True)
class Access:
    """One line of Kafka's access lists, in Kafka's words and in the order of its constructor."""

    kind: str
    name: str
    pattern: str
    principal: str
    host: str
    operation: str
    permission: str

    @classmethod
    def of(cls, line: Any) -> "Access":
        """A line as Kafka's client has it."""
        return cls(
            line.restype.name,
            line.name,
            line.resource_pattern_type.name,
            line.principal,
            line.host,
            line.operation.name,
            line.permission_type.name,
        )

    def __str__(self) -> str:
        name = f"{self.name}*" if self.pattern == "PREFIXED" else self.name
        denied = "" if self.permission == "ALLOW" else f"({self.permission}) "
        return f"{self.principal} {denied}{self.operation} {self.kind.lower()} {name}"


def partner_access(college: str, topics: Sequence[str]) -> Iterator[Access]:
    """Everything that a partner college may do."""
    user = f"User:{college}"
    for topic in topics:
        yield Access("TOPIC", topic, "LITERAL", user, "*", "READ", "ALLOW")
        yield Access("TOPIC", topic, "LITERAL", user, "*", "DESCRIBE", "ALLOW")
    yield Access("GROUP", f"{college}-", "PREFIXED", user, "*", "READ", "ALLOW")


def access_changes(admin: AdminClient, partners: Partners, topics: Sequence[str]) -> Iterator[Change]:
    """What partners may do and should not, then what they should and may not."""
    principals = {f"User:{college}" for college in partners}
    present = {access for access in _present(admin) if access.principal in principals}
    wanted = {
        access
        for college, password in partners.items()
        if password is not None
        for access in partner_access(college, topics)
    }
    for access in sorted(present - wanted):
        yield Change(f"take away: {access}", partial(_revoke, admin, access))
    for access in sorted(wanted - present):
        yield Change(f"allow: {access}", partial(_grant, admin, access))


def strangers(admin: AdminClient, partners: Partners, topics: Iterable[str]) -> list[str]:
    """Who else is on the access lists of the topics."""
    known = {f"User:{college}" for college in partners}
    names = set(topics)
    return sorted({access.principal for access in _present(admin) if access.name in names} - known)


def user_changes(admin: AdminClient, partners: Partners, rotate: Sequence[str]) -> Iterator[Change]:
    """Users to make, to delete, or to give a new password.

    Kafka keeps a salted hash, so a password cannot be compared with the settings: a user is made once, and gets another
    password when that is asked for by name.
    """
    answer = admin.describe_user_scram_credentials(request_timeout=REQUEST_SECONDS)
    described: Mapping[str, Any] = answer.result() if isinstance(answer, Future) else {}
    present = {
        user
        for user, credentials in described.items()
        if any(info.mechanism == ScramMechanism.SCRAM_SHA_256 for info in credentials.scram_credential_infos)
    }
    for college, password in partners.items():
        if password is None:
            if college in present:
                yield Change(f"delete user {college}", partial(_delete_user, admin, college))
        elif college not in present:
            yield Change(f"create user {college}", partial(_set_password, admin, college, password))
        elif college in rotate:
            yield Change(f"set another password of user {college}", partial(_set_password, admin, college, password))


def done(answers: Mapping[Any, Any]) -> None:
    """Wait for every answer of Kafka's.

    :raises confluent_kafka.KafkaException: when it says no.
    """
    for answer in answers.values():
        answer.result()


def _present(admin: AdminClient) -> set[Access]:
    every = AclBindingFilter("ANY", None, "ANY", None, None, "ANY", "ANY")  # pyright: ignore[reportArgumentType] - None is any
    return {Access.of(line) for line in admin.describe_acls(every, request_timeout=REQUEST_SECONDS).result()}


def _grant(admin: AdminClient, access: Access) -> None:
    done(admin.create_acls([AclBinding(*astuple(access))], request_timeout=REQUEST_SECONDS))


def _revoke(admin: AdminClient, access: Access) -> None:
    done(admin.delete_acls([AclBindingFilter(*astuple(access))], request_timeout=REQUEST_SECONDS))


def _set_password(admin: AdminClient, user: str, password: SecretStr) -> None:
    info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, SCRAM_ITERATIONS)
    upsertion = UserScramCredentialUpsertion(user, info, password.get_secret_value().encode())
    done(admin.alter_user_scram_credentials([upsertion], request_timeout=REQUEST_SECONDS))


def _delete_user(admin: AdminClient, user: str) -> None:
    deletion = UserScramCredentialDeletion(user, ScramMechanism.SCRAM_SHA_256)
    done(admin.alter_user_scram_credentials([deletion], request_timeout=REQUEST_SECONDS))
