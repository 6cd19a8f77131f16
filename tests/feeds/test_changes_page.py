"""The page of what changed: an entry for each write, by day, newest first, with its resources and graphs."""

import re
from datetime import UTC, datetime
from html import unescape
from io import BytesIO

import httpx2
import pyoxigraph as ox
import pytest
from wgig._version import __released__, __version__
from wgig.cli.forget import find_version_digest
from wgig.feeds import changes_page
from wgig.pages.rendering import format_date_text
from wgig.seed import fill_store
from wgig.settings import Settings
from wgig.store.change_log import SourceFile
from wgig.store.history import GraphHistory
from wgig.store.store import Store

from tests.fixtures.service import make_store_client, make_writer_client
from tests.fixtures.triples import put_turtle

BASE = Settings.base
HTML = "text/html,application/xhtml+xml,*/*;q=0.8"  # as browsers send it
ISSUE = '<{0}id/issue/{1}> a <{0}ontology#Issue> ; <http://www.w3.org/2004/02/skos/core#prefLabel> "{2}"@en .'


@pytest.fixture
def store() -> Store:
    """An empty store."""
    return Store.in_memory()


@pytest.fixture
def client(store: Store) -> httpx2.Client:
    """A client with a write token, which requests pages as a browser does."""
    client = make_writer_client(store, write_profile="off")
    client.headers["Accept"] = HTML
    return client


def put_issue(client: httpx2.Client, slug: str, label: str, graph: str = "one") -> None:
    put_turtle(client, ISSUE.format(BASE, slug, label), f"/graph/{graph}")


def get_changes(client: httpx2.Client, path: str = "/changes") -> str:
    """The page, which must be HTML."""
    response = client.get(path)
    assert (response.status_code, response.headers["content-type"]) == (200, "text/html; charset=utf-8")
    return response.text


def read_text(html: str) -> str:
    """The text of markup, with single spaces."""
    return " ".join(re.sub(r"<[^>]+>", " ", unescape(html)).split())


def list_entries(html: str) -> list[str]:
    """The text of each entry, with single spaces."""
    parts = re.split(r"<h3>", html.partition("<footer")[0])[1:]
    return [read_text(part) for part in parts]


def test_a_browser_gets_a_page_and_other_clients_the_event_stream(client: httpx2.Client) -> None:
    put_issue(client, "spam", "Spam")
    assert "<h1>What changed</h1>" in get_changes(client)
    assert "<h1>What changed</h1>" in client.get("/changes", headers={"Accept": "text/html"}).text
    for accept in ("*/*", "application/trig", "application/trig, text/html;q=0.5"):
        response = client.get("/changes", headers={"Accept": accept})
        assert (response.headers["content-type"], "ldes:EventStream" in response.text) == (
            "application/trig",
            True,
        )


def test_changes_are_listed_by_day_the_newest_first(client: httpx2.Client) -> None:
    put_issue(client, "spam", "Spam")
    put_issue(client, "worms", "Worms", "two")
    html = get_changes(client)
    newest, oldest = list_entries(html)
    assert newest.startswith("Worms added")
    assert oldest.startswith("Spam added")
    assert "2 facts added · by the operator" in newest
    today = datetime.now(UTC)
    assert re.search(rf"<h2[^>]*>{today:%-d %B %Y}</h2>", html)
    assert f'<time datetime="{today:%Y-%m-%dT}' in html


def test_a_change_links_to_its_resource_and_its_difference(client: httpx2.Client) -> None:
    put_issue(client, "spam", "Spam")
    put_issue(client, "spam", "Junk mail")
    html = get_changes(client)
    assert "1 fact added, 1 removed" in list_entries(html)[0]
    path, text = re.findall(r'<h3><a href="(/graph/one\?changes=[^"]+)">(.*?)</a>', html)[0]
    assert read_text(text) == "“name” of Junk mail changed"
    assert html.count('<a href="/doc/issue/spam">Junk mail</a>') == 2
    assert "Spam" in client.get(unescape(path)).text


def test_links_lead_to_the_feed_and_the_event_stream(client: httpx2.Client) -> None:
    html = get_changes(client)
    assert "No changes recorded." in html
    for path in re.findall(r'<a href="(/(?:feed\.atom|changes)[^"]*)">', html.partition("<footer")[0]):
        assert client.get(unescape(path)).headers["content-type"] in (
            "application/atom+xml",
            "application/trig",
        )


def test_parts_of_a_resource_count_as_the_resource(client: httpx2.Client) -> None:
    facts = "".join(f"<{BASE}id/paper/x/mechanism/{n}> <urn:p> {n} ." for n in range(3))
    put_turtle(client, f"<{BASE}id/paper/x> <urn:p> 1 . {facts} {ISSUE.format(BASE, 'spam', 'Spam')}")
    (entry,) = list_entries(get_changes(client))
    assert entry.startswith("“urn:p” of x changed , and 1 more")
    assert "6 facts added" in entry
    assert "Spam Issues" in entry
    assert "mechanism" not in entry


def test_a_deleted_resource_is_named_by_its_last_label(client: httpx2.Client) -> None:
    put_issue(client, "spam", "Spam")
    client.delete("/graph/one")
    html = get_changes(client)
    deletion, creation = list_entries(html)
    assert deletion.startswith("Spam deleted graph deleted")
    assert "2 facts removed" in deletion
    assert "graph deleted" in deletion
    assert "/doc/issue/spam" not in html
    assert "graph deleted" not in creation


def test_long_changes_are_cut_and_counted(client: httpx2.Client) -> None:
    count = changes_page.MAX_LISTED_RESOURCES + 3
    put_turtle(client, "".join(ISSUE.format(BASE, f"i{n}", f"Issue {n}") for n in range(count)))
    (entry,) = list_entries(get_changes(client))
    assert entry.count("Issues") == changes_page.MAX_LISTED_RESOURCES
    assert entry.endswith(" 3 more")


def test_a_change_of_many_bytes_is_listed_by_its_graphs(
    client: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes_page, "MAX_CHANGE_BYTES", 0)
    put_issue(client, "spam", "Spam")
    (entry,) = list_entries(get_changes(client))
    assert entry.startswith("One")
    assert "2 facts added" in entry
    assert "Spam" not in entry


def test_pages_link_to_older_changes(client: httpx2.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes_page, "ENTRIES_PER_CHANGES_PAGE", 2)
    for number in range(5):
        put_issue(client, "spam", f"Spam {number}", f"graph-{number}")
    path, graphs = "/changes", list[str]()
    while path:
        html = get_changes(client, path)
        graphs += re.findall(r"/graph/(graph-\d)\?changes", html)
        match = re.search(r'<a href="([^"]+)" rel="next">Older changes</a>', html)
        path = unescape(match[1]) if match else ""
    assert graphs == [f"graph-{number}" for number in (4, 3, 2, 1, 0)]


@pytest.mark.parametrize(
    ("query", "accept", "status", "message"),
    [
        ("before=x", HTML, 400, "before is “x”"),
        ("before=1", HTML, 404, "There are no changes before number 1."),
        ("before=2", "application/trig", 400, "is for the HTML page"),
        ("after=2", HTML, 400, "There is no parameter “after”"),
    ],
)
def test_invalid_requests_are_refused(
    client: httpx2.Client, query: str, accept: str, status: int, message: str
) -> None:
    put_issue(client, "spam", "Spam")
    response = client.get(f"/changes?{query}", headers={"Accept": accept})
    text = re.sub(r"<[^>]+>", "", unescape(response.text))
    assert (response.status_code, message in text) == (status, True)


def test_the_data_of_the_package_are_one_entry(store: Store) -> None:
    fill_store(store, Settings(), lambda _: None)
    client = make_store_client(store)
    client.headers["Accept"] = HTML
    (entry,) = list_entries(get_changes(client))
    assert entry.startswith(f"Data of version {__version__}")
    html = get_changes(client)
    assert f"Released {format_date_text(__released__)}</h2>" in html
    assert f"Nothing has changed since version {__version__}." in html
    assert re.search(r"[1-9]\d,\d{3} facts added · [1-9]\d graphs", entry)


def test_a_bulk_load_is_listed_by_its_files(store: Store) -> None:
    file = SourceFile("big.nt", "application/n-triples", "0" * 64)
    store.bulk_load(BytesIO(b"<urn:s> <urn:p> 1 ."), ox.RdfFormat.TURTLE, f"{BASE}graph/big", file)
    store.finish_load()
    client = make_store_client(store)
    client.headers["Accept"] = HTML
    (entry,) = list_entries(get_changes(client))
    assert entry.startswith("Loaded in bulk: big.nt")


def test_without_a_history_nobody_is_named_and_nothing_compared(store: Store) -> None:
    client = make_writer_client(store, write_profile="off", history="lost")
    client.headers["Accept"] = HTML
    put_issue(client, "spam", "Spam")
    html = get_changes(client)
    (entry,) = list_entries(html)
    assert "2 facts added" in entry
    assert "WGIG_TOKEN" not in entry
    assert "changes=" not in html.partition("<footer")[0].partition("<h2")[2]


def test_erased_content_is_marked_and_not_shown(client: httpx2.Client, store: Store) -> None:
    for label in ("Spam", "Secret", "Junk mail"):
        put_issue(client, "spam", label)
    timemap = client.get("/graph/one?versions", headers={"Accept": "application/json"}).json()
    history = GraphHistory(BASE, store.old_contents)
    store.forget([find_version_digest(store, history, timemap["versions"][1]["version"])])
    html = get_changes(client)
    assert ["content erased" in entry for entry in list_entries(html)] == [True, True, False]
    assert "Secret" not in html
    graph_page = client.get("/graph/one").text
    assert graph_page.count("content erased") == 1
    assert timemap["versions"][1]["version"] not in graph_page
    issue_page = client.get("/doc/issue/spam").text
    assert issue_page.count("content erased") == 1
