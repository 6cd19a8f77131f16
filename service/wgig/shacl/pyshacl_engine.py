"""The reference engine: pySHACL. It returns the same results as shifty and is about 100 times slower."""

import re
from collections.abc import Callable, Iterable
from datetime import date
from functools import cache
from threading import Lock
from typing import Any

import pyoxigraph as ox
import pyshacl
import rdflib
from rdflib.namespace import SH, XSD

from ..rdf.namespaces import XSD_STRING
from . import rules, vocabulary
from .results import Term, ValidationResult

# While it loads shapes, pySHACL changes rdflib.NORMALIZE_LITERALS, which is global to the process.
NORMALIZATION_LOCK = Lock()


def find_pyshacl_results(triples: Iterable[ox.Triple]) -> set[ValidationResult]:
    """The validation results of the shapes for a paper. Nested results (sh:detail) are left out."""
    report = validate_with_pyshacl(triples)
    return {parse_pyshacl_result(report, result) for result in report.objects(None, SH.result)}


def validate_with_pyshacl(triples: Iterable[ox.Triple]) -> rdflib.Graph:
    """The validation report on a paper (SHACL, section 3.6), as an rdflib graph."""
    data = build_rdflib_graph([*vocabulary.vocabulary_triples(), *map(hide_literal_datatype, triples)])
    with NORMALIZATION_LOCK:
        previous_setting = rdflib.NORMALIZE_LITERALS
        try:
            _, report, _ = pyshacl.validate(
                data, shacl_graph=rdflib_shapes_graph(), inference="none", advanced=False
            )
        finally:
            rdflib.NORMALIZE_LITERALS = previous_setting
    if not isinstance(report, rdflib.Graph):
        raise report
    return report


def hide_literal_datatype(triple: ox.Triple) -> ox.Triple:
    """The triple; a literal that rdflib should not parse gets an opaque datatype."""
    literal = triple.object
    if not isinstance(literal, ox.Literal) or literal.language or literal.datatype == XSD_STRING:
        return triple
    datatype_iri = literal.datatype.value
    if datatype_iri in READABLE_DATATYPES and READABLE_DATATYPES[datatype_iri](literal.value):
        return triple
    return ox.Triple(
        triple.subject,
        triple.predicate,
        ox.Literal(literal.value, datatype=ox.NamedNode(OPAQUE_DATATYPE_PREFIX + datatype_iri)),
    )


def is_valid_xsd_date(text: str) -> bool:
    """Whether a text is a valid xsd:date in the years 1 to 9999."""
    try:
        return bool(XSD_DATE_PATTERN.fullmatch(text) and date.fromisoformat(text[:10]))
    except ValueError:
        return False


# The datatypes that rules use, each with a test for well-formed values: rdflib accepts more than XML Schema
# allows and logs a warning for the rest. It parses other datatypes, such as XML literals, for nothing.
# XML Schema ignores white space around a number.
READABLE_DATATYPES: dict[str, Callable[[str], object]] = {
    f"{XSD}boolean": {"true", "false", "1", "0"}.__contains__,
    f"{XSD}date": is_valid_xsd_date,
    f"{XSD}integer": re.compile(r"[ \t\r\n]*[+-]?[0-9]{1,4000}[ \t\r\n]*").fullmatch,
}
XSD_DATE_PATTERN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(Z|[+-]((0[0-9]|1[0-3]):[0-5][0-9]|14:00))?")
OPAQUE_DATATYPE_PREFIX = "opaque:"


@cache
def rdflib_shapes_graph() -> rdflib.Graph:
    """The shapes as an rdflib graph."""
    return build_rdflib_graph(rules.read_shape_triples())


def build_rdflib_graph(triples: Iterable[ox.Triple]) -> rdflib.Graph:
    """Triples as an rdflib graph. Terms are converted one by one, so no text is parsed as a path or URL."""
    graph = rdflib.Graph()
    for triple in triples:
        graph.add(
            (
                convert_to_rdflib(triple.subject),
                convert_to_rdflib(triple.predicate),
                convert_to_rdflib(triple.object),
            )
        )
    return graph


def convert_to_rdflib(term: object) -> rdflib.IdentifiedNode | rdflib.Literal:
    """A term as an object of rdflib. Raises ValueError for a triple term.

    An xsd:string gets no datatype: in rdflib's SPARQL it would not equal a plain literal, as it does in RDF
    1.1.
    """
    match term:
        case ox.NamedNode():
            return rdflib.URIRef(term.value)
        case ox.BlankNode():
            return rdflib.BNode(term.value)
        case ox.Literal(language=str()):
            return rdflib.Literal(term.value, lang=term.language)
        case ox.Literal(datatype=datatype) if datatype == XSD_STRING:
            return rdflib.Literal(term.value)
        case ox.Literal():
            return rdflib.Literal(term.value, datatype=rdflib.URIRef(term.datatype.value), normalize=False)
    raise ValueError(f"{term} is not a term of RDF 1.1")


def parse_pyshacl_result(report: rdflib.Graph, result: rdflib.term.Node) -> ValidationResult:
    """A result of the report as a ValidationResult."""
    code = str(report.value(result, SH.sourceShape)).removeprefix(rules.SHAPES_NAMESPACE)
    value = report.value(result, SH.value) if rules.rules_by_code()[code].has_value else None
    focus = report.value(result, SH.focusNode)
    return ValidationResult(
        code, convert_from_rdflib(focus), None if value is None else convert_from_rdflib(value)
    )


def convert_from_rdflib(node: Any) -> Term:
    """A term of rdflib as one of pyoxigraph."""
    match node:
        case rdflib.URIRef():
            return ox.NamedNode(node)
        case rdflib.BNode():
            return ox.BlankNode(node)
        case rdflib.Literal(language=str()):
            return ox.Literal(str(node), language=node.language)
        case rdflib.Literal(datatype=rdflib.URIRef() as datatype):
            return ox.Literal(str(node), datatype=ox.NamedNode(datatype.removeprefix(OPAQUE_DATATYPE_PREFIX)))
    return ox.Literal(str(node))
