"""A private RabbitMQ and a private Temporal, for development and for tests.

They run from what is installed on this machine, on free loopback ports, and leave nothing behind.
All calls block; from async code use `asyncio.to_thread`.
"""

from hatchet_cli.devstack.errors import DevStackError, ServerFailedError, ServerNotInstalledError
from hatchet_cli.devstack.probe import amqp_answers, temporal_answers
from hatchet_cli.devstack.rabbitmq import RabbitmqServer
from hatchet_cli.devstack.server import Server, start_together
from hatchet_cli.devstack.stack import DevStack
from hatchet_cli.devstack.temporal import TemporalServer

__all__ = [
    "DevStack",
    "DevStackError",
    "RabbitmqServer",
    "Server",
    "ServerFailedError",
    "ServerNotInstalledError",
    "TemporalServer",
    "amqp_answers",
    "start_together",
    "temporal_answers",
]
