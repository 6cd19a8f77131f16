"""The SHACL vocabulary of shapes: which values its properties may have, and what is refused or not used."""

import re
from collections.abc import Callable
from typing import Any

import pyoxigraph as ox

from ..rdf.namespaces import RDF_NAMESPACE, SH_NAMESPACE

INTEGER_DATATYPE_IRI = "http://www.w3.org/2001/XMLSchema#integer"
BOOLEAN_DATATYPE_IRI = "http://www.w3.org/2001/XMLSchema#boolean"
INTEGER_PATTERN = re.compile(r"[+-]?[0-9]+")  # XML Schema 1.1, part 2, section 3.4.13
INTEGER_LIMIT_DIGITS = 18  # larger numbers do not fit into the integers of an engine
NODE_KINDS = ("BlankNode", "IRI", "Literal", "BlankNodeOrIRI", "BlankNodeOrLiteral", "IRIOrLiteral")

SH_PATH_IRI, SH_TARGET_NODE, SH_TARGET_CLASS, SH_SUBJECTS_OF, SH_OBJECTS_OF = (
    SH_NAMESPACE + name
    for name in ("path", "targetNode", "targetClass", "targetSubjectsOf", "targetObjectsOf")
)
TARGET_PROPERTIES = (SH_TARGET_NODE, SH_TARGET_CLASS, SH_SUBJECTS_OF, SH_OBJECTS_OF)
PROPERTY_SHAPE_CLASS = f"{SH_NAMESPACE}PropertyShape"
SHAPE_CLASSES = (f"{SH_NAMESPACE}NodeShape", PROPERTY_SHAPE_CLASS)
SH_PROPERTY, SH_PATTERN, SH_FLAGS = (SH_NAMESPACE + name for name in ("property", "pattern", "flags"))
# The properties whose value is a shape, and those whose value is a list of shapes.
SHAPE_PROPERTIES = tuple(SH_NAMESPACE + name for name in ("node", "property", "not", "qualifiedValueShape"))
SHAPE_LIST_PROPERTIES = tuple(SH_NAMESPACE + name for name in ("and", "or", "xone"))
# The properties whose value is a list, beside these.
LIST_PROPERTIES = (
    *SHAPE_LIST_PROPERTIES,
    *(SH_NAMESPACE + name for name in ("in", "languageIn", "ignoredProperties")),
)
# The properties that compare the values of two paths; their value is the second path.
PAIR_PROPERTIES = tuple(
    SH_NAMESPACE + name for name in ("equals", "disjoint", "lessThan", "lessThanOrEquals")
)
# The forms of property paths (SHACL, section 2.3.1) with a blank node, each with its mark in SPARQL.
PREFIX_PATH_PROPERTIES = {f"{SH_NAMESPACE}inversePath": "^"}
SUFFIX_PATH_PROPERTIES = {
    f"{SH_NAMESPACE}zeroOrMorePath": "*",
    f"{SH_NAMESPACE}oneOrMorePath": "+",
    f"{SH_NAMESPACE}zeroOrOnePath": "?",
}
ALTERNATIVE_PATH_PROPERTY = f"{SH_NAMESPACE}alternativePath"

# The properties whose value is the text of a query, each with the form that the query must have.
QUERY_FORM_BY_PROPERTY = {f"{SH_NAMESPACE}select": "SELECT", f"{SH_NAMESPACE}ask": "ASK"}
SH_PREFIX, SH_NAMESPACE_PROPERTY = f"{SH_NAMESPACE}prefix", f"{SH_NAMESPACE}namespace"
SH_RULE, SH_CONSTRUCT = f"{SH_NAMESPACE}rule", f"{SH_NAMESPACE}construct"
OWL_IMPORTS = "http://www.w3.org/2002/07/owl#imports"

# What SHACL itself does not have, by the properties and classes that use it. To leave such a constraint out
# would mean that data conforms although it was not checked.
JAVASCRIPT_REASON = "Scripts are not run. Use the constraints of SHACL, or SPARQL (sh:sparql)."
ADVANCED_REASON = (
    "It is from the SHACL Advanced Features, which are not checked. Use the targets and constraints of "
    "SHACL, or SPARQL (sh:sparql)."
)
ENTAILMENT_REASON = "Nothing is inferred before a check. Remove it, and send the inferred triples as data."
REFUSED_NAMES = {
    "js": JAVASCRIPT_REASON,
    "jsLibrary": JAVASCRIPT_REASON,
    "jsLibraryURL": JAVASCRIPT_REASON,
    "jsFunctionName": JAVASCRIPT_REASON,
    "JSConstraint": JAVASCRIPT_REASON,
    "JSValidator": JAVASCRIPT_REASON,
    "JSFunction": JAVASCRIPT_REASON,
    "JSTarget": JAVASCRIPT_REASON,
    "JSTargetType": JAVASCRIPT_REASON,
    "target": ADVANCED_REASON,
    "expression": ADVANCED_REASON,
    "SPARQLFunction": ADVANCED_REASON,
    "SPARQLTarget": ADVANCED_REASON,
    "SPARQLTargetType": ADVANCED_REASON,
    "entailment": ENTAILMENT_REASON,
}
REFUSED_TERMS = {ox.NamedNode(SH_NAMESPACE + name): reason for name, reason in REFUSED_NAMES.items()}


def is_integer(term: Any) -> bool:
    """Whether a term is an integer that an engine can compare."""
    return (
        isinstance(term, ox.Literal)
        and term.datatype.value == INTEGER_DATATYPE_IRI
        and INTEGER_PATTERN.fullmatch(term.value) is not None
        and len(term.value) <= INTEGER_LIMIT_DIGITS
    )


def is_count(term: Any) -> bool:
    """Whether a term is such an integer, of 0 or more."""
    return is_integer(term) and not term.value.startswith("-")


def is_boolean(term: Any) -> bool:
    """Whether a term is a boolean."""
    return isinstance(term, ox.Literal) and term.datatype.value == BOOLEAN_DATATYPE_IRI


def is_plain_text(term: Any) -> bool:
    """Whether a term is a text without a language."""
    return isinstance(term, ox.Literal) and term.language is None


def is_iri(term: Any) -> bool:
    """Whether a term is an IRI."""
    return isinstance(term, ox.NamedNode)


def is_node(term: Any) -> bool:
    """Whether a term is an IRI or a blank node."""
    return isinstance(term, (ox.NamedNode, ox.BlankNode))


def is_literal(term: Any) -> bool:
    """Whether a term is a literal."""
    return isinstance(term, ox.Literal)


def is_node_kind(term: Any) -> bool:
    """Whether a term is one of the kinds of nodes of sh:nodeKind."""
    return is_iri(term) and term.value.removeprefix(SH_NAMESPACE) in NODE_KINDS


# The values that the syntax rules of SHACL allow (Appendix A), by the local name of the property: a test, and
# a name for messages. The engines ignore a constraint with another value.
VALUE_TESTS: dict[str, tuple[Callable[[Any], bool], str]] = {
    **dict.fromkeys(
        ("minCount", "maxCount", "minLength", "maxLength", "qualifiedMinCount", "qualifiedMaxCount"),
        (is_count, f"an integer of 0 or more, with at most {INTEGER_LIMIT_DIGITS} digits"),
    ),
    **dict.fromkeys(
        ("minExclusive", "minInclusive", "maxExclusive", "maxInclusive"), (is_literal, "a literal")
    ),
    **dict.fromkeys(("pattern", "flags", "select", "ask"), (is_plain_text, "a string")),
    **dict.fromkeys(("class", "datatype", "severity"), (is_iri, "an IRI")),
    **dict.fromkeys(("equals", "disjoint", "lessThan", "lessThanOrEquals"), (is_iri, "an IRI")),
    **dict.fromkeys(("targetClass", "targetSubjectsOf", "targetObjectsOf"), (is_iri, "an IRI")),
    **dict.fromkeys(("node", "property", "not", "qualifiedValueShape"), (is_node, "a shape")),
    **dict.fromkeys(("and", "or", "xone", "in", "languageIn", "ignoredProperties"), (is_node, "a list")),
    **dict.fromkeys(("closed", "deactivated", "uniqueLang"), (is_boolean, "true or false")),
    "nodeKind": (is_node_kind, f"one of {', '.join(f'sh:{kind}' for kind in NODE_KINDS)}"),
    "path": (is_node, "a property path"),
    "message": (is_literal, "a text"),
}
# The constraint parameters, without the paths, targets and other properties of a shape.
CONSTRAINT_PROPERTIES = frozenset(
    SH_NAMESPACE + name
    for name in (*VALUE_TESTS, "hasValue", "sparql")
    if name
    not in (
        "path",
        "message",
        "severity",
        "deactivated",
        "select",
        "ask",
        "targetClass",
        "targetSubjectsOf",
        "targetObjectsOf",
    )
)
# The constraint parameters that only a property shape may have (SHACL, section 4).
PROPERTY_SHAPE_PROPERTIES = tuple(
    SH_NAMESPACE + name for name in ("minCount", "maxCount", "uniqueLang", "lessThan", "lessThanOrEquals")
)
# The properties that a shape has at most once.
SINGLE_PROPERTIES = tuple(
    SH_NAMESPACE + name
    for name in (
        *("minCount", "maxCount", "minLength", "maxLength", "datatype", "nodeKind", "uniqueLang", "in"),
        *("minExclusive", "minInclusive", "maxExclusive", "maxInclusive", "languageIn", "closed"),
        *("ignoredProperties", "deactivated", "severity", "qualifiedMinCount", "qualifiedMaxCount"),
    )
)
# All properties of SHACL and of its Advanced Features; another one would be ignored.
KNOWN_PROPERTIES = frozenset(
    (
        *VALUE_TESTS,
        *REFUSED_NAMES,
        *("alternativePath", "annotationProperty", "annotationValue", "annotationVarName", "condition"),
        *("conforms", "construct", "count", "declare", "defaultValue", "desc", "description", "detail"),
        *("distinct", "else", "exists", "filterShape", "focusNode", "group", "groupBy", "hasValue", "if"),
        *("intersection", "inversePath", "labelTemplate", "limit", "max", "min", "name", "namespace"),
        *("nodeValidator", "nodes", "object", "offset", "oneOrMorePath", "optional", "order", "orderBy"),
        *("parameter", "predicate", "prefix", "prefixes", "propertyValidator"),
        *("qualifiedValueShapesDisjoint", "result", "resultAnnotation", "resultMessage", "resultPath"),
        *("resultSeverity", "returnType", "rule", "separator", "shapesGraph", "shapesGraphWellFormed"),
        *("sourceConstraint", "sourceConstraintComponent", "sourceShape", "sparql", "subject"),
        *("suggestedShapesGraph", "sum", "targetNode", "then", "this", "union", "update", "validator"),
        *("value", "values", "zeroOrMorePath", "zeroOrOnePath"),
    )
)
RDF_FIRST_IRI, RDF_REST_IRI = f"{RDF_NAMESPACE}first", f"{RDF_NAMESPACE}rest"
