"""Installed integrations, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from hatchet_cli.reports.printable import printable
from hatchet_worker import WorkerError
from hatchet_worker.installed import InstalledIntegration
from hatchet_worker.reference import FieldReference, IntegrationReference, reference_of

__all__ = ["Found", "found", "found_as_data", "found_as_json", "found_lines", "reference_lines"]


@dataclass(frozen=True, slots=True)
class Found:
    """An installed integration, with its reference or else why it cannot be imported."""

    installed: InstalledIntegration
    reference: IntegrationReference | None
    error: str | None = None


def found(installed: InstalledIntegration) -> Found:
    """Import an integration, without making it: that may need what is not there."""
    try:
        return Found(installed, reference_of(installed.load()))
    except WorkerError as error:
        return Found(installed, None, str(error))


def found_lines(listed: Sequence[Found]) -> Iterator[str]:
    """Yield a table with a line for each integration."""
    rows = [("ID", "PACKAGE", "ACTIONS", "EXTRA", "SECRETS"), *map(_row, listed)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows if listed else ():
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield printable("  ".join(cells).rstrip())


def found_as_json(listed: Iterable[Found]) -> str:
    """Return the same as a JSON list of objects with stable field names."""
    return json.dumps([found_as_data(each) for each in listed], indent=2, ensure_ascii=False)


def found_as_data(each: Found, *, whole: bool = False) -> dict[str, Any]:
    """Return what is known of an integration as JSON data; ``whole`` has all of its actions."""
    installed, reference = each.installed, each.reference
    actions: list[Any] | None = None
    if reference is not None:
        told = (asdict(action) if whole else action.id for action in reference.actions)
        actions = list(told)
    return {
        "id": installed.id,
        "package": installed.package,
        "version": installed.version,
        "ships_with_hatchet": installed.ships_with_hatchet,
        "extra": installed.extra,
        "missing_packages": list(installed.lacking),
        "description": reference and reference.description,
        "secrets": reference and list(reference.secrets),
        "actions": actions,
        "error": each.error,
    }


def reference_lines(each: Found) -> Iterator[str]:
    """Yield all that is known of an integration as lines."""
    for line in _reference(each):
        yield printable(line)


def _row(each: Found) -> tuple[str, str, str, str, str]:
    package = f"{each.installed.package} {each.installed.version}"
    if each.reference is None:
        return each.installed.id, package, f"({each.error})", _extra(each.installed), ""
    verbs = ", ".join(action.id.partition(":")[2] for action in each.reference.actions)
    secrets = ", ".join(each.reference.secrets) or "-"
    return each.installed.id, package, verbs, _extra(each.installed), secrets


def _extra(installed: InstalledIntegration) -> str:
    if installed.extra is None:
        return "-"
    return f"{installed.extra}, {'not installed' if installed.lacking else 'installed'}"


def _reference(each: Found) -> Iterator[str]:
    installed, reference = each.installed, each.reference
    if reference is None:
        return
    yield f"{installed.id}  {installed.package} {installed.version}"
    yield from _indented(reference.description, 2)
    yield f"  secrets: {', '.join(reference.secrets) or 'none'}"
    if installed.extra is not None:
        mending = f": pip install '{installed.package}[{installed.extra}]'"
        yield f"  extra: {_extra(installed)}{mending if installed.lacking else ''}"
    for action in reference.actions:
        yield ""
        yield f"{action.id}{f'  [{action.declared}]' if action.declared else ''}"
        yield from _indented(action.description, 2)
        yield from _fields("with", action.parameters)
        yield from _fields("outputs", action.results)


def _fields(title: str, fields: tuple[FieldReference, ...] | None) -> Iterator[str]:
    if not fields:
        return
    yield f"  {title}"
    width = max(len(each.name) for each in fields)
    for each in fields:
        notes = [each.type]
        if each.required and title == "with":
            notes.append("required")
        if each.default is not None:
            notes.append(f"default {each.default}")
        about = f"  {each.description}" if each.description else ""
        yield f"    {each.name:<{width}}  {', '.join(notes)}{about}"


def _indented(text: str, spaces: int) -> Iterator[str]:
    for line in text.splitlines():
        yield f"{' ' * spaces}{line}".rstrip()
