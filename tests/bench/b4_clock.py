"""The clock of B4: it looks over the shoulders of aiokafka's consumers, on which measure and floor both stand."""

import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from aiokafka import AIOKafkaConsumer


@dataclass
class Clock:
    """From the first record that any client in this process was given to the last commit."""

    first_at: float = 0.0
    last_at: float = 0.0

    @property
    def seconds(self) -> float:
        return self.last_at - self.first_at

    @contextmanager
    def runs(self) -> Generator[None]:
        """Until the block ends."""
        kept: dict[str, Any] = {name: getattr(AIOKafkaConsumer, name) for name in ("getone", "getmany", "commit")}

        def polling(poll: Any) -> Any:
            async def polled(*given: Any, **named: Any) -> Any:
                found = await poll(*given, **named)
                if found:
                    self.first_at = self.first_at or time.perf_counter()
                return found

            return polled

        async def commit(*given: Any, **named: Any) -> Any:
            done = await kept["commit"](*given, **named)
            self.last_at = time.perf_counter()
            return done

        with ExitStack() as patches:
            for name in ("getone", "getmany"):
                patches.enter_context(patch.object(AIOKafkaConsumer, name, polling(kept[name])))
            patches.enter_context(patch.object(AIOKafkaConsumer, "commit", commit))
            yield
