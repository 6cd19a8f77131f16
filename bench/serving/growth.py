"""How much longer a query takes on the largest data than on the smallest, with the same server."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..compare.peers import OURS, pair
from ..measure.requests import Asked, in_turns
from .http import Servers
from .queries import BY_NAME

ASKED = ("one thing", "three-way join, LIMIT 100")
GOAL = 1.5


@dataclass(frozen=True)
class Growth:
    """Medians of a question over few papers and over many, in seconds and in seconds of CPU."""

    question: str
    server: str
    few: int
    many: int
    seconds: tuple[float, float]
    cpu: tuple[float, float]

    @property
    def ratio(self) -> float:
        """How many times as long it takes."""
        return self.seconds[1] / self.seconds[0]

    @property
    def ratio_cpu(self) -> float:
        """How many times the CPU."""
        return self.cpu[1] / self.cpu[0]

    @property
    def goal(self) -> float | None:
        """The most that it may be."""
        return GOAL if self.server.startswith(OURS) else None


def compare(scratch: Path, few: int, many: int, seconds: float, settings: Mapping[str, str]) -> list[Growth]:
    """The servers over both, at once and in turns; each question is asked for the first time."""
    among = pair(settings)
    found = []
    with ExitStack() as stack:
        sizes = {papers: stack.enter_context(Servers(scratch, papers, among)) for papers in (few, many)}
        for question in ASKED:
            asked = {
                f"{peer.name} {papers}": Asked(
                    servers[peer.name], partial(peer.request, BY_NAME[question], papers=papers)
                )
                for papers, servers in sizes.items()
                for peer in among
            }
            times = in_turns(asked, seconds)
            for peer in among:
                less, more = (times[f"{peer.name} {papers}"].figures() for papers in (few, many))
                pairs = (less["p50"], more["p50"]), (less["cpu"], more["cpu"])
                found.append(Growth(question, peer.name, few, many, *pairs))
    return found
