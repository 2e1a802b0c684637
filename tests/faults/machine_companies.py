"""Companies, contacts and visits: registered, added, planned, cancelled and recorded."""

import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from companies import testing
from hypothesis import strategies as st
from hypothesis.stateful import initialize

from tests.faults.asking import Answer, Api, Request
from tests.faults.machine import COLLEAGUE, ELSEWHERE, HERE, some, step, users
from tests.faults.machine_rooms import Rooms
from tests.faults.model import Thing, holds, times

SOON_SECONDS = 2
BEGUN_SECONDS = 0.2

RIGHTS = {
    "basis": "public-task",
    "source": "other",
    "consent": None,
    "objection": None,
    "objected_in_network_at": None,
    "may_be_written_to": True,
    "period_ends_on": None,
    "addresses_until": None,
    "erased_at": None,
}
"""Of somebody of whom nothing is said but who it is."""
TAKEN: dict[str, Any] = {
    "origin": "register",
    "municipality": "908",
    "business_line": "56300",
    "business_line_codes": "TOL2025",
    "situation": "active",
    "stage": "unknown",
    "reached": [],
    "tags": [],
    "relations": [],
    "owner": None,
    "next_step": None,
    "fields": {},
    "merged_into": None,
    "absorbed": [],
}
"""What a company has that was taken into care from the rig's register."""
PLANNED: dict[str, Any] = {
    "manner": "on-site",
    "partners": [],
    "partners_see_contact": False,
    "remarks": [],
    "answered_at": None,
    "answer_words": "",
    "needs": [],
    "notes": "",
}
"""What a visit has that was planned and no more."""

names = st.sampled_from(["Aino Koe", "Eino Koe", "Öljy Koe", "aino koe", "Zorro Koe"])
phones = st.sampled_from(["040 123 4567", "+358 40 1"])


class Companies(Rooms):
    """Rooms, and companies with all that is about them."""

    def __init__(self, api: Api, steps: Counter[str]) -> None:
        super().__init__(api, steps)
        self.mark = uuid4().hex[:12]
        self.soon = False
        self.today = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0)

    def day(self, number: int) -> dict[str, str]:
        """A visit's times: so many days from today."""
        return times(self.today + timedelta(days=number))

    # -- companies -----------------------------------------------------------------------------------------------------

    @initialize()
    def first_company(self) -> None:
        """There is always one, with somebody in it, and a visit."""
        self.register(HERE, False)
        self.add_contacts(0, ["Zorro Koe", "Aino Koe", "Aino Koe"], None, True)
        self.plan(0, None, 2, False)

    @step(user=users, at_once=st.booleans())
    def register(self, user: str, at_once: bool) -> None:
        """Once in a college, also when two people, or two colleges, do it in the same moment."""
        self.steps["register a company" + " at once" * at_once] += 1
        body = {"business_id": testing.business_id(next(self.api.numbers))}
        more = {"kind": "register-company", "about": "/companies/{id}"}
        asked = [self.post(user, "/companies", body, **more)]
        if at_once:
            asked += [self.post(each, "/companies", body, **more) for each in (HERE, COLLEAGUE, ELSEWHERE)]
        answers = self.api.at_once(*asked)
        for college in {request.college for request in asked}:
            mine = [each for each in zip(asked, answers, strict=True) if each[0].college == college]
            won = [each for each in mine if each[1].status == 201]
            holds(len(won) == 1, f"{len(won)} people registered one company in {college}")
            thing = self._registered(*won[0], body["business_id"])
            for _, answer in mine:
                if answer is not won[0][1]:
                    self.refused(answer, 409, "company-already-registered")
            holds(thing.college == college, "whose it is")

    def _registered(self, request: Request, answer: Answer, business_id: str) -> Thing:
        return self.made(
            "company", request, answer, 1, {**TAKEN, "business_id": business_id, "name": answer.body.get("name")}
        )

    @step(which=some)
    def register_again(self, which: int) -> None:
        """A company that is there is refused, and stays as it is."""
        self.steps["register again"] += 1
        company = self.pick("company", which)
        asked = self.post(company.user, "/companies", {"business_id": company.body["business_id"]})
        self.refused(self.api.ask(asked), 409, "company-already-registered")
        self.touched[company.path] = company

    # -- contacts and visits -------------------------------------------------------------------------------------------

    @step(which=some, who=st.lists(names, min_size=1, max_size=4), phone=st.none() | phones, mail=st.booleans())
    def add_contacts(self, which: int, who: list[str], phone: str | None, mail: bool) -> None:
        """People at a company, who can be reached."""
        self.steps["add contacts"] += 1
        company = self.pick("company", which)
        body = {"role": "other", "language": "fi", "phone": phone, "email": self.api.address if mail else None}
        asked = [
            self.post(
                company.user,
                f"{company.path}/contacts",
                {**body, "name": name},
                kind="add-contact",
                about="/contacts/{id}",
            )
            for name in who
        ]
        for request, answer in zip(asked, self.api.at_once(*asked), strict=True):
            if phone or mail:
                days = {name: answer.body.get(name) for name in ("collected_on", "keep_until")}
                self.made("contact", request, answer, 2, {**request.body, **RIGHTS, **days, "company_id": company.id})
            else:
                self.refused(answer, 422, "contact-unreachable")

    @step(which=some, contact=st.none() | some, day=st.integers(2, 5), backwards=st.booleans())
    def plan(self, which: int, contact: int | None, day: int, backwards: bool) -> None:
        """A visit to a company, perhaps to one of its contacts."""
        self.steps["plan a visit"] += 1
        company, people = self.pick("company", which), self.of("contact")
        person = people[contact % len(people)] if people and contact is not None else None
        when = self.day(day)
        if backwards and day == 5:
            when["ends_at"] = when["starts_at"]
        asked, answer = self._plan(company, when, person)
        if person and person.college != company.college:
            self.refused(answer, 404, "contact-unknown")
        elif person and person.body["company_id"] != company.id:
            self.refused(answer, 422, "contact-of-another-company")
        elif when["starts_at"] == when["ends_at"]:
            self.refused(answer, 422, "visit-ends-before-it-starts")
        else:
            self._planned(company, asked, answer, person)

    def _plan(self, company: Thing, when: dict[str, str], person: Thing | None) -> tuple[Request, Answer]:
        body = {**when, "contact_id": person.id if person else None, "staff": ["koe"]}
        asked = self.post(company.user, f"{company.path}/visits", body, kind="plan-visit", about="/visits/{id}")
        return asked, self.api.ask(asked)

    def _planned(self, company: Thing, asked: Request, answer: Answer, person: Thing | None) -> None:
        known = {"status": "planned", "company_id": company.id, "company_name": company.body["name"]}
        more = {"business_id": company.body["business_id"], "municipality": company.body["municipality"]}
        told = person is not None and person.body["email"] is not None
        body = {**PLANNED, **asked.body, **known, **more, "asked": told}
        visit = self.made("visit", asked, answer, 2 + 2 * told, body)
        visit.contact = person

    @step(which=some)
    def plan_soon(self, which: int) -> None:
        """A visit that can be recorded in a moment; the machine will have to wait for it, so once is enough."""
        if self.soon:
            return
        self.steps["plan a visit that begins soon"] += 1
        company, starts, self.soon = (
            self.pick("company", which),
            datetime.now(UTC) + timedelta(seconds=SOON_SECONDS),
            True,
        )
        asked, answer = self._plan(company, times(starts), None)
        if answer.code == "visit-in-the-past" and datetime.now(UTC) > starts - timedelta(seconds=1):
            return  # it took so long to be answered
        self._planned(company, asked, answer, None)

    @step(which=some, deeds=st.lists(st.sampled_from(["cancel", "record", "record otherwise"]), min_size=1, max_size=3))
    def end_a_visit(self, which: int, deeds: list[str]) -> None:
        """Cancelled or recorded, several at once: the same twice is once, and whoever was there is right. Of what is
        granted the cancelling came first: what was recorded is not cancelled any more."""
        self.steps["end a visit" + " at once" * (len(deeds) > 1)] += 1
        visit = self.pick("visit", which)
        begun = self._begun(visit)
        asked: list[Request] = []
        for deed in deeds:
            body = {"needs": ["recruitment"], "notes": deed} if deed != "cancel" else None
            path = f"{visit.path}/{deed.split()[0]}"
            asked.append(self.post(visit.user, path, body, kind=f"{deed.split()[0]}-visit", about=visit.path))
        answers = self.api.at_once(*asked)
        in_order = sorted(zip(asked, answers, strict=True), key=lambda each: (each[1].status, each[0].body is not None))
        for request, answer in in_order:
            body, by = _ended(visit, request, begun)
            if isinstance(body, str):
                self.refused(answer, 409, body)
                continue
            self.granted(answer, 200)
            visit.became(body, answer.version, by)
            if body["status"] == "recorded" and by:
                next(each for each in self.of("company") if each.id == body["company_id"]).will_be_visited()
            holds(answer.body == body, f"{request.path}: {answer.body}, and should be {body}")
            self.remember(request, answer, visit, changed=by > 0 and len(deeds) == 1)
        self.touched[visit.path] = visit

    def _begun(self, visit: Thing) -> bool:
        wait = (datetime.fromisoformat(visit.body["starts_at"]) - datetime.now(UTC)).total_seconds()
        if 0 < wait + BEGUN_SECONDS < SOON_SECONDS + 1:
            time.sleep(wait + BEGUN_SECONDS)
        return wait < SOON_SECONDS + 1


def _ended(visit: Thing, request: Request, begun: bool) -> tuple[dict[str, Any] | str, int]:
    """What cancelling or recording comes to, and how many happenings; or the code of its refusal."""
    match visit.body["status"], request.body:
        case "cancelled", None:
            return visit.body, 0
        case "recorded", None:
            return "visit-is-over", 0
        case _, None:
            return {**visit.body, "status": "cancelled"}, 1 + visit.told
        case "recorded", {"needs": needs, "notes": notes}:
            same = (visit.body["needs"], visit.body["notes"]) == (needs, notes)
            return (visit.body, 0) if same else ("visit-already-recorded", 0)
        case _, record:
            return ({**visit.body, **record, "status": "recorded"}, 2) if begun else ("visit-not-begun", 0)
