"""The page of properties is the table."""

from pathlib import Path

from seatrial.evidence.documentation import page
from seatrial.evidence.properties import TABLE

REPOSITORY = Path(__file__).parents[2]


def test_page_is_current_and_names_every_property() -> None:
    text = page()
    assert (REPOSITORY / "docs" / "evidence.md").read_text(encoding="utf-8") == text
    assert all(f"`{entry.name}`" in text for entry in TABLE)
