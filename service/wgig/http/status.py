"""The state of a running service: whether it stops, whether its last write failed or a file is damaged."""

from dataclasses import dataclass

DAMAGED_STORE_DETAIL = (
    "A file of the store is damaged, and no writes are accepted. The operator of this service "
    "must restore a backup; the log names the file."
)


@dataclass
class ServiceStatus:
    """The state of a running service.

    `stopping`: it received the stop signal. `failed_write_time`: if the last write failed, its time in UTC
    (ISO 8601), else None. `is_damaged`: a file of the store is damaged, and no writes are accepted until a
    restart.
    """

    stopping: bool = False
    failed_write_time: str | None = None
    is_damaged: bool = False

    def report_damage(self) -> None:
        """Report that a file of the store is damaged."""
        self.is_damaged = True
