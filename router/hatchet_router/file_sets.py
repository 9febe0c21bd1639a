"""Which files the routers of one queue have, and so what the queue has to be bound for.

During a rolling deploy routers with different files share a queue. AMQP cannot list bindings, so
the routers keep a note on the broker of what each of them has asked for: bindings that no router
wants any more can be removed, and an event can be left to a router whose files want it.
"""

from __future__ import annotations

import functools
import hashlib
import time
from collections.abc import Callable, Collection
from typing import Annotated, Final

from pydantic import Field, StringConstraints

from hatchet_router.bindings import binding_key
from hatchet_router.routing import PatternTrie
from hatchet_schemas.model import Model

__all__ = ["LEASE_SECONDS", "Binding", "FileSet", "FileSets", "Membership"]

LEASE_SECONDS: Final = 60.0
"""For how long a router counts that gives no sign of life: one that was killed may come back."""

_DIGEST_CHARACTERS: Final = 32

Binding = tuple[str, str]
"""An exchange, and a key that the router's queue is bound to it with."""

_Text = Annotated[str, StringConstraints(max_length=255)]
_Texts = Annotated[tuple[_Text, ...], Field(strict=False)]


class FileSet(Model):
    """What one set of workflow files asks of the broker."""

    exchanges: _Texts = ()
    triggers: _Texts = ()

    @property
    def digest(self) -> str:
        """The same for the same files' triggers, wherever they are."""
        text = "\0".join((*self.exchanges, "", *self.triggers))
        return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_CHARACTERS]

    @property
    def bindings(self) -> frozenset[Binding]:
        """What brings all that the triggers match, and little more."""
        keys = {binding_key(trigger) for trigger in self.triggers}
        return frozenset((exchange, key) for exchange in self.exchanges for key in keys)


class RouterEntry(Model):
    """A router: the digest of its files, and a number that grows while it lives.

    ``bound`` is the digest of the files that it has made the bindings for, until those for its
    files of now are made: a moment without either would lose events.
    """

    files: str
    beat: int
    bound: str | None = None

    @property
    def used(self) -> frozenset[str]:
        """The digests of the files whose bindings are needed."""
        return frozenset({self.files} if self.bound is None else {self.files, self.bound})


class FileSets(Model):
    """The note: the sets of files by digest, and the routers by id.

    It is written before bindings are made and after they are removed, so it holds all that there
    are. Of several notes that with the highest ``revision`` counts.
    """

    revision: int = 0
    sets: dict[str, FileSet] = Field(default_factory=dict[str, FileSet])
    routers: dict[str, RouterEntry] = Field(default_factory=dict[str, RouterEntry])

    @property
    def bindings(self) -> frozenset[Binding]:
        """All bindings of all sets."""
        return frozenset[Binding]().union(*(files.bindings for files in self.sets.values()))

    def joined(self, router: str, files: FileSet, bound: FileSet | None = None) -> FileSets:
        """Return the note with a sign of life of ``router``, which has ``files``.

        ``bound`` are those that it has made the bindings for, as far as it knows.
        """
        known = self.routers.get(router)
        entry = RouterEntry(
            files=files.digest,
            beat=known.beat + 1 if known else 0,
            bound=bound.digest if bound else None,
        )
        used = {each.digest: each for each in (files, bound) if each}
        return self._changed(sets=self.sets | used, routers={**self.routers, router: entry})

    def without(self, routers: Collection[str]) -> FileSets:
        """Return the note without these routers, and without the sets that no router has."""
        kept = {name: entry for name, entry in self.routers.items() if name not in routers}
        used = frozenset[str]().union(*(entry.used for entry in kept.values()))
        return self._changed(
            sets={digest: files for digest, files in self.sets.items() if digest in used},
            routers=kept,
        )

    def left(self, router: str) -> FileSets:
        """Return the note without ``router``, but with its files: events for them may yet come.

        Whoever is there, or comes next, removes what nobody has.
        """
        kept = {name: entry for name, entry in self.routers.items() if name != router}
        return self._changed(sets=self.sets, routers=kept)

    def others(self, router: str, files: FileSet) -> tuple[FileSet, ...]:
        """Return the sets besides ``files`` that routers besides ``router`` have."""
        used = {entry.files for name, entry in self.routers.items() if name != router}
        return tuple(self.sets[digest] for digest in used - {files.digest} if digest in self.sets)

    def _changed(self, *, sets: dict[str, FileSet], routers: dict[str, RouterEntry]) -> FileSets:
        # Time makes it grow even where a note could not be read, and one begins anew.
        revision = max(self.revision + 1, time.time_ns() // 1_000_000)
        return FileSets(revision=revision, sets=sets, routers=routers)


@functools.lru_cache(maxsize=64)
def _matcher(triggers: tuple[str, ...]) -> PatternTrie:
    trie = PatternTrie()
    for number, trigger in enumerate(triggers):
        trie.add(trigger, number)
    return trie


class Membership:
    """One router's place in the note: the files it has, and those that it has ``bound``.

    That another is gone it decides by its own clock alone: no sign of life for `LEASE_SECONDS`
    while it looked.
    """

    def __init__(
        self, router: str, files: FileSet, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.files = files
        self.bound: FileSet | None = None
        self._router = router
        self._clock = clock
        self._seen: dict[str, tuple[int, float]] = {}
        self._looked = clock()
        self._others: tuple[FileSets, FileSet, tuple[PatternTrie, ...]] | None = None

    def look_anew(self) -> None:
        """Forget what was seen: the others may have been away as long as this router was."""
        self._seen.clear()

    def joined(self, note: FileSets) -> FileSets:
        """Return ``note`` with a sign of life of this router."""
        return note.joined(self._router, self.files, self.bound)

    def tidied(self, note: FileSets) -> FileSets:
        """Return ``note`` without routers that are gone, and without files that nobody has."""
        now = self._clock()
        if now - self._looked > LEASE_SECONDS / 2:
            self._seen.clear()  # this router did not look, so nobody may have been able to show
        self._looked = now
        self._seen = {
            name: (entry.beat, self._since(name, entry.beat, now))
            for name, entry in note.routers.items()
        }
        gone = {
            name
            for name, (_, since) in self._seen.items()
            if name != self._router and now - since > LEASE_SECONDS
        }
        return note.without(gone)

    def left(self, note: FileSets) -> FileSets:
        """Return ``note`` without this router."""
        return note.left(self._router)

    def is_wanted_by_others(self, note: FileSets, key: str) -> bool:
        """Return whether another router's files want the event of ``key``."""
        known = self._others
        if known is None or known[0] is not note or known[1] is not self.files:
            others = note.others(self._router, self.files)
            known = note, self.files, tuple(_matcher(other.triggers) for other in others)
            self._others = known
        return any(trie.match(key) for trie in known[2])

    def _since(self, name: str, beat: int, now: float) -> float:
        seen = self._seen.get(name)
        return seen[1] if seen is not None and seen[0] == beat else now
