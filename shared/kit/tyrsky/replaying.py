"""Parked keys are tried again, in order, until their letters are taken; then they are free.

Every instance does it for the groups it runs; a lease keeps two from the same box. Should they meet all the same (a
clock that jumped, a process that slept), both do what has been done already, and that changes nothing.
"""

import asyncio
import logging
import random
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from aiokafka.errors import KafkaError
from pymongo.errors import PyMongoError
from tyrsky_contracts.codec import Undecodable

from tyrsky import metrics
from tyrsky.boxes import NEVER, Box
from tyrsky.consumer_settings import ConsumerSettings
from tyrsky.dead_letters import DeadLetters
from tyrsky.deliveries import Edition, Message, cause_of
from tyrsky.inbox import Inbox
from tyrsky.store import Document
from tyrsky.watching import Offsets

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=30)
SOON = timedelta(seconds=1)
LOOK_SECONDS = 1.0
TIDY_SECONDS = 5.0


class Replayer:
    """Tries the boxes that are due, lets go of expired letters, and counts what waits."""

    def __init__(
        self, inboxes: Sequence[Inbox], letters: DeadLetters, offsets: Offsets, settings: ConsumerSettings
    ) -> None:
        self._inboxes = {inbox.reaction.group: inbox for inbox in inboxes}
        self._letters = letters
        self._offsets = offsets
        self._settings = settings

    async def run(self) -> None:
        """Until cancelled."""
        tidied = -TIDY_SECONDS
        while True:
            try:
                if time.monotonic() - tidied >= TIDY_SECONDS:
                    tidied = time.monotonic()
                    await self.tidy()
                if await self.replay_one():
                    continue
            except (PyMongoError, KafkaError, TimeoutError) as error:
                log.warning("dead letters wait: %s", cause_of(error))
            except Exception:
                log.exception("replaying a parked key went wrong")
            await asyncio.sleep(LOOK_SECONDS)

    async def tidy(self) -> None:
        """Let go of what may not be kept longer, and set the gauges."""
        if expired := await self._letters.expire(datetime.now(UTC)):
            log.warning("%d dead letters of private topics were too old to be kept, and are gone", expired)
        waiting, parked = Counter[str](), Counter[str]()
        for group, ordered, count in await self._letters.counts():
            waiting[group] += count
            parked[group] += ordered
        for group in self._inboxes:
            metrics.dead_letters.labels(group).set(waiting[group])
            metrics.parked_keys.labels(group).set(parked[group])

    async def replay_one(self) -> bool:
        """Replay the box that has been due longest, as far as it goes. False when none is due."""
        box = await self._letters.claim_due(self._inboxes.keys(), datetime.now(UTC), LEASE)
        if box is None:
            return False
        try:
            await self._replay(box)
        except asyncio.CancelledError:
            await asyncio.shield(self._letters.give_back(box, datetime.now(UTC)))
            raise
        return True

    async def _replay(self, box: Box) -> None:
        inbox = self._inboxes[box.group]
        while now_in_it := await self._letters.again(box, datetime.now(UTC), LEASE):
            if not now_in_it.letters:
                if await self._letters.close_if_empty(box.id):
                    log.info("%s is free again", box.id)
                continue  # gone, and so the lease; or something was put behind at the last moment
            letter = now_in_it.letters[0]
            edition = await inbox.reaction.edition()
            if not await self._reached(box.group, box.message(letter), edition):
                await self._letters.give_back(box, datetime.now(UTC) + SOON)
                return
            if error := await self._take(inbox, now_in_it, letter, edition):
                due_at = self._due_after(now_in_it)
                await self._letters.failed_again(now_in_it, letter, error, due_at)
                log.warning("%s failed again (%s), next %s", box.id, cause_of(error), _when(due_at))
                return
            await self._letters.take_out(box.id, letter)
            metrics.dead_letters_replayed.labels(box.group, box.topic).inc()

    async def _reached(self, group: str, message: Message, edition: Edition) -> bool:
        """Whether all that stood before a letter is in this edition too. After a rebuild it first has to come again."""
        if not edition.number:
            return True
        place = (await self._offsets.of(group, [message.topic])).get((message.topic, message.partition))
        return place is not None and place.metadata == str(edition.number) and place.committed > message.offset

    async def _take(self, inbox: Inbox, box: Box, letter: Document, edition: Edition) -> Exception | None:
        message = box.message(letter)
        if not inbox.wants(message):
            return None  # the service has changed since, and nobody waits for it any more
        try:
            delivery = inbox.understand(message)
        except Undecodable as error:
            return error
        taken = await inbox.reaction.take({box.id: [delivery]}, edition)
        failure = taken.failures.get(box.id)
        return failure.error if failure else None

    def _due_after(self, box: Box) -> datetime:
        if not box.ordered or box.attempts + 1 >= self._settings.parked_retries_max:
            return NEVER
        seconds = min(
            self._settings.parked_retry_seconds * 2 ** min(box.attempts, 30), self._settings.parked_retry_seconds_max
        )
        return datetime.now(UTC) + timedelta(seconds=seconds * random.uniform(0.75, 1.25))  # noqa: S311


def _when(due_at: datetime) -> str:
    return "when a person says so" if due_at == NEVER else f"at {due_at:%H:%M:%S}"
