"""What `hatchet dev` leads its processes to."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from hatchet_cli.dev.backends import start_backends
from hatchet_cli.devstack import DevStack
from hatchet_router.settings import RouterSettings
from hatchet_worker import TemporalSettings


async def deployment(stack: DevStack) -> str:
    """Return whose schedules the router of `hatchet dev` keeps on servers that others use, too."""
    with ExitStack() as lifetime:
        backends = await start_backends(
            RouterSettings(amqp_url=stack.rabbitmq.amqp_url),
            TemporalSettings(address=stack.temporal.address),
            lifetime,
        )
    return RouterSettings.model_validate(
        {"deployment": backends.environment["HATCHET_DEPLOYMENT"]}
    ).deployment


async def test_on_a_temporal_of_others_each_folder_has_its_own_schedules(
    stack: DevStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session deletes nobody else's, and finds its own again the next time."""
    monkeypatch.delenv("HATCHET_DEPLOYMENT", raising=False)
    found = []
    for folder in ("one", "other", "one"):
        (tmp_path / folder).mkdir(exist_ok=True)
        monkeypatch.chdir(tmp_path / folder)
        found.append(await deployment(stack))

    assert found[0] == found[2] != found[1]
    assert "hatchet" not in found


async def test_a_deployment_that_is_set_is_kept(
    stack: DevStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever names one means it."""
    monkeypatch.setenv("HATCHET_DEPLOYMENT", "mine")

    assert await deployment(stack) == "mine"
