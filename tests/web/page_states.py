"""All pages, also with messages or without results, for tests in a browser and for screenshots."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import httpx2
from playwright.sync_api import Page, Response
from wgig._version import __version__
from wgig.graphs.releases import ReleaseOrigin, create_release
from wgig.rdf.namespaces import LICENSE_IRI
from wgig.settings import SHIPPED_FOLDER, Settings
from wgig.store.store import Store

from tests.fixtures.triples import parse_triples

TOKEN = "wgig_" + "w" * 43  # of the length of real tokens
SPAM_IRI = f"{Settings.base}id/issue/spam"
COUNT_QUERY = "SELECT ?class (COUNT(?thing) AS ?things) { ?thing a ?class } GROUP BY ?class ORDER BY ?class"
COMPLETE_PAPER = (SHIPPED_FOLDER / "data" / "examples" / "spam-filters.md").read_text(encoding="utf-8")
INCOMPLETE_PAPER = (
    "---\npaper: half\ntitle: Half a paper\nlanguage: en\nissue: spam\n---\n\n## 1. Issue\n\nIt begins.\n"
)
MISSPELLED_PAPER = (
    "---\npaper: misspelled\ntitle: Mail\nissue: spamm\ncites: [declaration/480]\n---\n\n"
    "## 2. Attribution\n\n- acces-for-all\n"
)

PageAction = Callable[[Page], Response | None]


@dataclass(frozen=True)
class PageState:
    """A page in a certain state: its path, an action after it is opened, and the HTTP status after that."""

    name: str
    path: str
    status: int = 200
    action: PageAction | None = None
    empty: bool = False  # in a service with an empty store
    framed: bool = True  # has the header and footer of the site

    def open_in(self, page: Page, url: str) -> None:
        """Open the page in the service at `url`, run the action, and check the status."""
        response = page.goto(url.rstrip("/") + self.path)
        if self.action:
            response = self.action(page)
        assert response is not None
        assert response.status == self.status, page.inner_text("main")


def click_and_wait(page: Page, selector: str) -> Response | None:
    """Click a button or link, and return the response with the page that it opens."""
    with page.expect_navigation() as navigation:
        page.locator(selector).first.click()
    return navigation.value


def make_check_action(text: str) -> PageAction:
    """An action that checks a text as a paper."""

    def check_paper_text(page: Page) -> Response | None:
        page.fill("#paper", text)
        return click_and_wait(page, "form.check > button")

    return check_paper_text


def check_incomplete_paper(page: Page) -> Response | None:
    """Check a nearly empty paper, with an invalid day, in the form."""
    page.locator("#file-fold").click()
    page.fill("#posted-1", "soon")
    page.select_option("#profile", "complete")
    return click_and_wait(page, "#finish ~ p button[value=check]")


def save_with_wrong_token(page: Page) -> Response | None:
    """Save a paper with a wrong token."""
    page.fill("#token", "wgig_wrong")
    return click_and_wait(page, "button[value=draft]")


def open_last_changes(page: Page) -> Response | None:
    """Open the changes of the last version of a graph."""
    return click_and_wait(page, "main a[href*='changes=']")


def open_all_details(page: Page) -> Response | None:
    """Load the page again, and open everything that is folded."""
    response = page.reload()
    page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true")
    return response


def wait_for_reference(page: Page) -> Response | None:
    """Load the page again, and wait for the reference in place of the list of operations, if scripts run."""
    response = page.reload()
    if page.evaluate("() => !!document.querySelector('rapi-doc')"):
        page.locator("#operations").wait_for(state="detached")
    return response


def open_paper_check(page: Page) -> Response | None:
    """Show the operation that checks papers in the reference, if scripts run."""
    response = wait_for_reference(page)
    if page.locator("rapi-doc").count():
        page.locator("rapi-doc summary.post", has_text="/validate").click()
    return response


def write_test_graph(url: str) -> None:
    """Write a graph twice, so that pages have versions and changes to show."""
    note = f'<{SPAM_IRI}> <http://www.w3.org/2004/02/skos/core#note> "A note, written %s."@en .'
    for order in ("first", "later"):
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "text/turtle"}
        httpx2.put(f"{url}graph/walked", content=note % order, headers=headers).raise_for_status()


def make_test_releases(folder: Path) -> None:
    """Make two releases of the store in a folder, so that a page has files and changes to show."""
    small_store = Store.in_memory()
    small_store.replace({f"{Settings.base}graph/issues": parse_triples(f'<{SPAM_IRI}> <x:note> "A note" .')})
    for view, day in ((small_store, 1), (Store.open_read_only(folder), 3)):
        origin = ReleaseOrigin(Settings.base, LICENSE_IRI, datetime(2026, 12, day, tzinfo=UTC))
        create_release(view, folder, origin)


def query_path(text: str, more_parameters: str = "") -> str:
    """The path of the result page of a query."""
    return f"/sparql?query={quote(text)}{more_parameters}"


PAGE_STATES = [
    PageState("home", "/"),
    PageState("issues", "/issues"),
    PageState("issues-none", "/issues?q=nothinglikethis"),
    PageState("issues-without-papers", "/issues?papers=none"),
    PageState(
        "issues-narrowed", "/issues?category=access-for-all&judgments=2..5&papers=7..&sort=-papers,label"
    ),
    PageState("judgments-narrowed", "/judgments?verdict=inadequate&issue=spam&q=a"),
    PageState("milestones-narrowed", "/milestones?due=2005-01..2005-07&delivered=none&sort=-due"),
    PageState("papers", "/papers"),
    PageState("papers-narrowed", "/papers?issue=spam&conformance=failed&sort=-posted"),
    PageState("papers-none", "/papers?q=nothinglikethis"),
    *(
        PageState(name, f"/{name}?size=4&page=2")
        for name in (
            "categories",
            "principles",
            "stakeholders",
            "meetings",
            "milestones",
            "agreements",
            "declaration",
            "background-report",
            "judgments",
            "disputes",
            "mechanisms",
            "recommendations",
            "definitions",
            "conformance",
        )
    ),
    PageState("coverage", "/coverage"),
    PageState("coverage-by-category", "/coverage?by=category"),
    PageState("coverage-by-group", "/coverage?by=stakeholder-group"),
    PageState("coverage-part", "/coverage?issue=spam"),
    PageState("coverage-of-papers", "/coverage?layer=papers"),
    PageState("coverage-none", "/coverage?verdict=adequate&criterion=multilateralism&category=area-c"),
    PageState("timeline", "/timeline"),
    PageState("timeline-of-year", "/timeline?year=2005"),
    PageState("timeline-table", "/timeline?page=1&size=10"),
    PageState("people", "/people"),
    *(
        PageState(path.replace("/", "-"), f"/doc/{path}")
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
            "issue/internet-names",
            "judgment/005",
            "dispute/icann-legitimacy",
            "agent/icann",
            "mechanism/gac",
            "recommendation/005",
            "definition/01",
            "outcome/d01",
            "agent/desai",
            "document/background-report",
            "document/background-report/101",
        )
    ),
    PageState("issue-unfolded", "/doc/issue/internet-names", action=open_all_details),
    PageState("contents-unfolded", "/doc/document/background-report", action=open_all_details),
    PageState("list-of-issues", "/doc/issue"),
    PageState("list-of-papers", "/doc/paper"),
    PageState("inverse", "/doc/document/form/issue-paper?inverse=dcterms%3Asource&page=1"),
    PageState("representations", "/doc/issue/spam?_profile=all"),
    PageState("representations-of-graph", "/graph/issues?_profile=all"),
    PageState("cite", f"/cite?iri={quote(SPAM_IRI)}"),
    PageState("cite-work", f"/cite?iri={quote(f'{Settings.base}id/document/tunis-agenda/41')}&work"),
    PageState("cited", f"/cited?iri={quote(SPAM_IRI)}&version={__version__}"),
    PageState("cite-query", f"/cite?query={quote(COUNT_QUERY)}"),
    PageState("graphs", "/graphs"),
    PageState("graphs-found", "/graphs?q=spam&group=papers&sort=-size"),
    PageState("graphs-none", "/graphs?q=xqzwv"),
    PageState("graph", "/graph/issues"),
    PageState("graph-inferred", "/graph/inferred"),
    PageState("graph-default", "/graphs?default"),
    PageState("graph-with-versions", "/graph/walked"),
    PageState("difference", "/graph/walked", action=open_last_changes),
    PageState("changes", "/changes"),
    PageState("releases", "/releases"),
    PageState("release", "/releases/2026-12-03", action=open_all_details),
    PageState("first-release", "/releases/2026-12-01"),
    PageState("style-guide", "/style-guide"),
    PageState("catalog", "/catalog"),
    PageState("tables", "/tables"),
    PageState("tables-unfolded", "/tables", action=open_all_details),
    PageState("reconcile", "/reconcile"),
    PageState("void", "/.well-known/void"),
    PageState("sparql-examples", "/.well-known/sparql-examples"),
    PageState("ontology", "/ontology"),
    PageState("ontology-unfolded", "/ontology", action=open_all_details),
    PageState("shapes", "/shapes"),
    PageState("shapes-unfolded", "/shapes", action=open_all_details),
    PageState("rule", "/shapes/WGIG-0-TITLE-MISSING"),
    PageState("search", "/search"),
    PageState("search-found", "/search?q=internet"),
    PageState("search-mended", "/search?q=govermance"),
    PageState("search-none", "/search?q=xqzwv&kind=issue"),
    PageState("queries", "/queries"),
    PageState("query-answered", "/queries/due-and-delivered"),
    PageState("query-with-value", "/queries/agreements-and-outcomes?meeting=m1"),
    PageState("sparql", "/sparql"),
    PageState("sparql-example", "/sparql?example=assessments&the_issue=spam"),
    PageState("answer-table", query_path(COUNT_QUERY)),
    PageState("answer-none", query_path("SELECT * { ?x <x:no> ?y }")),
    PageState("answer-truth", query_path("ASK {}")),
    PageState("answer-graph", query_path(f"DESCRIBE <{SPAM_IRI}>")),
    PageState("plan", query_path(COUNT_QUERY, "&explain")),
    PageState("update", "/update"),
    PageState("write", "/write"),
    PageState("write-new", "/write?issue=spam"),
    PageState("write-paper", "/write?paper=wp-spam"),
    PageState("write-messages", "/write?issue=spam", action=check_incomplete_paper),
    PageState("write-choices", "/write/choices"),
    PageState("write-refused", "/write?issue=spam", 401, save_with_wrong_token),
    PageState("validate", "/validate"),
    PageState("validate-complete", "/validate", action=make_check_action(COMPLETE_PAPER)),
    PageState("validate-incomplete", "/validate", action=make_check_action(INCOMPLETE_PAPER)),
    PageState("validate-misspelled", "/validate", action=make_check_action(MISSPELLED_PAPER)),
    PageState("validate-unread", "/validate", 400, make_check_action("---\npaper: [half\n---\n")),
    PageState("build", "/build"),
    PageState(
        "build-answer", "/build?kind=wgig:Issue&column=wgig:category&filter=wgig:category&match=new&value="
    ),
    PageState("build-error", "/build?kind=wgig:Milestone&filter=wgig:due&match=from&value=soon", 400),
    PageState("compare", "/compare"),
    PageState("compare-issue", "/compare?issue=spam"),
    PageState("compare-paragraph", "/compare?paragraph=declaration/48"),
    PageState("compare-error", "/compare?issue=nope", 400),
    PageState("about", "/about"),
    PageState("api", "/api", action=wait_for_reference),
    PageState("api-operation", "/api", action=open_paper_check),
    PageState("feedback", "/feedback?about=/doc/paper/wp-spam"),
    PageState("not-found", "/nowhere", 404),
    PageState("thing-not-found", "/doc/issue/spm", 404),
    PageState("bad-request", "/issues?color=green", 400),
    PageState("bad-query", "/sparql?query=SELEC", 400),
    PageState("wrong-method", "/queries/running/1", 405),
    PageState("no-format", "/doc/issue/spam?_mediatype=image/png", 406),
    PageState("problem-kind", "/doc/problem/syntax"),
    PageState("preview", "/reconcile/preview?id=issue/spam", framed=False),
    *(
        PageState(f"empty-{name}", path, empty=True)
        for name, path in (
            ("home", "/"),
            ("papers", "/papers"),
            ("issues", "/issues"),
            ("coverage", "/coverage"),
            ("timeline", "/timeline"),
            ("people", "/people"),
            ("compare", "/compare"),
            ("build", "/build"),
            ("graphs", "/graphs"),
            ("changes", "/changes"),
            ("releases", "/releases"),
            ("catalog", "/catalog"),
            ("search", "/search?q=spam"),
            ("write", "/write"),
        )
    ),
]
