"""FastAPI dependencies for handlers of all packages.

They are async because FastAPI would run other functions on a thread, which takes longer.
"""

from typing import Annotated

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


async def get_checks(request: Request) -> WorkQueue:
    """The work queue for checks of untrusted papers."""
    checks: WorkQueue = request.app.state.service.queues.checks
    return checks


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
ChecksDep = Annotated[WorkQueue, Depends(get_checks)]
TelemetryDep = Annotated[Telemetry, Depends(get_telemetry)]
PeersDep = Annotated[PeerProcesses, Depends(get_peers)]
