"""Templates in workflow files: ``{{ .user.email }}``, rendered once, from data alone.

The language is Jinja2's, with a leading dot for the root of the scope and hyphens inside names, as
in ``{{ .steps.step-1.outputs.id }}`` (spaces around a minus subtract). A string that is one single
expression keeps the expression's type; text around it makes it a string. A missing field is an
error. Event data is never taken for a template.

Templates come from workflow files, but a file's author shall not be able to hang a worker: loops,
calls, assignments and the operators that make large values from small ones are not in the language.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final

from jinja2 import nodes
from pydantic_core import PydanticCustomError

from hatchet_schemas.errors import TemplateError
from hatchet_schemas.plain_paths import plain_references
from hatchet_schemas.references import Reference, references_in
from hatchet_schemas.secret_texts import SecretRef, SecretText
from hatchet_schemas.template_compiling import (
    MAX_RENDERED_CHARACTERS,
    MAX_SOURCE_CHARACTERS,
    Rendering,
    Variables,
    compiled_expression,
    compiled_text,
    described_failures,
    parsed,
)
from hatchet_schemas.template_grammar import single_expression
from hatchet_schemas.template_secrets import SECRETS, secret_segments
from hatchet_schemas.template_values import MAX_WORK, ROOT, Meter

__all__ = [
    "MAX_RENDERED_CHARACTERS",
    "SECRET_STAND_IN",
    "Template",
    "pydantic_error",
    "render",
    "render_text",
    "template_errors",
    "template_of",
    "templates_in",
    "variables_of",
]

SECRET_STAND_IN: Final = "***"  # noqa: S105 - the opposite of a secret
"""What stands for a secret's value wherever the value itself has no business."""

_MAX_WORK_OF_VALUE: Final = 2 * MAX_WORK
_WORK_OF_TEMPLATE: Final = 8192  # compiled once, it takes up to 0.35 ms
_MAX_ERRORS: Final = 100

Scope = Mapping[str, Any]
Loc = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled text: what it reads, and what it becomes.

    ``secrets`` are the names of the secrets that it holds. It is made of ``segments``: secrets, and
    functions from variables to what stands between them. Without secrets there is one segment.
    """

    source: str
    references: tuple[Reference, ...]
    segments: tuple[SecretRef | Rendering, ...]
    secrets: tuple[SecretRef, ...]

    def value(self, variables: Variables, meter: Meter) -> Any:
        """Return what a template without secrets is worth.

        Raises:
            TemplateError: it refers to something that is not there, fails, or grows too large.

        """
        [value] = self.parts(variables, meter)
        return value

    def parts(self, variables: Variables, meter: Meter) -> tuple[str | SecretRef, ...]:
        """Return the text in parts, with the secrets as references.

        Raises:
            TemplateError: it refers to something that is not there, fails, or grows too large.

        """
        with described_failures(self.source):
            return tuple(
                segment if isinstance(segment, SecretRef) else segment(variables, meter)
                for segment in self.segments
            )


def template_of(text: str) -> Template | None:
    """Return the template in ``text``, or None where there is none.

    Raises:
        TemplateError: it cannot be compiled.

    """
    # Texts without templates shall not push templates out of the cache.
    return _compiled(text) if _may_be_template(text) else None


def _may_be_template(text: str) -> bool:
    return "{{" in text or "{%" in text or "{#" in text


def templates_in(value: Any, loc: Loc = ()) -> Iterator[tuple[Loc, str]]:
    """Yield every text in ``value``, however deep, that holds a template, and where it stands."""
    if isinstance(value, str):
        if _may_be_template(value):
            yield loc, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from templates_in(item, (*loc, key))
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from templates_in(item, (*loc, index))


def template_errors(value: Any) -> list[TemplateError]:
    """Return why strings in ``value``, however deep, do not compile; ``loc`` says which.

    There may be more than a hundred of them that do not: then some are left out.
    """
    errors: list[TemplateError] = []
    for loc, text in templates_in(value):
        if len(errors) > _MAX_ERRORS:
            break
        try:
            _compiled(text)
        except TemplateError as error:
            errors.append(error.at(loc))
    return errors


def pydantic_error(error: TemplateError) -> PydanticCustomError:
    """Return ``error`` as a validator raises it: with its offset and rule, without its place."""
    return PydanticCustomError(
        "template",
        "{reason}",
        {"reason": str(error.at(())), "offset": error.offset, "rule": error.rule},
    )


def variables_of(scope: Scope) -> Variables:
    """Return what compiled templates take: the names of ``scope``, and the whole of it."""
    return {**scope, ROOT: scope}


def render(value: Any, scope: Scope, loc: Loc = (), secrets: list[SecretText] | None = None) -> Any:
    """Return a copy of ``value`` with every string in it, however deep, rendered.

    A text that holds secrets becomes a stand-in, and is added to ``secrets``, with where it stands.

    Raises:
        TemplateError: a template failed; its ``loc``, which starts with ``loc``, says which.

    """
    found: list[SecretText] = [] if secrets is None else secrets
    return _Rendering(variables_of(scope), len(loc), found).walk(value, loc)


def render_text(text: str, scope: Scope) -> Any:
    """Return what one template is worth in ``scope``: any JSON value, a string if text surrounds.

    Raises:
        TemplateError: it cannot be compiled, refers to something that is not there, fails, or
            grows beyond `MAX_RENDERED_CHARACTERS`.

    """
    return render(text, scope)


class _Rendering:
    """One value being rendered: its templates see the same, and share one meter."""

    def __init__(self, variables: Variables, depth: int, secrets: list[SecretText]) -> None:
        self._variables = variables
        self._depth = depth
        self._secrets = secrets
        self._meter = Meter(_MAX_WORK_OF_VALUE)

    def walk(self, value: Any, loc: Loc) -> Any:
        if isinstance(value, str):
            try:
                return self._text(value, loc)
            except TemplateError as error:
                raise (error.at(loc) if loc else error) from None
        if isinstance(value, dict):
            return {key: self.walk(item, (*loc, key)) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.walk(item, (*loc, index)) for index, item in enumerate(value)]
        return value

    def _text(self, text: str, loc: Loc) -> Any:
        template = template_of(text)
        if template is None:
            return text
        meter = Meter(shared=self._meter)
        with described_failures(text):
            meter.spend(_WORK_OF_TEMPLATE)
        if not template.secrets:
            return template.value(self._variables, meter)
        parts = template.parts(self._variables, meter)
        self._secrets.append(SecretText(at=loc[self._depth :], parts=parts))
        return _shown(parts)


def _shown(parts: Sequence[str | SecretRef]) -> str:
    return "".join(part if isinstance(part, str) else SECRET_STAND_IN for part in parts)


@lru_cache(maxsize=4096)
def _compiled(text: str) -> Template:
    references = plain_references(text) if len(text) <= MAX_SOURCE_CHARACTERS else None
    if references is None or any(item.path[0] == SECRETS for item in references):
        return _compiled_by_jinja(text)
    # Checking a thousand files needs no more; what is rendered is compiled when it is.
    later = cache(lambda: _rendering_of(text, parsed(text)))

    def rendering(variables: Variables, meter: Meter) -> Any:
        return later()(variables, meter)

    return Template(text, references, (rendering,), ())


def _compiled_by_jinja(text: str) -> Template:
    tree = parsed(text)
    references = references_in(tree)
    segments = secret_segments(text, tree, references)
    if segments is not None:
        return Template(
            text,
            references,
            tuple(
                part if isinstance(part, SecretRef) else compiled_text(text, part)
                for part in segments
            ),
            tuple(part for part in segments if isinstance(part, SecretRef)),
        )
    return Template(text, references, (_rendering_of(text, tree),), ())


def _rendering_of(text: str, tree: nodes.Template) -> Rendering:
    expression = single_expression(tree)
    if expression is None:
        return compiled_text(text, tree)
    return compiled_expression(text, expression)
