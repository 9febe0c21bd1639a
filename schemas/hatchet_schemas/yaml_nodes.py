"""Values of a YAML source together with the places where they stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Union

import yaml

from hatchet_schemas.yaml_errors import Mark

__all__ = ["Node", "Place", "mark_of", "node_at"]

Place = Union["Node", yaml.ScalarEvent]
"""Where a value stands; a scalar's is the event that libyaml gave for it."""


class Node:
    """A value, where it stands, and the places of what is inside it.

    ``style`` is the quote or block sign of a scalar, empty for a plain one. Of scalars inside and
    of field names only libyaml's events are kept: most files have no problem, so that nobody asks.
    """

    __slots__ = ("_keys", "_places", "mark", "style", "value")

    def __init__(
        self,
        value: Any,
        mark: Mark,
        places: Sequence[Place] | Mapping[str, Place] = (),
        keys: Mapping[str, yaml.ScalarEvent] | None = None,
        style: str | None = None,
    ) -> None:
        self.value = value
        self.mark = mark
        self.style = style
        self._places = places
        self._keys = keys

    def find(self, loc: Sequence[str | int]) -> Node:
        """Return the node at ``loc``: field names and indices.

        Parts of ``loc`` that name nothing are passed over: a validator may add such parts.
        """
        node = self
        for part in loc:
            node = node._child(part) or node
        return node

    def holds(self, loc: Sequence[str | int]) -> bool:
        """Return whether every part of ``loc`` names something."""
        node = self
        for part in loc:
            child = node._child(part)
            if child is None:
                return False
            node = child
        return True

    def key_mark(self, loc: Sequence[str | int]) -> Mark:
        """Return where the field name that ends ``loc`` stands, or the value in a list."""
        node, mark = self, self.mark
        for part in loc:
            child = node._child(part)
            if child is not None:
                key = node._keys.get(str(part)) if node._keys else None
                mark = child.mark if key is None else mark_of(key)
                node = child
        return mark

    def _child(self, part: str | int) -> Node | None:
        places = self._places
        if isinstance(places, Mapping):
            place = places.get(part) if isinstance(part, str) else None
        else:
            place = places[part] if isinstance(part, int) and 0 <= part < len(places) else None
        return None if place is None else node_at(self.value[part], place)


def node_at(value: Any, place: Place) -> Node:
    """Return the node of ``value`` at ``place``."""
    if isinstance(place, Node):
        return place
    return Node(value, mark_of(place), style=place.style)


def mark_of(event: yaml.Event | None) -> Mark:
    """Return where ``event`` begins, its anchor and its tag included; without one, the start."""
    mark = None if event is None else event.start_mark
    return (0, 0) if mark is None else (mark.line, mark.column)
