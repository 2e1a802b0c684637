"""What is written about topics names all of them, and every setting."""

from pathlib import Path

from tyrsky.settings import table
from tyrsky.topics_admin import TopicSettings
from tyrsky_contracts.topics import ALL

DOCS = Path(__file__).resolve().parents[3] / "docs"


def test_the_settings_of_topics_are_documented():
    assert table(TopicSettings) in (DOCS / "operations" / "topics.md").read_text()


def test_the_map_of_topics_is_documented():
    rows = [row for row in (DOCS / "architecture" / "contracts.md").read_text().splitlines() if row.startswith("| `")]
    for topic in ALL:
        (row,) = [row for row in rows if row.startswith(f"| `{topic.name}` |")]
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        kept = "for ever" if topic.retention is None else f"{topic.retention.days} days"
        assert cells[1] == ", ".join(f"`{event.__name__}`" for event in topic.events)
        assert cells[2] == ", ".join(topic.producers)
        assert cells[3] == (", ".join(f"`{group}`" for group in topic.consumers) or "-")
        assert cells[4] == kept
        assert cells[5] == ("the network" if topic.public else "this deployment")
