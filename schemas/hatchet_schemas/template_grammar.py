"""Which part of Jinja2 the template language is: all that is not listed here is refused."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from jinja2 import nodes

from hatchet_schemas.errors import shown
from hatchet_schemas.template_filters import ALL_FILTERS, ALL_TESTS, misfit

__all__ = ["Refusal", "single_expression", "unsupported"]

_MAX_DEPTH: Final = 50  # of the syntax tree; CPython compiles no more than 200 nested parentheses
_MAX_NODES: Final = 3000  # of the syntax tree; a node takes up to 15 µs to compile
_MAX_INTEGER: Final = 2**63
_MAX_NAME: Final = 60  # characters of a name that is compared with others

_NODES: Final = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.If,
    nodes.Name,
    nodes.Const,
    nodes.List,
    nodes.Dict,
    nodes.Pair,
    nodes.Keyword,
    nodes.Getattr,
    nodes.Getitem,
    nodes.Slice,
    nodes.Filter,
    nodes.Test,
    nodes.Compare,
    nodes.Operand,
    nodes.CondExpr,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Neg,
    nodes.Pos,
    nodes.Add,
    nodes.Sub,
    nodes.Div,
    nodes.FloorDiv,
    nodes.Mod,
    nodes.Mul,
    nodes.Concat,
)

_NAMES_OF_NODES: Final[dict[type[nodes.Node], str]] = {
    nodes.Call: "calls: use a filter, such as {{ .name | upper }}",
    nodes.For: "loops: use a filter, such as {{ .items | map(attribute='id') | join(', ') }}",
    nodes.Pow: "powers",
    nodes.Assign: "assignments",
    nodes.Tuple: "tuples: write a list, [a, b]",
}


def single_expression(tree: nodes.Template) -> nodes.Expr | None:
    """Return the expression if the template is one ``{{ … }}`` and nothing else."""
    if len(tree.body) != 1 or not isinstance(output := tree.body[0], nodes.Output):
        return None
    if len(output.nodes) != 1 or isinstance(output.nodes[0], nodes.TemplateData):
        return None
    return output.nodes[0]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a tree is not in the language, by which rule, and the offset at which it is not."""

    reason: str
    rule: str
    offset: int


def unsupported(tree: nodes.Template) -> Refusal | None:
    """Return why ``tree`` is not in the language; None where it is."""
    for count, (node, depth) in enumerate(_descendants(tree), start=1):
        if count > _MAX_NODES:
            reason = f"a template has at most {_MAX_NODES} names, values and operators"
            return Refusal(reason, "template", node.lineno)
        if (unknown := _unknown(node)) is not None:
            return Refusal(unknown, "unknown-filter", node.lineno)
        if (misfit := _misfit(node)) is not None:
            return Refusal(misfit, "template", node.lineno)
        if (refused := _refusal(node, depth)) is not None:
            return Refusal(refused, "template", node.lineno)
    return None


def _unknown(node: nodes.Node) -> str | None:
    match node:
        case nodes.Filter(name=name, args=args):
            if (unknown := _unknown_name("filter", name, ALL_FILTERS)) is not None:
                return unknown
            match name, args:
                case "map", [nodes.Const(value=str(inner)), *_]:
                    return _unknown_name("filter", inner, ALL_FILTERS)
                case "select" | "reject", [nodes.Const(value=str(inner)), *_]:
                    return _unknown_name("test", inner, ALL_TESTS)
                case "selectattr" | "rejectattr", [_, nodes.Const(value=str(inner)), *_]:
                    return _unknown_name("test", inner, ALL_TESTS)
                case _:
                    return None
        case nodes.Test(name=name):
            return _unknown_name("test", name, ALL_TESTS)
        case _:
            return None


def _unknown_name(kind: str, name: str, known: Mapping[str, Any]) -> str | None:
    if name in known:
        return None
    near = difflib.get_close_matches(name[:_MAX_NAME], known, n=1)
    tail = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(sorted(known))}"
    return f"unknown {kind} {shown(name)}; {tail}"


def _misfit(node: nodes.Node) -> str | None:
    """Return which argument a filter or test does not take, or is not given."""
    if not isinstance(node, (nodes.Filter, nodes.Test)):
        return None
    known = ALL_FILTERS if isinstance(node, nodes.Filter) else ALL_TESTS
    reason = misfit(known[node.name], node.args, [str(pair.key) for pair in node.kwargs])
    return None if reason is None else f"{node.name}(): {reason}"


def _refusal(node: nodes.Node, depth: int) -> str | None:
    if not isinstance(node, _NODES):
        kind = _NAMES_OF_NODES.get(type(node), f"{type(node).__name__.lower()} statements")
        return f"templates have no {kind}"
    if depth > _MAX_DEPTH:
        return "the expression is nested too deeply"
    if isinstance(node, nodes.Const) and not _fits(node.value):
        return "a number does not fit 64 bits"
    return None


def _descendants(tree: nodes.Node) -> Iterator[tuple[nodes.Node, int]]:
    stack = [(tree, 0)]
    while stack:
        node, depth = stack.pop()
        yield node, depth
        stack.extend((child, depth + 1) for child in node.iter_child_nodes())


def _fits(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return not isinstance(value, int) or value < _MAX_INTEGER
