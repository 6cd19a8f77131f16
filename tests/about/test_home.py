"""The home page has three ways in, judgments, answers, timeline, and links to descriptions."""

import re
from collections import Counter

import anyio
import httpx2
import pyoxigraph as ox
import pytest
from wgig.about.home import LISTS_BY_KIND, prepare_home
from wgig.about.judgment_bars import BAR_STATES, STATE_NOT_JUDGED
from wgig.app import create_app, make_service
from wgig.lists.counts import CellCounts, Dimension
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


def test_the_home_page_links_to_the_descriptions_of_the_service(writable_client: httpx2.Client) -> None:
    response = writable_client.get("/", headers=HTML_HEADERS)
    relations_by_path = dict(re.findall(r'<([^>]+)>; rel="([^"]+)"', response.headers["link"]))
    assert relations_by_path == {
        "/ontology": "describedby",
        "https://creativecommons.org/licenses/by/4.0/": "license",
        "/.well-known/api-catalog": "api-catalog",
        "/openapi.json": "service-desc",
        "/api": "service-doc",
        "/.well-known/void": "service-meta",
        "/catalog": "describedby",
    }
    head, _, page_body = response.text.partition("</head>")
    link_elements = {href: rel for rel, href in re.findall(r'<link rel="([^"]+)" href="([^"]+)"', head)}
    assert link_elements.items() >= {
        (path, rel) for path, rel in relations_by_path.items() if path.startswith("/")
    }
    assert 'id="ways"' in page_body


def test_the_home_page_begins_with_three_ways_in(home: str) -> None:
    main = home.partition("<main")[2]
    doors = re.findall(r'<section class="card" aria-labelledby="([^"]+)">(.*?)</section>', main, re.DOTALL)
    assert [name for name, _ in doors] == ["look-up", "ask", "write"]
    actions = [re.findall(r'<button>|class="button plain" href="([^"]+)"', door) for _, door in doors]
    assert actions == [[""], ["/queries"], ["/write"]]
    assert '<input id="q" name="q" type="search" maxlength="200" required data-suggest' in doors[0][1]
    assert main.index('class="card"') < main.index("<h2 ") < main.index('id="coverage"')


def test_each_bar_of_judgments_adds_up_to_all_issues(home: str, filled_client: httpx2.Client) -> None:
    section = home.partition('id="coverage"')[2].partition("</section>")[0]
    bars = re.findall(
        r'<a href="([^"]+)"[^>]*>(.*?)</a>\s*<svg [^>]*aria-label="([^"]+)"(.*?)</svg>', section
    )
    assert len(bars) == 8
    for path, _, label, drawing in bars:
        counts = {state: int(count) for state, count in re.findall(r"([a-z][a-z ]+): ([0-9]+)", label)}
        assert sum(counts.values()) == 35
        assert len(re.findall("<rect ", drawing)) == len(counts)
        assert {int(text) for text in re.findall(r"<text [^>]+>([0-9]+)<", drawing)} <= {*counts.values()}
        states = Counter(
            cell["judged"]["state"] if "judged" in cell else "none"
            for cell in filled_client.get(path.replace("&amp;", "&")).json()["cells"]
        )
        assert counts["no judgment"] == states["none"]
        assert counts.get("judged inadequate", 0) == states["inadequate"]


def test_each_segment_of_the_bars_has_the_mark_of_its_state(home: str) -> None:
    section = home.partition('id="coverage"')[2].partition("</section>")[0]
    segments = re.findall(
        r'<rect class="state ([a-z-]+)"[^>]*/>(?:<use class="mark" href="#mark-([a-z-]+)")?', section
    )
    assert {state for state, _ in segments} == BAR_STATES.keys()
    assert all(mark == state for state, mark in segments if state != STATE_NOT_JUDGED)


def test_home_and_the_matrix_of_judgments_have_the_same_legend(
    home: str, filled_client: httpx2.Client
) -> None:
    matrix = filled_client.get("/coverage", headers=HTML_HEADERS).text
    legends = [
        re.findall(r'<li><span class="state [^"]+">.*?</span> ([^<]+?)(?: <|</li>)', page)
        for page in (home, matrix)
    ]
    assert legends[0][:6] == legends[1][:6] == list(BAR_STATES.values())[:6]


def test_the_answers_are_computed_from_the_data(home: str, filled_client: httpx2.Client) -> None:
    section = home.partition('id="questions"')[2].partition("</section>")[0]
    answers = {
        path.replace("&amp;", "&"): re.sub("<[^>]+>", "", answer)
        for path, answer in re.findall(r'<dt><a href="([^"]+)">.*?<dd>(.*?)</dd>', section, re.DOTALL)
    }
    seats = filled_client.get("/people").json()
    governments = next(group for group in seats["stakeholderGroup"] if group["label"] == "governments")
    members = answers["/people"]
    assert members.startswith(f"{seats['seats']['known']} members: governments {governments['seats']}, ")
    issues = filled_client.get("/coverage?layer=papers").json()["issues"]
    without_paper = [issue["label"]["en"][0] for issue in issues if not issue["papers"]]
    assert answers["/issues?papers=none"].startswith(
        f"We know of no paper on {len(without_paper)} of {len(issues)} issues, such as "
    )
    assert without_paper[0] in answers["/issues?papers=none"]
    assert filled_client.get("/issues?papers=none").json()["total"] == len(without_paper)
    assert (
        "1 missed the deadline: Issue papers ready and on the website (7 days late)"
        in answers["/queries/due-and-delivered"]
    )
    assert "inadequate for 8 of 35 issues" in answers["/coverage?criterion=coordination-capacity&rollUp=true"]
    assert "12 of the 23 passages" in answers["/queries/from-inventory-to-tunis"]
    for path in answers:
        assert filled_client.get(path).status_code == 200


def test_answers_follow_the_data(writable_client: httpx2.Client) -> None:
    data = (
        '<urn:spam> a :Issue ; rdfs:label "Spam"@en . '
        '<urn:report> a :Milestone ; rdfs:label "Report"@en ; '
        ':due "2005-01-01"^^xsd:date ; :delivered "2005-01-02"^^xsd:date .'
    )
    prefixes = f"{PREFIXES}@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . "
    writable_client.put("/graph/x", content=prefixes + data, headers={"Content-Type": "text/turtle"})
    page = writable_client.get("/", headers=HTML_HEADERS).text
    assert 'We know of no paper on 1 of 1 issues: <bdi lang="en">Spam</bdi>.' in page.replace(
        "<bdi>", '<bdi lang="en">'
    )
    assert "Yes, the one milestone whose dates we know." in page
    assert "Who were the members?" not in page  # nothing is known


def test_the_timeline_chart_has_the_same_events_as_its_list(home: str) -> None:
    section = home.partition('id="timeline"')[2].partition("</section>")[0]
    marks = Counter(re.findall(r'<rect class="mark-(\w+)"', section))
    assert marks == {"meeting": 25, "late": 1, "papers": 2}
    assert section.count("<li>") == marks.total()
    assert '<strong class="late">7 days late</strong>' in section


def test_kinds_with_a_list_link_to_the_list_and_have_as_many_resources(
    home: str, filled_client: httpx2.Client
) -> None:
    section = home.partition('id="kinds"')[2].partition("</section>")[0]
    counts = dict(
        [
            *re.findall(r'href="/([^"]+)">[^<]+</a> <span class="count">([\d,]+)', section),
            *((path, count) for count, path in re.findall(r'([\d,]+)</span> <a href="/([^"]+)"', section)),
        ]
    )
    assert counts.keys() >= {*LISTS_BY_KIND.values(), "doc/meeting", "doc/session"}
    for name in LISTS_BY_KIND.values():
        assert int(counts[name].replace(",", "")) == filled_client.get(f"/{name}?size=1").json()["total"], (
            name
        )


def test_the_home_page_of_an_empty_store_explains_that_it_is_empty(read_only_client: httpx2.Client) -> None:
    page = read_only_client.get("/", headers=HTML_HEADERS).text
    assert "The store is empty" in page
    assert "The store has no judgments." in page
    assert "The store has no meetings." in page
    assert '<dl class="answers">\n  </dl>' in page


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
    assert "The judgments are being counted" in response.text
    assert response.headers["cache-control"] == "no-store"
    timeline = make_client(app, **HTML_HEADERS).get("/timeline")
    assert "The papers are missing" in timeline.text
    assert timeline.headers["cache-control"] == "no-store"


def test_all_templates_of_the_page_are_compiled_before_the_first_request(
    writable_client: httpx2.Client, monkeypatch: pytest.MonkeyPatch
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
