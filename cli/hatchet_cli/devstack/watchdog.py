"""The program that cleans up after the owner of a local server, however the owner ends.

It runs as `python -I -S watchdog.py OWNER_PID [FOLDER]` and imports the standard library alone.
Each line on standard input is `+GROUP` or `-GROUP`: a process group to watch over, or no longer.
When the owner closes its end, or is gone, what is still registered gets SIGKILL and the private
folder is deleted. The normal end and the crash take the same path.
"""

import os
import select
import shutil
import signal
import sys
import time
from contextlib import suppress

OWNER_CHECK_SECONDS = 1.0
DELETE_SECONDS = 5.0


def watch(commands: int, owner: int) -> set[int]:
    """Follow the owner's commands until it closes the pipe or dies; return the groups left."""
    groups: set[int] = set()
    pending = b""
    while True:
        if not select.select([commands], [], [], OWNER_CHECK_SECONDS)[0]:
            # A forked child of the owner can hold the pipe open beyond the owner's death.
            if os.getppid() != owner:
                break
            continue
        received = os.read(commands, 4096)
        if not received:
            break
        *lines, pending = (pending + received).split(b"\n")
        for line in lines:
            group = int(line[1:])
            if line.startswith(b"+"):
                groups.add(group)
            else:
                groups.discard(group)
    return groups


def clean_up(groups: set[int], folder: str | None) -> None:
    """Kill the groups and delete the folder, which dying processes may still write to."""
    for group in groups:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
    deadline = time.monotonic() + DELETE_SECONDS
    while folder and os.path.exists(folder) and time.monotonic() < deadline:  # noqa: PTH110 (pathlib is slow to import)
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(0.01)


def main(owner: str, folder: str | None = None) -> None:
    """Run until the owner is done. Deaf to every signal that is meant for the owner."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    clean_up(watch(sys.stdin.fileno(), int(owner)), folder)


if __name__ == "__main__":
    main(*sys.argv[1:])
