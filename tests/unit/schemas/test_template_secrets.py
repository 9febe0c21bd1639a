from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatchet_schemas import SecretRef, SecretText, TemplateError
from hatchet_schemas.templates import render, template_of

TOKEN = SecretRef(secret="TOKEN")
SCOPE: dict[str, Any] = {"user": "ada", "input": {"secrets": {"TOKEN": "mine"}}, "yes": True}


def secrets_in(value: Any, scope: dict[str, Any] = SCOPE) -> list[SecretText]:
    found: list[SecretText] = []
    render(value, scope, ("with",), found)
    return found


@pytest.mark.parametrize(
    ("text", "parts", "shown"),
    [
        ("{{ .secrets.TOKEN }}", (TOKEN,), "***"),
        ("{{ secrets.TOKEN }}", (TOKEN,), "***"),
        ("{{ .secrets['TOKEN'] }}", (TOKEN,), "***"),
        ("Bearer {{ .secrets.TOKEN }}", ("Bearer ", TOKEN), "Bearer ***"),
        (
            "{{ .user | upper }}:{{ .secrets.TOKEN }}@{{ .secrets.B-2 }}!",
            ("ADA:", TOKEN, "@", SecretRef(secret="B-2"), "!"),
            "ADA:***@***!",
        ),
        (
            "{% if .yes %}a{% endif %}{{ .secrets.TOKEN }}{# note #}",
            ("a", TOKEN),
            "a***",
        ),
    ],
)
def test_a_secret_is_a_part_of_a_text(
    text: str, parts: tuple[str | SecretRef, ...], shown: str
) -> None:
    found: list[SecretText] = []
    assert render({"h": [text]}, SCOPE, ("with",), found) == {"h": [shown]}
    assert found == [SecretText(at=("h", 0), parts=parts)]


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("{{ .secrets.TOKEN | upper }}", 4),
        ("{{ .secrets.TOKEN ~ 'x' }}", 4),
        ("{{ .secrets.TOKEN == 'x' }}", 4),
        ("{{ 'a' if .secrets.TOKEN else 'b' }}", 11),
        ("{{ [.secrets.TOKEN] }}", 5),
        ("{{ .user[.secrets.TOKEN] }}", 10),
        ("{{ .secrets[.user] }}", 4),
        ("{% if .yes %}{{ .secrets.TOKEN }}{% endif %}", 17),
        ("{{ .secrets.A }}{{ .secrets.B | length }}", 20),
        ("{{ .secrets }}", 4),
        ("{{ .secrets.a.b }}", 4),
        ("{{ .secrets['../../etc/passwd'] }}", 4),
        ("{{ .secrets['A B'] }}", 4),
        ("{{ .secrets[0] }}", 4),
    ],
)
def test_a_secret_stands_nowhere_else(text: str, offset: int) -> None:
    with pytest.raises(TemplateError) as caught:
        template_of(text)
    assert caught.value.rule == "secret-use"
    assert caught.value.offset == offset


def test_an_events_own_secrets_are_data() -> None:
    assert render("{{ .input.secrets.TOKEN }}", SCOPE) == "mine"
    assert secrets_in("{{ .input.secrets.TOKEN }}") == []


def test_nothing_but_the_file_says_where_a_secret_goes() -> None:
    """Data that looks like a template, or like what we make of one, is a text."""
    tricks = {
        "template": "{{ .secrets.TOKEN }}",
        "text": "***",
        "ref": {"secret": "TOKEN"},
        "text with parts": {"at": ["a"], "parts": [{"secret": "TOKEN"}]},
        "json": json.dumps({"secret": "TOKEN"}),
        "repr": "SecretRef(secret='TOKEN')",
    }
    scope = {**SCOPE, "data": tricks}
    assert secrets_in({key: f"{{{{ .data['{key}'] }}}}" for key in tricks}, scope) == []
    assert render("{{ .data }}", scope) == tricks


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_what_stands_beside_a_secret_is_never_taken_for_one(text: str) -> None:
    [found] = secrets_in("{{ .text }}{{ .secrets.TOKEN }}{{ .text }}", {"text": text})
    assert found.parts == (text, TOKEN, text)
    assert SecretText.model_validate_json(found.model_dump_json()) == found
