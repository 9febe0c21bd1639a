"""The routing table and the reading of workflow files, beside libyaml, in a process of its own."""

from __future__ import annotations

import gc
import time
import timeit
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import yaml

from bench.programs.arguments import run
from bench.projects import file_of_many, key_of_many, write_many
from hatchet_router.folder import WorkflowFolder
from hatchet_router.reloading import WorkflowSet
from hatchet_router.routing import RoutingTable
from hatchet_schemas import SourceFile, load_definitions, templates

_MATCHES: Final = 10_000
_KEYS: Final = 1_000


async def main(arguments: dict[str, Any]) -> dict[str, Any]:
    """Measure what ``arguments`` ask for; they name sizes, in files, and repetitions.

    What is measured of memory is measured at ``memory_sizes`` alone, since that takes longest.
    """
    sizes: list[int] = arguments["sizes"]
    repetitions: int = arguments["repetitions"]
    return {
        "bytes": {str(size): _bytes_each(size) for size in arguments["memory_sizes"]},
        "matches": _matches(sizes, repetitions),
        **_loads(max(sizes), repetitions, Path(arguments["folder"])),
    }


def _sources(size: int) -> list[SourceFile]:
    return [SourceFile(f"{i}.yaml", file_of_many(i)) for i in range(size)]


def _bytes_each(size: int) -> float:
    """Return how much memory a workflow takes, with its part of the table and of caches."""
    _forget_templates()
    sources = _sources(size)
    gc.collect()
    tracemalloc.start()
    try:
        kept = WorkflowSet.of(load_definitions(sources)[0])
        gc.collect()
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return taken / len(kept.definitions)


def _matches(sizes: list[int], repetitions: int) -> dict[str, list[float]]:
    """Return the microseconds of a match by size; all sizes in turn, again and again."""
    calls = {str(size): _matching(size) for size in sizes}
    found: dict[str, list[float]] = {size: [] for size in calls}
    for _ in range(repetitions):
        for size, call in calls.items():
            found[size].append(timeit.timeit(call, number=1) / _MATCHES * 1e6)
    return found


def _matching(size: int) -> Callable[[], None]:
    """Return what matches keys, each of which starts one workflow, spread over all files."""
    match = RoutingTable(load_definitions(_sources(size))[0]).match
    keys = [key_of_many(i * size // _KEYS) for i in range(_KEYS)]
    if not all(len(match(key)) == 1 for key in keys):
        raise ValueError("a key does not match the one workflow that it should")

    def call() -> None:
        for _ in range(_MATCHES // _KEYS):
            for key in keys:
                match(key)

    return call


def _loads(size: int, repetitions: int, folder: Path) -> dict[str, list[float]]:
    """Return the seconds that reading so many files takes, all of them or one that has changed."""
    write_many(folder, size)
    sources = _sources(size)
    found: dict[str, list[float]] = {"load": [], "libyaml": [], "folder": [], "reload": []}
    for repetition in range(repetitions):
        _forget_templates()
        found["load"].append(_seconds(lambda: load_definitions(sources)))
        found["libyaml"].append(_seconds(partial(_parse, sources)))
        _forget_templates()
        files = WorkflowFolder(folder)
        tables: list[RoutingTable] = []
        found["folder"].append(_seconds(partial(_load, files, tables)))
        changed = folder / f"{size // 2}.yaml"
        changed.write_bytes(file_of_many(size // 2) + f"# {repetition}\n".encode())
        found["reload"].append(_seconds(partial(_reload, files, *tables)))
    return found


def _parse(sources: list[SourceFile]) -> None:
    for source in sources:
        yaml.load(source.content, Loader=yaml.CSafeLoader)


def _load(files: WorkflowFolder, tables: list[RoutingTable]) -> None:
    tables.append(WorkflowSet.of(files.load()[0]).table)


def _reload(files: WorkflowFolder, table: RoutingTable) -> None:
    loaded = files.load_if_changed()
    if loaded is None:
        raise ValueError("a change was not noticed")
    WorkflowSet.of(loaded[0], table)


def _forget_templates() -> None:
    for value in vars(templates).values():
        if hasattr(value, "cache_clear"):
            value.cache_clear()


def _seconds(work: Callable[[], object]) -> float:
    gc.collect()
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    run(main)
