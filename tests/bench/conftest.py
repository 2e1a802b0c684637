"""What the benchmarks' tests share."""

import os

import pytest

from tests.bench.bench import Bench


@pytest.fixture
def here() -> Bench:
    """A benchmark on the running parts."""
    return Bench(os.environ["MONGO_URI"], os.environ["KAFKA_BOOTSTRAP"], rounds=1, runs=1, quick=True)
