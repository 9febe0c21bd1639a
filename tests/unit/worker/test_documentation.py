"""The pages of the prebuilt integrations."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, Field

from hatchet_worker import Integration, action
from hatchet_worker.documentation import TESTED_AGAINST, documents, page, prebuilt, table
from hatchet_worker.reference import reference_of

FOLDER = Path(__file__).parents[3] / "docs" / "integrations"


def test_the_pages_are_those_that_the_code_makes() -> None:
    """Mend it by ``./task docs``."""
    assert {file.name: file.read_text() for file in FOLDER.glob("*.md")} == documents()


def test_the_table_says_what_each_integration_is_tested_against() -> None:
    assert {each.id for each in prebuilt()} <= set(TESTED_AGAINST)


class Note(BaseModel):
    """What is written."""

    text: str = Field(description="On one line | or more.")
    color: str = "black"


class Notes(Integration):
    """Keeps notes."""

    id = "notes"
    secrets = ("PENCIL",)

    @action("write", semantics="idempotent", mode="local")
    def write(self, note: Note) -> Note:
        """Write a note."""
        return note


def test_a_page_tells_all_of_an_integration() -> None:
    text = page(reference_of(Notes))

    for line in (
        "# notes\n",
        "Keeps notes.\n",
        "Secrets: `PENCIL`.",
        "## notes:write\n",
        "Semantics: [idempotent, local by default](",
        "| `text` | string | required | On one line \\| or more. |",
        '| `color` | string | `"black"` |  |',
        "Tried again after: `Throttled`, `Unreachable`, `ProviderFailed`.",
    ):
        assert line in text


def test_the_table_has_a_row_for_each_action() -> None:
    assert (
        "| [notes](notes.md) | [write](notes.md#noteswrite) | idempotent, local by default | "
        "`Throttled`, `Unreachable`, `ProviderFailed` |  |\n"
    ) in table([reference_of(Notes)])
