"""Two workers for two queues: `hatchet dev workers:public workers:internal`.

The workflow's job ``book`` names the queue ``internal``, so only the second worker runs it, and it
waits where there is none. In production each worker runs where its integrations can.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from hatchet_worker import Integration, Worker, action

DATA = Path(os.environ.get("TWO_QUEUES_DATA") or Path(__file__).parent / "data")


class Note(Integration):
    """Notes for customers, one a line."""

    id = "note"

    @action("write")
    def write(self, data: dict[str, Any]) -> dict[str, Any]:
        """Add ``text`` to the notes."""
        append("notes.txt", data["text"])
        return {"characters": len(data["text"])}


class Booking(BaseModel):
    """A payment to book; ``amount`` in cents."""

    order: str
    amount: int


class Ledger(Integration):
    """Payments, one a line."""

    id = "ledger"

    @action("book")
    def book(self, booking: Booking) -> dict[str, Any]:
        """Add the payment to the ledger."""
        append("ledger.csv", f"{booking.order},{booking.amount}")
        return {"booked": booking.amount}


def append(name: str, line: str) -> None:
    """Add a line to a file of this example."""
    DATA.mkdir(parents=True, exist_ok=True)
    with (DATA / name).open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")


public = Worker(integrations=[Note()])
internal = Worker(integrations=[Ledger()], queues=["internal"])
