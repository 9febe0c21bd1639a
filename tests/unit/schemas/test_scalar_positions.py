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
    node = root.find(("key",))
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
        ("key: &x\n  # why\n  !!str\n  'abc'", 2, (3, 5)),
        ("key: !!str\n  |\n  abc", 2, (2, 4)),
        ("key: &x abc\n  &y z", 3, (1, 2)),
        ('key: "\\x20\\u00a0\\t\\_b"', 4, (0, 20)),
        ('key: "\\0\\a\\b\\e\\/b"', 5, (0, 16)),
        ('key: "\\U0001F600\\\\b"', 2, (0, 18)),
        ("key: ' '", 0, (0, 5)),
        ('key: "\\\tb"', 1, (0, 8)),
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
    value = root.find(("key",)).value
    if not isinstance(value, str) or not value.strip():
        return
    visible = [index for index, char in enumerate(value) if not char.isspace()]
    offset = data.draw(st.sampled_from(visible))

    line, column = found(source, offset)

    at_place = LINE_BREAK.split(source)[line][column]
    assert at_place == value[offset] or at_place == "\\"  # the start of an escape


NAMED = {"\t": "t", "\n": "n", "\0": "0", "\a": "a", "\x1b": "e", "\xa0": "_", "\u2028": "L"}


def escapes(char: str) -> list[str]:
    """Return the ways to write ``char`` between double quotes."""
    code = ord(char)
    ways = [f"\\U{code:08x}"]
    if code < 0x100:
        ways.append(f"\\x{code:02X}")
    if code < 0x10000:
        ways.append(f"\\u{code:04x}")
    if char in NAMED:
        ways.append(f"\\{NAMED[char]}")
    elif char in '"\\':
        ways.append(f"\\{char}")
    else:
        ways.append(char)
    return ways


@st.composite
def written_scalars(draw: st.DrawFn) -> tuple[str, str, list[int]]:
    """Return a source, the visible characters of its one text, and where each is written."""
    style = draw(st.sampled_from(["", "'", '"', "|", ">"]))
    anchor = draw(
        st.sampled_from(["", "&a ", "!!str ", "&a !!str ", "&a\n  ", "!!str # why\n\n  "])
    )
    opening = {"|": "|+2 # why\n  ", ">": ">-\n  "}.get(style, style)
    source, visible, places = f"# \U0001f600\nkey: {anchor}{opening}", "", list[int]()
    alphabet = "ab\u00e4\U0001f600{}." + ("'\"\\#: &!" if style else "")
    extra = "".join(NAMED) if style == '"' else ""
    for word in draw(st.lists(st.text(alphabet + extra, min_size=1), min_size=1, max_size=5)):
        if places:
            source += draw(st.sampled_from([" ", "  ", "\n  ", "\n\n  ", "\n   "]))
        for char in f"x{word}x":
            if not char.isspace():
                visible += char
                places.append(len(source))
            source += draw(st.sampled_from(escapes(char))) if style == '"' else char
            source += "'" if char == style == "'" else ""
    return source + (style if style in {"'", '"'} else "") + "\n", visible, places


@given(written_scalars(), st.data())
def test_each_character_is_found_where_it_was_written(
    written: tuple[str, str, list[int]], data: st.DataObject
) -> None:
    source, visible, places = written
    root = parse(source.encode())
    assert root is not None
    value = root.find(("key",)).value
    assert [char for char in value if not char.isspace()] == list(visible)
    number = data.draw(st.integers(0, len(visible) - 1))
    offset = [index for index, char in enumerate(value) if not char.isspace()][number]

    lines = source[: places[number]].split("\n")
    assert found(source, offset) == (len(lines) - 1, len(lines[-1]))
