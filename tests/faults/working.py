"""What people at a college do all day: companies, contacts and visits, as a mix by dice."""

import json
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from companies import testing

from tests.faults.ledger import Wish
from tests.faults.load import Client

COMPANIES_EACH = 40
SHARED = 5
REMEMBERED = 60
NEEDS = ("recruitment", "apprenticeship", "guidance-competence")
STARTS_SOON = timedelta(seconds=2)
IMPORT_SECONDS = 120


def numbers(client: int) -> range:
    """The made-up companies that a client registers; the first few are everybody's."""
    return range(SHARED + client * COMPANIES_EACH, SHARED + (client + 1) * COMPANIES_EACH)


def all_numbers(clients: int) -> range:
    """The companies that so many clients register."""
    return range(SHARED + clients * COMPANIES_EACH)


def import_register(environment: Mapping[str, str], numbers: range) -> None:
    """Have the business register know made-up companies, as an operator would."""
    records = [testing.record(number) for number in numbers]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "register.json"
        file.write_text(json.dumps({"companies": records}))
        tyrsky = Path(sys.executable).with_name("tyrsky")
        subprocess.run(
            [tyrsky, "register", "import", file],
            env=dict(environment),
            check=True,
            timeout=IMPORT_SECONDS,
            capture_output=True,
        )


@dataclass
class Planned:
    """A visit as this client last saw it."""

    id: str
    etag: str
    soon: datetime | None = None


@dataclass
class Outreach:
    """One person's work. ``script`` does one thing each time."""

    number: int
    address: str
    companies: list[str] = field(default_factory=list[str])
    contacts: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    visits: deque[Planned] = field(default_factory=lambda: deque[Planned](maxlen=REMEMBERED))
    begun: deque[Planned] = field(default_factory=lambda: deque[Planned](maxlen=REMEMBERED))

    def __post_init__(self) -> None:
        self._left = list(numbers(self.number)) + list(range(SHARED))

    async def script(self, client: Client) -> None:
        """One thing, by dice: mostly visits."""
        if not self.companies:
            return await self._register(client)
        if not self.contacts:
            return await self._add_contact(client)
        steps: list[tuple[int, Callable[[Client], Awaitable[None]]]] = [
            (4, self._register),
            (6, self._add_contact),
            (36, self._plan),
            (14, self._move),
            (8, self._cancel),
            (10, self._record),
            (10, self._drop_in),
            (8, self._tag),
            (8, self._look),
        ]
        [step] = client.random.choices([step for _, step in steps], [weight for weight, _ in steps])
        return await step(client)

    async def _register(self, client: Client) -> None:
        if not self._left:
            return await self._plan(client)
        number = self._left.pop(client.random.randrange(len(self._left)))
        body = {"business_id": testing.business_id(number)}
        done = await client.ask("register-company", "POST", "/companies", body, about="/companies/{id}")
        if done.acknowledged:
            self.companies.append(done.body["id"])
        return None

    async def _add_contact(self, client: Client) -> None:
        company = client.random.choice(self.companies)
        body = {
            "name": f"Koe {self.number}",
            "email": self.address,
            "language": client.random.choice(("fi", "sv", "en")),
        }
        path = f"/companies/{company}/contacts"
        done = await client.ask("add-contact", "POST", path, body, about="/contacts/{id}")
        if done.acknowledged:
            self.contacts.append((company, done.body["id"]))

    async def _plan(self, client: Client) -> None:
        company, contact = client.random.choice(self.contacts)
        soon = client.random.random() < 0.3  # these are recorded later, and nobody is invited so late
        starts = datetime.now(UTC) + (STARTS_SOON if soon else timedelta(days=client.random.randint(2, 200)))
        body: dict[str, Any] = {**_times(starts)} | ({} if soon else {"contact_id": contact})
        path = f"/companies/{company}/visits"
        done = await client.ask("plan-visit", "POST", path, body, about="/visits/{id}")
        if done.acknowledged:
            visit = Planned(done.body["id"], f'"{done.version}"', starts if soon else None)
            (self.begun if soon else self.visits).append(visit)

    async def _move(self, client: Client) -> None:
        if not self.visits:
            return await self._plan(client)
        visit = client.random.choice(self.visits)
        body = _times(datetime.now(UTC) + timedelta(days=client.random.randint(2, 200)))
        path = f"/visits/{visit.id}"
        done = await client.ask("move-visit", "PATCH", path, body, about=path, match=visit.etag)
        return await self._saw(client, visit, done)

    async def _cancel(self, client: Client) -> None:
        if not self.visits:
            return await self._plan(client)
        visit = self.visits[client.random.randrange(len(self.visits))]
        path = f"/visits/{visit.id}"
        done = await client.ask("cancel-visit", "POST", f"{path}/cancel", about=path)
        if done.status and visit in self.visits:
            self.visits.remove(visit)
        return None

    async def _record(self, client: Client) -> None:
        if not self.begun:
            return await self._plan(client)
        visit = self.begun[0]
        if visit.soon is not None and datetime.now(UTC) < visit.soon + timedelta(seconds=1):
            return await self._look(client)
        self.begun.popleft()
        path = f"/visits/{visit.id}"
        body = {"needs": client.random.sample(NEEDS, 2), "notes": f"Koe {client.random.randint(1, 9)}"}
        await client.ask("record-visit", "POST", f"{path}/record", body, about=path)
        return None

    async def _drop_in(self, client: Client) -> None:
        """A visit that nobody planned, under an id of the client's making."""
        visited = datetime.now(UTC) - timedelta(minutes=client.random.randint(1, 600))
        id = str(UUID(int=client.random.getrandbits(128), version=4))
        body = {"id": id, "visited_at": visited.isoformat(), "needs": client.random.sample(NEEDS, 1), "notes": "Koe"}
        path = f"/companies/{client.random.choice(self.companies)}/visits/recorded"
        await client.ask("drop-in", "POST", path, body, about="/visits/{id}")

    async def _tag(self, client: Client) -> None:
        path = f"/companies/{client.random.choice(self.companies)}"
        seen = await client.get(path)
        if seen is not None and seen.is_success:
            body = {"tags": [f"tag-{client.random.randint(1, 99)}"]}
            await client.ask("tag-company", "PATCH", path, body, about=path, match=seen.headers["ETag"])

    async def _look(self, client: Client) -> None:
        paths = ["/visits?limit=20", "/companies?limit=20", f"/companies/{self.companies[0]}"]
        paths += [f"/visits/{visit.id}" for visit in list(self.visits)[-3:]]
        await client.get(client.random.choice(paths))

    async def _saw(self, client: Client, visit: Planned, done: Wish) -> None:
        """What a change taught: the next version; or that somebody else was there, so look again."""
        if done.acknowledged:
            visit.etag = f'"{done.version}"'
        elif done.code == "version-stale":
            seen = await client.get(f"/visits/{visit.id}")
            if seen is not None and seen.is_success:
                visit.etag = seen.headers["ETag"]
        elif done.status and visit in self.visits:
            self.visits.remove(visit)


def _times(starts: datetime) -> dict[str, str]:
    return {"starts_at": starts.isoformat(), "ends_at": (starts + timedelta(hours=1)).isoformat()}
