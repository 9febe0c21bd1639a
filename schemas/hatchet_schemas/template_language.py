"""The template language: which part of Jinja2 it is, and what it adds to it."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from jinja2 import TemplateSyntaxError, nodes
from jinja2 import lexer as jinja2_lexer
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from hatchet_schemas.template_filters import ALL_FILTERS, ALL_TESTS
from hatchet_schemas.template_values import (
    ROOT,
    MeteredContext,
    Missing,
    as_text,
    fail_if_missing,
    kind_of,
    within_bounds,
)

__all__ = ["Environment", "in_own_words", "single_expression", "unsupported"]

_PLAIN_NAME: Final[re.Pattern[str]] = vars(jinja2_lexer)["name_re"]
_HYPHENATED_NAME: Final = re.compile(r"[^\W\d]\w*(?:-\w+)*")

# Text after which a dot goes on with a path; after anything else it starts one.
_PATH_END: Final = re.compile(r"[\w)\]}'\"]\Z")
_KEYWORDS: Final = frozenset({"and", "or", "not", "in", "is", "if", "elif", "else"})

_MAX_DEPTH: Final = 50  # of the syntax tree; CPython compiles no more than 200 nested parentheses
_MAX_INTEGER: Final = 2**63

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


def unsupported(tree: nodes.Template) -> tuple[str, int] | None:
    """Return why ``tree`` is not in the language, and the offset; None where it is."""
    for node, depth in _descendants(tree):
        reason = _refusal(node, depth)
        if reason is not None:
            return reason, node.lineno
    return None


def _refusal(node: nodes.Node, depth: int) -> str | None:
    if not isinstance(node, _NODES):
        kind = _NAMES_OF_NODES.get(type(node), f"{type(node).__name__.lower()} statements")
        return f"templates have no {kind}"
    if depth > _MAX_DEPTH:
        return "the expression is nested too deeply"
    if isinstance(node, nodes.Filter) and node.name not in ALL_FILTERS:
        near = difflib.get_close_matches(node.name, ALL_FILTERS, n=1)
        tail = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(ALL_FILTERS)}"
        return f"unknown filter {node.name!r}; {tail}"
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

    def visit_Name(self, node: nodes.Name) -> nodes.Node:  # noqa: N802 - Jinja2's dispatch
        if node.name != "self":
            return node
        root = nodes.Name(ROOT, "load", lineno=node.lineno)
        return nodes.Getattr(root, node.name, "load", lineno=node.lineno)


class _Lexer(jinja2_lexer.Lexer):
    """Jinja2's lexer with three differences.

    Names may hold hyphens, and a dot may start a path; both are said in Jinja2's own terms:
    ``.steps.step-1.id`` becomes ``root__.steps['step-1'].id``. And what Jinja2 takes for line
    numbers, in tokens, nodes and errors, are offsets: characters from the start of the template.
    """

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.rules = {
            state: [
                rule._replace(pattern=_HYPHENATED_NAME) if rule.pattern is _PLAIN_NAME else rule
                for rule in rules
            ]
            for state, rules in self.rules.items()
        }

    def tokeniter(
        self,
        source: str,
        name: str | None,
        filename: str | None = None,
        state: str | None = None,
    ) -> Iterator[tuple[int, str, str]]:
        """Yield the raw tokens: offset, kind and text."""
        before = ""  # the last word or operator
        dot = False  # a dot is held back until it is known what follows
        spaced = False
        for offset, kind, text in self._with_offsets(source, name, filename, state):
            if kind == "whitespace":
                yield offset, kind, text
                spaced = True
                continue
            hyphenated = kind == "name" and "-" in text
            if dot and not hyphenated:
                yield offset, "operator", "."
            dot = kind == "operator" and text == "."
            starts_path = spaced or not _PATH_END.search(before) or before in _KEYWORDS
            if (dot and starts_path) or (hyphenated and before not in {".", "|"}):
                yield offset, "name", ROOT
            if hyphenated:
                yield offset, "operator", "["
                yield offset, "string", repr(text)
                yield offset, "operator", "]"
            elif not dot:
                yield offset, kind, text
            before = _as_context(before, kind, text)
            spaced = False
        # A template ends with a closing brace or text, never with a dot held back.

    def _with_offsets(
        self, source: str, name: str | None, filename: str | None, state: str | None
    ) -> Iterator[tuple[int, str, str]]:
        position = 0
        try:
            for _, kind, text in super().tokeniter(source, name, filename, state):
                # White space may be left out between tokens, never anything else.
                offset = max(source.find(text, position), position)
                yield offset, kind, text
                position = offset + len(text)
        except TemplateSyntaxError as error:
            error.lineno = position
            raise


def _as_context(before: str, kind: str, text: str) -> str:
    """Return ``text`` as the word before the next one, told from keywords and tests."""
    if kind == "name" and before == ".":
        return "field"  # whatever it spells: in .order.in.id no path starts behind "in"
    if kind == "name" and before == "is":
        return "is" if text == "not" else "test:"  # a path may follow: x is eq .y
    return text


class Environment(ImmutableSandboxedEnvironment):
    """Jinja2's sandbox, reading JSON data: a name after a dot is a field, never a method."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%"})
    context_class = MeteredContext

    def __init__(self) -> None:
        super().__init__(
            undefined=Missing,
            finalize=as_text,
            autoescape=False,
            keep_trailing_newline=True,
            optimized=False,  # constants are folded at run time only, where all bounds hold
        )
        self._lexer = _Lexer(self)
        self.globals.clear()
        self.filters = dict(ALL_FILTERS)
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
        if not all(isinstance(side, (int, float)) for side in (left, right)):
            raise TypeError(
                f"{operator} needs two numbers, not {kind_of(left)} and {kind_of(right)}; "
                "~ joins texts"
            )
        return within_bounds(super().call_binop(context, operator, left, right))
