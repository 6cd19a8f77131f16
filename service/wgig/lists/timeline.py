"""/timeline: events as a list, and as an SVG chart with one lane per kind of event (meeting, session, ...).

Labels never overlap: each mark is placed in the highest row with enough space. The width of a month grows
with the number of events that begin in it, up to 8. There are at most 150 marks. With any parameter other
than `year`, /timeline is an ordinary list without chart.
"""

from calendar import monthrange
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache, partial
from itertools import accumulate

from fastapi import Response
from fastapi.concurrency import run_in_threadpool
from markupsafe import Markup

from ..http import language
from ..http.bodies import Pairs, get_query_parameters, parameter_values
from ..http.parameters import SERVICE_DESC_LINK, build_service_path, request_base_url
from ..http.responses import NO_STORE_HEADERS
from ..i18n import gettext_noop
from ..pages.dependencies import RequestContext
from ..pages.rendering import render_fragment, truncate_to_letters, width_in_letters
from ..rdf.formats import HTML, Format
from ..resources import mappings
from ..resources.alternates import Resource
from ..resources.profile_negotiation import LANGUAGE_NEUTRAL_HEADERS, Preferences, parse_format_preferences
from ..resources.profiles import DEFAULT_PROFILE_TOKEN, default_profile
from ..resources.representation import render_site_page, respond_with_resource
from ..resources.source_names import SourceName, name_sources
from .fields import ListDefinition
from .parameters import LIST_FORMATS, ListParameters
from .results import ListPage
from .routes import ListDependencies, respond_with_list
from .timeline_events import (
    EVENT_LIST,
    MEETING_KIND,
    MILESTONE_KIND,
    PAPERS_KIND,
    SESSION_KIND,
    Timeline,
    TimelineData,
    TimelineEvent,
    build_timeline,
    read_event_years,
    read_timeline_data,
)

# Sizes are in SVG units: here, the widths of the chart and of its margins.
CHART_WIDTH_UNITS, CHART_LEFT_UNITS, CHART_RIGHT_UNITS = 1000, 8, 12
# Heights of a row, of the names of the months, and of the heading of a lane.
CHART_ROW_UNITS, CHART_TOP_UNITS, LANE_HEADING_UNITS = 18, 26, 26
LETTER_WIDTH_UNITS = 6.4  # approximate width of a letter of a label
LABEL_GAP_UNITS, BAR_GAP_UNITS = 8, 4  # space beside a label, and after a bar that its label precedes
HEADING_GAP_UNITS, CHART_BOTTOM_UNITS = 8, 6  # space below the heading of a lane, and below the last lane
MONTH_NAME_GAP_LETTERS = 2  # minimum space between the names of two months
MAX_MARK_LABEL_LETTERS = 45
MAX_LABEL_ENDING_LETTERS = 15  # a longer ending of a name may be cut
GROUP_LABEL_PREFIX = "WGIG "  # of names of meetings, without which they still say what they are
MIN_BAR_UNITS = 6.0  # minimum width of a bar
MAX_WIDENING_EVENTS = 8  # more events in a month do not widen it further
MAX_CHART_MARKS = 150
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
    """An event in the chart: its bar from `x`, the `y` of its row, the CSS class of its color, and its label.

    `is_before` means that the label is to the left of the bar.
    """

    x: float
    width: float
    y: int
    tone: str
    label: str
    is_before: bool
    event: TimelineEvent

    @property
    def end(self) -> float:
        """The x coordinate of the end of the bar."""
        return self.x + self.width


@dataclass(frozen=True)
class ChartLane:
    """The marks of one kind of event, below the heading `name` at `y`."""

    name: str
    y: int
    marks: Sequence[ChartMark]


@dataclass(frozen=True)
class TimelineChart:
    """The chart: its height, ticks (x coordinate, label) and lanes, and whether events are omitted."""

    height: int
    ticks: Sequence[tuple[float, str]]
    lanes: Sequence[ChartLane]
    is_cut: bool

    @property
    def tones(self) -> set[str]:
        """The CSS classes of the colors of its marks."""
        return {mark.tone for lane in self.lanes for mark in lane.marks}


class TimeScale:
    """The x coordinates of days; the width of a month depends on the number of events that begin in it."""

    def __init__(self, events: Sequence[TimelineEvent]) -> None:
        """Divide the width among the months of the events, of which one or more must have known days."""
        spans = [event.days for event in events if event.days]
        self.first_month = month_number(min(span.first for span in spans))
        events_by_month = Counter(month_number(span.first) for span in spans)
        months = range(self.first_month, month_number(max(span.last for span in spans)) + 1)
        # The left edge of each month and the end of the last, in widths of a month without events.
        self.month_offsets = [
            0,
            *accumulate(1 + min(events_by_month[month], MAX_WIDENING_EVENTS) for month in months),
        ]
        self.unit_width = (CHART_WIDTH_UNITS - CHART_LEFT_UNITS - CHART_RIGHT_UNITS) / self.month_offsets[-1]

    def x(self, day: date) -> float:
        """The x coordinate of a day."""
        month = month_number(day) - self.first_month
        fraction = (day.day - 1) / monthrange(day.year, day.month)[1]
        begin, end = self.month_offsets[month], self.month_offsets[month + 1]
        return CHART_LEFT_UNITS + (begin + (end - begin) * fraction) * self.unit_width

    def ticks(self) -> Iterator[tuple[float, str]]:
        """The x coordinate and name of each month, if it has space; with the year for the first of a year."""
        free_x, labeled_year = 0.0, 0
        for number, begin in enumerate(self.month_offsets[:-1]):
            year, month = divmod(self.first_month + number, 12)
            x = CHART_LEFT_UNITS + begin * self.unit_width
            if x >= free_x:
                name = language.format_month(
                    date(year, month + 1, 1), "MMM" if year == labeled_year else "yMMM"
                )
                labeled_year = year
                yield round(x, 1), name
                free_x = x + (width_in_letters(name) + MONTH_NAME_GAP_LETTERS) * LETTER_WIDTH_UNITS


def month_number(day: date) -> int:
    """The number of months from January of the year 0 to the month of a day."""
    return day.year * 12 + day.month - 1


def build_timeline_chart(timeline: Timeline) -> TimelineChart:
    """The chart of the events with known days, at most MAX_CHART_MARKS of them."""
    dated_events = [event for event in timeline.events if event.days]
    events = dated_events[:MAX_CHART_MARKS]
    if not events:
        return TimelineChart(CHART_TOP_UNITS, [], [], is_cut=False)
    scale, lanes, y = TimeScale(events), [], CHART_TOP_UNITS
    for kind, name in LANE_TITLES.items():
        marks = list(
            place_event_marks(
                [event for event in events if event.kind == kind], scale, y + LANE_HEADING_UNITS
            )
        )
        if marks:
            lanes.append(ChartLane(language.gettext(name), y + LANE_HEADING_UNITS - HEADING_GAP_UNITS, marks))
            y = max(mark.y for mark in marks) + CHART_ROW_UNITS
    return TimelineChart(
        y + CHART_BOTTOM_UNITS, list(scale.ticks()), lanes, is_cut=len(events) < len(dated_events)
    )


def place_event_marks(events: Sequence[TimelineEvent], scale: TimeScale, top: int) -> Iterator[ChartMark]:
    """The marks of events, each in the highest row with enough space."""
    spans_by_row: list[list[tuple[float, float]]] = []
    for event in events:
        assert event.days
        x = scale.x(event.days.first)
        width = max(MIN_BAR_UNITS, scale.x(event.days.last) - x)
        label = event_mark_label(event)
        label_width = width_in_letters(label) * LETTER_WIDTH_UNITS + LABEL_GAP_UNITS
        is_before = x + width + label_width > CHART_WIDTH_UNITS
        span = (x - label_width, x + width + BAR_GAP_UNITS) if is_before else (x, x + width + label_width)
        row = next(
            (
                number
                for number, spans in enumerate(spans_by_row)
                if all(is_span_disjoint(span, row_span) for row_span in spans)
            ),
            len(spans_by_row),
        )
        if row == len(spans_by_row):
            spans_by_row.append([])
        spans_by_row[row].append(span)
        y = top + row * CHART_ROW_UNITS
        yield ChartMark(round(x, 1), round(width, 1), y, event_tone(event), label, is_before, event)


def is_span_disjoint(span: tuple[float, float], other: tuple[float, float]) -> bool:
    """Whether two spans of x coordinates do not overlap."""
    return span[1] < other[0] or other[1] < span[0]


def event_mark_label(event: TimelineEvent) -> str:
    """The label of a mark: the name of the event, and its lateness or audience."""
    name = event.name.value
    if event.kind in (MEETING_KIND, SESSION_KIND):
        name = name.removeprefix(GROUP_LABEL_PREFIX)
    # What follows the last comma is kept, such as the phase of the summit.
    start, comma, ending = name.rpartition(", ")
    if width_in_letters(ending) > MAX_LABEL_ENDING_LETTERS:
        start, comma, ending = name, "", ""
    rest = MAX_MARK_LABEL_LETTERS - width_in_letters(comma + ending)
    name = truncate_to_letters(start, rest) + comma + truncate_to_letters(ending, MAX_LABEL_ENDING_LETTERS)
    if event.is_late:
        return f"{name}, {event.lateness}"
    audience = AUDIENCE_LABELS.get(event.local_name("openTo")) if event.kind == SESSION_KIND else None
    return f"{name}, {language.gettext(audience)}" if audience else name


def event_tone(event: TimelineEvent) -> str:
    """The CSS class of the color of a mark."""
    if event.kind == MILESTONE_KIND:
        return "late" if event.is_late else "due" if event.is_due else "came"
    if event.kind == SESSION_KIND:
        return event.local_name("openTo") if event.local_name("openTo") in AUDIENCE_LABELS else "unknown"
    return event.kind


MAX_KEPT_TIMELINES = 16
# The parameters of the page with the chart; with any other, the response is a list.
TIMELINE_PARAMETERS = {"year", "_mediatype"}


@dataclass(frozen=True)
class TimelinePage:
    """What the page shows: the timeline, the picture and list of its events, and the years with events."""

    timeline: Timeline
    events: Markup
    years: Sequence[str]


async def respond_with_timeline(
    definition: ListDefinition, dependencies: ListDependencies, parameters: ListParameters
) -> Response:
    """The page with the chart, or a list of the same events in any format."""
    context = dependencies.context
    preferences = parse_chart_preferences(context, parameters)
    if preferences is None:
        return await respond_with_list(definition, dependencies, parameters)
    base = context.base
    year_pairs = [pair for pair in get_query_parameters(context.request) if pair[0] == "year"]
    read_page = partial(read_timeline_page, dependencies, year_pairs)
    if dependencies.counts.papers["posted"].is_current:
        key = ("timeline", *year_pairs, language.current_language())
        page = await dependencies.queries.kept_results.get_or_compute(key, read_page)
    else:
        page = await read_page()  # it may be without papers, until they are counted
    serialize = partial(render_timeline_page, context, page, year_pairs)
    iri = base.rstrip("/") + build_service_path("timeline", year_pairs)
    # There are no triples, as requests for RDF get the list.
    resource = Resource(
        iri, "/timeline", triples=lambda: (), write=serialize, formats=LIST_FORMATS, pairs=year_pairs
    )
    headers = LANGUAGE_NEUTRAL_HEADERS | ({} if page.timeline.is_counted else NO_STORE_HEADERS)
    return await run_in_threadpool(
        respond_with_resource,
        context,
        preferences,
        resource,
        extra_links=[SERVICE_DESC_LINK],
        headers=headers,
    )


async def read_timeline_page(dependencies: ListDependencies, year_pairs: Pairs) -> TimelinePage:
    """What the page shows for these parameters. Raises the Problems of `read_timeline_data`."""
    request, queries = dependencies.context.request, dependencies.queries
    timeline_data = await read_timeline_data(request, queries, dependencies.counts.papers, year_pairs)
    years = await read_event_years(request, queries)
    return await run_in_threadpool(
        build_timeline_page, dependencies.context, timeline_data, years, year_pairs
    )


def build_timeline_page(
    context: RequestContext, timeline_data: TimelineData, event_years: Sequence[str], year_pairs: Pairs
) -> TimelinePage:
    """What the page shows of these events; `event_years` are the years of all events but papers."""
    sources = name_sources(
        context.store,
        (
            term
            for terms in timeline_data.events.resources.values()
            for term in terms.get("dcterms:source", ())
        ),
        context.base,
        language.label_languages(),
    )
    papers_by_day = timeline_data.papers_by_day
    timeline, events = render_timeline_events(
        timeline_data.events,
        None if papers_by_day is None else tuple(papers_by_day.items()),
        tuple(sources.items()),
        find_year(year_pairs),
        (context.base, language.current_language()),
    )
    return TimelinePage(
        timeline, events, sorted({*event_years, *(name for name, _ in timeline.years if name)})
    )


@lru_cache(MAX_KEPT_TIMELINES)
def render_timeline_events(
    events: ListPage,
    papers_by_day: tuple[tuple[str, int], ...] | None,
    sources: tuple[tuple[str, SourceName], ...],
    year: str,
    base_and_language: tuple[str, str],
) -> tuple[Timeline, Markup]:
    """The timeline with the picture and list of its events, in the current language.

    The last ones are kept, because most writes change no event.
    """
    timeline = build_timeline(TimelineData(events, None if papers_by_day is None else dict(papers_by_day)))
    return timeline, render_fragment(
        "timeline-events.html",
        base=base_and_language[0],
        timeline=timeline,
        chart=build_timeline_chart(timeline),
        year=year,
        sources=dict(sources),
    )


def find_year(year_pairs: Pairs) -> str:
    """The year of the page; empty for all years."""
    return next(iter(parameter_values(year_pairs, "year")), "")


def parse_chart_preferences(context: RequestContext, parameters: ListParameters) -> Preferences | None:
    """The preferences of a request for the page with the chart; None for a list. Raises Problem 400, 406."""
    request = context.request
    if not TIMELINE_PARAMETERS.issuperset(dict(get_query_parameters(request))):
        return None
    suffix, profiles = (
        request.path_params.get("suffix", ""),
        {DEFAULT_PROFILE_TOKEN: default_profile(context.base)},
    )
    preferences = parse_format_preferences(context, parameters, LIST_FORMATS, suffix, profiles)
    is_page = preferences.representations[0].format is HTML and not preferences.wants_listing
    return preferences if is_page else None


def render_timeline_page(
    context: RequestContext, page: TimelinePage, year_pairs: Pairs, format_: Format
) -> bytes:
    """The page with the chart, and links to the years with events; the format is always HTML."""
    assert format_ is HTML
    other_formats = [
        (format_.title, build_service_path("timeline", year_pairs, format_.suffix))
        for format_ in LIST_FORMATS
    ]
    iri, address = f"{context.base}timeline", f"{request_base_url(context.request)}timeline"
    markup = mappings.build_dataset_markup(
        iri,
        address,
        "Timeline",
        EVENT_LIST.description,
        [format_ for format_ in LIST_FORMATS if format_ is not HTML],
    )
    return render_site_page(
        context,
        "timeline.html",
        timeline=page.timeline,
        events=page.events,
        year=find_year(year_pairs),
        years=page.years,
        other_formats=other_formats,
        markup=markup,
    )
