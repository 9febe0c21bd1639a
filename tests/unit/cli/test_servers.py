"""What servers answer, in the words and exit codes of the command line."""

from __future__ import annotations

import pytest
from temporalio.service import RPCError, RPCStatusCode

from hatchet_cli.exiting import CommandError, ExitCode
from hatchet_cli.servers import request_failures


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (RPCStatusCode.UNAVAILABLE, ExitCode.UNREACHABLE),
        (RPCStatusCode.DEADLINE_EXCEEDED, ExitCode.UNREACHABLE),
        (RPCStatusCode.NOT_FOUND, ExitCode.FINDINGS),
        (RPCStatusCode.INVALID_ARGUMENT, ExitCode.FINDINGS),
    ],
)
def test_a_request_that_fails_says_why_and_whether_temporal_is_away(
    status: RPCStatusCode, code: ExitCode
) -> None:
    with pytest.raises(CommandError) as caught, request_failures():
        raise RPCError("no such thing", status, b"")

    assert str(caught.value) == f"a request to Temporal has failed, {status.name}: no such thing"
    assert caught.value.code is code
