"""Suites that fail, and those after them."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bench.measurements import Measurement
from bench.runs import run_suites
from bench.suites.registry import suite
from bench.workbench import Workbench


@suite("sound")
async def sound(_bench: Workbench) -> AsyncIterator[Measurement]:
    """Something."""
    yield Measurement("some", "s", (1.0,))


@suite("broken")
async def broken(_bench: Workbench) -> AsyncIterator[Measurement]:
    """Something, and then nothing more."""
    yield Measurement("some", "s", (1.0,))
    raise LookupError("the queue is gone")


@suite("endless", short_limit_seconds=0.01)
async def endless(_bench: Workbench) -> AsyncIterator[Measurement]:
    """Nothing, ever."""
    await asyncio.Event().wait()
    yield Measurement("some", "s", (1.0,))


@suite("starting")
async def starting(bench: Workbench) -> AsyncIterator[Measurement]:
    """A program that would run for a minute."""
    program = bench.start("sleep", ["/bin/sleep", "60"])
    yield Measurement("process id", "", (program.pid,))


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    """A bench without servers: nobody asks for them."""
    return Workbench(tmp_path, is_short=True)


async def test_a_suite_that_fails_keeps_what_it_has_and_others_are_run(bench: Workbench) -> None:
    """One raises, one hangs; the reason of each is told."""
    said: list[str] = []
    try:
        results = await run_suites([broken, endless, sound], bench, said.append)
    finally:
        bench.close()
    assert [result.error for result in results] == [
        "LookupError: the queue is gone",
        "did not come to its end in 0.01 s",
        None,
    ]
    assert [len(result.measurements) for result in results] == [1, 0, 1]
    assert "the queue is gone" in bench.traces["broken"]
    assert any("the queue is gone" in line for line in said)


async def test_programs_end_with_their_suite(bench: Workbench) -> None:
    """Nothing runs beside what is measured next."""
    try:
        [result] = await run_suites([starting], bench, lambda _: None)
        [process_id] = result.measurements[0].figures
        with pytest.raises(ProcessLookupError):
            os.kill(int(process_id), 0)
    finally:
        bench.close()


async def test_programs_get_nobodys_servers(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What this shell has set for Hatchet or Temporal would lead programs elsewhere."""
    monkeypatch.setenv("TEMPORAL_ADDRESS", "production:7233")
    monkeypatch.setenv("HATCHET_AMQP_URL", "amqp://production")
    try:
        program = bench.start("env", ["/bin/sh", "-c", "env; echo '{\"done\": true}'"])
        assert await program.result(30) == {"done": True}
    finally:
        bench.close()
    assert "production" not in program.log_path.read_text()
