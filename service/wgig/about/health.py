"""For those who run the service: is it alive, and does it answer."""

import asyncio
import json
import logging

from fastapi import Request, Response

from ..http.parameters import only
from ..problems import Problem
from ..rdf.formats import JSON, JSON_RESULTS
from ..sparql.workers.fair_queue import Standing
from ..sparql.workers.protocol import DISK, REMOTE, Fault, Job
from ..sparql.workers.result import Answerers
from ..store.backup.backup import last
from ..store.errors import UnavailableError
from ..store.view import Dataset

PATIENCE = 5.0  # seconds for a query without an answer
STOPPING = "The service is stopping, and answers what still comes."
ASK = Job("ASK {}", JSON_RESULTS.media_type, Dataset(), "about:nothing", 1000, 0)

FAULTS = {DISK: "The disk failed a query: {}.", REMOTE: "{}"}
LOST = "The reader of a query ended before its answer."

log = logging.getLogger("wgig")


async def health(request: Request) -> Response:
    """The process is alive, also while no thread is free."""
    only(request)
    return well("alive")


async def ready(request: Request) -> Response:
    """A query is answered; when the last backup was made is said, too. Raises Problem 503, with the reasons.

    `failedWrite` is when the disk or the shared store failed the last write, if it did: then reading goes on.
    While the quads are copied to memory (`copying`), queries are answered from disk or from an older copy,
    which sees each write; while they are `indexing`, nothing is searched. While they are `comparing` with the
    log of changes, that tells nothing; while they are `describing`, the graphs that describe the others are
    behind.
    """
    only(request)
    state = request.app.state
    reasons = [*([STOPPING] if state.stopping else []), *await unanswered(state.answerers)]
    if reasons:
        detail = f"{' '.join(reasons)} Try again soon."
        raise Problem(503, detail, headers={"Retry-After": "5"}, reasons=reasons)
    return well(
        "ready",
        lastBackup=last(state.store.folder),
        failedWrite=state.failed_write,
        copying=state.answerers.copying,
        indexing=state.index.filling,
        comparing=state.stream.is_behind,
        describing=state.store.is_behind,
    )


async def unanswered(answerers: Answerers) -> list[str]:
    """Why a query is not answered now; nothing where it is."""
    result = None
    try:
        async with asyncio.timeout(PATIENCE):
            await answerers.in_line()
            result = await answerers.ask(ASK, "")
            await result.whole()
    except (TimeoutError, Problem):
        if result:
            result.close()
        return [crowd(answerers.standing)]
    except Fault as fault:
        return [FAULTS.get(fault.kind, LOST).format(fault)]
    except UnavailableError as error:
        return [str(error)]
    except Exception as error:
        log.error("no query is answered: %s", error)
        return ["The store does not answer."]
    return []


def crowd(stand: Standing) -> str:
    """Why nobody comes to answer a query."""
    if not stand.busy + stand.idle:
        return "There is no reader: they are being started, or cannot be, and then the log says why."
    return (
        f"No reader answered within {PATIENCE:g} seconds: {stand.busy} are busy, and {stand.waiting} queries "
        "wait."
    )


def well(status: str, **more: str | bool | None) -> Response:
    """The answer that all is well, true for now only."""
    return Response(
        json.dumps({"status": status, **more}),
        media_type=JSON.media_type,
        headers={"Cache-Control": "no-store"},
    )
