"""What `hatchet doctor` looks at."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from importlib.metadata import version

from hatchet_cli.broker_diagnosis import diagnose_broker
from hatchet_cli.definitions import counted
from hatchet_cli.devstack import ServerNotInstalledError
from hatchet_cli.devstack.rabbitmq import find_server as find_rabbitmq
from hatchet_cli.devstack.temporal import find_temporal
from hatchet_cli.findings import Finding
from hatchet_cli.key_files import exposed_keys
from hatchet_cli.management_diagnosis import diagnose_management
from hatchet_cli.settings.environment import unknown_variables
from hatchet_cli.temporal_diagnosis import diagnose_temporal
from hatchet_router.folder import load_folder
from hatchet_router.settings import RouterSettings
from hatchet_schemas import Definition, Problem
from hatchet_worker.connection import TemporalSettings

__all__ = ["diagnose"]


async def diagnose(
    settings: RouterSettings, temporal: TemporalSettings, management_url: str | None = None
) -> list[Finding]:
    """Return all findings; servers that do not answer are findings too."""
    definitions, problems = load_folder(settings.workflows, known_vars=frozenset(settings.vars))
    rabbitmq, management, of_temporal = await asyncio.gather(
        diagnose_broker(settings),
        diagnose_management(management_url, settings.amqp_url, settings.topology),
        diagnose_temporal(temporal, _queues(definitions)),
    )
    return [
        Finding("hatchet", "ok", f"{version('hatchet-workflows')}, Python {_python()}"),
        *_settings(),
        _workflows(settings, definitions, problems),
        *rabbitmq,
        *management,
        *of_temporal,
        *_keys(),
        *_installed(),
    ]


def _python() -> str:
    return ".".join(map(str, sys.version_info[:3]))


def _queues(definitions: Iterable[Definition]) -> set[str]:
    """Return the task queues that some job uses."""
    return {job.queue for definition in definitions for job in definition.workflow.jobs.values()}


def _workflows(
    settings: RouterSettings, definitions: Collection[Definition], problems: Sequence[Problem]
) -> Finding:
    errors = [problem for problem in problems if problem.severity == "error"]
    mend = f"run: hatchet check {settings.workflows}"
    if errors:
        said = f"{settings.workflows}: {counted(len(errors), 'error')}, first: {errors[0]}"
        return Finding("workflows", "problem", said, mend)
    if problems:
        said = f"{settings.workflows}: {counted(len(problems), 'warning')}, first: {problems[0]}"
        return Finding("workflows", "note", said, mend)
    return Finding(
        "workflows", "ok", f"{settings.workflows}: {counted(len(definitions), 'workflow')}"
    )


def _settings() -> Iterator[Finding]:
    for said in unknown_variables():
        yield Finding("settings", "note", said, "see: hatchet config show --show-origin")


def _keys() -> Iterator[Finding]:
    for variable, file in exposed_keys():
        yield Finding("keys", "note", f"{variable}: others can read {file}", f"chmod 600 {file}")


def _installed() -> Iterator[Finding]:
    for subject, find in (("rabbitmq-server", find_rabbitmq), ("temporal", find_temporal)):
        try:
            yield Finding(f"{subject} (for dev)", "ok", find())
        except ServerNotInstalledError as error:
            yield Finding(f"{subject} (for dev)", "note", "not installed", str(error))
