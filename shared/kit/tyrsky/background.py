"""Work that goes on as long as its process, and clients of Kafka that end without taking it along.

aiokafka may let the cancellation of a task of its own out of ``stop``. To whoever waits for that it looks as
if he had been told to end."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

log = logging.getLogger(__name__)

CALM_SECONDS = 30
"""Work that went on for so long begins again soon when it fails; else after longer and longer pauses, up to this."""

STOP_SECONDS = 5
"""A client of Kafka has so long to stop."""

Background = Callable[[], Awaitable[None]]


async def again_and_again(work: Background) -> None:
    """Let it begin anew whenever it ends, until cancelled."""
    pause = 0.5
    while True:
        began = time.monotonic()
        try:
            await work()
        except asyncio.CancelledError:
            told = asyncio.current_task()
            if told is None or told.cancelling():
                raise
            log.error("work in the background was ended by nobody, and begins again")
        except Exception:
            log.exception("work in the background failed, and begins again")
        pause = 0.5 if time.monotonic() - began > CALM_SECONDS else min(pause * 2, CALM_SECONDS)
        await asyncio.sleep(pause)


async def woken(event: asyncio.Event, seconds: float) -> None:
    """Return when somebody sets the event, or after so many seconds. It is clear then."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    event.clear()


async def ended(*stops: Callable[[], Awaitable[object]], seconds: float | None = None) -> None:
    """Return when clients have stopped, well or not, after so long at most."""
    try:
        async with asyncio.timeout(seconds):
            # Tasks of their own, so that a cancellation that comes out of one is its end and not the caller's.
            errors = await asyncio.gather(*(stop() for stop in stops), return_exceptions=True)
    except TimeoutError as late:
        errors = [late]
    for error in errors:
        if isinstance(error, BaseException):
            log.info("a client of Kafka did not stop well: %s", type(error).__name__)
