"""FastAPI dependencies of handlers that write, cite and dump graphs.

They are async because FastAPI would run other functions on a thread, which takes longer.
"""

from typing import Annotated

from fastapi import Depends, Request

from ..http.status import RulesStatus
from ..store.size import GraphSizes
from .dumps import StoreDumps
from .provenance import ProvenanceRecorder
from .write_pipeline import WritePipeline


async def get_writes(request: Request) -> WritePipeline:
    """The write pipeline of the service."""
    pipeline: WritePipeline = request.app.state.service.writes
    return pipeline


def find_rules_status(request: Request) -> RulesStatus | None:
    """The state of the graph of what follows by rules, outside handlers; None without rules."""
    status: RulesStatus | None = request.app.state.service.status.rules
    return status


async def get_recorder(request: Request) -> ProvenanceRecorder | None:
    """The recorder of provenance, or None if no history is kept."""
    recorder: ProvenanceRecorder | None = request.app.state.service.recorder
    return recorder


async def get_dumps(request: Request) -> StoreDumps:
    """The dumps of the store, as files."""
    dumps: StoreDumps = request.app.state.service.projections.dumps
    return dumps


async def get_graph_sizes(request: Request) -> GraphSizes:
    """The sizes of all named graphs."""
    sizes: GraphSizes = request.app.state.service.projections.graph_sizes
    return sizes


WritesDep = Annotated[WritePipeline, Depends(get_writes)]
RecorderDep = Annotated[ProvenanceRecorder | None, Depends(get_recorder)]
DumpsDep = Annotated[StoreDumps, Depends(get_dumps)]
GraphSizesDep = Annotated[GraphSizes, Depends(get_graph_sizes)]
