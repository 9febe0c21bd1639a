"""Secrets get where the workflow file says, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatchet_schemas import SecretRef, SecretText
from hatchet_worker import (
    EnvironmentSecrets,
    InvalidInput,
    SecretProvider,
    UnknownSecret,
    UnreadableSecret,
)
from hatchet_worker.masking import Masker
from hatchet_worker.secret_texts import secret_values, secrets_in, with_secrets

TOKEN = SecretRef(secret="TOKEN")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def _resolved(
    texts: list[SecretText], providers: list[SecretProvider], masker: Masker
) -> dict[str, str]:
    return secret_values(secrets_in(texts), providers, masker)


def text(at: tuple[str | int, ...], *parts: str | SecretRef) -> SecretText:
    """Return a text that holds secrets."""
    return SecretText(at=at, parts=parts)


def test_a_text_is_joined_and_put_in_its_place() -> None:
    data = {"headers": [{"Authorization": "Bearer …", "Accept": "*/*"}], "url": "https://a.example"}
    at = ("headers", 0, "Authorization")

    result = with_secrets(data, [text(at, "Bearer ", TOKEN)], {"TOKEN": "t0ken"})

    assert result == {
        "headers": [{"Authorization": "Bearer t0ken", "Accept": "*/*"}],
        "url": "https://a.example",
    }
    assert data["headers"] == [{"Authorization": "Bearer …", "Accept": "*/*"}]


def test_several_texts_may_stand_in_one_map() -> None:
    texts = [text(("a",), TOKEN), text(("b",), TOKEN, "-", TOKEN)]

    assert with_secrets({"a": "", "b": ""}, texts, {"TOKEN": "t"}) == {"a": "t", "b": "t-t"}


@pytest.mark.parametrize(
    "at", [(), ("b",), ("a", "b"), ("list", 1), ("list", -1), ("list", "0"), ("map", 0)]
)
def test_a_place_that_does_not_exist_is_an_error(at: tuple[str | int, ...]) -> None:
    data = {"a": "text", "list": ["one"], "map": {"0": "zero"}}

    with pytest.raises(InvalidInput, match="there is no such place") as caught:
        with_secrets(data, [text(at, TOKEN)], {"TOKEN": "t0ken"})
    assert "t0ken" not in str(caught.value)


@given(st.dictionaries(st.text(), JSON, max_size=4), st.text())
def test_data_can_never_name_a_secret(data: dict[str, Any], value: str) -> None:
    """Whatever an event holds, texts and structures alike, it comes through as it is."""
    data = {**data, "forged": {"secret": "TOKEN"}, "texts": "{{ .secrets.TOKEN }}", "x": value}
    texts = [text(("x",), value, "{{ .secrets.TOKEN }}", '{"secret": "TOKEN"}')]

    values = _resolved(texts, [_must_not_be_asked], Masker())

    assert values == {}
    assert with_secrets(data, (), values) == data
    assert with_secrets(data, texts, values)["x"].startswith(value)


def _know_nothing(_name: str) -> str | None:
    return None


def _must_not_be_asked(name: str) -> str | None:
    raise AssertionError(name)


def test_the_first_provider_that_knows_it_is_asked_last() -> None:
    asked: list[str] = []

    def find(name: str) -> str | None:
        asked.append(name)
        return "mine"

    values = _resolved(
        [text(("a",), TOKEN, TOKEN)], [_know_nothing, find, _must_not_be_asked], Masker()
    )

    assert values == {"TOKEN": "mine"}
    assert asked == ["TOKEN"]


def test_a_value_is_masked_as_soon_as_it_is_found() -> None:
    """Also where the next one is missing, so that the step fails."""
    masker = Masker()
    texts = [text(("a",), TOKEN, SecretRef(secret="MISSING"))]

    with pytest.raises(UnknownSecret):
        _resolved(texts, [{"TOKEN": "t0ken"}.get], masker)

    assert masker.text("my t0ken") == "my ***"


class Vault:
    """A provider of a user's own."""

    def __repr__(self) -> str:
        return "Vault(token='hunter2')"

    def __call__(self, name: str) -> str | None:
        """Know nothing."""
        return None


def test_an_unknown_secret_says_where_it_was_looked_for() -> None:
    with pytest.raises(UnknownSecret) as caught:
        _resolved([text((), TOKEN)], [EnvironmentSecrets(), Vault(), {"A": "b"}.get], Masker())

    assert str(caught.value) == (
        "there is no secret 'TOKEN': looked for in the environment variable HATCHET_SECRET_TOKEN "
        "and Vault and dict.get"
    )
    assert (caught.value.name, len(caught.value.places)) == ("TOKEN", 3)


def test_a_worker_without_providers_says_so() -> None:
    with pytest.raises(UnknownSecret, match="'TOKEN': this worker has none"):
        _resolved([text((), TOKEN)], [], Masker())


def test_an_empty_value_is_none() -> None:
    assert _resolved([text((), TOKEN)], [{"TOKEN": ""}.get, {"TOKEN": "b"}.get], Masker()) == {
        "TOKEN": "b"
    }


def test_a_value_that_is_no_text_is_refused_unseen() -> None:
    find: Any = {"TOKEN": b"hunter2"}.get

    with pytest.raises(UnreadableSecret, match="returned a bytes: expected a str") as caught:
        _resolved([text((), TOKEN)], [find], Masker())
    assert "hunter2" not in str(caught.value)
