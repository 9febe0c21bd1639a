"""What an action's annotations tell of it."""

from __future__ import annotations

import typing
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Optional

import pytest
import typing_extensions
from pydantic import BaseModel, ConfigDict, Field, computed_field

from hatchet_worker import Integration, IntegrationError, InvalidInput, Outputs, Registry, action

if TYPE_CHECKING:
    from datetime import date

ANY_OBJECT = {"type": "object", "additionalProperties": True}
EMPTY_OBJECT = {"type": "object", "properties": {}, "additionalProperties": False}


class Card(BaseModel):
    """What is charged."""

    number: str = Field(alias="card-no")
    currency: str = "EUR"


class Receipt(BaseModel):
    """What comes of it."""

    id: str = Field(alias="receipt-id")

    @computed_field
    def url(self) -> str:
        """Where it is."""
        return f"https://receipts.example/{self.id}"


class Old(typing.TypedDict, total=False):
    """As the standard library has it."""

    name: typing.Required[str]
    age: int


class New(typing_extensions.TypedDict):
    """As pydantic has it on each Python."""

    name: str
    age: typing_extensions.NotRequired[int]


class Unknowable(BaseModel):
    """What has no JSON Schema."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    call: Callable[[], None]


def signature(method: Callable[..., Any]) -> Any:
    """Return what a registry tells of a method that is marked as an action."""
    kind = type("Kind", (Integration,), {"id": "kind", "it": action("it")(method)})
    return Registry([kind()])["kind:it"].signature


# Only their signatures are looked at; nothing calls them.
def _model(self: object, card: Card) -> Receipt:
    raise NotImplementedError


async def _async_model(self: object, card: Card) -> Receipt:
    raise NotImplementedError


def _awaitable(self: object, card: Card) -> Awaitable[Receipt]:
    raise NotImplementedError


def _coroutine(self: object, card: Card) -> Coroutine[Any, Any, Receipt]:
    raise NotImplementedError


@pytest.mark.parametrize("method", [_model, _async_model, _awaitable, _coroutine])
def test_models_are_told_by_the_names_on_the_wire(method: Callable[..., Any]) -> None:
    found = signature(method)

    assert found.with_["properties"].keys() == {"card-no", "currency"}
    assert found.with_["required"] == ["card-no"]
    assert found.outputs["properties"].keys() == {"receipt-id", "url"}
    assert found.outputs["required"] == ["receipt-id", "url"]


def _optional(self: object, card: Card) -> Receipt | None:
    raise NotImplementedError


def _old_optional(self: object, card: Card) -> Optional[Receipt]:  # noqa: UP045 - still written
    raise NotImplementedError


async def _async_optional(self: object, card: Card) -> Receipt | None:
    raise NotImplementedError


@pytest.mark.parametrize("method", [_optional, _old_optional, _async_optional])
def test_what_may_be_none_requires_no_field(method: Callable[..., Any]) -> None:
    """None is put out as an empty object."""
    found = signature(method)

    assert found.outputs["properties"].keys() == {"receipt-id", "url"}
    assert "required" not in found.outputs


def _old_typed_dict(self: object, person: Old) -> Old:
    raise NotImplementedError


def _new_typed_dict(self: object, person: New) -> New:
    raise NotImplementedError


@pytest.mark.parametrize("method", [_old_typed_dict, _new_typed_dict])
def test_typed_dicts_are_told_and_checked(method: Callable[..., Any]) -> None:
    """Pydantic alone refuses those of the standard library before Python 3.12."""
    found = signature(method)
    checked = type("Kind", (Integration,), {"id": "kind", "it": action("it")(method)})

    for schema in (found.with_, found.outputs):
        assert schema["properties"].keys() == {"name", "age"}
        assert schema["required"] == ["name"]
    with pytest.raises(InvalidInput, match="name: Field required"):
        checked().perform_action("it", {"age": 5})


def _nothing(self: object, data: dict[str, Any]) -> None: ...
def _any(self: object, data: Any) -> Any:
    raise NotImplementedError


def _bare(self, data): ...  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
def _outputs(self: object, data: Mapping[str, Any]) -> Outputs:
    raise NotImplementedError


def _base_model(self: object, data: dict[str, Any]) -> BaseModel:
    raise NotImplementedError


def _dict(self: object, data: dict[str, int]) -> dict[str, Any]:
    raise NotImplementedError


def _unresolved(self: object, data: dict[str, Any]) -> date:
    raise NotImplementedError


def _unknowable(self: object, data: dict[str, Any]) -> Unknowable:
    raise NotImplementedError


@pytest.mark.parametrize(
    ("method", "with_", "outputs"),
    [
        (_nothing, ANY_OBJECT, EMPTY_OBJECT),
        (_any, None, None),
        (_bare, None, None),
        (_outputs, ANY_OBJECT, None),
        (_base_model, ANY_OBJECT, None),
        (_dict, {"type": "object", "additionalProperties": {"type": "integer"}}, ANY_OBJECT),
        (_unresolved, ANY_OBJECT, None),
        (_unknowable, ANY_OBJECT, None),
    ],
)
def test_what_annotations_do_not_tell_is_not_made_up(
    method: Callable[..., Any], with_: Any, outputs: Any
) -> None:
    found = signature(method)

    assert found.with_ == with_
    assert found.outputs == outputs


def _later_text(self: object, data: dict[str, Any]) -> Awaitable[str]:
    raise NotImplementedError


class _Unchecked(typing.TypedDict):
    inner: Old


def _nested(self: object, data: _Unchecked) -> None: ...


def test_what_cannot_work_is_refused_with_the_reason() -> None:
    with pytest.raises(IntegrationError, match="_later_text: returns str; expected a dict"):
        action("it")(_later_text)  # type: ignore[type-var]
    if typing_extensions.TypedDict is not typing.TypedDict:
        with pytest.raises(IntegrationError, match="which pydantic cannot check: Please use"):
            action("it")(_nested)


def test_the_description_is_the_docstring_of_the_method_that_runs() -> None:
    class Shop(Integration):
        id = "shop"

        @action("sell", semantics="idempotent")
        def sell(self, data: dict[str, Any]) -> None:
            """Sell it.

            More of it.
            """

        @action("keep")
        def keep(self, data: dict[str, Any]) -> None: ...

    class Other(Shop):
        id = "other"

        def sell(self, data: dict[str, Any]) -> None:
            """Sell it elsewhere."""

    catalogue = Registry([Shop(), Other()]).catalogue()

    assert {key: value.description for key, value in catalogue.actions.items()} == {
        "other:keep": None,
        "other:sell": "Sell it elsewhere.",
        "shop:keep": None,
        "shop:sell": "Sell it.\n\nMore of it.",
    }
    assert {key: value.semantics for key, value in catalogue.actions.items()} == {
        "other:keep": None,
        "other:sell": "idempotent",
        "shop:keep": None,
        "shop:sell": "idempotent",
    }


class _Duck:
    id = "duck"
    actions = ("quack",)

    def perform_action(self, verb: str, data: dict[str, Any], /) -> None:
        """Quack."""


def test_an_integration_without_the_base_class_is_listed_without_schemas() -> None:
    [(action_id, found)] = Registry([_Duck()]).catalogue().actions.items()

    assert action_id == "duck:quack"
    assert (found.description, found.semantics, found.with_, found.outputs) == (None,) * 4
