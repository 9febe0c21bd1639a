"""What the router needs to exist on the broker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from hatchet_schemas.names import DEAD_LETTERS, EVENTS_EXCHANGE, ROUTER_QUEUE

__all__ = ["DELIVERY_LIMIT", "Topology"]

DELIVERY_LIMIT: Final = 100
"""How often a message may come back unacknowledged before RabbitMQ itself dead-letters it.

The count grows with every crash of a router, for each message it held, so a low limit would
dead-letter healthy events.
"""


@dataclass(frozen=True, slots=True)
class Topology:
    """Names and arguments of exchanges, queues and bindings.

    ``exchange`` is the one that is declared; ``more_exchanges`` belong to others and must exist.
    ``expires_seconds`` lets an unused queue vanish: for development on a shared broker only.
    """

    exchange: str = EVENTS_EXCHANGE
    more_exchanges: tuple[str, ...] = ()
    queue: str = ROUTER_QUEUE
    expires_seconds: int | None = None

    @property
    def dead_letters(self) -> str:
        """The exchange, and the queue, of events that cannot be handled."""
        return DEAD_LETTERS

    @property
    def queue_arguments(self) -> dict[str, Any]:
        """Arguments of the router's queue.

        At-least-once dead-lettering needs ``reject-publish``: without it RabbitMQ silently falls
        back to at-most-once (RabbitMQ's documentation of quorum queues).
        """
        arguments: dict[str, Any] = {
            "x-queue-type": "quorum",
            "x-delivery-limit": DELIVERY_LIMIT,
            "x-overflow": "reject-publish",
            "x-dead-letter-exchange": self.dead_letters,
            "x-dead-letter-strategy": "at-least-once",
        }
        if self.expires_seconds is not None:
            arguments["x-expires"] = self.expires_seconds * 1000
        return arguments

    @property
    def dead_letter_arguments(self) -> dict[str, Any]:
        """Arguments of the dead-letter queue: kept until somebody looks."""
        return {"x-queue-type": "quorum"}
