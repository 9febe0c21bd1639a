"""What to do about each answer of Temporal."""

import pytest
from temporalio.service import RPCStatusCode

from hatchet_router.temporal import Decision, decide

REFUSED = {
    RPCStatusCode.INVALID_ARGUMENT,
    RPCStatusCode.FAILED_PRECONDITION,
    RPCStatusCode.OUT_OF_RANGE,
    RPCStatusCode.UNIMPLEMENTED,
}


OPERATOR = {
    RPCStatusCode.NOT_FOUND,
    RPCStatusCode.PERMISSION_DENIED,
    RPCStatusCode.UNAUTHENTICATED,
}


@pytest.mark.parametrize("status", RPCStatusCode)
def test_only_what_is_wrong_with_the_request_itself_is_refused(status: RPCStatusCode) -> None:
    """Everything else a later attempt or an operator can mend, and the event can wait."""
    expected = Decision.TRY_AGAIN
    if status in REFUSED:
        expected = Decision.REFUSE
    if status in OPERATOR:
        expected = Decision.PAUSE

    assert decide(status) is expected
