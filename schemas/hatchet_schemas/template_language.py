"""The template language: which part of Jinja2 it is, and what it adds to it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NoReturn

from jinja2 import StrictUndefined, nodes
from jinja2 import lexer as jinja2_lexer
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing

__all__ = ["ROOT", "Environment", "single_expression", "unsupported"]

ROOT: Final = "root__"
"""The name under which templates find the whole scope; what a leading dot stands for."""

_PLAIN_NAME: Final[re.Pattern[str]] = vars(jinja2_lexer)["name_re"]
_HYPHENATED_NAME: Final = re.compile(r"[^\W\d]\w*(?:-\w+)*")

# Text after which a dot goes on with a path; after anything else it starts one.
_PATH_END: Final = re.compile(r"[\w)\]}'\"]\Z")
_KEYWORDS: Final = frozenset({"and", "or", "not", "in", "is", "if", "elif", "else"})

# Jinja2's filters that neither draw lots, nor make large values from small ones, nor make HTML.
_FILTERS: Final = frozenset(
    "abs capitalize count d default dictsort first float int items join last length list lower "
    "map max min reject rejectattr replace reverse round select selectattr sort string sum title "
    "tojson trim truncate unique upper urlencode wordcount".split()
)

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


def unsupported(tree: nodes.Template) -> str | None:
    """Return why ``tree`` is not in the language, or None where it is."""
    for node in _descendants(tree):
        if not isinstance(node, _NODES):
            kind = _NAMES_OF_NODES.get(type(node), f"{type(node).__name__.lower()} statements")
            return f"templates have no {kind}"
        if isinstance(node, nodes.Filter) and node.name not in _FILTERS:
            return f"unknown filter {node.name!r}; there are: {', '.join(sorted(_FILTERS))}"
    return None


def _descendants(node: nodes.Node) -> Iterator[nodes.Node]:
    stack = [node]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(node.iter_child_nodes())


class _Missing(StrictUndefined):
    """A field that is not there; any use of it is an error that names the first one missing."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __getitem__(self, key: Any) -> Any:
        return self

    def fail(self) -> NoReturn:
        """Raise the error that any use of the missing field raises."""
        self._fail_with_undefined_error()

    @property
    def _undefined_message(self) -> str:
        name = self._undefined_name
        if self._undefined_hint:
            return self._undefined_hint
        if isinstance(self._undefined_obj, Mapping):
            fields = [key for key in self._undefined_obj if key != ROOT]
            listed = ", ".join(map(str, sorted(fields, key=str)[:20])) or "none"
            return f"no field {name!r}; there are: {listed}"
        if self._undefined_obj is missing:
            return f"unknown name {name!r}"
        return f"no field {name!r}: there is {_kind(self._undefined_obj)}"


class _Lexer(jinja2_lexer.Lexer):
    """Jinja2's lexer with two additions: hyphens inside names, and a dot that starts a path.

    Both are said in Jinja2's own terms: ``.steps.step-1.id`` becomes
    ``root__.steps['step-1'].id``. Lines stay as they are.
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
        """Yield the raw tokens: line, kind and text."""
        before = ""  # the last word or operator
        dot = False  # a dot is held back until it is known what follows
        for line, kind, text in super().tokeniter(source, name, filename, state):
            if kind == "whitespace":
                yield line, kind, text
                continue
            hyphenated = kind == "name" and "-" in text
            if dot and not hyphenated:
                yield line, "operator", "."
            dot = kind == "operator" and text == "."
            starts_path = not _PATH_END.search(before) or before in _KEYWORDS
            if (dot and starts_path) or (hyphenated and before not in {".", "|"}):
                yield line, "name", ROOT
            if hyphenated:
                yield line, "operator", "["
                yield line, "string", repr(text)
                yield line, "operator", "]"
            elif not dot:
                yield line, kind, text
            before = text
        # A template ends with a closing brace or text, never with a dot held back.


class Environment(ImmutableSandboxedEnvironment):
    """Jinja2's sandbox, reading JSON data: a name after a dot is a field, never a method."""

    intercepted_binops = frozenset({"*", "%", "+"})

    def __init__(self) -> None:
        super().__init__(
            undefined=_Missing,
            finalize=_as_text,
            autoescape=False,
            keep_trailing_newline=True,
            optimized=False,  # constants are folded at run time only, where all bounds hold
        )
        self._lexer = _Lexer(self)
        self.globals.clear()
        self.filters = {name: self.filters[name] for name in sorted(_FILTERS)}
        self.filters["tojson"] = _as_json_text

    @property
    def lexer(self) -> jinja2_lexer.Lexer:
        """The lexer that takes ``step-1`` for one name."""
        return self._lexer

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return the field ``attribute`` of ``obj``."""
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return the field or element ``argument`` of ``obj``."""
        if isinstance(obj, _Missing):
            return obj
        if isinstance(obj, (Mapping, list, str)):
            try:
                return obj[argument]
            except (LookupError, TypeError):
                pass
        return self.undefined(obj=obj, name=argument)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Refuse the operators' meanings that make large values from small ones."""
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            return left + right
        if operator == "+" and isinstance(left, list) and isinstance(right, list):
            return left + right
        if not all(isinstance(side, (int, float)) for side in (left, right)):
            _fail_if_missing(left)
            _fail_if_missing(right)
            raise TypeError(
                f"{operator} needs two numbers, not {_kind(left)} and {_kind(right)}; ~ joins texts"
            )
        return super().call_binop(context, operator, left, right)


def _kind(value: Any) -> str:
    if isinstance(value, Mapping):
        return "a map"
    return {str: "a text", list: "a list", type(None): "null", bool: "true or false"}.get(
        type(value), "a number"
    )


def _as_text(value: Any) -> Any:
    """Return how ``value`` reads inside a text: strings as they are, all else as JSON."""
    if isinstance(value, str):
        return value
    _fail_if_missing(value)
    return _as_json_text(value)


def _as_json_text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, default=_plain)


def _plain(value: Any) -> Any:
    _fail_if_missing(value)
    return dict(value) if isinstance(value, Mapping) else list(value)


def _fail_if_missing(value: Any) -> None:
    if isinstance(value, _Missing):
        value.fail()
