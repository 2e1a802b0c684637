"""What the log leaves out."""

import logging
from types import SimpleNamespace

import pytest
from tyrsky import logs


def test_a_library_that_repeats_itself_is_heard_once_in_a_while(monkeypatch: pytest.MonkeyPatch):
    now = 100.0
    monkeypatch.setattr(logs, "time", SimpleNamespace(monotonic=lambda: now))
    seldom = logs.Seldom()

    def heard(name: str, words: str) -> bool:
        return bool(seldom.filter(logging.LogRecord(name, logging.ERROR, "", 0, words, ("x",), None)))

    assert [heard("aiokafka.client", "no broker %s") for _ in range(3)] == [True, False, False]
    assert [heard("uvicorn.error", "Invalid HTTP request received.") for _ in range(3)] == [True, False, False]
    assert heard("aiokafka.client", "something else %s")
    assert all(heard("companies.api", "ours is always heard %s") for _ in range(3))
    now += logs.SELDOM_SECONDS + 1
    assert heard("aiokafka.client", "no broker %s")
