"""Workflow files into workflows, or into all their problems at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from hatchet_schemas.explanations import explain
from hatchet_schemas.problems import Problem
from hatchet_schemas.workflows import Workflow
from hatchet_schemas.yaml_source import LINE_BREAK, MAX_FILE_BYTES, Node, YamlError, parse

__all__ = ["Definition", "SourceFile", "load_definitions"]


_MAX_EXCERPT_CHARACTERS: Final = 160


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A workflow file's bytes, and the path under which people know it."""

    path: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Definition:
    """A workflow, and the file that holds it."""

    path: str
    workflow: Workflow


def load_definitions(
    sources: Iterable[SourceFile],
) -> tuple[tuple[Definition, ...], tuple[Problem, ...]]:
    """Return the workflows in ``sources``, and every problem of every file.

    A file with problems gives no workflow. Two files may not hold workflows of one name, since the
    name is part of a run's identity.
    """
    definitions: list[Definition] = []
    problems: list[Problem] = []
    first_of_name: dict[str, str] = {}
    for source in sources:
        reader = _Reader(source)
        workflow = reader.workflow()
        if workflow is not None and workflow.name in first_of_name:
            reader.report(
                ("name",),
                f"workflow name {workflow.name!r} is taken by {first_of_name[workflow.name]}",
                "duplicate-workflow",
            )
            workflow = None
        if workflow is not None:
            first_of_name[workflow.name] = source.path
            definitions.append(Definition(source.path, workflow))
        problems.extend(sorted(reader.problems))
    return tuple(definitions), tuple(problems)


class _Reader:
    """Reads one file and keeps its problems."""

    def __init__(self, source: SourceFile) -> None:
        self._source = source
        text = source.content[: MAX_FILE_BYTES + 1].decode("utf-8-sig", "replace")
        self._lines = LINE_BREAK.split(text)
        self._root = Node(None, (0, 0))
        self.problems: list[Problem] = []

    def workflow(self) -> Workflow | None:
        try:
            root = parse(self._source.content)
        except YamlError as error:
            self._report_at((error.line, error.column), error.message, error.rule)
            return None
        if root is None or root.value is None:
            self._report_at((1, 1), "the file is empty: expected name, on and jobs", "empty-file")
            return None
        self._root = root
        try:
            return Workflow.model_validate(root.value, by_alias=True, by_name=False)
        except ValidationError as error:
            for details in error.errors(include_url=False):
                self._report_invalid(details)
            return None

    def report(self, loc: tuple[str | int, ...], message: str, rule: str) -> None:
        mark = self._root.mark_at(loc)
        self._report_at((mark[0] + 1, mark[1] + 1), message, rule)

    def _report_at(self, position: tuple[int, int], message: str, rule: str) -> None:
        line, column = position
        if line > len(self._lines):  # libyaml ends a last line that does not end
            line, column = len(self._lines), len(self._lines[-1]) + 1
        excerpt = _printable(self._lines[line - 1][:_MAX_EXCERPT_CHARACTERS])
        self.problems.append(Problem(self._source.path, line, column, message, rule, excerpt))

    def _report_invalid(self, details: ErrorDetails) -> None:
        finding = explain(details)
        mark = (
            self._root.key_mark(finding.loc) if finding.at_key else self._root.mark_at(finding.loc)
        )
        self._report_at((mark[0] + 1, mark[1] + 1), finding.message, finding.rule)


def _printable(text: str) -> str:
    # One character for each, so that columns stay; escape codes shall not reach a terminal.
    return "".join(char if char.isprintable() or char == "\t" else "\ufffd" for char in text)
