"""The log: one JSON object per line on standard output, each with the trace that it belongs to.

An exception is logged as its type and where it came from, never with its message: a driver's or a validator's message
holds the values at fault, and so perhaps a person's name or address.
"""

import logging
import sys
import time
import traceback
from types import TracebackType
from typing import Any

from opentelemetry import trace
from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]

TALKATIVE = ("aiokafka", "faststream", "httpx2", "httpcore2", "pymongo", "urllib3", "asyncio")
"""Libraries of which only warnings are kept: they log addresses and messages."""

SELDOM = (*TALKATIVE, "uvicorn")
"""Libraries of which the same words are kept once in a while: uvicorn has some for every junk byte of a client."""

LEFT_OUT = [*RESERVED_ATTRS, "color_message"]  # what uvicorn says once more, in colours

SELDOM_SECONDS = 10
SELDOM_MAX = 1_000

CHAIN_MAX = 5
FRAMES_MAX = 30


class Lines(JsonFormatter):
    """Log records as JSON lines of one service, in UTC."""

    converter = staticmethod(time.gmtime)

    def __init__(self, service: str) -> None:
        super().__init__("%(message)s", json_ensure_ascii=False, reserved_attrs=LEFT_OUT)
        self._service = service

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        """Each line begins with when, how grave, who and in which trace."""
        log_data["time"] = self.formatTime(record, "%Y-%m-%dT%H:%M:%S") + f".{int(record.msecs):03d}Z"
        log_data["level"] = record.levelname
        log_data["service"] = self._service
        log_data["logger"] = record.name
        span = trace.get_current_span().get_span_context()
        if span.is_valid:
            log_data["trace_id"] = trace.format_trace_id(span.trace_id)
            log_data["span_id"] = trace.format_span_id(span.span_id)
        super().add_fields(log_data, record, message_dict)

    def formatException(self, ei: ExcInfo) -> str:  # noqa: N802  # pyright: ignore[reportIncompatibleMethodOverride]
        """The exception, and what caused it, as types and places."""
        return without_messages(ei[1])


def without_messages(error: BaseException | None) -> str:
    """An exception and its causes, innermost last, as types and places."""
    told: list[str] = []
    while error is not None and len(told) < CHAIN_MAX:
        frames = traceback.extract_tb(error.__traceback__)[-FRAMES_MAX:]
        places = [f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
        told.append("\n".join([type(error).__qualname__, *places]))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\nbecause of ".join(told)


class Seldom(logging.Filter):
    """The same words of a library once in a while: while Kafka is away, its client complains twenty times a second."""

    def __init__(self) -> None:
        super().__init__()
        self._told: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it was not said lately."""
        if not record.name.startswith(SELDOM):
            return True
        words, now = f"{record.name} {record.msg}", time.monotonic()
        if now - self._told.get(words, -SELDOM_SECONDS) < SELDOM_SECONDS:
            return False
        if len(self._told) >= SELDOM_MAX:
            self._told.clear()
        self._told[words] = now
        return True


def configure(service: str, level: str) -> None:
    """Log the whole process as JSON lines."""
    # What no line of ours says need not be found out for each: threads, processes, and the place in the code, which
    # is switched off as Python's Logging HOWTO has it ("Optimization").
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # pyright: ignore[reportPrivateUsage]
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(Lines(service))
    handler.addFilter(Seldom())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level]))
