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
from fastapi import Request, Response

from .._version import __version__
from ..http.parameters import only
from ..http.responses import answer
from ..rdf.formats import CALENDAR
from ..rdf.namespaces import OUTSIDE, namespaces
from ..settings import Settings
from ..store.changelog.log import Log
from ..store.changelog.queries import of_things
from ..store.view import Row, rows
from .news import log_of

TABLE = files("tzdata") / "zoneinfo" / "zone.tab"


def zone(country: str) -> ZoneInfo | None:
    """The zone of a country, by its two-letter code (ISO 3166); None where it has several, or is unknown."""
    names = by_country().get(country, [])
    return ZoneInfo(names[0]) if len(names) == 1 else None


@cache
def by_country() -> dict[str, list[str]]:
    """The names of the zones of each country, by its code."""
    found: dict[str, list[str]] = {}
    for line in TABLE.read_text("utf-8").splitlines():
        if not line.startswith("#"):
            country, _, name, *_ = line.split("\t")
            found.setdefault(country, []).append(name)
    return found


KNOWN = namespaces(Settings.base)
DAYS = (f"{OUTSIDE['xsd']}date", f"{OUTSIDE['xsd']}dateTime")
NAME = "Working Group on Internet Governance: meetings and deadlines"

EVENTS = f"""
PREFIX dcterms: <{KNOWN["dcterms"]}>
PREFIX rdfs: <{KNOWN["rdfs"]}>
PREFIX schema: <{KNOWN["schema"]}>
PREFIX skos: <{KNOWN["skos"]}>
PREFIX wgig: <{KNOWN["wgig"]}>
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


async def meetings(request: Request) -> Response:
    """Meetings, sessions and deadlines as a calendar, as far as their days are known."""
    only(request)
    return await run_sync(written, request, await log_of(request))


def written(request: Request, log: Log) -> Response:
    """The calendar as an answer."""
    base = request.app.state.settings.base
    calendar = icalendar.Calendar()
    calendar.add("prodid", f"-//WGIG knowledge graph//{__version__}//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("x-wr-calname", NAME)
    found = rows(request.app.state.store, EVENTS.replace(Settings.base, base))
    for one in events(found, log, base):
        calendar.add_component(one)
    calendar.add_missing_timezones()
    for change in calendar.walk("DAYLIGHT"):
        begin_as_clocks_show_before(change)
    return answer(request, calendar.to_ical(), CALENDAR)


def begin_as_clocks_show_before(change: Any) -> None:
    """Let clocks that are put forward change by the time before (RFC 5545, 3.6.5), and not by that after."""
    ahead = change["TZOFFSETTO"].td - change["TZOFFSETFROM"].td
    again = change.get("RDATE", [])
    every = [one for dates in (again if isinstance(again, list) else [again]) for one in dates.dts]
    for one in (change["DTSTART"], *every):
        one.dt -= ahead


def events(found: Iterable[Row], log: Log, base: str) -> Iterator[icalendar.Event]:
    """An event for each thing whose days are known; where only a month is, there is none."""
    every = [(row, day(row, "first"), day(row, "last")) for row in found if "thing" in row]
    when = of_things(log, [row["thing"].value for row, _, _ in every])
    for row, first, last in every:
        changed = when.get(row["thing"].value)
        if first and changed:
            made = event(row, first, max(first, last or first), base)
            made.add("dtstamp", datetime.fromisoformat(changed.at).astimezone(UTC).replace(microsecond=0))
            yield made


def event(row: Row, first: date, last: date, base: str) -> icalendar.Event:
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
    opens, closes = clock(row, "opens"), clock(row, "closes")
    if opens is None or closes is None:
        made.add("dtstart", first)
        made.add("dtend", last + timedelta(days=1))
        return made
    there = zone_of(row)
    made.add("dtstart", moment(first, opens, there))
    made.add("dtend", moment(first, closes, there))
    if last > first:
        made.add("rrule", {"freq": "daily", "count": (last - first).days + 1})
    return made


def zone_of(row: Row) -> ZoneInfo | None:
    """The time zone of where something is held; None where it is not known."""
    alone = row["countries"].value == "1"
    return zone(row["country"].value.rpartition("/")[2]) if alone else None


def moment(on: date, at: time, there: ZoneInfo | None) -> datetime:
    """A time of a day: in UTC where it has an offset, else as clocks show it there (RFC 5545, 3.3.5)."""
    if at.tzinfo:
        return datetime.combine(on, at).astimezone(UTC)
    return datetime.combine(on, at, there)


def day(row: Row, name: str) -> date | None:
    """A day that a row tells; None where it tells none, or less than a day."""
    if name not in row or row[name].datatype.value not in DAYS:
        return None
    try:
        return date.fromisoformat(row[name].value[:10])
    except ValueError:
        return None


def clock(row: Row, name: str) -> time | None:
    """A time of day that a row tells, with its zone where it has one."""
    try:
        return time.fromisoformat(row[name].value) if name in row else None
    except ValueError:
        return None
