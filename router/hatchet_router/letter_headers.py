"""The headers in which RabbitMQ and we say what has become of an event."""

from __future__ import annotations

from typing import Final

__all__ = [
    "ATTEMPTS",
    "BROKER_HEADERS",
    "DEATHS",
    "DEATH_PREFIXES",
    "DETAIL",
    "EVENT_ID",
    "EXCHANGE",
    "FIRST_TIME",
    "HISTORY",
    "LOST",
    "OUR_HEADERS",
    "PASSED",
    "PROPERTIES",
    "QUEUE",
    "REASON",
    "REPLAYED_BY",
    "REPLAYED_TIME",
    "RETURNED",
    "RETURNS",
    "TIME",
    "USER_ID",
    "VERSION",
    "WORKFLOWS",
]

REASON: Final = "hatchet-reason"
"""The kind of the rejection, a stable name."""
DETAIL: Final = "hatchet-detail"
"""The rejection in words, at most 1,000 characters."""
WORKFLOWS: Final = "hatchet-workflows"
"""A list of the workflows that did not get the event, at most ten."""
EVENT_ID: Final = "hatchet-event-id"
TIME: Final = "hatchet-time"
"""When it became a dead letter, in ISO 8601; so are the other times."""
VERSION: Final = "hatchet-version"
"""The router's version."""
QUEUE: Final = "hatchet-queue"
"""The router's queue that it came from."""
PROPERTIES: Final = "hatchet-properties"
"""Properties that cannot be read, as bytes."""
LOST: Final = "hatchet-lost"
"""What there was no room for."""

FIRST_TIME: Final = "hatchet-first-time"
"""When the event became a dead letter for the first time."""
ATTEMPTS: Final = "hatchet-attempts"
"""How often it became one."""
USER_ID: Final = "hatchet-user-id"
"""The user who published it; RabbitMQ lets us set the property for our own user alone."""
EXCHANGE: Final = "hatchet-exchange"
"""The exchange it was published to."""
REPLAYED_BY: Final = "hatchet-replayed-by"
REPLAYED_TIME: Final = "hatchet-replayed-time"
PASSED: Final = "hatchet-passed"
"""How often a router left the event to others, whose files want it."""
RETURNED: Final = "hatchet-returned"
"""How often RabbitMQ had taken the event back before."""

HISTORY: Final = frozenset(
    {FIRST_TIME, ATTEMPTS, USER_ID, EXCHANGE, LOST, REPLAYED_BY, REPLAYED_TIME}
)
"""What an event takes along when it is replayed."""

OUR_HEADERS: Final = HISTORY | {
    REASON,
    DETAIL,
    WORKFLOWS,
    EVENT_ID,
    TIME,
    VERSION,
    QUEUE,
    PROPERTIES,
    PASSED,
    RETURNED,
}
"""All that we add."""

RETURNS: Final = "x-delivery-count"
"""How often RabbitMQ had to take the message back unsettled."""

BROKER_HEADERS: Final = frozenset({RETURNS, "x-acquired-count"})
"""What RabbitMQ tells of one delivery, and what no publisher has said."""

DEATHS: Final = "x-death"
"""RabbitMQ's records of when it dead-lettered a message itself, the latest first."""

DEATH_PREFIXES: Final = ("x-first-death-", "x-last-death-")
"""How the headers begin in which RabbitMQ tells of the first and of the last of them."""
