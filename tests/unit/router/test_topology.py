"""What must exist on the broker."""

from hatchet_router.topology import DELIVERY_LIMIT, Topology


def test_the_names_are_those_that_are_documented() -> None:
    """Applications publish to them, operators look at them."""
    topology = Topology()

    assert topology.exchange == "hatchet.events"
    assert topology.queue == "hatchet.router"
    assert topology.dead_letters == "hatchet.dead-letters"


def test_the_queue_loses_nothing() -> None:
    """A change of these arguments needs a new queue in every deployment."""
    assert Topology().queue_arguments == {
        "x-queue-type": "quorum",
        "x-delivery-limit": 100,
        "x-overflow": "reject-publish",
        "x-dead-letter-exchange": "hatchet.dead-letters",
        "x-dead-letter-strategy": "at-least-once",
    }
    assert Topology().dead_letter_arguments == {
        "x-queue-type": "quorum",
        "x-delivery-limit": 1_000_000_000,
    }


def test_the_delivery_limit_is_high() -> None:
    """It counts crashes of routers, once for each message that they held."""
    assert DELIVERY_LIMIT >= 100


def test_a_queue_for_development_may_vanish() -> None:
    """RabbitMQ wants milliseconds."""
    assert Topology(expires_seconds=60).queue_arguments["x-expires"] == 60_000
