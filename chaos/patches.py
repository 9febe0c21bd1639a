"""Routers that are broken on purpose: ``python -m chaos.patches NAME[,NAME] router``.

Each patch changes the program in memory and then runs ``hatchet`` with the rest of the arguments.
Those in `SABOTAGE` take a promise away, and the suite has to notice; the others are faults that a
router has to survive, which nothing from outside could bring about.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any, Final

__all__ = ["POISON", "QUARANTINED_SOON", "SABOTAGE", "STALL", "STALL_SECONDS", "main"]

POISON: Final = "poison"
"""What an event has in its data that kills a router with the patch ``dies-of-poison``."""

STALL: Final = "stall"
"""What an event has in its data that stalls a router with the patch ``stalls``, once."""

STALL_SECONDS: Final = 35.0

QUARANTINED_SOON: Final = 8
"""How often a message has come back that a router with ``quarantines-soon`` puts aside."""


def allow_duplicates() -> None:
    """Let Temporal start a job again whose first run has ended."""
    from hatchet_router import temporal

    policies: Any = temporal
    allowed = policies.WorkflowIDReusePolicy.ALLOW_DUPLICATE
    policies.WorkflowIDReusePolicy = SimpleNamespace(REJECT_DUPLICATE=allowed)


def acknowledge_first() -> None:
    """Acknowledge a delivery before its jobs are started."""
    from aio_pika.exceptions import MessageProcessError

    from hatchet_router.settling import Settler

    settler: Any = Settler
    settle = settler.settle

    async def settle_late(self: Any, session: Any, message: Any, times: int) -> None:
        await message.ack()
        with suppress(MessageProcessError):
            await settle(self, session, message, times)

    settler.settle = settle_late


def drop_head() -> None:
    """Let a full queue drop its oldest event instead of refusing the newest."""
    from hatchet_router.topology import Topology

    topology: Any = Topology
    arguments: Any = topology.queue_arguments.fget
    topology.queue_arguments = property(lambda self: arguments(self) | {"x-overflow": "drop-head"})


def low_limit() -> None:
    """Let RabbitMQ give up a message that came back five times."""
    from hatchet_router import topology

    limited: Any = topology
    limited.DELIVERY_LIMIT = 5


def die_of_poison() -> None:
    """End the process, as a fault in native code would, when a marked event is decoded."""

    def die(_body: bytes) -> None:
        os._exit(139)

    _on_marked(POISON, die)


def stall() -> None:
    """Block the event loop when a marked event is decoded, the first time."""

    def block(_body: bytes) -> None:
        mark = Path(os.environ["CHAOS_FOLDER"]) / "stalled"
        if not mark.exists():
            mark.touch()
            time.sleep(STALL_SECONDS)

    _on_marked(STALL, block)


def quarantine_soon() -> None:
    """Put a message aside after eight returns instead of twenty, for the short form."""
    from hatchet_router import quarantine

    impatient: Any = quarantine
    impatient.QUARANTINE_RETURNS = QUARANTINED_SOON


def _on_marked(mark: str, act: Callable[[bytes], None]) -> None:
    from hatchet_router import router

    patched: Any = router
    decode = patched.decode

    def decode_marked(delivery: Any, **options: Any) -> Any:
        if f'"{mark}"'.encode() in delivery.body:
            act(delivery.body)
        return decode(delivery, **options)

    patched.decode = decode_marked


SABOTAGE: Final = MappingProxyType(
    {
        "allow-duplicates": allow_duplicates,
        "acknowledge-first": acknowledge_first,
        "drop-head": drop_head,
        "low-limit": low_limit,
    }
)
_FAULTS: Final = MappingProxyType(
    {
        "dies-of-poison": die_of_poison,
        "stalls": stall,
        "quarantines-soon": quarantine_soon,
    }
)


def main() -> None:
    """Apply the patches that the first argument names, and be ``hatchet``."""
    _, names, *arguments = sys.argv
    for name in names.split(","):
        (SABOTAGE | _FAULTS)[name]()
    sys.argv = ["hatchet", *arguments]

    from hatchet_cli.main import main as hatchet

    hatchet()


if __name__ == "__main__":
    main()
