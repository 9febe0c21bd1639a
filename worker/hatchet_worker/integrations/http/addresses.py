"""Which addresses a request may go to: public ones, and those of networks that are allowed.

What a name stands for is the business of whoever owns it, so only addresses can be trusted. They
are judged by the registries of IANA ("IPv4" and "IPv6 Special-Purpose Address Space").
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final

from hatchet_worker.errors import IntegrationError

__all__ = ["Address", "Network", "is_permitted", "literal_address", "read_networks"]

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NOT_PUBLIC: Final = tuple(
    map(
        IPv4Network,
        (
            "192.0.0.0/24",  # protocol assignments: older Pythons take parts of it for global
            "192.88.99.0/24",  # 6to4 relays
        ),
    )
)
_UNICAST: Final = IPv6Network("2000::/3")
# Within 2000::/3. What carries an IPv4 address (6to4, Teredo) could carry a private one.
_NOT_UNICAST: Final = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments, with Teredo
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4
            "3fff::/20",  # documentation
        ),
    )
)


def read_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Return the networks that ``texts`` name, such as ``10.0.0.0/8``.

    Raises:
        IntegrationError: one of them is none.

    """
    try:
        return tuple(ip_network(text) for text in texts)
    except ValueError as error:
        raise IntegrationError(
            f"HATCHET_HTTP_NETWORKS (networks): {error}; expected such as 10.0.0.0/8"
        ) from None


def literal_address(host: str) -> Address | None:
    """Return the address that ``host`` is, in its one canonical spelling; None for a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def is_permitted(address: Address, networks: Iterable[Network]) -> bool:
    """Return whether ``address`` is public, or in one of ``networks``.

    Not public are those of private, local, shared and reserved networks, multicast, and IPv6
    addresses that stand for an IPv4 address, whichever it is.
    """
    if any(address in network for network in networks):
        return True
    if isinstance(address, IPv4Address):
        return (
            address.is_global
            and not address.is_multicast
            and not any(address in network for network in _NOT_PUBLIC)
        )
    return address in _UNICAST and not any(address in network for network in _NOT_UNICAST)
