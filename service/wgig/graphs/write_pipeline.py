"""Write pipeline, for Graph Store Protocol, SPARQL Update and form: turn, gate, commit, refusals.

`exclusive_write` lets one write through at a time (503), and turns failures of the disk into 507 and 500.
`pass_gate` has a paper checked (422). `commit_with_record` makes the change with its record, on disk before
the answer. `check_writable_graph` and `drop_computed_graphs` keep clients from graphs that the service fills
itself (403): `COMPUTED_GRAPH_PURPOSES`.
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

READ_AGAIN_ADVICE = "This may or may not have been written, but never by halves: read it again."
RESTART_ADVICE = (
    "and starts it anew if it refuses to write even then; all that was written can be read meanwhile."
)

# Graphs below the base that the service fills itself, and what with.
COMPUTED_GRAPH_PURPOSES = {
    "catalog": "what it ships",
    "conformance": "how the papers stand by the template",
    "dcat": "what there is to get, and where",
    "history": "who wrote what, and when",
    "inferred": "what follows from the other graphs",
    "queries": "the example queries, and the prefixes for them",
    "void": "how much there is of what",
}

log = logging.getLogger("wgig")


@dataclass(frozen=True)
class WritePipeline:
    """What a write goes through: its queue, the gate, the store, and the record of it if history is kept.

    `read_paper` reads the files of papers, `checks` is the queue of the gate.
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
        """The store took a write."""
        self.status.failed_write = None
        self.telemetry.metrics.writes.labels("written").inc()


async def run_exclusive_write(
    request: Request, writes: WritePipeline, function: Callable[..., Response], *args: Any
) -> Response:
    """Let the function write while no other does. Raises Problem as `writing`."""
    async with exclusive_write(request, writes):
        return await run_sync(function, *args)


@asynccontextmanager
async def exclusive_write(request: Request, writes: WritePipeline) -> AsyncIterator[None]:
    """Around a write, while there is no other.

    Raises Problem 503 where its turn does not come, 507 where the disk is full, 500 where it fails.
    """
    counted = writes.telemetry.metrics.writes
    begun = False
    try:
        async with writes.queue.slot():
            begun = True
            with span_if_traced(writes.telemetry.tracing, "write"):
                yield
    except Problem:
        counted.labels("refused" if begun else "crowded").inc()
        raise
    except UnstorableError as error:
        counted.labels("refused").inc()
        raise Problem(403, f"{error} Nothing has changed.") from error
    except StoreError as error:
        counted.labels("full" if isinstance(error, DiskFullError) else "failed").inc()
        log.error("%s %s failed: %s", request.method, request.url.path, error)
        if isinstance(error, StoreUnavailableError):
            sentence = f"{error} Read what is there before you write again."
            raise Problem(503, sentence, headers={"Retry-After": "5"}) from error
        writes.status.failed_write = datetime.now(UTC).isoformat(timespec="seconds")
        if isinstance(error, StoreDeclinedError):
            sentence = "The service that holds the data refused this write, and nothing has changed."
            raise Problem(500, f"{sentence} Its log says why.", slug="disk") from error
        if isinstance(error, DiskFullError):
            raise Problem(
                507,
                f"The disk of this service is full. {READ_AGAIN_ADVICE} "
                f"Its operator makes room {RESTART_ADVICE}",
            ) from error
        failed = (
            f"The disk of this service failed. {READ_AGAIN_ADVICE} Its operator mends that {RESTART_ADVICE}"
        )
        raise Problem(500, failed, slug="disk") from error


def commit_with_record(writes: WritePipeline, change: Change, write: WriteRequest) -> None:
    """Make a change, with its record where a history is kept. What changes nothing is no write."""
    recorder = writes.recorder
    if change:
        writes.store.apply(recorder.add_record(change, write) if recorder else change, write.checked)
        if recorder:
            recorder.mark_durable()
        writes.count_written()


async def pass_gate(
    request: Request, writes: WritePipeline, graph: str, parts: list[BodyPart], there: bytes
) -> GateDecision | Response:
    """What is sent to the graph of a paper, or the answer that says why it may not stand there.

    `there` is what the graph holds beside it. Raises Problem.
    """
    accept = request.headers.getlist("accept")
    format_ = negotiate_format(accept, REFUSAL_FORMATS, default=PROBLEM_JSON)  # no write is refused for them
    found = await run_paper_gate(writes, graph, parts, there, format_, current_language())
    if not found.report:
        return found
    writes.telemetry.metrics.writes.labels("nonconforming").inc()
    headers = NO_STORE_HEADERS | {
        "Vary": "Accept, Accept-Language",
        "Content-Language": current_language(),
    }
    return Response(found.report, 422, headers, format_.content_type)


async def run_paper_gate(  # noqa: PLR0913, PLR0917 - what is sent, and how the report on it is to be
    writes: WritePipeline, graph: str, parts: list[BodyPart], there: bytes, format_: Format, language: str
) -> GateDecision:
    """What the gate says of what is sent to the graph of a paper. Raises Problem."""
    submitted = PaperSubmission(graph, parts, there, writes.read_paper, format_, language, writes.settings)
    telemetry = writes.telemetry
    with span_if_traced(telemetry.tracing, "check"), count_check_outcomes(telemetry.metrics) as outcomes:
        found = await writes.checks.run(check_submission, submitted)
        outcomes.append("violates" if found.report else "conforms")
    return found


def check_writable_graph(graph: str | None, base: str) -> None:
    """Raises Problem 403 for a graph that is computed, 400 for one whose address would lead elsewhere."""
    home = f"{base}graph/"
    if graph is None or not graph.startswith(home):
        return
    name = graph.removeprefix(home)
    if name in COMPUTED_GRAPH_PURPOSES:
        raise computed_graph_problem(name)
    if not name or {".", ".."} & set(name.split("/")):
        raise Problem(400, f"No address leads to the graph <{graph}>. Give it a name without . and .. parts.")


def drop_computed_graphs(change: Change, store: Store, base: str, meant: Collection[str]) -> Change:
    """The change without what it takes from graphs that are computed, where it takes all, as CLEAR ALL does.

    Raises Problem 403 where it adds to such a graph or takes a part of it, or is `meant` for it by name.
    """
    for name in COMPUTED_GRAPH_PURPOSES:
        graph = f"{base}graph/{name}"
        if graph in graphs_in_change(change) and graph in meant:
            raise computed_graph_problem(name)
        if graph in graphs_in_change(change):
            change = drop_cleared_graph(
                change, graph, set(store.triples(graph)), computed_graph_problem(name)
            )
    return change


def drop_cleared_graph(change: Change, graph: str, held: set[ox.Triple], refused: Problem) -> Change:
    """The change without what it does to a graph, which holds these triples: nothing, or taking them all.

    Raises the Problem where it does anything else.
    """
    gone = {one.triple for one in change.removed if is_quad_in_graph(one, graph)}
    if (
        graph in change.created
        or any(is_quad_in_graph(one, graph) for one in change.added)
        or (gone and gone != held)
    ):
        raise refused
    return Change(
        tuple(one for one in change.removed if not is_quad_in_graph(one, graph)),
        change.added,
        tuple(one for one in change.dropped if one != graph),
        change.created,
    )


def is_quad_in_graph(quad: ox.Quad, graph: str) -> bool:
    """Whether the quad is in the named graph."""
    return isinstance(quad.graph_name, ox.NamedNode) and quad.graph_name.value == graph


def computed_graph_problem(name: str) -> Problem:
    """The 403 for a graph that the service fills itself."""
    return Problem(
        403,
        f"The service itself fills the graph {name} with {COMPUTED_GRAPH_PURPOSES[name]}. "
        "Write to another graph.",
    )
