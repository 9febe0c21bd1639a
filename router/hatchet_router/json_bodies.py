"""Strict JSON: what every parser would read in the same way, and nothing else (RFC 8259)."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Final

from hatchet_router.refusals import Refusal, shown

__all__ = ["MAX_DEPTH", "json_object", "strict_json"]

MAX_DEPTH: Final = 64
"""How deep the lists and maps of a body, or of a message's headers, may be nested."""

_MAX_INTEGER: Final = 2**63
_MAX_INTEGER_DIGITS: Final = 20  # with the sign


class _JsonError(ValueError):
    """JSON that other parsers would read differently, or not at all (RFC 8259, section 4 to 8)."""


def json_object(value: Any, what: str) -> dict[str, Any]:
    """Return ``value`` if it is a JSON object; ``what`` names it otherwise.

    Raises:
        Refusal: it is something else.

    """
    if isinstance(value, dict):
        return value
    raise Refusal(f"{what} is {_KINDS.get(type(value), 'a number')}, expected a JSON object")


def strict_json(text: str, what: str = "the body") -> Any:
    """Return what the JSON ``text`` holds; ``what`` names it where it is none.

    Refused are NaN and Infinity, fields that stand twice, halves of surrogate pairs, integers
    beyond 64 bits, floats beyond a double, and what is nested deeper than `MAX_DEPTH`: the
    standard library reads all of these, some of them as something else.

    Raises:
        Refusal: it is not such JSON.

    """
    try:
        data = _JSON.decode(text)
        if text.count("{") + text.count("[") > MAX_DEPTH and _depth(data) > MAX_DEPTH:
            raise RecursionError  # noqa: TRY301 - the parser says the same, a little later
        if "\\u" in text:
            _refuse_lone_surrogates(data)
    except (ValueError, RecursionError) as error:
        raise Refusal(f"{what} is not JSON: {_said(error)}") from None
    return data


_KINDS: Final = {
    list: "a JSON array",
    str: "a JSON string",
    bool: "true or false",
    type(None): "null",
}


def _said(error: Exception) -> str:
    match error:
        case RecursionError():
            return f"nested more than {MAX_DEPTH} deep"
        case json.JSONDecodeError() if not error.doc.strip():
            return "it is empty"
        case _:
            return str(error)


def _depth(data: Any) -> int:
    depth = 0
    level = [data]
    while level := [item for item in level if isinstance(item, (dict, list))]:
        depth += 1
        level = [
            child for item in level for child in (item.values() if isinstance(item, dict) else item)
        ]
    return depth


def _refuse_lone_surrogates(data: Any) -> None:
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise _JsonError("a \\u escape is half of a surrogate pair") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = next(name for name, count in counts.items() if count > 1)
        raise _JsonError(f"field {shown(twice)} stands twice in one object")
    return result


def _integer(digits: str) -> int:
    if len(digits) <= _MAX_INTEGER_DIGITS:
        number = int(digits)
        if -_MAX_INTEGER <= number < _MAX_INTEGER:
            return number
    raise _JsonError("an integer does not fit 64 bits")


def _float(text: str) -> float:
    number = float(text)
    if number in {float("inf"), float("-inf")}:
        raise _JsonError("a number is too large")
    return number


def _constant(name: str) -> Any:
    raise _JsonError(f"{name} is not JSON")


_JSON: Final = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=_integer,
    parse_float=_float,
    parse_constant=_constant,
)
