"""Where a request wants to go, and whether it may: decided from the URL alone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from yarl import URL

from hatchet_worker.errors import IntegrationError, NonRetryable
from hatchet_worker.integrations.http.addresses import (
    Network,
    is_permitted,
    literal_address,
)

__all__ = ["ForbiddenTarget", "Policy", "read_hosts", "read_ports", "read_url"]

_SCHEMES: Final = ("http", "https")
# What browsers, proxies and libraries read in different ways: no URL needs them as they are.
_UNSAFE: Final = re.compile(r"[\x00-\x20\x7f\\]")
# A name that ends in a number is an IPv4 address to some (URL Standard, "ends in a number").
_NUMERIC_END: Final = re.compile(r"(?:^|\.)(?:\d+|0[xX][0-9a-fA-F]*)\.?$")
_NAME: Final = re.compile(r"(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_-]+")
_ANY: Final = "*"
_LARGEST_PORT: Final = 65_535


class ForbiddenTarget(NonRetryable):
    """The request would go where this worker lets none go."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Where requests may go.

    ``hosts`` are names, ``*.`` before one for all names below it, addresses, or ``*`` for all;
    ``networks`` those that may be reached beside the public ones.
    """

    hosts: frozenset[str]
    networks: tuple[Network, ...]
    ports: frozenset[int]

    def check(self, url: URL) -> None:
        """Raise `ForbiddenTarget` if no request may go to ``url``.

        A name may still stand for an address that is forbidden: the resolver looks at that.
        """
        host = url.raw_host or ""
        address = literal_address(host)
        if not self.hosts:
            raise ForbiddenTarget(
                f"no host may be called, so not {host!r}: on the worker, set HATCHET_HTTP_HOSTS "
                "(hosts) to those that may, such as api.example.com,*.example.org"
            )
        if not self._has(host if address is None else str(address)):
            raise ForbiddenTarget(
                f"host {host!r} may not be called: it is not among HATCHET_HTTP_HOSTS (hosts) of "
                "the worker"
            )
        if url.port not in self.ports:
            raise ForbiddenTarget(
                f"port {url.port} of {host!r} may not be called: it is not among "
                "HATCHET_HTTP_PORTS (ports) of the worker"
            )
        if address is not None and not is_permitted(address, self.networks):
            raise forbidden_address(host, host)

    def _has(self, host: str) -> bool:
        if _ANY in self.hosts or host in self.hosts:
            return True
        labels = host.split(".")
        return any(f"*.{'.'.join(labels[start:])}" in self.hosts for start in range(1, len(labels)))


def forbidden_address(host: str, address: str) -> ForbiddenTarget:
    """Return what to raise where ``host`` is at an ``address`` that may not be called."""
    at = "" if host == address else f" is at {address}, which"
    return ForbiddenTarget(
        f"host {host!r}{at} is not public: to allow it, add its network to "
        "HATCHET_HTTP_NETWORKS (networks) of the worker"
    )


def read_url(text: str) -> URL:
    """Return the URL in ``text``.

    Raises:
        ValueError: it is no absolute one of http or https, holds credentials, or can be read in
            more than one way.

    """
    if _UNSAFE.search(text):
        raise ValueError("a URL has no spaces, control characters and backslashes: encode them")
    try:
        url = URL(text)
        host, port = url.host, url.port
    except ValueError as error:
        raise ValueError(f"not a URL: {error}") from None
    if url.scheme not in _SCHEMES:
        raise ValueError(f"the URL's scheme is {url.scheme!r}, expected http or https")
    if not host or not port:
        raise ValueError("the URL has no host")
    if "@" in urlsplit(text).netloc:
        raise ValueError("the URL holds credentials: send them in a header")
    if literal_address(host) is None and (_NUMERIC_END.search(host) or not _is_name(url)):
        raise ValueError(
            f"the URL's host, {host!r}, is neither a name nor a plainly written address"
        )
    return url


def read_hosts(texts: Iterable[str]) -> frozenset[str]:
    """Return the hosts that ``texts`` name, as URLs have them.

    Raises:
        IntegrationError: one of them can be no host.

    """
    return frozenset(_read_host(text) for text in texts)


def read_ports(texts: Iterable[str]) -> frozenset[int]:
    """Return the ports that ``texts`` name.

    Raises:
        IntegrationError: one of them is none.

    """
    given = tuple(texts)
    if wrong := [text for text in given if not _is_port(text)]:
        raise IntegrationError(
            f"HATCHET_HTTP_PORTS (ports) has {wrong[0]!r}: expected numbers from 1 to 65535"
        )
    return frozenset(map(int, given))


def _is_name(url: URL) -> bool:
    return _NAME.fullmatch(url.raw_host or "") is not None


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdecimal() and 0 < int(text) <= _LARGEST_PORT


def _read_host(text: str) -> str:
    host = text.strip().lower().removeprefix("[").removesuffix("]")
    address = literal_address(host)
    if address is not None:
        return str(address)
    if host == _ANY or _NAME.fullmatch(host):
        return host
    raise IntegrationError(
        f"HATCHET_HTTP_HOSTS (hosts) has {text!r}: expected a name such as api.example.com, "
        "*.example.com for those below it, an address, or * for all"
    )
