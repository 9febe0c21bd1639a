from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatchet_schemas.plain_paths import plain_references
from hatchet_schemas.references import references_in
from hatchet_schemas.template_compiling import parsed
from hatchet_schemas.template_filters import ALL_FILTERS
from hatchet_schemas.templates import render_text

NAMES = st.sampled_from(["a", "b_1", "step-1", "in", "if", "not", "is", "A", "x-y-2", "secrets"])
PATHS = st.lists(NAMES, min_size=1, max_size=16).map(lambda parts: "." + ".".join(parts))
SPACES = st.sampled_from(["", " ", "  ", "\n", "\t"])
FILTERS = st.lists(st.sampled_from(sorted({*ALL_FILTERS} - {"d", "default"})), max_size=3)
TEXTS = st.text(st.sampled_from("a {}.|%#\n\r\u00e4"), max_size=8)


@st.composite
def plain_templates(draw: st.DrawFn) -> str:
    parts: list[str] = [draw(TEXTS)]
    for _ in range(draw(st.integers(1, 3))):
        filters = "".join(f"{draw(SPACES)}|{draw(SPACES)}{name}" for name in draw(FILTERS))
        parts.append(f"{{{{{draw(SPACES)}{draw(PATHS)}{filters}{draw(SPACES)}}}}}")
        parts.append(draw(TEXTS))
    return "".join(parts)


@given(plain_templates())
def test_plain_paths_are_what_jinja2_reads(text: str) -> None:
    """Where they are found at all."""
    found = plain_references(text)
    if found is not None:
        assert sorted(found, key=repr) == sorted(references_in(parsed(text)), key=repr)


@pytest.mark.parametrize(
    "text",
    ["{{ .a }}", "x {{.a.b-c}} y {{ .d | upper | trim }}", "{{ .a }}{{ .b }}", "}} {{ .a }}"],
)
def test_most_templates_are_plain(text: str) -> None:
    """Or the short way would be of no use."""
    assert plain_references(text)


@pytest.mark.parametrize(
    "text",
    [
        "{{ a }}",
        "{{ .a + 1 }}",
        "{{ .a[0] }}",
        "{{ .a | default(1) }}",
        "{{ .a | nofilter }}",
        "{{ .a | d }}",
        "{{ .a | replace }}",
        "{{ .a is defined }}",
        "{{{ .a }}}",
        "{{ .a }",
        "{{- .a -}}",
        "{% if .a %}{{ .b }}{% endif %}",
        "{# {{ .a }} #}",
        "{{ .a }}{% raw %}{{ .b }}{% endraw %}",
        "{{ .a | upperx }}",
        "{{ . a }}",
        "{{ .a .b }}",
    ],
)
def test_what_is_more_than_plain_is_left_to_jinja2(text: str) -> None:
    """Also what is no template at all."""
    assert plain_references(text) is None


def test_a_plain_template_renders_as_any_other() -> None:
    """It is compiled when it is rendered."""
    assert render_text("{{ .a.step-1 }}", {"a": {"step-1": [1]}}) == [1]
    assert render_text("x{{ .a | upper }}", {"a": "b"}) == "xB"
