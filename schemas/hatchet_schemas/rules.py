"""All rules for workflow files, by their names."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from hatchet_schemas.checks.action_rules import ACTION_RULES
from hatchet_schemas.checks.file_rules import FILE_RULES
from hatchet_schemas.checks.grammar_rules import GRAMMAR_RULES
from hatchet_schemas.checks.rule import Rule, Severity
from hatchet_schemas.checks.step_rules import STEP_RULES
from hatchet_schemas.checks.template_rules import TEMPLATE_RULES
from hatchet_schemas.checks.trigger_rules import TRIGGER_RULES

__all__ = ["RULES", "RULE_GROUPS", "Rule", "Severity", "severity_of"]

RULE_GROUPS: Final[Mapping[str, tuple[Rule, ...]]] = MappingProxyType(
    {
        "Files": FILE_RULES,
        "Fields": GRAMMAR_RULES,
        "Triggers": TRIGGER_RULES,
        "Templates and conditions": TEMPLATE_RULES,
        "Steps": STEP_RULES,
        "Actions": ACTION_RULES,
    }
)
"""The rules by what they are about, in the order in which documents tell them."""

RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {rule.name: rule for rules in RULE_GROUPS.values() for rule in rules}
)
"""The rules by their names."""

_WARNINGS: Final = frozenset(rule.name for rule in RULES.values() if rule.severity == "warning")


def severity_of(rule: str) -> Severity:
    """Return how bad it is to break the rule of that name."""
    return "warning" if rule in _WARNINGS else "error"
