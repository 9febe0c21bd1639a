"""The rules for files as such: that they can be found and read, and are YAML."""

from __future__ import annotations

from typing import Final

from hatchet_schemas.checks.rule import ORDER_PAID, Rule

__all__ = ["FILE_RULES"]

FILE_RULES: Final = (
    Rule(
        "not-found",
        "error",
        "There is no such file or folder, or the folder holds no workflow file.",
        "Workflow files are the *.yaml and *.yml below .hatchet, or below the folder that --dir or "
        "HATCHET_WORKFLOWS names. Hidden files and folders are passed over.",
    ),
    Rule(
        "unreadable",
        "error",
        "A file or folder cannot be read, or is a link to outside of the folder.",
        "A workflow that is silently missing would start nothing. Mend the permissions or the "
        "link, or remove the file.",
    ),
    Rule(
        "too-large",
        "error",
        "A file is larger, deeper or holds more than a workflow file may, or there are too many.",
        "A file has at most 256 KB, 32 levels and 20,000 values, what anchors stand for counted "
        "each time; a folder has at most 20,000 files. Split the workflow; large data belongs into "
        "the event or into the action.",
        example="name: Order paid\non: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[§[order.paid"
        "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\njobs: {ship: {steps: [{id: reserve, "
        "actionId: stock:reserve, timeout: 15s}]}}\n",
        instead="on: [order.paid]",
    ),
    Rule(
        "yaml-syntax",
        "error",
        "The file is not YAML as workflow files use it.",
        "It is YAML 1.2 in UTF-8: one document, no tags, no merge keys (<<). Quote texts that "
        "start with one of @ ` % & * ! | > [ { or hold ': ' or ' #'.",
        example=ORDER_PAID + "        with: {order: §@id}\n",
        instead='        with: {order: "@id"}',
    ),
    Rule(
        "duplicate-key",
        "error",
        "A map has the same field twice.",
        "Only one of the two could hold. Keep one, or put both into a list where the field takes "
        "one.",
        example=ORDER_PAID + "        §timeout: 30s\n",
        instead="",
    ),
    Rule(
        "empty-file",
        "error",
        "There is nothing in the file.",
        "Write a workflow, or delete the file.",
        example="§# to be written\n",
        instead=ORDER_PAID.removesuffix("\n"),
    ),
    Rule(
        "duplicate-workflow",
        "error",
        "Another file holds a workflow of the same name.",
        "The name is part of each run's identity: of two workflows with one name, each event would "
        "start one only. Give them different names.",
        example=ORDER_PAID.replace("name: ", "name: §"),
        instead="name: Order paid, shipping",
        before=ORDER_PAID,
    ),
)
