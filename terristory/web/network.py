"""The client's network: its address, of which an IPv6 client owns a whole /64."""

from ipaddress import IPv6Address, ip_address, ip_network

from flask import request


def network_of(address: str | None) -> str:
    """Return the network that counts for limits: the IPv4 address, or the /64 of an IPv6 one; "" when unknown."""
    try:
        parsed = ip_address((address or "").partition("%")[0])
    except ValueError:
        return ""
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ip_network((parsed, 64), strict=False))
    return str(parsed)


def client_network() -> str:
    """Return the network of the request's client, as seen through the trusted proxies."""
    return network_of(request.remote_addr)
