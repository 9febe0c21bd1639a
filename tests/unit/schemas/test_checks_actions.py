from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from hatchet_schemas import Problem, SourceFile, load_definitions
from hatchet_schemas.catalogue import Catalogue
from hatchet_schemas.checks.inputs import Inputs
from hatchet_schemas.checks.outputs import output_fault
from hatchet_schemas.checks.suggestions import Suggestions
from hatchet_schemas.problems import Finding

Loc = tuple[str | int, ...]

TEXT = {"type": "string"}
NUMBER = {"type": "number"}
COUNT = {"type": "integer"}


def closed(required: tuple[str, ...] = (), **properties: object) -> dict[str, Any]:
    """Return the schema of a map with these fields and no others."""
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "required": list(required)} if required else schema


def opened(required: tuple[str, ...] = (), **properties: object) -> dict[str, Any]:
    """Return the schema of a map that may have other fields, too."""
    schema = closed(required, **properties)
    del schema["additionalProperties"]
    return schema


def findings(schema: dict[str, Any], given: object) -> list[Finding]:
    """Return what is wrong with a step's ``with``."""
    return Inputs(Suggestions()).findings("a:b", schema, given, ("with",))


def of_value(schema: object, value: object) -> list[tuple[Loc, str]]:
    """Return where and why ``value`` does not fit; it must be its kind that is wrong."""
    found = findings(closed(x=schema), {"x": value})
    assert {finding.rule for finding in found} <= {"wrong-input"}
    return [(finding.loc[2:], finding.message) for finding in found]


# fields


@pytest.mark.parametrize(
    ("schema", "given", "rule", "loc", "message"),
    [
        (closed(("x",), x=TEXT), {}, "missing-input", (), "a:b needs the field 'x'"),
        (opened(("x",), x=TEXT), {"y": 1}, "missing-input", (), "a:b needs the field 'x'"),
        (
            closed(("channel",), channel=TEXT),
            {"chanel": "x"},
            "missing-input",
            ("chanel",),
            "a:b needs 'channel': is that what 'chanel' is meant to be?",
        ),
        (
            opened(("channel",), channel=TEXT),
            {"chanel": "x"},
            "missing-input",
            ("chanel",),
            "a:b needs 'channel'",
        ),
        (
            closed(text=TEXT, to=TEXT),
            {"txt": 1},
            "unknown-input",
            ("txt",),
            "a:b takes no field 'txt': did you mean 'text'?",
        ),
        (
            closed(text=TEXT, to=TEXT),
            {"zzz": 1},
            "unknown-input",
            ("zzz",),
            "a:b takes no field 'zzz': there are 'text', 'to'",
        ),
        (closed(), {"zzz": 1}, "unknown-input", ("zzz",), "no field 'zzz': there are none"),
        (opened(text=TEXT), {"texd": 1}, "misspelt-input", ("texd",), "did you mean 'text'?"),
        (
            closed(user=closed(("id",), id=TEXT)),
            {"user": {}},
            "missing-input",
            ("user",),
            "'user' needs the field 'id'",
        ),
        (
            closed(users={"type": "array", "items": closed(id=TEXT)}),
            {"users": [{"id": "1"}, {"idd": "2"}]},
            "unknown-input",
            ("users", 1, "idd"),
            "1 takes no field 'idd': did you mean 'id'?",
        ),
    ],
)
def test_a_field_that_is_missing_or_not_taken_is_told(
    schema: dict[str, Any], given: object, rule: str, loc: Loc, message: str
) -> None:
    [finding] = findings(schema, given)

    assert (finding.rule, finding.loc, finding.at_key) == (rule, ("with", *loc), True)
    assert message in finding.message


@pytest.mark.parametrize(
    ("schema", "given"),
    [
        ({}, {"x": 1}),
        ({"type": "object"}, {"x": 1}),
        ({"type": "object", "additionalProperties": True}, {"x": 1}),
        (opened(text=TEXT), {"zzz": 1}),
        (opened(text=TEXT), {"text": "x", "texd": 1}),
        ({**opened(text=TEXT), "additionalProperties": True}, {"texd": 1}),
        ({**closed(text=TEXT), "patternProperties": {"^x-": {}}}, {"x-y": 1}),
        ({**opened(), "additionalProperties": TEXT}, {"any": "x"}),
        (closed(("x",), x=TEXT), {"x": "{{ .a }}"}),
        (closed(x=TEXT), {}),
    ],
)
def test_fields_that_may_be_taken_are_let_pass(schema: dict[str, Any], given: object) -> None:
    assert findings(schema, given) == []


# values


@pytest.mark.parametrize(
    ("schema", "value", "message"),
    [
        (TEXT, 5, "expected a text, found the number 5"),
        (TEXT, None, "expected a text, found nothing"),
        (TEXT, True, "expected a text, found true"),
        (TEXT, ["x"], "expected a text, found a list"),
        (COUNT, "five", "expected a whole number, found the text 'five'"),
        (COUNT, "", "expected a whole number, found the text ''"),
        (COUNT, 5.5, "expected a whole number, found the number 5.5"),
        (COUNT, "5.5", "expected a whole number, found the text '5.5'"),
        (COUNT, {}, "expected a whole number, found a map"),
        (NUMBER, "x", "expected a number, found the text 'x'"),
        ({"type": "boolean"}, "maybe", "expected true or false, found the text 'maybe'"),
        ({"type": "boolean"}, 2, "expected true or false, found the number 2"),
        ({"type": "array"}, "x", "expected a list, found the text 'x'"),
        ({"type": "array"}, {}, "expected a list, found a map"),
        ({"type": "object"}, [], "expected a map, found a list"),
        ({"type": "null"}, 1, "expected nothing, found the number 1"),
        ({"type": ["string", "null"]}, 1, "expected a text or nothing, found the number 1"),
        ({"anyOf": [TEXT, COUNT]}, [], "expected a text or a whole number, found a list"),
        ({"anyOf": [COUNT, {"type": "null"}]}, "x", "expected a whole number or nothing, found"),
        ({"oneOf": [{"type": "array"}, {"type": "object"}]}, 1, "expected a list or a map, found"),
        ({"allOf": [TEXT]}, 1, "expected a text, found the number 1"),
        ({"enum": ["red", "green"]}, "rde", "expected 'red', found the text 'rde'"),
        ({"enum": ["a", 1]}, "zzz", "one of: the text 'a', the number 1, found the text 'zzz'"),
        ({"const": "x"}, "zzz", "expected the text 'x', found the text 'zzz'"),
        ({"type": "string", "enum": ["x"]}, "zzz", "expected the text 'x', found"),
    ],
)
def test_a_value_of_the_wrong_kind_is_told(
    schema: dict[str, Any], value: object, message: str
) -> None:
    [(loc, said)] = of_value(schema, value)

    assert loc == ()
    assert message in said


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        # as pydantic reads JSON, unless it is told to be strict
        (COUNT, "5"),
        (COUNT, " -5 "),
        (COUNT, 5.0),
        (COUNT, "5.0"),
        (COUNT, True),
        (NUMBER, "5.5e3"),
        (NUMBER, 5),
        ({"type": "boolean"}, "yes"),
        ({"type": "boolean"}, 0),
        ({"type": "string", "format": "date-time"}, 1700000000),
        ({"type": "string", "format": "duration"}, 5.5),
        ({"enum": [1, 2]}, "1"),
        ({"enum": [1, 2]}, "1.0"),
        ({"const": 1}, 1.0),
        ({"enum": ["a", None]}, None),
        # what says nothing, or is not understood
        ({}, object),
        (True, 5),
        ({"type": "file"}, 5),
        ({"type": None}, 5),
        ({"$ref": "#/$defs/none"}, 5),
        ({"$ref": "https://example.com/other.json"}, 5),
        ({"$ref": "#"}, {}),
        ({"enum": "x"}, 5),
        ({"anyOf": []}, 5),
        ({"anyOf": [TEXT, {}]}, 5),
        ({"properties": 5, "required": 7}, {"a": 1}),
        ({"type": "array", "items": TEXT, "prefixItems": [COUNT]}, [1, "x"]),
        # templates
        (COUNT, "{{ .count }}"),
        (COUNT, "{{ .count }}0"),
        (COUNT, "{{ .a }}{{ .b }}"),
        (COUNT, "{% if .a %}1{% else %}2{% endif %}"),
        (NUMBER, "-{{ .n }}e5"),
        (TEXT, "Hello {{ .name }}"),
        ({"type": "boolean"}, "{{ .a }}"),
        ({"type": "boolean"}, "{{ .a }}es"),
        ({"type": "array"}, "{{ .list }}"),
        ({"type": "object"}, "{{- .map -}}"),
        ({"enum": ["x"]}, "{{ .a }}"),
        ({"enum": ["x"]}, "a{{ .a }}"),
        ({"anyOf": [{"type": "array"}, TEXT]}, "a{{ .a }}"),
        ({"type": ["array", "string"]}, "a{{ .a }}"),
    ],
)
def test_a_value_that_may_fit_is_let_pass(schema: object, value: object) -> None:
    assert of_value(schema, value) == []


@pytest.mark.parametrize(
    ("schema", "template"),
    [
        (COUNT, "about {{ .count }}"),
        (NUMBER, "{{ .count }} pieces"),
        ({"type": "boolean"}, "whether {{ .a }}"),
        ({"type": "array"}, "{{ .a }}, {{ .b }}"),
        ({"type": "array"}, "{{ .a }}{{ .b }}"),
        ({"type": "object"}, "{% if .a %}{{ .a }}{% endif %}"),
        ({"type": "null"}, "a{{ .b }}"),
        ({"anyOf": [{"type": "array"}, COUNT]}, "all of {{ .a }}"),
        ({"allOf": [{"type": "array"}]}, "all of {{ .a }}"),
        ({"type": "array"}, "Bearer {{ .secrets.X }}"),
    ],
)
def test_a_text_with_a_template_inside_is_a_text(schema: dict[str, Any], template: str) -> None:
    [(loc, message)] = of_value(schema, template)

    assert loc == ()
    assert message.endswith(", found a text")


def test_a_value_deep_inside_is_told_where_it_stands() -> None:
    schema = {"type": "array", "items": closed(to={"type": "array", "items": TEXT})}

    assert of_value(schema, [{"to": ["x", 5]}, {"to": "{{ .all }}"}]) == [
        ((0, "to", 1), "expected a text, found the number 5")
    ]


def test_what_additional_fields_hold_is_checked_too() -> None:
    assert of_value({"type": "object", "additionalProperties": TEXT}, {"any": 5}) == [
        (("any",), "expected a text, found the number 5")
    ]


def test_a_closed_alternative_says_what_is_wrong_inside_it() -> None:
    schema = {"anyOf": [closed(("id",), id=TEXT), {"type": "null"}]}

    assert of_value(schema, {"id": 5}) == [(("id",), "expected a text, found the number 5")]


def test_a_value_that_fits_no_alternative_is_told_as_a_whole() -> None:
    schema = {"anyOf": [closed(("a",), a=TEXT), closed(("b",), b=TEXT)]}

    [(loc, message)] = of_value(schema, {"a": 1, "b": 2})

    assert (loc, message) == (
        (),
        "expected one of the forms that a:b takes here, found a map that fits none",
    )


def test_an_alternative_is_chosen_by_its_tag() -> None:
    schema = {
        "discriminator": {
            "propertyName": "kind",
            "mapping": {"cat": "#/$defs/Cat", "dog": "#/$defs/Dog"},
        },
        "oneOf": [{"$ref": "#/$defs/Cat"}, {"$ref": "#/$defs/Dog"}],
    }
    definitions = {
        "Cat": closed(("kind", "lives"), kind={"const": "cat"}, lives=COUNT),
        "Dog": closed(("kind", "name"), kind={"const": "dog"}, name=TEXT),
    }
    whole = {**closed(pet=schema), "$defs": definitions}

    [finding] = findings(whole, {"pet": {"kind": "cat", "lives": "many"}})

    assert finding.loc == ("with", "pet", "lives")
    assert findings(whole, {"pet": {"kind": "dog", "name": "Rex"}}) == []
    assert findings(whole, {"pet": {"kind": "{{ .kind }}", "name": "Rex"}}) == []


def test_references_are_followed_and_may_go_round_in_circles() -> None:
    tree = {
        "$ref": "#/$defs/Tree",
        "$defs": {
            "Tree": closed(children={"type": "array", "items": {"$ref": "#/$defs/Tree"}}),
            "Loop": {"$ref": "#/$defs/Loop"},
            "a/b~c": TEXT,
        },
    }
    deep: dict[str, Any] = {"children": [{"children": [{"name": 1}]}]}

    assert [finding.rule for finding in findings(tree, deep)] == ["unknown-input"]
    assert findings({**tree, "$ref": "#/$defs/Loop"}, deep) == []
    assert len(findings({**tree, "$ref": "#/$defs/a~1b~0c"}, {})) == 1


@pytest.mark.heavy
@pytest.mark.timeout(60)
def test_a_schema_that_multiplies_is_given_up() -> None:
    schema = {"anyOf": [{"type": "array", "items": {"$ref": "#"}}] * 3}
    value: Any = "x"
    for _ in range(30):
        value = [value]

    assert findings(schema, value) == []


# what pydantic accepts


class Colour(Enum):
    """A choice of texts."""

    RED = "red"
    GREEN = "green"


class Level(IntEnum):
    """A choice of numbers."""

    LOW = 1
    HIGH = 2


class Inner(BaseModel):
    """A closed model."""

    model_config = ConfigDict(extra="forbid")

    id: int
    tags: list[str] = []


class Everything(BaseModel):
    """One field for each kind of value."""

    text: str = ""
    count: int = 0
    price: float = 0.0
    exact: Decimal = Decimal(0)
    on: bool = False
    day: date | None = None
    at: datetime | None = None
    wait: timedelta = timedelta()
    unique: UUID | None = None
    colour: Colour = Colour.RED
    level: Level = Level.LOW
    word: Literal["a", "b", 1] = "a"
    inner: Inner | None = None
    inners: list[Inner] = []
    by_name: dict[str, int] = {}
    pair: tuple[int, str] = (0, "")
    either: int | list[int] | Inner = 0
    names: set[str] = set()
    some: Annotated[int, Field(ge=1)] | None = None
    anything: Any = None


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([0.5, 1.0, "", "a", "red", "1", "1.0", "true", "2026-01-02", "PT5S", "nan"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "tags", "x"]), inner, max_size=3)
    ),
    max_leaves=4,
)


@given(st.sampled_from(list(Everything.model_fields)), VALUES)
@settings(max_examples=1_000, deadline=None)
def test_whatever_pydantic_accepts_is_let_pass(name: str, value: object) -> None:
    given = {name: value}
    try:
        Everything.model_validate_json(json.dumps(given))
    except ValidationError:
        return
    assert findings(Everything.model_json_schema(), given) == []


# outputs


def fault_in(schema: dict[str, Any], *path: str | int) -> tuple[int, str, bool] | None:
    """Return where the path ends too early, what is said, and whether it is certain."""
    fault = output_fault(schema, path, Suggestions())
    if fault is None:
        return None
    return fault.position, f"{fault.holder}: {fault.instead}", fault.certain


NESTED = closed(
    id=TEXT,
    user={"anyOf": [closed(name=TEXT, mail={"type": ["string", "null"]}), {"type": "null"}]},
    rows={"type": "array", "items": closed(id=TEXT)},
    pair={"type": "array", "prefixItems": [closed(a=TEXT), closed(b=TEXT)]},
    more={"type": "object", "additionalProperties": closed(n=NUMBER)},
    any={},
)


@pytest.mark.parametrize(
    ("path", "position", "message"),
    [
        (("idd",), 0, "does not put out: did you mean 'id'?"),
        (
            ("zzz", "x"),
            0,
            "does not put out: there are 'id', 'user', 'rows', 'pair', 'more', 'any'",
        ),
        (("id", "x"), 1, "has no field: it is a text"),
        (("user", "nmae"), 1, "has no field: did you mean 'name'?"),
        (("user", "mail", "x"), 2, "has no field: it is a text"),
        (("rows", "id"), 1, "has no field: it is a list"),
        (("rows", 0, "x"), 2, "has no field: there is 'id'"),
        (("pair", 0, "b"), 2, "has no field: there is 'a'"),
        (("pair", 1, "a"), 2, "has no field: there is 'b'"),
        (("more", "any", "x"), 2, "has no field: there is 'n'"),
    ],
)
def test_a_field_that_no_output_has_is_told(path: Loc, position: int, message: str) -> None:
    assert fault_in(NESTED, *path) == (position, message, True)


@pytest.mark.parametrize(
    "path",
    [
        (),
        ("id",),
        ("id", 0),
        ("user", "name"),
        ("rows", 0, "id"),
        ("rows", -1, "id"),
        ("pair", -1, "b"),
        ("pair", 7, "b"),
        ("more", "whatever", "n"),
        ("any", "thing", "at", 0, "all"),
    ],
)
def test_a_field_that_an_output_may_have_is_let_pass(path: Loc) -> None:
    assert fault_in(NESTED, *path) is None


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ({}, ("x",)),
        ({"type": "object"}, ("x",)),
        ({"type": ["object", "string"]}, ("x",)),
        ({"type": "null"}, ("x",)),
        ({"additionalProperties": False, "patternProperties": {"x": {}}, "properties": {}}, ("x",)),
        ({**opened(identity=TEXT), "additionalProperties": True}, ("identiti",)),
        (opened(identity=TEXT), ("zzz",)),
        ({"anyOf": [closed(a=TEXT), closed(b=TEXT)]}, ("b",)),
        ({"anyOf": [closed(a=TEXT), {}]}, ("b",)),
        ({"allOf": [closed(a=TEXT), opened(b=TEXT)]}, ("b",)),
        ({"$ref": "#"}, ("x",)),
    ],
)
def test_a_schema_that_leaves_it_open_accepts_any_field(schema: dict[str, Any], path: Loc) -> None:
    assert fault_in(schema, *path) is None


def test_alternatives_that_all_lack_a_field_lack_it() -> None:
    schema = {"oneOf": [closed(a=closed(x=TEXT)), closed(a=closed(y=TEXT))]}

    assert fault_in(schema, "a", "z") == (1, "has no field: there is 'x'", True)


def test_of_several_alternatives_the_one_that_goes_furthest_is_told() -> None:
    options = [closed(a=closed(x=TEXT)), closed(b=TEXT)]

    for order in (options, options[::-1]):
        assert fault_in({"anyOf": order}, "a", "z") == (1, "has no field: there is 'x'", True)


def test_neither_a_map_without_it_nor_a_text_has_a_field() -> None:
    schema = {**closed(a=TEXT), "type": ["object", "string"]}

    assert fault_in(schema, "z") == (0, "does not put out: there is 'a'", True)


def test_a_slip_in_an_open_schema_is_not_certain() -> None:
    assert fault_in(opened(identity=TEXT), "identiti") == (
        0,
        "is not known to put out: did you mean 'identity'?",
        False,
    )


class Outputs(BaseModel):
    """What an action may put out."""

    text: str
    inner: Inner | None
    either: list[Inner] | Inner | dict[str, Inner]


OUTPUTS = st.builds(
    Outputs,
    text=st.just("x"),
    inner=st.none() | st.just(Inner(id=1, tags=["t"])),
    either=st.sampled_from([[Inner(id=1)], Inner(id=2), {"k": Inner(id=3)}]),
)


def paths_in(value: Any) -> list[Loc]:
    """Return every path in ``value``."""
    items: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    return [(), *((key, *rest) for key, item in items for rest in paths_in(item))]


@given(OUTPUTS)
def test_what_an_action_does_put_out_is_let_pass(outputs: Outputs) -> None:
    schema = TypeAdapter(Outputs).json_schema(mode="serialization")
    for path in paths_in(outputs.model_dump(mode="json")):
        assert fault_in(schema, *path) is None


# in a file

CATALOGUE = Catalogue.model_validate(
    {
        "actions": {
            "stock:reserve": {
                "with": opened(("order",), order=TEXT, count=COUNT),
                "outputs": closed(shelf=closed(row=COUNT)),
            },
            "ledger:book": {"semantics": "at-most-once", "outputs": opened(entry=TEXT)},
            "mail:send": {"semantics": "idempotent"},
        }
    }
)


def problems_of(steps: list[dict[str, Any]], **fields: object) -> list[Problem]:
    """Return the problems of a workflow with these steps, which is written as JSON."""
    items = [{"id": f"s{index}", "timeout": "1s", **step} for index, step in enumerate(steps)]
    workflow = {"name": "W", "on": "k", "jobs": {"j": {"steps": items}}, **fields}
    text = json.dumps(workflow, indent=1)
    return list(load_definitions([SourceFile("w", text.encode())], catalogue=CATALOGUE)[1])


def told(problems: list[Problem]) -> list[tuple[str, str]]:
    """Return the rules, and the lines at which the problems stand."""
    return [(problem.rule, problem.excerpt.strip(" ,{")) for problem in problems]


RESERVE = {"actionId": "stock:reserve", "with": {"order": "{{ .id }}"}}


@pytest.mark.parametrize("word", ["action", "actionId"])
def test_an_action_that_nobody_has_is_told_by_whichever_word(word: str) -> None:
    problems = problems_of([{word: "stock:resrve", "with": {"any": 1}}])

    assert told(problems) == [("unknown-action", f'"{word}": "stock:resrve"')]
    assert problems[0].message.endswith("did you mean 'stock:reserve'?")


def test_without_a_catalogue_any_action_is_let_pass() -> None:
    text = "{name: W, on: k, jobs: {j: {steps: [{id: s, action: no:such, timeout: 1s}]}}}"

    assert load_definitions([SourceFile("w", text.encode())])[1] == ()


def test_a_missing_input_is_told_at_the_step_where_there_is_no_with() -> None:
    assert [rule for rule, _ in told(problems_of([{"action": "stock:reserve"}]))] == [
        "missing-input"
    ]


def test_wrong_inputs_are_told_where_they_stand() -> None:
    step = {"action": "stock:reserve", "with": {"order": 5, "count": "x", "cuont": 2}}

    assert told(problems_of([step])) == [
        ("wrong-input", '"order": 5'),
        ("wrong-input", '"count": "x"'),
    ]


@pytest.mark.parametrize(
    ("reference", "rule", "message"),
    [
        (".steps.s0.outputs.shlf", "unknown-output", "step 's0' does not put out 'shlf'"),
        (".steps.s0.shlf", "unknown-output", "step 's0' does not put out 'shlf'"),
        (".steps.s0.shlf | default(1)", "unknown-output", "did you mean 'shelf'?"),
        (".steps.s0.shelf.rwo", "unknown-output", "output 'shelf' of step 's0' has no field 'rwo'"),
        (".steps.s0.shelf.row.x", "unknown-output", "output 'shelf.row' of step 's0' has no field"),
        (".steps.s1.entri", "misspelt-output", "step 's1' is not known to put out 'entri'"),
    ],
)
def test_an_output_that_there_is_not_is_told(reference: str, rule: str, message: str) -> None:
    steps: list[dict[str, Any]] = [RESERVE, {"action": "ledger:book"}]
    [in_with] = problems_of(
        [*steps, {"action": "mail:send", "with": {"x": f"{{{{ {reference} }}}}"}}]
    )
    [in_if] = problems_of([*steps, {"action": "mail:send", "if": reference}])

    for problem in (in_with, in_if):
        assert problem.rule == rule
        assert message in problem.message


@pytest.mark.parametrize(
    "reference",
    [
        ".steps.s0.shelf.row",
        ".steps.s0.outputs.shelf",
        ".steps.s0.outputs",
        ".steps.s0.outcome",
        ".steps.s0.failure.type",
        ".steps.s1.anything",
        ".steps.s1.entri | default(1)",
        ".steps.s2.anything.at.all",
    ],
)
def test_an_output_that_there_may_be_is_let_pass(reference: str) -> None:
    steps: list[dict[str, Any]] = [RESERVE, {"action": "ledger:book"}, {"action": "mail:send"}]

    step = {"action": "mail:send", "with": {"x": f"{{{{ {reference} }}}}"}, "if": reference}
    assert problems_of([*steps, step]) == []


def test_a_retry_of_an_at_most_once_action_is_let_pass() -> None:
    """It says how often and when the action is called again after it has done nothing."""
    step = {"action": "ledger:book", "retry": {"attempts": 3, "backoff": "5s"}}

    assert problems_of([step]) == []


def test_what_is_at_most_once_cannot_be_local_by_whichever_level() -> None:
    book = {"action": "ledger:book"}
    by_itself = problems_of([{**book, "mode": "local"}])
    by_default = problems_of([book], defaults={"mode": "local"})

    assert told(by_itself) == [("local-at-most-once", '"mode": "local"')]
    assert [problem.rule for problem in by_default] == ["local-at-most-once"]
    assert problems_of([{**book, "mode": "regular"}], defaults={"mode": "local"}) == []
    assert problems_of([{"action": "mail:send", "mode": "local"}]) == []
