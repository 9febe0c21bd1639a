"""What a step hands to its action, held against the JSON Schema of what the action takes.

Templates are known at run time only, and pydantic reads many texts as numbers: what may fit, fits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from hatchet_schemas.checks.json_schemas import Schema, alternatives, kinds, noun, resolved
from hatchet_schemas.checks.suggestions import SURE_LIKENESS, Suggestions
from hatchet_schemas.checks.values import fits, may_become, reads_alike
from hatchet_schemas.errors import TemplateError, shown
from hatchet_schemas.explanations import described
from hatchet_schemas.problems import Finding
from hatchet_schemas.template_compiling import parsed
from hatchet_schemas.template_grammar import single_expression
from hatchet_schemas.templates import template_of

__all__ = ["Inputs"]

Loc = tuple[str | int, ...]

_MAX_LOOKS: Final = 100_000  # at parts of schemas, for one file
_OF_ANY_TEXT: Final = frozenset("type title description default examples format".split())


class Inputs:
    """Checks what the steps of one workflow hand to their actions."""

    def __init__(self, suggestions: Suggestions) -> None:
        self._suggestions = suggestions
        self._looks = _MAX_LOOKS
        self._root: Schema = {}
        self._action = ""

    def findings(self, action: str, schema: Schema, given: Any, loc: Loc) -> list[Finding]:
        """Return why ``action``, which takes ``schema``, would refuse ``given``, at ``loc``."""
        self._root = schema
        self._action = action
        return self._mismatches(given, schema, loc)

    def _mismatches(self, value: Any, schema: Any, loc: Loc) -> list[Finding]:
        self._looks -= 1
        schema = resolved(schema, self._root)
        if schema is None or self._looks < 0:
            return []
        if isinstance(value, str) and _is_any_text(schema):
            return []  # as most are; the rest takes more time
        if isinstance(value, str) and template_of(value) is not None:
            if self._may_be_text(value, schema) or not _is_text(value):
                return []
            return [_wrong(loc, self._expected(schema), "a text")]
        found: list[Finding] = []
        for options in alternatives(schema):
            found += self._of_options(value, schema, options, loc)
        for part in _listed(schema, "allOf"):
            found += self._mismatches(value, part, loc)
        names = kinds(schema)
        if names and not any(fits(value, name, schema) for name in names):
            return [*found, _wrong(loc, self._expected(schema), described(value))]
        found += self._of_choice(value, schema, loc)
        if isinstance(value, dict):
            found += self._of_map(value, schema, loc)
        elif isinstance(value, list):
            found += self._of_list(value, schema, loc)
        return found

    def _of_options(
        self, value: Any, schema: Schema, options: Sequence[Any], loc: Loc
    ) -> list[Finding]:
        chosen = self._chosen(value, schema)
        if chosen is not None:
            return self._mismatches(value, chosen, loc)
        results = [self._mismatches(value, option, loc) for option in options]
        if not all(results):
            return []
        close = [found for found in results if not _is_of_other_kind(found, loc)]
        if len(close) == 1:
            return close[0]
        if close:
            form = f"one of the forms that {self._action} takes here"
            return [_wrong(loc, form, f"{described(value)} that fits none")]
        return [_wrong(loc, self._expected(schema), described(value))]

    def _chosen(self, value: Any, schema: Schema) -> Any:
        """Return the alternative that a field of ``value`` names, the discriminator of OpenAPI."""
        discriminator = schema.get("discriminator")
        if not isinstance(discriminator, Mapping) or not isinstance(value, dict):
            return None
        name, mapping = discriminator.get("propertyName"), discriminator.get("mapping")
        tag = value.get(name) if isinstance(name, str) else None
        if not isinstance(mapping, Mapping) or not isinstance(tag, str) or tag not in mapping:
            return None
        return {"$ref": mapping[tag]}

    def _of_choice(self, value: Any, schema: Schema, loc: Loc) -> list[Finding]:
        choices = schema.get("enum")
        if not isinstance(choices, list):
            choices = [schema["const"]] if "const" in schema else None
        if choices is None or any(reads_alike(value, choice) for choice in choices):
            return []
        texts = [choice for choice in choices if isinstance(choice, str)]
        near = self._suggestions.near(value, texts)
        if near is not None:
            return [_wrong(loc, f"{near!r}", described(value))]
        some = ", ".join(described(choice) for choice in choices[:10])
        expected = some if len(choices) == 1 else f"one of: {some}"
        return [_wrong(loc, expected, described(value))]

    def _of_map(self, value: dict[str, Any], schema: Schema, loc: Loc) -> list[Finding]:
        known = schema.get("properties")
        known = known if isinstance(known, Mapping) else {}
        strangers = {name: None for name in value if name not in known}
        found: list[Finding] = []
        for name in _listed(schema, "required"):
            if not isinstance(name, str) or name in value:
                continue
            near = self._suggestions.near(name, strangers)
            if near is not None:
                del strangers[near]
                message = (
                    f"{self._holder(loc)} needs {name!r}: is that what {near!r} is meant to be?"
                )
                found.append(Finding((*loc, near), message, "missing-input", at_key=True))
            else:
                message = f"{self._holder(loc)} needs the field {name!r}"
                found.append(Finding(loc, message, "missing-input", at_key=True))
        for name in strangers:
            found += self._of_stranger(name, value, schema, known, loc)
        for name, inner in value.items():
            if name in known:
                found += self._mismatches(inner, known[name], (*loc, name))
        return found

    def _of_stranger(
        self, name: str, value: dict[str, Any], schema: Schema, known: Mapping[str, Any], loc: Loc
    ) -> Iterator[Finding]:
        more = schema.get("additionalProperties")
        if schema.get("patternProperties"):
            return
        if isinstance(more, Mapping):
            yield from self._mismatches(value[name], more, (*loc, name))
        elif more is False:
            said = self._suggestions.said(name, known)
            message = f"{self._holder(loc)} takes no field {shown(name)}: {said}"
            yield Finding((*loc, name), message, "unknown-input", at_key=True)
        elif more is None and known:
            others = [each for each in known if each not in value]
            near = self._suggestions.near(name, others, likeness=SURE_LIKENESS)
            if near is not None:
                message = (
                    f"{self._holder(loc)} knows no field {shown(name)}: did you mean {near!r}?"
                )
                yield Finding((*loc, name), message, "misspelt-input", at_key=True)

    def _of_list(self, value: list[Any], schema: Schema, loc: Loc) -> list[Finding]:
        first = _listed(schema, "prefixItems")
        rest = schema.get("items")
        return [
            finding
            for index, item in enumerate(value)
            for finding in self._mismatches(
                item, first[index] if index < len(first) else rest, (*loc, index)
            )
        ]

    def _may_be_text(self, text: str, schema: Any) -> bool:
        """Return whether a text with templates, rendered, may fit ``schema``."""
        self._looks -= 1
        schema = resolved(schema, self._root)
        if schema is None or self._looks < 0:
            return True
        names = kinds(schema)
        return (
            (not names or any(may_become(text, name) for name in names))
            and all(self._may_be_text(text, part) for part in _listed(schema, "allOf"))
            and all(
                any(self._may_be_text(text, option) for option in options)
                for options in alternatives(schema)
            )
        )

    def _expected(self, schema: Schema) -> str:
        said = sorted(noun(name) for name in self._kinds(schema))
        return " or ".join(said) or f"another value for {self._action}"

    def _kinds(self, schema: Schema) -> frozenset[str]:
        """Return the types that ``schema`` and its alternatives name."""
        names = kinds(schema)
        if names:
            return names
        options = [
            kinds(option)
            for listed in alternatives(schema)
            for each in listed
            if (option := resolved(each, self._root)) is not None
        ]
        return frozenset().union(*options) if all(options) else frozenset()

    def _holder(self, loc: Loc) -> str:
        return self._action if loc[-1] == "with" else shown(loc[-1], 60)


def _is_any_text(schema: Schema) -> bool:
    return schema.get("type") == "string" and schema.keys() <= _OF_ANY_TEXT


def _wrong(loc: Loc, expected: str, found: str) -> Finding:
    return Finding(loc, f"expected {expected}, found {found}", "wrong-input")


def _is_of_other_kind(found: Sequence[Finding], loc: Loc) -> bool:
    return any(finding.loc == loc and finding.rule == "wrong-input" for finding in found)


def _listed(schema: Schema, keyword: str) -> list[Any]:
    value = schema.get(keyword)
    return value if isinstance(value, list) else []


def _is_text(template: str) -> bool:
    """Return whether ``template`` becomes a text, whatever the values are."""
    try:
        return single_expression(parsed(template)) is None
    except TemplateError:
        return False
