"""``make test`` leaves no folder with tests out, though it runs them in two parts."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_make_test_runs_the_tests_of_every_folder_once():
    makefile = (ROOT / "Makefile").read_text()
    first, second = (
        re.findall(rf"^{name} := (.*)$", makefile, re.MULTILINE)[0].split() for name in ("APART", "BY_TURNS")
    )
    folders = [word for word in second if not word.startswith("--")]
    ignored = [word.removeprefix("--ignore=") for word in second if word.startswith("--")]
    paths = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]["testpaths"]
    assert sorted({*first, *folders} - {*ignored}) == sorted(paths)
    assert set(ignored) <= set(first)
