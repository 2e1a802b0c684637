"""F16: a machine that does what people do, in any order, and knows what the API promises for each thing.

Each step asks for something, compares the answer with the model, and notes what it touched; after each step, GET must
show everything that was touched as the model has it. Rooms, companies, contacts and visits are made anew in each
example, so that examples have nothing in common. What the machine does follows from Hypothesis's seed alone.

Here is what all steps stand on, and what holds of every wish. ``machine_rooms``, ``machine_companies`` and
``machine_changes`` add the rest, each upon the one before.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import uuid4

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.faults.asking import Answer, Api, Request
from tests.faults.model import Done, Thing, holds, other

F = TypeVar("F", bound=Callable[..., None])

HERE, COLLEAGUE, ELSEWHERE = "vaao-outreach", "vaao-coordinator", "sasky-outreach"
USERS = (HERE, COLLEAGUE, ELSEWHERE)
UNKNOWN = {"room": "/rooms/{id}", "company": "/companies/{id}", "contact": "/contacts/{id}", "visit": "/visits/{id}"}
LOOK_AT_ALL = 8

users = st.sampled_from(USERS)
some = st.integers(0, 10_000)
"""Which of several: its remainder. What there is to choose from has ids that no seed knows."""


@dataclass(frozen=True)
class Step:
    """Something that people do: a method of the machine, what it is given, and whether it makes sense of an Api."""

    name: str
    arguments: st.SearchStrategy[dict[str, Any]]
    when: Callable[[Api], bool]


STEPS: list[Step] = []


def step(*, when: Callable[[Api], bool] = lambda api: True, **arguments: st.SearchStrategy[Any]) -> Callable[[F], F]:
    """Makes a method a step."""

    def keep(method: F) -> F:
        STEPS.append(Step(method.__name__, st.fixed_dictionaries(arguments), when))
        return method

    return keep


class Machine(RuleBasedStateMachine):
    """What holds of every wish, whatever it is for."""

    def __init__(self, api: Api, steps: Counter[str]) -> None:
        super().__init__()
        self.api = api
        self.steps = steps
        self.things: list[Thing] = []
        self.done: list[Done] = []
        self.touched: dict[str, Thing] = {}
        self.looks = 0
        api.journal.clear()

    @rule(data=st.data())
    def something(self, data: st.DataObject) -> None:
        """One of all steps, each as likely as any other. Rules of their own would be chosen by Hypothesis, which gives
        each example a few of them (swarm testing): better over thousands of examples, and worse over twenty."""
        steps = {each.name: each for each in STEPS if each.when(self.api)}
        name = data.draw(st.sampled_from(sorted(steps)), label="step")
        arguments = data.draw(steps[name].arguments, label=name)
        self.api.journal.append(f"{name}({arguments})")
        getattr(self, name)(**arguments)

    # -- what all steps stand on ---------------------------------------------------------------------------------------

    def of(self, kind: str) -> list[Thing]:
        """All things of a kind."""
        return [thing for thing in self.things if thing.kind == kind]

    def pick(self, kind: str, which: int) -> Thing:
        """One of them."""
        found = self.of(kind)
        return found[which % len(found)]

    def post(self, user: str, path: str, body: Any = None, **more: str) -> Request:
        """A wish of its own."""
        return Request(user, "POST", path, body, key=str(uuid4()), **more)

    def refused(self, answer: Answer, status: int, code: str) -> None:
        """It must have been refused so. Raises Disagrees."""
        holds(
            (answer.status, answer.code) == (status, code),
            f"answered with {answer.status} {answer.code}, and should be with {status} {code}",
        )
        holds(not answer.replayed, "a refusal is never a replay")

    def granted(self, answer: Answer, status: int) -> None:
        """It must have been granted. Raises Disagrees."""
        holds(answer.status == status, f"answered with {answer.status} {answer.code}, and should be with {status}")
        holds(answer.tries > 1 or not answer.replayed, "replayed, and never asked for before")

    def made(self, kind: str, request: Request, answer: Answer, version: int, body: dict[str, Any]) -> Thing:
        """Something new: as it was wished, under an id that it did not have before."""
        self.granted(answer, 201)
        holds(answer.body.get("id") not in {thing.id for thing in self.things}, "two things have one id")
        path = UNKNOWN[kind].format(id=answer.body.get("id"))
        thing = Thing(kind, request.user, path, {"id": answer.body.get("id"), **body}, version)
        thing.seen(answer.body, answer.version)
        self.things.append(thing)
        self.remember(request, answer, thing)
        return thing

    def remember(self, request: Request, answer: Answer, thing: Thing, *, changed: bool = True) -> None:
        """To be asked for again. What changed nothing has no receipt: its answer is lost with a process that is killed
        in the moment after, and then decided anew, which changes nothing either."""
        self.touched[thing.path] = thing
        if request.key and (changed or not self.api.rough):
            self.done.append(Done(request, answer, thing))

    @invariant()
    def what_was_touched_is_as_it_should_be(self) -> None:
        """GET shows what the model has; now and then also of all that was not touched, where nothing may change."""
        self.looks += 1
        touched = self.things if self.looks % LOOK_AT_ALL == 0 else list(self.touched.values())
        self.touched = {}
        self.look(touched)

    def look(self, things: list[Thing]) -> None:
        """GET shows these as they should be. Raises Disagrees."""
        answers = self.api.at_once(*(Request(thing.user, "GET", thing.path) for thing in things))
        for thing, answer in zip(things, answers, strict=True):
            holds(answer.status == 200, f"GET {thing.path}: {answer.status} {answer.code}")
            thing.seen(answer.body, answer.version)

    # -- every wish ----------------------------------------------------------------------------------------------------

    @step(which=some, at_once=st.integers(1, 3))
    def a_wish_is_repeated(self, which: int, at_once: int) -> None:
        """It is answered as it was, says so, and does nothing."""
        self.steps["repeat a wish"] += 1
        done = self.done[which % len(self.done)]
        for answer in self.api.at_once(*[done.request] * at_once):
            holds(answer.same == done.answer.same, f"repeated {done.request}: {answer}, and it was {done.answer}")
            holds(answer.replayed, f"repeated {done.request}: it does not say so")
        self.touched[done.thing.path] = done.thing

    @step(which=some)
    def a_key_is_for_one_wish(self, which: int) -> None:
        """The same key with another body is refused, and does nothing."""
        # Another company to register is another aggregate, where only the memory of a day tells: see below.
        wishes = [done for done in self.done if "business_id" not in (done.request.body or {})]
        if not wishes:
            return
        done = wishes[which % len(wishes)]
        self.steps["another body under a key"] += 1
        self.refused(self.api.ask(done.request.but(body=other(done.request), kind="")), 422, "key-reused")
        self.touched[done.thing.path] = done.thing

    @step(when=lambda api: not api.rough, which=some, seats=st.integers(1, 5))
    def a_key_is_for_one_thing(self, which: int, seats: int) -> None:
        """The same key at another address is refused. (Which a process that is killed at once may forget.)"""
        wishes = [done for done in self.done if done.request.path.startswith("/rooms/")]
        if not wishes:
            return
        done = wishes[which % len(wishes)]
        self.steps["another address under a key"] += 1
        asked = Request(done.request.user, "POST", "/rooms", {"seats": seats}, key=done.request.key)
        self.refused(self.api.ask(asked), 422, "key-reused")

    @step(which=some, wrong=st.sampled_from(["no key", "short key", "no If-Match", "If-Match that is none"]))
    def headers_are_needed(self, which: int, wrong: str) -> None:
        """A POST without a key and a PATCH without a version do nothing."""
        self.steps["headers missing or wrong"] += 1
        thing = self.things[which % len(self.things)]
        if "key" in wrong:
            asked = Request(HERE, "POST", "/rooms", {"seats": 1}, key="" if wrong == "no key" else "short")
            self.refused(self.api.ask(asked), 400, "key-missing" if wrong == "no key" else "key-wrong")
        elif thing.kind in ("company", "contact"):
            body = {"tags": ["wrong"]} if thing.kind == "company" else {"name": "Väärä"}
            asked = Request(thing.user, "PATCH", thing.path, body, match="" if wrong == "no If-Match" else '"three"')
            code = "if-match-missing" if wrong == "no If-Match" else "if-match-wrong"
            self.refused(self.api.ask(asked), 428 if wrong == "no If-Match" else 400, code)
            self.touched[thing.path] = thing

    @step(which=some, writes=st.booleans(), known=st.booleans())
    def strangers_find_nothing(self, which: int, writes: bool, known: bool) -> None:
        """Another college's thing is like one that does not exist, to read and to write."""
        self.steps["another college's, or unknown"] += 1
        thing = self.things[which % len(self.things)]
        stranger = thing.user if not known else ELSEWHERE if thing.college == "vaao" else HERE
        path = thing.path if known else UNKNOWN[thing.kind].format(id=uuid4())
        match thing.kind if writes else "":
            case "room":
                asked = self.post(stranger, f"{path}/reservations", {"guest": "Vieras"})
            case "company":
                asked = self.post(stranger, f"{path}/contacts", {"name": "Vieras", "phone": "040 123 4567"})
            case "contact":
                asked = Request(stranger, "PATCH", path, {"name": "Vieras"}, match=thing.etag)
            case "visit":
                asked = self.post(stranger, f"{path}/cancel")
            case _:
                asked = Request(stranger, "GET", path)
        self.refused(self.api.ask(asked), 404, f"{thing.kind}-unknown")
        self.touched[thing.path] = thing
