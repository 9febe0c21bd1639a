from __future__ import annotations

import json
import string
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hatchet_schemas.yaml_source import (
    MAX_CHARACTERS,
    MAX_DEPTH,
    MAX_FILE_BYTES,
    MAX_VALUES,
    Node,
    YamlError,
    parse,
)

PRINTABLE = st.characters(
    exclude_categories=["Cc", "Cs", "Cn"], exclude_characters="\u2028\u2029\ufeff"
)
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(PRINTABLE, max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(PRINTABLE, max_size=8), inner)
    ),
    max_leaves=12,
)


def parsed(text: str) -> Node:
    root = parse(text.encode())
    assert root is not None
    return root


def refused(source: str | bytes) -> YamlError:
    with pytest.raises(YamlError) as caught:
        parse(source if isinstance(source, bytes) else source.encode())
    return caught.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("on", "on"),
        ("off", "off"),
        ("yes", "yes"),
        ("No", "No"),
        ("y", "y"),
        ("true", True),
        ("True", True),
        ("FALSE", False),
        ("tRUE", "tRUE"),
        ("null", None),
        ("Null", None),
        ("~", None),
        ("", None),
        ("nUll", "nUll"),
        ("5", 5),
        ("-5", -5),
        ("+5", 5),
        ("0", 0),
        ("-0", 0),
        ("010", "010"),
        ("00", "00"),
        ("01.5", "01.5"),
        ("0x1F", "0x1F"),
        ("0o17", "0o17"),
        ("0b1", "0b1"),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("22:22:22", "22:22:22"),
        ("2020-01-01", "2020-01-01"),
        ("2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z"),
        ("1.5", 1.5),
        ("1.", 1.0),
        (".5", 0.5),
        ("-.5", -0.5),
        ("1e3", 1000.0),
        ("1E-2", 0.01),
        ("1.5e+3", 1500.0),
        (".", "."),
        ("1.2.3", "1.2.3"),
        ("1e", "1e"),
        ("e3", "e3"),
        (".inf", ".inf"),
        ("-.INF", "-.INF"),
        (".nan", ".nan"),
        ("1e999", "1e999"),
        ("15s", "15s"),
        ("\u0661", "\u0661"),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("'5'", "5"),
        ('"true"', "true"),
        ("''", ""),
        ("'~'", "~"),
        ("!!str 5", "5"),
        ("! '5'", "5"),
        ("! |\n  5\n", "5\n"),
        ("=", "="),
        ("|\n  5\n", "5\n"),
    ],
)
def test_plain_scalars_are_read_as_yaml_1_2_reads_them(text: str, expected: object) -> None:
    value = parsed(f"x: {text}").value["x"]
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize("number", ["9223372036854775808", "-9223372036854775809", "1" * 50_000])
def test_an_integer_beyond_64_bits_is_refused(number: str) -> None:
    error = refused(f"x: {number}")
    assert (error.line, error.column, error.rule) == (1, 4, "invalid-value")
    assert "does not fit 64 bits: quote it" in error.message
    assert len(error.message) < 200


@given(JSON_VALUES)
@settings(max_examples=150, deadline=None)
def test_json_is_read_as_json(value: Any) -> None:
    # YAML 1.2 contains JSON.
    written = json.dumps(value, ensure_ascii=False)
    assert json.dumps(parsed(f"x: {written}").value["x"], ensure_ascii=False) == written


@given(st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_read_as_json_writes_them(number: float) -> None:
    value = parsed(f"x: {number!r}").value["x"]
    assert value == number
    assert type(value) is type(number)


@pytest.mark.parametrize("source", [b"", b"\n", b"# nothing\n", b"\xef\xbb\xbf", b"\r\n# x\r\n"])
def test_a_source_without_a_value_has_no_root(source: bytes) -> None:
    assert parse(source) is None


@pytest.mark.parametrize("marks", [1, 2, 80_000])
def test_byte_order_marks_at_the_start_are_skipped(marks: int) -> None:
    start = "\ufeff" * marks
    root = parsed(f"{start}name: x\non: y")
    assert root.value == {"name": "x", "on": "y"}
    assert root.key_mark(("name",)) == (0, 0)
    assert refused(f"{start}name: @").column == 7
    assert refused(f"{start}name: \0").column == 7
    assert refused(f"{start}name: ".encode() + b"\xff").column == 7


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_places_count_lines_of_any_system_and_characters_of_any_width(end: str) -> None:
    root = parsed(
        end.join(["# \u65e5\u672c", "a:", "  \u00e9\U0001f600: [1, '\U0001f600', \t2]", ""])
    )
    items = ("a", "\u00e9\U0001f600")
    assert root.key_mark(items) == (2, 2)
    assert [root.find((*items, index)).mark for index in range(3)] == [(2, 7), (2, 10), (2, 16)]


def test_a_place_is_found_by_the_way_to_it() -> None:
    root = parsed("a:\n  - b: 1\n  - {c: 2}\n")
    assert root.find(()).mark == (0, 0)
    assert root.find(("a", 1, "c")).mark == (2, 8)
    assert root.key_mark(("a", 1, "c")) == (2, 5)
    assert root.key_mark(("a", 1)) == (2, 4)
    assert root.find(("a", "not-there", 1)).mark == (2, 4)
    assert root.find(("a", 5)).mark == (1, 2)
    assert root.find(("a", -1)).mark == (1, 2)
    assert root.find((0, "a", 1)).mark == (2, 4)
    assert root.key_mark(("a", "not-there")) == (0, 0)
    assert root.holds(("a", 1, "c"))
    assert root.holds(())
    assert not root.holds(("a", 1, "not-there"))
    assert not root.holds(("not-there", 1, "c"))


@pytest.mark.parametrize(
    ("source", "line", "column", "rule", "message"),
    [
        ("a: [1\nb: 2", 2, 2, "yaml-syntax", "did not find expected ',' or ']'"),
        ("a: 'x", 1, 4, "yaml-syntax", "that is never closed, found unexpected end of stream"),
        ("a:\n- b\n- 'x\n\n  y\n", 3, 3, "yaml-syntax", "a quoted scalar that is never closed"),
        ("a: [\n  b\nc: 1", 3, 2, "yaml-syntax", "a flow sequence that starts in line 1, did not"),
        ("a: b: c", 1, 5, "yaml-syntax", "mapping values are not allowed"),
        ("a: b: c", 1, 5, "yaml-syntax", "quote a text that holds ': '"),
        (
            "a:\n  - b: 1\n   c: 2",
            3,
            4,
            "yaml-syntax",
            "indent all fields of an item of a list alike",
        ),
        ("a: {{ .b }}", 1, 5, "yaml-syntax", 'a template needs quotes: "{{ … }}"'),
        ("a:\n  - b: 1\n\tc: 2", 3, 1, "yaml-syntax", "indent with spaces, not tabs"),
        ("a:\n\t- b", 2, 1, "yaml-syntax", "indent with spaces, not tabs"),
        ("a: @b", 1, 4, "yaml-syntax", "quote a value that starts with @"),
        ("a: 1\na: 2", 2, 1, "duplicate-key", "'a' stands twice in this map, first in line 1"),
        ("{a: 1, 'a': 2}", 1, 8, "duplicate-key", "'a' stands twice"),
        ("? [a]\n: b", 1, 3, "yaml-syntax", "a field name must be a plain text"),
        ("a: &x 1\n*x : 2", 2, 1, "yaml-syntax", "a field name must be a plain text"),
        ("a: *x", 1, 4, "yaml-syntax", "no anchor &x stands before this"),
        ("a: &x [*x]", 1, 8, "yaml-syntax", "*x stands inside what it refers to"),
        ("&x {a: {b: *x}}", 1, 12, "yaml-syntax", "*x stands inside what it refers to"),
        ("a: 1\n--- \nb: 2", 2, 1, "yaml-syntax", "one file holds one workflow"),
        ("a: !!int 5", 1, 4, "yaml-syntax", "'tag:yaml.org,2002:int' are not used"),
        ("a: !x [1]", 1, 4, "yaml-syntax", "tags such as '!x' are not used"),
        ("!!python/object:os.system a: 1", 1, 1, "yaml-syntax", "are not used"),
        ("a: &x {b: 1}\nc: {<<: *x}", 2, 5, "yaml-syntax", "no merge keys"),
        ("a: !%ED%A0%80 x", 1, 1, "yaml-syntax", "% escapes of a tag are not UTF-8"),
        ('a: "\\ud800"', 1, 7, "yaml-syntax", "invalid Unicode character escape"),
        ("a: b\n\u65e5: x\0", 2, 5, "yaml-syntax", "control characters are not allowed"),
        ("a: \x1b[31m", 1, 4, "yaml-syntax", "control characters are not allowed"),
        (b"a: b\r\xe6\x97\xa5: \xff", 2, 4, "yaml-syntax", "byte 0xff is not UTF-8"),
        (b"\xef\xbb\xbfa: b\xff\xfe", 1, 5, "yaml-syntax", "byte 0xff is not UTF-8"),
        (b"\xef\xbb\xbfa: b\x00", 1, 5, "yaml-syntax", "control characters are not allowed"),
        ("a: !!str [1]", 1, 4, "yaml-syntax", "'tag:yaml.org,2002:str' are not used"),
        (f"a: *{'x' * 9_000}", 1, 4, "yaml-syntax", "no anchor &xxx"),
        (f"a: &{'x' * 9_000} [*{'x' * 9_000}]", 1, 9_007, "yaml-syntax", "*xxx"),
        (f"a: !{'x' * 9_000} 1", 1, 4, "yaml-syntax", "tags such as '!xxx"),
        (f"{'x' * 900}: 1\n{'x' * 900}: 1", 2, 1, "duplicate-key", "stands twice"),
        ("a: b".encode("utf-16"), 1, 1, "yaml-syntax", "save the file as UTF-8"),
    ],
)
def test_what_is_not_yaml_is_told_with_its_place(
    source: str | bytes, line: int, column: int, rule: str, message: str
) -> None:
    error = refused(source)
    assert (error.line, error.column, error.rule) == (line, column, rule)
    assert message in error.message
    assert len(error.message) < 300


@pytest.mark.parametrize("quote", ["'", '"'])
@pytest.mark.parametrize("field", ["c: Qx", "c: Q{{ .d }}Q", "{c: Qx}", "c: [Qx, y]"])
def test_a_quote_that_is_closed_by_the_next_one_is_asked_for(quote: str, field: str) -> None:
    error = refused(f"# x\na: Q1Q\nb: Q{{{{ .b }}}}\n{field}".replace("Q", quote))
    assert error.line == 4
    assert "is the quote that opens in line 3, column 4 closed?" in error.message


def test_a_text_of_several_lines_is_not_asked_for() -> None:
    assert "quote that opens" not in refused("a: 'b\n  c'\nd: [e\nf: g").message
    assert "quote that opens" not in refused("a: 'b'\nd: [e\nf: g").message


def test_a_quoted_merge_key_is_a_name_like_any_other() -> None:
    assert parsed("'<<': 1").value == {"<<": 1}


def test_an_anchor_stands_for_its_value() -> None:
    assert parsed("a: &x {b: [1]}\nc: *x").value == {"a": {"b": [1]}, "c": {"b": [1]}}


def test_an_anchor_of_a_field_name_stands_for_the_name() -> None:
    assert parsed("&x a: 1\nb: *x").value == {"a": 1, "b": "a"}


def test_an_anchor_may_be_set_anew() -> None:
    assert parsed("[&x 1, *x, &x [2], *x]").value == [1, 1, [2], [2]]


def test_what_an_alias_stands_for_is_where_it_was_written() -> None:
    root = parsed("a: &x {b: 1}\nc: *x\n")
    assert root.find(("c", "b")).mark == (0, 10)
    assert root.key_mark(("c",)) == (1, 0)


ALIAS_LEVELS = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{level}: &a{level} [{','.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 12)
)
REPEATED_TEXT = f"a: &a {'x' * 100_000}\nb: [{'*a,' * 5_000}]"
REPEATED_KEY = f"a: &a {{? {'x' * 100_000}\n : 1}}\nb: [{'*a,' * 5_000}]"


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "source",
    [
        pytest.param(ALIAS_LEVELS, id="levels of aliases"),
        pytest.param(REPEATED_TEXT, id="many aliases of a long text"),
        pytest.param(REPEATED_KEY, id="many aliases of a long name"),
        pytest.param("[" * 100_000, id="deep lists"),
        pytest.param("- " * 100_000, id="deep block lists"),
        pytest.param("{a: " * 50_000, id="deep maps"),
        pytest.param("[a: " + "{a: " * 50_000, id="deep pairs"),
        pytest.param("[" + "1," * 100_000 + "]", id="many values"),
        pytest.param("x" * (10 * 1024 * 1024), id="10 MiB"),
        pytest.param(
            "a: &a " + "[" * 20 + "]" * 20 + "\nb: " + "[" * 20 + "*a" + "]" * 20, id="deep alias"
        ),
    ],
)
def test_bombs_are_refused_soon(source: str) -> None:
    error = refused(source)
    assert error.rule == "too-large"
    assert len(error.message) < 200


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "source",
    [
        pytest.param("1" * 200_000 + "x", id="a number that is none"),
        pytest.param("1" * 100_000 + "." + "1" * 100_000 + "x", id="a fraction that is none"),
        pytest.param("#" * 200_000, id="a comment"),
        pytest.param("\n" * 200_000, id="empty lines"),
        pytest.param(" " * 200_000, id="spaces"),
        pytest.param("a: |\n" + " \n" * 100_000, id="empty lines of a text"),
        pytest.param('"' + "\\u0041" * 40_000 + '"', id="escapes"),
        pytest.param("".join(f"k{i}: 1\n" for i in range(19_000)), id="many fields"),
        pytest.param("".join(f"- &a{i} x\n" for i in range(19_000)), id="many anchors"),
    ],
)
def test_large_sources_are_read_soon(source: str) -> None:
    parse(source.encode())


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "unit",
    ["a: ", "*a ", "&a ", "!a ", "? ", "'a' ", ": ", "\t", "{a: b,", "%TAG !a! b\n", "[a,"],
)
def test_repetition_ends_soon_with_an_error(unit: str) -> None:
    refused(unit * (250_000 // len(unit)))


def test_the_bounds_themselves_are_within_bounds() -> None:
    deepest = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert parsed(deepest).value
    assert refused(f"[{deepest}]").rule == "too-large"
    inside = "[" * (MAX_DEPTH - 2)
    assert parsed(f"a: &a [[]]\nb: {inside[1:]}*a{']' * len(inside[1:])}").value
    assert refused(f"a: &a [[]]\nb: {inside}*a{']' * len(inside)}").rule == "too-large"
    assert len(parsed("[" + "1," * (MAX_VALUES - 1) + "]").value) == MAX_VALUES - 1
    assert refused("[" + "1," * MAX_VALUES + "]").rule == "too-large"
    padding = "#" * (MAX_FILE_BYTES - 5)
    assert parsed(f"a: b\n{padding}").value == {"a": "b"}
    assert refused(f"a: b\n{padding}#").rule == "too-large"
    half = "x" * (MAX_CHARACTERS // 4)
    assert len("".join(parsed(f"[&a {half}, *a, *a, *a]").value)) == MAX_CHARACTERS
    assert refused(f"[&a {half}, *a, *a, *a, y]").rule == "too-large"


@given(
    st.binary(max_size=60)
    | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass"))
    | st.text("ab:-[]{},&*!|>'\"%@`#?~ \t\r\n\0\x85\u2028\ufeff", max_size=60).map(str.encode)
)
@example(b"a: !<%ED%A0%80> x")
@settings(max_examples=400, deadline=None)
def test_any_bytes_are_a_value_or_an_error_with_a_place(source: bytes) -> None:
    found: YamlError | None = None
    try:
        parse(source)
    except YamlError as error:
        found = error
    if found is not None:
        assert min(found.line, found.column) >= 1
        assert found.message
        assert found.rule in {"yaml-syntax", "duplicate-key", "invalid-value", "too-large"}


@given(
    st.dictionaries(st.text(string.printable, max_size=6), st.text(string.printable, max_size=9))
)
@settings(max_examples=100, deadline=None)
def test_quoted_texts_stay_as_they_are(texts: dict[str, str]) -> None:
    source = yaml.safe_dump(texts, default_style='"')
    root = parse(source.encode())
    assert root is not None
    assert root.value == texts
