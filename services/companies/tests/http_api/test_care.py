"""What a college makes of companies over HTTP, with the real store: labels, own fields, notes, mergers, sheets."""

import csv
import io
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from companies.testing import business_id
from tyrsky.service import Service

from .calling import Caller, Client

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="session")]

Registered = Callable[..., Awaitable[str]]
JSON = dict[str, Any]


async def company_of(staff: Client, registered: Registered, **about: Any) -> JSON:
    answer = await staff.post("/companies", {"business_id": await registered(**about)})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def change(staff: Client, company: JSON, **otherwise: Any) -> Any:
    return await staff.patch(f"/companies/{company['id']}", otherwise, version="*")


async def define(caller: Caller, college: str = "vaao", **about: Any) -> JSON:
    key = f"f{uuid4().hex[:10]}"
    body = {"key": key, "kind": "number", "labels": {"fi": "Koko"}, **about}
    answer = await caller(college, "coordinator").post("/fields", body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_sole_trader_is_added_by_hand_and_nobody_outside_learns_the_name(staff: Client, service: Service):
    which = business_id(5_000)
    answer = await staff.post(
        "/companies", {"business_id": which, "name": "Suutari Aino Esimerkki", "municipality": "908"}
    )
    assert (answer.status_code, answer.json()["origin"]) == (201, "by-hand")
    document = await service.database["companies"].find_one({"_id": answer.json()["id"]})
    assert document is not None
    assert {each["topic"] for each in document["outbox"]} == {"companies", "audit"}
    assert not [each for each in document["outbox"] if "Aino" in each["body"]]
    found = (await staff.get("/companies", name="esimerk", municipality="908")).json()["items"]
    assert [each["business_id"] for each in found] == [which]
    assert (await change(staff, answer.json(), name="Suutari A. Esimerkki")).json()["name"] == "Suutari A. Esimerkki"


async def test_what_the_register_has_is_not_added_by_hand(staff: Client, registered: Registered):
    answer = await staff.post("/companies", {"business_id": await registered(), "name": "Oma nimi"})
    assert (answer.status_code, answer.json()["code"]) == (422, "business-id-in-register")
    company = await company_of(staff, registered)
    answer = await change(staff, company, name="Oma nimi")
    assert (answer.status_code, answer.json()["code"]) == (422, "company-name-from-register")


async def test_owner_relations_and_next_step_are_found_again(staff: Client, registered: Registered):
    company, owner = await company_of(staff, registered), uuid4().hex
    step = {"what": "Soita", "due": "2026-12-01"}
    answer = await change(staff, company, owner=owner, relations=["workplace", "customer"], next_step=step)
    assert answer.json()["next_step"] == step
    for asked, expected in (
        ({"relation": "customer"}, 1),
        ({"relation": "provider"}, 0),
        ({"due_by": "2026-12-01", "sort": "due"}, 1),
        ({"due_by": "2026-11-30"}, 0),
        ({"stage": "unknown"}, 1),
        ({"stage": "visited"}, 0),
    ):
        found = (await staff.get("/companies", owner=owner, **asked)).json()["items"]
        assert len(found) == expected, asked
    assert (await change(staff, company, next_step=None, owner=None)).json()["owner"] is None
    assert (await staff.get("/companies", owner=owner)).json()["items"] == []


async def test_a_field_of_the_colleges_own_is_filled_in_checked_and_searched(
    staff: Client, caller: Caller, registered: Registered
):
    size, day = await define(caller), await define(caller, kind="date", labels={"fi": "Päivä"})
    company, other = await company_of(staff, registered), await company_of(staff, registered)
    await change(staff, company, fields={size["key"]: 12, day["key"]: "2026-11-24"})
    await change(staff, other, fields={size["key"]: 30})
    for asked, expected in (
        (f"{size['key']}:12", [company]),
        (f"{size['key']}>12", [other]),
        (f"{size['key']}<31", [company, other]),
        (f"{day['key']}>2026-11-23", [company]),
    ):
        found = (await staff.get("/companies", field=asked)).json()["items"]
        assert {each["id"] for each in found} == {each["id"] for each in expected}, asked
    refused = await change(staff, company, fields={size["key"]: "paljon"})
    assert (refused.json()["code"], refused.json()["field"]) == ("field-value-wrong", f"fields.{size['key']}")
    for asked in (size["key"], f"{size['key']}:paljon", "x" * 2_000 + ":1"):
        assert (await staff.get("/companies", field=asked)).json()["code"] == "field-search-wrong"
    assert (await staff.get("/companies", field="no_such:1")).json()["code"] == "field-unknown"
    # another college's field is none
    theirs = await define(caller, "sasky")
    assert (await change(staff, company, fields={theirs["key"]: 1})).json()["code"] == "field-unknown"
    assert (await staff.get(f"/fields/{theirs['id']}")).status_code == 404
    assert theirs["key"] not in {each["key"] for each in (await staff.get("/fields", limit=200)).json()["items"]}


async def test_outreach_staff_fill_fields_in_and_do_not_define_them(staff: Client):
    answer = await staff.post("/fields", {"key": "own", "kind": "text", "labels": {"fi": "Oma"}})
    assert (answer.status_code, answer.json()["code"]) == (403, "role-missing")


async def test_a_note_is_written_offline_sent_twice_changed_and_removed(staff: Client, registered: Registered):
    company = await company_of(staff, registered)
    note = {"id": str(uuid4()), "kind": "call", "at": datetime.now(UTC).isoformat(), "text": "Halli laajenee."}
    path = f"/companies/{company['id']}/notes"
    first, second = await staff.post(path, note), await staff.post(path, note)
    assert (first.status_code, second.status_code, second.json()) == (201, 201, first.json())
    assert (await staff.post(path, note | {"text": "Muuta"})).json()["code"] == "note-already-written"
    changed = await staff.patch(f"/notes/{note['id']}", {"text": "Halli laajenee keväällä."}, version="*")
    assert changed.json()["text"] == "Halli laajenee keväällä."
    assert len((await staff.get(path)).json()["items"]) == 1
    removed = await staff.send("DELETE", f"/notes/{note['id']}", b"")
    assert (removed.status_code, removed.json()["text"], removed.json()["removed"]) == (200, "", True)
    assert (await staff.get(path)).json()["items"] == []


async def test_another_colleges_company_notes_and_mergers_are_not_there(
    staff: Client, caller: Caller, registered: Registered
):
    company, mine = await company_of(staff, registered), await company_of(staff, registered)
    note = (await staff.post(f"/companies/{company['id']}/notes", {"text": "Omaa"})).json()
    them = caller("sasky")
    theirs = await company_of(them, registered)
    id = company["id"]
    for answer in (
        await them.get(f"/companies/{id}"),
        await change(them, company, tags=["x"]),
        await them.get(f"/companies/{id}/notes"),
        await them.post(f"/companies/{id}/notes", {"text": "x"}),
        await them.get(f"/notes/{note['id']}"),
        await them.patch(f"/notes/{note['id']}", {"text": "x"}, version="*"),
        await them.send("DELETE", f"/notes/{note['id']}", b""),
        await them.get(f"/companies/{id}/timeline"),
        await them.post(f"/companies/{id}/merge", {"absorbed": theirs["id"]}),
        await them.post(f"/companies/{theirs['id']}/merge", {"absorbed": id}),
        await staff.post(f"/companies/{mine['id']}/merge/preview", {"absorbed": theirs["id"]}),
    ):
        assert answer.status_code == 404, answer.text
    (outcome,) = (await them.post("/companies/bulk", {"ids": [id], "change": {"tags": ["x"]}})).json()
    assert outcome["problem"]["code"] == "company-unknown"


async def test_two_companies_become_one_and_two_again(staff: Client, registered: Registered):
    company, other = await company_of(staff, registered), await company_of(staff, registered)
    await change(staff, company, tags=["a"])
    await change(staff, other, tags=["b"], owner="u2")
    before = (await staff.get(f"/companies/{company['id']}")).json()
    await staff.post(f"/companies/{other['id']}/notes", {"text": "Toisen muistiinpano"})
    body = {"absorbed": other["id"]}
    preview = (await staff.post(f"/companies/{company['id']}/merge/preview", body)).json()
    assert (await staff.get(f"/companies/{company['id']}")).json() == before  # nothing was changed
    merged = (await staff.post(f"/companies/{company['id']}/merge", body)).json()
    assert merged == preview
    assert (merged["tags"], merged["owner"], merged["absorbed"]) == (["a", "b"], "u2", [other["id"]])
    notes = (await staff.get(f"/companies/{company['id']}/notes")).json()["items"]
    assert [each["text"] for each in notes] == ["Toisen muistiinpano"]
    back = await staff.post(f"/companies/{company['id']}/unmerge", {"released": other["id"]})
    assert back.json() == before
    assert (await staff.get(f"/companies/{company['id']}/notes")).json()["items"] == []


async def test_many_are_changed_alike_and_each_is_told_by_itself(staff: Client, registered: Registered):
    one, other, unknown = await company_of(staff, registered), await company_of(staff, registered), str(uuid4())
    body = {"ids": [one["id"], unknown, other["id"], one["id"]], "change": {"tags": ["messut"]}}
    answer = await staff.post("/companies/bulk", body)
    assert [each["id"] for each in answer.json()] == [one["id"], unknown, other["id"]]
    assert [each["problem"] and each["problem"]["code"] for each in answer.json()] == [None, "company-unknown", None]
    assert [(await staff.get(f"/companies/{each['id']}")).json()["tags"] for each in (one, other)] == [["messut"]] * 2
    assert "etag" not in answer.headers


async def test_a_sheet_is_previewed_read_and_read_again(staff: Client, caller: Caller, registered: Registered):
    size, known = await define(caller), await company_of(staff, registered)
    new, by_hand, nowhere = await registered(), business_id(6_000), business_id(6_001)
    text = "\r\n".join(
        [
            f"business_id;name;tags;field.{size['key']}",
            f"{known['business_id']};;messut;12",
            f"{new};;;",
            f"{by_hand};Suutari Aino;messut|uusi;1,5",
            f"{by_hand};Suutari Aino;messut|uusi;1.5",
            f"{nowhere};;;",
            f"{business_id(6_002)};Aino;a@b.example;",
        ]
    )

    async def read(*, preview: bool) -> list[tuple[int, str, str | None]]:
        answer = await staff.post("/companies/sheet", {"text": text, "preview": preview})
        assert answer.status_code == 200, answer.text
        return [(each["row"], each["outcome"], each["problem"] and each["problem"]["code"]) for each in answer.json()]

    expected = [
        (2, "changed", None),
        (3, "new", None),
        (4, "refused", "field-value-wrong"),
        (5, "refused", "row-twice"),
        (6, "refused", "business-id-not-in-register"),
        (7, "refused", "row-wrong"),
    ]
    assert await read(preview=True) == expected
    assert (await staff.get("/companies", business_id=new)).json()["items"] == []
    text = text.replace("1,5", "1.5").replace(f"\r\n{by_hand};Suutari Aino;messut|uusi;1.5", "", 1)
    assert [outcome for _, outcome, _ in await read(preview=False)] == ["changed", "new", "new", "refused", "refused"]
    assert [outcome for _, outcome, _ in await read(preview=False)] == ["same", "same", "same", "refused", "refused"]
    (found,) = (await staff.get("/companies", business_id=by_hand)).json()["items"]
    assert (found["tags"], found["fields"]) == (["messut", "uusi"], {size["key"]: 1.5})


async def test_a_list_is_written_to_a_sheet_and_no_cell_is_a_formula(staff: Client):
    tag = uuid4().hex
    for number in range(3):
        which, name = business_id(7_000 + number), f"=HYPERLINK({number})"
        made = (await staff.post("/companies", {"business_id": which, "name": name})).json()
        assert (await change(staff, made, tags=[tag])).status_code == 200
    answer = await staff.get("/companies/sheet", tag=tag, limit=2)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"), newline=""), delimiter=";"))
    assert [row["name"] for row in rows] == [f"'=HYPERLINK({number})" for number in range(3)]
    assert (await staff.get("/companies/sheet", field="no_such:1")).json()["code"] == "field-unknown"


async def test_only_who_answers_for_it_sees_the_audit(caller: Caller):
    for path in ("/audit/changes", "/audit/reads"):
        assert (await caller().get(path)).status_code == 403
        assert (await caller("vaao", "coordinator").get(path)).status_code == 200


async def test_a_reservation_is_asked_for_and_waits_for_the_log(staff: Client, caller: Caller, registered: Registered):
    path = f"/network/companies/{await registered()}"
    assert (await staff.get(path)).json()["in_touch"] is False
    assert (await staff.get(f"{path}/reservation")).json()["code"] == "contact-reservation-unknown"
    asked = await staff.post(f"{path}/reservation", {"days": 14})
    assert asked.status_code == 202
    again = await staff.post(f"{path}/reservation", {"days": 7})
    assert again.json() == asked.json()
    assert (await staff.get(f"{path}/reservation")).json()["status"] == "asked"
    assert (await caller("sasky").get(f"{path}/reservation")).status_code == 404
    late = datetime.fromisoformat(asked.json()["until"]) - datetime.fromisoformat(asked.json()["asked_at"])
    assert late == timedelta(days=14)
    assert (await staff.post(f"{path}/reservation/extend", {"days": 7})).json()["code"] == "reservation-not-held"
