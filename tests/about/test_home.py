"""The home page shows coverage, timeline, latest papers, and links to descriptions of the service."""

import re
from collections import Counter

import anyio
import httpx
import pyoxigraph as ox
import pytest
from wgig.about.home import LISTS_BY_KIND, MAX_LATEST_PAPERS, list_last_posting_days, prepare_home
from wgig.app import create_app, make_service
from wgig.lists.counts import CellCounts, CellKey, Dimension
from wgig.pages.rendering import make_template_environment
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.service import make_client, make_service_client

BASE = Settings.base
HTML_HEADERS = {"Accept": "text/html"}
PREFIXES = (
    f"@prefix : <{BASE}ontology#> . @prefix dcterms: <http://purl.org/dc/terms/> . "
    "@prefix xsd: <http://www.w3.org/2001/XMLSchema#> . "
)


@pytest.fixture(scope="module")
def home(shipped_store: ox.Store) -> str:
    """The home page of a service with the bundled data, once all resources are counted."""
    client = make_service_client(Settings(), Store(shipped_store), **HTML_HEADERS)
    client.get("/doc/issue")  # waits for the change log, by which resources are counted
    response = client.get("/")
    assert response.headers["cache-control"] == "no-cache"
    return response.text


def test_the_home_page_links_to_the_descriptions_of_the_service(writable_client: httpx.Client) -> None:
    response = writable_client.get("/", headers=HTML_HEADERS)
    relations_by_path = dict(re.findall(r'<([^>]+)>; rel="([^"]+)"', response.headers["link"]))
    assert relations_by_path == {
        "/ontology": "describedby",
        "https://creativecommons.org/licenses/by/4.0/": "license",
        "/.well-known/api-catalog": "api-catalog",
        "/openapi.json": "service-desc",
        "/#ways": "service-doc",
        "/.well-known/void": "service-meta",
        "/catalog": "describedby",
    }
    head, _, page_body = response.text.partition("</head>")
    link_elements = {href: rel for rel, href in re.findall(r'<link rel="([^"]+)" href="([^"]+)"', head)}
    assert link_elements.items() >= {
        (path, rel) for path, rel in relations_by_path.items() if path.startswith("/")
    }
    assert 'id="ways"' in page_body


def test_the_home_page_shows_the_coverage_of_issues(home: str) -> None:
    assert re.search(r"judges 148 of 385 pairs of an issue and a criterion", home)
    assert "148 of 385 are judged." in home  # the label of the picture
    assert home.count('<rect class="square ') == 385
    assert home.count('<rect class="square disputed"') == 20
    assert "<bdi>Administration of IP addresses</bdi> by" in home
    assert 'href="/coverage?by=category"' in home


def test_the_timeline_chart_has_the_same_events_as_its_list(home: str) -> None:
    section = home.partition('id="timeline"')[2].partition("</section>")[0]
    marks = Counter(re.findall(r'<rect class="mark-(\w+)"', section))
    assert marks == {"meeting": 25, "late": 1, "papers": 2}
    assert section.count("<li>") == marks.total()
    assert '<strong class="late">7 days late</strong>' in section


def test_kinds_with_a_list_link_to_the_list_and_have_as_many_resources(
    home: str, filled_client: httpx.Client
) -> None:
    section = home.partition('id="kinds"')[2].partition("</section>")[0]
    counts = dict(re.findall(r'href="/([^"]+)">[^<]+ <span class="count">([\d,]+)', section))
    assert counts.keys() >= {*LISTS_BY_KIND.values(), "doc/meeting", "doc/session"}
    for name in LISTS_BY_KIND.values():
        assert int(counts[name].replace(",", "")) == filled_client.get(f"/{name}?size=1").json()["total"], (
            name
        )


def test_the_latest_papers_come_first(home: str) -> None:
    section = home.partition('id="papers"')[2].partition("</section>")[0]
    days = re.findall(r'<time datetime="([^"]+)"', section)
    assert len(days) == MAX_LATEST_PAPERS
    assert days == sorted(days, reverse=True)
    assert days[0] == "2005-04-18"


def test_illustrative_papers_are_not_among_the_latest(writable_client: httpx.Client) -> None:
    data = "".join(
        f'<urn:{name}> a :IssuePaper ; dcterms:title "{name}" ; '
        f':posted "2005-0{month}-01"^^xsd:date {added_statement} . '
        for name, month, added_statement in (
            ("Real", 1, ""),
            ("Illustrative", 2, "; :illustrative true"),
            ("Later", 3, ""),
        )
    )
    writable_client.put("/graph/x", content=PREFIXES + data, headers={"Content-Type": "text/turtle"})
    section = (
        writable_client.get("/", headers=HTML_HEADERS)
        .text.partition('id="papers"')[2]
        .partition("</section>")[0]
    )
    assert section.index("Later") < section.index("Real")
    assert "Illustrative" not in section


def test_the_last_posting_days_are_as_few_as_possible() -> None:
    # The first two days have enough papers; urn:x is no day.
    counts: Counter[CellKey] = Counter(
        {('"2005-03-01"',): 2, ('"2005-02-01"',): MAX_LATEST_PAPERS, ('"2005-01-01"',): 9, ("urn:x",): 3}
    )
    assert list_last_posting_days(counts) == ['"2005-03-01"', '"2005-02-01"']
    assert list_last_posting_days({}) == []


def test_the_home_page_of_an_empty_store_explains_that_it_is_empty(read_only_client: httpx.Client) -> None:
    page = read_only_client.get("/", headers=HTML_HEADERS).text
    assert "The store is empty" in page
    assert "There is nothing to measure" in page
    assert "Nothing is known that happened" in page
    assert "No paper is known" in page


def test_pages_are_shown_without_counts_that_are_not_ready(
    shipped_store: ox.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = make_service(Settings(), Store(shipped_store))
    app = create_app(service)

    async def return_no_counts(seconds: float) -> None:
        assert seconds < 5  # a page waits no longer

    for counts in service.projections.paper_counts.values():
        monkeypatch.setattr(counts, "get_counts_within", return_no_counts)
    response = make_client(app, **HTML_HEADERS).get("/")
    assert "The papers are being counted" in response.text
    assert response.headers["cache-control"] == "no-store"
    timeline = make_client(app, **HTML_HEADERS).get("/timeline")
    assert "The papers are being counted" in timeline.text
    assert timeline.headers["cache-control"] == "no-store"


def test_all_templates_of_the_page_are_compiled_before_the_first_request(
    writable_client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_template_environment.cache_clear()
    anyio.run(prepare_home, BASE, [])
    environment = make_template_environment(BASE)
    monkeypatch.setattr(environment, "compile", None)
    assert writable_client.get("/", headers=HTML_HEADERS).status_code == 200


def test_shown_counts_are_counted_before_the_first_request() -> None:
    counts = CellCounts(Store.in_memory(), Dimension("issue", BASE))
    anyio.run(prepare_home, BASE, [counts])
    assert counts.is_current
