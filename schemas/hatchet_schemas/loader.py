"""Workflow files into workflows, or into all their problems at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from hatchet_schemas.explanations import explain
from hatchet_schemas.problems import Finding, Problem
from hatchet_schemas.scalar_positions import mark_inside
from hatchet_schemas.workflows import Workflow
from hatchet_schemas.yaml_source import LINE_BREAK, MAX_FILE_BYTES, Mark, Node, YamlError, parse

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
            message = f"workflow name {workflow.name!r} is taken by {first_of_name[workflow.name]}"
            reader.report(Finding(("name",), message, "duplicate-workflow"))
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
        """Return the file's workflow, None where it cannot be read as one."""
        try:
            root = parse(self._source.content)
        except YamlError as error:
            self._report_at((error.line - 1, error.column - 1), error.message, error.rule)
            return None
        if root is None or root.value is None:
            self._report_at((0, 0), "the file is empty: expected name, on and jobs", "empty-file")
            return None
        self._root = root
        try:
            return Workflow.model_validate(root.value, by_alias=True, by_name=False)
        except ValidationError as error:
            for details in error.errors(include_url=False):
                self.report(explain(details))
            return None

    def report(self, finding: Finding) -> None:
        """Keep a finding as a problem, with its place in the file."""
        node = self._root.find(finding.loc)
        if finding.at_key:
            mark = self._root.key_mark(finding.loc)
        elif finding.offset is not None and isinstance(node.value, str):
            mark = mark_inside(self._lines, node.mark, node.style, node.value, finding.offset)
        else:
            mark = node.mark
        self._report_at(mark, finding.message, finding.rule)

    def _report_at(self, mark: Mark, message: str, rule: str) -> None:
        line, column = mark
        if line >= len(self._lines):  # libyaml ends a last line that does not end
            line, column = len(self._lines) - 1, len(self._lines[-1])
        excerpt = _printable(self._lines[line][:_MAX_EXCERPT_CHARACTERS])
        self.problems.append(
            Problem(self._source.path, line + 1, column + 1, message, rule, excerpt)
        )


def _printable(text: str) -> str:
    # One character for each, so that columns stay; escape codes shall not reach a terminal.
    return "".join(char if char.isprintable() or char == "\t" else "\ufffd" for char in text)
