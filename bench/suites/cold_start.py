"""How long commands take until they do what they are for."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

from bench.measurements import Measurement, at_most, interleaved
from bench.processes import MeasuringFailed, environment
from bench.projects import file_of_many, write_many
from bench.routers import RoutersQueue
from bench.suites.registry import suite
from bench.workbench import HATCHET, Workbench

_FILES: Final = 1_000
_PROGRAMS: Final = Path(__file__).parents[1] / "programs"
_SECONDS: Final = 60.0


@suite("cold_start")
async def measure(bench: Workbench) -> AsyncIterator[Measurement]:
    """The time of `hatchet --help`, of `hatchet check`, and until a router is ready."""
    folder = bench.folder / bench.new_name("files") / ".hatchet"
    await asyncio.to_thread(write_many, folder, _FILES)
    repetitions = bench.pick(11, 5)
    figures, limits = await interleaved(
        repetitions,
        _timed([HATCHET, "--help"], bench.folder),
        _timed([sys.executable, str(_PROGRAMS / "small_cli.py"), "--help"], bench.folder),
    )
    yield Measurement("hatchet --help", "s", figures, limits, at_most(1.3), "a bare typer program")
    check = _timed([HATCHET, "check", str(folder)], bench.folder)
    parse = _timed([sys.executable, str(_PROGRAMS / "load_yaml.py"), str(folder)], bench.folder)
    figures, limits = await interleaved(repetitions, check, parse)
    yield Measurement(
        f"hatchet check, {_FILES:,} files",
        "s",
        figures,
        limits,
        at_most(4),
        "an interpreter that parses the same files with CSafeLoader, and ends",
    )
    files: dict[str, str | bytes] = {f"{i}.yaml": file_of_many(i) for i in range(_FILES)}
    queue = await RoutersQueue.prepared(bench, "cold", files)
    stack = await bench.stack()

    async def ready() -> float:
        began = time.perf_counter()
        router = queue.launch()
        await router.records("router.ready", 1, _SECONDS)
        seconds = time.perf_counter() - began
        await router.stop()
        return seconds

    async def check_and_connect() -> float:
        connecting = await bench.run(
            "connecting", address=stack.temporal.address, amqp_url=stack.rabbitmq.amqp_url
        )
        return await check() + float(connecting["seconds"])

    figures, limits = await interleaved(bench.pick(5, 3), ready, check_and_connect)
    yield Measurement(
        f"router ready, {_FILES:,} files",
        "s",
        figures,
        limits,
        at_most(1.5),
        "`hatchet check` of the same files, and loading and connecting aio-pika and temporalio",
        "its queue and bindings are on the broker already",
    )


def _timed(command: Sequence[str], folder: Path) -> Callable[[], Awaitable[float]]:
    """Return what measures the seconds that a program takes, from its start to its end."""

    async def seconds() -> float:
        began = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=folder,
            env=environment({}),
        )
        try:
            async with asyncio.timeout(_SECONDS):
                said, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode != 0:
            raise MeasuringFailed(f"{command}: {said.decode(errors='replace')}")
        return time.perf_counter() - began

    return seconds
