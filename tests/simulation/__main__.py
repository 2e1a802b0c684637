"""``python -m tests.simulation --seeds 5000``: many runs; ``--seed 123 --trace``: one of them, told step by step."""

import argparse
import hashlib
import logging
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from itertools import repeat

from tests.simulation.mutants import MUTANTS, mutated
from tests.simulation.plans import MORE_OF
from tests.simulation.world import Violation, World

CHUNK = 25


def run_one(seed: int, mutant: str | None = None, plan: str | None = None, *, trace: bool = False) -> tuple[str, World]:
    """What was wrong in one run; empty when nothing was. ``plan``: the mutant whose plan it has."""
    world = World(seed, trace=trace, more_of=MORE_OF.get(plan or mutant or ""))
    try:
        world.run()
    except Violation as violation:
        return str(violation), world
    return "", world


def run_many(seeds: Sequence[int], mutant: str | None, plan: str | None = None) -> list[tuple[int, str]]:
    """The runs that went wrong."""
    logging.disable(logging.CRITICAL)
    with mutated(mutant) if mutant else nullcontext():
        return [(seed, wrong) for seed in seeds if (wrong := run_one(seed, mutant, plan)[0])]


def command(seed: int, mutant: str | None = None, plan: str | None = None) -> str:
    """How to see one run again."""
    named = {"--mutant": mutant, "--plan": plan}
    return f"python -m tests.simulation --seed {seed} --trace" + "".join(
        f' {option} "{name}"' for option, name in named.items() if name
    )


def _chunks(first: int, count: int) -> Iterator[range]:
    for start in range(first, first + count, CHUNK):
        yield range(start, min(start + CHUNK, first + count))


def _many(first: int, count: int, mutant: str | None, plan: str | None, jobs: int) -> int:
    began, wrong, done = time.monotonic(), 0, 0
    with ProcessPoolExecutor(jobs) as pool:
        chunks = list(_chunks(first, count))
        for chunk, found in zip(chunks, pool.map(run_many, chunks, repeat(mutant), repeat(plan)), strict=True):
            done += len(chunk)
            for seed, what in found:
                wrong += 1
                print(f"{seed}: {what.splitlines()[0]:.300}\n    {command(seed, mutant, plan)}", flush=True)
    seconds = time.monotonic() - began
    print(f"{done} seeds from {first}, {wrong} wrong, {seconds:.0f} s, {done / seconds * 60:.0f} a minute")
    return wrong


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, default=int(time.time()), help="the first seed; else the clock says")
    parser.add_argument("--seeds", type=int, default=1, help="how many")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--mutant", choices=MUTANTS, help="a fault to be put into the kit")
    parser.add_argument("--plan", choices=MORE_OF, help="what happens: the same as for this fault, without it")
    parser.add_argument("--trace", action="store_true", help="tell one run step by step")
    parser.add_argument("--digest", action="store_true", help="a hash of what happened in the runs")
    asked = parser.parse_args()
    if not (asked.trace or asked.digest):
        return 1 if _many(asked.seed, asked.seeds, asked.mutant, asked.plan, asked.jobs) else 0
    logging.disable(logging.CRITICAL)
    with mutated(asked.mutant) if asked.mutant else nullcontext():
        runs = [
            run_one(seed, asked.mutant, asked.plan, trace=True) for seed in range(asked.seed, asked.seed + asked.seeds)
        ]
    lines = [line for _, world in runs for line in world.trace or ()]
    if asked.trace:
        print("\n".join([*lines, *(wrong for wrong, _ in runs)]))
    if asked.digest:
        print(hashlib.sha256("\n".join(lines).encode()).hexdigest())
    return 1 if any(wrong for wrong, _ in runs) else 0


if __name__ == "__main__":
    sys.exit(main())
