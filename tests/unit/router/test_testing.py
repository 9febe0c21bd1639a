"""The stand-in for Temporal that users get."""

from collections.abc import Callable

import pytest

from hatchet_router.errors import JobRefused
from hatchet_router.planning import plan
from hatchet_router.testing import RecordingStarter
from hatchet_schemas import Definition, Event


async def test_it_remembers_what_was_started(
    define: Callable[..., Definition], event: Event
) -> None:
    """In order, and each job once."""
    requests = plan(event, [define("w", jobs=("a", "b")).workflow])
    starter = RecordingStarter()

    answers = [await starter.start(request) for request in (*requests, *requests)]

    assert answers == [True, True, False, False]
    assert starter.started == list(requests)


async def test_it_refuses_what_it_is_told_to(
    define: Callable[..., Definition], event: Event
) -> None:
    """And does not remember it as started."""
    (request,) = plan(event, [define("w", jobs=("a",)).workflow])
    starter = RecordingStarter(refuse=["a"])

    with pytest.raises(JobRefused, match="job 'a' of workflow 'w'"):
        await starter.start(request)
    assert starter.started == []
