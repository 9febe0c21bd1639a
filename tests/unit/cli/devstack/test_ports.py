import socket

import pytest

from hatchet_cli.devstack.ports import LOOPBACK, PortBlock


def test_a_block_has_as_many_free_neighbours_as_asked_for() -> None:
    """A server can listen on every one of them."""
    with PortBlock(4) as block:
        first, *_, last = block.numbers

        assert last - first == 3
        for port in block.numbers:
            with socket.socket() as server:
                server.bind((LOOPBACK, port))


def test_blocks_that_are_held_at_the_same_time_share_no_port() -> None:
    """Stacks that start at the same moment must not meet."""
    blocks = [PortBlock(4) for _ in range(50)]
    try:
        numbers = [port for block in blocks for port in block.numbers]

        assert len(set(numbers)) == len(numbers)
    finally:
        for block in blocks:
            block.close()


def test_a_block_with_a_taken_port_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other programs may listen in this range too."""
    with PortBlock(1) as wanted, socket.socket() as other:
        start = wanted.numbers[0] - 1
        other.bind((LOOPBACK, wanted.numbers[0]))
        wanted.close()
        monkeypatch.setattr("hatchet_cli.devstack.ports._FIRST_PORT", start)
        monkeypatch.setattr("hatchet_cli.devstack.ports._LAST_PORT", start + 1)

        with pytest.raises(OSError, match="no 1 free ports"):
            PortBlock(1)


@pytest.mark.parametrize("count", [0, 8])
def test_a_block_of_impossible_size_is_refused(count: int) -> None:
    """More ports than a block has would reach into the next block."""
    with pytest.raises(ValueError, match=r"1 to 7 ports"):
        PortBlock(count)
