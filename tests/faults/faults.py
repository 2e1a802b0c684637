"""All faults, in the order in which a run does them."""

from collections.abc import Sequence

from tests.faults import kills, scaling
from tests.faults.fault import Fault

ALL: Sequence[Fault] = (
    Fault("F1", "kill -9 of a random service", kills.services, full=200, seconds=3.5, least=3),
    Fault("F3", "kill -9 of the store", kills.store, full=60, seconds=6, least=2, kills=frozenset({"mongo"})),
    Fault("F4", "Kafka restarted, and killed", kills.kafka, full=20, seconds=20, least=2, kills=frozenset({"kafka"})),
    Fault("F12", "from 1 to 4 to 2 instances, a step every 5 s", scaling.instances, full=6, seconds=45),
    Fault("F13", "a rebalance in the middle of a batch", scaling.rebalances, full=30, seconds=7, least=2),
    Fault("F14", "500 clients for the last 100 seats", scaling.rush, full=6, seconds=25),
)
