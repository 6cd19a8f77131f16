"""Routes of dump files, such as /dump.nq.gz, and their digests; with byte ranges (RFC 9110, section 14)."""

import asyncio
import base64
import re
from concurrent.futures import Future
from typing import Annotated

from fastapi import Depends, Path, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.responses import FileResponse
from starlette.types import Receive, Scope, Send

from ..http.operations import Operation
from ..http.responses import (
    CONDITIONAL_METHODS,
    IMMUTABLE_CACHE_CONTROL,
    matches_entity_tag,
    respond_with_body,
)
from ..pages.dependencies import StoreDep
from ..problems import Problem
from ..rdf.formats import DATASET_FORMATS, DUMP_FORMATS, GZIP, PLAIN_TEXT, ZSTD
from ..resources.alternates import data_links
from ..resources.licenses import store_license
from .dependencies import DumpsDep
from .dumps import CHECKSUM_SUFFIX, DUMP_NAMES, DamagedDumpError, DumpFile, wrap_dump_future

# Media types by file extension.
DUMP_MEDIA_TYPES = {format_.suffix: format_.media_type for format_ in (*DATASET_FORMATS, GZIP, ZSTD)}
DUMP_WAIT_SECONDS = 20  # after which the client gets 503 with Retry-After
BYTE_RANGE_PATTERN = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
VERSIONED_NAME_PATTERN = re.compile(r"(?P<version>[0-9a-f]{32})\.(?P<name>.+)")


class DumpFileResponse(FileResponse):
    """A file response that serves a single byte range and ignores any other Range field.

    RFC 9110, section 14.2, allows a server to ignore Range.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file; a Range field that is not a single byte range is removed from the request."""
        headers = [
            (name, value)
            for name, value in scope["headers"]
            if name != b"range" or parse_byte_range(value.decode("latin-1"))
        ]
        await super().__call__({**scope, "headers": headers}, receive, send)


DumpSuffix = Annotated[str, Path(description="The syntax and compression of a dump.", examples=["nq.gz"])]
DumpVersionName = Annotated[
    str,
    Path(
        description="The version, syntax and compression of a dump, as in Content-Location.",
        examples=[f"{'0' * 32}.nq.gz"],
    ),
]


async def parse_dump_suffix(suffix: DumpSuffix) -> str:
    """The name of the dump, such as `nq.gz`, from that of the dump or its digest. Raises Problem 404."""
    return find_dump_name(suffix)


async def parse_dump_version(name: DumpVersionName) -> re.Match[str]:
    """The match of a name with VERSIONED_NAME_PATTERN. Raises Problem 404."""
    match = VERSIONED_NAME_PATTERN.fullmatch(name)
    if not match:
        raise unknown_dump_problem()
    find_dump_name(match["name"])
    return match


# The page whose content the dumps are (FAIR Signposting).
LANDING_LINK = '</catalog>; rel="collection"'
DUMP_OPERATION = Operation(formats=DUMP_FORMATS, early_dependencies=(parse_dump_suffix,))
DUMP_VERSION_OPERATION = Operation(formats=DUMP_FORMATS, early_dependencies=(parse_dump_version,))


async def get_dump(
    request: Request,
    store: StoreDep,
    dumps: DumpsDep,
    suffix: DumpSuffix,
    name: Annotated[str, Depends(parse_dump_suffix)],
) -> Response:
    """All graphs in a file: `nq` or `trig`, optionally with `.gz` or `.zst`; `.sha256` is its digest."""
    dump = await wait_for_dump(dumps.get_current(name))
    if suffix.endswith(CHECKSUM_SUFFIX):
        return respond_with_digest(request, dump, f"dump.{name}")
    versioned_path = f"/dump/{dump.version}.{name}"
    links = [LANDING_LINK, *data_links(await run_in_threadpool(store_license, store))]
    return respond_with_dump(
        request, dump, {"Content-Location": versioned_path, "Cache-Control": "no-cache"}, links
    )


async def get_dump_version(
    request: Request,
    dumps: DumpsDep,
    name: DumpVersionName,
    match: Annotated[re.Match[str], Depends(parse_dump_version)],
) -> Response:
    """The dump of a version, which never changes.

    Raises Problem 404 if the version is no longer kept, or its files are damaged.
    """
    dump_name = find_dump_name(match["name"])
    future = dumps.get_version(match["version"], dump_name)
    if future is None:
        raise unkept_version_problem(dump_name)
    try:
        dump = await wait_for_dump(future)
    except DamagedDumpError as error:
        raise unkept_version_problem(dump_name) from error
    if name.endswith(CHECKSUM_SUFFIX):
        return respond_with_digest(request, dump, f"{dump.version}.{dump_name}")
    latest = f'</dump.{dump_name}>; rel="latest-version"'
    return respond_with_dump(
        request,
        dump,
        {"Cache-Control": IMMUTABLE_CACHE_CONTROL},
        [latest, LANDING_LINK, *data_links("")],
    )


def find_dump_name(suffix: str) -> str:
    """The name of a dump, such as `nq.gz`; `suffix` may be that of its digest, `nq.gz.sha256`.

    Raises Problem 404.
    """
    name = suffix.removesuffix(CHECKSUM_SUFFIX)
    if name not in DUMP_NAMES:
        raise unknown_dump_problem()
    return name


def unknown_dump_problem() -> Problem:
    """The 404 for a dump that does not exist; it lists the existing ones."""
    return Problem(
        404, f"There is no such dump. Use one of: {', '.join(f'/dump.{name}' for name in DUMP_NAMES)}."
    )


def unkept_version_problem(name: str) -> Problem:
    """The 404 for a version of the dump that is not kept; it has the path of the current dump."""
    return Problem(404, f"This service no longer keeps that version of the dump. The latest: /dump.{name}")


async def wait_for_dump(future: "Future[DumpFile]") -> DumpFile:
    """The dump file. Raises Problem 503 if it is not ready within DUMP_WAIT_SECONDS, and DamagedDumpError."""
    done, _ = await asyncio.wait([wrap_dump_future(future)], timeout=DUMP_WAIT_SECONDS)
    if not done:
        raise Problem(
            503,
            "The dump is being made. Try again in 30 seconds.",
            headers={"Retry-After": "30"},
        )
    return future.result()


def respond_with_digest(request: Request, dump: DumpFile, name: str) -> Response:
    """The SHA-256 of a dump in the format of `sha256sum --check`."""
    return respond_with_body(request, f"{dump.digest.hex()}  {name}\n".encode(), PLAIN_TEXT)


def respond_with_dump(
    request: Request, dump: DumpFile, headers: dict[str, str], links: list[str], media_type: str = ""
) -> Response:
    """The file, or 304 if the client has it. Its media type is by default that of the suffix of a dump.

    Raises Problem 412 if If-Match names other versions (RFC 9110, section 13.1.1), 416 for a range after its
    end.
    """
    digest_link = f'<{request.url.path}{CHECKSUM_SUFFIX}>; rel="describedby"; type="{PLAIN_TEXT.media_type}"'
    fields = {
        "ETag": f'"{dump.digest.hex()[:32]}"',
        "Repr-Digest": f"sha-256=:{base64.b64encode(dump.digest).decode()}:",
        "Link": ", ".join([*links, digest_link]),
        **headers,
    }
    required_tags = request.headers.getlist("if-match")
    if required_tags and not matches_entity_tag(required_tags, fields["ETag"], weak=False):
        raise Problem(
            412,
            "The dump has changed since the version that If-Match names. Get it again from its first byte.",
        )
    entity_tags = request.headers.getlist("if-none-match")
    if request.method in CONDITIONAL_METHODS and matches_entity_tag(entity_tags, fields["ETag"], weak=True):
        return Response(status_code=304, headers=fields)
    check_byte_range(request, dump.path.stat().st_size, fields["ETag"])
    return DumpFileResponse(
        dump.path,
        headers=fields,
        media_type=media_type or DUMP_MEDIA_TYPES[dump.name.rpartition(".")[2]],
    )


def check_byte_range(request: Request, size: int, tag: str) -> None:
    """Raise Problem 416 if no byte of the file is in the requested range (RFC 9110, section 15.5.17).

    `size` is in bytes, `tag` is the ETag of the file.
    """
    byte_range = parse_byte_range(request.headers.get("range", ""))
    if byte_range is None or request.headers.get("if-range", tag) != tag:
        return
    first, last = byte_range
    if (int(first) >= size) if first else int(last) == 0:
        raise Problem(
            416,
            f"The file has {size} bytes, and the requested range begins after its end.",
            headers={"Content-Range": f"bytes */{size}"},
        )


def parse_byte_range(field: str) -> tuple[str, str] | None:
    """First and last position of a single byte range, one of which may be empty; else None."""
    match = BYTE_RANGE_PATTERN.fullmatch(field.strip())
    if not match or not any(match.groups()):
        return None
    first, last = match.groups()
    return None if first and last and int(first) > int(last) else (first, last)
