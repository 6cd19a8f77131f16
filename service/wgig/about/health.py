"""/health reports that the process is alive, /ready whether clients should send queries to this instance."""

import asyncio
import json
import logging
from itertools import chain

from fastapi import Response

from ..feeds.notifications import FAILING_STATE, STOPPED_STATE
from ..http.dependencies import PeersDep
from ..http.operations import Operation
from ..http.peers import NoPeerProcesses, PeerProcesses
from ..http.responses import NO_STORE_HEADERS
from ..http.status import DAMAGED_STORE_DETAIL, RulesStatus, ServiceStatus
from ..problems import Problem
from ..rdf.formats import JSON, JSON_RESULTS
from ..resources.dependencies import ResourceVersionsDep
from ..search.dependencies import IndexDep
from ..sparql.dependencies import QueriesDep
from ..sparql.language.parser import ParsedSparqlText
from ..sparql.workers.fair_queue import QueueState
from ..sparql.workers.protocol import DISK_FAULT, LOST_FAULT, REMOTE_FAULT, QueryFault, QueryJob
from ..sparql.workers.result import QueryWorkers
from ..store.backup.backup import read_backup_time
from ..store.errors import StoreUnavailableError
from ..store.projection import list_broken_projections
from ..store.store import Store
from ..store.view import QueryDataset
from .dependencies import NotifierDep, StatusDep
from .schemas import HealthStatus, ReadinessStatus

READY_TIMEOUT_SECONDS = 5.0  # for a test query
FRONT_READY_TIMEOUT_SECONDS = 1.5  # for one of a front process
# A reason for 503 although queries are answered, so that load balancers send new ones to another instance.
STOPPING_REASON = "The service is stopping. It still answers requests."
READINESS_PROBE = QueryJob(
    ParsedSparqlText("ASK {}"),
    JSON_RESULTS.media_type,
    QueryDataset(),
    base="about:nothing",
    max_bytes=1000,
    max_rows=0,
)

FAULT_REASONS = {DISK_FAULT: "A query failed with a disk error: {}.", REMOTE_FAULT: "{}"}
# For all other faults, as they end the worker: it crashed, or was killed at a limit or to cancel the query.
WORKER_LOST_REASON = "A worker ended before it answered a query."

log = logging.getLogger("wgig")


HEALTH_OPERATION = Operation(formats=(JSON,), json=HealthStatus)
READINESS_OPERATION = Operation(formats=(JSON,), json=ReadinessStatus)


async def get_health() -> Response:
    """Reports that the process is alive. Needs no thread, so it also works while all threads are busy."""
    return respond_with_status("alive")


async def get_readiness(  # noqa: PLR0913, PLR0917 - all parts that have a state
    queries: QueriesDep,
    peers: PeersDep,
    index: IndexDep,
    resource_versions: ResourceVersionsDep,
    status: StatusDep,
    notifier: NotifierDep,
) -> Response:
    """Whether queries are answered, and the time of the last backup. Raises Problem 503 with the reasons.

    `failedWrite` is the time of the last write if it failed because of the disk or the shared store (the
    SPARQL server with the data of several instances), else null. Reads still work after a failed write. While
    the quads are copied to memory (`copying`), queries are answered from disk, or from the previous copy,
    which also gets all writes. While the full-text index is built (`indexing`), search is unavailable. While
    the quads are compared with the versions of resources to add missing ones (`comparing`), the event stream,
    the feeds and the lists of folders are unavailable. While `describing` is true, the graphs that describe
    other graphs are out of date. `failedProjections` are what could not be built from the quads, such as
    the search index; the log has the reason, and a later use tries again. `rules` is the state of the graph
    of what follows by the rules of the operator, null without rules. `failedNotifications` is the number of
    addresses (a hub, webhooks) that could not be told of changes at the last attempt, or want no messages.
    """
    conditions = notifier.count_conditions()
    workers, store = queries.workers, queries.store
    reasons = [
        *([STOPPING_REASON] if status.stopping else []),
        *([DAMAGED_STORE_DETAIL] if status.is_damaged else []),
        *([str(store.stopped_by)] if store.stopped_by else []),
        *await list_unready_reasons(workers, READY_TIMEOUT_SECONDS),
        *await list_unready_front_reasons(peers, queries.settings.workers),
    ]
    if reasons:
        detail = f"{' '.join(reasons)} Try again soon."
        raise Problem(503, detail, headers={"Retry-After": "5"}, reasons=reasons)
    return respond_with_status(
        "ready",
        lastBackup=read_backup_time(store.folder),
        failedWrite=status.failed_write_time,
        copying=workers.is_copying,
        indexing=index.is_pending,
        comparing=not resource_versions.follows_commits,
        describing=store.has_outdated_descriptions,
        failedProjections=list_broken_projections(store),
        rules=find_rules_state(status, store),
        failedNotifications=conditions[FAILING_STATE] + conditions[STOPPED_STATE],
    )


def find_rules_state(status: ServiceStatus, store: Store) -> dict[str, str] | None:
    """The state of the graph of what follows by rules, after all commits up to now; None without rules."""
    if status.rules is None:
        return None
    is_behind = store.runner.applied_count < store.runner.published_count
    return (RulesStatus("pending") if is_behind else status.rules)._asdict()


async def list_unready_front_reasons(peers: PeerProcesses, front_count: int) -> list[str]:
    """The reasons why front processes do not answer a test query; empty if all answer it."""
    if isinstance(peers, NoPeerProcesses):
        return []
    results = await peers.call_all("probe")
    missing_count = front_count - len(results)
    missing = []
    if missing_count > 0:  # those that were replaced, and have clients, answer as well
        missing = [f"{missing_count} of {front_count} front processes do not respond."]
    return [*missing, *dict.fromkeys(chain.from_iterable(results))]


async def list_unready_reasons(
    workers: QueryWorkers, timeout_seconds: float, *, repeats: bool = True
) -> list[str]:
    """The reasons why a test query is not answered; empty if it is answered.

    It is repeated once if its worker was killed, as another worker takes the place of that one.
    """
    result = None
    try:
        async with asyncio.timeout(timeout_seconds):
            await workers.see_latest_writes()  # as before each query; fails if the shared store is down
            result = await workers.start_query(READINESS_PROBE, client="")
            await result.read_all()
    except (TimeoutError, Problem):  # Problem: no worker became free, or too many queries wait
        if result:
            result.close()
        return [describe_busy_workers(workers.queue_state, timeout_seconds)]
    except QueryFault as fault:
        if repeats and fault.kind == LOST_FAULT:
            return await list_unready_reasons(workers, timeout_seconds, repeats=False)
        return [FAULT_REASONS.get(fault.kind, WORKER_LOST_REASON).format(fault)]
    except StoreUnavailableError as error:
        return [str(error)]
    except Exception as error:
        log.error("the test query of /ready failed: %s", error)
        return ["The store does not respond."]
    return []


def describe_busy_workers(queue_state: QueueState, timeout_seconds: float) -> str:
    """The reason why no worker answered the test query in time: no workers, or busy ones."""
    worker_count = queue_state.busy + queue_state.idle
    if worker_count == 0:
        return "There is no worker: workers are starting, or fail to start (see the log)."
    return (
        f"No worker answered within {timeout_seconds:g} seconds: "
        f"{queue_state.busy} are busy, and {queue_state.waiting} queries wait."
    )


def respond_with_status(status: str, **details: object) -> Response:
    """The response with this status and these details; never cached."""
    return Response(
        json.dumps({"status": status, **details}),
        media_type=JSON.media_type,
        headers=NO_STORE_HEADERS,
    )
