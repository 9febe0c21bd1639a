"""The template language: what it means where it is not what Jinja2 means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import lexer as jinja2_lexer
from jinja2 import nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from hatchet_schemas.template_filters import ALL_FILTERS, ALL_TESTS, INNER_FILTERS
from hatchet_schemas.template_lexer import TemplateLexer
from hatchet_schemas.template_values import (
    ROOT,
    MeteredContext,
    Missing,
    as_output,
    fail_if_missing,
    is_number,
    kind_of,
    within_bounds,
)

__all__ = ["Environment", "in_own_words"]


def in_own_words(tree: nodes.Template) -> nodes.Template:
    """Return ``tree`` with what means something else to Jinja2 said otherwise."""
    _Rewriter().visit(tree)
    return tree


class _Rewriter(NodeTransformer):
    """Lets ``~`` write values as JSON does, not as Python, and ``self`` be a field's name."""

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802 - Jinja2's dispatch
        self.generic_visit(node)
        parts = nodes.List(node.nodes, lineno=node.lineno)
        return nodes.Filter(parts, "join", [], [], None, None, lineno=node.lineno)

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:  # noqa: N802 - likewise
        self.generic_visit(node)
        chain: list[nodes.Expr] = []
        for operand in node.ops:
            chain += [nodes.Const(operand.op, lineno=node.lineno), operand.expr]
        return nodes.Filter(node.expr, "compare__", chain, [], None, None, lineno=node.lineno)

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802 - likewise
        self.generic_visit(node)
        part = node.arg
        if not isinstance(part, nodes.Slice):
            return node
        bounds: list[nodes.Expr] = [
            bound or nodes.Const(None, lineno=node.lineno)
            for bound in (part.start, part.stop, part.step)
        ]
        return nodes.Filter(node.node, "part__", bounds, [], None, None, lineno=node.lineno)

    def visit_Name(self, node: nodes.Name) -> nodes.Node:  # noqa: N802 - Jinja2's dispatch
        if node.name != "self":
            return node
        root = nodes.Name(ROOT, "load", lineno=node.lineno)
        return nodes.Getattr(root, node.name, "load", lineno=node.lineno)


class Environment(ImmutableSandboxedEnvironment):
    """Jinja2's sandbox, reading JSON data: a name after a dot is a field, never a method."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%"})
    context_class = MeteredContext

    def __init__(self) -> None:
        super().__init__(
            undefined=Missing,
            finalize=as_output,
            autoescape=False,
            keep_trailing_newline=True,
            optimized=False,  # constants are folded at run time only, where all bounds hold
        )
        self._lexer = TemplateLexer(self)
        self.globals.clear()
        self.filters = {**ALL_FILTERS, **INNER_FILTERS}
        self.tests = dict(ALL_TESTS)

    @property
    def lexer(self) -> jinja2_lexer.Lexer:
        """The lexer that takes ``step-1`` for one name."""
        return self._lexer

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return the field ``attribute`` of ``obj``."""
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return the field or element ``argument`` of ``obj``."""
        if isinstance(obj, Missing):
            return obj
        if isinstance(obj, (Mapping, list, str)):
            try:
                return obj[argument]
            except (LookupError, TypeError):
                pass
        return self.undefined(obj=obj, name=argument)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Refuse the operators' meanings that make large values from small ones."""
        fail_if_missing(left)
        fail_if_missing(right)
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            context.spend(len(left) + len(right))
            return left + right
        if operator == "+" and isinstance(left, list) and isinstance(right, list):
            context.spend(len(left) + len(right))
            return left + right
        if not all(is_number(side) for side in (left, right)):
            raise TypeError(
                f"{operator} needs two numbers, not {kind_of(left)} and {kind_of(right)}; "
                "~ joins texts"
            )
        return within_bounds(super().call_binop(context, operator, left, right))
