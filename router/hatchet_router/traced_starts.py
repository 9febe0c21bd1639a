"""Starts of jobs that tell Temporal of the span they belong to."""

from __future__ import annotations

from typing import Any

import temporalio.client
from opentelemetry import propagate
from temporalio.client import Client, OutboundInterceptor, StartWorkflowInput, WorkflowHandle
from temporalio.converter import PayloadConverter

from hatchet_schemas.names import TRACE_HEADER

__all__ = ["with_traced_starts"]


def with_traced_starts(client: Client) -> Client:
    """Return a client like ``client`` whose workflows bear the current span in their header."""
    config = client.config()
    config["interceptors"] = [*config["interceptors"], _TracedStarts()]
    return Client(**config)


class _TracedStarts(temporalio.client.Interceptor):
    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002 - the SDK's name
        return _Outbound(next)


class _Outbound(OutboundInterceptor):
    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:  # noqa: A002 - the SDK's name
        carrier: dict[str, str] = {}
        propagate.inject(carrier)
        if carrier:
            payload = PayloadConverter.default.to_payload(carrier)
            input.headers = {**input.headers, TRACE_HEADER: payload}
        return await super().start_workflow(input)
