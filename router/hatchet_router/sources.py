"""Who published an event: what the broker has verified, and what the publisher says of itself.

An event's identity is (source, id). Nobody but a user's own application can make a source that
begins with the user's name, so it cannot take the ids of another's events before they come
(RabbitMQ refuses a message whose ``user_id`` is not its connection's user).
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["event_source"]

_SEPARATORS: Final = re.compile(r"[%@/:]")
# Every name of a user, encoded, has an `@` or the end before it has one of the others.
_LIKE_NO_USER: Final = re.compile(r"[^@/:]*[/:]", re.DOTALL)


def event_source(user_id: str | None, declared: str | None) -> str | None:
    """Return the source of an event: different for every different pair of arguments.

    ``user_id`` is the user whom the broker has verified, ``declared`` the source that a CloudEvent
    or another envelope names, which may be anything. It is

    - ``user`` where there is no declared one: the name, with ``%``, ``@``, ``/`` and ``:``
      percent-encoded;
    - ``user@declared`` where there are both;
    - ``declared`` where there is no user, which is verbatim if it has a ``/`` or ``:`` before any
      ``@``, as nearly all URIs have; otherwise it could be taken for one of those above, and is
      ``@declared``.
    """
    user = _SEPARATORS.sub(lambda found: f"%{ord(found[0]):02X}", user_id) if user_id else ""
    if declared is None:
        return user or None
    return declared if not user and _LIKE_NO_USER.match(declared) else f"{user}@{declared}"
