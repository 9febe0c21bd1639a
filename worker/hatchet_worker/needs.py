"""What integrations cannot do without, looked for before a worker takes its first job."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from hatchet_worker.errors import MissingSecret, UnknownSecret
from hatchet_worker.integration import IntegrationLike
from hatchet_worker.masking import SECRETS_IN_USE
from hatchet_worker.secret_texts import secret_values
from hatchet_worker.secrets import SecretProvider

__all__ = ["check_needs"]


def check_needs(
    integrations: Iterable[IntegrationLike], providers: Sequence[SecretProvider]
) -> None:
    """Find the secrets that each integration needs; it may block as long as the providers do.

    Raises:
        MissingSecret: some are not there; the message names them all, and where they could be.
        UnreadableSecret: one is there, but is not what a secret must be.

    """
    missing = [text for each in integrations for text in _missing(each, providers)]
    if missing:
        raise MissingSecret("; ".join(missing))


def _missing(integration: IntegrationLike, providers: Sequence[SecretProvider]) -> Iterator[str]:
    for name in getattr(integration, "secrets", ()):
        try:
            secret_values([name], providers, SECRETS_IN_USE)
        except UnknownSecret as error:
            looked = f"set {' or '.join(error.places)}" if error.places else "this worker has none"
            yield f"integration {integration.id} needs secret {name}: {looked}"
