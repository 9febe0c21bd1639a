"""Whatever its form, an integration behaves alike once a worker has it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import BaseModel

from hatchet_worker import (
    Context,
    Integration,
    IntegrationLike,
    InvalidInput,
    NonRetryable,
    Outputs,
    Registry,
    UnknownAction,
    action,
    current_context,
    use_context,
)
from hatchet_worker.payloads import json_object


class Greeting(BaseModel):
    """What is to be said, to whom."""

    name: str
    loud: bool = False


class Said(BaseModel):
    """What was said."""

    text: str


def said(name: str, *, loud: bool) -> str:
    """Return what every form of the integration says."""
    if name == "nobody":
        raise NonRetryable("there is nobody")
    if name == "step":
        return current_context().step
    text = f"hello {name}"
    return text.upper() if loud else text


class AsyncObject:
    """The protocol alone, with a coroutine function."""

    id = "greeter"
    actions = ("greet",)

    async def perform_action(self, verb: str, data: dict[str, Any], /) -> dict[str, Any]:
        """Greet."""
        return {"text": said(data["name"], loud=data.get("loud", False))}


class SyncObject:
    """The protocol alone, with a plain function."""

    id = "greeter"
    actions = ("greet",)

    def perform_action(self, verb: str, data: dict[str, Any], /) -> Mapping[str, Any]:
        """Greet."""
        return {"text": said(data["name"], loud=data.get("loud", False))}


class AsyncDict(Integration):
    """The base class, with a coroutine function from dict to dict."""

    id = "greeter"

    @action("greet")
    async def greet(self, data: dict[str, Any]) -> dict[str, Any]:
        """Greet."""
        return {"text": said(data["name"], loud=data.get("loud", False))}


class SyncDict(Integration):
    """The base class, with a plain function from dict to dict."""

    id = "greeter"

    @action("greet")
    def greet(self, data: dict[str, Any]) -> dict[str, Any]:
        """Greet."""
        return {"text": said(data["name"], loud=data.get("loud", False))}


class AsyncModel(Integration):
    """The base class, with a coroutine function from model to model."""

    id = "greeter"

    @action("greet")
    async def greet(self, params: Greeting) -> Said:
        """Greet."""
        return Said(text=said(params.name, loud=params.loud))


class SyncModel(Integration):
    """The base class, with a plain function from model to model."""

    id = "greeter"

    @action("greet")
    def greet(self, params: Greeting) -> Said:
        """Greet."""
        return Said(text=said(params.name, loud=params.loud))


class Wrapped(AsyncModel):
    """A subclass that wraps all of its parent's actions."""

    async def perform_action(self, verb: str, data: dict[str, Any], /) -> Outputs:
        """Greet."""
        outputs = super().perform_action(verb, data)
        assert inspect.isawaitable(outputs)
        wrapped: Outputs = await outputs
        return wrapped


class WithContext(Integration):
    """The base class, with a coroutine function that takes the context as well."""

    id = "greeter"

    @action("greet")
    async def greet(self, params: Greeting, context: Context) -> Said:
        """Greet."""
        assert context is current_context()
        return Said(text=said(params.name, loud=params.loud))


FORMS = [AsyncObject, SyncObject, AsyncDict, SyncDict, AsyncModel, SyncModel, Wrapped, WithContext]


@pytest.fixture(params=FORMS, ids=lambda form: form.__name__)
def integration(request: pytest.FixtureRequest) -> IntegrationLike:
    """Return the same integration in each of its forms."""
    form: type[IntegrationLike] = request.param
    return form()


async def perform(integration: IntegrationLike, data: dict[str, Any]) -> dict[str, Any]:
    """Return the outputs of the action as a worker would hand them on."""
    with use_context(Context(step="welcome")):
        outputs = Registry([integration])["greeter:greet"].perform(data)
        return json_object(await outputs if inspect.isawaitable(outputs) else outputs)


async def test_it_takes_a_dict_and_puts_out_a_dict(integration: IntegrationLike) -> None:
    """The worker, the templates and Temporal know nothing else."""
    assert await perform(integration, {"name": "ada", "loud": True}) == {"text": "HELLO ADA"}


async def test_it_can_ask_for_the_context_of_its_step(integration: IntegrationLike) -> None:
    """In all that it calls."""
    assert await perform(integration, {"name": "step"}) == {"text": "welcome"}


async def test_what_it_raises_comes_through(integration: IntegrationLike) -> None:
    """With its class, on which the retries depend."""
    with pytest.raises(NonRetryable, match="there is nobody"):
        await perform(integration, {"name": "nobody"})


async def test_the_data_it_was_given_stay_as_they_were(integration: IntegrationLike) -> None:
    """A second attempt must see the same."""
    data = {"name": "ada", "loud": True}

    await perform(integration, data)

    assert data == {"name": "ada", "loud": True}


def test_its_actions_are_listed(integration: IntegrationLike) -> None:
    """By the ids that workflow files name."""
    assert list(Registry([integration])) == ["greeter:greet"]


def test_it_has_no_other_actions(integration: IntegrationLike) -> None:
    """The registry is the only way to an action."""
    with pytest.raises(UnknownAction):
        Registry([integration])["greeter:perform_action"]


def test_what_is_async_runs_on_the_loop_and_nothing_else(integration: IntegrationLike) -> None:
    """A plain function might block it."""
    is_async = Registry([integration])["greeter:greet"].is_async

    assert is_async == (not type(integration).__name__.startswith("Sync"))


@pytest.mark.parametrize("form", [AsyncModel, SyncModel])
async def test_models_refuse_what_does_not_fit(form: type[Integration]) -> None:
    """Before the method is called."""
    with pytest.raises(InvalidInput, match="name: Field required"):
        await perform(form(), {"loud": True})
