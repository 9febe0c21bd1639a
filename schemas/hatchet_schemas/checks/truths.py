"""Conditions of which it is known beforehand that they cannot hold."""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Any, Final

from jinja2 import nodes

from hatchet_schemas.conditions import ANSWERS, Condition, JobStatus, StatusCalls, in_braces
from hatchet_schemas.errors import TemplateError
from hatchet_schemas.template_compiling import parsed
from hatchet_schemas.template_grammar import single_expression

__all__ = ["can_hold"]

_COMPARISONS: Final[Mapping[str, Callable[[Any, Any], bool]]] = MappingProxyType(
    {
        "eq": operator.eq,
        "ne": operator.ne,
        "lt": operator.lt,
        "lteq": operator.le,
        "gt": operator.gt,
        "gteq": operator.ge,
    }
)


def can_hold(condition: Condition, statuses: Collection[JobStatus]) -> bool:
    """Return whether ``condition`` may be true when the job stands as one of ``statuses``."""
    if not condition.functions:
        if JobStatus.SUCCESS not in statuses:
            return False
        # Most conditions ask about the event, and cannot be known; that shall cost nothing.
        if condition.references and "false" not in condition.source.lower():
            return True
    truths = _truths(condition.source)
    return any(truths.get(status) is not False for status in statuses)


def _truths(text: str) -> Mapping[JobStatus, bool | None]:
    """Return for each status whether the condition holds then, None where that is not known."""
    truths: dict[JobStatus, bool | None] = {}

    def look(tree: nodes.Template) -> nodes.Template:
        answered = StatusCalls().answered(tree)
        expression = single_expression(answered)
        truths.update({status: _truth(expression, status) for status in JobStatus})
        return answered

    template, _ = in_braces(text.strip())
    try:
        parsed(template, look)
    except TemplateError:  # it was read before: its reader and this one differ
        return {}
    return truths


def _truth(node: nodes.Node | None, status: JobStatus) -> bool | None:
    """Return whether ``node`` is true, None where that is not known beforehand."""
    match node:
        case nodes.Name(name=name) if name in ANSWERS:
            return status in ANSWERS[name]
        case nodes.Not(node=inner):
            truth = _truth(inner, status)
            return None if truth is None else not truth
        case nodes.And(left=left, right=right):
            truths = {_truth(left, status), _truth(right, status)}
            return False if False in truths else None if None in truths else True
        case nodes.Or(left=left, right=right):
            truths = {_truth(left, status), _truth(right, status)}
            return True if True in truths else None if None in truths else False
        case nodes.CondExpr(test=test, expr1=yes, expr2=no):
            truth = _truth(test, status)
            if truth is not None:
                return _truth(yes if truth else no, status)
            truths = {_truth(yes, status), _truth(no, status)}
            return truths.pop() if len(truths) == 1 else None
        case nodes.Compare(expr=left, ops=[nodes.Operand(op=sign, expr=right)]):
            return _compared(left, sign, right)
        case nodes.Const(value=value):
            return bool(value)
        case nodes.List(items=items) | nodes.Dict(items=items):
            return bool(items)
        case _:
            return None


def _compared(left: nodes.Node, sign: str, right: nodes.Node) -> bool | None:
    if not isinstance(left, nodes.Const):
        return None
    if isinstance(right, nodes.List) and sign in {"in", "notin"}:
        truths = {_compared(left, "eq", item) for item in right.items}
        if None in truths and True not in truths:
            return None
        return (True in truths) is (sign == "in")
    # What values of two kinds are to each other is for the template language to say.
    if not isinstance(right, nodes.Const) or type(left.value) is not type(right.value):
        return None
    if left.value is None or sign not in _COMPARISONS:
        return None
    return _COMPARISONS[sign](left.value, right.value)
