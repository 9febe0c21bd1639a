"""Catalogues of actions, as data."""

from __future__ import annotations

import json

import pytest

from hatchet_schemas import ActionId, SchemaError
from hatchet_schemas.catalogue import ActionSignature, Catalogue

SELL = ActionSignature(
    description="Sell it.", semantics="at-most-once", with_={"type": "object"}, outputs=None
)


def catalogue(**actions: ActionSignature) -> Catalogue:
    """Return a catalogue of actions of the integration ``shop``."""
    return Catalogue(
        actions={ActionId(f"shop:{verb}"): signature for verb, signature in actions.items()}
    )


def test_it_comes_back_from_json_as_it_was() -> None:
    original = catalogue(sell=SELL, buy=ActionSignature())

    assert Catalogue.from_json(original.to_json()) == original


def test_its_json_is_in_order_and_named_as_in_workflow_files() -> None:
    """So that a file of it changes only where the actions do."""
    written = json.loads(catalogue(sell=SELL, buy=ActionSignature()).to_json())

    assert written["format"] == 1
    assert list(written["actions"]) == ["shop:buy", "shop:sell"]
    assert written["actions"]["shop:sell"] == {
        "description": "Sell it.",
        "semantics": "at-most-once",
        "with": {"type": "object"},
        "outputs": None,
    }


def test_a_mode_is_written_only_where_it_is_local() -> None:
    """So that what was exported before stays as it is, and can be read by earlier releases."""
    quick = ActionSignature(mode="local")
    written = json.loads(catalogue(sell=SELL, look=quick).to_json())

    assert "mode" not in written["actions"]["shop:sell"]
    assert written["actions"]["shop:look"]["mode"] == "local"
    assert Catalogue.from_json(json.dumps(written)).actions[ActionId("shop:look")] == quick


@pytest.mark.parametrize(
    ("signature", "declared"),
    [
        (SELL, "at-most-once"),
        (ActionSignature(), ""),
        (ActionSignature(mode="local"), "local by default"),
        (ActionSignature(semantics="idempotent", mode="local"), "idempotent, local by default"),
    ],
)
def test_what_an_author_declares_is_told_in_a_few_words(
    signature: ActionSignature, declared: str
) -> None:
    assert signature.declared == declared


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "catalogue: Invalid JSON"),
        ("[]", "catalogue: Input should be an object"),
        ('{"format": 2}', "format: Input should be 1"),
        ('{"actions": {"shop": {}}}', "is not an action id"),
        ('{"actions": {"shop:sell": {"semantics": "twice"}}}', "actions.shop:sell.semantics"),
    ],
)
def test_what_is_no_catalogue_is_refused(text: str, message: str) -> None:
    with pytest.raises(SchemaError, match="this is no catalogue of actions") as caught:
        Catalogue.from_json(text)
    assert message in str(caught.value)


def test_those_of_several_workers_can_be_merged() -> None:
    """The same integration may serve on two queues."""
    merged = Catalogue.merged([catalogue(sell=SELL), catalogue(sell=SELL, buy=ActionSignature())])

    assert merged == catalogue(sell=SELL, buy=ActionSignature())


def test_two_that_say_different_things_of_one_action_cannot() -> None:
    with pytest.raises(SchemaError, match="'shop:sell' is there twice, and differs"):
        Catalogue.merged([catalogue(sell=SELL), catalogue(sell=ActionSignature())])
