"""Workflow files on disk: found, read, or reported; never waited for."""

import os
from pathlib import Path

import pytest
from tests.workflow_files import workflow_file

from hatchet_router import folder
from hatchet_router.folder import load_folder, load_paths


def write(path: Path, name: str = "") -> Path:
    """Write a workflow, by default one that is named after its file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(workflow_file(name or path.stem, "user:create"))
    return path


def names(path: Path) -> list[str]:
    definitions, problems = load_folder(path)
    assert problems == ()
    return [definition.workflow.name for definition in definitions]


def only_problem(path: Path) -> tuple[str, str, str]:
    """Return where the one problem is, what it is, and its rule."""
    _, (problem,) = load_folder(path)
    return os.path.relpath(problem.path, path), problem.message, problem.rule


def test_files_are_found_at_any_depth_in_the_order_of_their_names(tmp_path: Path) -> None:
    """The order of a folder's entries differs from machine to machine."""
    for name in ("b.yaml", "a.yml", "sub/deep/c.yaml", "sub-b.yaml", "c.yaml", "sub/a.yaml"):
        write(tmp_path / name, name)

    assert names(tmp_path) == [
        "a.yml",
        "b.yaml",
        "c.yaml",
        "sub/a.yaml",
        "sub/deep/c.yaml",
        "sub-b.yaml",
    ]


def test_a_definition_knows_its_file(tmp_path: Path) -> None:
    """As a path that people can open."""
    file = write(tmp_path / "a.yaml")

    assert [definition.path for definition in load_folder(tmp_path)[0]] == [str(file)]


def test_other_files_are_passed_over(tmp_path: Path) -> None:
    """So are hidden ones, which editors leave behind."""
    write(tmp_path / "a.yaml")
    for name in ("README.md", "a.yaml~", "a.yaml.bak", ".a.yaml", ".git/a.yaml", ".x/y/a.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("not: [a workflow")

    assert names(tmp_path) == ["a"]


def test_the_folder_of_cases_holds_no_workflows(tmp_path: Path) -> None:
    """Only the one beside the workflows; it can be read by itself."""
    write(tmp_path / "a.yaml")
    write(tmp_path / "sub" / "tests" / "b.yaml")
    write(tmp_path / "tests" / "deep" / "c.yaml")

    assert names(tmp_path) == ["a", "b"]
    assert names(tmp_path / "tests") == ["c"]


def test_a_missing_folder_is_a_problem(tmp_path: Path) -> None:
    """With what to do about it."""
    path, message, rule = only_problem(tmp_path / "none")

    assert (path, rule) == (".", "not-found")
    assert message == (
        "there is no such file or folder: make it, or name another, here or as HATCHET_WORKFLOWS"
    )


def test_a_missing_file_is_a_problem(tmp_path: Path) -> None:
    """Nobody would make a folder of that name."""
    path, message, rule = only_problem(tmp_path / "none.yaml")

    assert (path, message, rule) == (
        ".",
        "there is no such file or folder: check the path",
        "not-found",
    )


def test_a_folder_without_workflow_files_is_a_problem(tmp_path: Path) -> None:
    """It is usually the wrong one."""
    (tmp_path / "notes.txt").touch()

    assert only_problem(tmp_path) == (
        ".",
        "no workflow files (*.yaml, *.yml) in this folder",
        "not-found",
    )


def test_all_problems_of_all_files_come_at_once(tmp_path: Path) -> None:
    """And the workflows of the good ones too."""
    write(tmp_path / "a.yaml")
    write(tmp_path / "b.yaml", "a")
    (tmp_path / "c.yaml").write_text("name: [")
    (tmp_path / "d.yaml").write_bytes(b"\xff")
    (tmp_path / "e.yaml").touch()

    definitions, problems = load_folder(tmp_path)

    assert [definition.workflow.name for definition in definitions] == ["a"]
    assert {Path(problem.path).name for problem in problems} == {
        "b.yaml",
        "c.yaml",
        "d.yaml",
        "e.yaml",
    }


def test_a_link_to_outside_is_a_problem(tmp_path: Path) -> None:
    """Whoever may write into the folder shall not make us read any file of the machine."""
    outside = write(tmp_path / "outside.yaml")
    inside = tmp_path / "flows"
    write(inside / "a.yaml")
    (inside / "b.yaml").symlink_to(outside)

    assert only_problem(inside) == ("b.yaml", "is a link to outside of the folder", "unreadable")


def test_a_link_within_the_folder_is_followed(tmp_path: Path) -> None:
    """It brings nothing in from elsewhere."""
    write(tmp_path / ".shared" / "real.yaml")
    (tmp_path / "a.yaml").symlink_to(".shared/real.yaml")

    assert names(tmp_path) == ["real"]


def test_a_mounted_config_map_is_read_once(tmp_path: Path) -> None:
    """Kubernetes links each file into ``..data``, itself a link to a folder named by the time."""
    write(tmp_path / "..2026_01_02" / "a.yaml")
    (tmp_path / "..data").symlink_to("..2026_01_02")
    (tmp_path / "a.yaml").symlink_to("..data/a.yaml")

    assert names(tmp_path) == ["a"]


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    """As in a deployment that switches releases."""
    write(tmp_path / "release" / "a.yaml")
    (tmp_path / "current").symlink_to("release")

    assert names(tmp_path / "current") == ["a"]


@pytest.mark.parametrize("target", ["gone.yaml", "b.yaml"])
def test_a_link_that_leads_nowhere_is_a_problem(target: str, tmp_path: Path) -> None:
    """Whether it dangles or points to itself."""
    write(tmp_path / "a.yaml")
    (tmp_path / "b.yaml").symlink_to(target)

    assert only_problem(tmp_path) == ("b.yaml", "is not a regular file", "unreadable")


def test_a_pipe_is_a_problem_and_nobody_waits_for_it(tmp_path: Path) -> None:
    """Opening one blocks until somebody writes."""
    write(tmp_path / "a.yaml")
    os.mkfifo(tmp_path / "b.yaml")

    assert only_problem(tmp_path) == ("b.yaml", "is not a regular file", "unreadable")
    _, (problem,) = load_paths([tmp_path / "b.yaml"])
    assert problem.rule == "not-found"


def test_a_folder_named_like_a_file_is_a_folder(tmp_path: Path) -> None:
    """It is searched as any other."""
    write(tmp_path / "x.yaml" / "a.yaml")

    assert names(tmp_path) == ["a"]


def test_an_unreadable_file_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are loaded."""
    write(tmp_path / "a.yaml")
    forbidden = write(tmp_path / "b.yaml")
    original = Path.open

    def refusing(path: Path, mode: str) -> object:
        if path == forbidden:
            raise PermissionError(13, "Permission denied", str(path))
        return original(path, mode)

    monkeypatch.setattr(Path, "open", refusing)  # also where tests run as root

    assert only_problem(tmp_path) == ("b.yaml", "cannot be read: Permission denied", "unreadable")
    assert [definition.workflow.name for definition in load_folder(tmp_path)[0]] == ["a"]


def test_an_unreadable_folder_inside_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workflows that are silently missing would start nothing."""
    write(tmp_path / "a.yaml")
    forbidden = write(tmp_path / "sub" / "b.yaml").parent
    original = os.open

    def refusing(path: str, flags: int) -> object:
        if Path(path) == forbidden:
            raise PermissionError(13, "Permission denied", str(path))
        return original(path, flags)

    monkeypatch.setattr(os, "open", refusing)

    assert only_problem(tmp_path) == ("sub", "cannot be read: Permission denied", "unreadable")


def test_a_path_that_cannot_even_be_looked_at_is_a_problem(tmp_path: Path) -> None:
    """Here because its name is too long; as often because its folder is closed to us."""
    _, (problem,) = load_folder(tmp_path / ("x" * 300))

    assert problem.message == "cannot be read: File name too long"


def test_a_folder_with_too_many_files_is_refused_before_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty thousand files of 256 KB do not fit into memory."""
    monkeypatch.setattr(folder, "MAX_FILES", 2)
    for name in ("a", "b", "c"):
        write(tmp_path / f"{name}.yaml").chmod(0)
    monkeypatch.delattr(Path, "open")

    definitions, (problem,) = load_folder(tmp_path)

    assert definitions == ()
    assert (Path(problem.path).name, problem.message) == ("c.yaml", "more than 2 files")


def test_as_many_files_as_allowed_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit itself is allowed."""
    monkeypatch.setattr(folder, "MAX_FILES", 2)
    write(tmp_path / "a.yaml")
    write(tmp_path / "b.yaml")

    assert names(tmp_path) == ["a", "b"]


def test_files_and_folders_can_be_mixed(tmp_path: Path) -> None:
    """As arguments of a command are; a file may then have any name."""
    file = write(tmp_path / "one.txt")
    write(tmp_path / "flows" / "two.yaml")

    definitions, problems = load_paths([tmp_path / "flows", file, tmp_path / "none"])

    assert [definition.workflow.name for definition in definitions] == ["two", "one"]
    assert [problem.rule for problem in problems] == ["not-found"]
