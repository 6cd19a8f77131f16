"""/dump.nq.gz and its kin: files that may be fetched in parts (RFC 9110, section 14), with their digests."""

import asyncio
import base64
import re
from concurrent.futures import Future

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.responses import FileResponse
from starlette.types import Receive, Scope, Send

from ..http.parameters import check_query_parameters
from ..http.responses import (
    CONDITIONAL_METHODS,
    IMMUTABLE_CACHE_CONTROL,
    matches_entity_tag,
    respond_with_body,
)
from ..pages.dependencies import StoreDep
from ..problems import Problem
from ..rdf.formats import DATASET_FORMATS, GZIP, PLAIN_TEXT, ZSTD
from ..resources.alternates import data_links
from ..resources.labels import store_license
from .dependencies import DumpsDep
from .dumps import CHECKSUM_SUFFIX, DUMP_NAMES, DumpFile

# By what a name ends in.
DUMP_MEDIA_TYPES = {one.suffix: one.media_type for one in (*DATASET_FORMATS, GZIP, ZSTD)}
DUMP_WAIT_SECONDS = 20  # seconds until a client is asked to come again
BYTE_RANGE_PATTERN = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
VERSIONED_NAME_PATTERN = re.compile(r"(?P<version>[0-9a-f]{32})\.(?P<name>.+)")


class DumpFileResponse(FileResponse):
    """A file, or the one part of it that is asked for.

    A Range of another form is ignored, as it may be (RFC 9110, section 14.2).
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file."""
        headers = [
            (name, value)
            for name, value in scope["headers"]
            if name != b"range" or parse_byte_range(value.decode("latin-1"))
        ]
        await super().__call__({**scope, "headers": headers}, receive, send)


async def get_dump(request: Request, store: StoreDep, dumps: DumpsDep, suffix: str) -> Response:
    """All graphs as one file: `nq` or `trig`, each with `.gz` and `.zst` too, and `.sha256` beside."""
    name = parse_dump_suffix(suffix)
    check_query_parameters(request)
    found = await wait_for_dump(dumps.get_current(name))
    if suffix.endswith(CHECKSUM_SUFFIX):
        return respond_with_digest(request, found, f"dump.{name}")
    here = f"/dump/{found.version}.{name}"
    links = data_links(await run_in_threadpool(store_license, store, store.version))
    return respond_with_dump(request, found, {"Content-Location": here, "Cache-Control": "no-cache"}, links)


async def get_dump_version(request: Request, dumps: DumpsDep, name: str) -> Response:
    """The dump of one version, which never changes. Raises Problem 404 where it is not kept any more."""
    asked = VERSIONED_NAME_PATTERN.fullmatch(name)
    if not asked:
        raise unknown_dump_problem()
    suffix = parse_dump_suffix(asked["name"])
    check_query_parameters(request)
    future = dumps.get_version(asked["version"], suffix)
    if future is None:
        raise Problem(
            404, f"That version of the dump is not kept here, or not any more. The latest: /dump.{suffix}"
        )
    found = await wait_for_dump(future)
    if name.endswith(CHECKSUM_SUFFIX):
        return respond_with_digest(request, found, f"{found.version}.{suffix}")
    latest = f'</dump.{suffix}>; rel="latest-version"'
    return respond_with_dump(
        request, found, {"Cache-Control": IMMUTABLE_CACHE_CONTROL}, [latest, *data_links("")]
    )


def parse_dump_suffix(suffix: str) -> str:
    """The name of the dump that a suffix means. Raises Problem 404."""
    name = suffix.removesuffix(CHECKSUM_SUFFIX)
    if name not in DUMP_NAMES:
        raise unknown_dump_problem()
    return name


def unknown_dump_problem() -> Problem:
    """The 404 for a dump of no such form."""
    return Problem(
        404, f"There is no such dump. Take one of: {', '.join(f'/dump.{one}' for one in DUMP_NAMES)}."
    )


async def wait_for_dump(future: "Future[DumpFile]") -> DumpFile:
    """What is being made. Raises Problem 503 where that takes long; it is made all the same."""
    done, _ = await asyncio.wait([asyncio.wrap_future(future)], timeout=DUMP_WAIT_SECONDS)
    if not done:
        raise Problem(
            503, "The dump is being made, which takes a while. Ask again.", headers={"Retry-After": "30"}
        )
    return future.result()


def respond_with_digest(request: Request, found: DumpFile, name: str) -> Response:
    """The SHA-256 of a dump, as `sha256sum --check` reads it."""
    return respond_with_body(request, f"{found.digest.hex()}  {name}\n".encode(), PLAIN_TEXT)


def respond_with_dump(
    request: Request, found: DumpFile, headers: dict[str, str], links: list[str]
) -> Response:
    """The file, or 304 where the client has it, or 416 where it asks for what is behind its end."""
    sums = f'<{request.url.path}{CHECKSUM_SUFFIX}>; rel="describedby"; type="{PLAIN_TEXT.media_type}"'
    fields = {
        "ETag": f'"{found.digest.hex()[:32]}"',
        "Repr-Digest": f"sha-256=:{base64.b64encode(found.digest).decode()}:",
        "Link": ", ".join([*links, sums]),
        **headers,
    }
    condition = request.headers.getlist("if-none-match")
    if request.method in CONDITIONAL_METHODS and matches_entity_tag(condition, fields["ETag"], weak=True):
        return Response(status_code=304, headers=fields)
    check_byte_range(request, found.path.stat().st_size, fields["ETag"])
    return DumpFileResponse(
        found.path, headers=fields, media_type=DUMP_MEDIA_TYPES[found.name.rpartition(".")[2]]
    )


def check_byte_range(request: Request, size: int, tag: str) -> None:
    """Raises Problem 416 where the part asked for begins behind the end (RFC 9110, section 15.5.17)."""
    asked = parse_byte_range(request.headers.get("range", ""))
    if asked is None or request.headers.get("if-range", tag) != tag:
        return
    first, last = asked
    if (int(first) >= size) if first else int(last) == 0:
        raise Problem(
            416,
            f"The file has {size} bytes, and the part that is asked for is not among them.",
            headers={"Content-Range": f"bytes */{size}"},
        )


def parse_byte_range(field: str) -> tuple[str, str] | None:
    """First and last byte of a Range, one of which may be empty; None where it is none of this form."""
    found = BYTE_RANGE_PATTERN.fullmatch(field.strip())
    if not found or not any(found.groups()):
        return None
    first, last = found.groups()
    return None if first and last and int(first) > int(last) else (first, last)
