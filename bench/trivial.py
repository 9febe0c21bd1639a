"""The worker whose steps are measured: its one action does next to nothing."""

from __future__ import annotations

from typing import Any

from hatchet_worker import Integration, Worker, action

__all__ = ["Bench", "worker"]


class Bench(Integration):
    """Notes."""

    id = "bench"

    @action("note", semantics="idempotent")
    async def note(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return a number, one more than that of the step before."""
        return {"number": int(data["before"]) + 1, "name": data["name"]}


worker = Worker(integrations=[Bench()])
