"""Workflow files into workflows, or into all their problems at once."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

from pydantic import ValidationError

from hatchet_schemas.catalogue import Catalogue
from hatchet_schemas.checks.workflow import workflow_findings
from hatchet_schemas.explanations import explain, is_told_elsewhere
from hatchet_schemas.problems import Finding, Problem, excerpt_of
from hatchet_schemas.scalar_positions import mark_inside
from hatchet_schemas.workflows import Workflow
from hatchet_schemas.yaml_source import LINE_BREAK, MAX_FILE_BYTES, Mark, Node, YamlError, parse

__all__ = [
    "CheckedFile",
    "Definition",
    "SourceFile",
    "all_together",
    "check_file",
    "load_definitions",
]


_MAX_PROBLEMS: Final = 100  # of one file; more are of no help to anyone


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


@dataclass(frozen=True, slots=True, eq=False)
class CheckedFile:
    """What came of one file by itself, whatever other files there are; it is equal to itself alone.

    ``definition`` is None where the file has errors. ``problems`` may be more than are shown.
    ``name`` is the workflow's, None where there is none, and ``at_name`` is the problem with it for
    the case that another file has the same.
    """

    path: str
    definition: Definition | None
    problems: tuple[Problem, ...]
    name: str | None = None
    at_name: Problem | None = None


def load_definitions(
    sources: Iterable[SourceFile],
    *,
    known_vars: Collection[str] = frozenset(),
    catalogue: Catalogue | None = None,
) -> tuple[tuple[Definition, ...], tuple[Problem, ...]]:
    """Return the workflows in ``sources``, and every problem of every file, in order.

    A file with errors gives no workflow, one with mere warnings does. Two files may not hold
    workflows of one name, since the name is part of a run's identity.

    ``known_vars`` are the names of the vars that the settings give to all workflows. With a
    ``catalogue``, what steps hand to their actions and read of their outputs is checked, too.
    """
    return all_together(check_file(each, known_vars, catalogue) for each in sources)


def check_file(
    source: SourceFile,
    known_vars: Collection[str] = frozenset(),
    catalogue: Catalogue | None = None,
) -> CheckedFile:
    """Return what comes of ``source`` by itself; the options are those of `load_definitions`."""
    reader = _Reader(source)
    workflow = reader.workflow()
    if workflow is None:
        return CheckedFile(source.path, None, reader.kept_problems())
    for finding in workflow_findings(workflow, known_vars, catalogue):
        reader.report(finding)
    problems = reader.kept_problems()
    has_errors = any(problem.severity == "error" for problem in problems)
    return CheckedFile(
        source.path,
        None if has_errors else Definition(source.path, workflow),
        problems,
        workflow.name,
        reader.problem_of_name(),
    )


def all_together(
    files: Iterable[CheckedFile],
) -> tuple[tuple[Definition, ...], tuple[Problem, ...]]:
    """Return what `load_definitions` does, of files that have been checked each by itself."""
    definitions: list[Definition] = []
    problems: list[Problem] = []
    first_of_name: dict[str, Definition] = {}
    for file in files:
        name, definition = file.name, file.definition
        if name in first_of_name and file.at_name is not None:
            message = f"workflow name {name!r} is taken by {first_of_name[name].path}"
            problems += _some(_kept([*file.problems, replace(file.at_name, message=message)]))
            continue
        if definition is not None and name is not None:
            first_of_name[name] = definition
            definitions.append(definition)
        if file.problems:
            problems += _some(file.problems)
    return tuple(definitions), tuple(problems)


def _kept(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return the problems in their order; of too many, one more than are shown."""
    # What an anchor stands for is found wrong wherever it is referred to.
    found = sorted(set(problems))
    if len(found) > _MAX_PROBLEMS:
        found.sort(key=lambda problem: problem.severity)  # no error is hidden by warnings
    return tuple(found[: _MAX_PROBLEMS + 1])


def _some(kept: Sequence[Problem]) -> Sequence[Problem]:
    """Return the problems in their order, but not more than are of help."""
    if len(kept) <= _MAX_PROBLEMS:
        return kept
    last = kept[_MAX_PROBLEMS]
    message = f"there are more than {_MAX_PROBLEMS} problems; the others are not shown"
    rule = "too-large" if last.severity == "error" else last.rule
    return sorted([*kept[:_MAX_PROBLEMS], replace(last, message=message, rule=rule)])


class _Reader:
    """Reads one file and keeps its problems."""

    def __init__(self, source: SourceFile) -> None:
        self._source = source
        self._root = Node(None, (0, 0))
        self._problems: list[Problem] = []

    @cached_property
    def _lines(self) -> list[str]:
        # Most files have no problem, so that nobody asks.
        return LINE_BREAK.split(self._text)

    @property
    def _text(self) -> str:
        text = self._source.content[: MAX_FILE_BYTES + 1].decode("utf-8-sig", "replace")
        return text.lstrip("\ufeff")

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
            errors = error.errors(include_url=False)
        for details in errors[: _MAX_PROBLEMS + 1]:
            if not is_told_elsewhere(details):
                self.report(explain(details))
        if all(details["type"] == "template" for details in errors):
            return self._without_templates(details["loc"] for details in errors)
        return None

    def _without_templates(self, locs: Iterable[tuple[str | int, ...]]) -> Workflow | None:
        """Return the workflow with other templates at ``locs``, so that the rest is checked."""
        value = copy.deepcopy(self._root.value)
        for loc in locs:
            _put(value, loc, "{{ .input }}")  # may be anything
        value.pop("secrets", None)  # the texts that were there may be what uses them
        try:
            return Workflow.model_validate(value, by_alias=True, by_name=False)
        except ValidationError:
            return None

    def kept_problems(self) -> tuple[Problem, ...]:
        """Return the problems that have been reported, as a `CheckedFile` has them."""
        return _kept(self._problems)

    def problem_of_name(self) -> Problem:
        """Return a problem, without a message, where the workflow's name stands."""
        line, column = self._root.find(("name",)).mark
        # Nearly always it is of no use, so the file is not split into lines for it.
        *_, text = LINE_BREAK.split(self._text, maxsplit=line + 1)[: line + 1]
        return self._problem_at((line, column), text, "", "duplicate-workflow")

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
        self._problems.append(self._problem_at((line, column), self._lines[line], message, rule))

    def _problem_at(self, mark: Mark, text: str, message: str, rule: str) -> Problem:
        line, column = mark
        return Problem(self._source.path, line + 1, column + 1, message, rule, excerpt_of(text))


def _put(value: Any, loc: Sequence[str | int], text: str) -> None:
    """Put ``text`` at ``loc``; parts of it that name nothing are passed over, as in `Node.find`."""
    places: list[tuple[Any, str | int]] = []
    for part in loc:
        container = places[-1][0][places[-1][1]] if places else value
        if (isinstance(container, dict) and part in container) or (
            isinstance(container, list) and isinstance(part, int) and part < len(container)
        ):
            places.append((container, part))
    if places:
        container, part = places[-1]
        container[part] = text
