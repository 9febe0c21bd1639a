"""What `hatchet dead` does about the dead letters that are meant."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Protocol

import structlog

from hatchet_cli.reports.letters import Row
from hatchet_router.dead_letter_queue import DeadLetterQueue, HeldLetter
from hatchet_router.letters import DeadLetter
from hatchet_router.replays import Replayer
from hatchet_router.selections import Selection

__all__ = ["Act", "Audit", "Choice", "Purge", "ReplayAll", "carried_out", "chosen"]

_log: structlog.stdlib.BoundLogger = structlog.get_logger("hatchet.dead")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which letters are meant: at most ``limit`` of the ``selection``, as seen ``now``."""

    selection: Selection
    limit: int | None
    now: datetime

    @property
    def is_narrowed(self) -> bool:
        """Whether anything was asked for."""
        return bool(self.selection.described()) or self.limit is not None

    def described(self) -> dict[str, Any]:
        """Return what was asked for, for logs."""
        limit = {} if self.limit is None else {"limit": self.limit}
        return {**self.selection.described(), **limit}


async def chosen(queue: DeadLetterQueue, choice: Choice) -> AsyncIterator[list[HeldLetter]]:
    """Yield the letters that are meant, some at once."""
    left = choice.limit
    while (left is None or left > 0) and (batch := await queue.next_batch()):
        meant = [held for held in batch if choice.selection.holds(held.letter, choice.now)][:left]
        if meant:
            yield meant
        if left is not None:
            left -= len(meant)


class Act(Protocol):
    """What is done about letters: ``would`` says it of a dry run, ``did`` when it is done."""

    would: ClassVar[str]
    did: ClassVar[str]

    def refusal(self, letter: DeadLetter) -> str | None:
        """Return why it must not be done."""
        ...

    async def do(self, letters: Sequence[HeldLetter]) -> list[Row]:
        """Do it."""
        ...


@dataclass(frozen=True, slots=True)
class Audit:
    """Who asked for what, for the record of each letter."""

    operator: str
    selection: dict[str, Any]

    def record(self, event: str, letter: DeadLetter, event_id: str | None) -> None:
        """Write it into the log."""
        _log.info(
            event,
            event_key=letter.key,
            event_id=event_id,
            reason=letter.kind,
            attempts=letter.attempts,
            operator=self.operator,
            selection=self.selection,
        )


class Purge:
    """Removes letters for good."""

    would: ClassVar[str] = "would be purged"
    did: ClassVar[str] = "purged"

    def __init__(self, queue: DeadLetterQueue, audit: Audit) -> None:
        self._queue = queue
        self._audit = audit

    def refusal(self, letter: DeadLetter) -> str | None:
        """Return None: any letter may go."""
        del letter
        return None

    async def do(self, letters: Sequence[HeldLetter]) -> list[Row]:
        """Remove them."""
        await self._queue.remove(letters)
        for held in letters:
            self._audit.record("dead_letter.purged", held.letter, held.letter.event_id)
        return [Row(held.letter, self.did) for held in letters]


class ReplayAll:
    """Puts the events of letters back into ``router_queue``.

    ``retention`` is how long Temporal remembers jobs, None where it shall not matter.
    """

    would: ClassVar[str] = "would be replayed"
    did: ClassVar[str] = "replayed"

    def __init__(
        self,
        queue: DeadLetterQueue,
        replayer: Replayer,
        audit: Audit,
        *,
        router_queue: str,
        retention: timedelta | None,
        now: datetime,
    ) -> None:
        self._queue = queue
        self._replayer = replayer
        self._audit = audit
        self._router_queue = router_queue
        self._retention = retention
        self._now = now

    def refusal(self, letter: DeadLetter) -> str | None:
        """Return why it must not go back: it is another router's, or too old."""
        if letter.queue not in {None, self._router_queue}:
            return f"it came from queue {letter.queue!r}; set HATCHET_QUEUE to replay it there"
        if self._retention is None:
            return None
        if letter.first_time is None:
            return "nothing tells how old it is, and it could start jobs again; --force replays it"
        if self._now - letter.first_time > self._retention:
            return (
                f"it is older than the {self._retention.days} days that Temporal remembers jobs, "
                "and could start some again; --force replays it"
            )
        return None

    async def do(self, letters: Sequence[HeldLetter]) -> list[Row]:
        """Replay those that may be, and remove those that are stored."""
        may = [held for held in letters if self.refusal(held.letter) is None]
        replays = await self._replayer.replay([held.letter for held in may]) if may else []
        stored = [held for held, replay in zip(may, replays, strict=True) if not replay.failure]
        for replay in replays:
            if not replay.failure:
                self._audit.record("dead_letter.replayed", replay.letter, replay.event_id)
        await self._queue.remove(stored)
        failures = {id(replay.letter): replay.failure for replay in replays if replay.failure}
        return [
            Row(held.letter, "failed", failures[id(held.letter)])
            if id(held.letter) in failures
            else _row(self, held.letter, self.did)
            for held in letters
        ]


async def carried_out(
    queue: DeadLetterQueue,
    choice: Choice,
    act: Act,
    *,
    confirmed: bool,
    on_rows: Callable[[list[Row]], Awaitable[None]],
) -> bool:
    """Do ``act`` to the letters that are meant, if ``confirmed`` or if it is one that was chosen.

    Otherwise tell what would be done. ``on_rows`` is given what is told of each letter, some at
    once. Return whether it was done.
    """
    alone: list[HeldLetter] = []
    dry = False
    async for letters in chosen(queue, choice):
        if confirmed:
            await on_rows(await act.do(letters))
        elif not dry and not alone and len(letters) == 1:
            alone = letters
        else:
            await on_rows([_row(act, held.letter, act.would) for held in (*alone, *letters)])
            alone, dry = [], True
    if alone:
        if choice.is_narrowed:
            await on_rows(await act.do(alone))
        else:
            dry = True
            await on_rows([_row(act, alone[0].letter, act.would)])
    return not dry


def _row(act: Act, letter: DeadLetter, result: str) -> Row:
    refusal = act.refusal(letter)
    return Row(letter, result) if refusal is None else Row(letter, "refused", refusal)
