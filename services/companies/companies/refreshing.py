"""The companies in care, kept as the business register has them: once a day, from its open API.

Each company is asked for by its business id, unless it was just asked for, and what has changed is put into the
register. Then each college's company is told what the register has of it, also when that came by an import. What comes
of it is the company's to decide: nothing, when nothing has changed.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from pymongo.asynchronous.database import AsyncDatabase
from tyrsky.aggregate import Rejected
from tyrsky.deciding import Deciders
from tyrsky.drafting import Ask
from tyrsky.store import CODEC, Document

from companies import register
from companies.claiming import REFRESH, Claim, DayWork
from companies.company import RefreshCompany, aggregate
from companies.facts import Facts
from companies.register import RegisterEntry
from companies.settings import Settings
from companies.ytj import NotUnderstood, entry_of
from companies.ytj_api import ApiAway, ApiFailed, ApiSaysLater, Seen, YtjApi

log = logging.getLogger(__name__)

LOOK_SECONDS = 60.0
BATCH = 200

AWAY_MAX = 3
"""After so many companies in a row for which the API was away, it is left alone for a while."""

AWAY_SECONDS = 1_800


@dataclass(frozen=True)
class InCare:
    """A college's company."""

    college: str
    company_id: UUID


Tell = Callable[[InCare, RegisterEntry], Awaitable[None]]
"""Hands a company what the register has of it."""


def by_command(deciders: Deciders) -> Tell:
    """Hand it over as the command ``RefreshCompany``. Of one that changes nothing nothing is left: so each has an id of
    its own, and may be repeated."""

    async def tell(company: InCare, entry: RegisterEntry) -> None:
        command = RefreshCompany(company_id=company.company_id, facts=Facts.model_validate(entry.model_dump()))
        await deciders.of(aggregate).carry_out(Ask(command, uuid4(), company.college))

    return tell


class Refresh:
    """The work, to be given to ``service.runs``. Several instances may run it: one of them does it."""

    def __init__(
        self,
        database: AsyncDatabase[Document],
        settings: Settings,
        tell: Tell,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._companies = database["companies"]
        self._register = database.get_collection(register.COLLECTION, codec_options=CODEC)
        self._work = DayWork(database, REFRESH)
        self._settings = settings
        self._tell = tell
        self._now = now
        self._sleep = sleep

    async def run(self) -> None:
        """Look now and then whether it is time, and nobody does it."""
        while True:
            if self._settings.register_refresh_hour >= 0:
                await self.look()
            await self._sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Do today's work, or what is left of it, if it is time and nobody else does."""
        now = self._now()
        if now.hour < self._settings.register_refresh_hour:
            return
        claim = await self._work.claim(now.date().isoformat(), now)
        if claim is None:
            return
        try:
            async with YtjApi(self._settings.register_asking, sleep=self._sleep) as api:
                await self._refresh(api, claim)
        except asyncio.CancelledError:  # a stop in order: nobody has to wait until this one counts as dead
            await self._work.pause(claim, self._now())
            raise

    async def _refresh(self, api: YtjApi, claim: Claim) -> None:
        counts = Counter(claim.counts)
        away, more = 0, False
        async for business_id, in_care in self._in_care(claim.after):
            if counts["companies"] >= self._settings.register_refresh_max:
                more = True
                break
            try:
                counts[await self._one(api, business_id, in_care)] += 1
                away = 0
            except ApiSaysLater as later:
                return await self._give_back(claim, later.seconds)
            except ApiAway:
                counts["away"] += 1
                away += 1
            except (ApiFailed, NotUnderstood) as no:
                log.warning("company %s could not be refreshed: %s", business_id, no)
                counts["failed"] += 1
            counts["companies"] += 1
            if not await self._work.keep(claim, business_id, dict(counts)):
                return None  # somebody else goes on
            if away == AWAY_MAX:
                return await self._give_back(claim, AWAY_SECONDS)
        await self._work.finish(claim, goes_on=more)
        log.info("the register is refreshed%s: %s", ", and goes on tomorrow" if more else "", dict(counts))
        return None

    async def _give_back(self, claim: Claim, seconds: float) -> None:
        log.warning("the register's API is away: the refresh goes on in %.0f s", seconds)
        await self._work.pause(claim, self._now() + timedelta(seconds=min(seconds, 86_400)))

    async def _in_care(self, after: str) -> AsyncIterator[tuple[str, Sequence[InCare]]]:
        """By business id, each once, the companies of the deployment's colleges that have it."""
        while True:
            colleges = {"$in": sorted(self._settings.colleges)}
            wanted = {"college": colleges, "state.business_id": {"$gt": after}}
            found = self._companies.find(wanted, {"college": 1, "state.business_id": 1})
            documents = await found.sort([("state.business_id", 1), ("college", 1)]).limit(BATCH).to_list(BATCH)
            if not documents:
                return
            ids = [each["state"]["business_id"] for each in documents]
            whole = ids if len(documents) < BATCH else [each for each in ids if each != ids[-1]] or ids
            for business_id in dict.fromkeys(whole):
                yield (
                    business_id,
                    [
                        InCare(each["college"], UUID(each["_id"]))
                        for each in documents
                        if each["state"]["business_id"] == business_id
                    ],
                )
            after = whole[-1]

    async def _one(self, api: YtjApi, business_id: str, in_care: Sequence[InCare]) -> str:
        """Refresh one company, and tell what came of it. The register may have got one that was added by hand."""
        entry, came = await self._asked(api, business_id)
        if entry is None:
            return came
        for each in in_care:
            try:
                await self._tell(each, entry)
            except Rejected as refusal:  # such as of one that was merged with another
                log.info("company %s of %s was not refreshed: %s", each.company_id, each.college, refusal.code)
        return came

    async def _asked(self, api: YtjApi, business_id: str) -> tuple[RegisterEntry | None, str]:
        """The register's entry, brought up to the API's answer, and what that was."""
        stored: Document = await self._register.find_one({"_id": business_id}) or {}
        entry, now = RegisterEntry.model_validate(stored) if stored else None, self._now()
        digest, asked = stored.get("digest"), stored.get("asked") or {}
        if asked and now - asked["at"] < timedelta(seconds=self._settings.register_answer_seconds):
            return entry, "asked before"
        answer = await api.company(business_id, Seen(asked.get("etag"), asked.get("last_modified")))
        came = "same"
        if not (answer.unchanged or answer.companies):
            return entry, "unknown to the API" if stored else "not in the register"
        if answer.companies:
            asked = {"etag": answer.seen.etag, "last_modified": answer.seen.last_modified}
            entry = entry_of(answer.companies[0])
            if entry.business_id != business_id:
                raise ApiFailed("it answered with another company")
            wanted = register.document(entry)
            if wanted["digest"] != digest:
                came, digest = "changed" if stored else "new", wanted["digest"]
                await self._register.update_one({"_id": business_id}, register.update(wanted), upsert=True)
        # Unless an import has changed it meanwhile.
        await self._register.update_one(
            {"_id": business_id, "digest": digest}, {"$set": {"asked": {**asked, "at": now}}}
        )
        return entry, came
