"""Hostile texts in the graph, in URLs and in forms: they run nothing and break no page."""

import json
from collections.abc import Callable, Iterator
from itertools import cycle, zip_longest
from urllib.parse import quote

import httpx2
import pyoxigraph as ox
import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect
from wgig.rdf.namespaces import RDFS_NAMESPACE
from wgig.settings import Settings
from wgig_client.namespaces import XSD_NAMESPACE

from tests.fixtures.processes import ServiceStarter
from tests.fixtures.projections import wait_until_current

from .hostile_store import (
    BEGIN_MARK,
    BIDI_TEXTS,
    END_MARK,
    HIT_SCRIPT,
    HOSTILE_IRIS,
    HOSTILE_TEXTS,
    MARKUP_TEXTS,
    fill_hostile_store,
)
from .injections import find_injections
from .page_states import PAGE_STATES, TOKEN, PageState, click_and_wait
from .test_editor import compress_query, run_query
from .watched_page import WatchedPage

WRITE_HEADERS = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "text/turtle"}
GRAPH_BASE = f"{Settings.base}graph/"
HOSTILE_GRAPHS = [
    f"javascript:{HIT_SCRIPT}",
    f"{GRAPH_BASE}'onclick='{HIT_SCRIPT}",
    f"{GRAPH_BASE}%22%3E%3Cimg%20src=x%3E",
]
# Without the pages of what `write_test_graph` and `make_test_releases` make, which the hostile store lacks.
HARMLESS_STATE_NAMES = ("graph-with-versions", "difference", "release", "first-release")
SHOWN_STATES = [
    page_state
    for page_state in PAGE_STATES
    if not page_state.empty and page_state.name not in HARMLESS_STATE_NAMES
]
SENT_TEXTS = [*MARKUP_TEXTS, *(BEGIN_MARK + text + END_MARK for text in BIDI_TEXTS)]
# Paths and queries of URLs in which a link can contain a hostile text; %s is the percent-encoded text.
URL_TEMPLATES = [
    "/search?q=%s",
    "/search?q=spam&kind=%s",
    "/issues?q=%s",
    "/issues?%s=1",
    "/issues?skos:note=%s",
    "/issues?papers=%s",
    "/issues?sort=%s",
    "/milestones?due=..%s",
    "/papers?q=%s",
    "/papers?schema:creativeWorkStatus=%s",
    "/papers?issue=%s",
    "/coverage?issue=%s",
    "/timeline?year=%s",
    "/queries/agreements-and-outcomes?meeting=%s",
    "/build?kind=%s",
    "/build?kind=wgig:Issue&filter=skos:prefLabel&match=contains&value=%s",
    "/compare?issue=%s",
    "/compare?paragraph=%s",
    "/feedback?about=/%s",
    "/sparql?query=%s",
    "/sparql?example=assessments&the_issue=%s",
    "/doc/issue/%s",
    "/doc/issue/spam?inverse=%s&page=1",
    "/doc/issue/spam?_mediatype=%s",
    "/graphs?graph=%s",
    "/graph/issues?changes=%s",
    "/changes?before=%s",
    "/cite?iri=%s",
    "/cite?iri=%s&work",
    "/write?issue=%s",
    "/write?paper=%s",
    "/shapes/%s",
    "/reconcile/preview?id=%s",
    "/%s",
]


# %s stands for the title, the name of a drafter, and the text of a section.
PAPER_TEMPLATE = """---
paper: hostile
title: %s
language: en
issue: spam
drafters:
  - name: %s
---

## 1. Issue

%s
"""
# %s stands for the end of the name of a mechanism, which is misspelled the second time.
MISSPELLED_PAPER_TEMPLATE = """---
paper: hostile
---

## 6. Mechanisms

### Code of practice %s

## 7. Adequacy

### b. Transparent

Mechanism: Code of practise %s
"""
TEXT_IRI_PAIRS = zip_longest(HOSTILE_TEXTS, HOSTILE_IRIS, fillvalue="x:none")
# Cut, so that queries fit into a URL.
VALUES_ROWS = " ".join(
    f"({ox.Literal(BEGIN_MARK + text[:1000] + END_MARK)} <{iri[:1000]}>)" for text, iri in TEXT_IRI_PAIRS
)
VALUES_CLAUSE = f"VALUES (?text ?iri) {{ {VALUES_ROWS} }}"
# Queries whose results can be shown in the view.
QUERIES_BY_VIEW = {
    "Table": f"SELECT * {{ {VALUES_CLAUSE} }}",
    "Bars": f"SELECT ?text (STRLEN(?text) AS ?n) {{ {VALUES_CLAUSE} }}",
    "Timeline": f"SELECT ?text ?day {{ {VALUES_CLAUSE} BIND('2005-01-25'^^<{XSD_NAMESPACE}date> AS ?day) }}",
    "Matrix": f"SELECT ?text ?in (1 AS ?n) {{ {VALUES_CLAUSE} VALUES ?in {{ 'a' 'b' }} }}",
    "Network": f"CONSTRUCT {{ ?iri <x:p> <x:hub> ; <{RDFS_NAMESPACE}label> ?text }} {{ {VALUES_CLAUSE} }}",
    "Map": f"SELECT ?text ?iri (1 AS ?lat) (2 AS ?long) {{ {VALUES_CLAUSE} }}",
    "As text": f"CONSTRUCT {{ ?iri <x:p> ?text }} {{ {VALUES_CLAUSE} }}",
}


@pytest.fixture(scope="module")
def url(start_service: ServiceStarter, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a service in whose graphs all texts are hostile."""
    folder = tmp_path_factory.mktemp("hostile")
    fill_hostile_store(folder / "store", folder / "files")
    settings = {"WGIG_DATA": "none", "WGIG_TOKEN": TOKEN, "WGIG_PAPER_HOSTS": "papers.example"}
    with start_service(folder / "store", **settings) as service_url:
        with httpx2.Client(base_url=service_url, timeout=60) as client:
            wait_until_current(client)  # no suggestions while the search index is built
        for iri in HOSTILE_GRAPHS:
            content = f"<{HOSTILE_IRIS[0]}> a <{HOSTILE_IRIS[1]}> ."
            response = httpx2.put(
                f"{service_url}graphs", params={"graph": iri}, content=content, headers=WRITE_HEADERS
            )
            response.raise_for_status()
        yield service_url


@pytest.fixture(scope="module")
def phone_page(browser: Browser, url: str) -> Iterator[WatchedPage]:
    """A page of the size of a phone."""
    watched_page = WatchedPage(browser, url, viewport={"width": 320, "height": 640})
    yield watched_page
    watched_page.page.context.close()


@pytest.fixture
def assert_harmless(phone_page: WatchedPage) -> Callable[[Page], None]:
    """A function that asserts that hostile texts had no effect on a page."""

    def check(page: Page) -> None:
        assert find_injections(page) == []
        assert phone_page.take_errors() == []

    return check


@pytest.mark.parametrize("page_state", SHOWN_STATES, ids=[state.name for state in SHOWN_STATES])
def test_hostile_graph_is_harmless(
    phone_page: WatchedPage, url: str, assert_harmless: Callable[[Page], None], page_state: PageState
) -> None:
    page_state.open_in(phone_page.page, url)
    assert_harmless(phone_page.page)


@pytest.mark.parametrize("url_template", URL_TEMPLATES)
def test_hostile_url_is_harmless(
    phone_page: WatchedPage, assert_harmless: Callable[[Page], None], url_template: str
) -> None:
    # Every other text: each half has texts that break out of elements, of attributes and of scripts.
    for text in SENT_TEXTS[URL_TEMPLATES.index(url_template) % 2 :: 2]:
        # A search accepts at most 200 characters.
        phone_page.page.goto(url_template.replace("%s", quote(text[:190], safe="")))
        assert_harmless(phone_page.page)


@pytest.mark.parametrize("iri", [iri for iri in HOSTILE_IRIS if iri.startswith(f"{Settings.base}id/")])
def test_hostile_resource_iri_is_harmless(
    phone_page: WatchedPage, assert_harmless: Callable[[Page], None], iri: str
) -> None:
    phone_page.page.goto(f"/doc/{quote(iri.removeprefix(f'{Settings.base}id/'), safe='/%')}")
    expect(phone_page.page.locator("h1")).to_have_text(f"{BEGIN_MARK}{iri}{END_MARK}")
    assert_harmless(phone_page.page)


@pytest.mark.parametrize("iri", HOSTILE_GRAPHS)
def test_hostile_graph_iri_is_harmless(
    phone_page: WatchedPage, assert_harmless: Callable[[Page], None], iri: str
) -> None:
    phone_page.page.goto(f"/graphs?graph={quote(iri, safe='')}")
    assert_harmless(phone_page.page)


def test_hostile_changes_are_harmless(
    phone_page: WatchedPage, url: str, assert_harmless: Callable[[Page], None]
) -> None:
    label = ox.NamedNode(f"{RDFS_NAMESPACE}label")
    triples = [
        ox.Triple(ox.NamedNode(iri), label, ox.Literal(BEGIN_MARK + text + END_MARK))
        for text, iri in zip(HOSTILE_TEXTS, cycle(HOSTILE_IRIS), strict=False)
    ]
    for content in (ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES), b""):  # written, then removed
        response = httpx2.put(f"{url}graph/changed", content=content, headers=WRITE_HEADERS)
        response.raise_for_status()
        phone_page.page.goto("/changes")
        assert_harmless(phone_page.page)
        click_and_wait(phone_page.page, "main a[href*='changes=']")
        expect(phone_page.page.locator("main")).to_contain_text(HIT_SCRIPT)
        assert_harmless(phone_page.page)


def test_hostile_result_page_is_harmless(
    phone_page: WatchedPage, assert_harmless: Callable[[Page], None]
) -> None:
    for query in QUERIES_BY_VIEW.values():
        phone_page.page.goto(f"/sparql?query={quote(query)}")
        expect(phone_page.page.locator("#answer")).to_contain_text(HIT_SCRIPT)
        assert_harmless(phone_page.page)


@pytest.mark.parametrize("view", QUERIES_BY_VIEW)
def test_hostile_result_in_editor_is_harmless(
    phone_page: WatchedPage, assert_harmless: Callable[[Page], None], view: str
) -> None:
    phone_page.page.goto("/sparql")
    run_query(phone_page.page, QUERIES_BY_VIEW[view])
    phone_page.page.get_by_role("radio", name=view).check()
    expect(phone_page.page.locator(".view > :not([role=status])")).to_be_visible()
    assert_harmless(phone_page.page)


def test_hostile_tab_is_harmless(phone_page: WatchedPage, assert_harmless: Callable[[Page], None]) -> None:
    page = phone_page.page
    page.goto("/sparql")
    tabs = [{"id": str(number), "name": text, "text": text} for number, text in enumerate(SENT_TEXTS)]
    stored = {"tabs": tabs, "activeId": "0", "closed": tabs, "saved": tabs}
    page.evaluate("stored => localStorage.setItem('wgig-tabs', stored)", json.dumps(stored))
    page.goto("/sparql")
    expect(page.locator(".query-tabs li")).to_have_count(len(tabs))
    page.get_by_text("Saved queries").click()
    assert_harmless(page)
    phone_page.clear_storage()


@pytest.mark.parametrize(
    "fragment",
    [
        "q=",
        "q=%00",
        "q=AAAA",
        "q=" + "A" * 1_000_000,
        "q=" + compress_query(" " * 20_000_000),  # 20 MB in 20 kB
    ],
    ids=["empty", "control", "short", "long", "bomb"],
)
def test_damaged_fragment_is_reported(
    phone_page: WatchedPage, assert_harmless: Callable[[Page], None], fragment: str
) -> None:
    page = phone_page.page
    page.goto("/health")
    page.goto(f"/sparql#{fragment}")
    expect(page.locator(".notice", has_text="The query in the link cannot be read")).to_be_visible()
    assert_harmless(page)
    phone_page.clear_storage()


@pytest.mark.parametrize(
    "fragment",
    [
        "view=__proto__",
        "view=constructor",
        *("view=" + quote(text, safe="") for text in SENT_TEXTS),
        *("q=" + compress_query(text) for text in SENT_TEXTS),
    ],
    ids=lambda fragment: fragment[:30],
)
def test_hostile_fragment_is_harmless(
    phone_page: WatchedPage, assert_harmless: Callable[[Page], None], fragment: str
) -> None:
    page = phone_page.page
    page.goto("/health")
    page.goto(f"/sparql#{fragment}")
    expect(page.locator(".found")).to_be_visible()
    assert_harmless(page)
    phone_page.clear_storage()


@pytest.mark.parametrize("text", ["spam", "onload", "turned", "www"])
def test_hostile_suggestions_are_harmless(
    phone_page: WatchedPage, assert_harmless: Callable[[Page], None], text: str
) -> None:
    phone_page.page.goto("/issues")
    phone_page.page.locator("#find").press_sequentially(text)
    expect(phone_page.page.get_by_role("listbox")).to_contain_text(BEGIN_MARK)
    assert_harmless(phone_page.page)


def test_hostile_paper_is_harmless(phone_page: WatchedPage, assert_harmless: Callable[[Page], None]) -> None:
    for text in SENT_TEXTS:
        phone_page.page.goto("/validate")
        phone_page.page.fill("#paper", PAPER_TEMPLATE % (json.dumps(text), json.dumps(text), text))
        click_and_wait(phone_page.page, "form.check > button")
        assert_harmless(phone_page.page)


def test_hostile_suggestion_is_harmless(
    phone_page: WatchedPage, assert_harmless: Callable[[Page], None]
) -> None:
    page = phone_page.page
    suggested_count = 0
    for text in SENT_TEXTS:
        label = " ".join(text.split())[:120]
        page.goto("/validate")
        page.fill("#paper", MISSPELLED_PAPER_TEMPLATE % (label, label))
        click_and_wait(page, "form.check > button")
        for button in page.get_by_role("button", name="Did you mean").all():
            suggested_count += 1
            button.click()
        for mark in page.locator(".cm-lintRange").all()[:1]:
            mark.hover()
            expect(page.locator(".cm-tooltip-lint").first).to_be_visible()
        page.locator("a[href^='#file-1-line-']").last.click()
        assert page.locator(".code :is(img, script, iframe, [onerror])").count() == 0
        assert_harmless(page)
    assert suggested_count > len(SENT_TEXTS) / 2


def test_hostile_address_is_harmless_and_kept(
    phone_page: WatchedPage, assert_harmless: Callable[[Page], None]
) -> None:
    for text in SENT_TEXTS:
        phone_page.page.goto("/validate")
        phone_page.page.locator("#address").evaluate("(field) => field.type = 'text'")
        phone_page.page.fill("#address", text[:2000])
        click_and_wait(phone_page.page, "form.check > button")
        expect(phone_page.page.locator("#problem")).to_contain_text("papers.example")
        assert phone_page.page.locator("#address").input_value() == text[:2000].replace("\n", "").strip()
        assert_harmless(phone_page.page)


def test_hostile_file_name_is_harmless(
    phone_page: WatchedPage, assert_harmless: Callable[[Page], None]
) -> None:
    for text in SENT_TEXTS:
        phone_page.page.goto("/validate")
        name = f"{text.replace('/', '')[:90]}.md"  # short enough for a file name
        file = FilePayload(name=name, mimeType="text/markdown", buffer=b"---\npaper: x\n---\n")
        phone_page.page.set_input_files("#files", file)
        click_and_wait(phone_page.page, "form.check > button")
        assert_harmless(phone_page.page)


def test_hostile_form_input_is_harmless_and_kept(
    phone_page: WatchedPage, assert_harmless: Callable[[Page], None]
) -> None:
    page = phone_page.page
    page.goto("/write?issue=spam")
    page.locator("#file-fold").click()
    fields = page.locator(".paper :is(textarea, input:not([type])):not([name=name]):visible").all()
    texts = {
        field.get_attribute("name"): text for field, text in zip(fields, cycle(SENT_TEXTS), strict=False)
    }
    assert len(texts) > len(SENT_TEXTS)
    for name, text in texts.items():
        page.locator(f"[name='{name}']").fill(text)
    click_and_wait(page, "#finish ~ p button[value=check]")
    assert_harmless(page)
    kept_names = ("swot-1-strength-1", "swot-1-threat-1", "mechanism-1-content-1")
    for name in kept_names:
        assert page.locator(f"[name='{name}']").input_value() == texts[name]
    page.goto("/write?issue=spam")
    click_and_wait(page, ".draft button")  # restores the draft that the browser kept
    assert_harmless(page)
    for name in kept_names:
        assert page.locator(f"[name='{name}']").input_value() == texts[name]
