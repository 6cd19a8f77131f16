"""Papers by address: fetch a paper from a host that the operator allows, over HTTPS and on port 443.

`http.outbound` connects only to public IP addresses. Redirects are followed on the same host. A client can
have one fetch at a time.
"""

import posixpath
from collections.abc import Collection
from functools import partial
from urllib.parse import unquote, urlsplit

import anyio

from ..http.outbound import OutboundResponse, PeerError, fetch_document
from ..http.work_queue import queue_full_problem
from ..i18n import gettext_noop
from ..problems import Problem, build_sentence
from ..rdf.formats import FILE_FORMATS, Format, format_of_file
from ..settings import Settings, canonicalize_url, parse_paper_hosts
from .uploads import FORMATS_BY_TYPE, UploadedFile

FETCH_TIMEOUT_SECONDS = 10
MAX_CONCURRENT_FETCHES = 4  # of all clients
GENERAL_MEDIA_TYPES = ("", "text/plain", "application/octet-stream")  # the file extension says more
ACCEPT_FIELD = ", ".join([*(format_.media_type for format_ in FILE_FORMATS), "*/*;q=0.1"])


class PaperFetcher:
    """Fetches papers by their addresses."""

    def __init__(self) -> None:
        """Start without fetches."""
        self.busy_clients: set[str] = set()

    async def fetch_paper(self, address: str, client: str, settings: Settings) -> UploadedFile:
        """The paper at an address.

        Raises Problem 403 if the address is not allowed, 429 if the client has another fetch, 502 if the
        other service fails, 503 if too many papers are being fetched.
        """
        hosts = parse_paper_hosts(settings.paper_hosts)
        url = find_paper_url(address, hosts)
        if url is None:
            raise address_refused_problem(hosts)
        if client in self.busy_clients:
            raise Problem(
                429,
                [
                    build_sentence(gettext_noop("A paper is already being fetched for this client.")),
                    build_sentence(gettext_noop("Send the request again when that paper has been checked.")),
                ],
                headers={"Retry-After": str(FETCH_TIMEOUT_SECONDS)},
            )
        if len(self.busy_clients) >= MAX_CONCURRENT_FETCHES:
            raise queue_full_problem()
        self.busy_clients.add(client)
        try:
            response = await fetch_from_host(url, settings.paper_bytes)
        finally:
            self.busy_clients.remove(client)
        return UploadedFile(name_of_url(response.url), response.body, format_of_response(response))


def find_paper_url(address: str, hosts: Collection[str]) -> str | None:
    """The canonical URL of an address over HTTPS, on port 443 of one of the hosts; else None."""
    url = canonicalize_url(address.strip())
    if url is None:
        return None
    scheme, _, rest = url.partition("://")  # a canonical URL has a port only if it is not the default
    return url if scheme == "https" and rest.partition("/")[0] in hosts else None


def address_refused_problem(hosts: Collection[str]) -> Problem:
    """The Problem 403 for an address that is not allowed."""
    if not hosts:
        first_message = gettext_noop("This service does not fetch papers from addresses.")
        return Problem(
            403,
            [
                build_sentence(first_message),
                build_sentence(gettext_noop("Paste the text of the paper, or upload its file.")),
            ],
        )
    refusal_message = gettext_noop(
        "Papers cannot be fetched from this address. It must start with https://, have no user "
        "name or port, and be on one of these hosts: %(hosts)s."
    )
    return Problem(403, [build_sentence(refusal_message, hosts=", ".join(hosts))])


async def fetch_from_host(url: str, max_bytes: int) -> OutboundResponse:
    """The response of the host of a URL, after redirects on this host. Raises Problem 502."""
    find_allowed = partial(find_paper_url, hosts=(urlsplit(url).netloc,))
    try:
        with anyio.fail_after(FETCH_TIMEOUT_SECONDS):
            return await fetch_document(url, ACCEPT_FIELD, find_allowed, max_bytes)
    except (PeerError, TimeoutError) as error:
        reason = (
            error
            if isinstance(error, PeerError)
            else f"it did not respond within {FETCH_TIMEOUT_SECONDS} seconds"
        )
        raise Problem(502, f"The paper at {url} was not fetched: {reason}.") from error


def name_of_url(url: str) -> str:
    """The last part of the path of a URL, as a file name."""
    return unquote(posixpath.basename(urlsplit(url).path)) or "paper"


def format_of_response(response: OutboundResponse) -> Format | None:
    """The format by the media type, or if that is a general one, by the file extension; None if unknown."""
    if response.media_type in GENERAL_MEDIA_TYPES:
        return format_of_file(name_of_url(response.url))
    return FORMATS_BY_TYPE.get(response.media_type)
