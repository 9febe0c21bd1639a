"""Dollar signs before templates, as GitHub Actions has them: here they stay in the text."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["DOLLAR_SIGN_MESSAGE", "foreign_dollar_sign"]

_WHOLE: Final = re.compile(r"\s*(\$)\{\{(?:(?!\}\}).)*\}\}\s*", re.DOTALL)
_SECRET: Final = re.compile(r"(\$)\{\{-?\s*\.?secrets\b")
DOLLAR_SIGN_MESSAGE: Final = (
    "the $ stays in the text: write {{ … }} without it; "
    "where the sign is meant, as of a price, write {{ '$' }}{{ … }}"
)


def foreign_dollar_sign(text: str) -> int | None:
    """Return where in ``text`` a dollar sign stands that is hardly meant, as a character's index.

    That is one before the only expression of a text, or before a secret. In ``costs ${{ .price }}``
    it may well be meant.
    """
    found = _WHOLE.fullmatch(text) or _SECRET.search(text)
    return found.start(1) if found else None
