"""The history records each write, and keeps the earlier versions of graphs readable.

Clients find versions by Memento (RFC 7089): a graph is its own timegate, its list of versions is the timemap,
and a version is a memento. A write to the store that bypasses the service is not recorded.
"""

import errno
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pyoxigraph as ox
import pytest
from wgig.cli.forget import find_version_digest
from wgig.graphs.provenance import ProvenanceRecorder
from wgig.graphs.versions import format_http_date
from wgig.problems import Problem
from wgig.rdf.serialization import parse_graph_document
from wgig.remote.client import RefusedError
from wgig.settings import Settings
from wgig.sparql.examples import read_example_query
from wgig.store import transactions
from wgig.store.errors import DiskFullError
from wgig.store.history import GraphHistory
from wgig.store.store import Store
from wgig.store.view import select_solutions

from tests.fixtures.service import make_writer_client
from tests.fixtures.triples import put_turtle

pytestmark = pytest.mark.slow

BASE = Settings.base
TURTLE_HEADERS = {"Content-Type": "text/turtle"}
HTML_HEADERS = {"Accept": "text/html"}
N_TRIPLES_HEADERS = {"Accept": "application/n-triples"}
GRAPH_PATH = "/graph/one"
GRAPH_IRI = f"{BASE}graph/one"
OTHER_GRAPH_PATH = "/graphs?graph=x%3Ag"
GRAPH_PATHS = [GRAPH_PATH, "/graphs?default", OTHER_GRAPH_PATH]
TRIPLE_ONE, TRIPLE_TWO, TRIPLE_THREE = (f"<x:a> <x:p> <x:{name}> ." for name in ("one", "two", "three"))
HISTORY_GRAPH = f"{BASE}graph/history"
PREFIXES = """
PREFIX dcat: <http://www.w3.org/ns/dcat#> PREFIX prov: <http://www.w3.org/ns/prov#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#> PREFIX wgig: <https://w3id.org/wgig/ontology#>
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


@pytest.fixture
def client(store: Store) -> httpx2.Client:
    """A client of a service that keeps a history and checks no papers."""
    return make_writer_client(store, write_profile="off")


def post_update(client: httpx2.Client, text: str) -> httpx2.Response:
    return client.post("/update", data={"update": text})


def list_versions(client: httpx2.Client, path: str = GRAPH_PATH) -> list[str]:
    """The paths of the versions of a graph, oldest first."""
    response = client.get(add_parameter(path, "versions"), headers={"Accept": "application/json"})
    if response.status_code != 200:
        return []
    return [version["version"] for version in response.json()["versions"]]


def add_parameter(path: str, parameter: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}{parameter}"


def read_lines(client: httpx2.Client, path: str) -> list[str]:
    response = client.get(path, headers=N_TRIPLES_HEADERS)
    assert response.status_code == 200, response.text
    return response.text.splitlines()


def query_history(store: Store, pattern: str) -> list[tuple[str, ...]]:
    """The solutions of a pattern in the history, with the variables in alphabetical order."""
    rows = select_solutions(store, f"{PREFIXES} SELECT * {{ GRAPH <{HISTORY_GRAPH}> {{ {pattern} }} }}")
    return sorted(tuple(row[name].value for name in sorted(row)) for row in rows)


@pytest.mark.parametrize("path", GRAPH_PATHS)
def test_each_version_of_a_graph_can_be_read(client: httpx2.Client, path: str) -> None:
    put_turtle(client, TRIPLE_ONE, path)
    put_turtle(client, TRIPLE_TWO, path)
    client.post(path, content=TRIPLE_ONE, headers=TURTLE_HEADERS)
    post_update(client, "DELETE DATA { <x:a> <x:p> <x:two> . GRAPH <x:g> { <x:a> <x:p> <x:two> } }")
    contents = [read_lines(client, version) for version in list_versions(client, path)]
    assert contents[:3] == [[TRIPLE_ONE], [TRIPLE_TWO], [TRIPLE_ONE, TRIPLE_TWO]]
    assert read_lines(client, path) == contents[-1]


@pytest.mark.parametrize("path", [GRAPH_PATH, OTHER_GRAPH_PATH])
def test_the_versions_of_a_deleted_graph_can_be_read(client: httpx2.Client, path: str) -> None:
    put_turtle(client, TRIPLE_ONE, path)
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404
    assert [read_lines(client, version) for version in list_versions(client, path)] == [[TRIPLE_ONE]]
    put_turtle(client, TRIPLE_TWO, path)
    assert [read_lines(client, version) for version in list_versions(client, path)] == [
        [TRIPLE_ONE],
        [TRIPLE_TWO],
    ]


def test_an_unrecorded_state_is_kept_as_a_version(client: httpx2.Client, store: Store) -> None:
    store.apply(store.compute_addition(GRAPH_IRI, parse_graph_document(TRIPLE_ONE.encode(), "text/turtle")))
    assert list_versions(client) == []
    put_turtle(client, TRIPLE_TWO)
    assert [read_lines(client, version) for version in list_versions(client)] == [[TRIPLE_ONE], [TRIPLE_TWO]]


def test_a_version_replaced_by_an_unrecorded_write_is_not_found(client: httpx2.Client, store: Store) -> None:
    put_turtle(client, TRIPLE_ONE)
    (first,) = list_versions(client)
    store.replace({GRAPH_IRI: parse_graph_document(TRIPLE_TWO.encode(), "text/turtle")})
    assert client.get(first).status_code == 404
    put_turtle(client, "<x:a> <x:p> <x:three> .")
    assert [read_lines(client, version) for version in list_versions(client)] == [
        [TRIPLE_TWO],
        ["<x:a> <x:p> <x:three> ."],
    ]
    assert client.get(first).status_code == 404


def test_a_version_keeps_blank_nodes_and_unusual_texts(client: httpx2.Client) -> None:
    turtle = '_:x <x:p> "a\\nb\\r\\u2028 _:x" , 01, [ <x:q> _:x ] .'
    put_turtle(client, turtle)
    before = read_lines(client, GRAPH_PATH)
    put_turtle(client, TRIPLE_ONE)
    assert sorted(read_lines(client, list_versions(client)[0])) == sorted(before)


def test_an_update_with_blank_nodes_is_executed(client: httpx2.Client, store: Store) -> None:
    put_turtle(client, "_:x <x:p> 1 ; <x:q> 2 . <x:a> <x:p> _:x .")
    text = """WITH <graph/one> DELETE { ?s <x:q> ?o } INSERT { ?s <x:r> ?o . _:n <x:new> ?s }
              WHERE { ?s <x:q> ?o }"""
    assert post_update(client, text).status_code == 204
    rows = select_solutions(store, "SELECT ?new { <x:a> <x:p> ?x . ?x <x:p> 1 ; <x:r> 2 . ?new <x:new> ?x }")
    assert len(rows) == 1
    assert len(read_lines(client, GRAPH_PATH)) == 4


def test_a_blank_node_shared_by_two_graphs_remains_shared(client: httpx2.Client, store: Store) -> None:
    post_update(client, "INSERT DATA { GRAPH <x:g> { _:x <x:p> 1 } GRAPH <x:h> { _:x <x:q> 2 } }")
    assert len(select_solutions(store, "SELECT * { ?x <x:p> 1 ; <x:q> 2 }")) == 1
    post_update(
        client,
        "DELETE WHERE { GRAPH <x:g> { ?x <x:p> 1 } } ; INSERT { GRAPH <x:g> { ?x <x:r> 3 } } "
        "WHERE { GRAPH <x:h> { ?x <x:q> 2 } }",
    )
    assert len(select_solutions(store, "SELECT * { ?x <x:r> 3 }")) == 1


def test_the_history_records_each_write_and_its_numbers_of_triples(
    client: httpx2.Client, store: Store
) -> None:
    put_turtle(client, TRIPLE_ONE)
    put_turtle(
        client, f"{TRIPLE_TWO} <x:b> <x:p> 1 .", **{"Content-Disposition": 'attachment; filename="two.ttl"'}
    )
    pattern = """
      ?version prov:specializationOf ?graph ; prov:wasGeneratedBy ?write ;
        wgig:triplesAdded ?added ; wgig:triplesRemoved ?removed .
      ?write prov:wasAssociatedWith/rdfs:label ?who ; rdfs:label ?title
    """
    rows = [row[:4] for row in query_history(store, pattern)]  # ?added, ?graph, ?removed, ?title
    assert rows == [("1", GRAPH_IRI, "0", "PUT /graph/one"), ("2", GRAPH_IRI, "1", "PUT /graph/one")]


def test_the_example_query_lists_each_write_and_deletion(client: httpx2.Client, store: Store) -> None:
    put_turtle(client, TRIPLE_ONE, OTHER_GRAPH_PATH)
    put_turtle(
        client, f"{TRIPLE_TWO} <x:b> <x:p> 1 .", **{"Content-Disposition": 'attachment; filename="two.ttl"'}
    )
    client.delete(GRAPH_PATH)
    post_update(client, f"DROP GRAPH <x:g> ; INSERT DATA {{ GRAPH <{GRAPH_IRI}> {{ {TRIPLE_ONE} }} }}")
    columns = ("whatLabel", "graph", "added", "removed", "file", "type")
    rows = [
        tuple(row[name].value if name in row else "" for name in columns)
        for row in select_solutions(store, read_example_query("who-wrote-what").text)
    ]
    other = f"{BASE}graphs?graph=x%3Ag"
    assert rows == [
        ("SPARQL Update", GRAPH_IRI, "1", "0", "", "application/sparql-update"),
        ("SPARQL Update", other, "0", "1", "", "application/sparql-update"),
        ("DELETE /graph/one", GRAPH_IRI, "0", "2", "", ""),
        ("PUT /graph/one", GRAPH_IRI, "2", "0", "two.ttl", "text/turtle"),
        ("PUT /graphs?graph=x%3Ag", other, "1", "0", "", "text/turtle"),
    ]


def test_the_record_of_an_update_has_each_graph(client: httpx2.Client, store: Store) -> None:
    post_update(client, "INSERT DATA { <x:a> <x:p> 1 . GRAPH <x:g> { <x:a> <x:p> 1, 2 } }")
    pattern = "?version prov:specializationOf ?graph ; prov:wasGeneratedBy ?w ; wgig:triplesAdded ?added"
    assert [row[:2] for row in query_history(store, pattern)] == [  # ?added, ?graph
        ("1", f"{BASE}graphs?default"),
        ("2", f"{BASE}graphs?graph=x%3Ag"),
    ]


def test_write_times_increase_even_if_the_clock_does_not(client: httpx2.Client, store: Store) -> None:
    put_turtle(client, TRIPLE_ONE)
    history = GraphHistory(BASE, store.old_contents)
    (version,) = history.list_versions(store, GRAPH_IRI)
    recorder = ProvenanceRecorder(history, store)
    assert recorder.last_recorded_time() == version.since
    recorder.last_write_time = later = version.time + timedelta(days=1)
    assert recorder.next_write_time() > later


def test_the_file_name_is_read_from_the_slug_header(client: httpx2.Client, store: Store) -> None:
    put_turtle(client, TRIPLE_ONE, Slug="spam%20paper.ttl")
    assert query_history(store, "?write prov:used/rdfs:label ?file")[0][0] == "spam paper.ttl"


def test_each_recorded_resource_can_be_read(client: httpx2.Client, store: Store) -> None:
    put_turtle(client, TRIPLE_ONE)
    for (iri,) in query_history(store, "{ ?resource a prov:Activity } UNION { ?resource a prov:Agent }"):
        response = client.get(f"/{iri.removeprefix(BASE)}", headers=N_TRIPLES_HEADERS, follow_redirects=True)
        assert response.status_code == 200
        assert iri in response.text


def test_no_token_is_recorded(client: httpx2.Client, store: Store) -> None:
    put_turtle(client, TRIPLE_ONE)
    put_turtle(client, TRIPLE_TWO)
    assert "secret" not in store.serialize_graph(HISTORY_GRAPH, "application/n-triples").decode()
    assert "secret" not in str([entry.origin for entry in store.log.iter_entries()])


def test_a_write_that_changes_nothing_is_not_recorded(client: httpx2.Client, store: Store) -> None:
    put_turtle(client, TRIPLE_ONE)
    before = store.serialize_graph(HISTORY_GRAPH, "application/n-triples")
    put_turtle(client, TRIPLE_ONE)
    post_update(client, f"INSERT DATA {{ GRAPH <{GRAPH_IRI}> {{ {TRIPLE_ONE} }} }}")
    assert store.serialize_graph(HISTORY_GRAPH, "application/n-triples") == before


def test_a_refused_write_is_not_recorded(client: httpx2.Client, store: Store) -> None:
    put_turtle(client, TRIPLE_ONE)
    before = store.serialize_graph(HISTORY_GRAPH, "application/n-triples")
    assert client.put(GRAPH_PATH, content="oops", headers=TURTLE_HEADERS).status_code == 400
    assert (
        client.put(GRAPH_PATH, content=TRIPLE_TWO, headers=TURTLE_HEADERS | {"If-Match": '"x"'}).status_code
        == 412
    )
    assert post_update(client, "CREATE GRAPH <x:g> ; CREATE GRAPH <x:g>").status_code == 422
    assert store.serialize_graph(HISTORY_GRAPH, "application/n-triples") == before


@pytest.mark.parametrize(
    "text",
    [
        "INSERT DATA { GRAPH <graph/history> { <x:a> <x:p> 1 } }",
        "DELETE WHERE { GRAPH <graph/history> { ?s <http://www.w3.org/ns/prov#used> ?o } }",
        "DELETE { GRAPH ?g { ?s a ?o } } WHERE { GRAPH ?g { ?s a ?o } }",
        "CREATE GRAPH <graph/inferred>",
        "INSERT DATA { GRAPH <graph/catalog> { <x:a> <x:p> 1 } }",
        "MOVE <graph/history> TO <x:g>",
        "COPY <graph/one> TO <graph/history>",
        "CLEAR GRAPH <graph/history>",
        "DELETE WHERE { GRAPH <graph/history> { ?s ?p ?o } }",
        "WITH <graph/history> DELETE { ?s ?p ?o } WHERE { ?s ?p ?o }",
    ],
)
def test_clients_cannot_write_graphs_of_the_service(client: httpx2.Client, store: Store, text: str) -> None:
    put_turtle(client, TRIPLE_ONE)
    before = store.serialize_graph(HISTORY_GRAPH, "application/n-triples")
    assert post_update(client, text).status_code == 403, text
    assert store.serialize_graph(HISTORY_GRAPH, "application/n-triples") == before
    assert client.put("/graph/history", content=TRIPLE_ONE, headers=TURTLE_HEADERS).status_code == 403


@pytest.mark.parametrize("text", ["DROP ALL", "CLEAR ALL", "DROP NAMED"])
def test_dropping_all_graphs_keeps_the_history(client: httpx2.Client, text: str) -> None:
    put_turtle(client, TRIPLE_ONE)
    put_turtle(client, TRIPLE_TWO)
    assert post_update(client, text).status_code == 204
    assert client.get(GRAPH_PATH).status_code == 404
    assert [read_lines(client, version) for version in list_versions(client)][:2] == [
        [TRIPLE_ONE],
        [TRIPLE_TWO],
    ]


def test_deleting_all_statements_keeps_the_history(client: httpx2.Client) -> None:
    put_turtle(client, TRIPLE_ONE)
    text = "DELETE { GRAPH ?g { ?s ?p ?o } } WHERE { GRAPH ?g { ?s ?p ?o } }"
    assert post_update(client, text).status_code == 204
    assert read_lines(client, GRAPH_PATH) == []
    assert read_lines(client, list_versions(client)[0]) == [TRIPLE_ONE]


def test_a_version_never_changes(client: httpx2.Client) -> None:
    put_turtle(client, TRIPLE_ONE)
    (path,) = list_versions(client)
    del client.headers["Authorization"]  # responses to requests with a token must not be cached
    current = client.get(path)
    client.headers["Authorization"] = "Bearer secret"
    put_turtle(client, TRIPLE_TWO)
    assert client.get(path).headers["cache-control"] == "no-store"
    del client.headers["Authorization"]
    later = client.get(path)
    assert later.content == current.content
    assert later.headers["etag"] == current.headers["etag"]
    assert later.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert client.get(path, headers={"If-None-Match": later.headers["etag"]}).status_code == 304


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_a_version_cannot_be_written(client: httpx2.Client, method: str) -> None:
    put_turtle(client, TRIPLE_ONE)
    response = client.request(method, list_versions(client)[0], content=TRIPLE_TWO, headers=TURTLE_HEADERS)
    assert (response.status_code, read_lines(client, GRAPH_PATH)) == (400, [TRIPLE_ONE])


@pytest.mark.parametrize("name", ["nonsense", "../../etc/passwd", "%22%3E%3C", ""])
def test_an_unknown_version_is_not_found(client: httpx2.Client, name: str) -> None:
    put_turtle(client, TRIPLE_ONE)
    assert client.get(f"{GRAPH_PATH}?version={name}").status_code == 404


def test_a_graph_links_to_its_versions_and_each_version_to_the_graph(client: httpx2.Client) -> None:
    for content in (TRIPLE_ONE, TRIPLE_TWO, f"{TRIPLE_ONE} {TRIPLE_TWO}"):
        put_turtle(client, content)
    first, second, last = list_versions(client)
    link = client.get(GRAPH_PATH).headers["link"]
    assert f'<{GRAPH_PATH}>; rel="original timegate"' in link
    assert f'<{GRAPH_PATH}?versions>; rel="timemap"; type="application/link-format"' in link
    memento = client.get(second)
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", memento.headers["memento-datetime"])
    links = dict(re.findall(r'<([^>]*)>; rel="([^"]*)"', memento.headers["link"]))
    assert links[GRAPH_PATH] == "original timegate"
    assert (links[first], links[second], links[last]) == (
        "first prev memento",
        "memento",
        "next last memento",
    )


@pytest.mark.parametrize("path", GRAPH_PATHS)
def test_the_list_of_versions_is_a_timemap(client: httpx2.Client, path: str) -> None:
    put_turtle(client, TRIPLE_ONE, path)
    put_turtle(client, TRIPLE_TWO, path)
    response = client.get(add_parameter(path, "versions"))
    assert response.headers["content-type"] == "application/link-format"
    links = dict(re.findall(r'<http://localhost([^>]*)>; rel="([^"]*)"', response.text))
    first, last = list_versions(client, path)[-2:]
    assert links[path] == "original timegate"
    assert "memento" in links[first]
    assert links[last] == "last memento"


def test_a_request_with_accept_datetime_is_redirected_to_the_version_of_that_time(
    client: httpx2.Client, store: Store
) -> None:
    history = GraphHistory(BASE, store.old_contents)
    put_turtle(client, TRIPLE_ONE)
    client.delete(GRAPH_PATH)
    put_turtle(client, TRIPLE_TWO)
    first, last = history.list_versions(store, GRAPH_IRI)

    def get_location(date: str) -> str:
        response = client.get(GRAPH_PATH, headers={"Accept-Datetime": date})
        assert (response.status_code, "Accept-Datetime" in response.headers["vary"]) == (302, True)
        assert "memento-datetime" not in response.headers
        return response.headers["location"]

    assert get_location(format_http_date(first.time - timedelta(days=1))).endswith(first.name)
    assert get_location(format_http_date(last.time + timedelta(days=1))).endswith(last.name)
    assert client.get(GRAPH_PATH, headers={"Accept-Datetime": "yesterday"}).status_code == 400


@pytest.mark.parametrize("path", [GRAPH_PATH, f"/graphs?graph={GRAPH_IRI}", "/graphs?default"])
def test_an_invalid_time_is_refused_for_a_graph_without_versions(
    client: httpx2.Client, store: Store, path: str
) -> None:
    store.apply(store.compute_addition(GRAPH_IRI, parse_graph_document(TRIPLE_ONE.encode(), "text/turtle")))
    response = client.get(path, headers={"Accept-Datetime": "yesterday"})
    assert (response.status_code, response.headers["content-type"]) == (400, "application/problem+json")
    assert "Accept-Datetime is 'yesterday'. Write a date such as" in response.json()["detail"]


def test_accept_datetime_is_ignored_for_a_graph_without_versions(client: httpx2.Client, store: Store) -> None:
    store.apply(store.compute_addition(GRAPH_IRI, parse_graph_document(TRIPLE_ONE.encode(), "text/turtle")))
    assert (
        client.get(GRAPH_PATH, headers={"Accept-Datetime": format_http_date(datetime.now(UTC))}).status_code
        == 200
    )


def test_a_graph_without_recorded_writes_has_an_empty_list_of_versions(
    client: httpx2.Client, store: Store
) -> None:
    store.apply(store.compute_addition(GRAPH_IRI, parse_graph_document(TRIPLE_ONE.encode(), "text/turtle")))
    assert f'<{GRAPH_PATH}?versions>; rel="timemap"' in client.get(GRAPH_PATH).headers["link"]
    response = client.get(f"{GRAPH_PATH}?versions")
    assert (response.status_code, response.headers["content-type"]) == (200, "application/link-format")
    assert re.findall(r'rel="([^"]*)"', response.text) == ["original timegate", "self"]
    json_list = client.get(f"{GRAPH_PATH}?versions&_mediatype=application/json").json()
    assert json_list == {"versions": []}
    detail = client.get(f"{GRAPH_PATH}?version=x").json()["detail"]
    assert detail == f"There is no version 'x' of this graph. Its versions: {GRAPH_PATH}?versions"
    client.delete(GRAPH_PATH)
    assert client.get(f"{GRAPH_PATH}?versions").status_code == 200


def test_an_unknown_graph_has_no_list_of_versions(client: httpx2.Client) -> None:
    for query_string in ("versions", "version=x"):
        response = client.get(f"{GRAPH_PATH}?{query_string}")
        assert response.status_code == 404
        assert (
            response.json()["detail"] == f"There is no graph <{GRAPH_IRI}>. The list of graphs is at /graphs."
        )


def test_the_page_of_a_graph_links_to_its_versions(client: httpx2.Client) -> None:
    put_turtle(client, TRIPLE_ONE)
    put_turtle(client, TRIPLE_TWO)
    page = client.get(GRAPH_PATH, headers={"Accept": "text/html"}).text
    assert all(f'<a href="{path}">' in page for path in list_versions(client))
    assert "1 fact added, 1 removed</a>, by the operator" in page


@pytest.mark.parametrize("path", [GRAPH_PATH, OTHER_GRAPH_PATH])
def test_the_page_of_an_unknown_version_links_to_the_current_graph(client: httpx2.Client, path: str) -> None:
    put_turtle(client, TRIPLE_ONE, path)
    error_page = client.get(add_parameter(path, "changes=yesterday"), headers=HTML_HEADERS)
    assert error_page.status_code == 404
    assert f'<a href="{path}">The current graph</a>' in error_page.text
    assert "<h2>Versions</h2>" in client.get(path, headers=HTML_HEADERS).text


def test_the_history_can_be_read_before_the_first_write(client: httpx2.Client) -> None:
    page = client.get("/graph/history", headers=HTML_HEADERS)
    assert page.status_code == 200
    no_facts = "<dt>Facts</dt><dd>0</dd>"
    assert no_facts in page.text
    assert read_lines(client, "/graph/history") == []
    assert client.get("/graph/nowhere").status_code == 404
    put_turtle(client, TRIPLE_ONE)
    assert no_facts not in client.get("/graph/history", headers=HTML_HEADERS).text
    assert read_lines(client, "/graph/history")


def test_without_history_no_version_is_kept(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    client = make_writer_client(store, history="lost")  # the setting for no history
    put_turtle(client, TRIPLE_ONE)
    put_turtle(client, TRIPLE_TWO)
    assert list_versions(client) == []
    assert "timemap" not in client.get(GRAPH_PATH).headers["link"]
    for query_string in ("versions", "version=x", "changes=x"):
        response = client.get(f"{GRAPH_PATH}?{query_string}")
        assert (response.status_code, "keeps no history" in response.json()["detail"]) == (404, True)
    assert not store.has_graph(HISTORY_GRAPH)


def test_a_blank_node_as_subject_and_object_can_be_written(store: Store) -> None:
    quad = ox.Quad(ox.BlankNode("x"), ox.NamedNode("x:p"), ox.BlankNode("x"), ox.NamedNode("x:g"))
    assert store.compute_replacement("x:g", [quad.triple]).added


def test_a_failed_write_of_a_shared_store_is_reported_until_one_succeeds(
    client: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse_write(*_: object) -> None:
        raise RefusedError(500, "no space left")

    put_turtle(client, TRIPLE_ONE)
    with monkeypatch.context() as patched:
        patched.setattr(Store, "commit", refuse_write)
        response = client.put(GRAPH_PATH, content=TRIPLE_TWO, headers=TURTLE_HEADERS)
        assert (response.status_code, "Its log gives the reason" in response.json()["detail"]) == (500, True)
        assert client.get("/ready").json()["failedWrite"]
    put_turtle(client, TRIPLE_TWO)
    assert client.get("/ready").json()["failedWrite"] is None


def test_writing_continues_after_the_disk_was_full(
    client: httpx2.Client, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_with_full_disk(*_: object) -> None:
        raise DiskFullError("The disk is full.")

    put_turtle(client, TRIPLE_ONE)
    with monkeypatch.context() as patched:
        patched.setattr(store.log, "append", fail_with_full_disk)
        response = client.put(GRAPH_PATH, content=TRIPLE_TWO, headers=TURTLE_HEADERS)
        assert (response.status_code, "frees space" in response.json()["detail"]) == (507, True)
        assert client.get("/ready").json()["failedWrite"]
        assert read_lines(client, GRAPH_PATH) == [TRIPLE_ONE]
    put_turtle(client, TRIPLE_TWO)
    assert read_lines(client, GRAPH_PATH) == [TRIPLE_TWO]
    assert client.get("/ready").json()["failedWrite"] is None


def test_a_write_with_an_unknown_outcome_is_answered_with_its_version_and_stops_writing(
    client: httpx2.Client, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_with_full_disk(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    put_turtle(client, TRIPLE_ONE)
    monkeypatch.setattr(transactions, "apply_to_engine", fail_with_full_disk)
    response = client.put(GRAPH_PATH, content=TRIPLE_TWO, headers=TURTLE_HEADERS)
    assert (response.status_code, response.json()["version"]) == (503, store.log_version)
    assert response.json()["detail"].startswith(f"Outcome unknown, version {store.log_version}: ")
    monkeypatch.undo()
    refused = client.put(GRAPH_PATH, content=TRIPLE_TWO, headers=TURTLE_HEADERS)
    assert (refused.status_code, "accepts no writes" in refused.json()["detail"]) == (503, True)
    ready = client.get("/ready")
    assert (ready.status_code, "accepts no writes" in ready.text or "unknown" in ready.text) == (503, True)
    assert read_lines(client, GRAPH_PATH) == [TRIPLE_ONE]


def list_erased(client: httpx2.Client) -> list[bool]:
    """Whether each version of the graph is erased."""
    timemap = client.get(f"{GRAPH_PATH}?versions", headers={"Accept": "application/json"}).json()
    return [item["erased"] for item in timemap["versions"]]


def test_an_erased_version_is_gone_and_the_others_remain(client: httpx2.Client, store: Store) -> None:
    for content in (TRIPLE_ONE, TRIPLE_TWO, TRIPLE_THREE):
        put_turtle(client, content)
    first, second, third = list_versions(client)
    history = GraphHistory(BASE, store.old_contents)
    store.forget([find_version_digest(store, history, second)])
    response = client.get(second, headers=N_TRIPLES_HEADERS)
    assert (response.status_code, "erased" in response.json()["detail"]) == (410, True)
    assert response.json()["title"] == "No longer kept"
    timemap = client.get(f"{GRAPH_PATH}?versions").text.split(",\n")
    assert [second in link for link in timemap] == ['title="erased"' in link for link in timemap]
    assert list_erased(client) == [False, True, False]
    assert [read_lines(client, path) for path in (first, third)] == [
        [TRIPLE_ONE],
        [TRIPLE_THREE],
    ]
    with pytest.raises(Problem, match="current version"):
        find_version_digest(store, history, third)
    put_turtle(client, TRIPLE_TWO)  # the erased content comes back, and is replaced
    put_turtle(client, TRIPLE_ONE)
    assert not any(list_erased(client))
