"""Writes by /update and the Graph Store Protocol: authorization, content, conditions, refused writes."""

import httpx2
import pytest
from wgig.rdf import jsonld_context
from wgig.store.store import Store

from tests.fixtures.service import make_writer_client

TURTLE_HEADERS = {"Content-Type": "text/turtle"}
UPDATE_HEADERS = {"Content-Type": "application/sparql-update"}
GRAPH_PATH = "/graph/one"
GRAPH_IRI = "https://w3id.org/wgig/graph/one"
WRITE_REQUESTS = [
    ("POST", "/update"),
    ("PUT", GRAPH_PATH),
    ("POST", GRAPH_PATH),
    ("DELETE", GRAPH_PATH),
    ("PUT", f"/graphs?graph={GRAPH_IRI}"),
    ("POST", "/graphs"),
    ("DELETE", "/graphs?default"),
]


@pytest.fixture(params=["kept", "lost"])
def client(request: pytest.FixtureRequest) -> httpx2.Client:
    """A client with write access to an empty service, with and without a history."""
    return make_writer_client(Store.in_memory(), history=request.param, body_bytes=10_000)


def get_n_triples(client: httpx2.Client, path: str = GRAPH_PATH) -> list[str]:
    response = client.get(path, headers={"Accept": "application/n-triples"})
    assert response.status_code == 200, response.text
    return response.text.splitlines()


@pytest.mark.parametrize(("method", "path"), WRITE_REQUESTS)
def test_writes_are_refused_until_token_is_set(
    read_only_client: httpx2.Client, method: str, path: str
) -> None:
    response = read_only_client.request(method, path, headers={"Authorization": "Bearer "})
    assert response.status_code == 403
    assert "WGIG_TOKEN" in response.json()["detail"]


@pytest.mark.parametrize(("method", "path"), WRITE_REQUESTS)
@pytest.mark.parametrize("authorization", ["", "Bearer wrong", "Basic secret", "Bearer \xfc"])
def test_writes_need_token(client: httpx2.Client, method: str, path: str, authorization: str) -> None:
    response = client.request(method, path, headers=[(b"Authorization", authorization.encode("latin-1"))])
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Bearer")


def test_put_creates_then_replaces_graph(client: httpx2.Client) -> None:
    response = client.put(GRAPH_PATH, content="<#a> <x:p> 1 .", headers=TURTLE_HEADERS)
    assert (response.status_code, response.headers["location"]) == (201, GRAPH_PATH)
    assert client.put(GRAPH_PATH, content="<#a> <x:p> 2 .", headers=TURTLE_HEADERS).status_code == 204
    assert get_n_triples(client) == [
        f'<{GRAPH_IRI}#a> <x:p> "2"^^<http://www.w3.org/2001/XMLSchema#integer> .'
    ]


def test_graph_has_same_content_at_all_its_urls(client: httpx2.Client) -> None:
    client.put(GRAPH_PATH, content="<x:a> <x:p> <x:b> .", headers=TURTLE_HEADERS)
    for graph in (GRAPH_IRI, f"http://localhost{GRAPH_PATH}"):
        assert get_n_triples(client) == get_n_triples(client, f"/graphs?graph={graph}")


def test_post_adds_triples_and_renames_blank_nodes(client: httpx2.Client) -> None:
    for _ in range(2):
        client.post(GRAPH_PATH, content="_:x <x:p> 1 .", headers=TURTLE_HEADERS)
    assert len(get_n_triples(client)) == 2


def test_post_without_graph_creates_new_graph(client: httpx2.Client) -> None:
    responses = [client.post("/graphs", content="<x:a> <x:p> 1 .", headers=TURTLE_HEADERS) for _ in range(2)]
    locations = {response.headers["location"] for response in responses}
    assert len(locations) == 2
    assert all(len(get_n_triples(client, location)) == 1 for location in locations)


def test_deleted_graph_is_404(client: httpx2.Client) -> None:
    client.put(GRAPH_PATH, content="<x:a> <x:p> 1 .", headers=TURTLE_HEADERS)
    assert [client.delete(GRAPH_PATH).status_code for _ in range(2)] == [204, 404]
    assert client.get(GRAPH_PATH).status_code == 404


def test_syntax_error_has_line_and_changes_nothing(client: httpx2.Client) -> None:
    client.put(GRAPH_PATH, content="<x:a> <x:p> 1 .", headers=TURTLE_HEADERS)
    before = get_n_triples(client)
    response = client.put(GRAPH_PATH, content="<x:a> <x:p> 2 .\n<x:a> oops .", headers=TURTLE_HEADERS)
    assert (response.status_code, response.json()["line"]) == (400, 2)
    assert get_n_triples(client) == before


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize("path", [GRAPH_PATH, "/graph/paper/spam"])
def test_syntax_error_of_turtle_names_the_line_to_change(
    client: httpx2.Client, method: str, path: str
) -> None:
    content = "<x:a>\n  <x:p> 1\n  <x:q> 2 ."
    problem = client.request(method, path, content=content, headers=TURTLE_HEADERS).json()
    assert problem["detail"].endswith("Line 2 has no `;` or `.` at its end.")
    assert (problem["status"], problem["line"]) == (400, 2)


def test_syntax_error_in_one_of_several_files_changes_nothing(client: httpx2.Client) -> None:
    files = [("f", ("a.ttl", "<x:a> <x:p> 1 .")), ("f", ("b.ttl", "oops"))]
    response = client.post(GRAPH_PATH, files=files)
    assert response.status_code == 400
    assert "b.ttl" in response.json()["detail"]
    assert client.get(GRAPH_PATH).status_code == 404


def test_file_that_is_not_rdf_is_named_in_error(client: httpx2.Client) -> None:
    response = client.post(GRAPH_PATH, files=[("f", ("notes.txt", "dear", "text/plain"))])
    assert (response.status_code, "'notes.txt' is not RDF" in response.json()["detail"]) == (415, True)
    assert "text/turtle" in response.headers["accept-post"]


def test_file_of_unspecific_type_is_read_by_extension(client: httpx2.Client) -> None:
    file = ("a.ttl", "<x:a> <x:p> <x:b> .", "application/octet-stream")
    assert client.put(GRAPH_PATH, files=[("f", file)]).status_code == 201
    assert len(get_n_triples(client)) == 1


def test_body_without_content_type_is_rdf_xml(client: httpx2.Client) -> None:
    client.put(GRAPH_PATH, content="<x:a> <x:p> <x:b> .", headers=TURTLE_HEADERS)
    document = client.get(GRAPH_PATH, headers={"Accept": "application/rdf+xml"}).content
    assert client.put("/graph/two", content=document).status_code == 201
    assert get_n_triples(client, "/graph/two") == get_n_triples(client)


@pytest.mark.parametrize(
    ("status", "method", "path", "headers"),
    [
        (400, "PUT", "/graphs", TURTLE_HEADERS),
        (400, "PUT", "/graphs?graph=relative", TURTLE_HEADERS),
        (400, "PUT", f"/graphs?default&graph={GRAPH_IRI}", TURTLE_HEADERS),
        (400, "PUT", "/graph/a%20b", TURTLE_HEADERS),
        (400, "PUT", GRAPH_PATH, TURTLE_HEADERS | {"Content-Range": "bytes 0-3/4"}),
        (405, "PATCH", GRAPH_PATH, TURTLE_HEADERS),
        (400, "PUT", "/graph/", TURTLE_HEADERS),
        (400, "PUT", "/graph/%2E%2E/x", TURTLE_HEADERS),
        (400, "PUT", "/graph/%FF", TURTLE_HEADERS),
        (400, "POST", "/graphs?graph=https://w3id.org/wgig/graph/", TURTLE_HEADERS),
        (400, "PUT", "/graphs?graph=http://[", TURTLE_HEADERS),
        (403, "PUT", "/graph/inferred", TURTLE_HEADERS),
        (403, "POST", "/graph/catalog", TURTLE_HEADERS),
        (403, "DELETE", "/graphs?graph=https://w3id.org/wgig/graph/inferred", TURTLE_HEADERS),
        (412, "PUT", GRAPH_PATH, TURTLE_HEADERS | {"If-Match": '"stale"'}),
        (415, "PUT", GRAPH_PATH, {"Content-Type": "application/n-quads"}),
        (415, "PUT", GRAPH_PATH, {"Content-Type": ""}),
        (400, "PUT", GRAPH_PATH, {"Content-Type": "multipart/form-data"}),
    ],
)
def test_bad_graph_requests_are_refused(
    client: httpx2.Client, status: int, method: str, path: str, headers: dict[str, str]
) -> None:
    response = client.request(method, path, content="<x:a> <x:p> 1 .", headers=headers)
    assert response.status_code == status, response.text


def test_if_match_prevents_lost_update(client: httpx2.Client) -> None:
    client.put(GRAPH_PATH, content="<x:a> <x:p> 1 .", headers=TURTLE_HEADERS)
    tag = client.get(GRAPH_PATH, headers={"Accept": "application/ld+json"}).headers["etag"]
    statuses = [
        client.put(
            GRAPH_PATH, content="<x:a> <x:p> 2 .", headers=TURTLE_HEADERS | {"If-Match": if_match}
        ).status_code
        for if_match in (f"W/{tag}", tag, tag)  # weak, current, and outdated by the second write
    ]
    assert statuses == [412, 204, 412]


def test_if_none_match_star_only_creates_graphs(client: httpx2.Client) -> None:
    headers = TURTLE_HEADERS | {"If-None-Match": "*"}
    statuses = [
        client.put(GRAPH_PATH, content="<x:a> <x:p> 1 .", headers=headers).status_code for _ in range(2)
    ]
    assert statuses == [201, 412]


def test_conditions_match_etags_of_rdf_but_not_of_page(client: httpx2.Client) -> None:
    client.put(GRAPH_PATH, content="<x:a> <x:p> 1 .", headers=TURTLE_HEADERS)
    page_tag = client.get(GRAPH_PATH, headers={"Accept": "text/html"}).headers["etag"]
    data_tag = client.get(GRAPH_PATH, headers={"Accept": "application/n-triples"}).headers["etag"]
    assert client.delete(GRAPH_PATH, headers={"If-Match": page_tag}).status_code == 412
    response = client.post(
        GRAPH_PATH, content="<x:a> <x:p> 2 .", headers=TURTLE_HEADERS | {"If-None-Match": data_tag}
    )
    assert response.status_code == 412
    assert client.delete(GRAPH_PATH, headers={"If-Match": f'"other", {data_tag}'}).status_code == 204
    assert client.delete(GRAPH_PATH, headers={"If-Match": "*"}).status_code == 412
    assert (
        client.put(
            GRAPH_PATH, content="<x:a> <x:p> 1 .", headers=TURTLE_HEADERS | {"If-Match": "*"}
        ).status_code
        == 412
    )


def test_put_response_has_no_etag(client: httpx2.Client) -> None:
    for _ in range(2):
        assert (
            "etag" not in client.put(GRAPH_PATH, content="<x:a> <x:p> 01 .", headers=TURTLE_HEADERS).headers
        )


def test_update_is_accepted_as_body_and_as_form(client: httpx2.Client) -> None:
    first_update, second_update = (
        f"INSERT DATA {{ GRAPH <{GRAPH_IRI}> {{ <x:a> <x:p> {number} }} }}" for number in range(2)
    )
    assert client.post("/update", content=first_update, headers=UPDATE_HEADERS).status_code == 204
    assert client.post("/update", data={"update": second_update}).status_code == 204
    assert len(get_n_triples(client)) == 2


def test_update_dataset_can_be_form_parameter(client: httpx2.Client) -> None:
    client.put(GRAPH_PATH, content="<x:a> <x:p> 1 .", headers=TURTLE_HEADERS)
    text = "INSERT { GRAPH <x:out> { ?s <x:q> ?o } } WHERE { ?s <x:p> ?o }"
    client.post("/update", data={"update": text, "using-graph-uri": GRAPH_IRI})
    assert len(get_n_triples(client, "/graphs?graph=x:out")) == 1


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
def test_refused_update_changes_nothing(client: httpx2.Client, status: int, text: str) -> None:
    client.put(GRAPH_PATH, content="<x:a> <x:p> 1 .", headers=TURTLE_HEADERS)
    response = client.post("/update", content=text, headers=UPDATE_HEADERS)
    assert response.status_code == status, response.text
    assert len(get_n_triples(client)) == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_update_in_query_string_is_refused(client: httpx2.Client, method: str) -> None:
    response = client.request(method, "/update?update=CLEAR%20ALL", headers=UPDATE_HEADERS)
    assert response.status_code == 400


@pytest.mark.parametrize(
    "data", [{}, {"update": ["CLEAR ALL", "CLEAR ALL"]}, {"update": "CLEAR ALL", "query": "ASK {}"}]
)
def test_form_needs_exactly_one_update(client: httpx2.Client, data: dict[str, str | list[str]]) -> None:
    response = client.post("/update", data={"x": "y", **data})  # `x`, because the form must not be empty
    assert (response.status_code, "Exactly one update" in response.json()["detail"]) == (400, True)


def test_chunked_body_over_limit_is_refused(client: httpx2.Client) -> None:
    response = client.post("/update", content=(b"#" * 1_000 for _ in range(11)), headers=UPDATE_HEADERS)
    assert response.status_code == 413


@pytest.mark.parametrize("context", ['"https://example.org/x"', '[{"n": "x:n"}, "https://example.org/x"]'])
def test_remote_context_is_refused(client: httpx2.Client, context: str) -> None:
    content = f'{{"@context": {context}, "@id": "x:a", "n": 1}}'
    response = client.put(GRAPH_PATH, content=content, headers={"Content-Type": "application/ld+json"})
    assert response.status_code == 400
    assert "contexts are not fetched; put the context into the document" in response.json()["detail"]
    assert client.get(GRAPH_PATH).status_code == 404


@pytest.mark.parametrize("byte_order_mark", ["", "\ufeff"])
def test_json_ld_may_refer_to_ontology_context(client: httpx2.Client, byte_order_mark: str) -> None:
    content = (
        f'{byte_order_mark}{{"@context": "{jsonld_context.CONTEXT_IRI}", "@id": "x:a", "rdfs:label": "A"}}'
    )
    response = client.put(GRAPH_PATH, content=content, headers={"Content-Type": "application/ld+json"})
    assert response.status_code == 201, response.text
    assert get_n_triples(client) == ['<x:a> <http://www.w3.org/2000/01/rdf-schema#label> "A" .']


def test_invalid_utf8_in_json_ld_with_ontology_context_is_refused(client: httpx2.Client) -> None:
    content = (
        f'{{"@context": "{jsonld_context.CONTEXT_IRI}", "@id": "x:a", "rdfs:label": "'.encode() + b'\xff"}'
    )
    response = client.put(GRAPH_PATH, content=content, headers={"Content-Type": "application/ld+json"})
    assert response.status_code == 400


def test_too_deep_triple_terms_are_refused(client: httpx2.Client) -> None:
    def nest_triple_terms(depth: int) -> str:
        return f"<a:><a:>{'<<(<a:><a:>' * depth} 1 {')>>' * depth} ."

    assert (
        client.put("/graph/deep", content=nest_triple_terms(100), headers=TURTLE_HEADERS).status_code == 201
    )
    for depth in (101, 650):
        response = client.put("/graph/deep", content=nest_triple_terms(depth), headers=TURTLE_HEADERS)
        assert response.status_code == 400
        assert "triple terms" in response.json()["detail"]
        update = f"INSERT DATA {{ {nest_triple_terms(depth)} }}"
        assert client.post("/update", content=update, headers=UPDATE_HEADERS).status_code == 400
