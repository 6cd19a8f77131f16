"""Settings and tokens read again while the service runs: what can change does, the rest is named."""

import logging
from collections.abc import Callable
from dataclasses import fields, replace

from anyio.to_thread import run_sync
from fastapi import FastAPI

from . import logs
from .processes import Processes
from .readers.pool import Pool
from .settings import Settings
from .store import Store, StoreError
from .tokens import Tokens

log = logging.getLogger("wgig")


class Reloading:
    """Brings a running service in line with its settings and tokens as they are now."""

    def __init__(
        self, app: FastAPI, checks: Processes, pool: Pool | None, read: Callable[[], Settings]
    ) -> None:
        """Take what goes by settings, and what reads them. It raises ValueError or OSError."""
        self.app, self.checks, self.pool, self.read = app, checks, pool, read

    async def __call__(self) -> None:
        """Read all again; where that fails all stays as it is, and the log says why."""
        try:
            await self.take(self.read())
        except (ValueError, OSError) as error:
            log.error("the settings stay as they are: %s", error)
        await self.look_at_tokens()

    async def take(self, wanted: Settings) -> None:
        """Let those of the settings that can change be these."""
        now: Settings = self.app.state.settings
        other = [one for one in fields(Settings) if getattr(now, one.name) != getattr(wanted, one.name)]
        for one in other:
            if not one.metadata["live"]:
                log.warning("WGIG_%s is another now: start the service anew for it", one.name.upper())
        changed = {one.name: getattr(wanted, one.name) for one in other if one.metadata["live"]}
        if changed:
            await self.turn(replace(now, **changed))
        log.warning(
            "the settings were read again; changed: %s", ", ".join(map(str.upper, changed)) or "nothing"
        )

    async def turn(self, settings: Settings) -> None:
        """Go by these settings from now on. No answer from before is given again."""
        state = self.app.state
        state.settings = settings
        self.checks.seconds = settings.paper_seconds
        if self.pool:
            self.pool.settings = settings
        state.tokens.fix(settings.token)
        state.limits.follow(settings)
        state.logs.follow(settings)
        logs.begin(settings)
        store: Store = state.store
        await run_sync(store.touch)

    async def look_at_tokens(self) -> None:
        """Say what is wrong with the file of the tokens, which is read again when it changes."""
        tokens: Tokens = self.app.state.tokens
        try:
            await run_sync(tokens.all)
        except StoreError as error:
            log.error("the tokens cannot be read, and nobody can write: %s", error)
