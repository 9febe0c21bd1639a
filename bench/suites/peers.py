"""The same job with what else people use for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from bench.measurements import Measurement
from bench.peers.results import PeerResult
from bench.peers.roster import PEERS_PYTHON
from bench.peers.running import measured
from bench.processes import MeasuringFailed
from bench.suites.registry import suite
from bench.workbench import Workbench

__all__ = ["measure"]

_LIMIT_IS: Final = "no limit but a peer, with its own guarantees: see bench/peers/README.md; "


@suite("peers", limit_seconds=900, short_limit_seconds=240)
async def measure(bench: Workbench) -> AsyncIterator[Measurement]:
    """Jobs/s of three short steps in a row, beside Celery, DBOS and Prefect on the same servers."""
    if not PEERS_PYTHON.exists():
        raise MeasuringFailed("the peers are not installed: ./task setup-peers")
    regular, local, *others = await measured(await bench.stack(), short=bench.is_short)
    for ours in (regular, local):
        for peer in others:
            figures, limits = _rates(ours), _rates(peer)
            if figures and limits:
                name, limit_is = f"{ours.name}, beside {peer.name}", _LIMIT_IS + peer.settings
                yield Measurement(name, "jobs/s", figures, limits, None, limit_is)
    failed = [result for result in (regular, local, *others) if result.problem]
    if failed:
        raise MeasuringFailed("; ".join(f"{each.name}: {each.problem}" for each in failed))


def _rates(result: PeerResult) -> tuple[float, ...]:
    report = result.report
    return tuple(report.jobs / seconds for seconds in report.rounds) if report else ()
