"""What may have been meant: near names, looked for within bounds."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from itertools import islice
from typing import Final

from hatchet_schemas.errors import shown

__all__ = ["SURE_LIKENESS", "Suggestions", "listed"]

SURE_LIKENESS: Final = 0.75
"""How like a name has to be where it may also be right as it is."""

_MAX_SEARCHES: Final = 50  # in one file: beyond, another suggestion does not help either
_MAX_CANDIDATES: Final = 200
_MAX_LISTED: Final = 10
_MIN_LIKENESS: Final = 0.6
_MAX_NAME: Final = 100  # characters


class Suggestions:
    """Names near to wrong ones, for one file.

    Comparing is slow, and a file can hold thousands of wrong names: the number is bounded.
    """

    def __init__(self) -> None:
        self._left = _MAX_SEARCHES

    def near(
        self, name: object, candidates: Iterable[str], *, likeness: float = _MIN_LIKENESS
    ) -> str | None:
        """Return the one of ``candidates`` that is most like ``name``, if one is.

        ``likeness`` is from 0 to 1; 0.6 finds two letters of three that changed places.
        """
        if not isinstance(name, str) or len(name) > _MAX_NAME or self._left <= 0:
            return None
        self._left -= 1
        some = {each.casefold(): each for each in islice(candidates, _MAX_CANDIDATES)}
        matches = difflib.get_close_matches(name.casefold(), some, n=1, cutoff=likeness)
        return some[matches[0]] if matches else None

    def said(self, name: object, candidates: Collection[str], form: str = "{!r}") -> str:
        """Return what to write instead: the near name in ``form``, or those that there are."""
        near = self.near(name, candidates)
        if near is not None:
            return f"did you mean {form.format(near)}?"
        return listed(candidates)


def listed(names: Collection[str]) -> str:
    """Return that there are these ``names``, the first of them at least."""
    if not names:
        return "there are none"
    some = ", ".join(shown(name, 60) for name in islice(names, _MAX_LISTED))
    more = ", …" if len(names) > _MAX_LISTED else ""
    return f"there {'is' if len(names) == 1 else 'are'} {some}{more}"
