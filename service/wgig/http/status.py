"""The state of a running service: whether it is stopping, and whether its last write failed."""

from dataclasses import dataclass


@dataclass
class ServiceStatus:
    """The state of a running service.

    `stopping`: it received the stop signal; `failed_write`: the time of the last write if it failed, else
    None.
    """

    stopping: bool = False
    failed_write: str | None = None
