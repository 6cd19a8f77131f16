"""Validation with pySHACL, to which the results of the default engine, shifty, are compared.

Both engines return the same results; pySHACL is about 100 times slower.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
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


@contextmanager
def restore_normalization() -> Iterator[None]:
    """Restore rdflib.NORMALIZE_LITERALS at the end. Only one thread at a time can change it."""
    with NORMALIZATION_LOCK:
        previous_setting = rdflib.NORMALIZE_LITERALS
        try:
            yield
        finally:
            rdflib.NORMALIZE_LITERALS = previous_setting


def find_pyshacl_results(triples: Iterable[ox.Triple]) -> set[ValidationResult]:
    """The validation results of the shapes for the triples of papers, without nested results (sh:detail)."""
    report = validate_with_pyshacl(triples)
    return {parse_pyshacl_result(report, result) for result in report.objects(None, SH.result)}


def validate_with_pyshacl(triples: Iterable[ox.Triple]) -> rdflib.Graph:
    """The validation report on papers (SHACL, section 3.6), as an rdflib graph."""
    data = build_rdflib_graph([*vocabulary.vocabulary_triples(), *map(hide_literal_datatype, triples)])
    with restore_normalization():
        _, report_or_error, _ = pyshacl.validate(
            data, shacl_graph=rdflib_shapes_graph(), inference="none", advanced=False
        )
    if not isinstance(report_or_error, rdflib.Graph):  # pySHACL returns some errors instead of raising them
        raise report_or_error
    return report_or_error


def hide_literal_datatype(triple: ox.Triple) -> ox.Triple:
    """The triple, with an opaque datatype for a literal that rdflib should not parse."""
    literal = triple.object
    if not isinstance(literal, ox.Literal) or literal.language or literal.datatype == XSD_STRING:
        return triple
    datatype_iri = literal.datatype.value
    if datatype_iri in WELL_FORMED_TESTS and WELL_FORMED_TESTS[datatype_iri](literal.value):
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


MAX_INTEGER_DIGITS = 4000  # below the limit of int(), 4300
# The datatypes that rules use, each with a test for well-formed values: rdflib accepts some values that XML
# Schema does not allow, and logs a warning for others. Values of other datatypes, such as XML literals, need
# not be parsed, because no rule uses them. XML Schema ignores white space around a number.
WELL_FORMED_TESTS: dict[str, Callable[[str], object]] = {
    f"{XSD}boolean": {"true", "false", "1", "0"}.__contains__,
    f"{XSD}date": is_valid_xsd_date,
    f"{XSD}integer": re.compile(rf"[ \t\r\n]*[+-]?[0-9]{{1,{MAX_INTEGER_DIGITS}}}[ \t\r\n]*").fullmatch,
}
XSD_DATE_PATTERN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(Z|[+-]((0[0-9]|1[0-3]):[0-5][0-9]|14:00))?")
OPAQUE_DATATYPE_PREFIX = "opaque:"  # before the IRI of a datatype, so that rdflib does not know it


@cache
def rdflib_shapes_graph() -> rdflib.Graph:
    """The shapes as an rdflib graph."""
    return build_rdflib_graph(rules.read_shape_triples())


def build_rdflib_graph(triples: Iterable[ox.Triple]) -> rdflib.Graph:
    """Triples as an rdflib graph.

    Terms are converted one by one, because Graph.parse may mistake a text for a path or URL.
    """
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
    """A term of pyoxigraph as a term of rdflib. Raises ValueError for a triple term.

    An xsd:string gets no datatype: RDF 1.1 treats it as equal to a plain literal, but rdflib's SPARQL
    does not.
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
    """The ValidationResult for a node of type sh:ValidationResult in the report."""
    rule_code = str(report.value(result, SH.sourceShape)).removeprefix(rules.SHAPES_NAMESPACE)
    value = report.value(result, SH.value) if rules.rules_by_code()[rule_code].reports_value else None
    focus = report.value(result, SH.focusNode)
    return ValidationResult(
        rule_code, convert_from_rdflib(focus), None if value is None else convert_from_rdflib(value)
    )


def convert_from_rdflib(node: Any) -> Term:
    """A term of rdflib as a term of pyoxigraph."""
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
