"""The rules for templates and conditions, and for the names in them."""

from __future__ import annotations

from typing import Final

from hatchet_schemas.checks.rule import BOOK, ORDER_PAID, Rule

__all__ = ["TEMPLATE_RULES"]

TEMPLATE_RULES: Final = (
    Rule(
        "template",
        "error",
        "A template cannot be read.",
        "Templates are Jinja without loops, calls and assignments. What reads as a habit from Go "
        "or GitHub Actions is answered with what to write here.",
        example=ORDER_PAID + '        with: {order: "{{ .order.id §&& .user }}"}\n',
        instead='        with: {order: "{{ .order.id and .user }}"}',
    ),
    Rule(
        "unknown-filter",
        "error",
        "A template uses a filter or a test that there is not.",
        "The message lists those that there are, or names the one that is meant.",
        example=ORDER_PAID + '        with: {order: "{{ .order.id | §uper }}"}\n',
        instead='        with: {order: "{{ .order.id | upper }}"}',
    ),
    Rule(
        "condition",
        "error",
        "An if is empty, or is more than one expression.",
        "Text around {{ … }} would make a text, which is always true. Write the comparison inside "
        "the braces, or leave them out.",
        example=ORDER_PAID + '        if: "§{{ .order.total }} > 100"\n',
        instead='        if: "{{ .order.total > 100 }}"',
    ),
    Rule(
        "secret-use",
        "error",
        "A secret stands where its value would have to be known.",
        "Only the worker that calls the action knows it. So a secret stands on its own in with, "
        "{{ .secrets.NAME }}, with or without text around it: not in a condition, a filter or an "
        "operator.",
        example=ORDER_PAID + '        with: {token: "{{ .§secrets.TOKEN | upper }}"}\n',
        instead='        with: {token: "{{ .secrets.TOKEN }}"}',
    ),
    Rule(
        "unlisted-secret",
        "error",
        "A template names a secret that is not in the workflow's secrets.",
        "Where a workflow lists secrets, it uses no others. Correct the name, or add it to the "
        "list.",
        example=ORDER_PAID.replace("jobs:", "secrets: [STOCK_TOKEN]\njobs:")
        + '        with: {a: "{{ .secrets.STOCK_TOKEN }}", b: "{{ .secrets.§STOCK_TOKN }}"}\n',
        instead='        with: {a: "{{ .secrets.STOCK_TOKEN }}"}',
    ),
    Rule(
        "unused-secret",
        "warning",
        "A workflow lists a secret that no template names.",
        "The list should say what the workflow can reach. Remove the name.",
        example=ORDER_PAID.replace("jobs:", "secrets: [§STOCK_TOKEN]\njobs:"),
        instead="",
    ),
    Rule(
        "status-function",
        "error",
        "success(), failure(), cancelled() or always() stands in the if of a trigger or a job.",
        "They ask how the steps before went, and there are none yet. Put them into the if of a "
        "step.",
        example=ORDER_PAID.replace("    steps:", "    if: §always() and .order.id\n    steps:"),
        instead="    if: .order.id",
    ),
    Rule(
        "unknown-step",
        "error",
        "A template or a condition names a step that its job does not have.",
        "A step is known by its id, in its own job only: jobs run in parallel. Correct the id, or "
        "move the step into the job.",
        example=ORDER_PAID + BOOK + '        with: {shelf: "{{ .steps.§reserv.shelf }}"}\n',
        instead='        with: {shelf: "{{ .steps.reserve.shelf }}"}',
    ),
    Rule(
        "step-order",
        "error",
        "A step refers to itself, or to a step behind it.",
        "Steps run one after another, so that there is nothing to refer to yet. Change the order "
        "of the steps.",
        example=ORDER_PAID + '        with: {entry: "{{ .steps.§book.id }}"}\n' + BOOK,
        instead='        with: {order: "{{ .order.id }}"}',
    ),
    Rule(
        "out-of-scope",
        "error",
        "A condition uses a name that is not known where it is decided.",
        "The if of a trigger is decided in the router, before there is a job, and that of a job "
        "before its steps. Put the condition into the if of a step.",
        example=ORDER_PAID.replace("    steps:", "    if: .§steps.reserve.shelf\n    steps:"),
        instead="    if: .order.id",
    ),
    Rule(
        "unknown-name",
        "error",
        "A name of ours is followed by a field that it does not have.",
        ".event has id, key, time and source; .workflow and .job are texts; a step's failure has "
        "type and message. The event's own fields stand at the root, and below .input.",
        example=ORDER_PAID + '        with: {order: "{{ .event.§idd }}"}\n',
        instead='        with: {order: "{{ .event.id }}"}',
    ),
    Rule(
        "no-event-data",
        "error",
        "A workflow that only the clock starts reads a field of the event.",
        "A run by the clock has no event data. Use vars, or add the event to on.",
        example=ORDER_PAID.replace("on: order.paid", "on: {cron: {schedule: '@daily'}}")
        + '        with: {order: "{{ .§order.id }}"}\n',
        instead='        with: {order: "{{ .event.id }}"}',
    ),
    Rule(
        "foreign-name",
        "warning",
        "A name at the root looks like one of ours, or of GitHub Actions, but is read from the "
        "event.",
        "Write the name that is meant. Where the event really has a field of that name, write "
        ".input before it.",
        example=ORDER_PAID.replace("jobs:", "vars: {shelf: a}\njobs:")
        + '        with: {shelf: "{{ .§var.shelf }}"}\n',
        instead='        with: {shelf: "{{ .vars.shelf }}"}',
    ),
    Rule(
        "dollar-sign",
        "warning",
        "A template has a dollar sign before it, as in GitHub Actions.",
        "The sign is no part of a template here, so it stays in the text. Leave it out. Where it "
        "is meant, as of a price, make it one: {{ '$' }}{{ .price }}. In a longer text, such as "
        "costs ${{ .price }}, it is taken as meant, unless a secret follows.",
        example=ORDER_PAID + '        with: {order: "§${{ .order.id }}"}\n',
        instead='        with: {order: "{{ .order.id }}"}',
    ),
    Rule(
        "unknown-var",
        "warning",
        "A template names a var that neither the file nor the settings have.",
        "Rendering it will fail. Correct the name, add it to vars or to HATCHET_VARS, or allow for "
        "its absence with default.",
        example=ORDER_PAID + '        with: {shelf: "{{ .vars.§shelf }}"}\n',
        instead="        with: {shelf: \"{{ .vars.shelf | default('a') }}\"}",
    ),
)
