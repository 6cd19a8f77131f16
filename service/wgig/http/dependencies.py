"""What handlers of any package depend on, whatever they answer. Why each is `async`: `pages.dependencies`."""

from typing import Annotated

from fastapi import Depends, Request

from ..settings import Settings
from .access_log import Telemetry
from .auth import TokenStore
from .work_queue import WorkQueue


async def get_settings(request: Request) -> Settings:
    """The settings as they are now: a reload replaces them."""
    settings: Settings = request.app.state.service.settings
    return settings


async def get_tokens(request: Request) -> TokenStore:
    """The tokens that open writing."""
    tokens: TokenStore = request.app.state.service.tokens
    return tokens


async def get_checks(request: Request) -> WorkQueue:
    """The queue for work on what strangers send."""
    checks: WorkQueue = request.app.state.service.queues.checks
    return checks


async def get_telemetry(request: Request) -> Telemetry:
    """Where metrics, logs and traces go."""
    telemetry: Telemetry = request.app.state.service.telemetry
    return telemetry


SettingsDep = Annotated[Settings, Depends(get_settings)]
TokensDep = Annotated[TokenStore, Depends(get_tokens)]
ChecksDep = Annotated[WorkQueue, Depends(get_checks)]
TelemetryDep = Annotated[Telemetry, Depends(get_telemetry)]
