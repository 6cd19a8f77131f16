"""/timeline: events with their dates, audience and lateness, and the SVG chart."""

import html
import json
import re
from datetime import date
from html.parser import HTMLParser

import httpx2
import pyoxigraph as ox
import pytest
from wgig.lists.counts import CellKey
from wgig.lists.results import ListPage, parse_list_page
from wgig.lists.timeline import (
    LETTER_WIDTH_UNITS,
    MAX_CHART_MARKS,
    build_timeline_chart,
    render_timeline_events,
)
from wgig.lists.timeline_events import Timeline, build_papers_event, count_papers_by_day
from wgig.pages.rendering import format_date_text, parse_date_span
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.service import make_service_client

BASE = Settings.base
PREFIXES = (
    f"@prefix : <{BASE}ontology#> . @prefix id: <{BASE}id/> . @prefix schema: <https://schema.org/> . "
    "@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . "
    "@prefix xsd: <http://www.w3.org/2001/XMLSchema#> . "
)
TURTLE_HEADERS = {"Content-Type": "text/turtle"}
HTML_HEADERS = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def client(shipped_store: ox.Store) -> httpx2.Client:
    """A client of a service with the bundled data, which requests HTML."""
    return make_service_client(Settings(), Store(shipped_store), **HTML_HEADERS)


class TimelinePageParser(HTMLParser):
    """Extracts the text of each event on a page, and of each label in its chart."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.events: list[str] = []
        self.labels: list[str] = []
        self.element, self.depth = "", 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        classes = (dict(attrs).get("class") or "").split()
        if tag == "li" and "event" in classes:
            self.element, self.depth = "event", 0
            self.events.append("")
        elif tag == "li" and self.element == "event":
            self.depth += 1
        elif tag == "text":
            self.element = "label"
            self.labels.append("")

    def handle_data(self, data: str) -> None:
        if self.element == "event":
            self.events[-1] += data
        elif self.element == "label":
            self.labels[-1] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "li" and self.element == "event" and self.depth:
            self.depth -= 1
        elif tag in ("li", "text"):
            self.element = ""


def find_event_text(client: httpx2.Client, path: str, name: str) -> str:
    """The text, without extra white space, of the event with this name on a page."""
    events = [" ".join(event.split()) for event in TimelinePageParser(client.get(path).text).events]
    (text,) = (event for event in events if name in event)
    return text


def test_every_meeting_session_and_milestone_is_an_event(client: httpx2.Client) -> None:
    iris = [
        item["id"]
        for name in ("meetings", "milestones")
        for item in client.get(f"/{name}.json?size=500").json()["items"]
    ]
    page = client.get("/timeline").text
    assert len(iris) == 68  # in the bundled data
    for iri in iris:
        assert f'href="/doc/{iri.removeprefix(f"{BASE}id/")}"' in page
    events = TimelinePageParser(page).events
    assert len(events) == len(iris) + 2  # papers were posted on two days


def test_events_are_sorted_by_day_and_undated_events_come_last(client: httpx2.Client) -> None:
    page = client.get("/timeline").text
    events = re.findall(r'<li class="event.*?</li>', page, re.DOTALL)
    matches = [re.search(r'<time datetime="([^"]+)"', event.partition("</p>")[0]) for event in events]
    days = [match[1] for match in matches if match]
    assert days == sorted(days)
    is_dated = [bool(match) for match in matches]
    assert is_dated == sorted(is_dated, reverse=True)
    assert "Video link with Asian Civil Society Forum" in page.partition('id="no-day"')[2]


def test_page_states_how_late_a_milestone_was(client: httpx2.Client) -> None:
    text = find_event_text(client, "/timeline", "Issue papers ready and on the website")
    assert "Due: 25 January 2005. Delivered: 1 February 2005, 7 days late." in text
    assert "FSFE gives this date for the publication of the set." in text
    assert 'href="https://git.fsfe.org/FSFE/' in client.get("/timeline").text


@pytest.mark.parametrize("year", ["", "2005"])
def test_late_and_undelivered_milestones_are_filters_of_the_list(client: httpx2.Client, year: str) -> None:
    page = client.get("/timeline", params={"year": year} if year else {}).text
    links = re.findall(r'<a href="(/milestones[^"]*)">([^<]*) <span class="count">(\d+)<', page)
    assert [title for _, title, _ in links] == ["Delivered late", "Delivery not known"]
    for link, _, count in links:
        path, _, parameters = html.unescape(link).partition("?")
        assert client.get(f"{path}.json?{parameters}").json()["total"] == int(count) > 0


def test_every_year_is_in_reach_of_every_year(client: httpx2.Client) -> None:
    for path in ("/timeline", "/timeline?year=2004"):
        years = re.findall(r'<li><a href="/timeline\?year=(\d+)"', client.get(path).text)
        assert years == ["2003", "2004", "2005"]


def test_legend_has_only_what_is_in_the_chart(client: httpx2.Client) -> None:
    for path in ("/timeline", "/timeline?year=2003"):
        page = client.get(path).text
        legend = set(re.findall(r'swatch (mark-\w+)"', page))
        assert legend == set(re.findall(r'<rect class="(mark-\w+)"', page))


def test_bars_link_to_their_events_and_lateness_has_a_pattern(client: httpx2.Client) -> None:
    page = client.get("/timeline").text
    chart = page.partition('<svg class="chart"')[2].partition("</svg>")[0]
    paths = re.findall(r'<a href="([^"]*)" tabindex="-1">\s*<rect', chart)
    assert len(paths) == chart.count("<rect") - 2 > 50  # without the two of the pattern
    assert {path for path in paths if not path.startswith("/doc/")} == {
        "/papers?posted=2005-02-01",
        "/papers?posted=2005-04-18",
    }
    event_list = page.partition("</svg>")[2].partition("</main>")[0]
    assert all(f'href="{path}"' in event_list for path in paths)
    (late_bar,) = re.findall(r'<rect class="mark-late"[^>]*>', chart)
    assert 'fill="url(#hatch)"' in late_bar


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (
            "Common template for issue papers",
            "Due: 15 December 2004. Delivered on time: 14 December 2004.",
        ),
        ("First findings of the WGIG", "Due: 23 March 2005. We do not know if or when it was delivered."),
        ("Members announced", "Happened on 11 November 2004."),
        ("WGIG secretariat established", "Happened in July 2004."),
        ("Public comments on the issue papers close", "Deadline: 11 February 2005."),
        ("Second round of open", "Planned for 15 February 2005 to 16 February 2005. Held as planned."),
        ("Assessment papers (clusters) available", "Delivered by 15 April 2005."),
        ("milestone Background Report", "Delivered: 18 July 2005."),
        ("Additional papers posted", "Due: June 2005."),
    ],
)
def test_page_states_known_and_unknown_dates_of_a_milestone(
    client: httpx2.Client, name: str, sentence: str
) -> None:
    assert sentence in find_event_text(client, "/timeline", name)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("WGIG 1st meeting, day 2", "Open to everybody Observers could speak"),
        ("WGIG 1st meeting, day 1", "Open to members No remote participation that we know of"),
        ("WGIG 1st meeting, day 3", "closed meeting, open in part (planned as closed working meeting)"),
        (
            "WGIG 2nd meeting, plenary",
            "Open to observers Observers could not speak Remote participation: webcast",
        ),
        ("WGIG 3rd meeting, open consultations", "Remote participation: real-time captioning"),
        ("WSIS PrepCom-1", "Who could attend: not known"),
    ],
)
def test_page_states_who_could_attend_a_session(client: httpx2.Client, name: str, sentence: str) -> None:
    assert sentence in find_event_text(client, "/timeline", name)


def test_meeting_with_different_sessions_says_so(client: httpx2.Client) -> None:
    page = client.get("/timeline").text
    (meeting,) = re.findall(
        r'<li class="event meeting">(?:(?!</ul>).)*WGIG 1st meeting<.*?</ul>', page, re.DOTALL
    )
    assert "Who could attend: differs by session" in meeting.rpartition("WGIG 1st meeting<")[2]


def test_papers_are_counted_per_day_with_a_link(client: httpx2.Client) -> None:
    page = client.get("/timeline").text
    assert '<a href="/papers?posted=2005-02-01">18 papers posted</a>' in page
    assert client.get("/papers.json?posted=2005-02-01").json()["total"] == 18


def test_year_filters_events(client: httpx2.Client) -> None:
    assert len(TimelinePageParser(client.get("/timeline?year=2003").text).events) == 2
    assert "We know of no events in 1999" in client.get("/timeline?year=1999").text
    assert client.get("/timeline?year=soon").status_code == 400
    assert client.get("/timeline?year=2004&year=2005").status_code == 400


def test_chart_labels_have_events_and_the_meaning_of_colors(client: httpx2.Client) -> None:
    labels = TimelinePageParser(client.get("/timeline?year=2005").text).labels
    assert {"Issue papers ready and on the website, 7 days late", "18 papers posted"} <= set(labels)
    assert "2nd meeting, plenary, open to observers" in labels
    assert len(set(labels)) == len(labels)  # long names are told apart
    assert {"Meetings", "Sessions", "Milestones", "Papers"} <= set(labels)


def test_labels_of_the_summits_in_the_chart_differ(client: httpx2.Client) -> None:
    labels = TimelinePageParser(client.get("/timeline", headers=HTML_HEADERS).text).labels
    for phase in ("Geneva", "Tunis"):
        assert any(re.fullmatch(rf"World Summit on the I\w+…, {phase} phase", label) for label in labels)


def test_marks_and_labels_in_the_chart_do_not_overlap() -> None:
    events = [
        build_papers_event(f"2005-{month:02}-{day:02}", 3) for month in range(1, 6) for day in range(1, 28, 3)
    ]
    (lane,) = build_timeline_chart(Timeline(events, labels={}, total=len(events), is_counted=True)).lanes
    spans_by_row: dict[int, list[tuple[float, float]]] = {}
    for mark in lane.marks:
        label_width = len(mark.label) * LETTER_WIDTH_UNITS
        # The label is before or after the mark.
        span = (mark.x - label_width, mark.end) if mark.is_before else (mark.x, mark.end + label_width)
        assert all(span[1] < start or end < span[0] for start, end in spans_by_row.get(mark.y, []))
        spans_by_row.setdefault(mark.y, []).append(span)
    assert 1 < len(spans_by_row) < len(events)


def test_chart_has_only_the_first_of_many_events() -> None:
    events = [build_papers_event(f"{year}-01", 1) for year in range(1500, 1500 + MAX_CHART_MARKS + 1)]
    chart = build_timeline_chart(Timeline(events, labels={}, total=len(events), is_counted=True))
    assert sum(len(lane.marks) for lane in chart.lanes) == MAX_CHART_MARKS
    assert chart.is_cut


def test_page_with_another_filter_is_the_list(client: httpx2.Client) -> None:
    for path in ("/timeline?timeliness=late", "/timeline?page=1", "/timeline?year=2005&type=Session"):
        page = client.get(path).text
        assert "<table" in page
        assert "In one picture" not in page  # the heading of the chart
    assert client.get("/timeline", headers={"Accept": "application/json"}).json()["total"] > 50
    assert client.get("/timeline?_profile=all").status_code == 200


def test_malicious_labels_are_escaped(writable_client: httpx2.Client) -> None:
    labels = ("<script>alert(1)</script>", "\u202eevil\u0001", "x" * 3_000, "\u0627" * 300)
    for number, label in enumerate(labels):
        literal, date_literal = json.dumps(label), f'"2005-01-0{number + 1}"^^xsd:date'
        turtle = (
            f"<javascript:alert({number})> a :Meeting ;"
            f" rdfs:label {literal} ; schema:startDate {date_literal} ."
        )
        response = writable_client.post("/graph/x", content=PREFIXES + turtle, headers=TURTLE_HEADERS)
        assert response.is_success, response.text
    milestone = (
        'id:m a :Milestone ; :due "<b>" ; :delivered "soon" ; :daysLate "<i>" ; :timeliness <urn:x/late> .'
    )
    writable_client.post("/graph/x", content=PREFIXES + milestone, headers=TURTLE_HEADERS)
    page = writable_client.get("/timeline", headers=HTML_HEADERS).text
    assert "&lt;script&gt;" in page
    assert not re.search(r"<script>|<b>|<i>|href=\"javascript", page)
    assert max(map(len, TimelinePageParser(page).labels)) <= 70  # long labels are truncated
    assert not [label for label in TimelinePageParser(page).labels if re.search("[\u202e\u0001]", label)]


def test_page_is_rendered_again_only_after_a_change_of_an_event(writable_client: httpx2.Client) -> None:
    """The engine returns the rows of an event in any order."""
    session = "id:session\\/s a :Session ; schema:startDate '2004-11-23'^^xsd:date ; :place id:place\\/a"

    def put(name: str, statements: str) -> None:
        response = writable_client.put(
            f"/graph/{name}", content=f"{PREFIXES} {statements} .", headers=TURTLE_HEADERS
        )
        assert response.is_success, response.text

    def count_renderings() -> int:
        return render_timeline_events.cache_info().misses

    put("meetings", f"{session} ; rdfs:label 'First name'@en , 'Erster Name'@de , 'Nom'@fr")
    assert "First name" in writable_client.get("/timeline", headers=HTML_HEADERS).text
    before = count_renderings()
    for number in range(5):
        put("test", f"<x:s> <x:p> {number}")
        assert "First name" in writable_client.get("/timeline", headers=HTML_HEADERS).text
    assert count_renderings() == before
    put("places", "id:place\\/a rdfs:label 'Somewhere'@en")
    assert "Somewhere" in writable_client.get("/timeline", headers=HTML_HEADERS).text
    put("meetings", f"{session} ; rdfs:label 'Second name'@en")
    page = writable_client.get("/timeline", headers=HTML_HEADERS).text
    assert "Second name" in page
    assert "First name" not in page


def test_page_of_a_store_without_events_links_to_graphs(read_only_client: httpx2.Client) -> None:
    page = read_only_client.get("/timeline", headers=HTML_HEADERS).text
    assert "There are no meetings, milestones or papers yet" in page
    assert 'href="/graphs"' in page
    assert "<svg" not in page.partition("<main")[2]


@pytest.mark.parametrize(
    ("text", "days", "formatted"),
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
def test_dates_are_days_months_or_years(text: str, days: tuple[str, str] | None, formatted: str) -> None:
    assert parse_date_span(text) == (days and tuple(map(date.fromisoformat, days)))
    assert format_date_text(text) == formatted


def test_papers_of_many_days_are_counted_by_month_or_year() -> None:
    counts: dict[CellKey, int] = {
        ('"2005-02-01"',): 2,
        ('"2005-02-01"^^<urn:other>',): 1,
        ('"2005-02-01"', "urn:c"): 1,
        ("urn:x",): 9,
    }
    assert count_papers_by_day(counts, "") == {"2005-02-01": 3}  # "": in any year
    assert count_papers_by_day(counts, "2004") == {}
    counts_of_112_days: dict[CellKey, int] = {
        (f'"{year}-{month:02}-{day:02}"',): 1
        for year in (2004, 2005)
        for month in (1, 2)
        for day in range(1, 29)
    }
    counts_by_month = {"2004-01": 28, "2004-02": 28, "2005-01": 28, "2005-02": 28}
    assert count_papers_by_day(counts_of_112_days, "") == counts_by_month
    counts_of_invalid_dates: dict[CellKey, int] = {(f'"word {number}"',): 1 for number in range(300)}
    assert count_papers_by_day(counts_of_invalid_dates, "") == {"": 300}


def test_rows_of_a_resource_in_any_order_are_the_same_page() -> None:
    """The engine orders them by hashes, which differ in each evaluation."""
    head, total = "?total\t?id\t?field\t?value\t?label", "2\t\t\t\t"
    first = [f'\t<x:a>\t"label"\t<x:v{number}>\t"L"@en' for number in range(3)]
    second = [f'\t<x:b>\t"when"\t"{number}"\t' for number in range(3)]

    def parse(*rows: str) -> ListPage:
        return parse_list_page("\n".join([head, total, *rows, ""]).encode())

    page = parse(*first, *second)
    assert [*page.resources] == ["x:a", "x:b"]
    assert parse(*first[::-1], *second[1:], second[0]) is page
    assert [*parse(*second, *first).resources] == ["x:b", "x:a"]
