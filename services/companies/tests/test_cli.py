"""What somebody sees who fills the register at a terminal."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from companies import classifications_cli
from companies.claiming import REFRESH
from companies.cli import app
from companies.testing import business_id, record, write_register
from companies.ytj_stand_in import Scripted, YtjStandIn
from pymongo import MongoClient
from typer import Typer
from typer.testing import CliRunner, Result

pytestmark = pytest.mark.stack

Run = Callable[..., Result]


@pytest.fixture
def run(mongo_uri: str, database: str) -> Run:
    def run(*words: str, of: Typer = app) -> Result:
        return CliRunner(env={"MONGO_URI": mongo_uri, "MONGO_DATABASE": database}).invoke(of, list(words))

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


def test_an_import_of_some_places_passes_the_others_by_and_says_so(run: Run, file: Path):
    result = run("import", str(file), "--municipality", "091")
    assert result.exit_code == 0
    assert "30 records read: 0 new" in result.stdout
    assert "30 passed by: not in 1 municipalities" in result.stdout
    assert "30 new" in run("import", str(file), "--municipality", "091", "--municipality", "908").stdout


def test_who_is_killed_goes_on_when_it_is_run_again(run: Run, mongo_uri: str, database: str, tmp_path: Path):
    file, many = tmp_path / "register.zip", 6_000
    write_register(file, many)
    command = [Path(sys.executable).with_name("tyrsky"), "register", "import", file]
    environment = {**os.environ, "MONGO_URI": mongo_uri, "MONGO_DATABASE": database}
    with (
        MongoClient[dict[str, Any]](mongo_uri) as client,
        subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process,
    ):
        while process.poll() is None and not client[database]["register_imports"].find_one({"records": {"$gt": 1_000}}):
            time.sleep(0.01)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    result = run("import", str(file))
    assert result.exit_code == 0
    assert "6,000 records read: 6,000 new, 0 changed, 0 the same" in result.stdout
    assert "went on after record" in result.stdout
    assert "6,000 the same: nothing to do" in run("import", str(file)).stdout


def test_a_place_that_is_not_known_is_refused_in_a_sentence(run: Run, file: Path):
    result = run("import", str(file), "--area", "Etelä")
    assert result.exit_code == 2
    assert "There is no area Etelä" in result.stderr


@pytest.mark.parametrize("words", [[], ["FILE", "--api"], ["FILE", "--everything", "--region", "06"]])
def test_what_cannot_be_meant_is_refused(words: list[str], run: Run, file: Path):
    result = run("import", *(str(file) if word == "FILE" else word for word in words))
    assert result.exit_code == 2
    assert result.stderr


def test_the_register_comes_from_the_api(run: Run):
    with YtjStandIn(record(number) for number in range(130)) as server:
        words = ("import", "--api", "--api-address", server.address, "--api-per-second", "10")
        assert "130 records read: 130 new" in run(*words).stdout
        second = run(*words)
    assert second.exit_code == 0
    assert "130 the same: nothing to do" in second.stdout


def test_an_api_that_fails_is_told_and_gone_back_to(run: Run):
    with YtjStandIn(record(number) for number in range(130)) as server:
        words = ("import", "--api", "--api-address", server.address, "--api-per-second", "10")
        server.script.extend([Scripted(body=server.answer({})), Scripted(404)])
        first = run(*words)
        assert first.exit_code == 1
        assert "Stopped: it answered 404. The last whole record was number 100" in first.stderr
        second = run(*words)
    assert second.exit_code == 0
    assert "went on after record 100" in second.stdout
    assert "130 records read: 130 new" in second.stdout


def test_an_operator_sees_how_it_stands(run: Run, file: Path, mongo_uri: str, database: str):
    assert "0 companies\nNever refreshed." in run("status").stdout
    run("import", str(file))
    at = datetime(2026, 9, 1, 2, 30, tzinfo=UTC)
    work = {"_id": REFRESH, "day": "2026-09-01", "done": False, "pause_until": at, "counts": {"same": 2, "changed": 1}}
    with MongoClient[dict[str, Any]](mongo_uri, tz_aware=True) as client:
        client[database]["day_works"].insert_one(work)
        client[database]["register_imports"].insert_one({"source": "all.zip", "records": 1_500, "at": at})
    told = run("status").stdout
    assert "30 companies" in told
    assert "Import of all.zip: 1,500 records by 2026-09-01 02:30 UTC" in told
    assert "Refresh of 2026-09-01, not done: 1 changed, 2 same" in told
    assert "paused until 2026-09-01 02:30 UTC" in told


def test_sizes_are_told_from_a_file(run: Run, file: Path, tmp_path: Path):
    run("import", str(file))
    sizes = tmp_path / "sizes.csv"
    sizes.write_text(f"business_id,size_class\n{business_id(3)},small\n{business_id(99)},micro\n")
    told = run("sizes", str(sizes))
    assert told.exit_code == 0
    assert "1 changed, 0 the same; 1 are not in the register" in told.stdout
    sizes.write_text(f"business_id,size_class\n{business_id(3)},huge\n")
    wrong = run("sizes", str(sizes))
    assert wrong.exit_code == 1
    assert "line 2: size-wrong" in wrong.stderr
    sizes.write_text("x")
    assert "Nothing was changed" in run("sizes", str(sizes)).stderr


def classify(run: Run, kind: str, path: Path, text: str, *words: str) -> Result:
    path.write_text(text, "utf-8-sig")
    return run("import", kind, str(path), *words, of=classifications_cli.app)


def test_a_classification_is_imported_and_what_is_wrong_is_told(run: Run, tmp_path: Path):
    path = tmp_path / "regions.csv"
    first = classify(run, "region", path, "code;name_fi;name_sv\n06;Pirkanmaa;Birkaland\n19;Lappi;\n")
    assert first.exit_code == 0
    assert "region: 2 rows read: 2 new, 0 changed, 0 the same, 0 gone; 0 refused" in first.stdout
    assert "1 have no name in sv: the Finnish one is given" in first.stdout
    second = classify(run, "region", path, "code;name_fi;name_sv\n06;Pirkanmaa;Birkaland\n19;Lappi;\n")
    assert "2 the same, 0 gone: nothing to do" in second.stdout
    wrong = classify(run, "region", path, "code;name_fi;name_sv\n06;Pirkanmaa;Birkaland\n9;Lappi;\n")
    assert wrong.exit_code == 1
    assert "line 3: the code is not of this classification's form" in wrong.stderr
    none = classify(run, "region", path, "hello\n")
    assert none.exit_code == 1
    assert "Nothing was changed" in none.stderr
    assert classify(run, "sausage", path, "").exit_code == 2


def test_much_that_is_missing_is_gone_when_that_is_said(run: Run, tmp_path: Path):
    path = tmp_path / "municipalities.csv"
    rows = [f"{number:03},Kunta" for number in range(50)]
    classify(run, "municipality", path, "\n".join(["code,name_fi", *rows]))
    cut = classify(run, "municipality", path, "\n".join(["code,name_fi", *rows[:20]]))
    assert cut.exit_code == 1
    assert "30 classes are not in the file" in cut.stderr
    said = classify(run, "municipality", path, "\n".join(["code,name_fi", *rows[:20]]), "--gone")
    assert said.exit_code == 0
    assert "30 gone" in said.stdout
