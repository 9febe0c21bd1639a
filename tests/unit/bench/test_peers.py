"""Peers are run in processes of their own, and whatever they do has an end and a line."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from bench.peers.measuring import Amounts, Report
from bench.peers.results import PeerResult, report_in
from bench.peers.roster import PEERS, ROOT, Peer
from bench.peers.running import PeerFailed, measured, report_of
from bench.peers.tables import line, table
from hatchet_cli.devstack import DevStack

_AMOUNTS = Amounts(jobs=20, rounds=2, singles=3)
_SECONDS = 60.0

# It measures as a real peer does; the interpreter's place on the command line is its own.
_TRIVIAL = """\
#!{python}
import asyncio, sys
del sys.argv[1:3]
from bench.peers.measuring import measure

class Jobs:
    async def run(self, numbers):
        pass

    async def results(self, numbers):
        return [number + {step} for number in numbers]

print("a library prints this")
asyncio.run(measure(Jobs(), "1.2"))
print("and this")
"""

MakePeer = Callable[..., Peer]


@pytest.fixture
def make_peer(tmp_path: Path) -> MakePeer:
    """Make a peer of a program."""

    def make(program: str, name: str = "fake", share: float = 1.0, **variables: str) -> Peer:
        path = tmp_path / name
        path.write_text(program)
        path.chmod(0o700)
        return Peer(name, "none", "as they are", variables, python=path, share=share)

    return make


def trivial(step: int = 3) -> str:
    """Return a program whose jobs take no time."""
    return _TRIVIAL.format(python=sys.executable, step=step)


def stack() -> DevStack:
    """Return a stack of which only the addresses are there."""
    servers = {"amqp_url": "amqp://there", "address": "there:7233"}
    there = SimpleNamespace(**servers)
    return cast("DevStack", SimpleNamespace(rabbitmq=there, temporal=there))


async def test_a_peer_reports_its_share_of_the_jobs_among_other_output(make_peer: MakePeer) -> None:
    """The rounds and the single jobs are those that were asked for."""
    report = await report_of(make_peer(trivial(), share=0.5), {}, _AMOUNTS, _SECONDS)

    assert (report.version, report.jobs) == ("1.2", 10)
    assert len(report.rounds) == _AMOUNTS.rounds
    assert len(report.singles) == _AMOUNTS.singles


async def test_wrong_results_of_jobs_are_no_measurement(make_peer: MakePeer) -> None:
    """A peer that is quick and wrong has not done the job."""
    with pytest.raises(PeerFailed, match=r"results of .* are wrong"):
        await report_of(make_peer(trivial(step=2)), {}, _AMOUNTS, _SECONDS)


async def test_a_peer_that_fails_is_told_with_the_end_of_its_output(make_peer: MakePeer) -> None:
    """Who reads it can mend it."""
    peer = make_peer("#!/bin/sh\necho no license >&2\nexit 3\n")

    with pytest.raises(PeerFailed, match=r"(?s)without a report.*no license"):
        await report_of(peer, {}, _AMOUNTS, _SECONDS)


async def test_a_report_that_cannot_be_read_is_a_failure(make_peer: MakePeer) -> None:
    """A peer and the runner can be of different versions."""
    with pytest.raises(PeerFailed, match="no report"):
        await report_of(make_peer("#!/bin/sh\necho 'PEER-REPORT {}'\n"), {}, _AMOUNTS, _SECONDS)


async def test_a_peer_that_hangs_is_told(make_peer: MakePeer) -> None:
    """Nobody waits for it longer than the limit."""
    with pytest.raises(PeerFailed, match="did not end within 0 s"):
        await report_of(make_peer("#!/bin/sh\nsleep 600\n"), {}, _AMOUNTS, 0)


async def test_a_peer_is_ended_with_all_that_it_started(
    make_peer: MakePeer, tmp_path: Path
) -> None:
    """Also if the run is cancelled, and if the peer does not want to end."""
    told = tmp_path / "told"
    peer = make_peer(
        '#!/bin/sh\ntrap "" TERM\nsleep 600 &\necho $$ $! >"$TOLD.new"\nmv "$TOLD.new" "$TOLD"\n'
        "while :; do wait; done\n",
        TOLD=str(told),
    )

    running = asyncio.create_task(report_of(peer, {}, _AMOUNTS, _SECONDS))
    while not told.exists() and not running.done():  # noqa: ASYNC110 - a file has no event
        await asyncio.sleep(0.02)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running

    assert [is_alive(int(number)) for number in told.read_text().split()] == [False, False]


async def test_a_peer_has_the_variables_of_its_settings_and_nobody_elses(
    make_peer: MakePeer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Addresses are filled in; those of the user's own servers do not reach it."""
    monkeypatch.setenv("HATCHET_AMQP_URL", "amqp://production")
    seen = tmp_path / "seen"
    peer = make_peer(f"#!/bin/sh\nenv >{seen}\n", BROKER="{amqp}", HERE="{folder}/x:{port}")

    with pytest.raises(PeerFailed):
        await report_of(peer, {"amqp": "amqp://there"}, _AMOUNTS, _SECONDS)

    variables = dict(line.split("=", 1) for line in seen.read_text().splitlines())
    assert variables["BROKER"] == "amqp://there"
    folder, port = variables["HERE"].split("/x:")
    assert folder == variables["HOME"]
    assert port.isdecimal()
    assert "HATCHET_AMQP_URL" not in variables
    assert not Path(folder).exists()  # noqa: ASYNC240


async def test_a_peer_that_is_not_installed_keeps_its_line(
    make_peer: MakePeer, tmp_path: Path
) -> None:
    """It says what to do, and the others are measured."""
    missing = Peer("missing", "none", "", {}, python=tmp_path / ".venv-none" / "bin" / "python")

    results = await measured(stack(), short=True, peers=[missing, make_peer(trivial())])

    assert [result.report is None for result in results] == [True, False]
    assert results[0].problem == ".venv-none is missing; run `./task setup-peers`"


async def test_the_full_form_measures_the_peers_by_turns(
    make_peer: MakePeer, tmp_path: Path
) -> None:
    """A busy minute of the machine then does not hit one of them alone."""
    order = tmp_path / "order"
    note = f'open("{order}", "a").write(sys.argv[0].rpartition("/")[2])\n'
    peers = [make_peer(trivial() + note, name) for name in ("a", "b")]

    told: list[str] = []

    results = await measured(
        stack(), short=False, jobs=1, peers=peers, tell=lambda result: told.append(line(result))
    )

    assert order.read_text() == "ababab"
    assert [one.partition(":")[0] for one in told] == list("ababab")
    assert [len(result.report.rounds) for result in results if result.report] == [3, 3]


def test_the_table_compares_with_the_first_and_tells_who_is_missing() -> None:
    """Rates are of the median round."""
    ours = PeerResult("Ours", "s1", Report("1", 100, (1.0, 2.0, 10.0), (0.01, 0.02, 0.03)))
    theirs = PeerResult("Theirs", "s2", Report("2", 10, (0.1,), (0.5, 0.5)))
    gone = PeerResult("Gone", "s3", problem="it is not installed")

    told = table([ours, theirs, gone]).splitlines()

    assert told[1].split() == ["Ours", "1", "100", "50.0", "1.00", "20.0", "29.0"]
    assert told[2].split() == ["Theirs", "2", "10", "100.0", "2.00", "500.0", "500.0"]
    assert told[3].split() == ["Gone", "-", "-", "-", "-", "-", "-"]
    assert "Gone could not be measured: it is not installed" in told


def test_without_ours_there_is_nothing_to_compare_with() -> None:
    """The others' own figures stay."""
    gone = PeerResult("Ours", "s1", problem="no router")
    theirs = PeerResult("Theirs", "s2", Report("2", 10, (0.1,), (0.5, 0.5)))

    assert table([gone, theirs]).splitlines()[2].split()[3:5] == ["100.0", "-"]


def test_output_without_a_report_has_none() -> None:
    """The mark has to begin a line."""
    assert report_in("x PEER-REPORT {}\n") is None


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_each_peer_is_a_module_whose_settings_are_documented(peer: Peer) -> None:
    """The settings in the document are those that the table shows."""
    document = (ROOT / "bench" / "peers" / "README.md").read_text()

    assert (ROOT / "bench" / "peers" / f"{peer.module}.py").exists()
    assert f"### {peer.name}\n\n{peer.settings[0].upper()}{peer.settings[1:]}." in document


def is_alive(process_id: int) -> bool:
    """Return whether a process runs; one that nobody has reaped does not."""
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
