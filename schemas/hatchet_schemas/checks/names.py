"""Names in templates and conditions: whether there can be something of that name."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from hatchet_schemas.checks.foreign_names import meant_by
from hatchet_schemas.checks.outputs import Fault as OutputFault
from hatchet_schemas.checks.outputs import output_fault
from hatchet_schemas.checks.suggestions import Suggestions, listed
from hatchet_schemas.errors import shown
from hatchet_schemas.references import Reference
from hatchet_schemas.scope import EVENT_FIELDS, RESERVED_NAMES, STEP_FIELDS
from hatchet_schemas.workflows import Workflow

__all__ = ["NameFault", "Names", "Site"]

Loc = tuple[str | int, ...]
_Part = str | int

_FAILURE_FIELDS: Final = ("type", "message")
_DATA_NAMES: Final = frozenset({"body", "data", "detail", "input", "payload"})
_TEXTS: Final = {"workflow": "the workflow's name", "job": "the job's name"}


@dataclass(slots=True)
class Site:
    """Who a template or a condition belongs to, and what is known there.

    ``positions`` tells the steps of its job by their ids, ``outputs`` the JSON Schemas of what
    they put out, where these are known. ``index`` is the position of its own step. ``guards`` is
    what the conditions around it read.
    """

    owner: Literal["trigger", "job", "step"]
    job: str = ""
    index: int = 0
    positions: Mapping[str, int] = field(default_factory=dict[str, int])
    outputs: Mapping[str, Mapping[str, object]] = field(
        default_factory=dict[str, Mapping[str, object]]
    )
    guards: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True)
class NameFault:
    """What is wrong with the part of a reference at that position."""

    part: int
    rule: str
    message: str


class Names:
    """Checks the references of one workflow, and keeps which secrets it uses."""

    def __init__(
        self, workflow: Workflow, known_vars: Collection[str], suggestions: Suggestions
    ) -> None:
        self.used_secrets: set[str] = set()
        self._workflow = workflow
        self._known_vars = known_vars
        self._suggestions = suggestions
        self._by_clock_alone = not workflow.on.events
        self._jobs_of_steps: dict[str, str] | None = None

    def fault(
        self, reference: Reference, site: Site, others: Sequence[Reference]
    ) -> NameFault | None:
        """Return what is wrong with one of the references that stand in one text."""
        path = reference.path
        if not path:
            return None
        if path[0] in RESERVED_NAMES:
            return self._of_ours(reference, site, others)
        if self._by_clock_alone:
            return self._no_data(reference, site, others)
        return _foreign(reference, site) if len(path) > 1 else None

    def _of_ours(
        self, reference: Reference, site: Site, others: Sequence[Reference]
    ) -> NameFault | None:
        match reference.path[0]:
            case "steps":
                return self._step(reference, site)
            case "vars":
                return self._var(reference, site, others)
            case "secrets":
                return self._secret(reference)
            case "event":
                return self._event(reference)
            case "input":
                return self._input(reference, site, others)
            case _:
                return self._text(reference, site)

    def _event(self, reference: Reference) -> NameFault | None:
        match reference.path[1:]:
            case (str(name), *rest) if name in EVENT_FIELDS:
                if rest and isinstance(rest[0], str):
                    return NameFault(2, "unknown-name", f".event.{name} is a text")
                return None
            case (name, *_):
                said = self._suggestions.said(name, EVENT_FIELDS, ".event.{}")
                if name in _DATA_NAMES:
                    said = "the event's data stand at the root, and below .input"
                elif not said.startswith("did"):
                    said = f"{said}; the event's own fields stand at the root"
                message = f".event has no field {shown(name, 60)}: {said}"
                return NameFault(1, "unknown-name", message)
            case _:
                return None

    def _text(self, reference: Reference, site: Site) -> NameFault | None:
        name = str(reference.path[0])
        if name == "job" and site.owner == "trigger":
            message = (
                ".job is not known in the if of a trigger: it is decided before there is a job"
            )
            return NameFault(0, "out-of-scope", message)
        if len(reference.path) > 1 and isinstance(reference.path[1], str):
            message = f".{name} is {_TEXTS[name]}, a text: it has no fields"
            return NameFault(1, "unknown-name", message)
        return None

    def _input(
        self, reference: Reference, site: Site, others: Sequence[Reference]
    ) -> NameFault | None:
        if self._by_clock_alone and len(reference.path) > 1:
            return self._no_data(reference, site, others, at=1)
        return None

    def _no_data(
        self, reference: Reference, site: Site, others: Sequence[Reference], at: int = 0
    ) -> NameFault | None:
        if _is_allowed_for(reference, (*others, *site.guards)):
            return None
        meant = meant_by(reference.path, site.positions)
        said = f": {meant}" if meant else ", so that it has no fields"
        message = (
            f"{shown(str(reference), 80)[1:-1]} is a field of the event, but the clock alone "
            f"starts this workflow{said}"
        )
        return NameFault(at, "no-event-data", message)

    def _secret(self, reference: Reference) -> NameFault | None:
        if len(reference.path) == 1:
            return None
        name = str(reference.path[1])
        self.used_secrets.add(name)
        listed = self._workflow.secrets
        if listed is None or name in listed:
            return None
        near = self._suggestions.near(name, listed)
        said = f"did you mean {near!r}?" if near else "add it there"
        message = f"secret {shown(name)} is not in the secrets of this workflow: {said}"
        return NameFault(1, "unlisted-secret", message)

    def _var(
        self, reference: Reference, site: Site, others: Sequence[Reference]
    ) -> NameFault | None:
        if len(reference.path) == 1:
            return None
        name = str(reference.path[1])
        if name in self._workflow.vars or name in self._known_vars:
            return None
        if _is_allowed_for(reference, (*others, *site.guards)):
            return None
        near = self._suggestions.near(name, (*self._workflow.vars, *self._known_vars))
        said = f"did you mean .vars.{near}?" if near else "add it to vars, or to HATCHET_VARS"
        return NameFault(1, "unknown-var", f"no var {shown(name)}: {said}")

    def _step(self, reference: Reference, site: Site) -> NameFault | None:
        if site.owner != "step":
            when = "there is a job" if site.owner == "trigger" else "its first step"
            message = (
                f".steps is not known in the if of a {site.owner}: it is decided before {when}; "
                "the if of a step can ask how others went"
            )
            return NameFault(0, "out-of-scope", message)
        if len(reference.path) == 1:
            return None
        step_id = reference.path[1]
        position = site.positions.get(step_id) if isinstance(step_id, str) else None
        if position is None:
            message = (
                f"job {site.job!r} has no step {shown(step_id)}: {self._instead_of(step_id, site)}"
            )
            return NameFault(1, "unknown-step", message)
        if position == site.index:
            message = f"step {step_id!r} refers to itself: it has no outputs before it has run"
            return NameFault(1, "step-order", message)
        if position > site.index:
            message = f"step {step_id!r} comes later: steps run in the order in which they stand"
            return NameFault(1, "step-order", message)
        return self._part_of_step(reference, site)

    def _instead_of(self, step_id: _Part, site: Site) -> str:
        if self._jobs_of_steps is None:
            self._jobs_of_steps = {
                step.id: name for name, job in self._workflow.jobs.items() for step in job.steps
            }
        other = self._jobs_of_steps.get(str(step_id))
        if other is not None and other != site.job:
            return f"it is in job {other!r}, and jobs run in parallel, each with its own steps"
        near = self._suggestions.near(step_id, site.positions)
        if near is not None:
            return f"did you mean {near!r}?"
        before = [name for name, index in site.positions.items() if index < site.index]
        return f"before this one {listed(before)}"

    def _part_of_step(self, reference: Reference, site: Site) -> NameFault | None:
        match reference.path[2:]:
            case ("failure", str(name), *_) if name not in _FAILURE_FIELDS:
                said = self._suggestions.said(name, _FAILURE_FIELDS)
                message = f"the failure of a step has no field {shown(name)}: {said}"
                return NameFault(3, "unknown-name", message)
            case ("outcome" | "conclusion" as name, str(), *_):
                message = f"the {name} of a step is a text: it has no fields"
                return NameFault(3, "unknown-name", message)
            case (str(name), *_):
                schema = site.outputs.get(str(reference.path[1]))
                if schema is None or (name in STEP_FIELDS and name != "outputs"):
                    return None
                start = 3 if name == "outputs" else 2
                fault = output_fault(schema, reference.path[start:], self._suggestions)
                return None if fault is None else _of_outputs(reference, start, fault)
            case _:
                return None


def _of_outputs(reference: Reference, start: int, fault: OutputFault) -> NameFault | None:
    if not fault.certain and reference.optional:
        return None
    rule = "unknown-output" if fault.certain else "misspelt-output"
    said = shown(str(reference.path[start + fault.position]), 60)
    if fault.position:
        holder = "".join(f".{part}" for part in reference.path[start : start + fault.position])
        message = f"output {shown(holder[1:], 60)} of step {reference.path[1]!r}"
    else:
        message = f"step {reference.path[1]!r}"
    message = f"{message} {fault.holder} {said}: {fault.instead}"
    return NameFault(start + fault.position, rule, message)


def _foreign(reference: Reference, site: Site) -> NameFault | None:
    meant = meant_by(reference.path, site.positions)
    if meant is None:
        return None
    said = shown(str(reference), 80)[1:-1]
    message = f"{said} is read from the event: {meant}; write .input{said} if the event has it"
    return NameFault(0, "foreign-name", message)


def _is_allowed_for(reference: Reference, others: Sequence[Reference]) -> bool:
    """Return whether the absence of what ``reference`` reads is asked for somewhere around it."""
    return any(
        other.optional and reference.path[: len(other.path)] == other.path for other in others
    )
