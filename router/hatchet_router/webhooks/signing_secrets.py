"""The secrets that providers sign with."""

from __future__ import annotations

from collections.abc import Callable

from hatchet_router.errors import RouterError
from hatchet_router.webhooks.providers import Provider

__all__ = ["FindSecret", "NoSigningSecret", "SigningSecrets", "UnusableSecret"]

FindSecret = Callable[[str], str | None]
"""Returns the secret of a name, or None; it may block, and is called in threads."""


class NoSigningSecret(RouterError, LookupError):
    """There is no secret by which requests of ``provider`` could be verified."""

    def __init__(self, provider: str, name: str) -> None:
        self.provider = provider
        self.name = name
        super().__init__(f"webhooks of {provider} need the secret {name}, and there is none")


class UnusableSecret(RouterError, ValueError):
    """The secret ``name`` is no key of its provider."""

    def __init__(self, provider: str, name: str, reason: str) -> None:
        self.provider = provider
        self.name = name
        super().__init__(f"the secret {name} is no key of {provider}: {reason}")


class SigningSecrets:
    """Finds the keys of providers anew for each request, so that one that was changed counts."""

    def __init__(self, find: FindSecret) -> None:
        self._find = find

    def keys(self, provider: Provider) -> tuple[bytes, ...]:
        """Return the keys of ``provider``: one, or two while its secret is exchanged.

        Raises:
            NoSigningSecret: there is none.
            UnusableSecret: one is in a wrong form.

        """
        keys: list[bytes] = []
        for name in provider.secret_names:
            secret = self._find(name)
            if secret is None:
                continue
            try:
                keys.append(provider.key(secret))
            except ValueError as error:
                raise UnusableSecret(provider.name, name, str(error)) from None
        if not keys:
            raise NoSigningSecret(provider.name, provider.secret_names[0])
        return tuple(keys)
