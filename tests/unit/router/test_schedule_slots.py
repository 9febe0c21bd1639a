"""Which trigger has which schedule."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from hatchet_router.schedule_slots import CronTexts, assign_slots


def cron(schedule: str, timezone: str = "UTC", overlap: str = "skip") -> CronTexts:
    """Return a trigger with defaults."""
    return (schedule, timezone, overlap, "1d", "")


A, B, C, D = cron("a"), cron("b"), cron("c"), cron("d")


def test_new_triggers_are_numbered_in_their_order() -> None:
    """From 1; equals stand side by side."""
    assert assign_slots([B, A, C], {}) == (1, 2, 3)
    assert assign_slots([A, B, A], {}) == (1, 3, 2)


def test_a_trigger_keeps_its_slot_when_another_one_goes_comes_or_moves() -> None:
    """So that what is paused stays paused."""
    existing = {1: {A}, 2: {B}, 3: {C}}

    assert assign_slots([B, C], existing) == (2, 3)
    assert assign_slots([C, B, A], existing) == (3, 2, 1)
    assert assign_slots([D, A, B, C], existing) == (4, 1, 2, 3)


def test_an_edited_trigger_keeps_its_slot() -> None:
    """It takes what no other one has a better right to."""
    existing = {1: {A}, 2: {B}}

    assert assign_slots([D, B], existing) == (1, 2)
    assert assign_slots([A, D], existing) == (1, 2)
    assert assign_slots([D], existing) == (1,)


def test_of_several_the_likest_is_what_a_trigger_was() -> None:
    """The same time with another policy, or else the same schedule elsewhere."""
    berlin, tokyo = cron("r", "Europe/Berlin"), cron("r", "Asia/Tokyo")

    assert assign_slots([cron("r", "Asia/Tokyo", "allow")], {1: {berlin}, 2: {tokyo}}) == (2,)
    assert assign_slots([tokyo], {1: {A}, 2: {berlin}}) == (2,)


def test_free_slots_are_used_again() -> None:
    """The lowest first."""
    assert assign_slots([B, C, D], {2: {B}}) == (2, 1, 3)


def test_it_is_enough_that_one_job_has_the_trigger_there() -> None:
    """While another router updates, the jobs of a workflow differ."""
    assert assign_slots([D, B], {1: {A, D}, 2: {B, C}}) == (1, 2)
    assert assign_slots([B, D], {1: {A, D}, 2: {B, C}}) == (2, 1)


CRONS = st.builds(cron, st.sampled_from("ab"), st.sampled_from("ut"), st.sampled_from("sb"))
SLOTS = st.dictionaries(st.integers(1, 5), st.sets(CRONS, min_size=1, max_size=2), max_size=4)


@given(st.lists(CRONS, max_size=4), SLOTS)
def test_no_two_triggers_share_a_slot_and_none_is_left_out(
    wanted: list[CronTexts], existing: dict[int, set[CronTexts]]
) -> None:
    """As many existing slots as can be are kept, and those who are the same are among them."""
    slots = assign_slots(wanted, existing)

    assert len(set(slots)) == len(wanted)
    assert len(set(slots) & existing.keys()) == min(len(wanted), len(existing))


@given(
    st.lists(CRONS, max_size=4), st.dictionaries(st.integers(1, 5), CRONS, max_size=4), st.data()
)
def test_who_comes_while_another_works_does_the_same(
    wanted: list[CronTexts], existing: dict[int, CronTexts], data: st.DataObject
) -> None:
    """However far the other has got with two jobs, in whatever order, the answer is the same."""
    slots = assign_slots(wanted, {slot: {texts} for slot, texts in existing.items()})
    final = dict(zip(slots, wanted, strict=True))
    halfway: dict[int, set[CronTexts]] = {}
    for slot in existing.keys() | final.keys():
        for job in ("one", "other"):
            state = final if data.draw(st.booleans(), label=f"{job}/{slot} is done") else existing
            if slot in state:
                halfway.setdefault(slot, set()).add(state[slot])

    again = dict(zip(assign_slots(wanted, halfway), wanted, strict=True))

    assert Counter(again.values()) == Counter(wanted)
    assert again == final
