from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatchet_schemas import SchemaError
from hatchet_schemas.patterns import MAX_KEY_BYTES, check_pattern, is_pattern, tokens


@pytest.mark.parametrize(
    "key",
    [
        "user:create",
        "order.paid",
        "eventkey1",
        "a/b@c_d-e",
        "*",
        "#",
        "user.*",
        "user:#",
        "#.created",
        "*.*:#",
        "a..b",
        ".",
        "x" * MAX_KEY_BYTES,
    ],
)
def test_keys_and_patterns_are_taken_as_they_are(key: str) -> None:
    assert check_pattern(key) == key


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("", "cannot be empty"),
        ("x" * 256, "at most 255 characters, this 256"),
        ("a b", "'a b' is not an event key"),
        ("a\n", "is not an event key"),
        ("\u00e4", "is not an event key"),
        ("a,b", "is not an event key"),
        ("user*", "'user*' would match nothing"),
        ("a.b#.c", "'b#' would match nothing"),
        ("a.**", "'**' would match nothing"),
        ("a:*#", "'*#' would match nothing"),
    ],
)
def test_what_no_key_can_match_is_refused(key: str, message: str) -> None:
    with pytest.raises(SchemaError) as caught:
        check_pattern(key)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("key", "expected"), [("a.b", False), ("a.*", True), ("#", True), ("", False), ("a#b", True)]
)
def test_a_wildcard_makes_a_pattern(key: str, *, expected: bool) -> None:
    assert is_pattern(key) is expected


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("user:create.v2", [("", "user"), (":", "create"), (".", "v2")]),
        ("user", [("", "user")]),
        ("", [("", "")]),
        (".", [("", ""), (".", "")]),
        ("a..b", [("", "a"), (".", ""), (".", "b")]),
    ],
)
def test_a_key_is_words_with_the_separators_before_them(
    key: str, expected: list[tuple[str, str]]
) -> None:
    assert tokens(key) == expected


@given(st.text("ab.:*#", max_size=20))
def test_words_and_separators_make_up_the_key(key: str) -> None:
    assert "".join(separator + word for separator, word in tokens(key)) == key


@given(st.text(max_size=20) | st.text("ab.:*# ", max_size=20))
def test_any_text_is_a_pattern_or_an_error(key: str) -> None:
    try:
        assert check_pattern(key) == key
    except SchemaError:
        return
    assert all(word in {"*", "#"} or not is_pattern(word) for _, word in tokens(key))
