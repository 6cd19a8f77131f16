"""Outbound HTTP with limits on bytes and redirects, and the allowlist that protects from SSRF.

Requests go only to URLs that WGIG_ALLOW, WGIG_HUB or WGIG_WEBHOOKS lists, or to hosts that WGIG_PAPER_HOSTS
lists. A private IP address is allowed only if one of the first three lists that address. A host name is
resolved once, and the connection uses that IP address, so that DNS rebinding has no effect. Certificates are
verified against the host name. A response may have 16 MiB and 5 redirects, whose targets must be allowed,
too. Error messages contain no text from the other service.

Callers set a timeout. Before a query or update is evaluated, the allowed URLs in it get a private scheme
such as `outside:`. pyoxigraph does not support this scheme, so that it sends no requests itself.
"""

import socket
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlencode, urljoin

import anyio

from .._version import __version__
from ..settings import canonicalize_url, parse_allowed_urls
from .bodies import FORM_MEDIA_TYPE

if TYPE_CHECKING:  # costs 120 ms, and most services send no requests
    import httpx2


# Prefix of an allowed URL in a query or update that is evaluated.
OUTBOUND_SCHEME = "outside:"
# Prefix of the URL of the search endpoint of this service in a query.
OWN_SERVICE_SCHEME = "own:"
SERVICE_CALL_SCHEMES = (OUTBOUND_SCHEME, OWN_SERVICE_SCHEME)

_NAT64_NETWORK = ip_network("64:ff9b::/96")  # RFC 6052
_UNICAST_NETWORK = ip_network("2000::/3")  # allocated for global unicast (RFC 4291)


UrlFilter = Callable[[str], str | None]  # the canonical form of an allowed URL, else None


def find_allowed_url(url: str, allow_setting: str) -> str | None:
    """The canonical URL, if the setting WGIG_ALLOW lists the URL or a folder that contains it; else None."""
    canonical_url = canonicalize_url(url)
    if canonical_url is None:
        return None
    allowed = parse_allowed_urls(allow_setting)
    folders = tuple(entry for entry in allowed if entry.endswith("/") and "?" not in entry)
    return canonical_url if canonical_url in allowed or canonical_url.startswith(folders) else None


def is_own_search_url(url: str, base: str) -> bool:
    """Whether a URL is that of the search endpoint of this service, which WGIG_ALLOW need not list."""
    return url == f"{base}search"


def is_public_address(address: IPv4Address | IPv6Address) -> bool:
    """Whether an IP address is public, and the IPv4 address embedded in it, if any, is public, too."""
    if isinstance(address, IPv6Address):
        embedded = address.ipv4_mapped or address.sixtofour
        if address in _NAT64_NETWORK:
            embedded = IPv4Address(int(address) & 0xFFFFFFFF)
        if embedded is not None:
            return is_public_address(embedded)
        return address in _UNICAST_NETWORK and address.is_global
    return address.is_global and not (address.is_multicast or address.is_reserved)


def is_ip_literal(host: str) -> bool:
    """Whether a host is an IP address and not a name."""
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


MAX_OUTBOUND_RESPONSE_BYTES = 16 * 1024 * 1024  # of one response
MAX_OUTBOUND_REDIRECTS = 5


class PeerError(Exception):
    """A request to another service failed. The message is a clause such as "it cannot be reached"."""


class OutboundMessage(NamedTuple):
    """The body of a POST, its media type, and further header fields."""

    body: bytes
    media_type: str
    headers: Mapping[str, str] = {}


class OutboundResponse(NamedTuple):
    """A response: its media type in lower case, without parameters, its body, and its final URL."""

    media_type: str
    body: bytes
    url: str


async def query_endpoint(url: str, accept: str, query: str) -> OutboundResponse:
    """The response of an endpoint to a query (SPARQL 1.1 Protocol, section 2.1.2). Raises PeerError."""
    message = OutboundMessage(urlencode({"query": query}).encode(), FORM_MEDIA_TYPE)
    async with open_outbound_response(url, accept, message) as response:
        if response.is_redirect:
            raise PeerError("it responded with a redirect")
        return await read_whole_response(response, url)


async def post_message(url: str, message: OutboundMessage) -> int:
    """The status of the response to a message; redirects are not followed, and the body is not read.

    Raises PeerError.
    """
    async with open_outbound_response(url, "*/*", message) as response:
        return response.status_code


async def fetch_document(
    url: str, accept: str, find_allowed: UrlFilter, max_bytes: int | None = None
) -> OutboundResponse:
    """The document at a URL, following redirects to allowed URLs. Raises PeerError.

    `find_allowed` returns the canonical form of an allowed URL, else None. `max_bytes` is by default
    MAX_OUTBOUND_RESPONSE_BYTES.
    """
    for _ in range(MAX_OUTBOUND_REDIRECTS):
        async with open_outbound_response(url, accept) as response:
            if not response.is_redirect:
                return await read_whole_response(response, url, max_bytes)
            url = resolve_redirect(url, response.headers["location"], find_allowed)
    raise PeerError("it redirects too many times")


def resolve_redirect(url: str, location: str, find_allowed: UrlFilter) -> str:
    """The target of a redirect. Raises PeerError if it is invalid or not allowed."""
    try:
        target = find_allowed(urljoin(url, location))
    except ValueError as error:
        raise PeerError("it redirects to an invalid URL") from error
    if target is None:
        raise PeerError("it redirects to a URL that is not allowed")
    return target


@asynccontextmanager
async def open_outbound_response(
    url: str, accept: str, message: OutboundMessage | None = None
) -> AsyncIterator["httpx2.Response"]:
    """The response to a POST of a message, or to a GET without; its body is not read. Raises PeerError."""
    import httpx2  # noqa: PLC0415  most services send no requests

    # The environment must not affect this client: no proxies, no credentials.
    client = httpx2.AsyncClient(verify=make_tls_context(), trust_env=False, timeout=None)
    try:
        async with client:
            target = httpx2.URL(url)
            headers = {
                "Host": target.netloc.decode("ascii"),
                "Accept": accept,
                "Accept-Encoding": "identity",
                "User-Agent": f"wgig/{__version__}",
                **({"Content-Type": message.media_type, **message.headers} if message else {}),
            }
            resolved_url = target.copy_with(host=await resolve_public_address(target))
            request = client.build_request(
                "POST" if message else "GET",
                resolved_url,
                headers=headers,
                content=message.body if message else None,
                extensions={"sni_hostname": target.host},
            )
            response = await client.send(request, stream=True)
            try:
                yield response
            finally:
                await response.aclose()
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise PeerError("it cannot be reached, or its response was cut off") from error


def make_tls_context() -> ssl.SSLContext:
    """A TLS context that verifies certificates against the system trust store, and host names."""
    return ssl.create_default_context()


async def resolve_public_address(target: "httpx2.URL") -> str:
    """The IP address to connect to. The host name is resolved once, so that DNS rebinding has no effect.

    All addresses of a host name must be public; an IP address as host was already allowed. Raises PeerError.
    """
    if is_ip_literal(target.host):
        return target.host
    try:
        resolved = await anyio.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise PeerError("its host name has no IP address") from error
    addresses = [sockaddr[0] for *_, sockaddr in resolved]
    if not all(is_public_address(ip_address(address)) for address in addresses):
        raise PeerError(
            "its host name has a private IP address; the operator can allow it by that IP address"
        )
    return addresses[0]


async def read_whole_response(
    response: "httpx2.Response", url: str, max_bytes: int | None = None
) -> OutboundResponse:
    """The complete response. Raises PeerError if it is not successful, is compressed or too large, or has no
    length.
    """
    if not response.is_success:
        raise PeerError(f"it responded with status {response.status_code}")
    if response.headers.get("content-encoding", "identity") != "identity":
        raise PeerError("its response is compressed, although that was not accepted")
    if not {"content-length", "transfer-encoding"} & set(response.headers):
        raise PeerError("its response does not state its length, so a partial response could look complete")
    body, max_bytes = bytearray(), max_bytes or MAX_OUTBOUND_RESPONSE_BYTES
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > max_bytes:
            raise PeerError(f"its response is larger than {max_bytes} bytes; request less data")
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return OutboundResponse(media_type, bytes(body), url)
