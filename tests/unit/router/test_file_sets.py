"""The note of which files the routers have, and what follows from it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from hatchet_router.file_sets import LEASE_SECONDS, FileSet, FileSets, Membership

OLD = FileSet(exchanges=("events",), triggers=("user:*", "order.paid"))
NEW = FileSet(exchanges=("events", "more"), triggers=("order.paid", "order.refunded"))


class Clock:
    """Time that the test makes."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def test_a_set_of_files_is_known_by_what_it_asks_of_the_broker() -> None:
    """Not by names and places, so that two machines with the same files have the same set."""
    again = FileSet(exchanges=("events",), triggers=("user:*", "order.paid"))

    assert again.digest == OLD.digest
    assert OLD.digest != NEW.digest
    assert FileSet(exchanges=("a", "b")).digest != FileSet(exchanges=("a",), triggers=("b",)).digest
    assert OLD.bindings == {("events", "*"), ("events", "order.paid")}
    assert len(NEW.bindings) == 4


def test_a_note_survives_the_wire() -> None:
    """It is JSON in between."""
    note = FileSets().joined("a", OLD).joined("b", NEW)

    assert FileSets.model_validate_json(note.model_dump_json()) == note


def test_a_later_note_has_a_higher_revision() -> None:
    """Also one that began anew, because the one before could not be read."""
    first = FileSets().joined("a", OLD)
    second = first.joined("a", OLD)
    third = second.left("a").without(())

    assert 0 < first.revision < second.revision < third.revision
    assert FileSets().joined("b", NEW).revision >= first.revision


def test_what_the_last_router_wanted_stays_bound_until_another_comes() -> None:
    """Events for it wait in the queue meanwhile."""
    note = FileSets().joined("a", OLD).left("a")

    assert note.bindings == OLD.bindings
    assert Membership("b", NEW).tidied(note.joined("b", NEW)).bindings == NEW.bindings


def test_what_was_bound_stays_bound_until_what_is_wanted_instead_is() -> None:
    """Whichever router tidies in between, so that no event of both has nowhere to go."""
    changing, other = Membership("a", OLD), Membership("b", FileSet())
    changing.bound = OLD
    changing.files = NEW
    note = other.joined(changing.joined(FileSets()))

    assert other.tidied(note).bindings == OLD.bindings | NEW.bindings
    assert changing.tidied(note).bindings == OLD.bindings | NEW.bindings
    assert not other.is_wanted_by_others(note, "user:create")

    changing.bound = NEW
    assert other.tidied(changing.joined(note)).bindings == NEW.bindings


def test_files_that_two_routers_have_stay_when_one_goes() -> None:
    """And go with the other."""
    note = FileSets().joined("a", OLD).joined("b", OLD).joined("c", NEW)

    assert note.without({"a"}).bindings == OLD.bindings | NEW.bindings
    assert note.without({"a", "b"}).bindings == NEW.bindings


def test_an_event_is_wanted_by_files_that_a_router_has() -> None:
    """Exactly, not as bindings have it; files of nobody want nothing."""
    note = FileSets().joined("a", OLD).joined("b", NEW)
    of_old, of_new = Membership("a", OLD), Membership("b", NEW)

    assert of_old.is_wanted_by_others(note, "order.refunded")
    assert not of_old.is_wanted_by_others(note, "user:create")
    assert of_new.is_wanted_by_others(note, "user:create")
    assert not of_new.is_wanted_by_others(note, "other:create")
    assert not of_new.is_wanted_by_others(note.left("a"), "user:create")


def test_a_router_without_a_sign_of_life_is_gone_after_a_while() -> None:
    """Counted from when this router looked first; a sign of life begins it anew."""
    clock = Clock()
    note = FileSets().joined("a", OLD).joined("b", NEW)
    member = Membership("b", NEW, clock)

    for _ in range(10):
        clock.now += LEASE_SECONDS / 4
        note = member.tidied(note.joined("a", OLD))
        assert "a" in note.routers
    for _ in range(4):
        clock.now += LEASE_SECONDS / 4
        assert "a" in member.tidied(note).routers
    clock.now += 1
    tidied = member.tidied(note)

    assert set(tidied.routers) == {"b"}
    assert tidied.bindings == NEW.bindings


def test_who_did_not_look_does_not_take_the_others_for_gone() -> None:
    """Nobody may have been able to give a sign of life, as while the broker stood still."""
    clock = Clock()
    note = FileSets().joined("a", OLD).joined("b", NEW)
    member = Membership("b", NEW, clock)
    member.tidied(note)
    clock.now += 10 * LEASE_SECONDS

    assert "a" in member.tidied(note).routers


def test_who_was_away_does_not_take_the_others_for_gone() -> None:
    """They may have been away as well, as when the broker was."""
    clock = Clock()
    note = FileSets().joined("a", OLD).joined("b", NEW)
    member = Membership("b", NEW, clock)
    member.tidied(note)
    clock.now += 10 * LEASE_SECONDS

    member.look_anew()

    assert "a" in member.tidied(note).routers


def test_a_router_does_not_take_itself_for_gone() -> None:
    """However long it stood still."""
    clock = Clock()
    member = Membership("b", NEW, clock)
    note = member.joined(FileSets())
    member.tidied(note)
    clock.now += 10 * LEASE_SECONDS

    assert set(member.tidied(note).routers) == {"b"}


FILES = st.sampled_from([OLD, NEW, FileSet(exchanges=("events",), triggers=("#",))])
ROUTERS = st.sampled_from("abc")
ACTIONS = st.one_of(
    st.tuples(st.just("join"), ROUTERS, FILES),
    st.tuples(st.just("leave"), ROUTERS),
    st.tuples(st.just("tidy"), ROUTERS),
    st.tuples(st.just("wait"), st.floats(1, 100)),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(ACTIONS, max_size=30))
def test_the_note_always_holds_what_its_routers_want(actions: list[tuple[object, ...]]) -> None:
    """Whoever comes, goes or tidies: no binding of a router that gives signs of life is lost."""
    clock = Clock()
    note = FileSets()
    members: dict[str, Membership] = {}
    for action in actions:
        match action:
            case ("join", str(name), FileSet() as files):
                member = members.setdefault(name, Membership(name, files, clock))
                member.files = files
                note = member.joined(note)
            case ("leave", str(name)) if name in members:
                note = members.pop(name).left(note)
            case ("tidy", str(name)) if name in members:
                note = members[name].tidied(members[name].joined(note))
            case ("wait", float(seconds)):
                clock.now += seconds
                for member in members.values():
                    note = member.joined(note)
            case _:
                continue
        for name, member in members.items():
            assert note.routers[name].files == member.files.digest
            assert note.bindings >= member.files.bindings
