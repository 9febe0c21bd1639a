"""Triggers that can be read, but hardly do what is meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import compress, product
from typing import Final

from hatchet_schemas.errors import shown
from hatchet_schemas.patterns import is_pattern, tokens
from hatchet_schemas.problems import Finding
from hatchet_schemas.triggers import CronTrigger, EventTrigger, Triggers

__all__ = ["covers", "trigger_findings"]

_Token = tuple[str, str]

_GAP: Final = re.compile(r"(?:^|(?<=[.:]))(?=[.:]|$)")
_WILDCARD: Final = re.compile(r"[*#]")
_MAX_COMPARISONS: Final = 10_000
_MAX_HASHES: Final = 3


def trigger_findings(on: Triggers) -> Iterator[Finding]:
    """Yield what is suspicious about the events and times of one workflow."""
    for index, trigger in enumerate(on.events):
        gap = _GAP.search(trigger.event)
        if gap is not None:
            yield Finding(
                ("on", "events", index, "event"),
                f"{shown(trigger.event)} has an empty word: it matches only events whose key has "
                "the same gap",
                "empty-word",
                offset=gap.start(),
            )
    if len(on.events) > 1:
        yield from _redundant_events(on.events)
    if len(on.cron) + len(on.schedule) > 1:
        yield from _redundant_times(on.crons, len(on.cron))


def _redundant_events(events: Sequence[EventTrigger]) -> Iterator[Finding]:
    first: dict[tuple[str, str | None], int] = {}
    for index, trigger in enumerate(events):
        first.setdefault((trigger.event, trigger.if_), index)
    wider = [
        (_fixed_start(pattern), pattern, condition)
        for pattern, condition in first
        if is_pattern(pattern)
    ]
    if len(wider) * len(events) > _MAX_COMPARISONS:
        wider = []
    for index, trigger in enumerate(events):
        event, condition = trigger.event, trigger.if_
        reason = None
        if first[event, condition] < index:
            reason = "it stands here already"
        elif condition is not None and (event, None) in first:
            reason = "it stands here without a condition, too"
        else:
            for start, pattern, its_condition in wider:
                if event.startswith(start) and its_condition in {None, condition}:
                    earlier = first[pattern, its_condition] < index
                    if _makes_redundant(pattern, event, earlier=earlier):
                        reason = f"{shown(pattern)} matches all that it matches"
        if reason is not None:
            yield Finding(
                ("on", "events", index, "event"),
                f"{shown(event)} is redundant: {reason}",
                "redundant-trigger",
            )


def _fixed_start(pattern: str) -> str:
    """Return what all that ``pattern`` covers begins with."""
    before = _WILDCARD.split(pattern, maxsplit=1)[0]
    return before[:-1]  # without the separator: # can stand for nothing


def _makes_redundant(pattern: str, event: str, *, earlier: bool) -> bool:
    # Of two that match the same, the first one stays.
    return pattern != event and covers(pattern, event) and (earlier or not covers(event, pattern))


def _redundant_times(crons: Sequence[CronTrigger], own_form: int) -> Iterator[Finding]:
    seen: set[tuple[str, str]] = set()
    for index, cron in enumerate(crons):
        time = (cron.schedule, cron.timezone)
        if time in seen and not cron.schedule.startswith("random_"):
            loc: tuple[str | int, ...] = ("on", "cron", index, "schedule")
            if index >= own_form:
                loc = ("on", "schedule", index - own_form, "cron")
            message = f"{shown(cron.schedule)} is redundant: it stands here already"
            yield Finding(loc, message, "redundant-trigger")
        seen.add(time)


def covers(general: str, specific: str) -> bool:
    """Return whether every key that ``specific`` matches is surely one that ``general`` matches."""
    wide, narrow = tokens(general), tokens(specific)
    hashes = [index for index, (_, word) in enumerate(narrow) if word == "#"]
    if len(hashes) > _MAX_HASHES:
        return general == specific
    return all(
        _matches(wide, _without(narrow, compress(hashes, choice)))
        for choice in product((False, True), repeat=len(hashes))
    )


def _without(key: Sequence[_Token], hashes: Iterable[int]) -> list[_Token]:
    """Return ``key`` with some of its ``#`` standing for no words."""
    gone = set(hashes)
    kept = [token for index, token in enumerate(key) if index not in gone]
    return [("", kept[0][1]), *kept[1:]] if kept else []


def _matches(pattern: Sequence[_Token], key: Sequence[_Token]) -> bool:
    """Return whether ``pattern`` matches ``key``, in which ``*`` and ``#`` are mere words."""

    @cache
    def at(place: int, position: int) -> bool:
        if place == len(pattern):
            return position == len(key)
        separator, word = pattern[place]
        joined = position < len(key) and (position == 0 or key[position][0] == separator)
        if word == "#":
            return at(place + 1, position) or (
                joined and any(at(place + 1, end) for end in range(position + 1, len(key) + 1))
            )
        if not joined or (key[position][1] != word and (word != "*" or key[position][1] == "#")):
            return False
        return at(place + 1, position + 1)

    return at(0, 0)
