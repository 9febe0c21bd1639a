"""A new package for an integration, made of the files in the folder `template`."""

from __future__ import annotations

import keyword
import re
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template
from typing import Final

from hatchet_worker.installed import installed_integrations

__all__ = ["problem_of_name", "write_package"]

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_MAX_CHARACTERS: Final = 30
_SUFFIX: Final = ".tmpl"

# What our own packages are called, behind hatchet_, and what the new module imports and defines.
_PACKAGES: Final = frozenset({"cli", "router", "schemas", "worker"})
_IN_MODULE: Final = frozenset(
    {"BaseModel", "ConfigDict", "Context", "Final", "HttpClient", "Integration", "Message", "Sent"}
)


def problem_of_name(text: str) -> str | None:
    """Return why ``text`` cannot be an integration's id and a part of a package's name."""
    if len(text) > _MAX_CHARACTERS or _NAME.fullmatch(text) is None:
        return (
            "expected small letters and digits, beginning with a letter, with single dashes "
            f"between them, at most {_MAX_CHARACTERS} characters"
        )
    name = _class_name(text)
    if text in _PACKAGES or name in _IN_MODULE or keyword.iskeyword(name):
        return "the name is taken"
    for installed in installed_integrations():
        if installed.id == text:
            return f"{installed.package} has an integration of this name"
    return None


def write_package(name: str, folder: Path) -> tuple[Path, ...]:
    """Write the package of an integration called ``name`` into ``folder``, and return its files.

    Raises:
        OSError: that cannot be done; nothing that exists is written over.

    """
    values = {
        "id": name,
        "package": f"hatchet_{name.replace('-', '_')}",
        "distribution": f"hatchet-{name}",
        "cls": _class_name(name),
        "title": " ".join(part.capitalize() for part in name.split("-")),
        "secret": f"{name.replace('-', '_').upper()}_TOKEN",
        "version": version("hatchet-workflows"),
    }
    template = files(__name__) / "template"
    written: list[Path] = []
    for path, source in sorted(_texts(template, Path())):
        parts = (values["package"] if part == "package" else part for part in path.parts)
        file = folder.joinpath(*parts)
        file = file.with_name(Template(file.name.removesuffix(_SUFFIX)).substitute(values))
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as stream:
            stream.write(Template(source).substitute(values))
        written.append(file)
    return tuple(written)


def _class_name(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("-"))


def _texts(folder: Traversable, path: Path) -> list[tuple[Path, str]]:
    found: list[tuple[Path, str]] = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _texts(entry, path / entry.name)
        elif entry.name.endswith(_SUFFIX):
            found.append((path / entry.name, entry.read_text(encoding="utf-8")))
    return found
