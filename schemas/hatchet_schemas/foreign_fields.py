"""Fields of GitHub Actions that workflow files do not have, and what to write in their place."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = ["INSTEAD_IN_JOB", "INSTEAD_IN_STEP", "INSTEAD_IN_TRIGGERS", "INSTEAD_IN_WORKFLOW"]

_TIMEOUT: Final = "write timeout, with a unit: timeout: 5m"
_NO_COMMANDS: Final = (
    "steps run no commands: write an action of an integration, and name it by actionId"
)
_VARS: Final = (
    "values for templates are in the workflow's vars, {{ .vars.NAME }}, and secrets in "
    "{{ .secrets.NAME }}"
)
_AT_ONCE: Final = "leave it out: the jobs of all events run at once"
_NO_PERMISSIONS: Final = "leave it out: jobs get no token"
_NO_CONTAINERS: Final = "steps run in your worker: queue says in which"
_NO_OUTPUTS: Final = "jobs run in parallel; later steps of the same job see .steps.ID.outputs"

INSTEAD_IN_WORKFLOW: Final[Mapping[str, str]] = MappingProxyType(
    {
        "concurrency": _AT_ONCE,
        "env": _VARS,
        "permissions": _NO_PERMISSIONS,
        "run-name": "runs are named <workflow>/<job>/<event id>",
    }
)
INSTEAD_IN_TRIGGERS: Final = "event keys stand in a list, such as on: [user:create]"
INSTEAD_IN_JOB: Final[Mapping[str, str]] = MappingProxyType(
    {
        "concurrency": _AT_ONCE,
        "container": _NO_CONTAINERS,
        "env": _VARS,
        "environment": _VARS,
        "outputs": _NO_OUTPUTS,
        "permissions": _NO_PERMISSIONS,
        "runs-on": "write queue: NAME, which says which workers run the job",
        "services": _NO_CONTAINERS,
        "strategy": "there is no matrix: write each job, or publish an event for each case",
        "timeout-minutes": _TIMEOUT,
        "uses": "a job has steps of its own; to start another workflow, publish its event",
    }
)
INSTEAD_IN_STEP: Final[Mapping[str, str]] = MappingProxyType(
    {
        "env": "what an action gets is in with",
        "inputs": "what an action gets is in with",
        "run": _NO_COMMANDS,
        "shell": _NO_COMMANDS,
        "timeout-minutes": _TIMEOUT,
        "uses": "write actionId: integration:verb, which names an action of your worker",
        "working-directory": _NO_COMMANDS,
    }
)
