"""The bundled data and the `ok-` examples conform to the shapes; each `bad-` example breaks one shape.

The shapes of the template for issue papers are tested in `test_issue_paper`.
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

SHAPE_NAMESPACE = Settings().base + "shapes#"
TEMPLATE_STEM = "issue-paper"
SHAPE_FILES = sorted(
    path for path in SHIPPED_FOLDER.glob("shapes/*.ttl") if not path.stem.startswith(TEMPLATE_STEM)
)
EXAMPLES = sorted(
    path for path in SHIPPED_FOLDER.glob("shapes/examples/*/*.ttl") if path.parent.name != TEMPLATE_STEM
)
GOOD_EXAMPLES = [path for path in EXAMPLES if path.name.startswith("ok-")]
BAD_EXAMPLES = [path for path in EXAMPLES if path.name.startswith("bad-")]
# The disputes of which the Background Report states only one side.
ONE_SIDED_DISPUTES = ("icann-fairness", "icann-inclusion")
# The terms of SHACL that state constraints.
CONSTRAINT_NAMES = """
    and class datatype disjoint equals hasValue in languageIn lessThan lessThanOrEquals maxCount maxExclusive
    maxInclusive maxLength minCount minExclusive minInclusive minLength node nodeKind not or pattern
    qualifiedValueShape uniqueLang xone
"""
# Further terms of SHACL that the shapes use. Validators ignore a misspelled term without an error.
OTHER_SHACL_NAMES = """
    IRI Info NodeShape PropertyShape ValidationResult Violation Warning alternativePath focusNode
    inversePath message name path property qualifiedMaxCount qualifiedMinCount resultMessage resultSeverity
    severity sourceConstraintComponent sourceShape targetClass targetObjectsOf targetSubjectsOf
"""


def build_shacl_terms(names: str) -> set[rdflib.URIRef]:
    return {SH[name] for name in names.split()}


def parse_graph(*paths: Path) -> rdflib.Graph:
    graph = rdflib.Graph()
    for path in paths:
        graph.parse(path)
    return graph


SHAPES = {path.stem: parse_graph(path) for path in SHAPE_FILES}
ALL_SHAPES = parse_graph(*SHAPE_FILES)
ONTOLOGY = parse_graph(*SHIPPED_FOLDER.glob("ontology/*.ttl"))


def example_name(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def list_validation_results(data: rdflib.Graph, shapes: rdflib.Graph) -> list[dict[str, str]]:
    """The results of pySHACL, each as a dict of values by the local name of the property."""
    _, report, _ = pyshacl.validate(data, shacl_graph=shapes, inference="none", advanced=False)
    assert isinstance(report, rdflib.Graph)
    return [
        {
            str(predicate).removeprefix(str(SH)): str(value)
            for predicate, value in report.predicate_objects(result)
        }
        for result in report.subjects(RDF.type, SH.ValidationResult)
    ]


def format_results(results: list[dict[str, str]]) -> str:
    return "\n".join(
        sorted(
            f"{result['focusNode']}: {result.get('resultMessage')} "
            f"({result['sourceShape']}: {result.get('value')})"
            for result in results
        )
    )


def iter_named_shapes() -> Iterator[rdflib.URIRef]:
    for shape_class in (SH.NodeShape, SH.PropertyShape):
        for shape in ALL_SHAPES.subjects(RDF.type, shape_class):
            assert isinstance(shape, rdflib.URIRef), "a shape with a type has an IRI"
            yield shape


@pytest.mark.slow
def test_bundled_data_conforms(shipped_store: ox.Store) -> None:
    data = rdflib.Graph()
    triples = ox.serialize({quad.triple for quad in shipped_store}, format=ox.RdfFormat.N_TRIPLES)
    assert triples is not None
    data.parse(data=triples, format="nt")
    results = list_validation_results(data, ALL_SHAPES)
    warnings = [result for result in results if result["resultSeverity"] == str(SH.Warning)]
    violations = [result for result in results if result not in warnings]
    assert not violations, format_results(violations)
    assert {(result["focusNode"], result["sourceShape"]) for result in warnings} == {
        (f"{Settings().base}id/dispute/{name}", f"{SHAPE_NAMESPACE}DisputeShape-sides")
        for name in ONE_SIDED_DISPUTES
    }, format_results(warnings)


@pytest.mark.parametrize("path", GOOD_EXAMPLES, ids=example_name)
def test_a_good_example_conforms(path: Path) -> None:
    results = list_validation_results(parse_graph(path) + ONTOLOGY, SHAPES[path.parent.name])
    assert not results, format_results(results)


@pytest.mark.parametrize("path", BAD_EXAMPLES, ids=example_name)
def test_a_bad_example_breaks_the_shape_in_its_first_line(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)  # rdflib warns of literals that are invalid on purpose
    match = re.match(r"# breaks: (\S+)\n", path.read_text())
    assert match, "the first line names the shape"
    results = list_validation_results(parse_graph(path) + ONTOLOGY, SHAPES[path.parent.name])
    assert {result["sourceShape"] for result in results} == {SHAPE_NAMESPACE + match[1]}, format_results(
        results
    )


def test_every_shape_has_a_bad_example() -> None:
    # The first line is "# breaks:" and the name of the shape.
    broken = {SHAPE_NAMESPACE + path.read_text().split()[2] for path in BAD_EXAMPLES}
    constrained = {
        str(shape)
        for shape in iter_named_shapes()
        if build_shacl_terms(CONSTRAINT_NAMES) & set(ALL_SHAPES.predicates(shape))
    }
    unbroken = sorted(constrained - broken)
    assert not unbroken


def test_every_file_of_shapes_has_good_and_bad_examples() -> None:
    stems = {path.stem for path in SHAPE_FILES}
    assert {path.parent.name for path in GOOD_EXAMPLES} == stems
    assert {path.parent.name for path in BAD_EXAMPLES} == stems


def test_every_shape_has_a_message_and_a_name() -> None:
    for shape in iter_named_shapes():
        message = ALL_SHAPES.value(shape, SH.message)
        assert isinstance(message, rdflib.Literal), f"{shape} has no message"
        assert message.language == "en", f"the message of {shape} has no language"
        assert re.match(r"[A-Z].{20,}\.$", message), f"the message of {shape} is no sentence"
        assert (shape, SH.name, None) in ALL_SHAPES or (shape, RDFS.label, None) in ALL_SHAPES


def test_every_shape_has_a_target_or_is_a_property_shape() -> None:
    targets = (SH.targetClass, SH.targetSubjectsOf, SH.targetObjectsOf, SH.targetNode)
    reached = {shape for target in targets for shape in ALL_SHAPES.subjects(target)}
    reached |= set(ALL_SHAPES.objects(predicate=SH.property))
    assert not set(iter_named_shapes()) - reached


def test_every_shape_is_in_the_shapes_namespace() -> None:
    assert not [shape for shape in iter_named_shapes() if not shape.startswith(SHAPE_NAMESPACE)]


def test_no_term_of_shacl_is_misspelled() -> None:
    used_terms = {term for triple in ALL_SHAPES for term in triple if str(term).startswith(str(SH))}
    assert not used_terms - build_shacl_terms(CONSTRAINT_NAMES) - build_shacl_terms(OTHER_SHACL_NAMES)


def test_every_class_with_instances_has_a_shape(shipped_store: ox.Store) -> None:
    solutions = shipped_store.query(
        """SELECT DISTINCT ?class { GRAPH ?graph { ?thing a ?class }
           FILTER(!STRENDS(STR(?graph), "/inferred") && !STRENDS(STR(?graph), "/ontology")) }"""
    )
    assert isinstance(solutions, ox.QuerySolutions)
    covered = set(ALL_SHAPES.objects(predicate=SH.targetClass))
    assert not {str(row["class"].value) for row in solutions} - {str(class_) for class_ in covered}


@pytest.mark.parametrize("path", GOOD_EXAMPLES + BAD_EXAMPLES, ids=example_name)
def test_an_example_is_marked_as_illustrative(path: Path) -> None:
    assert re.search(r"^    wgig:illustrative +true", path.read_text(), re.MULTILINE)
