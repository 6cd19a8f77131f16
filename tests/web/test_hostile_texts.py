"""Whatever texts the graph holds or somebody sends: nothing of them runs, and no page breaks by them."""

import json
from collections.abc import Callable, Iterator
from itertools import cycle, zip_longest
from urllib.parse import quote

import httpx
import pyoxigraph as ox
import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect
from wgig.rdf.namespaces import RDFS_NAMESPACE, XSD_NAMESPACE
from wgig.settings import Settings

from tests.fixtures.processes import Serving

from .harm import harm
from .poison import BEGIN, END, HIT, IRIS, MARKUP, TEXTS, TURNING, fill
from .stops import STOPS, TOKEN, Stop, pressed
from .test_editor import run
from .watching import Watched

BEARER = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "text/turtle"}
XSD, RDFS = XSD_NAMESPACE, RDFS_NAMESPACE
OURS = f"{Settings.base}graph/"
GRAPHS = [f"javascript:{HIT}", f"{OURS}'onclick='{HIT}", f"{OURS}%22%3E%3Cimg%20src=x%3E"]
SHOWN = [stop for stop in STOPS if not stop.empty and stop.name not in ("graph-with-versions", "changes")]
SENT = [*MARKUP, *(BEGIN + text + END for text in TURNING)]
# Where somebody else's link may put a text: %s is the text as it stands in an address.
ADDRESSES = [
    "/search?q=%s",
    "/search?q=spam&kind=%s",
    "/issues?q=%s",
    "/issues?%s=1",
    "/papers?q=%s",
    "/papers?schema:creativeWorkStatus=%s",
    "/papers?issue=%s",
    "/coverage?issue=%s",
    "/timeline?year=%s",
    "/queries/agreements-and-outcomes?meeting=%s",
    "/sparql?query=%s",
    "/sparql?example=assessments&the_issue=%s",
    "/doc/issue/%s",
    "/doc/issue/spam?inverse=%s&page=1",
    "/doc/issue/spam?_mediatype=%s",
    "/graphs?graph=%s",
    "/graph/issues?changes=%s",
    "/cite?iri=%s",
    "/write?issue=%s",
    "/write?paper=%s",
    "/shapes/%s",
    "/reconcile/preview?id=%s",
    "/%s",
]


# A paper with a text in its title, in a section, and as the name of an author.
PAPER = """---
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
PAIRS = zip_longest(TEXTS, IRIS, fillvalue="x:none")
VALUES = " ".join(f"({ox.Literal(BEGIN + text[:1000] + END)} <{iri[:1000]}>)" for text, iri in PAIRS)
HERE = f"VALUES (?text ?iri) {{ {VALUES} }}"
# What is answered so that it can be shown as the name says.
QUERIES = {
    "Table": f"SELECT * {{ {HERE} }}",
    "Bars": f"SELECT ?text (STRLEN(?text) AS ?n) {{ {HERE} }}",
    "Timeline": f"SELECT ?text ?day {{ {HERE} BIND('2005-01-25'^^<{XSD}date> AS ?day) }}",
    "Matrix": f"SELECT ?text ?in (1 AS ?n) {{ {HERE} VALUES ?in {{ 'a' 'b' }} }}",
    "Graph": f"CONSTRUCT {{ ?iri <x:p> <x:hub> ; <{RDFS}label> ?text }} {{ {HERE} }}",
    "Raw": f"CONSTRUCT {{ ?iri <x:p> ?text }} {{ {HERE} }}",
}


@pytest.fixture(scope="module")
def url(serving: Serving, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service whose every text is hostile."""
    folder = tmp_path_factory.mktemp("hostile")
    fill(folder / "store", folder / "files")
    with serving(folder / "store", WGIG_DATA="none", WGIG_TOKEN=TOKEN) as found:
        for iri in GRAPHS:
            content = f"<{IRIS[0]}> a <{IRIS[1]}> ."
            there = httpx.put(f"{found}graphs", params={"graph": iri}, content=content, headers=BEARER)
            there.raise_for_status()
        yield found


@pytest.fixture(scope="module")
def watched(browser: Browser, url: str) -> Iterator[Watched]:
    """A phone."""
    found = Watched(browser, url, viewport={"width": 320, "height": 640})
    yield found
    found.page.context.close()


@pytest.fixture
def harmless(watched: Watched) -> Callable[[Page], None]:
    """Hold a page against all that a text may do."""

    def check(page: Page) -> None:
        assert harm(page) == []
        assert watched.wrong() == []

    return check


@pytest.mark.parametrize("stop", SHOWN, ids=[one.name for one in SHOWN])
def test_what_the_graph_holds_does_nothing(
    watched: Watched, url: str, harmless: Callable[[Page], None], stop: Stop
) -> None:
    stop.reach(watched.page, url)
    harmless(watched.page)


@pytest.mark.parametrize("address", ADDRESSES)
def test_what_an_address_holds_does_nothing(
    watched: Watched, harmless: Callable[[Page], None], address: str
) -> None:
    for text in SENT:
        watched.page.goto(address.replace("%s", quote(text[:190], safe="")))
        harmless(watched.page)


@pytest.mark.parametrize("iri", [one for one in IRIS if one.startswith(f"{Settings.base}id/")])
def test_a_thing_with_a_hostile_name_does_nothing(
    watched: Watched, harmless: Callable[[Page], None], iri: str
) -> None:
    watched.page.goto(f"/doc/{quote(iri.removeprefix(f'{Settings.base}id/'), safe='/%')}")
    expect(watched.page.locator("h1")).to_have_text(f"{BEGIN}{iri}{END}")
    harmless(watched.page)


@pytest.mark.parametrize("iri", GRAPHS)
def test_a_graph_with_a_hostile_name_does_nothing(
    watched: Watched, harmless: Callable[[Page], None], iri: str
) -> None:
    watched.page.goto(f"/graphs?graph={quote(iri, safe='')}")
    harmless(watched.page)


def test_an_answer_does_nothing(watched: Watched, harmless: Callable[[Page], None]) -> None:
    for query in QUERIES.values():
        watched.page.goto(f"/sparql?query={quote(query)}")
        expect(watched.page.locator("#answer")).to_contain_text(HIT)
        harmless(watched.page)


@pytest.mark.parametrize("view", QUERIES)
def test_an_answer_in_the_editor_does_nothing(
    watched: Watched, harmless: Callable[[Page], None], view: str
) -> None:
    watched.page.goto("/sparql")
    run(watched.page, QUERIES[view])
    watched.page.get_by_role("radio", name=view).check()
    harmless(watched.page)


def test_a_paper_does_nothing(watched: Watched, harmless: Callable[[Page], None]) -> None:
    for text in SENT:
        watched.page.goto("/validate")
        watched.page.fill("#paper", PAPER % (json.dumps(text), json.dumps(text), text))
        pressed(watched.page, "form.check > button")
        harmless(watched.page)


def test_the_name_of_a_file_does_nothing(watched: Watched, harmless: Callable[[Page], None]) -> None:
    for text in SENT:
        watched.page.goto("/validate")
        name = f"{text.replace('/', '')[:90]}.md"
        file = FilePayload(name=name, mimeType="text/markdown", buffer=b"---\npaper: x\n---\n")
        watched.page.set_input_files("#files", file)
        pressed(watched.page, "form.check > button")
        harmless(watched.page)


def test_the_fields_of_the_form_do_nothing_and_keep_what_was_typed(
    watched: Watched, harmless: Callable[[Page], None]
) -> None:
    page = watched.page
    page.goto("/write?issue=spam")
    fields = page.locator(".paper :is(textarea, input:not([type])):not([name=name]):visible").all()
    texts = {one.get_attribute("name"): text for one, text in zip(fields, cycle(SENT), strict=False)}
    assert len(texts) > len(SENT)
    for name, text in texts.items():
        page.locator(f"[name='{name}']").fill(text)
    pressed(page, "#finish ~ p button[value=check]")
    harmless(page)
    for name in ("swot-1-strength-1", "swot-1-threat-1", "mechanism-1-content-1"):
        assert page.locator(f"[name='{name}']").input_value() == texts[name]
