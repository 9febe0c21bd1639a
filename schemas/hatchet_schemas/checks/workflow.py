"""All checks of a workflow that is well formed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from hatchet_schemas.catalogue import Catalogue
from hatchet_schemas.checks.dollar_signs import DOLLAR_SIGN_MESSAGE, foreign_dollar_sign
from hatchet_schemas.checks.inputs import Inputs
from hatchet_schemas.checks.local_steps import local_step_findings
from hatchet_schemas.checks.names import Names, Site
from hatchet_schemas.checks.steps import early_condition_findings, step_findings
from hatchet_schemas.checks.suggestions import Suggestions
from hatchet_schemas.checks.triggers import trigger_findings
from hatchet_schemas.conditions import Condition, condition_of
from hatchet_schemas.errors import shown
from hatchet_schemas.problems import Finding
from hatchet_schemas.references import Reference
from hatchet_schemas.templates import template_of, templates_in
from hatchet_schemas.workflows import Job, Step, Workflow

__all__ = ["workflow_findings"]

Loc = tuple[str | int, ...]


def workflow_findings(
    workflow: Workflow, known_vars: Collection[str] = (), catalogue: Catalogue | None = None
) -> Iterator[Finding]:
    """Yield what is wrong or suspicious about ``workflow``, in no particular order.

    ``known_vars`` are the names of vars that the settings give to all workflows. What actions take
    and put out is checked where there is a ``catalogue`` of them.
    """
    return _Check(workflow, known_vars, catalogue).findings()


class _Check:
    """The check of one workflow."""

    def __init__(
        self, workflow: Workflow, known_vars: Collection[str], catalogue: Catalogue | None
    ) -> None:
        self._workflow = workflow
        self._catalogue = catalogue
        self._suggestions = Suggestions()
        self._names = Names(workflow, known_vars, self._suggestions)
        self._inputs = Inputs(self._suggestions)

    def findings(self) -> Iterator[Finding]:
        workflow = self._workflow
        yield from trigger_findings(workflow.on)
        for index, trigger in enumerate(workflow.on.events):
            if trigger.if_ is not None:
                loc = ("on", "events", index, "if")
                condition = condition_of(trigger.if_)
                yield from early_condition_findings(condition, loc, "trigger")
                yield from self._in_condition(condition, Site("trigger"), loc)
        for name, job in workflow.jobs.items():
            yield from self._job_findings(name, job, ("jobs", name))
        used = self._names.used_secrets
        for index, secret in enumerate(workflow.secrets or ()):
            if secret not in used:
                message = f"no template uses the secret {secret!r}: remove it from secrets"
                yield Finding(("secrets", index), message, "unused-secret")

    def _job_findings(self, name: str, job: Job, loc: Loc) -> Iterator[Finding]:
        guards: tuple[Reference, ...] = ()
        if job.if_ is not None:
            condition = condition_of(job.if_)
            guards = condition.references
            yield from early_condition_findings(condition, (*loc, "if"), "job")
            yield from self._in_condition(condition, Site("job", name), (*loc, "if"))
        yield from step_findings(job, loc)
        positions = {step.id: index for index, step in enumerate(job.steps)}
        outputs = self._outputs(job)
        for index, step in enumerate(job.steps):
            at = (*loc, "steps", index)
            yield from local_step_findings(step, at)
            site = Site("step", name, index, positions, outputs, guards)
            if step.if_ is not None:
                condition = condition_of(step.if_)
                yield from self._in_condition(condition, site, (*at, "if"))
                site.guards = (*guards, *condition.references)
            for field, value in step.with_.items():
                yield from self._in_value(value, site, (*at, "with", field))
            if self._catalogue is not None:
                yield from self._action_findings(step, at, self._catalogue)

    def _in_condition(self, condition: Condition, site: Site, loc: Loc) -> Iterator[Finding]:
        for reference in condition.references:
            fault = self._names.fault(reference, site, condition.references)
            if fault is not None:
                offset = reference.offsets[fault.part]
                yield Finding(loc, fault.message, fault.rule, offset=offset)

    def _in_value(self, value: Any, site: Site, loc: Loc) -> Iterator[Finding]:
        # Most values are texts, and generators inside generators take time.
        if not isinstance(value, str):
            for place, text in templates_in(value, loc):
                yield from self._in_value(text, site, place)
        elif "{" in value and (template := template_of(value)) is not None:
            if "${{" in value and (at := foreign_dollar_sign(value)) is not None:
                yield Finding(loc, DOLLAR_SIGN_MESSAGE, "dollar-sign", offset=at)
            for reference in template.references:
                fault = self._names.fault(reference, site, template.references)
                if fault is not None:
                    offset = reference.offsets[fault.part]
                    yield Finding(loc, fault.message, fault.rule, offset=offset)

    def _outputs(self, job: Job) -> Mapping[str, Mapping[str, Any]]:
        if self._catalogue is None:
            return {}
        found = ((step.id, self._catalogue.actions.get(step.action_id)) for step in job.steps)
        return {
            step_id: signature.outputs
            for step_id, signature in found
            if signature is not None and signature.outputs is not None
        }

    def _action_findings(self, step: Step, loc: Loc, catalogue: Catalogue) -> Iterator[Finding]:
        signature = catalogue.actions.get(step.action_id)
        if signature is None:
            said = self._suggestions.said(step.action_id, catalogue.actions)
            message = f"no worker has the action {shown(step.action_id)}: {said}"
            # Whichever of the two words the file uses: the other one is passed over.
            yield Finding((*loc, "actionId", "action"), message, "unknown-action")
            return
        if signature.with_ is not None:
            yield from self._inputs.findings(
                step.action_id, signature.with_, step.with_, (*loc, "with")
            )
        if signature.semantics == "at-most-once" and step.mode == "local":
            message = (
                f"{step.action_id} is at-most-once, and a local step is run again when its worker "
                "is lost: give it mode: regular"
            )
            yield Finding((*loc, "mode"), message, "local-at-most-once")
