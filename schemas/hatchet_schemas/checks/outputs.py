"""References to outputs, held against the JSON Schema of what an action puts out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hatchet_schemas.checks.json_schemas import Schema, alternatives, kinds, noun, resolved
from hatchet_schemas.checks.suggestions import SURE_LIKENESS, Suggestions

__all__ = ["Fault", "output_fault"]

_ARRAY: Final = frozenset({"array"})
_NULL: Final = frozenset({"null"})
_MAX_LOOKS: Final = 2_000  # at parts of a schema, for one reference


@dataclass(frozen=True, slots=True)
class Fault:
    """A part of a path that leads nowhere.

    ``position`` counts in the path. ``holder`` is what is said of that which lacks it, ``instead``
    what to write. It is ``certain`` where the schema rules out any other field.
    """

    position: int
    holder: str
    instead: str
    certain: bool


def output_fault(
    schema: Schema, path: Sequence[str | int], suggestions: Suggestions
) -> Fault | None:
    """Return which part of ``path`` leads nowhere in values of ``schema``; None if all may."""
    return _Walk(schema, path, suggestions).fault(schema, 0)


class _Walk:
    """Follows one path through one schema."""

    def __init__(self, root: Schema, path: Sequence[str | int], suggestions: Suggestions) -> None:
        self._root = root
        self._path = path
        self._suggestions = suggestions
        self._looks = _MAX_LOOKS

    def fault(self, schema: Any, position: int) -> Fault | None:
        self._looks -= 1
        if position == len(self._path) or self._looks < 0:
            return None
        schema = resolved(schema, self._root)
        if schema is None:
            return None
        part = self._path[position]
        # Each keyword speaks for itself: a value has to fit them all, and one of the alternatives.
        for options in alternatives(schema):
            fault = self._shared(options, position)
            if fault is not None:
                return fault
        if isinstance(schema.get("allOf"), list):
            return self._shared(schema["allOf"], position)
        names = kinds(schema)
        if isinstance(part, str):
            return self._of_field(schema, names, part, position)
        if names == _ARRAY:
            return self._of_element(schema, part, position)
        return None

    def _shared(self, schemas: Sequence[Any], position: int) -> Fault | None:
        """Return the fault that ``part`` has in all ``schemas``; the one that lies deepest."""
        faults: list[Fault] = []
        for schema in schemas:
            found = resolved(schema, self._root)
            if found is not None and kinds(found) == _NULL:
                continue
            fault = self.fault(schema, position)
            if fault is None:
                return None
            faults.append(fault)
        if not all(fault.certain for fault in faults):
            faults = [fault for fault in faults if not fault.certain]
        return max(faults, key=lambda fault: fault.position, default=None)

    def _of_field(
        self, schema: Schema, names: frozenset[str], part: str, position: int
    ) -> Fault | None:
        properties = schema.get("properties")
        properties = properties if isinstance(properties, Mapping) else None
        if "object" not in names and (names or properties is None):
            names -= _NULL
            if not names:
                return None
            said = " or ".join(noun(name) for name in sorted(names))
            return Fault(position, "has no field", f"it is {said}", certain=True)
        if properties is not None and part in properties:
            return self.fault(properties[part], position + 1)
        if schema.get("patternProperties"):
            return None
        more = schema.get("additionalProperties")
        if isinstance(more, Mapping):
            return self.fault(more, position + 1)
        known = properties or {}
        if more is False:
            said = self._suggestions.said(part, known)
            return Fault(
                position, "does not put out" if not position else "has no field", said, certain=True
            )
        if more is None and (near := self._near(part, known)) is not None:
            said = f"did you mean {near!r}?"
            return Fault(
                position,
                "is not known to put out" if not position else "is not known to have",
                said,
                certain=False,
            )
        return None

    def _near(self, part: str, known: Mapping[str, Any]) -> str | None:
        return self._suggestions.near(part, known, likeness=SURE_LIKENESS)

    def _of_element(self, schema: Schema, part: int, position: int) -> Fault | None:
        first = schema.get("prefixItems")
        if isinstance(first, list) and 0 <= part < len(first):
            return self.fault(first[part], position + 1)
        if isinstance(first, list) and part < 0:
            return None
        return self.fault(schema.get("items"), position + 1)
