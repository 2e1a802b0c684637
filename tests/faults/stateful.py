"""F16: the state machine of the API, run in the rig while instances are killed; and as a function for tests."""

import asyncio
import itertools
import traceback
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.reporting import with_reporter
from hypothesis.stateful import run_state_machine_as_test

from tests.faults.asking import Api
from tests.faults.fault import Outcome
from tests.faults.kills import two_of_each
from tests.faults.machine_changes import Everything
from tests.faults.rig import NotReady, Rig
from tests.faults.working import import_register

STEPS = 25
KILL_SECONDS = (2, 5)
FIRST_NUMBER = 300_000
NUMBERS_EACH = 20
"""Companies that an example may register, more than it ever did."""

ADDRESS = "koe.0@faults.example"


@dataclass(frozen=True)
class Told:
    """What a run of the machine did; ``why`` says in a line where API and model disagreed, and is empty when they did
    not, ``wrong`` how it came to that."""

    seed: int
    examples: int = 0
    requests: int = 0
    done: Mapping[str, int] = field(default_factory=dict[str, int])
    again: Mapping[str, int] = field(default_factory=dict[str, int])
    why: str = ""
    wrong: str = ""

    @property
    def steps(self) -> int:
        """Steps that were carried out."""
        return sum(self.done.values())


def drive(api: Api, number: int, examples: int, steps: int = STEPS, *, shrink: bool = False) -> Told:
    """Run so many examples of so many steps; what is done follows from the seed ``number``. It blocks, so that it wants
    a thread other than that of the Api's loop. ``shrink``: look for the smallest example that fails."""
    done, lines, begun, before = Counter[str](), list[str](), itertools.count(), api.asked

    class Example(Everything):
        def __init__(self) -> None:
            super().__init__(api, done)
            next(begun)

    def keep(line: object) -> None:
        lines.append(str(line))

    wanted = settings(
        max_examples=examples,
        stateful_step_count=steps,
        phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
        database=None,  # nothing of another run: the seed says it all
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
        print_blob=True,
        report_multiple_bugs=False,
    )
    why, wrong = "", ""
    try:
        with with_reporter(keep):
            run_state_machine_as_test(seed(number)(Example), settings=wanted)
    except Exception as error:  # of any kind: a machine that stumbles has found something too
        why = "; ".join(_causes(error))
        wrong = "\n".join(
            [
                *traceback.format_exception(error),
                *lines,
                f"seed {number}, {examples} examples of {steps} steps. The last requests:",
                *api.journal,
            ]
        )
    return Told(number, next(begun), api.asked - before, dict(done), dict(api.again), why, wrong)


def _causes(error: BaseException) -> list[str]:
    """What was raised; Hypothesis puts a failure that does not come again into a group."""
    if isinstance(error, BaseExceptionGroup):
        return [cause for each in error.exceptions for cause in _causes(each)]
    return [f"{type(error).__name__}: {error}"]


async def machine(rig: Rig, random: Random, amount: int) -> Outcome:
    """F16: examples of the machine, while random instances are killed, and others work."""
    first = FIRST_NUMBER + random.randrange(100_000)
    numbers = range(first, first + amount * NUMBERS_EACH)
    environment = {**rig.environment("companies"), "MONGO_URI": rig.layout.mongo_uri}
    await asyncio.to_thread(import_register, environment, numbers)
    api = Api(rig.person, asyncio.get_running_loop(), itertools.count(first), ADDRESS, rough=True, ledger=rig.ledger)
    killed = Counter[str]()
    async with two_of_each(rig) as instances:
        killing = asyncio.gather(
            *(_kill(rig, Random(f"{random.random()}"), instances[name], killed) for name in ("companies", "seats"))
        )
        try:
            told = await asyncio.to_thread(drive, api, random.getrandbits(32), amount)
        finally:
            killing.cancel()
            await asyncio.gather(killing, return_exceptions=True)
    for line in told.wrong.splitlines():
        rig.say(f"  {line}")
    counts = {"examples": told.examples, "steps": told.steps, "requests": told.requests, "kills": killed.total()}
    return Outcome(
        {**counts, "asked again": sum(told.again.values())},
        (f"seed {told.seed}: {told.why}",) if told.wrong else (),
        times=told.examples,
    )


async def _kill(rig: Rig, random: Random, instances: Sequence[str], killed: Counter[str]) -> None:
    """One instance of a service at a time, the next when it is back: one always answers, so that much is asked."""
    while True:
        await asyncio.sleep(random.uniform(*KILL_SECONDS))
        victim = random.choice(instances)
        killed[victim] += await rig.kill(victim)
        with suppress(NotReady):
            await rig.ready(victim)
