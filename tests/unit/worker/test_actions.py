"""What @action accepts, and how it says what it does not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field

from hatchet_worker import Integration, IntegrationError, InvalidInput, Outputs, action


class Channel(BaseModel):
    """A strict model, with a field named otherwise on the wire."""

    model_config = ConfigDict(strict=True, extra="forbid")

    name: str
    opens: dt.date | None = None
    members: list[str] = Field(default_factory=list[str], alias="with-members")


def test_the_method_stays_what_it_was() -> None:
    """A marked method can be called, documented and tested like any other."""

    def create(self: object, data: dict[str, Any]) -> dict[str, Any]:
        return data

    assert action("create")(create) is create


@pytest.mark.parametrize("verb", ["", "create channel", "-create", "über", "a:b:c", "a\n"])
def test_a_verb_that_no_workflow_file_can_name_is_refused(verb: str) -> None:
    """A typing error shows when the class is defined, not when a job runs."""
    with pytest.raises(IntegrationError, match="is not the verb of an action"):

        @action(verb)
        def create(self: object, data: dict[str, Any]) -> None: ...


def test_a_verb_may_have_two_parts() -> None:
    """An action id has an optional third part."""

    class Slack(Integration):
        @action("message:send")
        def send(self, data: dict[str, Any]) -> None: ...

    assert Slack().actions == ("message:send",)


def _no_parameter(self: object) -> None: ...
def _two_parameters(self: object, name: str, topic: str) -> None: ...
def _keyword_only(self: object, *, data: dict[str, Any]) -> None: ...
def _text(self: object, name: str) -> None: ...
def _list(self: object, names: list[str]) -> None: ...
def _unknown_type(self: object, data: NotThere) -> None: ...  # type: ignore[name-defined] # noqa: F821
def _returns_text(self: object, data: dict[str, Any]) -> str:
    return ""


def _returns_list(self: object, data: dict[str, Any]) -> list[str]:
    return []


def _yields(self: object, data: dict[str, Any]) -> Any:
    yield {}


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (_no_parameter, "takes one parameter beside self"),
        (_two_parameters, "takes one parameter beside self"),
        (_keyword_only, "takes one parameter beside self"),
        (_text, "takes name: str; expected a dict or a pydantic model"),
        (_list, r"takes names: list\[str\]; expected a dict or a pydantic model"),
        (_unknown_type, "the annotation 'NotThere' cannot be resolved"),
        (_returns_text, "returns str; expected a dict or a pydantic model, or None"),
        (_returns_list, r"returns list\[str\]; expected"),
        (_yields, "it cannot yield"),
    ],
)
def test_a_signature_that_cannot_work_is_refused_at_definition(
    method: Callable[[Any, Any], Outputs], message: str
) -> None:
    """The message names the method and what was expected."""
    with pytest.raises(IntegrationError, match=message) as caught:
        action("create")(method)
    assert method.__qualname__ in str(caught.value)


def test_a_static_method_is_refused() -> None:
    """What hides the method from the mark would never be called."""
    with pytest.raises(IntegrationError, match="@action stands on a method"):

        class Broken(Integration):
            @action("create")  # type: ignore[type-var]
            @staticmethod
            def create(data: dict[str, Any]) -> None: ...


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"semantics": "twice"}, "'twice' is not what semantics can be: expected 'at-most-once'"),
        ({"mode": "lokal"}, "'lokal' is not what mode can be: expected 'regular' or 'local'"),
        (
            {"semantics": "at-most-once", "mode": "local"},
            "what is at-most-once cannot be local by default",
        ),
    ],
)
def test_what_cannot_be_declared_is_refused_at_definition(
    declared: dict[str, Any], message: str
) -> None:
    def create(self: object, data: dict[str, Any]) -> None: ...

    with pytest.raises(IntegrationError, match=message) as caught:
        action("create", **declared)(create)
    assert create.__qualname__ in str(caught.value)


def test_two_methods_cannot_be_one_action() -> None:
    """Otherwise the order of definitions would decide silently."""
    with pytest.raises(IntegrationError, match="create and make are both the action 'create'"):

        class Twice(Integration):
            @action("create")
            def create(self, data: dict[str, Any]) -> None: ...

            @action("create")
            def make(self, data: dict[str, Any]) -> None: ...


def test_data_becomes_the_model_that_the_method_takes() -> None:
    """Data is JSON, so that even a strict model takes a date written as text."""
    seen: list[Channel] = []

    class Slack(Integration):
        @action("create-channel")
        def create_channel(self, channel: Channel) -> None:
            seen.append(channel)

    data = {"name": "ada", "opens": "2026-01-31", "with-members": ["bob"]}
    Slack().perform_action("create-channel", data)

    assert seen[0].opens == dt.date(2026, 1, 31)
    assert seen[0].members == ["bob"]


def test_models_of_the_enclosing_function_are_found() -> None:
    """Postponed annotations are only texts, and such models are not global."""

    class Local(BaseModel):
        name: str

    class Slack(Integration):
        @action("create")
        def create(self, params: Local) -> dict[str, Any]:
            return {"name": params.name}

    assert Slack().perform_action("create", {"name": "ada"}) == {"name": "ada"}


def test_a_typed_dict_parameter_is_checked_too() -> None:
    """What the annotation promises is true inside the method."""

    class Counters(Integration):
        @action("add")
        def add(self, counts: Mapping[str, int]) -> dict[str, int]:
            return {"sum": sum(counts.values())}

    assert Counters().perform_action("add", {"a": 1, "b": 2}) == {"sum": 3}
    with pytest.raises(InvalidInput, match="a: Input should be a valid integer"):
        Counters().perform_action("add", {"a": "one"})


def test_invalid_data_is_told_by_field_and_never_by_value() -> None:
    """The message ends in the Temporal history, and values may be secret."""

    class Slack(Integration):
        @action("create")
        def create(self, channel: Channel) -> None: ...

    with pytest.raises(InvalidInput) as caught:
        Slack().perform_action(
            "create", {"with-members": ["bob", 7_777], "secret": "hunter2", "name": 1}
        )

    message = str(caught.value)
    assert "name: Input should be a valid string" in message
    assert "with-members[1]: Input should be a valid string" in message
    assert "secret: Extra inputs are not permitted" in message
    assert "hunter2" not in message
    assert "7777" not in message
    assert caught.value.__cause__ is None
