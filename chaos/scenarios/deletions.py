"""What the router needs on the broker is deleted, or full."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable

from chaos.observations import DEAD_LETTERS
from chaos.scenarios.registry import scenario
from chaos.stages import Stage

_LETTERS = 20
_WITHHELD_SECONDS = 5.0


@scenario("queue-deleted")
async def queue_deleted(stage: Stage) -> None:
    """The queue is deleted: publishers are told, and within 30 s it is there again."""
    await _deleted(stage, "queue", lambda: stage.observer.delete(queues=(stage.queue,)))


@scenario("exchange-deleted")
async def exchange_deleted(stage: Stage) -> None:
    """The exchange is deleted: publishers are told, and within 30 s it is there again."""
    await _deleted(stage, "exchange", lambda: stage.observer.delete(exchanges=(stage.exchange,)))


@scenario("binding-deleted")
async def binding_deleted(stage: Stage) -> None:
    """A binding is deleted: publishers are told, and within 30 s it is there again."""
    await _deleted(stage, "binding", lambda: stage.observer.unbind(stage.exchange, "single"))


@scenario("dead-letters-deleted")
async def dead_letters_deleted(stage: Stage) -> None:
    """Queue and exchange of the dead letters are deleted: what belongs there waits for them."""
    letters = (DEAD_LETTERS,)
    await _deleted(stage, "dead letters", lambda: stage.observer.delete(queues=letters))
    await _deleted(
        stage,
        "dead letters and their exchange",
        lambda: stage.observer.delete(queues=letters, exchanges=letters),
    )


async def _deleted(stage: Stage, what: str, delete: Callable[[], Awaitable[None]]) -> None:
    """Delete something when nothing is in it, which its deletion would take along."""
    count = stage.pick(500, 100)
    if not stage.routers:
        await stage.start()
    await stage.publish(stage.events(count, bad=2))
    await stage.quiet()
    await stage.keep_letters()
    async with stage.fault(f"{what} deleted"):
        await delete()
    began = time.monotonic()
    # What is seen to get through is one event, and one that has to become a dead letter.
    await stage.publish(stage.events(1, bad=1, key="single"))
    await stage.quiet()
    stage.recoveries.append(time.monotonic() - began)
    await stage.publish(stage.events(count, bad=2))
    await stage.quiet()


@scenario("dead-letters-full")
async def dead_letters_full(stage: Stage) -> None:
    """The dead letters' queue is full: the router keeps what belongs there, and goes on."""
    control = stage.servers.rabbitmq.control
    router, _ = await stage.start()
    policy = json.dumps({"max-length": 5, "overflow": "reject-publish"})
    async with stage.fault("dead letters full"):
        await asyncio.to_thread(
            control, "set_policy", "chaos-full", f"^{DEAD_LETTERS}$", policy, "--apply-to", "queues"
        )
        try:
            await stage.publish(stage.events(stage.pick(1_000, 100), bad=_LETTERS))
            await asyncio.sleep(_WITHHELD_SECONDS)
            withheld = _LETTERS - (await stage.observer.letters_waiting() or 0)
            stage.notes.append(f"{withheld} dead letters were withheld meanwhile")

            async def have_all_come() -> bool:
                await stage.keep_letters()  # somebody looks through them, and makes room
                return await stage.is_routed()

            await stage.until(have_all_come, "all dead letters have come", 60)
            if not router.records("router.not_ready"):
                stage.findings.append("the router did not tell that it is not ready")
        finally:
            await asyncio.to_thread(control, "clear_policy", "chaos-full")
    await stage.publish(stage.events(10))
