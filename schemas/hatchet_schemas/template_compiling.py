"""Texts into syntax trees, and syntax trees into functions that render them."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import cache
from typing import Any, Final, cast

from jinja2 import Template as Jinja2Template
from jinja2 import TemplateError as Jinja2Error
from jinja2 import TemplateSyntaxError, nodes

from hatchet_schemas.errors import TemplateError
from hatchet_schemas.template_grammar import unsupported
from hatchet_schemas.template_hints import hint
from hatchet_schemas.template_language import Environment, in_own_words
from hatchet_schemas.template_values import ROOT, Meter, MeteredContext, plain_copy

__all__ = [
    "MAX_RENDERED_CHARACTERS",
    "MAX_SOURCE_CHARACTERS",
    "Rendering",
    "Variables",
    "compiled_expression",
    "compiled_text",
    "described_failures",
    "parsed",
]

MAX_RENDERED_CHARACTERS: Final = 64 * 1024
"""The longest text that one template may become."""

MAX_SOURCE_CHARACTERS: Final = 16 * 1024
"""The longest template."""

_POSITION: Final = re.compile(r" at \d+$")
_ENVIRONMENT: Final = Environment()
_PYTHON_ERRORS: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)

Variables = dict[str, Any]
"""What templates see: the names of a scope, and under `ROOT` the whole of it."""

Rendering = Callable[[Variables, Meter], Any]
"""Makes something of variables, and spends of the meter."""


def parsed(
    text: str, prepare: Callable[[nodes.Template], nodes.Template] = lambda tree: tree
) -> nodes.Template:
    """Return the syntax tree of ``text``, all of it within the language.

    ``prepare`` may put something else in place of what Jinja2 has read, before it is checked.

    Raises:
        TemplateError: it is not in the language.

    """
    if len(text) > MAX_SOURCE_CHARACTERS:
        raise TemplateError(
            text, f"a template has at most {MAX_SOURCE_CHARACTERS} characters, this {len(text)}"
        )
    try:
        tree = prepare(_ENVIRONMENT.parse(text))
    except TemplateSyntaxError as error:
        reason = f"{_plain_words(str(error.message))}{hint(text)}"
        raise TemplateError(text, reason, offset=error.lineno) from None
    except RecursionError:
        raise TemplateError(text, "the expression is nested too deeply") from None
    except ValueError:
        # Python reads no integer of more than 4,300 digits.
        raise TemplateError(text, "a number does not fit 64 bits") from None
    refused = unsupported(tree)
    if refused is not None:
        reason = f"{refused.reason}{hint(text)}"
        raise TemplateError(text, reason, offset=refused.offset, rule=refused.rule)
    return in_own_words(tree)


def _plain_words(message: str) -> str:
    # Jinja2's: positions that are ours to tell, and its name for what stands between braces.
    message = _POSITION.sub("", message).replace(f"'{ROOT}'", "'.'")
    return message.replace("end of print statement", "the end of the expression").rstrip(".")


@contextmanager
def described_failures(source: str) -> Generator[None]:
    """Raise what a rendering fails with as `TemplateError`."""
    try:
        yield
    except TemplateError:
        raise
    except Jinja2Error as error:
        raise TemplateError(source, str(error.message)) from None
    except RecursionError:
        raise TemplateError(source, "the data is nested too deeply") from None
    except UnicodeEncodeError:
        raise TemplateError(source, "a text holds half of a surrogate pair") from None
    except _PYTHON_ERRORS as error:
        # Python's own words about an operator or filter and the kinds of its operands.
        raise TemplateError(source, f"{type(error).__name__}: {error}") from None


def compiled_text(source: str, tree: nodes.Template) -> Rendering:
    """Return a function from variables to the text that ``tree`` becomes."""
    code = _compiled_later(tree)

    def rendered(variables: Variables, meter: Meter) -> str:
        chunks: list[str] = []
        room = MAX_RENDERED_CHARACTERS
        template = code()
        for chunk in template.root_render_func(_context(template, variables, meter)):
            room -= len(chunk)
            if room < 0:
                raise _too_long(source)
            chunk.encode()  # fails on half of a surrogate pair, which no JSON text can hold
            chunks.append(chunk)
        return "".join(chunks)

    return rendered


def compiled_expression(source: str, expression: nodes.Expr) -> Rendering:
    """Return a function from variables to the value of ``expression``."""
    assignment = nodes.Assign(nodes.Name("result", "store"), expression, lineno=0)
    code = _compiled_later(nodes.Template([assignment], lineno=0))

    def value(variables: Variables, meter: Meter) -> Any:
        template = code()
        context = _context(template, variables, meter)
        for _ in template.root_render_func(context):
            pass
        return _as_json(source, context.vars["result"], meter)

    return value


def _context(template: Jinja2Template, variables: Variables, meter: Meter) -> MeteredContext:
    # What `Environment.context_class` says.
    context = cast("MeteredContext", template.new_context(variables, shared=True))
    context.meter = meter
    return context


def _as_json(source: str, result: Any, meter: Meter) -> Any:
    """Return ``result`` as plain JSON data; this is also where a missing field is noticed."""
    if isinstance(result, str) and len(result) > MAX_RENDERED_CHARACTERS:
        raise _too_long(source)
    return plain_copy(result, meter)


def _compiled_later(tree: nodes.Template) -> Callable[[], Jinja2Template]:
    # Checking a thousand files needs their trees only; Python code is made for what is rendered.
    return cache(lambda: _ENVIRONMENT.from_string(tree))


def _too_long(source: str) -> TemplateError:
    return TemplateError(
        source, f"the result is longer than {MAX_RENDERED_CHARACTERS:,} characters"
    )
