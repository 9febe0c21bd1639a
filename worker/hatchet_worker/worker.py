"""The worker: takes jobs from Temporal and runs their steps."""

from __future__ import annotations

import asyncio
import atexit
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from datetime import timedelta
from types import TracebackType
from typing import Self

import structlog
from pydantic import TypeAdapter, ValidationError
from temporalio.client import Client

from hatchet_schemas.names import DEFAULT_QUEUE, Name
from hatchet_worker.background import BackgroundService
from hatchet_worker.connection import TemporalSettings, check, connect, unreachable_workers
from hatchet_worker.counts import StepCounts
from hatchet_worker.errors import WorkerError
from hatchet_worker.exiting import settle_at_exit
from hatchet_worker.integration import IntegrationLike, closed
from hatchet_worker.needs import check_needs
from hatchet_worker.registry import Registry
from hatchet_worker.secrets import SecretProvider, default_providers
from hatchet_worker.signals import stop_signals
from hatchet_worker.steps import StepRunner
from hatchet_worker.temporal_workers import temporal_workers

__all__ = ["Worker"]


_logger = structlog.get_logger("hatchet.worker")


class Worker:
    """Runs the jobs of some queues with the actions of some integrations.

    Use it in one of three ways: `run` blocks until SIGINT or SIGTERM; `start` and `stop` run it
    beside a program that is not async; ``async with`` runs it inside one that is. Constructing one
    does no I/O; a worker that was stopped can be started again.

    Args:
        integrations: what the steps of the jobs can call.
        queues: which jobs to run, by the ``queue`` that they name.
        client: a Temporal client to use; without one the worker connects by itself,
        temporal: to the Temporal at these settings, by default those of the environment.
        max_concurrent_steps: how many steps of each queue run at the same time, and how many local
            ones beside them.
        grace_seconds: how long running steps may take to finish when the worker stops. A step
            that does not is ended, and tried again elsewhere as its retry policy says.
        secrets: who knows the values of the secrets that workflow files name, the first first; by
            default `EnvironmentSecrets`, then `DirectorySecrets` of ``HATCHET_SECRETS_DIR``, else
            of ``/run/secrets``.

    Raises:
        IntegrationError: the integrations are not what they must be.
        WorkerError: the queues, numbers or providers of secrets are not.

    """

    def __init__(
        self,
        integrations: Iterable[IntegrationLike],
        queues: Sequence[str] = (DEFAULT_QUEUE,),
        *,
        client: Client | None = None,
        temporal: TemporalSettings | None = None,
        max_concurrent_steps: int = 100,
        grace_seconds: float = 30.0,
        secrets: Iterable[SecretProvider] | None = None,
    ) -> None:
        self.registry = Registry(integrations)
        self.queues = _checked_queues(queues)
        self.counts = StepCounts()
        if max_concurrent_steps < 1:
            raise WorkerError(f"max_concurrent_steps is {max_concurrent_steps}: expected 1 or more")
        if grace_seconds < 0:
            raise WorkerError(f"grace_seconds is {grace_seconds}: expected 0 or more")
        self._secrets = _checked_providers(secrets)
        self._client = client
        self._connected = client
        self._temporal = temporal
        self._max_concurrent_steps = max_concurrent_steps
        self._grace = timedelta(seconds=grace_seconds)
        self._running: AsyncExitStack | None = None
        self._steps: StepRunner | None = None
        self._background: BackgroundService | None = None

    @property
    def secrets(self) -> tuple[SecretProvider, ...]:
        """Who knows the values of secrets, the first first."""
        return self._secrets

    def extend(
        self,
        integrations: Iterable[IntegrationLike] = (),
        queues: Sequence[str] | None = None,
    ) -> None:
        """Give a worker that does not run more ``integrations``, and other ``queues`` if there are.

        Raises:
            IntegrationError: the integrations are not what they must be, or it has one already.
            WorkerError: the queues are not, or it runs.

        """
        if self._running is not None:
            raise WorkerError("the worker runs already")
        self.registry = Registry((*self.registry.integrations, *integrations))
        self.queues = self.queues if queues is None else _checked_queues(queues)

    def run(self) -> None:
        """Run until SIGINT or SIGTERM, then finish the running steps and return.

        A second signal ends the running steps at once. Outside the main thread there are no
        signals, and only an error ends it.

        Raises:
            TemporalUnreachable: and the other errors of `connect`.
            Exception: what stopped the worker, if it was no signal.

        """
        asyncio.run(self._run_until_signalled())

    def start(self) -> None:
        """Run in a thread of its own; return when connected.

        At the interpreter's exit the worker is stopped, if it was not before.

        Raises:
            TemporalUnreachable: and the other errors of `connect`.

        """
        if self._background is not None:
            raise WorkerError("the worker runs already")
        background = BackgroundService(self.serve, "hatchet-worker")
        background.start()
        self._background = background
        atexit.register(self.stop)

    def stop(self) -> None:
        """End what `start` began: finish the running steps, then return.

        Raises:
            Exception: what had stopped the worker before.

        """
        background, self._background = self._background, None
        if background is None:
            return
        atexit.unregister(self.stop)
        background.stop()

    async def serve(self, stop: asyncio.Event, on_ready: Callable[[], None] = lambda: None) -> None:
        """Run until ``stop`` is set, then finish the running steps; call ``on_ready`` in between.

        Raises:
            TemporalUnreachable: and the other errors of `connect`.
            Exception: what stopped the worker before.

        """
        async with self:
            on_ready()
            await stop.wait()

    async def check(self) -> None:
        """Return if Temporal answers the running worker, which itself waits for one that is away.

        Raises:
            TemporalUnreachable: it does not, within 15 seconds.
            NamespaceNotFound: it has no such namespace any more.
            WorkerError: the worker does not run: it was not started, or has ended.

        """
        if self._connected is None or self._running is None:
            raise WorkerError("the worker does not run")
        await check(self._connected)

    def interrupt(self) -> None:
        """End the running steps at once, for a worker that is being stopped."""
        if self._steps is not None:
            self._steps.running.interrupt()

    async def __aenter__(self) -> Self:
        """Connect and begin to take jobs; return when Temporal has accepted that.

        Raises:
            MissingSecret: an integration needs it.
            TemporalUnreachable: and the other errors of `connect`.

        """
        if self._running is not None:
            raise WorkerError("the worker runs already")
        settle_at_exit()
        # In a thread, as a provider may block.
        await asyncio.to_thread(check_needs, self.registry.integrations, self._secrets)
        self._connected = client = self._client or await connect(self._temporal)
        with unreachable_workers(client):
            await self._begin(client)
        _logger.info("worker.started", queues=self.queues, actions=len(self.registry))
        return self

    async def _begin(self, client: Client) -> None:
        async with AsyncExitStack() as stack:
            executor = ThreadPoolExecutor(
                2 * self._max_concurrent_steps * len(self.queues),  # regular steps, and local ones
                thread_name_prefix="hatchet-step",
            )
            for integration in self.registry.integrations:
                stack.push_async_callback(closed, integration)
            stack.callback(executor.shutdown, wait=False, cancel_futures=True)
            self._steps = StepRunner(self.registry, executor, self._secrets, counts=self.counts)
            await stack.enter_async_context(
                temporal_workers(
                    client,
                    self.queues,
                    self._steps,
                    self.registry,
                    max_concurrent_steps=self._max_concurrent_steps,
                    grace=self._grace,
                )
            )
            self._running = stack.pop_all()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Take no more jobs and finish the running steps; raise what stopped the worker, if so."""
        running, self._running = self._running, None
        if running is None:
            return
        if isinstance(exc, Exception):
            _logger.error("worker.failed", error=type(exc).__name__, message=str(exc))
        _logger.info("worker.stopping", grace_seconds=self._grace.total_seconds())
        try:
            await running.__aexit__(exc_type, exc, traceback)
        finally:
            self._steps = None
            _logger.info("worker.stopped")

    async def _run_until_signalled(self) -> None:
        stop = asyncio.Event()
        with stop_signals(stop.set, self.interrupt):
            await self.serve(stop)


def _checked_queues(queues: Sequence[str]) -> tuple[str, ...]:
    if isinstance(queues, str):
        raise WorkerError(f"queues is the text {queues!r}: expected a list, [{queues!r}]")
    try:
        names = TypeAdapter(list[Name]).validate_python(list(queues))
    except ValidationError:
        raise WorkerError(
            f"queues is {queues!r}: expected names of letters, digits, '.', '_' and '-'"
        ) from None
    if not names:
        raise WorkerError("queues is empty: expected at least one queue")
    return tuple(dict.fromkeys(names))


def _checked_providers(
    secrets: Iterable[SecretProvider] | None,
) -> tuple[SecretProvider, ...]:
    if secrets is None:
        return default_providers()
    providers = tuple(secrets)
    for provider in providers:
        if isinstance(provider, type) or not callable(provider):
            raise WorkerError(
                f"secrets has {_kind_of(provider)}: expected functions, or objects such as "
                "EnvironmentSecrets(), that take a secret's name and return its value or None"
            )
    return providers


def _kind_of(provider: object) -> str:
    return (
        f"the class {provider.__name__}"
        if isinstance(provider, type)
        else (f"a {type(provider).__name__}")
    )
