"""What happened when: meetings, sessions and milestones as they are found, and the papers of each day."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import Request

from .bodies import Pairs
from .cells import Cells
from .lists.asked import asked
from .lists.found import Found, found
from .lists.selection import selection
from .lists.shown import DELIVERED, DUE, ENDS, LISTS, STARTS, TIMELINESS
from .lists.table import LABEL, TYPE, Field, List
from .lookup import terms
from .pages.days import span
from .query import tsv
from .sides import Cell

MOST = 500  # events that are shown
MOST_DAYS = 100  # with papers that are told apart
DAY, MONTH, YEAR = 10, 7, 4  # letters of a date
SOON = 2  # seconds that somebody waits for a count of papers

OF_MEETINGS, OF_MILESTONES = LISTS["meetings"].by_name, LISTS["milestones"].by_name
EVENTS = List(
    "timeline",
    "Timeline",
    "Meetings, sessions, and milestones due and delivered.",
    ("Meeting", "Session", "Milestone"),
    (
        TYPE,
        LABEL,
        STARTS,
        ENDS,
        *(OF_MEETINGS[name] for name in ("partOf", "plannedKind", "actualKind", "openTo", "place")),
        Field(
            "observersMaySpeak",
            "boolean",
            "Whether observers could speak.",
            path="wgig:actualKind/wgig:observersMaySpeak",
        ),
        OF_MEETINGS["remoteParticipation"],
        DUE,
        DELIVERED,
        TIMELINESS,
        *(OF_MILESTONES[name] for name in ("dueFrom", "daysLate", "deliveryBasis", "responsible")),
        Field("when", "date", "Its dates.", many=True, path="schema:startDate|wgig:due|wgig:delivered"),
    ),
    sort=("when", "label"),
    without="?id wgig:illustrative true",
    when=("when", "schema:endDate"),
)
# The meetings, and the milestones with what tells whether they were late.
MAIN = [
    *(("type", name) for name in ("Meeting", "Milestone")),
    ("fields", "label,schema:startDate,schema:endDate,due,delivered,timeliness,daysLate"),
]


@dataclass(frozen=True)
class Happened:
    """What happened: events as a list finds them, and how many papers were posted on each day.

    `papers` is None while that is being counted; a day is as the graph writes it.
    """

    events: Found
    papers: Mapping[str, int] | None


async def happened(request: Request, pairs: Pairs) -> Happened:
    """What happened: the events that the pairs ask for as of a list, and papers. Raises Problem."""
    base = request.app.state.settings.base
    what = asked(EVENTS, [*pairs, ("size", str(MOST))], base)
    events = found(await tsv(request, selection(what, base)))
    cells: Cells = request.app.state.cells["posted"]
    counts = await cells.soon(SOON)
    return Happened(events, None if counts is None else by_day(counts, what.year.value if what.year else ""))


def by_day(counts: Mapping[Cell, int], year: str) -> dict[str, int]:
    """How many papers were posted on each day of a year, without one on each day; what is no day is empty.

    Where there are many days, those of a month count together, or those of a year.
    """
    written = {cell[0]: count for cell, count in counts.items() if len(cell) == 1 and cell[0][:1] == '"'}
    texts = [(term.value, written[text]) for text, term in terms(written).items()]
    for letters in DAY, MONTH, YEAR:
        found = Counter[str]()
        for text, count in texts:
            if text.startswith(year):
                found[text[:letters] if span(text) else ""] += count
        if len(found) <= MOST_DAYS:
            break
    return dict(sorted(found.items()))
