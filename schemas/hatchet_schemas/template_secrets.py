"""Secrets in templates: told from all else in the syntax tree, before anything is rendered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from jinja2 import nodes
from pydantic import ValidationError

from hatchet_schemas.errors import TemplateError, shown
from hatchet_schemas.references import Reference, references_in
from hatchet_schemas.secret_texts import SecretRef

__all__ = ["SECRETS", "secret_segments"]

SECRETS: Final = "secrets"
"""The name under which templates name secrets: ``.secrets.<NAME>``."""

_ON_ITS_OWN: Final = (
    "a secret stands on its own, {{ .secrets.NAME }}, with or without text around it: "
    "not in a condition, a filter or an operator, since its value is known to the action alone"
)


def secret_segments(
    source: str, tree: nodes.Template, references: Sequence[Reference]
) -> tuple[SecretRef | nodes.Template, ...] | None:
    """Return the secrets in ``tree`` and the templates between them; None where there are none.

    Raises:
        TemplateError: a secret stands where its value would be needed to render the template.

    """
    wanted = {item.offsets[0]: item for item in references if item.path[:1] == (SECRETS,)}
    if not wanted:
        return None
    segments: list[SecretRef | nodes.Template] = []
    between: list[nodes.Node] = []
    for node in _outermost(tree):
        secret = _secret(node)
        if secret is None:
            between.append(nodes.Output([node]) if isinstance(node, nodes.Expr) else node)
            continue
        del wanted[secret.offsets[0]]
        if between:
            segments.append(nodes.Template(between, lineno=0))
            between = []
        segments.append(_checked(source, secret))
    if wanted:
        offset = min(wanted)
        raise TemplateError(source, _ON_ITS_OWN, offset=offset, rule="secret-use")
    if between:
        segments.append(nodes.Template(between, lineno=0))
    return tuple(segments)


def _outermost(tree: nodes.Template) -> Iterator[nodes.Node]:
    for node in tree.body:
        if isinstance(node, nodes.Output):
            yield from node.nodes
        else:
            yield node


def _secret(node: nodes.Node) -> Reference | None:
    if not isinstance(node, (nodes.Name, nodes.Getattr, nodes.Getitem)):
        return None
    [*others, reference] = references_in(node) or (None,)
    if others or reference is None or reference.path[:1] != (SECRETS,):
        return None
    return reference


def _checked(source: str, reference: Reference) -> SecretRef:
    name = reference.path[1] if len(reference.path) == 2 else None  # noqa: PLR2004 - secrets.NAME
    try:
        return SecretRef.model_validate({"secret": name})
    except ValidationError:
        said = shown(str(reference))
        raise TemplateError(
            source,
            f"{said} names no secret: expected .secrets.NAME, "
            "with a name of letters, digits, '_' and '-'",
            offset=reference.offsets[0],
            rule="secret-use",
        ) from None
