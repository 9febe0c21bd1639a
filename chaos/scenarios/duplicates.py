"""The same event again, and confirms that could be mixed up."""

from __future__ import annotations

import asyncio

from chaos.projects import KINDS
from chaos.scenarios.registry import scenario
from chaos.stages import Stage
from hatchet_router import Dispatcher, EventUnroutable


@scenario("republished")
async def republished(stage: Stage) -> None:
    """An event is published 1,000 times, and again after its run has ended, however it ended."""
    copies = stage.pick(1_000, 50)
    await stage.start()
    for key in ("single", "double", "failing", "waiting"):
        events = stage.events(1, key=key) * copies
        await stage.publish(events)
        await stage.quiet()
        await _terminate(stage, key)
        await stage.done()
        async with stage.fault(f"published {copies} times after the end"):
            await stage.publish(events)
        await stage.quiet()
        await _terminate(stage, key)  # where there is any run, it is a second one
    stage.notes.append(f"each event was published {2 * copies:,} times")


async def _terminate(stage: Stage, key: str) -> None:
    """Terminate the runs that would go on for ever, as no worker takes them."""
    for run in await stage.observer.runs():
        if run.key == key and run.status == "RUNNING" and KINDS[key].status == "TERMINATED":
            handle = stage.temporal.get_workflow_handle(
                f"{stage.own}.{key}/{run.job}/{run.event_id}", run_id=run.run_id
            )
            await handle.terminate("chaos")


@scenario("mixed-confirms")
async def mixed_confirms(stage: Stage) -> None:
    """One id is published at once to a key that is routed and to one that is not: told apart."""
    rounds = stage.pick(1_000, 100)
    await stage.start()
    async with (
        Dispatcher(stage.amqp_url, exchange=stage.exchange) as dispatcher,
        stage.fault("an unroutable event of the same id"),
    ):
        for event in stage.events(rounds, key="single"):
            outcomes = await asyncio.gather(
                dispatcher.trigger("nobody.wants.this", {}, id=event.id),
                dispatcher.trigger(event.key, event.data, id=event.id),
                dispatcher.trigger("nobody.wants.this", {}, id=event.id),
                return_exceptions=True,
            )
            if outcomes[1] == event.id:
                stage.ledger.confirm(event.id, event.key, "dispatcher")
            if outcomes[1] != event.id or not all(
                isinstance(outcome, EventUnroutable) for outcome in (outcomes[0], outcomes[2])
            ):
                stage.findings.append(f"confirms of {event.id} were mixed up: {outcomes!r}")
                return
