"""Every shape has met its enemy: facts and `ok-` examples conform, `bad-` ones break what they say.

The rules of the issue paper are not meant for facts, and have tests of their own.
"""

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pyoxigraph as ox
import pyshacl
import pytest
import rdflib
from rdflib.namespace import RDF, RDFS, SH
from wgig.settings import SHIPPED_FOLDER, Settings

SHAPE = Settings().base + "shapes#"
TEMPLATE = "issue-paper"
FILES = sorted(path for path in SHIPPED_FOLDER.glob("shapes/*.ttl") if not path.stem.startswith(TEMPLATE))
EXAMPLES = sorted(
    path for path in SHIPPED_FOLDER.glob("shapes/examples/*/*.ttl") if path.parent.name != TEMPLATE
)
GOOD = [path for path in EXAMPLES if path.name.startswith("ok-")]
BAD = [path for path in EXAMPLES if path.name.startswith("bad-")]
CONSTRAINTS = """
    and class datatype disjoint equals hasValue in languageIn lessThan lessThanOrEquals maxCount maxExclusive
    maxInclusive maxLength minCount minExclusive minInclusive minLength node nodeKind not or pattern
    qualifiedValueShape uniqueLang xone
"""
# Beside constraints, what the shapes use of SHACL Core. A misspelt term would be ignored in silence.
OTHERS = """
    IRI Info NodeShape PropertyShape ValidationResult Violation Warning alternativePath focusNode
    inversePath message name path property qualifiedMinCount resultMessage resultSeverity
    sourceConstraintComponent sourceShape targetClass targetObjectsOf targetSubjectsOf
"""


def terms(words: str) -> set[rdflib.URIRef]:
    return {SH[word] for word in words.split()}


def parse(*paths: Path) -> rdflib.Graph:
    graph = rdflib.Graph()
    for path in paths:
        graph.parse(path)
    return graph


SHAPES = {path.stem: parse(path) for path in FILES}
ALL_SHAPES = parse(*FILES)
ONTOLOGY = parse(*SHIPPED_FOLDER.glob("ontology/*.ttl"))


def example_name(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def results(data: rdflib.Graph, shapes: rdflib.Graph) -> list[dict[str, str]]:
    """What the reference engine reports, a dict of the local names of properties and their values each."""
    _, report, _ = pyshacl.validate(data, shacl_graph=shapes, inference="none", advanced=False)
    assert isinstance(report, rdflib.Graph)
    return [
        {str(p).removeprefix(str(SH)): str(o) for p, o in report.predicate_objects(result)}
        for result in report.subjects(RDF.type, SH.ValidationResult)
    ]


def sentences(found: list[dict[str, str]]) -> str:
    return "\n".join(
        sorted(
            f"{r['focusNode']}: {r.get('resultMessage')} ({r['sourceShape']}: {r.get('value')})"
            for r in found
        )
    )


def named_shapes() -> Iterator[rdflib.URIRef]:
    for kind in (SH.NodeShape, SH.PropertyShape):
        for shape in ALL_SHAPES.subjects(RDF.type, kind):
            assert isinstance(shape, rdflib.URIRef), "a shape with a type has an IRI"
            yield shape


@pytest.mark.slow
def test_shipped_facts_conform(shipped: ox.Store) -> None:
    data = rdflib.Graph()
    triples = ox.serialize({quad.triple for quad in shipped}, format=ox.RdfFormat.N_TRIPLES)
    assert triples is not None
    data.parse(data=triples, format="nt")
    found = results(data, ALL_SHAPES)
    assert not found, sentences(found)


@pytest.mark.parametrize("path", GOOD, ids=example_name)
def test_a_good_example_conforms(path: Path) -> None:
    found = results(parse(path) + ONTOLOGY, SHAPES[path.parent.name])
    assert not found, sentences(found)


@pytest.mark.parametrize("path", BAD, ids=example_name)
def test_a_bad_example_breaks_what_its_first_line_says(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)  # rdflib speaks of literals that are bad on purpose
    named = re.match(r"# breaks: (\S+)\n", path.read_text())
    assert named, "the first line names the shape"
    found = results(parse(path) + ONTOLOGY, SHAPES[path.parent.name])
    assert {result["sourceShape"] for result in found} == {SHAPE + named[1]}, sentences(found)


def test_every_shape_has_a_bad_example() -> None:
    broken = {SHAPE + path.read_text().split()[2] for path in BAD}
    constrained = {
        str(shape) for shape in named_shapes() if terms(CONSTRAINTS) & set(ALL_SHAPES.predicates(shape))
    }
    without = sorted(constrained - broken)
    assert not without


def test_every_file_of_shapes_has_examples_of_both_kinds() -> None:
    stems = {path.stem for path in FILES}
    assert {path.parent.name for path in GOOD} == stems
    assert {path.parent.name for path in BAD} == stems


def test_every_shape_speaks() -> None:
    for shape in named_shapes():
        message = ALL_SHAPES.value(shape, SH.message)
        assert isinstance(message, rdflib.Literal), f"{shape} has no message"
        assert message.language == "en", f"the message of {shape} has no language"
        assert re.match(r"[A-Z].{20,}\.$", message), f"the message of {shape} is no sentence"
        assert (shape, SH.name, None) in ALL_SHAPES or (shape, RDFS.label, None) in ALL_SHAPES


def test_every_shape_is_reached() -> None:
    targets = (SH.targetClass, SH.targetSubjectsOf, SH.targetObjectsOf, SH.targetNode)
    reached = {shape for target in targets for shape in ALL_SHAPES.subjects(target)}
    reached |= set(ALL_SHAPES.objects(predicate=SH.property))
    assert not set(named_shapes()) - reached


def test_every_shape_stands_in_our_namespace() -> None:
    assert not [shape for shape in named_shapes() if not shape.startswith(SHAPE)]


def test_no_term_of_shacl_is_misspelt() -> None:
    used = {term for triple in ALL_SHAPES for term in triple if str(term).startswith(str(SH))}
    assert not used - terms(CONSTRAINTS) - terms(OTHERS)


def test_every_class_with_facts_has_a_shape(shipped: ox.Store) -> None:
    stated = shipped.query(
        """SELECT DISTINCT ?class { GRAPH ?graph { ?thing a ?class }
           FILTER(!STRENDS(STR(?graph), "/inferred") && !STRENDS(STR(?graph), "/ontology")) }"""
    )
    assert isinstance(stated, ox.QuerySolutions)
    covered = set(ALL_SHAPES.objects(predicate=SH.targetClass))
    assert not {str(row["class"].value) for row in stated} - {str(klass) for klass in covered}


@pytest.mark.parametrize("path", GOOD + BAD, ids=example_name)
def test_an_example_is_marked_as_made_up(path: Path) -> None:
    assert re.search(r"^    wgig:illustrative +true", path.read_text(), re.MULTILINE)
