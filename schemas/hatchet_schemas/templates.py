"""Templates in workflow files: ``{{ .user.email }}``, rendered once, from data alone.

The language is Jinja2's, with a leading dot for the root of the scope and hyphens inside names, as
in ``{{ .steps.step-1.outputs.id }}`` (spaces around a minus subtract). A string that is one single
expression keeps the expression's type; text around it makes it a string. A missing field is an
error. Event data is never taken for a template.

Templates come from workflow files, but a file's author shall not be able to hang a worker: loops,
calls, assignments and the operators that make large values from small ones are not in the language.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any, Final

from jinja2 import Template as Jinja2Template
from jinja2 import TemplateError as Jinja2Error
from jinja2 import TemplateSyntaxError, nodes

from hatchet_schemas.errors import TemplateError
from hatchet_schemas.template_hints import hint
from hatchet_schemas.template_language import (
    Environment,
    in_own_words,
    single_expression,
    unsupported,
)
from hatchet_schemas.template_values import ROOT, plain_copy

__all__ = ["MAX_RENDERED_CHARACTERS", "render", "render_text", "template_errors"]

MAX_RENDERED_CHARACTERS: Final = 64 * 1024
"""The longest text that one template may become."""

_MAX_SOURCE_CHARACTERS: Final = 16 * 1024
_POSITION: Final = re.compile(r" at \d+$")
_OPENINGS: Final = ("{{", "{%", "{#")
_ENVIRONMENT: Final = Environment()
_PYTHON_ERRORS: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)

Scope = Mapping[str, Any]
Loc = tuple[str | int, ...]
_Compiled = Callable[[Scope], Any]


def template_errors(value: Any) -> list[TemplateError]:
    """Return why strings in ``value``, however deep, do not compile; ``loc`` says which."""
    errors: list[TemplateError] = []
    _collect_errors(value, (), errors)
    return errors


def render(value: Any, scope: Scope, loc: Loc = ()) -> Any:
    """Return a copy of ``value`` with every string in it, however deep, rendered.

    Raises:
        TemplateError: a template failed; its ``loc``, which starts with ``loc``, says which.

    """
    return _walk(value, loc, scope)


def render_text(text: str, scope: Scope) -> Any:
    """Return what one template is worth in ``scope``: any JSON value, a string if text surrounds.

    Raises:
        TemplateError: it cannot be compiled, refers to something that is not there, fails, or
            grows beyond `MAX_RENDERED_CHARACTERS`.

    """
    template = _compiled(text)
    if template is None:
        return text
    try:
        return template(scope)
    except TemplateError:
        raise
    except Jinja2Error as error:
        raise TemplateError(text, str(error.message)) from None
    except RecursionError:
        raise TemplateError(text, "the data is nested too deeply") from None
    except UnicodeEncodeError:
        raise TemplateError(text, "a text holds half of a surrogate pair") from None
    except _PYTHON_ERRORS as error:
        # Python's own words about an operator or filter and the kinds of its operands.
        raise TemplateError(text, f"{type(error).__name__}: {error}") from None


def _collect_errors(value: Any, loc: Loc, errors: list[TemplateError]) -> None:
    if isinstance(value, str):
        try:
            _compiled(value)
        except TemplateError as error:
            errors.append(error.at(loc))
    elif isinstance(value, dict):
        for key, item in value.items():
            _collect_errors(item, (*loc, key), errors)
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            _collect_errors(item, (*loc, index), errors)


def _walk(value: Any, loc: Loc, scope: Scope) -> Any:
    if isinstance(value, str):
        try:
            return render_text(value, scope)
        except TemplateError as error:
            raise error.at(loc) from None
    if isinstance(value, dict):
        return {key: _walk(item, (*loc, key), scope) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_walk(item, (*loc, index), scope) for index, item in enumerate(value)]
    return value


@lru_cache(maxsize=4096)
def _compiled(text: str) -> _Compiled | None:
    """Return a function from scope to value, or None where ``text`` is no template."""
    if not any(opening in text for opening in _OPENINGS):
        return None
    if len(text) > _MAX_SOURCE_CHARACTERS:
        raise TemplateError(
            text, f"a template has at most {_MAX_SOURCE_CHARACTERS} characters, this {len(text)}"
        )
    try:
        tree = in_own_words(_parsed(text))
        expression = single_expression(tree)
        if expression is None:
            return _text_template(text, tree)
        return _value_template(text, expression)
    except TemplateSyntaxError as error:
        reason = f"{_plain_words(str(error.message))}{hint(text)}"
        raise TemplateError(text, reason, offset=error.lineno) from None
    except RecursionError:
        raise TemplateError(text, "the expression is nested too deeply") from None


def _parsed(text: str) -> nodes.Template:
    try:
        tree = _ENVIRONMENT.parse(text)
    except ValueError:
        # Python reads no integer of more than 4,300 digits.
        raise TemplateError(text, "a number does not fit 64 bits") from None
    refused = unsupported(tree)
    if refused is not None:
        reason, offset = refused
        raise TemplateError(text, f"{reason}{hint(text)}", offset=offset)
    return tree


def _plain_words(message: str) -> str:
    # Jinja2's: positions that are ours to tell, and its name for what stands between braces.
    message = _POSITION.sub("", message).replace(f"'{ROOT}'", "'.'")
    return message.replace("end of print statement", "the end of the expression").rstrip(".")


def _text_template(source: str, tree: nodes.Template) -> _Compiled:
    code = _compiled_later(tree)

    def rendered(scope: Scope) -> str:
        chunks: list[str] = []
        room = MAX_RENDERED_CHARACTERS
        for chunk in code().generate({**scope, ROOT: scope}):
            room -= len(chunk)
            if room < 0:
                raise _too_long(source)
            chunk.encode()  # fails on half of a surrogate pair, which no JSON text can hold
            chunks.append(chunk)
        return "".join(chunks)

    return rendered


def _value_template(source: str, expression: nodes.Expr) -> _Compiled:
    assignment = nodes.Assign(nodes.Name("result", "store"), expression, lineno=0)
    code = _compiled_later(nodes.Template([assignment], lineno=0))

    def value(scope: Scope) -> Any:
        template = code()
        context = template.new_context({**scope, ROOT: scope})
        for _ in template.root_render_func(context):
            pass
        return _as_json(source, context.vars["result"])

    return value


def _as_json(source: str, result: Any) -> Any:
    """Return ``result`` as plain JSON data; this is also where a missing field is noticed."""
    if isinstance(result, str) and len(result) > MAX_RENDERED_CHARACTERS:
        raise _too_long(source)
    return plain_copy(result)


def _compiled_later(tree: nodes.Template) -> Callable[[], Jinja2Template]:
    # Checking a thousand files needs their trees only; Python code is made for what is rendered.
    return cache(lambda: _ENVIRONMENT.from_string(tree))


def _too_long(source: str) -> TemplateError:
    return TemplateError(
        source, f"the result is longer than {MAX_RENDERED_CHARACTERS:,} characters"
    )
