"""A folder that changes while it is loaded again gives what stood there at one moment."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.workflow_files import workflow_file

from hatchet_router import folder, listing
from hatchet_router.folder import WorkflowFolder, load_folder
from hatchet_schemas import SourceFile

_HOUR_NS: Final = 3_600_000_000_000
PATHS: Final = ("a.yaml", "b.yaml", "c.yaml", "sub/d.yaml", "sub/e.yaml")

Found = list[tuple[str, str]]
edit = st.tuples(st.sampled_from(PATHS), st.sampled_from(["changed", "gone", "link", "outside"]))


class Disk:
    """Files that somebody edits between two looks at them, each edit once its time has come."""

    def __init__(self, root: Path, outside: Path) -> None:
        self.moments: list[Found] = []
        self._root = root
        self._outside = outside
        self._edits: list[tuple[str, str]] = []
        self._waits: list[int] = []
        self._number = 0
        for path in PATHS[:-1]:
            self._edit(path, "changed")

    def begin(self, edits: list[tuple[int, tuple[str, str]]]) -> None:
        """Make the edits, each after so many more looks; the moment of now is the first."""
        self._waits = [looks for looks, _ in edits]
        self._edits = [edited for _, edited in edits]
        self.moments = [self._found()]
        self._edit_what_is_due()

    def looked(self) -> None:
        """Take note of a look at a file."""
        if self._waits:
            self._waits[0] -= 1
            self._edit_what_is_due()

    def _edit_what_is_due(self) -> None:
        while self._waits and self._waits[0] <= 0:
            self._waits.pop(0)
            self._edit(*self._edits.pop(0))
            self.moments.append(self._found())

    def _edit(self, path: str, what: str) -> None:
        self._number += 1
        file = self._root / path
        file.parent.mkdir(exist_ok=True)
        if what == "changed" and not file.is_symlink():
            file.write_text(workflow_file(f"{path} {self._number}", "key"))
            # Two edits may fall into one tick of the clock, which is long over as `later` says.
            os.utime(file, ns=(self._number, self._number))
            return
        file.unlink(missing_ok=True)
        if what != "gone":
            file.symlink_to(self._outside if what == "outside" else ".hidden.yaml")

    def _found(self) -> Found:
        return found(load_folder(self._root))


def found(loaded: folder.Loaded) -> Found:
    """Return what tells two loads apart, in order."""
    definitions, problems = loaded
    return [
        *((each.path, each.workflow.name) for each in definitions),
        *((each.path, each.message) for each in problems),
    ]


@pytest.fixture(scope="module")
def looks() -> Iterator[list[Disk]]:
    """Let the disks in the list know of each look at a stamp, and of each file that is read."""
    disks: list[Disk] = []
    stamp, read = listing._STAMP, folder._read

    def looking(status: os.stat_result) -> listing.Stamp:
        looked = stamp(status)
        _tell(disks)
        return looked

    def reading(file: str) -> SourceFile:
        _tell(disks)
        return read(file)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(listing, "_STAMP", looking)
        patched.setattr(folder, "_read", reading)
        yield disks


def _tell(disks: list[Disk]) -> None:
    told, disks[:] = disks[:], []  # what a disk itself looks at does not count
    for disk in told:
        disk.looked()
    disks[:] = told


def test_a_file_that_goes_before_it_is_looked_at_is_just_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was listed a moment ago, and is no link that leads nowhere."""
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.yaml").write_text(workflow_file(name, "key"))
    stamp = listing._STAMP

    def looking(status: os.stat_result) -> listing.Stamp:
        for file in tmp_path.iterdir():
            if file.stat().st_ino != status.st_ino:
                file.unlink()
        return stamp(status)

    monkeypatch.setattr(listing, "_STAMP", looking)

    definitions, problems = load_folder(tmp_path)

    assert len(definitions) == 1
    assert problems == ()


@pytest.mark.parametrize("waits", range(7))
def test_two_edits_are_seen_in_their_order(looks: list[Disk], waits: int) -> None:
    """The second is not in force before the first, whichever files they are of."""
    edits = [*product(PATHS, ("changed", "gone"))]
    for first, second in product(edits, edits):
        edited_meanwhile(looks, [(waits, first), (0, second)])


@given(st.lists(st.tuples(st.integers(0, 7), edit), min_size=1, max_size=4))
@example([(3, ("a.yaml", "changed")), (0, ("b.yaml", "gone"))])
@example([(1, ("c.yaml", "gone")), (1, ("c.yaml", "changed")), (2, ("c.yaml", "gone"))])
def test_what_is_loaded_stood_there_at_one_moment(
    looks: list[Disk], edits: list[tuple[int, tuple[str, str]]]
) -> None:
    """Whichever files are edited meanwhile, in whichever order they are looked at."""
    edited_meanwhile(looks, edits)


def edited_meanwhile(looks: list[Disk], edits: list[tuple[int, tuple[str, str]]]) -> None:
    """Load again while ``edits`` are made."""
    with tempfile.TemporaryDirectory() as made:
        root, outside = Path(made, "flows"), Path(made, "outside.yaml")
        root.mkdir()
        (root / ".hidden.yaml").write_text(workflow_file("hidden", "key"))
        disk = Disk(root, outside)
        files = WorkflowFolder(root, clock=lambda: time.time_ns() + _HOUR_NS)
        before = found(files.load())
        disk.begin(edits)
        looks.append(disk)
        try:
            loaded = files.load_if_changed()
        finally:
            looks.clear()

        # One with problems is not put in force, and may be of a link that came and went.
        has_problems = loaded is not None and loaded[1]
        assert has_problems or (before if loaded is None else found(loaded)) in disk.moments
        again = files.load_if_changed() or loaded
        assert (before if again is None else found(again)) == found(load_folder(root))
