"""What people write in templates by habit, from Go or GitHub Actions, and what to write instead.

Hints are for templates that fail; they are looked for between the braces alone, and not in texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

__all__ = ["hint", "hint_for_name"]

_CODE: Final = re.compile(r"\{[{%][-+]?(.*?)(?:[}%]\}|\Z)", re.DOTALL)
_DOLLAR_FIRST: Final = re.compile(r"\{\{\s*\$\{\{")
_TEXT: Final = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`")

_NO_VARIABLES: Final = "templates have no variables: write the path itself, .a.b"
_NO_PARTS: Final = "templates have no parts of their own: write the text where it is needed"
_NO_PREFIX: Final = "write .x[:4] == 'abc-' for a beginning, .x[-4:] == '.txt' for an end"
_NO_CUT: Final = "write .x[4:] without a beginning, .x[:-4] without an end"
_NO_CHANCE: Final = "templates draw no lots; .event.id is unique to each event"
_NO_CLOCK: Final = ".event.time is when the event happened; templates have no other clock"
_ARGUMENTS: Final = "write the arguments of a filter in parentheses, | default('x')"

# Behind {{, ( or |.
_FUNCTIONS: Final = MappingProxyType(
    {
        "index": 'write .a["b-c"] or .a.b-c for Go\'s index .a "b-c"',
        "printf": "printf is Go's: write texts around {{ … }}, or '%s' | format(.x)",
        "print": "write .a ~ .b for Go's print .a .b",
        "println": "write .a ~ .b for Go's println .a .b",
        "len": "write .list | length for Go's len .list",
        "eq": "write .a == .b for Go's eq .a .b",
        "ne": "write .a != .b for Go's ne .a .b",
        "lt": "write .a < .b for Go's lt .a .b",
        "le": "write .a <= .b for Go's le .a .b",
        "gt": "write .a > .b for Go's gt .a .b",
        "ge": "write .a >= .b for Go's ge .a .b",
        "and": "write .a and .b for Go's and .a .b",
        "or": "write .a or .b for Go's or .a .b",
        "template": _NO_PARTS,
        "include": _NO_PARTS,
        "tpl": "data is never taken for a template",
        "toJson": "the filter is called tojson: .x | tojson",
        "toJSON": "the filter is called tojson: .x | tojson",
        "toPrettyJson": "write .x | tojson(indent=2)",
        "fromJson": "the filter is called fromjson: .x | fromjson",
        "fromJSON": "the filter is called fromjson: .x | fromjson",
        "toString": "write .x | string",
        "toYaml": "write .x | tojson; YAML reads JSON",
        "quote": "write .x | tojson for a text in quotes",
        "squote": 'write "\'" ~ .x ~ "\'"',
        "b64enc": "the filter is called b64encode: .x | b64encode",
        "b64dec": "the filter is called b64decode: .x | b64decode",
        "sha256sum": "the filter is called sha256: .x | sha256",
        "urlquery": "the filter is called urlencode: .x | urlencode",
        "html": "the filter is called escape: .x | escape",
        "trunc": "write .x[:20], or .x | truncate(20)",
        "substr": "write .x[2:5]",
        "nindent": 'write "\\n" ~ (.x | indent(4, true))',
        "trimAll": "write .x | trim('-')",
        "trimPrefix": _NO_CUT,
        "trimSuffix": _NO_CUT,
        "hasPrefix": _NO_PREFIX,
        "hasSuffix": _NO_PREFIX,
        "contains": "write 'part' in .text",
        "has": "write 'element' in .list",
        "hasKey": "write 'key' in .map",
        "get": 'write .map["key"]',
        "empty": "write not .x",
        "coalesce": "write .a or .b, or .a | default(.b)",
        "ternary": "write .a if .condition else .b",
        "list": "write [.a, .b]",
        "dict": "write {'key': .a}",
        "keys": "write .map | list",
        "values": "write .map | items | map('last')",
        "uniq": "the filter is called unique: .list | unique",
        "sortAlpha": "the filter is called sort: .list | sort",
        "splitList": "templates do not split texts: leave it to the action",
        "split": "templates do not split texts: leave it to the action",
        "add": "write .a + .b",
        "sub": "write .a - .b",
        "mul": "write .a * .b",
        "div": "write .a // .b",
        "mod": "write .a % .b",
        "int64": "the filter is called int: .x | int",
        "float64": "the filter is called float: .x | float",
        "atoi": "the filter is called int: .x | int",
        "now": _NO_CLOCK,
        "date": _NO_CLOCK,
        "uuidv4": _NO_CHANCE,
        "randAlphaNum": _NO_CHANCE,
        "random": _NO_CHANCE,
        "env": "templates read no environment: write .vars.NAME or .secrets.NAME",
        "required": "a field that is missing is an error already: write .x",
        "fail": "a field that is missing is an error already: write .x",
        "upper": "write .x | upper for Go's upper .x",
        "lower": "write .x | lower for Go's lower .x",
        "title": "write .x | title for Go's title .x",
        "trim": "write .x | trim for Go's trim .x",
        "replace": "write .x | replace('a', 'b')",
        "default": "write .x | default('y')",
        "join": "write .list | join(', ')",
        "first": "write .list | first for Go's first .list",
        "last": "write .list | last for Go's last .list",
        "int": "write .x | int for Go's int .x",
    }
)
_FILTERS_TOO: Final = frozenset(
    "default first fromjson int join last list lower replace title trim upper".split()
)

# With parentheses, as in GitHub's expressions.
_CALLS: Final = MappingProxyType(
    {
        "contains": "write 'part' in .text, or 'element' in .list",
        "startswith": "write .x[:4] == 'abc-' for startsWith(.x, 'abc-')",
        "endswith": "write .x[-4:] == '.txt' for endsWith(.x, '.txt')",
        "format": "write texts around {{ … }}, .a ~ .b, or '%s' | format(.x)",
        "join": "write .list | join(', ')",
        "fromjson": "the filter is called fromjson: .x | fromjson",
        "tojson": "the filter is called tojson: .x | tojson",
        "hashfiles": "templates see no files; the hash of a text is .x | sha256",
        "success": "success() is for the `if` of a step",
        "failure": "failure() is for the `if` of a step",
        "cancelled": "cancelled() is for the `if` of a step",
        "always": "always() is for the `if` of a step",
        "len": "write .list | length for len(.list)",
        "str": "write .x | string for str(.x)",
        "int": "write .x | int for int(.x)",
        "now": _NO_CLOCK,
    }
)

_NAMES: Final = MappingProxyType(
    {
        "github": "write .x for github.event.x; the event itself is .event",
        "env": "write .vars.NAME or .secrets.NAME",
        "inputs": "write .input.x for the event's data",
        "needs": "a step sees the steps before it: .steps.ID.outputs.x",
        "now": _NO_CLOCK,
        "null": "write none for null",
        "nil": "write none for nil",
        "undefined": "write .x is defined",
    }
)

_NOT_KEYWORD: Final = r"(?!(?:and|or|not|in|is|if|else)\b)"
_FUNCTION: Final = re.compile(rf"(?:^\s*|\(\s*)(\w+)\s+{_NOT_KEYWORD}(?=[.$\"(\w])")
_PIPED: Final = re.compile(r"\|\s*(\w+)")
_CALL: Final = re.compile(r"(?:^|[^|\w.\s])\s*(\w+)\(")

_HABITS: Final[tuple[tuple[re.Pattern[str], str], ...]] = tuple(
    (re.compile(pattern), instead)
    for pattern, instead in (
        (r"^\s*/\*", "write {# … #} for a comment"),
        (r"^\s*\$\w*\s*:?=", _NO_VARIABLES),
        (r"^\s*(?:range|for)\b", "write .items | map(attribute='id') | join(', ') for a loop"),
        (r"^\s*with\s", "write the whole path, .a.b, for Go's with .a"),
        (r"^\s*(?:define|block)\s", _NO_PARTS),
        (r"^\s*(?:if|else|end)\b", "write {% if … %} … {% endif %} for Go's if"),
        (r"&&", "write `and` for &&"),
        (r"\|\|", "write `or` for ||"),
    )
)
_SIGNS: Final[tuple[tuple[re.Pattern[str], str], ...]] = tuple(
    (re.compile(pattern), instead)
    for pattern, instead in (
        (r"===", "write == for ==="),
        (r"!(?!=)", "write `not` for !"),
        (r"\?\?", "write .a | default(.b) for .a ?? .b"),
        (r"\?", "write .b if .a else .c for .a ? .b : .c"),
        (rf"\|\s*\w+\s+{_NOT_KEYWORD}[\".\w]", _ARGUMENTS),
        (r"\$(?!\{)", "write {{ .name }}; variables with $ are Go's"),
    )
)


def hint(source: str) -> str:
    """Return advice for a template that does not compile, beginning with ``"; "``, or nothing."""
    advice = next(
        (advice for code in _CODE.findall(source) for advice in _advice(_TEXT.sub('""', code))),
        "",
    )
    # In the error of a condition the sign is the fault itself; elsewhere it stays in the text.
    if _DOLLAR_FIRST.match(source) or ("${{" in source and not advice):
        return "; write {{ … }} without the dollar sign" + (f", and {advice}" if advice else "")
    return f"; {advice}" if advice else ""


def hint_for_name(name: object) -> str:
    """Return advice for a name that is not known, beginning with ``"; "``, or nothing."""
    advice = _NAMES.get(name) if isinstance(name, str) else None
    return f"; {advice}" if advice else ""


def _advice(code: str) -> Iterator[str]:
    """Yield advice, what explains the most first."""
    yield from (instead for habit, instead in _HABITS if habit.search(code))
    for call in _CALL.findall(code):
        if call.lower() in _CALLS:
            yield _CALLS[call.lower()]
    for name in (*_FUNCTION.findall(code), *_unknown_filters(code)):
        if name in _FUNCTIONS:
            yield _FUNCTIONS[name]
    yield from (instead for sign, instead in _SIGNS if sign.search(code))


def _unknown_filters(code: str) -> list[str]:
    return [name for name in _PIPED.findall(code) if name not in _FILTERS_TOO]
