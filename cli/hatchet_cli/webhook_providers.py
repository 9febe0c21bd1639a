"""Which providers `hatchet webhooks` serves, and where their signing secrets are."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hatchet_cli.exiting import CommandError, ExitCode

if TYPE_CHECKING:
    from hatchet_router.webhooks.providers import Provider

__all__ = ["find_secret", "providers_named", "webhook_failures"]


def providers_named(names: Iterable[str], file: Path | None) -> list[Provider]:
    """Return the providers of these names; without any, all that ``file`` describes.

    Raises:
        CommandError: there is no such provider, or none at all.
        InvalidProviders: the file cannot be used.

    """
    from hatchet_router.webhooks.presets import PRESETS
    from hatchet_router.webhooks.provider_file import load_providers

    described = {} if file is None else load_providers(file)
    known = {**{name: preset(name) for name, preset in PRESETS.items()}, **described}
    wanted = dict.fromkeys(names) or described
    if not wanted:
        raise CommandError(
            f"no provider to serve: name some of {', '.join(sorted(known))}, "
            "or describe others in a file, for --file or HATCHET_WEBHOOKS_FILE",
            ExitCode.USAGE,
        )
    for name in wanted:
        if name not in known:
            raise CommandError(
                f"there is no provider {name!r}: expected one of {', '.join(sorted(known))}, "
                "or one that a file describes (--file, HATCHET_WEBHOOKS_FILE)",
                ExitCode.USAGE,
            )
    return [known[name] for name in wanted]


def find_secret(name: str) -> str | None:
    """Return the secret of that name from where workers find theirs, and mask it in logs.

    Raises:
        UnreadableSecret: it is there, and cannot be read.

    """
    from hatchet_worker.masking import SECRETS_IN_USE
    from hatchet_worker.secrets import default_providers

    for provider in default_providers():
        value = provider(name)
        if value is not None:
            SECRETS_IN_USE.remember(name, value)
            return value
    return None


@contextmanager
def webhook_failures() -> Generator[None]:
    """Say what keeps the receiver from starting as a `CommandError`."""
    from hatchet_router.webhooks.provider_file import InvalidProviders
    from hatchet_router.webhooks.server import AddressInUse
    from hatchet_router.webhooks.signing_secrets import NoSigningSecret, UnusableSecret
    from hatchet_worker.errors import UnreadableSecret
    from hatchet_worker.secrets import default_providers

    try:
        yield
    except NoSigningSecret as error:
        places = " or ".join(provider.place(error.name) for provider in default_providers())
        raise CommandError(f"{error}: expected it in {places}", ExitCode.USAGE) from error
    except (AddressInUse, InvalidProviders, UnreadableSecret, UnusableSecret) as error:
        raise CommandError(str(error), ExitCode.USAGE) from error
