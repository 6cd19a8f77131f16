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
from ..pages.rendering import DateSpan, parse_date_span
from ..rdf.labels import best_text, words_of_iri
from ..sparql.service import QueryService, select_own_tsv
from ..store.view import parse_tsv_terms
from ..text import natural_sort_key
from .counts import CellKey
from .definitions import (
    DELIVERED_FIELD,
    DUE_FIELD,
    END_DATE_FIELD,
    LIST_DEFINITIONS,
    START_DATE_FIELD,
    TIMELINESS_FIELD,
)
from .dependencies import Counts
from .fields import LABEL_FIELD, TYPE_FIELD, ListDefinition, ListField
from .query import build_list_query, parse_list_request
from .results import ListPage, parse_list_page

MAX_TIMELINE_EVENTS = 500  # events that are shown
MAX_PAPER_DAYS = 100  # with papers that are told apart
DAY_LETTERS, MONTH_LETTERS, YEAR_LETTERS = 10, 7, 4  # letters of a date
TIMELINE_COUNT_WAIT_SECONDS = 2  # seconds that somebody waits for a count of papers

MEETING_FIELDS, MILESTONE_FIELDS = (
    LIST_DEFINITIONS["meetings"].by_name,
    LIST_DEFINITIONS["milestones"].by_name,
)
EVENT_LIST = ListDefinition(
    "timeline",
    "Timeline",
    "Meetings, sessions, and milestones due and delivered.",
    ("Meeting", "Session", "Milestone"),
    (
        TYPE_FIELD,
        LABEL_FIELD,
        START_DATE_FIELD,
        END_DATE_FIELD,
        *(MEETING_FIELDS[name] for name in ("partOf", "plannedKind", "actualKind", "openTo", "place")),
        ListField(
            "observersMaySpeak",
            "boolean",
            "Whether observers could speak.",
            path="wgig:actualKind/wgig:observersMaySpeak",
        ),
        MEETING_FIELDS["remoteParticipation"],
        DUE_FIELD,
        DELIVERED_FIELD,
        TIMELINESS_FIELD,
        *(MILESTONE_FIELDS[name] for name in ("dueFrom", "daysLate", "deliveryBasis", "responsible")),
        ListField("when", "date", "Its dates.", many=True, path="schema:startDate|wgig:due|wgig:delivered"),
    ),
    sort=("when", "label"),
    excluded_pattern="?id wgig:illustrative true",
    date_fields=("when", "schema:endDate"),
)
# The meetings, and the milestones with what tells whether they were late.
MAIN_EVENT_PARAMETERS = [
    *(("type", name) for name in ("Meeting", "Milestone")),
    ("fields", "label,schema:startDate,schema:endDate,due,delivered,timeliness,daysLate"),
]


@dataclass(frozen=True)
class TimelineData:
    """What happened: events as a list finds them, and how many papers were posted on each day.

    `papers` is None while that is being counted; a day is as the graph writes it.
    """

    events: ListPage
    papers: Mapping[str, int] | None


async def read_timeline_data(
    request: Request, queries: QueryService, counts: Counts, pairs: Pairs
) -> TimelineData:
    """What happened: the events that the pairs ask for as of a list, and papers. Raises Problem."""
    base = queries.settings.base
    what = parse_list_request(EVENT_LIST, [*pairs, ("size", str(MAX_TIMELINE_EVENTS))], base)
    events = parse_list_page(await select_own_tsv(request, queries, build_list_query(what, base)))
    posted = await counts["posted"].get_counts_within(TIMELINE_COUNT_WAIT_SECONDS)
    return TimelineData(
        events, None if posted is None else count_papers_by_day(posted, what.year.value if what.year else "")
    )


def count_papers_by_day(counts: Mapping[CellKey, int], year: str) -> dict[str, int]:
    """How many papers were posted on each day of a year, without one on each day; what is no day is empty.

    Where there are many days, those of a month count together, or those of a year.
    """
    written = {cell[0]: count for cell, count in counts.items() if len(cell) == 1 and cell[0][:1] == '"'}
    texts = [(term.value, written[text]) for text, term in parse_tsv_terms(written).items()]
    for letters in DAY_LETTERS, MONTH_LETTERS, YEAR_LETTERS:
        found = Counter[str]()
        for text, count in texts:
            if text.startswith(year):
                found[text[:letters] if parse_date_span(text) else ""] += count
        if len(found) <= MAX_PAPER_DAYS:
            break
    return dict(sorted(found.items()))


MEETING_KIND, SESSION_KIND, MILESTONE_KIND, PAPERS_KIND = "meeting", "session", "milestone", "papers"
LATE_TIMELINESS = "late"
DAY_COUNT_PATTERN = re.compile(r"[0-9]{1,6}")


@dataclass(frozen=True)
class TimelineEvent:
    """Something that happened: its kind, what it is called, and what is said of it, by field of the list.

    `at` is the date by which it is sorted, `until` the last one; both are empty where no day is known. Of
    papers that were posted on a day, `count` says how many they are.
    """

    kind: str
    name: ox.Literal
    at: str
    until: str
    terms: Mapping[str, Sequence[Any]]
    iri: str = ""
    count: int = 0

    def text(self, field: str) -> str:
        """The value of a field as text, the first of several; empty where nothing is known."""
        return next((one.value for one in self.terms.get(field, ())), "")

    def local_name(self, field: str) -> str:
        """The end of the IRI in a field."""
        return self.text(field).rpartition("/")[2]

    @property
    def is_late(self) -> bool:
        """Whether it is a milestone that came late."""
        return self.local_name("timeliness") == LATE_TIMELINESS

    @property
    def lateness(self) -> str:
        """By how many days it came late, in words; that it did, where their number is not known."""
        days = self.text("daysLate")
        if not DAY_COUNT_PATTERN.fullmatch(days):
            return language.gettext("late")
        number = int(days)
        late = language.ngettext("%(count)s day late", "%(count)s days late", number)
        return late % {"count": language.format_number(number)}

    @property
    def days(self) -> DateSpan | None:
        """From its first day to its last one; None where they are not known."""
        first, last = parse_date_span(self.at), parse_date_span(self.until)
        if not first or not last:
            return None
        return DateSpan(min(first.first, last.first), max(first.last, last.last))


@dataclass(frozen=True)
class Timeline:
    """All events in their order, and the best label of each thing that they name."""

    events: Sequence[TimelineEvent]
    labels: Mapping[str, ox.Literal]
    total: int
    is_counted: bool

    @property
    def years(self) -> list[tuple[str, list[TimelineEvent]]]:
        """The events by year; those without a known day come last, under no year."""
        dated = [one for one in self.events if one.days]
        without = [one for one in self.events if not one.days]
        found = [(year, [*those]) for year, those in groupby(dated, key=lambda one: one.at[:4])]
        return [*found, *([("", without)] if without else [])]

    @property
    def with_sessions(self) -> set[str]:
        """The meetings that have sessions here, which say who could attend."""
        return {one.value for event in self.events for one in event.terms.get("partOf", ())}

    @property
    def late(self) -> list[TimelineEvent]:
        """The milestones that came late."""
        return [one for one in self.events if one.is_late]

    @property
    def undelivered(self) -> list[TimelineEvent]:
        """The milestones that were due, and of which nobody knows whether they came."""
        due = [one for one in self.events if one.kind == MILESTONE_KIND and one.text("due")]
        return [one for one in due if not one.text("delivered")]

    @property
    def main(self) -> "Timeline":
        """The meetings, what came late, and the papers alone."""
        chosen = [
            one
            for one in self.events
            if one.days and (one.kind in (MEETING_KIND, PAPERS_KIND) or one.is_late)
        ]
        return Timeline(chosen, self.labels, len(chosen), self.is_counted)


def build_timeline(happened: TimelineData) -> Timeline:
    """The events in the order of their days."""
    labels = {
        iri: best_text(texts, language.label_languages()) for iri, texts in happened.events.labels.items()
    }
    events = [build_timeline_event(iri, said) for iri, said in happened.events.things.items()]
    posted = [build_papers_event(day, count) for day, count in (happened.papers or {}).items()]
    shown = sorted([*events, *posted], key=lambda one: (one.at, one.kind, natural_sort_key(one.name.value)))
    return Timeline(shown, labels, happened.events.total, happened.papers is not None)


def build_timeline_event(iri: str, said: Mapping[str, Sequence[Any]]) -> TimelineEvent:
    """An event of what a list says of a thing."""
    classes = {one.value.rpartition("#")[2] for one in said.get("type", ())}
    kind = (
        MILESTONE_KIND if "Milestone" in classes else SESSION_KIND if "Session" in classes else MEETING_KIND
    )
    name = best_text(said.get("label", ()), language.label_languages(), words_of_iri(iri))
    fields = ("due", "delivered") if kind == MILESTONE_KIND else ("schema:startDate", "schema:endDate")
    dates = [one.value for field in fields for one in said.get(field, ())]
    known = [one for one in dates if parse_date_span(one)]
    return TimelineEvent(kind, name, known[0] if known else "", known[-1] if known else "", said, iri)


def build_papers_event(day: str, count: int) -> TimelineEvent:
    """The papers that were posted on a day."""
    text = language.ngettext("%(count)s paper posted", "%(count)s papers posted", count)
    name = ox.Literal(text % {"count": language.format_number(count)})
    return TimelineEvent(PAPERS_KIND, name, day, day, {}, count=count)
