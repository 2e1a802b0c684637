"""``python -m tests.faults``: a run of the fault rig. Exits with 1 when an invariant was violated.

python -m tests.faults --minutes 10 --seed 7 --only F1,F3
python -m tests.faults --short
python -m tests.faults --full --report docs/faults.md
python -m tests.faults --mongo-uri mongodb://db.example/?replicaSet=rs --kafka-bootstrap kafka.example:9092
"""

import argparse
import secrets
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random

from rich.console import Console

from deploy.local.progress import Failed
from tests.faults import faults, report, short
from tests.faults.fault import Fault
from tests.faults.parts import Outside
from tests.faults.running import Wanted, run

MINUTES = 10.0


def main(arguments: Sequence[str]) -> int:
    """Run, and say with the exit code whether everything held."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description="Faults that must lose nothing.")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="about how long the faults may take (10)")
    parser.add_argument("--short", action="store_true", help="three minutes in all: F1, F3, and others by the seed")
    parser.add_argument("--full", action="store_true", help="all amounts in full, however long it takes")
    parser.add_argument("--seed", type=int, help="repeats a run's choices; made up and printed when it is not given")
    parser.add_argument("--only", default="", help="faults by code, with commas between: F1,F3")
    parser.add_argument("--report", type=Path, help="a file for the report in Markdown")
    parser.add_argument("--mongo-uri", default="", help="a MongoDB of yours, instead of the embedded store")
    parser.add_argument("--kafka-bootstrap", default="", help="a Kafka of yours, instead of one of the rig's own")
    chosen = parser.parse_args(arguments)
    for stopping in (signal.SIGINT, signal.SIGTERM):  # SIGINT too: what a shell starts with & ignores it
        signal.signal(stopping, signal.default_int_handler)
    seed = chosen.seed if chosen.seed is not None else secrets.randbelow(1_000_000)
    wanted = Wanted(
        short.chosen(faults.ALL, Random(f"short {seed}")) if chosen.short else _chosen(parser, chosen.only),
        seed,
        short.SECONDS / 60 if chosen.short else chosen.minutes,
        full=chosen.full,
        short=chosen.short,
        named=chosen.short or bool(chosen.only.strip()),
        outside=Outside(chosen.mongo_uri, chosen.kafka_bootstrap),
    )
    console = Console(highlight=False, soft_wrap=True)
    try:
        result = run(wanted, console)
    except Failed as failed:
        console.print(str(failed), markup=False)
        return 2
    text = report.page(result)
    if chosen.report:
        chosen.report.write_text(text)
    console.print(text, markup=False)
    return 0 if result.holds else 1


def _chosen(parser: argparse.ArgumentParser, only: str) -> Sequence[Fault]:
    codes = [code.strip() for code in only.split(",") if code.strip()]
    known = {fault.code: fault for fault in faults.ALL}
    if strange := [code for code in codes if code not in known]:
        parser.error(f"there is no fault {', '.join(strange)}; there are {', '.join(known)}")
    return [fault for fault in faults.ALL if not codes or fault.code in codes]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
