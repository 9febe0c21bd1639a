"""Which dead letters are meant."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hatchet_router.letters import DeadLetter
from hatchet_router.routing import PatternTrie
from hatchet_schemas.durations import format_duration
from hatchet_schemas.patterns import check_pattern

__all__ = ["Selection"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What letters have to be like; what is None does not matter.

    ``key`` is a pattern with ``*`` and ``#``, as in triggers. ``older_than`` and ``newer_than``
    count from when an event became a dead letter; where that is not known, neither holds.

    Raises:
        SchemaError: ``key`` is no pattern.

    """

    event_id: str | None = None
    key: str | None = None
    kind: str | None = None
    workflow: str | None = None
    queue: str | None = None
    older_than: timedelta | None = None
    newer_than: timedelta | None = None
    _keys: PatternTrie = field(default_factory=PatternTrie, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Make the pattern ready."""
        if self.key is not None:
            self._keys.add(check_pattern(self.key), 0)

    def holds(self, letter: DeadLetter, now: datetime) -> bool:
        """Return whether ``letter`` is meant."""
        age = None if letter.time is None else now - letter.time
        return (
            (self.event_id is None or letter.event_id == self.event_id)
            and (self.key is None or bool(self._keys.match(letter.key)))
            and (self.kind is None or letter.kind == self.kind)
            and (self.workflow is None or self.workflow in letter.workflows)
            and (self.queue is None or letter.queue == self.queue)
            and (self.older_than is None or (age is not None and age > self.older_than))
            and (self.newer_than is None or (age is not None and age < self.newer_than))
        )

    def described(self) -> dict[str, Any]:
        """Return what is set, for logs."""
        given = {
            "event_id": self.event_id,
            "key": self.key,
            "kind": self.kind,
            "workflow": self.workflow,
            "queue": self.queue,
            "older_than": self.older_than and format_duration(self.older_than),
            "newer_than": self.newer_than and format_duration(self.newer_than),
        }
        return {name: value for name, value in given.items() if value is not None}
