"""One action performed by hand, in this process."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from hatchet_cli.apps import worker_wanted
from hatchet_cli.exiting import CommandError, ExitCode
from hatchet_schemas import ActionId, EventHeader, SchemaError
from hatchet_worker import MissingSecret, UnreadableSecret
from hatchet_worker.needs import check_needs
from hatchet_worker.registry import RegisteredAction
from hatchet_worker.testing import ActionFailed, run_action

__all__ = ["perform"]

_NOT_TRIED = frozenset({"InvalidInput", "UnknownSecret", "UnreadableSecret"})


def perform(action: str, data: dict[str, Any], app: str | None, use: Sequence[str]) -> Any:
    """Return what an action puts out, without secrets, for one attempt with ``data``.

    Without ``app`` and ``use``, it is that of the installed integration that the action's id names.
    Secrets come from the worker's providers.

    Raises:
        CommandError: it failed, or is not there, or cannot take the data.

    """
    try:
        action_id = ActionId(action)
    except SchemaError as error:
        raise CommandError(str(error), ExitCode.USAGE) from error
    worker = worker_wanted(app, use or (() if app else (action_id.integration,)))
    try:
        registered: RegisteredAction = worker.registry[action_id]
        check_needs([registered.integration], worker.secrets)
    except (LookupError, MissingSecret, UnreadableSecret) as error:
        raise CommandError(str(error), ExitCode.USAGE) from error
    running = run_action(
        action_id,
        data,
        integrations=worker.registry.integrations,
        secrets=worker.secrets,
        # Of its own, so that no service takes it for the same as a run before.
        event=EventHeader(id=str(uuid.uuid4()), key="by.hand", time=datetime.now(UTC)),
    )
    try:
        return asyncio.run(running)
    except ActionFailed as failure:
        raise CommandError(_told(action_id, failure), _code(failure)) from failure


def _told(action_id: str, failure: ActionFailed) -> str:
    again = " (a worker would try again)" if failure.will_retry else ""
    return f"{action_id}: {failure}{again}"


def _code(failure: ActionFailed) -> ExitCode:
    return ExitCode.USAGE if failure.type in _NOT_TRIED else ExitCode.FINDINGS
