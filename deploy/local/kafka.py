"""Apache Kafka, one node in KRaft mode: the network's log.

Three listeners: INTERNAL for the services (plain, loopback only), PARTNER for other colleges (SCRAM; in production with
TLS), CONTROLLER for itself. Access lists are on, and nobody may do anything without one, save the local super users.
Topics are never made by asking for them: `tyrsky topics apply` makes them.
"""

import asyncio
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from deploy.local import jars
from deploy.local.part import JAVA, Part, carry_out, listens
from deploy.local.progress import Say
from deploy.local.stack import HOST, Stack

HEAP_MB = 320
FORMAT_SECONDS = 60
ADMIN_PASSWORD = "admin"  # noqa: S105 - of the local stack alone, whose listeners are on the loopback interface


@dataclass(frozen=True)
class Proxied:
    """A listener whose clients are told another port, which a proxy listens on."""

    port: int
    told: int


PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{controller}
listeners=INTERNAL://{internal},PARTNER://{partner},CONTROLLER://{controller}
advertised.listeners=INTERNAL://{internal},PARTNER://{partner}
listener.security.protocol.map=INTERNAL:PLAINTEXT,PARTNER:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=INTERNAL
controller.listener.names=CONTROLLER
sasl.enabled.mechanisms=SCRAM-SHA-256
listener.name.partner.scram-sha-256.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required;

authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=false
# ANONYMOUS is whoever comes in through INTERNAL: the services of this machine.
super.users=User:ANONYMOUS;User:admin
auto.create.topics.enable=false

# One node: nothing can be replicated, nobody need be waited for, and few partitions do.
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=4
group.initial.rebalance.delay.ms=0
# A broker that was killed is back in 5 seconds; by Kafka's defaults in 14.
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
log.segment.bytes=67108864
log.dirs={data}
"""


def part(stack: Stack, proxied: Mapping[str, Proxied] | None = None) -> Part:
    """The broker; with ``proxied`` a listener more for each of these names, that is reached through a proxy."""
    folder = stack.folder / "kafka"
    java = [JAVA, f"-Xmx{HEAP_MB}m", "-XX:+UseSerialGC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]
    return Part(
        name="kafka",
        command=[*java, "-cp", jars.class_path("kafka"), "kafka.Kafka", str(folder / "server.properties")],
        ready=lambda: listens(HOST, stack.ports["kafka"]) or _takes_requests(stack.address("kafka")),
        ports=("kafka", "kafka-controller", "kafka-partner"),
        prepare=lambda say: _prepare(stack, folder, proxied or {}, say),
        stop_seconds=30,
    )


def _prepare(stack: Stack, folder: Path, proxied: Mapping[str, Proxied], say: Say) -> None:
    jars.fetch("kafka", say)
    folder.mkdir(parents=True, exist_ok=True)
    properties = PROPERTIES.format(
        internal=stack.address("kafka"),
        partner=stack.address("kafka-partner"),
        controller=stack.address("kafka-controller"),
        data=folder / "log",
    )
    (folder / "server.properties").write_text(with_listeners(properties, proxied))
    if not (folder / "log" / "meta.properties").exists():
        say("formatting its folder")
        _format(folder)


def with_listeners(properties: str, proxied: Mapping[str, Proxied]) -> str:
    """The properties with more plain listeners. A broker tells its clients where to go on: each learns of its proxy."""
    for name, where in proxied.items():
        for setting, added in (
            ("listeners=", f",{name}://{HOST}:{where.port}"),
            ("advertised.listeners=", f",{name}://{HOST}:{where.told}"),
            ("listener.security.protocol.map=", f",{name}:PLAINTEXT"),
        ):
            properties = re.sub(rf"^{re.escape(setting)}.*$", rf"\g<0>{added}", properties, flags=re.MULTILINE)
    return properties


def _format(folder: Path) -> None:
    """A new cluster, with an administrator: SCRAM users can only be made by one who is in already."""
    tool = [JAVA, "-cp", jars.class_path("kafka"), "kafka.tools.StorageTool"]
    identity = (
        carry_out("Kafka's storage tool", [*tool, "random-uuid"], seconds=FORMAT_SECONDS).strip().splitlines()[-1]
    )
    admin = f"SCRAM-SHA-256=[name=admin,password={ADMIN_PASSWORD}]"
    command = [*tool, "format", "-t", identity, "-c", str(folder / "server.properties"), "--add-scram", admin]
    carry_out("Kafka's storage tool", command, seconds=FORMAT_SECONDS)


def _takes_requests(bootstrap: str) -> str:
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it is expected not to answer for a while

    async def ask() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=2000)
        try:
            await admin.start()
            await admin.list_topics()
        finally:
            await admin.close()

    try:
        asyncio.run(ask())
    except (KafkaError, OSError) as error:
        return f"its first answer ({type(error).__name__})"
    return ""
