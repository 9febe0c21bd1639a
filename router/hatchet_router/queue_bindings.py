"""Binding a queue to many keys, in about one round trip for all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from aio_pika.abc import AbstractChannel
from aio_pika.exceptions import ChannelNotFoundEntity

from hatchet_router.errors import BrokerError
from hatchet_router.file_sets import Binding

__all__ = ["bind_all"]

_Preparing = Callable[[], AbstractAsyncContextManager[AbstractChannel]]


async def bind_all(preparing: _Preparing, queue: str, bindings: Sequence[Binding]) -> None:
    """Make ``bindings``, exchanges and keys, of ``queue``; what is there already stays as it is.

    ``preparing`` gives a channel, as `hatchet_router.preparing.preparing` does. The broker is asked
    to answer the last one alone (AMQP's ``no-wait``), which is three times as fast. Where it
    refuses one of them it closes the channel, and which one it was is not told: so all are made
    anew one by one.

    Raises:
        BrokerError: an exchange does not exist, or is not ours to bind.
        ConnectionError: the connection was lost meanwhile.

    """
    if not bindings:
        return
    try:
        await _bind(preparing, queue, bindings, singly=False)
    except (BrokerError, ConnectionError):
        await _bind(preparing, queue, bindings, singly=True)


async def _bind(
    preparing: _Preparing, queue: str, bindings: Sequence[Binding], *, singly: bool
) -> None:
    async with preparing() as channel:
        underlay = await channel.get_underlay_channel()
        try:
            for number, (exchange, key) in enumerate(bindings, start=1):
                if singly or number == len(bindings):
                    await underlay.queue_bind(queue, exchange, key)
                else:
                    await underlay.queue_bind(queue, exchange, key, nowait=True)
        except ChannelNotFoundEntity as error:
            raise BrokerError(
                f"{error}; exchanges named in HATCHET_MORE_EXCHANGES must exist"
            ) from error
