"""An integration in its simplest form: any object with an id, actions and ``perform_action``."""

from __future__ import annotations

from typing import Any

from hatchet_worker import Worker


class Echo:
    """Gives back what it is given."""

    id = "echo"
    actions = ("echo",)

    def perform_action(self, _action: str, data: dict[str, Any], /) -> dict[str, Any]:
        """Return ``message`` as it came."""
        return {"message": data["message"]}


worker = Worker(integrations=[Echo()])
