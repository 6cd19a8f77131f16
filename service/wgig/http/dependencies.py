"""FastAPI dependencies for handlers of all packages.

They are async because FastAPI would run other functions on a thread, which takes longer.
"""

from typing import Annotated, NamedTuple

from fastapi import Depends, Request

from ..settings import Settings
from .access_log import Telemetry
from .auth import TokenStore
from .peers import PeerProcesses
from .work_queue import WorkQueue


async def get_settings(request: Request) -> Settings:
    """The current settings, which a reload replaces."""
    settings: Settings = request.app.state.service.settings
    return settings


async def get_tokens(request: Request) -> TokenStore:
    """The access tokens of the service."""
    tokens: TokenStore = request.app.state.service.tokens
    return tokens


class CheckQueues(NamedTuple):
    """The work queue for checks, and that for those by shapes of the sender, which hold a slot of both."""

    checks: WorkQueue
    shape_checks: WorkQueue


async def get_check_queues(request: Request) -> CheckQueues:
    """The work queues for checks."""
    queues = request.app.state.service.queues
    return CheckQueues(queues.checks, queues.shape_checks)


async def get_telemetry(request: Request) -> Telemetry:
    """The metrics, logs and traces of the service."""
    telemetry: Telemetry = request.app.state.service.telemetry
    return telemetry


async def get_peers(request: Request) -> PeerProcesses:
    """The other processes of the service."""
    peers: PeerProcesses = request.app.state.service.peers
    return peers


SettingsDep = Annotated[Settings, Depends(get_settings)]
TokensDep = Annotated[TokenStore, Depends(get_tokens)]
CheckQueuesDep = Annotated[CheckQueues, Depends(get_check_queues)]
TelemetryDep = Annotated[Telemetry, Depends(get_telemetry)]
PeersDep = Annotated[PeerProcesses, Depends(get_peers)]
