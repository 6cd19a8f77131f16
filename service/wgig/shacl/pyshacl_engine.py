"""The reference engine: pySHACL. It finds what the fast one finds, and takes a hundred times as long."""

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

# While it loads shapes, it changes how rdflib reads literals in the whole process.
NORMALIZATION_LOCK = Lock()

# A plain text of SPARQL is not equal to one with this datatype in rdflib, though it is in RDF 1.1.


def find_pyshacl_results(triples: Iterable[ox.Triple]) -> set[ValidationResult]:
    """What the rules find in a paper; results inside of results are only details of them."""
    report = validate_with_pyshacl(triples)
    return {parse_pyshacl_result(report, one) for one in report.objects(None, SH.result)}


def validate_with_pyshacl(triples: Iterable[ox.Triple]) -> rdflib.Graph:
    """The validation report on a paper, as the standard has it (SHACL, section 3.6)."""
    data = build_rdflib_graph([*vocabulary.vocabulary_triples(), *map(hide_literal_datatype, triples)])
    with NORMALIZATION_LOCK:
        before = rdflib.NORMALIZE_LITERALS
        try:
            _, report, _ = pyshacl.validate(
                data, shacl_graph=rdflib_shapes_graph(), inference="none", advanced=False
            )
        finally:
            rdflib.NORMALIZE_LITERALS = before
    if not isinstance(report, rdflib.Graph):
        raise report
    return report


def hide_literal_datatype(triple: ox.Triple) -> ox.Triple:
    """The triple, a literal that rdflib should not read having a datatype of its own."""
    text = triple.object
    if not isinstance(text, ox.Literal) or text.language or text.datatype == XSD_STRING:
        return triple
    kind = text.datatype.value
    if kind in READABLE_DATATYPES and READABLE_DATATYPES[kind](text.value):
        return triple
    return ox.Triple(
        triple.subject,
        triple.predicate,
        ox.Literal(text.value, datatype=ox.NamedNode(OPAQUE_DATATYPE_PREFIX + kind)),
    )


def is_valid_xsd_date(text: str) -> bool:
    """Whether a text is an xsd:date of the years that Python knows."""
    try:
        return bool(XSD_DATE_PATTERN.fullmatch(text) and date.fromisoformat(text[:10]))
    except ValueError:
        return False


# What the rules compare or ask for. Of these, rdflib takes more for well-formed than is, and logs the rest;
# other datatypes it reads in vain, XML among them. White space around a number is no part of it (XML Schema).
READABLE_DATATYPES: dict[str, Callable[[str], object]] = {
    f"{XSD}boolean": {"true", "false", "1", "0"}.__contains__,
    f"{XSD}date": is_valid_xsd_date,
    f"{XSD}integer": re.compile(r"[ \t\r\n]*[+-]?[0-9]{1,4000}[ \t\r\n]*").fullmatch,
}
XSD_DATE_PATTERN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(Z|[+-]((0[0-9]|1[0-3]):[0-5][0-9]|14:00))?")
OPAQUE_DATATYPE_PREFIX = "opaque:"


@cache
def rdflib_shapes_graph() -> rdflib.Graph:
    """The rules as a graph of rdflib."""
    return build_rdflib_graph(rules.read_shape_triples())


def build_rdflib_graph(triples: Iterable[ox.Triple]) -> rdflib.Graph:
    """Triples as a graph of rdflib. No text is read: nothing can be taken for a path or an address."""
    found = rdflib.Graph()
    for one in triples:
        found.add(
            (convert_to_rdflib(one.subject), convert_to_rdflib(one.predicate), convert_to_rdflib(one.object))
        )
    return found


def convert_to_rdflib(term: object) -> rdflib.IdentifiedNode | rdflib.Literal:
    """A term as rdflib has it."""
    match term:
        case ox.NamedNode():
            return rdflib.URIRef(term.value)
        case ox.BlankNode():
            return rdflib.BNode(term.value)
        case ox.Literal(language=str()):
            return rdflib.Literal(term.value, lang=term.language)
        case ox.Literal(datatype=kind) if kind == XSD_STRING:
            return rdflib.Literal(term.value)
        case ox.Literal():
            return rdflib.Literal(term.value, datatype=rdflib.URIRef(term.datatype.value), normalize=False)
    raise ValueError(f"{term} stands in no graph of RDF 1.1")


def parse_pyshacl_result(report: rdflib.Graph, one: rdflib.term.Node) -> ValidationResult:
    """A result of the report."""
    code = str(report.value(one, SH.sourceShape)).removeprefix(rules.SHAPES_NAMESPACE)
    value = report.value(one, SH.value) if rules.rules_by_code()[code].has_value else None
    focus = report.value(one, SH.focusNode)
    return ValidationResult(
        code, convert_from_rdflib(focus), None if value is None else convert_from_rdflib(value)
    )


def convert_from_rdflib(node: Any) -> Term:
    """A term, from how rdflib has it."""
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
