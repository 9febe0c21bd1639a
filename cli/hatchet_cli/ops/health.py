"""Whether a process lives, and whether it does its work: the pages that probes ask for."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Protocol

from hatchet_cli.ops.server import Page, Response

__all__ = ["Health", "TroubleLike", "health_pages"]


class TroubleLike(Protocol):
    """What is wrong at a place, and since when."""

    @property
    def place(self) -> str:
        """Where."""
        ...

    @property
    def reason(self) -> str:
        """Why."""
        ...

    @property
    def since(self) -> datetime:
        """Since when."""
        ...

    @property
    def harmless(self) -> bool:
        """Whether the process does its work all the same."""
        ...


@dataclass(frozen=True, slots=True)
class Health:
    """How a process is that is starting, running or stopping, and what is wrong with it."""

    phase: str
    troubles: Sequence[TroubleLike] = ()

    @property
    def state(self) -> str:
        """One word: the phase, or of a running process ready, degraded or not-ready."""
        if self.phase != "running":
            return self.phase
        if all(trouble.harmless for trouble in self.troubles):
            return "degraded" if self.troubles else "ready"
        return "not-ready"

    @property
    def is_ready(self) -> bool:
        """Whether the process does its work."""
        return self.state in {"ready", "degraded"}


def health_pages(health: Callable[[], Health]) -> dict[str, Page]:
    """Return ``/livez``, which answers while the event loop runs, and ``/readyz``.

    ``/readyz`` has status 200 where the process does its work, else 503, and says why in JSON.
    """

    async def livez() -> Response:
        return Response(b"ok\n")

    async def readyz() -> Response:
        return _readiness(health())

    return {"/livez": livez, "/readyz": readyz}


def _readiness(health: Health) -> Response:
    body = {
        "ready": health.is_ready,
        "state": health.state,
        "troubles": [
            {
                "place": trouble.place,
                "reason": trouble.reason,
                "since": trouble.since.isoformat(timespec="seconds"),
                "harmless": trouble.harmless,
            }
            for trouble in health.troubles
        ],
    }
    return Response(
        json.dumps(body, indent=2).encode() + b"\n",
        "application/json",
        HTTPStatus.OK if health.is_ready else HTTPStatus.SERVICE_UNAVAILABLE,
    )
