"""The home page shows at a glance what is covered, what happened when, and what there is."""

import re
from collections import Counter

import httpx
import pyoxigraph as ox
import pytest
from wgig.about.home import MAX_LATEST_PAPERS, list_last_posting_days
from wgig.app import create_app, make_service
from wgig.lists.counts import CellKey
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.service import client_of, service_of

BASE = Settings.base
PAGE = {"Accept": "text/html"}
PREFIXES = (
    f"@prefix : <{BASE}ontology#> . @prefix dcterms: <http://purl.org/dc/terms/> . "
    "@prefix xsd: <http://www.w3.org/2001/XMLSchema#> . "
)


@pytest.fixture(scope="module")
def home(shipped: ox.Store) -> str:
    """The home page of a service over the shipped graph."""
    answer = service_of(Settings(), Store(shipped), **PAGE).get("/")
    assert answer.headers["cache-control"] == "no-cache"
    return answer.text


def test_it_leads_programs_to_what_describes_the_service(writable: httpx.Client) -> None:
    answer = writable.get("/", headers=PAGE)
    field = dict(re.findall(r'<([^>]+)>; rel="([^"]+)"', answer.headers["link"]))
    assert field == {
        "/ontology": "describedby",
        "https://creativecommons.org/licenses/by/4.0/": "license",
        "/.well-known/api-catalog": "api-catalog",
        "/openapi.json": "service-desc",
        "/#ways": "service-doc",
        "/.well-known/void": "service-meta",
        "/catalog": "describedby",
    }
    head, _, rest = answer.text.partition("</head>")
    elements = {href: rel for rel, href in re.findall(r'<link rel="([^"]+)" href="([^"]+)"', head)}
    assert elements.items() >= {(path, rel) for path, rel in field.items() if path.startswith("/")}
    assert 'id="ways"' in rest


def test_it_says_how_far_the_issues_are_measured_and_which_are(home: str) -> None:
    assert re.search(r"1 of 210 pairs of an issue and a criterion\s+are measured", home)
    assert home.count('<rect class="square ') == 210
    assert home.count('<rect class="square unjudged"') == 1
    assert "<bdi>Administration of IP addresses</bdi> by" in home
    assert 'href="/coverage?by=category"' in home


def test_the_small_timeline_has_the_same_events_as_a_list(home: str) -> None:
    part = home.partition('id="timeline"')[2].partition("</section>")[0]
    marks = re.findall(r'<rect class="mark-', part)
    items = re.findall(r"<li>", part)
    assert len(marks) == len(items) == 12 + 1 + 2
    assert '<strong class="late">7 days late</strong>' in part


def test_the_latest_papers_come_first(home: str) -> None:
    part = home.partition('id="papers"')[2].partition("</section>")[0]
    days = re.findall(r'<time datetime="([^"]+)"', part)
    assert len(days) == MAX_LATEST_PAPERS
    assert days == sorted(days, reverse=True)
    assert days[0] == "2005-04-18"


def test_papers_made_up_as_examples_are_not_among_the_latest(writable: httpx.Client) -> None:
    data = "".join(
        f'<urn:{name}> a :IssuePaper ; dcterms:title "{name}" ; :posted "2005-0{day}-01"^^xsd:date {more} . '
        for name, day, more in (("Real", 1, ""), ("Made", 2, "; :illustrative true"), ("Later", 3, ""))
    )
    writable.put("/graph/x", content=PREFIXES + data, headers={"Content-Type": "text/turtle"})
    part = writable.get("/", headers=PAGE).text.partition('id="papers"')[2].partition("</section>")[0]
    assert re.findall(r'dir="auto">(\w+)<|<code>urn:(\w+)', part)
    assert part.index("Later") < part.index("Real")
    assert "Made" not in part


def test_as_few_days_are_asked_for_as_have_the_latest_papers() -> None:
    counts: Counter[CellKey] = Counter(
        {('"2005-03-01"',): 2, ('"2005-02-01"',): MAX_LATEST_PAPERS, ('"2005-01-01"',): 9, ("urn:x",): 3}
    )
    assert list_last_posting_days(counts) == ['"2005-03-01"', '"2005-02-01"']
    assert list_last_posting_days({}) == []


def test_an_empty_store_is_explained(closed: httpx.Client) -> None:
    page = closed.get("/", headers=PAGE).text
    assert "The store is empty" in page
    assert "There is nothing to measure" in page
    assert "Nothing is known that happened" in page
    assert "No paper is known" in page


def test_nobody_waits_for_what_is_being_counted(shipped: ox.Store, monkeypatch: pytest.MonkeyPatch) -> None:
    service = make_service(Settings(), Store(shipped))
    app = create_app(service)

    async def not_yet(seconds: float) -> None:
        assert seconds < 5

    for cells in service.projections.paper_counts.values():
        monkeypatch.setattr(cells, "get_counts_within", not_yet)
    answer = client_of(app, **PAGE).get("/")
    assert "The papers are being counted" in answer.text
    assert answer.headers["cache-control"] == "no-store"
    timeline = client_of(app, **PAGE).get("/timeline")
    assert "The papers are being counted" in timeline.text
    assert timeline.headers["cache-control"] == "no-store"
