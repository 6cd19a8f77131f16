"""The growth of the time of a query from the smallest data to the largest, with the same server."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..compare.peers import OURS, list_own_and_oxigraph
from ..measure.requests import RequestSeries, measure_in_turns
from .http import RunningPeers
from .queries import QUESTIONS_BY_NAME

QUESTION_NAMES = ("one resource", "three-way join, LIMIT 100")
MAX_TIME_RATIO = 1.5  # time with many papers, relative to that with few


@dataclass(frozen=True)
class Growth:
    """Medians of a query with few papers and with many, in seconds and in seconds of CPU."""

    question: str
    server: str
    few: int
    many: int
    seconds: tuple[float, float]
    cpu: tuple[float, float]

    @property
    def ratio(self) -> float:
        """The time with many papers, relative to that with few."""
        return self.seconds[1] / self.seconds[0]

    @property
    def ratio_cpu(self) -> float:
        """The CPU with many papers, relative to that with few."""
        return self.cpu[1] / self.cpu[0]

    @property
    def goal(self) -> float | None:
        """The maximum of `ratio`; None for servers other than ours."""
        return MAX_TIME_RATIO if self.server.startswith(OURS) else None


def compare_growth(
    scratch: Path, few: int, many: int, seconds: float, settings: Mapping[str, str]
) -> list[Growth]:
    """Each query with a different text each time, in turns between servers with few papers and with many."""
    peers = list_own_and_oxigraph(settings)
    growths = []
    with ExitStack() as stack:
        servers_by_size = {
            papers: stack.enter_context(RunningPeers(scratch, papers, peers)) for papers in (few, many)
        }
        for question in QUESTION_NAMES:
            series = {
                f"{peer.name} {papers}": RequestSeries(
                    servers[peer.name], partial(peer.request, QUESTIONS_BY_NAME[question], papers=papers)
                )
                for papers, servers in servers_by_size.items()
                for peer in peers
            }
            times = measure_in_turns(series, seconds)
            for peer in peers:
                small, large = (times[f"{peer.name} {papers}"].summarize() for papers in (few, many))
                pairs = (small["p50"], large["p50"]), (small["cpu"], large["cpu"])
                growths.append(Growth(question, peer.name, few, many, *pairs))
    return growths
