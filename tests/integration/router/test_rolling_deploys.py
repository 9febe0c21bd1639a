"""Routers with different files share a queue: each event reaches one whose files want it."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from contextvars import ContextVar
from typing import Any

import aio_pika
import aiormq.channel
import aiormq.connection
import pytest

from hatchet_router.amqp import CONNECTION_ERRORS
from hatchet_router.deliveries import Delivery, Outcome, Unmatched
from hatchet_router.errors import RouterError, TemporalUnavailable
from hatchet_router.file_sets import LEASE_SECONDS, FileSets
from hatchet_router.rabbitmq import Consumer
from hatchet_router.routing import PatternTrie
from hatchet_router.session import Session
from hatchet_router.settings import RouterSettings
from hatchet_router.testing import ROUTED

NextLetter = Callable[[str], Awaitable[Any]]

# The old files have a pattern that AMQP cannot express: its binding brings them `order:refund`.
OLD = ("user:*", "both.paid", "old.only")
NEW = ("order:refund", "both.paid", "new.only")


def trie_of(triggers: tuple[str, ...]) -> PatternTrie:
    """Return what matches ``triggers``."""
    trie = PatternTrie()
    for trigger in triggers:
        trie.add(trigger, 0)
    return trie


class Site:
    """A queue, routers on it, and what each of them has handled."""

    def __init__(self, settings: RouterSettings, name: str) -> None:
        self.settings = settings
        self.name = name
        self.handled: list[tuple[str, str]] = []
        self.deliveries: list[Delivery] = []
        self.tables: dict[str, PatternTrie] = {}

    def router(self, label: str, triggers: tuple[str, ...]) -> Consumer:
        """Return a router that handles what ``triggers`` match, and notes it under ``label``."""
        self.tables[label] = trie_of(triggers)

        async def handle(delivery: Delivery) -> Outcome:
            if not self.tables[label].match(delivery.routing_key):
                return Unmatched()
            self.handled.append((label, delivery.message_id or ""))
            self.deliveries.append(delivery)
            return ROUTED

        return Consumer(self.settings.amqp_url, self.settings.topology, triggers, handle)

    def by(self, label: str) -> set[str]:
        """Return the ids of the events that a router has handled."""
        return {event_id for who, event_id in self.handled if who == label}


def session_of(router: Consumer) -> Session:
    """Return the connections of a router that runs."""
    assert router._upkeep is not None
    return router._upkeep._session


async def forget_the_dead(router: Consumer) -> None:
    """Let a router look at the others for as long as it takes to give them up."""
    for seconds in range(0, 2 * int(LEASE_SECONDS), int(LEASE_SECONDS) // 4):
        router._membership._clock = lambda now=1e9 + seconds: now  # type: ignore[misc]
        await session_of(router).tidy()


@pytest.fixture
def site(settings: RouterSettings, name: str) -> Site:
    """Return a queue that is the test's own."""
    return Site(settings, name)


@pytest.fixture
async def publish(broker: Any, site: Site) -> AsyncIterator[Callable[..., Awaitable[bool]]]:
    """Publish an event, and tell whether a queue took it."""
    async with broker.connection.channel(on_return_raises=True) as channel:

        async def run(key: str, event_id: str | None, **properties: Any) -> bool:
            exchange = await channel.get_exchange(site.settings.exchange, ensure=False)
            message = aio_pika.Message(b"{}", message_id=event_id, **properties)
            try:
                await exchange.publish(message, key, mandatory=True)
            except aio_pika.exceptions.PublishError:
                return False
            return True

        yield run


async def note_of(broker: Any, site: Site, until: Any) -> FileSets:
    """Read the routers' note as an operator would, by looking at the message."""
    async with broker.connection.channel() as channel:
        queue = await channel.get_queue(site.settings.topology.note_queue)
        message = await until(lambda: queue.get(fail=False))
        assert message is not None
        await message.nack(requeue=True)
    return FileSets.model_validate(json.loads(message.body))


def count(site: Site, number: int) -> Callable[[], Awaitable[bool]]:
    """Return a condition: whether so many events have been handled."""

    async def condition() -> bool:
        return len(site.handled) >= number

    return condition


async def test_what_only_the_newer_files_want_is_left_to_them(
    site: Site, publish: Callable[..., Awaitable[bool]], broker: Any, until: Any
) -> None:
    """Though the older router takes half of it, and its binding lets it through."""
    keys = {"user:create": "old", "old.only": "old", "order:refund": "new", "new.only": "new"}
    async with site.router("old", OLD), site.router("new", NEW):
        for number in range(25):
            for key in keys:
                assert await publish(key, f"{key} {number}")
        await until(count(site, 100))
        await until(lambda: broker.waiting(site.settings.queue), 0)

    assert len(site.handled) == 100
    for key, who in keys.items():
        assert {f"{key} {number}" for number in range(25)} <= site.by(who)


async def test_an_event_waits_for_the_router_that_wants_it(
    site: Site, publish: Callable[..., Awaitable[bool]], until: Any
) -> None:
    """One that was killed counts for a while: the other takes nothing from it, and goes on."""
    async with site.router("old", OLD):
        crashed = site.router("new", NEW)
        await crashed.__aenter__()
        assert crashed._serving is not None
        crashed._serving.cancel()  # it says nothing to anybody, and its connections end
        with suppress(asyncio.CancelledError):
            await crashed._serving
        assert await publish("new.only", "waits")
        assert await publish("order:refund", "waits too")
        assert await publish("old.only", "goes on")
        await until(count(site, 1))
        assert site.by("old") == {"goes on"}

        async with site.router("new again", NEW):
            await until(count(site, 3))

    assert site.by("new again") == {"waits", "waits too"}


async def test_an_event_that_is_passed_on_stays_what_it_was(
    site: Site, publish: Callable[..., Awaitable[bool]], until: Any
) -> None:
    """Key, body, headers and source; without an id it gets one, so that it starts nothing twice."""
    async with site.router("old", OLD), site.router("new", NEW):
        for _ in range(20):
            await publish(
                "new.only", None, headers={"mine": 1}, user_id="guest", correlation_id="c"
            )
        await until(count(site, 20))

    passed = [item for item in site.deliveries if "hatchet-passed" in item.headers]
    assert passed
    for delivery in site.deliveries:
        assert delivery.headers["mine"] == 1
        assert (delivery.body, delivery.user_id, delivery.correlation_id) == (b"{}", "guest", "c")
    assert all(delivery.message_id for delivery in passed)


async def test_a_forged_count_of_passes_delays_nothing(
    site: Site, publish: Callable[..., Awaitable[bool]], until: Any
) -> None:
    """Publishers can write any header."""
    async with site.router("old", OLD), site.router("new", NEW):
        for number in range(20):
            await publish("new.only", str(number), headers={"hatchet-passed": 1_000_000})
        await until(count(site, 20))

    counts = {delivery.headers.get("hatchet-passed") for delivery in site.deliveries}
    assert counts <= {*range(1, 100), 1_000_000}


async def test_what_was_passed_on_and_is_wanted_no_more_is_kept(
    site: Site,
    publish: Callable[..., Awaitable[bool]],
    next_letter: NextLetter,
    broker: Any,
    until: Any,
) -> None:
    """Somebody had a trigger for it when it came, so it becomes a dead letter."""
    key = f"{site.name}.new"
    async with site.router("old", (*OLD, f"{site.name}.old")):
        newer = site.router("new", (*NEW, key))
        await newer.__aenter__()
        assert newer._serving is not None
        newer._serving.cancel()
        with suppress(asyncio.CancelledError):
            await newer._serving
        assert await publish(key, "e-1")
        async with site.router("other", ("other",)) as other:
            assert len((await note_of(broker, site, until)).routers) == 3
            await forget_the_dead(other)
            letter = await next_letter(key)

    assert letter.headers["hatchet-reason"] == "unmatched"
    assert letter.headers["hatchet-exchange"] == site.settings.exchange


async def test_a_trigger_that_was_removed_while_no_router_ran_is_unbound(
    site: Site, publish: Callable[..., Awaitable[bool]]
) -> None:
    """Nobody is flooded with what nobody wants; what is wanted stayed bound all the while."""
    async with site.router("old", OLD):
        pass
    assert await publish("old.only", "1")
    assert await publish("both.paid", "2")

    async with site.router("new", NEW):
        assert not await publish("old.only", "3")
        assert not await publish("user", "4")
        assert await publish("both.paid", "5")
        assert await publish("new.only", "6")


async def test_files_can_be_changed_while_it_runs(
    site: Site, publish: Callable[..., Awaitable[bool]]
) -> None:
    """New triggers are bound when `rebind` returns, and those that nobody has any more are not."""
    async with site.router("changing", OLD) as changing:
        await changing.rebind(NEW)
        assert await publish("new.only", "1")
        assert not await publish("old.only", "2")

        async with site.router("staying", NEW):
            await changing.rebind(OLD)
            assert await publish("new.only", "3")
            assert await publish("old.only", "4")
        await changing.rebind(("both.paid",))
        assert await publish("both.paid", "5")
        assert not await publish("new.only", "6")


async def test_files_that_change_while_another_router_holds_the_lock_leave_what_is_bound(
    site: Site, publish: Callable[..., Awaitable[bool]], until: Any
) -> None:
    """What was bound before goes only once the new files are bound."""
    async with site.router("changing", OLD) as changing:
        session = session_of(changing)

        async def waits_for_the_lock() -> bool:
            return session._note is not None and session._note._changing.locked()

        async with await aio_pika.connect(site.settings.amqp_url) as other:
            channel = await other.channel()
            await channel.declare_queue(site.settings.topology.lock_queue, exclusive=True)
            tidying = asyncio.create_task(session.tidy())
            await until(waits_for_the_lock)
            changing._membership.files = changing._files(NEW)
        await tidying
        assert await publish("old.only", "1")

        await changing.rebind(NEW)
        assert await publish("new.only", "2")
        assert not await publish("old.only", "3")


async def test_changes_while_the_broker_is_away_are_made_when_it_is_back(
    site: Site, publish: Callable[..., Awaitable[bool]], until: Any
) -> None:
    """The next connection begins with the latest files."""
    async with site.router("changing", OLD) as changing:
        session_of(changing)._end("as if it were lost")
        await changing.rebind(NEW)

        await until(lambda: publish("new.only", "1"))

        async def is_unbound() -> bool:
            return not await publish("old.only", "2")

        await until(is_unbound)


async def test_many_routers_that_start_at_once_wait_for_each_other(
    site: Site, publish: Callable[..., Awaitable[bool]], broker: Any, until: Any
) -> None:
    """Each changes the note, one after the other."""
    async with AsyncExitStack() as stack:
        routers = [site.router(str(number), (f"key.{number}", "both")) for number in range(8)]
        await asyncio.gather(*(stack.enter_async_context(router) for router in routers))
        for number in range(8):
            assert await publish(f"key.{number}", str(number))
        assert len((await note_of(broker, site, until)).routers) == 8


OVERLONG = {"a": {"exchanges": ["x" * 256], "triggers": ["a"]}}


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"sets": 1}', json.dumps({"revision": 2**60, "sets": OVERLONG}).encode()]
)
async def test_a_note_that_cannot_be_read_is_written_anew(
    site: Site, publish: Callable[..., Awaitable[bool]], broker: Any, until: Any, body: bytes
) -> None:
    """It holds nothing that the next signs of life would not bring again."""
    async with site.router("first", OLD):
        pass
    async with broker.connection.channel() as channel:
        queue = await channel.get_queue(site.settings.topology.note_queue)
        await queue.purge()
        if body:
            message = aio_pika.Message(body)
            await channel.default_exchange.publish(message, site.settings.topology.note_queue)

    async with site.router("next", NEW):
        assert await publish("new.only", "1")
        assert len((await note_of(broker, site, until)).routers) == 1


async def test_a_note_that_is_deleted_is_written_anew(
    site: Site,
    publish: Callable[..., Awaitable[bool]],
    broker: Any,
    until: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the next sign of life; what matches nothing waits so long."""
    monkeypatch.setattr("hatchet_router.upkeep._TIDY_SECONDS", 0.5)
    monkeypatch.setattr("hatchet_router.upkeep._TICK_SECONDS", 0.1)
    async with site.router("old", OLD) as router:
        async with broker.connection.channel() as channel:
            await channel.queue_delete(site.settings.topology.note_queue)
        assert await publish("order:refund", "unmatched")
        assert await publish("old.only", "1")
        await until(count(site, 1))

        async def is_settled() -> bool:
            notes: int = await broker.waiting(site.settings.topology.note_queue)
            return router.readiness.is_ready and notes == 1

        await until(is_settled)
        await until(lambda: broker.waiting(site.settings.queue), 0)


async def test_a_router_that_cannot_read_the_note_any_more_connects_anew(
    site: Site, publish: Callable[..., Awaitable[bool]], until: Any
) -> None:
    """As after a request that the broker did not answer in time, which closes the channel."""
    async with site.router("old", OLD) as router:
        lost = session_of(router)
        assert lost._note is not None
        assert lost._note._copies is not None
        await lost._note._copies.channel.close()

        async def is_new() -> bool:
            return router._upkeep is not None and session_of(router) is not lost

        await until(is_new)
        assert await publish("order:refund", "unmatched")
        assert await publish("old.only", "1")
        await until(count(site, 1))


async def test_a_router_that_takes_nothing_keeps_its_files_in_force(
    site: Site,
    publish: Callable[..., Awaitable[bool]],
    broker: Any,
    until: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While Temporal is away it gives signs of life, and follows changed files."""
    monkeypatch.setattr("hatchet_router.upkeep._TIDY_SECONDS", 0.2)
    monkeypatch.setattr("hatchet_router.upkeep._TICK_SECONDS", 0.1)
    is_back = asyncio.Event()

    async def handle(delivery: Delivery) -> Outcome:
        if not is_back.is_set():
            raise TemporalUnavailable("away")
        site.handled.append(("paused", delivery.message_id or ""))
        return ROUTED

    async def available() -> None:
        await is_back.wait()

    settings = site.settings
    paused = Consumer(settings.amqp_url, settings.topology, NEW, handle, available=available)
    async with paused:
        assert await publish("new.only", "1")

        async def takes_nothing() -> bool:
            return paused._upkeep is not None and await broker.consumers(settings.queue) == 0

        await until(takes_nothing)
        [before] = (await note_of(broker, site, until)).routers.values()

        async def is_alive() -> bool:
            [now] = (await note_of(broker, site, until)).routers.values()
            return now.beat > before.beat + 1

        await until(is_alive)
        await paused.rebind((*NEW, "newer.only"))
        assert await publish("newer.only", "2")
        is_back.set()
        await until(count(site, 2))


async def test_nothing_is_bound_before_it_is_noted(
    site: Site,
    publish: Callable[..., Awaitable[bool]],
    broker: Any,
    until: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also while another router does not give up the lock for long."""
    monkeypatch.setattr("hatchet_router.shared_note._LOCK_SECONDS", 0.3)
    monkeypatch.setattr("hatchet_router.upkeep._DECLARE_SECONDS", 0.2)
    monkeypatch.setattr("hatchet_router.upkeep._TICK_SECONDS", 0.1)
    async with site.router("changing", OLD) as changing:
        async with await aio_pika.connect(site.settings.amqp_url) as other:
            channel = await other.channel()
            await channel.declare_queue(site.settings.topology.lock_queue, exclusive=True)
            await changing.rebind(NEW)
            assert not changing.readiness.is_ready
            await asyncio.sleep(1)
            assert not await publish("new.only", "1")
            assert await publish("old.only", "2")

        await until(lambda: publish("new.only", "3"))
        note = await note_of(broker, site, until)
        assert [entry.files for entry in note.routers.values()] == [
            changing._membership.files.digest
        ]


async def test_a_refusal_under_the_lock_does_not_keep_it(
    site: Site, publish: Callable[..., Awaitable[bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broker closes the channel then, but the lock is the connection's."""
    monkeypatch.setattr("hatchet_router.shared_note._LOCK_SECONDS", 1)
    async with site.router("old", OLD) as old:
        note = session_of(old)._note
        assert note is not None
        with pytest.raises(aio_pika.exceptions.ChannelNotFoundEntity):
            async with note.changing() as change:
                await change._channel.declare_queue(f"{site.name}.nowhere", passive=True)

        async with site.router("new", NEW):
            assert await publish("new.only", "1")


DOOMED: ContextVar[bool] = ContextVar("DOOMED", default=False)
WRITERS: ContextVar[list[asyncio.StreamWriter] | None] = ContextVar("WRITERS", default=None)


@pytest.fixture
def crash(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[str]]:
    """Cut the connections of what runs with `DOOMED`, after so many things asked of the broker.

    Returns those that were done, by name. Whatever it asks afterwards is not asked any more.
    """
    done: list[str] = []
    limit = 0
    create = aiormq.connection.TCPTransportFactory.create

    async def created(factory: Any, *arguments: Any, **options: Any) -> Any:
        reader, writer = await create(factory, *arguments, **options)
        if (writers := WRITERS.get()) is not None:
            writers.append(writer)
        return reader, writer

    monkeypatch.setattr(aiormq.connection.TCPTransportFactory, "create", created)

    def counted(name: str, ask: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def run(channel: Any, *arguments: Any, **options: Any) -> Any:
            if not DOOMED.get():
                return await ask(channel, *arguments, **options)
            if len(done) >= limit:
                for writer in WRITERS.get() or ():
                    writer.transport.abort()
                raise ConnectionError("crashed")
            result = await ask(channel, *arguments, **options)
            done.append(name)
            return result

        return run

    for name in ("rpc", "basic_publish", "basic_ack", "basic_nack"):
        ask = getattr(aiormq.channel.Channel, name)
        monkeypatch.setattr(aiormq.channel.Channel, name, counted(name, ask))

    def after(operations: int) -> list[str]:
        nonlocal limit
        limit = operations
        done.clear()
        return done

    return after


async def start_and_crash(site: Site, *, changing: bool) -> bool:
    """Start a router with the new files, at once or by a change; return whether it got through."""
    WRITERS.set([])
    DOOMED.set(not changing)
    router = site.router("new", OLD if changing else NEW)
    try:
        await router.__aenter__()
    except (RouterError, *CONNECTION_ERRORS):
        return False
    DOOMED.set(True)
    if changing:
        site.tables["new"] = trie_of(NEW)
        await router.rebind(NEW)
    survived = router.readiness.is_ready
    assert router._serving is not None
    router._serving.cancel()
    with suppress(asyncio.CancelledError):
        await router._serving
    return survived


@pytest.mark.parametrize("changing", [False, True], ids=["starting", "changing"])
async def test_a_crash_at_any_step_loses_nothing(
    *,
    changing: bool,
    site: Site,
    publish: Callable[..., Awaitable[bool]],
    crash: Callable[[int], list[str]],
    until: Any,
    broker: Any,
) -> None:
    """Events of all kinds are published after each: what a queue has taken is handled rightly."""
    taken: dict[str, str] = {}
    steps = 0
    async with site.router("old", OLD) as old:
        for operations in itertools.count():
            crash(operations)
            steps = operations
            if await asyncio.create_task(start_and_crash(site, changing=changing)):
                break
            await session_of(old).tidy()  # or each crash would leave another note to be read
            keys = ["user:create", "old.only", "both.paid"]
            if await publish("new.only", f"new.only after {operations}"):
                # From here on the newer files count, also for what the older binding lets through.
                taken[f"new.only after {operations}"] = "new.only"
                keys.append("order:refund")
            for key in keys:
                assert await publish(key, f"{key} after {operations}")
                taken[f"{key} after {operations}"] = key
        crash(1_000_000)
        async with site.router("new", NEW):

            async def all_handled() -> bool:
                # A crashed router may have handled one that comes again, which ids make harmless.
                return {event_id for _, event_id in site.handled} >= set(taken)

            await until(all_handled)

    assert steps > 20
    for event_id, key in taken.items():
        if key in {"user:create", "old.only"}:
            assert event_id in site.by("old")
        elif key != "both.paid":
            assert event_id in site.by("new")
    assert "new.only" in taken.values()


async def test_a_crash_at_any_step_leaves_no_binding_for_ever(
    site: Site,
    publish: Callable[..., Awaitable[bool]],
    crash: Callable[[int], list[str]],
) -> None:
    """A trigger was removed while no router ran: what the crashed one left, the next removes."""
    for operations in itertools.count():
        crash(1_000_000)
        async with site.router("old", OLD):
            pass
        crash(operations)
        survived = await asyncio.create_task(start_and_crash(site, changing=False))
        assert await publish("both.paid", "1")
        crash(1_000_000)
        async with site.router("new", NEW) as new:
            await forget_the_dead(new)
            assert not await publish("old.only", "2"), operations
            assert await publish("new.only", "3")
        if survived:
            break
