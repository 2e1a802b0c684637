"""All faults, in the order in which a run does them."""

from collections.abc import Sequence

from tests.faults import (
    again,
    clocks,
    disks,
    frozen,
    identity,
    kills,
    networks,
    poison,
    rebalancing,
    receivers,
    scaling,
    stateful,
)
from tests.faults.fault import Fault
from tests.faults.parts import PAST

OURS = frozenset({"mongo", "kafka"})
KAFKA = frozenset({"kafka"})
BEFORE = frozenset({PAST})  # what was written is taken again, and the run has to know all of it

ALL: Sequence[Fault] = (
    Fault("F1", "kill -9 of a random service", kills.services, full=200, seconds=3.5, least=3),
    Fault("F2", "a relay stopped in the middle of publishing, then continued", frozen.relays, full=12, seconds=25),
    Fault("F3", "kill -9 of the store", kills.store, full=60, seconds=6, least=2, kills=frozenset({"mongo"})),
    Fault("F4", "Kafka restarted, and killed", kills.kafka, full=40, seconds=12, least=2, kills=KAFKA),
    Fault(
        "F5", "networks that reset, swallow, delay, and lose answers", networks.between, full=60, seconds=18, least=4
    ),
    Fault("F6", "consumer offsets back to the beginning", again.offsets_back, full=6, seconds=40, kills=BEFORE),
    Fault("F7", "messages again, shuffled across keys", again.shuffled, full=6, seconds=25, kills=BEFORE),
    Fault("F8", "messages that cannot be taken", poison.poison, full=5, seconds=90, least=2, kills=BEFORE),
    Fault("F9", "clocks that jump ten minutes each way", clocks.jumps, full=12, seconds=25, least=2),
    Fault("F10", "a full disk, of the store and of Kafka", disks.full, full=8, seconds=30, least=2, kills=OURS),
    Fault("F11", "a receiver that hangs for 30 s", receivers.hang, full=6, seconds=70),
    Fault("F12", "from 1 to 4 to 2 instances, a step every 5 s", scaling.instances, full=6, seconds=45, least=2),
    Fault("F13", "a rebalance in the middle of a batch", rebalancing.rebalances, full=30, seconds=18, least=2),
    Fault("F14", "500 clients for the last 100 seats", scaling.rush, full=6, seconds=25),
    Fault("F15", "the identity provider gone", identity.gone, full=40, seconds=15),
    Fault("F16", "people in any order (Hypothesis), under kills", stateful.machine, full=200, seconds=4, least=4),
)
