"""/meetings.ics: meetings, sessions and deadlines as a calendar (iCalendar, RFC 5545).

An event lasts whole days unless its times of day are known, which are in the time zone of its place. An event
whose day is unknown is left out. Time zones come from CLDR by country (ISO 3166), except for
countries with several zones. Times without an offset are local to the zone (RFC 5545, section 3.3.5). A
VTIMEZONE states when daylight time begins in the local time before the change (section 3.6.5).
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from anyio.to_thread import run_sync
from fastapi import Response
from wgig_client.namespaces import XSD_NAMESPACE

from .._version import __version__
from ..http.operations import Operation
from ..http.responses import respond_with_body
from ..i18n import read_cldr_data
from ..pages.dependencies import ContextDep, RequestContext
from ..rdf.formats import ICALENDAR_FORMAT
from ..rdf.namespaces import DEFAULT_NAMESPACES
from ..resources.dependencies import ResourceVersionsDep
from ..settings import SERVICE_TITLE, Settings
from ..store.resource_versions.database import ResourceVersions
from ..store.resource_versions.queries import find_last_changes
from ..store.view import ResultRow, select_solutions

if TYPE_CHECKING:  # costs 40 ms, which every start would take
    import icalendar


def find_country_zone(country: str) -> ZoneInfo | None:
    """The time zone of a country by two-letter code (ISO 3166); None if it has several or is unknown."""
    name = read_cldr_data()["zones"].get(country)
    return ZoneInfo(name) if name else None


# The datatypes of values that are as precise as a day.
DAY_DATATYPES = (f"{XSD_NAMESPACE}date", f"{XSD_NAMESPACE}dateTime")
CALENDAR_NAME = "Working Group on Internet Governance: meetings and deadlines"

# ?first and ?last are days, ?opens and ?closes times of day, ?countries is the number of countries.
EVENTS_QUERY = f"""
PREFIX dcterms: <{DEFAULT_NAMESPACES["dcterms"]}>
PREFIX rdfs: <{DEFAULT_NAMESPACES["rdfs"]}>
PREFIX schema: <{DEFAULT_NAMESPACES["schema"]}>
PREFIX skos: <{DEFAULT_NAMESPACES["skos"]}>
PREFIX wgig: <{DEFAULT_NAMESPACES["wgig"]}>
SELECT ?resource ?kind (MIN(?name) AS ?label) (MIN(?begin) AS ?first) (MIN(?end) AS ?last)
       (MIN(?start_time) AS ?opens) (MIN(?end_time) AS ?closes)
       (MIN(?room_name) AS ?room) (MIN(?venue_name) AS ?venue)
       (GROUP_CONCAT(DISTINCT ?town; separator=", ") AS ?towns) (MIN(?remark) AS ?note)
       (MIN(?any_country) AS ?country) (COUNT(DISTINCT ?any_country) AS ?countries) {{
  {{ VALUES (?type ?kind) {{ (wgig:Meeting "Meeting") (wgig:Session "Session") }}
     ?resource a ?type ; schema:startDate ?begin .
     OPTIONAL {{ ?resource schema:endDate ?end }} }}
  UNION
  {{ ?resource a wgig:Milestone ; wgig:due ?end
     OPTIONAL {{ ?resource wgig:dueFrom ?start }}
     BIND (COALESCE(?start, ?end) AS ?begin) BIND ("Deadline" AS ?kind) }}
  UNION
  {{ ?resource a wgig:Milestone ; wgig:delivered ?begin FILTER NOT EXISTS {{ ?resource wgig:due ?due }}
     BIND ("Milestone" AS ?kind) }}
  ?resource rdfs:label ?name .
  OPTIONAL {{ ?resource wgig:startTime ?start_time ; wgig:endTime ?end_time }}
  OPTIONAL {{ ?resource wgig:room ?room_name }}
  OPTIONAL {{ ?resource wgig:venue ?venue_name }}
  OPTIONAL {{ ?resource wgig:place/rdfs:label ?town FILTER (LANG(?town) = "en") }}
  OPTIONAL {{ ?resource wgig:place/dcterms:isPartOf* ?any_country . ?any_country a wgig:Country }}
  OPTIONAL {{ ?resource skos:note ?remark }}
}} GROUP BY ?resource ?kind ORDER BY ?first ?resource"""


CALENDAR_OPERATION = Operation(name="getMeetingsCalendar", formats=(ICALENDAR_FORMAT,))


async def get_meetings(context: ContextDep, resource_versions: ResourceVersionsDep) -> Response:
    """Meetings, sessions and deadlines whose days are known, as a calendar (iCalendar)."""
    return await run_sync(respond_with_calendar, context, await resource_versions.get_versions())


def respond_with_calendar(context: RequestContext, versions: ResourceVersions) -> Response:
    """The calendar as a response."""
    import icalendar  # noqa: PLC0415

    base = context.base
    calendar = icalendar.Calendar()
    calendar.add("prodid", f"-//{SERVICE_TITLE}//{__version__}//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("x-wr-calname", CALENDAR_NAME)
    rows = select_solutions(context.store, EVENTS_QUERY.replace(Settings.base, base))
    for event in iter_calendar_events(rows, versions, base):
        calendar.add_component(event)
    calendar.add_missing_timezones()
    for daylight in calendar.walk("DAYLIGHT"):
        shift_daylight_onsets(daylight)
    return respond_with_body(context.request, calendar.to_ical(), ICALENDAR_FORMAT)


def shift_daylight_onsets(daylight: Any) -> None:
    """Set the onsets in a DAYLIGHT component to the local time before the change (RFC 5545, section 3.6.5).

    The library writes them in the local time after the change.
    """
    offset_change = daylight["TZOFFSETTO"].td - daylight["TZOFFSETFROM"].td
    recurrences = daylight.get("RDATE", [])
    recurrence_times = [
        recurrence_time
        for dates in (recurrences if isinstance(recurrences, list) else [recurrences])
        for recurrence_time in dates.dts
    ]
    for time_property in (daylight["DTSTART"], *recurrence_times):
        time_property.dt -= offset_change


def iter_calendar_events(
    rows: Iterable[ResultRow], versions: ResourceVersions, base: str
) -> Iterator["icalendar.Event"]:
    """The events of the resources whose days are known; their time stamps are those of the last versions."""
    dated_rows = [
        (row, parse_row_day(row, "first"), parse_row_day(row, "last")) for row in rows if "resource" in row
    ]
    last_changes = find_last_changes(versions, [row["resource"].value for row, _, _ in dated_rows])
    for row, first, last in dated_rows:
        last_change = last_changes.get(row["resource"].value)
        if first and last_change:
            event = build_calendar_event(row, first, max(first, last or first), base)
            event.add(
                "dtstamp",
                datetime.fromisoformat(last_change.changed_at).astimezone(UTC).replace(microsecond=0),
            )
            yield event


def build_calendar_event(row: ResultRow, first: date, last: date, base: str) -> "icalendar.Event":
    """An event that recurs daily at its times of day, or lasts whole days if the times are unknown."""
    import icalendar  # noqa: PLC0415

    event = icalendar.Event()
    iri = row["resource"].value
    event.add("uid", f"{iri.removeprefix(base)}@{urlsplit(base).hostname}")
    event.add("summary", row["label"].value)
    event.add("categories", [row["kind"].value])
    event.add("url", iri)
    event.add("transp", "TRANSPARENT" if row["kind"].value in ("Deadline", "Milestone") else "OPAQUE")
    places = [row[name].value for name in ("room", "venue", "towns") if name in row and row[name].value]
    if places:
        event.add("location", ", ".join(dict.fromkeys(places)))
    if "note" in row:
        event.add("description", row["note"].value)
    opens, closes = parse_row_time(row, "opens"), parse_row_time(row, "closes")
    if opens is None or closes is None:
        event.add("dtstart", first)
        event.add("dtend", last + timedelta(days=1))
        return event
    time_zone = find_event_zone(row)
    event.add("dtstart", combine_event_time(first, opens, time_zone))
    event.add("dtend", combine_event_time(first, closes, time_zone))
    if last > first:
        event.add("rrule", {"freq": "daily", "count": (last - first).days + 1})
    return event


def find_event_zone(row: ResultRow) -> ZoneInfo | None:
    """The time zone of the country of an event; None if it is unknown or has several countries or zones."""
    has_one_country = row["countries"].value == "1"
    return find_country_zone(row["country"].value.rpartition("/")[2]) if has_one_country else None


def combine_event_time(day: date, time_of_day: time, time_zone: ZoneInfo | None) -> datetime:
    """A day and a time, in UTC if the time has an offset, else in the zone (RFC 5545, section 3.3.5)."""
    if time_of_day.tzinfo:
        return datetime.combine(day, time_of_day).astimezone(UTC)
    return datetime.combine(day, time_of_day, time_zone)


def parse_row_day(row: ResultRow, name: str) -> date | None:
    """The day in the column `name` of the row; None if it is missing or less precise than a day."""
    if name not in row or row[name].datatype.value not in DAY_DATATYPES:
        return None
    try:
        return date.fromisoformat(row[name].value[:10])
    except ValueError:
        return None


def parse_row_time(row: ResultRow, name: str) -> time | None:
    """The time of day in the column `name`, with its offset if it has one; None if missing or invalid."""
    try:
        return time.fromisoformat(row[name].value) if name in row else None
    except ValueError:
        return None
