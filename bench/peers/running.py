"""Runs peers one after the other, each in a process of its own, bounded in time."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from bench.peers.measuring import Amounts, Report
from bench.peers.results import PeerResult, merged, report_in
from bench.peers.roster import PEERS, ROOT, Peer
from bench.peers.servers import StateServer
from hatchet_cli.devstack import DevStack, DevStackError
from hatchet_cli.devstack.guard import Guard
from hatchet_cli.devstack.ports import PortBlock
from hatchet_cli.devstack.processes import ManagedProcess

__all__ = ["FULL", "SHORT", "Extent", "PeerFailed", "measured", "report_of"]

_POLL_SECONDS: Final = 0.05
_GRACE_SECONDS: Final = 5.0
_INHERITED: Final = ("LANG", "LC_ALL", "LC_CTYPE", "PATH", "TMPDIR", "TZ")


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured: the peers by turns, ``passes`` times over.

    ``seconds`` is how long one peer may take in one pass.
    """

    amounts: Amounts
    passes: int
    seconds: float


SHORT: Final = Extent(Amounts(jobs=40, rounds=2, singles=5), passes=1, seconds=60)
FULL: Final = Extent(Amounts(jobs=300, rounds=1, singles=20), passes=3, seconds=180)


class PeerFailed(RuntimeError):
    """A peer did not measure."""


async def measured(
    stack: DevStack,
    *,
    short: bool,
    jobs: int | None = None,
    peers: Iterable[Peer] = PEERS,
    tell: Callable[[PeerResult], None] | None = None,
) -> list[PeerResult]:
    """Measure all peers on this RabbitMQ and this Temporal; one that fails keeps its line.

    ``jobs`` is how many are triggered at once, instead of what the form of the run takes. ``tell``
    is told of each line of each pass.
    """
    extent = SHORT if short else FULL
    amounts = extent.amounts
    if jobs is not None:
        amounts = Amounts(jobs, amounts.rounds, amounts.singles)
    peers = list(peers)
    addresses = {"amqp": stack.rabbitmq.amqp_url, "temporal": stack.temporal.address}
    results: dict[str, list[PeerResult]] = {peer.name: [] for peer in peers}
    for _ in range(extent.passes):
        for peer in peers:
            if any(result.problem for result in results[peer.name]):
                continue
            result = await _result(peer, addresses, amounts, extent.seconds)
            results[peer.name].append(result)
            if tell is not None:
                tell(result)
    return [merged(results[peer.name]) for peer in peers]


async def _result(
    peer: Peer, addresses: Mapping[str, str], amounts: Amounts, seconds: float
) -> PeerResult:
    try:
        report = await report_of(peer, addresses, amounts, seconds)
    except (PeerFailed, DevStackError) as error:
        return PeerResult(peer.name, peer.settings, problem=str(error))
    return PeerResult(peer.name, peer.settings, report)


async def report_of(
    peer: Peer, addresses: Mapping[str, str], amounts: Amounts, seconds: float
) -> Report:
    """Run one peer to its end, and return what it measured.

    Its process and all that it has started are ended in any case, after ``seconds`` at the latest.

    Raises:
        PeerFailed: it is not installed, ended without a report, or took too long.
        DevStackError: its server cannot be started.

    """
    if not peer.python.exists():
        raise PeerFailed(f"{peer.python.parents[1].name} is missing; run `./task setup-peers`")
    own = max(1, round(amounts.jobs * peer.share))
    command = json.dumps(asdict(Amounts(own, amounts.rounds, amounts.singles)))
    folder = Path(tempfile.mkdtemp(prefix="hatchet-peer-"))
    with PortBlock(1) as ports:
        async with _started(peer.server) as authority:
            places = {
                **addresses,
                "server": authority,
                "port": ports.numbers[0],
                "folder": folder,
            }
            guard = Guard(folder)
            try:
                process = ManagedProcess(
                    peer.name,
                    [str(peer.python), "-m", f"bench.peers.{peer.module}", command],
                    env=_environment(peer, folder, places),
                    log_path=folder / "output",
                    guard=guard,
                )
                try:
                    await _ended(process, seconds)
                    return _report(process)
                finally:
                    await asyncio.to_thread(process.terminate, _GRACE_SECONDS)
            finally:
                guard.close()


def _environment(peer: Peer, folder: Path, places: Mapping[str, object]) -> dict[str, str]:
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    path = (str(ROOT), os.environ.get("PYTHONPATH"))
    return {
        **inherited,
        "HOME": str(folder),
        "PYTHONPATH": os.pathsep.join(part for part in path if part),
        **{name: text.format(**places) for name, text in peer.variables.items()},
    }


async def _ended(process: ManagedProcess, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while process.is_running:  # it tells only when asked
        if time.monotonic() > deadline:
            raise PeerFailed(f"did not end within {seconds:g} s{_tail(process)}")
        await asyncio.sleep(_POLL_SECONDS)


def _report(process: ManagedProcess) -> Report:
    try:
        report = report_in(process.log_path.read_text(errors="replace"))
    except ValueError as error:
        raise PeerFailed(str(error)) from error
    if report is None:
        raise PeerFailed(f"ended without a report{_tail(process)}")
    return report


def _tail(process: ManagedProcess) -> str:
    tail = process.log_tail()
    return f"; the end of its output:\n{tail}" if tail else ""


@asynccontextmanager
async def _started(kind: type[StateServer] | None) -> AsyncGenerator[str]:
    """Run a peer's server, if it has one, and give its address."""
    if kind is None:
        yield ""
        return
    server = kind()
    starting = asyncio.ensure_future(asyncio.to_thread(server.start))
    try:
        await asyncio.shield(starting)
        yield server.authority
    finally:
        server.stop()  # which ends a start that is under way in its thread, too
        with suppress(DevStackError):
            await starting
