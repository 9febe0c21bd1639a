import os

import pytest

from hatchet_cli.devstack import watchdog


def test_what_was_registered_and_not_released_is_left_when_the_pipe_closes() -> None:
    """Commands may arrive in pieces."""
    reading, writing = os.pipe()
    os.write(writing, b"+11\n+12\n+1")
    os.write(writing, b"3\n-12\n-99\n")
    os.close(writing)

    left = watchdog.watch(reading, owner=os.getppid())

    os.close(reading)
    assert left == {11, 13}


def test_a_dead_owner_is_noticed_though_a_child_of_it_holds_the_pipe(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A forked child inherits the open pipe."""
    monkeypatch.setattr(watchdog, "OWNER_CHECK_SECONDS", 0.01)
    reading, writing = os.pipe()
    os.write(writing, b"+11\n")

    left = watchdog.watch(reading, owner=os.getppid() + 1)

    os.close(reading)
    os.close(writing)
    assert left == {11}
