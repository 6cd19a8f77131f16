"""The vocabulary: each term is declared, explained, tied to the outside, used; nothing leaves OWL 2 RL."""

import re
from collections import defaultdict
from pathlib import Path

import owlrl  # type: ignore[import-untyped]
import pyoxigraph as ox
import pytest
import rdflib
import wgig
from rdflib.namespace import OWL, RDF, RDFS
from wgig.i18n import PAGE_LANGUAGES
from wgig.rdf.namespaces import namespaces_by_prefix
from wgig.settings import SHIPPED_FOLDER, Settings

from tests.fixtures.triples import load_triples

BASE = Settings().base
TERM = BASE + "ontology#"
NAMESPACES = namespaces_by_prefix(BASE)
ERROR = rdflib.URIRef("http://www.daml.org/2002/03/agents/agent-ont#ErrorMessage")

# What the files take from other vocabularies, by prefix: a term that is not here is new or misspelt.
OUTSIDE = {
    "bibo": "Document DocumentPart numPages pageStart",
    "cito": "Citation cites hasCitedEntity hasCitingEntity",
    "dcterms": "Location alternative creator date description hasPart isPartOf isReferencedBy issued license"
    " references source spatial subject title type",
    "foaf": "Agent Group Person name page title",
    "org": "Membership Organization Role member memberOf organization role subOrganizationOf",
    "owl": "sameAs",
    "prov": "Entity wasAttributedTo wasDerivedFrom wasRevisionOf",
    "rdf": "langString type value",
    "rdfs": "label",
    "schema": "Event creativeWorkStatus endDate inLanguage jobTitle location startDate version",
    "skos": "Collection Concept ConceptScheme altLabel broadMatch broader broaderTransitive closeMatch"
    " definition exactMatch inScheme member notation note prefLabel relatedMatch topConceptOf",
    "xsd": "boolean date gYear gYearMonth integer language string time",
}
# The part of OWL 2 RL that the ontology draws on (https://www.w3.org/TR/owl2-profiles/#OWL_2_RL).
RL = {
    "owl": "AllDisjointClasses Class DatatypeProperty ObjectProperty Ontology deprecated disjointWith"
    " inverseOf members versionIRI versionInfo",
    "rdfs": "domain isDefinedBy label range subClassOf subPropertyOf",
}


def turtle(*patterns: str) -> list[Path]:
    return sorted(path for pattern in patterns for path in SHIPPED_FOLDER.glob(pattern))


def iris(path: Path) -> set[str]:
    """Every IRI of a Turtle file, datatypes too."""
    terms = [term for triple in load_triples(path) for term in triple]
    datatypes = {term.datatype.value for term in terms if isinstance(term, ox.Literal)}
    return {term.value for term in terms if isinstance(term, ox.NamedNode)} | datatypes


def queries() -> dict[Path, str]:
    """The text of example queries and rules, without comments."""
    return {
        path: re.sub(r"(?m)^\s*#.*$", "", path.read_text())
        for path in turtle("data/queries/*.rq", "data/rules/*.rq")
    }


def expanded(words: dict[str, str]) -> set[str]:
    return {NAMESPACES[prefix] + word for prefix, names in words.items() for word in names.split()}


FACTS = turtle("data/**/*.ttl")
MISSPELT = "bad-WGIG-0-TERM-UNKNOWN.ttl"  # on purpose
SHAPES = [path for path in turtle("shapes/**/*.ttl") if path.name != MISSPELT]


@pytest.fixture(scope="module")
def ontology() -> rdflib.Graph:
    graph = rdflib.Graph()
    for path in turtle("ontology/*.ttl"):
        graph.parse(path)
    return graph


@pytest.fixture(scope="module")
def declared(ontology: rdflib.Graph) -> set[str]:
    """Our classes and properties."""
    kinds = (OWL.Class, OWL.ObjectProperty, OWL.DatatypeProperty)
    return {str(term) for kind in kinds for term in ontology.subjects(RDF.type, kind)}


@pytest.fixture(scope="module")
def used(shipped: ox.Store) -> dict[str, set[str]]:
    """Where each of our terms is used: in facts, what follows from them, shapes, examples, queries, rules."""
    places = defaultdict(set)
    for quad in shipped.quads_for_pattern(None, None, None, ox.NamedNode(BASE + "graph/inferred")):
        places[quad.predicate.value].add("inferred")
    for path in FACTS + SHAPES:
        for iri in iris(path):
            places[iri].add(path.name)
    for path, text in queries().items():
        for name in re.findall(r"\bwgig:(\w+)", text):
            places[TERM + name].add(path.name)
    return {iri: names for iri, names in places.items() if iri.startswith(TERM)}


def test_every_term_used_is_declared(used: dict[str, set[str]], declared: set[str]) -> None:
    assert not {term: names for term, names in used.items() if term not in declared}


def test_every_declared_term_is_used(used: dict[str, set[str]], declared: set[str]) -> None:
    unused = sorted(declared - set(used))
    assert not unused


@pytest.mark.parametrize("needed", ["rdfs:label", "skos:definition", "rdfs:isDefinedBy"])
def test_every_term_is_explained(needed: str, ontology: rdflib.Graph, declared: set[str]) -> None:
    found = ontology.query(f"SELECT ?term {{ ?term {needed} ?it FILTER(isIRI(?it) || LANG(?it) = 'en') }}")
    assert not declared - {str(row[0]) for row in found}  # type: ignore[index]


def test_every_term_has_one_label_in_each_language_of_the_pages(
    ontology: rdflib.Graph, declared: set[str]
) -> None:
    labels = {
        term: sorted(
            str(getattr(one, "language", "")) for one in ontology.objects(rdflib.URIRef(term), RDFS.label)
        )
        for term in declared
    }
    assert not {term: tongues for term, tongues in labels.items() if tongues != sorted(PAGE_LANGUAGES)}


def test_every_class_is_tied_to_another_vocabulary(ontology: rdflib.Graph) -> None:
    tied = ontology.query(
        f"SELECT ?term {{ ?term rdfs:subClassOf+ ?above FILTER(!STRSTARTS(STR(?above), '{TERM}')) }}"
    )
    classes = {str(term) for term in ontology.subjects(RDF.type, OWL.Class)}
    assert not classes - {str(row[0]) for row in tied}  # type: ignore[index]


def test_an_inverse_has_the_domain_that_the_other_has_as_range(ontology: rdflib.Graph) -> None:
    crossed = ontology.query(
        """SELECT ?one ?other { ?one owl:inverseOf ?other ; rdfs:range ?range . ?other rdfs:domain ?domain
           FILTER(?range != ?domain) }"""
    )
    assert not list(crossed)


def test_the_ontology_has_the_version_of_the_package(ontology: rdflib.Graph) -> None:
    about = rdflib.URIRef(BASE + "ontology")
    assert str(ontology.value(about, OWL.versionInfo)) == wgig.__version__
    assert str(ontology.value(about, OWL.versionIRI)) == f"{BASE}ontology/{wgig.__version__}"


def test_the_ontology_stays_in_owl_2_rl(ontology: rdflib.Graph) -> None:
    allowed = expanded(RL)
    constructs = {
        str(term)
        for triple in ontology
        for term in triple
        if str(term).startswith((str(OWL), NAMESPACES["rdfs"]))
    }
    assert not constructs - allowed


def contradictions(graph: rdflib.Graph) -> list[str]:
    """What the closure of OWL 2 RL finds inconsistent."""
    closure = rdflib.Graph(store="SimpleMemory")  # the usual one asks of each triple in which contexts it is
    for triple in graph:
        closure.add(triple)
    owlrl.DeductiveClosure(owlrl.OWLRL_Semantics).expand(closure)
    return [str(message) for message in closure.subjects(RDF.type, ERROR)]


@pytest.mark.slow
def test_ontology_and_facts_do_not_contradict_each_other(ontology: rdflib.Graph) -> None:
    everything = rdflib.Graph()
    for path in FACTS:
        everything.parse(path)
    assert not contradictions(everything + ontology)


def test_a_contradiction_would_be_found() -> None:
    impossible = rdflib.Graph().parse(
        data="""@prefix owl: <http://www.w3.org/2002/07/owl#> .
        <a:paper> a <a:Paper> , <a:Meeting> . <a:Paper> owl:disjointWith <a:Meeting> ."""
    )
    assert contradictions(impossible)


def test_a_prefix_means_the_same_everywhere() -> None:
    places = defaultdict(set)
    for path in turtle("ontology/*.ttl") + FACTS + SHAPES:
        for prefix, iri in re.findall(r"(?m)^@prefix ([\w-]+): +<([^>]*)>", path.read_text()):
            places[prefix].add(iri)
    for text in queries().values():
        for prefix, iri in re.findall(r"(?m)^PREFIX ([\w-]+): +<([^>]*)>", text):
            places[prefix].add(iri)
    assert not {prefix: iris for prefix, iris in places.items() if len(iris) > 1}
    assert not {
        prefix: iris for prefix, iris in places.items() if NAMESPACES.get(prefix, *iris) not in iris
    }, "the service knows these prefixes by another namespace"


def test_terms_of_other_vocabularies_are_spelled_right() -> None:
    known = expanded(OUTSIDE)
    outside = tuple(NAMESPACES[prefix] for prefix in OUTSIDE)
    strange = {iri for path in FACTS for iri in iris(path) if iri.startswith(outside) and iri not in known}
    predicates = {t.predicate.value for path in FACTS for t in load_triples(path)}
    assert not strange
    assert not {iri for iri in predicates if not iri.startswith((*outside, TERM))}
