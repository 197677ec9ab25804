"""Which addresses count as one client."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

HOUSEHOLD_BITS = 64
"""Of an IPv6 address: the rest is for the one who has it to choose."""


def household_of(address: str) -> str:
    """The IPv4 address itself; of an IPv6 address the network, in which one client has all addresses.

    What is no address stays as it is.
    """
    parsed = parse_address(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((int(parsed), HOUSEHOLD_BITS), strict=False))
    return str(parsed) if parsed else address


def parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """The address, without a scope, and an IPv4 address never as IPv6; None where the text is none."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
