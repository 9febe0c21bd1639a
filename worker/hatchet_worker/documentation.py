"""The reference of the prebuilt integrations: ``python -m hatchet_worker.documentation FOLDER``."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

import hatchet_worker.integrations
from hatchet_worker.installed import OWN_PACKAGE, extra_of
from hatchet_worker.integration import Integration
from hatchet_worker.reference import (
    ActionReference,
    FieldReference,
    IntegrationReference,
    reference_of,
)

__all__ = ["documents", "page", "prebuilt", "table"]

TESTED_AGAINST: Final[Mapping[str, str]] = MappingProxyType(
    {
        "event": "a real RabbitMQ",
        "http": "a local HTTP server",
        "log": "the records that it writes",
        "postmark": "a local server that answers as Postmark's documentation says",
        "s3": "moto, a stand-in for AWS",
        "sendgrid": "a local server that answers as SendGrid's documentation says",
        "ses": "moto, a stand-in for AWS; templates: a local server",
        "slack": "a local server that answers as Slack's documentation says",
        "smtp": "a local SMTP server",
        "stripe": "a local server that answers as Stripe's documentation says",
    }
)
"""What the tests of each integration call: for the table, by integration id."""

_CALLS_NOBODY: Final = frozenset({"log"})

_SEMANTICS: Final = "../integrations.md#running-an-action-more-than-once"
_NOTE: Final = """\
<!-- Made by `./task docs` from the code's models and docstrings; edit these, not this page. -->
"""
_TABLE_TITLE: Final = f"""\
# Prebuilt integrations

They come with Hatchet, and a worker has those that it [is told to use](../cli.md#hatchet-worker):
`hatchet worker --use slack`. The errors are those of [calling a
service](../integrations.md#calling-a-service); one that is not named in the table ends the step at
once. `hatchet integrations show ID` tells the same as these pages.

{_NOTE}
| integration | action | semantics | tried again after | tested against |
|---|---|---|---|---|
"""


def prebuilt() -> tuple[IntegrationReference, ...]:
    """Return all integrations that come with Hatchet, by their ids; none of them is made."""
    found: dict[str, type[Integration]] = {}
    folder = hatchet_worker.integrations
    for info in pkgutil.iter_modules(folder.__path__):
        if not info.name.startswith("_"):
            module = importlib.import_module(f"{folder.__name__}.{info.name}")
            for value in vars(module).values():
                if _is_integration(value) and value.__module__ == module.__name__:
                    found[value.id] = value
    return tuple(reference_of(found[each]) for each in sorted(found))


def documents() -> dict[str, str]:
    """Return the pages by their file names."""
    all_of_them = prebuilt()
    pages = {f"{each.id}.md": page(each) for each in all_of_them}
    return {"README.md": table(all_of_them), **pages}


def table(integrations: Iterable[IntegrationReference]) -> str:
    """Return the page with all actions at a glance, in Markdown."""
    rows = (_row(each, action) for each in integrations for action in each.actions)
    return _TABLE_TITLE + "".join(rows)


def page(integration: IntegrationReference) -> str:
    """Return the page of one integration, in Markdown."""
    return "\n".join(_page(integration))


def _row(integration: IntegrationReference, action: ActionReference) -> str:
    file = f"{integration.id}.md"
    verb = action.id.partition(":")[2]
    cells = (
        f"[{integration.id}]({file})",
        f"[{verb}]({file}#{_anchor(action.id)})",
        action.declared or "none declared",
        _tried_again(integration, action),
        TESTED_AGAINST.get(integration.id, ""),
    )
    return f"| {' | '.join(cells)} |\n"


def _page(integration: IntegrationReference) -> Iterator[str]:
    yield f"# {integration.id}\n"
    yield _NOTE
    if integration.description:
        yield f"{integration.description}\n"
    secrets = ", ".join(f"`{name}`" for name in integration.secrets)
    yield f"Secrets: {secrets or 'none'}. In a worker by `hatchet worker --use {integration.id}`.\n"
    extra, _ = extra_of(OWN_PACKAGE, integration.id)
    if extra is not None:
        yield f"It needs an extra: `pip install '{OWN_PACKAGE}[{extra}]'`.\n"
    for action in integration.actions:
        yield f"## {action.id}\n"
        if action.declared:
            yield f"Semantics: [{action.declared}]({_SEMANTICS}).\n"
        if action.description:
            yield f"{action.description}\n"
        yield from _fields("with", action.parameters, with_defaults=True)
        yield from _fields("output", action.results, with_defaults=False)
        yield f"Tried again after: {_tried_again(integration, action)}.\n"


def _fields(
    title: str, fields: tuple[FieldReference, ...] | None, *, with_defaults: bool
) -> Iterator[str]:
    if not fields:
        return
    if with_defaults:
        yield f"| {title} | type | default | |\n|---|---|---|---|"
    else:
        yield f"| {title} | type | |\n|---|---|---|"
    for each in fields:
        cells = [f"`{each.name}`", _cell(each.type)]
        if with_defaults:
            cells.append(
                "required" if each.required else f"`{each.default}`" if each.default else ""
            )
        yield f"| {' | '.join((*cells, _cell(each.description)))} |"
    yield ""


def _tried_again(integration: IntegrationReference, action: ActionReference) -> str:
    if integration.id in _CALLS_NOBODY:
        return "nothing"
    if action.semantics == "at-most-once":
        return "`Throttled`, `Unreachable`"
    return "`Throttled`, `Unreachable`, `ProviderFailed`"


def _is_integration(value: object) -> bool:
    return (
        isinstance(value, type)
        and issubclass(value, Integration)
        and bool(getattr(value, "id", ""))
    )


def _anchor(heading: str) -> str:
    """Return GitHub's name for a heading: letters, digits, `-` and `_` are kept."""
    return "".join(char for char in heading.lower() if char.isalnum() or char in "-_")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _write(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    pages = documents()
    for old in folder.glob("*.md"):
        if old.name not in pages:
            old.unlink()
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    _write(Path(sys.argv[1]))
