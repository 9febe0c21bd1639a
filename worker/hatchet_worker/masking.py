"""What keeps the values of secrets out of Temporal's histories and out of logs."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any, Final

import structlog

from hatchet_worker.secret_forms import MIN_CHARACTERS, secret_forms

__all__ = ["MASK", "SECRETS_IN_USE", "Masker"]

MASK: Final = "***"
"""What stands where a secret stood."""

_MAX_VALUES: Final = 1000  # of those used last; more come only from values that are new each time
_BETWEEN: Final = "\0"  # a value with NUL in it matches too often, never too seldom

_logger = structlog.get_logger("hatchet.worker")


class Masker:
    """Replaces the values that it was told to `remember`, in each form of `secret_forms`.

    It may be used by all threads at any time. As long as it knows no secret, it costs nothing.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: dict[str, frozenset[str]] = {}
        self._forms: tuple[str, ...] = ()
        self._numbers: frozenset[str] = frozenset()
        self._warned: set[str] = set()

    def remember(self, name: str, value: str) -> None:
        """Mask ``value`` from now on; ``name`` is for the warning that it is too short for that."""
        if len(value.strip()) < MIN_CHARACTERS:
            self._warn(name)
        with self._lock:
            known = self._values.pop(value, None)
            self._values[value] = secret_forms(value) if known is None else known
            if known is not None:
                return
            while len(self._values) > _MAX_VALUES:
                del self._values[next(iter(self._values))]
            # New objects take the place of the old, which other threads may be reading.
            self._numbers = frozenset(
                value
                for value in self._values
                if len(value) >= MIN_CHARACTERS and _is_number(value)
            )
            self._forms = tuple(frozenset[str]().union(*self._values.values()))

    @property
    def knows_secrets(self) -> bool:
        """Whether there is anything to mask."""
        return bool(self._forms)

    def text(self, text: str) -> str:
        """Return ``text`` with each occurrence masked."""
        forms = self._forms
        spans = sorted(span for form in forms for span in _occurrences(text, form))
        if not spans:
            return text
        return "".join(_with_mask(text, spans))

    def data(self, value: Any) -> Any:
        """Return JSON data, or what else is made of maps and lists, with each occurrence masked.

        Names of fields are masked too, and numbers that are a secret. What holds no secret is
        returned as it is; what is neither text, number, map nor list is left alone.
        """
        if not self._forms:
            return value
        forms = self._forms
        texts = _BETWEEN.join(_texts(value, numbers=bool(self._numbers)))
        return self._masked(value) if any(form in texts for form in forms) else value

    def _masked(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return MASK if str(value) in self._numbers else value
        if isinstance(value, Mapping):
            masked: dict[Any, Any] = {}
            for key, item in value.items():
                masked[self._key(key, masked)] = self._masked(item)
            return masked
        if isinstance(value, (list, tuple)):
            items = [self._masked(item) for item in value]
            return items if isinstance(value, list) else tuple(items)
        return value

    def _key(self, key: Any, taken: Mapping[Any, Any]) -> Any:
        masked = self._masked(key)
        while masked != key and masked in taken:
            masked = f"{masked}*"
        return masked

    def _warn(self, name: str) -> None:
        with self._lock:
            if name in self._warned:
                return
            self._warned.add(name)
        _logger.warning("secret.too_short_to_mask", secret=name, min_characters=MIN_CHARACTERS)


SECRETS_IN_USE: Final = Masker()
"""The masker of this process: it knows each secret that a step of its workers was given."""


def _is_number(text: str) -> bool:
    return text.isascii() and text.lstrip("-").replace(".", "", 1).isdigit()


def _occurrences(text: str, form: str) -> Iterator[tuple[int, int]]:
    start = text.find(form)
    while start >= 0:
        yield start, start + len(form)
        start = text.find(form, start + 1)


def _with_mask(text: str, spans: list[tuple[int, int]]) -> Iterator[str]:
    """Yield the parts of ``text``, a mask in place of each run of spans that overlap."""
    done = 0
    for start, end in spans:
        if start >= done:
            yield text[done:start]
            yield MASK
        done = max(done, end)
    yield text[done:]


def _texts(value: Any, *, numbers: bool) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(key, numbers=numbers)
            yield from _texts(item, numbers=numbers)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item, numbers=numbers)
    elif numbers and isinstance(value, (int, float)):
        yield str(value)
