"""Conditions in workflow files: what stands behind ``if``.

A condition is one expression of the template language, with or without braces around it. In the
``if`` of a step it may ask how the steps before went: ``success()``, ``failure()``,
``cancelled()``, ``always()``, as in GitHub Actions. One that does not ask holds only while all went
well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from types import MappingProxyType
from typing import Annotated, Any, Final

from jinja2 import nodes
from jinja2.visitor import NodeTransformer
from pydantic import AfterValidator, BeforeValidator, Field

from hatchet_schemas.errors import TemplateError
from hatchet_schemas.references import Reference, references_in
from hatchet_schemas.template_compiling import (
    Rendering,
    compiled_expression,
    described_failures,
    parsed,
)
from hatchet_schemas.template_grammar import single_expression
from hatchet_schemas.template_secrets import SECRETS
from hatchet_schemas.template_values import Meter
from hatchet_schemas.templates import pydantic_error, variables_of

__all__ = [
    "ANSWERS",
    "STATUS_FUNCTIONS",
    "Condition",
    "IfExpression",
    "JobStatus",
    "StatusCalls",
    "condition_of",
    "in_braces",
]


class JobStatus(Enum):
    """How a job stands before its next step."""

    SUCCESS = "success"
    FAILURE = "failure"
    """A step has failed, and nothing said to go on."""
    CANCELLED = "cancelled"
    """Somebody asked for the job to end."""


STATUS_FUNCTIONS: Final[Mapping[str, frozenset[JobStatus]]] = MappingProxyType(
    {
        "success": frozenset({JobStatus.SUCCESS}),
        "failure": frozenset({JobStatus.FAILURE}),
        "cancelled": frozenset({JobStatus.CANCELLED}),
        "always": frozenset(JobStatus),
    }
)
"""What a step's condition may ask, and when the answer is yes."""

_OPENING: Final = "{{"
# Set over the event's fields, so that none of them can stand in for an answer.
_VARIABLES: Final = MappingProxyType({name: f"status_{name}__" for name in STATUS_FUNCTIONS})

ANSWERS: Final[Mapping[str, frozenset[JobStatus]]] = MappingProxyType(
    {_VARIABLES[name]: statuses for name, statuses in STATUS_FUNCTIONS.items()}
)
"""The variables that stand for calls of status functions, and when their answer is yes."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A compiled condition.

    ``references`` is what it reads, ``functions`` which of `STATUS_FUNCTIONS` it calls.
    """

    source: str
    references: tuple[Reference, ...]
    functions: frozenset[str]
    _value: Rendering

    def holds(self, scope: Mapping[str, Any], status: JobStatus = JobStatus.SUCCESS) -> bool:
        """Return whether the condition is true; empty texts, lists and maps, 0 and null are not.

        Raises:
            TemplateError: it refers to something that is not there, or fails.

        """
        if not self.functions and status is not JobStatus.SUCCESS:
            return False
        variables = variables_of(scope)
        variables.update({variable: status in statuses for variable, statuses in ANSWERS.items()})
        with described_failures(self.source):
            return bool(self._value(variables, Meter()))


@lru_cache(maxsize=4096)
def condition_of(text: str) -> Condition:
    """Return the condition in ``text``.

    Raises:
        TemplateError: it cannot be compiled, is more than one expression, or names a secret.

    """
    if not text.strip():
        raise TemplateError(text, "the condition is empty", rule="condition")
    template, before = in_braces(text)
    calls = StatusCalls()
    try:
        tree = parsed(template, calls.answered)
        expression = single_expression(tree)
        if expression is None:
            raise TemplateError(  # noqa: TRY301 - told with the others, in the condition's own text
                template,
                "a condition is one expression, such as .user.active; text around {{ … }} "
                "would always be true",
                offset=max(0, -before),
                rule="condition",
            )
        references = tuple(
            reference
            for reference in references_in(expression)
            if ANSWERS.keys().isdisjoint(reference.path[:1])
        )
        for reference in references:
            if reference.path[:1] == (SECRETS,):
                raise TemplateError(  # noqa: TRY301 - likewise
                    template,
                    "a condition cannot read secrets: their values are known to actions alone",
                    offset=reference.offsets[0],
                    rule="secret-use",
                )
    except TemplateError as error:
        offset = min(max(0, error.offset + before), len(text))
        raise TemplateError(text, error.reason, offset=offset, rule=error.rule) from None
    references = tuple(_moved(reference, before) for reference in references)
    return Condition(
        text, references, frozenset(calls.found), compiled_expression(text, expression)
    )


def in_braces(text: str) -> tuple[str, int]:
    """Return the condition in ``text`` as a template, and at which character of ``text`` it starts.

    That is below 0 where the condition has no braces of its own.
    """
    stripped = text.strip()
    if stripped.startswith(_OPENING):
        return stripped, text.index(_OPENING)
    return f"{_OPENING}{text}}}}}", -len(_OPENING)


def _moved(reference: Reference, by: int) -> Reference:
    return replace(reference, offsets=tuple(offset + by for offset in reference.offsets))


class StatusCalls(NodeTransformer):
    """Puts a variable in place of each call of a status function; ``found`` is which are called."""

    def __init__(self) -> None:
        self.found: set[str] = set()

    def answered(self, tree: nodes.Template) -> nodes.Template:
        """Return ``tree``, changed in place, with variables of `ANSWERS` in place of the calls."""
        self.visit(tree)
        return tree

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: D102, N802 - Jinja2's dispatch
        called = node.node
        if (
            isinstance(called, nodes.Name)
            and called.name in STATUS_FUNCTIONS
            and not (node.args or node.kwargs or node.dyn_args or node.dyn_kwargs)
        ):
            self.found.add(called.name)
            return nodes.Name(_VARIABLES[called.name], "load", lineno=node.lineno)
        return node


def _as_text(value: object) -> object:
    return ("true" if value else "false") if isinstance(value, bool) else value


def _checked(text: str) -> str:
    try:
        condition_of(text)
    except TemplateError as error:
        raise pydantic_error(error) from None
    return text


IfExpression = Annotated[
    str,
    BeforeValidator(_as_text),
    AfterValidator(_checked),
    Field(json_schema_extra={"type": ["string", "boolean"]}),
]
"""The text of a condition, as the file has it."""
