"""The figures of VoID are what COUNT queries count, after every write."""

import random
from io import BytesIO
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
from wgig.cli.main import main
from wgig.graphs.description.derived import DescriptionGraphs
from wgig.rdf.namespaces import namespaces_by_prefix
from wgig.rdf.serialization import parse_graph_document
from wgig.settings import Settings
from wgig.shacl.conformance_graph import ConformanceGraph
from wgig.store.store import Store

from tests.fixtures.service import writer_of
from tests.fixtures.stores import filled

pytestmark = pytest.mark.slow

BASE = Settings.base
KNOWN = namespaces_by_prefix(BASE)
PORTRAIT = DescriptionGraphs(BASE)
WHOLE = str(PORTRAIT.void.dataset)
PREFIXES = "".join(f"PREFIX {prefix}: <{KNOWN[prefix]}>\n" for prefix in ("void", "void-ext", "dcterms"))
WRITES = 40

# What VoID says, and the query that counts it over the graphs that are described.
CLASSES = "SELECT DISTINCT ?c ?s ?p ?o"
BOTH = {
    "the whole": (
        f"SELECT * {{ {WHOLE} void:triples ?n ; void:distinctSubjects ?s ; void:distinctObjects ?o }}",
        """SELECT (COUNT(*) AS ?n) (COUNT(DISTINCT ?a) AS ?s) (COUNT(DISTINCT ?c) AS ?o)
           { SELECT DISTINCT ?a ?b ?c { ?a ?b ?c } } HAVING(COUNT(*) > 0)""",
    ),
    "its entities": (
        f"SELECT * {{ {WHOLE} void:entities ?n }}",
        f"""SELECT (COUNT(DISTINCT ?s) AS ?n) {{ ?s ?p ?o FILTER(ISIRI(?s) && STRSTARTS(STR(?s), "{BASE}")) }}
            HAVING(COUNT(?s) > 0)""",
    ),
    "its classes": (
        f"SELECT * {{ {WHOLE} void:classes ?n }}",
        "SELECT (COUNT(DISTINCT ?c) AS ?n) { ?s a ?c FILTER(ISIRI(?c)) } HAVING(COUNT(?c) > 0)",
    ),
    "its properties": (
        f"SELECT * {{ {WHOLE} void:properties ?n }}",
        "SELECT (COUNT(DISTINCT ?p) AS ?n) { ?s ?p ?o } HAVING(COUNT(*) > 0)",
    ),
    "its licenses": (
        f"SELECT * {{ {WHOLE} dcterms:license ?l }}",
        "SELECT DISTINCT ?l { ?s dcterms:license ?l FILTER(ISIRI(?l)) }",
    ),
    "its vocabularies": (
        f"SELECT * {{ {WHOLE} void:vocabulary ?v }}",
        """SELECT DISTINCT ?v { { ?s ?t ?o } UNION { ?s a ?t FILTER(ISIRI(?t)) }
           BIND(REPLACE(STR(?t), "[^#/]*$", "") AS ?space) FILTER(?space != "") BIND(IRI(?space) AS ?v) }""",
    ),
    "properties": (
        f"""SELECT ?p ?n ?s ?o {{ {WHOLE} void:propertyPartition ?x . ?x void:property ?p ; void:triples ?n ;
            void:distinctSubjects ?s ; void:distinctObjects ?o }}""",
        """SELECT ?p (COUNT(*) AS ?n) (COUNT(DISTINCT ?a) AS ?s) (COUNT(DISTINCT ?c) AS ?o)
           { SELECT DISTINCT ?a ?p ?c { ?a ?p ?c } } GROUP BY ?p""",
    ),
    "classes": (
        f"SELECT ?c ?n {{ {WHOLE} void:classPartition ?x . ?x void:class ?c ; void:entities ?n }}",
        "SELECT ?c (COUNT(DISTINCT ?s) AS ?n) { ?s a ?c FILTER(ISIRI(?c)) } GROUP BY ?c",
    ),
    "properties of classes": (
        f"""SELECT ?c ?p ?n {{ {WHOLE} void:classPartition ?x . ?x void:class ?c ; void:propertyPartition ?y .
            ?y void:property ?p ; void:triples ?n }}""",
        f"""SELECT ?c ?p (COUNT(*) AS ?n)
            {{ {CLASSES} {{ ?s a ?c ; ?p ?o FILTER(ISIRI(?c)) }} }} GROUP BY ?c ?p""",
    ),
    "their datatypes": (
        """SELECT ?c ?p ?d ?n { ?x void:class ?c ; void:propertyPartition ?y . ?y void:property ?p ;
           void-ext:datatypePartition ?z . ?z void-ext:datatype ?d ; void:triples ?n }""",
        f"""SELECT ?c ?p ?d (COUNT(*) AS ?n)
            {{ {CLASSES} ?d {{ ?s a ?c ; ?p ?o FILTER(ISIRI(?c) && ISLITERAL(?o))
            BIND(DATATYPE(?o) AS ?d) }} }} GROUP BY ?c ?p ?d""",
    ),
    "the classes of their values": (
        """SELECT ?c ?p ?d ?n { ?x void:class ?c ; void:propertyPartition ?y . ?y void:property ?p ;
           void:classPartition ?z . ?z void:class ?d ; void:triples ?n }""",
        f"""SELECT ?c ?p ?d (COUNT(*) AS ?n)
            {{ {CLASSES} ?d {{ ?s a ?c ; ?p ?o . ?o a ?d FILTER(ISIRI(?c) && ISIRI(?d)) }} }}
            GROUP BY ?c ?p ?d""",
    ),
    "links": (
        """SELECT ?t ?p ?n
           { ?x a void:Linkset ; void:objectsTarget ?t ; void:linkPredicate ?p ; void:triples ?n }""",
        f"""SELECT ?t ?p (COUNT(*) AS ?n) {{ SELECT DISTINCT ?s ?p ?o ?t {{
              ?s ?p ?o FILTER(?p != rdf:type && ISIRI(?o) && ISIRI(?s) && STRSTARTS(STR(?s), "{BASE}"))
              FILTER(!STRSTARTS(STR(?o), "{BASE}") && REGEX(STR(?o), "^[a-z][a-z0-9+.-]*://[^/?#]+", "i"))
              BIND(IRI(CONCAT(REPLACE(STR(?o), "^([^:]+://[^/?#]+).*$", "$1"), "/")) AS ?t)
            }} }} GROUP BY ?t ?p""".replace("rdf:type", f"<{KNOWN['rdf']}type>"),
    ),
    "graphs": (
        f"SELECT ?g ?n {{ {WHOLE} void:subset ?g . ?g a <{KNOWN['sd']}NamedGraph> ; void:triples ?n }}",
        "SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } FILTER(ISIRI(?g)) } GROUP BY ?g",
    ),
}


def said_and_counted(store: Store, said: str, counted: str) -> tuple[set[str], set[str]]:
    """The rows of what VoID says, and of what there is."""
    described: list[Any] = [one for one in store._quads.named_graphs() if one not in PORTRAIT.graphs]
    void = store._quads.query(PREFIXES + said, default_graph=[PORTRAIT.void.graph])
    data = store._quads.query(
        PREFIXES + counted, default_graph=[*described, ox.DefaultGraph()], named_graphs=described
    )
    assert isinstance(void, ox.QuerySolutions)
    assert isinstance(data, ox.QuerySolutions)
    names = [one.value for one in void.variables]
    return tuple({" ".join(str(row[name]) for name in names) for row in rows} for rows in (void, data))  # type: ignore[return-value]


def agreed(store: Store) -> set[str]:
    """Of what VoID says anything; all of it is so."""
    pairs = {name: said_and_counted(store, *both) for name, both in BOTH.items()}
    assert not {name: said ^ counted for name, (said, counted) in pairs.items() if said != counted}
    return {name for name, (said, _) in pairs.items() if said}


THINGS = [f"<{BASE}id/issue/{name}>" for name in "abc"] + ["<urn:x>", "_:b", f"<{KNOWN['paper']}p>"]
TERMS = ["<urn:C>", "<urn:D>", f"<{KNOWN['wgig']}Issue>", f"<{KNOWN['wgig']}IssuePaper>", "<http://v.org/C>"]
VALUES = [
    *THINGS,
    *TERMS,
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
GRAPHS = [None, "urn:g", f"{KNOWN['graph']}h", f"{KNOWN['graph']}paper/p"]
UPDATES = [
    "CLEAR ALL",
    "DROP GRAPH <urn:g>",
    "DELETE WHERE { GRAPH <urn:g> { ?s a ?c } }",
    "INSERT { GRAPH <urn:g> { ?s <urn:p> ?o } } WHERE { GRAPH ?g { ?s <urn:p> ?o } }",
    "DELETE { GRAPH ?g { ?s ?p ?o } } WHERE { GRAPH ?g { ?s ?p ?o FILTER(ISLITERAL(?o)) } }",
    f"MOVE <urn:g> TO <{KNOWN['graph']}h>",
    "CREATE SILENT GRAPH <urn:empty>",
    "INSERT DATA { <urn:C> <http://www.w3.org/2000/01/rdf-schema#subClassOf> <urn:D> }",
]


def some(chance: random.Random) -> str:
    """Some statements that often say again what others said, and give a thing other classes."""
    return "\n".join(
        f"{chance.choice(THINGS)} {property_} {chance.choice(TERMS if property_ == 'a' else VALUES)} ."
        for property_ in chance.choices(PROPERTIES, [3, 4, 2, 1], k=chance.randrange(20))
    )


def write(store: Store, chance: random.Random) -> None:
    """Write something in some way."""
    text, graph = some(chance), chance.choice(GRAPHS)
    triples = parse_graph_document(text.encode(), "text/turtle")
    way = chance.choice(["put", "post", "replace", "delete", "update", "load", "load", "load quads"])
    if way == "put":
        store.apply(store.compute_replacement(graph, triples))
    elif way == "post":
        store.apply(store.compute_addition(graph, triples))
    elif way == "replace":
        store.replace({graph: triples})
    elif way == "delete":
        store.apply(store.compute_replacement(graph, None))
    elif way == "update":
        store.update(chance.choice(UPDATES))
    elif way == "load":
        store.bulk_load(BytesIO(text.encode()), ox.RdfFormat.TURTLE, graph)
        store.infer()
    else:
        named = f"_:graph {{ {text} }} <urn:g> {{ {text} }}"
        store.bulk_load(BytesIO(named.encode()), ox.RdfFormat.TRIG, None)
        store.infer()


RULE = "CONSTRUCT { ?x a ?d } WHERE { ?c <http://www.w3.org/2000/01/rdf-schema#subClassOf> ?d . ?x a ?c }"
INFERRED = f"{KNOWN['graph']}inferred"


def opened(folder: Path) -> Store:
    """A store that describes itself, and infers."""
    return Store.open(
        folder, [RULE], INFERRED, first=[ConformanceGraph(BASE, Settings.shacl)], last=[PORTRAIT]
    )


@pytest.fixture(params=["memory", "disk"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty store that describes itself, and infers."""
    if request.param == "memory":
        return Store.in_memory([RULE], INFERRED, [ConformanceGraph(BASE, Settings.shacl)], [PORTRAIT])
    return opened(tmp_path)


def test_the_figures_of_the_shipped_graphs_are_those_of_count_queries_and_stay_so() -> None:
    whole = filled()
    spam = f"{KNOWN['graph']}paper/wp-spam"
    before = set(whole.triples(spam))
    assert agreed(whole) == BOTH.keys()
    for triples in (parse_graph_document(some(random.Random(1)).encode(), "text/turtle"), None, before):
        whole.apply(whole.compute_replacement(spam, triples))
        agreed(whole)


def test_of_a_store_that_is_empty_nothing_is_said(store: Store) -> None:
    triples = parse_graph_document(b"<urn:s> <urn:p> 1 .", "text/turtle")
    store.replace({"urn:g": triples, "urn:h": triples})
    assert {*store.graphs()} > {one.value for one in PORTRAIT.graphs}
    store.replace({"urn:g": None, "urn:h": None})
    assert not store.graphs()


@pytest.mark.parametrize("seed", range(3))
def test_the_figures_are_those_of_count_queries_after_every_write(store: Store, seed: int) -> None:
    chance, seen = random.Random(seed), set[str]()
    for _ in range(WRITES):
        write(store, chance)
        seen |= agreed(store)
    assert seen == BOTH.keys()


SUBCLASS = "http://www.w3.org/2000/01/rdf-schema#subClassOf"
PAPER = f"""<{KNOWN["paper"]}p> a <{KNOWN["wgig"]}IssuePaper>, <urn:C> ; <urn:p> 1, "one", [ a <urn:D> ] ;
    <http://purl.org/dc/terms/license> <https://one.org/l> . <urn:C> <{SUBCLASS}> <urn:E> ."""
# Each way to write over HTTP, one after the other.
REQUESTS = [
    ("PUT", "/graph/paper/p", "text/turtle", PAPER),
    ("POST", "/graph/paper/p", "text/turtle", f"<{KNOWN['paper']}p> <urn:q> <https://two.org/x>, [] ."),
    ("POST", "/graphs?default", "text/turtle", PAPER),
    ("POST", "/graphs?graph=urn:g", "text/turtle", PAPER),
    ("POST", "/update", "application/sparql-update", "DELETE WHERE { GRAPH <urn:g> { ?s <urn:p> ?o } }"),
    ("POST", "/update", "application/sparql-update", "INSERT { ?s a <urn:F> } WHERE { ?s a <urn:D> }"),
    ("PUT", "/graph/paper/p", "text/turtle", "<urn:C> a <urn:D> ."),
    ("DELETE", "/graph/paper/p", "", ""),
    ("DELETE", "/graphs?graph=urn:g", "", ""),
]


def test_the_figures_are_those_of_count_queries_after_every_way_to_write(store: Store) -> None:
    client, seen = writer_of(store, write_profile="off"), set[str]()
    store.describe_later()
    for method, path, media_type, body in REQUESTS:
        headers = {"Content-Type": media_type} if body else {}
        answer = client.request(method, path, content=body, headers=headers)
        assert answer.status_code in (200, 201, 204), answer.text
        store.flush_descriptions()
        seen |= agreed(store)
    assert seen == BOTH.keys()


def test_the_figures_of_a_store_that_is_restored_are_those_of_count_queries(tmp_path: Path) -> None:
    folder, backups = tmp_path / "store", tmp_path / "backups"
    triples = parse_graph_document(PAPER.encode(), "text/turtle")
    opened(folder).replace({"urn:g": triples, None: triples})
    assert main(["backup", str(backups), "--store", str(folder)]) == 0
    opened(folder).replace(
        {"urn:g": None, "urn:h": parse_graph_document(b"<urn:s> a <urn:D> .", "text/turtle")}
    )
    assert main(["restore", str(backups), "--store", str(folder)]) == 0
    store = opened(folder)
    agreed(store)
    store.replace({"urn:g": triples[1:]})
    agreed(store)
