"""Each benchmark runs, and finds nothing wrong; how fast is for ``make bench`` to say."""

import importlib

import pytest

from tests.bench.__main__ import BENCHMARKS
from tests.bench.bench import Bench

pytestmark = pytest.mark.stack


@pytest.mark.parametrize("code", BENCHMARKS)
async def test_a_benchmark_runs_and_finds_nothing_wrong(code: str, here: Bench) -> None:
    rows = await importlib.import_module(f"tests.bench.{BENCHMARKS[code]}").run(here)
    assert {row.code for row in rows} == {code}


@pytest.mark.parametrize("code", BENCHMARKS)
async def test_a_profile_tells_of_the_kit(code: str, here: Bench) -> None:
    try:
        told = await importlib.import_module(f"tests.bench.{BENCHMARKS[code]}").profile(here)
    except PermissionError as refused:
        pytest.skip(f"the system does not let py-spy look: {refused}")
    assert "tyrsky" in told
