"""Feeds, the calendar and the sitemap, as readers of each of them find them."""

import re
from datetime import UTC, date, datetime
from typing import Any
from xml.etree import ElementTree as ET

import feedparser
import httpx
import icalendar
import pytest
from wgig.about import well_known
from wgig.feeds import news
from wgig.settings import Settings
from wgig.sparql.examples import list_example_queries
from wgig.store.store import Store

from tests.fixtures.service import service_of, writer_of
from tests.fixtures.triples import put_turtle

BASE = Settings.base
PREFIXES = """
@prefix issue: <https://w3id.org/wgig/id/issue/> . @prefix paper: <https://w3id.org/wgig/id/paper/> .
@prefix meeting: <https://w3id.org/wgig/id/meeting/> . @prefix place: <https://w3id.org/wgig/id/place/> .
@prefix dcterms: <http://purl.org/dc/terms/> .
@prefix milestone: <https://w3id.org/wgig/id/milestone/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix schema: <https://schema.org/> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> . @prefix wgig: <https://w3id.org/wgig/ontology#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""
EMPTY = ("/ontology", "/shapes")  # where these are not loaded
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


@pytest.fixture
def client() -> httpx.Client:
    """A client that may write, of a service that follows what is written."""
    found = writer_of(Store.in_memory(), write_profile="off")
    assert found.get("/changes").status_code == 200
    return found


def put_data(client: httpx.Client, content: str, path: str = "/graph/one") -> None:
    put_turtle(client, PREFIXES + content, path)


def feed(client: httpx.Client, path: str) -> Any:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    found = feedparser.parse(answer.content)
    assert not found.bozo
    return found


def entries(client: httpx.Client, path: str) -> dict[str, str]:
    """The titles of the entries by their ids."""
    return {one.id: one.title for one in feed(client, path).entries}


def test_a_feed_lists_what_changed_last_first(client: httpx.Client) -> None:
    put_data(
        client, 'issue:spam a wgig:Issue ; skos:prefLabel "Spam"@en . paper:p rdfs:label "On <spam> & more" .'
    )
    put_data(client, 'issue:worms skos:prefLabel "Worms"@en .', "/graph/two")
    assert list(entries(client, "/feed.atom").items()) == [
        (f"{BASE}id/issue/worms", "Worms"),
        (f"{BASE}id/paper/p", "On <spam> & more"),
        (f"{BASE}id/issue/spam", "Spam"),
    ]
    assert entries(client, "/feed/paper.atom") == {f"{BASE}id/paper/p": "On <spam> & more"}


def test_an_entry_says_when_its_thing_changed_and_leads_to_its_page(client: httpx.Client) -> None:
    put_data(client, 'issue:spam skos:prefLabel "Spam"@en .')
    put_data(client, 'issue:spam skos:prefLabel "Junk mail"@en .')
    found = feed(client, "/feed.atom")
    (entry,) = found.entries
    when = client.get("/sparql", params={"query": LAST}, headers={"Accept": "text/csv"}).text.split()[1]
    assert datetime.fromisoformat(entry.updated) == datetime.fromisoformat(when)
    assert found.feed.updated == entry.updated
    assert entry.link == "http://localhost/doc/issue/spam"
    assert client.get(entry.link).status_code == 200
    assert entry.summary == "Issues: changed."


LAST = f"""SELECT (MAX(?at) AS ?last) {{ GRAPH <{BASE}graph/history> {{
?write <http://www.w3.org/ns/prov#endedAtTime> ?at }} }}"""


def test_a_thing_that_is_gone_is_told_so(client: httpx.Client) -> None:
    put_data(client, 'issue:spam skos:prefLabel "Spam"@en .')
    client.delete("/graph/one")
    assert not entries(client, "/feed.atom")
    text = client.get("/feed.atom").text
    assert re.search(f'<at:deleted-entry ref="{BASE}id/issue/spam" when="', text)


def test_pages_of_a_feed_lead_to_all_entries(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("news", "query_feed"):
        monkeypatch.setattr(f"wgig.feeds.{module}.ENTRIES_PER_FEED_PAGE", 3)
    put_data(client, " . ".join(f'issue:i{number} skos:prefLabel "{number}"' for number in range(8)) + " .")
    seen, path = [], "/feed.atom"
    while path:
        found = feed(client, path)
        seen += [one.id for one in found.entries]
        links = {one.rel: one.href for one in found.feed.links}
        assert links["self"] == f"http://localhost{path}"
        path = links.get("next", "").removeprefix("http://localhost")
    assert len(seen) == len(set(seen)) == 8
    assert news.ENTRIES_PER_FEED_PAGE == 3


def test_the_feed_of_a_query_has_an_entry_for_each_row_with_a_date(client: httpx.Client) -> None:
    put_data(client, 'issue:spam skos:prefLabel "Spam"@en .')
    found = feed(client, "/feed/query/who-wrote-what.atom")
    (entry,) = found.entries
    assert "graph: https://w3id.org/wgig/graph/one" in entry.summary
    assert entry.link == "http://localhost/graph/one"
    assert entries(client, "/feed/query/who-wrote-what.atom") == {entry.id: entry.title}
    put_data(client, 'issue:worms skos:prefLabel "Worms"@en .', "/graph/two")
    assert [one.id for one in feed(client, "/feed/query/who-wrote-what.atom").entries][1] == entry.id


def test_a_query_with_a_date_negotiates_to_its_feed(client: httpx.Client) -> None:
    put_data(client, 'issue:spam skos:prefLabel "Spam"@en .')
    put_data(client, 'issue:worms skos:prefLabel "Worms"@en .', "/graph/two")
    chosen = client.get(f"/feed/query/who-wrote-what.atom?graph={BASE}graph/one")
    assert len(feedparser.parse(chosen.content).entries) == 1
    asked = [
        (f"/queries/who-wrote-what.atom?graph={BASE}graph/one", "*/*"),
        (f"/queries/who-wrote-what?graph={BASE}graph/one", "application/atom+xml"),
        (f"/queries/who-wrote-what?_mediatype=atom&graph={BASE}graph/one", "text/csv"),
    ]
    for path, accept in asked:
        answer = client.get(path, headers={"Accept": accept})
        assert answer.content == chosen.content
        assert answer.headers["content-location"] == f"/feed/query/who-wrote-what.atom?graph={BASE}graph/one"
    assert client.get("/queries/coverage-matrix.atom").status_code == 406


def test_pages_of_the_feed_of_a_query_keep_the_values_that_were_asked_for(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wgig.feeds.query_feed.ENTRIES_PER_FEED_PAGE", 1)
    for name in ("Spam", "Junk", "Mail"):
        put_data(client, f'issue:spam skos:prefLabel "{name}"@en .')
    put_data(client, 'issue:worms skos:prefLabel "Worms"@en .', "/graph/two")
    chosen = f"/queries/who-wrote-what.atom?graph={BASE}graph/one"
    links = {one.rel: one.href for one in feed(client, chosen).feed.links}
    assert links["next"] == f"http://localhost/feed/query/who-wrote-what.atom?graph={BASE}graph/one&page=2"
    assert len(feed(client, f"{chosen}&page=3").entries) == 1
    assert client.get(f"{chosen}&page=4").status_code == 404


def test_a_feed_has_no_pages_of_another_feed(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wgig.feeds.news.ENTRIES_PER_FEED_PAGE", 1)
    for number, thing in enumerate(("issue:spam", "issue:worms", "paper:a", "paper:b")):
        put_data(client, f'{thing} skos:prefLabel "{thing}"@en .', f"/graph/{number}")
    following = {one: cursor(client, f"/feed/{one}.atom") for one in ("issue", "paper")}
    assert client.get(f"/feed/issue.atom?before={following['issue']}").status_code == 200
    refused = client.get(f"/feed/issue.atom?before={following['paper']}")
    assert refused.status_code == 404
    assert f"The feed has no page before {following['paper']}." in refused.json()["detail"]
    put_data(client, 'paper:b skos:prefLabel "B"@en .', "/graph/3")
    put_data(client, 'issue:worms skos:prefLabel "Worm"@en .', "/graph/1")
    assert client.get(f"/feed/issue.atom?before={following['issue']}").status_code == 200


def cursor(client: httpx.Client, path: str) -> str:
    """Where the next page of a feed begins."""
    links = {one.rel: one.href for one in feed(client, path).feed.links}
    return str(links["next"]).partition("before=")[2]


@pytest.mark.parametrize("name", [one.name for one in list_example_queries() if one.date_variable])
def test_a_query_of_which_there_is_a_feed_has_the_variable_of_its_date(name: str) -> None:
    (query,) = (one for one in list_example_queries() if one.name == name)
    assert f"?{query.date_variable}" in query.text.partition("SELECT")[2].partition("WHERE")[0]


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/feed/nothing.atom", 404, "There are /feed.atom"),
        ("/feed/issue", 404, "/feed/issue.atom"),
        ("/feed/issue.rss", 404, "/feed/issue.atom"),
        ("/feed.atom?page=2", 400, "There is no parameter 'page' here. There are: before."),
        ("/feed.atom?before=x", 400, "before is 'x'"),
        ("/feed.atom?before=0", 400, "before is '0'"),
        ("/feed.atom?before=-1", 400, "before is '-1'"),
        ("/feed.atom?before=", 400, "before is ''"),
        ("/feed.atom?before=%C2%B2", 400, "not a page"),
        (f"/feed.atom?before={'9' * 5000}", 400, "before is '999"),
        ("/feed.atom?before=1&before=2", 400, "The parameter before is given 2 times. Give it once."),
        ("/feed.atom?before=1", 404, "The feed has no page before 1. Its first page: /feed.atom"),
        (f"/feed/issue.atom?before={'9' * 18}", 404, "Its first page: /feed/issue.atom"),
        ("/feed/query/coverage-matrix.atom", 404, "Queries with dated rows have one"),
        ("/feed/query/who-wrote-what.atom?page=9", 404, "The feed has no page 9."),
        ("/meetings.ics?kind=session", 400, "There are none."),
        ("/sitemap.xml?x", 400, "There is no parameter 'x' here."),
        ("/sitemap/2.xml", 404, "/sitemap.xml lists all sitemaps."),
        ("/sitemap/01.xml", 404, "/sitemap.xml lists all sitemaps."),
        ("/sitemap/x.xml", 400, "is 'x'"),
    ],
)
def test_what_is_not_there_is_refused_in_words(
    client: httpx.Client, path: str, status: int, said: str
) -> None:
    put_data(client, 'issue:spam skos:prefLabel "Spam"@en .')
    answer = client.get(path)
    assert answer.status_code == status
    assert said in answer.json()["detail"]


def test_a_text_that_xml_cannot_hold_breaks_no_feed(client: httpx.Client) -> None:
    put_data(client, 'issue:spam skos:prefLabel "Sp\\u0001am"@en .')
    assert entries(client, "/feed.atom") == {f"{BASE}id/issue/spam": "Sp\ufffdam"}


MEETINGS = """
meeting:m a wgig:Meeting ; rdfs:label "Meeting; with, signs" ; schema:startDate "2005-02-14"^^xsd:date ;
  schema:endDate "2005-02-18"^^xsd:date ; skos:note "back to back" ; wgig:venue "Palais" .
meeting:s a wgig:Session ; rdfs:label "Closed" ; schema:startDate "2005-02-17"^^xsd:date ;
  schema:endDate "2005-02-18"^^xsd:date ;
  wgig:startTime "10:00:00"^^xsd:time ; wgig:endTime "18:00:00"^^xsd:time .
meeting:zone a wgig:Session ; rdfs:label "Call" ; schema:startDate "2005-03-01"^^xsd:date ;
  wgig:startTime "10:00:00+01:00"^^xsd:time ; wgig:endTime "11:00:00+01:00"^^xsd:time .
meeting:month a wgig:Meeting ; rdfs:label "Some day" ; schema:startDate "2005-05"^^xsd:gYearMonth .
milestone:due a wgig:Milestone ; rdfs:label "Papers due" ; wgig:dueFrom "2005-01-24"^^xsd:date ;
  wgig:due "2005-01-25"^^xsd:date ; wgig:delivered "2005-02-01"^^xsd:date .
milestone:came a wgig:Milestone ; rdfs:label "Members announced" ; wgig:delivered "2004-11-11"^^xsd:date .
"""


def events(client: httpx.Client) -> dict[str, icalendar.Event]:
    """The events of the calendar by their titles."""
    answer = client.get("/meetings.ics")
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    found = icalendar.Calendar.from_ical(answer.content)
    assert isinstance(found, icalendar.Calendar)
    return {str(one["summary"]): one for one in found.walk("VEVENT") if isinstance(one, icalendar.Event)}


def test_a_calendar_has_whole_days_and_hours_as_the_data_has_them(client: httpx.Client) -> None:
    put_data(client, MEETINGS)
    found = events(client)
    spans = {title: (one.decoded("dtstart"), one.decoded("dtend")) for title, one in found.items()}
    assert spans == {
        "Meeting; with, signs": (date(2005, 2, 14), date(2005, 2, 19)),
        "Closed": (datetime(2005, 2, 17, 10), datetime(2005, 2, 17, 18)),
        "Call": (
            datetime.fromisoformat("2005-03-01T10:00+01:00"),
            datetime.fromisoformat("2005-03-01T11:00+01:00"),
        ),
        "Papers due": (date(2005, 1, 24), date(2005, 1, 26)),
        "Members announced": (date(2004, 11, 11), date(2004, 11, 12)),
    }
    assert found["Closed"]["rrule"] == {"FREQ": ["DAILY"], "COUNT": [2]}
    assert found["Meeting; with, signs"]["location"] == "Palais"
    assert found["Papers due"]["categories"].to_ical() == b"Deadline"
    assert found["Members announced"]["categories"].to_ical() == b"Milestone"


HELD = """
meeting:geneva a wgig:Session ; rdfs:label "In winter" ; schema:startDate "2005-02-14"^^xsd:date ;
  wgig:startTime "10:00:00"^^xsd:time ; wgig:endTime "18:00:00"^^xsd:time ; wgig:place place:geneva .
meeting:summer a wgig:Session ; rdfs:label "In summer" ; schema:startDate "2005-06-14"^^xsd:date ;
  wgig:startTime "10:00:00"^^xsd:time ; wgig:endTime "18:00:00"^^xsd:time ; wgig:place place:geneva .
meeting:wide a wgig:Session ; rdfs:label "Somewhere in a wide country" ;
  schema:startDate "2005-03-01"^^xsd:date ; wgig:place place:US ;
  wgig:startTime "10:00:00"^^xsd:time ; wgig:endTime "11:00:00"^^xsd:time .
meeting:both a wgig:Session ; rdfs:label "In two countries" ;
  schema:startDate "2005-03-01"^^xsd:date ; wgig:place place:geneva , place:TN ;
  wgig:startTime "10:00:00"^^xsd:time ; wgig:endTime "11:00:00"^^xsd:time .
place:geneva dcterms:isPartOf place:CH . place:CH a wgig:Country . place:US a wgig:Country .
place:TN a wgig:Country .
"""


def test_hours_are_those_of_the_clocks_where_a_meeting_is_held(client: httpx.Client) -> None:
    put_data(client, HELD)
    found = events(client)
    began: dict[str, Any] = {title: one["dtstart"] for title, one in found.items()}
    assert began["In winter"].params["tzid"] == "Europe/Zurich"
    assert began["In winter"].dt.astimezone(UTC) == datetime(2005, 2, 14, 9, tzinfo=UTC)
    assert began["In summer"].dt.astimezone(UTC) == datetime(2005, 6, 14, 8, tzinfo=UTC)
    assert began["Somewhere in a wide country"].dt == datetime(2005, 3, 1, 10)
    assert began["In two countries"].dt == datetime(2005, 3, 1, 10)


def test_a_calendar_brings_the_zones_that_it_names_and_no_others(client: httpx.Client) -> None:
    put_data(client, MEETINGS)
    assert "VTIMEZONE" not in client.get("/meetings.ics").text
    put_data(client, HELD, "/graph/two")
    text = client.get("/meetings.ics").text
    assert text.count("TZID:Europe/Zurich\r\n") == 1
    zones = text.replace("\r\n ", "").partition("TZID:Europe/Zurich\r\n")[2].partition("END:VTIMEZONE")[0]
    forward, back = (zones.partition(one)[2] for one in ("BEGIN:DAYLIGHT", "DTSTART:19810927"))
    assert "DTSTART:19810329T020000" in forward
    assert ",20050327T020000," in forward
    assert ",20051030T030000," in back


def test_an_event_keeps_its_name_and_says_when_it_changed(client: httpx.Client) -> None:
    put_data(client, MEETINGS)
    before = events(client)["Closed"]
    assert before["uid"] == "id/meeting/s@w3id.org"
    put_data(client, MEETINGS.replace("Closed", "Closed to all"))
    after = events(client)["Closed to all"]
    assert after["uid"] == before["uid"]
    when = client.get("/sparql", params={"query": LAST}, headers={"Accept": "text/csv"}).text.split()[1]
    assert after.decoded("dtstamp") == datetime.fromisoformat(when).astimezone(UTC).replace(microsecond=0)


def test_a_sitemap_lists_pages_that_are_there_with_what_is_known_of_their_time(client: httpx.Client) -> None:
    put_data(
        client, 'issue:spam skos:prefLabel "Spam"@en . <https://example.org/elsewhere> rdfs:label "None" .'
    )
    urls = ET.fromstring(client.get("/sitemap.xml").content).findall(f"{SITEMAP}url")
    found = {one.findtext(f"{SITEMAP}loc", ""): one.findtext(f"{SITEMAP}lastmod") for one in urls}
    assert found["http://localhost/doc/issue/spam"]
    assert found["http://localhost/"] is None
    assert "https://example.org/elsewhere" not in found
    here = [one.removeprefix("http://localhost") for one in found if not one.endswith(EMPTY)]
    assert {client.get(one).status_code for one in here} == {200}


def test_a_sitemap_lists_what_people_read_and_not_what_the_service_says_of_its_work(
    client: httpx.Client,
) -> None:
    put_data(client, f'issue:spam skos:prefLabel "Spam"@en . <{BASE}id/identifier/x1> rdfs:label "X1" .')
    text = client.get("/sitemap.xml").text
    for place in ("", "papers", "issues", "timeline", "coverage", "queries"):
        assert f"<loc>http://localhost/{place}</loc>" in text
    assert "/doc/issue/spam<" in text
    written = client.get("/sparql", params={"query": WRITES}, headers={"Accept": "text/csv"}).text.split()[1:]
    assert written
    for iri in (*written, f"{BASE}id/identifier/x1"):
        assert client.get(f"/{iri.removeprefix(BASE).replace('id/', 'doc/', 1)}").status_code == 200
        assert iri.removeprefix(f"{BASE}id/") not in text


WRITES = f"""SELECT ?write {{ GRAPH <{BASE}graph/history> {{ ?write a ?type
FILTER STRSTARTS(STR(?write), "{BASE}id/write/") }} }}"""


def test_what_was_there_before_anybody_looked_has_no_time_in_the_sitemap() -> None:
    store = Store.in_memory()
    store.update(f"INSERT DATA {{ <{BASE}id/issue/old> a <x:A> }}")
    text = service_of(Settings(), store).get("/sitemap.xml").text
    assert "/doc/issue/old" in text
    assert "<lastmod>" not in text


def test_many_pages_are_listed_in_several_files(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_data(client, " . ".join(f'issue:i{number} skos:prefLabel "{number}"' for number in range(8)) + " .")
    monkeypatch.setattr(well_known, "MAX_SITEMAP_RESOURCES", 3)
    index = ET.fromstring(client.get("/sitemap.xml").content)
    places = [str(one.text).removeprefix("http://localhost") for one in index.iter(f"{SITEMAP}loc")]
    listed = [
        str(one.text)
        for place in places
        for one in ET.fromstring(client.get(place).content).iter(f"{SITEMAP}loc")
    ]
    assert len(listed) == len(set(listed))
    assert len([one for one in listed if "/doc/issue/i" in one]) == 8
