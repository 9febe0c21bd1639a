from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from hatchet_router.folder import load_folder, load_paths
from hatchet_schemas import SourceFile, load_definitions
from hatchet_schemas.catalogue import Catalogue
from hatchet_schemas.checks.dollar_signs import foreign_dollar_sign
from hatchet_schemas.checks.workflow import workflow_findings
from hatchet_schemas.rules import RULES
from hatchet_schemas.workflows import Workflow

ROOT = Path(__file__).parents[3]
SIGN_UP = """\
name: "Post User Sign Up"
on:
  - user:create
jobs:
  create-resources:
    steps:
      - name: Create sandbox environment
        id: createSandbox
        actionId: sandbox:create
        timeout: 60s
  greet-user:
    steps:
      - name: Greet user
        id: greetUser
        actionId: postmark:email-from-template
        timeout: 15s
        with:
          firstName: "{{ .user.firstName }}"
          email: "{{ .user.email }}"
"""


@pytest.mark.parametrize("folder", sorted((ROOT / "examples").glob("*/.hatchet")), ids=str)
def test_our_examples_have_no_problems(folder: Path) -> None:
    definitions, problems = load_folder(folder)

    assert definitions
    assert problems == ()


@pytest.mark.parametrize("on", ["[eventkey1, eventkey2]", '{cron: {schedule: "random_hourly"}}'])
def test_what_the_seed_shows_has_no_problems(on: str) -> None:
    text = SIGN_UP.replace("\n  - user:create", f" {on}")
    if "cron" in on:
        text = text[: text.index("  greet-user:")]

    assert load_definitions([SourceFile("w", text.encode())])[1] == ()


def test_folders_and_paths_pass_on_what_is_known(tmp_path: Path) -> None:
    step = "{id: s, action: a:b, timeout: 1s, with: {x: '{{ .vars.global }}'}}"
    file = tmp_path / "w.yaml"
    file.write_text(f"name: W\non: k\njobs: {{j: {{steps: [{step}]}}}}\n")

    def rules(**options: Any) -> list[list[str]]:
        loaded = (load_folder(tmp_path, **options), load_paths([file], **options))
        return [[problem.rule for problem in problems] for _, problems in loaded]

    assert rules() == [["unknown-var"]] * 2
    assert rules(known_vars={"global"}) == [[]] * 2
    known = {"known_vars": {"global"}, "catalogue": Catalogue()}
    assert rules(**known) == [["unknown-action"]] * 2


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("${{ .user.email }}", 0),
        ("  ${{ steps.a.outputs.x }} ", 2),
        ("Bearer ${{ secrets.TOKEN }}", 7),
        ("Bearer ${{ .secrets.TOKEN }}", 7),
        ("costs ${{ .price }}", None),
        ("${{ .price }} of ${{ .total }}", None),
        ("{{ '$' }}{{ .price }}", None),
        ("{{ .user.email }}", None),
        ("$ {{ .user.email }}", None),
    ],
)
def test_a_dollar_sign_of_github_actions_is_found(text: str, offset: int | None) -> None:
    """It would stay in the text; as that of a price it is meant."""
    assert foreign_dollar_sign(text) == offset


# whatever validates can be checked

NAMES = st.sampled_from(["a", "b", "step-1", "c.d", "0", "steps", "event"])
PATHS = st.lists(
    st.sampled_from(
        """steps event vars secrets input job workflow env github matrix setps step
        a b step-1 outputs outcome failure type id key data x 0 [0] ['a'] [.a] [-1]""".split()
    ),
    min_size=1,
    max_size=5,
).map(lambda parts: "".join(part if part.startswith("[") else f".{part}" for part in parts))
EXPRESSIONS = st.recursive(
    PATHS
    | st.sampled_from("1 0 true false none 'text' '' [] {} [1] 1.5 -1".split())
    | st.sampled_from(["success()", "failure()", "cancelled()", "always()"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("and or == != < in ~ + / if".split()), inner).map(
            " ".join
        ),
        inner.map(lambda text: f"not {text}"),
        inner.map(lambda text: f"({text})"),
        st.tuples(inner, inner).map(lambda both: f"{both[0]} | default({both[1]})"),
        inner.map(lambda text: f"{text} is defined"),
        inner.map(lambda text: f"{text} | upper"),
        st.tuples(inner, inner, inner).map(lambda all_: "{} if {} else {}".format(*all_)),
        inner.map(lambda text: f"[{text}]"),
    ),
    max_leaves=5,
)
CONDITIONS = EXPRESSIONS | EXPRESSIONS.map("{{{{ {} }}}}".format) | st.booleans()
TEXTS = st.one_of(
    EXPRESSIONS.map("{{{{ {} }}}}".format),
    EXPRESSIONS.map("text {{{{ {} }}}} text".format),
    EXPRESSIONS.map("{{% if {} %}}yes{{% endif %}}".format),
    st.sampled_from(["{{ .secrets.A }}", "Bearer {{ .secrets.B }}", "text"]),
)
WITHS = st.dictionaries(
    st.sampled_from(["x", "y", "id", "tags"]),
    st.recursive(
        TEXTS | st.none() | st.booleans() | st.integers(-5, 5) | st.floats(-2, 2),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["x", "id", "k"]), inner, max_size=3)
        ),
        max_leaves=4,
    ),
    max_size=3,
)
DURATIONS = st.sampled_from(["1s", "1m", "1h"])
RETRIES = st.fixed_dictionaries({}, optional={"attempts": st.integers(1, 5)})
MODES = st.sampled_from(["regular", "local"])
STEPS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"id": NAMES, "action": st.sampled_from(["a:b", "a:c", "a:d"]), "timeout": DURATIONS},
    optional={
        "if": CONDITIONS,
        "with": WITHS,
        "retry": RETRIES,
        "continue-on-error": st.booleans(),
        "mode": MODES,
    },
)
JOBS = st.fixed_dictionaries(
    {"steps": st.lists(STEPS, min_size=1, max_size=4, unique_by=lambda step: str(step["id"]))},
    optional={"if": CONDITIONS, "timeout": DURATIONS, "mode": MODES},
)
EVENTS = st.sampled_from(["a", "a.b", "a.*", "#", "a..b", ".", "#.#.#.#.#"])
TRIGGERS = st.fixed_dictionaries(
    {},
    optional={
        "events": st.lists(
            EVENTS | st.fixed_dictionaries({"event": EVENTS}, optional={"if": CONDITIONS}),
            max_size=4,
        ),
        "cron": st.just([{"schedule": "@daily"}, {"schedule": "@daily"}]),
    },
)
WORKFLOWS = st.fixed_dictionaries(
    {
        "name": st.just("W"),
        "on": TRIGGERS,
        "jobs": st.dictionaries(NAMES, JOBS, min_size=1, max_size=2),
    },
    optional={
        "vars": st.dictionaries(NAMES, st.integers(), max_size=2),
        "secrets": st.lists(st.sampled_from(["A", "B", "C"]), max_size=2),
        "defaults": st.fixed_dictionaries({"retry": RETRIES}),
    },
)

KEYWORDS = "type properties required additionalProperties items prefixItems enum const".split()
SCHEMAS = st.recursive(
    st.booleans()
    | st.none()
    | st.integers(0, 2)
    | st.sampled_from(
        ["object", "string", "integer", "array", "null", "#", "#/$defs/x", "#/x/y", "x", "id"]
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [*KEYWORDS, "$ref", "$defs", "anyOf", "oneOf", "allOf", "discriminator", "x", "id"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
MAPS = st.dictionaries(st.sampled_from([*KEYWORDS, "$ref", "$defs", "anyOf"]), SCHEMAS, max_size=4)
SIGNATURES = st.fixed_dictionaries(
    {},
    optional={
        "semantics": st.sampled_from(["at-most-once", "idempotent"]),
        "with": MAPS,
        "outputs": MAPS,
    },
)
CATALOGUES = st.none() | st.dictionaries(st.sampled_from(["a:b", "a:c"]), SIGNATURES).map(
    lambda actions: Catalogue.model_validate({"actions": actions})
)
SLOW = settings(
    max_examples=500,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@given(WORKFLOWS, CATALOGUES)
@SLOW
def test_whatever_validates_can_be_checked(data: Any, catalogue: Catalogue | None) -> None:
    """Each finding stands inside the file, is told in one line, and breaks a known rule."""
    text = json.dumps(data, indent=1)
    lines = text.split("\n")
    definitions, problems = load_definitions([SourceFile("w", text.encode())], catalogue=catalogue)
    assert bool(definitions) != any(problem.severity == "error" for problem in problems)
    for problem in problems:
        assert problem.rule in RULES
        assert "\n" not in str(problem)
        assert len(str(problem)) < 500
        assert problem.column <= len(lines[problem.line - 1]) + 1


@given(WORKFLOWS)
@settings(SLOW, max_examples=100)
def test_a_check_says_the_same_each_time(data: Any) -> None:
    try:
        workflow = Workflow.model_validate(data)
    except ValidationError:
        return

    assert list(workflow_findings(workflow)) == list(workflow_findings(workflow))


@pytest.mark.heavy
@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "step",
    [
        {"with": {"x": "{{ .steps.wrong-NUMBER.x }}"}},
        {"with": {"x": "{{ .steps.wrong-NUMBER.x }}{{ .event.x }}{{ .vars.a-NUMBER }}"}},
        {"if": "failure() and .steps.wrong-NUMBER.x"},
        {"with": {"wrong-NUMBER": 1}},
        {"action": "stock:resrve-NUMBER"},
    ],
    ids=json.dumps,
)
def test_thousands_of_findings_are_told_soon(step: dict[str, Any]) -> None:
    fields: dict[str, Any] = {f"field-{number}": {} for number in range(1_000)}
    schema = {"type": "object", "properties": fields, "additionalProperties": False}
    actions = {f"a:b-{number}": {"with": schema} for number in range(1_000)}
    catalogue = Catalogue.model_validate({"actions": actions})
    steps = [
        {
            "id": f"step-{number}",
            "action": "a:b-1",
            **json.loads(json.dumps(step).replace("NUMBER", str(number))),
        }
        for number in range(2_000)
    ]
    workflow = {
        "name": "W",
        "on": "k",
        "defaults": {"timeout": "1s"},
        "jobs": {"j": {"steps": steps}},
    }
    text = json.dumps(workflow, separators=(",", ":"))

    started = time.process_time()
    _, problems = load_definitions([SourceFile("w", text.encode())], catalogue=catalogue)

    assert len(problems) > 100
    assert time.process_time() - started < 15
