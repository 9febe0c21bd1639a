"""One run of `hatchet dev`, from the first server to the last."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hatchet_cli.definitions import load_or_fail
from hatchet_cli.dev.backends import Backends, start_backends
from hatchet_cli.dev.children import Child, running_child
from hatchet_cli.dev.view import View
from hatchet_cli.devstack import DevStackError
from hatchet_cli.devstack.guard import Guard
from hatchet_cli.exiting import CommandError, ExitCode
from hatchet_cli.running import first_of
from hatchet_cli.runs import jobs_of_event
from hatchet_cli.servers import (
    broker_failures,
    publishing_failures,
    read_temporal_settings,
    request_failures,
    temporal_failures,
)
from hatchet_router.dispatcher import Dispatcher
from hatchet_router.routing import RoutingTable
from hatchet_router.settings import RouterSettings
from hatchet_schemas import SchemaError
from hatchet_schemas.patterns import check_pattern, is_pattern
from hatchet_worker.connection import TemporalSettings, connect

__all__ = ["DevOptions", "run_dev"]

_START_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class DevOptions:
    """What to run.

    ``workers`` are the arguments of `hatchet worker` for each, by what people know it by.
    ``publish`` is the key and data of an event; ``once`` ends after its jobs; with ``reload`` the
    router goes by the workflow files as they change.
    """

    workers: Mapping[str, Sequence[str]]
    data_dir: Path | None = None
    publish: tuple[str, dict[str, Any]] | None = None
    data_text: str = "{}"
    once: bool = False
    reload: bool = True


async def run_dev(settings: RouterSettings, options: DevOptions, stop: asyncio.Event) -> int:
    """Run everything until ``stop`` is set, or until the published event's jobs have ended.

    Raises:
        CommandError: the workflow files have problems, the event cannot be published, a server
            does not start, or the router or a worker ended.

    """
    # Checked first: an error in a file should not cost the start of two servers.
    table = RoutingTable(load_or_fail(settings.workflows, known_vars=frozenset(settings.vars)))
    if options.publish is not None:
        _check_key(options.publish[0], table)
    view = View()
    with ExitStack() as lifetime:
        session = _session(settings, options, table, view, lifetime)
        return int(await first_of(session, _stopped(stop)))


def _check_key(key: str, table: RoutingTable) -> None:
    try:
        check_pattern(key)
    except SchemaError as error:
        raise CommandError(str(error), ExitCode.USAGE) from error
    if is_pattern(key):
        raise CommandError(
            f"{key!r} is a pattern; an event has one key, without * and #", ExitCode.USAGE
        )
    if not table.match(key):
        raise CommandError(f"no workflow has a trigger for {key!r}", ExitCode.NOTHING_MATCHED)


async def _stopped(stop: asyncio.Event) -> int:
    await stop.wait()
    return ExitCode.SUCCESS


async def _session(
    settings: RouterSettings,
    options: DevOptions,
    table: RoutingTable,
    view: View,
    lifetime: ExitStack,
) -> int:
    view.starting()
    try:
        with broker_failures(), temporal_failures():
            backends = await start_backends(
                settings, read_temporal_settings(), lifetime, options.data_dir
            )
    except DevStackError as error:
        raise CommandError(str(error), ExitCode.UNREACHABLE) from error
    guard = Guard()
    lifetime.callback(guard.close)
    async with AsyncExitStack() as children:
        reload = "--reload" if options.reload else "--no-reload"
        commands = {
            "router": ["router", "--dir", str(settings.workflows), reload],
            **{f"worker {name}": ["worker", *given] for name, given in options.workers.items()},
        }
        running = [
            await children.enter_async_context(
                running_child(name, command, backends.environment, guard)
            )
            for name, command in commands.items()
        ]
        followers = [child.follow(_ready_event(child), view.record) for child in running]
        shown = _show(settings, options, table, view, backends, running)
        return int(await first_of(shown, *followers))


def _ready_event(child: Child) -> str:
    return "router.ready" if child.name == "router" else "worker.started"


async def _show(
    settings: RouterSettings,
    options: DevOptions,
    table: RoutingTable,
    view: View,
    backends: Backends,
    running: list[Child],
) -> int:
    for child in running:
        await child.ready.wait()
    view.header(backends, str(settings.workflows), table.triggers, tuple(options.workers))
    if options.publish is not None:
        code = await _publish_and_follow(settings, options.publish, view, backends)
        if options.once:
            view.next_run(options.publish[0], options.data_text)
            return code
    key = options.publish[0] if options.publish else _an_event(table)
    view.next_command(backends, key, options.data_text)
    await asyncio.Event().wait()  # until we are stopped, or a child ends
    return ExitCode.SUCCESS


async def _publish_and_follow(
    settings: RouterSettings, event: tuple[str, dict[str, Any]], view: View, backends: Backends
) -> int:
    key, data = event
    dispatcher = Dispatcher(
        backends.broker_url, exchange=settings.exchange, max_body_bytes=settings.max_body_bytes
    )
    with publishing_failures():
        async with dispatcher:
            event_id = await dispatcher.trigger(key, data)
    with request_failures():
        client = await connect(TemporalSettings.from_environment(backends.environment))
        runs = [run async for run in jobs_of_event(client, event_id, start_seconds=_START_SECONDS)]
    view.result(runs)
    return ExitCode.SUCCESS if runs and all(run.completed for run in runs) else ExitCode.FINDINGS


def _an_event(table: RoutingTable) -> str:
    return next((key for key in table.triggers if "*" not in key and "#" not in key), "some.event")
