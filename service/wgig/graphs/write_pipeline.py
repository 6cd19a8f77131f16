"""The write pipeline of Graph Store Protocol, SPARQL Update and form: queue, gate, commit, refusals.

`exclusive_write` lets one write through at a time (503), and turns failures of the disk into 507 and 500.
`pass_gate` checks a paper against the shapes (422). `commit_with_record` commits the change with its
provenance, durable on disk before the response. `check_writable_graph` and `drop_computed_graphs` keep
clients from writing graphs that the service computes itself (403): `COMPUTED_GRAPH_PURPOSES`.
"""

import logging
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyoxigraph as ox
from anyio.to_thread import run_sync
from fastapi import Request, Response

from ..http.access_log import Telemetry
from ..http.bodies import BodyPart
from ..http.language import current_language
from ..http.negotiation import negotiate_format
from ..http.responses import NO_STORE_HEADERS
from ..http.status import ServiceStatus
from ..http.telemetry import count_check_outcomes, span_if_traced
from ..http.work_queue import WorkQueue
from ..problems import Problem
from ..rdf.formats import PROBLEM_JSON, Format
from ..settings import Settings
from ..shacl.documents import DocumentReader
from ..shacl.gate import REFUSAL_FORMATS, GateDecision, PaperSubmission, check_submission
from ..store.change import Change
from ..store.errors import (
    DiskFullError,
    StoreDeclinedError,
    StoreError,
    StoreUnavailableError,
    UnstorableError,
)
from ..store.store import Store
from .provenance import ProvenanceRecorder, WriteRequest, graphs_in_change

READ_AGAIN_ADVICE = "This may or may not have been written, but never in part: read it again."
RESTART_ADVICE = (
    "and restarts it if it still refuses to write. All data that was written can be read meanwhile."
)

# Graphs below the base that the service computes itself, and what it fills them with.
COMPUTED_GRAPH_PURPOSES = {
    "catalog": "a description of the data that it ships",
    "conformance": "the results of checking the papers",
    "dcat": "the catalog of its datasets and services",
    "history": "the provenance of all writes",
    "inferred": "statements inferred from the other graphs",
    "queries": "the example queries and their prefixes",
    "void": "statistics of the data",
}

log = logging.getLogger("wgig")


@dataclass(frozen=True)
class WritePipeline:
    """The parts that a write passes: the queue of writes, the gate, the store, and the provenance recorder.

    `recorder` is None where no history is kept, `checks` is the queue of the processes that run the gate,
    `read_paper` reads the files of papers.
    """

    settings: Settings
    store: Store
    recorder: ProvenanceRecorder | None
    queue: WorkQueue
    checks: WorkQueue
    telemetry: Telemetry
    status: ServiceStatus
    read_paper: DocumentReader

    def count_written(self) -> None:
        """Count a write that was committed."""
        self.status.failed_write = None
        self.telemetry.metrics.writes.labels("written").inc()


async def run_exclusive_write(
    request: Request, writes: WritePipeline, function: Callable[..., Response], *args: Any
) -> Response:
    """Run the function on a thread while no other write runs. Raises Problem as `exclusive_write`."""
    async with exclusive_write(request, writes):
        return await run_sync(function, *args)


@asynccontextmanager
async def exclusive_write(request: Request, writes: WritePipeline) -> AsyncIterator[None]:
    """Hold the only slot of the queue of writes.

    Raises Problem 503 where the queue is full or the wait too long, 507 where the disk is full, 500 where it
    fails.
    """
    counter = writes.telemetry.metrics.writes
    has_started = False
    try:
        async with writes.queue.slot():
            has_started = True
            with span_if_traced(writes.telemetry.tracing, "write"):
                yield
    except Problem:
        counter.labels("refused" if has_started else "crowded").inc()
        raise
    except UnstorableError as error:
        counter.labels("refused").inc()
        raise Problem(403, f"{error} Nothing has changed.") from error
    except StoreError as error:
        counter.labels("full" if isinstance(error, DiskFullError) else "failed").inc()
        log.error("%s %s failed: %s", request.method, request.url.path, error)
        if isinstance(error, StoreUnavailableError):
            detail = f"{error} Read the current data before you write again."
            raise Problem(503, detail, headers={"Retry-After": "5"}) from error
        writes.status.failed_write = datetime.now(UTC).isoformat(timespec="seconds")
        if isinstance(error, StoreDeclinedError):
            detail = "The service that holds the data refused this write, and nothing has changed."
            raise Problem(500, f"{detail} Its log says why.", slug="disk") from error
        if isinstance(error, DiskFullError):
            raise Problem(
                507,
                f"The disk of this service is full. {READ_AGAIN_ADVICE} "
                f"Its operator frees space {RESTART_ADVICE}",
            ) from error
        detail = (
            f"The disk of this service failed. {READ_AGAIN_ADVICE} Its operator repairs it {RESTART_ADVICE}"
        )
        raise Problem(500, detail, slug="disk") from error


def commit_with_record(writes: WritePipeline, change: Change, write: WriteRequest) -> None:
    """Commit a change, with its provenance where a history is kept; an empty change is no write."""
    recorder = writes.recorder
    if change:
        writes.store.apply(recorder.add_record(change, write) if recorder else change, write.checked)
        if recorder:
            recorder.mark_durable()
        writes.count_written()


async def pass_gate(
    request: Request, writes: WritePipeline, graph: str, parts: list[BodyPart], existing: bytes
) -> GateDecision | Response:
    """The decision of the gate on the parts sent to the graph of a paper; a 422 with the report on refusal.

    `existing` is the content that stays in the graph, as N-Triples. Raises Problem.
    """
    accept = request.headers.getlist("accept")
    # Formats that are not offered are no reason to refuse a write.
    format_ = negotiate_format(accept, REFUSAL_FORMATS, default=PROBLEM_JSON)
    decision = await run_paper_gate(writes, graph, parts, existing, format_, current_language())
    if not decision.report:
        return decision
    writes.telemetry.metrics.writes.labels("nonconforming").inc()
    headers = NO_STORE_HEADERS | {
        "Vary": "Accept, Accept-Language",
        "Content-Language": current_language(),
    }
    return Response(decision.report, 422, headers, format_.content_type)


async def run_paper_gate(  # noqa: PLR0913, PLR0917 - the submission, and the form of the report
    writes: WritePipeline, graph: str, parts: list[BodyPart], existing: bytes, format_: Format, language: str
) -> GateDecision:
    """The decision of the gate on the parts sent to the graph of a paper. Raises Problem."""
    submission = PaperSubmission(
        graph, parts, existing, writes.read_paper, format_, language, writes.settings
    )
    telemetry = writes.telemetry
    with span_if_traced(telemetry.tracing, "check"), count_check_outcomes(telemetry.metrics) as outcomes:
        decision = await writes.checks.run(check_submission, submission)
        outcomes.append("violates" if decision.report else "conforms")
    return decision


def check_writable_graph(graph: str | None, base: str) -> None:
    """Raises Problem 403 for a computed graph, 400 for an IRI whose path has empty, `.` or `..` parts."""
    graph_prefix = f"{base}graph/"
    if graph is None or not graph.startswith(graph_prefix):
        return
    name = graph.removeprefix(graph_prefix)
    if name in COMPUTED_GRAPH_PURPOSES:
        raise computed_graph_problem(name)
    if not name or {".", ".."} & set(name.split("/")):
        raise Problem(400, f"The graph <{graph}> has no usable address. Use a name without . and .. parts.")


def drop_computed_graphs(change: Change, store: Store, base: str, targets: Collection[str]) -> Change:
    """The change without its removals from computed graphs, where it removes all of one, as CLEAR ALL does.

    Raises Problem 403 where it adds to such a graph, removes only a part of it, or names it (`targets`).
    """
    for name in COMPUTED_GRAPH_PURPOSES:
        graph = f"{base}graph/{name}"
        if graph in graphs_in_change(change) and graph in targets:
            raise computed_graph_problem(name)
        if graph in graphs_in_change(change):
            change = drop_cleared_graph(
                change, graph, set(store.triples(graph)), computed_graph_problem(name)
            )
    return change


def drop_cleared_graph(change: Change, graph: str, triples: set[ox.Triple], refusal: Problem) -> Change:
    """The change without its removals from a graph with these triples, if it removes all or none.

    Raises `refusal` where it removes a part of them, or adds to the graph.
    """
    removed = {quad.triple for quad in change.removed if is_quad_in_graph(quad, graph)}
    if (
        graph in change.created
        or any(is_quad_in_graph(quad, graph) for quad in change.added)
        or (removed and removed != triples)
    ):
        raise refusal
    return Change(
        tuple(quad for quad in change.removed if not is_quad_in_graph(quad, graph)),
        change.added,
        tuple(dropped_graph for dropped_graph in change.dropped if dropped_graph != graph),
        change.created,
    )


def is_quad_in_graph(quad: ox.Quad, graph: str) -> bool:
    """Whether the quad is in the named graph."""
    return isinstance(quad.graph_name, ox.NamedNode) and quad.graph_name.value == graph


def computed_graph_problem(name: str) -> Problem:
    """The 403 for a graph that the service computes itself."""
    return Problem(
        403,
        f"The service itself fills the graph {name} with {COMPUTED_GRAPH_PURPOSES[name]}. "
        "Write to another graph.",
    )
