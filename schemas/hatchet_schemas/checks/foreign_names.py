"""Names at the root of a template that look like ours, or like those of GitHub Actions."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Final

from hatchet_schemas.scope import RESERVED_NAMES, STEP_FIELDS

__all__ = ["meant_by"]

_MIN_LENGTH: Final = 5  # shorter names are too often words of their own


def _slips(name: str) -> Iterator[str]:
    """Yield what ``name`` becomes when a letter is left out or two change places."""
    for index in range(len(name)):
        yield name[:index] + name[index + 1 :]
        yield (
            name[:index] + name[index + 1 : index + 2] + name[index : index + 1] + name[index + 2 :]
        )


_OURS: Final = {
    **{slip: name for name in RESERVED_NAMES if len(name) >= _MIN_LENGTH for slip in _slips(name)},
    **{name: name for name in RESERVED_NAMES},
    "events": "event",
    "inputs": "input",
    "secret": "secrets",
    "step": "steps",
    "var": "vars",
    "variables": "vars",
    "workflows": "workflow",
}
_ELSEWHERE: Final = {
    "env": "what it holds elsewhere is in .vars here, or in .secrets",
    "github": "the event's data stand at the root, and .event has id, key, time and source",
    "jobs": "jobs run in parallel, and only know their own steps, .steps",
    "matrix": "there is no matrix here",
    "needs": "jobs run in parallel, and only know their own steps, .steps",
    "runner": "there are no runners here",
    "strategy": "there is no matrix here",
}


def meant_by(path: tuple[str | int, ...], steps: Container[str | int]) -> str | None:
    """Return what the author of ``path``, which begins with no name of ours, may have meant."""
    first, *rest = path
    if not rest or not isinstance(first, str):
        return None
    if first in steps and rest[0] in STEP_FIELDS:
        return f"did you mean .steps.{first}.{rest[0]}?"
    if rest[0] in steps and rest[1:2] == ["outputs"]:
        return f"did you mean .steps.{rest[0]}.outputs?"
    name = first.casefold()
    if name in _OURS:
        return f"did you mean .{_OURS[name]}.{rest[0]}?"[:100]
    return _ELSEWHERE.get(name)
