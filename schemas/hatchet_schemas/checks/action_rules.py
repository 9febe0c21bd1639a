"""The rules that need to know the actions: what they take and put out."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final

from hatchet_schemas.checks.rule import BOOK, ORDER_PAID, Rule

__all__ = ["ACTION_RULES", "EXAMPLE_ACTIONS"]

EXAMPLE_ACTIONS: Final = MappingProxyType[str, Any](
    {
        "stock:reserve": {
            "description": "Takes goods from the shelf.",
            "with": {
                "type": "object",
                "properties": {"count": {"type": "integer"}, "note": {"type": "string"}},
            },
            "outputs": {
                "type": "object",
                "properties": {"shelf": {"type": "string"}, "weight": {"type": "number"}},
                "additionalProperties": False,
            },
        },
        "ledger:book": {
            "description": "Books an amount.",
            "semantics": "at-most-once",
            "with": {
                "type": "object",
                "properties": {"amount": {"type": "number"}, "text": {"type": "string"}},
                "required": ["amount"],
                "additionalProperties": False,
            },
            "outputs": {"type": "object", "properties": {"entry": {"type": "string"}}},
        },
    }
)
"""The actions of the examples, as a catalogue has them."""


def _broken(name: str, summary: str, advice: str, example: str, instead: str) -> Rule:
    return Rule(name, "error", summary, advice, example, instead, with_actions=True)


def _suspicious(name: str, summary: str, advice: str, example: str, instead: str) -> Rule:
    return Rule(name, "warning", summary, advice, example, instead, with_actions=True)


ACTION_RULES: Final = (
    _broken(
        "unknown-action",
        "A step calls an action that no worker of the catalogue has.",
        "The step would wait for a worker that knows it, and fail. Correct the id, or make the "
        "catalogue anew if the action is.",
        ORDER_PAID.replace("stock:reserve", "§stock:reserv"),
        "        actionId: stock:reserve",
    ),
    _broken(
        "missing-input",
        "A step's with lacks a field that its action needs.",
        "The action would refuse it, in each attempt. Add the field.",
        ORDER_PAID + BOOK + "        §with: {text: paid}\n",
        '        with: {text: paid, amount: "{{ .order.total }}"}',
    ),
    _broken(
        "unknown-input",
        "A step's with has a field that its action does not take.",
        "The action would refuse it. Mostly it is misspelt.",
        ORDER_PAID + BOOK + "        with: {amount: 5, §txt: paid}\n",
        "        with: {amount: 5, text: paid}",
    ),
    _suspicious(
        "misspelt-input",
        "A step's with has a field that its action does not know, but one much like it.",
        "The action takes any field, so that this one is probably passed over. Correct its name.",
        ORDER_PAID + "        with: {§cuont: 2}\n",
        "        with: {count: 2}",
    ),
    _broken(
        "wrong-input",
        "A value in a step's with is not what its action takes there.",
        "The action would refuse it. The message says what it takes.",
        ORDER_PAID + "        with: {count: §two}\n",
        "        with: {count: 2}",
    ),
    _broken(
        "unknown-output",
        "A template names a field that the step's action does not put out.",
        "Rendering it would fail. Correct the field's name.",
        ORDER_PAID
        + BOOK
        + '        with: {amount: 5, text: "{{ .steps.reserve.outputs.§shelves }}"}\n',
        '        with: {amount: 5, text: "{{ .steps.reserve.outputs.shelf }}"}',
    ),
    _suspicious(
        "misspelt-output",
        "A template names a field that the step's action is not known to put out, but one much "
        "like it.",
        "The action may put out more than its schema says, but this is probably a slip. Correct "
        "the field's name.",
        ORDER_PAID
        + BOOK
        + "        with: {amount: 5}\n      - id: note\n        actionId: stock:reserve\n"
        '        timeout: 15s\n        with: {note: "{{ .steps.book.§entri }}"}\n',
        '        with: {note: "{{ .steps.book.entry }}"}',
    ),
    _broken(
        "local-at-most-once",
        "A local step calls an action that must not run twice.",
        "Its author declares it at-most-once, and a local step is run again, with the local steps "
        "before it, when its worker is lost. The worker refuses it. Write mode: regular.",
        ORDER_PAID
        + BOOK.replace("15s", "5s")
        + "        with: {amount: 5}\n        mode: §local\n",
        "        mode: regular",
    ),
)
