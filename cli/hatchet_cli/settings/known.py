"""The names of settings: one by one, or as families that share a prefix."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from pydantic import AliasChoices
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from hatchet_schemas.checks.suggestions import Suggestions

__all__ = ["Family", "Group", "Registry", "Setting", "of_model"]

_PREFIX: Final = "HATCHET_"
# What Kubernetes sets in each container for a service that is called hatchet-something.
_SERVICE_LINK: Final = re.compile(r"(_SERVICE_HOST|_SERVICE_PORT(_\w+)?|_PORT(_\d+_\w+)?)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting: the variables that can hold it, the first of those that are set counts.

    ``meaning`` and ``default`` are Markdown. The value of a ``secret`` is never shown; one that is
    ``structured`` is JSON in a variable, and an array or a table in TOML.
    """

    names: tuple[str, ...]
    meaning: str
    default: str = ""
    structured: bool = False
    secret: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Settings that share a prefix, and end in a name that somebody chooses."""

    prefix: str
    ending: str
    meaning: str
    default: str = ""
    secret: bool = False

    def has(self, name: str) -> bool:
        """Tell whether ``name`` is one of them."""
        return name.startswith(self.prefix) and len(name) > len(self.prefix)


@dataclass(frozen=True, slots=True)
class Group:
    """Settings that are documented together."""

    title: str
    members: tuple[Setting | Family, ...]


class Registry:
    """Finds settings by the names of variables."""

    def __init__(self, groups: Iterable[Group]) -> None:
        self.groups = tuple(groups)

    @cached_property
    def settings(self) -> Mapping[str, Setting]:
        """Each setting by each of its variables."""
        return {
            name: member
            for member in self._members()
            if isinstance(member, Setting)
            for name in member.names
        }

    @cached_property
    def families(self) -> tuple[Family, ...]:
        """All families."""
        return tuple(member for member in self._members() if isinstance(member, Family))

    def find(self, name: str) -> Setting | Family | None:
        """Return what the variable ``name`` sets."""
        return self.settings.get(name) or next(
            (family for family in self.families if family.has(name)), None
        )

    def unknown(self, names: Iterable[str]) -> Iterator[tuple[str, str | None]]:
        """Yield those of ``names`` that look like ours and set nothing, with the nearest known one.

        What Kubernetes sets for a service called ``hatchet-…`` only looks so.
        """
        suggestions = Suggestions()
        ours = {known.removeprefix(_PREFIX): known for known in self._spellings()}
        for name in names:
            if (
                not name.startswith(_PREFIX)
                or self.find(name) is not None
                or _SERVICE_LINK.search(name)
            ):
                continue
            near = suggestions.near(name.removeprefix(_PREFIX), ours)
            yield name, None if near is None else ours[near]

    def _members(self) -> Iterator[Setting | Family]:
        for group in self.groups:
            yield from group.members

    def _spellings(self) -> Iterator[str]:
        yield from (name for name in self.settings if name.startswith(_PREFIX))
        yield from (f"{family.prefix}{family.ending}" for family in self.families)


def of_model(model: type[BaseSettings], **defaults: str) -> tuple[Setting, ...]:
    """Return the settings that the fields of ``model`` are, documented by their docstrings.

    ``defaults`` say in words what the default of a field means, where its value does not.
    """
    prefix = model.model_config.get("env_prefix", "")
    return tuple(
        Setting(
            names=_names(field) or (f"{prefix}{name}".upper(),),
            meaning=_sentence(field.description or ""),
            default=defaults.get(name, _default(field)),
            structured=_is_structured(field),
        )
        for name, field in model.model_fields.items()
    )


def _names(field: FieldInfo) -> tuple[str, ...]:
    if not isinstance(field.validation_alias, AliasChoices):
        return ()
    return tuple(str(choice) for choice in field.validation_alias.choices)


def _sentence(description: str) -> str:
    return " ".join(description.replace("``", "`").split())


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if value is None:
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, (tuple, list)):
        return "`[]`"
    if isinstance(value, float) and value.is_integer():
        return f"`{value:.0f}`"
    return f"`{value}`"


def _is_structured(field: FieldInfo) -> bool:
    return isinstance(field.get_default(call_default_factory=True), (tuple, list, dict))
