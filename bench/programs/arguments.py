"""How a program gets its arguments, gives its result, and ends."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NoReturn

from hatchet_cli.exiting import exit_process

__all__ = ["run"]


def run(main: Callable[[Any], Awaitable[Mapping[str, Any]]]) -> NoReturn:
    """Call ``main`` with the arguments, write what it returns, and end the process."""
    result = asyncio.run(_called(main, json.loads(sys.argv[1])))
    sys.stdout.write(f"{json.dumps(result)}\n")
    exit_process(0)


async def _called(
    main: Callable[[Any], Awaitable[Mapping[str, Any]]], arguments: Any
) -> Mapping[str, Any]:
    return await main(arguments)
