"""The times that stand behind ``random_hourly`` and the like."""

from __future__ import annotations

import hashlib

__all__ = ["drawn"]


def drawn(schedule: str, times: str) -> str:
    """Return the five cron fields that ``schedule`` stands for; any other schedule as it is.

    ``times`` tells those apart that are to draw for themselves (`hatchet_schemas.names.times_id`).
    The draw is a hash, so that whoever draws, whenever, draws the same: no router has to ask
    another, and none has to remember. All minutes are equally likely.
    """
    digest = hashlib.sha256(f"{schedule}\n{times}".encode("utf-8", "surrogatepass")).digest()
    number = int.from_bytes(digest)
    match schedule:
        case "random_15_min":
            first = number % 15
            return f"{first},{first + 15},{first + 30},{first + 45} * * * *"
        case "random_hourly":
            return f"{number % 60} * * * *"
        case "random_daily":
            hour, minute = divmod(number % (24 * 60), 60)
            return f"{minute} {hour} * * *"
        case _:
            return schedule
