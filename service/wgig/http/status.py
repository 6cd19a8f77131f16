"""The state of a running service: whether it is stopping, and when its last write failed."""

from dataclasses import dataclass


@dataclass
class ServiceStatus:
    """The state of a running service.

    `stopping`: it received the stop signal. `failed_write_time`: if the last write failed, its time in UTC
    (ISO 8601), else None.
    """

    stopping: bool = False
    failed_write_time: str | None = None
