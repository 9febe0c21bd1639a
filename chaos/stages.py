"""Where one scenario plays: its router, its worker, its events, and how it all ends."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from temporalio.client import Client

from chaos.casts import Cast
from chaos.facts import Facts, Fault, Letter
from chaos.ledgers import Ledger
from chaos.observations import Observer
from chaos.programs import Program
from chaos.projects import KINDS, NOT_JSON, write_project
from chaos.publishers import Load, OutgoingEvent
from chaos.servers import Servers
from hatchet_cli.devstack.guard import Guard

__all__ = ["ScenarioFailed", "Stage"]

_T = TypeVar("_T")
_READY_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.05
_DOUBLE_EVERY: Final = 10
_PORTION: Final = 10
_PORTION_SECONDS: Final = 0.2
_LONG_PORTION_SECONDS: Final = 1.0
_ROUTERS_QUIET_SECONDS: Final = 4.0
_WORKERS_QUIET_SECONDS: Final = 25.0  # Temporal gives a killed worker 10 s for a workflow task
_MORE_ROUTERS: Final = 5


class ScenarioFailed(Exception):
    """A scenario could not be played to its end."""


class Stage:
    """The names, processes and events of one scenario on servers that it may break.

    ``is_short`` is whether the short form is played; ``patches`` are faults that are built into the
    router (`chaos.patches`).
    """

    def __init__(
        self,
        name: str,
        servers: Servers,
        temporal: Client,
        folder: Path,
        guard: Guard,
        *,
        is_short: bool,
        patches: tuple[str, ...] = (),
    ) -> None:
        self.servers = servers
        self.temporal = temporal
        self.is_short = is_short
        self.own = f"{name}-{uuid.uuid4().hex[:6]}"
        self.exchange = f"chaos.{self.own}.events"
        self.queue = f"chaos.{self.own}.router"
        self.ledger = Ledger(folder / "ledger.sqlite3")
        self.amqp_url = servers.rabbitmq.amqp_url
        self.temporal_address = servers.temporal.address
        self.observer = Observer(self.amqp_url, temporal, self.own, self.queue)
        self.lifetime = AsyncExitStack()
        self.faults: list[Fault] = []
        self.findings: list[str] = []
        self.notes: list[str] = []
        self.recoveries: list[float] = []
        self.bad: set[str] = set()
        self.folder = folder
        self._letters: list[Letter] = []
        self._cast = Cast(folder, guard, patches)
        self._published = 0
        write_project(folder, self.own)

    def pick(self, long: _T, short: _T) -> _T:
        """Return what this form of the scenario is to take."""
        return short if self.is_short else long

    def use_broker(self, amqp_url: str) -> None:
        """Play on another broker than the lane's."""
        self.amqp_url = amqp_url
        self.observer = Observer(amqp_url, self.temporal, self.own, self.queue)

    @property
    def routers(self) -> list[Program]:
        """The routers that have not ended."""
        return [router for router in self._cast.routers if router.is_running]

    async def start_router(self, *patches: str, **variables: str) -> Program:
        """Start a router, and wait until it takes events."""
        router = self.launch_router(*patches, **variables)
        if not await router.has_said("router.ready", _READY_SECONDS):
            raise ScenarioFailed(f"{router.name} did not get ready; see {router.log_path}")
        return router

    def launch_router(self, *patches: str, **variables: str) -> Program:
        """Start a router and return at once."""
        return self._cast.launch_router(patches, self._variables(variables))

    def launch_worker(self) -> Program:
        """Start a worker and return at once."""
        return self._cast.launch_worker(self._variables({}))

    async def start(self, *patches: str, **variables: str) -> tuple[Program, Program]:
        """Start a router and a worker, and see an event go all the way before anything happens."""
        worker = self.launch_worker()
        router = await self.start_router(*patches, **variables)
        await self.publish(self.events(1))
        await self.until(self._has_run_something, "a first step has run", _READY_SECONDS)
        return router, worker

    def events(self, count: int, *, bad: int = 0, key: str | None = None) -> list[OutgoingEvent]:
        """Return new events: every tenth starts two jobs, and ``bad`` more are no JSON."""
        events: list[OutgoingEvent] = []
        for number in range(self._published, self._published + count):
            chosen = key or ("double" if number % _DOUBLE_EVERY == 0 else "single")
            events.append(OutgoingEvent(f"{self.own}-{number}", chosen, {"number": number}))
        for number in range(bad):
            event = OutgoingEvent(
                f"{self.own}-bad-{self._published + number}", "single", body=NOT_JSON
            )
            self.bad.add(event.id)
            events.insert((number + 1) * len(events) // (bad + 1), event)
        self._published += count
        return events

    def load(self, events: Iterable[OutgoingEvent]) -> Load:
        """Return what publishes ``events``."""
        return Load(self.amqp_url, self.exchange, self.ledger, events)

    async def publish(self, events: Iterable[OutgoingEvent]) -> None:
        """Publish ``events`` until all are confirmed."""
        await self.load(events).run()

    @asynccontextmanager
    async def publishing(self, events: Iterable[OutgoingEvent]) -> AsyncGenerator[Load]:
        """Publish ``events`` while the context lasts, and wait for the last in the end."""
        load = self.load(events)
        async with asyncio.TaskGroup() as group:
            group.create_task(load.run())
            yield load

    async def publish_while(self, fault: Coroutine[Any, Any, None], *, bad: int = 0) -> None:
        """Publish events, some at a time, for as long as ``fault`` lasts; at least some."""
        async with asyncio.TaskGroup() as group:
            lasting = group.create_task(fault)
            while True:
                await self.publish(self.events(_PORTION, bad=bad))
                if lasting.done():
                    return
                await asyncio.sleep(self.pick(_LONG_PORTION_SECONDS, _PORTION_SECONDS))

    @asynccontextmanager
    async def fault(self, name: str) -> AsyncGenerator[None]:
        """Keep that a fault lasts as long as the context."""
        began = time.time()
        yield
        self.faults.append(Fault(name, began, time.time()))

    async def taken(self, count: int) -> None:
        """Return when the routers have taken ``count`` of the events that were confirmed."""
        await self.until(lambda: self._has_taken(count), f"{count} events are taken")

    async def ran(self, count: int) -> None:
        """Return when ``count`` attempts at steps were begun."""

        async def has_run() -> bool:
            return len(self.ledger.steps()) >= count

        await self.until(has_run, f"{count} steps ran")

    async def until(
        self, condition: Callable[[], Awaitable[object]], what: str, seconds: float = 600.0
    ) -> None:
        """Return when ``condition`` gives something true."""
        deadline = time.monotonic() + seconds
        while not await condition():
            if time.monotonic() > deadline:
                raise ScenarioFailed(f"after {seconds:g} s it is still not so that {what}")
            await asyncio.sleep(_POLL_SECONDS)

    async def quiet(self) -> None:
        """Return when all jobs of all events are started, or when nothing changes any more."""
        await self.observer.until_quiet(self.is_routed, _ROUTERS_QUIET_SECONDS)

    async def done(self) -> None:
        """Return when no job runs any more, or when nothing changes any more."""
        await self.observer.until_quiet(self._is_done, _WORKERS_QUIET_SECONDS)

    async def keep_letters(self) -> None:
        """Take the dead letters there are out of harm's way."""
        self._letters += await self.observer.take_letters()

    async def stop_routers(self) -> None:
        """Ask all routers to end."""
        await self._cast.stop(routers_alone=True)

    async def settle(self) -> Facts:
        """Let everything come to its end, stop all processes, and return what is left.

        Routers are stopped when nothing has changed for a while: what they have in hand, and
        nobody else could see, is then settled or back in the queue.
        """
        for router in self.routers:
            await router.has_said("router.ready", _READY_SECONDS)
        await self.quiet()
        for _ in range(_MORE_ROUTERS):
            await self.stop_routers()
            left = await self.observer.waiting()
            if not left:
                break
            self.findings.append(f"{left} messages were left to a router that was started anew")
            await self.start_router()
            await self.quiet()
        await self.done()
        await self.keep_letters()
        await self._cast.stop()
        return Facts(
            confirmed=self.ledger.confirmed(),
            bad=frozenset(self.bad),
            runs=tuple(await self.observer.runs()),
            letters=tuple(self._letters),
            steps=tuple(self.ledger.steps()),
            waiting=await self.observer.waiting(),
            faults=tuple(self.faults),
            weights=tuple(router.weight for router in self._cast.routers),
            observations=(
                *self.findings,
                *self._cast.findings,
                *self._cast.unforeseen_ends(),
            ),
            recoveries=tuple(self.recoveries),
            notes=tuple(self.notes),
        )

    async def close(self) -> None:
        """End what still runs, and what scenarios left in `lifetime`."""
        self._cast.kill()
        self.ledger.close()
        await self.lifetime.aclose()

    def _variables(self, given: dict[str, str]) -> dict[str, str]:
        return {
            "HATCHET_AMQP_URL": self.amqp_url,
            "HATCHET_EXCHANGE": self.exchange,
            "HATCHET_QUEUE": self.queue,
            "TEMPORAL_ADDRESS": self.temporal_address,
            "CHAOS_LEDGER": str(self.ledger.path),
            **given,
        }

    async def _has_taken(self, count: int) -> bool:
        waiting = await self.observer.waiting()
        return waiting is not None and self.ledger.confirmed_count() - waiting >= count

    async def is_routed(self) -> bool:
        """Return whether nothing waits, all jobs are started, and all dead letters written."""
        confirmed = self.ledger.confirmed()
        expected = sum(
            len(KINDS[key].jobs) for id_, key in confirmed.items() if id_ not in self.bad
        )
        return (
            await self.observer.waiting() == 0
            and (await self.observer.started() or 0) >= expected
            and await self._has_letters(len(self.bad & set(confirmed)))
        )

    async def _has_run_something(self) -> bool:
        return bool(self.ledger.steps())

    async def _has_letters(self, count: int) -> bool:
        missing = count - len(self._letters)
        return missing <= 0 or (await self.observer.letters_waiting() or 0) >= missing

    async def _is_done(self) -> bool:
        return await self.observer.started("Running") == 0
