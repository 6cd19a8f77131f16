"""The events of the timeline: meetings, sessions, milestones, and papers counted per day.

At most 500 events are shown, and 100 days with papers; a request waits 2 seconds at most for the count of
papers.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import pyoxigraph as ox
from fastapi import Request

from ..http import language
from ..http.bodies import Pairs
from ..pages.rendering import Span, span, words
from ..sparql.service import tsv
from ..store.view import terms
from ..text import natural
from .counts import Cell, Cells
from .definitions import DELIVERED, DUE, ENDS, LISTS, STARTS, TIMELINESS
from .fields import LABEL, TYPE, Field, List
from .query import asked, selection
from .results import Found, found, nearest

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


MEETING, SESSION, MILESTONE, PAPERS = "meeting", "session", "milestone", "papers"
LATE = "late"
DAYS = re.compile(r"[0-9]{1,6}")


@dataclass(frozen=True)
class Event:
    """Something that happened: its kind, what it is called, and what is said of it, by field of the list.

    `at` is the date by which it is sorted, `until` the last one; both are empty where no day is known. Of
    papers that were posted on a day, `count` says how many they are.
    """

    kind: str
    name: ox.Literal
    at: str
    until: str
    said: Mapping[str, Sequence[Any]]
    iri: str = ""
    count: int = 0

    def text(self, field: str) -> str:
        """The value of a field as text, the first of several; empty where nothing is known."""
        return next((one.value for one in self.said.get(field, ())), "")

    def end(self, field: str) -> str:
        """The end of the IRI in a field."""
        return self.text(field).rpartition("/")[2]

    @property
    def is_late(self) -> bool:
        """Whether it is a milestone that came late."""
        return self.end("timeliness") == LATE

    @property
    def lateness(self) -> str:
        """By how many days it came late, in words; that it did, where their number is not known."""
        days = self.text("daysLate")
        if not DAYS.fullmatch(days):
            return language.gettext("late")
        number = int(days)
        late = language.ngettext("%(count)s day late", "%(count)s days late", number)
        return late % {"count": language.number(number)}

    @property
    def days(self) -> Span | None:
        """From its first day to its last one; None where they are not known."""
        first, last = span(self.at), span(self.until)
        if not first or not last:
            return None
        return Span(min(first.first, last.first), max(first.last, last.last))


@dataclass(frozen=True)
class Timeline:
    """All events in their order, and the best label of each thing that they name."""

    events: Sequence[Event]
    labels: Mapping[str, ox.Literal]
    total: int
    is_counted: bool

    @property
    def years(self) -> list[tuple[str, list[Event]]]:
        """The events by year; those without a known day come last, under no year."""
        dated = [one for one in self.events if one.days]
        without = [one for one in self.events if not one.days]
        found = [(year, [*those]) for year, those in groupby(dated, key=lambda one: one.at[:4])]
        return [*found, *([("", without)] if without else [])]

    @property
    def with_sessions(self) -> set[str]:
        """The meetings that have sessions here, which say who could attend."""
        return {one.value for event in self.events for one in event.said.get("partOf", ())}

    @property
    def late(self) -> list[Event]:
        """The milestones that came late."""
        return [one for one in self.events if one.is_late]

    @property
    def waited_for(self) -> list[Event]:
        """The milestones that were due, and of which nobody knows whether they came."""
        due = [one for one in self.events if one.kind == MILESTONE and one.text("due")]
        return [one for one in due if not one.text("delivered")]

    @property
    def main(self) -> "Timeline":
        """The meetings, what came late, and the papers alone."""
        chosen = [one for one in self.events if one.days and (one.kind in (MEETING, PAPERS) or one.is_late)]
        return Timeline(chosen, self.labels, len(chosen), self.is_counted)


def timeline(happened: Happened) -> Timeline:
    """The events in the order of their days."""
    labels = {iri: nearest(texts, language.ranges()) for iri, texts in happened.events.labels.items()}
    events = [event(iri, said) for iri, said in happened.events.things.items()]
    posted = [papers(day, count) for day, count in (happened.papers or {}).items()]
    shown = sorted([*events, *posted], key=lambda one: (one.at, one.kind, natural(one.name.value)))
    return Timeline(shown, labels, happened.events.total, happened.papers is not None)


def event(iri: str, said: Mapping[str, Sequence[Any]]) -> Event:
    """An event of what a list says of a thing."""
    classes = {one.value.rpartition("#")[2] for one in said.get("type", ())}
    kind = MILESTONE if "Milestone" in classes else SESSION if "Session" in classes else MEETING
    names = [one for one in said.get("label", ()) if isinstance(one, ox.Literal)]
    name = nearest(names, language.ranges()) if names else ox.Literal(words(iri))
    fields = ("due", "delivered") if kind == MILESTONE else ("schema:startDate", "schema:endDate")
    dates = [one.value for field in fields for one in said.get(field, ())]
    known = [one for one in dates if span(one)]
    return Event(kind, name, known[0] if known else "", known[-1] if known else "", said, iri)


def papers(day: str, count: int) -> Event:
    """The papers that were posted on a day."""
    text = language.ngettext("%(count)s paper posted", "%(count)s papers posted", count)
    name = ox.Literal(text % {"count": language.number(count)})
    return Event(PAPERS, name, day, day, {}, count=count)
