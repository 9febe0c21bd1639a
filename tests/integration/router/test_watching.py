"""Changes of files as editors, deployments and Kubernetes make them, on a real file system."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog.testing
import watchfiles
from tests.workflow_files import workflow_file

from hatchet_router import watching
from hatchet_router.folder import WorkflowFolder
from hatchet_router.readiness import Readiness
from hatchet_router.reloading import Reloader, Reloads
from hatchet_router.router import Router
from hatchet_router.routing import RoutingTable
from hatchet_router.testing import RecordingStarter

Watching = Callable[[Path], AbstractAsyncContextManager["Watched"]]


def write(path: Path, trigger: str) -> None:
    """Write a workflow that is named after its file."""
    path.write_text(workflow_file(path.stem, trigger))


def made(folder: Path, trigger: str) -> Path:
    """Make a folder with one workflow file, `a.yaml`."""
    folder.mkdir()
    write(folder / "a.yaml", trigger)
    return folder


def replaced(folder: Path, by: Path) -> None:
    """Put another folder in its place."""
    folder.rename(folder.parent / "old")
    by.rename(folder)


class Watched:
    """A router without servers that goes by a folder."""

    def __init__(self, path: Path, records: list[Any], until: Any) -> None:
        self.records = records
        self._until = until
        folder = WorkflowFolder(path)
        definitions, _ = folder.load()
        self.readiness = Readiness()
        self.reloads = Reloads(folder)
        self.router = Router(RoutingTable(definitions), RecordingStarter())
        self.reloader = Reloader(self.router, self.readiness)

    async def goes_by(self, *triggers: str) -> None:
        """Wait until the router goes by these triggers, and nothing is wrong."""

        async def so() -> bool:
            return self.router.table.triggers == triggers and self.readiness.troubles == {}

        await self._until(so)

    async def is_in_trouble(self, reason: str) -> None:
        """Wait until readiness tells of such a problem."""

        async def so() -> bool:
            return reason in self.readiness.troubles.get("workflows", "")

        await self._until(so)

    async def has_said(self, event: str, **values: Any) -> None:
        """Wait for a record."""

        async def so() -> bool:
            return any({"event": event, **values}.items() <= item.items() for item in self.records)

        await self._until(so)


@pytest.fixture
def watchers(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the system has been asked to tell of, as soon as it does so."""
    made: list[Any] = []
    watcher = watchfiles._rust_notify.RustNotify

    def noted(*arguments: Any) -> Any:
        made.append(watcher(*arguments))
        return made[-1]

    monkeypatch.setattr("watchfiles.main.RustNotify", noted)
    return made


@pytest.fixture
def watching_at(until: Any, watchers: list[Any]) -> Watching:
    """Watch a path for the time of the context."""

    async def is_watched() -> bool:
        return bool(watchers)

    @asynccontextmanager
    async def run(path: Path) -> AsyncIterator[Watched]:
        with structlog.testing.capture_logs() as records:
            watched = Watched(path, records, until)
            reloading = asyncio.create_task(watched.reloader.run(watched.reloads))
            watch = asyncio.create_task(watching.watch(path, watched.reloads.request))
            try:
                # It asks once at the beginning, and nothing has changed.
                await watched.has_said("router.unchanged")
                if vars(watching)["awatch"] is watchfiles.awatch:
                    await until(is_watched)
                yield watched
            finally:
                assert not reloading.done()
                assert not watch.done()
                reloading.cancel()
                watch.cancel()
                await asyncio.gather(reloading, watch, return_exceptions=True)

    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one workflow file, `a.yaml`, for the trigger `first`."""
    return made(tmp_path / "workflows", "first")


@pytest.fixture
def only_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks by himself: what is found, the system has told."""
    monkeypatch.setattr(watching, "_LOOK_SECONDS", 60.0)


def in_place(folder: Path) -> None:
    """As `cp` and nano do."""
    write(folder / "a.yaml", "second")


def by_rename(folder: Path) -> None:
    """As vim, VS Code, rsync and `sed -i` do."""
    write(folder / "a.tmp", "second")
    (folder / "a.tmp").replace(folder / "a.yaml")


def by_backup(folder: Path) -> None:
    """As vim does with `backupcopy=no`, and Emacs."""
    (folder / "a.yaml").rename(folder / "a.yaml~")
    write(folder / "a.yaml", "second")


def from_elsewhere(folder: Path) -> None:
    """A file that was written in another folder, with old times."""
    write(folder.parent / "a.yaml", "second")
    os.utime(folder.parent / "a.yaml", (1, 1))
    (folder.parent / "a.yaml").rename(folder / "a.yaml")


@pytest.mark.usefixtures("only_told")
@pytest.mark.parametrize("save", [in_place, by_rename, by_backup, from_elsewhere])
async def test_a_saved_file_is_in_force(
    folder: Path, watching_at: Watching, save: Callable[[Path], None]
) -> None:
    """However it was saved."""
    async with watching_at(folder) as watched:
        save(folder)

        await watched.goes_by("second")


@pytest.mark.usefixtures("only_told")
async def test_files_appear_move_and_vanish(folder: Path, watching_at: Watching) -> None:
    """In folders inside as well, also in those that are new."""
    async with watching_at(folder) as watched:
        write(folder / "b.yaml", "other")
        await watched.goes_by("first", "other")

        (folder / "b.yaml").unlink()
        await watched.goes_by("first")

        (folder / "new").mkdir()
        write(folder / "new" / "c.yaml", "inside")
        await watched.goes_by("first", "inside")

        (folder / "a.yaml").rename(folder / "a.yaml.off")
        await watched.goes_by("inside")


async def test_ten_saves_in_a_second_end_with_the_last(folder: Path, watching_at: Watching) -> None:
    """However many of them are loaded: also where one is met half written, and refused."""
    async with watching_at(folder) as watched:
        for version in range(10):
            write(folder / "a.yaml", f"version-{version}")
            await asyncio.sleep(0.1)

        await watched.goes_by("version-9")

        loads = watched.reloader.loads
        assert 1 <= loads <= 10


def mount(volume: Path, version: str, files: dict[str, str]) -> None:
    """Put files into a volume as the kubelet does: all or nothing, by one rename.

    The file names lead through `..data`, which leads to a folder of this version (Kubernetes,
    pkg/volume/util/atomic_writer.go).
    """
    data = volume / "..data"
    old = data.resolve() if data.exists() else None
    (volume / f"..{version}").mkdir()
    for name, trigger in files.items():
        write(volume / f"..{version}" / name, trigger)
    (volume / "..data_tmp").symlink_to(f"..{version}")
    (volume / "..data_tmp").replace(data)
    for name in files:
        if not (volume / name).is_symlink():
            (volume / name).symlink_to(f"..data/{name}")
    for link in volume.glob("[!.]*"):
        if link.name not in files:
            link.unlink()
    if old is not None:
        shutil.rmtree(old)


async def test_a_mounted_config_map_is_followed(tmp_path: Path, watching_at: Watching) -> None:
    """Update after update, with files that come and go."""
    volume = tmp_path / "volume"
    volume.mkdir()
    mount(volume, "2026_01_01_1", {"a.yaml": "one", "b.yaml": "two"})
    async with watching_at(volume) as watched:
        for number in range(2, 5):
            version = f"2026_01_01_{number}"
            mount(volume, version, {"a.yaml": f"one-{number}", f"c{number}.yaml": "three"})
            await watched.goes_by(f"one-{number}", "three")

        assert watched.reloader.failed_loads == 0


async def test_a_folder_that_is_a_link_is_followed(tmp_path: Path, watching_at: Watching) -> None:
    """As deployments by `current -> releases/7` swap it; and then its files change."""
    for release in ("6", "7"):
        (tmp_path / release).mkdir()
        write(tmp_path / release / "a.yaml", f"release-{release}")
    current = tmp_path / "current"
    current.symlink_to("6")
    async with watching_at(current) as watched:
        (tmp_path / "next").symlink_to("7")
        (tmp_path / "next").replace(current)
        await watched.goes_by("release-7")
        shutil.rmtree(tmp_path / "6")

        write(tmp_path / "7" / "a.yaml", "mended")

        await watched.goes_by("mended")


async def test_an_invalid_file_is_told_and_a_valid_one_put_in_force(
    folder: Path, watching_at: Watching
) -> None:
    """The old ones stay in force meanwhile."""
    async with watching_at(folder) as watched:
        (folder / "b.yaml").write_text("name: b\non: [\n")
        await watched.is_in_trouble(f"{folder / 'b.yaml'}:3:1")
        assert watched.router.table.triggers == ("first",)

        write(folder / "b.yaml", "mended")

        await watched.goes_by("first", "mended")


async def test_a_folder_may_vanish_and_come_back(folder: Path, watching_at: Watching) -> None:
    """Its old files stay in force, and its new ones are watched as before."""
    async with watching_at(folder) as watched:
        shutil.rmtree(folder)
        await watched.is_in_trouble("[not-found]")
        assert watched.router.table.triggers == ("first",)

        made(folder, "back")
        await watched.goes_by("back")

        write(folder / "a.yaml", "changed")
        await watched.goes_by("changed")


async def test_a_folder_may_be_replaced_by_another(folder: Path, watching_at: Watching) -> None:
    """As a build does that swaps whole folders."""
    made(folder.parent / "next", "second")
    async with watching_at(folder) as watched:
        replaced(folder, folder.parent / "next")
        await watched.goes_by("second")

        write(folder / "a.yaml", "third")
        await watched.goes_by("third")


@pytest.mark.usefixtures("only_told")
async def test_a_folder_may_be_empty_for_a_while(folder: Path, watching_at: Watching) -> None:
    """As while a branch is checked out."""
    async with watching_at(folder) as watched:
        (folder / "a.yaml").unlink()
        await watched.is_in_trouble("no workflow files")

        write(folder / "a.yaml", "second")

        await watched.goes_by("second")


@pytest.mark.usefixtures("only_told")
async def test_a_single_file_is_watched_through_its_folder(
    folder: Path, watching_at: Watching
) -> None:
    """What replaces it is found, and its neighbours are not our business."""
    async with watching_at(folder / "a.yaml") as watched:
        write(folder / "b.yaml", "neighbour")
        by_rename(folder)
        await watched.goes_by("second")

        by_backup(folder)
        write(folder / "a.yaml", "third")
        await watched.goes_by("third")


async def test_what_the_system_does_not_tell_is_found_all_the_same(
    folder: Path, watching_at: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a network mount, or past the limit on watches, which is told once."""

    def refuse(*_paths: Any, **_options: Any) -> Any:
        raise OSError("OS file watch limit reached")

    monkeypatch.setattr("hatchet_router.watching.awatch", refuse)
    monkeypatch.setattr(watching, "_LOOK_SECONDS", 0.05)
    async with watching_at(folder) as watched:
        for version in ("second", "third"):
            write(folder / "a.yaml", version)
            await watched.goes_by(version)

        [record] = [item for item in watched.records if item["event"] == "router.not_watching"]

    assert record["reason"] == "OS file watch limit reached"
    assert record["log_level"] == "warning"


async def test_a_watcher_that_dies_is_started_again(
    folder: Path, watching_at: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What changes meanwhile is found then."""
    began = 0

    async def fragile(*paths: Any, **options: Any) -> Any:
        nonlocal began
        began += 1
        if began == 1:
            write(folder / "a.yaml", "second")
            raise RuntimeError("the watcher died")
        async for changes in watchfiles.awatch(*paths, **options):
            yield changes

    monkeypatch.setattr("hatchet_router.watching.awatch", fragile)
    monkeypatch.setattr(watching, "_LOOK_SECONDS", 0.05)
    async with watching_at(folder) as watched:
        await watched.goes_by("second")

        write(folder / "a.yaml", "third")
        await watched.goes_by("third")

    assert began >= 2
    assert any(item.get("reason") == "the watcher died" for item in watched.records)
