"""Who asks, as limits count them."""

from __future__ import annotations

import ipaddress

from starlette.types import Scope

IPV6_PREFIX = 64  # one household or server has at least so many addresses


def address_of(scope: Scope) -> str:
    """The client's address; of IPv6 its network.

    It is uvicorn's: the peer's own, unless the peer is a proxy that FORWARDED_ALLOW_IPS trusts (by default this machine
    alone): then the last address in X-Forwarded-For that is no such proxy.
    """
    host = (scope.get("client") or ("unknown",))[0]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.version == 4:
        return host
    return str(address.ipv4_mapped or ipaddress.ip_network((address, IPV6_PREFIX), strict=False))
