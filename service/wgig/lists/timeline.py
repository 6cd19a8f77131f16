"""/timeline: events as a list, and as an SVG chart with one lane per kind.

Labels never overlap: each mark goes into the highest row with room. A month is the wider the more events
begin in it, up to 8; there are 150 marks at most. With any filter but the year, it is a list like any other.
"""

from calendar import monthrange
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import accumulate

from fastapi import Response
from fastapi.concurrency import run_in_threadpool

from ..http import language
from ..http.bodies import Pairs, get_query_parameters, parameter_values
from ..http.parameters import SERVICE_DESC_LINK, build_service_path, check_query_parameters, request_base_url
from ..http.responses import NO_STORE_HEADERS
from ..i18n import gettext_noop
from ..pages.dependencies import ContextDep, RequestContext
from ..pages.rendering import truncate_to_letters, width_in_letters
from ..rdf.formats import HTML, Format
from ..resources import mappings
from ..resources.alternates import Resource
from ..resources.profile_negotiation import LANGUAGE_NEUTRAL_HEADERS, Preferences, parse_format_preferences
from ..resources.profiles import OWN_PROFILE_TOKEN, own_profile
from ..resources.representation import render_site_page, respond_with_resource
from ..sparql.dependencies import QueriesDep
from .dependencies import CountsDep, PapersDep
from .routes import LIST_FORMATS, get_list
from .timeline_events import (
    EVENT_LIST,
    MEETING_KIND,
    MILESTONE_KIND,
    PAPERS_KIND,
    SESSION_KIND,
    Timeline,
    TimelineData,
    TimelineEvent,
    read_timeline_data,
)
from .timeline_events import build_timeline as shown

CHART_WIDTH_UNITS, CHART_LEFT_UNITS, CHART_RIGHT_UNITS = 1000, 8, 12  # units, all of the picture
# Heights of a row, of the years, and of the heading of a lane.
CHART_ROW_UNITS, CHART_TOP_UNITS, LANE_HEADING_UNITS = 18, 26, 26
LETTER_WIDTH_UNITS = 6.4  # about the width of a letter of a label
MAX_MARK_LABEL_LETTERS = 40  # letters of a label
MIN_BAR_UNITS = 6.0  # bar
MAX_WIDENING_EVENTS = 8  # events for which a month is widened
MAX_CHART_MARKS = 150  # marks
LANE_TITLES = {
    MEETING_KIND: gettext_noop("Meetings"),
    SESSION_KIND: gettext_noop("Sessions"),
    MILESTONE_KIND: gettext_noop("Milestones"),
    PAPERS_KIND: gettext_noop("Papers"),
}
AUDIENCE_LABELS = {
    "everybody": gettext_noop("open to everybody"),
    "observers": gettext_noop("open to observers"),
    "members": gettext_noop("closed"),
}


@dataclass(frozen=True)
class ChartMark:
    """An event in the picture: where its bar begins, how long it is, its row, its label and on which side."""

    x: float
    width: float
    y: int
    tone: str
    label: str
    is_before: bool

    @property
    def end(self) -> float:
        """Where the bar ends."""
        return self.x + self.width


@dataclass(frozen=True)
class ChartLane:
    """The marks of a kind below their heading."""

    name: str
    y: int
    marks: Sequence[ChartMark]


@dataclass(frozen=True)
class TimelineChart:
    """A picture so high, with lines at the begin of months and years, and its lanes."""

    height: int
    ticks: Sequence[tuple[float, str]]
    lanes: Sequence[ChartLane]
    is_cut: bool


class TimeScale:
    """Where a day is on the line of time. Months are the wider the more begins in them, up to a bound."""

    def __init__(self, events: Sequence[TimelineEvent]) -> None:
        """Take events whose days are known, of which there is at least one."""
        days = [one.days for one in events if one.days]
        self.first_month = month_number(min(one.first for one in days))
        many = Counter(month_number(one.first) for one in days)
        months = range(self.first_month, month_number(max(one.last for one in days)) + 1)
        self.month_offsets = [0, *accumulate(1 + min(many[one], MAX_WIDENING_EVENTS) for one in months)]
        self.unit_width = (CHART_WIDTH_UNITS - CHART_LEFT_UNITS - CHART_RIGHT_UNITS) / self.month_offsets[-1]

    def x(self, day: date) -> float:
        """How far from the edge a day is."""
        month = month_number(day) - self.first_month
        part = (day.day - 1) / monthrange(day.year, day.month)[1]
        begin, end = self.month_offsets[month], self.month_offsets[month + 1]
        return CHART_LEFT_UNITS + (begin + (end - begin) * part) * self.unit_width

    def ticks(self) -> Iterator[tuple[float, str]]:
        """The begin of each month that has room for its name, the first of a year with the year."""
        free, labeled_year = 0.0, 0
        for number, begin in enumerate(self.month_offsets[:-1]):
            year, month = divmod(self.first_month + number, 12)
            x = CHART_LEFT_UNITS + begin * self.unit_width
            if x >= free:
                name = language.format_month(
                    date(year, month + 1, 1), "MMM" if year == labeled_year else "yMMM"
                )
                labeled_year = year
                yield round(x, 1), name
                free = x + (width_in_letters(name) + 2) * LETTER_WIDTH_UNITS


def month_number(day: date) -> int:
    """The number of a month, counted from the year 0."""
    return day.year * 12 + day.month - 1


def build_timeline_chart(shown: Timeline) -> TimelineChart:
    """The picture of the events whose days are known; of many the first."""
    dated = [one for one in shown.events if one.days]
    events = dated[:MAX_CHART_MARKS]
    if not events:
        return TimelineChart(CHART_TOP_UNITS, [], [], is_cut=False)
    scale, lanes, y = TimeScale(events), [], CHART_TOP_UNITS
    for kind, name in LANE_TITLES.items():
        marks = list(
            place_event_marks([one for one in events if one.kind == kind], scale, y + LANE_HEADING_UNITS)
        )
        if marks:
            lanes.append(ChartLane(language.gettext(name), y + LANE_HEADING_UNITS - 8, marks))
            y = max(one.y for one in marks) + CHART_ROW_UNITS
    return TimelineChart(y + 6, list(scale.ticks()), lanes, is_cut=len(events) < len(dated))


def place_event_marks(events: Sequence[TimelineEvent], scale: TimeScale, top: int) -> Iterator[ChartMark]:
    """The marks of events, each in the highest row where it has room."""
    rows: list[list[tuple[float, float]]] = []
    for one in events:
        assert one.days
        x = scale.x(one.days.first)
        width = max(MIN_BAR_UNITS, scale.x(one.days.last) - x)
        label = event_mark_label(one)
        room = width_in_letters(label) * LETTER_WIDTH_UNITS + 8
        is_before = x + width + room > CHART_WIDTH_UNITS
        taken = (x - room, x + width + 4) if is_before else (x, x + width + room)
        row = next(
            (n for n, there in enumerate(rows) if all(is_span_disjoint(taken, other) for other in there)),
            len(rows),
        )
        if row == len(rows):
            rows.append([])
        rows[row].append(taken)
        yield ChartMark(
            round(x, 1), round(width, 1), top + row * CHART_ROW_UNITS, event_tone(one), label, is_before
        )


def is_span_disjoint(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Whether two stretches do not meet."""
    return one[1] < other[0] or other[1] < one[0]


def event_mark_label(event: TimelineEvent) -> str:
    """What stands beside a mark: the name, and what its color means."""
    name = truncate_to_letters(event.name.value, MAX_MARK_LABEL_LETTERS)
    if event.is_late:
        return f"{name}, {event.lateness}"
    attended = AUDIENCE_LABELS.get(event.local_name("openTo")) if event.kind == SESSION_KIND else None
    return f"{name}, {language.gettext(attended)}" if attended else name


def event_tone(event: TimelineEvent) -> str:
    """The class of the color of a mark."""
    if event.kind == MILESTONE_KIND:
        return "late" if event.is_late else "due" if not event.text("delivered") else "came"
    if event.kind == SESSION_KIND:
        return event.local_name("openTo") if event.local_name("openTo") in AUDIENCE_LABELS else "unknown"
    return event.kind


# With any other parameter, it is a list that somebody wants.
TIMELINE_PARAMETERS = {"year", "_mediatype"}


async def get_timeline(
    context: ContextDep, queries: QueriesDep, counts: CountsDep, papers: PapersDep
) -> Response:
    """What happened when: meetings, sessions, milestones due and delivered, papers; by year, or as a list."""
    wish = find_chart_preferences(context)
    if wish is None:
        return await get_list(context, queries, counts, papers)
    base = context.base
    kept = [pair for pair in get_query_parameters(context.request) if pair[0] == "year"]
    found = await read_timeline_data(context.request, queries, counts, kept)
    write = partial(render_timeline_page, context, found, kept)
    iri = base.rstrip("/") + build_service_path("timeline", kept)
    subject = Resource(iri, "/timeline", lambda: (), write, formats=LIST_FORMATS, pairs=kept)
    fields = LANGUAGE_NEUTRAL_HEADERS | (NO_STORE_HEADERS if found.papers is None else {})
    return await run_in_threadpool(
        respond_with_resource, context, wish, subject, extra_links=[SERVICE_DESC_LINK], headers=fields
    )


def find_chart_preferences(context: RequestContext) -> Preferences | None:
    """What is wished for where that is the page with the picture; None: the list. Raises Problem."""
    request = context.request
    if not TIMELINE_PARAMETERS.issuperset(dict(get_query_parameters(request))):
        return None
    check_query_parameters(request, tuple(TIMELINE_PARAMETERS))
    known = {OWN_PROFILE_TOKEN: own_profile(context.base)}
    wish = parse_format_preferences(context, LIST_FORMATS, request.path_params.get("suffix", ""), known)
    return wish if wish.representations[0].format is HTML and not wish.wants_listing else None


def render_timeline_page(context: RequestContext, found: TimelineData, kept: Pairs, format_: Format) -> bytes:
    """The page; it is written in no other format."""
    assert format_ is HTML
    line = shown(found)
    year = next(iter(parameter_values(kept, "year")), "")
    others = [(one.title, build_service_path("timeline", kept, one.suffix)) for one in LIST_FORMATS]
    iri, page = f"{context.base}timeline", f"{request_base_url(context.request)}timeline"
    markup = mappings.build_dataset_markup(
        iri, page, "Timeline", EVENT_LIST.description, [one for one in LIST_FORMATS if one is not HTML]
    )
    return render_site_page(
        context,
        "timeline.html",
        line=line,
        chart=build_timeline_chart(line),
        year=year,
        others=others,
        markup=markup,
    )
