"""What beyond this service a query may reach: the addresses that the operator names, and none within."""

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import unquote

# Stands before an address in an admitted text. The engine knows no such scheme and so never asks by itself.
MARK = "outside:"
# The same for the one address that this service answers itself.
OWN = "own:"
MARKS = (MARK, OWN)

_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<rest>/[!#-;=?-\[\]_a-z~]*)?",
    re.IGNORECASE | re.ASCII,
)
_PORTS = {"http": 80, "https": 443}

_NAT64 = ip_network("64:ff9b::/96")  # RFC 6052
_UNICAST = ip_network("2000::/3")  # all that is given out of IPv6 (RFC 4291)


def canonical(url: str) -> str | None:
    """The address in its one form, without a fragment; None for all that is no plain address of the web.

    It is an IRI in ASCII, has no user and no zone, and no part of its path leads upwards, by whatever
    spelling.
    """
    found = _URL.fullmatch(url.partition("#")[0])
    if found is None:
        return None
    scheme, host, rest = found["scheme"].lower(), found["host"].lower(), found["rest"] or "/"
    port = int(found["port"] or _PORTS[scheme])
    if not 0 < port < 65536 or {".", ".."} & set(re.split(r"[/\\;?]", unquote(rest))):
        return None
    return f"{scheme}://{host}{'' if port == _PORTS[scheme] else f':{port}'}{rest}"


@lru_cache
def entries(allow: str) -> tuple[str, ...]:
    """The addresses of the setting. Raises ValueError for one that is none."""
    found = []
    for entry in allow.split():
        url = canonical(entry)
        if url is None or "#" in entry:
            raise ValueError(
                f"WGIG_ALLOW has {entry!r}, which is no plain address. Write it like "
                "https://example.org/sparql, in ASCII, without a user, a fragment, or a path through dots."
            )
        found.append(url)
    return tuple(found)


def allowed(url: str, allow: str) -> str | None:
    """The address in its one form where the setting names it, or a folder that it is in; else None."""
    plain = canonical(url)
    if plain is None:
        return None
    folders = tuple(one for one in entries(allow) if one.endswith("/") and "?" not in one)
    return plain if plain in entries(allow) or plain.startswith(folders) else None


def is_own(url: str, base: str) -> bool:
    """Whether an address is that of the search of this service, which needs no setting."""
    return url == f"{base}search"


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address belongs to the open Internet, and so does the IPv4 address that it may carry."""
    if isinstance(address, IPv6Address):
        within = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            within = IPv4Address(int(address) & 0xFFFFFFFF)
        if within is not None:
            return is_public(within)
        return address in _UNICAST and address.is_global
    return address.is_global and not (address.is_multicast or address.is_reserved)


def is_literal(host: str) -> bool:
    """Whether a host is an IP address, so that a setting that names it means this very address."""
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
