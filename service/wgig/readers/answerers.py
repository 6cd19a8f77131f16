"""Who answers queries."""

from typing import Protocol

from .lending import Standing
from .result import Result
from .wire import Job


class InLine(Protocol):
    """What knows which writes its answers see."""

    @property
    def version(self) -> int:
        """The number of the last write that they see."""

    async def in_line(self) -> None:
        """See all that was written by now, wherever. Raises UnavailableError where that cannot be known."""


class Answerers(InLine, Protocol):
    """Has queries answered, wherever that is."""

    @property
    def copying(self) -> bool:
        """Whether quads are being copied for it."""

    @property
    def standing(self) -> Standing:
        """How many queries are at work and how many more may be, and how many wait."""

    async def ask(self, job: Job, client: str) -> Result:
        """Begin to answer a query of a client. Raises Problem 503 where too many are at work."""
