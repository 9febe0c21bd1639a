"""RabbitMQ and Temporal together."""

from pathlib import Path
from types import TracebackType
from typing import Final, Self

from hatchet_cli.devstack.rabbitmq import RabbitmqServer
from hatchet_cli.devstack.server import start_together
from hatchet_cli.devstack.temporal import TemporalServer


class DevStack:
    """Everything Hatchet needs besides itself: a private RabbitMQ and a private Temporal.

        with DevStack() as stack:
            print(stack.rabbitmq.amqp_url, stack.temporal.address)

    With `data_dir` the data are kept there, in a folder for each server. `management` adds
    RabbitMQ's web UI and `headless` leaves out Temporal's.
    """

    def __init__(
        self, data_dir: Path | None = None, *, management: bool = False, headless: bool = False
    ) -> None:
        self.rabbitmq: Final = RabbitmqServer(
            data_dir / "rabbitmq" if data_dir else None, management=management
        )
        self.temporal: Final = TemporalServer(
            data_dir / "temporal" if data_dir else None, headless=headless
        )

    def start(self) -> None:
        """Start both servers at the same time and wait for both; on failure none is left."""
        start_together(self.rabbitmq, self.temporal)

    def stop(self) -> None:
        """End both servers. May be called again."""
        try:
            self.temporal.stop()
        finally:
            self.rabbitmq.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
