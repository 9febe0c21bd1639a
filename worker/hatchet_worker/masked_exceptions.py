"""Exceptions without secrets, for those who print them with all that led to them."""

from __future__ import annotations

import traceback
from typing import Final

from hatchet_worker.masking import Masker

__all__ = ["masked_exception"]

_MAX_CAUSES: Final = 50


def masked_exception(error: BaseException, masker: Masker) -> BaseException:
    """Return what prints as ``error`` does, but for the secrets; itself where it holds none."""
    text = "".join(traceback.format_exception(error))
    return error if masker.text(text) == text else _copy(error, masker, frozenset())


def _copy(error: BaseException, masker: Masker, above: frozenset[int]) -> Exception:
    kind = type(error)
    names = {"__module__": kind.__module__, "__qualname__": kind.__qualname__}
    above |= {id(error)}
    copy: Exception
    if isinstance(error, BaseExceptionGroup):
        parts = [_copy(part, masker, above) for part in error.exceptions]
        copy = type(kind.__name__, (ExceptionGroup,), names)(masker.text(error.message), parts)
    else:
        copy = type(kind.__name__, (Exception,), names)(masker.text(str(error)))
    for note in getattr(error, "__notes__", ()):
        copy.add_note(masker.text(str(note)))
    if (cause := _next(error.__cause__, above)) is not None:
        copy.__cause__ = _copy(cause, masker, above)
    elif error.__suppress_context__:
        copy.__suppress_context__ = True
    elif (context := _next(error.__context__, above)) is not None:
        copy.__context__ = _copy(context, masker, above)
    return copy.with_traceback(error.__traceback__)


def _next(error: BaseException | None, above: frozenset[int]) -> BaseException | None:
    return None if error is None or id(error) in above or len(above) >= _MAX_CAUSES else error
