"""Changes by If-Match, one by one and several at once, and lists of what there is."""

from typing import Any
from uuid import uuid4

from hypothesis import strategies as st

from tests.faults.asking import Answer, Request
from tests.faults.machine import some, step
from tests.faults.machine_companies import Companies
from tests.faults.model import Thing, holds

FIGURES_MAX = 5

matches = st.sampled_from(["fresh", "fresh", "fresh", "stale", "future", "*"])


class Everything(Companies):
    """The whole machine."""

    # -- changes by If-Match -------------------------------------------------------------------------------------------

    @step(kind=st.sampled_from(["company", "contact", "visit"]), which=some, match=matches, keyed=st.booleans(),
          figures=st.lists(st.integers(0, FIGURES_MAX), min_size=3, max_size=3))  # fmt: skip
    def change(self, kind: str, which: int, match: str, keyed: bool, figures: list[int]) -> None:
        """With the version that was seen, it is changed; with another, it is not."""
        self.steps[f"change a {kind}, If-Match {match}"] += 1
        thing = self.pick(kind, which)
        if thing.more:
            self.look([thing])
        change = self._change(thing, figures)
        numbers = {"fresh": thing.version, "stale": thing.version - 1, "future": thing.version + 100}
        etag = f'"{numbers[match]}"' if match in numbers else "*"
        asked = Request(
            thing.user, "PATCH", thing.path, change, str(uuid4()) if keyed else "", etag, f"change-{kind}", thing.path
        )
        answer = self.api.ask(asked)
        self.touched[thing.path] = thing
        after = thing.after(change)
        if answer.status == 412 and match == "fresh" and (thing.more or (not keyed and answer.tries > 1)):
            self._lost_or_overtaken(thing, after, answer)
        elif match in ("stale", "future"):
            self.refused(answer, 412, "version-stale")
        elif isinstance(after, str):
            self.refused(answer, 422 if kind == "contact" else 409, after)
        else:
            self.granted(answer, 200)
            changed, after = after != thing.body, thing.by_now(after, answer.body)
            thing.became(after, answer.version, thing.moves() if changed else 0)
            holds(answer.body == after, f"{thing.path}: {answer.body}, and should be {after}")
            self.remember(asked, answer, thing, changed=changed)

    def _lost_or_overtaken(self, thing: Thing, after: Any, answer: Answer) -> None:
        """A policy was quicker; or the answer was lost, without a key, and the repeat met what the first had done."""
        shown = self.api.ask(Request(thing.user, "GET", thing.path))
        if answer.tries > 1 and after != thing.body and shown.body == (after := thing.by_now(after, shown.body)):
            thing.became(after, shown.version, thing.moves())
        else:
            holds(shown.version > thing.version, f"{thing.path}: refused as stale, and nothing changed")
            thing.seen(shown.body, shown.version)

    def _change(self, thing: Thing, figures: list[int]) -> dict[str, Any]:
        match thing.kind:
            case "company":
                return {"tags": [self.mark, *(f"tag-{figure}" for figure in figures)][figures[0] % 2 :]}
            case "contact":
                all: dict[str, Any] = {
                    "name": f"Aino Koe {figures[0]}",
                    "email": [None, self.api.address][figures[1] % 2],
                    "phone": [None, "040 123 4567"][figures[2] % 2],
                }
                return {name: value for at, (name, value) in enumerate(all.items()) if figures[at] > 1}
            case _:
                return self.day(2 + figures[0])

    @step(kind=st.sampled_from(["company", "contact", "visit"]), which=some, many=st.integers(2, 4),
          cancelling=st.booleans())  # fmt: skip
    def change_at_once(self, kind: str, which: int, many: int, cancelling: bool) -> None:
        """Several upon one version: just one is done. A visit may be cancelled meanwhile, which asks for no version."""
        things = [each for each in self.of(kind) if not each.more and each.body.get("status", "planned") == "planned"]
        if not things:
            return
        self.steps[f"change a {kind} at once"] += 1
        thing = things[which % len(things)]
        figures = [[number, 2, 3] for number in range(2, 2 + many)]
        changes = [{**self._change(thing, each)} for each in figures]
        changes = [change for change in changes if thing.after(change) != thing.body]
        asked = [
            Request(thing.user, "PATCH", thing.path, change, str(uuid4()), thing.etag, f"change-{kind}", thing.path)
            for change in changes
        ]
        also = [self.post(thing.user, f"{thing.path}/cancel", kind="cancel-visit", about=thing.path)]
        also = also if kind == "visit" and cancelling else []
        answers = self.api.at_once(*asked, *also)
        won = [each for each in zip(asked, answers, strict=False) if each[1].status == 200]
        holds(len(won) == 1 or (also and not won), f"{len(won)} changed {thing.path} at version {thing.version}")
        for request, answer in won:
            after = thing.after(request.body)
            assert isinstance(after, dict)
            thing.became(after, answer.version, thing.moves())
            holds(answer.body == after, f"{thing.path}: {answer.body}, and should be {after}")
            self.remember(request, answer, thing)
        for answer in answers[: len(asked)]:
            if answer.status != 200:
                self.refused(answer, 412, "version-stale")
        for request, answer in zip(also, answers[len(asked) :], strict=True):
            thing.became({**thing.body, "status": "cancelled"}, answer.version, 1 + thing.told)
            holds(answer.body == thing.body, f"{thing.path}: {answer.body}, and should be {thing.body}")
            self.remember(request, answer, thing)
        self.touched[thing.path] = thing

    # -- lists ---------------------------------------------------------------------------------------------------------

    @step(which=some, limit=st.integers(1, 3), kind=st.sampled_from(["contact", "visit", "tagged"]),
          down=st.booleans(), adding=st.booleans())  # fmt: skip
    def lists_show_what_there_is(self, which: int, limit: int, kind: str, down: bool, adding: bool) -> None:
        """Page after page, in order, nothing twice and nothing left out; what was added meanwhile disturbs nobody."""
        self.steps[f"list {kind}s"] += 1
        company = self.pick("company", which)
        path, field, wanted = self._listed(kind, company)
        path += f"&limit={limit}&sort={'-' * down}{field}"
        expected = [thing.body for thing in wanted]
        expected.sort(key=lambda body: (body[field], body["id"]), reverse=down)
        shown, cursor = list[Any](), ""
        while True:
            answer = self.api.ask(Request(company.user, "GET", path + cursor))
            holds(answer.status == 200, f"{path}: {answer.status} {answer.code}")
            shown += answer.body["items"]
            if answer.body["next"] is None:
                break
            holds(len(answer.body["items"]) == limit, f"{path}: a page that is not full, and not the last")
            cursor = f"&cursor={answer.body['next']}"
            if adding and kind == "contact":
                adding = False
                self.add_contacts(which, ["Leevi Koe"], "040 123 4567", False)
        added = [each for each in shown if each["id"] not in {body["id"] for body in expected}]
        holds(all(each["name"] == "Leevi Koe" for each in added) and len(added) <= 1, f"{path} shows also {added}")
        shown = [each for each in shown if each not in added]
        holds(shown == expected, f"{path} shows {shown}, and should {expected}")

    def _listed(self, kind: str, company: Thing) -> tuple[str, str, list[Thing]]:
        if kind == "tagged":
            tagged = [
                each
                for each in self.of("company")
                if self.mark in each.body["tags"] and each.college == company.college
            ]
            return f"/companies?tag={self.mark}", "name", tagged
        mine = [each for each in self.of(kind) if each.body["company_id"] == company.id]
        if kind == "contact":
            return (
                f"{company.path}/contacts?role=other",
                "name",
                [each for each in mine if each.body["role"] == "other"],
            )
        open = [each for each in mine if each.body["status"] != "cancelled"]
        return f"/visits?company_id={company.id}&status=planned&status=recorded", "starts_at", open
