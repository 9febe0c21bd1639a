"""Which cron trigger of a workflow is kept in which of its numbered schedules."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import count

__all__ = ["CronTexts", "assign_slots"]

CronTexts = tuple[str, str, str, str, str]
"""A cron trigger by its texts: schedule, time zone, overlap, catch-up, jitter."""

# How many of the texts have to be the same, in the order in which slots are given away.
_LIKENESSES = (5, 2, 1, 0)


def assign_slots(
    wanted: Sequence[CronTexts], existing: Mapping[int, Collection[CronTexts]]
) -> tuple[int, ...]:
    """Return the slot of each of ``wanted``, no two the same.

    ``existing`` has what each slot holds now; more than one trigger while the schedules of
    several jobs are being changed. A trigger stays where it is; one that was edited takes the slot
    of what it most likely was before, so that a schedule that somebody paused stays paused
    whichever trigger of the workflow is added, removed or edited. The rest take the lowest free
    slots. What has no trigger any more is for the caller to delete.

    Whoever asks while another carries out the same answer is given the same answer.
    """
    # Equals side by side: it makes no difference then which of them has a slot already.
    order = sorted(range(len(wanted)), key=lambda index: (wanted.index(wanted[index]), index))
    free = {slot: tuple(existing[slot]) for slot in sorted(existing)}
    given: dict[int, int] = {}
    for likeness in _LIKENESSES:
        for index in order:
            if index not in given:
                slot = _likest(wanted[index][:likeness], free)
                if slot is not None:
                    given[index] = slot
                    del free[slot]
    new = (slot for slot in count(1) if slot not in existing)
    given.update((index, next(new)) for index in order if index not in given)
    return tuple(given[index] for index in range(len(wanted)))


def _likest(texts: tuple[str, ...], free: Mapping[int, Collection[CronTexts]]) -> int | None:
    """Return the first slot that holds a trigger with these first texts."""
    for slot, held in free.items():
        if any(each[: len(texts)] == texts for each in held):
            return slot
    return None
