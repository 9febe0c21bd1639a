"""Why an event becomes a dead letter: names that stay, in headers, metrics, spans and logs."""

from __future__ import annotations

from typing import Final

__all__ = [
    "CONDITION_FAILED",
    "QUARANTINED",
    "REASONS",
    "REFUSED_BY_TEMPORAL",
    "ROUTER_ERROR",
    "TOO_LARGE",
    "UNDECODABLE",
    "UNMATCHED",
    "UNSUPPORTED_ENCODING",
]

UNDECODABLE: Final = "undecodable"
"""The message is not what it says it is, or no JSON object."""

UNSUPPORTED_ENCODING: Final = "unsupported-encoding"
"""The message says that it is in a form that is not read here; it may well be sound."""

TOO_LARGE: Final = "too-large"
"""The body, before or after decompression, the headers or the event's id pass a limit."""

CONDITION_FAILED: Final = "condition-failed"
"""A trigger's ``if`` could not be decided."""

REFUSED_BY_TEMPORAL: Final = "refused-by-temporal"
"""Temporal will never take one of its jobs."""

UNMATCHED: Final = "unmatched"
"""It was replayed, or left to this router, and nothing wants it any more."""

QUARANTINED: Final = "quarantined"
"""It came back again and again: whoever handled it was stopped."""

ROUTER_ERROR: Final = "router-error"
"""A fault of the router."""

REASONS: Final = (
    UNDECODABLE,
    UNSUPPORTED_ENCODING,
    TOO_LARGE,
    CONDITION_FAILED,
    REFUSED_BY_TEMPORAL,
    UNMATCHED,
    QUARANTINED,
    ROUTER_ERROR,
)
"""All of them; RabbitMQ has others for dead letters that it makes itself."""
