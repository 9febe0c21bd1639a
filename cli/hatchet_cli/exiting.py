"""How every process of ours ends: with the right code, always."""

from __future__ import annotations

import logging
import os
import sys
from enum import IntEnum
from typing import NoReturn

__all__ = ["CommandError", "ExitCode", "exit_process"]


class ExitCode(IntEnum):
    """What the exit codes of `hatchet` mean."""

    SUCCESS = 0
    FINDINGS = 1
    """Problems were found, or a run failed."""
    USAGE = 2
    """The command line or the configuration is wrong."""
    UNREACHABLE = 3
    """A server does not answer."""
    NOTHING_MATCHED = 4
    """No workflow has a trigger for the event."""
    INTERRUPTED = 130
    """Ctrl-C: 128 plus the number of SIGINT."""


class CommandError(Exception):
    """A command cannot go on; the message says why and what to do, ``code`` is the exit code."""

    def __init__(self, message: str, code: ExitCode) -> None:
        self.code = code
        super().__init__(message)


def exit_process(code: int) -> NoReturn:
    """Flush all output and end the process with ``code``, without tearing the interpreter down.

    Threads of temporalio's native core can abort an interpreter that finalizes under them
    (temporalio sdk-python issue 300), which would turn a success into exit code 134.
    """
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            # A reader that has gone away, as in `hatchet check | head`, is no failure of ours.
            continue
    os._exit(code)
