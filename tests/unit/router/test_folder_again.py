"""A folder that is loaded again gives what one does that is loaded for the first time."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Collection
from pathlib import Path
from typing import Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.workflow_files import workflow_file

from hatchet_router import folder, listing
from hatchet_router.folder import WorkflowFolder, load_folder
from hatchet_schemas import SourceFile
from hatchet_schemas.loader import CheckedFile, check_file

_HOUR_NS: Final = 3_600_000_000_000
_SAME_TIMES: Final = 1_700_000_000_000_000_000  # nanoseconds since 1970


def later() -> int:
    """Be an hour ahead, so that all files are old."""
    return time.time_ns() + _HOUR_NS


CONTENTS: Final = {
    "one": workflow_file("one", "a"),
    "one for b": workflow_file("one", "b"),
    "two": workflow_file("two", "a.*"),
    "two, unknown var": workflow_file("two", "a").replace("Say it", "{{ .vars.no }}"),
    "one, with a warning": workflow_file("one", "a", "a"),
    "one, with many warnings": workflow_file("one", *["a"] * 130),
    "one, with an error": workflow_file("one", "a").replace("10s", "ten"),
    "one, with a wrong template": workflow_file("one", "a").replace("Say it", "{{ .a"),
    "no workflow": "name: [",
    "nothing": "",
}
PATHS: Final = ("a.yaml", "b.yml", "b/c.yaml", "b-c.yaml", "tests/d.yaml", ".e.yaml", "f.md")

edits = st.lists(
    st.tuples(st.sampled_from(PATHS), st.sampled_from([None, "link", "outside", *CONTENTS])),
    max_size=4,
)


@given(st.lists(edits, max_size=6))
@example([[("a.yaml", "one"), ("b.yml", "one for b")], [("a.yaml", "two")], [("a.yaml", "one")]])
@example([[("a.yaml", "one"), ("b.yml", "one, with many warnings")], [("a.yaml", None)]])
def test_loading_again_gives_what_a_first_load_does(
    rounds: list[list[tuple[str, str | None]]],
) -> None:
    """The same workflows and problems in the same order, whatever was edited since."""
    with tempfile.TemporaryDirectory() as made:
        root, outside = Path(made, "flows"), Path(made, "outside.yaml")
        root.mkdir()
        outside.write_text(CONTENTS["two"])
        trusting, reading = WorkflowFolder(root, clock=later), WorkflowFolder(root)
        found = trusting.load()
        assert reading.load() == found
        for number, edited in enumerate(rounds):
            for path, what in edited:
                _edit(root / path, what, outside, number)

            loaded = trusting.load_if_changed()

            assert reading.load_if_changed() == loaded
            found = loaded or found
            assert found == load_folder(root)
            assert trusting.load_if_changed() is None


def _edit(path: Path, what: str | None, outside: Path, number: int) -> None:
    path.unlink(missing_ok=True)
    path.parent.mkdir(exist_ok=True)
    if what == "link":
        path.symlink_to("a.yaml")
    elif what == "outside":
        path.symlink_to(outside)
    elif what is not None:
        path.write_text(CONTENTS[what])
        # Two edits may fall into one tick of the clock, which `later` says is long over.
        os.utime(path, ns=(number, number))


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Tell which files are read."""
    names: list[str] = []
    original = folder._read

    def read(file: str) -> object:
        names.append(Path(file).name)
        return original(file)

    monkeypatch.setattr(folder, "_read", read)
    return names


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Tell which files are checked."""
    names: list[str] = []

    def check(source: SourceFile, known_vars: Collection[str]) -> CheckedFile:
        names.append(Path(source.path).name)
        return check_file(source, known_vars)

    monkeypatch.setattr(folder, "check_file", check)
    return names


def test_only_what_has_changed_is_read_and_checked(
    tmp_path: Path, reads: list[str], checks: list[str]
) -> None:
    """So that one file among ten thousand costs no more than looking at them all."""
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.yaml").write_text(workflow_file(name, "key"))
    files = WorkflowFolder(tmp_path, clock=later)
    files.load()
    reads.clear()
    checks.clear()
    (tmp_path / "b.yaml").write_text(workflow_file("other", "key"))

    loaded = files.load_if_changed()

    assert loaded is not None
    assert [each.workflow.name for each in loaded[0]] == ["a", "other", "c"]
    assert (reads, checks) == (["b.yaml"], ["b.yaml"])


def test_a_file_that_was_touched_is_read_and_not_checked(
    tmp_path: Path, reads: list[str], checks: list[str]
) -> None:
    """Its content decides, and nothing has changed."""
    file = tmp_path / "a.yaml"
    file.write_text(workflow_file("a", "key"))
    files = WorkflowFolder(tmp_path, clock=later)
    files.load()
    reads.clear()
    checks.clear()
    os.utime(file, ns=(1, 1))

    assert files.load_if_changed() is None
    assert files.load_if_changed() is None
    assert (reads, checks) == (["a.yaml"], [])


def test_a_change_is_noticed_that_falls_into_the_same_tick_of_the_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that was young when it was read is read again, for all that its stamp says."""

    def same(_: os.stat_result) -> listing.Stamp:
        return (1, 1, 100, _SAME_TIMES, _SAME_TIMES)

    monkeypatch.setattr(listing, "_STAMP", same)
    file = tmp_path / "a.yaml"
    file.write_text(workflow_file("a", "key"))
    files = WorkflowFolder(tmp_path, clock=lambda: _SAME_TIMES + 1_000_000_000)
    files.load()
    file.write_text(workflow_file("b", "key"))

    loaded = files.load_if_changed()

    assert loaded is not None
    assert [each.workflow.name for each in loaded[0]] == ["b"]


def test_a_file_that_has_grown_old_is_read_once_more_and_then_trusted(
    tmp_path: Path, reads: list[str]
) -> None:
    """What its stamp says is worth something only if it was old when it was read."""
    (tmp_path / "a.yaml").write_text(workflow_file("a", "key"))
    now = time.time_ns()
    files = WorkflowFolder(tmp_path, clock=lambda: now)
    files.load()
    assert files.load_if_changed() is None
    assert len(reads) == 2
    now += _HOUR_NS

    assert files.load_if_changed() is None
    assert files.load_if_changed() is None
    assert len(reads) == 3


def test_a_file_of_the_future_is_never_trusted(tmp_path: Path, reads: list[str]) -> None:
    """One of the clocks is wrong, and nobody knows which."""
    (tmp_path / "a.yaml").write_text(workflow_file("a", "key"))
    files = WorkflowFolder(tmp_path, clock=lambda: time.time_ns() - _HOUR_NS)
    files.load()

    assert files.load_if_changed() is None
    assert len(reads) == 2


def test_a_load_that_is_asked_for_reads_and_checks_all(
    tmp_path: Path, reads: list[str], checks: list[str]
) -> None:
    """SIGHUP is for those who do not trust what the file system says."""
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text(workflow_file(name, "key"))
    files = WorkflowFolder(tmp_path, clock=later)
    files.load()
    reads.clear()
    checks.clear()

    files.load()

    assert (reads, checks) == (["a.yaml", "b.yaml"],) * 2


def test_what_could_not_be_read_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its stamp does not change when a disk works again."""
    (tmp_path / "a.yaml").write_text(workflow_file("a", "key"))
    files = WorkflowFolder(tmp_path, clock=later)

    def failing(_: str) -> object:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(folder, "_read", failing)
        _, (problem,) = files.load()
        assert files.load_if_changed() is None

    loaded = files.load_if_changed()

    assert problem.message == "cannot be read: Input/output error"
    assert loaded is not None
    assert loaded[1] == ()
