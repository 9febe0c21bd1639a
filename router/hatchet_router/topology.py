"""What the router needs to exist on the broker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from hatchet_schemas.names import DEAD_LETTERS, EVENTS_EXCHANGE, ROUTER_QUEUE

__all__ = ["DEAD_LETTER_DELIVERY_LIMIT", "DELIVERY_LIMIT", "Topology", "replay_exchange"]

DELIVERY_LIMIT: Final = 100
"""How often a message may come back unacknowledged before RabbitMQ itself dead-letters it.

The count grows with every crash of a router, for each message it held, so a low limit would
dead-letter healthy events.
"""

DEAD_LETTER_DELIVERY_LIMIT: Final = 1_000_000_000
"""The same for the queue of dead letters, where it must never be reached.

Looking at dead letters takes and gives them back, which counts; what reaches the limit there is
gone, since dead letters have no dead letters. RabbitMQ 4 sets a limit of 20 where none is named.
Its -1, for no limit, makes RabbitMQ 3.10 drop a letter the first time it comes back (measured). And
only with a limit do letters come back to the head of the queue, in their order (RabbitMQ's
documentation of quorum queues, repeated requeues).
"""


def replay_exchange(queue: str) -> str:
    """Return the exchange by which events come back to the router's ``queue``, and to no other.

    Whoever may write to it can say which source an event had, so it is for operators alone.
    """
    return f"{queue}.replay"


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
    def note_queue(self) -> str:
        """The queue of one message, in which the routers note which files they have.

        It is also the name of the exchange that the message comes by.
        """
        return f"{self.queue}.files"

    @property
    def note_arguments(self) -> dict[str, Any]:
        """Arguments of that queue: reading the note takes it and gives it back."""
        arguments = self.dead_letter_arguments
        if self.expires_seconds is not None:
            arguments["x-expires"] = self.expires_seconds * 1000
        return arguments

    @property
    def lock_queue(self) -> str:
        """The exclusive queue that a router has while it changes the note."""
        return f"{self.queue}.lock"

    @property
    def dead_letter_arguments(self) -> dict[str, Any]:
        """Arguments of the dead-letter queue: kept until somebody looks, however often."""
        return {"x-queue-type": "quorum", "x-delivery-limit": DEAD_LETTER_DELIVERY_LIMIT}
