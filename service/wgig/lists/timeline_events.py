"""The events of the timeline: meetings, sessions, milestones, and papers counted per day.

At most 500 events and 100 days with papers are shown; a request waits at most 2 seconds for the counts of
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
from ..sparql.service import QueryService, select_internal_rows, select_internal_tsv
from ..store.view import parse_tsv_terms
from ..text import natural_sort_key
from .counts import CellKey
from .definitions import (
    DELIVERED_FIELD,
    DUE_FIELD,
    END_DATE_FIELD,
    LIST_DEFINITIONS,
    SOURCE_FIELD,
    START_DATE_FIELD,
    TIMELINESS_FIELD,
)
from .dependencies import Counts
from .facets import MONTH_LETTERS, YEAR_LETTERS
from .fields import ILLUSTRATIVE_PATTERN, LABEL_FIELD, TYPE_FIELD, ListDefinition, ListField
from .query import add_query_prefixes, build_list_query, build_member_pattern, parse_list_request
from .results import ListPage, parse_list_page

MAX_TIMELINE_EVENTS = 500
MAX_PAPER_DAYS = 100  # with more, papers are counted by month or by year
DAY_LETTERS = 10  # length of a day such as 2005-01-20
TIMELINE_COUNT_WAIT_SECONDS = 2  # time that a request waits for the counts of papers

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
        *(MILESTONE_FIELDS[name] for name in ("dcterms:type", "dueFrom", "daysLate", "deliveryBasis")),
        SOURCE_FIELD,
        ListField("when", "date", "Its dates.", many=True, path="schema:startDate|wgig:due|wgig:delivered"),
    ),
    sort=("when", "label"),
    excluded_pattern=ILLUSTRATIVE_PATTERN,
    date_fields=("when", "schema:endDate"),
)
# The list parameters for meetings and milestones, with the fields for their dates and lateness.
MAIN_EVENT_PARAMETERS = [
    *(("type", name) for name in ("Meeting", "Milestone")),
    ("fields", "label,schema:startDate,schema:endDate,due,delivered,timeliness,daysLate"),
]


YEARS_QUERY = f"""SELECT DISTINCT ?year WHERE {{
  {build_member_pattern(EVENT_LIST)} ?id {EVENT_LIST.by_name["when"].path} ?day .
  BIND (SUBSTR(STR(?day), 1, {YEAR_LETTERS}) AS ?year)
}} ORDER BY ?year LIMIT {MAX_TIMELINE_EVENTS}"""


@dataclass(frozen=True)
class TimelineData:
    """The events as a page of a list, and the number of papers that were posted on each day.

    The days are strings, as in the store. `papers_by_day` is None while papers are being counted.
    """

    events: ListPage
    papers_by_day: Mapping[str, int] | None


async def read_timeline_data(
    request: Request, queries: QueryService, counts: Counts, pairs: Pairs
) -> TimelineData:
    """The events that match the list parameters `pairs`, and the papers by day.

    Raises Problem 400 for an invalid parameter, and the Problems of `select_internal_tsv`.
    """
    base = queries.settings.base
    list_request = parse_list_request(EVENT_LIST, [*pairs, ("size", str(MAX_TIMELINE_EVENTS))], base)
    events = parse_list_page(
        await select_internal_tsv(request, queries, build_list_query(list_request, base))
    )
    counts_by_day = await counts["posted"].get_counts_within(TIMELINE_COUNT_WAIT_SECONDS)
    return TimelineData(
        events,
        None
        if counts_by_day is None
        else count_papers_by_day(counts_by_day, list_request.year.value if list_request.year else ""),
    )


async def read_event_years(request: Request, queries: QueryService) -> list[str]:
    """The years in which events began, or were due or delivered, without those of papers."""
    query = add_query_prefixes(YEARS_QUERY, queries.settings.base)
    rows = await select_internal_rows(request, queries, query)
    return [year.value for (year,) in rows if parse_date_span(year.value)]


def count_papers_by_day(counts: Mapping[CellKey, int], year: str) -> dict[str, int]:
    """The number of papers posted on each day of a year, or of all years if `year` is empty.

    Values that are not dates are counted under the empty string. If there are more than MAX_PAPER_DAYS days,
    papers are counted by month, and if there are more months than that, by year.
    """
    # Of the cells, only those of a day without criterion; the day is a literal in SPARQL syntax.
    counts_by_term = {
        cell[0]: count for cell, count in counts.items() if len(cell) == 1 and cell[0][:1] == '"'
    }
    counts_by_text = [
        (term.value, counts_by_term[text]) for text, term in parse_tsv_terms(counts_by_term).items()
    ]
    for letters in DAY_LETTERS, MONTH_LETTERS, YEAR_LETTERS:
        counts_by_prefix = Counter[str]()
        for text, count in counts_by_text:
            if text.startswith(year):
                counts_by_prefix[text[:letters] if parse_date_span(text) else ""] += count
        if len(counts_by_prefix) <= MAX_PAPER_DAYS:
            break
    return dict(sorted(counts_by_prefix.items()))


MEETING_KIND, SESSION_KIND, MILESTONE_KIND, PAPERS_KIND = "meeting", "session", "milestone", "papers"
LATE_TIMELINESS = "late"
EVENT_MILESTONE, DEADLINE_MILESTONE = "event", "deadline"  # kinds of milestones; others are deliverables
LATEST_DAY_BASIS_PREFIX = "at the latest"  # of the basis of a date that is the latest possible one
DAY_COUNT_PATTERN = re.compile(r"[0-9]{1,6}")


@dataclass(frozen=True)
class TimelineEvent:
    """An event: its kind, its name, and its terms by field of the list.

    `at` is its first date, by which it is sorted, `until` its last date; both are empty if no date is known.
    For papers posted on a day, `count` is their number.
    """

    kind: str
    name: ox.Literal
    at: str
    until: str
    terms: Mapping[str, Sequence[Any]]
    iri: str = ""
    count: int = 0

    def text(self, field: str) -> str:
        """The first value of a field as text; empty if there is none."""
        return next((term.value for term in self.terms.get(field, ())), "")

    def local_name(self, field: str) -> str:
        """The part of the IRI in a field after its last slash."""
        return self.text(field).rpartition("/")[2]

    @property
    def is_late(self) -> bool:
        """Whether it is a milestone that was delivered late."""
        return self.local_name("timeliness") == LATE_TIMELINESS

    @property
    def milestone_kind(self) -> str:
        """The kind of a milestone: `event`, `deadline` or `deliverable`; empty if unknown."""
        return self.local_name("dcterms:type")

    @property
    def is_due(self) -> bool:
        """Whether it is a milestone that was to be delivered, without a known delivery."""
        kinds_without_delivery = (EVENT_MILESTONE, DEADLINE_MILESTONE)
        is_deliverable = self.kind == MILESTONE_KIND and self.milestone_kind not in kinds_without_delivery
        return is_deliverable and not self.text("delivered")

    @property
    def is_by_latest_day(self) -> bool:
        """Whether its date of delivery is only the latest possible one."""
        return self.text("deliveryBasis").startswith(LATEST_DAY_BASIS_PREFIX)

    @property
    def lateness(self) -> str:
        """A phrase such as "3 days late", or "late" if the number of days is unknown."""
        days = self.text("daysLate")
        if not DAY_COUNT_PATTERN.fullmatch(days):
            return language.gettext("late")
        count = int(days)
        phrase = language.ngettext("%(count)s day late", "%(count)s days late", count)
        return phrase % {"count": language.format_number(count)}

    @property
    def days(self) -> DateSpan | None:
        """The span from its first to its last day; None if unknown."""
        first, last = parse_date_span(self.at), parse_date_span(self.until)
        if not first or not last:
            return None
        return DateSpan(min(first.first, last.first), max(first.last, last.last))


@dataclass(frozen=True)
class Timeline:
    """The events in order, and the best label of each resource in their terms.

    `total` also counts matching events beyond MAX_TIMELINE_EVENTS. `is_counted` is False while papers
    are being counted.
    """

    events: Sequence[TimelineEvent]
    labels: Mapping[str, ox.Literal]
    total: int
    is_counted: bool

    @property
    def years(self) -> list[tuple[str, list[TimelineEvent]]]:
        """The events by year; events without a known day come last, with an empty year."""
        dated_events = [event for event in self.events if event.days]
        undated_events = [event for event in self.events if not event.days]
        years = [(year, [*events]) for year, events in groupby(dated_events, key=lambda event: event.at[:4])]
        return [*years, *([("", undated_events)] if undated_events else [])]

    @property
    def audiences_by_meeting(self) -> dict[str, list[tuple[ox.NamedNode, ...]]]:
        """By IRI of a meeting, the different audiences of those of its sessions that are in the timeline."""
        audiences: dict[str, list[tuple[ox.NamedNode, ...]]] = {}
        for event in self.events:
            audience = tuple(event.terms.get("openTo", ()))
            for meeting in event.terms.get("partOf", ()):
                meeting_audiences = audiences.setdefault(meeting.value, [])
                if audience not in meeting_audiences:
                    meeting_audiences.append(audience)
        return audiences

    @property
    def late(self) -> list[TimelineEvent]:
        """The milestones that were delivered late."""
        return [event for event in self.events if event.is_late]

    @property
    def undelivered(self) -> list[TimelineEvent]:
        """The milestones that were to be delivered, without a known delivery."""
        return [event for event in self.events if event.is_due]

    @property
    def main(self) -> "Timeline":
        """The timeline with only the meetings, late milestones and papers that have a known day."""
        main_events = [
            event
            for event in self.events
            if event.days and (event.kind in (MEETING_KIND, PAPERS_KIND) or event.is_late)
        ]
        return Timeline(main_events, self.labels, len(main_events), self.is_counted)


def build_timeline(timeline_data: TimelineData) -> Timeline:
    """The events in the order of their days."""
    labels = {
        iri: best_text(texts, language.label_languages())
        for iri, texts in timeline_data.events.labels.items()
    }
    events = [
        build_timeline_event(iri, terms_by_field)
        for iri, terms_by_field in timeline_data.events.resources.items()
    ]
    papers_events = [
        build_papers_event(day, count) for day, count in (timeline_data.papers_by_day or {}).items()
    ]
    sorted_events = sorted(
        [*events, *papers_events],
        key=lambda event: (event.at, event.kind, natural_sort_key(event.name.value)),
    )
    return Timeline(
        sorted_events, labels, timeline_data.events.total, timeline_data.papers_by_day is not None
    )


def build_timeline_event(iri: str, terms_by_field: Mapping[str, Sequence[Any]]) -> TimelineEvent:
    """The event of a resource with these terms by field."""
    classes = {term.value.rpartition("#")[2] for term in terms_by_field.get("type", ())}
    kind = (
        MILESTONE_KIND if "Milestone" in classes else SESSION_KIND if "Session" in classes else MEETING_KIND
    )
    name = best_text(terms_by_field.get("label", ()), language.label_languages(), words_of_iri(iri))
    fields = ("due", "delivered") if kind == MILESTONE_KIND else ("schema:startDate", "schema:endDate")
    dates = [term.value for field in fields for term in terms_by_field.get(field, ())]
    known_dates = [date_text for date_text in dates if parse_date_span(date_text)]
    return TimelineEvent(
        kind,
        name,
        known_dates[0] if known_dates else "",
        known_dates[-1] if known_dates else "",
        terms_by_field,
        iri,
    )


def build_papers_event(day: str, count: int) -> TimelineEvent:
    """The event for the papers that were posted on a day."""
    text = language.ngettext("%(count)s paper posted", "%(count)s papers posted", count)
    name = ox.Literal(text % {"count": language.format_number(count)})
    return TimelineEvent(PAPERS_KIND, name, day, day, {}, count=count)
