"""How long our processes finish what they have in hand, unless told otherwise."""

from __future__ import annotations

import inspect

from hatchet_router.settings import RouterSettings
from hatchet_worker import Worker

__all__ = ["grace_of"]


def grace_of(name: str) -> float:
    """Return the seconds of the process called ``hatchet-<process>``, or ``<process>``."""
    grace: float = (
        inspect.signature(Worker).parameters["grace_seconds"].default
        if name.removeprefix("hatchet-") == "worker"
        else RouterSettings.model_fields["grace_seconds"].default
    )
    return grace
