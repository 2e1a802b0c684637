"""The documents are complete: whatever has a name that people meet is explained where they would look for it."""

import re
from pathlib import Path

from tyrsky import auth, metrics
from tyrsky_contracts import topics

ROOT = Path(__file__).parents[2]
ARCHITECTURE = ROOT / "docs" / "architecture"


def test_each_module_of_the_kit_is_on_its_page() -> None:
    page = (ARCHITECTURE / "kit.md").read_text()
    kit = ROOT / "shared" / "kit" / "tyrsky"
    modules = {path.stem for path in kit.glob("*.py") if path.stem != "__init__"}
    assert {name for name in modules if f"`{name}`" not in page} == set()


def test_the_page_of_the_kit_shows_a_service_as_it_is() -> None:
    page = (ARCHITECTURE / "kit.md").read_text()
    shown = page.split("```python\n")[1].split("```")[0]
    main = (ROOT / "services" / "companies" / "companies" / "main.py").read_text()
    assert shown == main[main.index("settings = ") :]


def test_each_role_is_told_what_it_may() -> None:
    page = (ARCHITECTURE / "own-service.md").read_text()
    assert {role for role in auth.ROLES if f"`{role}`" not in page} == set()


def test_each_topic_and_event_is_on_the_contracts_page() -> None:
    page = (ARCHITECTURE / "contracts.md").read_text()
    names = {topic.name for topic in topics.ALL} | {event.__name__ for topic in topics.ALL for event in topic.events}
    assert {name for name in names if f"`{name}`" not in page} == set()


def test_each_metric_is_on_the_operators_page() -> None:
    page = (ROOT / "docs" / "operations" / "metrics.md").read_text()
    ours = {family.name for family in metrics.REGISTRY.collect() if not family.name.startswith(("process_", "python_"))}
    assert {name for name in ours if f"`{name}" not in page} == set()


def test_each_decision_says_when_to_think_again() -> None:
    decisions = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    assert len(decisions) >= 3
    assert [path.name for path in decisions if "revisit" not in path.read_text().lower()] == []
    numbers = [path.name[:4] for path in decisions]
    assert len(set(numbers)) == len(numbers)


def test_each_defect_names_its_test_and_the_test_is_there() -> None:
    code: dict[str, str] = {}
    for folder in ("tests", "shared", "services", "docs"):
        for path in (ROOT / folder).rglob("test_*.py"):
            code[path.name] = code.get(path.name, "") + path.read_text()
    page = (ROOT / "docs" / "defects.md").read_text()
    rows = [row for row in page.splitlines() if row.startswith("|") and not row.startswith(("| seen |", "| --- |"))]
    assert len(rows) > 50
    missing: list[str] = []
    for row in rows:
        told, file = row.strip("| ").rpartition(" | ")[2], ""
        for named in told.split(", "):
            found = re.fullmatch(r"`(test_\w+\.py)?::(test_\w+)`", named)
            file = (found and found[1]) or file
            if not (found and f"def {found[2]}(" in code.get(file, "")):
                missing.append(f"{row:.60}: {named}")
    assert missing == []


def test_links_between_documents_lead_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "services").glob("*/*.md")]
    broken: list[str] = []
    for page in pages:
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text()):
            if not target.startswith(("http://", "https://", "mailto:")) and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert broken == []
