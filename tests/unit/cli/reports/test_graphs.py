from __future__ import annotations

import re

import pytest

from hatchet_cli.reports.mermaid import mermaid_lines
from hatchet_cli.reports.tree import tree_lines
from hatchet_schemas import Definition, SourceFile, load_definitions

PAID = """\
name: Order paid
on:
  events:
    - order.paid
    - {event: "order.*", if: .amount > 100}
  cron: {schedule: "@daily", timezone: Europe/Berlin}
jobs:
  ship:
    queue: internal
    if: .active
    steps:
      - {id: reserve, action: "stock:reserve", timeout: 1s}
      - {id: tell, action: "slack:send", timeout: 1s, mode: local, if: .steps.reserve.outputs.found}
  book:
    steps: [{id: book, action: "ledger:book", timeout: 1s}]
"""
AUDIT = """\
name: Audit
on: [order.paid]
jobs: {write: {steps: [{id: write, action: "audit:write", timeout: 1s}]}}
"""


def loaded(*texts: str) -> tuple[Definition, ...]:
    sources = [
        SourceFile(f"{number}.yaml", text.encode()) for number, text in enumerate(texts, start=1)
    ]
    definitions, problems = load_definitions(sources)
    assert [problem for problem in problems if problem.severity == "error"] == []
    return definitions


def named(name: str) -> str:
    return AUDIT.replace("Audit", name)


def test_the_tree_leads_from_events_to_steps() -> None:
    assert "\n".join(tree_lines(loaded(PAID, AUDIT))) == (
        """\
order.paid
├─ Order paid  1.yaml
│  ├─ ship  [internal]  if .active
│  │  ├─ reserve  stock:reserve
│  │  └─ tell     slack:send  local  if .steps.reserve.outputs.found
│  └─ book  [default]
│     └─ book  ledger:book
└─ Audit  2.yaml
   └─ write  [default]
      └─ write  audit:write

order.*
└─ Order paid  if .amount > 100  (see above)

cron @daily, Europe/Berlin
└─ Order paid  (see above)"""
    )


def test_no_line_of_the_tree_is_wider_than_a_terminal_or_steers_it() -> None:
    condition = f".{'x' * 200} == 1"
    text = PAID.replace(".active", condition).replace("Order paid", "A \u202e B")

    lines = list(tree_lines(loaded(text)))

    assert max(map(len, lines)) == 80
    assert all(line.isprintable() for line in lines)


def test_the_flowchart_has_events_workflows_jobs_and_steps() -> None:
    assert "\n".join(mermaid_lines(loaded(PAID, AUDIT))) == (
        """\
flowchart LR
    e1(["order.paid"])
    e2(["order.#42;"])
    w1c1{{"cron @daily<br>Europe/Berlin"}}
    subgraph w1["Order paid"]
        subgraph w1j1["ship<br>queue internal<br>if .active"]
            direction LR
            w1j1s1["reserve<br>stock:reserve"]
            w1j1s2["tell<br>slack:send<br>local<br>if .steps.reserve.outputs.found"]
            w1j1s1 --> w1j1s2
        end
        subgraph w1j2["book<br>queue default"]
            direction LR
            w1j2s1["book<br>ledger:book"]
        end
    end
    subgraph w2["Audit"]
        subgraph w2j1["write<br>queue default"]
            direction LR
            w2j1s1["write<br>audit:write"]
        end
    end
    e1 --> w1
    e2 -->|"if .amount #62; 100"| w1
    w1c1 --> w1
    e1 --> w2"""
    )


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("'a \"b\" c'", "a #34;b#34; c"),
        ("'<b>x</b>'", "#60;b#62;x#60;/b#62;"),
        ("'#35; & `x`'", "#35;35#59; #38; #96;x#96;"),
        ("'a_b *c* [d] {e} |f|'", "a#95;b #42;c#42; #91;d#93; #123;e#125; #124;f#124;"),
        ("'%% x'", "#37;#37; x"),
        ("'1. x'", "1#46; x"),
        ("'2) x'", "2#41; x"),
        ("'- x'", "#45; x"),
        ("Größe … 注文", "Größe #8230; 注文"),
    ],
)
def test_no_text_is_taken_for_markup_by_mermaid(name: str, label: str) -> None:
    assert f'    subgraph w1["{label}"]' in list(mermaid_lines(loaded(named(name))))


def test_a_condition_of_several_lines_stays_on_one() -> None:
    text = PAID.replace(".active", '".active\\n      and .x"')
    definitions = loaded(text)

    assert any("if .active and .x" in line for line in mermaid_lines(definitions))
    assert any("if .active and .x" in line for line in tree_lines(definitions))


def test_each_place_in_the_flowchart_has_a_name_of_its_own() -> None:
    lines = list(mermaid_lines(loaded(PAID, AUDIT, named("Other"))))
    names = [
        match[1]
        for line in lines
        if (match := re.match(r" +(?:subgraph )?(\w+)[\[({]", line)) is not None
    ]

    assert len(names) == len(set(names)) == 15
