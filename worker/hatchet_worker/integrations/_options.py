"""Options of the prebuilt integrations: an argument, else a variable of the environment.

An option called ``sender`` of the integration ``postmark`` is ``HATCHET_POSTMARK_SENDER`` there, so
that an integration which is made without arguments can be configured, too.
"""

from __future__ import annotations

import os
from typing import overload

__all__ = ["option"]


@overload
def option(given: str | None, variable: str) -> str | None: ...


@overload
def option(given: str | None, variable: str, default: str) -> str: ...


def option(given: str | None, variable: str, default: str | None = None) -> str | None:
    """Return ``given``, else what the environment says, else ``default``.

    An empty variable is one that is not set, as compose files leave them.
    """
    if given is not None:
        return given
    return os.environ.get(variable) or default
