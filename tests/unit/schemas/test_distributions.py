"""How values are distributed, as a metrics system wants to know it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hatchet_schemas.distributions import Distribution


def test_a_value_counts_for_each_bound_that_it_does_not_exceed() -> None:
    distribution = Distribution([1, 5])
    for value in (0.5, 1, 2, 7):
        distribution.observe(value)

    assert list(distribution.cumulative()) == [(1, 2), (5, 3), (float("inf"), 4)]
    assert (distribution.count, distribution.sum) == (4, 10.5)


@given(st.lists(st.floats(0, 100)), st.lists(st.floats(0, 100), unique=True))
def test_it_counts_as_comparing_each_value_would(values: list[float], bounds: list[float]) -> None:
    distribution = Distribution(sorted(bounds))
    for value in values:
        distribution.observe(value)

    assert list(distribution.cumulative()) == [
        (bound, sum(value <= bound for value in values))
        for bound in [*sorted(bounds), float("inf")]
    ]
