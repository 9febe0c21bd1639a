"""How long Temporal remembers which jobs were started."""

from __future__ import annotations

from datetime import timedelta

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client

from hatchet_cli.exiting import CommandError
from hatchet_cli.servers import connect_to_temporal

__all__ = ["read_retention", "retention_of"]


async def read_retention() -> timedelta:
    """Return the retention of the namespace that the environment names.

    A job that has ended longer ago is forgotten, and would start again.

    Raises:
        CommandError: Temporal does not tell.

    """
    try:
        client = await connect_to_temporal()
    except CommandError as error:
        raise CommandError(
            f"{error}; Temporal has to say how long it remembers jobs, since an event that is "
            "older could start them again: --force replays all the same",
            error.code,
        ) from error
    return await retention_of(client)


async def retention_of(client: Client) -> timedelta:
    """Return the retention of the namespace that ``client`` works in."""
    namespace = await client.workflow_service.describe_namespace(
        DescribeNamespaceRequest(namespace=client.namespace)
    )
    return namespace.config.workflow_execution_retention_ttl.ToTimedelta()
