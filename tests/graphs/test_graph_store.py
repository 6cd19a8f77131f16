"""/update and the Graph Store: who may write, what is written, and that a refused write changes nothing."""

import httpx
import pytest
from wgig.rdf import jsonld_context
from wgig.store.store import Store

from tests.fixtures.service import writer_of

TTL = {"Content-Type": "text/turtle"}
UPDATE = {"Content-Type": "application/sparql-update"}
GRAPH = "/graph/one"
IRI = "https://w3id.org/wgig/graph/one"
WRITES = [
    ("POST", "/update"),
    ("PUT", GRAPH),
    ("POST", GRAPH),
    ("DELETE", GRAPH),
    ("PUT", f"/graphs?graph={IRI}"),
    ("POST", "/graphs"),
    ("DELETE", "/graphs?default"),
]


@pytest.fixture(params=["kept", "lost"])
def writable(request: pytest.FixtureRequest) -> httpx.Client:
    """A client of an empty service that it may write, which keeps a history or none."""
    return writer_of(Store.in_memory(), history=request.param, body_bytes=10_000)


def lines(client: httpx.Client, path: str = GRAPH) -> list[str]:
    answer = client.get(path, headers={"Accept": "application/n-triples"})
    assert answer.status_code == 200, answer.text
    return answer.text.splitlines()


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_writing_is_off_until_a_token_is_set(closed: httpx.Client, method: str, path: str) -> None:
    answer = closed.request(method, path, headers={"Authorization": "Bearer "})
    assert answer.status_code == 403
    assert "WGIG_TOKEN" in answer.json()["detail"]


@pytest.mark.parametrize(("method", "path"), WRITES)
@pytest.mark.parametrize("authorization", ["", "Bearer wrong", "Basic secret", "Bearer \xfc"])
def test_writing_needs_the_token(writable: httpx.Client, method: str, path: str, authorization: str) -> None:
    answer = writable.request(method, path, headers=[(b"Authorization", authorization.encode("latin-1"))])
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_put_makes_then_replaces_a_graph(writable: httpx.Client) -> None:
    made = writable.put(GRAPH, content="<#a> <x:p> 1 .", headers=TTL)
    assert (made.status_code, made.headers["location"]) == (201, GRAPH)
    assert writable.put(GRAPH, content="<#a> <x:p> 2 .", headers=TTL).status_code == 204
    assert lines(writable) == [f'<{IRI}#a> <x:p> "2"^^<http://www.w3.org/2001/XMLSchema#integer> .']


def test_a_graph_has_one_content_under_each_of_its_names(writable: httpx.Client) -> None:
    writable.put(GRAPH, content="<x:a> <x:p> <x:b> .", headers=TTL)
    here = f"http://localhost{GRAPH}"
    assert (
        lines(writable) == lines(writable, f"/graphs?graph={IRI}") == lines(writable, f"/graphs?graph={here}")
    )


def test_a_post_adds_and_keeps_blank_nodes_apart(writable: httpx.Client) -> None:
    for _ in range(2):
        writable.post(GRAPH, content="_:x <x:p> 1 .", headers=TTL)
    assert len(lines(writable)) == 2


def test_a_post_to_no_graph_makes_a_new_one(writable: httpx.Client) -> None:
    made = [writable.post("/graphs", content="<x:a> <x:p> 1 .", headers=TTL) for _ in range(2)]
    locations = {one.headers["location"] for one in made}
    assert len(locations) == 2
    assert all(len(lines(writable, location)) == 1 for location in locations)


def test_a_deleted_graph_is_gone(writable: httpx.Client) -> None:
    writable.put(GRAPH, content="<x:a> <x:p> 1 .", headers=TTL)
    assert [writable.delete(GRAPH).status_code for _ in range(2)] == [204, 404]
    assert writable.get(GRAPH).status_code == 404


def test_the_place_of_a_syntax_error_is_told_and_nothing_changes(writable: httpx.Client) -> None:
    writable.put(GRAPH, content="<x:a> <x:p> 1 .", headers=TTL)
    before = lines(writable)
    answer = writable.put(GRAPH, content="<x:a> <x:p> 2 .\n<x:a> oops .", headers=TTL)
    assert (answer.status_code, answer.json()["line"]) == (400, 2)
    assert lines(writable) == before


def test_one_bad_part_of_several_changes_nothing(writable: httpx.Client) -> None:
    files = [("f", ("a.ttl", "<x:a> <x:p> 1 .")), ("f", ("b.ttl", "oops"))]
    answer = writable.post(GRAPH, files=files)
    assert answer.status_code == 400
    assert "b.ttl" in answer.json()["detail"]
    assert writable.get(GRAPH).status_code == 404


def test_a_part_that_is_no_rdf_is_named(writable: httpx.Client) -> None:
    answer = writable.post(GRAPH, files=[("f", ("notes.txt", "dear", "text/plain"))])
    assert (answer.status_code, "'notes.txt' is not RDF" in answer.json()["detail"]) == (415, True)
    assert "text/turtle" in answer.headers["accept-post"]


def test_a_part_whose_type_says_nothing_is_told_by_its_name(writable: httpx.Client) -> None:
    file = ("a.ttl", "<x:a> <x:p> <x:b> .", "application/octet-stream")
    assert writable.put(GRAPH, files=[("f", file)]).status_code == 201
    assert len(lines(writable)) == 1


def test_a_body_without_a_type_is_rdf_xml(writable: httpx.Client) -> None:
    writable.put(GRAPH, content="<x:a> <x:p> <x:b> .", headers=TTL)
    document = writable.get(GRAPH, headers={"Accept": "application/rdf+xml"}).content
    assert writable.put("/graph/two", content=document).status_code == 201
    assert lines(writable, "/graph/two") == lines(writable)


@pytest.mark.parametrize(
    ("status", "method", "path", "headers"),
    [
        (400, "PUT", "/graphs", TTL),
        (400, "PUT", "/graphs?graph=relative", TTL),
        (400, "PUT", f"/graphs?default&graph={IRI}", TTL),
        (400, "PUT", "/graph/a%20b", TTL),
        (400, "PUT", GRAPH, TTL | {"Content-Range": "bytes 0-3/4"}),
        (405, "PATCH", GRAPH, TTL),
        (400, "PUT", "/graph/", TTL),
        (400, "PUT", "/graph/%2E%2E/x", TTL),
        (400, "PUT", "/graph/%FF", TTL),
        (400, "POST", "/graphs?graph=https://w3id.org/wgig/graph/", TTL),
        (400, "PUT", "/graphs?graph=http://[", TTL),
        (403, "PUT", "/graph/inferred", TTL),
        (403, "POST", "/graph/catalog", TTL),
        (403, "DELETE", "/graphs?graph=https://w3id.org/wgig/graph/inferred", TTL),
        (412, "PUT", GRAPH, TTL | {"If-Match": '"stale"'}),
        (415, "PUT", GRAPH, {"Content-Type": "application/n-quads"}),
        (415, "PUT", GRAPH, {"Content-Type": ""}),
        (400, "PUT", GRAPH, {"Content-Type": "multipart/form-data"}),
    ],
)
def test_bad_graph_requests_are_refused(
    writable: httpx.Client, status: int, method: str, path: str, headers: dict[str, str]
) -> None:
    answer = writable.request(method, path, content="<x:a> <x:p> 1 .", headers=headers)
    assert answer.status_code == status, answer.text


def test_if_match_guards_against_a_change_in_between(writable: httpx.Client) -> None:
    writable.put(GRAPH, content="<x:a> <x:p> 1 .", headers=TTL)
    tag = writable.get(GRAPH, headers={"Accept": "application/ld+json"}).headers["etag"]
    put = [
        writable.put(GRAPH, content="<x:a> <x:p> 2 .", headers=TTL | {"If-Match": one}).status_code
        for one in (f"W/{tag}", tag, tag)
    ]
    assert put == [412, 204, 412]


def test_if_none_match_star_only_makes_new_graphs(writable: httpx.Client) -> None:
    headers = TTL | {"If-None-Match": "*"}
    put = [writable.put(GRAPH, content="<x:a> <x:p> 1 .", headers=headers).status_code for _ in range(2)]
    assert put == [201, 412]


def test_only_the_graph_as_data_is_a_state_to_rely_on(writable: httpx.Client) -> None:
    writable.put(GRAPH, content="<x:a> <x:p> 1 .", headers=TTL)
    page = writable.get(GRAPH, headers={"Accept": "text/html"}).headers["etag"]
    data = writable.get(GRAPH, headers={"Accept": "application/n-triples"}).headers["etag"]
    assert writable.delete(GRAPH, headers={"If-Match": page}).status_code == 412
    assert (
        writable.post(GRAPH, content="<x:a> <x:p> 2 .", headers=TTL | {"If-None-Match": data}).status_code
        == 412
    )
    assert writable.delete(GRAPH, headers={"If-Match": f'"other", {data}'}).status_code == 204
    assert writable.delete(GRAPH, headers={"If-Match": "*"}).status_code == 412
    assert writable.put(GRAPH, content="<x:a> <x:p> 1 .", headers=TTL | {"If-Match": "*"}).status_code == 412


def test_what_is_kept_is_not_what_was_sent_so_it_has_no_tag(writable: httpx.Client) -> None:
    for _ in range(2):
        assert "etag" not in writable.put(GRAPH, content="<x:a> <x:p> 01 .", headers=TTL).headers


def test_an_update_runs_in_both_ways_of_the_protocol(writable: httpx.Client) -> None:
    for number, sent in enumerate(({"headers": UPDATE}, {})):
        text = f"INSERT DATA {{ GRAPH <{IRI}> {{ <x:a> <x:p> {number} }} }}"
        body = {"content": text} if sent else {"data": {"update": text}}
        assert writable.post("/update", **body, **sent).status_code == 204  # type: ignore[arg-type]
    assert len(lines(writable)) == 2


def test_the_dataset_of_an_update_can_stand_beside_it(writable: httpx.Client) -> None:
    writable.put(GRAPH, content="<x:a> <x:p> 1 .", headers=TTL)
    text = "INSERT { GRAPH <x:out> { ?s <x:q> ?o } } WHERE { ?s <x:p> ?o }"
    writable.post("/update", data={"update": text, "using-graph-uri": IRI})
    assert len(lines(writable, "/graphs?graph=x:out")) == 1


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (400, "CLEAR ALL; INSERT DATA { oops"),
        (400, "SELECT * { ?s ?p ?o }"),
        (400, "CLEAR ALL; INSERT DATA { <x:a> skos:prefLabel 1 }"),
        (403, "CLEAR ALL; LOAD <http://x/>"),
        (422, "CLEAR ALL; CREATE GRAPH <x:g>; CREATE GRAPH <x:g>"),
    ],
)
def test_a_refused_update_changes_nothing(writable: httpx.Client, status: int, text: str) -> None:
    writable.put(GRAPH, content="<x:a> <x:p> 1 .", headers=TTL)
    answer = writable.post("/update", content=text, headers=UPDATE)
    assert answer.status_code == status, answer.text
    assert len(lines(writable)) == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_update_stands_in_an_address(writable: httpx.Client, method: str) -> None:
    answer = writable.request(method, "/update?update=CLEAR%20ALL", headers=UPDATE)
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "data", [{}, {"update": ["CLEAR ALL", "CLEAR ALL"]}, {"update": "CLEAR ALL", "query": "ASK {}"}]
)
def test_exactly_one_update_is_taken(writable: httpx.Client, data: dict[str, str | list[str]]) -> None:
    answer = writable.post("/update", data={"x": "y", **data})
    assert (answer.status_code, "Exactly one update" in answer.json()["detail"]) == (400, True)


def test_a_body_of_unknown_length_is_held_to_the_limit(writable: httpx.Client) -> None:
    answer = writable.post("/update", content=(b"#" * 1_000 for _ in range(11)), headers=UPDATE)
    assert answer.status_code == 413


@pytest.mark.parametrize("context", ['"https://example.org/x"', '[{"n": "x:n"}, "https://example.org/x"]'])
def test_a_context_is_not_fetched_and_that_is_said(writable: httpx.Client, context: str) -> None:
    content = f'{{"@context": {context}, "@id": "x:a", "n": 1}}'
    answer = writable.put(GRAPH, content=content, headers={"Content-Type": "application/ld+json"})
    assert answer.status_code == 400
    assert "contexts are not fetched here; put the context into the document" in answer.json()["detail"]
    assert writable.get(GRAPH).status_code == 404


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_json_ld_may_name_the_context_of_the_ontology(writable: httpx.Client, mark: str) -> None:
    content = f'{mark}{{"@context": "{jsonld_context.CONTEXT_IRI}", "@id": "x:a", "rdfs:label": "A"}}'
    answer = writable.put(GRAPH, content=content, headers={"Content-Type": "application/ld+json"})
    assert answer.status_code == 201, answer.text
    assert lines(writable) == ['<x:a> <http://www.w3.org/2000/01/rdf-schema#label> "A" .']


def test_json_ld_beside_the_context_of_the_ontology_is_read_strictly(writable: httpx.Client) -> None:
    content = (
        f'{{"@context": "{jsonld_context.CONTEXT_IRI}", "@id": "x:a", "rdfs:label": "'.encode() + b'\xff"}'
    )
    answer = writable.put(GRAPH, content=content, headers={"Content-Type": "application/ld+json"})
    assert answer.status_code == 400


def test_triple_terms_that_nest_without_end_are_refused(writable: httpx.Client) -> None:
    def nested(depth: int) -> str:
        return f"<a:><a:>{'<<(<a:><a:>' * depth} 1 {')>>' * depth} ."

    assert writable.put("/graph/deep", content=nested(100), headers=TTL).status_code == 201
    for depth in (101, 650):
        answer = writable.put("/graph/deep", content=nested(depth), headers=TTL)
        assert answer.status_code == 400
        assert "triple terms" in answer.json()["detail"]
        update = f"INSERT DATA {{ {nested(depth)} }}"
        headers = {"Content-Type": "application/sparql-update"}
        assert writable.post("/update", content=update, headers=headers).status_code in (204, 400)
