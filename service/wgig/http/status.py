"""What a service knows of itself while it runs: it may be stopping, and its last write may have failed."""

from dataclasses import dataclass


@dataclass
class ServiceStatus:
    """The facts about a running service that change; `failed_write` is the time of a failed last write.

    It is empty where the disk, or the shared store, took the last write.
    """

    stopping: bool = False
    failed_write: str | None = None
