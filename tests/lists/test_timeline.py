"""The timeline: events with their days in words, who could attend, what was late, and the picture beside."""

import json
import re
from datetime import date
from html.parser import HTMLParser

import httpx
import pyoxigraph as ox
import pytest
from wgig.lists.counts import CellKey
from wgig.lists.timeline import MAX_CHART_MARKS, build_timeline_chart
from wgig.lists.timeline_events import Timeline, build_papers_event, count_papers_by_day
from wgig.pages.rendering import format_date_text, parse_date_span
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.service import service_of

BASE = Settings.base
PREFIXES = (
    f"@prefix : <{BASE}ontology#> . @prefix id: <{BASE}id/> . @prefix schema: <https://schema.org/> . "
    "@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . "
    "@prefix xsd: <http://www.w3.org/2001/XMLSchema#> . "
)
TURTLE = {"Content-Type": "text/turtle"}
PAGE = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def service(shipped: ox.Store) -> httpx.Client:
    """A client of a service over the shipped graph."""
    return service_of(Settings(), Store(shipped), **PAGE)


class Items(HTMLParser):
    """The text of each event on a page, and of each label in its picture."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.events: list[str] = []
        self.labels: list[str] = []
        self.inside, self.depth = "", 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        classes = (dict(attrs).get("class") or "").split()
        if tag == "li" and "event" in classes:
            self.inside, self.depth = "event", 0
            self.events.append("")
        elif tag == "li" and self.inside == "event":
            self.depth += 1
        elif tag == "text":
            self.inside = "label"
            self.labels.append("")

    def handle_data(self, data: str) -> None:
        if self.inside == "event":
            self.events[-1] += data
        elif self.inside == "label":
            self.labels[-1] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "li" and self.inside == "event" and self.depth:
            self.depth -= 1
        elif tag in ("li", "text"):
            self.inside = ""


def event(client: httpx.Client, path: str, named: str) -> str:
    """The text of the one event of this name on a page, its white space made even."""
    found = [" ".join(one.split()) for one in Items(client.get(path).text).events]
    (text,) = (one for one in found if named in one)
    return text


def test_every_meeting_session_and_milestone_is_an_event(service: httpx.Client) -> None:
    things = [
        one["id"]
        for name in ("meetings", "milestones")
        for one in service.get(f"/{name}.json?size=500").json()["items"]
    ]
    page = service.get("/timeline").text
    assert len(things) == 52
    for iri in things:
        assert f'href="/doc/{iri.removeprefix(f"{BASE}id/")}"' in page
    days = Items(page).events
    assert len(days) == len(things) + 2  # on two days papers were posted


def test_events_follow_one_another_and_those_without_a_day_come_last(service: httpx.Client) -> None:
    page = service.get("/timeline").text
    events = re.findall(r'<li class="event.*?</li>', page, re.DOTALL)
    first = [re.search(r'<time datetime="([^"]+)"', one.partition("</p>")[0]) for one in events]
    days = [one[1] for one in first if one]
    assert days == sorted(days)
    assert [bool(one) for one in first] == sorted((bool(one) for one in first), reverse=True)
    assert "Video link with Asian Civil Society Forum" in page.partition('id="no-day"')[2]


def test_what_was_late_is_said_in_words(service: httpx.Client) -> None:
    text = event(service, "/timeline", "Issue papers ready and on the website")
    assert "Due on 25 January 2005, came on 1 February 2005: 7 days late." in text
    assert "The day of delivery rests on: date given by FSFE for publication of the set." in text
    assert re.search(r"What came late:.*?Issue papers ready", service.get("/timeline").text, re.DOTALL)


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ("Common template for issue papers", "Due on 15 December 2004, came on 14 December 2004, in time."),
        ("First findings of the WGIG", "Due on 23 March 2005. Whether and when it came is not known."),
        ("Members announced", "Came on 11 November 2004. No day is known by which it was due."),
        ("Additional papers posted", "Due on June 2005."),
    ],
)
def test_what_is_known_of_a_milestone_is_said_and_what_is_not(
    service: httpx.Client, named: str, says: str
) -> None:
    assert says in event(service, "/timeline", named)


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ("WGIG 1st meeting, day 2", "Open to everybody Observers could speak"),
        ("WGIG 1st meeting, day 1", "Open to members No way to take part from afar is known"),
        ("WGIG 1st meeting, day 3", "closed meeting, open in part (planned as closed working meeting)"),
        ("WGIG 2nd meeting, plenary", "Open to observers Observers could not speak From afar: webcast"),
        ("WGIG 3rd meeting, open consultations", "From afar: real-time captioning"),
        ("WSIS PrepCom-1", "Who could attend is not known"),
    ],
)
def test_who_could_attend_and_how_is_said(service: httpx.Client, named: str, says: str) -> None:
    assert says in event(service, "/timeline", named)


def test_of_a_meeting_with_sessions_these_say_who_could_attend(service: httpx.Client) -> None:
    page = service.get("/timeline").text
    (meeting,) = re.findall(
        r'<li class="event meeting">(?:(?!</ul>).)*WGIG 1st meeting<.*?</ul>', page, re.DOTALL
    )
    assert "Who could attend" not in meeting.rpartition("WGIG 1st meeting<")[2]


def test_papers_of_a_day_are_counted_and_linked(service: httpx.Client) -> None:
    page = service.get("/timeline").text
    assert '<a href="/papers?posted=2005-02-01">18 papers posted</a>' in page
    assert service.get("/papers.json?posted=2005-02-01").json()["total"] == 18


def test_a_year_has_its_events_alone(service: httpx.Client) -> None:
    assert len(Items(service.get("/timeline?year=2003").text).events) == 2
    assert "Nothing is known of 1999" in service.get("/timeline?year=1999").text
    assert service.get("/timeline?year=soon").status_code == 400
    assert service.get("/timeline?year=2004&year=2005").status_code == 400


def test_the_picture_has_the_events_of_the_list_and_says_what_colors_say(service: httpx.Client) -> None:
    labels = Items(service.get("/timeline?year=2005").text).labels
    assert {"Issue papers ready and on the website, 7 days late", "18 papers posted"} <= set(labels)
    assert "WGIG 2nd meeting, plenary, open to observers" in labels
    assert {"Meetings", "Sessions", "Milestones", "Papers"} <= set(labels)


def test_marks_and_their_labels_do_not_cover_one_another() -> None:
    events = [
        build_papers_event(f"2005-{month:02}-{day:02}", 3) for month in range(1, 6) for day in range(1, 28, 3)
    ]
    (lane,) = build_timeline_chart(Timeline(events, {}, len(events), is_counted=True)).lanes
    rows: dict[int, list[tuple[float, float]]] = {}
    for one in lane.marks:
        room = len(one.label) * 6.4
        stretch = (one.x - room, one.end) if one.is_before else (one.x, one.end + room)
        assert all(stretch[1] < start or end < stretch[0] for start, end in rows.get(one.y, []))
        rows.setdefault(one.y, []).append(stretch)
    assert 1 < len(rows) < len(events)


def test_of_many_events_the_picture_has_the_first_and_says_so() -> None:
    events = [build_papers_event(f"{year}-01", 1) for year in range(1500, 1500 + MAX_CHART_MARKS + 1)]
    found = build_timeline_chart(Timeline(events, {}, len(events), is_counted=True))
    assert sum(len(lane.marks) for lane in found.lanes) == MAX_CHART_MARKS
    assert found.is_cut


def test_any_other_filter_leads_to_the_list(service: httpx.Client) -> None:
    for path in ("/timeline?timeliness=late", "/timeline?page=1", "/timeline?year=2005&type=Session"):
        page = service.get(path).text
        assert "<table" in page
        assert "In one picture" not in page
    assert service.get("/timeline", headers={"Accept": "application/json"}).json()["total"] > 50
    assert service.get("/timeline?_profile=all").status_code == 200


def test_names_that_mean_harm_are_shown_as_text(writable: httpx.Client) -> None:
    labels = ("<script>alert(1)</script>", "\u202eevil\u0001", "x" * 3_000, "\u0627" * 300)
    for number, label in enumerate(labels):
        text, date_ = json.dumps(label), f'"2005-01-0{number + 1}"^^xsd:date'
        data = f"<javascript:alert({number})> a :Meeting ; rdfs:label {text} ; schema:startDate {date_} ."
        answer = writable.post("/graph/x", content=PREFIXES + data, headers=TURTLE)
        assert answer.is_success, answer.text
    late = 'id:m a :Milestone ; :due "<b>" ; :delivered "soon" ; :daysLate "<i>" ; :timeliness <urn:x/late> .'
    writable.post("/graph/x", content=PREFIXES + late, headers=TURTLE)
    page = writable.get("/timeline", headers=PAGE).text
    assert "&lt;script&gt;" in page
    assert not re.search(r"<script>|<b>|<i>|href=\"javascript", page)
    assert max(map(len, Items(page).labels)) <= 70
    assert not [one for one in Items(page).labels if re.search("[\u202e\u0001]", one)]


def test_a_store_without_events_says_so_and_leads_on(closed: httpx.Client) -> None:
    page = closed.get("/timeline", headers=PAGE).text
    assert "Nothing is known that happened" in page
    assert 'href="/graphs"' in page
    assert "<svg" not in page


@pytest.mark.parametrize(
    ("text", "days", "words"),
    [
        ("2005-01-25", ("2005-01-25", "2005-01-25"), "25 January 2005"),
        ("2005-02", ("2005-02-01", "2005-02-28"), "February 2005"),
        ("2005", ("2005-01-01", "2005-12-31"), "2005"),
        ("2005-02-01Z", ("2005-02-01", "2005-02-01"), "1 February 2005"),
        ("2005-13", None, "2005-13"),
        ("0000", None, "0000"),
        ("soon", None, "soon"),
    ],
)
def test_a_date_may_be_a_month_or_a_year(text: str, days: tuple[str, str] | None, words: str) -> None:
    assert parse_date_span(text) == (days and tuple(map(date.fromisoformat, days)))
    assert format_date_text(text) == words


def test_papers_of_many_days_are_counted_by_month_or_year() -> None:
    few: dict[CellKey, int] = {
        ('"2005-02-01"',): 2,
        ('"2005-02-01"^^<urn:other>',): 1,
        ('"2005-02-01"', "urn:c"): 1,
        ("urn:x",): 9,
    }
    assert count_papers_by_day(few, "") == {"2005-02-01": 3}
    assert count_papers_by_day(few, "2004") == {}
    days: dict[CellKey, int] = {
        (f'"{year}-{month:02}-{day:02}"',): 1
        for year in (2004, 2005)
        for month in (1, 2)
        for day in range(1, 29)
    }
    assert count_papers_by_day(days, "") == {"2004-01": 28, "2004-02": 28, "2005-01": 28, "2005-02": 28}
    words: dict[CellKey, int] = {(f'"word {number}"',): 1 for number in range(300)}
    assert count_papers_by_day(words, "") == {"": 300}
