"""The other processes of a service, which speak HTTP for the process that writes."""

from typing import Any, Protocol


class PeerProcesses(Protocol):
    """The other processes of a service."""

    async def call_all(self, name: str, *arguments: Any) -> list[Any]:
        """The results of a call to all other processes; without those that do not answer."""


class NoPeerProcesses:
    """The PeerProcesses of a service of one process."""

    async def call_all(self, name: str, *arguments: Any) -> list[Any]:  # noqa: ARG002  the protocol
        """No results."""
        return []
