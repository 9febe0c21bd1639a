from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from hatchet_schemas import ActionId, SchemaError

ACTION_ID = TypeAdapter(ActionId)


@pytest.mark.parametrize(
    ("text", "integration", "verb"),
    [
        ("slack:create-channel", "slack", "create-channel"),
        ("postmark:email-from-template", "postmark", "email-from-template"),
        ("aws.s3:put_object", "aws.s3", "put_object"),
        ("a:b", "a", "b"),
        ("_a:_b", "_a", "_b"),
        ("1:2", "1", "2"),
        ("stripe:invoice:create", "stripe", "invoice:create"),
        (f"{'a' * 100}:{'b' * 100}:{'c' * 100}", "a" * 100, f"{'b' * 100}:{'c' * 100}"),
    ],
)
def test_an_action_id_names_an_integration_and_what_it_does(
    text: str, integration: str, verb: str
) -> None:
    action_id = ActionId(text)
    assert (action_id.integration, action_id.verb) == (integration, verb)
    assert action_id == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "slack",
        "slack:",
        ":create",
        "a:b:c:d",
        "a::b",
        "a b:c",
        "a:b\n",
        " a:b",
        "-a:b",
        ".a:b",
        "a:-b",
        "a/b:c",
        "\u00e4:b",
        "\u0661:b",
        "a" * 101 + ":b",
        "a:" + "b" * 101,
        "a" * 100_000,
    ],
)
def test_other_texts_are_refused_with_an_example(text: str) -> None:
    with pytest.raises(SchemaError, match="expected integration:verb, such as slack") as caught:
        ActionId(text)
    assert len(str(caught.value)) < 300


def test_an_action_id_is_a_text_in_json() -> None:
    action_id = ACTION_ID.validate_json('"slack:create"')
    assert isinstance(action_id, ActionId)
    assert ACTION_ID.dump_json(action_id) == b'"slack:create"'


@pytest.mark.parametrize("value", [5, None, ["a:b"], b"a:b"])
def test_an_action_id_is_no_other_kind_of_value(value: object) -> None:
    with pytest.raises(ValidationError):
        ACTION_ID.validate_python(value)
