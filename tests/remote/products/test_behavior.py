"""The behavior of all kinds of stores: SPARQL, graphs, documents, checks, writes, search, changes.

DEVIATIONS lists the tests that fail with one of the engines.
"""

from collections import Counter

import httpx2
import pyoxigraph as ox
import pytest
from wgig.settings import CHECKOUT_FOLDER, Settings

from tests.fixtures.projections import StreamFollower, check_statistics, search_ids, wait_until_current

from .deviations import DEVIATIONS

BASE = Settings.base
GRAPHS = f"{BASE}graph/"  # the namespace of graphs
XSD = "http://www.w3.org/2001/XMLSchema#"
JSON, XML = "application/sparql-results+json", "application/sparql-results+xml"
CSV, TSV = "text/csv", "text/tab-separated-values"
N_TRIPLES, TURTLE, JSON_LD, RDF_XML = (
    *("application/n-triples", "text/turtle"),
    *("application/ld+json", "application/rdf+xml"),
)
LITERALS = (
    '"plain"',
    '" spaces "@ar',
    '"line\\nand\\ttab"',
    '"中文"@zh',
    '"\\"quoted\\" \\\\"',
    f'"2004-11-23"^^<{XSD}date>',
    f'"2004-11-23T10:00:00Z"^^<{XSD}dateTime>',
    f'"true"^^<{XSD}boolean>',
    f'"7"^^<{XSD}integer>',
    f'"1.5"^^<{XSD}decimal>',
    f'"2004"^^<{XSD}gYear>',
    f'"https://example.org/"^^<{XSD}anyURI>',
    '"x"^^<https://example.org/type>',
)
EXAMPLE_QUERIES = sorted(
    path.stem
    for path in (CHECKOUT_FOLDER / "data" / "queries").glob("*.rq")
    if path.stem != "who-wrote-what"  # its result contains the writes of these tests
)


@pytest.fixture(autouse=True)
def mark_deviations(request: pytest.FixtureRequest) -> None:
    """Expect the failure of tests in DEVIATIONS."""
    name = request.node.name
    reasons = [reason for key, reason in DEVIATIONS.items() if all(word in name for word in key.split())]
    for reason in reasons:
        request.applymarker(pytest.mark.xfail(reason=reason, strict=True))


def send_query(client: httpx2.Client, query: str, accept: str = JSON, **parameters: str) -> httpx2.Response:
    return client.post("/sparql", data={"query": query, **parameters}, headers={"Accept": accept})


def select_rows(client: httpx2.Client, query: str, **parameters: str) -> list[dict[str, str]]:
    """The values in the result rows of a query."""
    response = send_query(client, query, **parameters)
    assert response.status_code == 200, response.text
    return [
        {name: term["value"] for name, term in row.items()} for row in response.json()["results"]["bindings"]
    ]


def put_graph(client: httpx2.Client, name: str, data: str, **headers: str) -> httpx2.Response:
    """Replace the graph `<base>graph/NAME`."""
    return client.put(f"/graph/{name}", content=data.encode(), headers={"Content-Type": TURTLE, **headers})


def parse_triples(response: httpx2.Response) -> set[str]:
    """The triples of an N-Triples response."""
    assert response.status_code == 200, response.text
    return {str(quad.triple) for quad in ox.parse(response.content, ox.RdfFormat.N_TRIPLES)}


def get_path(client: httpx2.Client, path: str, accept: str = N_TRIPLES) -> httpx2.Response:
    return client.get(path, headers={"Accept": accept})


# SPARQL


@pytest.mark.parametrize("accept", [JSON, XML, CSV, TSV], ids=["json", "xml", "csv", "tsv"])
def test_literals_are_preserved(client: httpx2.Client, accept: str) -> None:
    put_graph(
        client,
        "literals",
        "".join(f"<urn:{number}> <urn:value> {literal} .\n" for number, literal in enumerate(LITERALS)),
    )
    response = send_query(client, "SELECT ?s ?o { ?s <urn:value> ?o } ORDER BY ?s", accept)
    assert response.headers["content-type"].startswith(accept)
    if accept == CSV:
        assert response.text.count("\n") == len(LITERALS) + 2  # the header, and a literal with two lines
        return
    result_format = {
        JSON: ox.QueryResultsFormat.JSON,
        XML: ox.QueryResultsFormat.XML,
        TSV: ox.QueryResultsFormat.TSV,
    }[accept]
    # pyoxigraph strips spaces from the ends of literals in XML.
    data = response.content.replace(b"> spaces <", b">&#32;spaces&#32;<")
    parsed_rows = ox.parse_query_results(data, format=result_format)
    assert isinstance(parsed_rows, ox.QuerySolutions)
    objects = {str(row["s"]): row["o"] for row in parsed_rows}
    expected_objects = {
        f"<urn:{number}>": next(ox.parse(f"<urn:s> <urn:p> {literal} .", ox.RdfFormat.N_TRIPLES)).object
        for number, literal in enumerate(LITERALS)
    }
    assert objects == expected_objects


@pytest.mark.parametrize("truth", ["true", "false"])
@pytest.mark.parametrize("accept", [JSON, XML], ids=["json", "xml"])
def test_ask_returns_a_boolean(client: httpx2.Client, accept: str, truth: str) -> None:
    query = "ASK {}" if truth == "true" else "ASK { <urn:nobody> <urn:said> <urn:nothing> }"
    response = send_query(client, query, accept)
    result = ox.parse_query_results(
        response.content, format=ox.QueryResultsFormat.JSON if accept == JSON else ox.QueryResultsFormat.XML
    )
    assert isinstance(result, ox.QueryBoolean)
    assert bool(result) is (truth == "true")


@pytest.mark.parametrize("accept", [N_TRIPLES, TURTLE, JSON_LD, RDF_XML], ids=["nt", "ttl", "jsonld", "rdf"])
def test_construct_result_is_returned_in_each_format(client: httpx2.Client, accept: str) -> None:
    put_graph(client, "made", '<urn:a> <urn:p#x> "one"@en , 2 ; <urn:p#y> <urn:b> .')
    response = send_query(
        client, f"CONSTRUCT {{ ?s ?p ?o }} {{ GRAPH <{GRAPHS}made> {{ ?s ?p ?o }} }}", accept
    )
    result_format = ox.RdfFormat.from_media_type(accept)
    assert {str(quad.triple) for quad in ox.parse(response.content, result_format)} == parse_triples(
        get_path(client, "/graph/made")
    )


def test_default_graph_is_the_union_of_all_graphs(client: httpx2.Client) -> None:
    put_graph(client, "left", "<urn:u> <urn:to> <urn:v> .")
    put_graph(client, "right", "<urn:v> <urn:to> <urn:w> .")
    assert select_rows(client, "SELECT ?end { <urn:u> <urn:to>/<urn:to> ?end }") == [{"end": "urn:w"}]


def test_equal_numbers_of_different_types_are_different(client: httpx2.Client) -> None:
    assert put_graph(client, "numbers", "<urn:a> <urn:equal> 1 , 1.0 , 1e0 .").is_success
    (row,) = select_rows(
        client, f"SELECT (COUNT(*) AS ?n) {{ GRAPH <{GRAPHS}numbers> {{ <urn:a> <urn:equal> ?o }} }}"
    )
    assert row == {"n": "3"}


def test_sum_of_no_values_is_zero(client: httpx2.Client) -> None:
    assert select_rows(client, "SELECT (SUM(?n) AS ?sum) { <urn:nobody> <urn:counts> ?n }") == [{"sum": "0"}]


def test_query_uses_the_graphs_of_its_dataset(client: httpx2.Client) -> None:
    put_graph(client, "left", "<urn:u> <urn:to> <urn:v> .")
    put_graph(client, "right", "<urn:u> <urn:to> <urn:w> .")
    query = "SELECT ?end { <urn:u> <urn:to> ?end }"
    assert select_rows(client, query, **{"default-graph-uri": f"{GRAPHS}left"}) == [{"end": "urn:v"}]
    query = "SELECT ?end ?g { GRAPH ?g { <urn:u> <urn:to> ?end } }"
    assert select_rows(client, query, **{"named-graph-uri": f"{GRAPHS}right"}) == [
        {"end": "urn:w", "g": f"{GRAPHS}right"}
    ]
    assert select_rows(client, f"SELECT ?end FROM <{GRAPHS}left> {{ <urn:u> <urn:to> ?end }}") == [
        {"end": "urn:v"}
    ]


def test_aggregates_and_negation_are_evaluated(client: httpx2.Client) -> None:
    put_graph(
        client, "sums", "<urn:s1> <urn:n> 1 . <urn:s2> <urn:n> 2 . <urn:s3> <urn:n> 4 ; <urn:out> true ."
    )
    query = "SELECT (SUM(?n) AS ?sum) (COUNT(*) AS ?count) { ?s <urn:n> ?n MINUS { ?s <urn:out> ?any } }"
    assert select_rows(client, query) == [{"sum": "3", "count": "2"}]


def test_relative_iris_are_resolved_against_the_base(client: httpx2.Client) -> None:
    put_graph(client, "relative", f"<{BASE}id/x-thing> <urn:is> <urn:here> .")
    assert select_rows(client, "SELECT ?where { <id/x-thing> <urn:is> ?where }") == [{"where": "urn:here"}]


def test_base_and_prefixes_of_a_query_are_used(client: httpx2.Client) -> None:
    put_graph(client, "based", "<urn:x-home/a#b> <urn:x-home/p> <urn:x-home/a#> .")
    query = "PREFIX q: <urn:x-home/> BASE <urn:x-home/c> PREFIX : <a#> SELECT ?o { :b q:p ?o . :b <p> <a#> }"
    assert select_rows(client, query) == [{"o": "urn:x-home/a#"}]


LEFT_GRAPH = f"{GRAPHS}left"


@pytest.mark.parametrize(
    ("query", "parameters", "expected_ends"),
    [
        ("{ GRAPH ?g { <urn:u> <urn:to> ?end } }", {"default-graph-uri": LEFT_GRAPH}, []),
        (f"FROM <{LEFT_GRAPH}> {{ GRAPH ?g {{ <urn:u> <urn:to> ?end }} }}", {}, []),
        (f"FROM <{LEFT_GRAPH}> {{ GRAPH <{LEFT_GRAPH}> {{ <urn:u> <urn:to> ?end }} }}", {}, []),
        ("{ <urn:u> <urn:to> ?end }", {"named-graph-uri": LEFT_GRAPH}, []),
        (f"FROM NAMED <{LEFT_GRAPH}> {{ <urn:u> <urn:to> ?end }}", {}, []),
        # The dataset of the protocol overrides that of the query.
        (
            f"FROM <{GRAPHS}right> {{ <urn:u> <urn:to> ?end }}",
            {"default-graph-uri": LEFT_GRAPH},
            ["urn:v"],
        ),
        (
            f"FROM NAMED <{GRAPHS}right> {{ GRAPH ?g {{ ?u <urn:to> ?end }} }}",
            {"named-graph-uri": LEFT_GRAPH},
            ["urn:v"],
        ),
    ],
)
def test_query_does_not_see_graphs_outside_its_dataset(
    client: httpx2.Client, query: str, parameters: dict[str, str], expected_ends: list[str]
) -> None:
    put_graph(client, "left", "<urn:u> <urn:to> <urn:v> .")
    put_graph(client, "right", "<urn:u> <urn:to> <urn:w> .")
    results = select_rows(client, f"SELECT ?end {query}", **parameters)
    assert results == [{"end": end} for end in expected_ends]


def test_ask_does_not_see_graphs_outside_its_dataset(client: httpx2.Client) -> None:
    put_graph(client, "right", "<urn:u> <urn:to> <urn:w> .")
    query = f"ASK FROM <{LEFT_GRAPH}> {{ GRAPH <{GRAPHS}right> {{ <urn:u> <urn:to> ?end }} }}"
    assert send_query(client, query).json()["boolean"] is False


@pytest.mark.parametrize("name", EXAMPLE_QUERIES)
def test_example_query_has_the_result_of_the_embedded_store(
    client: httpx2.Client, store_with_shapes: ox.Store, name: str
) -> None:
    response = client.get(f"/queries/{name}", headers={"Accept": TSV})
    assert response.status_code == 200, response.text
    query = (CHECKOUT_FOLDER / "data" / "queries" / f"{name}.rq").read_text()
    results = store_with_shapes.query(query, use_default_graph_as_union=True)
    assert isinstance(results, ox.QuerySolutions)
    expected = results.serialize(format=ox.QueryResultsFormat.TSV)
    assert sorted(response.text.splitlines()) == sorted((expected or b"").decode().splitlines())


def test_syntax_error_has_a_line(client: httpx2.Client) -> None:
    response = send_query(client, "SELECT ?x {\n ?x ?y }")
    assert response.status_code == 400
    assert response.json()["line"] == 2


def test_unknown_function_is_refused(client: httpx2.Client) -> None:
    assert send_query(client, "SELECT (<urn:no-such-function>(1) AS ?x) {}").status_code == 422


LARGE_RESULT_ROWS = 11_000  # more than the default limit of Virtuoso
ROWS_PER_GRAPH = 4_000  # within the limit of a write


def test_large_result_is_complete(client: httpx2.Client) -> None:
    parts = {
        f"many-{first}": range(first, min(first + ROWS_PER_GRAPH, LARGE_RESULT_ROWS))
        for first in range(0, LARGE_RESULT_ROWS, ROWS_PER_GRAPH)
    }
    for name, numbers in parts.items():
        triples = "".join(f"<urn:many{number}> <urn:number> {number} .\n" for number in numbers)
        assert put_graph(client, name, triples).status_code == 201
    rows = select_rows(client, "SELECT ?n { GRAPH ?g { ?s <urn:number> ?n } }")
    assert sorted(int(row["n"]) for row in rows) == list(range(LARGE_RESULT_ROWS))
    for name in parts:
        assert client.delete(f"/graph/{name}").status_code == 204


# Graphs


def test_graph_is_created_replaced_extended_and_deleted(client: httpx2.Client) -> None:
    assert put_graph(client, "turns", "<urn:a> <urn:b> 1 .").status_code == 201
    assert put_graph(client, "turns", "<urn:a> <urn:b> 2 .").status_code == 204
    client.post("/graph/turns", content="<urn:a> <urn:b> 3 .", headers={"Content-Type": TURTLE})
    assert {
        row["n"] for row in select_rows(client, f"SELECT ?n {{ GRAPH <{GRAPHS}turns> {{ ?s ?p ?n }} }}")
    } == {
        "2",
        "3",
    }
    assert len(parse_triples(get_path(client, "/graph/turns"))) == 2
    assert client.delete("/graph/turns").status_code == 204
    assert get_path(client, "/graph/turns").status_code == 404
    assert select_rows(client, f"SELECT ?n {{ GRAPH <{GRAPHS}turns> {{ ?s ?p ?n }} }}") == []


def test_blank_nodes_of_different_graphs_are_different(client: httpx2.Client) -> None:
    data = "<urn:a> <urn:has> [ <urn:name> 'one' ; <urn:next> [ <urn:name> 'two' ] ] ."
    put_graph(client, "blank", data)
    put_graph(client, "blank2", data)
    query = "SELECT ?first ?second { GRAPH ?g { ?x <urn:name> ?first ; <urn:next>/<urn:name> ?second } }"
    assert select_rows(client, query) == [{"first": "one", "second": "two"}] * 2
    client.post("/graph/blank", content="<urn:b> <urn:has> [] .", headers={"Content-Type": TURTLE})
    assert len(parse_triples(get_path(client, "/graph/blank"))) == 5  # four in `data`, and the new one
    client.delete("/graph/blank2")
    assert select_rows(client, query) == [{"first": "one", "second": "two"}]


def test_blank_nodes_are_blank_in_queries(client: httpx2.Client) -> None:
    put_graph(client, "blank", "<urn:a> <urn:has> [] .")
    assert select_rows(client, f"SELECT ?x {{ GRAPH <{GRAPHS}blank> {{ ?s ?p ?x FILTER(ISBLANK(?x)) }} }}")


def test_unnamed_graph_is_written_queried_and_deleted(client: httpx2.Client) -> None:
    headers = {"Content-Type": TURTLE}
    assert (
        client.put("/graphs?default", content="<urn:un> <urn:named> 1 .", headers=headers).status_code < 300
    )
    assert select_rows(client, "SELECT ?n { <urn:un> <urn:named> ?n }") == [{"n": "1"}]
    assert len(parse_triples(get_path(client, "/graphs?default"))) == 1
    client.delete("/graphs?default")
    assert select_rows(client, "SELECT ?n { <urn:un> <urn:named> ?n }") == []


def test_unnamed_graph_has_no_name(client: httpx2.Client) -> None:
    client.put("/graphs?default", content="<urn:un> <urn:named> 1 .", headers={"Content-Type": TURTLE})
    try:
        assert select_rows(client, "SELECT ?g { GRAPH ?g { <urn:un> <urn:named> ?n } }") == []
    finally:
        client.delete("/graphs?default")


def test_write_with_an_outdated_etag_is_refused(client: httpx2.Client) -> None:
    put_graph(client, "conditional", "<urn:a> <urn:b> 1 .")
    etag = get_path(client, "/graph/conditional", TURTLE).headers["etag"]
    assert put_graph(client, "conditional", "<urn:a> <urn:b> 2 .", **{"If-Match": etag}).status_code == 204
    assert put_graph(client, "conditional", "<urn:a> <urn:b> 3 .", **{"If-Match": etag}).status_code == 412
    assert select_rows(client, f"SELECT ?n {{ GRAPH <{GRAPHS}conditional> {{ ?s ?p ?n }} }}") == [{"n": "2"}]


def test_invalid_data_changes_nothing(client: httpx2.Client) -> None:
    put_graph(client, "whole", "<urn:a> <urn:b> 1 .")
    response = put_graph(client, "whole", "<urn:a> <urn:b> 2 .\n<urn:a> <urn:b>")
    assert (response.status_code, response.json()["line"]) == (400, 2)
    assert select_rows(client, f"SELECT ?n {{ GRAPH <{GRAPHS}whole> {{ ?s ?p ?n }} }}") == [{"n": "1"}]


def test_all_valid_literals_are_stored(client: httpx2.Client) -> None:
    data = f'<urn:a> <urn:b> "P1D"^^<{XSD}duration> , "12345678901234567890"^^<{XSD}integer> .'
    assert put_graph(client, "strange", data).status_code in (201, 204)


@pytest.mark.parametrize("term", ["<<( <urn:a> <urn:b> 1 )>>", "'x'@ar--rtl"], ids=["triple", "direction"])
def test_rdf_12_terms_are_stored(client: httpx2.Client, term: str) -> None:
    response = put_graph(client, "terms", f"<urn:a> <urn:b> {term} .")
    assert response.status_code in (201, 204)


def test_literals_that_engines_change_can_be_deleted(client: httpx2.Client) -> None:
    changed_literals = (
        f'1.0 , 2.50 , "10:00:00"^^<{XSD}time> , "5"^^<{XSD}long> , 1.5e0 , "x"^^<https://example.org/type>'
    )
    for objects, count in ((changed_literals, 6), ("3.0 , 'y'", 2)):
        assert put_graph(client, "literals", f"<urn:a> <urn:b> {objects} .").is_success
        query = f"SELECT ?o (DATATYPE(?o) AS ?type) {{ GRAPH <{GRAPHS}literals> {{ ?s ?p ?o }} }}"
        results = select_rows(client, query)
        assert len(results) == count
        assert parse_triples(get_path(client, "/graph/literals"))
    assert {row["type"].rpartition("#")[2] for row in results} == {"decimal", "string"}


# Updates


def test_update_changes_data(client: httpx2.Client) -> None:
    put_graph(client, "updated", "<urn:a> <urn:b> 1 .")
    update = f"""
      DELETE {{ GRAPH ?g {{ ?s <urn:b> ?n }} }} INSERT {{ GRAPH ?g {{ ?s <urn:b> ?more }} }}
      WHERE {{ GRAPH ?g {{ ?s <urn:b> ?n }} VALUES ?g {{ <{GRAPHS}updated> }} BIND(?n + 1 AS ?more) }} ;
      INSERT DATA {{ GRAPH <{GRAPHS}updated> {{ <urn:c> <urn:d> "ü" }} }}"""
    assert client.post("/update", data={"update": update}).status_code == 204
    assert {
        row["n"] for row in select_rows(client, f"SELECT ?n {{ GRAPH <{GRAPHS}updated> {{ ?s ?p ?n }} }}")
    } == {
        "2",
        "ü",
    }


def test_failed_update_changes_nothing(client: httpx2.Client) -> None:
    put_graph(client, "failing", "<urn:a> <urn:b> 1 .")
    deletion = f"DELETE WHERE {{ GRAPH <{GRAPHS}failing> {{ ?s ?p ?o }} }}"
    # Clients cannot write the statistics.
    refused_insertion = f"INSERT DATA {{ GRAPH <{GRAPHS}void> {{ <urn:x> <urn:y> 1 }} }}"
    update = f"{deletion} ; {refused_insertion}"
    assert client.post("/update", data={"update": update}).status_code == 403
    assert select_rows(client, f"SELECT ?n {{ GRAPH <{GRAPHS}failing> {{ ?s ?p ?n }} }}") == [{"n": "1"}]


# Documents, search, changes, checks


@pytest.mark.parametrize(
    "path", ["/", "/coverage", "/people", "/papers", "/timeline", "/ontology", "/id/issue/spam"]
)
def test_page_is_available(client: httpx2.Client, path: str) -> None:
    response = client.get(path, headers={"Accept": "text/html"}, follow_redirects=True)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("accept", [TURTLE, JSON_LD, N_TRIPLES])
def test_resource_is_described(client: httpx2.Client, accept: str) -> None:
    response = client.get("/id/issue/spam", headers={"Accept": accept}, follow_redirects=True)
    assert response.status_code == 200
    assert "Spam" in response.text


def test_new_resource_has_a_page_and_is_found_by_search(client: httpx2.Client) -> None:
    resource = f"{BASE}id/document/x-unheard"
    put_graph(
        client, "things", f'<{resource}> <http://www.w3.org/2000/01/rdf-schema#label> "Unheardofword"@en .'
    )
    assert "Unheardofword" in client.get("/doc/document/x-unheard", headers={"Accept": TURTLE}).text
    wait_until_current(client)
    assert search_ids(client, "unheardofword") == {resource}
    put_graph(client, "things", f'<{resource}> <http://www.w3.org/2000/01/rdf-schema#label> "Otherword"@en .')
    wait_until_current(client)
    assert search_ids(client, "unheardofword") == set()
    assert search_ids(client, "otherword") == {resource}


def test_event_stream_has_every_change(client: httpx2.Client) -> None:
    wait_until_current(client)
    follower = StreamFollower()
    follower.check(client)
    put_graph(client, "told", "<urn:told> <urn:b> 1 .")
    wait_until_current(client)
    follower.check(client)
    assert len(follower.names) == 1  # the stream was not restarted


def test_statistics_equal_the_content(client: httpx2.Client) -> None:
    put_graph(client, "counted", "<urn:a> a <urn:kind> ; <urn:b> 1 , 2 .")
    wait_until_current(client)
    check_statistics(client)


def test_query_counts_all_stored_quads(client: httpx2.Client) -> None:
    dump = client.get("/dump.nq", headers={"Accept": "application/n-quads"}).content
    (count,) = select_rows(client, "SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }")
    assert int(count["n"]) == len(set(ox.parse(dump, ox.RdfFormat.N_QUADS)))


def test_old_versions_of_a_graph_are_available(client: httpx2.Client) -> None:
    put_graph(client, "kept", "<urn:a> <urn:b> 1 .")
    put_graph(client, "kept", "<urn:a> <urn:b> 2 .")
    versions = client.get("/graph/kept?versions", headers={"Accept": "application/json"}).json()["versions"]
    assert '"1"' in get_path(client, versions[0]["version"]).text
    assert '"2"' in get_path(client, versions[-1]["version"]).text


def make_incomplete_paper() -> str:
    return (
        f"<{BASE}id/paper/x-paper> a <{BASE}ontology#IssuePaper> ; <http://purl.org/dc/terms/title> 'X'@en ."
    )


def test_paper_is_checked(client: httpx2.Client) -> None:
    response = client.post(
        "/validate",
        content=make_incomplete_paper(),
        headers={"Content-Type": TURTLE, "Accept": "application/json"},
    )
    assert response.status_code == 200
    assert not response.json()["conforms"]


def test_paper_that_does_not_conform_is_not_written(client: httpx2.Client) -> None:
    two_titles = f"<{BASE}id/paper/x-paper> <http://purl.org/dc/terms/title> 'One'@en , 'Another'@en ."
    assert put_graph(client, "paper/x-paper", two_titles).status_code == 422
    assert get_path(client, "/graph/paper/x-paper").status_code == 404


def test_statements_inferred_from_a_paper_are_deleted_with_it(client: httpx2.Client) -> None:
    name = "example-community-networks"
    data = (CHECKOUT_FOLDER / "data" / "examples" / "community-networks.ttl").read_text()
    paper = f"{BASE}id/paper/{name}"
    pattern = f"GRAPH ?g {{ ?s ?p ?o }} FILTER(STRSTARTS(STR(?s), '{paper}') || ?o = <{paper}>)"
    graphs_query = (
        f"SELECT DISTINCT ?g {{ {pattern} FILTER(?g IN (<{GRAPHS}inferred>, <{GRAPHS}conformance>)) }}"
    )
    assert put_graph(client, f"paper/{name}", data).status_code == 201
    assert {row["g"] for row in select_rows(client, graphs_query)} == {
        f"{GRAPHS}inferred",
        f"{GRAPHS}conformance",
    }
    assert client.delete(f"/graph/paper/{name}").status_code == 204
    # The paper is also an example in the bundled data, so its conformance is still recorded.
    assert {row["g"] for row in select_rows(client, graphs_query)} == {f"{GRAPHS}conformance"}


# Last, as the tests delete the data


UPDATE_TIMEOUT_SECONDS = 120  # an update takes 10 to 20 s on an idle machine


@pytest.mark.parametrize(
    "update", ["DELETE WHERE { GRAPH ?g { ?s <urn:b> ?o } }", "CLEAR GRAPH <graph/shapes>", "DROP ALL"]
)
def test_large_deletion_is_possible_with_one_update(client: httpx2.Client, update: str) -> None:
    put_graph(client, "cleared", "<urn:a> <urn:b> 1 .")
    assert client.post("/update", data={"update": update}, timeout=UPDATE_TIMEOUT_SECONDS).status_code == 204
    deleted_graph = "shapes" if "shapes" in update else "cleared"
    assert select_rows(client, f"SELECT ?s {{ GRAPH <{GRAPHS}{deleted_graph}> {{ ?s ?p ?o }} }}") == []
    assert count_quads_by_query(client) == count_quads_in_dump(client)
    assert put_graph(client, "cleared", "<urn:a> <urn:b> 2 .").status_code in (201, 204)


UNCOMPARED_GRAPHS = {
    f"{GRAPHS}{name}" for name in ("state", "dcat", "void")
}  # the ledger, and descriptions that are updated later


def count_quads_by_query(client: httpx2.Client) -> dict[str, int]:
    """The number of quads by graph, from a query."""
    results = select_rows(client, "SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g")
    return {row["g"]: int(row["n"]) for row in results if row["g"] not in UNCOMPARED_GRAPHS}


def count_quads_in_dump(client: httpx2.Client) -> dict[str, int]:
    """The number of quads by graph, from a dump, which is read from the copy."""
    dump = client.get("/dump.nq", headers={"Accept": "application/n-quads"}).content
    names = (str(quad.graph_name)[1:-1] for quad in ox.parse(dump, ox.RdfFormat.N_QUADS))
    return Counter(name for name in names if name not in UNCOMPARED_GRAPHS)
