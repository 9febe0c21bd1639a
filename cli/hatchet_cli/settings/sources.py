"""Where settings come from: the environment, then ``.env``, then ``hatchet.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from hatchet_cli.exiting import CommandError, ExitCode
from hatchet_cli.settings.known import Registry
from hatchet_cli.settings.models import FileSettings
from hatchet_cli.settings.toml import variables_of

__all__ = ["ENVIRONMENT", "Sources", "Value", "read_sources"]

ENVIRONMENT = "environment"

_SAYS_WHICH_FILES: Final = ("HATCHET_CONFIG", "HATCHET_ENV_FILE")


@dataclass(frozen=True, slots=True)
class Value:
    """The text of a variable, and where it stands, such as ``environment`` or ``.env:3``."""

    text: str = field(repr=False)
    origin: str


@dataclass(frozen=True, slots=True)
class Sources:
    """The variables that the files add to the environment, and what there is at all."""

    values: Mapping[str, Value]
    added: Mapping[str, str] = field(repr=False)

    def origin(self, name: str) -> str:
        """Return where the variable ``name`` is set."""
        value = self.values.get(name)
        return ENVIRONMENT if value is None else value.origin


def read_sources(
    registry: Registry, environment: Mapping[str, str], files: FileSettings
) -> Sources:
    """Return the variables of ``environment`` and of the files, the former first.

    A setting that several variables can hold is taken from the first place that has any of them. An
    empty variable is one that is not set, as compose files leave them.

    Raises:
        CommandError: a file that is named is not there, cannot be read, or sets what there is not.

    """
    layers = [
        {name: Value(text, ENVIRONMENT) for name, text in environment.items()},
        _of_env_file(files.env_file, named="env_file" in files.model_fields_set),
        _of_toml(registry, files.config, named="config" in files.model_fields_set),
    ]
    for layer in layers[1:]:
        for name, value in layer.items():
            _check(name, value, environment)
    values: dict[str, Value] = {}
    for layer in layers:
        settled = _settled(registry, values)
        for name, value in layer.items():
            if name not in settled and (name not in values or _is_ours(registry, name)):
                values[name] = value
    return Sources(
        values,
        {name: value.text for name, value in values.items() if value.origin != ENVIRONMENT},
    )


def _check(name: str, value: Value, environment: Mapping[str, str]) -> None:
    """Refuse what a file says in vain."""
    reason: str | None = None
    if "\0" in name:
        reason = "the name of a variable holds the character NUL"
    elif "\0" in value.text:
        reason = f"{name} holds the character NUL"
    elif name in _SAYS_WHICH_FILES and not environment.get(name):
        reason = f"only the environment can set {name}"
    if reason is not None:
        raise CommandError(f"{value.origin}: {reason}", ExitCode.USAGE)


def _settled(registry: Registry, values: Mapping[str, Value]) -> frozenset[str]:
    """Return the variables that no further place can set: those of settings that have a value."""
    return frozenset(
        other
        for name, value in values.items()
        if value.text
        for other in _spellings(registry, name)
    )


def _spellings(registry: Registry, name: str) -> Iterable[str]:
    known = registry.settings.get(name)
    return (name,) if known is None else known.names


def _is_ours(registry: Registry, name: str) -> bool:
    return registry.find(name) is not None


def _of_env_file(path: Path, *, named: bool) -> dict[str, Value]:
    text = _text(path, named=named)
    if not text:
        return {}
    import io

    from dotenv import dotenv_values
    from dotenv.parser import parse_stream

    lines: dict[str, int] = {}
    for binding in parse_stream(io.StringIO(text)):
        if binding.error:
            raise _unusable(path, f"line {binding.original.line} is not NAME=value")
        if binding.key is not None:
            lines[binding.key] = binding.original.line
    return {
        name: Value(value, f"{path}:{lines[name]}")
        for name, value in dotenv_values(stream=io.StringIO(text)).items()
        if value is not None
    }


def _of_toml(registry: Registry, path: Path, *, named: bool) -> dict[str, Value]:
    text = _text(path, named=named)
    if not text:
        return {}
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise _unusable(path, str(error)) from None
    variables, problems = variables_of(registry, document)
    if problems:
        raise CommandError("\n".join(f"{path}: {said}" for said in problems), ExitCode.USAGE)
    return {name: Value(value, str(path)) for name, value in variables.items()}


def _text(path: Path, *, named: bool) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        if named:
            raise _unusable(path, "there is no such file") from None
        return ""
    except UnicodeDecodeError:
        raise _unusable(path, "is not UTF-8") from None
    except IsADirectoryError:
        if named:
            raise _unusable(path, "is a folder") from None
        return ""
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from None


def _unusable(path: Path, reason: str) -> CommandError:
    return CommandError(f"{path}: {reason}", ExitCode.USAGE)
