"""The worker under test: steps that write into the ledger what they do.

``hatchet worker chaos.steps:worker`` runs it; the ledger is the file that ``CHAOS_LEDGER`` names.
"""

from __future__ import annotations

import asyncio
import os
import time
from functools import cache
from pathlib import Path
from typing import Any

from temporalio import activity

from chaos.ledgers import Ledger, RunStep
from hatchet_worker import Context, Integration, NonRetryable, Worker, action

__all__ = ["LedgerSteps", "worker"]


class LedgerSteps(Integration):
    """Steps that leave a line in the ledger."""

    id = "ledger"

    @action("write")
    async def write(self, data: dict[str, Any], context: Context) -> dict[str, Any]:
        """Write the line, and take as long as ``seconds`` says."""
        _write(context)
        await asyncio.sleep(float(data.get("seconds", 0)))
        return {"attempt": context.attempt}

    @action("fail")
    async def fail(self, _data: dict[str, Any], context: Context) -> dict[str, Any]:
        """Write the line, and fail for good."""
        _write(context)
        raise NonRetryable("this step always fails")


@cache
def _ledger() -> Ledger:
    return Ledger(Path(os.environ["CHAOS_LEDGER"]))


def _write(context: Context) -> None:
    _ledger().run(
        RunStep(
            event_id=context.event.id,
            job=context.job,
            step=context.step,
            attempt=context.attempt,
            run_id=activity.info().workflow_run_id or "",
            at=time.time(),
        )
    )


worker = Worker(integrations=[LedgerSteps()], grace_seconds=5)
