"""Feeds, calendar and sitemap, read with the parsers of their formats."""

import re
from datetime import UTC, date, datetime
from typing import Any
from xml.etree import ElementTree as ET

import feedparser
import httpx2
import icalendar
import pytest
from wgig.about import well_known
from wgig.settings import Settings
from wgig.sparql.examples import list_example_queries
from wgig.store.resource_versions import projection
from wgig.store.store import Store

from tests.fixtures.service import make_service_client, make_store_client, make_writer_client
from tests.fixtures.triples import parse_triples, put_turtle

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
MISSING_PAGE_SUFFIXES = ("/ontology", "/shapes", "/catalog")  # of URLs that need the bundled graphs
SITEMAP_NAMESPACE = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


@pytest.fixture
def client() -> httpx2.Client:
    """A client with a write token, of a service with an empty store and versions of resources."""
    client = make_writer_client(Store.in_memory(), write_profile="off")
    assert client.get("/changes").status_code == 200
    return client


def put_data(client: httpx2.Client, content: str, path: str = "/graph/one") -> None:
    put_turtle(client, PREFIXES + content, path)


def get_feed(client: httpx2.Client, path: str) -> Any:
    response = client.get(path)
    assert response.status_code == 200, response.text
    feed = feedparser.parse(response.content)
    assert not feed.bozo
    return feed


def get_titles_by_id(client: httpx2.Client, path: str) -> dict[str, str]:
    """The titles of the entries of a feed by id."""
    return {entry.id: entry.title for entry in get_feed(client, path).entries}


def test_a_feed_lists_the_last_change_first(client: httpx2.Client) -> None:
    put_data(
        client, 'issue:spam a wgig:Issue ; skos:prefLabel "Spam"@en . paper:p rdfs:label "On <spam> & more" .'
    )
    put_data(client, 'issue:worms skos:prefLabel "Worms"@en .', "/graph/two")
    assert list(get_titles_by_id(client, "/feed.atom").items()) == [
        (f"{BASE}id/issue/worms", "Worms"),
        (f"{BASE}id/paper/p", "On <spam> & more"),
        (f"{BASE}id/issue/spam", "Spam"),
    ]
    assert get_titles_by_id(client, "/feed/paper.atom") == {f"{BASE}id/paper/p": "On <spam> & more"}


def test_an_entry_has_the_time_of_the_change_and_links_to_the_page(client: httpx2.Client) -> None:
    put_data(client, 'issue:spam skos:prefLabel "Spam"@en .')
    put_data(client, 'issue:spam skos:prefLabel "Junk mail"@en .')
    feed = get_feed(client, "/feed.atom")
    (entry,) = feed.entries
    write_time = client.get(
        "/sparql", params={"query": LAST_WRITE_QUERY}, headers={"Accept": "text/csv"}
    ).text.split()[1]
    assert datetime.fromisoformat(entry.updated) == datetime.fromisoformat(write_time)
    assert feed.feed.updated == entry.updated
    assert entry.link == "http://localhost/doc/issue/spam"
    assert client.get(entry.link).status_code == 200
    assert entry.summary == "Changed in “Issues”."
    assert feed.feed.title == "WGIG knowledge graph: what changed"
    assert "add the address of this page to a feed reader" in feed.feed.subtitle
    assert "http://localhost/changes" in [link.href for link in feed.feed.links if link.rel == "alternate"]


LAST_WRITE_QUERY = f"""SELECT (MAX(?at) AS ?last) {{ GRAPH <{BASE}graph/history> {{
?write <http://www.w3.org/ns/prov#endedAtTime> ?at }} }}"""


def test_a_deleted_resource_has_a_deleted_entry(client: httpx2.Client) -> None:
    put_data(client, 'issue:spam skos:prefLabel "Spam"@en .')
    client.delete("/graph/one")
    assert not get_titles_by_id(client, "/feed.atom")
    text = client.get("/feed.atom").text
    assert re.search(f'<at:deleted-entry ref="{BASE}id/issue/spam" when="', text)


SPAM, WORMS, SESSION = (f"{BASE}id/{path}" for path in ("issue/spam", "issue/worms", "meeting/s"))
INVERSE_RULE = "CONSTRUCT { ?o <x:inverse> ?s } WHERE { ?s <x:related> ?o }"


@pytest.fixture
def inferring_store() -> Store:
    """A store with an issue and a meeting, which infers that a resource is related to another one."""
    store = Store.in_memory([INVERSE_RULE], f"{BASE}graph/inferred")
    triples = parse_triples(f"""{PREFIXES}
        issue:spam skos:prefLabel "Spam"@en .
        meeting:s a wgig:Session ; rdfs:label "Session" ; schema:startDate "2005-06-14"^^xsd:date .""")
    store.replace({"x:g": triples})
    return store


@pytest.fixture
def inferring_client(inferring_store: Store) -> httpx2.Client:
    """A client without a token, of a service with the store and versions of resources."""
    client = make_store_client(inferring_store)
    assert client.get("/changes").status_code == 200
    return client


def relate_to(store: Store, iri: str) -> None:
    """Relate an issue to a resource, of which only inferred statements change."""
    store.update(f"INSERT DATA {{ <{WORMS}> <x:related> <{iri}> }}")


@pytest.mark.parametrize("path", ["/feed.atom", "/feed/issue.atom"])
def test_a_change_of_inferred_statements_is_not_in_a_feed(
    inferring_client: httpx2.Client, inferring_store: Store, path: str
) -> None:
    relate_to(inferring_store, f"{BASE}id/issue/other")
    before = list(get_titles_by_id(inferring_client, path))
    relate_to(inferring_store, SPAM)
    assert list(get_titles_by_id(inferring_client, path)) == before


def test_a_kind_of_resources_with_only_inferred_statements_has_no_feed(
    inferring_client: httpx2.Client, inferring_store: Store
) -> None:
    relate_to(inferring_store, f"{BASE}id/city/x")
    assert inferring_client.get("/feed/city.atom").status_code == 404


@pytest.mark.parametrize("path", ["/feed.atom", "/sitemap.xml"])
def test_a_cached_response_equals_a_new_one_after_the_event_stream_was_read(
    inferring_client: httpx2.Client, inferring_store: Store, path: str
) -> None:
    relate_to(inferring_store, SPAM)
    before, _, after = (inferring_client.get(path) for path in (path, "/changes", path))
    assert before.status_code == 200
    assert after.content == inferring_client.get(path, headers={"Cache-Control": "no-cache"}).content


def test_sitemap_has_lists_and_resources_without_records(shipped_client: httpx2.Client) -> None:
    sitemap = shipped_client.get("/sitemap.xml").text
    for path in ("judgments", "background-report", "doc/judgment/069", "doc/mechanism/iana"):
        assert f"/{path}</loc>" in sitemap
    assert "/doc/label/" not in sitemap
    assert "/doc/identifier/" not in sitemap


def test_the_pages_of_a_feed_have_all_entries(client: httpx2.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wgig.feeds.news.ENTRIES_PER_FEED_PAGE", 3)
    put_data(client, " . ".join(f'issue:i{number} skos:prefLabel "{number}"' for number in range(8)) + " .")
    iris, page_count, path = [], 0, "/feed.atom"
    while path:
        page_count += 1
        feed = get_feed(client, path)
        iris += [item.id for item in feed.entries]
        links = {item.rel: item.href for item in feed.feed.links}
        assert links["self"] == f"http://localhost{path}"
        path = links.get("next", "").removeprefix("http://localhost")
    assert (len(iris), len(set(iris)), page_count) == (8, 8, 3)


def test_the_feed_of_a_query_has_an_entry_for_each_row_with_a_date(client: httpx2.Client) -> None:
    put_data(client, 'issue:spam skos:prefLabel "Spam"@en .')
    feed = get_feed(client, "/feed/query/who-wrote-what.atom")
    (entry,) = feed.entries
    assert "graph: https://w3id.org/wgig/graph/one" in entry.summary
    assert (entry.title, "what: PUT /graph/one" in entry.summary) == ("PUT /graph/one", True)
    assert entry.link.startswith("http://localhost/doc/write/")
    assert get_titles_by_id(client, "/feed/query/who-wrote-what.atom") == {entry.id: entry.title}
    put_data(client, 'issue:worms skos:prefLabel "Worms"@en .', "/graph/two")
    # The newer row is the first entry; the older row keeps its id.
    assert [item.id for item in get_feed(client, "/feed/query/who-wrote-what.atom").entries][1] == entry.id


def test_a_query_with_a_date_is_available_as_a_feed(client: httpx2.Client) -> None:
    put_data(client, 'issue:spam skos:prefLabel "Spam"@en .')
    put_data(client, 'issue:worms skos:prefLabel "Worms"@en .', "/graph/two")
    feed_response = client.get(f"/feed/query/who-wrote-what.atom?graph={BASE}graph/one")
    assert len(feedparser.parse(feed_response.content).entries) == 1
    requests = [
        (f"/queries/who-wrote-what.atom?graph={BASE}graph/one", "*/*"),
        (f"/queries/who-wrote-what?graph={BASE}graph/one", "application/atom+xml"),
        (f"/queries/who-wrote-what?_mediatype=atom&graph={BASE}graph/one", "text/csv"),
    ]
    for path, accept in requests:
        response = client.get(path, headers={"Accept": accept})
        assert response.content == feed_response.content
        assert (
            response.headers["content-location"] == f"/feed/query/who-wrote-what.atom?graph={BASE}graph/one"
        )
    assert client.get("/queries/coverage-matrix.atom").status_code == 406  # its rows have no date


def test_pages_of_the_feed_of_a_query_keep_its_parameters(
    client: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wgig.feeds.query_feed.ENTRIES_PER_FEED_PAGE", 1)
    for name in ("Spam", "Junk", "Mail"):  # three writes to the graph, thus three rows
        put_data(client, f'issue:spam skos:prefLabel "{name}"@en .')
    put_data(client, 'issue:worms skos:prefLabel "Worms"@en .', "/graph/two")
    path = f"/queries/who-wrote-what.atom?graph={BASE}graph/one"
    links = {link.rel: link.href for link in get_feed(client, path).feed.links}
    assert links["next"] == f"http://localhost/feed/query/who-wrote-what.atom?graph={BASE}graph/one&page=2"
    assert len(get_feed(client, f"{path}&page=3").entries) == 1
    assert client.get(f"{path}&page=4").status_code == 404


def test_a_feed_has_no_pages_of_another_feed(client: httpx2.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wgig.feeds.news.ENTRIES_PER_FEED_PAGE", 1)
    for number, resource in enumerate(("issue:spam", "issue:worms", "paper:a", "paper:b")):
        put_data(client, f'{resource} skos:prefLabel "{resource}"@en .', f"/graph/{number}")
    cursors = {kind: find_next_cursor(client, f"/feed/{kind}.atom") for kind in ("issue", "paper")}
    assert client.get(f"/feed/issue.atom?before={cursors['issue']}").status_code == 200
    response = client.get(f"/feed/issue.atom?before={cursors['paper']}")
    assert response.status_code == 404
    assert f"The feed has no page before {cursors['paper']}." in response.json()["detail"]
    # A link of a page stays valid after the last entry of the page has changed.
    put_data(client, 'paper:b skos:prefLabel "B"@en .', "/graph/3")
    put_data(client, 'issue:worms skos:prefLabel "Worm"@en .', "/graph/1")
    assert client.get(f"/feed/issue.atom?before={cursors['issue']}").status_code == 200


def find_next_cursor(client: httpx2.Client, path: str) -> str:
    """The value of `before` in the link to the next page of a feed."""
    links = {link.rel: link.href for link in get_feed(client, path).feed.links}
    return str(links["next"]).partition("before=")[2]


@pytest.mark.parametrize(
    "name", [example.name for example in list_example_queries() if example.date_variable]
)
def test_a_query_with_a_feed_selects_its_date_variable(name: str) -> None:
    (query,) = (example for example in list_example_queries() if example.name == name)
    assert f"?{query.date_variable}" in query.text.partition("SELECT")[2].partition("WHERE")[0]


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/feed/nothing.atom", 404, "Choose from: /feed.atom"),
        ("/feed/issue", 404, "/feed/issue.atom"),
        ("/feed/issue.rss", 404, "/feed/issue.atom"),
        ("/feed.atom?page=2", 400, "There is no parameter 'page'. The parameters are: before."),
        ("/feed.atom?before=x", 400, "before is 'x'"),
        ("/feed.atom?before=0", 400, "before is '0'"),
        ("/feed.atom?before=-1", 400, "before is '-1'"),
        ("/feed.atom?before=", 400, "before is ''"),
        ("/feed.atom?before=%C2%B2", 400, "not a page number"),  # ², which str.isdigit() accepts
        (f"/feed.atom?before={'9' * 5000}", 400, "before is '999"),
        ("/feed.atom?before=1&before=2", 400, "The parameter before was sent 2 times. Send it once."),
        ("/feed.atom?before=1", 404, "The feed has no page before 1. Its first page is /feed.atom"),
        (f"/feed/issue.atom?before={'9' * 18}", 404, "Its first page is /feed/issue.atom"),
        ("/feed/query/coverage-matrix.atom", 404, "Queries with dated rows have one"),
        ("/feed/query/who-wrote-what.atom?page=9", 404, "The feed has no page 9."),
        ("/meetings.ics?kind=session", 400, "This address takes no parameters."),
        ("/sitemap.xml?x", 400, "There is no parameter 'x'."),
        ("/sitemap/2.xml", 404, "/sitemap.xml lists all sitemaps."),
        ("/sitemap/01.xml", 404, "/sitemap.xml lists all sitemaps."),
        ("/sitemap/x.xml", 400, "is 'x'"),
    ],
)
def test_an_invalid_request_is_refused_with_a_message(
    client: httpx2.Client, path: str, status: int, message: str
) -> None:
    put_data(client, 'issue:spam skos:prefLabel "Spam"@en .')
    response = client.get(path)
    assert response.status_code == status
    assert message in response.json()["detail"]


def test_characters_that_xml_does_not_allow_are_replaced(client: httpx2.Client) -> None:
    put_data(client, 'issue:spam skos:prefLabel "Sp\\u0001am"@en .')
    assert get_titles_by_id(client, "/feed.atom") == {f"{BASE}id/issue/spam": "Sp\ufffdam"}


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


def get_events_by_title(client: httpx2.Client) -> dict[str, icalendar.Event]:
    """The events of the calendar by title."""
    response = client.get("/meetings.ics")
    assert response.headers["content-type"] == "text/calendar; charset=utf-8"
    calendar = icalendar.Calendar.from_ical(response.content)
    assert isinstance(calendar, icalendar.Calendar)
    return {
        str(event["summary"]): event
        for event in calendar.walk("VEVENT")
        if isinstance(event, icalendar.Event)
    }


def test_the_calendar_has_whole_days_and_times_of_day(client: httpx2.Client) -> None:
    put_data(client, MEETINGS)
    events = get_events_by_title(client)  # without "Some day", of which only the month is known
    spans = {title: (event.decoded("dtstart"), event.decoded("dtend")) for title, event in events.items()}
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
    assert events["Closed"]["rrule"] == {"FREQ": ["DAILY"], "COUNT": [2]}
    assert events["Meeting; with, signs"]["location"] == "Palais"
    assert events["Papers due"]["categories"].to_ical() == b"Deadline"
    assert events["Members announced"]["categories"].to_ical() == b"Milestone"


MEETINGS_IN_PLACES = """
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


def test_times_are_in_the_time_zone_of_the_place(client: httpx2.Client) -> None:
    put_data(client, MEETINGS_IN_PLACES)
    events = get_events_by_title(client)
    starts: dict[str, Any] = {title: event["dtstart"] for title, event in events.items()}
    assert starts["In winter"].params["tzid"] == "Europe/Zurich"
    assert starts["In winter"].dt.astimezone(UTC) == datetime(2005, 2, 14, 9, tzinfo=UTC)
    assert starts["In summer"].dt.astimezone(UTC) == datetime(2005, 6, 14, 8, tzinfo=UTC)
    assert starts["Somewhere in a wide country"].dt == datetime(2005, 3, 1, 10)
    assert starts["In two countries"].dt == datetime(2005, 3, 1, 10)


def test_the_calendar_has_only_the_time_zones_that_it_uses(client: httpx2.Client) -> None:
    put_data(client, MEETINGS)
    assert "VTIMEZONE" not in client.get("/meetings.ics").text
    put_data(client, MEETINGS_IN_PLACES, "/graph/two")
    text = client.get("/meetings.ics").text
    assert text.count("TZID:Europe/Zurich\r\n") == 1
    # In Switzerland since 1981, daylight time begins at 2:00 and ends at 3:00 local time.
    zone_text = text.replace("\r\n ", "").partition("TZID:Europe/Zurich\r\n")[2].partition("END:VTIMEZONE")[0]
    daylight_time, standard_time = (
        zone_text.partition(delimiter)[2] for delimiter in ("BEGIN:DAYLIGHT", "DTSTART:19810927")
    )
    assert "DTSTART:19810329T020000" in daylight_time
    assert ",20050327T020000," in daylight_time
    assert ",20051030T030000," in standard_time


def test_an_event_keeps_its_uid_and_has_the_time_of_its_change(client: httpx2.Client) -> None:
    put_data(client, MEETINGS)
    before = get_events_by_title(client)["Closed"]
    assert before["uid"] == "id/meeting/s@w3id.org"
    put_data(client, MEETINGS.replace("Closed", "Closed to all"))
    after = get_events_by_title(client)["Closed to all"]
    assert after["uid"] == before["uid"]
    write_time = client.get(
        "/sparql", params={"query": LAST_WRITE_QUERY}, headers={"Accept": "text/csv"}
    ).text.split()[1]
    assert after.decoded("dtstamp") == datetime.fromisoformat(write_time).astimezone(UTC).replace(
        microsecond=0
    )


def test_an_event_has_the_time_of_its_last_stated_change(
    inferring_client: httpx2.Client, inferring_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projection, "format_utc_microseconds", lambda _: "2100-01-01T00:00:00.000000Z")
    relate_to(inferring_store, SESSION)
    (event,) = get_events_by_title(inferring_client).values()
    assert event.decoded("dtstamp") < datetime(2100, 1, 1, tzinfo=UTC)
    inferring_store.update(f"INSERT DATA {{ <{SESSION}> <x:seats> 40 }}")
    (event,) = get_events_by_title(inferring_client).values()
    assert event.decoded("dtstamp") == datetime(2100, 1, 1, tzinfo=UTC)


def test_the_sitemap_lists_existing_pages_with_the_times_of_changes(client: httpx2.Client) -> None:
    put_data(
        client, 'issue:spam skos:prefLabel "Spam"@en . <https://example.org/elsewhere> rdfs:label "None" .'
    )
    urls = ET.fromstring(client.get("/sitemap.xml").content).findall(f"{SITEMAP_NAMESPACE}url")
    times_by_url = {
        element.findtext(f"{SITEMAP_NAMESPACE}loc", ""): element.findtext(f"{SITEMAP_NAMESPACE}lastmod")
        for element in urls
    }
    assert times_by_url["http://localhost/doc/issue/spam"]
    assert times_by_url["http://localhost/"] is None
    assert "https://example.org/elsewhere" not in times_by_url
    paths = [
        url.removeprefix("http://localhost")
        for url in times_by_url
        if not url.endswith(MISSING_PAGE_SUFFIXES)
    ]
    assert {client.get(path).status_code for path in paths} == {200}


def test_the_sitemap_leaves_out_writes_and_identifiers(
    client: httpx2.Client,
) -> None:
    put_data(client, f'issue:spam skos:prefLabel "Spam"@en . <{BASE}id/identifier/x1> rdfs:label "X1" .')
    text = client.get("/sitemap.xml").text
    for path in ("", "papers", "issues", "timeline", "coverage", "queries"):
        assert f"<loc>http://localhost/{path}</loc>" in text
    assert "/doc/issue/spam<" in text
    write_iris = client.get(
        "/sparql", params={"query": WRITE_QUERY}, headers={"Accept": "text/csv"}
    ).text.split()[1:]
    assert write_iris
    for iri in (*write_iris, f"{BASE}id/identifier/x1"):
        assert client.get(f"/{iri.removeprefix(BASE).replace('id/', 'doc/', 1)}").status_code == 200
        assert iri.removeprefix(f"{BASE}id/") not in text


WRITE_QUERY = f"""SELECT ?write {{ GRAPH <{BASE}graph/history> {{ ?write a ?type
FILTER STRSTARTS(STR(?write), "{BASE}id/write/") }} }}"""


def test_a_resource_from_before_the_stream_has_no_time_in_the_sitemap() -> None:
    store = Store.in_memory()
    store.update(f"INSERT DATA {{ <{BASE}id/issue/old> a <x:A> }}")
    text = make_service_client(Settings(), store).get("/sitemap.xml").text
    assert "/doc/issue/old" in text
    assert "<lastmod>" not in text


def test_many_pages_are_listed_in_several_files(
    client: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_data(client, " . ".join(f'issue:i{number} skos:prefLabel "{number}"' for number in range(8)) + " .")
    monkeypatch.setattr(well_known, "MAX_SITEMAP_RESOURCES", 3)
    index = ET.fromstring(client.get("/sitemap.xml").content)
    paths = [
        str(element.text).removeprefix("http://localhost")
        for element in index.iter(f"{SITEMAP_NAMESPACE}loc")
    ]
    urls = [
        str(element.text)
        for path in paths
        for element in ET.fromstring(client.get(path).content).iter(f"{SITEMAP_NAMESPACE}loc")
    ]
    assert len(urls) == len(set(urls))
    assert len([url for url in urls if "/doc/issue/i" in url]) == 8
