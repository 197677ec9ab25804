"""Which addresses count as one client."""

from ipaddress import IPv6Address, IPv6Network, ip_address

HOUSEHOLD_BITS = 64
"""Of an IPv6 address: the rest is for the one who has it to choose."""


def household_of(address: str) -> str:
    """The IPv4 address itself; of an IPv6 address the network, in which one client has all addresses.

    An IPv4 address in the form of IPv6 is the IPv4 address; what is no address stays as it is.
    """
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(IPv6Network((int(parsed), HOUSEHOLD_BITS), strict=False))
