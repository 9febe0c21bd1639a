"""Settings in TOML: the names of variables in lower case, where tables stand for prefixes.

``HATCHET_POSTMARK_SENDER`` is ``postmark_sender``, or ``sender`` in the table ``[postmark]``, and
``TEMPORAL_ADDRESS`` is ``address`` in the table ``[temporal]``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from hatchet_cli.settings.known import Registry, Setting
from hatchet_schemas.checks.suggestions import Suggestions

__all__ = ["key_of", "variables_of"]

_PREFIX: Final = "HATCHET_"
_TEMPORAL: Final = "TEMPORAL_"
_SECRET: Final = "HATCHET_SECRET_"  # noqa: S105 - the prefix of their names


def variables_of(
    registry: Registry, document: Mapping[str, Any]
) -> tuple[dict[str, str], list[str]]:
    """Return the variables that ``document`` sets, and what is wrong in it."""
    reader = _Reader(registry)
    reader.read(document, _PREFIX, "")
    return reader.variables, reader.problems


def key_of(name: str) -> str:
    """Return the key in TOML for the variable ``name``, with its table before a dot."""
    if name.startswith(_TEMPORAL):
        return f"temporal.{name.removeprefix(_TEMPORAL).lower()}"
    return name.removeprefix(_PREFIX).lower()


class _Reader:
    """Collects variables and problems from tables within tables."""

    def __init__(self, registry: Registry) -> None:
        self.variables: dict[str, str] = {}
        self.problems: list[str] = []
        self._registry = registry
        self._suggestions = Suggestions()

    def read(self, table: Mapping[str, Any], prefix: str, place: str) -> None:
        for key, value in table.items():
            if not place and key == "temporal" and isinstance(value, dict):
                self.read(value, _TEMPORAL, "temporal.")
                continue
            name, where = f"{prefix}{key.upper()}", f"{place}{key}"
            known = self._registry.find(name)
            structured = isinstance(known, Setting) and known.structured
            if isinstance(value, dict) and not structured:
                self.read(value, f"{name}_", f"{where}.")
            elif f"{name}_".startswith(_SECRET):
                self.problems.append(
                    f"{where}: a secret does not belong in a file that others read: set the "
                    "variable in the environment or in .env"
                )
            elif known is None:
                self.problems.append(self._unknown(where))
            elif isinstance(value, list) and isinstance(known, Setting) and not structured:
                self.problems.append(f"{where}: expected one value, not an array")
            elif name in self.variables:
                self.problems.append(f"{where}: is set twice")
            else:
                self._keep(name, where, value)

    def _keep(self, name: str, where: str, value: object) -> None:
        try:
            self.variables[name] = _text(value)
        except TypeError:
            self.problems.append(f"{where}: dates are not known here: write it as a string")

    def _unknown(self, where: str) -> str:
        near = self._suggestions.near(where, self._keys())
        said = f": did you mean {near}?" if near else "; docs/settings.md lists all"
        return f"there is no setting {where!r}{said}"

    def _keys(self) -> Iterator[str]:
        for name, setting in self._registry.settings.items():
            if name == setting.names[0]:
                yield key_of(name)


def _text(value: object) -> str:
    """Return ``value`` as it would stand in a variable."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
