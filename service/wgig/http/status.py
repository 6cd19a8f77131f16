"""The state of a running service: whether it stops, whether its last write failed or a file is damaged."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

DAMAGED_STORE_DETAIL = (
    "A file of the store is damaged, and no writes are accepted. The operator of this service "
    "must restore a backup; the log names the file."
)


class RulesStatus(NamedTuple):
    """The state of the graph of what follows by the rules, and the reason if it is out of date.

    `current`, `pending` until they were evaluated after the last write, `large` if the graphs that they read
    are too large for that, `failed` if they failed. In the last two, the graph has the previous result.
    """

    state: Literal["current", "pending", "large", "failed"]
    detail: str = ""


@dataclass
class ServiceStatus:
    """The state of a running service.

    `stopping`: it received the stop signal. `failed_write_time`: if the last write failed, its time in UTC
    (ISO 8601), else None. `is_damaged`: a file of the store is damaged, and no writes are accepted until a
    restart. `rules`: whether the graph of what follows by the rules is in step; None without rules.
    """

    stopping: bool = False
    failed_write_time: str | None = None
    is_damaged: bool = False
    rules: RulesStatus | None = None

    def report_damage(self) -> None:
        """Report that a file of the store is damaged."""
        self.is_damaged = True
