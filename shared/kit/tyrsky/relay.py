"""From the outbox to Kafka: at once after the save, else by polling; in order per aggregate, and each event seen once.

Whoever publishes for an aggregate has claimed it: its document names the relay, by the id of its holder. The claim
lasts as long as the holder does, and no clock is asked. What a holder left is found by ``tyrsky.finding``, which fences
it first. A relay to which anything goes wrong gives its holder up, and goes on under a new one; what is not known of
the old one (was that transaction committed?) is found out when it is taken over.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice
from uuid import uuid4

from pymongo.asynchronous.database import AsyncDatabase

from tyrsky import metrics
from tyrsky.aside import Aside
from tyrsky.background import again_and_again
from tyrsky.clearing import Clearer, Published, published
from tyrsky.finding import Finder
from tyrsky.holding import LOOK_SECONDS, Holders
from tyrsky.producing import Log, NotTaken, Places, Sender, key_of, message
from tyrsky.store import Claim, Document

log = logging.getLogger(__name__)

QUEUE_MAX = 10_000
"""With so many claims in memory no more are made: the rest waits in its outbox, and is found by polling. What was being
saved at that moment comes on top."""

BATCH_MAX = 500
EVENTS_MAX = 2_000
EVENTS_BYTES_MAX = 4 * 2**20
"""Claims, and about how many events of which size, that go in one transaction."""

PAUSE_SECONDS_MAX = 5.0
MOVE_SECONDS = 1
PLACES_SECONDS = 60
"""How often a relay notes where its topics end: who takes over from it reads from there."""


class GivenUp(Exception):  # noqa: N818 - reads as the sentence that it is
    """Others took this holder for dead, or it lost track of what it has claimed."""


class Relay:
    """Publishes what the aggregates of some collections have to say."""

    def __init__(self, database: AsyncDatabase[Document], log: Log, name: str) -> None:
        self._log = log
        self._name = name
        self._queue: asyncio.Queue[Claim] = asyncio.Queue()
        self._holders = Holders(database)
        self._aside = Aside()
        self._finder = Finder(database, log, self._holders, self._aside, self)
        self._holder: str | None = None
        self._sender: Sender | None = None
        self._places: Places = {}
        self._places_at = 0.0
        self._lost = False
        self._stopping = False
        self._batch_max = BATCH_MAX
        self._clearer = Clearer(database, self._holders, self)
        self._in_hand: dict[tuple[str, str], tuple[str, int]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._closing: set[asyncio.Task[None]] = set()

    def watch(self, collection: str) -> None:
        """One more collection of aggregates."""
        self._finder.collections.append(collection)

    def claimant(self) -> str | None:
        """Who claims what is saved now: nobody, when it cannot be published soon. Then it is found by polling."""
        return None if self._lost or self._stopping or self.room() <= 0 else self._holder

    def publish(self, claim: Claim) -> None:
        """Publish soon what was just claimed. Never waits and never fails."""
        self._queue.put_nowait(claim)
        self._in_hand[claim.collection, claim.id] = claim.token, claim.version

    def room(self) -> int:
        """How many claims more may be made."""
        return QUEUE_MAX - self._queue.qsize()

    def holds(self, collection: str, id: str) -> bool:
        """Whether a claim waits here, or is being published."""
        return (collection, id) in self._in_hand

    def give_up(self) -> None:
        """Go on as another holder, as soon as what is under way has ended."""
        self._lost = True

    def cleared(self, claims: Sequence[Claim], places: Places, *, well: bool) -> None:
        """Claims were cleared, or may not have been: whoever takes over finds that out."""
        if any(claim.by == self._holder for claim in claims):
            self._lost = self._lost or not well
            if not self._lost:  # else past what an earlier one may not have cleared
                self._places |= places
        self._done_with(claims)

    async def start(self) -> None:
        """Begin to publish, first of all what an earlier process left."""
        works = self._run, self._clearer.run, self._beat_forever, self._finder.run, self._finder.take_over
        self._tasks = [asyncio.create_task(again_and_again(work)) for work in works]

    async def stop(self, seconds: float) -> None:
        """Publish what is waiting in memory, for so long at most, and end."""
        self._stopping = True
        done = False
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._queue.join()
                done = True
        leaves_nothing = done and self._leaves_nothing()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if leaves_nothing and self._holder:
            with suppress(Exception):  # others find it dead
                await self._holders.forget(self._holder)
        self._let_go()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.gather(*self._closing, return_exceptions=True)

    def _leaves_nothing(self) -> bool:
        """Whether the holder may be forgotten, and with it where its events would have to be looked for. Not when a
        clearing failed: what it has published then still lies in outboxes."""
        return not self._lost and not self._in_hand

    # -- publishing ---------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        self._lost = True  # of an earlier run that was ended in the middle it is not known what became of its claims
        pause = 0.0
        while True:
            claims: list[Claim] = []
            try:
                sender = self._sender or await self._begin()
                claims = await self._next()
                if self._lost:
                    raise GivenUp
                for together in self._aside.apart([claim for claim in claims if claim.by == self._holder]):
                    batch = await self._publish(sender, together)
                    self._aside.taken(together)
                    cleared_later = {(each.claim.id, each.claim.token) for each in batch}
                    claims = [claim for claim in claims if (claim.id, claim.token) not in cleared_later]
                    await self._clearer.take(batch)
                    self._batch_max = min(self._batch_max * 2, BATCH_MAX)
                await self._move_on(sender)
                pause = 0.0
            except Exception as error:
                # What was claimed stays in its outbox, and is found when the holder's end is known.
                pause = min(max(0.1, pause * 2), PAUSE_SECONDS_MAX)
                log.warning("publishing failed, trying again: %s", type(error).__name__)
                metrics.relay_failures.inc()
                self._learn(claims, error)
                self._let_go()
                await asyncio.sleep(pause)
            finally:
                self._done_with(claims)

    async def _begin(self) -> Sender:
        """Become a new holder. The broker knows it first, then the others, and only then may it claim."""
        holder = f"{self._name}-{uuid4()}"
        sender = await self._log.open(holder)
        try:
            await self._holders.register(holder, self._finder.collections)
        except BaseException:
            await sender.close()
            with suppress(Exception):  # it may be registered all the same: cancelled while the store was at it
                await self._holders.forget(holder)
            raise
        self._holder, self._sender, self._places, self._lost = holder, sender, {}, False
        self._places_at = asyncio.get_running_loop().time()
        self._finder.go_on_as(holder)
        return sender

    def _let_go(self) -> None:
        """Give the holder up. Its producers may still be at it, which matters no more once the finder has fenced it."""
        holder, sender = self._holder, self._sender
        self._holder = self._sender = None
        if holder:
            self._finder.gave_up(holder)
        if sender:
            task = asyncio.create_task(sender.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    def _learn(self, claims: Sequence[Claim], error: Exception) -> None:
        """What Kafka does not take goes alone; of what did not get through in time, fewer go together."""
        if isinstance(error, NotTaken):
            for claim in claims:
                if not error.which.isdisjoint((entry.topic, key_of(claim.id, entry)) for entry in claim.outgoing):
                    seconds = self._aside.hold_back(claim.collection, claim.id)
                    log.error(
                        "Kafka does not take %s %s: %s, again in %d s", claim.collection, claim.id, error, seconds
                    )
        elif claims:
            self._batch_max = max(1, len(claims) // 4)

    async def _next(self) -> list[Claim]:
        """What goes in one transaction; nothing, when nothing came for a while."""
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                claims = [await self._queue.get()]
        except TimeoutError:
            return []
        events, size = len(claims[0].outgoing), _bytes(claims[0])
        while len(claims) < self._batch_max and events < EVENTS_MAX and size < EVENTS_BYTES_MAX:
            if self._queue.empty():
                break
            claims.append(self._queue.get_nowait())
            events, size = events + len(claims[-1].outgoing), size + _bytes(claims[-1])
        return claims

    def _done_with(self, claims: Sequence[Claim]) -> None:
        for claim in claims:
            self._queue.task_done()
            at = claim.collection, claim.id
            if self._in_hand.get(at) == (claim.token, claim.version):
                del self._in_hand[at]

    async def _publish(self, sender: Sender, claims: Sequence[Claim]) -> list[Published]:
        """Send all claims' events in one transaction."""
        absent = await self._absent(sender, {entry.topic for claim in claims for entry in claim.outgoing})
        stuck = [claim for claim in claims if not absent.isdisjoint(entry.topic for entry in claim.outgoing)]
        ready = [claim for claim in claims if claim not in stuck] if stuck else claims
        await self._finder.release(stuck)
        messages = [message(claim.id, entry) for claim in ready for entry in claim.outgoing]
        places = iter(await sender.send(messages) if messages else ())
        for each in messages:
            metrics.events_published.labels(each.topic).inc()
        return [published(claim, sender, islice(places, len(claim.outgoing))) for claim in ready]

    async def _absent(self, sender: Sender, topics: set[str]) -> set[str]:
        """Those of the topics that Kafka does not have. To wait for them would hold up all the others."""
        absent = topics & self._aside.absent_topics()
        for topic in sorted(topics - absent - {topic for topic, _ in self._places}):
            begins = await sender.begins(topic)
            if begins is None:
                log.error("there is no topic %s, its events wait: `tyrsky topics apply` makes it", topic)
                self._aside.topic_is_absent(topic)
                absent.add(topic)
            else:
                self._places |= begins
                await self._beat()  # before anything is sent: whoever takes over has to know where to look
        return absent

    async def _move_on(self, sender: Sender) -> None:
        """Now and then note where the topics end, also where this relay publishes nothing and others do: between two
        batches, when all that it has sent is cleared. Not now, when that is held up."""
        now = asyncio.get_running_loop().time()
        if now - self._places_at < PLACES_SECONDS:
            return
        self._places_at = now
        try:
            async with asyncio.timeout(MOVE_SECONDS):
                await self._clearer.done()
        except TimeoutError:
            return
        if self._lost:
            return
        for topic in sorted({topic for topic, _ in self._places}):
            self._places |= await sender.begins(topic) or {}

    # -- living -------------------------------------------------------------------------------------------------------

    async def _beat_forever(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self._beat()
                self._finder.these_are_dead(await self._holders.look() - {self._holder or ""})
            except GivenUp:
                log.warning("others took this relay for dead; it goes on under another id")
            except Exception as error:
                log.warning("the relay could not tell that it lives: %s", type(error).__name__)

    async def _beat(self) -> None:
        holder = self._holder
        if holder and not await self._holders.beat(holder, self._places) and holder == self._holder:
            self._lost = True
            raise GivenUp


def _bytes(claim: Claim) -> int:
    return sum(len(entry.body) for entry in claim.outgoing)
