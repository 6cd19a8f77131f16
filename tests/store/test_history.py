"""The history: who wrote what and when is on record, and what was replaced can still be read."""

import errno
import gzip
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pyoxigraph as ox
import pytest
from wgig.graphs.provenance import ProvenanceRecorder
from wgig.graphs.versions import format_http_date
from wgig.rdf.serialization import parse_graph_document
from wgig.remote.client import RefusedError
from wgig.settings import Settings
from wgig.sparql.examples import read_example_query
from wgig.store.errors import StoreError
from wgig.store.files import VERSIONS_FOLDER, ContentStore
from wgig.store.history import GraphHistory
from wgig.store.store import Store
from wgig.store.view import select_solutions

from tests.fixtures.service import writer_of
from tests.fixtures.triples import put_turtle

pytestmark = pytest.mark.slow

BASE = Settings.base
TTL = {"Content-Type": "text/turtle"}
HTML = {"Accept": "text/html"}
NT = {"Accept": "application/n-triples"}
GRAPH = "/graph/one"
IRI = f"{BASE}graph/one"
ELSEWHERE = "/graphs?graph=x%3Ag"
PATHS = [GRAPH, "/graphs?default", ELSEWHERE]
ONE, TWO = "<x:a> <x:p> <x:one> .", "<x:a> <x:p> <x:two> ."
HISTORY = f"{BASE}graph/history"
PREFIXES = """
PREFIX dcat: <http://www.w3.org/ns/dcat#> PREFIX prov: <http://www.w3.org/ns/prov#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#> PREFIX wgig: <https://w3id.org/wgig/ontology#>
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


@pytest.fixture
def client(store: Store) -> httpx.Client:
    """A client of a service that keeps a history and checks no papers."""
    return writer_of(store, write_profile="off")


def update(client: httpx.Client, text: str) -> httpx.Response:
    return client.post("/update", data={"update": text})


def versions(client: httpx.Client, path: str = GRAPH) -> list[str]:
    """The paths of the versions of a graph, the oldest first."""
    listed = client.get(with_key(path, "versions"), headers={"Accept": "application/json"})
    return [one["version"] for one in listed.json()["versions"]] if listed.status_code == 200 else []


def with_key(path: str, key: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}{key}"


def lines(client: httpx.Client, path: str) -> list[str]:
    answer = client.get(path, headers=NT)
    assert answer.status_code == 200, answer.text
    return answer.text.splitlines()


def asked(store: Store, pattern: str) -> list[tuple[str, ...]]:
    """The rows of a pattern over the history, with the variables in alphabetical order."""
    found = select_solutions(store, f"{PREFIXES} SELECT * {{ GRAPH <{HISTORY}> {{ {pattern} }} }}")
    return sorted(tuple(one[name].value for name in sorted(one)) for one in found)


@pytest.mark.parametrize("path", PATHS)
def test_each_state_of_a_graph_can_be_read(client: httpx.Client, path: str) -> None:
    put_turtle(client, ONE, path)
    put_turtle(client, TWO, path)
    client.post(path, content=ONE, headers=TTL)
    update(client, "DELETE DATA { <x:a> <x:p> <x:two> . GRAPH <x:g> { <x:a> <x:p> <x:two> } }")
    found = [lines(client, one) for one in versions(client, path)]
    assert found[:3] == [[ONE], [TWO], [ONE, TWO]]
    assert lines(client, path) == found[-1]


@pytest.mark.parametrize("path", [GRAPH, ELSEWHERE])
def test_what_is_deleted_stays_readable(client: httpx.Client, path: str) -> None:
    put_turtle(client, ONE, path)
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404
    assert [lines(client, one) for one in versions(client, path)] == [[ONE]]
    put_turtle(client, TWO, path)
    assert [lines(client, one) for one in versions(client, path)] == [[ONE], [TWO]]


def test_a_state_that_no_write_recorded_is_kept_as_well(client: httpx.Client, store: Store) -> None:
    store.apply(store.compute_addition(IRI, parse_graph_document(ONE.encode(), "text/turtle")))
    assert versions(client) == []
    put_turtle(client, TWO)
    assert [lines(client, one) for one in versions(client)] == [[ONE], [TWO]]


def test_a_graph_that_something_else_wrote_is_not_taken_for_what_was_written(
    client: httpx.Client, store: Store
) -> None:
    put_turtle(client, ONE)
    (first,) = versions(client)
    store.replace({IRI: parse_graph_document(TWO.encode(), "text/turtle")})
    assert client.get(first).status_code == 404
    put_turtle(client, "<x:a> <x:p> <x:three> .")
    assert [lines(client, one) for one in versions(client)] == [[TWO], ["<x:a> <x:p> <x:three> ."]]
    assert client.get(first).status_code == 404


def test_blank_nodes_and_odd_texts_come_back_as_they_were(client: httpx.Client) -> None:
    odd = '_:x <x:p> "a\\nb\\r\\u2028 _:x" , 01, [ <x:q> _:x ] .'
    put_turtle(client, odd)
    before = lines(client, GRAPH)
    put_turtle(client, ONE)
    assert sorted(lines(client, versions(client)[0])) == sorted(before)


def test_an_update_with_blank_nodes_does_what_it_says(client: httpx.Client, store: Store) -> None:
    put_turtle(client, "_:x <x:p> 1 ; <x:q> 2 . <x:a> <x:p> _:x .")
    text = """WITH <graph/one> DELETE { ?s <x:q> ?o } INSERT { ?s <x:r> ?o . _:n <x:new> ?s }
              WHERE { ?s <x:q> ?o }"""
    assert update(client, text).status_code == 204
    found = select_solutions(store, "SELECT ?new { <x:a> <x:p> ?x . ?x <x:p> 1 ; <x:r> 2 . ?new <x:new> ?x }")
    assert len(found) == 1
    assert len(lines(client, GRAPH)) == 4


def test_the_same_blank_node_in_two_graphs_stays_the_same(client: httpx.Client, store: Store) -> None:
    update(client, "INSERT DATA { GRAPH <x:g> { _:x <x:p> 1 } GRAPH <x:h> { _:x <x:q> 2 } }")
    assert len(select_solutions(store, "SELECT * { ?x <x:p> 1 ; <x:q> 2 }")) == 1
    update(
        client,
        "DELETE WHERE { GRAPH <x:g> { ?x <x:p> 1 } } ; INSERT { GRAPH <x:g> { ?x <x:r> 3 } } "
        "WHERE { GRAPH <x:h> { ?x <x:q> 2 } }",
    )
    assert len(select_solutions(store, "SELECT * { ?x <x:r> 3 }")) == 1


def test_the_record_says_who_wrote_what_and_how_much(client: httpx.Client, store: Store) -> None:
    put_turtle(client, ONE)
    put_turtle(client, f"{TWO} <x:b> <x:p> 1 .", **{"Content-Disposition": 'attachment; filename="two.ttl"'})
    pattern = """
      ?version prov:specializationOf ?graph ; prov:wasGeneratedBy ?write ;
        wgig:triplesAdded ?added ; wgig:triplesRemoved ?removed .
      ?write prov:wasAssociatedWith/rdfs:label ?who ; rdfs:label ?title
    """
    found = [(one[0], one[1], one[2], one[3]) for one in asked(store, pattern)]
    assert found == [("1", IRI, "0", "PUT /graph/one"), ("2", IRI, "1", "PUT /graph/one")]


def test_the_example_query_tells_each_write_also_a_deletion(client: httpx.Client, store: Store) -> None:
    put_turtle(client, ONE, ELSEWHERE)
    put_turtle(client, f"{TWO} <x:b> <x:p> 1 .", **{"Content-Disposition": 'attachment; filename="two.ttl"'})
    client.delete(GRAPH)
    update(client, f"DROP GRAPH <x:g> ; INSERT DATA {{ GRAPH <{IRI}> {{ {ONE} }} }}")
    columns = ("what", "graph", "added", "removed", "file", "type")
    found = [
        tuple(one[name].value if name in one else "" for name in columns)
        for one in select_solutions(store, read_example_query("who-wrote-what").text)
    ]
    other = f"{BASE}graphs?graph=x%3Ag"
    assert found == [
        ("SPARQL Update", IRI, "1", "0", "", "application/sparql-update"),
        ("SPARQL Update", other, "0", "1", "", "application/sparql-update"),
        ("DELETE /graph/one", IRI, "0", "2", "", ""),
        ("PUT /graph/one", IRI, "2", "0", "two.ttl", "text/turtle"),
        ("PUT /graphs?graph=x%3Ag", other, "1", "0", "", "text/turtle"),
    ]


def test_the_record_of_an_update_names_each_graph(client: httpx.Client, store: Store) -> None:
    update(client, "INSERT DATA { <x:a> <x:p> 1 . GRAPH <x:g> { <x:a> <x:p> 1, 2 } }")
    pattern = "?version prov:specializationOf ?graph ; prov:wasGeneratedBy ?w ; wgig:triplesAdded ?added"
    assert [(one[0], one[1]) for one in asked(store, pattern)] == [
        ("1", f"{BASE}graphs?default"),
        ("2", f"{BASE}graphs?graph=x%3Ag"),
    ]


def test_time_goes_on_whatever_the_clock_says(client: httpx.Client, store: Store) -> None:
    put_turtle(client, ONE)
    history = GraphHistory(BASE, ContentStore(store.folder))
    (version,) = history.list_versions(store, IRI)
    record = ProvenanceRecorder(history, store)
    assert record.last_recorded_time() == version.since
    record.last_write_time = later = version.moment + timedelta(days=1)
    assert record.next_write_time() > later


def test_the_name_of_a_file_comes_from_the_slug(client: httpx.Client, store: Store) -> None:
    put_turtle(client, ONE, Slug="spam%20paper.ttl")
    assert asked(store, "?write prov:used/rdfs:label ?file")[0][0] == "spam paper.ttl"


def test_what_is_on_record_has_a_page(client: httpx.Client, store: Store) -> None:
    put_turtle(client, ONE)
    for (iri,) in asked(store, "{ ?one a prov:Activity } UNION { ?one a prov:Agent }"):
        found = client.get(f"/{iri.removeprefix(BASE)}", headers=NT, follow_redirects=True)
        assert found.status_code == 200
        assert iri in found.text


def test_no_secret_is_on_record(client: httpx.Client, store: Store, tmp_path: Path) -> None:
    put_turtle(client, ONE)
    put_turtle(client, TWO)
    assert "secret" not in store.serialize_graph(HISTORY, "application/n-triples").decode()
    assert not [
        one for one in (tmp_path / "store" / VERSIONS_FOLDER).rglob("*") if b"secret" in one.name.encode()
    ]


def test_what_changes_nothing_is_not_on_record(client: httpx.Client, store: Store) -> None:
    put_turtle(client, ONE)
    before = store.serialize_graph(HISTORY, "application/n-triples")
    put_turtle(client, ONE)
    update(client, f"INSERT DATA {{ GRAPH <{IRI}> {{ {ONE} }} }}")
    assert store.serialize_graph(HISTORY, "application/n-triples") == before


def test_a_refused_write_is_not_on_record(client: httpx.Client, store: Store) -> None:
    put_turtle(client, ONE)
    before = store.serialize_graph(HISTORY, "application/n-triples")
    assert client.put(GRAPH, content="oops", headers=TTL).status_code == 400
    assert client.put(GRAPH, content=TWO, headers=TTL | {"If-Match": '"x"'}).status_code == 412
    assert update(client, "CREATE GRAPH <x:g> ; CREATE GRAPH <x:g>").status_code == 422
    assert store.serialize_graph(HISTORY, "application/n-triples") == before


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
def test_nobody_writes_what_the_service_fills(client: httpx.Client, store: Store, text: str) -> None:
    put_turtle(client, ONE)
    before = store.serialize_graph(HISTORY, "application/n-triples")
    assert update(client, text).status_code == 403, text
    assert store.serialize_graph(HISTORY, "application/n-triples") == before
    assert client.put("/graph/history", content=ONE, headers=TTL).status_code == 403


@pytest.mark.parametrize("text", ["DROP ALL", "CLEAR ALL", "DROP NAMED"])
def test_who_drops_all_drops_no_history(client: httpx.Client, text: str) -> None:
    put_turtle(client, ONE)
    put_turtle(client, TWO)
    assert update(client, text).status_code == 204
    assert client.get(GRAPH).status_code == 404
    assert [lines(client, one) for one in versions(client)][:2] == [[ONE], [TWO]]


def test_a_version_never_changes(client: httpx.Client) -> None:
    put_turtle(client, ONE)
    (path,) = versions(client)
    del client.headers["Authorization"]
    while_current = client.get(path)
    client.headers["Authorization"] = "Bearer secret"
    put_turtle(client, TWO)
    assert client.get(path).headers["cache-control"] == "no-store"
    del client.headers["Authorization"]
    later = client.get(path)
    assert later.content == while_current.content
    assert later.headers["etag"] == while_current.headers["etag"]
    assert later.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert client.get(path, headers={"If-None-Match": later.headers["etag"]}).status_code == 304


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_a_version_is_not_written(client: httpx.Client, method: str) -> None:
    put_turtle(client, ONE)
    answer = client.request(method, versions(client)[0], content=TWO, headers=TTL)
    assert (answer.status_code, lines(client, GRAPH)) == (400, [ONE])


@pytest.mark.parametrize("name", ["nonsense", "../../etc/passwd", "%22%3E%3C", ""])
def test_an_unknown_version_is_not_found(client: httpx.Client, name: str) -> None:
    put_turtle(client, ONE)
    assert client.get(f"{GRAPH}?version={name}").status_code == 404


def test_a_graph_leads_to_its_versions_and_each_of_them_back(client: httpx.Client) -> None:
    for content in (ONE, TWO, f"{ONE} {TWO}"):
        put_turtle(client, content)
    first, second, last = versions(client)
    link = client.get(GRAPH).headers["link"]
    assert f'<{GRAPH}>; rel="original timegate"' in link
    assert f'<{GRAPH}?versions>; rel="timemap"; type="application/link-format"' in link
    memento = client.get(second)
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", memento.headers["memento-datetime"])
    found = dict(re.findall(r'<([^>]*)>; rel="([^"]*)"', memento.headers["link"]))
    assert found[GRAPH] == "original timegate"
    assert (found[first], found[second], found[last]) == (
        "first prev memento",
        "memento",
        "next last memento",
    )


@pytest.mark.parametrize("path", PATHS)
def test_the_list_of_versions_is_a_timemap(client: httpx.Client, path: str) -> None:
    put_turtle(client, ONE, path)
    put_turtle(client, TWO, path)
    answer = client.get(with_key(path, "versions"))
    assert answer.headers["content-type"] == "application/link-format"
    found = dict(re.findall(r'<http://localhost([^>]*)>; rel="([^"]*)"', answer.text))
    first, last = versions(client, path)[-2:]
    assert found[path] == "original timegate"
    assert "memento" in found[first]
    assert found[last] == "last memento"


def test_a_time_leads_to_the_version_of_that_time(client: httpx.Client, store: Store) -> None:
    history = GraphHistory(BASE, ContentStore(store.folder))
    put_turtle(client, ONE)
    client.delete(GRAPH)
    put_turtle(client, TWO)
    first, last = history.list_versions(store, IRI)

    def at(moment: str) -> str:
        answer = client.get(GRAPH, headers={"Accept-Datetime": moment})
        assert (answer.status_code, "Accept-Datetime" in answer.headers["vary"]) == (302, True)
        assert "memento-datetime" not in answer.headers
        return answer.headers["location"]

    assert at(format_http_date(first.moment - timedelta(days=1))).endswith(first.name)
    assert at(format_http_date(last.moment + timedelta(days=1))).endswith(last.name)
    assert client.get(GRAPH, headers={"Accept-Datetime": "yesterday"}).status_code == 400


@pytest.mark.parametrize("path", [GRAPH, f"/graphs?graph={IRI}", "/graphs?default"])
def test_a_time_that_is_none_is_refused_whether_there_are_versions_or_not(
    client: httpx.Client, store: Store, path: str
) -> None:
    store.apply(store.compute_addition(IRI, parse_graph_document(ONE.encode(), "text/turtle")))
    answer = client.get(path, headers={"Accept-Datetime": "yesterday"})
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert "Accept-Datetime is 'yesterday'. Write a date such as" in answer.json()["detail"]


def test_a_graph_without_versions_takes_no_notice_of_times(client: httpx.Client, store: Store) -> None:
    store.apply(store.compute_addition(IRI, parse_graph_document(ONE.encode(), "text/turtle")))
    assert (
        client.get(GRAPH, headers={"Accept-Datetime": format_http_date(datetime.now(UTC))}).status_code == 200
    )


def test_a_graph_that_nobody_wrote_has_an_empty_list_of_versions(client: httpx.Client, store: Store) -> None:
    store.apply(store.compute_addition(IRI, parse_graph_document(ONE.encode(), "text/turtle")))
    assert f'<{GRAPH}?versions>; rel="timemap"' in client.get(GRAPH).headers["link"]
    answer = client.get(f"{GRAPH}?versions")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/link-format")
    assert re.findall(r'rel="([^"]*)"', answer.text) == ["original timegate", "self"]
    told = client.get(f"{GRAPH}?versions&_mediatype=application/json").json()
    assert told == {"versions": []}
    refused = client.get(f"{GRAPH}?version=x").json()["detail"]
    assert refused == f"There is no version 'x' of this graph. Its versions: {GRAPH}?versions"
    client.delete(GRAPH)
    assert client.get(f"{GRAPH}?versions").status_code == 200


def test_a_graph_that_never_was_has_no_list_of_versions(client: httpx.Client) -> None:
    for path in ("versions", "version=x"):
        answer = client.get(f"{GRAPH}?{path}")
        assert answer.status_code == 404
        assert answer.json()["detail"] == f"There is no graph <{IRI}>. The list of graphs is at /graphs."


def test_people_find_the_versions_on_the_page_of_the_graph(client: httpx.Client) -> None:
    put_turtle(client, ONE)
    put_turtle(client, TWO)
    page = client.get(GRAPH, headers={"Accept": "text/html"}).text
    assert all(f'<a href="{path}">' in page for path in versions(client))
    assert "1 added and 1 removed</a> by <bdi>WGIG_TOKEN</bdi>" in page


@pytest.mark.parametrize("path", [GRAPH, ELSEWHERE])
def test_people_are_led_from_a_version_that_is_not_there_to_the_page_with_those_that_are(
    client: httpx.Client, path: str
) -> None:
    put_turtle(client, ONE, path)
    refused = client.get(with_key(path, "changes=yesterday"), headers=HTML)
    assert refused.status_code == 404
    assert f'<a href="{path}">The current graph</a>' in refused.text
    assert "<h2>Versions</h2>" in client.get(path, headers=HTML).text


def test_the_history_can_be_read_before_the_first_write(client: httpx.Client) -> None:
    page = client.get("/graph/history", headers=HTML)
    assert page.status_code == 200
    assert "Nothing is written here yet." in page.text
    assert lines(client, "/graph/history") == []
    assert client.get("/graph/nowhere").status_code == 404
    put_turtle(client, ONE)
    assert "Nothing is written here yet." not in client.get("/graph/history", headers=HTML).text
    assert lines(client, "/graph/history")


def test_where_the_past_is_lost_nothing_is_kept(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    client = writer_of(store, history="lost")
    put_turtle(client, ONE)
    put_turtle(client, TWO)
    assert versions(client) == []
    assert "timemap" not in client.get(GRAPH).headers["link"]
    for key in ("versions", "version=x", "changes=x"):
        refused = client.get(f"{GRAPH}?{key}")
        assert (refused.status_code, "keeps no history" in refused.json()["detail"]) == (404, True)
    assert not (tmp_path / VERSIONS_FOLDER).exists()
    assert not store.has_graph(HISTORY)


def test_a_version_is_kept_once_and_compared_when_it_is_read(tmp_path: Path) -> None:
    versions = ContentStore(tmp_path)
    digest = versions.keep(b"content")
    assert versions.keep(b"content") == digest
    (file,) = [one for one in tmp_path.rglob("*") if one.is_file()]
    assert versions.read(digest) == b"content"
    for content, says in ((gzip.compress(b"another"), "is damaged"), (b"\x1f\x8b", "cannot be read")):
        file.write_bytes(content)
        with pytest.raises(StoreError, match=says):
            versions.read(digest)
    file.unlink()
    with pytest.raises(StoreError, match="cannot be read"):
        versions.read(digest)


def test_a_blank_node_is_written_as_one_thing_only(store: Store) -> None:
    quad = ox.Quad(ox.BlankNode("x"), ox.NamedNode("x:p"), ox.BlankNode("x"), ox.NamedNode("x:g"))
    assert store.compute_replacement("x:g", [quad.triple]).added


def test_a_write_that_a_shared_store_refuses_is_told_until_one_is_done(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise RefusedError(500, "Log out of disk")

    put_turtle(client, ONE)
    with monkeypatch.context() as patched:
        patched.setattr(Store, "apply", refuse)
        answer = client.put(GRAPH, content=TWO, headers=TTL)
        assert (answer.status_code, "Its log says why" in answer.json()["detail"]) == (500, True)
        assert client.get("/ready").json()["failedWrite"]
    put_turtle(client, TWO)
    assert client.get("/ready").json()["failedWrite"] is None


def test_where_only_a_version_could_not_be_kept_writing_goes_on(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    put_turtle(client, ONE)
    with monkeypatch.context() as patched:
        patched.setattr("wgig.store.files.open_durable_file", full)
        answer = client.put(GRAPH, content=TWO, headers=TTL)
        assert (answer.status_code, "frees space" in answer.json()["detail"]) == (507, True)
        assert client.get("/ready").json()["failedWrite"]
        assert lines(client, GRAPH) == [ONE]
    put_turtle(client, TWO)
    assert lines(client, GRAPH) == [TWO]
    assert client.get("/ready").json()["failedWrite"] is None
