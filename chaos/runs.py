"""Playing scenarios, one after the other on the same servers."""

from __future__ import annotations

import asyncio
import shutil
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Final

from temporalio.client import Client

from chaos.facts import Facts
from chaos.scenarios import Scenario
from chaos.servers import Servers
from chaos.stages import ScenarioFailed, Stage
from chaos.verdicts import Verdict, judge
from hatchet_cli.devstack.guard import Guard
from hatchet_worker.connection import TemporalSettings, connect

__all__ = ["Lane", "Result", "Run", "play_all"]

_LIMIT_SECONDS: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Run:
    """A scenario to play, in its short or its long form, with faults built into the router.

    ``is_done_with`` says of its verdict that nobody needs to look into its logs.
    """

    scenario: Scenario
    is_short: bool
    patches: tuple[str, ...] = ()
    is_done_with: Callable[[Verdict], bool] = attrgetter("is_green")

    @property
    def name(self) -> str:
        """The scenario's name, with that of what is broken on purpose."""
        return "+".join((self.scenario.name, *self.patches))


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a scenario; ``folder`` has its logs if they were kept."""

    run: Run
    verdict: Verdict
    seconds: float
    folder: Path | None


class Lane:
    """Servers on which scenarios are played; new ones after a scenario that failed.

    Logs and ledgers are in ``folder``; those of green scenarios stay only with ``keep``.
    """

    def __init__(self, folder: Path, *, keep: bool) -> None:
        self._folder = folder
        self._keep = keep
        self._resources = AsyncExitStack()
        self._servers: Servers | None = None
        self._temporal: Client | None = None

    async def play(self, run: Run) -> Result:
        """Play a scenario to its end, and judge it."""
        began = time.monotonic()
        folder = self._folder / run.name
        folder.mkdir(parents=True)
        try:
            async with asyncio.timeout(_LIMIT_SECONDS):
                facts = await self._played(run, folder)
        except asyncio.CancelledError as error:
            # aio-pika raises it as well, where a connection is closed under a call.
            if (task := asyncio.current_task()) is None or task.cancelling():
                raise
            facts = _failed(error, folder)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other scenarios shall be played
            facts = _failed(error, folder)
        verdict = judge(facts)
        is_done = run.is_done_with(verdict)
        if not is_done:
            await self.close()
        elif not self._keep:
            shutil.rmtree(folder, ignore_errors=True)
        kept = folder if folder.exists() else None
        return Result(run, verdict, time.monotonic() - began, kept)

    async def close(self) -> None:
        """End the servers."""
        self._servers = self._temporal = None
        await self._resources.aclose()

    async def _played(self, run: Run, folder: Path) -> Facts:
        servers, temporal = await self._opened()
        async with AsyncExitStack() as resources:
            guard = Guard()
            resources.callback(guard.close)
            stage = Stage(
                run.scenario.name,
                servers,
                temporal,
                folder,
                guard,
                is_short=run.is_short,
                patches=run.patches,
            )
            resources.push_async_callback(stage.close)
            await stage.observer.take_letters()
            try:
                await run.scenario.play(stage)
            except ScenarioFailed as error:
                stage.findings.append(str(error))
            facts = await stage.settle()
            await stage.observer.delete(queues=(stage.queue,), exchanges=(stage.exchange,))
            return facts

    async def _opened(self) -> tuple[Servers, Client]:
        if self._servers is None or self._temporal is None:
            self._servers = await self._resources.enter_async_context(Servers())
            settings = TemporalSettings(address=self._servers.temporal.address)
            self._temporal = await connect(settings)
        return self._servers, self._temporal


def _failed(error: BaseException, folder: Path) -> Facts:
    """Return the fact that there are none; the whole story is left in ``folder``."""
    (folder / "failure.txt").write_text("".join(traceback.format_exception(error)))
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    told = f"could not be played to its end: {type(error).__name__}: {error}"
    return Facts({}, frozenset(), (), (), (), 0, observations=(told,))


async def play_all(
    runs: Sequence[Run], folder: Path, tell: Callable[[Result], None], *, lanes: int, keep: bool
) -> list[Result]:
    """Play ``runs``, on so many lanes at the same time; ``tell`` of each when it has ended."""
    waiting = list(reversed(runs))
    results: dict[Run, Result] = {}

    async def work(number: int) -> None:
        lane = Lane(folder / f"lane-{number}", keep=keep)
        try:
            while waiting:
                run = waiting.pop()
                results[run] = await lane.play(run)
                tell(results[run])
        finally:
            await lane.close()

    async with asyncio.TaskGroup() as group:
        for number in range(1, min(lanes, len(runs)) + 1):
            group.create_task(work(number))
    return [results[run] for run in runs]
