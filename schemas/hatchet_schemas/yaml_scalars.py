"""Plain scalars by YAML 1.2's core schema (YAML 1.2.2, chapter 10.3), in decimal numbers alone.

``on``, ``no``, ``1:30``, ``010``, ``0x1F``, ``.inf`` and dates are texts.
"""

from __future__ import annotations

import math
import re
from typing import Final

__all__ = ["plain_value"]

_CONSTANTS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_STARTS_OF_NUMBERS: Final = frozenset("+-.0123456789")
_INTEGER: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]*)", re.ASCII)
_FLOAT: Final = re.compile(
    r"[-+]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?", re.ASCII
)
_MAX_INTEGER: Final = 2**63
_MAX_INTEGER_DIGITS: Final = 20  # with the sign


def plain_value(text: str) -> str | float | bool | None:
    """Return what ``text`` without quotes stands for.

    Raises:
        OverflowError: it is an integer that does not fit 64 bits.

    """
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in _STARTS_OF_NUMBERS:
        return text
    if _INTEGER.fullmatch(text):
        number = int(text) if len(text) <= _MAX_INTEGER_DIGITS else _MAX_INTEGER
        if -_MAX_INTEGER <= number < _MAX_INTEGER:
            return number
        raise OverflowError(f"the number {text[:60]} does not fit 64 bits: quote it to have a text")
    if _FLOAT.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return text
