"""The write pipeline of the Graph Store Protocol, SPARQL Update and the form: queue, gate, commit.

`exclusive_write` runs one write at a time (503 if the queue is full), and reports disk failures as 507 and
500. `pass_gate` checks a paper against the shapes (422 if it is refused). `commit_with_record` commits the
change with its provenance; it is durable on disk before the response. `check_writable_graph` and
`preserve_computed_graphs` refuse writes to graphs that the service computes itself, `COMPUTED_GRAPH_PURPOSES`
(403).
"""

import logging
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

import anyio
import pyoxigraph as ox
from fastapi import Request, Response

from ..http.access_log import Telemetry
from ..http.bodies import BodyPart
from ..http.language import current_language
from ..http.negotiation import negotiate_format
from ..http.responses import NO_STORE_HEADERS
from ..http.status import DAMAGED_STORE_DETAIL, ServiceStatus
from ..http.telemetry import count_check_outcomes, span_if_traced
from ..http.threads import run_in_write_thread
from ..http.work_queue import WorkQueue
from ..problems import Problem
from ..rdf.formats import PROBLEM_JSON, Format
from ..resources.representation import SUFFIXED_PATH_PATTERN
from ..settings import Settings
from ..shacl.documents import DocumentReader
from ..shacl.gate import REFUSAL_FORMATS, GateDecision, PaperSubmission, check_submission
from ..shacl.paper_scope import check_actor_statements
from ..store.change import Change
from ..store.change_log import NewCommit
from ..store.commit import CheckedQuads
from ..store.errors import (
    DamagedStoreError,
    DiskFullError,
    InferenceTooLargeError,
    OutcomeUnknownError,
    StoreDeclinedError,
    StoreError,
    StoreUnavailableError,
    UnstorableError,
)
from ..store.inference.inference import MAX_INFERENCE_STEPS, MAX_INFERRED_TRIPLES
from ..store.store import Store
from .provenance import ProvenanceRecorder, WriteRequest, graphs_in_change

READ_AGAIN_ADVICE = "This write was stored either completely or not at all. Read the data again."
NOTHING_STORED_NOTICE = "Nothing of this write was stored."
RESTART_ADVICE = "and restarts it if it still refuses to write. All data that was written can still be read."

INFERENCE_TOO_LARGE_DETAIL = (
    f"This write would add and remove more than {MAX_INFERRED_TRIPLES} inferred statements, or the inference "
    f"would take more than {MAX_INFERENCE_STEPS} steps, so nothing has changed. Send several smaller writes, "
    "or ask the operator of this service to run wgig load."
)

# Graphs below the base that the service computes itself, and their content.
COMPUTED_GRAPH_PURPOSES = {
    "catalog": "a description of the bundled data",
    "conformance": "the results of checking the papers",
    "dcat": "the catalog of its datasets and services",
    "history": "the provenance of all writes",
    "inferred": "statements inferred from the other graphs",
    "queries": "the example queries and their prefixes",
    "void": "statistics of the data",
}

RULES_GRAPH_PURPOSE = "what follows by the rules in WGIG_RULES"

log = logging.getLogger("wgig")


class PreparedWrite(NamedTuple):
    """The commit of a write (None: it changes nothing), and the response after it."""

    commit: NewCommit | None
    response: Response


@dataclass(eq=False)
class PendingWrite:
    """A write to one graph that waits to be committed.

    `prepare` is called under the write lock. It checks the conditions of the request and computes the change,
    or raises a Problem.
    """

    graph: str | None
    prepare: Callable[[], PreparedWrite]
    checked_quads: CheckedQuads = field(default_factory=dict)
    finished: anyio.Event = field(default_factory=anyio.Event)
    response: Response | None = None
    error: BaseException | None = None

    def get_response(self) -> Response:
        """The response, after the commit. Raises the error of the write."""
        if self.error:
            raise self.error
        assert self.response
        return self.response


@dataclass(frozen=True)
class WritePipeline:
    """The components that a write needs.

    `recorder` is None if no history is kept. `queue` is the queue of writes, `checks` that of the processes
    that run the gate. `read_paper` reads the files of papers. `waiting_writes` are to be committed together.
    """

    settings: Settings
    store: Store
    recorder: ProvenanceRecorder | None
    queue: WorkQueue
    gate: WorkQueue
    checks: WorkQueue
    telemetry: Telemetry
    status: ServiceStatus
    read_paper: DocumentReader
    waiting_writes: list[PendingWrite] = field(default_factory=list)

    def build_commit(self, change: Change, write: WriteRequest) -> NewCommit:
        """The commit of a change, with its provenance if a history is kept."""
        return self.recorder.build_commit(change, write) if self.recorder else NewCommit(change, write.origin)

    def commit(self, commits: Sequence[NewCommit], checked_quads: CheckedQuads) -> None:
        """Commit changes together. Raises StoreError."""
        if not commits:
            return
        self.store.commit(commits, checked_quads)
        if self.recorder:
            self.recorder.mark_durable()
        self.count_written(len(commits))

    def count_written(self, count: int = 1) -> None:
        """Count committed writes in the metrics, and clear the failure in the service status."""
        self.status.failed_write_time = None
        self.telemetry.metrics.writes.labels("written").inc(count)


async def run_exclusive_write(
    request: Request, pipeline: WritePipeline, function: Callable[..., Response], *args: Any
) -> Response:
    """Run the function on a thread while no other write runs. Raises Problem like `exclusive_write`."""
    async with exclusive_write(request, pipeline):
        return await run_in_write_thread(function, *args)


@asynccontextmanager
async def exclusive_write(request: Request, pipeline: WritePipeline) -> AsyncIterator[None]:
    """Hold the only slot of the queue of writes.

    Raises Problem 503 if the queue is full or the wait is too long, 413 if the inference is too large, 507 if
    the disk is full, 500 if it fails.
    """
    counter = pipeline.telemetry.metrics.writes
    has_started = False
    try:
        async with pipeline.queue.slot():
            has_started = True
            if pipeline.status.is_damaged:
                raise Problem(503, DAMAGED_STORE_DETAIL)
            with span_if_traced(pipeline.telemetry.tracing, "write"):
                yield
    except Problem:
        counter.labels("refused" if has_started else "crowded").inc()
        raise
    except InferenceTooLargeError as error:
        counter.labels("refused").inc()
        raise Problem(413, INFERENCE_TOO_LARGE_DETAIL) from error
    except UnstorableError as error:
        counter.labels("refused").inc()
        raise Problem(403, f"{error} Nothing has changed.") from error
    except OutcomeUnknownError as error:
        counter.labels("failed").inc()
        log.critical("%s %s: %s", request.method, request.url.path, error)
        pipeline.status.failed_write_time = datetime.now(UTC).isoformat(timespec="seconds")
        detail = f"Outcome unknown, version {error.version}: {error} Read the data before you write again."
        raise Problem(503, detail, version=error.version) from error
    except StoreError as error:
        counter.labels("full" if isinstance(error, DiskFullError) else "failed").inc()
        log.error("%s %s failed: %s", request.method, request.url.path, error)
        if isinstance(error, StoreUnavailableError):
            detail = f"{error} Read the current data before you write again."
            raise Problem(503, detail, headers={"Retry-After": "5"}) from error
        pipeline.status.failed_write_time = datetime.now(UTC).isoformat(timespec="seconds")
        if isinstance(error, DamagedStoreError):
            pipeline.status.report_damage()
        if isinstance(error, StoreDeclinedError):
            detail = "The remote store that holds the data refused this write, and nothing has changed."
            raise Problem(500, f"{detail} Its log gives the reason.", slug="disk") from error
        if isinstance(error, DiskFullError):
            raise Problem(
                507,
                "The disk of this service is full. "
                f"{READ_AGAIN_ADVICE if pipeline.settings.remote_query else NOTHING_STORED_NOTICE} "
                f"Its operator frees space {RESTART_ADVICE}",
            ) from error
        detail = (
            f"The disk of this service failed. {READ_AGAIN_ADVICE} Its operator repairs it {RESTART_ADVICE}"
        )
        raise Problem(500, detail, slug="disk") from error


def commit_with_record(pipeline: WritePipeline, change: Change, write: WriteRequest) -> None:
    """Commit a change, with its provenance if a history is kept; an empty change is ignored."""
    if change:
        pipeline.commit([pipeline.build_commit(change, write)], write.checked_quads)


async def pass_gate(
    request: Request, pipeline: WritePipeline, graph: str, parts: list[BodyPart], existing: bytes
) -> GateDecision | Response:
    """The decision of the gate on a write to the graph of a paper, or a 422 with the report on refusal.

    `parts` are the files sent, `existing` is the content that remains in the graph, as N-Triples. Raises
    Problem.
    """
    accept = request.headers.getlist("accept")
    # A write is not refused because the format for its report is unavailable.
    format_ = negotiate_format(accept, REFUSAL_FORMATS, default=PROBLEM_JSON)
    decision = await run_paper_gate(pipeline, graph, parts, existing, format_, current_language())
    if not decision.report:
        return decision
    pipeline.telemetry.metrics.writes.labels("nonconforming").inc()
    headers = NO_STORE_HEADERS | {
        "Vary": "Accept, Accept-Language, Cookie",
        "Content-Language": current_language(),
    }
    return Response(decision.report, 422, headers, format_.content_type)


async def run_paper_gate(  # noqa: PLR0913, PLR0917 - the submission, format and language of the report
    pipeline: WritePipeline,
    graph: str,
    parts: list[BodyPart],
    existing: bytes,
    format_: Format,
    language: str,
) -> GateDecision:
    """The decision of the gate on a write to the graph of a paper, with a report in `format_` on refusal.

    Raises Problem.
    """
    submission = PaperSubmission(
        graph, parts, existing, pipeline.read_paper, format_, language, pipeline.settings
    )
    if SUFFIXED_PATH_PATTERN.fullmatch(submission.name):
        raise Problem(
            422,
            f"{submission.name!r} is not a paper name, because it ends like a format. Use another name.",
        )
    telemetry = pipeline.telemetry
    with span_if_traced(telemetry.tracing, "check"), count_check_outcomes(telemetry.metrics) as outcomes:
        async with pipeline.gate.slot():
            decision = await pipeline.checks.run(check_submission, submission)
        outcomes.append("violates" if decision.report else "conforms")
    if decision.actor_statements:
        own_graphs = frozenset((graph, *list_computed_graphs(pipeline.settings)))
        await run_in_write_thread(
            check_actor_statements,
            pipeline.store,
            decision.actor_statements,
            submission.paper.value,
            own_graphs,
        )
    return decision


def list_computed_graphs(settings: Settings) -> dict[str, str]:
    """The content of the graphs that the service computes itself, by IRI."""
    graphs = {f"{settings.base}graph/{name}": purpose for name, purpose in COMPUTED_GRAPH_PURPOSES.items()}
    return graphs | ({settings.rules_graph_iri: RULES_GRAPH_PURPOSE} if settings.rules else {})


def check_writable_graph(graph: str | None, settings: Settings) -> None:
    """Raise Problem 403 for a computed graph, 400 for a name that is empty or has a part `.` or `..`."""
    graph_prefix = f"{settings.base}graph/"
    if graph in list_computed_graphs(settings):
        raise computed_graph_problem(graph, settings)
    if graph is None or not graph.startswith(graph_prefix):
        return
    name = graph.removeprefix(graph_prefix)
    if not name or {".", ".."} & set(name.split("/")):
        raise Problem(
            400, f"The graph <{graph}> has no usable address. Use a name without the path segments . and ..."
        )


def preserve_computed_graphs(
    change: Change, store: Store, settings: Settings, targets: Collection[str]
) -> Change:
    """The change, except that computed graphs which it clears as a whole, such as by CLEAR ALL, remain.

    Raises Problem 403 if the change adds to such a graph or removes only a part of it, or if the update names
    the graph (`targets`).
    """
    for graph in list_computed_graphs(settings):
        if graph in graphs_in_change(change) and graph in targets:
            raise computed_graph_problem(graph, settings)
        if graph in graphs_in_change(change):
            change = preserve_cleared_graph(
                change, graph, set(store.triples(graph)), computed_graph_problem(graph, settings)
            )
    return change


def preserve_cleared_graph(change: Change, graph: str, triples: set[ox.Triple], refusal: Problem) -> Change:
    """The change without its removals from a graph, whose content is `triples`.

    Raises `refusal` if the change adds to the graph, or removes a part of it.
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


def computed_graph_problem(graph: str, settings: Settings) -> Problem:
    """The 403 for a graph that the service computes itself."""
    name, purpose = graph.removeprefix(f"{settings.base}graph/"), list_computed_graphs(settings)[graph]
    return Problem(
        403,
        f"The service itself fills the graph {name} with {purpose}. Write to another graph.",
    )
