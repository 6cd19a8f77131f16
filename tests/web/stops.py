"""Every kind of page in every state that matters: where browsers walk, and what pictures are taken of."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

import httpx
from playwright.sync_api import Page, Response
from wgig.settings import SHIPPED_FOLDER, Settings

TOKEN = "wgig_" + "w" * 43
SPAM = f"{Settings.base}id/issue/spam"
COUNT = "SELECT ?class (COUNT(?thing) AS ?things) { ?thing a ?class } GROUP BY ?class ORDER BY ?class"
WHOLE = (SHIPPED_FOLDER / "data" / "examples" / "spam-filters.md").read_text(encoding="utf-8")
PART = "---\npaper: half\ntitle: Half a paper\nlanguage: en\nissue: spam\n---\n\n## 1. Issue\n\nIt begins.\n"

Act = Callable[[Page], Response | None]


@dataclass(frozen=True)
class Stop:
    """A page in a state: where it is, with what status, and what is done there before it is looked at."""

    name: str
    path: str
    status: int = 200
    act: Act | None = None
    empty: bool = False  # in a service whose store is empty
    framed: bool = True  # by the header and footer of the site

    def reach(self, page: Page, url: str) -> None:
        """Open it in the service at a URL."""
        came = page.goto(url.rstrip("/") + self.path)
        if self.act:
            came = self.act(page)
        assert came is not None
        assert came.status == self.status, page.inner_text("main")


def pressed(page: Page, button: str) -> Response | None:
    """The page to which a button or link leads."""
    with page.expect_navigation() as came:
        page.locator(button).first.click()
    return came.value


def checked(text: str) -> Act:
    """A text is checked as a paper."""

    def act(page: Page) -> Response | None:
        page.fill("#paper", text)
        return pressed(page, "form.check > button")

    return act


def written(page: Page) -> Response | None:
    """A paper that lacks nearly everything is checked in the form."""
    page.fill("#posted-1", "soon")
    page.select_option("#profile", "complete")
    return pressed(page, "#finish ~ p button[value=check]")


def refused(page: Page) -> Response | None:
    """A paper is sent to the graph with a token that opens nothing."""
    page.fill("#token", "wgig_wrong")
    return pressed(page, "button[value=draft]")


def changed(page: Page) -> Response | None:
    """What the last version of a graph changed."""
    return pressed(page, "main a[href*='changes=']")


def prepare(url: str) -> None:
    """Write in a service what its pages can only show after a write."""
    note = f'<{SPAM}> <http://www.w3.org/2004/02/skos/core#note> "A note, written %s."@en .'
    for when in ("first", "later"):
        fields = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "text/turtle"}
        httpx.put(f"{url}graph/walked", content=note % when, headers=fields).raise_for_status()


def asked(text: str, others: str = "") -> str:
    """The path of the answer to a query."""
    return f"/sparql?query={quote(text)}{others}"


STOPS = [
    Stop("home", "/"),
    Stop("issues", "/issues"),
    Stop("issues-none", "/issues?q=nothinglikethis"),
    Stop("papers", "/papers"),
    Stop("papers-narrowed", "/papers?issue=spam&conformance=failed&sort=-posted"),
    Stop("papers-none", "/papers?q=nothinglikethis"),
    *(
        Stop(name, f"/{name}?size=4&page=2")
        for name in (
            "categories",
            "principles",
            "stakeholders",
            "meetings",
            "milestones",
            "agreements",
            "declaration",
            "conformance",
        )
    ),
    Stop("coverage", "/coverage"),
    Stop("coverage-by-category", "/coverage?by=category"),
    Stop("coverage-by-group", "/coverage?by=stakeholder-group"),
    Stop("coverage-part", "/coverage?issue=spam"),
    Stop("timeline", "/timeline"),
    Stop("timeline-of-year", "/timeline?year=2005"),
    Stop("timeline-table", "/timeline?page=1&size=10"),
    Stop("people", "/people"),
    *(
        Stop(path.replace("/", "-"), f"/doc/{path}")
        for path in (
            "issue/spam",
            "paper/wp-spam",
            "paper/ap-domain-names",
            "principle/accountability",
            "document/declaration/48",
            "document/report/p18",
            "document/tunis-agenda/41",
            "document/assessment-papers",
            "meeting/m1",
            "session/m1-3",
            "agreement/d13",
            "milestone/ms-papers",
            "membership/march",
            "agent/cheon",
            "agent/wgig",
            "category/access-for-all",
            "scheme/audiences",
            "stakeholder-group/private-sector",
            "contribution/c09",
            "claim/m1-3-access-2",
            "disagreement/m1-3-access",
            "citation/itu-wtdc-resolution-21-60",
            "concept/basket-economic",
            "identifier/x027",
            "place/KR",
            "participation/webcast",
            "software/checker",
            "assertion/wp-spam",
            "verdict/adequate",
        )
    ),
    Stop("list-of-issues", "/doc/issue"),
    Stop("list-of-papers", "/doc/paper"),
    Stop("inverse", "/doc/document/form/issue-paper?inverse=dcterms%3Asource&page=1"),
    Stop("representations", "/doc/issue/spam?_profile=all"),
    Stop("representations-of-graph", "/graph/issues?_profile=all"),
    Stop("cite", f"/cite?iri={quote(SPAM)}"),
    Stop("cite-query", f"/cite?query={quote(COUNT)}"),
    Stop("graphs", "/graphs"),
    Stop("graph", "/graph/issues"),
    Stop("graph-inferred", "/graph/inferred"),
    Stop("graph-default", "/graphs?default"),
    Stop("graph-with-versions", "/graph/walked"),
    Stop("changes", "/graph/walked", act=changed),
    Stop("catalog", "/catalog"),
    Stop("tables", "/tables"),
    Stop("reconcile", "/reconcile"),
    Stop("void", "/.well-known/void"),
    Stop("sparql-examples", "/.well-known/sparql-examples"),
    Stop("ontology", "/ontology"),
    Stop("shapes", "/shapes"),
    Stop("rule", "/shapes/WGIG-0-TITLE-MISSING"),
    Stop("search", "/search"),
    Stop("search-found", "/search?q=internet"),
    Stop("search-mended", "/search?q=govermance"),
    Stop("search-none", "/search?q=xqzwv&kind=issue"),
    Stop("queries", "/queries"),
    Stop("query-answered", "/queries/due-and-delivered"),
    Stop("query-with-value", "/queries/agreements-and-outcomes?meeting=m1"),
    Stop("sparql", "/sparql"),
    Stop("sparql-example", "/sparql?example=assessments&the_issue=spam"),
    Stop("answer-table", asked(COUNT)),
    Stop("answer-none", asked("SELECT * { ?x <x:no> ?y }")),
    Stop("answer-truth", asked("ASK {}")),
    Stop("answer-graph", asked(f"DESCRIBE <{SPAM}>")),
    Stop("plan", asked(COUNT, "&explain")),
    Stop("update", "/update"),
    Stop("write", "/write"),
    Stop("write-new", "/write?issue=spam"),
    Stop("write-paper", "/write?paper=wp-spam"),
    Stop("write-messages", "/write?issue=spam", act=written),
    Stop("write-refused", "/write?issue=spam", 401, refused),
    Stop("validate", "/validate"),
    Stop("validate-complete", "/validate", act=checked(WHOLE)),
    Stop("validate-incomplete", "/validate", act=checked(PART)),
    Stop("validate-unread", "/validate", 400, checked("---\npaper: [half\n---\n")),
    Stop("not-found", "/nowhere", 404),
    Stop("thing-not-found", "/doc/issue/spm", 404),
    Stop("bad-request", "/issues?color=green", 400),
    Stop("bad-query", "/sparql?query=SELEC", 400),
    Stop("wrong-method", "/queries/running/1", 405),
    Stop("no-format", "/doc/issue/spam?_mediatype=image/png", 406),
    Stop("problem-kind", "/doc/problem/syntax"),
    Stop("preview", "/reconcile/preview?id=issue/spam", framed=False),
    *(
        Stop(f"empty-{name}", path, empty=True)
        for name, path in (
            ("home", "/"),
            ("papers", "/papers"),
            ("issues", "/issues"),
            ("coverage", "/coverage"),
            ("timeline", "/timeline"),
            ("people", "/people"),
            ("graphs", "/graphs"),
            ("search", "/search?q=spam"),
            ("write", "/write"),
        )
    ),
]
