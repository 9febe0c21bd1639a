from __future__ import annotations

import pytest

from hatchet_cli.reports.printable import as_json, cut, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text", "plain text"),
        ("Größe 注文", "Größe 注文"),
        ("\x1b[31m", "\\x1b[31m"),
        ("a\nb", "a\\nb"),
        ("\u202egnp", "\\u202egnp"),
    ],
)
def test_what_could_steer_a_terminal_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize(
    ("text", "width", "shown"), [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("abc", 0, "…")]
)
def test_a_text_is_cut_where_it_does_not_fit(text: str, width: int, shown: str) -> None:
    assert cut(text, width) == shown


def test_values_are_shown_as_json_on_one_line() -> None:
    assert as_json({"a": [1, None, "ü\n\u202e"]}, 80) == '{"a": [1, null, "ü\\n\\u202e"]}'
    assert as_json("x" * 100, 10) == '"xxxxxxxx…'
