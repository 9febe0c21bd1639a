"""What can go wrong with the local servers."""

import re
from typing import Final

_ADDRESS_IN_USE: Final = re.compile(r"eaddrinuse|\bin use\b", re.IGNORECASE)


class DevStackError(RuntimeError):
    """A server of the local stack could not do what was asked of it."""


class ServerNotInstalledError(DevStackError):
    """A program that the local stack runs is not installed.

    `what` is the missing program and `how_to_install` the one line that mends it.
    """

    def __init__(self, what: str, how_to_install: str) -> None:
        super().__init__(f"{what} is not installed; {how_to_install}")
        self.what = what
        self.how_to_install = how_to_install


class ServerFailedError(DevStackError):
    """A server ended by itself, or was not ready in time.

    `name` is the server, `reason` what happened to it, and `log_tail` the last lines it wrote.
    """

    def __init__(self, name: str, reason: str, log_tail: str = "") -> None:
        ending = f"; the end of its log:\n{log_tail}" if log_tail else " and wrote nothing"
        super().__init__(f"{name} {reason}{ending}")
        self.name = name
        self.reason = reason
        self.log_tail = log_tail

    @property
    def address_in_use(self) -> bool:
        """Whether another program had taken one of the server's ports."""
        return bool(_ADDRESS_IN_USE.search(self.reason + self.log_tail))
