"""The environment of this process, completed once by what the files say.

All that reads variables finds what is in ``.env`` and ``hatchet.toml`` then: our models, Temporal's
client, providers of secrets, integrations, and the processes that this one starts.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeVar

from hatchet_cli.exiting import CommandError, ExitCode

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_settings import BaseSettings

    from hatchet_cli.settings.sources import Sources

__all__ = ["complete_environment", "read_model", "tell_unknown_variables", "unknown_variables"]

_Model = TypeVar("_Model", bound="BaseSettings")


@cache
def complete_environment() -> Sources:
    """Add what the files say to the environment; return where each variable comes from.

    Raises:
        CommandError: a file cannot be used.

    """
    from hatchet_cli.settings.groups import REGISTRY
    from hatchet_cli.settings.models import FileSettings
    from hatchet_cli.settings.sources import read_sources

    sources = read_sources(REGISTRY, os.environ, FileSettings())
    os.environ.update(sources.added)
    return sources


def read_model(model: type[_Model], **overrides: Any) -> _Model:
    """Return the settings that ``model`` describes, but for those ``overrides`` that are not None.

    Raises:
        CommandError: a file or a value cannot be used.

    """
    from pydantic import ValidationError
    from pydantic_settings import SettingsError

    complete_environment()
    try:
        settings = model()
        # Validated again, so that an option is checked as a variable is.
        given = {name: value for name, value in overrides.items() if value is not None}
        return model.model_validate({**settings.model_dump(), **given}) if given else settings
    except ValidationError as error:
        raise _unusable_values(model, error) from None
    except SettingsError as error:
        # It names the field, and lists and maps alone can be unreadable.
        field = str(error).partition('"')[2].partition('"')[0]
        raise CommandError(f"{_placed(model, field)}: expected JSON", ExitCode.USAGE) from None
    except RecursionError:
        # Of values that are read as JSON, the longest is it.
        field = max(model.model_fields, key=partial(_length, model))
        raise CommandError(f"{_placed(model, field)}: nested too deeply", ExitCode.USAGE) from None


def unknown_variables(integrations: Iterable[str] = ()) -> list[str]:
    """Return a sentence on each variable that looks like ours and sets nothing.

    The options of ``integrations``, ``HATCHET_<ID>_<OPTION>``, are theirs to know.
    """
    from hatchet_cli.settings.groups import REGISTRY

    sources = complete_environment()
    theirs = tuple(f"HATCHET_{id_.replace('-', '_').upper()}_" for id_ in integrations)
    names = sorted(name for name in sources.values if not name.startswith(theirs))
    return [
        f"{name} ({sources.origin(name)}) sets nothing"
        + (f"; did you mean {near}?" if near else "")
        for name, near in REGISTRY.unknown(names)
    ]


def tell_unknown_variables(integrations: Iterable[str] = ()) -> None:
    """Log a warning of each variable that looks like ours and sets nothing."""
    import structlog

    log = structlog.get_logger("hatchet.settings")
    for said in unknown_variables(integrations):
        log.warning("settings.unknown", problem=said)


def _unusable_values(model: type[BaseSettings], error: ValidationError) -> CommandError:
    from hatchet_schemas.pydantic_words import words_of

    lines = []
    for item in error.errors(include_input=False):
        if not item["loc"]:  # what is wrong with several together names them itself
            lines.append(words_of(item))
            continue
        field, *within = map(str, item["loc"])
        place = "".join(f"[{step}]" for step in within)
        lines.append(f"{_placed(model, field)}{place and ' at '}{place}: {words_of(item)}")
    return CommandError("\n".join(lines), ExitCode.USAGE)


def _placed(model: type[BaseSettings], field: str) -> str:
    """Return the variable that holds a field's value, and where it stands.

    An option of the command line has the name of the field, too.
    """
    sources = complete_environment()
    names = _variables(model, field)
    name = next((name for name in names if os.environ.get(name)), names[0])
    return (
        f"setting {name} ({sources.origin(name)})" if name in sources.values else f"setting {name}"
    )


def _length(model: type[BaseSettings], field: str) -> int:
    return max(len(os.environ.get(name, "")) for name in _variables(model, field))


def _variables(model: type[BaseSettings], field: str) -> tuple[str, ...]:
    from hatchet_cli.settings.groups import REGISTRY

    prefix = model.model_config.get("env_prefix", "")
    known = REGISTRY.settings.get(field) or REGISTRY.settings.get(f"{prefix}{field}".upper())
    return (field,) if known is None else known.names
