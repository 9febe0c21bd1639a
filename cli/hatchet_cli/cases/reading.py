"""Test files into cases, or into all their problems at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from hatchet_cli.cases.model import (
    Case,
    CaseEvent,
    CaseFile,
    ExpectedJob,
    ExpectedStep,
    FakeAttempt,
)
from hatchet_schemas import Definition, Problem, SourceFile
from hatchet_schemas.explanations import described
from hatchet_schemas.problems import excerpt_of
from hatchet_schemas.pydantic_words import words_of
from hatchet_schemas.yaml_source import LINE_BREAK, Mark, Node, YamlError, parse

__all__ = ["PlacedCase", "read_cases"]

Loc = tuple[str | int, ...]

_TYPES: Final = {
    "dict_type": "a map",
    "model_type": "a map",
    "model_attributes_type": "a map",
    "list_type": "a list",
    "string_type": "a text",
    "bool_type": "true or false",
}


@dataclass(frozen=True, slots=True)
class PlacedCase:
    """A case, and where it stands, counted from 1."""

    case: Case
    path: str
    line: int


def read_cases(
    sources: Iterable[SourceFile], definitions: Sequence[Definition]
) -> tuple[tuple[PlacedCase, ...], tuple[Problem, ...]]:
    """Return the cases in ``sources``, and all problems, those of names that are nowhere, too.

    ``definitions`` are the workflows that the cases are about.
    """
    cases: list[PlacedCase] = []
    problems: list[Problem] = []
    for source in sources:
        file = _File(source)
        found = file.cases()
        for number, case in enumerate(found):
            line = file.mark(("cases", number))[0] + 1
            cases.append(PlacedCase(case, source.path, line))
            for loc, message, rule in _unknown_names(case, ("cases", number), definitions):
                file.report(file.key_mark(loc), message, rule)
        problems += sorted(set(file.problems))
    return tuple(cases), tuple(problems)


class _File:
    """One file, and its problems."""

    def __init__(self, source: SourceFile) -> None:
        self._source = source
        self._root = Node(None, (0, 0))
        self.problems: list[Problem] = []

    def cases(self) -> Sequence[Case]:
        try:
            root = parse(self._source.content)
        except YamlError as error:
            self.report((error.line - 1, error.column - 1), error.message, error.rule)
            return ()
        if root is None or root.value is None:
            self.report((0, 0), "the file is empty: expected cases", "empty-file")
            return ()
        self._root = root
        try:
            return CaseFile.model_validate(root.value, by_alias=True, by_name=False).cases
        except ValidationError as error:
            for details in error.errors(include_url=False):
                self._report(details)
            return ()

    def mark(self, loc: Loc) -> Mark:
        return self._root.find(loc).mark

    def key_mark(self, loc: Loc) -> Mark:
        return self._root.key_mark(loc)

    def report(self, mark: Mark, message: str, rule: str) -> None:
        text = self._source.content.decode("utf-8-sig", "replace")
        lines = LINE_BREAK.split(text)
        line, column = mark
        excerpt = excerpt_of(lines[line]) if line < len(lines) else ""
        self.problems.append(
            Problem(self._source.path, line + 1, column + 1, message, rule, excerpt)
        )

    def _report(self, details: ErrorDetails) -> None:
        loc = details["loc"]
        match details["type"]:
            case "missing":
                what = _PLACES[_model_at(loc[:-1])]
                message = f"{what} needs the field {str(loc[-1])!r}"
                self.report(self.key_mark(loc[:-1]), message, "missing-field")
            case "extra_forbidden":
                self.report(self.key_mark(loc), _unknown_field(loc), "unknown-field")
            case kind if kind in _TYPES:
                message = f"expected {_TYPES[kind]}, found {described(details['input'])}"
                self.report(self.mark(loc), message, "wrong-type")
            case _:
                self.report(self.mark(loc), words_of(details), "invalid-value")


_PLACES: Final[dict[type[BaseModel], str]] = {
    CaseFile: "a test file",
    Case: "a case",
    CaseEvent: "event",
    FakeAttempt: "a fake",
    ExpectedJob: "an expected job",
    ExpectedStep: "an expected step",
}


def _model_at(loc: Loc) -> type[BaseModel]:
    match [part for part in loc if isinstance(part, str)]:
        case []:
            return CaseFile
        case ["cases", "event", *_]:
            return CaseEvent
        case ["cases", "fakes", *_]:
            return FakeAttempt
        case ["cases", "expect", _, "steps", *_]:
            return ExpectedStep
        case ["cases", "expect", *_]:
            return ExpectedJob
        case _:
            return Case


def _unknown_field(loc: Loc) -> str:
    model = _model_at(loc[:-1])
    known = [info.alias or name for name, info in model.model_fields.items()]
    return f"{_PLACES[model]} has no field {str(loc[-1])!r}: {_hint(str(loc[-1]), known)}"


def _unknown_names(
    case: Case, at: Loc, definitions: Sequence[Definition]
) -> Iterator[tuple[Loc, str, str]]:
    """Yield where a case names a job or a step that there is not, and what to say of it."""
    steps: dict[str, list[str]] = {
        f"{each.workflow.name}/{name}": [step.id for step in job.steps]
        for each in definitions
        for name, job in each.workflow.jobs.items()
    }
    for job, expected in case.expect.items():
        if job not in steps:
            message = f"there is no job {job!r}: {_hint(job, list(steps))}"
            yield (*at, "expect", job), message, "unknown-name"
            continue
        for step in expected.steps:
            if step not in steps[job]:
                message = f"job {job!r} has no step {step!r}: {_hint(step, steps[job])}"
                yield (*at, "expect", job, "steps", step), message, "unknown-step"
    fakable = {
        name
        for job, ids in steps.items()
        for step in ids
        for name in (step, f"{job.rpartition('/')[2]}/{step}")
    }
    for name in case.fakes:
        if name not in fakable:
            message = f"no job has a step {name!r}: {_hint(name, sorted(fakable))}"
            yield (*at, "fakes", name), message, "unknown-step"


def _hint(name: str, known: Sequence[Any]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"expected one of {', '.join(map(str, known[:10])) or 'none'}"
