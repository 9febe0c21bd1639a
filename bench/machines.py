"""The machine that measures, and the versions of what is measured."""

from __future__ import annotations

import os
import platform
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import aio_pika
from temporalio.api.workflowservice.v1 import GetSystemInfoRequest

from bench.workbench import Workbench

__all__ = ["machine", "pin", "versions"]

_PACKAGES: Final = (
    "hatchet-workflows",
    "aio-pika",
    "aiormq",
    "jinja2",
    "pydantic",
    "pyyaml",
    "structlog",
    "temporalio",
    "typer",
)


def pin(cores: int) -> None:
    """Let this process, and all that it starts, run on so many cores, where Linux can do that."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])


def machine() -> dict[str, Any]:
    """Return what the figures depend on, as it is now."""
    return {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "pinned_to": sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "load_before": [round(load, 2) for load in os.getloadavg()],
    }


async def versions(bench: Workbench) -> dict[str, str]:
    """Return the versions of Python, of the packages, and of the servers if they were started."""
    found = {"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}}
    if bench.has_servers:
        stack = await bench.stack()
        client = await bench.temporal()
        info = await client.workflow_service.get_system_info(GetSystemInfoRequest())
        found["Temporal server"] = info.server_version
        async with await aio_pika.connect(stack.rabbitmq.amqp_url) as connection:
            if connection.transport is not None:
                properties = connection.transport.connection.server_properties
                found["RabbitMQ"] = str(properties.get("version"))
    return found


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())
