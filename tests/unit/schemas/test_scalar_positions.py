"""A character of a YAML scalar's value is found again in its source."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hatchet_schemas.scalar_positions import mark_inside
from hatchet_schemas.yaml_source import LINE_BREAK, parse

VISIBLE = st.text(st.sampled_from("aäx{}|.'\"\\#: \t\n\u20ac\U0001f600"), min_size=1, max_size=60)


def found(source: str, offset: int) -> tuple[int, int]:
    """Return the place of a character of the one value in a map."""
    root = parse(source.encode())
    assert root is not None
    node = root.children["key"]
    return mark_inside(LINE_BREAK.split(source), node.mark, node.style, node.value, offset)


@pytest.mark.parametrize(
    ("source", "offset", "place"),
    [
        ("key: abc", 1, (0, 6)),
        ("key: 'abc'", 1, (0, 7)),
        ("key: 'it''s x'", 5, (0, 12)),
        ('key: "a\\tb\\"c"', 4, (0, 12)),
        ('key: "\\u00e4x"', 1, (0, 12)),
        ("key: |\n  ab\n   cd\n", 4, (2, 3)),
        ("key: >-\n  ab\n  cd\n", 3, (2, 2)),
        ("key: ab\n  cd", 3, (1, 2)),
        ("key: abc", 3, (0, 8)),
        ("key: 'abc'", 3, (0, 9)),
        ('key: "a\\\n   b"', 1, (1, 3)),
        ("key: &x !!str abc", 2, (0, 16)),
    ],
)
def test_the_place_of_a_character(source: str, offset: int, place: tuple[int, int]) -> None:
    assert found(source, offset) == place


@given(VISIBLE, st.sampled_from([None, "'", '"', "|", ">"]), st.data())
def test_what_stands_at_the_place_is_the_character(
    text: str, style: str | None, data: st.DataObject
) -> None:
    source = yaml.dump({"key": text}, default_style=None, allow_unicode=True, width=20)
    if style is not None:
        source = f"key: {yaml.dump(text, default_style=style, allow_unicode=True, width=20)}"
    root = parse(source.encode())
    assert root is not None
    value = root.children["key"].value
    if not isinstance(value, str) or not value.strip():
        return
    visible = [index for index, char in enumerate(value) if not char.isspace()]
    offset = data.draw(st.sampled_from(visible))

    line, column = found(source, offset)

    at_place = LINE_BREAK.split(source)[line][column]
    assert at_place == value[offset] or at_place == "\\"  # the start of an escape
