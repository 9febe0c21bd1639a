"""What each setting is in this process, and who says so."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from hatchet_cli.settings.environment import complete_environment
from hatchet_cli.settings.groups import REGISTRY
from hatchet_cli.settings.known import Family, Setting
from hatchet_cli.settings.shown import shown_value
from hatchet_cli.settings.sources import Sources

__all__ = ["SettingRow", "setting_report"]

_WHICH_PROFILE = ("TEMPORAL_CONFIG_FILE", "TEMPORAL_PROFILE")


@dataclass(frozen=True, slots=True)
class SettingRow:
    """A setting's variable, its value without secrets (None for none), and where that stands."""

    name: str
    value: str | None
    origin: str


def setting_report() -> list[SettingRow]:
    """Return all settings, those of families as far as they are set.

    What Temporal's configuration file says is told where no variable does.

    Raises:
        CommandError: a file cannot be used.

    """
    sources = complete_environment()
    profile = _of_temporal_profile()
    rows: list[SettingRow] = []
    for group in REGISTRY.groups:
        for member in group.members:
            if isinstance(member, Family):
                rows += _of_family(member, sources)
            else:
                rows.append(_of_setting(member, sources, profile))
    return rows


def _of_setting(setting: Setting, sources: Sources, profile: dict[str, SettingRow]) -> SettingRow:
    first = setting.names[0]
    for name in setting.names:
        if text := os.environ.get(name):
            origin = sources.origin(name)
            return SettingRow(
                first,
                shown_value(name, text, setting),
                origin if name == first else f"{origin}, {name}",
            )
    if first in profile:
        return profile[first]
    default = setting.default.strip("`") if setting.default.startswith("`") else None
    return SettingRow(first, None if default is None else shown_value(first, default), "default")


def _of_family(family: Family, sources: Sources) -> Iterator[SettingRow]:
    for name in sorted(os.environ):
        if REGISTRY.find(name) is family:
            value = shown_value(name, os.environ[name], family)
            yield SettingRow(name, value, sources.origin(name))


def _of_temporal_profile() -> dict[str, SettingRow]:
    """Return what Temporal's own configuration file says, if there is one that can be used."""
    from temporalio.envconfig import ClientConfigProfile

    which = {
        name: text
        for name, text in os.environ.items()
        if text and (name in _WHICH_PROFILE or not name.startswith("TEMPORAL_"))
    }
    try:
        profile = ClientConfigProfile.load(override_env_vars=which)
    except (RuntimeError, ValueError, OSError):
        return {}  # what is wrong with it is told where the settings are read
    origin = f"Temporal's file, profile {which.get('TEMPORAL_PROFILE', 'default')}"
    found = {
        "TEMPORAL_ADDRESS": profile.address,
        "TEMPORAL_NAMESPACE": profile.namespace,
        "TEMPORAL_API_KEY": profile.api_key,
    }
    return {
        name: SettingRow(name, shown_value(name, text, REGISTRY.find(name)), origin)
        for name, text in found.items()
        if text
    }
