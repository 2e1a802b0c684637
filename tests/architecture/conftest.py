"""What the tests that read the code need."""

import gc
from collections.abc import Generator

import pytest


@pytest.fixture(autouse=True, scope="module")
def undisturbed() -> Generator[None]:
    """No collection of garbage meanwhile. What earlier tests left may log a traceback as it goes, for which Python 3.11
    parses code; and a parse inside a parse fails ("AST constructor recursion depth mismatch")."""
    gc.disable()
    yield
    gc.enable()
