"""For those who run the service: is it alive, and does it answer."""

import json

from fastapi import Request, Response

from .backup.backups import last
from .formats import JSON, JSON_RESULTS
from .parameters import only
from .problems import Problem
from .readers.wire import Job
from .store import Dataset

ASK = Job("ASK {}", JSON_RESULTS.media_type, Dataset(), "about:nothing", 1000, 0)


async def health(request: Request) -> Response:
    """The process is alive, also while no thread is free."""
    only(request)
    return well("alive")


async def ready(request: Request) -> Response:
    """A query is answered; when the last backup was made is said, too. Raises Problem 503.

    `failedWrite` is when the disk failed the last write, if it did: then reading goes on. While the quads are
    copied to memory (`copying`), queries are answered from disk or from an older copy, which sees each write;
    while they are `indexing`, nothing is searched. While they are `comparing` with the log of changes, that
    tells nothing; while they are `describing`, the graphs that describe the others are behind.
    """
    only(request)
    try:
        result = await request.app.state.answerers.ask(ASK, "")
        await result.whole()
    except Exception as error:
        raise Problem(
            503, "The store does not answer. Try again soon.", headers={"Retry-After": "5"}
        ) from error
    state = request.app.state
    return well(
        "ready",
        lastBackup=last(state.store.folder),
        failedWrite=state.failed_write,
        copying=state.answerers.copying,
        indexing=state.index.filling,
        comparing=state.stream.is_behind,
        describing=state.store.is_behind,
    )


def well(status: str, **more: str | bool | None) -> Response:
    """The answer that all is well, true for now only."""
    return Response(
        json.dumps({"status": status, **more}),
        media_type=JSON.media_type,
        headers={"Cache-Control": "no-store"},
    )
