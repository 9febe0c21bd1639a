"""The file that describes providers which are no presets, or have a preset under another name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError, field_validator
from pydantic_core import ErrorDetails

from hatchet_router.errors import RouterError
from hatchet_router.webhooks.declared import SignedJson
from hatchet_router.webhooks.presets import PRESETS
from hatchet_router.webhooks.providers import Provider, ProviderName
from hatchet_schemas.model import Model
from hatchet_schemas.pydantic_words import words_of
from hatchet_schemas.yaml_source import Node, YamlError, parse

__all__ = ["InvalidProviders", "load_providers"]


class InvalidProviders(RouterError, ValueError):
    """The file of providers cannot be used; the text has all that is wrong with it, and where."""


class _Preset(Model):
    preset: str

    @field_validator("preset")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name not in PRESETS:
            raise ValueError(f"there is no preset {name!r}: expected one of {', '.join(PRESETS)}")
        return name


_NAME = TypeAdapter[str](ProviderName)


def load_providers(path: Path) -> dict[str, Provider]:
    """Return the providers that the YAML file describes, by their names.

    Raises:
        InvalidProviders: it cannot be read, or something in it is wrong.

    """
    try:
        root = parse(path.read_bytes())
    except OSError as error:
        raise InvalidProviders(f"{path}: {error.strerror}") from error
    except YamlError as error:
        raise InvalidProviders(f"{path}:{error.line}:{error.column}: {error.message}") from None
    if root is None or not isinstance(root.value, dict) or not root.value:
        raise InvalidProviders(f"{path}: expected a map from names to providers")
    providers: dict[str, Provider] = {}
    problems: list[str] = []
    for name, described in root.value.items():
        try:
            providers[name] = _provider(_NAME.validate_python(name), described)
        except ValidationError as error:
            problems.extend(f"{path}:{problem}" for problem in _problems(error, root, name))
    if problems:
        raise InvalidProviders("\n".join(problems))
    return providers


def _provider(name: str, described: Any) -> Provider:
    if isinstance(described, dict) and "preset" in described:
        return PRESETS[_Preset.model_validate(described, by_name=False).preset](name)
    return SignedJson.model_validate(described, by_alias=True, by_name=False).provider(name)


def _problems(error: ValidationError, root: Node, name: str) -> Iterator[str]:
    for details in error.errors(include_url=False, include_input=False):
        loc = (name, *details["loc"])
        line, column = root.key_mark(loc)
        what = ".".join(map(str, loc))
        yield f"{line + 1}:{column + 1}: {what}: {_said(details)}"


def _said(details: ErrorDetails) -> str:
    match details["type"]:
        case "extra_forbidden":
            return "there is no such field"
        case "missing":
            return "this field is needed"
        case _:
            return words_of(details)
