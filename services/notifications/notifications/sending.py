"""The sender: looks what is due, claims it, hands it to the mail server, and writes down what became of it.

A notification is claimed by a command, so that of several senders one gets it; the claim ends by itself, so that what a
sender that died had in hand is found again.
"""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4, uuid5

from opentelemetry import context
from pymongo.errors import PyMongoError
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_random_exponential
from tyrsky import tracing
from tyrsky.aggregate import Busy, Rejected
from tyrsky.deciding import Ask, Decider
from tyrsky.mail_address import is_mail_address
from tyrsky.store import Document, Loaded

from notifications.mail import compose
from notifications.notification import (
    Notification,
    NotificationCommand,
    RecordDeferred,
    RecordRefused,
    RecordSent,
    StartSending,
)
from notifications.pausing import Resting, pause
from notifications.settings import Settings
from notifications.smtp import MailServer, Outcome

log = logging.getLogger(__name__)

LEASE_SECONDS_OVER = 30
"""How much longer a claim lasts than an attempt may take: for writing down what came of it, and clocks that differ."""

RECORD_SECONDS_MAX = 3_600
"""How long a sender tries to write down what came of an attempt: nobody else knows that the message is out."""


INDEXES = (
    [("state.due_at", 1)],
    [("college", 1), ("state.accepted_at", 1), ("_id", 1)],
    [("college", 1), ("state.about", 1)],
)


class Sending:
    """Sends what is due, some at a time. ``run`` is the work in the background; ``wake`` makes it look now."""

    def __init__(self, notifications: Decider[Notification, NotificationCommand], settings: Settings) -> None:
        self._notifications = notifications
        self._store = notifications.store
        self._settings = settings
        self._server = MailServer(settings)
        self._attempts: dict[str, asyncio.Task[None]] = {}
        self._resting = Resting(settings)
        self._woken = asyncio.Event()

    async def prepare(self) -> None:
        """Declare the indexes that find what is due, and what a list is asked for. Idempotent."""
        for keys in INDEXES:
            await self._store.collection.create_index(keys)

    def wake(self, notification: Notification) -> None:
        """A notification was written: when it waits to be sent, look what is due."""
        if notification.status == "accepted":
            self._woken.set()

    async def run(self) -> None:
        """Send what is due, until cancelled; then finish what is under way, which else might have been sent or not."""
        try:
            while True:
                self._woken.clear()
                for document in await self._due():
                    self._begin(document)
                await self._rest()
        finally:
            if self._attempts:
                await asyncio.wait(self._attempts.values())

    async def _due(self) -> list[Document]:
        """What is to be tried now: as many as there are places, the longest overdue first."""
        places = self._settings.mail_at_once - len(self._attempts)
        if places <= 0:
            return []
        due: Document = {
            "college": {"$in": sorted(self._settings.colleges)},
            "state.due_at": {"$lte": datetime.now(UTC)},
            "_id": {"$nin": [*self._attempts, *self._resting.now()]},
        }
        try:
            return await self._store.collection.find(due).sort("state.due_at", 1).limit(places).to_list(places)
        except PyMongoError as error:
            log.warning("cannot look what is due: %s", type(error).__name__)
            return []

    def _begin(self, document: Document) -> None:
        id = document["_id"]

        def end(attempt: asyncio.Task[None]) -> None:
            if attempt.cancelled():
                log.error("notification %s: an attempt was cut off", id)
            del self._attempts[id]
            self._woken.set()  # there is a place again

        self._attempts[id] = asyncio.create_task(self._try(document))
        self._attempts[id].add_done_callback(end)

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(self._settings.mail_poll_seconds):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _try(self, document: Document) -> None:
        try:
            found = self._store.loaded(document)
            # A task has a context of its own: all that it does belongs to the trace of the request.
            context.attach(tracing.remote(found.state.traceparent))
            claimed = await self._claim(found)
            if claimed:
                await self._record(claimed, await self._send(claimed))
        except Exception as error:
            # Its text may quote an address. The claim runs out, and it is tried again.
            log.error("notification %s: an attempt broke off: %s", document["_id"], type(error).__name__)
            if not self._resting.begin(document["_id"]):
                await asyncio.sleep(self._settings.mail_poll_seconds)  # it keeps its place instead, lest it spin
        else:
            self._resting.forget(document["_id"])

    async def _claim(self, found: Loaded[Notification]) -> Loaded[Notification] | None:
        """The notification as it is now, when the next attempt is ours to make."""
        now, attempt = datetime.now(UTC), found.state.attempts + 1
        lease = timedelta(seconds=self._settings.smtp_seconds + LEASE_SECONDS_OVER)
        start = StartSending(notification_id=found.id, now=now, attempt=attempt, lease_until=now + lease)
        try:
            # An id of its own for every wish: two senders that wish the same must not both be told that it is done.
            await self._notifications.carry_out(Ask(start, uuid4(), found.college, cause=found.state.request))
        except Rejected as refusal:
            # Another sender was faster, or wants it too.
            log.info("notification %s: not claimed: %s", found.id, refusal.code)
            return None
        claimed = await self._store.load(found.college, found.id)
        ours = claimed is not None and claimed.state.status == "sending" and claimed.state.attempts == attempt
        return claimed if ours else None  # it may have expired instead

    async def _send(self, claimed: Loaded[Notification]) -> Outcome:
        if not is_mail_address(claimed.state.to_email):
            return Outcome("refused", "address-malformed")  # accepted when the rule was another
        try:
            message = compose(claimed.id, claimed.state, self._settings.sender(claimed.college))
        except Exception as error:
            # Ours to mend: a corrected template sends it after all.
            log.error("notification %s: cannot be composed: %s", claimed.id, type(error).__name__)
            return Outcome("deferred", "not-composed")
        return await self._server.hand_over(message)

    async def _record(self, claimed: Loaded[Notification], outcome: Outcome) -> None:
        attempt = claimed.state.attempts
        ask = Ask(
            self._news(claimed.id, attempt, outcome),
            uuid5(claimed.id, f"outcome of attempt {attempt}"),
            claimed.college,
            cause=claimed.state.request,
        )
        async for trial in AsyncRetrying(
            retry=retry_if_exception_type((PyMongoError, Busy)),
            wait=wait_random_exponential(multiplier=0.1, max=5),
            stop=stop_after_delay(RECORD_SECONDS_MAX),
            reraise=True,
        ):
            with trial:
                await self._notifications.carry_out(ask)
        log.info("notification %s: attempt %d: %s %s", claimed.id, attempt, outcome.status, outcome.reason)

    def _news(self, id: UUID, attempt: int, outcome: Outcome) -> NotificationCommand:
        now = datetime.now(UTC)
        match outcome.status:
            case "sent":
                return RecordSent(notification_id=id, now=now, attempt=attempt)
            case "refused":
                return RecordRefused(notification_id=id, now=now, attempt=attempt, reason=outcome.reason)
            case "deferred":
                return RecordDeferred(
                    notification_id=id,
                    now=now,
                    attempt=attempt,
                    reason=outcome.reason,
                    retry_at=now + pause(attempt, self._settings),
                    unsure=outcome.unsure,
                )
