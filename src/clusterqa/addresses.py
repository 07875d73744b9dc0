"""Which addresses are one client's."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network


def neighbourhood(address: str) -> str:
    """
    What stands for a client wherever clients are counted: an IPv4 address, or the /64 of an IPv6 address.

    One line has a /64 at least, so that one who counts single addresses counts nothing. What is no address stays as it is.
    """
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ip_network((found, 64), strict=False))
