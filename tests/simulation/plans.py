"""What some faults need to show, and what chance seldom brings about: each mutant's own plan."""

from typing import Any

from tests.simulation.network import Weather

CROWD: dict[str, Any] = {"rooms": 1, "customers": 4, "wishes": 3, "instances": 2, "poison": 0.0, "again": 0.0}
"""So much goes on in one room that what is published again is seen to go back."""

HANGING: dict[str, Any] = {**CROWD, "faults": ("no-mark",), "how_many": 4, "ambushes": ("kafka.end",)}
"""Kafka leaves the end of a transaction out of a partition, and all else goes well."""

MANY_HANG = "no mutant: what hangs has more of the same producer behind it, and that is aborted"

MORE_OF: dict[str, dict[str, Any]] = {
    "frees a key with letters left": {
        "faults": ("hold",),
        "how_many": 8,
        "ambushes": ("dead_letters.delete_one",),
        "poison": 0.5,
        "rooms": 1,
        "customers": 4,
        "wishes": 3,
    },
    "takes a message for written": {
        "rooms": 3,
        "customers": 12,
        "wishes": 4,
        "instances": 3,
        "faults": ("freeze",),
        "how_many": 4,
        "ambushes": ("rooms.update_one", "rooms.find_one"),
    },
    "takes over without fencing": {
        "faults": ("freeze",),
        "how_many": 4,
        "ambushes": ("rooms.update_one", "rooms.insert_one", "trays.update_one"),
        "instances": 2,
    },
    "takes over without looking": {"faults": ("kill",), "how_many": 4, "ambushes": ("kafka.end", "rooms.bulk_write")},
    "forgets a holder that lost track": {
        **CROWD,
        "faults": ("restart",),
        "how_many": 6,
        "ambushes": ("kafka.end", "rooms.bulk_write", "kafka.produce"),
        "weather": Weather(late=0.5, lost=0.1),
    },
    "fences one lane": {
        **CROWD,
        "faults": ("freeze",),
        "how_many": 12,
        "customers": 6,
        "ambushes": ("rooms.update_one",),
    },
    "fences and leaves open what hangs": HANGING,
    MANY_HANG: {
        "rooms": 8,
        "customers": 12,
        "wishes": 4,
        "instances": 2,
        "poison": 0.0,
        "again": 0.0,
        "weather": Weather(late=0.5),
        "faults": ("no-mark", "hold", "freeze", "kill"),
        "how_many": 12,
        "ambushes": ("kafka.end", "kafka.end", "kafka.produce"),
    },
    "clears what nobody sees yet": {**HANGING, "faults": ("no-mark", "restart"), "how_many": 8},
    "sends before it says where": {**CROWD, "faults": ("kill",), "how_many": 4, "ambushes": ("kafka.end",)},
    "takes what is published for cleared": {
        **CROWD,
        "faults": ("hold",),
        "how_many": 8,
        "ambushes": ("rooms.bulk_write",),
    },
    "moves on before all is cleared": {**CROWD, "faults": ("hold",), "how_many": 8, "ambushes": ("rooms.bulk_write",)},
    "forgets claims of the forgotten": {
        **CROWD,
        "faults": ("hold", "hold", "restart", "kill"),
        "how_many": 8,
        "ambushes": ("rooms.update_one", "rooms.insert_one"),
    },
    "never gives orphans up": {
        **CROWD,
        "faults": ("hold",),
        "how_many": 4,
        "ambushes": ("rooms.update_one", "rooms.insert_one"),
    },
}
"""For instance: a letter that comes in the moment before its key is freed; a process frozen with a claim in hand;
one that is killed between the commit and the clearing; a save that arrives when its sender was forgotten."""
