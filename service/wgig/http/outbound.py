"""Outbound HTTP with limits on time and bytes, and the allowlist that protects from SSRF.

Only addresses that the operator lists are requested, over the public Internet unless the setting names an IP
address itself. A name is resolved once, and the connection goes to that address, so that DNS rebinding cannot
lead elsewhere. Certificates are verified against the name. A response may have 16 MiB and 5 redirects, each
of which must be allowed as well. Nothing of an error message comes from the other service.

Allowed targets are marked in an admitted SPARQL text by a scheme that the engine does not know, so that it
never calls out by itself.
"""

import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urljoin

import anyio

from .._version import __version__
from ..settings import canonicalize_url, parse_allowed_addresses

if TYPE_CHECKING:  # costs 120 ms, and most services ask nobody
    import httpx


# Stands before an address in an admitted text. The engine knows no such scheme and so never asks by itself.
OUTBOUND_SCHEME = "outside:"
# The same for the one address that this service answers itself.
OWN_SERVICE_SCHEME = "own:"
SERVICE_CALL_SCHEMES = (OUTBOUND_SCHEME, OWN_SERVICE_SCHEME)

_NAT64_NETWORK = ip_network("64:ff9b::/96")  # RFC 6052
_UNICAST_NETWORK = ip_network("2000::/3")  # all that is given out of IPv6 (RFC 4291)


def find_allowed_url(url: str, allow: str) -> str | None:
    """The address in its one form where the setting names it, or a folder that it is in; else None."""
    plain = canonicalize_url(url)
    if plain is None:
        return None
    folders = tuple(one for one in parse_allowed_addresses(allow) if one.endswith("/") and "?" not in one)
    return plain if plain in parse_allowed_addresses(allow) or plain.startswith(folders) else None


def is_own_search_url(url: str, base: str) -> bool:
    """Whether an address is that of the search of this service, which needs no setting."""
    return url == f"{base}search"


def is_public_address(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address belongs to the open Internet, and so does the IPv4 address that it may carry."""
    if isinstance(address, IPv6Address):
        within = address.ipv4_mapped or address.sixtofour
        if address in _NAT64_NETWORK:
            within = IPv4Address(int(address) & 0xFFFFFFFF)
        if within is not None:
            return is_public_address(within)
        return address in _UNICAST_NETWORK and address.is_global
    return address.is_global and not (address.is_multicast or address.is_reserved)


def is_ip_literal(host: str) -> bool:
    """Whether a host is an IP address, so that a setting that names it means this very address."""
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


MAX_OUTBOUND_RESPONSE_BYTES = 16 * 1024 * 1024  # of one answer
MAX_OUTBOUND_REDIRECTS = 5


class PeerError(Exception):
    """Why another service gave us nothing, as the end of a sentence; nothing in it is of its making."""


class OutboundResponse(NamedTuple):
    """What a service sent: its media type without parameters, in lower case, and the body; and from where."""

    media_type: str
    body: bytes
    url: str


async def query_endpoint(url: str, accept: str, query: str) -> OutboundResponse:
    """What an endpoint answers to a query (SPARQL 1.1 Protocol, section 2.1.2). Raises PeerError."""
    async with open_exchange(url, accept, {"query": query}) as response:
        if response.is_redirect:
            raise PeerError("it sends us elsewhere")
        return await read_whole_response(response, url)


async def fetch_document(url: str, accept: str, allow: str) -> OutboundResponse:
    """The document at an address, or where that leads to within the setting `allow`. Raises PeerError."""
    for _ in range(MAX_OUTBOUND_REDIRECTS):
        async with open_exchange(url, accept) as response:
            if not response.is_redirect:
                return await read_whole_response(response, url)
            url = resolve_redirect(url, response.headers["location"], allow)
    raise PeerError("it leads from one address to the next without end")


def resolve_redirect(url: str, location: str, allow: str) -> str:
    """The address that another one leads to, where the setting allows it. Raises PeerError."""
    try:
        found = find_allowed_url(urljoin(url, location), allow)
    except ValueError as error:
        raise PeerError("it leads to what is no address") from error
    if found is None:
        raise PeerError("it leads to an address that is not allowed")
    return found


@asynccontextmanager
async def open_exchange(
    url: str, accept: str, form: dict[str, str] | None = None
) -> AsyncIterator["httpx.Response"]:
    """The response to a request, a POST with a form or else a GET, whose body is still to come."""
    import httpx  # noqa: PLC0415  most services ask nobody

    # Nothing of the environment steers this client: no proxy, no password of ours.
    client = httpx.AsyncClient(verify=make_tls_context(), trust_env=False, timeout=None)  # noqa: S113  the caller's
    try:
        async with client:
            target = httpx.URL(url)
            headers = {
                "Host": target.netloc.decode("ascii"),
                "Accept": accept,
                "Accept-Encoding": "identity",
                "User-Agent": f"wgig/{__version__}",
            }
            for_address = target.copy_with(host=await resolve_public_address(target))
            request = client.build_request(
                "POST" if form else "GET",
                for_address,
                headers=headers,
                data=form,
                extensions={"sni_hostname": target.host},
            )
            response = await client.send(request, stream=True)
            try:
                yield response
            finally:
                await response.aclose()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise PeerError("it cannot be reached, or its answer broke off") from error


def make_tls_context() -> ssl.SSLContext:
    """Certificates are held against those that this machine trusts, and against the name that was asked."""
    return ssl.create_default_context()


async def resolve_public_address(target: "httpx.URL") -> str:
    """The one address that is asked, looked up once, so that a name cannot lead elsewhere afterwards.

    A name must lead to the open Internet with all its addresses. Raises PeerError.
    """
    if is_ip_literal(target.host):
        return target.host
    try:
        found = await anyio.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise PeerError("its name leads to no address") from error
    addresses = [sockaddr[0] for *_, sockaddr in found]
    if not all(is_public_address(ip_address(one)) for one in addresses):
        raise PeerError(
            "its name leads to a private address, which the operator has to allow by its number instead"
        )
    return addresses[0]


async def read_whole_response(response: "httpx.Response", url: str) -> OutboundResponse:
    """The body of a response, which is known to be whole. Raises PeerError."""
    if not response.is_success:
        raise PeerError(f"it refuses with status {response.status_code}")
    if response.headers.get("content-encoding", "identity") != "identity":
        raise PeerError("its answer is compressed, unasked")
    if not {"content-length", "transfer-encoding"} & set(response.headers):
        raise PeerError("its answer does not say where it ends, so that a part could look whole")
    body = bytearray()
    async for piece in response.aiter_raw():
        body += piece
        if len(body) > MAX_OUTBOUND_RESPONSE_BYTES:
            raise PeerError(
                f"its answer is larger than {MAX_OUTBOUND_RESPONSE_BYTES} bytes; ask for less of it"
            )
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return OutboundResponse(media_type, bytes(body), url)
