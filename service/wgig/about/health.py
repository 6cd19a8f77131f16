"""For those who run the service: is it alive, and does it answer."""

import asyncio
import json
import logging

from fastapi import Request, Response

from ..http.parameters import check_query_parameters
from ..http.responses import NO_STORE_HEADERS
from ..problems import Problem
from ..rdf.formats import JSON, JSON_RESULTS
from ..resources.dependencies import StreamDep
from ..search.dependencies import IndexDep
from ..sparql.dependencies import QueriesDep
from ..sparql.language.parser import ParsedSparqlText
from ..sparql.workers.fair_queue import QueueState
from ..sparql.workers.protocol import DISK_FAULT, REMOTE_FAULT, QueryFault, QueryJob
from ..sparql.workers.result import QueryWorkers
from ..store.backup.backup import read_backup_time
from ..store.errors import StoreUnavailableError
from ..store.view import QueryDataset
from .dependencies import StatusDep

READY_TIMEOUT_SECONDS = 5.0  # seconds for a query without an answer
STOPPING_REASON = "The service is stopping, and answers what still comes."
READINESS_PROBE = QueryJob(
    ParsedSparqlText("ASK {}"), JSON_RESULTS.media_type, QueryDataset(), "about:nothing", 1000, 0
)

FAULT_REASONS = {DISK_FAULT: "The disk failed a query: {}.", REMOTE_FAULT: "{}"}
READER_LOST_REASON = "The reader of a query ended before its answer."

log = logging.getLogger("wgig")


async def get_health(request: Request) -> Response:
    """The process is alive, also while no thread is free."""
    check_query_parameters(request)
    return respond_with_status("alive")


async def get_readiness(
    request: Request, queries: QueriesDep, index: IndexDep, stream: StreamDep, status: StatusDep
) -> Response:
    """A query is answered; when the last backup was made is said, too. Raises Problem 503, with the reasons.

    `failedWrite` is when the disk or the shared store failed the last write, if it did: then reading goes on.
    While the quads are copied to memory (`copying`), queries are answered from disk or from an older copy,
    which sees each write; while they are `indexing`, nothing is searched. While they are `comparing` with the
    log of changes, that tells nothing; while they are `describing`, the graphs that describe the others are
    behind.
    """
    check_query_parameters(request)
    workers, store = queries.workers, queries.store
    reasons = [*([STOPPING_REASON] if status.stopping else []), *await list_unready_reasons(workers)]
    if reasons:
        detail = f"{' '.join(reasons)} Try again soon."
        raise Problem(503, detail, headers={"Retry-After": "5"}, reasons=reasons)
    return respond_with_status(
        "ready",
        lastBackup=read_backup_time(store.folder),
        failedWrite=status.failed_write,
        copying=workers.is_copying,
        indexing=index.is_pending,
        comparing=not stream.is_current,
        describing=store.is_behind,
    )


async def list_unready_reasons(answerers: QueryWorkers) -> list[str]:
    """Why a query is not answered now; nothing where it is."""
    result = None
    try:
        async with asyncio.timeout(READY_TIMEOUT_SECONDS):
            await answerers.see_latest_writes()
            result = await answerers.ask(READINESS_PROBE, "")
            await result.read_all()
    except (TimeoutError, Problem):
        if result:
            result.close()
        return [busy_readers_reason(answerers.queue_state)]
    except QueryFault as fault:
        return [FAULT_REASONS.get(fault.kind, READER_LOST_REASON).format(fault)]
    except StoreUnavailableError as error:
        return [str(error)]
    except Exception as error:
        log.error("no query is answered: %s", error)
        return ["The store does not answer."]
    return []


def busy_readers_reason(stand: QueueState) -> str:
    """Why nobody comes to answer a query."""
    if not stand.busy + stand.idle:
        return "There is no reader: they are being started, or cannot be, and then the log says why."
    return (
        f"No reader answered within {READY_TIMEOUT_SECONDS:g} seconds: "
        f"{stand.busy} are busy, and {stand.waiting} queries wait."
    )


def respond_with_status(status: str, **more: str | bool | None) -> Response:
    """The answer that all is well, true for now only."""
    return Response(
        json.dumps({"status": status, **more}),
        media_type=JSON.media_type,
        headers=NO_STORE_HEADERS,
    )
