"""/meetings.ics: meetings, sessions and deadlines as a calendar (iCalendar, RFC 5545).

Events have whole days, or the known times of a day in the time zone of the place; there is none where only
the month is known. Zones come from the IANA tz database by country (ISO 3166); a country with several zones
has none. Times without an offset are local to the zone (RFC 5545, section 3.3.5); in a VTIMEZONE, the onset
of a change to summer time is given in the local time before it (section 3.6.5).
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import icalendar
from anyio.to_thread import run_sync
from fastapi import Response

from .._version import __version__
from ..http.parameters import check_query_parameters
from ..http.responses import respond_with_body
from ..pages.dependencies import ContextDep, RequestContext
from ..rdf.formats import ICALENDAR_FORMAT
from ..rdf.namespaces import DEFAULT_NAMESPACES, XSD_NAMESPACE
from ..resources.dependencies import StreamDep
from ..settings import SERVICE_TITLE, Settings
from ..store.changelog.log import ChangeLog
from ..store.changelog.queries import find_last_changes
from ..store.view import ResultRow, select_solutions

ZONE_TABLE = files("tzdata") / "zoneinfo" / "zone.tab"


def find_country_zone(country: str) -> ZoneInfo | None:
    """The zone of a country, by its two-letter code (ISO 3166); None where it has several, or is unknown."""
    names = read_zones_by_country().get(country, [])
    return ZoneInfo(names[0]) if len(names) == 1 else None


@cache
def read_zones_by_country() -> dict[str, list[str]]:
    """The names of the zones of each country, by its code."""
    found: dict[str, list[str]] = {}
    for line in ZONE_TABLE.read_text("utf-8").splitlines():
        if not line.startswith("#"):
            country, _, name, *_ = line.split("\t")
            found.setdefault(country, []).append(name)
    return found


DAY_DATATYPES = (f"{XSD_NAMESPACE}date", f"{XSD_NAMESPACE}dateTime")
CALENDAR_NAME = "Working Group on Internet Governance: meetings and deadlines"

EVENTS_QUERY = f"""
PREFIX dcterms: <{DEFAULT_NAMESPACES["dcterms"]}>
PREFIX rdfs: <{DEFAULT_NAMESPACES["rdfs"]}>
PREFIX schema: <{DEFAULT_NAMESPACES["schema"]}>
PREFIX skos: <{DEFAULT_NAMESPACES["skos"]}>
PREFIX wgig: <{DEFAULT_NAMESPACES["wgig"]}>
SELECT ?thing ?kind (MIN(?name) AS ?label) (MIN(?begin) AS ?first) (MIN(?end) AS ?last)
       (MIN(?from) AS ?opens) (MIN(?until) AS ?closes) (MIN(?in) AS ?room) (MIN(?at) AS ?venue)
       (GROUP_CONCAT(DISTINCT ?town; separator=", ") AS ?towns) (MIN(?said) AS ?note)
       (MIN(?land) AS ?country) (COUNT(DISTINCT ?land) AS ?countries) {{
  {{ VALUES (?type ?kind) {{ (wgig:Meeting "Meeting") (wgig:Session "Session") }}
     ?thing a ?type ; schema:startDate ?begin .
     OPTIONAL {{ ?thing schema:endDate ?end }} }}
  UNION
  {{ ?thing a wgig:Milestone ; wgig:due ?end
     OPTIONAL {{ ?thing wgig:dueFrom ?start }}
     BIND (COALESCE(?start, ?end) AS ?begin) BIND ("Deadline" AS ?kind) }}
  UNION
  {{ ?thing a wgig:Milestone ; wgig:delivered ?begin FILTER NOT EXISTS {{ ?thing wgig:due ?due }}
     BIND ("Milestone" AS ?kind) }}
  ?thing rdfs:label ?name .
  OPTIONAL {{ ?thing wgig:startTime ?from ; wgig:endTime ?until }}
  OPTIONAL {{ ?thing wgig:room ?in }}
  OPTIONAL {{ ?thing wgig:venue ?at }}
  OPTIONAL {{ ?thing wgig:place/rdfs:label ?town }}
  OPTIONAL {{ ?thing wgig:place/dcterms:isPartOf* ?land . ?land a wgig:Country }}
  OPTIONAL {{ ?thing skos:note ?said }}
}} GROUP BY ?thing ?kind ORDER BY ?first ?thing"""


async def get_meetings(context: ContextDep, stream: StreamDep) -> Response:
    """Meetings, sessions and deadlines as a calendar, as far as their days are known."""
    check_query_parameters(context.request)
    return await run_sync(respond_with_calendar, context, await stream.get_current_log())


def respond_with_calendar(context: RequestContext, log: ChangeLog) -> Response:
    """The calendar as an answer."""
    base = context.base
    calendar = icalendar.Calendar()
    calendar.add("prodid", f"-//{SERVICE_TITLE}//{__version__}//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("x-wr-calname", CALENDAR_NAME)
    found = select_solutions(context.store, EVENTS_QUERY.replace(Settings.base, base))
    for one in iter_calendar_events(found, log, base):
        calendar.add_component(one)
    calendar.add_missing_timezones()
    for change in calendar.walk("DAYLIGHT"):
        shift_daylight_onsets(change)
    return respond_with_body(context.request, calendar.to_ical(), ICALENDAR_FORMAT)


def shift_daylight_onsets(change: Any) -> None:
    """Let clocks that are put forward change by the time before (RFC 5545, 3.6.5), and not by that after."""
    ahead = change["TZOFFSETTO"].td - change["TZOFFSETFROM"].td
    again = change.get("RDATE", [])
    every = [one for dates in (again if isinstance(again, list) else [again]) for one in dates.dts]
    for one in (change["DTSTART"], *every):
        one.dt -= ahead


def iter_calendar_events(found: Iterable[ResultRow], log: ChangeLog, base: str) -> Iterator[icalendar.Event]:
    """An event for each thing whose days are known; where only a month is, there is none."""
    every = [
        (row, parse_row_day(row, "first"), parse_row_day(row, "last")) for row in found if "thing" in row
    ]
    when = find_last_changes(log, [row["thing"].value for row, _, _ in every])
    for row, first, last in every:
        changed = when.get(row["thing"].value)
        if first and changed:
            made = build_calendar_event(row, first, max(first, last or first), base)
            made.add(
                "dtstamp", datetime.fromisoformat(changed.changed_at).astimezone(UTC).replace(microsecond=0)
            )
            yield made


def build_calendar_event(row: ResultRow, first: date, last: date, base: str) -> icalendar.Event:
    """An event that takes whole days, or on each of them the hours that are known there."""
    made = icalendar.Event()
    iri = row["thing"].value
    made.add("uid", f"{iri.removeprefix(base)}@{urlsplit(base).hostname}")
    made.add("summary", row["label"].value)
    made.add("categories", [row["kind"].value])
    made.add("url", iri)
    made.add("transp", "TRANSPARENT" if row["kind"].value in ("Deadline", "Milestone") else "OPAQUE")
    places = [row[name].value for name in ("room", "venue", "towns") if name in row and row[name].value]
    if places:
        made.add("location", ", ".join(dict.fromkeys(places)))
    if "note" in row:
        made.add("description", row["note"].value)
    opens, closes = parse_row_time(row, "opens"), parse_row_time(row, "closes")
    if opens is None or closes is None:
        made.add("dtstart", first)
        made.add("dtend", last + timedelta(days=1))
        return made
    there = find_event_zone(row)
    made.add("dtstart", combine_event_time(first, opens, there))
    made.add("dtend", combine_event_time(first, closes, there))
    if last > first:
        made.add("rrule", {"freq": "daily", "count": (last - first).days + 1})
    return made


def find_event_zone(row: ResultRow) -> ZoneInfo | None:
    """The time zone of where something is held; None where it is not known."""
    alone = row["countries"].value == "1"
    return find_country_zone(row["country"].value.rpartition("/")[2]) if alone else None


def combine_event_time(on: date, at: time, there: ZoneInfo | None) -> datetime:
    """A time of a day: in UTC where it has an offset, else as clocks show it there (RFC 5545, 3.3.5)."""
    if at.tzinfo:
        return datetime.combine(on, at).astimezone(UTC)
    return datetime.combine(on, at, there)


def parse_row_day(row: ResultRow, name: str) -> date | None:
    """A day that a row tells; None where it tells none, or less than a day."""
    if name not in row or row[name].datatype.value not in DAY_DATATYPES:
        return None
    try:
        return date.fromisoformat(row[name].value[:10])
    except ValueError:
        return None


def parse_row_time(row: ResultRow, name: str) -> time | None:
    """A time of day that a row tells, with its zone where it has one."""
    try:
        return time.fromisoformat(row[name].value) if name in row else None
    except ValueError:
        return None
