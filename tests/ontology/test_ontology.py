"""The ontology: each term is declared, defined, linked to other vocabularies and used, within OWL 2 RL."""

import re
from collections import defaultdict
from pathlib import Path

import owlrl
import pyoxigraph as ox
import pytest
import rdflib
import wgig
from rdflib.namespace import OWL, RDF, RDFS
from wgig.i18n import PAGE_LANGUAGES
from wgig.settings import SHIPPED_FOLDER, Settings
from wgig_client.namespaces import namespaces_by_prefix

from tests.fixtures.triples import load_triples

BASE = Settings().base
ONTOLOGY_NAMESPACE = BASE + "ontology#"
NAMESPACES = namespaces_by_prefix(BASE)
# The class of the messages of owlrl about contradictions.
ERROR_CLASS = rdflib.URIRef("http://www.daml.org/2002/03/agents/agent-ont#ErrorMessage")

# The terms of other vocabularies in the files, by prefix: a term that is not here is new or misspelled.
EXTERNAL_TERMS = {
    "bibo": "Document DocumentPart locator numPages pageStart",
    "cito": "Citation cites hasCitedEntity hasCitingEntity",
    "dcterms": "Location alternative creator date description hasPart identifier isPartOf isReferencedBy"
    " issued license references source spatial subject title type",
    "foaf": "Agent Group Person name page title",
    "org": "Membership Organization Role member memberOf organization role subOrganizationOf",
    "owl": "sameAs",
    "prov": "Entity wasAttributedTo wasDerivedFrom wasRevisionOf",
    "rdf": "langString type value",
    "rdfs": "label",
    "schema": "Event creativeWorkStatus endDate inLanguage jobTitle latitude location longitude startDate"
    " version",
    "skos": "Collection Concept ConceptScheme altLabel broadMatch broader broaderTransitive closeMatch"
    " definition exactMatch inScheme member notation note prefLabel relatedMatch topConceptOf",
    "skosxl": "Label altLabel literalForm prefLabel",
    "xsd": "boolean date decimal gYear gYearMonth integer language string time",
}
# The terms of OWL 2 RL that the ontology uses (https://www.w3.org/TR/owl2-profiles/#OWL_2_RL).
ALLOWED_OWL_TERMS = {
    "owl": "AllDisjointClasses Class DatatypeProperty ObjectProperty Ontology deprecated disjointWith"
    " inverseOf members versionIRI versionInfo",
    "rdfs": "domain isDefinedBy label range subClassOf subPropertyOf",
}


def find_shipped_files(*patterns: str) -> list[Path]:
    return sorted(path for pattern in patterns for path in SHIPPED_FOLDER.glob(pattern))


def read_iris(path: Path) -> set[str]:
    """Every IRI in a Turtle file, including datatypes."""
    terms = [term for triple in load_triples(path) for term in triple]
    datatypes = {term.datatype.value for term in terms if isinstance(term, ox.Literal)}
    return {term.value for term in terms if isinstance(term, ox.NamedNode)} | datatypes


def read_queries() -> dict[Path, str]:
    """The texts of example queries and rules, without comments, by path."""
    return {
        path: re.sub(r"(?m)^\s*#.*$", "", path.read_text())
        for path in find_shipped_files("data/queries/*.rq", "data/rules/*.rq")
    }


def expand_names(names_by_prefix: dict[str, str]) -> set[str]:
    return {NAMESPACES[prefix] + name for prefix, names in names_by_prefix.items() for name in names.split()}


FACT_FILES = find_shipped_files("data/**/*.ttl")
MISSPELLED_FILE = "bad-WGIG-0-TERM-UNKNOWN.ttl"  # uses an undeclared term on purpose
SHAPE_FILES = [path for path in find_shipped_files("shapes/**/*.ttl") if path.name != MISSPELLED_FILE]


@pytest.fixture(scope="module")
def ontology() -> rdflib.Graph:
    graph = rdflib.Graph()
    for path in find_shipped_files("ontology/*.ttl"):
        graph.parse(path)
    return graph


@pytest.fixture(scope="module")
def declared_terms(ontology: rdflib.Graph) -> set[str]:
    """The IRIs of the classes and properties of the ontology."""
    types = (OWL.Class, OWL.ObjectProperty, OWL.DatatypeProperty)
    return {str(term) for type_ in types for term in ontology.subjects(RDF.type, type_)}


@pytest.fixture(scope="module")
def files_by_term(shipped_store: ox.Store) -> dict[str, set[str]]:
    """The files that use each term of the ontology, and `inferred` for inferred triples."""
    files_by_iri = defaultdict(set)
    for quad in shipped_store.quads_for_pattern(None, None, None, ox.NamedNode(BASE + "graph/inferred")):
        files_by_iri[quad.predicate.value].add("inferred")
    for path in FACT_FILES + SHAPE_FILES:
        for iri in read_iris(path):
            files_by_iri[iri].add(path.name)
    for path, text in read_queries().items():
        for name in re.findall(r"\bwgig:(\w+)", text):
            files_by_iri[ONTOLOGY_NAMESPACE + name].add(path.name)
    return {iri: names for iri, names in files_by_iri.items() if iri.startswith(ONTOLOGY_NAMESPACE)}


def test_every_term_used_is_declared(files_by_term: dict[str, set[str]], declared_terms: set[str]) -> None:
    assert not {term: names for term, names in files_by_term.items() if term not in declared_terms}


def test_every_declared_term_is_used(files_by_term: dict[str, set[str]], declared_terms: set[str]) -> None:
    unused = sorted(declared_terms - set(files_by_term))
    assert not unused


@pytest.mark.parametrize("property_", ["rdfs:label", "skos:definition", "rdfs:isDefinedBy"])
def test_every_term_is_documented(property_: str, ontology: rdflib.Graph, declared_terms: set[str]) -> None:
    documented_rows = ontology.query(
        f"SELECT ?term {{ ?term {property_} ?value FILTER(isIRI(?value) || LANG(?value) = 'en') }}"
    )
    assert not declared_terms - {str(row[0]) for row in documented_rows}  # type: ignore[index]


def test_every_term_has_one_label_in_each_language_of_the_pages(
    ontology: rdflib.Graph, declared_terms: set[str]
) -> None:
    languages_by_term = {
        term: sorted(
            str(getattr(label, "language", "")) for label in ontology.objects(rdflib.URIRef(term), RDFS.label)
        )
        for term in declared_terms
    }
    assert not {
        term: languages
        for term, languages in languages_by_term.items()
        if languages != sorted(PAGE_LANGUAGES)
    }


def test_every_class_has_a_superclass_in_another_vocabulary(ontology: rdflib.Graph) -> None:
    linked_rows = ontology.query(
        "SELECT ?term { ?term rdfs:subClassOf+ ?class"
        f" FILTER(!STRSTARTS(STR(?class), '{ONTOLOGY_NAMESPACE}')) }}"
    )
    classes = {str(term) for term in ontology.subjects(RDF.type, OWL.Class)}
    assert not classes - {str(row[0]) for row in linked_rows}  # type: ignore[index]


def test_the_range_of_a_property_is_the_domain_of_its_inverse(ontology: rdflib.Graph) -> None:
    mismatches = ontology.query(
        """SELECT ?property ?inverse {
           ?property owl:inverseOf ?inverse ; rdfs:range ?range . ?inverse rdfs:domain ?domain
           FILTER(?range != ?domain) }"""
    )
    assert not list(mismatches)


def test_the_ontology_has_the_version_of_the_package(ontology: rdflib.Graph) -> None:
    about = rdflib.URIRef(BASE + "ontology")
    assert str(ontology.value(about, OWL.versionInfo)) == wgig.__version__
    assert str(ontology.value(about, OWL.versionIRI)) == f"{BASE}ontology/{wgig.__version__}"


def test_the_ontology_uses_only_owl_2_rl(ontology: rdflib.Graph) -> None:
    allowed_iris = expand_names(ALLOWED_OWL_TERMS)
    used_iris = {
        str(term)
        for triple in ontology
        for term in triple
        if str(term).startswith((str(OWL), NAMESPACES["rdfs"]))
    }
    assert not used_iris - allowed_iris


def find_contradictions(graph: rdflib.Graph) -> list[str]:
    """The messages of OWL 2 RL reasoning about inconsistencies.

    Literals of properties without axioms, such as labels, are left out: nothing follows from them.
    """
    constrained = {*graph.subjects(RDF.type), *graph.subjects(RDFS.subPropertyOf), OWL.sameAs}
    closure = rdflib.Graph(
        store="SimpleMemory"
    )  # faster: the default store looks up the contexts of each triple
    for triple in graph:
        if triple[1] in constrained or not isinstance(triple[2], rdflib.Literal):
            closure.add(triple)
    owlrl.DeductiveClosure(owlrl.OWLRL_Semantics).expand(closure)
    return [str(message) for message in closure.subjects(RDF.type, ERROR_CLASS)]


@pytest.mark.slow
def test_ontology_and_facts_do_not_contradict_each_other(ontology: rdflib.Graph) -> None:
    facts = rdflib.Graph()
    for path in FACT_FILES:
        facts.parse(path)
    assert not find_contradictions(facts + ontology)


def test_a_contradiction_is_found() -> None:
    inconsistent = rdflib.Graph().parse(
        data="""@prefix owl: <http://www.w3.org/2002/07/owl#> .
        <a:paper> a <a:Paper> , <a:Meeting> . <a:Paper> owl:disjointWith <a:Meeting> ."""
    )
    assert find_contradictions(inconsistent)


def test_a_prefix_has_the_same_namespace_in_all_files() -> None:
    namespaces = defaultdict(set)
    for path in find_shipped_files("ontology/*.ttl") + FACT_FILES + SHAPE_FILES:
        for prefix, iri in re.findall(r"(?m)^@prefix ([\w-]+): +<([^>]*)>", path.read_text()):
            namespaces[prefix].add(iri)
    for text in read_queries().values():
        for prefix, iri in re.findall(r"(?m)^PREFIX ([\w-]+): +<([^>]*)>", text):
            namespaces[prefix].add(iri)
    assert not {prefix: iris for prefix, iris in namespaces.items() if len(iris) > 1}
    assert not {
        prefix: iris for prefix, iris in namespaces.items() if NAMESPACES.get(prefix, *iris) not in iris
    }, "the service has another namespace for these prefixes"


def test_terms_of_other_vocabularies_are_known() -> None:
    known_iris = expand_names(EXTERNAL_TERMS)
    namespaces = tuple(NAMESPACES[prefix] for prefix in EXTERNAL_TERMS)
    used_iris = {iri for path in FACT_FILES for iri in read_iris(path)}
    predicates = {triple.predicate.value for path in FACT_FILES for triple in load_triples(path)}
    assert not {iri for iri in used_iris if iri.startswith(namespaces) and iri not in known_iris}
    assert not {iri for iri in predicates if not iri.startswith((*namespaces, ONTOLOGY_NAMESPACE))}
