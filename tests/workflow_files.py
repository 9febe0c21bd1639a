"""Workflow files that many tests write."""

from __future__ import annotations

import json

__all__ = ["workflow_file"]


def workflow_file(name: str, *triggers: str, job: str = "job") -> str:
    """Return a workflow file whose one job has one step, ``echo:say``."""
    return (
        f"name: {json.dumps(name)}\n"
        f"on: {json.dumps(triggers)}\n"
        "jobs:\n"
        f"  {job}:\n"
        "    steps:\n"
        "      - name: Say it\n"
        "        id: say\n"
        "        actionId: echo:say\n"
        "        timeout: 10s\n"
    )
