"""An event loop with a time of its own, whose order is drawn by a seed.

The same seed is the same run. What is ready runs in an order that chance decides, so that every ``await`` is a point at
which anything else may happen. Time stands still while something is ready, and then jumps to the next timer. Whatever
runs belongs to a :class:`Process` (or to none: clients and servers), which may die or be frozen between any two steps.
"""

import asyncio
import heapq
from asyncio import events
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, ContextVar, copy_context
from random import Random
from typing import Any, TypeVar

T = TypeVar("T")

STEPS_MAX = 400_000
BUGS = (TypeError, AttributeError, NameError, LookupError, AssertionError, NotImplementedError)
"""A task that ended with one of these is a fault, though nobody waited for it."""

WINDOW = 60
"""How many steps others may overtake what is ready: nothing waits for ever."""

MASK = (1 << 64) - 1


class Stuck(Exception):  # noqa: N818 - a state of affairs
    """Nothing more can happen, or far too much did, and what was waited for has not come."""


class Process:
    """A process of a service: its own memory, its own wall clock; gone at once when it dies."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.dead = False
        self.frozen = False
        self.ahead = 0.0
        """Seconds by which its wall clock is wrong."""
        self.held: list[_Handle] = []

    def __repr__(self) -> str:
        return self.name


RUNNING_IN: ContextVar[Process | None] = ContextVar("RUNNING_IN", default=None)


class _Handle:
    """asyncio's own, as far as anybody asks for it: some thousands in each run, so that what it costs counts."""

    __slots__ = ("args", "callback", "context", "gone", "process")

    def __init__(self, callback: Callable[..., object], args: tuple[Any, ...], context: Context | None) -> None:
        self.callback = callback
        self.args = args
        self.context = context = copy_context() if context is None else context
        self.process = context.get(RUNNING_IN)
        self.gone = False

    def cancel(self) -> None:
        """It is left where it is, and passed over when its turn comes."""
        self.gone = True

    def cancelled(self) -> bool:
        """Whether it is."""
        return self.gone


class _Task(asyncio.Task[Any]):
    """A task with dice of its own: when it runs does not depend on where a set of tasks happened to have it."""

    def __init__(self, coro: Coroutine[Any, Any, Any], *, dice: int, **more: Any) -> None:
        self.dice = dice
        super().__init__(coro, **more)


class Loop(asyncio.AbstractEventLoop):
    """The loop. Only what asyncio's own tasks, futures, locks, timeouts and groups ask for."""

    def __init__(self, seed: int | str, *, steps_max: int = STEPS_MAX) -> None:
        self._steps_max = steps_max
        self._dice = Random(f"{seed} order").getrandbits(64)
        self._ready: list[tuple[float, int, _Handle]] = []
        self._timers: list[tuple[float, int, _Handle]] = []
        self._count = 0
        self._now = 0.0
        self._born: list[_Task] = []
        self.steps = 0
        self._alarms: list[tuple[int, int, asyncio.Future[None]]] = []
        self.faults: list[str] = []
        self._over = False

    # -- what runs next -----------------------------------------------------------------------------------------------

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run until ``main`` is done; what is left then is dropped.

        :raises Stuck: when it cannot get there.
        """
        events._set_running_loop(self)  # pyright: ignore[reportAttributeAccessIssue]
        try:
            task = self.create_task(main)
            while not task.done():
                self._step()
            return task.result()
        finally:
            self._over = True
            self._drop_everything()
            events._set_running_loop(None)  # pyright: ignore[reportAttributeAccessIssue]

    def _step(self) -> None:
        if not self._ready:
            self._jump()
        _, _, handle = heapq.heappop(self._ready)
        self.steps += 1
        if self._alarms and self._alarms[0][0] <= self.steps:
            _, _, alarm = heapq.heappop(self._alarms)
            if not alarm.done():
                alarm.set_result(None)
        if self.steps > self._steps_max:
            raise Stuck(f"after {self._steps_max} steps, at {self._now:.1f} s\n{self._who_waits()}")
        process = handle.process
        if handle.gone:
            return
        if process is not None and (process.dead or process.frozen):
            if process.frozen:
                process.held.append(handle)
            return
        try:
            handle.context.run(handle.callback, *handle.args)
        except Exception as error:
            self.faults.append(f"{error!r} in {handle.callback}")

    def _jump(self) -> None:
        """To the next timer of somebody who lives."""
        timers = self._timers
        while timers and ((first := timers[0][2]).gone or (first.process and first.process.dead)):
            heapq.heappop(timers)
        if not timers:
            raise Stuck(f"nothing can happen any more, at {self._now:.1f} s\n{self._who_waits()}")
        self._now = max(self._now, timers[0][0])
        while timers and timers[0][0] <= self._now:
            _, _, handle = heapq.heappop(timers)
            if not handle.gone:
                self._put(handle)

    def _put(self, handle: _Handle) -> None:
        owner = getattr(handle.callback, "__self__", None)
        if isinstance(owner, _Task):
            owner.dice = dice = (owner.dice * 6364136223846793005 + 1442695040888963407) & MASK
        else:
            self._dice = dice = (self._dice * 6364136223846793005 + 1442695040888963407) & MASK
        self._count += 1
        place = self.steps + (dice >> 11) * (WINDOW / (1 << 53))
        heapq.heappush(self._ready, (place, self._count, handle))

    async def after(self, steps: int) -> None:
        """Wait for a number of steps, which is no time: something happens while everybody is in the midst of things."""
        alarm: asyncio.Future[None] = self.create_future()
        self._count += 1
        heapq.heappush(self._alarms, (self.steps + steps, self._count, alarm))
        await alarm

    # -- processes ----------------------------------------------------------------------------------------------------

    def spawn(self, process: Process | None, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begin something in a process."""
        context = copy_context()
        context.run(RUNNING_IN.set, process)
        return self.create_task(work, context=context)

    def thaw(self, process: Process) -> None:
        """Let a frozen process go on; it does not know that time has passed."""
        process.frozen = False
        held, process.held = process.held, []
        for handle in held:
            self._put(handle)

    # -- asyncio's side -----------------------------------------------------------------------------------------------

    def time(self) -> float:
        return self._now

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Context | None = None) -> Any:
        handle = _Handle(callback, args, context)
        self._put(handle)
        return handle

    call_soon_threadsafe = call_soon

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Any:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None) -> Any:
        handle = _Handle(callback, args, context)
        self._count += 1
        heapq.heappush(self._timers, (when, self._count, handle))
        return handle

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, *, name: Any = None, context: Context | None = None) -> asyncio.Task[Any]:
        number = len(self._born)
        dice = (self._dice ^ (number * 0x9E3779B97F4A7C15)) & MASK
        task = _Task(coro, dice=dice, loop=self, name=name or f"#{number}", context=context)
        self._born.append(task)
        return task

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return not self._over

    def is_closed(self) -> bool:
        return self._over

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """A callback that raised is a defect. An error that nobody asked for is not: whoever should may be dead."""
        if not self._over and "never retrieved" not in context["message"]:
            self.faults.append(f"{context['message']}: {context.get('exception')!r}")

    async def shutdown_asyncgens(self) -> None:
        """Nothing to do: the generators go with the tasks."""

    # -- the end ------------------------------------------------------------------------------------------------------

    def _who_waits(self) -> str:
        waiting = [task for task in self._born if not task.done()]
        lines: list[str] = []
        for task in waiting[:40]:
            frames = task.get_stack(limit=1)
            where = f"{frames[-1].f_code.co_qualname}:{frames[-1].f_lineno}" if frames else "?"
            lines.append(f"  {task.get_name()} in {where}")
        return "\n".join(lines)

    def _drop_everything(self) -> None:
        """Close what never ended, dead processes' tasks too: until now nothing of theirs may run, not a ``finally``."""
        self._ready.clear()
        self._timers.clear()
        for task in self._born:
            if task.done():
                error = None if task.cancelled() else task.exception()
                if isinstance(error, BUGS):
                    self.faults.append(f"{error!r} ended {task.get_coro()}")
            else:
                task._log_destroy_pending = False  # pyright: ignore[reportAttributeAccessIssue]
                _close(task.get_coro())
        self._born.clear()


def _close(work: Any) -> None:
    try:
        work.close()
    except BaseException:  # whatever its ``finally`` says: the world that it would act upon is over
        return


async def switch() -> None:
    """A point at which anything else may happen."""
    await _Switch()


class _Switch:
    def __await__(self) -> Generator[None]:
        yield
