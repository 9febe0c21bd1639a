"""Other workflow files while the router runs: when they are in force, and when not."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from collections.abc import Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog.testing

from hatchet_router import folder, reloading
from hatchet_router.deliveries import Delivery, Routed, Unmatched
from hatchet_router.folder import Loaded, WorkflowFolder
from hatchet_router.planning import StartRequest
from hatchet_router.readiness import Readiness
from hatchet_router.reloading import Follower, Reloader, Reloads, WorkflowSet, differences
from hatchet_router.router import Router
from hatchet_router.routing import RoutingTable
from hatchet_router.testing import RecordingStarter
from hatchet_schemas import Definition

WORKFLOW = """\
name: {name}
on: [{trigger}]
jobs:
  job:
    steps:
      - name: Say it
        id: say
        actionId: echo:say
        timeout: 10s
"""


class Running:
    """A router that goes by a folder, and what its reloader has been doing."""

    def __init__(
        self, path: Path, *followers: Follower, folder: WorkflowFolder | None = None
    ) -> None:
        path.mkdir(exist_ok=True)
        self.path = path
        self.write("a", "first")
        self.folder = folder or WorkflowFolder(path)
        definitions, problems = self.folder.load()
        assert problems == ()
        self.starter = RecordingStarter()
        self.router = Router(RoutingTable(definitions), self.starter)
        self.readiness = Readiness()
        self.reloads = Reloads(self.folder)
        self.reloader = Reloader(self.router, self.readiness, followers)

    def write(self, name: str, trigger: str) -> None:
        """Write a workflow file with one trigger."""
        (self.path / f"{name}.yaml").write_text(WORKFLOW.format(name=name, trigger=trigger))

    def spoil(self, name: str) -> None:
        """Write a file that is no workflow."""
        (self.path / f"{name}.yaml").write_text("name: spoiled\n")

    @property
    def triggers(self) -> tuple[str, ...]:
        """What the router goes by."""
        return self.router.table.triggers

    @asynccontextmanager
    async def reloading(self) -> Any:
        """Reload at requests for the time of the block; give the records that are logged."""
        with structlog.testing.capture_logs() as records:
            task = asyncio.create_task(self.reloader.run(self.reloads))
            try:
                yield records
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], object]) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - it is anything that a test can see
            await asyncio.sleep(0.001)


def named(records: list[Any], event: str) -> list[Any]:
    """Return the records of a kind."""
    return [record for record in records if record["event"] == event]


async def reloaded(running: Running, *, always: bool = False) -> list[Any]:
    """Request a reload, wait for its end, and return what was logged."""
    async with running.reloading() as records:
        running.reloads.request(always=always)
        ends = {"router.reloaded", "router.reload_failed", "router.unchanged"}
        await until(lambda: any(record["event"] in ends for record in records))
        return list(records)


async def test_a_changed_file_is_put_in_force(tmp_path: Path) -> None:
    """And the record says what is different."""
    running = Running(tmp_path)
    running.write("a", "second")
    running.write("b", "third")

    records = await reloaded(running)

    assert running.triggers == ("second", "third")
    [record] = named(records, "router.reloaded")
    assert record["workflows"] == 2
    assert (record["added"], record["changed"], record["removed"]) == (["b"], ["a"], [])
    assert record["triggers_added"] == ["second", "third"]
    assert record["triggers_removed"] == ["first"]
    assert record["seconds"] >= 0
    assert (running.reloader.loads, running.reloader.failed_loads) == (1, 0)


def touch(path: Path) -> None:
    os.utime(path / "a.yaml", (1, 1))


def write_again(path: Path) -> None:
    (path / "a.yaml").write_bytes((path / "a.yaml").read_bytes())


def leave_backups(path: Path) -> None:
    for name in ("a.yaml~", ".a.yaml.swp", "#a.yaml#", "4913"):
        (path / name).write_text("name: other")


@pytest.mark.parametrize("change", [touch, write_again, leave_backups])
async def test_only_other_content_is_a_change(
    tmp_path: Path, change: Callable[[Path], None]
) -> None:
    """Editors do all of this."""
    running = Running(tmp_path)
    table = running.router.table
    change(tmp_path)

    records = await reloaded(running)

    assert [record["event"] for record in records] == ["router.unchanged"]
    assert [record["log_level"] for record in records] == ["debug"]
    assert running.router.table is table
    assert running.reloader.loads == 0


@pytest.mark.parametrize("rename", ["a.yml", "sub/a.yaml"])
async def test_a_file_under_another_name_is_a_change(tmp_path: Path, rename: str) -> None:
    """Definitions and problems name their file."""
    running = Running(tmp_path)
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.yaml").rename(tmp_path / rename)

    assert named(await reloaded(running), "router.reloaded")


async def test_an_operator_reloads_what_has_not_changed(tmp_path: Path) -> None:
    """Who sends SIGHUP wants an answer, and perhaps bindings that somebody has removed."""
    followed: list[tuple[str, ...]] = []

    async def follow(new: WorkflowSet) -> None:
        followed.append(new.table.triggers)

    running = Running(tmp_path, follow)

    records = await reloaded(running, always=True)

    [record] = named(records, "router.reloaded")
    assert not any(record[what] for what in ("added", "changed", "removed", "triggers_added"))
    assert followed == [("first",)]


async def test_an_invalid_set_changes_nothing_and_says_so(tmp_path: Path) -> None:
    """All problems of all files stand in the record, the first one in the readiness."""
    followed: list[WorkflowSet] = []

    async def follow(new: WorkflowSet) -> None:
        followed.append(new)

    running = Running(tmp_path, follow)
    running.write("a", "second")
    running.spoil("b")
    running.spoil("c")

    records = await reloaded(running)

    assert running.triggers == ("first",)
    assert followed == []
    [record] = named(records, "router.reload_failed")
    assert record["log_level"] == "error"
    assert record["errors"] == len(record["problems"]) >= 2
    place = f"{tmp_path / 'b.yaml'}:1:1: "
    assert record["problems"][0].startswith(place)
    assert record["problems"][0].endswith("]")
    assert any(str(tmp_path / "c.yaml") in problem for problem in record["problems"])
    assert place in running.readiness.troubles["workflows"]
    assert running.readiness.is_ready  # events are routed all the same
    assert (running.reloader.loads, running.reloader.failed_loads) == (0, 1)


async def test_an_invalid_set_is_told_once_and_mended_by_the_next_good_one(tmp_path: Path) -> None:
    """Also when that is what was in force all the time."""
    running = Running(tmp_path)
    began = running.reloader.loaded_at
    running.spoil("b")
    assert named(await reloaded(running), "router.reload_failed")
    touch(tmp_path)
    assert not named(await reloaded(running), "router.reload_failed")
    assert running.reloader.loaded_at == began

    (tmp_path / "b.yaml").unlink()
    records = await reloaded(running)

    assert named(records, "router.reloaded")
    assert running.readiness.troubles == {}
    assert running.reloader.loaded_at >= began


async def test_a_record_of_many_problems_stays_readable(tmp_path: Path) -> None:
    """It says how many it leaves out."""
    running = Running(tmp_path)
    for number in range(30):
        running.spoil(f"b{number:02}")

    [record] = named(await reloaded(running), "router.reload_failed")

    assert record["errors"] == 60
    assert len(record["problems"]) == 21
    assert record["problems"][-1] == "40 more: hatchet check tells them all"


async def test_warnings_do_not_keep_files_from_being_used(tmp_path: Path) -> None:
    """They are told, as at the start."""
    running = Running(tmp_path)
    text = WORKFLOW.format(name="a", trigger="second").replace("jobs:", "secrets: [UNUSED]\njobs:")
    (tmp_path / "a.yaml").write_text(text)

    [record] = named(await reloaded(running), "router.reloaded")

    assert running.triggers == ("second",)
    assert ["UNUSED" in warning for warning in record["warnings"]] == [True]


@pytest.mark.parametrize("emptied", [shutil.rmtree, lambda path: (path / "a.yaml").unlink()])
async def test_a_folder_that_vanishes_or_is_empty_is_an_invalid_set(
    tmp_path: Path, emptied: Callable[[Path], None]
) -> None:
    """Somebody is about to replace it, or has made a mistake."""
    running = Running(tmp_path / "workflows")
    emptied(running.path)

    [record] = named(await reloaded(running), "router.reload_failed")

    assert running.triggers == ("first",)
    assert "[not-found]" in record["problems"][0]


async def test_followers_are_called_in_order_after_the_table_is_swapped(tmp_path: Path) -> None:
    """And the record comes last: from then on events are handled by the new files."""
    order: list[Any] = []

    async def bindings(new: WorkflowSet) -> None:
        order.append(("bindings", running.triggers))
        await asyncio.sleep(0)

    async def schedules(new: WorkflowSet) -> None:
        await asyncio.sleep(0)
        order.append(("schedules", [item.path for item in new.definitions]))
        order.append(named(records, "router.reloaded"))

    running = Running(tmp_path, bindings, schedules)
    running.write("a", "second")
    async with running.reloading() as records:
        running.reloads.request()
        await until(lambda: named(records, "router.reloaded"))

    assert order == [("bindings", ("second",)), ("schedules", [str(tmp_path / "a.yaml")]), []]


async def test_reloads_do_not_overlap_and_the_last_version_is_in_force(tmp_path: Path) -> None:
    """Requests that come during a reload are one reload afterwards."""
    under_way = 0
    overlapped = False
    go_on = asyncio.Event()
    followed: list[tuple[str, ...]] = []

    async def slow(new: WorkflowSet) -> None:
        nonlocal under_way, overlapped
        under_way += 1
        overlapped |= under_way > 1
        followed.append(new.table.triggers)
        await go_on.wait()
        under_way -= 1

    running = Running(tmp_path, slow)
    async with running.reloading() as records:
        running.write("a", "version-0")
        running.reloads.request()
        await until(lambda: followed)
        for version in range(1, 11):
            running.write("a", f"version-{version}")
            running.reloads.request()
            await asyncio.sleep(0)
        go_on.set()
        await until(lambda: len(named(records, "router.reloaded")) == 2)

    assert followed == [("version-0",), ("version-10",)]
    assert running.triggers == ("version-10",)
    assert not overlapped


async def test_an_event_in_hand_keeps_the_workflows_that_it_was_matched_with(
    tmp_path: Path,
) -> None:
    """It starts all jobs of the old files, or all of the new ones."""

    class SlowStarter(RecordingStarter):
        def __init__(self) -> None:
            super().__init__()
            self.asked = asyncio.Event()
            self.go_on = asyncio.Event()

        async def start(self, request: StartRequest) -> bool:
            self.asked.set()
            await self.go_on.wait()
            return await super().start(request)

    running = Running(tmp_path)
    starter = SlowStarter()
    running.router = Router(running.router.table, starter)
    running.reloader = Reloader(running.router, running.readiness)
    handling = asyncio.create_task(running.router.handle(Delivery(b"{}", "first", message_id="1")))
    await starter.asked.wait()
    running.write("a", "second")
    assert named(await reloaded(running), "router.reloaded")

    starter.go_on.set()
    outcome = await handling

    assert isinstance(outcome, Routed)
    assert [job.workflow_id for job in outcome.jobs] == ["a/job/1"]
    assert await running.router.handle(Delivery(b"{}", "first")) == Unmatched()


@pytest.mark.parametrize("again_seconds", [0.01, 60.0])
async def test_a_fault_is_told_and_all_is_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again_seconds: float
) -> None:
    """At the next request, or after a while."""
    monkeypatch.setattr(reloading, "_AGAIN_SECONDS", again_seconds)
    faults = [OSError("no such luck")]
    followed: list[tuple[str, ...]] = []

    async def follow(new: WorkflowSet) -> None:
        if faults:
            raise faults.pop()
        followed.append(new.table.triggers)

    running = Running(tmp_path, follow)
    running.write("a", "second")
    async with running.reloading() as records:
        running.reloads.request()
        await until(lambda: named(records, "router.reload_failed"))
        assert "no such luck" in running.readiness.troubles["workflows"]
        if again_seconds > 1:
            running.reloads.request()  # nothing has changed since
        await until(lambda: named(records, "router.reloaded"))

    assert followed == [("second",)]
    assert running.readiness.troubles == {}
    assert (running.reloader.loads, running.reloader.failed_loads) == (1, 1)


class StuckFolder(WorkflowFolder):
    """One that is on a network mount which does not answer."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.asked = threading.Event()
        self.answer = threading.Event()

        self.ended = threading.Event()

    def load_if_changed(self) -> Loaded | None:
        """Wait for an answer of the mount."""
        self.asked.set()
        self.answer.wait(60)
        self.ended.set()
        return None


async def test_nobody_waits_for_a_load_that_is_under_way(tmp_path: Path) -> None:
    """Neither the event loop during it, nor the process when it ends."""
    stuck = StuckFolder(tmp_path)
    running = Running(tmp_path, folder=stuck)
    try:
        async with running.reloading():
            running.reloads.request()
            await until(stuck.asked.is_set)
            outcome = await running.router.handle(Delivery(b"{}", "first", message_id="1"))
        assert not stuck.ended.is_set()
        assert isinstance(outcome, Routed)
        assert len(outcome.jobs) == 1
    finally:
        stuck.answer.set()


async def test_files_that_change_while_they_are_read_are_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of an old and half of a new deployment may be valid, and is not meant."""
    running = Running(tmp_path)
    running.write("b", "old")
    read = folder._read

    def read_while_deployed(file: str) -> Any:
        source = read(file)
        running.write("a", "new")
        running.write("b", "new")
        monkeypatch.setattr(folder, "_read", read)
        return source

    monkeypatch.setattr(folder, "_read", read_while_deployed)

    records = await reloaded(running)

    assert [record["event"] for record in records] == ["router.reloaded"]
    assert running.triggers == ("new",)


async def test_a_request_is_kept_until_somebody_takes_it(tmp_path: Path) -> None:
    """SIGHUP may come before the router is ready; and what was `always` stays so."""
    reloads = Reloads(WorkflowFolder(tmp_path))
    reloads.request(always=True)
    reloads.request()

    assert await reloads.next() is True
    reloads.request()
    assert await reloads.next() is False


def test_differences_are_told_by_name(define: Callable[..., Definition]) -> None:
    """A workflow is another one if anything in it is."""
    old = RoutingTable([define("same", "a"), define("other", "b"), define("gone", "c")])
    new = RoutingTable([define("same", "a"), define("other", "b", jobs=("x",)), define("new", "d")])

    assert differences(old, new) == {
        "added": ["new"],
        "changed": ["other"],
        "removed": ["gone"],
        "triggers_added": ["d"],
        "triggers_removed": ["c"],
    }
