"""The figures (statistics) in the graph `void` are equal to the results of COUNT queries after each write."""

import random
from io import BytesIO
from pathlib import Path

import pyoxigraph as ox
import pytest
from wgig.cli.main import main
from wgig.graphs.description.derived import DescriptionGraphs
from wgig.rdf.serialization import parse_graph_document
from wgig.settings import Settings
from wgig.shacl.conformance_graph import ConformanceGraph
from wgig.store.store import Store
from wgig_client.namespaces import namespaces_by_prefix

from tests.fixtures.service import make_writer_client
from tests.fixtures.stores import fill_memory_store

pytestmark = pytest.mark.slow

BASE = Settings.base
NAMESPACES = namespaces_by_prefix(BASE)
DESCRIPTIONS = DescriptionGraphs(BASE)
DATASET = str(DESCRIPTIONS.void.dataset)
PREFIXES = "".join(f"PREFIX {prefix}: <{NAMESPACES[prefix]}>\n" for prefix in ("void", "void-ext", "dcterms"))
RANDOM_WRITES = 20  # in each test with random writes

DISTINCT_CLASS_TRIPLES = "SELECT DISTINCT ?c ?s ?p ?o"
# By name: a query for figures in the graph `void`, and one that counts the same in the described graphs.
FIGURE_QUERIES = {
    "dataset": (
        f"SELECT * {{ {DATASET} void:triples ?n ; void:distinctSubjects ?s ; void:distinctObjects ?o }}",
        """SELECT (COUNT(*) AS ?n) (COUNT(DISTINCT ?a) AS ?s) (COUNT(DISTINCT ?c) AS ?o)
           { SELECT DISTINCT ?a ?b ?c { ?a ?b ?c } } HAVING(COUNT(*) > 0)""",
    ),
    "entities": (
        f"SELECT * {{ {DATASET} void:entities ?n }}",
        f"""SELECT (COUNT(DISTINCT ?s) AS ?n) {{ ?s ?p ?o FILTER(ISIRI(?s) && STRSTARTS(STR(?s), "{BASE}")) }}
            HAVING(COUNT(?s) > 0)""",
    ),
    "class count": (
        f"SELECT * {{ {DATASET} void:classes ?n }}",
        "SELECT (COUNT(DISTINCT ?c) AS ?n) { ?s a ?c FILTER(ISIRI(?c)) } HAVING(COUNT(?c) > 0)",
    ),
    "property count": (
        f"SELECT * {{ {DATASET} void:properties ?n }}",
        "SELECT (COUNT(DISTINCT ?p) AS ?n) { ?s ?p ?o } HAVING(COUNT(*) > 0)",
    ),
    "licenses": (
        f"SELECT * {{ {DATASET} dcterms:license ?l }}",
        "SELECT DISTINCT ?l { ?s dcterms:license ?l FILTER(ISIRI(?l)) }",
    ),
    "vocabularies": (
        f"SELECT * {{ {DATASET} void:vocabulary ?v }}",
        """SELECT DISTINCT ?v { { ?s ?t ?o } UNION { ?s a ?t FILTER(ISIRI(?t)) }
           BIND(REPLACE(STR(?t), "[^#/]*$", "") AS ?space) FILTER(?space != "") BIND(IRI(?space) AS ?v) }""",
    ),
    "properties": (
        f"""SELECT ?p ?n ?s ?o {{ {DATASET} void:propertyPartition ?x . ?x void:property ?p ;
            void:triples ?n ; void:distinctSubjects ?s ; void:distinctObjects ?o }}""",
        """SELECT ?p (COUNT(*) AS ?n) (COUNT(DISTINCT ?a) AS ?s) (COUNT(DISTINCT ?c) AS ?o)
           { SELECT DISTINCT ?a ?p ?c { ?a ?p ?c } } GROUP BY ?p""",
    ),
    "classes": (
        f"SELECT ?c ?n {{ {DATASET} void:classPartition ?x . ?x void:class ?c ; void:entities ?n }}",
        "SELECT ?c (COUNT(DISTINCT ?s) AS ?n) { ?s a ?c FILTER(ISIRI(?c)) } GROUP BY ?c",
    ),
    "properties of classes": (
        f"""SELECT ?c ?p ?n {{ {DATASET} void:classPartition ?x . ?x void:class ?c ;
            void:propertyPartition ?y . ?y void:property ?p ; void:triples ?n }}""",
        f"""SELECT ?c ?p (COUNT(*) AS ?n)
            {{ {DISTINCT_CLASS_TRIPLES} {{ ?s a ?c ; ?p ?o FILTER(ISIRI(?c)) }} }} GROUP BY ?c ?p""",
    ),
    "datatypes of values": (
        """SELECT ?c ?p ?d ?n { ?x void:class ?c ; void:propertyPartition ?y . ?y void:property ?p ;
           void-ext:datatypePartition ?z . ?z void-ext:datatype ?d ; void:triples ?n }""",
        f"""SELECT ?c ?p ?d (COUNT(*) AS ?n)
            {{ {DISTINCT_CLASS_TRIPLES} ?d {{ ?s a ?c ; ?p ?o FILTER(ISIRI(?c) && ISLITERAL(?o))
            BIND(DATATYPE(?o) AS ?d) }} }} GROUP BY ?c ?p ?d""",
    ),
    "classes of values": (
        """SELECT ?c ?p ?d ?n { ?x void:class ?c ; void:propertyPartition ?y . ?y void:property ?p ;
           void:classPartition ?z . ?z void:class ?d ; void:triples ?n }""",
        f"""SELECT ?c ?p ?d (COUNT(*) AS ?n)
            {{ {DISTINCT_CLASS_TRIPLES} ?d {{ ?s a ?c ; ?p ?o . ?o a ?d FILTER(ISIRI(?c) && ISIRI(?d)) }} }}
            GROUP BY ?c ?p ?d""",
    ),
    "links": (
        """SELECT ?t ?p ?n
           { ?x a void:Linkset ; void:objectsTarget ?t ; void:linkPredicate ?p ; void:triples ?n }""",
        f"""SELECT ?t ?p (COUNT(*) AS ?n) {{ SELECT DISTINCT ?s ?p ?o ?t {{
              ?s ?p ?o FILTER(?p != rdf:type && ISIRI(?o) && ISIRI(?s) && STRSTARTS(STR(?s), "{BASE}"))
              FILTER(!STRSTARTS(STR(?o), "{BASE}") && REGEX(STR(?o), "^[a-z][a-z0-9+.-]*://[^/?#]+", "i"))
              BIND(IRI(CONCAT(REPLACE(STR(?o), "^([^:]+://[^/?#]+).*$", "$1"), "/")) AS ?t)
            }} }} GROUP BY ?t ?p""".replace("rdf:type", f"<{NAMESPACES['rdf']}type>"),
    ),
    "graphs": (
        f"""SELECT ?g ?n
            {{ {DATASET} void:subset ?g . ?g a <{NAMESPACES["sd"]}NamedGraph> ; void:triples ?n }}""",
        "SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } FILTER(ISIRI(?g)) } GROUP BY ?g",
    ),
}


def copy_described_quads(store: Store) -> ox.Store:
    """The quads of the described graphs, also merged in the default graph, where queries find them faster."""
    copy = ox.Store()
    for quad in store._quads:
        if quad.graph_name not in DESCRIPTIONS.graphs:
            copy.add(quad)
            copy.add(ox.Quad(*quad.triple))
    return copy


def run_figure_query(quads: ox.Store, query: str, graph: ox.NamedNode | ox.DefaultGraph) -> set[str]:
    """The rows of a query, whose default graph is `graph`."""
    rows = quads.query(PREFIXES + query, default_graph=[graph])
    assert isinstance(rows, ox.QuerySolutions)
    names = sorted(variable.value for variable in rows.variables)
    return {" ".join(f"{name}={row[name]}" for name in names) for row in rows}


def assert_figures_equal_counts(store: Store) -> set[str]:
    """Compare all figures; return the names of the FIGURE_QUERIES that have a result."""
    described_quads = copy_described_quads(store)
    results = {
        name: (
            run_figure_query(store._quads, void_query, DESCRIPTIONS.void.graph),
            run_figure_query(described_quads, count_query, ox.DefaultGraph()),
        )
        for name, (void_query, count_query) in FIGURE_QUERIES.items()
    }
    assert not {name: stated ^ counted for name, (stated, counted) in results.items() if stated != counted}
    return {name for name, (stated, _) in results.items() if stated}


# The terms of random statements, in Turtle.
NODES = [f"<{BASE}id/issue/{name}>" for name in "abc"] + ["<urn:x>", "_:b", f"<{NAMESPACES['paper']}p>"]
CLASSES = [
    *("<urn:C>", "<urn:D>", f"<{NAMESPACES['wgig']}Issue>", f"<{NAMESPACES['wgig']}IssuePaper>"),
    "<http://v.org/C>",
]
VALUES = [
    *NODES,
    *CLASSES,
    "7",
    "007",
    "'seven'",
    "'sieben'@de",
    "'7'^^<urn:n>",
    "<https://one.org/x>",
    "<https://one.org/y#z>",
    "<HTTPS://two.org>",
    "<mailto:a@b.org>",
    "<<( <urn:x> <urn:p> 1 )>>",
]
PROPERTIES = ["a", "<urn:p>", "<http://v.org/q>", "<http://purl.org/dc/terms/license>"]
GRAPHS = [None, "urn:g", f"{NAMESPACES['graph']}h", f"{NAMESPACES['graph']}paper/p"]  # None: default graph
UPDATES = [
    "CLEAR ALL",
    "DROP GRAPH <urn:g>",
    "DELETE WHERE { GRAPH <urn:g> { ?s a ?c } }",
    "INSERT { GRAPH <urn:g> { ?s <urn:p> ?o } } WHERE { GRAPH ?g { ?s <urn:p> ?o } }",
    "DELETE { GRAPH ?g { ?s ?p ?o } } WHERE { GRAPH ?g { ?s ?p ?o FILTER(ISLITERAL(?o)) } }",
    f"MOVE <urn:g> TO <{NAMESPACES['graph']}h>",
    "CREATE SILENT GRAPH <urn:empty>",
    "INSERT DATA { <urn:C> <http://www.w3.org/2000/01/rdf-schema#subClassOf> <urn:D> }",
]


def generate_turtle(rng: random.Random) -> str:
    """Random statements; many repeat earlier ones, and some change the class of a node."""
    return "\n".join(
        f"{rng.choice(NODES)} {property_} {rng.choice(CLASSES if property_ == 'a' else VALUES)} ."
        for property_ in rng.choices(PROPERTIES, [3, 4, 2, 1], k=rng.randrange(20))
    )


def write_randomly(store: Store, rng: random.Random) -> None:
    """Write random statements by a random method."""
    turtle, graph = generate_turtle(rng), rng.choice(GRAPHS)
    triples = parse_graph_document(turtle.encode(), "text/turtle")
    # "load" is twice as likely as the others.
    method = rng.choice(["put", "post", "replace", "delete", "update", "load", "load", "load quads"])
    if method == "put":
        store.apply(store.compute_replacement(graph, triples))
    elif method == "post":
        store.apply(store.compute_addition(graph, triples))
    elif method == "replace":
        store.replace({graph: triples})
    elif method == "delete":
        store.apply(store.compute_replacement(graph, None))
    elif method == "update":
        store.update(rng.choice(UPDATES))
    elif method == "load":
        store.bulk_load(BytesIO(turtle.encode()), ox.RdfFormat.TURTLE, graph)
        store.finish_load()
    else:
        trig = f"_:graph {{ {turtle} }} <urn:g> {{ {turtle} }}"
        store.bulk_load(BytesIO(trig.encode()), ox.RdfFormat.TRIG, None)
        store.finish_load()


SUBCLASS = "http://www.w3.org/2000/01/rdf-schema#subClassOf"
SUBCLASS_RULE = f"CONSTRUCT {{ ?x a ?d }} WHERE {{ ?c <{SUBCLASS}> ?d . ?x a ?c }}"
INFERRED_GRAPH = f"{NAMESPACES['graph']}inferred"


def open_store(folder: Path) -> Store:
    """A store on disk with inference, conformance and description graphs."""
    return Store.open(
        folder,
        [SUBCLASS_RULE],
        INFERRED_GRAPH,
        computed_graphs=[ConformanceGraph(BASE, Settings.shacl)],
        describers=[DESCRIPTIONS],
    )


@pytest.fixture(params=["memory", "disk"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty store with inference, conformance and description graphs."""
    if request.param == "memory":
        return Store.in_memory(
            [SUBCLASS_RULE], INFERRED_GRAPH, [ConformanceGraph(BASE, Settings.shacl)], [DESCRIPTIONS]
        )
    return open_store(tmp_path)


def test_figures_of_shipped_graphs_equal_count_queries() -> None:
    store = fill_memory_store()
    graph = f"{NAMESPACES['graph']}paper/wp-spam"
    original_triples = set(store.triples(graph))
    random_triples = parse_graph_document(generate_turtle(random.Random(1)).encode(), "text/turtle")
    assert assert_figures_equal_counts(store) == FIGURE_QUERIES.keys()
    for triples in (random_triples, None, original_triples, None):
        store.apply(store.compute_replacement(graph, triples))
    assert_figures_equal_counts(store)


def test_empty_store_has_no_descriptions(store: Store) -> None:
    triples = parse_graph_document(b"<urn:s> <urn:p> 1 .", "text/turtle")
    store.replace({"urn:g": triples, "urn:h": triples})
    assert {*store.graphs()} > {graph.value for graph in DESCRIPTIONS.graphs}
    store.replace({"urn:g": None, "urn:h": None})
    assert not store.graphs()


@pytest.mark.parametrize("seed", range(3))
def test_figures_equal_count_queries_after_random_writes(store: Store, seed: int) -> None:
    rng, names_with_result = random.Random(seed), set[str]()
    for _ in range(RANDOM_WRITES // 2):
        write_randomly(store, rng)
        write_randomly(store, rng)
        names_with_result |= assert_figures_equal_counts(store)
    assert names_with_result == FIGURE_QUERIES.keys()


PAPER = f"""<{NAMESPACES["paper"]}p> a <{NAMESPACES["wgig"]}IssuePaper>, <urn:C> ;
    <urn:p> 1, "one", [ a <urn:D> ] ; <http://purl.org/dc/terms/license> <https://one.org/l> .
    <urn:C> <{SUBCLASS}> <urn:E> ."""
# All methods of writing over HTTP.
WRITE_REQUESTS = [
    ("PUT", "/graph/paper/p", "text/turtle", PAPER),
    ("POST", "/graph/paper/p", "text/turtle", f"<{NAMESPACES['paper']}p> <urn:q> <https://two.org/x>, [] ."),
    ("POST", "/graphs?default", "text/turtle", PAPER),
    ("POST", "/graphs?graph=urn:g", "text/turtle", PAPER),
    ("POST", "/update", "application/sparql-update", "DELETE WHERE { GRAPH <urn:g> { ?s <urn:p> ?o } }"),
    ("POST", "/update", "application/sparql-update", "INSERT { ?s a <urn:F> } WHERE { ?s a <urn:D> }"),
    ("PUT", "/graph/paper/p", "text/turtle", "<urn:C> a <urn:D> ."),
    ("DELETE", "/graph/paper/p", "", ""),
    ("DELETE", "/graphs?graph=urn:g", "", ""),
]


def test_figures_equal_count_queries_after_http_writes(store: Store) -> None:
    client, names_with_result = make_writer_client(store, write_profile="off"), set[str]()
    store.update_in_background()
    for method, path, media_type, body in WRITE_REQUESTS:
        headers = {"Content-Type": media_type} if body else {}
        response = client.request(method, path, content=body, headers=headers)
        assert response.status_code in (200, 201, 204), response.text
        store.flush_descriptions()
        names_with_result |= assert_figures_equal_counts(store)
    assert names_with_result == FIGURE_QUERIES.keys()


def test_figures_equal_count_queries_after_restore(tmp_path: Path) -> None:
    folder, backups = tmp_path / "store", tmp_path / "backups"
    triples = parse_graph_document(PAPER.encode(), "text/turtle")
    open_store(folder).replace({"urn:g": triples, None: triples})
    assert main(["backup", str(backups), "--store", str(folder)]) == 0
    open_store(folder).replace(
        {"urn:g": None, "urn:h": parse_graph_document(b"<urn:s> a <urn:D> .", "text/turtle")}
    )
    assert main(["restore", str(backups), "--store", str(folder)]) == 0
    store = open_store(folder)
    assert_figures_equal_counts(store)
    store.replace({"urn:g": triples[1:]})
    assert_figures_equal_counts(store)
