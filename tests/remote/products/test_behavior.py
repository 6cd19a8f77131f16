"""One behavior over every kind of store: SPARQL, graphs, documents, checks, writes, search, changes.

What is other over one of them stands in DEVIATIONS, with its reason.
"""

from collections import Counter

import httpx
import pyoxigraph as ox
import pytest
from wgig.settings import CHECKOUT_FOLDER, Settings

from tests.fixtures.projections import Follower, check_figures, found, wait_in_step

from .deviations import DEVIATIONS

BASE = Settings.base
GRAPH = f"{BASE}graph/"
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
EXAMPLES = sorted(
    path.stem
    for path in (CHECKOUT_FOLDER / "data" / "queries").glob("*.rq")
    if path.stem != "who-wrote-what"  # as these tests write
)


@pytest.fixture(autouse=True)
def known(request: pytest.FixtureRequest) -> None:
    """Expect that a listed deviation fails, and nothing else."""
    name = request.node.name
    reasons = [why for signs, why in DEVIATIONS.items() if all(sign in name for sign in signs.split())]
    for reason in reasons:
        request.applymarker(pytest.mark.xfail(reason=reason, strict=True))


def ask(client: httpx.Client, query: str, accept: str = JSON, **parameters: str) -> httpx.Response:
    """The answer to a query."""
    return client.post("/sparql", data={"query": query, **parameters}, headers={"Accept": accept})


def rows(client: httpx.Client, query: str, **parameters: str) -> list[dict[str, str]]:
    """The values in the rows of a query."""
    answer = ask(client, query, **parameters)
    assert answer.status_code == 200, answer.text
    return [
        {name: term["value"] for name, term in row.items()} for row in answer.json()["results"]["bindings"]
    ]


def put(client: httpx.Client, name: str, data: str, **headers: str) -> httpx.Response:
    """The answer to a PUT of a graph below ours."""
    return client.put(f"/graph/{name}", content=data.encode(), headers={"Content-Type": TURTLE, **headers})


def triples(answer: httpx.Response) -> set[str]:
    """The triples of an answer in N-Triples."""
    assert answer.status_code == 200, answer.text
    return {str(one.triple) for one in ox.parse(answer.content, ox.RdfFormat.N_TRIPLES)}


def get(client: httpx.Client, path: str, accept: str = N_TRIPLES) -> httpx.Response:
    """The answer to a GET."""
    return client.get(path, headers={"Accept": accept})


# SPARQL


@pytest.mark.parametrize("accept", [JSON, XML, CSV, TSV], ids=["json", "xml", "csv", "tsv"])
def test_literals_come_back_as_they_were_written(client: httpx.Client, accept: str) -> None:
    put(client, "literals", "".join(f"<urn:{at}> <urn:said> {one} .\n" for at, one in enumerate(LITERALS)))
    answer = ask(client, "SELECT ?s ?o { ?s <urn:said> ?o } ORDER BY ?s", accept)
    assert answer.headers["content-type"].startswith(accept)
    if accept == CSV:
        assert answer.text.count("\n") == len(LITERALS) + 2  # one of them has two lines
        return
    form = {JSON: ox.QueryResultsFormat.JSON, XML: ox.QueryResultsFormat.XML, TSV: ox.QueryResultsFormat.TSV}[
        accept
    ]
    # Our reader takes spaces off the ends of a text in XML.
    data = answer.content.replace(b"> spaces <", b">&#32;spaces&#32;<").replace(b'">"', b'">"')
    parsed_rows = ox.parse_query_results(data, format=form)
    assert isinstance(parsed_rows, ox.QuerySolutions)
    said = {str(row["s"]): row["o"] for row in parsed_rows}
    written = {f"<urn:{at}>": one for at, one in enumerate(LITERALS)}
    wanted = {
        name: next(ox.parse(f"<urn:s> <urn:p> {one} .", ox.RdfFormat.N_TRIPLES)).object
        for name, one in written.items()
    }
    assert said == wanted


@pytest.mark.parametrize("truth", ["true", "false"])
@pytest.mark.parametrize("accept", [JSON, XML], ids=["json", "xml"])
def test_ask_answers_a_truth_value(client: httpx.Client, accept: str, truth: str) -> None:
    query = "ASK {}" if truth == "true" else "ASK { <urn:nobody> <urn:said> <urn:nothing> }"
    answer = ask(client, query, accept)
    said = ox.parse_query_results(
        answer.content, format=ox.QueryResultsFormat.JSON if accept == JSON else ox.QueryResultsFormat.XML
    )
    assert isinstance(said, ox.QueryBoolean)
    assert bool(said) is (truth == "true")


@pytest.mark.parametrize("accept", [N_TRIPLES, TURTLE, JSON_LD, RDF_XML], ids=["nt", "ttl", "jsonld", "rdf"])
def test_construct_answers_in_each_syntax(client: httpx.Client, accept: str) -> None:
    put(client, "made", '<urn:a> <urn:p#x> "one"@en , 2 ; <urn:p#y> <urn:b> .')
    answer = ask(client, f"CONSTRUCT {{ ?s ?p ?o }} {{ GRAPH <{GRAPH}made> {{ ?s ?p ?o }} }}", accept)
    form = ox.RdfFormat.from_media_type(accept)
    assert {str(one.triple) for one in ox.parse(answer.content, form)} == triples(get(client, "/graph/made"))


def test_a_query_sees_the_union_of_all_graphs(client: httpx.Client) -> None:
    put(client, "left", "<urn:u> <urn:to> <urn:v> .")
    put(client, "right", "<urn:v> <urn:to> <urn:w> .")
    assert rows(client, "SELECT ?end { <urn:u> <urn:to>/<urn:to> ?end }") == [{"end": "urn:w"}]


def test_equal_numbers_of_several_types_are_several(client: httpx.Client) -> None:
    assert put(client, "numbers", "<urn:a> <urn:equal> 1 , 1.0 , 1e0 .").is_success
    (found,) = rows(
        client, f"SELECT (COUNT(*) AS ?n) {{ GRAPH <{GRAPH}numbers> {{ <urn:a> <urn:equal> ?o }} }}"
    )
    assert found == {"n": "3"}


def test_a_sum_of_nothing_is_zero(client: httpx.Client) -> None:
    assert rows(client, "SELECT (SUM(?n) AS ?sum) { <urn:nobody> <urn:counts> ?n }") == [{"sum": "0"}]


def test_a_query_sees_the_graphs_that_it_names(client: httpx.Client) -> None:
    put(client, "left", "<urn:u> <urn:to> <urn:v> .")
    put(client, "right", "<urn:u> <urn:to> <urn:w> .")
    query = "SELECT ?end { <urn:u> <urn:to> ?end }"
    assert rows(client, query, **{"default-graph-uri": f"{GRAPH}left"}) == [{"end": "urn:v"}]
    query = "SELECT ?end ?g { GRAPH ?g { <urn:u> <urn:to> ?end } }"
    assert rows(client, query, **{"named-graph-uri": f"{GRAPH}right"}) == [
        {"end": "urn:w", "g": f"{GRAPH}right"}
    ]
    assert rows(client, f"SELECT ?end FROM <{GRAPH}left> {{ <urn:u> <urn:to> ?end }}") == [{"end": "urn:v"}]


def test_aggregates_and_paths_and_negation_are_evaluated(client: httpx.Client) -> None:
    put(client, "sums", "<urn:s1> <urn:n> 1 . <urn:s2> <urn:n> 2 . <urn:s3> <urn:n> 4 ; <urn:out> true .")
    query = "SELECT (SUM(?n) AS ?sum) (COUNT(*) AS ?count) { ?s <urn:n> ?n MINUS { ?s <urn:out> ?any } }"
    assert rows(client, query) == [{"sum": "3", "count": "2"}]


def test_relative_iris_are_those_of_the_base(client: httpx.Client) -> None:
    put(client, "relative", f"<{BASE}id/x-thing> <urn:is> <urn:here> .")
    assert rows(client, "SELECT ?where { <id/x-thing> <urn:is> ?where }") == [{"where": "urn:here"}]


def test_a_query_has_a_base_and_prefixes_of_its_own(client: httpx.Client) -> None:
    put(client, "based", "<urn:x-home/a#b> <urn:x-home/p> <urn:x-home/a#> .")
    query = "PREFIX q: <urn:x-home/> BASE <urn:x-home/c> PREFIX : <a#> SELECT ?o { :b q:p ?o . :b <p> <a#> }"
    assert rows(client, query) == [{"o": "urn:x-home/a#"}]


LEFT = f"{GRAPH}left"


@pytest.mark.parametrize(
    ("query", "parameters", "ends"),
    [
        ("{ GRAPH ?g { <urn:u> <urn:to> ?end } }", {"default-graph-uri": LEFT}, ""),
        (f"FROM <{LEFT}> {{ GRAPH ?g {{ <urn:u> <urn:to> ?end }} }}", {}, ""),
        (f"FROM <{LEFT}> {{ GRAPH <{LEFT}> {{ <urn:u> <urn:to> ?end }} }}", {}, ""),
        ("{ <urn:u> <urn:to> ?end }", {"named-graph-uri": LEFT}, ""),
        (f"FROM NAMED <{LEFT}> {{ <urn:u> <urn:to> ?end }}", {}, ""),
        (f"FROM <{GRAPH}right> {{ <urn:u> <urn:to> ?end }}", {"default-graph-uri": LEFT}, "v"),
        (f"FROM NAMED <{GRAPH}right> {{ GRAPH ?g {{ ?u <urn:to> ?end }} }}", {"named-graph-uri": LEFT}, "v"),
    ],
)
def test_a_query_sees_no_graph_that_its_dataset_does_not_name(
    client: httpx.Client, query: str, parameters: dict[str, str], ends: str
) -> None:
    put(client, "left", "<urn:u> <urn:to> <urn:v> .")
    put(client, "right", "<urn:u> <urn:to> <urn:w> .")
    found = rows(client, f"SELECT ?end {query}", **parameters)
    assert found == [{"end": f"urn:{one}"} for one in ends]


def test_a_graph_that_a_dataset_does_not_name_is_not_asked(client: httpx.Client) -> None:
    put(client, "right", "<urn:u> <urn:to> <urn:w> .")
    query = f"ASK FROM <{LEFT}> {{ GRAPH <{GRAPH}right> {{ <urn:u> <urn:to> ?end }} }}"
    assert ask(client, query).json()["boolean"] is False


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_answers_as_its_query_does_over_the_embedded_store(
    client: httpx.Client, shipped: ox.Store, name: str
) -> None:
    answer = client.get(f"/queries/{name}", headers={"Accept": TSV})
    assert answer.status_code == 200, answer.text
    query = (CHECKOUT_FOLDER / "data" / "queries" / f"{name}.rq").read_text()
    found = shipped.query(query, use_default_graph_as_union=True)
    assert isinstance(found, ox.QuerySolutions)
    wanted = found.serialize(format=ox.QueryResultsFormat.TSV)
    assert sorted(answer.text.splitlines()) == sorted((wanted or b"").decode().splitlines())


def test_a_misspelt_query_is_told_where(client: httpx.Client) -> None:
    answer = ask(client, "SELECT ?x {\n ?x ?y }")
    assert answer.status_code == 400
    assert answer.json()["line"] == 2


def test_an_unknown_function_is_refused(client: httpx.Client) -> None:
    assert ask(client, "SELECT (<urn:no-such-function>(1) AS ?x) {}").status_code == 422


MANY = 11_000  # rows, more than Virtuoso gives unless it is told to


def test_many_rows_come_whole(client: httpx.Client) -> None:
    put(client, "many", "".join(f"<urn:many{number}> <urn:is> {number} .\n" for number in range(MANY)))
    said = rows(client, f"SELECT ?n {{ GRAPH <{GRAPH}many> {{ ?s <urn:is> ?n }} }}")
    assert sorted(int(row["n"]) for row in said) == list(range(MANY))
    assert client.delete("/graph/many").status_code == 204


# Graphs


def test_a_graph_is_made_replaced_extended_and_deleted(client: httpx.Client) -> None:
    assert put(client, "turns", "<urn:a> <urn:b> 1 .").status_code == 201
    assert put(client, "turns", "<urn:a> <urn:b> 2 .").status_code == 204
    client.post("/graph/turns", content="<urn:a> <urn:b> 3 .", headers={"Content-Type": TURTLE})
    assert {row["n"] for row in rows(client, f"SELECT ?n {{ GRAPH <{GRAPH}turns> {{ ?s ?p ?n }} }}")} == {
        "2",
        "3",
    }
    assert len(triples(get(client, "/graph/turns"))) == 2
    assert client.delete("/graph/turns").status_code == 204
    assert get(client, "/graph/turns").status_code == 404
    assert rows(client, f"SELECT ?n {{ GRAPH <{GRAPH}turns> {{ ?s ?p ?n }} }}") == []


def test_blank_nodes_stay_apart_and_together(client: httpx.Client) -> None:
    data = "<urn:a> <urn:has> [ <urn:name> 'one' ; <urn:next> [ <urn:name> 'two' ] ] ."
    put(client, "blank", data)
    put(client, "blank2", data)
    query = "SELECT ?first ?second { GRAPH ?g { ?x <urn:name> ?first ; <urn:next>/<urn:name> ?second } }"
    assert rows(client, query) == [{"first": "one", "second": "two"}] * 2
    client.post("/graph/blank", content="<urn:b> <urn:has> [] .", headers={"Content-Type": TURTLE})
    assert len(triples(get(client, "/graph/blank"))) == 5
    client.delete("/graph/blank2")
    assert rows(client, query) == [{"first": "one", "second": "two"}]


def test_a_blank_node_is_one_to_a_query(client: httpx.Client) -> None:
    put(client, "blank", "<urn:a> <urn:has> [] .")
    assert rows(client, f"SELECT ?x {{ GRAPH <{GRAPH}blank> {{ ?s ?p ?x FILTER(ISBLANK(?x)) }} }}")


def test_the_unnamed_graph_holds_statements(client: httpx.Client) -> None:
    headers = {"Content-Type": TURTLE}
    assert (
        client.put("/graphs?default", content="<urn:un> <urn:named> 1 .", headers=headers).status_code < 300
    )
    assert rows(client, "SELECT ?n { <urn:un> <urn:named> ?n }") == [{"n": "1"}]
    assert len(triples(get(client, "/graphs?default"))) == 1
    client.delete("/graphs?default")
    assert rows(client, "SELECT ?n { <urn:un> <urn:named> ?n }") == []


def test_the_unnamed_graph_has_no_name(client: httpx.Client) -> None:
    client.put("/graphs?default", content="<urn:un> <urn:named> 1 .", headers={"Content-Type": TURTLE})
    try:
        assert rows(client, "SELECT ?g { GRAPH ?g { <urn:un> <urn:named> ?n } }") == []
    finally:
        client.delete("/graphs?default")


def test_a_write_with_a_stale_condition_is_refused(client: httpx.Client) -> None:
    put(client, "conditional", "<urn:a> <urn:b> 1 .")
    tag = get(client, "/graph/conditional", TURTLE).headers["etag"]
    assert put(client, "conditional", "<urn:a> <urn:b> 2 .", **{"If-Match": tag}).status_code == 204
    assert put(client, "conditional", "<urn:a> <urn:b> 3 .", **{"If-Match": tag}).status_code == 412
    assert rows(client, f"SELECT ?n {{ GRAPH <{GRAPH}conditional> {{ ?s ?p ?n }} }}") == [{"n": "2"}]


def test_a_change_that_does_not_parse_changes_nothing(client: httpx.Client) -> None:
    put(client, "whole", "<urn:a> <urn:b> 1 .")
    answer = put(client, "whole", "<urn:a> <urn:b> 2 .\n<urn:a> <urn:b>")
    assert (answer.status_code, answer.json()["line"]) == (400, 2)
    assert rows(client, f"SELECT ?n {{ GRAPH <{GRAPH}whole> {{ ?s ?p ?n }} }}") == [{"n": "1"}]


def test_every_literal_that_rdf_allows_is_stored(client: httpx.Client) -> None:
    data = f'<urn:a> <urn:b> "P1D"^^<{XSD}duration> , "12345678901234567890"^^<{XSD}integer> .'
    assert put(client, "strange", data).status_code in (201, 204)


@pytest.mark.parametrize("term", ["<<( <urn:a> <urn:b> 1 )>>", "'x'@ar--rtl"], ids=["triple", "direction"])
def test_terms_of_rdf_1_2_are_stored(client: httpx.Client, term: str) -> None:
    answer = put(client, "terms", f"<urn:a> <urn:b> {term} .")
    assert answer.status_code < 500
    assert answer.status_code in (201, 204)


def test_literals_that_engines_take_for_others_go_as_they_came(client: httpx.Client) -> None:
    ones = (
        f'1.0 , 2.50 , "10:00:00"^^<{XSD}time> , "5"^^<{XSD}long> , 1.5e0 , "x"^^<https://example.org/type>'
    )
    for objects, count in ((ones, 6), ("3.0 , 'y'", 2)):
        assert put(client, "literals", f"<urn:a> <urn:b> {objects} .").is_success
        query = f"SELECT ?o (DATATYPE(?o) AS ?type) {{ GRAPH <{GRAPH}literals> {{ ?s ?p ?o }} }}"
        found = rows(client, query)
        assert len(found) == count
        assert triples(get(client, "/graph/literals"))
    assert {row["type"].rpartition("#")[2] for row in found} == {"decimal", "string"}


# Updates


def test_an_update_changes_what_it_says(client: httpx.Client) -> None:
    put(client, "updated", "<urn:a> <urn:b> 1 .")
    update = f"""
      DELETE {{ GRAPH ?g {{ ?s <urn:b> ?n }} }} INSERT {{ GRAPH ?g {{ ?s <urn:b> ?more }} }}
      WHERE {{ GRAPH ?g {{ ?s <urn:b> ?n }} VALUES ?g {{ <{GRAPH}updated> }} BIND(?n + 1 AS ?more) }} ;
      INSERT DATA {{ GRAPH <{GRAPH}updated> {{ <urn:c> <urn:d> "ü" }} }}"""
    assert client.post("/update", data={"update": update}).status_code == 204
    assert {row["n"] for row in rows(client, f"SELECT ?n {{ GRAPH <{GRAPH}updated> {{ ?s ?p ?n }} }}")} == {
        "2",
        "ü",
    }


def test_an_update_that_fails_changes_nothing(client: httpx.Client) -> None:
    put(client, "failing", "<urn:a> <urn:b> 1 .")
    gone = f"DELETE WHERE {{ GRAPH <{GRAPH}failing> {{ ?s ?p ?o }} }}"
    refused = f"INSERT DATA {{ GRAPH <{GRAPH}void> {{ <urn:x> <urn:y> 1 }} }}"
    update = f"{gone} ; {refused}"
    assert client.post("/update", data={"update": update}).status_code == 403
    assert rows(client, f"SELECT ?n {{ GRAPH <{GRAPH}failing> {{ ?s ?p ?n }} }}") == [{"n": "1"}]


# Documents, search, changes, checks


@pytest.mark.parametrize(
    "path", ["/", "/coverage", "/people", "/papers", "/timeline", "/ontology", "/id/issue/spam"]
)
def test_a_page_is_shown(client: httpx.Client, path: str) -> None:
    answer = client.get(path, headers={"Accept": "text/html"}, follow_redirects=True)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("accept", [TURTLE, JSON_LD, N_TRIPLES])
def test_a_thing_is_described(client: httpx.Client, accept: str) -> None:
    answer = client.get("/id/issue/spam", headers={"Accept": accept}, follow_redirects=True)
    assert answer.status_code == 200
    assert "Spam" in answer.text


def test_a_new_thing_has_a_page_and_is_found_and_told_of(client: httpx.Client) -> None:
    thing = f"{BASE}id/document/x-unheard"
    put(client, "things", f'<{thing}> <http://www.w3.org/2000/01/rdf-schema#label> "Unheardofword"@en .')
    assert "Unheardofword" in client.get("/doc/document/x-unheard", headers={"Accept": TURTLE}).text
    wait_in_step(client)
    assert found(client, "unheardofword") == {thing}
    put(client, "things", f'<{thing}> <http://www.w3.org/2000/01/rdf-schema#label> "Otherword"@en .')
    wait_in_step(client)
    assert found(client, "unheardofword") == set()
    assert found(client, "otherword") == {thing}


def test_the_event_stream_tells_every_change(client: httpx.Client) -> None:
    wait_in_step(client)
    follower = Follower()
    follower.check(client)
    put(client, "told", "<urn:told> <urn:b> 1 .")
    wait_in_step(client)
    follower.check(client)
    assert len(follower.names) == 1


def test_the_description_says_what_is_counted(client: httpx.Client) -> None:
    put(client, "counted", "<urn:a> a <urn:kind> ; <urn:b> 1 , 2 .")
    wait_in_step(client)
    check_figures(client)


def test_all_that_is_stored_is_counted(client: httpx.Client) -> None:
    dump = client.get("/dump.nq", headers={"Accept": "application/n-quads"}).content
    (count,) = rows(client, "SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }")
    assert int(count["n"]) == len(set(ox.parse(dump, ox.RdfFormat.N_QUADS)))


def test_what_a_graph_was_is_kept(client: httpx.Client) -> None:
    put(client, "kept", "<urn:a> <urn:b> 1 .")
    put(client, "kept", "<urn:a> <urn:b> 2 .")
    versions = client.get("/graph/kept?versions", headers={"Accept": "application/json"}).json()["versions"]
    assert '"1"' in get(client, versions[0]["version"]).text
    assert '"2"' in get(client, versions[-1]["version"]).text


def paper() -> str:
    """A paper that lacks nearly all."""
    return (
        f"<{BASE}id/paper/x-paper> a <{BASE}ontology#IssuePaper> ; <http://purl.org/dc/terms/title> 'X'@en ."
    )


def test_a_paper_is_checked(client: httpx.Client) -> None:
    answer = client.post(
        "/validate", content=paper(), headers={"Content-Type": TURTLE, "Accept": "application/json"}
    )
    assert answer.status_code == 200
    assert not answer.json()["conforms"]


def test_a_paper_that_does_not_pass_the_gate_is_not_written(client: httpx.Client) -> None:
    titled = f"<{BASE}id/paper/x-paper> <http://purl.org/dc/terms/title> 'One'@en , 'Another'@en ."
    assert put(client, "paper/x-paper", titled).status_code == 422
    assert get(client, "/graph/paper/x-paper").status_code == 404


def test_what_follows_from_a_paper_is_there_with_it_and_goes_with_it(client: httpx.Client) -> None:
    name = "example-community-networks"
    data = (CHECKOUT_FOLDER / "data" / "examples" / "community-networks.ttl").read_text()
    whole = f"{BASE}id/paper/{name}"
    about = f"GRAPH ?g {{ ?s ?p ?o }} FILTER(STRSTARTS(STR(?s), '{whole}') || ?o = <{whole}>)"
    graphs = f"SELECT DISTINCT ?g {{ {about} FILTER(?g IN (<{GRAPH}inferred>, <{GRAPH}conformance>)) }}"
    assert put(client, f"paper/{name}", data).status_code == 201
    assert {row["g"] for row in rows(client, graphs)} == {f"{GRAPH}inferred", f"{GRAPH}conformance"}
    assert client.delete(f"/graph/paper/{name}").status_code == 204
    # It is an example of the guidelines as well, of which it is still said how it stands.
    assert {row["g"] for row in rows(client, graphs)} == {f"{GRAPH}conformance"}


# Last, as nothing is left for others


LONGEST = 120  # seconds for what takes 10 to 20 on a machine that does nothing else


@pytest.mark.parametrize(
    "update", ["DELETE WHERE { GRAPH ?g { ?s <urn:b> ?o } }", "CLEAR GRAPH <graph/shapes>", "DROP ALL"]
)
def test_much_is_cleared_by_one_update(client: httpx.Client, update: str) -> None:
    put(client, "cleared", "<urn:a> <urn:b> 1 .")
    assert client.post("/update", data={"update": update}, timeout=LONGEST).status_code == 204
    gone = "shapes" if "shapes" in update else "cleared"
    assert rows(client, f"SELECT ?s {{ GRAPH <{GRAPH}{gone}> {{ ?s ?p ?o }} }}") == []
    assert in_the_engine(client) == in_the_copy(client)
    assert put(client, "cleared", "<urn:a> <urn:b> 2 .").status_code in (201, 204)


UNTOLD = {
    f"{GRAPH}{name}" for name in ("state", "dcat", "void")
}  # the ledger, and what follows some time later


def in_the_engine(client: httpx.Client) -> dict[str, int]:
    """How many quads each graph holds, by a query."""
    found = rows(client, "SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g")
    return {row["g"]: int(row["n"]) for row in found if row["g"] not in UNTOLD}


def in_the_copy(client: httpx.Client) -> dict[str, int]:
    """How many quads each graph holds, by a dump, which comes from the copy."""
    dump = client.get("/dump.nq", headers={"Accept": "application/n-quads"}).content
    names = (str(one.graph_name)[1:-1] for one in ox.parse(dump, ox.RdfFormat.N_QUADS))
    return Counter(name for name in names if name not in UNTOLD)
