from __future__ import annotations

import hashlib
import string

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from hatchet_schemas.names import (
    Name,
    WorkflowName,
    escaped,
    job_of_id,
    schedule_id,
    scheduled_workflow_id,
    times_id,
    workflow_id,
)

NAME: TypeAdapter[str] = TypeAdapter(Name)
WORKFLOW_NAME: TypeAdapter[str] = TypeAdapter(WorkflowName)
PRINTABLE = frozenset(map(chr, range(0x20, 0x7F)))

# Few characters, so that texts collide often if they can; surrogates are in no Unicode text, but
# they are in Python's.
HOSTILE = st.text(
    st.sampled_from("aA0/~%7E.:@ -_\n\0\x7f\u00e9\u20ac\U0001f600\ud83d\ude00"), max_size=8
)
TEXTS = (
    HOSTILE | st.text(st.characters(), max_size=20) | st.text("~%/a", min_size=200, max_size=300)
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("order-1", "order-1"),
        ("a/b:c.d_e@f", "a/b:c.d_e@f"),
        ("a b", "a%20b"),
        ("100%", "100%25"),
        ("a~b", "a%7Eb"),
        ("a\nb\0", "a%0Ab%00"),
        ("\u00e9", "%C3%A9"),
        ("\U0001f600", "%F0%9F%98%80"),
        ("\ud83d\ude00", "%ED%A0%BD%ED%B8%80"),
        ("a" * 255, "a" * 255),
        ("a" * 256, "a" * 64 + "~~" + hashlib.sha256(b"a" * 256).hexdigest()[:32]),
    ],
)
def test_escaping_encodes_what_is_unsafe_and_hashes_what_is_long(text: str, expected: str) -> None:
    assert escaped(text) == expected


@given(TEXTS)
def test_an_escaped_text_is_short_printable_ascii(text: str) -> None:
    safe = escaped(text)
    assert len(safe) <= 255
    assert set(safe) <= PRINTABLE


@given(TEXTS, TEXTS)
@example("%0A", "\n")
@example("a~b", "a%7Eb")
@example("\U0001f600", "\ud83d\ude00")
@example("a" * 256, escaped("a" * 256))
@settings(max_examples=300)
def test_distinct_texts_escape_to_distinct_texts(one: str, other: str) -> None:
    assert (escaped(one) == escaped(other)) == (one == other)


IDENTITIES = st.tuples(TEXTS, HOSTILE, TEXTS, st.none() | TEXTS)


@given(IDENTITIES, IDENTITIES)
@example(("w", "a/b", "c", None), ("w", "a", "b/c", None))
@example(("w/a", "b", "c", None), ("w", "a", "b/c", None))
@example(("w", "j", "e", ""), ("w", "j", "e", None))
@example(("w", "j", "e~" + hashlib.sha256(b"s").hexdigest()[:32], None), ("w", "j", "e", "s"))
@settings(max_examples=300)
def test_distinct_identities_have_distinct_workflow_ids(
    one: tuple[str, str, str, str | None], other: tuple[str, str, str, str | None]
) -> None:
    assert (workflow_id(*one) == workflow_id(*other)) == (one == other)


@given(IDENTITIES)
def test_a_workflow_id_is_printable_ascii_that_temporal_takes(
    identity: tuple[str, str, str, str | None],
) -> None:
    made = workflow_id(*identity)
    assert len(made) < 1000
    assert set(made) <= PRINTABLE


def test_a_plain_identity_reads_as_it_is() -> None:
    assert (
        workflow_id("Post User Sign Up", "greet-user", "e/1") == "Post User Sign Up/greet-user/e/1"
    )


def test_the_source_of_an_event_is_part_of_its_identity() -> None:
    digest = hashlib.sha256(b"billing").hexdigest()[:32]
    assert workflow_id("w", "j", "1", "billing") == f"w/j/1~{digest}"


def test_a_schedule_is_named_after_deployment_workflow_and_job() -> None:
    assert schedule_id("hatchet", "Nightly Report", "a") == "hatchet/Nightly Report/a"
    assert schedule_id("hatchet", "a/b", "a", 2) == "hatchet/a%2Fb/a/2"
    assert times_id("hatchet", "a/b") == "hatchet/a%2Fb"
    assert times_id("hatchet", "a/b", 2) == "hatchet/a%2Fb/2"
    assert scheduled_workflow_id("hatchet", "a/b", "j") == "a%2Fb/j/~cron@hatchet"
    assert scheduled_workflow_id("hatchet", "a/b", "j", 2) == "a%2Fb/j/~cron@hatchet/2"


_SCHEDULE = st.tuples(
    st.from_regex(r"[a0][a0._-]?", fullmatch=True), TEXTS, TEXTS, st.integers(1, 12)
)


@given(_SCHEDULE, _SCHEDULE)
@example(("a", "w", "j", 2), ("a.2", "w", "j", 1))
@example(("a", "w", "j/2", 1), ("a", "w", "j", 2))
def test_schedules_and_their_runs_are_told_apart(
    one: tuple[str, str, str, int], other: tuple[str, str, str, int]
) -> None:
    for name in (schedule_id, scheduled_workflow_id):
        assert (name(*one) == name(*other)) == (one == other)


@given(TEXTS, TEXTS, TEXTS, st.none() | TEXTS)
def test_no_event_gives_the_id_of_a_scheduled_run(
    workflow: str, job: str, event_id: str, source: str | None
) -> None:
    scheduled = scheduled_workflow_id("hatchet", workflow, job)
    assert not workflow_id(workflow, job, event_id, source).startswith(scheduled)


@pytest.mark.parametrize("name", ["a", "step-1", "_x", "0", "a.b_c-d", "x" * 100])
def test_names_are_letters_digits_and_three_signs(name: str) -> None:
    assert NAME.validate_python(name) == name


@pytest.mark.parametrize("name", ["", "-a", ".a", "a b", "a/b", "a:b", "a\n", "\u00e4", "x" * 101])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        NAME.validate_python(name)


@pytest.mark.parametrize("name", ["a", "Post User Sign Up", "\u00e4 / \u65e5\u672c", "x" * 200])
def test_a_workflow_may_have_any_name_of_one_line(name: str) -> None:
    assert WORKFLOW_NAME.validate_python(name) == name


@pytest.mark.parametrize("name", ["", " ", "a\nb", "a\n", "\0", "a\x7f", "x" * 201])
def test_a_workflow_name_is_not_blank_and_has_no_control_characters(name: str) -> None:
    with pytest.raises(ValidationError):
        WORKFLOW_NAME.validate_python(name)


def test_safe_characters_stay() -> None:
    safe = string.ascii_letters + string.digits + "._:/@-"
    assert escaped(safe) == safe


@pytest.mark.parametrize(
    ("workflow", "job", "event_id"),
    [("Sign Up", "greet", "e-1"), ("a/b", "j", "orders/2024/1"), ("50% f\u00fcr dich", "j", "~/")],
)
def test_the_names_are_read_from_an_id_again(workflow: str, job: str, event_id: str) -> None:
    """Whatever the event's id: it may hold slashes."""
    assert job_of_id(workflow_id(workflow, job, event_id, "billing")) == (workflow, job)
    assert job_of_id(scheduled_workflow_id("hatchet", workflow, job, 2)) == (workflow, job)
