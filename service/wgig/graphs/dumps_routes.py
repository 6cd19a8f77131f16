"""/dump.nq.gz and its kin: files that may be fetched in parts (RFC 9110, section 14), with their digests."""

import asyncio
import base64
import re
from concurrent.futures import Future

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.responses import FileResponse
from starlette.types import Receive, Scope, Send

from ..http.parameters import only
from ..http.responses import CONDITIONAL, answer, matches
from ..problems import Problem
from ..rdf.formats import DATASETS, GZIP, TEXT, ZSTD
from ..resources.alternates import common
from ..resources.labels import license_of_all
from ..store.store import Store
from .dumps import NAMES, SUM, Dump, Dumps

FOR_EVER = "public, max-age=31536000, immutable"
TYPES = {one.suffix: one.media_type for one in (*DATASETS, GZIP, ZSTD)}  # by what a name ends in
PATIENCE = 20  # seconds until a client is asked to come again
ONE_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
VERSIONED = re.compile(r"(?P<version>[0-9a-f]{32})\.(?P<name>.+)")


class Download(FileResponse):
    """A file, or the one part of it that is asked for.

    A Range of another form is ignored, as it may be (RFC 9110, section 14.2).
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file."""
        headers = [
            (name, value)
            for name, value in scope["headers"]
            if name != b"range" or one_range(value.decode("latin-1"))
        ]
        await super().__call__({**scope, "headers": headers}, receive, send)


async def dump(request: Request, suffix: str) -> Response:
    """All graphs as one file: `nq` or `trig`, each with `.gz` and `.zst` too, and `.sha256` beside."""
    name = known(suffix)
    found = await in_time(dumps_of(request).current(name))
    if suffix.endswith(SUM):
        return digest(request, found, f"dump.{name}")
    here = f"/dump/{found.version}.{name}"
    store: Store = request.app.state.store
    links = common(await run_in_threadpool(license_of_all, store, store.version))
    return download(request, found, {"Content-Location": here, "Cache-Control": "no-cache"}, links)


async def version(request: Request, name: str) -> Response:
    """The dump of one version, which never changes. Raises Problem 404 where it is not kept any more."""
    asked = VERSIONED.fullmatch(name)
    if not asked:
        raise no_such()
    suffix = known(asked["name"])
    future = dumps_of(request).of(asked["version"], suffix)
    if future is None:
        raise Problem(
            404, f"That version of the dump is not kept here, or not any more. The latest: /dump.{suffix}"
        )
    found = await in_time(future)
    if name.endswith(SUM):
        return digest(request, found, f"{found.version}.{suffix}")
    latest = f'</dump.{suffix}>; rel="latest-version"'
    return download(request, found, {"Cache-Control": FOR_EVER}, [latest, *common("")])


def known(suffix: str) -> str:
    """The name of the dump that a suffix means. Raises Problem 404."""
    name = suffix.removesuffix(SUM)
    if name not in NAMES:
        raise no_such()
    return name


def no_such() -> Problem:
    """The 404 for a dump of no such form."""
    return Problem(404, f"There is no such dump. Take one of: {', '.join(f'/dump.{one}' for one in NAMES)}.")


def dumps_of(request: Request) -> Dumps:
    """The dumps of the service. Raises Problem 400 for a parameter, as they take none."""
    only(request)
    dumps: Dumps = request.app.state.dumps
    return dumps


async def in_time(future: "Future[Dump]") -> Dump:
    """What is being made. Raises Problem 503 where that takes long; it is made all the same."""
    done, _ = await asyncio.wait([asyncio.wrap_future(future)], timeout=PATIENCE)
    if not done:
        raise Problem(
            503, "The dump is being made, which takes a while. Ask again.", headers={"Retry-After": "30"}
        )
    return future.result()


def digest(request: Request, found: Dump, name: str) -> Response:
    """The SHA-256 of a dump, as `sha256sum --check` reads it."""
    return answer(request, f"{found.digest.hex()}  {name}\n".encode(), TEXT)


def download(request: Request, found: Dump, headers: dict[str, str], links: list[str]) -> Response:
    """The file, or 304 where the client has it, or 416 where it asks for what is behind its end."""
    sums = f'<{request.url.path}{SUM}>; rel="describedby"; type="{TEXT.media_type}"'
    fields = {
        "ETag": f'"{found.digest.hex()[:32]}"',
        "Repr-Digest": f"sha-256=:{base64.b64encode(found.digest).decode()}:",
        "Link": ", ".join([*links, sums]),
        **headers,
    }
    condition = request.headers.getlist("if-none-match")
    if request.method in CONDITIONAL and matches(condition, fields["ETag"], weak=True):
        return Response(status_code=304, headers=fields)
    check_range(request, found.path.stat().st_size, fields["ETag"])
    return Download(found.path, headers=fields, media_type=TYPES[found.name.rpartition(".")[2]])


def check_range(request: Request, size: int, tag: str) -> None:
    """Raises Problem 416 where the part asked for begins behind the end (RFC 9110, section 15.5.17)."""
    asked = one_range(request.headers.get("range", ""))
    if asked is None or request.headers.get("if-range", tag) != tag:
        return
    first, last = asked
    if (int(first) >= size) if first else int(last) == 0:
        raise Problem(
            416,
            f"The file has {size} bytes, and the part that is asked for is not among them.",
            headers={"Content-Range": f"bytes */{size}"},
        )


def one_range(field: str) -> tuple[str, str] | None:
    """First and last byte of a Range, one of which may be empty; None where it is none of this form."""
    found = ONE_RANGE.fullmatch(field.strip())
    if not found or not any(found.groups()):
        return None
    first, last = found.groups()
    return None if first and last and int(first) > int(last) else (first, last)
