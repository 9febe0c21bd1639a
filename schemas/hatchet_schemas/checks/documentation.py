"""The document of all rules: ``python -m hatchet_schemas.checks.documentation > docs/rules.md``."""

from __future__ import annotations

import re
import sys
from typing import Final

from hatchet_schemas.catalogue import Catalogue
from hatchet_schemas.checks.action_rules import EXAMPLE_ACTIONS
from hatchet_schemas.checks.rule import MARKER, Rule
from hatchet_schemas.loader import SourceFile, load_definitions
from hatchet_schemas.problems import Problem
from hatchet_schemas.rules import RULE_GROUPS

__all__ = ["example_problems", "rules_document"]

_SIGNS_OF_MARKDOWN: Final = re.compile(r"[*_`<\[|]")
_TITLE: Final = """\
# Rules

Each problem that `hatchet check` tells ends with the name of the rule that is broken. An **error**
keeps the file from loading; a file with mere **warnings** loads. What actions take and put out is
checked where their catalogue is given.

<!-- Made by `python -m hatchet_schemas.checks.documentation`; edit the rules, not this page. -->
"""


def example_problems(rule: Rule, text: str | None = None) -> tuple[Problem, ...]:
    """Return the problems of the rule's example, or of ``text`` in its place."""
    text = rule.example.replace(MARKER, "") if text is None else text
    files = [SourceFile("order.yaml", text.encode())]
    if rule.before:
        files.insert(0, SourceFile("before.yaml", rule.before.encode()))
    catalogue = (
        Catalogue.model_validate({"actions": dict(EXAMPLE_ACTIONS)}) if rule.with_actions else None
    )
    return load_definitions(files, catalogue=catalogue)[1]


def rules_document() -> str:
    """Return the document of all rules, in Markdown; each rule's heading is its name."""
    parts = [_TITLE]
    for title, rules in RULE_GROUPS.items():
        rows = "".join(
            f"| [{rule.name}](#{rule.name}) | {rule.severity} | {_prose(rule.summary)} |\n"
            for rule in rules
        )
        parts.append(f"## {title}\n\n| rule | severity | what is wrong |\n|---|---|---|\n{rows}")
        parts += map(_section, rules)
    return "\n".join(parts)


def _section(rule: Rule) -> str:
    prose = _prose(f"{rule.severity.capitalize()}. {rule.summary} {rule.advice}")
    section = f"### {rule.name}\n\n{prose}\n"
    if not rule.example:
        return section
    shown = "\n".join(problem.with_caret() for problem in example_problems(rule))
    section += f"\n```text\n{shown}\n```\n"
    if rule.instead:
        section += f"\nInstead:\n\n```text\n{rule.instead}\n```\n"
    return section


def _prose(text: str) -> str:
    return _SIGNS_OF_MARKDOWN.sub(r"\\\g<0>", text)


if __name__ == "__main__":
    sys.stdout.write(rules_document())
