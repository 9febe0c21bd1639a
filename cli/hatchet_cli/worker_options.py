"""What the commands that run or read workers are told of them."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Annotated, Final

import typer

__all__ = ["OptionalApp", "Queues", "Use", "queues_wanted", "use_wanted"]

INTEGRATIONS_VARIABLE: Final = "HATCHET_INTEGRATIONS"
QUEUES_VARIABLE: Final = "HATCHET_WORKER_QUEUES"

_BETWEEN_NAMES: Final = re.compile(r"[\s,]+")

OptionalApp = Annotated[
    str | None,
    typer.Argument(
        metavar="[MODULE:ATTR]",
        help="A Worker, or a list of integrations, in a module that can be imported from here.",
        show_default=False,
    ),
]

Use = Annotated[
    list[str] | None,
    typer.Option(
        "--use",
        metavar="ID",
        help="Add an integration of an installed package; may be given several times. "
        f"[env: {INTEGRATIONS_VARIABLE}]",
        show_default=False,
    ),
]

Queues = Annotated[
    list[str] | None,
    typer.Option(
        "--queue",
        metavar="NAME",
        help="Run the jobs of this queue, in place of those that the worker names; may be given "
        f"several times. [env: {QUEUES_VARIABLE}]",
        show_default=False,
    ),
]


def use_wanted(given: Sequence[str] | None) -> tuple[str, ...]:
    """Return the ids of ``--use``, else those of the environment's variable."""
    return tuple(given or _names_in(INTEGRATIONS_VARIABLE))


def queues_wanted(given: Sequence[str] | None) -> tuple[str, ...]:
    """Return the names of ``--queue``, else those of the environment's variable."""
    return tuple(given or _names_in(QUEUES_VARIABLE))


def _names_in(variable: str) -> list[str]:
    from hatchet_cli.settings.environment import complete_environment

    complete_environment()
    return [name for name in _BETWEEN_NAMES.split(os.environ.get(variable, "")) if name]
