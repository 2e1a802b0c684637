"""What somebody sees who fills the register at a terminal."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from companies.cli import app
from companies.testing import business_id, record
from typer.testing import CliRunner, Result

pytestmark = pytest.mark.stack

Run = Callable[..., Result]


@pytest.fixture
def run(mongo_uri: str, database: str) -> Run:
    def run(*words: str) -> Result:
        return CliRunner(env={"MONGO_URI": mongo_uri, "MONGO_DATABASE": database}).invoke(app, list(words))

    return run


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "register.json"
    path.write_text(json.dumps({"companies": [record(number) for number in range(30)]}), "utf-8")
    return path


def test_an_import_says_what_it_did_and_a_second_one_that_there_was_nothing_to_do(run: Run, file: Path):
    first = run("import", str(file))
    assert first.exit_code == 0
    assert "30 records read: 30 new, 0 changed, 0 the same; 0 refused" in first.stdout
    second = run("import", str(file))
    assert second.exit_code == 0
    assert "30 records read: 0 new, 0 changed, 30 the same: nothing to do; 0 refused" in second.stdout


def test_a_file_cut_in_the_middle_is_kept_as_far_as_it_goes_and_the_place_is_named(run: Run, file: Path):
    data = file.read_bytes()
    cut = data.index(business_id(12).encode())
    file.write_bytes(data[:cut])
    result = run("import", str(file))
    assert result.exit_code == 1
    assert "12 records read: 12 new" in result.stdout
    assert "the JSON is cut or broken" in result.stderr
    assert f"The last whole record was number 12, business id {business_id(11)}" in result.stderr
    assert f"{cut:,} bytes" in result.stderr


def test_refused_records_are_told_with_reason_and_place(run: Run, file: Path):
    file.write_text(json.dumps([record(0), record(1, names=[]), record(2, names=[])]), "utf-8")
    result = run("import", str(file))
    assert result.exit_code == 0
    assert "2 refused: name-missing (the first is record 2)" in result.stdout


def test_an_import_without_a_store_says_so(file: Path):
    result = CliRunner().invoke(app, ["import", str(file), "--mongo-uri", "mongodb://127.0.0.1:9"])
    assert result.exit_code == 1
    assert "The register's store failed" in result.stderr


def test_a_company_is_found_by_its_name(run: Run, file: Path):
    run("import", str(file))
    found = run("find", "hamara 7")
    assert found.exit_code == 0
    assert business_id(7) in found.stdout
    assert business_id(8) not in found.stdout
    assert run("find", "hamara 7", "--municipality", "091").exit_code == 1


def test_a_name_without_letters_is_refused_in_a_sentence():
    result = CliRunner().invoke(app, ["find", "--", "-"])
    assert result.exit_code == 2
    assert "letter" in result.stderr
