"""Files of the register, broken anywhere; and how much memory a large one takes. No store is needed."""

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from companies.importing import import_register
from companies.testing import record, write_register
from hypothesis import given, settings
from hypothesis import strategies as st
from pymongo import InsertOne

LIST = json.dumps([record(number) for number in range(60)], ensure_ascii=False).encode()
RESIDENT_MB_MAX = 300


def zipped(data: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data_20260804.json", data)
    return packed.getvalue()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(LIST) - 1), st.binary(min_size=1, max_size=3), st.booleans())
def test_whatever_is_broken_the_report_counts_what_there_is(place: int, wrong: bytes, packed: bool):
    data = LIST[:place] + wrong + LIST[place + 1 :]
    forgetful: Any = Forgetful()
    report = import_register(io.BytesIO(zipped(data) if packed else data), forgetful)
    assert report.records == report.new + report.same + report.refused.total()
    assert report.new == len(forgetful.ids)


class Forgetful:
    """As much of a collection as an import asks for; it keeps ids and digests alone."""

    def __init__(self) -> None:
        self.ids: dict[str, str] = {}

    def create_index(self, keys: Any) -> None:
        """There is none."""

    def find(self, wanted: Any, fields: Any) -> list[dict[str, Any]]:
        asked = [each for each in wanted["_id"]["$in"] if each in self.ids]
        return [{"_id": each, "digest": self.ids[each]} for each in asked]

    def bulk_write(self, writes: Any, *, ordered: bool) -> None:
        for each in writes:
            update: Any = each
            added = isinstance(each, InsertOne)
            wanted = update._doc if added else {**update._filter, **update._doc["$set"]}
            self.ids[wanted["_id"]] = wanted["digest"]


IMPORTING = """
import sys
from pathlib import Path
from companies.importing import import_register
class Nowhere:
    def create_index(self, keys): pass
    def find(self, wanted, fields): return []
    def bulk_write(self, writes, ordered): pass
with open(sys.argv[1], "rb") as file:
    report = import_register(file, Nowhere())
assert report.stopped is None, report.stopped
[most] = [line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
print(report.new, int(most) / 1024)
"""


def resident(file: Path) -> tuple[int, float]:
    """How many companies of a file a process of its own has imported, and the most memory that it had (MB)."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORTING, file], check=True, capture_output=True, text=True, timeout=250
    )
    new, most = done.stdout.split()
    return int(new), float(most)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not tell the most memory there was")
def test_the_memory_that_an_import_takes_does_not_grow_with_the_file(tmp_path: Path):
    few, many = tmp_path / "few.zip", tmp_path / "many.zip"
    write_register(few, 2_000)
    write_register(many, 20_000)
    (new_of_few, few_mb), (new_of_many, many_mb) = resident(few), resident(many)
    assert (new_of_few, new_of_many) == (2_000, 20_000)
    assert many_mb < RESIDENT_MB_MAX
    assert many_mb - few_mb < 10
